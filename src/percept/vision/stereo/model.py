"""The matching networks: what makes of each pixel a vector that is near to its match's in the other view.

``fast`` and ``accurate`` are MC-CNN's (Zbontar & LeCun 2016, sections 3.1 and 3.2), run over whole pictures: their
convolutions see no padding but the edge repeated around the picture, so that a dense answer is the answer of each
patch. ``compact`` is ours: the same cost from a trunk that sees more for less work.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from percept.vision.stereo.grey import SHARES

SHARPNESS = 16.0  # what a cosine is multiplied with before the softmax over a row: learnt from here
PLAIN = 0.02  # a picture whose grey values differ less than this (of 1) is not made more contrasty still


def standardised(images: Tensor) -> Tensor:
    """(B, 3, H, W) RGB 0..1 -> the same with mean 0 and deviation 1 of each picture's grey values (section 3.1)."""
    grey = to_grey(images)
    mean = grey.mean(dim=(1, 2, 3), keepdim=True)  # (B, 1, 1, 1)
    deviation = (grey - mean).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return (images - mean) / deviation.clamp(min=PLAIN)


def to_grey(images: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, 1, H, W)."""
    red, green, blue = (images[:, channel : channel + 1] * share for channel, share in enumerate(SHARES))
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


class Dense(nn.Module):
    """A network of patches, run over whole pictures: ``vectors`` of the picture with its edge repeated around it.

    radius: pixels of a patch to each side of its middle. grey: whether patches are grey.
    """

    radius: int
    grey = True

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) RGB 0..1 -> (B, C, H, W) vectors; any H and W."""
        return self.describe(standardised(images))

    def describe(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) standardised, whole or a part -> (B, C, H, W) vectors."""
        views = to_grey(images) if self.grey else images  # (B, 3, H, W) -> (B, 1, H, W)
        return self.vectors(F.pad(views, [self.radius] * 4, mode="replicate"))


class Fast(Dense):
    """MC-CNN fast: the cost is minus the cosine of the two vectors (section 3.1)."""

    def __init__(self, width: float = 1.0, layers: int = 5) -> None:
        super().__init__()
        self.radius = layers
        self.channels = max(1, round(64 * width))
        self.sharpness = nn.Parameter(torch.tensor([SHARPNESS]))
        self.tower = Patches(layers, self.channels, last_relu=False)

    def vectors(self, patches: Tensor) -> Tensor:
        """(B, 1, h, w) standardised grey -> (B, C, h - 2L, w - 2L), each vector of length 1."""
        return F.normalize(self.tower(patches), dim=1)


class Accurate(Dense):
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

    def vectors(self, patches: Tensor) -> Tensor:
        """(B, 1, h, w) standardised grey -> (B, C, h - 2L, w - 2L): what a view contributes; :meth:`alike` compares."""
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


class Compact(Dense):
    """Vectors of 9 x 9 pixels for a ninth of fast's work: narrower layers, but in colour, and one more on top.

    Wider windows were tried, 17 to 90 pixels of a trunk with several scales: they match plain surfaces better, which
    semi-global matching does by itself, and the outlines of near things grow, which nothing mends.
    """

    radius = 4
    grey = False

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.channels = max(4, 4 * round(24 * width / 4))
        maps = [3, *[self.channels] * self.radius]
        layers = [layer for pair in pairwise(maps) for layer in (nn.Conv2d(*pair, 3), nn.ReLU(inplace=True))]
        self.tower = nn.Sequential(*layers, nn.Conv2d(self.channels, self.channels, 1))
        self.sharpness = nn.Parameter(torch.tensor([SHARPNESS]))
        for layer in self.tower:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def vectors(self, patches: Tensor) -> Tensor:
        """(B, 3, h, w) standardised -> (B, C, h - 8, w - 8), each vector of length 1."""
        return F.normalize(self.tower(patches), dim=1)
