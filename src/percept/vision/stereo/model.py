"""The matching networks: what makes of each pixel a vector that is near to its match's in the other view.

``fast`` and ``accurate`` are MC-CNN's (Zbontar & LeCun 2016, sections 3.1 and 3.2), run over whole pictures: their
convolutions see no padding but the edge repeated around the picture, so that a dense answer is the answer of each
patch. ``compact`` is ours: the same cost from a trunk with two scales, which sees more for less work.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GREY = (0.299, 0.587, 0.114)
SHARPNESS = 12.0  # what a cosine is multiplied with before the softmax over a row: learnt from here
PLAIN = 0.02  # a picture whose grey values differ less than this (of 1) is not made more contrasty still


def standardised(images: Tensor) -> Tensor:
    """(B, 3, H, W) RGB 0..1 -> the same with mean 0 and deviation 1 of each picture's grey values (section 3.1)."""
    grey = to_grey(images)
    mean = grey.mean(dim=(1, 2, 3), keepdim=True)  # (B, 1, 1, 1)
    deviation = (grey - mean).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return (images - mean) / deviation.clamp(min=PLAIN)


def to_grey(images: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, 1, H, W)."""
    red, green, blue = (images[:, channel : channel + 1] * share for channel, share in enumerate(GREY))
    return red + green + blue


class Patches(nn.Sequential):
    """The tower of fast and accurate: 3 x 3 convolutions that shrink a patch of 2 L + 1 pixels to one.

    Args:
        layers: L. maps: channels of each. last_relu: accurate's towers end in one, fast's do not.
    """

    def __init__(self, layers: int, maps: int, last_relu: bool) -> None:
        parts: list[nn.Module] = []
        for number, (before, after) in enumerate(pairwise([1, *[maps] * layers])):
            parts.append(nn.Conv2d(before, after, 3))
            if number < layers - 1 or last_relu:
                parts.append(nn.ReLU(inplace=True))
        super().__init__(*parts)
        for part in parts:
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_uniform_(part.weight, nonlinearity="relu")
                nn.init.zeros_(part.bias)


class Fast(nn.Module):
    """MC-CNN fast: the cost is minus the cosine of the two vectors (section 3.1)."""

    def __init__(self, width: float = 1.0, layers: int = 5) -> None:
        super().__init__()
        self.radius = layers
        self.channels = max(1, round(64 * width))
        self.sharpness = nn.Parameter(torch.tensor([SHARPNESS]))
        self.tower = Patches(layers, self.channels, last_relu=False)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) RGB 0..1 -> (B, C, H, W), each vector of length 1."""
        return self.describe(standardised(images))

    def describe(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) standardised, whole or a part -> (B, C, H, W), each vector of length 1."""
        grey = to_grey(images)  # (B, 3, H, W) -> (B, 1, H, W)
        return self.vectors(F.pad(grey, [self.radius] * 4, mode="replicate"))

    def vectors(self, patches: Tensor) -> Tensor:
        """(B, 1, h, w) standardised grey -> (B, C, h - 2L, w - 2L), each vector of length 1."""
        return F.normalize(self.tower(patches), dim=1)


class Accurate(nn.Module):
    """MC-CNN accurate: two vectors, joined, go through fully connected layers to a probability (section 3.2)."""

    def __init__(self, width: float = 1.0, layers: int = 5) -> None:
        super().__init__()
        self.radius = layers
        self.channels = max(1, round(112 * width))
        units = max(1, round(384 * width))
        hidden = 3 if layers == 5 else 4  # of Middlebury's and of KITTI's networks
        self.tower = Patches(layers, self.channels, last_relu=True)
        self.first = nn.Linear(2 * self.channels, units)
        self.others = nn.ModuleList([nn.Linear(units, units) for _ in range(hidden - 1)])
        self.last = nn.Linear(units, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) RGB 0..1 -> (B, C, H, W): what each view contributes; :meth:`alike` compares."""
        return self.describe(standardised(images))

    def describe(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) standardised, whole or a part -> (B, C, H, W)."""
        grey = to_grey(images)  # (B, 3, H, W) -> (B, 1, H, W)
        return self.vectors(F.pad(grey, [self.radius] * 4, mode="replicate"))

    def vectors(self, patches: Tensor) -> Tensor:
        """(B, 1, h, w) standardised grey -> (B, C, h - 2L, w - 2L)."""
        return self.tower(patches)

    def alike(self, left: Tensor, right: Tensor) -> Tensor:
        """(N, C) vectors of both views -> (N,) logits of being the same place."""
        return self.compare(*self.halves(left, right))

    def halves(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """The first layer split in two, to be computed once a pixel and not once a pair: (N, C) -> (N, units)."""
        weight = self.first.weight
        return left @ weight[:, : self.channels].T + self.first.bias, right @ weight[:, self.channels :].T

    def compare(self, left: Tensor, right: Tensor) -> Tensor:
        """What :meth:`halves` gave for pairs of places, (N, units) each -> (N,) logits."""
        hidden = F.relu(left + right)
        for layer in self.others:
            hidden = F.relu(layer(hidden))
        return self.last(hidden).squeeze(1)  # (N, 1) -> (N,)


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a straight way; begins as the straight way alone, so it needs no normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        return (x + self.second(self.first(x).relu_())).relu_()


class Compact(nn.Module):
    """Vectors from two scales of one trunk: exact ones from the picture, and what lies around from half its size.

    Its vectors see 19 x 19 pixels for a sixth of fast's work. Seeing further was worse: the vectors of a plain wall
    beside a near thing then match where that thing does, and its outline grows.
    """

    STRIDE = 2
    radius = 10

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        full, half = (max(4, 4 * round(count * width / 4)) for count in (24, 48))
        self.channels = full
        self.stem = nn.Sequential(
            nn.Conv2d(3, full, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(full, full, 3, padding=1)
        )
        self.to_half, self.at_half = nn.Conv2d(full, half, 3, stride=2, padding=1), Residual(half)
        self.up, self.side = nn.Conv2d(half, full, 1), nn.Conv2d(full, full, 1)
        self.mix = nn.Conv2d(full, full, 3, padding=1)
        self.last = nn.Conv2d(full, full, 1)
        self.sharpness = nn.Parameter(torch.tensor([SHARPNESS]))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) RGB 0..1 -> (B, C, H, W), each vector of length 1; any H and W."""
        return self.describe(standardised(images))

    def describe(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) standardised, whole or a part -> (B, C, H, W), each vector of length 1."""
        height, width = images.shape[2:]
        x = F.pad(images, (0, width % self.STRIDE, 0, height % self.STRIDE), mode="replicate")
        full = self.stem(x).relu_()  # (B, C, H, W)
        half = self.at_half(self.to_half(full).relu_())  # (B, 2 C, H/2, W/2)
        around = F.interpolate(self.up(half), scale_factor=2.0, mode="bilinear", align_corners=False)  # (B, C, H, W)
        x = self.last(self.mix((self.side(full) + around).relu_()).relu_())
        return F.normalize(x[:, :, :height, :width], dim=1)
