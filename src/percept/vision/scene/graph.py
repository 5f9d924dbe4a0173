"""Efficient graph-based segmentation (Felzenszwalb & Huttenlocher 2004), and the sorted grid graph that it works on.

Pixels are the vertices of a graph; each is joined to its eight neighbours by an edge that weighs as much as the two
colours differ. Edges are taken from the lightest to the heaviest, and join the two segments that they touch where the
edge is no heavier than what holds either segment together (section 3.1, equation 3): the heaviest edge inside it so
far, plus k / size, which lets small segments grow.

`scale`, `sigma` and `min_size` mean what they mean in scikit-image: colours are taken as 0..1, so k is scale / 255.
Weights are sorted exactly, by the bits of their floats, in three passes of ten bits: an order that compares, as
np.argsort's, takes 8 times as long.
"""

from __future__ import annotations

import cv2
import numpy as np

from percept.core.kernels import kernel

DIGIT = 10  # bits sorted by in one pass; three of them hold every float32 in 0..2, and no weight exceeds sqrt(3)
DIGITS = 3


def felzenszwalb(rgb: np.ndarray, scale: float, sigma: float, min_size: int) -> np.ndarray:
    """The segments of a picture, int32 (H, W): 0..N-1 in the order in which they are met in reading, 8-connected.

    Args:
        rgb: uint8 (H, W, 3).
        scale: how much colours may vary inside a segment; larger means fewer segments. k of the paper is scale / 255.
        sigma: standard deviation in pixels of the Gaussian that smooths the picture first; 0 leaves it as it is.
        min_size: pixels; smaller segments are joined to the neighbour across their lightest edge (section 4).

    Raises:
        ValueError: rgb is no uint8 (H, W, 3) with pixels, or a parameter is negative.
    """
    if not scale >= 0 or not min_size >= 0:
        raise ValueError(f"scale and min_size are at least 0, not {scale} and {min_size}")
    first, second, weight = edges(rgb, sigma)
    height, width = rgb.shape[:2]
    segments = _segment(first, second, weight, height * width, np.float32(scale / 255), int(min_size))
    return segments.reshape(height, width)  # (H * W,) -> (H, W)


def edges(rgb: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The edges between neighbours of an 8-connected grid, from the lightest to the heaviest.

    Args:
        rgb: uint8 (H, W, 3).
        sigma: standard deviation in pixels of the Gaussian that smooths the picture first; 0 leaves it as it is.

    Returns:
        first, second: int32 (E,), the numbers y * W + x of the two pixels, first < second.
        weight: float32 (E,), ascending: the Euclidean distance of their colours, which lie in 0..1.
        E = 4HW - 3H - 3W + 2. Edges that weigh the same lie in reading order of their first pixel.

    Raises:
        ValueError: rgb is no uint8 (H, W, 3) with pixels, or sigma is negative.
    """
    image = smoothed(rgb, sigma)
    height, width = image.shape[:2]
    count = 4 * height * width - 3 * height - 3 * width + 2
    weight = np.empty(count, np.float32)
    number = np.empty(count, np.uint32)
    _weigh(image, weight, number)
    packed, spare = np.empty(count, np.uint64), np.empty(count, np.uint64)
    _sort(weight.view(np.uint32), number, packed, spare)
    first, second = np.empty(count, np.int32), np.empty(count, np.int32)
    _unpack(spare, width, first, second, weight.view(np.uint32))
    return first, second, weight


def minimum_spanning_forest(first: np.ndarray, second: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """Which edges make a minimum spanning forest (Kruskal 1956): their places, int64, from light to heavy.

    Args:
        first, second: int32 (E,), the vertices 0..count-1 that each edge joins.
        weight: (E,), best ascending as :func:`edges` gives them; if they are not, they are sorted first, stably.
        count: the number of vertices. A connected graph keeps count - 1 edges.

    Raises:
        ValueError: the three are not of one length, or name vertices that there are not.
    """
    if not len(first) == len(second) == len(weight):
        raise ValueError(f"edges need two ends and a weight, not {len(first)}, {len(second)} and {len(weight)}")
    if len(first) and not (min(first.min(), second.min()) >= 0 and max(first.max(), second.max()) < count):
        raise ValueError(f"edges join vertices 0..{count - 1}, not others")
    first, second = (np.require(ends, np.int32, "CW") for ends in (first, second))
    if (weight[1:] >= weight[:-1]).all():
        return _span(first, second, count)
    order = np.argsort(weight, kind="stable")
    return order[_span(first[order], second[order], count)]


def smoothed(rgb: np.ndarray, sigma: float) -> np.ndarray:
    """The picture as float32 (H, W, 3) in 0..1, smoothed by a Gaussian of `sigma` pixels, cut off at four of them."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise ValueError(f"a picture is uint8 (H, W, 3), not {rgb.dtype} {rgb.shape}")
    if not sigma >= 0:
        raise ValueError(f"sigma is at least 0, not {sigma}")
    image = rgb.astype(np.float32) / np.float32(255)
    reach = int(4 * sigma + 0.5)
    if reach == 0:
        return image
    return cv2.GaussianBlur(image, (2 * reach + 1, 2 * reach + 1), sigma, borderType=cv2.BORDER_REFLECT)


@kernel
def _weigh(image, weight, number):
    """The edges in reading order: weights, and 4 * first pixel + direction (right, down left, down, down right)."""
    height, width, _ = image.shape
    place = 0
    for y in range(height):
        for x in range(width):
            for direction in range(4):
                below = y if direction == 0 else y + 1
                beside = x + 1 if direction == 0 else x + direction - 2
                if below < height and 0 <= beside < width:
                    red = image[y, x, 0] - image[below, beside, 0]
                    green = image[y, x, 1] - image[below, beside, 1]
                    blue = image[y, x, 2] - image[below, beside, 2]
                    weight[place] = np.sqrt(red * red + green * green + blue * blue)
                    number[place] = 4 * (y * width + x) + direction
                    place += 1


@kernel
def _sort(bits, number, packed, spare):
    """A radix sort: bits << 32 | number, ascending and stable in bits, into `spare`. packed: working memory."""
    radix = 1 << DIGIT
    starts = np.zeros((DIGITS, radix), np.int64)
    for n in range(len(bits)):
        for digit in range(DIGITS):
            starts[digit, (bits[n] >> np.uint32(DIGIT * digit)) & np.uint32(radix - 1)] += 1
        packed[n] = (np.uint64(bits[n]) << np.uint64(32)) | np.uint64(number[n])
    for digit in range(DIGITS):
        total = 0
        for value in range(radix):
            total, starts[digit, value] = total + starts[digit, value], total
        source, target = (packed, spare) if digit % 2 == 0 else (spare, packed)
        shift = np.uint64(32 + DIGIT * digit)
        for n in range(len(source)):
            value = (source[n] >> shift) & np.uint64(radix - 1)
            target[starts[digit, value]] = source[n]
            starts[digit, value] += 1


@kernel
def _unpack(packed, width, first, second, bits):
    for n in range(len(packed)):
        number = np.int64(packed[n] & np.uint64(0xFFFFFFFF))
        pixel, direction = number >> 2, number & 3
        first[n] = pixel
        second[n] = pixel + (1 if direction == 0 else width + direction - 2)
        bits[n] = np.uint32(packed[n] >> np.uint64(32))


@kernel
def _root(parent, vertex):
    """The root of a vertex's tree. parent: of a root minus the size of its tree. The vertex is hung below its root."""
    root = np.uintp(vertex)  # without a sign: numba need not ask whether it counts from the end
    while parent[root] >= 0:
        root = np.uintp(parent[root])
    if root != np.uintp(vertex):
        parent[np.uintp(vertex)] = root
    return root


@kernel
def _join(parent, one, other):
    """Hangs the smaller of two roots' trees below the larger one's root, which is returned: ways stay below log2 n."""
    if parent[one] > parent[other]:
        one, other = other, one
    parent[one] += parent[other]
    parent[other] = one
    return one


@kernel
def _segment(first, second, weight, count, k, min_size):
    """The segments int32 (count,) of vertices joined by edges from light to heavy, numbered in their order."""
    parent = np.full(count, -1, np.int32)
    limit = np.full(count, k, np.float32)  # of a root: the heaviest edge inside, plus k / size
    refused = np.empty(len(first), np.int32)
    left = 0
    for n in range(len(first)):
        one, other = _root(parent, first[n]), _root(parent, second[n])
        if one == other:
            continue
        if weight[n] <= limit[one] and weight[n] <= limit[other]:
            one = _join(parent, one, other)
            limit[one] = weight[n] - k / np.float32(parent[one])
        else:
            refused[left] = n
            left += 1
    for m in range(left):
        one, other = _root(parent, first[refused[m]]), _root(parent, second[refused[m]])
        if one != other and (-parent[one] < min_size or -parent[other] < min_size):
            _join(parent, one, other)
    names = np.full(count, -1, np.int32)
    segments = np.empty(count, np.int32)
    found = 0
    for vertex in range(count):
        root = _root(parent, vertex)
        if names[root] < 0:
            names[root] = found
            found += 1
        segments[vertex] = names[root]
    return segments


@kernel
def _span(first, second, count):
    parent = np.full(count, -1, np.int32)
    kept = np.empty(max(count - 1, 0), np.int64)
    found = 0
    for n in range(len(first)):
        one, other = _root(parent, first[n]), _root(parent, second[n])
        if one != other:
            _join(parent, one, other)
            kept[found] = n
            found += 1
    return kept[:found].copy()
