"""Detection data: the photos of a data set, and training batches that depend on the seed alone.

What a training picture looks like is drawn from (seed, epoch, photo) and the input size of a batch from (seed, epoch,
batch), so that the number of workers and processes, a pause, or persistent workers change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, get_worker_info

from percept.core.errors import UsageError
from percept.vision.detect.augment import Augment, Sample, augmented
from percept.vision.detect.layouts import read_photos, recognise, splits
from percept.vision.detect.photos import Photo, PhotoSet, Problem
from percept.vision.image import read_sample

__all__ = [
    "Photo",
    "PhotoSet",
    "Problem",
    "Target",
    "TrainingPhotos",
    "collate",
    "combine",
    "hold_out",
    "read_photos",
    "relabelled",
    "recognise",
    "splits",
    "training_sizes",
]
STEP = 32  # input sizes are multiples of it, the coarsest stride of the networks


@dataclass(frozen=True)
class Target:
    """What a training picture holds.

    boxes: (N, 4) float32 x0 y0 x1 y1 in pixels of the input; labels: (N,) int64; ignore: (N,) bool, neither object
    nor background.
    """

    boxes: torch.Tensor
    labels: torch.Tensor
    ignore: torch.Tensor


def hold_out(photo_set: PhotoSet, share: float, seed: int) -> tuple[PhotoSet, PhotoSet]:
    """Split into (train, held): `share` of the photos, at least one, drawn by `seed` from their names.

    The same photos are held whatever the order in which they were listed. Raises UsageError for fewer than 2 photos.
    """
    if not 0 < share < 1:
        raise UsageError(f"share to hold out must be between 0 and 1, not {share:g}")
    count = len(photo_set.photos)
    if count < 2:
        raise UsageError(f"{count} photo: too few to hold some out for validation")
    by_name = sorted(range(count), key=lambda index: photo_set.photos[index].path.as_posix())
    held_count = min(max(1, round(share * count)), count - 1)
    held = {by_name[place] for place in np.random.default_rng([seed, count]).permutation(count)[:held_count]}
    photos = enumerate(photo_set.photos)
    train, kept = [], []
    for index, photo in photos:
        (kept if index in held else train).append(photo)
    return (
        replace(photo_set, photos=tuple(train), split="train"),
        replace(photo_set, photos=tuple(kept), split="val", problems=()),
    )


def combine(sets: Sequence[PhotoSet]) -> PhotoSet:
    """Several sets as one, labels mapped by name to the first set's class table.

    Raises UsageError if the names differ: objects of a class that one set does not label would be taught as background.
    """
    first = sets[0]
    photos: list[Photo] = []
    for other in sets:
        if set(first.names) != set(other.names):
            one, two = (shortened(a - b) for a, b in permutations((set(first.names), set(other.names))))
            raise UsageError(f"data sets with different classes cannot be joined: only one has {one}; the other {two}")
        photos += relabelled(other, first.names).photos
    problems = tuple(problem for other in sets for problem in other.problems)
    return replace(first, photos=tuple(photos), problems=problems)


def shortened(names: set[str]) -> str:
    """A few names, and how many more."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(sorted(names)[:5]) + more or "no other"


def relabelled(photo_set: PhotoSet, names: Sequence[str]) -> PhotoSet:
    """The same photos with labels that point into `names`, which holds all names of the set."""
    place = np.array([names.index(name) for name in photo_set.names], np.int64)
    photos = tuple(replace(photo, labels=place[photo.labels]) for photo in photo_set.photos)
    return replace(photo_set, names=tuple(names), photos=photos)


class TrainingPhotos(Dataset):
    """Training pictures: index (epoch, index) or (epoch, index, size) -> (image (3, S, S) uint8, Target).

    size: S without a size in the index, pixels; epochs: how many there will be, the last `mosaic_off_epochs` of them
    without mosaics, so that training ends on pictures like those met at prediction;
    cache_mb: memory for decoded photos, shared out among the workers, each of which keeps its own;
    longest: photos with a longer side, in pixels, are shrunk to it before anything else.
    Raises UsageError for a photo that can no longer be read.
    """

    def __init__(
        self,
        photo_set: PhotoSet,
        size: int,
        seed: int,
        how: Augment | None = None,
        epochs: int = 0,
        mosaic_off_epochs: int = 0,
        cache_mb: float = 512.0,
        longest: int = 1024,
    ) -> None:
        self.photo_set = photo_set
        self.size = size
        self.seed = seed
        self.how = how if how is not None else Augment()
        self.first_plain_epoch = epochs - mosaic_off_epochs if mosaic_off_epochs else None
        self.cache_bytes = cache_mb * 2**20
        self.longest = longest
        self.cached: dict[int, np.ndarray] = {}
        self.cached_bytes = 0

    def __len__(self) -> int:
        return len(self.photo_set.photos)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "cached": {}, "cached_bytes": 0}  # decoded photos are not sent to workers

    def __getitem__(self, pick: tuple[int, ...]) -> tuple[torch.Tensor, Target]:
        epoch, index, size = (*pick, self.size)[:3]
        plain = self.first_plain_epoch is not None and epoch >= self.first_plain_epoch
        how = replace(self.how, mosaic=0.0) if plain else self.how
        rng = np.random.default_rng([self.seed, epoch, index])
        sample = augmented(self.sample, index, len(self), size, how, rng)
        image = torch.from_numpy(np.ascontiguousarray(sample.image.transpose(2, 0, 1)))  # (S, S, 3) -> (3, S, S)
        target = Target(
            torch.from_numpy(np.ascontiguousarray(sample.boxes, np.float32)),
            torch.from_numpy(sample.labels.astype(np.int64)),
            torch.from_numpy(sample.ignore.astype(bool)),
        )
        return image, target

    def sample(self, index: int) -> Sample:
        """The photo as it is kept, at most `longest` pixels long, with its boxes."""
        photo = self.photo_set.photos[index]
        image = self.decoded(index, photo)
        factors = np.array([image.shape[1] / photo.width, image.shape[0] / photo.height] * 2, np.float32)
        return Sample(image, photo.boxes * factors, photo.labels, photo.ignore)

    def decoded(self, index: int, photo: Photo) -> np.ndarray:
        """(H, W, 3) uint8 RGB, from memory if it was kept there: decoding costs more than all augmentation."""
        if index in self.cached:
            return self.cached[index]
        image = read_sample(photo.path)
        if image.shape[:2] != (photo.height, photo.width):
            raise UsageError(f"{photo.path}: changed since the labels were read")
        if (shrink := self.longest / max(image.shape[:2])) < 1:
            across, down = (max(1, round(side * shrink)) for side in (photo.width, photo.height))
            image = cv2.resize(image, (across, down), interpolation=cv2.INTER_AREA)
        # what came first stays: with photos in random order, replacing old ones by new ones would gain nothing
        worker = get_worker_info()
        if self.cached_bytes + image.nbytes <= self.cache_bytes / (worker.num_workers if worker else 1):
            self.cached[index] = image
            self.cached_bytes += image.nbytes
        return image


def collate(pictures: Sequence[tuple[torch.Tensor, Target]]) -> tuple[torch.Tensor, list[Target]]:
    """(images (B, 3, S, S) uint8, one Target for each)."""
    return torch.stack([image for image, _ in pictures]), [target for _, target in pictures]


def training_sizes(size: int, spread: float) -> tuple[int, ...]:
    """The input sizes for multi-scale training: multiples of 32 within +- spread (a share) of `size`, e.g. 0.25."""
    low, high = round(size * (1 - spread) / STEP), round(size * (1 + spread) / STEP)
    return tuple(STEP * n for n in range(max(1, low), max(low, high, 1) + 1))
