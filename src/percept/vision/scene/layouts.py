"""The published layouts of scene parsing data: which one a folder has, its splits and folds, and the photos of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from percept.core.errors import UsageError, nearest
from percept.vision.scene.layout_camvid import find_camvid, is_camvid
from percept.vision.scene.layout_folder import CLASSES, find_own, is_own, places
from percept.vision.scene.layout_sift import find_sift, is_sift, kind_of, names_in
from percept.vision.scene.layout_stanford import find_stanford, is_stanford
from percept.vision.scene.photos import Found, Photo, PhotoSet, Problem

LAYOUTS = (
    "Stanford Background (images/, labels/*.regions.txt), SIFT Flow or Barcelona (Images/, SemanticLabels/*.mat), "
    f"CamVid (train/ and trainannot/, or *_L.png), or images/, labels/*.png and {CLASSES}"
)
LOOKED_AT = 20  # folders in the given one that are looked into: archives often have one folder round all
FOLD = re.compile(r"(train-without-)?fold(\d+)")
STRETCHES = 25  # of a video: its folds are made of about so many stretches, for neighbouring frames are near-duplicates
LONGEST = 20  # frames of a stretch


def recognise(folder: Path) -> str | None:
    """The set that a folder holds, by its content: "stanford-background", "sift-flow", "camvid", "barcelona", "folder",
    or None."""
    if not Path(folder).is_dir():
        return None
    with readable(folder):
        kind, root = _located(Path(folder))
        return kind_of(root, names_in(root)) if kind == "sift" else kind


def splits(folder: Path) -> tuple[str, ...]:
    """The splits of a folder, ("all",) where it has none; Stanford Background's folds follow after "all".

    Raises:
        UsageError: an unknown layout.
    """
    found = find(folder)
    folds = [f"fold{number}" for number in range(1, found.fold_count + 1)] if found.set == "stanford-background" else []
    return (*found.splits, *folds)


def read_photos(folder: Path, split: str) -> PhotoSet:
    """The photos of a split; labels are not read yet.

    split: one that :func:`splits` tells, or "all", every photo. "train" is "all" where a set has no parts. "fold2" is
    the second fifth of the training photos, "train-without-fold2" the others: photos in the order of their names, one
    to each fold in turn, a group always in one, and of videos stretches of neighbouring frames in place of photos.

    Raises:
        UsageError: an unknown layout, no such split, no photo with labels in it, or a class list that cannot be used.
    """
    found = find(folder)
    photos, problems = _photos_of(found, split)
    if not photos:
        what = f"; {problems[0]}" if problems else ""
        raise UsageError(f"{folder}: no photo with labels in {split}{what} (percept data check {folder})")
    whole = split in ("train", "all") and "all" in found.splits
    return PhotoSet(
        found.set,
        found.names,
        found.colours,
        photos,
        found.never_tested,
        tuple(problems),
        split,
        "all" if whole else split,
        found.codes,
        found.folder,
    )


def find(folder: Path) -> Found:
    """The whole set below a folder. Raises UsageError if there is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    with readable(folder):
        kind, root = _located(folder)
        if kind is None:
            raise UsageError(f"{folder}: {_nothing(folder)}")
        finders = {"stanford-background": find_stanford, "sift": find_sift, "camvid": find_camvid, "folder": find_own}
        return finders[kind](root)


def units(photos: tuple[Photo, ...], longest: int) -> list[list[Photo]]:
    """Photos that stay together: those of one group; of a video, stretches of up to ``longest`` neighbouring frames.

    In the order of the names of their first photos, so that the order of a list changes nothing.
    """
    groups: dict[str, list[Photo]] = {}
    videos: dict[str, list[Photo]] = {}
    for photo in sorted(photos, key=lambda photo: photo.name):
        if photo.video:
            videos.setdefault(photo.video, []).append(photo)
        else:
            groups.setdefault(photo.group, []).append(photo)
    found = list(groups.values())
    for frames in videos.values():
        frames.sort(key=lambda photo: photo.frame)
        found += [frames[start : start + longest] for start in range(0, len(frames), longest)]
    return sorted(found, key=lambda unit: unit[0].name)


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Say in one line when the system refuses a file."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror or error}") from error


def _photos_of(found: Found, split: str) -> tuple[tuple[Photo, ...], list[Problem]]:
    """The photos of a split, and what is wrong there."""
    if split in found.splits:
        return found.splits[split], found.problems.get(split, [])
    everything = [photo for photos in found.splits.values() for photo in photos]
    if split == "all" or (split == "train" and "all" in found.splits):
        return tuple(everything), [problem for problems in found.problems.values() for problem in problems]
    fold = FOLD.fullmatch(split)
    if fold and 1 <= int(fold[2]) <= found.fold_count:
        taught = "train" if "train" in found.splits else "all" if "all" in found.splits else ""
        photos = found.splits.get(taught, ())
        folds = found.folds or _folds(photos, found.fold_count)
        chosen = tuple(p for p in photos if (folds.get(p.name) == int(fold[2])) is not bool(fold[1]))
        return chosen, found.problems.get(taught, [])
    known = [*found.splits, *(f"fold{number}" for number in range(1, found.fold_count + 1))]
    raise UsageError(f"{found.folder}: no split {split}, there is {', '.join(known)}{nearest(split, known)}")


def _folds(photos: tuple[Photo, ...], count: int) -> dict[str, int]:
    """Photo's name -> its fold, 1 to ``count``. A group goes where its first photo would go alone."""
    if any(photo.video for photo in photos):
        longest = min(max(len(photos) // STRETCHES, 1), LONGEST)
        whole = units(photos, longest)
        return {photo.name: place % count + 1 for place, unit in enumerate(whole) for photo in unit}
    by_group: dict[str, int] = {}
    folds = {}
    for place, photo in enumerate(sorted(photos, key=lambda photo: photo.name)):
        folds[photo.name] = by_group.setdefault(photo.group, place % count + 1)
    return folds


def _located(folder: Path) -> tuple[str | None, Path]:
    """(layout, where it begins): the folder itself, or the only one in it that has one."""
    below = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")[:LOOKED_AT]
    if kind := _kind(folder):
        return kind, folder
    sets = [(kind, place) for place in below if (kind := _kind(place))]
    return sets[0] if len(sets) == 1 else (None, folder)


def _kind(place: Path) -> str | None:
    tests = {"stanford-background": is_stanford, "sift": is_sift, "camvid": is_camvid, "folder": is_own}
    return next((kind for kind, test in tests.items() if test(place)), None)


def _nothing(folder: Path) -> str:
    """Why a folder holds no such data."""
    if places(folder):
        return "photos but no labels: PNG pictures of the same names are expected in labels/"
    there = sorted(path.name for path in folder.iterdir())[:8]
    several = [name for name in there if (folder / name).is_dir() and _kind(folder / name)]
    if several:
        return f"several sets in one folder ({', '.join(several)}): give one of them"
    return f"no labelled scenes found: {LAYOUTS} expected, there is {', '.join(there) or 'nothing'}"
