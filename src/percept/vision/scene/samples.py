"""Training samples: crops of photos and their labels, a function of (seed, epoch, number) alone.

Photo and labels go through one transform together; labels are never interpolated, and what lies outside the photo is
void.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from percept.core.sampling import Kept, Pick
from percept.vision.scene.data import VOID, PhotoSet, read_pair

OUTSIDE = (124, 116, 104)  # RGB where a crop lies outside its photo: the mean of ImageNet's photos, which is void


@dataclass(frozen=True)
class Augment:
    """How crops differ from their photos.

    scales: smallest and largest; turn: degrees to either side; mirror: whether half are; colour: largest change of
    brightness, contrast and saturation, as shares.
    """

    scales: tuple[float, float] = (0.6, 1.7)
    turn: float = 8.0
    mirror: bool = True
    colour: float = 0.3


AUGMENT = {
    "full": Augment(),
    "light": Augment((1.0, 1.0), 0.0, True, 0.0),
    "none": Augment((1.0, 1.0), 0.0, False, 0.0),
}
# Farabet et al. 2013, section 5.1: turned by 8 degrees, scaled by a tenth, mirrored
AUGMENT_FARABET = {**AUGMENT, "full": Augment((0.9, 1.1), 8.0, True, 0.0)}


class Crops(Dataset[tuple[Tensor, Tensor]]):
    """Pick -> a crop (3, S, S) uint8 RGB and its labels (S, S) uint8, S being the pick's size.

    Args:
        size: longest side, in pixels, to which photos are brought before they are cropped.
        cache: megabytes of decoded photos kept in memory.
    """

    def __init__(self, photos: PhotoSet, size: int, seed: int, augment: Augment, cache: int) -> None:
        self.photos, self.size, self.seed, self.augment = photos, size, seed, augment
        self.pair = Kept(self._read, _bytes, cache)

    def __len__(self) -> int:
        return len(self.photos.photos)

    def __getitem__(self, pick: Pick) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, pick.epoch, pick.index])
        rgb, labels = crop(*self.pair(pick.index), pick.size, self.size, self.augment, rng)
        return torch.from_numpy(rgb).permute(2, 0, 1), torch.from_numpy(labels)  # (S, S, 3) -> (3, S, S)

    def _read(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        return read_pair(self.photos.photos[number], self.photos)


def crop(
    rgb: np.ndarray, labels: np.ndarray, side: int, size: int, augment: Augment, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A window of ``side`` pixels of the photo brought to ``size``, scaled, turned and mirrored: (S, S, 3), (S, S)."""
    height, width = labels.shape
    low, high = np.log(augment.scales)
    scale = size / max(height, width) * float(np.exp(rng.uniform(low, high)))
    angle = np.deg2rad(rng.uniform(-augment.turn, augment.turn))
    mirror = -1.0 if augment.mirror and rng.random() < 0.5 else 1.0
    # where the window's middle lies: anywhere, so that it holds as much of the photo as it can
    room = np.maximum(0, np.array([width, height]) - side / scale) / 2
    middle = np.array([width, height]) / 2 + rng.uniform(-1, 1, 2) * room
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn[0] *= mirror
    shift = (side - 1) / 2 - turn @ (middle - 0.5)
    matrix = np.concatenate([turn, shift[:, None]], axis=1)  # (2, 2) and (2,) -> (2, 3), photo to window
    if scale < 0.75:  # else small things would flicker in and out between the samples
        rgb = cv2.GaussianBlur(rgb, (0, 0), 0.4 / scale)
    window = cv2.warpAffine(rgb, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=OUTSIDE)
    known = cv2.warpAffine(labels, matrix, (side, side), flags=cv2.INTER_NEAREST, borderValue=VOID)
    return recoloured(window, augment.colour, rng) if augment.colour else window, known


def recoloured(rgb: np.ndarray, most: float, rng: np.random.Generator) -> np.ndarray:
    """Brightness, contrast and saturation each changed by up to ``most``, and a tint; (H, W, 3) uint8."""
    bright, contrast, saturation = 1 + rng.uniform(-most, most, 3)
    tint = 1 + rng.uniform(-most, most, 3) / 4
    values = rgb.astype(np.float32)
    grey = values @ np.float32([0.299, 0.587, 0.114])  # (H, W, 3) -> (H, W)
    values = grey[..., None] + (values - grey[..., None]) * np.float32(saturation)
    values = (values - grey.mean()) * np.float32(contrast) + grey.mean()
    return np.clip(values * np.float32(bright * tint), 0, 255).astype(np.uint8)


def collate(samples: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """(B, 3, S, S) uint8 and (B, S, S) uint8."""
    images, labels = zip(*samples, strict=True)
    return torch.stack(images), torch.stack(labels)


def _bytes(pair: tuple[np.ndarray, np.ndarray]) -> int:
    return sum(array.nbytes for array in pair)
