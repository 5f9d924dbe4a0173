"""What a scene parsing data set holds and what is wrong with it: the report of ``percept data check FOLDER``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from percept.core.console import progress
from percept.core.errors import UsageError
from percept.core.evaluation import Table
from percept.vision.image import read_sample
from percept.vision.scene.data import Counts, Unknown, binary_trap, counts
from percept.vision.scene.layouts import find, read_photos
from percept.vision.scene.photos import PhotoSet, inside

SHOWN = 20  # problems that are shown; the count tells of the others
MOST = 3000  # photos of a split that are decoded, evenly spread; all labels are read
RARE = 0.1  # percent of the labelled training pixels: a class below it is hardly learnt with natural sampling
TITLES = {
    "stanford-background": "Stanford Background",
    "sift-flow": "SIFT Flow",
    "barcelona": "Barcelona",
    "camvid": "CamVid",
    "folder": "images/, labels/",
}


@dataclass(frozen=True)
class SplitCount:
    """One split: its photos; (width, height) of the smallest and largest label picture, None of none; all its pixels,
    those that are void, those whose value the class list does not have."""

    split: str
    photos: int
    smallest: tuple[int, int] | None
    largest: tuple[int, int] | None
    pixels: int
    void: int
    unknown: int


@dataclass(frozen=True)
class ClassCount:
    """One class: its pixels in each split, and how many photos of all splits show it."""

    name: str
    pixels: dict[str, int]
    photos: int


@dataclass(frozen=True)
class Report:
    """The whole report; ``void``: which values are void; ``problems``: the first lines, ``problem_count`` all."""

    folder: str
    layout: str
    void: str
    splits: tuple[SplitCount, ...]
    classes: tuple[ClassCount, ...]
    unknown: tuple[dict[str, object], ...]
    problems: tuple[str, ...]
    problem_count: int
    advice: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Plain dicts, lists, texts and numbers."""
        return asdict(self)

    def tables(self) -> list[Table]:
        """Splits, and classes with their shares of all pixels, for a person; a dash where there is nothing."""
        columns = ("split", "photos", "width x height", "pixels", "void", "not in the list")
        rows = []
        for row in self.splits:
            sides = [f"{w} x {h}" for w, h in dict.fromkeys(s for s in (row.smallest, row.largest) if s)]
            shares = (_share(row.void, row.pixels), _share(row.unknown, row.pixels))
            rows.append((row.split, f"{row.photos:,}", " to ".join(sides) or "-", f"{row.pixels:,}", *shares))
        totals = {row.split: row.pixels for row in self.splits}
        classes = [
            (one.name, *(_share(one.pixels[split], total) for split, total in totals.items()), f"{one.photos:,}")
            for one in self.classes
        ]
        classes.append((f"void: {self.void}", *(_share(row.void, row.pixels) for row in self.splits), ""))
        title = f"{self.folder}  {TITLES[self.layout]}"
        return [Table(title, columns, tuple(rows)), Table("", ("class", *totals, "photos"), tuple(classes))]

    def lines(self) -> list[str]:
        """What is wrong, a line each, and then advice."""
        more = self.problem_count - len(self.problems)
        wrong = [*self.problems, *([f"... and {more:,} more"] if more > 0 else [])] or ["nothing wrong was found"]
        return [*wrong, *(f"advice: {line}" for line in self.advice)]


def look_through(folder: Path) -> Report:
    """Look through every split: read all labels, count their values, decode the photos, look for twins.

    Raises:
        UsageError: the folder holds no such data, or its class list cannot be used.
    """
    folder = Path(folder)
    found = find(folder)
    problems = [str(problem) for listed in found.problems.values() for problem in listed]
    sets: dict[str, PhotoSet] = {}
    for split, photos in found.splits.items():
        if photos:
            sets[split] = read_photos(folder, split)
        else:
            problems.append(f"{split}: no photo with labels")
    counted = {split: counts(photo_set) for split, photo_set in sets.items()}
    for split, one in counted.items():
        problems += [_line(value, one) for value in one.unknown]
        problems += [str(problem) for problem in one.problems]
        if what := binary_trap(one, sets[split]):
            problems.append(what)
    problems += _pictures(sets)
    problems = list(dict.fromkeys(problems))
    return Report(
        str(folder),
        found.set,
        found.codes.void,
        tuple(_split(split, one, len(sets[split].photos)) for split, one in counted.items()),
        tuple(_classes(found.names, counted)),
        tuple(asdict(value) for one in counted.values() for value in one.unknown),
        tuple(problems[:SHOWN]),
        len(problems),
        tuple(_advice(sets, counted)),
    )


def _line(value: Unknown, found: Counts) -> str:
    """An unknown value with its place, and how often it is met."""
    pixels = f"{value.pixels:,} pixel{'s' * (value.pixels > 1)}"
    return f"{value}: {pixels} in {value.files:,} of {found.read:,} label files"


def _split(split: str, found: Counts, photos: int) -> SplitCount:
    smallest, largest = found.sizes or (None, None)
    unknown = sum(value.pixels for value in found.unknown)
    return SplitCount(split, photos, smallest, largest, found.total, found.void, unknown)


def _classes(names: tuple[str, ...], counted: dict[str, Counts]) -> Iterator[ClassCount]:
    for place, name in enumerate(names):
        pixels = {split: found.pixels[place] for split, found in counted.items()}
        yield ClassCount(name, pixels, sum(found.photos[place] for found in counted.values()))


def _pictures(sets: dict[str, PhotoSet]) -> list[str]:
    """Photos that cannot be decoded, and the same photo twice: in two splits, or in one but not known as a twin."""
    problems = []
    seen: dict[str, tuple[str, str, str]] = {}  # mark of the file's bytes -> split, file, group
    with progress("photos", sum(len(photo_set.photos) for photo_set in sets.values())) as bar:
        for split, photo_set in sets.items():
            step = -(-len(photo_set.photos) // MOST)
            for place, photo in enumerate(photo_set.photos):
                bar.step()
                file = inside(photo.path, photo_set.folder)
                try:
                    if place % step == 0:
                        read_sample(photo.path)
                    mark = hashlib.sha256(photo.path.read_bytes()).hexdigest()
                except (UsageError, OSError) as error:
                    problems.append(f"{file}: {str(error).removeprefix(f'{photo.path}: ')}")
                    continue
                other_split, other, group = seen.setdefault(mark, (split, file, photo.group))
                if other_split != split:
                    problems.append(f"{file}: the same photo as {other}, in {other_split} and in {split}")
                elif other != file and group != photo.group:
                    problems.append(f"{file}: the same photo as {other}")
    return problems


def _advice(sets: dict[str, PhotoSet], counted: dict[str, Counts]) -> Iterator[str]:
    """What a person may want to do or know before training."""
    taught = "train" if "train" in counted else "all" if "all" in counted else None
    if taught is None:
        yield "no train split: nothing to learn from"
        return
    photo_set, found = sets[taught], counted[taught]
    if not photo_set.codes.void_given and found.void:
        yield "255 is void by custom, and ignored: say so in classes.txt (255 void), or which class it is"
    if "val" not in sets:
        yield "no val split: some training photos will be kept to choose the best epoch by"
    total = sum(found.pixels)
    absent = [name for name, pixels in zip(photo_set.names, found.pixels, strict=True) if not pixels]
    rare = [
        f"{name} ({100 * pixels / total:.2g} %)"
        for name, pixels in zip(photo_set.names, found.pixels, strict=True)
        if 0 < pixels < RARE / 100 * total
    ]
    if absent:
        more = f" and {len(absent) - 8} more" if len(absent) > 8 else ""
        yield f"no pixel in {taught}, so never learnt: {', '.join(absent[:8])}{more}"
    if rare:
        yield f"rare in {taught}: {', '.join(rare[:8])}; --sampling balanced looks at them more often"
    if photo_set.never_tested:
        yield f"the published means leave out {', '.join(photo_set.never_tested)}: no test photo shows them"


def _share(part: int, total: int) -> str:
    return f"{100 * part / total:.2f} %" if part else "-"
