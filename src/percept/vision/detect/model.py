"""`compact`: a small dense detector with a box and a score for every window at strides 8, 16 and 32.

The graph is that of YOLOX-Nano (Ge et al. 2021, arXiv 2107.08430), written for weights whose batch normalisation is
folded into the convolutions: a CSP trunk of depth-wise convolutions, a path aggregation neck (PAFPN), and a decoupled
head for each stride. 0.90 M parameters with 80 classes. Names of modules are those of the published weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from percept.vision.detect.pyramid import Windows

STRIDES = (8, 16, 32)
PRIOR = 0.01  # probability that a new predictor gives every window at first (Lin 2017, focal loss, section 3.3)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's RGB values in 0..1
MAX_LOG_SIZE = 8.0  # e^8 cells is wider than any picture; keeps exp finite while training goes astray


class Level(NamedTuple):
    """The raw maps of one stride, before any sigmoid."""

    classes: Tensor  # (B, K, H, W) logits
    objects: Tensor  # (B, 1, H, W) logit that the window is on some object
    edges: Tensor  # (B, 4, H, W) dx, dy of the centre from the cell's corner, log width, log height, all in cells
    stride: int  # pixels


def corners(level: Level) -> Tensor:
    """Boxes of a level's windows: (B, H*W, 4) float32, x0 y0 x1 y1 in pixels of the network's input."""
    edges = level.edges.float().flatten(2).transpose(1, 2)  # (B, 4, H, W) -> (B, H*W, 4)
    centres = (edges[..., :2] + cells(level)) * level.stride
    half = torch.exp(edges[..., 2:].clamp(max=MAX_LOG_SIZE)) * (level.stride / 2)
    return torch.cat((centres - half, centres + half), dim=-1)


def cells(level: Level) -> Tensor:
    """Column and row of each window of a level, row by row: (H*W, 2) float32."""
    height, width = level.edges.shape[-2:]
    rows = torch.arange(height, device=level.edges.device, dtype=torch.float32)
    columns = torch.arange(width, device=level.edges.device, dtype=torch.float32)
    y, x = rows[:, None].expand(height, width), columns[None, :].expand(height, width)
    return torch.stack((x, y), dim=-1).reshape(-1, 2)  # (H, W, 2) -> (H*W, 2)


def new_classes(tensors: Mapping[str, Tensor], old: Sequence[str], new: Sequence[str]) -> dict[str, Tensor]:
    """Weights for the class list `new` from weights for the class list `old`.

    All that knows no class is kept as it is, rows of the class predictors whose names are in both lists move to their
    new place, and rows of unknown names begin at zero with the bias of probability PRIOR: each row has its own target,
    so zero rows differ after one step, and the start is the same for every seed.
    """
    at = {name: row for row, name in enumerate(old)}
    known = [(row, at[name]) for row, name in enumerate(new) if name in at]
    result = dict(tensors)
    for key, tensor in tensors.items():
        if not key.startswith("head.cls_preds."):
            continue
        fill = -math.log((1 - PRIOR) / PRIOR) if key.endswith(".bias") else 0.0
        rows = tensor.new_full((len(new), *tensor.shape[1:]), fill)
        if known:
            to, source = (list(side) for side in zip(*known, strict=True))
            rows[to] = tensor[source]
        result[key] = rows
    return result


class Conv(nn.Conv2d):
    """A convolution with bias that keeps the size (or halves it), and SiLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        # in place where no gradient needs the sum before it: fresh memory costs more than the arithmetic
        return F.silu(super().forward(x), inplace=not torch.is_grad_enabled())


class DepthWise(nn.Module):
    """A 3x3 convolution within each channel, then a 1x1 over channels."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.dconv = Conv(inputs, inputs, 3, stride, groups=inputs)
        self.pconv = Conv(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.pconv(self.dconv(x))


class Bottleneck(nn.Module):
    def __init__(self, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.conv1 = Conv(channels, channels)
        self.conv2 = DepthWise(channels, channels)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x))
        return x + y if self.shortcut else y


class CSP(nn.Module):
    """Cross stage partial: half of the channels pass the bottlenecks, half pass by (Wang 2019, arXiv 1911.11929)."""

    def __init__(self, inputs: int, outputs: int, depth: int = 1, shortcut: bool = False) -> None:
        super().__init__()
        half = outputs // 2
        self.conv1 = Conv(inputs, half)
        self.conv2 = Conv(inputs, half)
        self.conv3 = Conv(outputs, outputs)
        self.m = nn.Sequential(*(Bottleneck(half, shortcut) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(torch.cat((self.m(self.conv1(x)), self.conv2(x)), dim=1))


class SPP(nn.Module):
    """Spatial pyramid pooling: maxima over 5, 9 and 13 cells beside the map itself (He 2014, arXiv 1406.4729)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = Conv(channels, channels // 2)
        self.conv2 = Conv(channels * 2, channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        five = F.max_pool2d(x, 5, 1, 2)
        nine = F.max_pool2d(five, 5, 1, 2)  # a maximum of maxima: 9 and 13 wide at the price of 5
        thirteen = F.max_pool2d(nine, 5, 1, 2)
        return self.conv2(torch.cat((x, five, nine, thirteen), dim=1))


class Trunk(nn.Module):
    """Pictures (B, 3, H, W) -> maps of 64, 128 and 256 channels at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(12, 16, 3)
        self.dark2 = nn.Sequential(DepthWise(16, 32, 2), CSP(32, 32, 1, shortcut=True))
        self.dark3 = nn.Sequential(DepthWise(32, 64, 2), CSP(64, 64, 3, shortcut=True))
        self.dark4 = nn.Sequential(DepthWise(64, 128, 2), CSP(128, 128, 3, shortcut=True))
        self.dark5 = nn.Sequential(DepthWise(128, 256, 2), SPP(256), CSP(256, 256, 1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        top, bottom = images[..., ::2, :], images[..., 1::2, :]
        parities = (top[..., ::2], bottom[..., ::2], top[..., 1::2], bottom[..., 1::2])  # the order of the weights
        x = self.stem(torch.cat(parities, dim=1))  # (B, 3, H, W) -> (B, 12, H/2, W/2) -> (B, 16, H/2, W/2)
        eighth = self.dark3(self.dark2(x))
        sixteenth = self.dark4(eighth)
        return eighth, sixteenth, self.dark5(sixteenth)


class Neck(nn.Module):
    """PAFPN: what the coarse maps know goes down to the fine ones and back up (Liu 2018, arXiv 1803.01534)."""

    def __init__(self) -> None:
        super().__init__()
        self.lateral_conv0 = Conv(256, 128)
        self.C3_p4 = CSP(256, 128)
        self.reduce_conv1 = Conv(128, 64)
        self.C3_p3 = CSP(128, 64)
        self.bu_conv2 = DepthWise(64, 64, 2)
        self.C3_n3 = CSP(128, 128)
        self.bu_conv1 = DepthWise(128, 128, 2)
        self.C3_n4 = CSP(256, 256)

    def forward(self, eighth: Tensor, sixteenth: Tensor, thirtysecond: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        coarse = self.lateral_conv0(thirtysecond)
        middle = self.reduce_conv1(self.C3_p4(torch.cat((twice(coarse), sixteenth), dim=1)))
        fine = self.C3_p3(torch.cat((twice(middle), eighth), dim=1))
        middle = self.C3_n3(torch.cat((self.bu_conv2(fine), middle), dim=1))
        coarse = self.C3_n4(torch.cat((self.bu_conv1(middle), coarse), dim=1))
        return fine, middle, coarse  # (B, 64, H/8, W/8), (B, 128, H/16, W/16), (B, 256, H/32, W/32)


def twice(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, 2H, 2W), each value repeated."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class Head(nn.Module):
    """For each stride one branch that says what, and one that says whether and where."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stems = nn.ModuleList(Conv(channels, 64) for channels in (64, 128, 256))
        self.cls_convs = nn.ModuleList(nn.Sequential(DepthWise(64, 64), DepthWise(64, 64)) for _ in STRIDES)
        self.reg_convs = nn.ModuleList(nn.Sequential(DepthWise(64, 64), DepthWise(64, 64)) for _ in STRIDES)
        self.cls_preds = nn.ModuleList(nn.Conv2d(64, classes, 1) for _ in STRIDES)
        self.reg_preds = nn.ModuleList(nn.Conv2d(64, 4, 1) for _ in STRIDES)
        self.obj_preds = nn.ModuleList(nn.Conv2d(64, 1, 1) for _ in STRIDES)

    def forward(self, maps: Sequence[Tensor]) -> list[Level]:
        result = []
        for i, (x, stride) in enumerate(zip(maps, STRIDES, strict=True)):
            x = self.stems[i](x)
            what, where = self.cls_convs[i](x), self.reg_convs[i](x)
            result.append(Level(self.cls_preds[i](what), self.obj_preds[i](where), self.reg_preds[i](where), stride))
        return result


class Compact(nn.Module):
    """The detector. Height and width of its input must be multiples of `stride` (pixels)."""

    stride = 32

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.backbone = Trunk()
        self.neck = Neck()
        self.head = Head(classes)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Random start values for training from nothing.

        Without normalisation layers no fixed gain keeps a signal's size through 60 SiLUs (small ones shrink, large ones
        grow), so each convolution is scaled by what it makes of a picture of noise (Mishkin 2015, arXiv 1511.06422).
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=1 / math.sqrt(module.weight[0].numel()))
                nn.init.zeros_(module.bias)
        for predictor in (*self.head.cls_preds, *self.head.obj_preds):
            nn.init.constant_(predictor.bias, -math.log((1 - PRIOR) / PRIOR))

        def to_unit(module: Conv, inputs: tuple[Tensor], output: Tensor) -> Tensor:
            before_silu = nn.Conv2d.forward(module, *inputs)
            module.weight /= before_silu.std()
            return F.silu(before_silu / before_silu.std())

        hooks = [module.register_forward_hook(to_unit) for module in self.modules() if isinstance(module, Conv)]
        self.raw(F.interpolate(torch.rand(4, 3, 4, 4), scale_factor=32.0, mode="bilinear"))
        for hook in hooks:
            hook.remove()
        for predictor in (*self.head.cls_preds, *self.head.obj_preds, *self.head.reg_preds):
            predictor.weight *= 0.1  # first answers near the prior, first boxes near one cell

    def raw(self, images: Tensor) -> list[Level]:
        """Images (B, 3, H, W), RGB in 0..1, to the raw maps at strides 8, 16 and 32: what `loss.py` takes."""
        return self.head(self.neck(*self.backbone((images - self.mean).div_(self.std))))

    def forward(self, images: Tensor) -> Windows:
        """Images (B, 3, H, W), RGB in 0..1, to Windows: scores (B, N, K), boxes (B, N, 4) in pixels of the input.

        N = H*W * (1/64 + 1/256 + 1/1024). A score is the probability of any object times that of the class.
        """
        maps = self.raw(images)
        scores = [m.classes.float().sigmoid() * m.objects.float().sigmoid() for m in maps]
        scores = torch.cat([s.flatten(2) for s in scores], dim=2).transpose(1, 2)  # (B, K, N) -> (B, N, K)
        return Windows(scores, torch.cat([corners(m) for m in maps], dim=1))
