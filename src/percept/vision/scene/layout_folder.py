"""One's own folder: images/ and labels/ with files of the same names, and classes.txt.

The labels are PNG: numbers (grey of 8 or 16 bit, or a palette) or RGB colours. Parts are images/train and labels/train,
or train/images and train/labels, and so on for val and test; or train.txt, val.txt, test.txt with a photo a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from percept.core.errors import UsageError
from percept.vision.image import SUFFIXES
from percept.vision.scene.labels import HIGHEST
from percept.vision.scene.photos import (
    MOST_CLASSES,
    RGB,
    VOID,
    Codes,
    Found,
    Photo,
    Problem,
    colours_for,
    inside,
    name_of,
    packed,
    several,
)

SET = "folder"
CLASSES = "classes.txt"
SHOWN = 5  # photos without labels that are named one by one
PARTS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
VOID_NAMES = {"void", "ignore", "ignored", "unlabelled", "unlabeled", "unknown"}
FORMS = 'lines of "NAME", "NUMBER NAME", "NAME R G B" or "NUMBER NAME R G B"'
CUSTOM = "255 (by custom: classes.txt names no void)"
FRAME = re.compile(r"(?P<video>.*?)[_-]?[a-zA-Z]?(?P<frame>\d+)$")  # street_000120, f00120, 000120


@dataclass(frozen=True)
class Line:
    """A line of classes.txt: the number at its beginning, the colour at its end, or None."""

    number: int
    index: int | None
    name: str
    colour: RGB | None

    @property
    def void(self) -> bool:
        return self.name.lower() in VOID_NAMES


def is_own(folder: Path) -> bool:
    """Whether there are images/ and labels/ with PNG files: with text files, they would hold boxes."""
    return any(next(labels.rglob("*.png"), None) is not None for _, labels in places(folder).values())


def places(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Split -> its folders of photos and of labels; {"all": ...} where the folder has no parts."""
    found: dict[str, tuple[Path, Path]] = {}
    for split, words in PARTS.items():
        for word in words:
            for pair in (
                (folder / "images" / word, folder / "labels" / word),
                (folder / word / "images", folder / word / "labels"),
            ):
                if split not in found and all(place.is_dir() for place in pair):
                    found[split] = pair
    whole = folder / "images", folder / "labels"
    return found or ({"all": whole} if all(place.is_dir() for place in whole) else {})


def find_own(folder: Path) -> Found:
    """The photos of each part, those without labels left out.

    Raises:
        UsageError: no classes.txt, or a line in it that says nothing.
    """
    names, colours, codes = read_classes(folder / CLASSES)
    splits: dict[str, tuple[Photo, ...]] = {}
    problems: dict[str, list[Problem]] = {}
    for split, (images, labels) in places(folder).items():
        splits[split], problems[split] = _photos(folder, images, labels)
    if set(splits) == {"all"} and (lists := [part for part in PARTS if (folder / f"{part}.txt").is_file()]):
        everything, bare = splits.pop("all"), problems.pop("all")
        for part in lists:
            splits[part], lost = _listed(folder, folder / f"{part}.txt", everything)
            problems[part] = lost + (bare if part == lists[0] else [])
    return Found(SET, folder, names, colours, codes, splits, problems)


def read_classes(path: Path) -> tuple[tuple[str, ...], tuple[RGB, ...], Codes]:
    """Names, colours, and what the values in label files mean, from classes.txt.

    A value is the number at a line's beginning; where no line has one, the line's own place from 0 on. A line called
    void, ignore, unlabelled or unknown names a value or colour of no class; without one, 255 is void by custom.
    ``#`` begins a remark.

    Raises:
        UsageError: it is not there, a line says nothing, says something twice, or there are less than 2 classes.
    """
    if not path.is_file():
        others = sorted(file.name for file in path.parent.glob("*.txt"))
        beside = f" (there is {', '.join(others[:4])})" if others else ""
        raise UsageError(f"{path}: not there{beside}; it names the classes in {FORMS}")
    lines = list(_lines(path))
    classes = [line for line in lines if not line.void]
    counted = sum(line.index is not None for line in classes)
    if 0 < counted < len(classes):
        odd = next(line for line in classes if line.index is None)
        raise UsageError(f"{path} line {odd.number}: no number before {odd.name}, as other lines have")
    if not counted:  # the place of a line is its number; a void line with a number of its own takes no place
        free = [line for line in lines if line.index is None]
        lines = [replace(line, index=free.index(line)) if line.index is None else line for line in lines]
    _no_twins(path, lines)
    classes = sorted((line for line in lines if not line.void), key=lambda line: line.index or 0)
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise UsageError(f"{path}: {len(classes)} classes; 2 to {MOST_CLASSES} can be told apart")
    meaning = [(line, VOID) for line in lines if line.void] + [(line, label) for label, line in enumerate(classes)]
    values = tuple((line.index, label) for line, label in meaning if line.index is not None)
    colours = tuple((packed(line.colour), label) for line, label in meaning if line.colour)
    void = ", ".join(_shown(line) for line in lines if line.void)
    given = bool(void)
    if not given and not any(value == VOID for value, _ in values):
        values, void = (*values, (VOID, VOID)), CUSTOM
    names = tuple(line.name for line in classes)
    return names, colours_for(names, [line.colour for line in classes]), Codes(values, colours, void or "none", given)


def _lines(path: Path) -> Iterator[Line]:
    for number, text in enumerate(path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), 1):
        words = text.split("#")[0].replace(",", " ").replace(":", " ").split()
        if not words:
            continue
        index, colour = None, None
        if len(words) > 1 and words[0].lstrip("-").isdecimal():
            index, words = int(words[0]), words[1:]
        if len(words) > 3 and all(word.isdecimal() for word in words[-3:]):
            red, green, blue = (int(word) for word in words[-3:])
            colour, words = (red, green, blue), words[:-3]
        name = " ".join(words)
        if index is not None and all(word.isdecimal() for word in words):
            raise UsageError(f'{path} line {number}: no name in "{text.strip()[:60]}"; expected {FORMS}')
        if index is not None and not 0 <= index <= HIGHEST:
            raise UsageError(f"{path} line {number}: values go from 0 to {HIGHEST:,}, not {index}")
        if colour and max(colour) > 255:
            raise UsageError(f"{path} line {number}: colours go from 0 to 255, not {max(colour)}")
        yield Line(number, index, name, colour)


def _no_twins(path: Path, lines: list[Line]) -> None:
    """Raises UsageError for a name, value or colour that two lines have."""
    seen: dict[object, int] = {}
    for line in lines:
        marks = [f"value {line.index}", *([f"colour {' '.join(map(str, line.colour))}"] if line.colour else [])]
        for mark in marks if line.void else [*marks, line.name]:
            if mark in seen:
                raise UsageError(f"{path} line {line.number}: {mark} stands in line {seen[mark]} already")
            seen[mark] = line.number


def _shown(line: Line) -> str:
    colour = f", colour {' '.join(map(str, line.colour))}" if line.colour else ""
    return f"{line.index} ({line.name}{colour})"


def _photos(folder: Path, images: Path, labels: Path) -> tuple[tuple[Photo, ...], list[Problem]]:
    """The photos of one part that have labels; photos or labels without the other."""
    there = {path.relative_to(labels).with_suffix("").as_posix(): path for path in _all_files(labels)}
    found, bare, seen = [], [], set()
    for path in _all_files(images):
        key = path.relative_to(images).with_suffix("").as_posix()
        if path.suffix.lower() not in SUFFIXES:
            bare.append(Problem(inside(path, folder), "not a photo by its name"))
        elif key in seen:
            bare.append(Problem(inside(path, folder), "another photo has the same name"))
        elif key not in there:
            bare.append(Problem(inside(path, folder), f"no {inside(labels, folder)}/{key}.png"))
        elif there[key].suffix.lower() != ".png":
            bare.append(Problem(inside(there[key], folder), "not a PNG: other formats blur or scale the numbers"))
        else:
            name = name_of(path, folder)
            frame = FRAME.fullmatch(path.stem)
            # photos with numbers may be frames: to keep neighbours together does no harm if they are not
            video = (frame["video"] or inside(path.parent, folder)) if frame else ""
            found.append(Photo(name, path, there[key], name, video, int(frame["frame"]) if frame else -1))
        seen.add(key)
    lost = [Problem(inside(there[key], folder), f"no photo {key} in {inside(images, folder)}") for key in there]
    lost = [problem for key, problem in zip(there, lost, strict=True) if key not in seen]
    problems = several(bare, SHOWN, "no labels", inside(images, folder))
    return tuple(found), problems + several(lost, SHOWN, "no photo", inside(labels, folder))


def _all_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")


def _listed(folder: Path, names: Path, photos: tuple[Photo, ...]) -> tuple[tuple[Photo, ...], list[Problem]]:
    """The photos of a list, by their place in images/ or by their stem alone."""
    by_place = {photo.name.removeprefix("images/"): photo for photo in photos}
    by_stem = {photo.path.stem: photo for photo in photos}
    found: dict[str, Photo] = {}
    lost = []
    for line in names.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        if not line.strip():
            continue
        place = Path(line.split("\t")[0].strip().replace("\\", "/"))
        if place.suffix.lower() in SUFFIXES:
            place = place.with_suffix("")
        photo = by_place.get(place.as_posix().removeprefix("./").removeprefix("images/")) or by_stem.get(place.name)
        if photo is None:
            lost.append(Problem(names.name, f"{line.strip()[:60]} is not there with labels"))
        else:
            found[photo.name] = photo
    return tuple(found.values()), several(lost, SHOWN, "no photo", names.name)
