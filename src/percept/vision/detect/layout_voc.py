"""The Pascal VOC layout (Everingham et al. 2010): one XML for each photo, lists of names for each split."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

from percept.core.errors import UsageError
from percept.vision.detect.photos import Label, LabelCheck, PhotoSet, find_photo, is_photo

EDGES = ("xmin", "ymin", "xmax", "ymax")


class VocObject:
    """One `<object>`: its texts by tag, and the line where its box begins."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.texts: dict[str, str] = {}


class VocFile:
    """What one annotation file says; `line` of an object is real, so that a person finds it."""

    def __init__(self, path: Path) -> None:
        self.texts: dict[str, str] = {}
        self.objects: list[VocObject] = []
        self.error: tuple[int, str] | None = None
        self.tags: list[str] = []
        self.text = ""
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.refuse
        try:
            self.parser.Parse(path.read_bytes(), True)
        except expat.ExpatError as error:
            self.error = (error.lineno, expat.errors.messages.get(error.code, "not XML"))
        except (OSError, ValueError, LookupError) as error:
            self.error = (1, str(error))
        del self.parser  # its bound handlers hold this object in a circle

    def refuse(self, *_: object) -> None:
        raise ValueError("a document type, which annotations never have")  # entities could blow up or read files

    def start(self, tag: str, _: dict[str, str]) -> None:
        self.tags.append(tag)
        self.text = ""
        if self.tags[1:] == ["object"]:
            self.objects.append(VocObject(self.parser.CurrentLineNumber))
        elif self.tags[1:] == ["object", "bndbox"]:
            self.objects[-1].line = self.parser.CurrentLineNumber

    def characters(self, text: str) -> None:
        self.text += text

    def end(self, _: str) -> None:
        place = self.tags[1:]
        self.tags.pop()
        if place[:1] == ["object"]:
            # a person's <part> boxes (head, hand, foot) lie inside the object and are other classes: left alone
            if len(place) == 2 or (len(place) == 3 and place[1] == "bndbox"):
                self.objects[-1].texts[place[-1]] = self.text.strip()
        elif place:
            self.texts["/".join(place)] = self.text.strip()


def voc_root(folder: Path) -> Path | None:
    """The folder that holds Annotations: the given one, or VOC2007 ... below it or below VOCdevkit."""
    below = sorted(path for pattern in ("VOC20*", "VOCdevkit/VOC20*", "*/VOC20*") for path in folder.glob(pattern))
    for root in (folder, *below):
        if (root / "Annotations").is_dir() and next((root / "Annotations").glob("*.xml"), None):
            return root
    beside = any(is_annotation(path) for path in sorted(folder.glob("*.xml"))[:3])
    return folder if beside else None


def is_annotation(path: Path) -> bool:
    """Whether an XML file looks like one of Pascal VOC."""
    with path.open("rb") as file:
        return b"<annotation" in file.read(4096)


def voc_splits(root: Path) -> dict[str, Path | None]:
    """The list of names of each split; {"all": None} where there are no lists."""
    lists = sorted((root / "ImageSets" / "Main").glob("*.txt"))
    found = {path.stem: path for path in lists if not path.stem.endswith(("_train", "_val", "_trainval", "_test"))}
    return {split: path for split, path in found.items() if path.stat().st_size} or {"all": None}


def read_voc(root: Path, names_file: Path | None, split: str, split_found: str) -> PhotoSet:
    """The photos of one split.

    The class table is every name in the folder's annotations, in alphabetical order, so that all splits share it.
    Corners are 1-based and inclusive: x0 = xmin - 1, x1 = xmax. `difficult` becomes ignore; `part` boxes are skipped.
    Raises UsageError if most photos are missing.
    """
    check = LabelCheck(root)
    annotations = root / "Annotations" if (root / "Annotations").is_dir() else root
    files = {path.stem: VocFile(path) for path in sorted(annotations.glob("*.xml"))}
    names = sorted({found.texts.get("name", "") for file in files.values() for found in file.objects} - {""})
    if not names:
        raise UsageError(f"{annotations}: no object with a name in {len(files):,} annotation files")
    bases = [base for base in (root / "JPEGImages", root / "images", annotations, root) if base.is_dir()]
    by_stem = {path.stem: path for base in reversed(bases) for path in base.iterdir() if is_photo(path)}
    for stem, line in listed(names_file, files):
        path = annotations / f"{stem}.xml"
        if stem not in files:
            check.unusable += 1
            check.problem(names_file or root, "no annotation of this name", stem, line=line)
        elif (error := files[stem].error) is not None:
            check.unusable += 1
            check.problem(path, "photo left out: not XML of Pascal VOC", error[1], line=error[0])
        else:
            # the file's own name counts: a copied XML often keeps the photo name of its first life in <filename>
            photo = by_stem.get(stem) or find_photo(bases, files[stem].texts.get("filename", ""))
            check.add(photo, stem, path, labels_of(check, path, files[stem], names), stated_size(files[stem]))
    return check.finish(names, "voc", split, split_found)


def listed(names_file: Path | None, files: dict[str, VocFile]) -> list[tuple[str, int | None]]:
    """(name, line) of each photo of the split; some lists have a second column, -1 for "class absent"."""
    if names_file is None:
        return [(stem, None) for stem in files]
    lines = names_file.read_text("utf-8", errors="replace").splitlines()
    names = [(line.split(), number) for number, line in enumerate(lines, 1)]
    return [(strip_suffix(words[0]), number) for words, number in names if words]


def strip_suffix(name: str) -> str:
    """Some lists name the photo with its suffix."""
    return Path(name).stem if is_photo(Path(name)) or name.endswith(".xml") else name


def labels_of(check: LabelCheck, path: Path, file: VocFile, names: list[str]) -> list[Label]:
    """One annotation file's labels, not yet checked against the photo."""
    labels = []
    for found in file.objects:
        say = complaint(check, path, found.line)
        if not found.texts.get("name"):
            say("object without a name", "")
            continue
        texts = [found.texts.get(edge) for edge in EDGES]
        box = corners(texts)
        if box is None:
            say("box is not 4 numbers", " ".join(str(text) for text in texts))
            continue
        difficult = found.texts.get("difficult", "0") not in ("", "0")
        value = f"{found.texts['name']} {' '.join(str(text) for text in texts)}"
        labels.append(Label(box, names.index(found.texts["name"]), difficult, None, found.line, value=value))
    return labels


def stated_size(file: VocFile) -> tuple[int, int] | None:
    """(width, height) that the file states, None if it does not (some tools write 0)."""
    width, height = (whole(file.texts.get(f"size/{side}", "")) for side in ("width", "height"))
    return (width, height) if width and height else None


def complaint(check: LabelCheck, path: Path, line: int) -> Callable[[str, str], None]:
    """A function that notes a problem of this line."""
    return lambda what, value: check.problem(path, what, value, line=line)


def corners(texts: list[str | None]) -> tuple[float, float, float, float] | None:
    """1-based inclusive corners to 0-based edges; None if they are not numbers.

    A box whose corners are equal is one that a person clicked without drawing: it gets no size, not one pixel.
    """
    try:
        x0, y0, x1, y1 = (float(text or "") for text in texts)
    except ValueError:
        return None
    return (x0 - 1 if x1 > x0 else x0, y0 - 1 if y1 > y0 else y0, x1, y1)


def whole(text: str) -> int:
    """The whole number in a text, 0 if there is none."""
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return 0
