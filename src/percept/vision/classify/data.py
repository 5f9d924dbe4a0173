"""Classification data: a folder for each class, and training pictures that depend on the seed alone.

What a training picture looks like is drawn from (seed, epoch, photo), so that the number of workers and processes, a
pause, or persistent workers change nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms import v2

from percept.core.errors import UsageError, nearest
from percept.vision.image import SUFFIXES, read_sample

SPLITS = ("train", "val", "test")
OTHER_NAMES = {"val": ("valid", "validation"), "train": ("training",), "test": ("testing",)}
LAYOUT = "a folder for each class, two or more, with its photos: train/CLASS/*.jpg and val/CLASS/*.jpg, or CLASS/*.jpg"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the data; `str()` is the line that a person reads.

    file: a path inside the data set's folder; dropped: it was left out, else only noted.
    """

    file: str
    what: str
    dropped: bool = True

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


@dataclass(frozen=True)
class Photo:
    """One photo; `label` indexes the set's names."""

    path: Path
    label: int


@dataclass(frozen=True)
class PhotoSet:
    """The photos of one split, class by class.

    names: the class table, the folders' names in sorted order; split: the one asked for; split_found: the one that
    serves it, "all" where the folder has no splits and all its photos serve every split (hold some out to train).
    """

    names: tuple[str, ...]
    photos: tuple[Photo, ...]
    problems: tuple[Problem, ...] = ()
    split: str = "all"
    split_found: str = "all"
    layout: str = "imagefolder"

    def counts(self) -> tuple[int, ...]:
        """Photos of each class."""
        found = Counter(photo.label for photo in self.photos)
        return tuple(found[label] for label in range(len(self.names)))


def recognise(folder: Path) -> str | None:
    """The layout of a folder, by its content: "imagefolder" or None."""
    folder = Path(folder)
    roots = split_folders(folder).values() if folder.is_dir() else ()
    two = any(sum(holds_photos(place) for place in class_folders(root)) >= 2 for root in roots)
    return "imagefolder" if two else None  # one folder with photos may be anything


def splits(folder: Path) -> tuple[str, ...]:
    """The splits that a folder holds, ("all",) where it has none. Raises UsageError if it is no such data."""
    check_layout(Path(folder))
    return tuple(split_folders(Path(folder)))


def read_photos(folder: Path, split: str) -> PhotoSet:
    """The photos of `split` ("train", "val" or "test"), each file looked at but not decoded.

    The class table is the training split's wherever there is one, so that all splits share it. Files that are no
    photos, empty files and classes without photos are noted among the problems.
    Raises UsageError if the layout is unknown, the split is not there, a class of it is unknown in training, or there
    are fewer than two classes.
    """
    folder = Path(folder)
    check_layout(folder)
    found = split_folders(folder)
    split_found = split if split in found else "all"
    if split_found not in found:
        raise UsageError(f"{folder}: no split {split}, there is {', '.join(found)}{nearest(split, found)}")
    places = class_folders(found[split_found])
    names = tuple(place.name for place in class_folders(found.get("train", found[split_found])))
    if unknown := [place.name for place in places if place.name not in names]:
        word = nearest(unknown[0], names)
        raise UsageError(f'{folder}: class "{unknown[0]}" of {split} is not among those of train{word}')
    if len(names) < 2:
        raise UsageError(f"{folder}: one class only ({names[0]}); nothing to tell apart. Expected {LAYOUT}")
    photos, problems = [], []
    for place in places:
        inside, wrong = class_photos(place, names.index(place.name), folder)
        photos += inside
        problems += wrong
    missing = sorted(set(names) - {place.name for place in places})
    where = found[split_found].relative_to(folder)
    problems += [Problem((where / name).as_posix(), "no such folder", dropped=False) for name in missing]
    if not photos:
        raise UsageError(f"{folder}: no photos in {split}")
    return PhotoSet(names, tuple(photos), tuple(problems), split, split_found)


def check_layout(folder: Path) -> None:
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    if recognise(folder) is None:
        there = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
        raise UsageError(f"{folder}: expected {LAYOUT}; there is {there}")


def split_folders(folder: Path) -> dict[str, Path]:
    """split -> its folder; {"all": folder} where the folder itself holds the classes."""
    found = {}
    for split in SPLITS:
        for name in (split, *OTHER_NAMES[split]):
            if split not in found and (folder / name).is_dir() and class_folders(folder / name):
                found[split] = folder / name
    return found or {"all": folder}


def class_folders(root: Path) -> list[Path]:
    """The folders of the classes, sorted by name; hidden ones are none."""
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def holds_photos(place: Path) -> bool:
    return any(path.suffix.lower() in SUFFIXES for path in place.iterdir())


def class_photos(place: Path, label: int, folder: Path) -> tuple[list[Photo], list[Problem]]:
    """The photos of one class, folders inside its folder too, and what is wrong there."""
    photos, problems = [], []
    for path in sorted(place.rglob("*")):
        inside = path.relative_to(place)
        if any(part.startswith(".") for part in inside.parts) or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() not in SUFFIXES:
            problems.append(Problem(name, "not a photo by its name"))
        elif path.stat().st_size == 0:
            problems.append(Problem(name, "an empty file"))
        else:
            photos.append(Photo(path, label))
    if not photos:
        problems.append(Problem(place.relative_to(folder).as_posix(), "a class without photos", dropped=False))
    return photos, problems


def hold_out(photo_set: PhotoSet, share: float, seed: int) -> tuple[PhotoSet, PhotoSet]:
    """Split into (train, held): `share` of each class's photos, at least one where it has two, drawn by `seed`.

    Raises UsageError if the share is not between 0 and 1 or no class has two photos.
    """
    if not 0 < share < 1:
        raise UsageError(f"share to hold out must be between 0 and 1, not {share:g}")
    held: set[int] = set()
    for label in range(len(photo_set.names)):
        of_class = [index for index, photo in enumerate(photo_set.photos) if photo.label == label]
        of_class.sort(key=lambda index: photo_set.photos[index].path.as_posix())
        count = min(max(1, round(share * len(of_class))), len(of_class) - 1) if of_class else 0
        order = np.random.default_rng([seed, label]).permutation(len(of_class))[:count]
        held.update(of_class[place] for place in order)
    if not held:
        raise UsageError("no class has two photos: too few to hold some out for validation")
    train = tuple(photo for index, photo in enumerate(photo_set.photos) if index not in held)
    kept = tuple(photo_set.photos[index] for index in sorted(held))
    names, problems = photo_set.names, photo_set.problems
    return PhotoSet(names, train, problems, "train", "all"), PhotoSet(names, kept, (), "val", "all")


class TrainingPhotos(Dataset):
    """Training pictures: index (epoch, index) -> (image (3, S, S) uint8 RGB, label).

    A random part of the photo (`area` of it, stretched by up to 4 : 3) at size S, mirrored half of the time: the
    usual way to train on ImageNet (Szegedy 2015), and the paper's crops and flips (section 3.2) made bolder.
    Raises UsageError for a photo that cannot be read.
    """

    def __init__(self, photo_set: PhotoSet, size: int, seed: int, area: tuple[float, float] = (0.25, 1.0)) -> None:
        self.photo_set, self.size, self.seed = photo_set, size, seed
        self.change = v2.Compose([v2.RandomResizedCrop(size, scale=area, antialias=True), v2.RandomHorizontalFlip(0.5)])

    def __len__(self) -> int:
        return len(self.photo_set.photos)

    def __getitem__(self, pick: tuple[int, int]) -> tuple[Tensor, int]:
        epoch, index = pick[:2]
        photo = self.photo_set.photos[index]
        image = decoded(photo.path)
        with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's own generator
            torch.manual_seed(stream(self.seed, epoch, index))
            return self.change(image), photo.label


class ValidationPhotos(Dataset):
    """Pictures to choose the best epoch by: index -> (image (3, S, S) uint8 RGB, label), the middle, nothing random."""

    def __init__(self, photo_set: PhotoSet, size: int) -> None:
        self.photo_set = photo_set
        self.change = v2.Compose([v2.Resize(round(size * 256 / 224), antialias=True), v2.CenterCrop(size)])

    def __len__(self) -> int:
        return len(self.photo_set.photos)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        photo = self.photo_set.photos[index]
        return self.change(decoded(photo.path)), photo.label


def decoded(path: Path) -> Tensor:
    """(3, H, W) uint8 RGB."""
    return torch.from_numpy(read_sample(path)).permute(2, 0, 1)  # (H, W, 3) -> (3, H, W)


def stream(*numbers: int) -> int:
    """One seed out of several numbers; near numbers give seeds that have nothing in common."""
    digest = hashlib.blake2b(repr(numbers).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1  # 63 bits: what torch takes


def collate(pictures: Sequence[tuple[Tensor, int]]) -> tuple[Tensor, Tensor]:
    """(images (B, 3, S, S) uint8, labels (B,) int64)."""
    return torch.stack([image for image, _ in pictures]), torch.tensor([label for _, label in pictures])
