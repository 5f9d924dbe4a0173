"""The pyramid of a photo: the sizes at which a dense network looks at it, and what it answers at each.

A fully convolutional network answers for every window of a picture of any size in one pass (Sermanet 2013, section
3.5), so a scale is only padded to the network's stride, never to a square: 640 x 480 costs 3/4 of 640 x 640.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

GREY = 114  # of 255: the padding that the start weights were trained with
MAX_ENLARGEMENT = 2.0  # beyond this a photo holds nothing new


class Windows(NamedTuple):
    """What a dense network says of a batch of pictures, one row a window."""

    scores: Tensor  # (B, N, K) probability of each class, 0..1
    boxes: Tensor  # (B, N, 4) x0 y0 x1 y1 in pixels of the network's input


def levels(rgb: np.ndarray, scales: Sequence[int], stride: int) -> list[tuple[Tensor, float]]:
    """Resize a photo so that its longest side has each of the `scales` (pixels), and pad right and bottom with grey.

    rgb: (H, W, 3) uint8. stride: what height and width of a network input must be multiples of.
    Returns one pair a scale: the picture (1, 3, h, w) float32 in 0..1, and the factor from photo pixels to its pixels.
    Scales that would enlarge more than twice are brought down to twice, and of scales that become equal one is kept.
    Raises ValueError if no scale is given or one is under the stride.
    """
    if not scales or min(scales) < stride:
        raise ValueError(f"scales must be one or more numbers of pixels, each at least {stride}: got {tuple(scales)}")
    longest = max(rgb.shape[:2])
    sizes = dict.fromkeys(min(scale, round(MAX_ENLARGEMENT * longest)) for scale in scales)
    return [level(rgb, size, stride) for size in sizes]


def level(rgb: np.ndarray, size: int, stride: int) -> tuple[Tensor, float]:
    """One scale of the pyramid: see `levels`."""
    height, width = rgb.shape[:2]
    factor = size / max(height, width)
    new_height, new_width = max(1, round(height * factor)), max(1, round(width * factor))
    if factor != 1:
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        rgb = cv2.resize(rgb, (new_width, new_height), interpolation=how)
    padded = np.full((-(-new_height // stride) * stride, -(-new_width // stride) * stride, 3), GREY, np.uint8)
    padded[:new_height, :new_width] = rgb
    picture = torch.from_numpy(padded).permute(2, 0, 1)[None]  # (h, w, 3) -> (1, 3, h, w), channels last in memory
    return picture.float() / 255, factor
