"""Cross-entropy over known pixels, classes weighted, and the classes' weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from percept.vision.scene.data import VOID
from percept.vision.scene.model import stretched

POWER = {"natural": 0.0, "root": 0.5, "balanced": 1.0}
MOST = 20.0  # a class that hardly occurs counts at most so many times as much as the mean pixel


def class_weights(counts: Sequence[int], sampling: str) -> np.ndarray:
    """(K,) float32: what a pixel of each class counts, 1 for the mean pixel; classes without pixels weigh 0.

    natural: all pixels alike; balanced: all classes alike, which is what drawing samples equally from the classes
    expects (Farabet et al. 2013, section 5.1); root: the square root of that, between the two.
    """
    pixels = np.asarray(counts, np.float64)
    there = pixels > 0
    weights = np.zeros(len(pixels))
    weights[there] = (pixels.sum() / max(1, there.sum()) / pixels[there]) ** POWER[sampling]
    for _ in range(2):  # the mean once more after the longest were cut
        weights = np.minimum(weights * pixels.sum() / max(1.0, (weights * pixels).sum()), MOST)
    return weights.astype(np.float32)


def pixel_loss(scores: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """The summed cross-entropy of scores (B, K, h, w), stretched over labels (B, H, W) uint8; void counts nothing."""
    height, width = labels.shape[1:]
    of_pixels = stretched(scores.float(), _stride(scores, labels), height, width)
    targets = labels.long().masked_fill(labels == VOID, -100)
    return F.cross_entropy(of_pixels, targets, weight=weights, ignore_index=-100, reduction="sum")


def right(scores: Tensor, labels: Tensor) -> Tensor:
    """How many known pixels of every ``stride``-th row and column have the right class, times the pixels each stands
    for: cheap, for the log."""
    stride = _stride(scores, labels)
    few = labels[:, stride // 2 :: stride, stride // 2 :: stride]
    rows, columns = few.shape[1:]
    best = scores[:, :, :rows, :columns].argmax(1)
    return (best == few).sum() * torch.tensor(float(stride**2))


def _stride(scores: Tensor, labels: Tensor) -> int:
    """Pixels of a cell, a power of two, where the cells are as few as cover the labels."""
    return 1 << (-(-labels.shape[1] // scores.shape[2]) - 1).bit_length()
