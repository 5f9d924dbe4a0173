"""The cost volume: what it costs to say that a pixel lies ``d`` pixels further left in the right view.

Vectors are computed once a picture and then compared at every disparity (Zbontar & LeCun 2016, section 3.3), in rows
that threads share, straight into bytes: a volume of floats would need four times the memory, and the sums of
semi-global matching need no more than a byte of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from percept.core.device import Device
from percept.core.kernels import in_rows, kernel
from percept.vision.stereo.model import standardised

# Of the highest cost, for a place outside the right picture: dear enough not to draw, cheap enough to take.
NEUTRAL = 0.25
ROWS = 64  # of both views, a few megabytes a layer
CHUNK = 2**21  # vectors that go through accurate's fully connected layers at once


def standard(left: np.ndarray, right: np.ndarray, device: Device) -> Tensor:
    """Both views, (H, W, 3) uint8 RGB, standardised as wholes: (2, 3, H, W) on the device."""
    views = torch.from_numpy(np.stack([left, right])).to(device.torch)  # (2, H, W, 3)
    return standardised(views.permute(0, 3, 1, 2).float() / 255)  # (2, H, W, 3) -> (2, 3, H, W)


def strips(network: nn.Module, images: Tensor, device: Device) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Rows of both standardised views, (2, 3, h, W), as first row and (C, rows, W) vectors of either view.

    A CPU takes some rows at a time, with those around them that their vectors see: what lies between two layers then
    stays in the cache, which makes it half as long.
    """
    height = images.shape[2]
    step = ROWS if device.torch.type == "cpu" else height
    for at in range(0, height, step):
        first, end = max(0, at - network.radius), min(height, at + step + network.radius)
        part = images[:, :, first:end].contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), device.autocast():
            found = network.describe(part)[:, :, at - first : at - first + step].float()  # type: ignore[operator]
        yield at, found[0], found[1]


def vectors(network: nn.Module, images: Tensor, device: Device) -> tuple[Tensor, Tensor]:
    """All rows of :func:`strips` together: (C, h, W) of either view."""
    parts = [both for _, *both in strips(network, images, device)]
    left, right = (torch.cat(side, dim=1) for side in zip(*parts, strict=True))
    return left, right


def volume(
    network: nn.Module,
    left: Tensor,
    right: Tensor,
    count: int,
    *,
    gain: float,
    threads: int = 1,
    found: np.ndarray | None = None,
) -> np.ndarray:
    """Costs as (H, W, D) uint8.

    Each pixel's cheapest disparity costs nothing: a constant for all its disparities changes no sum's winner, and the
    byte is left for the differences.

    Args:
        left, right: (C, H, W) of :func:`vectors`.
        count: D, disparities 0 .. D - 1.
        gain: cost of one unit of the network's own measure: nats of a softmax over the row, or accurate's logits.
        found: where to write them.
    """
    height, width = left.shape[1:]
    found = np.empty((height, width, count), np.uint8) if found is None else found
    if hasattr(network, "compare"):
        return _compared(network, left, right, gain, found)
    if len(left) % 4:
        left, right = (F.pad(view, (0, 0, 0, 0, 0, -len(view) % 4)) for view in (left, right))
    # (C, H, W) -> (H, W, C), which is how they lie in memory already where a network works with channels last
    one, two = (view.permute(1, 2, 0).contiguous().cpu().numpy() for view in (left, right))
    scale = gain * float(network.sharpness.detach())  # type: ignore[arg-type]
    neutral = int(255 * NEUTRAL)
    in_rows(_cosines, height, threads, one, two, np.float32(scale), np.uint8(neutral), found)
    return found


def add(volume: np.ndarray, other: np.ndarray, weight: float, threads: int = 1) -> None:
    """Add ``weight`` times another volume (H, W, D) uint8 in place, up to 255; the weight counts in 1/256."""
    in_rows(_add, len(volume), threads, volume, other, np.int32(round(weight * 256)))


@kernel
def _add(volume, other, weight, first, end):  # type: ignore[no-untyped-def]
    for y in range(first, end):
        for x in range(volume.shape[1]):
            one, two = volume[y, x], other[y, x]
            for d in range(one.shape[0]):
                one[d] = min(
                    np.int32(255), np.int32(one[d]) + ((np.int32(two[d]) * weight + np.int32(128)) >> np.int32(8))
                )


@partial(kernel, fastmath=True)
def _cosines(left, right, scale, neutral, found, first, end):  # type: ignore[no-untyped-def]
    """Rows ``first`` to ``end`` of the volume from vectors (H, W, C), C a multiple of four.

    The innermost loops run along the row, which is long: only then are their vectors worth what numba does before each.
    """
    width, channels = left.shape[1], left.shape[2]
    count = found.shape[2]
    one, two = np.empty((channels, width), np.float32), np.empty((channels, width), np.float32)
    sums = np.empty((count, width), np.float32)
    quantised = np.empty((count, width), np.uint8)
    best = np.empty(width, np.float32)
    for y in range(first, end):
        for x in range(width):
            for c in range(channels):
                one[c, x], two[c, x] = left[y, x, c], right[y, x, c]
        best[:] = np.float32(-1e9)
        for d in range(count):
            length = width - d  # pixels that have a partner at this disparity; the first of them is d
            total, highest = sums[d, :length], best[d:]
            total[:] = np.float32(0)
            for c in range(0, channels, 4):
                l0, l1, l2, l3 = one[c, d:], one[c + 1, d:], one[c + 2, d:], one[c + 3, d:]
                r0, r1, r2, r3 = two[c], two[c + 1], two[c + 2], two[c + 3]
                for x in range(length):
                    total[x] += (l0[x] * r0[x] + l1[x] * r1[x]) + (l2[x] * r2[x] + l3[x] * r3[x])
            for x in range(length):
                highest[x] = max(highest[x], total[x])
        for d in range(count):
            total, highest, row = sums[d], best[d:], quantised[d]
            for x in range(width - d):
                row[x] = np.uint8(min(np.float32(255.0), (highest[x] - total[x]) * scale + np.float32(0.5)))
        for x in range(width):
            for d in range(count):
                found[y, x, d] = quantised[d, x - d] if d <= x else neutral


def _compared(network: nn.Module, left: Tensor, right: Tensor, gain: float, found: np.ndarray) -> np.ndarray:
    """Accurate's: its fully connected layers on every pair of places, a row block after the other."""
    (channels, height, width), count = left.shape, found.shape[2]
    logits = torch.empty((height, width, count), device=left.device)
    with torch.inference_mode():
        one, two = (
            half.reshape(height, width, -1)  # (H W, units) -> (H, W, units)
            for half in network.halves(left.reshape(channels, -1).T, right.reshape(channels, -1).T)  # type: ignore[operator]
        )
        rows = max(1, CHUNK // (width * one.shape[2]))
        for at in range(0, height, rows):
            for d in range(min(count, width)):
                pairs = one[at : at + rows, d:], two[at : at + rows, : width - d]  # (rows, W - d, units) each
                said = network.compare(*(half.reshape(-1, half.shape[2]) for half in pairs))  # type: ignore[operator]
                logits[at : at + rows, d:, d] = said.reshape(-1, width - d)
        inside = (
            torch.arange(count, device=left.device)[None] <= torch.arange(width, device=left.device)[:, None]
        )  # (W, D)
        best = logits.masked_fill(~inside, -torch.inf).amax(dim=2, keepdim=True)  # (H, W, 1)
        costs = ((best - logits) * gain + 0.5).clamp(0, 255)
        found[:] = torch.where(inside, costs, 255 * NEUTRAL).to(torch.uint8).cpu().numpy()
    return found
