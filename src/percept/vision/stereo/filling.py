"""Holes of a disparity map: islands that are cut out, and what holes are filled with.

Zbontar & LeCun 2016, section 4.3, fill an occluded pixel from the left and a mismatch with the median of sixteen
directions. Here every hole first takes the smaller of its row's neighbours, since what one view does not show lies
behind what hides it, and then a weighted median of its surroundings (Ma et al. 2013, "Constant time weighted median
filtering for stereo matching and beyond"), which removes the streaks that rows leave. Islands of few pixels are mostly
wrong: cut out before, they do not vote.
"""

from __future__ import annotations

import numpy as np

from percept.core.kernels import in_rows, kernel
from percept.vision.stereo.cleanup import OCCLUSION

REACH, STRIDE = 16, 4  # of the weighted median: pixels to each side, and from one that votes to the next
SPREAD = 16.0  # pixels: sigma of a vote's weight over distance
TONE = 10.0  # grey levels within which a vote's weight falls to 1/e
HIDDEN, OTHER = 0.45, 0.33  # quantiles of occlusions and other holes: below the median, of two surfaces the one behind


def fill(
    disparity: np.ndarray, kind: np.ndarray | None = None, grey: np.ndarray | None = None, threads: int = 1
) -> np.ndarray:
    """The map with its holes filled; what is known stays as it is.

    Args:
        disparity: (H, W) float32 pixels, NaN-holed.
        kind: (H, W) uint8 of ``cleanup.check``: which holes are occlusions; those take a higher quantile of the votes
            than others, since their row's answer lies behind already. None: none is one.
        grey: (H, W) float32 0..255, the left view: votes of pixels of similar grey count more. None: all alike.
        threads: work on blocks of rows.

    Returns:
        (H, W) float32 without NaN, unless everything is NaN; all values lie between the smallest and largest known.

    Raises:
        ValueError: shapes differ.
    """
    found = fill_smallest(disparity)
    disparity = np.ascontiguousarray(disparity, np.float32)
    for other in (kind, grey):
        if other is not None and other.shape != disparity.shape:
            raise ValueError(f"a disparity map of {disparity.shape}, but something of {other.shape} beside it")
    holes = np.isnan(disparity)
    if not holes.any() or holes.all():
        return found
    grey = np.zeros_like(disparity) if grey is None else np.ascontiguousarray(grey, np.float32)
    quantiles = np.full(holes.shape, OTHER, np.float32)
    if kind is not None:
        quantiles[kind == OCCLUSION] = HIDDEN
    quantiles[~holes] = 0
    return voted(found, quantiles, grey, threads)


def fill_smallest(disparity: np.ndarray) -> np.ndarray:
    """Each hole takes the smaller of the nearest known values to its left and right: the control's filling.

    A row without any known value takes the filled row above it, or else below it.

    Args:
        disparity: (H, W) float32 pixels, NaN-holed.

    Returns:
        (H, W) float32 without NaN, unless everything is NaN.
    """
    found = np.array(disparity, np.float32, order="C")  # a copy
    if found.ndim != 2:
        raise ValueError(f"a disparity map is (H, W), not {found.shape}")
    if found.size:
        _smallest(found)
    return found


def voted(filled: np.ndarray, quantiles: np.ndarray, grey: np.ndarray, threads: int = 1) -> np.ndarray:
    """A map that is filled already, with the weighted quantile of the surroundings where one above 0 is asked for.

    All arrays are (H, W) float32; the map has no NaN.
    """
    found = filled.copy()
    offsets = np.arange(-REACH, REACH + 1, dtype=np.float32)
    near = np.exp(-(offsets**2) / np.float32(2 * SPREAD**2)).astype(np.float32)
    alike = np.exp(-np.arange(256, dtype=np.float32) / np.float32(TONE)).astype(np.float32)
    bins = int(filled.max()) + 2 if filled.size else 1
    in_rows(_vote, len(filled), threads, filled, quantiles, grey, near, alike, STRIDE, bins, found)
    return found


def speckle(disparity: np.ndarray, size: int, difference: float = 1.0) -> np.ndarray:
    """The map without its small islands: they become NaN.

    Args:
        disparity: (H, W) float32 pixels, NaN-holed.
        size: islands of fewer pixels are removed; 0 or 1 removes none.
        difference: neighbours (of four) that differ by at most so many pixels belong to one island.
    """
    disparity = np.ascontiguousarray(disparity, np.float32)
    found = disparity.copy()
    if size > 1 and disparity.size:
        _speckle(disparity, size, np.float32(difference), found)
    return found


@kernel
def _smallest(found):  # type: ignore[no-untyped-def]
    height, width = found.shape
    first = -1  # row with a known value
    nearest = np.empty(width, np.float32)  # known value to the right
    for y in range(height):
        value = np.float32(np.nan)
        for x in range(width - 1, -1, -1):
            value = value if np.isnan(found[y, x]) else found[y, x]
            nearest[x] = value
        if first < 0 and not np.isnan(nearest[0]):
            first = y
        value = np.float32(np.nan)
        for x in range(width):
            if np.isnan(found[y, x]):
                # comparisons with NaN are false: then the side that is known counts
                found[y, x] = value if value <= nearest[x] or np.isnan(nearest[x]) else nearest[x]
            else:
                value = found[y, x]
    for y in range(height):
        if first >= 0 and np.isnan(found[y, 0]):  # filled rows have no NaN
            for x in range(width):
                found[y, x] = found[y - 1 if y > first else first, x]


@kernel
def _vote(filled, quantiles, grey, near, alike, stride, bins, found, first, end):  # type: ignore[no-untyped-def]
    """A histogram of whole disparities around each hole; the answer is the mean of the bin that holds the quantile."""
    height, width = filled.shape
    reach = len(near) // 2
    shares, sums = np.zeros(bins, np.float32), np.zeros(bins, np.float32)
    for y in range(first, end):
        for x in range(width):
            quantile = quantiles[y, x]
            if quantile <= 0:
                continue
            low, high = bins, 0
            total = np.float32(0)
            tone = grey[y, x]
            for dy in range(-reach, reach + 1, stride):
                row = y + dy
                if row < 0 or row >= height:
                    continue
                for dx in range(-reach, reach + 1, stride):
                    column = x + dx
                    if column < 0 or column >= width:
                        continue
                    value = filled[row, column]
                    share = near[dy + reach] * near[dx + reach]
                    share *= alike[min(255, int(abs(grey[row, column] - tone)))]
                    at = int(value + np.float32(0.5))
                    shares[at] += share
                    sums[at] += share * value
                    total += share
                    low, high = min(low, at), max(high, at)
            below = np.float32(0)
            chosen = -1
            for at in range(low, high + 1):
                below += shares[at]
                if chosen < 0 and shares[at] > 0 and below >= quantile * total:
                    chosen = at
                    found[y, x] = sums[at] / shares[at]
                shares[at] = 0
                sums[at] = 0


@kernel
def _speckle(disparity, size, difference, found):  # type: ignore[no-untyped-def]
    """Islands as trees of pixels (union and find): each pixel joins its left and upper neighbour's."""
    height, width = disparity.shape
    parent = np.empty(height * width, np.int32)
    for y in range(height):
        for x in range(width):
            at = y * width + x
            parent[at] = at
            if x > 0 and abs(disparity[y, x] - disparity[y, x - 1]) <= difference:  # never with NaN
                parent[at] = _root(parent, at - 1)
            if y > 0 and abs(disparity[y, x] - disparity[y - 1, x]) <= difference:
                one, two = _root(parent, at), _root(parent, at - width)
                parent[max(one, two)] = min(one, two)
    count = np.zeros(height * width, np.int32)
    for at in range(height * width):
        parent[at] = parent[parent[at]]  # a parent comes before its child, and knows its root by now
        count[parent[at]] += 1
    for y in range(height):
        for x in range(width):
            if count[parent[y * width + x]] < size:
                found[y, x] = np.nan


@kernel
def _root(parent, at):  # type: ignore[no-untyped-def]
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at
