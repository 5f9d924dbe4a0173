"""Scene parsing data: the photos of a split, one photo with its labels, photos held out, and how many pixels each class
has: what is looked at before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from percept.core.console import progress
from percept.core.errors import UsageError
from percept.core.evaluation import Table
from percept.vision.image import ORIENTATION, read_sample
from percept.vision.scene.labels import Coded, read_codes, shown_value
from percept.vision.scene.layout_sift import check_names
from percept.vision.scene.layouts import read_photos, recognise, splits, units
from percept.vision.scene.photos import UNKNOWN, VOID, Photo, PhotoSet, Problem, inside

__all__ = [
    "VOID",
    "Counts",
    "Photo",
    "PhotoSet",
    "Problem",
    "Unknown",
    "class_table",
    "counts",
    "hold_out",
    "read_labels",
    "read_pair",
    "read_photos",
    "recognise",
    "refuse",
    "splits",
]
STRETCHES = 4  # of a video are held out, about: few, for at each end a neighbour of a training frame stands
LONGEST = 20  # frames of a stretch


@dataclass(frozen=True)
class Unknown:
    """A value that the class list does not have: its pixels, the label files with it, and where it was met first."""

    value: str
    pixels: int
    files: int
    file: str
    x: int
    y: int

    def __str__(self) -> str:
        return f"{self.file}: {self.value} at ({self.x}, {self.y}) is not in the class list"


@dataclass(frozen=True)
class Counts:
    """What the labels of a split hold.

    pixels, photos: of each class; void: pixels without a class; read: label files; unknown: the most frequent value
    first; problems: labels that cannot be read or are of another size than their photo; sizes: (width, height) of the
    smallest and the largest label picture, None of none.
    """

    pixels: tuple[int, ...]
    photos: tuple[int, ...]
    void: int
    read: int
    unknown: tuple[Unknown, ...] = ()
    problems: tuple[Problem, ...] = ()
    sizes: tuple[tuple[int, int], tuple[int, int]] | None = None

    @property
    def total(self) -> int:
        """All pixels: those of classes, void ones and unknown ones."""
        return sum(self.pixels) + self.void + sum(value.pixels for value in self.unknown)


def read_labels(photo: Photo, photo_set: PhotoSet) -> np.ndarray:
    """(H, W) uint8: the class of each pixel, VOID where nobody told it.

    Raises:
        UsageError: the file cannot be read, or holds a value that the class list does not have; the message names the
            file, and the value with its place.
    """
    coded = _coded(photo, photo_set)
    found = _unknown(coded, inside(photo.labels, photo_set.folder))
    if found:
        more = sum(value.pixels for value in found) - 1
        others = f"; so are {more:,} more pixels of this file" if more else ""
        raise UsageError(f"{photo.labels}: {str(found[0]).partition(': ')[2]}{others} ({_known(photo_set, coded)})")
    return coded.labels


def read_pair(photo: Photo, photo_set: PhotoSet) -> tuple[np.ndarray, np.ndarray]:
    """(photo (H, W, 3) uint8 RGB, labels (H, W) uint8).

    Raises:
        UsageError: one of them cannot be read, or their sizes differ; the message names both.
    """
    rgb, labels = read_sample(photo.path), read_labels(photo, photo_set)
    if what := _misfit((rgb.shape[1], rgb.shape[0]), (labels.shape[1], labels.shape[0]), photo):
        raise UsageError(f"{photo.labels}: {what}")
    return rgb, labels


def hold_out(photo_set: PhotoSet, share: float, seed: int) -> tuple[PhotoSet, PhotoSet]:
    """Split into (train, held): about ``share`` of the photos, drawn by ``seed`` from their names in any order.

    Photos of one group stay together. Of a video, stretches of neighbouring frames are held and not single ones, whose
    neighbours would be near-duplicates in training.

    Raises:
        UsageError: the share is not between 0 and 1, or there is nothing to part.
    """
    if not 0 < share < 1:
        raise UsageError(f"share to hold out must be between 0 and 1, not {share:g}")
    wanted = max(1, round(share * len(photo_set.photos)))
    whole = units(photo_set.photos, min(max(round(wanted / STRETCHES), 1), LONGEST))
    if len(whole) < 2:
        count = len(photo_set.photos)
        raise UsageError(f"{count} photo{'s of one scene' * (count > 1)}: too few to hold some out for validation")
    held: set[str] = set()
    for place in np.random.default_rng([seed, len(whole)]).permutation(len(whole))[:-1]:  # one stays for training
        if not held or len(held) + len(whole[place]) / 2 <= wanted:
            held |= {photo.name for photo in whole[place]}
    train = tuple(photo for photo in photo_set.photos if photo.name not in held)
    kept = tuple(photo for photo in photo_set.photos if photo.name in held)
    return replace(photo_set, photos=train), replace(photo_set, photos=kept, split="val", problems=())


def counts(photo_set: PhotoSet) -> Counts:
    """Read every label file of a split and count; nothing is raised, what is wrong is among the answer."""
    classes = len(photo_set.names)
    pixels, photos = np.zeros(classes, np.int64), np.zeros(classes, np.int64)
    void, read = 0, 0
    unknown: dict[str, Unknown] = {}
    problems: list[Problem] = []
    sizes: list[tuple[int, int]] = []
    with progress("labels", len(photo_set.photos)) as bar:
        for photo in photo_set.photos:
            bar.step()
            file = inside(photo.labels, photo_set.folder)
            try:
                coded = _coded(photo, photo_set)
            except UsageError as error:
                problems.append(Problem(file, str(error).removeprefix(f"{photo.labels}: ")))
                continue
            size = coded.labels.shape[1], coded.labels.shape[0]
            if (of_photo := photo_size(photo.path)) and (what := _misfit(of_photo, size, photo)):
                problems.append(Problem(file, what))
            found = np.bincount(coded.labels.ravel(), minlength=256)  # (256,)
            pixels += found[:classes]
            photos += found[:classes] > 0
            void += int(found[VOID])
            read += 1
            sizes.append(size)
            for value in _unknown(coded, file) if found[UNKNOWN] else ():
                was = unknown.get(value.value, replace(value, pixels=0, files=0))
                unknown[value.value] = replace(was, pixels=was.pixels + value.pixels, files=was.files + 1)
    ordered = sorted(unknown.values(), key=lambda value: -value.pixels)
    by_area = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    return Counts(
        tuple(map(int, pixels)),
        tuple(map(int, photos)),
        void,
        read,
        tuple(ordered),
        tuple(problems),
        (by_area[0], by_area[-1]) if by_area else None,
    )


def class_table(found: Counts, photo_set: PhotoSet) -> Table:
    """Each class with its pixels, their share of all pixels, and the photos that show it; then what is void, and the
    values that are not in the class list."""
    rows = [_row(*row, found) for row in zip(photo_set.names, found.pixels, found.photos, strict=True)]
    rows.append(_row(f"void: {photo_set.codes.void}", found.void, None, found))
    for value in found.unknown:
        where = f"NOT IN THE LIST: {value.value}, first at ({value.x}, {value.y}) of {value.file}"
        rows.append(_row(where, value.pixels, value.files, found))
    title = f"{photo_set.set}  {photo_set.split}: {found.read:,} photos, {found.total:,} pixels"
    return Table(title, ("class", "pixels", "share", "photos"), tuple(rows))


def refuse(found: Counts, photo_set: PhotoSet) -> None:
    """Refuse to go on with labels that cannot be those of the class list, before anything is trained on them.

    Raises:
        UsageError: a value that is not in the list (the first with its place, the others counted), a label file that
            cannot be read or is of another size than its photo, no class at all, or 0 and 255 for two classes.
    """
    folder = photo_set.folder
    see = f" (percept data check {folder})"
    if found.unknown:
        first, more = found.unknown[0], len(found.unknown) - 1
        pixels = f"{first.pixels:,} pixel{'s' * (first.pixels > 1)} in {first.files:,} of {found.read:,} files"
        others = f", and {more} other value{'s' * (more > 1)}" if more else ""
        raise UsageError(f"{folder}/{first}: {pixels}{others}{see}")
    if found.problems:
        more = len(found.problems) - 1
        raise UsageError(f"{folder}/{found.problems[0]}{f'; {more:,} more like it' if more else ''}{see}")
    if not sum(found.pixels):
        raise UsageError(f"{folder}: every pixel of {photo_set.split} is void ({photo_set.codes.void})")
    if what := binary_trap(found, photo_set):
        raise UsageError(f"{folder}: {what}")


def binary_trap(found: Counts, photo_set: PhotoSet) -> str:
    """The line about masks of 0 and 255 for a list of two classes, of which 255 would be ignored; else nothing."""
    one, other = photo_set.names[0], photo_set.names[1]
    trapped = found.void and found.pixels[0] and not found.pixels[1]
    if len(photo_set.names) != 2 or photo_set.codes.void_given or not trapped:
        return ""
    return (
        f"the labels hold 0 and 255 only, and 255 is void by custom: nothing would be {other}. "
        f'If 255 is {other}, write "0 {one}" and "255 {other}" into classes.txt'
    )


def photo_size(path: Path) -> tuple[int, int] | None:
    """Width and height from a photo's header, as it is decoded: upright. None where that cannot be told cheaply."""
    try:
        with Image.open(path, formats=("JPEG", "PNG", "WEBP", "PPM", "BMP", "TIFF", "GIF")) as picture:
            turned = picture.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
            return picture.size[::-1] if turned else picture.size
    except Exception:  # decoding it will tell what is wrong
        return None


def _row(name: str, pixels: int, photos: int | None, found: Counts) -> tuple[str, str, str, str]:
    """A row of the class table; a dash where there is nothing."""
    share = f"{100 * pixels / found.total:.2f} %" if pixels else "-"
    return name, f"{pixels:,}", share, "" if photos is None else f"{photos:,}" if photos else "-"


def _coded(photo: Photo, photo_set: PhotoSet) -> Coded:
    coded = read_codes(photo.labels, photo_set.codes)
    if coded.names:
        check_names(photo.labels, coded.names, photo_set.names)
    return coded


def _unknown(coded: Coded, file: str) -> list[Unknown]:
    """The values of a label file that are not in the class list, in the order in which they are met."""
    y, x = np.nonzero(coded.labels == UNKNOWN)  # (pixels,) each
    if not y.size:
        return []
    values, first, number = np.unique(coded.values[y, x], return_index=True, return_counts=True)
    return [
        Unknown(shown_value(int(values[k]), coded.colour), int(number[k]), 1, file, int(x[first[k]]), int(y[first[k]]))
        for k in np.argsort(first)
    ]


def _known(photo_set: PhotoSet, coded: Coded) -> str:
    """What the class list has instead."""
    if coded.colour:
        return f"it has {len(photo_set.codes.colours)} colours"
    return f"it has {_ranges(value for value, _ in photo_set.codes.values)}; void: {photo_set.codes.void}"


def _ranges(values: Iterable[int]) -> str:
    """Numbers in short.

    >>> _ranges([0, 1, 2, 255])
    '0 to 2, 255'
    """
    spans: list[list[int]] = []
    for value in sorted(values):
        if spans and value == spans[-1][1] + 1:
            spans[-1][1] = value
        else:
            spans.append([value, value])
    shown = [f"{low} to {high}" if high > low else str(low) for low, high in spans]
    return ", ".join(shown[:6]) + (" ..." if len(shown) > 6 else "")


def _misfit(of_photo: tuple[int, int], of_labels: tuple[int, int], photo: Photo) -> str:
    """What to say of labels whose size is not the photo's; nothing if it is."""
    if of_photo == of_labels:
        return ""
    turned = "; is the photo turned upright by its EXIF data?" if of_photo == of_labels[::-1] else ""
    sizes = " where its photo {} has {} x {}".format(photo.path.name, *of_photo)
    return "{} x {} pixels,{}{}".format(*of_labels, sizes, turned)
