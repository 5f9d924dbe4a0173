"""OverFeat's layers (Sermanet et al. 2013, tables 1 and 3), run densely: shared by detect and classify.

Trained on one window, run on a whole picture: every layer is a convolution or a pooling, the full layers too, so the
answers of all windows come out of one pass as a map (section 3.5). The last pooling is run at every offset (section
3.3).

Zero padding: the paper pads its 3x3 layers by one cell. In a dense pass only the picture's own edges are padded;
inside, those layers see the true surroundings, `CONTEXT` pixels around the window. An answer depends on its
`Grid.seen` pixels and on nothing else.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as transforms

from percept.core.errors import UsageError, nearest

MEAN = (0.485, 0.456, 0.406)  # of ImageNet's training photos, RGB 0..1
STD = (0.229, 0.224, 0.225)

CONTEXT = 48  # pixels on each side: three padded layers at stride 16 (fast), four at stride 12 (accurate)

# (channels, kernel, stride, padding, max pooling after it or 0); the last pooling is the one that runs at all offsets.
TRUNKS = {
    "fast": ((96, 11, 4, 0, 2), (256, 5, 1, 0, 2), (512, 3, 1, 1, 0), (1024, 3, 1, 1, 0), (1024, 3, 1, 1, 0)),
    "accurate": (
        (96, 7, 2, 0, 3),
        (256, 7, 1, 0, 2),
        (512, 3, 1, 1, 0),
        (512, 3, 1, 1, 0),
        (1024, 3, 1, 1, 0),
        (1024, 3, 1, 1, 0),
    ),
}
LAST_POOL = {"fast": 2, "accurate": 3}
FULL = {"fast": (6, 3072, 4096), "accurate": (5, 4096, 4096)}  # first full layer's kernel, hidden widths
WINDOW = {"fast": 231, "accurate": 221}  # pixels on a side
STRIDE = {"fast": 16, "accurate": 12}  # pixels between windows; without offsets LAST_POOL times that

# Table 5's six scales, (height, width). Its 32x35 layer-5 cells for 425x497 must read 32x38: only these give its own
# 18x24 map.
PAPER_SCALES = ((245, 245), (281, 317), (317, 389), (389, 461), (425, 497), (461, 569))


class Grid(NamedTuple):
    """Where the cells of a dense map lie: cell (i, j) answers for `size` x `size` pixels from (stride i, stride j)."""

    size: int
    stride: int

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of windows that lie wholly inside a picture of this size."""
        return tuple(max(0, (side - self.size) // self.stride + 1) for side in (height, width))

    def boxes(self, height: int, width: int) -> Tensor:
        """(N, 4) x0 y0 x1 y1 pixels of all windows, row by row, as a map's cells flatten."""
        rows, columns = self.shape(height, width)
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        corners = torch.stack([x, y], dim=-1).reshape(-1, 2) * float(self.stride)  # (N, 2)
        return torch.cat([corners, corners + self.size], dim=1)

    def seen(self, row: int, column: int, height: int, width: int) -> tuple[int, int, int, int]:
        """x0 y0 x1 y1 of the pixels that can change cell (row, column): window and context, cut at the picture."""
        x, y = column * self.stride, row * self.stride
        reach = self.size + CONTEXT
        return max(0, x - CONTEXT), max(0, y - CONTEXT), min(width, x + reach), min(height, y + reach)


class Cost(NamedTuple):
    """Multiply-adds of one picture: one dense pass, and each window cropped and passed alone."""

    dense: int
    cropped: int
    windows: int

    @property
    def ratio(self) -> float:
        """How many times cheaper the dense pass is."""
        return self.cropped / self.dense


def window(variant: str, offsets: bool = True) -> Grid:
    """The (size, stride) in pixels of a variant's windows: 231 every 16 (fast), 221 every 12 (accurate).

    Without offset pooling every 32 and 36. Raises UsageError for an unknown variant.
    """
    check_variant(variant)
    return Grid(WINDOW[variant], STRIDE[variant] * (1 if offsets else LAST_POOL[variant]))


def check_variant(variant: str) -> None:
    if variant not in TRUNKS:
        raise UsageError(f'no OverFeat "{variant}"{nearest(variant, TRUNKS)}; there are fast and accurate')


def normalise(images: Tensor) -> Tensor:
    """(B, 3, H, W) RGB 0..1 -> the same with ImageNet's mean and deviation taken out."""
    return transforms.normalize(images, MEAN, STD)


def pad_to(images: Tensor, size: int) -> Tensor:
    """Zeros right and below until both sides are at least `size` pixels; after `normalise` they are the mean colour."""
    height, width = images.shape[-2:]
    return F.pad(images, (0, max(0, size - width), 0, max(0, size - height)))


def scaled(channels: int, width: float) -> int:
    return max(4, round(channels * width))


def start_weights(module: nn.Module) -> None:
    """He's deviation, not the paper's 0.01: it keeps signals alive at every `width`, without normalising layers."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)


class Trunk(nn.Sequential):
    """The layers up to the last pooling, which is left to the heads: (B, 3, H, W) -> (B, C, h, w).

    C is 1024 x width; a cell every 16 (fast) or 12 (accurate) pixels. ReLU after each convolution, no contrast
    normalisation, pooling regions that do not overlap (section 3.1).
    """

    def __init__(self, variant: str, width: float = 1.0) -> None:
        check_variant(variant)
        layers, before = [], 3
        for channels, kernel, stride, padding, pool in TRUNKS[variant]:
            layers += [nn.Conv2d(before, scaled(channels, width), kernel, stride, padding), nn.ReLU(inplace=True)]
            layers += [nn.MaxPool2d(pool)] if pool else []
            before = scaled(channels, width)
        super().__init__(*layers)
        self.channels = before
        self.apply(start_weights)


class Head(nn.Module):
    """The last pooling and full layers, as convolutions: (B, C, h, w) -> (B, outputs, rows, columns).

    `hidden`: channels of the hidden layers (after scaling), the first of which sees kernel x kernel pooled cells.
    With offsets, the pooled maps of all pool x pool offsets go through the same layers and their answers are
    interleaved (section 3.3, figure 3). That is a pooling of stride 1 and a convolution with holes of the pool's
    stride, sum for sum, and so it is run; a test compares it with the offsets one by one.
    """

    def __init__(
        self, variant: str, channels: int, hidden: tuple[int, ...], outputs: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.pool = LAST_POOL[variant]
        kernels = (FULL[variant][0], *[1] * len(hidden))
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, kernel)
            for before, after, kernel in zip((channels, *hidden), (*hidden, outputs), kernels, strict=True)
        )
        self.dropout = nn.Dropout(dropout)
        self.apply(start_weights)

    def forward(self, maps: Tensor, offsets: bool = True) -> Tensor:
        first, *rest = self.layers
        step = 1 if offsets else self.pool
        pooled = F.max_pool2d(maps, self.pool, stride=step)  # (B, C, h', w')
        answers = F.conv2d(pooled, first.weight, first.bias, dilation=self.pool if offsets else 1)  # (B, F, rows, cols)
        for layer in rest:
            answers = layer(self.dropout(F.relu(answers)))
        return answers


class OverFeat(nn.Module):
    """The paper's classifier: (B, 3, H, W) RGB 0..1 -> (B, classes, rows, columns) scores before the softmax.

    variant: "fast" (table 1: 145.9 M weights at 1,000 classes) or "accurate" (table 3: 144.6 M). `width` scales all
    hidden channels; 1 is the paper. Pictures smaller than the window are padded with the mean colour, right and below.
    """

    def __init__(self, variant: str = "fast", classes: int = 1000, width: float = 1.0) -> None:
        super().__init__()
        self.variant = variant
        self.trunk = Trunk(variant, width)
        hidden = tuple(scaled(channels, width) for channels in FULL[variant][1:])
        self.classifier = Head(variant, self.trunk.channels, hidden, classes, dropout=0.5)  # section 3.2

    def grid(self, offsets: bool = True) -> Grid:
        return window(self.variant, offsets)

    def forward(self, images: Tensor, offsets: bool = True) -> Tensor:
        return self.classifier(self.trunk(pad_to(normalise(images), WINDOW[self.variant])), offsets)


def cost(network: nn.Module, height: int, width: int, offsets: bool = True) -> Cost:
    """What one dense pass over a height x width picture saves against cropping each of its windows.

    network: OverFeat or OverFeatDetector (a `variant`, a `trunk`, one or more `Head`s). Convolutions only, as is usual.
    Raises UsageError if no window fits the picture.
    """
    grid = window(network.variant, offsets)
    rows, columns = grid.shape(height, width)
    if not rows * columns:
        raise UsageError(f"a picture of {width} x {height} pixels holds no window of {grid.size}")
    alone = multiply_adds(network, grid.size, grid.size, offsets=False)
    return Cost(multiply_adds(network, height, width, offsets), rows * columns * alone, rows * columns)


def multiply_adds(network: nn.Module, height: int, width: int, offsets: bool = True) -> int:
    """Multiply-adds of all convolutions of one pass over a picture that is at least as large as a window."""
    rows, columns = window(network.variant, offsets).shape(height, width)
    total = 0
    for layer in network.trunk:
        if isinstance(layer, nn.Conv2d):
            kernel, stride, padding = layer.kernel_size[0], layer.stride[0], layer.padding[0]
            height, width = ((side + 2 * padding - kernel) // stride + 1 for side in (height, width))
            total += height * width * layer.weight.numel()
        elif isinstance(layer, nn.MaxPool2d):
            height, width = height // layer.kernel_size, width // layer.kernel_size
    heads = [child for child in network.children() if isinstance(child, Head)]
    return total + sum(rows * columns * layer.weight.numel() for head in heads for layer in head.layers)
