"""Cross-based cost aggregation (Zhang, Lu & Lafruit 2009; Zbontar & LeCun 2016, section 4.1).

Every pixel has four arms that reach as far as the picture looks alike. Its support region is the horizontal arms of
all pixels on its vertical arms; for a disparity d, only as far as both pictures agree, at p and at p - d. A cost
becomes the mean over that region.
"""

from __future__ import annotations

import numpy as np

from percept.core.kernels import in_rows, kernel

LONGEST = 100  # arms up to here: sums over a row fit uint16, sums over a region are exact in float32


def arms(grey: np.ndarray, length: int, tau: float) -> np.ndarray:
    """How many pixels the arms of each pixel reach to the left, right, up and down: uint8 (H, W, 4).

    grey: float32 (H, W). An arm ends before the first pixel with |I(p) - I(q)| >= tau (in units of the grey values), at
    a distance of `length` pixels, or at the border. Raises ValueError for a length outside 1..100.
    """
    if not 1 <= length <= LONGEST:
        raise ValueError(f"the length of arms lies in 1..{LONGEST}, not {length}")
    grey = np.require(grey, np.float32, "CW")
    result = np.empty((*grey.shape, 4), np.uint8)
    measure_arms(grey, length, np.float32(tau), result)
    return result


def aggregate(
    cost: np.ndarray, arms_left: np.ndarray, arms_right: np.ndarray, iterations: int, threads: int = 1
) -> np.ndarray:
    """The mean of the costs over each pixel's and disparity's support region, rounded half up, `iterations` times.

    cost: uint8 (H, W, D); arms_left, arms_right: uint8 (H, W, 4), see `arms`. Entries whose x - d lies outside the
    right picture have no region and stay. Returns uint8 (H, W, D), never the array that was given.
    Raises ValueError for shapes that do not fit, and for arms of 100 pixels or more.
    """
    expected = (*cost.shape[:2], 4)
    if cost.ndim != 3 or arms_left.shape != expected or arms_right.shape != expected:
        raise ValueError(f"arms of {arms_left.shape} and {arms_right.shape} do not fit a cost of {cost.shape}")
    if max(arms_left.max(initial=0), arms_right.max(initial=0)) >= LONGEST:
        raise ValueError(f"arms reach less than {LONGEST} pixels")
    cost = np.require(cost, np.uint8, "CW")
    # (4, H, W), the right one reversed in x: the right pixels of one left pixel lie in the order of its disparities.
    one = np.ascontiguousarray(arms_left.transpose(2, 0, 1), np.uint8)
    two = np.ascontiguousarray(arms_right[:, ::-1].transpose(2, 0, 1), np.uint8)
    longest = int(max(one[2:].max(initial=0), two[2:].max(initial=0)))
    result = cost.copy()
    for _ in range(iterations):
        cost, result = result, np.empty_like(cost)
        in_rows(mean_rows, len(cost), threads, cost, one, two, longest, result)
    return result


@kernel
def measure_arms(grey, length, tau, result):
    """Fill `result` (H, W, 4) as `arms` says."""
    height, width = grey.shape
    for y in range(height):
        for x in range(width):
            for k in range(4):
                dy, dx = (0, 0, -1, 1)[k], (-1, 1, 0, 0)[k]
                reach = 0
                while reach + 1 < length:
                    qy, qx = y + (reach + 1) * dy, x + (reach + 1) * dx
                    if not (0 <= qy < height and 0 <= qx < width and abs(grey[y, x] - grey[qy, qx]) < tau):
                        break
                    reach += 1
                result[y, x, k] = reach


@kernel
def sum_horizontally(cost, one, two, y, sums, counts):
    """Row y: sums of costs over the horizontal arms, and how many they are, uint16 (W, D).

    A loop over all disparities for each step of the left pixel's arm: those whose right arm is shorter add zero.
    """
    _, width, disparities = cost.shape
    for x in range(width):
        inside = min(disparities, x + 1)
        q = width - 1 - x
        total, count, middle = sums[x, :inside], counts[x, :inside], cost[y, x]
        for d in range(inside):
            total[d] = middle[d]
            count[d] = 1
        for k in range(2):
            reach = two[k, y, q : q + inside]
            mine = one[k, y, x]
            for d in range(inside):
                count[d] = np.uint16(count[d] + min(mine, reach[d]))
            for step in range(1, mine + 1):
                other = cost[y, x - step if k == 0 else x + step]
                far = np.uint8(step)
                for d in range(inside):
                    total[d] = np.uint16(total[d] + np.uint16(other[d]) * np.uint16(reach[d] >= far))


@kernel
def mean_rows(cost, one, two, longest, result, first, last):
    """Rows first ... last-1 of the means. The horizontal sums of the rows that arms can reach go round a ring."""
    height, width, disparities = cost.shape
    ring = 2 * longest + 1
    sums = np.zeros((ring, width, disparities), np.uint16)
    counts = np.zeros((ring, width, disparities), np.uint16)
    total, count = np.zeros(disparities, np.uint32), np.zeros(disparities, np.uint32)
    ready = max(0, first - longest)  # rows before this one have been summed
    for y in range(first, last):
        while ready < min(height, y + longest + 1):
            sum_horizontally(cost, one, two, ready, sums[ready % ring], counts[ready % ring])
            ready += 1
        for x in range(width):
            inside = min(disparities, x + 1)
            q = width - 1 - x
            line, matching = result[y, x], cost[y, x]
            row_sums, row_counts = sums[y % ring, x], counts[y % ring, x]
            for d in range(inside):
                total[d] = row_sums[d]
            for d in range(inside):
                count[d] = row_counts[d]
            for k in range(2, 4):
                reach = two[k, y, q : q + inside]
                for step in range(1, one[k, y, x] + 1):
                    slot = (y - step if k == 2 else y + step) % ring
                    row_sums, row_counts = sums[slot, x], counts[slot, x]
                    far = np.uint8(step)
                    for d in range(inside):
                        total[d] = np.uint32(total[d] + np.uint32(row_sums[d]) * np.uint32(reach[d] >= far))
                    for d in range(inside):
                        count[d] = np.uint32(count[d] + np.uint32(row_counts[d]) * np.uint32(reach[d] >= far))
            for d in range(inside):
                line[d] = np.uint8(np.float32(total[d]) / np.float32(count[d]) + np.float32(0.5))
            for d in range(inside, disparities):
                line[d] = matching[d]
