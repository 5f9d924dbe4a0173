"""The YOLO layout: one text file for each photo, `class x y width height` in shares of its sides; data.yaml."""

from __future__ import annotations

import ast
import re
from itertools import chain
from pathlib import Path

from percept.core.errors import UsageError
from percept.vision.detect.photos import Label, LabelCheck, PhotoSet, is_photo, photo_size

SPLITS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test",)}
NAME_FILES = ("classes.txt", "obj.names", "labels/classes.txt", "train/labels/classes.txt", "train/classes.txt")
KEPT_KEYS = ("path", "train", "val", "test", "names", "nc")


def yaml_file(folder: Path) -> Path | None:
    """The YAML file that names the classes, data.yaml first."""
    paths = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    paths.sort(key=lambda path: path.stem not in ("data", "dataset"))
    return next((path for path in paths if re.search(rb"(?m)^names\s*:", path.read_bytes())), None)


def names_file(folder: Path) -> Path | None:
    """The text file with a class name on each line."""
    return next((folder / name for name in NAME_FILES if (folder / name).is_file()), None)


def is_yolo(folder: Path) -> bool:
    """Whether the folder has label files beside or parallel to photos, or a data.yaml that points at photos."""
    if any(holds_boxes(folder / below) for below in ("labels", "train/labels", "valid/labels", "val/labels")):
        return True
    if (file := yaml_file(folder)) is not None:
        return any(re.search(rb"(?m)^%s\s*:" % key, file.read_bytes()) for key in (b"train", b"val"))
    return names_file(folder) is not None and any(
        is_photo(path) and path.with_suffix(".txt").is_file() for path in folder.iterdir()
    )


def holds_boxes(place: Path) -> bool:
    """Whether a folder is one for label files of boxes: there is one, or nothing yet. Others keep labels of pixels."""
    if not place.is_dir():
        return False
    files = (path for path in place.rglob("*") if path.is_file())
    first = next(files, None)
    return first is None or any(
        path.suffix == ".txt" and not path.name.endswith(".regions.txt") for path in chain([first], files)
    )


def yolo_splits(folder: Path) -> dict[str, list[Path]]:
    """The photos of each split found, {"all": photos} where there are no splits."""
    found: dict[str, list[Path]] = {}
    keys = read_yaml(file) if (file := yaml_file(folder)) else {}
    for split, words in SPLITS.items():
        values = keys.get(split) or []
        values = values if isinstance(values, list) else [values]
        places = [place for value in values if (place := yaml_place(folder, keys.get("path"), str(value)))]
        if not places:
            shapes = [shape.format(word) for word in words for shape in ("images/{}", "{}/images", "{}", "{}.txt")]
            places = [place for shape in shapes if (place := folder / shape).exists()][:1]
        photos = [photo for place in places for photo in photos_of(folder, place)]
        if photos:
            found[split] = photos
    if not found:
        places = [place for place in (folder / "images", folder) if place.is_dir()]
        photos = next(filter(None, (photos_of(folder, place) for place in places)), [])
        found = {"all": photos} if photos else {}
    return found


def yaml_place(folder: Path, root: object, value: str) -> Path | None:
    """The folder or list that a data.yaml points at.

    Files travel: `path` and absolute paths are often those of another machine, and some exporters write
    ../train/images for a folder beside the YAML, so the end of the path counts where the whole does not exist.
    """
    relative = value.removeprefix("./").removeprefix("../")
    tail = Path(*Path(relative).parts[-2:]) if relative else Path()
    tries = [folder / str(root or ".") / value, folder / value, folder / relative, folder / tail]
    return next((place for place in tries if place.exists()), None)


def photos_of(folder: Path, place: Path) -> list[Path]:
    """The photos in a folder (and below), or those that a list names, one a line."""
    if place.is_dir():
        return sorted(path for path in place.rglob("*") if is_photo(path))
    if place.suffix != ".txt":
        return []
    lines = place.read_text("utf-8", errors="replace").splitlines()
    return [folder / line.strip() for line in lines if line.strip() and is_photo(Path(line.strip()))]


def label_file(photo: Path) -> Path:
    """Where the boxes of a photo stand: labels/ in the place of images/ (the last in its path), else beside it."""
    parts = list(photo.with_suffix(".txt").parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            parallel = Path(*parts[:index], "labels", *parts[index + 1 :])
            return parallel if parallel.is_file() or not photo.with_suffix(".txt").is_file() else Path(*parts)
    return Path(*parts)


def read_yolo(folder: Path, photos: list[Path], split: str, split_found: str) -> PhotoSet:
    """The photos of one split; a photo with an empty label file, or none, is background.

    Raises UsageError if there are no class names, no label file at all, or most photos are missing.
    """
    names = class_names(folder)
    check = LabelCheck(folder)
    if not any(label_file(photo).is_file() for photo in photos):
        raise UsageError(f"{folder}: no label file for any of {len(photos):,} photos, as {label_file(photos[0])}")
    for photo in photos:
        file = label_file(photo)
        size = photo_size(photo) if photo.is_file() else None
        labels = read_labels(check, file, names, size) if size and file.is_file() else []
        check.add(photo if photo.is_file() else None, photo.name, file, labels, None)
    wanted = {label_file(photo) for photo in photos}
    for file in sorted(path for parent in {path.parent for path in wanted} for path in parent.glob("*.txt")):
        beside = file.parent == photos[0].parent  # there a .txt may be anything
        if file not in wanted and not beside and file.name != "classes.txt":
            check.problem(file, "no photo for these labels")
    return check.finish(names, "yolo", split, split_found)


def read_labels(check: LabelCheck, file: Path, names: list[str], size: tuple[int, int]) -> list[Label]:
    """The labels of one text file, corners in pixels; a polygon (class x y x y ...) counts as the box around it."""
    labels = []
    for number, line in enumerate(file.read_text("utf-8", errors="replace").splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            label, *shares = (float(word) for word in words)
        except ValueError:
            check.problem(file, "not numbers", line, line=number)
            continue
        polygon = len(shares) >= 6 and len(shares) % 2 == 0
        if len(shares) != 4 and not polygon:
            check.problem(file, f"{len(words)} values, class x y width height expected", line, line=number)
        elif label not in range(len(names)):
            check.problem(file, f"unknown class, {len(names)} are named", line, line=number)
        elif not polygon and max(shares) > 2:  # a share of the photo is at most 1
            check.problem(file, "values in pixels, shares of the photo's sides expected", line, line=number)
        else:
            box = around(shares, *size) if polygon else centred(shares, *size)
            labels.append(Label(box, int(label), line=number, value=line))
    return labels


def centred(shares: list[float], width: int, height: int) -> tuple[float, float, float, float]:
    """Centre and size in shares to corners in pixels."""
    x, y, w, h = shares
    return ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)


def around(shares: list[float], width: int, height: int) -> tuple[float, float, float, float]:
    """The box around a polygon in shares, corners in pixels."""
    xs, ys = shares[0::2], shares[1::2]
    return (min(xs) * width, min(ys) * height, max(xs) * width, max(ys) * height)


def class_names(folder: Path) -> list[str]:
    """The class table of data.yaml or classes.txt; raises UsageError if neither has one."""
    if (file := yaml_file(folder)) is not None:
        names = read_yaml(file).get("names")
    elif (file := names_file(folder)) is not None:
        names = [line for line in file.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    else:
        raise UsageError(f"{folder}: no class names: put a data.yaml with names, or classes.txt with one name a line")
    if not isinstance(names, list) or not names:
        raise UsageError(f"{file}: names is not a list of class names")
    names = [str(name).strip() for name in names]
    twice = sorted({name for name in names if names.count(name) > 1 or not name})
    if twice:
        raise UsageError(f"{file}: class name {twice[0]!r} twice or empty")
    return names


def read_yaml(file: Path) -> dict[str, object]:
    """The few keys of a data.yaml that matter, without a YAML library: texts, lists of texts, names by number.

    Raises UsageError for a value that is written in a way this reader does not know.
    """
    blocks: dict[str, str] = {}
    key = ""
    for line in file.read_text("utf-8", errors="replace").splitlines():
        line = re.sub(r"(^|\s)#.*$", "", line).rstrip()
        if (start := re.match(r"['\"]?(\w+)['\"]?\s*:(?:\s|$)", line)) is not None:
            key = start.group(1)
            blocks[key] = line[start.end() :]
        elif key:
            blocks[key] += "\n" + line
    return {key: yaml_value(file, key, blocks[key]) for key in KEPT_KEYS if key in blocks}


def yaml_value(file: Path, key: str, text: str) -> object:
    """A text, or a list of texts from [a, b], {0: a, 1: b} or their forms with one item a line."""
    text = text.strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if text[:1] in "[{" and text:
        items = re.findall(r"\"[^\"]*\"|'(?:[^']|'')*'|[^,\[\]{}\n\"':]+(?=\s*[,:\]}\n])|:", text)
        items = [item.strip() for item in items if item.strip()]
        if text[-1:] not in "]}" or (text[0] == "{" and items[1::3] != [":"] * (len(items) // 3)):
            raise UsageError(f"{file}: cannot read the value of {key}; write one item a line")
        pairs = list(zip(items[0::3], items[2::3], strict=False)) if text[0] == "{" else None
        items = [item for item in items if item != ":"]
    elif len(lines) > 1 or (lines and lines[0].startswith("- ")):
        if all(line.startswith("-") for line in lines):
            items, pairs = [line[1:].strip() for line in lines], None
        else:
            split = [re.fullmatch(r"['\"]?(\d+)['\"]?\s*:\s*(.+)", line) for line in lines]
            if not all(split):
                raise UsageError(f"{file}: cannot read the value of {key}; write one item a line, as in  0: person")
            items, pairs = [], [(match.group(1), match.group(2)) for match in split if match]
    else:
        return unquoted(text)
    if pairs is None:
        return [unquoted(item) for item in items]
    numbers = [unquoted(number) for number, _ in pairs]
    if sorted(numbers) != sorted(str(n) for n in range(len(numbers))):
        raise UsageError(f"{file}: the numbers of {key} are not 0 to {len(numbers) - 1}")
    return [unquoted(name) for _, name in sorted(pairs, key=lambda pair: int(unquoted(pair[0])))]


def unquoted(text: str) -> str:
    """A YAML text without its quotes."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(ast.literal_eval(text))
        except (ValueError, SyntaxError):
            return text[1:-1]
    return text
