"""Photos with boxes, and the checks that every label passes before training or scoring sees it."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from percept.core.errors import InputError, UsageError
from percept.vision.image import ORIENTATION, SUFFIXES, read_image

ROUNDING = 1.0  # pixels that a box may lie outside the photo without a word: tools round, and mix 0-based with 1-based
ENDS = {b"\xff\xd8": b"\xff\xd9", b"\x89P": b"IEND"}  # how JPEG and PNG files begin and end
FEW_MISSING = 5  # photos without a file, or with a wrong size, that are only reported; more than these ...
SHARE_MISSING = 0.1  # ... and more than this share of the split mean that the folder is wrong, not a label


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the labels; `str()` is the line that a person reads.

    file: the label file or photo, as a path inside the data set's folder;
    line: its line number, where the format has lines; entry: else which entry ("annotation 7, index 3");
    value: what stands there; what: what is wrong with it;
    dropped: the label (or the photo) was left out; else it was repaired or only noted.
    """

    file: str
    line: int | None
    value: str
    what: str
    dropped: bool = True
    entry: str = ""

    def __str__(self) -> str:
        place = f" line {self.line}" if self.line is not None else f" {self.entry}" if self.entry else ""
        return f"{self.file}{place}: {self.what}" + (f" ({self.value})" if self.value else "")


@dataclass(frozen=True)
class Photo:
    """One photo and its boxes.

    width, height: pixels, as decoded (turned upright where the file says so);
    boxes: (N, 4) float32 x0 y0 x1 y1 in pixels, edges at 0 and width or height, clipped to the photo;
    labels: (N,) int64 into the set's names;
    ignore: (N,) bool, crowd or difficult: neither an object nor background; areas: (N,) float32 pixels^2.
    """

    path: Path
    width: int
    height: int
    boxes: np.ndarray
    labels: np.ndarray
    ignore: np.ndarray
    areas: np.ndarray


@dataclass(frozen=True)
class PhotoSet:
    """The photos of one split.

    names: the class table, labels index into it; layout: "coco", "voc" or "yolo";
    split: the split asked for; split_found: what the folder calls it, "all" where it has no splits and so serves
    every split with the same photos (hold some out before training).
    """

    names: tuple[str, ...]
    photos: tuple[Photo, ...]
    layout: str
    problems: tuple[Problem, ...]
    split: str = "all"
    split_found: str = "all"


@dataclass(frozen=True)
class Label:
    """One box as it stands in a file, before any check: corners in pixels, 0-based edges."""

    box: tuple[float, float, float, float]
    label: int
    ignore: bool = False
    area: float | None = None
    line: int | None = None
    entry: str = ""
    value: str = ""


@dataclass
class LabelCheck:
    """Collects the photos and the problems of one split while a reader goes through its files.

    folder: the data set's folder, problems name files relative to it.
    """

    folder: Path
    photos: list[Photo] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unusable: int = 0
    seen: set[str] = field(default_factory=set)

    def problem(
        self,
        file: Path | str,
        what: str,
        value: object = "",
        *,
        line: int | None = None,
        dropped: bool = True,
        entry: str = "",
    ) -> None:
        """Note one problem; `value` is shortened to what fits on a line."""
        shown = " ".join(str(value).split())
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        self.problems.append(Problem(self.shown(file), line, shown, what, dropped, entry))

    def shown(self, file: Path | str) -> str:
        """A path as problems show it: relative to the data set's folder if it lies inside."""
        try:
            inside = Path(file).relative_to(self.folder)
            return inside.as_posix() if inside.parts else str(self.folder)
        except ValueError:
            return str(file)

    def add(self, path: Path | None, name: str, file: Path, labels: list[Label], size: tuple[int, int] | None) -> None:
        """Check one photo and its labels and add it.

        path: the photo, None if it was not found; name: the photo as the label file calls it;
        file: the label file; size: width and height that the label file states, None if it states none.
        """
        if path is None:
            self.unusable += 1
            self.problem(file, "photo missing", name)
            return
        key = os.path.normcase(str(path))
        if key in self.seen:
            self.problem(file, "photo listed twice, only the first is used", name)
            return
        self.seen.add(key)
        actual = photo_size(path)
        if actual is None:
            self.unusable += 1
            self.problem(path, "not a readable picture")
            return
        if flaw := cut_off(path):
            self.unusable += 1
            self.problem(path, f"photo left out: {flaw}")
            return
        if size is not None and size != actual:
            self.unusable += 1
            turned = ", turned on its side?" if size == actual[::-1] else ""
            stated = f"{size[0]} x {size[1]} in the label file, {actual[0]} x {actual[1]} in the photo{turned}"
            self.problem(path, "size differs from the label file: photo left out", stated)
            return
        self.photos.append(self.checked(path, actual, file, labels))

    def checked(self, path: Path, size: tuple[int, int], file: Path, labels: list[Label]) -> Photo:
        """The photo with the labels that can be used; each other one becomes a problem."""
        kept: list[tuple[tuple[float, float, float, float], Label]] = []
        known: set[tuple[object, ...]] = set()
        for label in labels:
            box, what, dropped = clipped(label.box, *size)
            if box is not None and (label.label, label.ignore, box) in known:
                box, what, dropped = None, "the same box twice", True
            if what:
                value = label.value or " ".join(f"{edge:g}" for edge in label.box)
                self.problem(file, what, value, line=label.line, dropped=dropped, entry=label.entry)
            if box is not None:
                known.add((label.label, label.ignore, box))
                kept.append((box, label))
        areas = [(b[2] - b[0]) * (b[3] - b[1]) if it.area is None else it.area for b, it in kept]
        return Photo(
            path,
            *size,
            boxes=np.array([box for box, _ in kept], np.float32).reshape(-1, 4),
            labels=np.array([it.label for _, it in kept], np.int64),
            ignore=np.array([it.ignore for _, it in kept], bool),
            areas=np.array(areas, np.float32),
        )

    def finish(self, names: list[str], layout: str, split: str, split_found: str) -> PhotoSet:
        """The photo set; raises UsageError if too many photos could not be used for chance to explain it."""
        total = len(self.photos) + self.unusable
        if not self.photos or self.unusable > max(FEW_MISSING, SHARE_MISSING * total):
            first = f"; first: {self.problems[0]}" if self.problems else ""
            some = f"{self.unusable:,} of {total:,} photos cannot be used" if total else "no photos"
            raise UsageError(f"{self.folder}: {some} in split {split_found}{first}")
        for first, second in twins(names):
            what = "two classes that differ in upper and lower case only"
            self.problem(self.folder, what, f"{first}, {second}", dropped=False)
        return PhotoSet(tuple(names), tuple(self.photos), layout, tuple(self.problems), split, split_found)


def clipped(
    box: tuple[float, float, float, float], width: int, height: int
) -> tuple[tuple[float, float, float, float] | None, str, bool]:
    """(the box inside the photo or None, what was wrong or "", whether it is left out)."""
    x0, y0, x1, y1 = box
    if not all(math.isfinite(edge) for edge in box):
        return None, "box that is not a number", True
    if x1 <= x0 or y1 <= y0:
        return None, "box of no size", True
    inside = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        return None, f"box outside the photo of {width} x {height}", True
    if max(abs(a - b) for a, b in zip(box, inside, strict=True)) > ROUNDING:
        return inside, f"box partly outside the photo of {width} x {height}, clipped", False
    return inside, "", False


def twins(names: list[str]) -> list[tuple[str, str]]:
    """Pairs of names that differ in case only: nearly always one class spelt in two ways."""
    first: dict[str, str] = {}
    return [(first[low], name) for name in names if first.setdefault(low := name.casefold(), name) != name]


def photo_size(path: Path) -> tuple[int, int] | None:
    """(width, height) in pixels of a picture as read_image returns it, from its header; None if it is no picture."""
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            turned = picture.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
    except Exception:  # Pillow lets OSError, ValueError, SyntaxError, struct.error ... out
        return None
    return (height, width) if turned else (width, height)


def cut_off(path: Path) -> str:
    """What is wrong with a JPEG or PNG that has no end mark, "" for others: only the suspect ones are decoded."""
    with path.open("rb") as file:
        end = ENDS.get(file.read(2), b"")
        file.seek(max(0, path.stat().st_size - 1024))
        if end in file.read():
            return ""
    try:
        read_image(path)
    except InputError as error:
        return str(error)
    return ""


def find_photo(bases: list[Path], name: str) -> Path | None:
    """The photo called `name` in the first of the folders that has it, else by its bare file name; None if nowhere."""
    names = [name] if "/" not in name and "\\" not in name else [name, name.replace("\\", "/").rsplit("/", 1)[-1]]
    for wanted in names:
        for base in bases:
            # os.path: False, not an error, for names that no system takes
            if wanted and os.path.isfile(base / wanted):  # noqa: PTH113
                return base / wanted
    return None


def is_photo(path: Path) -> bool:
    """Whether the file name is one of a picture."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
