"""From summed costs to a disparity map (Zbontar & LeCun 2016, sections 4.3 and 4.4); holes are filled in filling.py.

The volume is the largest thing that a pair makes: it is read once for both views' answers, and then only around them.
"""

from __future__ import annotations

import cv2
import numpy as np

from percept.core.kernels import in_rows, kernel

CONSISTENT, OCCLUSION, MISMATCH = 0, 1, 2  # what check() says of a pixel


def winners(volume: np.ndarray, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest disparity of each pixel of the left and of the right view; of equal ones the smallest.

    A pixel xr of the right view is compared with left pixels xr + d, so its costs lie on a diagonal:
    ``argmin over d of volume[y, xr + d, d]`` with xr + d < W.

    Args:
        volume: (H, W, D) uint8 or uint16 summed costs, low = good.

    Returns:
        (H, W) int32 disparities in pixels, twice. Near the left border one of the left view may exceed x: there the
        place that was matched lies outside the right picture.

    Raises:
        ValueError: not (H, W, D) unsigned whole numbers of at most 16 bits, D between 1 and 65535.
    """
    height, width, _ = shape_of(volume)
    left, right = np.empty((height, width), np.int32), np.empty((height, width), np.int32)
    in_rows(_winners, height, threads, volume, left, right)
    return left, right


def check(left_d: np.ndarray, right_d: np.ndarray, tolerance: float = 1.0) -> np.ndarray:
    """Which answers of the left view the right view confirms (section 4.3).

    Args:
        left_d, right_d: (H, W) int32 winners of both views.
        tolerance: largest difference in pixels that counts as agreement.

    Returns:
        (H, W) uint8: CONSISTENT where |d - D_R(x - d)| <= tolerance for d = D_L(x); else MISMATCH where another
        disparity d >= 0 would satisfy this; else OCCLUSION, also where x - d lies outside the right picture.

    Raises:
        ValueError: shapes differ, or disparities are not whole numbers.
    """
    if left_d.shape != right_d.shape or left_d.ndim != 2:
        raise ValueError(f"both views' disparities must be (H, W) of one size, not {left_d.shape} and {right_d.shape}")
    if left_d.dtype.kind not in "iu" or right_d.dtype.kind not in "iu":
        raise ValueError("both views' disparities must be whole numbers: check comes before sub-pixel refinement")
    found = np.empty(left_d.shape, np.uint8)
    _check(left_d.astype(np.int32, copy=False), right_d.astype(np.int32, copy=False), float(tolerance), found)
    return found


def subpixel(disparity: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Disparities moved to the lowest point of the parabola through the costs at d - 1, d and d + 1 (section 4.4).

    Where d has no two neighbours in the volume, or is no lower than both of them, it stays as it is.

    Args:
        disparity: (H, W) int32, winners; negative where there is none.
        volume: (H, W, D) uint16 summed costs.

    Returns:
        (H, W) float32 pixels, within half a pixel of the input and never below 0; NaN where there was none.

    Raises:
        ValueError: the two do not belong together, or a disparity is not below D.
    """
    height, width, count = shape_of(volume)
    if disparity.shape != (height, width) or disparity.dtype.kind not in "iu":
        raise ValueError(
            f"whole disparities of shape {(height, width)} wanted, not {disparity.dtype} {disparity.shape}"
        )
    if disparity.size and int(disparity.max()) >= count:
        raise ValueError(f"a disparity of {int(disparity.max())} in a volume of {count}")
    found = np.empty((height, width), np.float32)
    _subpixel(disparity.astype(np.int32, copy=False), volume, found)
    return found


def median(disparity: np.ndarray, size: int = 5) -> np.ndarray:
    """The median of the known values of a size x size window (section 4.4); holes stay holes.

    Borders are repeated outwards. Of an even number of known values the lower middle one is taken: the mean of two
    surfaces is on neither.

    Args:
        disparity: (H, W) float32 pixels, NaN where there is none.
        size: odd, 1 or more (1 changes nothing); up to 5 it is fast.

    Raises:
        ValueError: an even size, or one below 1.
    """
    if size < 1 or size % 2 == 0:
        raise ValueError(f"a median needs an odd window, not {size}")
    disparity = np.ascontiguousarray(disparity, np.float32)
    if size == 1 or disparity.size == 0:
        return disparity.copy()
    holes = np.isnan(disparity)
    if size > 5:
        found = np.empty_like(disparity)
        _median(disparity, np.ones(disparity.shape, np.uint8), size // 2, found)
        return found
    if not holes.any():
        return cv2.medianBlur(disparity, size)
    found = cv2.medianBlur(np.where(holes, np.float32(0), disparity), size)
    near = cv2.dilate(holes.astype(np.uint8), np.ones((size, size), np.uint8))  # windows with a hole are done again
    _median(disparity, near, size // 2, found)
    return found


def bilateral(
    disparity: np.ndarray, grey: np.ndarray | None, sigma: float, threshold: float, step: float = np.inf
) -> np.ndarray:
    """The mean of the neighbourhood, weighted by distance, of pixels of similar grey (section 4.4).

    Args:
        disparity: (H, W) float32 pixels; NaN counts for nothing, and stays NaN.
        grey: (H, W) float32, the left view; None: only disparities are compared.
        sigma: of the Gaussian of the distance, in pixels; it reaches two sigmas. 0 changes nothing.
        threshold: pixels count whose grey differs by less.
        step: pixels count whose disparity differs by less: what keeps an edge between equal greys.

    Raises:
        ValueError: shapes differ.
    """
    disparity = np.ascontiguousarray(disparity, np.float32)
    if sigma <= 0:
        return disparity.copy()
    grey = np.zeros_like(disparity) if grey is None else np.ascontiguousarray(grey, np.float32)
    if grey.shape != disparity.shape:
        raise ValueError(f"a disparity map of {disparity.shape} and a picture of {grey.shape}")
    reach = int(np.ceil(2 * sigma))
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    line = np.exp(-(offsets**2) / np.float32(2 * sigma**2))
    found = np.empty_like(disparity)
    _bilateral(disparity, grey, line, np.float32(threshold), np.float32(step), found)
    return found


def shape_of(volume: np.ndarray) -> tuple[int, int, int]:
    """(H, W, D) of a volume that can be read; ValueError otherwise."""
    if volume.ndim != 3 or volume.dtype not in (np.uint8, np.uint16) or not 0 < volume.shape[2] <= 65535:
        raise ValueError(f"a volume must be (H, W, D) uint8 or uint16, not {volume.dtype} {volume.shape}")
    return volume.shape


@kernel
def _winners(volume, left, right, first, end):  # type: ignore[no-untyped-def]
    """Cost and disparity go into one number, cost first: its minimum is both at once, and vector units can find it."""
    _, width, count = volume.shape
    most = np.uint32(0xFFFFFFFF)
    best = np.empty(width + count, np.uint32)  # of right pixels, from the right edge to the left: d counts upwards
    for y in range(first, end):
        best[:] = most
        for x in range(width):
            row = volume[y, x]
            begin = width - 1 - x
            inside = min(count, x + 1)
            part = best[begin : begin + count]
            least = most
            for d in range(inside):
                key = (np.uint32(row[d]) << np.uint32(16)) | np.uint32(d)
                least = min(least, key)
                part[d] = min(part[d], key)
            for d in range(inside, count):
                least = min(least, (np.uint32(row[d]) << np.uint32(16)) | np.uint32(d))
            left[y, x] = np.int32(least & np.uint32(0xFFFF))
        for x in range(width):
            right[y, x] = np.int32(best[width - 1 - x] & np.uint32(0xFFFF))


@kernel
def _check(left, right, tolerance, found):  # type: ignore[no-untyped-def]
    """Each right pixel reaches left pixels x with |x - xr - D_R(xr)| <= tolerance; one not reached has no partner."""
    height, width = left.shape
    reached = np.empty(width, np.bool_)
    whole = int(np.floor(tolerance))
    for y in range(height):
        reached[:] = False
        for xr in range(width):
            at = xr + right[y, xr]
            for x in range(max(xr, at - whole), min(width, at + whole + 1)):
                reached[x] = True
        for x in range(width):
            xr = x - left[y, x]
            if 0 <= xr < width and abs(left[y, x] - right[y, xr]) <= tolerance:
                found[y, x] = 0
            else:
                found[y, x] = 2 if reached[x] and xr >= 0 else 1


@kernel
def _subpixel(disparity, volume, found):  # type: ignore[no-untyped-def]
    height, width, count = volume.shape
    for y in range(height):
        for x in range(width):
            d = disparity[y, x]
            found[y, x] = d if d >= 0 else np.nan
            if 0 < d < count - 1:
                before = np.float32(volume[y, x, d - 1])
                here = np.float32(volume[y, x, d])
                after = np.float32(volume[y, x, d + 1])
                if here <= before and here <= after and before + after > 2 * here:
                    found[y, x] = d - (after - before) / (2 * (after - 2 * here + before))


@kernel
def _median(disparity, wanted, reach, found):  # type: ignore[no-untyped-def]
    height, width = disparity.shape
    window = np.empty((2 * reach + 1) ** 2, np.float32)
    for y in range(height):
        for x in range(width):
            if wanted[y, x] == 0:
                continue
            if np.isnan(disparity[y, x]):
                found[y, x] = np.nan
                continue
            known = 0
            for dy in range(-reach, reach + 1):
                row = min(max(y + dy, 0), height - 1)
                for dx in range(-reach, reach + 1):
                    value = disparity[row, min(max(x + dx, 0), width - 1)]
                    if not np.isnan(value):
                        at = known  # sorted as they come: windows are small, and those near holes are few
                        while at > 0 and window[at - 1] > value:
                            window[at] = window[at - 1]
                            at -= 1
                        window[at] = value
                        known += 1
            found[y, x] = window[(known - 1) // 2]


@kernel
def _bilateral(disparity, grey, line, threshold, step, found):  # type: ignore[no-untyped-def]
    """Row by row and offset by offset, so that the innermost loop runs along x and is done by vector units."""
    height, width = disparity.shape
    reach = len(line) // 2
    total, weight = np.empty(width, np.float32), np.empty(width, np.float32)
    zero = np.float32(0)
    for y in range(height):
        total[:] = 0
        weight[:] = 0
        for dy in range(max(-reach, -y), min(reach, height - 1 - y) + 1):
            for dx in range(-reach, reach + 1):
                if dx * dx + dy * dy > reach * reach:
                    continue
                share = line[dy + reach] * line[dx + reach]
                first, end = max(0, -dx), min(width, width - dx)
                d, g = disparity[y, first:end], grey[y, first:end]
                other, tone = disparity[y + dy, first + dx : end + dx], grey[y + dy, first + dx : end + dx]
                sums, shares = total[first:end], weight[first:end]
                for x in range(len(d)):
                    near = (abs(other[x] - d[x]) < step) & (abs(tone[x] - g[x]) < threshold)  # False with NaN
                    sums[x] += share * other[x] if near else zero
                    shares[x] += share if near else zero
        for x in range(width):
            found[y, x] = total[x] / weight[x] if weight[x] > 0 else disparity[y, x]
