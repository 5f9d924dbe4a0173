"""Superpixels of three kinds: graph-based segments, SLIC clusters and SEEDS.

A superpixel should lie on one object: its pixels then vote on their class together (vote.py). What a vote can reach at
best, where each superpixel had its most frequent true class, is noted beside DEFAULTS.
"""

from __future__ import annotations

import warnings

import cv2
import numpy as np

from percept.core.errors import UsageError, nearest
from percept.core.kernels import kernel
from percept.vision.scene.graph import felzenszwalb

# Chosen for about 800 superpixels at 320x240, enough of them for poles and people. Measured on 50 photos of Stanford
# Background at their own size (every ninth or so of 474), each superpixel labelled with its most frequent true class;
# CPU time of one thread of a busy machine, where scikit-image's felzenszwalb takes 128 ms and OpenCV's SEEDS 29:
#                                               superpixels   pixel accuracy   class accuracy   ms
#   felzenszwalb scale 20 sigma .8 min_size 20          800             96.5             96.6   28
#   felzenszwalb scale 20 sigma .5 min_size 20          896             96.4             96.5   30
#   felzenszwalb scale 50 sigma .5 min_size 50          294             95.1             95.3   28
#   slic side 10 compactness 30 iterations 5            743             95.8             95.9   61
#   seeds side 10 sweeps 2                              755             96.0             96.2   15
#   seeds side 16 sweeps 2                              294             94.6             95.0   15
#   OpenCV 5.0 SEEDS 400, 4 levels, prior 2             294             94.4             94.6   29
DEFAULTS: dict[str, dict[str, float]] = {
    "felzenszwalb": {"scale": 20.0, "sigma": 0.8, "min_size": 20},
    "slic": {"side": 10.0, "compactness": 30.0, "iterations": 5},
    "seeds": {"side": 10.0, "bins": 5, "prior": 2, "sweeps": 2},
}
RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))  # (dy, dx) around a pixel, in order


def segment(rgb: np.ndarray, kind: str, **parameters: float) -> np.ndarray:
    """The superpixels of a picture, int32 (H, W): connected, numbered 0..N-1 in the order in which they are read.

    Args:
        rgb: uint8 (H, W, 3).
        kind: felzenszwalb (Felzenszwalb & Huttenlocher 2004), slic (Achanta et al. 2012) or seeds (Van den Bergh et
            al. 2012).
        parameters: instead of those of DEFAULTS; lengths are pixels of this picture.

    Raises:
        UsageError: a kind or parameter that there is not, or a parameter out of its range.
        ValueError: rgb is no uint8 (H, W, 3) with pixels.
    """
    if kind not in DEFAULTS:
        raise UsageError(f'no superpixels are called "{kind}": {", ".join(DEFAULTS)}{nearest(kind, DEFAULTS)}')
    for name, value in parameters.items():
        if name not in DEFAULTS[kind]:
            known = DEFAULTS[kind]
            raise UsageError(f'{kind} has no parameter "{name}": {", ".join(known)}{nearest(name, known)}')
        low, high = _RANGES[name]
        if not low <= value <= high:
            raise UsageError(f"{kind}: {name} is {low:g} to {high:g}, not {value:g}")
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise ValueError(f"a picture is uint8 (H, W, 3), not {rgb.dtype} {rgb.shape}")
    return _KINDS[kind](rgb, **DEFAULTS[kind] | parameters)


def slic(rgb: np.ndarray, side: float, compactness: float, iterations: float) -> np.ndarray:
    """Clusters of colour (Lab) and place, by scikit-image.

    side: of a superpixel if all were squares, pixels. compactness: what distance counts against colour; larger means
    squarer. iterations: of k-means.
    """
    from skimage.segmentation import slic as clusters  # takes a while to import, and the default does without

    height, width = rgb.shape[:2]
    count = max(1, round(height * width / side**2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a picture of a single colour has no range to stretch
        found = clusters(
            rgb,
            count,
            compactness,
            max_num_iter=int(iterations),
            start_label=0,
            enforce_connectivity=True,
            channel_axis=-1,
        )
    return connected(found.astype(np.int32))


def seeds(rgb: np.ndarray, side: float, bins: float, prior: float, sweeps: float) -> np.ndarray:
    """Superpixels extracted via energy-driven sampling (Van den Bergh et al. 2012).

    It begins with a grid of rectangles, and moves their borders, first by large blocks, then by ever smaller ones, at
    last by pixels. What moves is what looks more like the neighbour's colour histogram than like its own superpixel's
    (section 4). A move that would tear a superpixel is not made, so they stay connected all the time.

    side: of a superpixel at first, pixels. bins: of the histograms, for each of L, a and b; their edges are quantiles
    of this picture, as colours hardly ever fill Lab evenly. prior: how much the pixels around one pull it to their own
    superpixel (section 3.3): 0 not at all. sweeps: over the picture for each size of block, and for pixels.
    """
    height, width = rgb.shape[:2]
    colour = quantised(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), int(bins))  # (H, W)
    down, across = max(1, round(height / side)), max(1, round(width / side))
    segments = np.repeat(_cuts(height, down)[1], width).reshape(height, width) * across + _cuts(width, across)[1]
    segments = segments.astype(np.int32)
    histogram = np.zeros((down * across, int(bins) ** 3), np.float32)
    size = np.zeros(down * across, np.float32)
    _count(segments, colour, histogram, size)
    finer = 2
    while side / finer >= 2:
        rows, columns = min(down * finer, height), min(across * finer, width)
        starts = _cuts(height, rows)[0], _cuts(width, columns)[0]
        _move_blocks(segments, colour, *starts, histogram, size, TEARS, int(sweeps))
        finer *= 2
    _move_pixels(segments, colour, histogram, size, TEARS, float(prior), int(sweeps))
    return connected(segments)


def quantised(lab: np.ndarray, bins: int) -> np.ndarray:
    """The colours of uint8 (H, W, 3) as numbers 0..bins**3 - 1, int32 (H, W), by quantiles of each channel."""
    found = np.zeros(lab.shape[:2], np.int32)
    for channel in range(3):
        values = np.ascontiguousarray(lab[..., channel])
        below = np.cumsum(np.bincount(values.ravel(), minlength=256)) - np.bincount(values.ravel(), minlength=256) / 2
        table = np.minimum(below * bins // values.size, bins - 1).astype(np.int32)
        found = found * bins + table[values]
    return found


def connected(labels: np.ndarray) -> np.ndarray:
    """The 4-connected parts of equal labels, int32 (H, W): 0..N-1 in the order in which they are read."""
    return _connected(np.require(labels, np.int32, "CW"))


def _cuts(length: int, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """A line of pixels cut into parts: where each begins and the last ends, (parts + 1,); the parts of its pixels."""
    starts = np.arange(parts + 1) * length // parts
    return starts, np.repeat(np.arange(parts), np.diff(starts))


def _tearing() -> np.ndarray:
    """bool (256,): does a 4-connected segment tear, or vanish, where a pixel leaves it that has these RING neighbours?

    Bit k of the number: neighbour RING[k] belongs to the segment. It stays whole if those of the four direct neighbours
    that belong to it are joined by steps around the ring.
    """
    table = np.ones(256, bool)
    for number in range(256):
        inside = [bool(number >> k & 1) for k in range(8)]
        # A run of the ring that holds a direct neighbour is a part; direct neighbours have odd places.
        gaps = [k for k in range(8) if not inside[k]]
        if not gaps:
            table[number] = False
            continue
        turned = inside[gaps[0] :] + inside[: gaps[0]]
        parts, place = 0, gaps[0]
        run = False
        for member in [*turned, False]:
            if member:
                run = run or place % 2 == 1
            else:
                parts, run = parts + run, False
            place = (place + 1) % 8
        table[number] = parts != 1
    return table


@kernel
def _count(segments, colour, histogram, size):
    height, width = segments.shape
    for y in range(height):
        for x in range(width):
            histogram[segments[y, x], colour[y, x]] += 1
            size[segments[y, x]] += 1


@kernel
def _neighbours(segments, ys, xs, row, column):
    """Which RING neighbours of a block belong to its segment, as a number. Blocks begin at ys and xs; each is whole."""
    here = segments[ys[row], xs[column]]
    number, bit = 0, 1
    for dy, dx in RING:
        r, c = row + dy, column + dx
        if 0 <= r < len(ys) - 1 and 0 <= c < len(xs) - 1 and segments[ys[r], xs[c]] == here:
            number |= bit
        bit *= 2
    return number


@kernel
def _move_blocks(segments, colour, ys, xs, histogram, size, tears, sweeps):
    """Gives blocks to a neighbour whose histogram they intersect more (section 4.2)."""
    own = np.zeros(histogram.shape[1], np.float32)
    for _ in range(sweeps):
        moved = 0
        for row in range(len(ys) - 1):
            for column in range(len(xs) - 1):
                here = segments[ys[row], xs[column]]
                ring = _neighbours(segments, ys, xs, row, column)
                if ring & 0b10101010 == 0b10101010 or tears[ring]:
                    continue
                top, bottom, left, right = ys[row], ys[row + 1], xs[column], xs[column + 1]
                pixels = np.float32((bottom - top) * (right - left))
                for y in range(top, bottom):
                    for x in range(left, right):
                        own[colour[y, x]] += 1
                best, most = here, np.float32(-1)
                for k in (-1, 1, 3, 5, 7):  # its own segment without it, then the direct neighbours'
                    if k < 0:
                        there, rest = here, pixels
                    else:
                        r, c = row + RING[k][0], column + RING[k][1]
                        if not (0 <= r < len(ys) - 1 and 0 <= c < len(xs) - 1):
                            continue
                        there, rest = segments[ys[r], xs[c]], np.float32(0)
                        if there == here:
                            continue
                    shared = np.float32(0)
                    for y in range(top, bottom):
                        for x in range(left, right):
                            n = own[colour[y, x]]
                            less = n if k < 0 else np.float32(0)
                            share = (histogram[there, colour[y, x]] - less) / (size[there] - rest)
                            shared += min(n / pixels, share) / n  # n pixels have this colour: together they count once
                    if shared > most:
                        best, most = there, shared
                for y in range(top, bottom):
                    for x in range(left, right):
                        own[colour[y, x]] = 0
                        if best != here:
                            segments[y, x] = best
                            histogram[here, colour[y, x]] -= 1
                            histogram[best, colour[y, x]] += 1
                if best != here:
                    size[here] -= pixels
                    size[best] += pixels
                    moved += 1
        if moved == 0:
            break


@kernel
def _move_pixels(segments, colour, histogram, size, tears, prior, sweeps):
    """Gives pixels to a direct neighbour in which their colour is more frequent (section 4.1), helped by the prior."""
    height, width = segments.shape
    ring = np.empty(8, np.int32)
    for _ in range(sweeps):
        moved = 0
        for y in range(height):
            for x in range(width):
                here = segments[y, x]
                if (
                    (y == 0 or segments[y - 1, x] == here)
                    and (y == height - 1 or segments[y + 1, x] == here)
                    and (x == 0 or segments[y, x - 1] == here)
                    and (x == width - 1 or segments[y, x + 1] == here)
                ):
                    continue
                number = 0
                for k in range(8):
                    r, c = y + RING[k][0], x + RING[k][1]
                    ring[k] = segments[r, c] if 0 <= r < height and 0 <= c < width else -1
                    number |= (ring[k] == here) << k
                if tears[number]:
                    continue
                value = colour[y, x]
                best, most = here, np.float32(-1)
                for k in (-1, 1, 3, 5, 7):
                    there = here if k < 0 else ring[k]
                    if there < 0 or (k >= 0 and there == here):
                        continue
                    around = 0
                    for j in range(8):
                        around += ring[j] == there
                    less = np.float32(1 if k < 0 else 0)
                    share = (histogram[there, value] - less + np.float32(1e-3)) / (size[there] - less)
                    likely = share * (1 + prior * around)
                    if likely > most:
                        best, most = there, likely
                if best != here:
                    segments[y, x] = best
                    histogram[here, value] -= 1
                    histogram[best, value] += 1
                    size[here] -= 1
                    size[best] += 1
                    moved += 1
        if moved == 0:
            break


@kernel
def _connected(labels):
    height, width = labels.shape
    found = np.full((height, width), -1, np.int32)
    stack = np.empty(height * width, np.int32)  # each pixel waits in it at most once
    count = 0
    for start in range(height * width):
        if found[start // width, start % width] >= 0:
            continue
        stack[0], waiting = start, 1
        found[start // width, start % width] = count
        while waiting:
            waiting -= 1
            y, x = stack[waiting] // width, stack[waiting] % width
            for k in (1, 3, 5, 7):
                r, c = y + RING[k][0], x + RING[k][1]
                if 0 <= r < height and 0 <= c < width and found[r, c] < 0 and labels[r, c] == labels[y, x]:
                    found[r, c] = count
                    stack[waiting] = r * width + c
                    waiting += 1
        count += 1
    return found


TEARS = _tearing()
_KINDS = {"felzenszwalb": felzenszwalb, "slic": slic, "seeds": seeds}
_RANGES = {
    "scale": (0, 1e6),
    "sigma": (0, 20),
    "min_size": (0, 1e6),
    "side": (2, 1e4),
    "compactness": (0.001, 1e4),
    "iterations": (1, 100),
    "bins": (2, 16),
    "prior": (0, 100),
    "sweeps": (1, 50),
}
