"""What a detection data set holds and what is wrong with it: the report of `percept data check FOLDER`."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from percept.core.errors import InputError
from percept.core.evaluation import Table
from percept.vision.detect.layouts import read_photos, splits
from percept.vision.detect.photos import PhotoSet, Problem
from percept.vision.image import read_image

SHOWN = 20  # problems that are shown; the count tells of the others
SMALL, LARGE = 32.0**2, 96.0**2  # pixels^2, COCO's bounds of its size groups
TINY = 8.0  # pixels at the training size: below it hardly anything can be recognised
FEW_BOXES = 20  # in training: fewer and a class cannot be learnt


@dataclass(frozen=True)
class SplitCount:
    """One split: photos, of them without any box, boxes, of them ignored (crowd or difficult)."""

    split: str
    photos: int
    without_boxes: int
    boxes: int
    ignored: int


@dataclass(frozen=True)
class ClassCount:
    """One class: its boxes in each split, and how many photos of all splits show it."""

    name: str
    boxes: dict[str, int]
    photos: int


@dataclass(frozen=True)
class BoxSizes:
    """Sizes of all boxes: COCO's groups in pixels of the photos, the rest at the training size.

    smallest: shorter side of the smallest box, pixels of the photo, None without boxes;
    tiny_share: share of the boxes with a side under 8 pixels once the photo's longer side is `training_size`.
    """

    small: int
    medium: int
    large: int
    smallest: float | None
    tiny_share: float
    training_size: int


@dataclass(frozen=True)
class Report:
    """The whole report; `problems` are the first lines, `problem_count` all of them, `left_out` what was dropped."""

    folder: str
    layout: str
    splits: tuple[SplitCount, ...]
    classes: tuple[ClassCount, ...]
    sizes: BoxSizes
    problems: tuple[str, ...]
    problem_count: int
    left_out: int
    advice: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Plain dicts, lists, texts and numbers."""
        return asdict(self)

    def tables(self) -> list[Table]:
        """Splits, classes and box sizes, for a person."""
        splits = tuple(
            (s.split, f"{s.photos:,}", f"{s.boxes:,}", f"{s.ignored:,}", f"{s.without_boxes:,}") for s in self.splits
        )
        classes = tuple(
            (c.name, *(f"{c.boxes.get(s.split, 0):,}" for s in self.splits), f"{c.photos:,}") for c in self.classes
        )
        sizes = self.sizes
        smallest = "-" if sizes.smallest is None else f"{sizes.smallest:.0f} px"
        tiny = f"{sizes.tiny_share:.0%}"
        return [
            Table(f"{self.folder}  {self.layout}", ("split", "photos", "boxes", "ignored", "without boxes"), splits),
            Table("", ("class", *(f"boxes, {s.split}" for s in self.splits), "photos"), classes),
            Table(
                "",
                ("box sizes", "under 32 px", "to 96 px", "larger", "smallest", f"under 8 px at {sizes.training_size}"),
                (("", f"{sizes.small:,}", f"{sizes.medium:,}", f"{sizes.large:,}", smallest, tiny),),
            ),
        ]

    def lines(self) -> list[str]:
        """What is wrong, a line each, and then advice."""
        more = self.problem_count - len(self.problems)
        wrong = [*self.problems, *([f"... and {more:,} more"] if more > 0 else [])] or ["nothing wrong was found"]
        return [*wrong, *(f"advice: {line}" for line in self.advice)]


def report(folder: Path, training_size: int = 416, decode: bool = True) -> Report:
    """Read every split, and decode every photo (`decode`) to find those that are cut off.

    Raises UsageError if the folder holds no detection data, or labels that cannot be those of the photos.
    """
    folder = Path(folder)
    sets = {split: read_photos(folder, split) for split in parts(splits(folder))}
    problems = list(dict.fromkeys(problem for found in sets.values() for problem in found.problems))
    if decode:
        problems += broken_photos(folder, sets)
    problems += leaks(sets)
    counts = tuple(split_count(split, found) for split, found in sets.items())
    classes = class_counts(sets)
    sizes = box_sizes(sets, training_size)
    return Report(
        folder=str(folder),
        layout=next(iter(sets.values())).layout,
        splits=counts,
        classes=classes,
        sizes=sizes,
        problems=tuple(str(problem) for problem in problems[:SHOWN]),
        problem_count=len(problems),
        left_out=sum(problem.dropped for problem in problems),
        advice=tuple(advice(counts, classes, sizes)),
    )


def parts(found: tuple[str, ...]) -> list[str]:
    """The splits without those that are only sums of others (VOC's trainval)."""
    return [split for split in found if split != "trainval" or "train" not in found]


def split_count(split: str, found: PhotoSet) -> SplitCount:
    """The row of one split."""
    return SplitCount(
        split,
        photos=len(found.photos),
        without_boxes=sum(not len(photo.boxes) for photo in found.photos),
        boxes=sum(len(photo.boxes) for photo in found.photos),
        ignored=sum(int(photo.ignore.sum()) for photo in found.photos),
    )


def class_counts(sets: dict[str, PhotoSet]) -> tuple[ClassCount, ...]:
    """One row a class, in the order of the class table; ignored boxes are not counted."""
    names = list(dict.fromkeys(name for found in sets.values() for name in found.names))
    boxes = {split: Counter[str]() for split in sets}
    photos = Counter[str]()
    for split, found in sets.items():
        for photo in found.photos:
            labels = [found.names[label] for label in photo.labels[~photo.ignore]]
            boxes[split].update(labels)
            photos.update(set(labels))
    return tuple(ClassCount(name, {split: boxes[split][name] for split in sets}, photos[name]) for name in names)


def box_sizes(sets: dict[str, PhotoSet], training_size: int) -> BoxSizes:
    """The histogram of sizes over all splits."""
    photos = [photo for found in sets.values() for photo in found.photos]
    areas = np.concatenate([photo.areas for photo in photos])  # (boxes of all photos,)
    short = [(photo.boxes[:, 2:] - photo.boxes[:, :2]).min(axis=1) for photo in photos if len(photo.boxes)]
    scaled = [training_size / max(photo.width, photo.height) for photo in photos if len(photo.boxes)]
    tiny = sum(int((sides * factor < TINY).sum()) for sides, factor in zip(short, scaled, strict=True))
    return BoxSizes(
        small=int((areas < SMALL).sum()),
        medium=int(((areas >= SMALL) & (areas < LARGE)).sum()),
        large=int((areas >= LARGE).sum()),
        smallest=round(float(min(sides.min() for sides in short)), 2) if short else None,
        tiny_share=round(tiny / max(1, len(areas)), 4),
        training_size=training_size,
    )


def broken_photos(folder: Path, sets: dict[str, PhotoSet]) -> list[Problem]:
    """Photos whose header is right but whose pixels cannot be decoded to the end."""
    problems = []
    for path in dict.fromkeys(photo.path for found in sets.values() for photo in found.photos):
        try:
            read_image(path)
        except InputError as error:
            shown = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
            problems.append(Problem(shown, None, "", str(error), dropped=False))
    return problems


def leaks(sets: dict[str, PhotoSet]) -> list[Problem]:
    """Photos that are in two splits: what is measured on them says nothing."""
    problems = []
    for one, other in combinations(sets, 2):
        both = sorted({p.path for p in sets[one].photos} & {p.path for p in sets[other].photos})
        if both:
            what = f"photo is in {one} and in {other}, as are {len(both) - 1:,} more"
            problems.append(Problem(both[0].name, None, "", what, dropped=False))
    return problems


def advice(counts: tuple[SplitCount, ...], classes: tuple[ClassCount, ...], sizes: BoxSizes) -> list[str]:
    """What a person may want to do before training, most useful first."""
    lines = []
    there = [count.split for count in counts]
    if "val" not in there:
        lines.append("no val split: some training photos will be held out to choose the best epoch")
    if not sum(count.boxes for count in counts):
        lines.append("no boxes at all: nothing can be learnt")
    learnt = "train" if "train" in there else there[0]
    place = "" if learnt == "all" else f" in {learnt}"
    for row in sorted(classes, key=lambda row: row.boxes[learnt]):
        boxes = row.boxes[learnt]
        elsewhere = sum(row.boxes.values()) - boxes
        if boxes == 0:
            where = f", {elsewhere:,} elsewhere" if elsewhere else ""
            lines.append(f"class {row.name} has no boxes{place}{where}")
        elif boxes < FEW_BOXES:
            few = "1 box" if boxes == 1 else f"{boxes} boxes"
            lines.append(f"class {row.name} has {few}{place}: too few to learn")
    if sizes.tiny_share > 0.1:
        lines.append(
            f"{sizes.tiny_share:.0%} of the boxes are under {TINY:g} pixels at {sizes.training_size}: "
            "a larger input size will find more of them"
        )
    return lines
