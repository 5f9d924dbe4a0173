"""The multiscale network of Farabet, Couprie, Najman & LeCun (PAMI 2013, section 3), trained from random weights.

A picture is turned into YUV and into a Laplacian pyramid of three levels, each normalised locally. One small network,
with the same weights at all levels, makes 256 maps of each; brought to one grid of 4 pixels and joined they are 768
features a place, which have seen 46, 92 and 184 pixels around it. A linear classifier trains the network; a perceptron
of two layers on the same features gives the answer.

Sizes and centres. Cell (i, j) of the grid stands for pixels 4i..4i+3 and 4j..4j+3. Its window at level 0 reaches from
pixel 4i-21 to 4i+24: 46 pixels, centred on the cell's centre 4i+1.5 exactly. Pixels of level s stand for 2^s of the
picture's in the same way (the pyramid halves by pairs), so the windows of coarse cells are centred as well; bilinear
upsampling keeps these centres, and mixes two neighbouring windows along each axis where a fine cell lies between them.
Pictures are continued by their edge, first to a multiple of 16 pixels and then, each level by itself once it is
normalised, by 21 all around.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from percept.vision.scene import cover as covers
from percept.vision.scene.tree import Tree, grow

LEVELS = 3
MAPS = 256  # of each level
CONTEXT = 21  # pixels of a level that a cell's window of 46 reaches beyond its 4, to each side
WINDOW = 15  # pixels, of the local normalisation
PLAIN = 1 / 255  # a window that deviates less than this, one grey level, is not made more contrasty still
CONNECTIONS = ("paper", "full")


def to_yuv(images: Tensor) -> Tensor:
    """(B, 3, H, W) RGB 0..1 -> YUV: Y 0..1, U and V around 0."""
    red, green, blue = images[:, :1], images[:, 1:2], images[:, 2:]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return torch.cat([luma, 0.492 * (blue - luma), 0.877 * (red - luma)], 1)


def halved(images: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, H/2, W/2), blurred with 1 3 3 1 along each axis, which three means of two pixels make."""
    images = F.avg_pool2d(F.pad(images, [1] * 4, mode="replicate"), 2, 1)
    return F.avg_pool2d(F.avg_pool2d(images, 2, 1), 2, 2)


def enlarged(images: Tensor, times: int) -> Tensor:
    """(B, C, h, w) -> (B, C, times h, times w), pixels' centres kept."""
    return F.interpolate(images, scale_factor=times, mode="bilinear", align_corners=False)


def pyramid(images: Tensor) -> list[Tensor]:
    """(B, C, H, W), sides multiples of 4 -> Laplacian pyramid: what halving loses, twice, and the picture at 1/4."""
    levels = []
    for _ in range(LEVELS - 1):
        smaller = halved(images)
        levels.append(images - enlarged(smaller, 2))
        images = smaller
    return [*levels, images]


def normalised(images: Tensor) -> Tensor:
    """(B, C, H, W) -> each pixel less the mean of the 15 x 15 around it, over their deviation; each channel by itself.

    Where the deviation is below PLAIN, PLAIN stands for it: plain sky stays plain.
    """
    mean = around(images)
    variance = around(images.square()) - mean.square()
    return (images - mean) / variance.clamp(min=PLAIN**2).sqrt()


def around(images: Tensor) -> Tensor:
    """(B, C, H, W) -> the mean of the 15 x 15 pixels around each one; the edge is repeated beyond the border.

    15 = 8 + 4 + 2 + 1: sums of so many pixels from sums of half as many, three times as fast as pooling.
    """
    images = F.pad(images, [WINDOW // 2] * 4, mode="replicate")
    for _ in range(2):
        two = images[..., :-1] + images[..., 1:]
        four = two[..., :-2] + two[..., 2:]
        eight = four[..., :-4] + four[..., 4:]
        images = eight[..., :-7] + four[..., 8:-3] + two[..., 12:-1] + images[..., 14:]
        images = images.transpose(2, 3)  # along the other axis; twice is as before
    return images / WINDOW**2


class Partial(nn.Module):
    """A 7 x 7 convolution whose maps see only some of the inputs each, as a table says.

    The weights that exist are stored and trained; each step lays them into a full kernel, whose other entries are 0.
    Gathering the inputs of each map instead saves multiplications and takes longer.

    Args:
        inputs, outputs: channels. fan: inputs that each map sees. random: draws the table.
    """

    table: Tensor

    def __init__(self, inputs: int, outputs: int, fan: int, random: torch.Generator) -> None:
        super().__init__()
        seen = [torch.randperm(inputs, generator=random)[:fan].sort().values for _ in range(outputs)]
        self.register_buffer("table", torch.stack(seen).to(torch.uint8))  # (outputs, fan)
        self.inputs = inputs
        self.weight = nn.Parameter(torch.empty(outputs, fan, 7, 7))
        self.bias = nn.Parameter(torch.zeros(outputs))
        scaled(self.weight)

    def kernel(self) -> Tensor:
        """(outputs, inputs, 7, 7)."""
        outputs, fan = self.table.shape
        whole = self.weight.new_zeros(outputs, self.inputs, 7, 7)
        return whole.scatter(1, self.table.long()[..., None, None].expand(outputs, fan, 7, 7), self.weight)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, outputs, h - 6, w - 6)."""
        return F.conv2d(maps, self.kernel(), self.bias)


def scaled(weight: Tensor) -> None:
    """Random weights of deviation 1 / sqrt(inputs of a unit), which keeps tanh units out of saturation."""
    bound = (3 / weight[0].numel()) ** 0.5
    nn.init.uniform_(weight, -bound, bound)


def dense(inputs: int, outputs: int, side: int) -> nn.Conv2d:
    """A convolution of all inputs."""
    layer = nn.Conv2d(inputs, outputs, side)
    scaled(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Farabet(nn.Module):
    """See the module's text.

    One deviation in training: the paper trains network and linear classifier first, then the perceptron on features
    that stay as they are. :meth:`both` gives the logits of both, and the perceptron's gradients end at the features:
    the same two problems, solved at the same time.

    Args:
        classes: K.
        connections: "paper": the second layer's maps see 8 random ones of 16, the third's 32 of 64, 426,496 weights
            fewer; "full": they see all. The first layer's are as in the paper always: 10 see Y, 6 see U and V.
        seed: of the random tables, which are stored with the weights. (Weights come from torch's own generator.)
        hidden: units of the perceptron's hidden layer.
        cover: also hold a classifier of segments, for :meth:`cover` and :meth:`segment_loss`.

    Attributes:
        stride: pixels of a cell.
        early_weight: of the linear classifier's loss beside the perceptron's; they share no weights that learn.
        align: tiles that begin at multiples of so many pixels have the cells of the whole picture.
        reach: pixels from a cell beyond which nothing changes its features.
    """

    stride = 4
    early_weight = 1.0
    align = 16
    reach = 136
    channels = LEVELS * MAPS

    def __init__(
        self, classes: int, connections: str = "paper", seed: int = 0, hidden: int = 1024, cover: bool = False
    ) -> None:
        super().__init__()
        if connections not in CONNECTIONS:
            raise ValueError(f"connections are {' or '.join(CONNECTIONS)}, not {connections!r}")
        random = torch.Generator().manual_seed(seed)
        paper = connections == "paper"
        self.luma = dense(1, 10, 7)
        self.chroma = dense(2, 6, 7)
        self.second = Partial(16, 64, 8, random) if paper else dense(16, 64, 7)
        self.third = Partial(64, MAPS, 32, random) if paper else dense(64, MAPS, 7)
        self.linear = dense(self.channels, classes, 1)
        self.perceptron = nn.Sequential(dense(self.channels, hidden, 1), nn.Tanh(), dense(hidden, classes, 1))
        self.segments = covers.SegmentClassifier(self.channels, classes) if cover else None

    def features(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) RGB 0..1, any size -> (B, 768, h, w), h = ceil(H / 4), w = ceil(W / 4)."""
        height, width = images.shape[2:]
        images = F.pad(images, [0, -width % self.align, 0, -height % self.align], mode="replicate")
        maps = [self.maps(normalised(level)) for level in pyramid(to_yuv(images))]
        joined = torch.cat([maps[0], *(enlarged(level, 2**s) for s, level in enumerate(maps[1:], 1))], 1)
        return joined[:, :, : (height + 3) // 4, : (width + 3) // 4]

    def maps(self, level: Tensor) -> Tensor:
        """(B, 3, H, W) of one level, sides multiples of 4 -> (B, 256, H/4, W/4)."""
        level = F.pad(level, [CONTEXT] * 4, mode="replicate")
        first = torch.cat([self.luma(level[:, :1]), self.chroma(level[:, 1:])], 1)  # (B, 16, H + 36, W + 36)
        first = F.max_pool2d(first.tanh(), 2)  # (B, 16, H/2 + 18, W/2 + 18)
        second = F.max_pool2d(self.second(first).tanh(), 2)  # (B, 64, H/4 + 6, W/4 + 6)
        return self.third(second)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) RGB 0..1 -> (B, K, h, w), the perceptron's logits on the grid of 4 pixels."""
        return self.perceptron(self.features(images))

    def both(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, H, W) -> logits of the perceptron, and those of the linear classifier, (B, K, h, w): for training."""
        return self.classified(self.features(images))

    def classified(self, features: Tensor) -> tuple[Tensor, list[Tensor]]:
        """:meth:`both`, of features (B, 768, h, w)."""
        return self.perceptron(features.detach()), [self.linear(features)]

    def segment_loss(
        self, features: Tensor, crops: Sequence[tuple[np.ndarray, np.ndarray]], logits: Tensor | None = None
    ) -> Tensor:
        """The loss of the classifier of segments, whose weights alone get gradients: a sum over the crops.

        Args:
            features: (B, 768, h, w) of :meth:`features`.
            crops: for each of the B pictures its pixels, uint8 (H, W, 3) as the network saw them, and its labels,
                uint8 (H, W); values of K and above are not known.
            logits: (B, K, h, w) of the perceptron, which :meth:`both` has given already; None: computed once more,
                which takes longer than all the rest.

        Raises ValueError for a network without such a classifier, and for sizes that do not fit.
        """
        segments = self._segments()
        features = features.detach()
        with torch.no_grad():
            logits = self.perceptron(features) if logits is None else logits
        described = segments.describe(features, logits.detach())  # (B, K + 32, h, w)
        total = features.new_zeros(())
        for one, (rgb, labels) in zip(described, crops, strict=True):
            tree = grow(rgb)
            wanted, pixels = (torch.from_numpy(a).to(features.device) for a in self._targets(tree, labels))
            total = total + covers.loss(segments.segments(one, tree).float(), wanted, pixels)
        return total

    @torch.no_grad()
    def cover(self, features: Tensor, rgb: np.ndarray, logits: Tensor | None = None) -> np.ndarray:
        """(768, h, w) of one picture, and its pixels, uint8 (H, W, 3) -> probabilities (K, H, W) of the optimal cover.

        logits: (K, h, w) of the perceptron; None: computed once more.

        Raises ValueError for a network without a classifier of segments, and for sizes that do not fit.
        """
        segments = self._segments()
        features = features[None]  # (768, h, w) -> (1, 768, h, w)
        given = self.perceptron(features) if logits is None else logits[None]
        described = segments.describe(features, given)[0]
        tree = grow(rgb)
        return covers.cover(tree, segments.segments(described, tree).float().softmax(1).cpu().numpy())

    def _targets(self, tree: Tree, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return covers.targets(tree, labels, self.linear.out_channels)

    def _segments(self) -> covers.SegmentClassifier:
        if self.segments is None:
            raise ValueError("this network has no classifier of segments (cover=False)")
        return self.segments
