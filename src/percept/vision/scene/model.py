"""The default network: one MobileNetV2, shared over the levels of a pyramid, and a light head on their joined features.

The idea is Farabet's (Farabet et al. 2013, section 3): the same weights look at the photo and at the photo shrunken, so
that what is near a pixel and what is far around it are described alike. The trunk is one that has seen ImageNet.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import mobilenet_v2
from torchvision.ops import Conv2dNormActivation

from percept.vision.overfeat import normalise

TAPS = {3: 24, 6: 32, 13: 96, 17: 320}  # layer of MobileNetV2 -> channels there, at a 4th, 8th, 16th, 32nd of the size
STRIDE = 4
LEVELS = 3  # of the pyramid: the photo, and the photo of half and of a quarter of its size
SIDE = 32  # pixels: sides of a level are made multiples of it, which all layers share without a rest
MULTIPLE = SIDE * 2 ** (LEVELS - 1)  # sides of a photo for which no level needs that


class Pyramid(nn.Module):
    """(B, 3, H, W) RGB 0..1 -> (B, K, ceil(H / 4), ceil(W / 4)) scores before the softmax; any H and W.

    A cell stands for the 4 x 4 pixels from (4 row, 4 column) on. Names of the trunk's tensors are torchvision's, and
    its batch normalisation keeps the statistics that it came with, since the batches of a training at home are small.

    Args:
        classes: K. channels: of the head.
    """

    stride = STRIDE
    early_weight = 0.4  # of the early scores (deep supervision; Zhao et al. 2017, PSPNet, section 3.3)

    def __init__(self, classes: int, channels: int = 96) -> None:
        super().__init__()
        self.features = mobilenet_v2().features[:18]  # all but the last layer, which is there for ImageNet's classes
        self.lateral = nn.ModuleList(Conv2dNormActivation(tap, channels, 1) for tap in TAPS.values())
        self.down = nn.ModuleList(Separable(channels, channels) for _ in range(2))  # to a 16th and to an 8th
        self.join = Separable(LEVELS * channels, channels)
        self.fine = Separable(channels, channels)
        self.dropout = nn.Dropout2d(0.1)
        self.classifier = nn.Conv2d(channels, classes, 1)
        self.early = nn.Conv2d(channels, classes, 1)  # deep supervision: only training asks it

    def train(self, mode: bool = True) -> Pyramid:
        super().train(mode)
        for module in self.features.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        return within(self.answer(self.describe(images)), images, STRIDE)

    def both(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """What :meth:`forward` gives, and the early scores of each level of the pyramid, coarser: for training."""
        levels = self.describe(images)
        early = [self.early(self.dropout(coarse)) for _, coarse in levels]
        coarser = [within(scores, images, 2 * STRIDE * 2**number) for number, scores in enumerate(early)]
        return within(self.answer(levels), images, STRIDE), coarser

    def describe(self, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Of each level (B, C, h, w) at a 4th of its size, from one layer alone, and at an 8th, from those below it."""
        shrunk = normalise(padded(images))
        found = [self.level(shrunk)]
        for _ in range(1, LEVELS):
            shrunk = F.avg_pool2d(shrunk, 2)  # (B, 3, H, W) -> (B, 3, H / 2, W / 2)
            fine, coarse = self.level(padded(shrunk))
            found.append((within(fine, shrunk, STRIDE), within(coarse, shrunk, 2 * STRIDE)))
        return found

    def level(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, h, w), sides multiples of 32 -> (B, C, h / 4, w / 4) and (B, C, h / 8, w / 8)."""
        taps, maps = [], images
        for number, layer in enumerate(self.features):
            maps = layer(maps)
            if number in TAPS:
                taps.append(self.lateral[len(taps)](maps))
        fine, *middle, coarse = taps
        for tap, layer in zip(reversed(middle), self.down, strict=True):
            coarse = layer(tap + larger(coarse, 2))
        return fine, coarse

    def answer(self, levels: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """The joined levels -> (B, K, h, w) at a 4th of the photo's size."""
        joined = [larger(coarse, 2**number) for number, (_, coarse) in enumerate(levels)]
        maps = self.join(torch.cat(joined, dim=1))  # LEVELS times (B, C, h / 8, w / 8) -> (B, C, h / 8, w / 8)
        return self.classifier(self.dropout(self.fine(levels[0][0] + larger(maps, 2))))


class Separable(nn.Sequential):
    """A 3 x 3 convolution of each channel by itself, then one of 1 x 1: (B, before, h, w) -> (B, after, h, w)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(
            Conv2dNormActivation(before, before, 3, groups=before, activation_layer=None),
            Conv2dNormActivation(before, after, 1),
        )


def padded(images: Tensor) -> Tensor:
    """Sides made multiples of SIDE, below and on the right, by the picture's own edge.

    The width is two of them at least: normalisation over a batch of one cell is impossible in training.
    """
    height, width = images.shape[2:]
    wide = max(width + -width % SIDE, 2 * SIDE)
    if height % SIDE == 0 and wide == width:
        return images
    return F.pad(images, (0, wide - width, 0, -height % SIDE), mode="replicate")


def within(scores: Tensor, images: Tensor, stride: int) -> Tensor:
    """Of scores (B, K, h, w) the cells in which pixels of the pictures lie; in the others there is padding only."""
    height, width = images.shape[2:]
    return scores[:, :, : -(-height // stride), : -(-width // stride)]


def stretched(scores: Tensor, stride: int, height: int, width: int) -> Tensor:
    """Scores (B, K, h, w) of cells of ``stride`` pixels -> those of all pixels, (B, K, height, width)."""
    size = (scores.shape[2] * stride, scores.shape[3] * stride)
    return F.interpolate(scores, size=size, mode="bilinear")[:, :, :height, :width]


def larger(maps: Tensor, factor: int) -> Tensor:
    """(B, C, h, w) -> (B, C, factor h, factor w)."""
    return maps if factor == 1 else F.interpolate(maps, scale_factor=factor, mode="bilinear")
