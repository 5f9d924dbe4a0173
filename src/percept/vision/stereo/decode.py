"""From two views to a filled disparity map: cost, aggregation, semi-global matching, check, filling, filters.

The steps and their order are those of Zbontar & LeCun 2016, section 4; each can be left out. A pair whose volume does
not fit into the memory allowed is done in bands of rows that overlap.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import nn

from percept.core.console import say, size
from percept.core.device import Device
from percept.core.errors import InputError
from percept.core.kernels import warming_up
from percept.vision.stereo import aggregation, census, cleanup, confidence, cost, filling, sgm, sgm_torch
from percept.vision.stereo.grey import grey
from percept.vision.stereo.options import Matching
from percept.vision.stereo.settings import Settings

OVERLAP = 48  # rows that neighbouring bands share on either side; paths from further away have little to say
LEAST = 16  # rows of a band
BORDER = 8  # columns on the left where both views agree on what fits in, which is mostly not what is there


@dataclass(frozen=True)
class Answer:
    """What a pair gives.

    Attributes:
        disparity: (H, W) float32 pixels, filled; NaN only with ``fill`` left out.
        found: (H, W) bool, where both views agreed; elsewhere the answer was filled in.
        confidence: (H, W) float32, 0 .. 1: how sure it is that the answer is right within a pixel.
        max_disp: the largest disparity that was looked for.
        seconds: step -> time it took.
    """

    disparity: np.ndarray
    found: np.ndarray
    confidence: np.ndarray
    max_disp: int
    seconds: dict[str, float] = field(default_factory=dict)


def match(
    network: nn.Module | None,
    left: np.ndarray,
    right: np.ndarray,
    *,
    options: Matching,
    matching: Settings,
    device: Device,
    max_disp: int,
    described: tuple[torch.Tensor, torch.Tensor] | None = None,
    priced: np.ndarray | None = None,
) -> Answer:
    """Match two views.

    Args:
        network: makes the vectors; None for census bits.
        left, right: (H, W, 3) uint8 RGB of one size, rectified.
        matching: the numbers of the clean-up.
        max_disp: the largest disparity looked for, in pixels.
        described: the (C, H, W) vectors of both views, where :func:`describe` has made them before.
        priced: the network's costs, where :func:`price` has made them before, with the same ``gain``.

    Raises:
        InputError: not even a band of a few rows fits into ``options.memory``.
    """
    clock = Clock()
    height, width = left.shape[:2]
    count = min(max_disp + 1, width)
    without = frozenset(options.without)
    views = grey(left), grey(right)
    with clock.step("features"):
        made = network is None or described is not None or priced is not None
        images = None if made else cost.standard(left, right, device)
    whole = np.full((height, width), np.nan, np.float32)
    kind, raw = np.zeros((height, width), np.uint8), np.zeros((height, width), np.float32)
    for keep, rows in bands(height, width, count, options):
        here = None if priced is None else priced[rows]
        part = _band(network, images, described, here, views, rows, count, options, matching, device, without, clock)
        inner = slice(keep.start - rows.start, keep.stop - rows.start)
        for target, source in zip((whole, kind, raw), part, strict=True):
            target[keep] = source[inner]
    found = kind == cleanup.CONSISTENT
    disparity = np.where(found, whole, np.float32(np.nan))
    with clock.step("fill"):
        if "check" not in without and matching.speckle:
            disparity = filling.speckle(disparity, matching.speckle)
            found = np.isfinite(disparity)
        if "fill" not in without:
            disparity = filling.fill(disparity, kind, views[0], device.threads)
    with clock.step("filters"):
        if "median" not in without and matching.median > 1:
            disparity = cleanup.median(disparity, matching.median)
        if "bilateral" not in without and matching.sigma > 0:
            disparity = cleanup.bilateral(disparity, views[0], matching.sigma, matching.step, 2.0)
    sure = confidence.calibrated(raw, list(matching.knots)) if matching.knots else raw
    return Answer(disparity, found, sure, max_disp, clock.seconds)


def warm_up(network: nn.Module | None, options: Matching, matching: Settings, device: Device) -> None:
    """Match a small pair of nothing, which loads the kernels, or compiles them."""
    with warming_up(seconds=10):
        nothing = np.zeros((48, 64, 3), np.uint8)
        options = replace(options, memory=Matching.memory)
        match(network, nothing, nothing, options=options, matching=matching, device=device, max_disp=15)


def describe(
    network: nn.Module, left: np.ndarray, right: np.ndarray, device: Device
) -> tuple[torch.Tensor, torch.Tensor]:
    """The (C, H, W) vectors of both views at once, for who matches them again and again."""
    return cost.vectors(network, cost.standard(left, right, device), device)


def price(
    network: nn.Module, left: np.ndarray, right: np.ndarray, max_disp: int, gain: float, device: Device
) -> np.ndarray:
    """The network's costs (H, W, D) uint8 at once, for who cleans them up again and again."""
    count = min(max_disp + 1, left.shape[1])
    return cost.volume(network, *describe(network, left, right, device), count, gain=gain, threads=device.threads)


def bands(height: int, width: int, count: int, options: Matching) -> Iterator[tuple[slice, slice]]:
    """Rows to keep and rows to compute, so that what is in memory at once stays below ``options.memory``."""
    each = width * (3 * count + 600)  # bytes a row: costs and their sums, vectors and what makes them
    fit = int(options.memory * 1e9 // each)
    if fit < height:
        fit -= 2 * OVERLAP
        if fit < LEAST:
            need = (LEAST + 2 * OVERLAP) * each / 1e9
            what = f"a picture {width} pixels wide and {count} disparities"
            raise InputError(f"--memory {options.memory:g} GB is too little for {what}: {need:.2f} GB is needed")
        number = -(-height // fit)
        say(f"{size(each * height)} for {width} x {height} pixels and {count} disparities: done in {number} bands")
    for at in range(0, height, max(1, min(fit, height))):
        end = min(height, at + fit)
        yield slice(at, end), slice(max(0, at - OVERLAP), min(height, end + OVERLAP))


class Clock:
    """How long each step took, over all bands."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the time of the block for ``name``."""
        began = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


def _band(
    network: nn.Module | None,
    images: torch.Tensor | None,
    described: tuple[torch.Tensor, torch.Tensor] | None,
    priced: np.ndarray | None,
    views: tuple[np.ndarray, np.ndarray],
    rows: slice,
    count: int,
    options: Matching,
    matching: Settings,
    device: Device,
    without: Collection[str],
    clock: Clock,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Disparity, kind and raw confidence, (h, W) each, of some rows."""
    left, right = (np.ascontiguousarray(view[rows]) for view in views)
    threads = device.threads
    if network is None:
        with clock.step("cost"):
            volume = census.census_cost(left, right, count, int(census.BITS * cost.NEUTRAL), threads)
    else:
        volume = np.empty((*left.shape, count), np.uint8) if priced is None else priced.copy()
        parts: Iterator[tuple[int, torch.Tensor, torch.Tensor]] = iter(())
        if described is not None:
            parts = iter([(0, *(view[:, rows] for view in described))])
        elif images is not None:
            parts = cost.strips(network, images[:, :, rows], device)
        while True:
            with clock.step("features"):
                part = next(parts, None)
            if part is None:
                break
            at, one, two = part
            with clock.step("cost"):
                here = volume[at : at + one.shape[1]]
                cost.volume(network, one, two, count, gain=matching.gain, threads=threads, found=here)
        with clock.step("cost"):
            if matching.census:
                bits = census.census_cost(left, right, count, 0, threads)
                cost.add(volume, bits, matching.census, threads)
    if "aggregation" not in without and matching.before:
        with clock.step("aggregation"):
            arms = (aggregation.arms(_standard(view), matching.arm, matching.tau) for view in (left, right))
            volume = aggregation.aggregate(volume, *arms, matching.before, threads)
    sums: np.ndarray = volume
    if "sgm" not in without:
        with clock.step("sgm"):
            sums = _semi_global(volume, left, right, options, matching, device)
            del volume
    with clock.step("winners"):
        ours, theirs = cleanup.winners(sums, threads)
        raw = confidence.confidence(sums, ours, theirs, matching.tolerance, threads)
        kind = np.zeros(ours.shape, np.uint8)
        if "check" not in without:
            kind = cleanup.check(ours, theirs, matching.tolerance)
            kind[:, :BORDER], raw[:, :BORDER] = cleanup.OCCLUSION, 0
        if "subpixel" in without:
            return ours.astype(np.float32), kind, raw
        return cleanup.subpixel(ours, sums), kind, raw


def _semi_global(
    volume: np.ndarray, left: np.ndarray, right: np.ndarray, options: Matching, matching: Settings, device: Device
) -> np.ndarray:
    numbers = {key: getattr(matching, key) for key in ("p1", "p2", "q1", "q2", "v", "threshold")}
    if device.torch.type == "cpu":
        return sgm.sgm(volume, left, right, **numbers, paths=int(options.paths), threads=device.threads)
    inputs = (torch.from_numpy(array).to(device.torch) for array in (volume, left, right))
    return sgm_torch.sgm(*inputs, **numbers, paths=int(options.paths)).cpu().numpy()


def _standard(view: np.ndarray) -> np.ndarray:
    """Grey values with mean 0 and deviation 1, in which ``tau`` counts."""
    return (view - view.mean()) / max(float(view.std()), 1.0)
