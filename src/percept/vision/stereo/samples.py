"""Training samples: crops of scenes, a function of (seed, epoch, number) alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from percept.core.sampling import Kept, Pick
from percept.vision.stereo.augment import Augment, crop
from percept.vision.stereo.data import Pair, Scene, read_pair


class Crops(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Pick -> both windows (3, rows, W) uint8 and the columns of the matches (rows, W) float32, NaN where none.

    Args:
        each: crops of a scene in an epoch: number ``n`` is of scene ``n % len(scenes)``.
        cache: megabytes of decoded scenes kept in memory.
    """

    def __init__(self, scenes: Sequence[Scene], rows: int, each: int, seed: int, augment: Augment, cache: int) -> None:
        self.scenes, self.rows, self.each, self.seed, self.augment = scenes, rows, each, seed, augment
        self.pair = Kept(self._read, _bytes, cache)

    def __len__(self) -> int:
        return len(self.scenes) * self.each

    def __getitem__(self, pick: Pick) -> tuple[Tensor, Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, pick.epoch, pick.index])
        pair = self.pair(pick.index % len(self.scenes))
        left, right, places = crop(pair, pick.size, self.rows, self.augment, rng)
        views = (torch.from_numpy(view).permute(2, 0, 1) for view in (left, right))  # (H, W, 3) -> (3, H, W)
        return *views, torch.from_numpy(places)

    def _read(self, number: int) -> Pair:
        return read_pair(self.scenes[number])


def collate(samples: list[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """(B, 3, rows, W) uint8 of both views, and (B, rows, W) columns."""
    left, right, places = (torch.stack(part) for part in zip(*samples, strict=True))
    return left, right, places


def _bytes(pair: Pair) -> int:
    arrays = (pair.left, pair.right, pair.truth, pair.visible, pair.right_truth)
    return sum(array.nbytes for array in arrays if array is not None)
