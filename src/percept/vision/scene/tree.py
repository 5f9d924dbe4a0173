"""A segmentation tree: superpixels, merged two by two until the whole picture is one segment.

Farabet et al. 2013, section 4.3, looks for the best segments in a family of segmentations and takes gPb's contours for
it. Here the family grows from superpixels (Felzenszwalb & Huttenlocher 2004): the two neighbours that differ least are
merged first. As Ward's criterion has it, a difference weighs more the larger both segments are, which lets crumbs go
first and keeps the tree balanced: every pixel lies in a handful of segments and not in hundreds.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from percept.core.kernels import kernel
from percept.vision.scene.graph import felzenszwalb

SCALE, SIGMA, MIN_SIZE = 50.0, 0.5, 50  # of the leaves: about 300 in a photo of 320 x 240
CONTRAST = 0.25  # share of the step along the common border in a difference; the rest is that of the mean colours


@dataclass(frozen=True, eq=False)
class Tree:
    """N leaves, numbered 0..N-1, and N-1 merges, numbered in their order: a parent's number is above its children's.

    Attributes:
        leaves: int32 (H, W), the leaf of each pixel.
        parent: int32 (2N-1,), the segment that each one was merged into; -1 for the root, the last one.
        children: int32 (N-1, 2), the two segments of merge N + row.
        difference: float32 (2N-1,), how much the two children differed (Lab units squared, times pixels); leaves 0.
        pixels: int64 (2N-1,), the size of each segment.
    """

    leaves: np.ndarray
    parent: np.ndarray
    children: np.ndarray
    difference: np.ndarray
    pixels: np.ndarray

    def __len__(self) -> int:
        """The number of segments, 2N-1."""
        return len(self.parent)

    @property
    def leaf_count(self) -> int:
        """N."""
        return len(self.children) + 1


def grow(
    rgb: np.ndarray,
    leaves: np.ndarray | None = None,
    *,
    scale: float = SCALE,
    sigma: float = SIGMA,
    min_size: int = MIN_SIZE,
) -> Tree:
    """The segmentation tree of a photo.

    Args:
        rgb: uint8 (H, W, 3).
        leaves: int32 (H, W), segments 0..N-1 without gaps, each connected; None: felzenszwalb's, of the arguments that
            follow (see :func:`percept.vision.scene.graph.felzenszwalb`; sigma and min_size in pixels). The time grows
            with the square of N: 6 ms for 300 (of which merging takes 1), 14 ms for 1000, 0.3 s for 5000.

    Raises ValueError for leaves of another size than the photo.
    """
    if leaves is None:
        leaves = felzenszwalb(rgb, scale, sigma, min_size)
    if leaves.shape != rgb.shape[:2]:
        raise ValueError(f"segments of {leaves.shape} do not fit a photo of {rgb.shape[:2]}")
    leaves = np.require(leaves, np.int32, "CW")
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)  # L 0..100, a and b about -100..100
    count = int(leaves.max()) + 1
    pairs, lengths, steps = borders(leaves, lab, count)
    size, sums = sizes_and_sums(leaves, lab, count)
    children, difference = merge(pairs, lengths, steps, size, sums, CONTRAST)
    parent = np.full(2 * count - 1, -1, np.int32)
    parent[children] = np.arange(count, 2 * count - 1, dtype=np.int32)[:, None]  # (N-1, 2) <- (N-1, 1)
    return Tree(leaves, parent, children, difference, size)


def borders(leaves: np.ndarray, lab: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neighbouring leaves a < b, int32 (E, 2); pixel pairs along their border, and the sum of squared steps there."""
    keys, steps = [], []
    for before, after in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        one, two = leaves[before], leaves[after]
        y, x = np.nonzero(one != two)
        one, two = one[y, x].astype(np.int64), two[y, x].astype(np.int64)
        keys.append(np.minimum(one, two) * count + np.maximum(one, two))
        steps.append(np.square(lab[before][y, x] - lab[after][y, x]).sum(1))  # (pairs, 3) -> (pairs,)
    found, place = np.unique(np.concatenate(keys), return_inverse=True)
    lengths = np.bincount(place, minlength=len(found)).astype(np.float64)
    sums = np.bincount(place, np.concatenate(steps), len(found)).astype(np.float64)
    return np.stack([found // count, found % count], 1).astype(np.int32), lengths, sums


@kernel
def sizes_and_sums(leaves, lab, count):
    """Pixels of each segment, int64 (2N-1,), and sums of their colours, float64 (2N-1, 3); those of merges are 0."""
    size, sums = np.zeros(2 * count - 1, np.int64), np.zeros((2 * count - 1, 3))
    height, width = leaves.shape
    for y in range(height):
        for x in range(width):
            leaf = leaves[y, x]
            size[leaf] += 1
            for k in range(3):
                sums[leaf, k] += lab[y, x, k]
    return size, sums


@kernel
def differ(a, b, length, steps, size, sums, contrast):
    """Ward's cost of merging a and b, with the step at their border beside that between their mean colours."""
    means = 0.0
    for k in range(3):
        means += (sums[a, k] / size[a] - sums[b, k] / size[b]) ** 2
    together = (1 - contrast) * means + contrast * steps / length
    return together * size[a] * size[b] / (size[a] + size[b])


@kernel
def merge(pairs, lengths, steps, size, sums, contrast):
    """Merge the two neighbours that differ least until one segment is left; fills size and sums of the merges.

    One pass over all borders a merge: it renames the two segments, joins the borders that both had with a third one,
    closes the gaps in the list and finds the next pair. Simpler than a heap, and faster up to thousands of segments.
    Equal differences are merged in the order of the list. Returns children (N-1, 2) and differences (2N-1,).
    """
    count = (len(size) + 1) // 2
    children = np.empty((count - 1, 2), np.int32)
    difference = np.zeros(2 * count - 1, np.float32)
    pairs, lengths, steps = pairs.copy(), lengths.copy(), steps.copy()
    cost = np.empty(len(pairs))
    common = np.full(2 * count - 1, -1)  # the border between the segment just made and this one
    edges, best = len(pairs), 0
    for e in range(edges):
        cost[e] = differ(pairs[e, 0], pairs[e, 1], lengths[e], steps[e], size, sums, contrast)
        if cost[e] < cost[best]:
            best = e
    for new in range(count, 2 * count - 1):
        a, b = pairs[best, 0], pairs[best, 1]
        children[new - count, 0], children[new - count, 1] = a, b
        difference[new] = cost[best]
        size[new] = size[a] + size[b]
        for k in range(3):
            sums[new, k] = sums[a, k] + sums[b, k]
        kept = 0
        for e in range(edges):
            p, q = pairs[e, 0], pairs[e, 1]
            first, second = p == a or p == b, q == a or q == b  # noqa: SIM109 - a tuple takes numba longer
            if first and second:
                continue
            if first or second:
                other = q if first else p
                if common[other] >= 0:
                    lengths[common[other]] += lengths[e]
                    steps[common[other]] += steps[e]
                    continue
                common[other] = kept
                p, q = other, new
            pairs[kept, 0], pairs[kept, 1] = p, q
            lengths[kept], steps[kept], cost[kept] = lengths[e], steps[e], cost[e]
            kept += 1
        edges, best = kept, 0
        for e in range(edges):
            if pairs[e, 1] == new:
                common[pairs[e, 0]] = -1
                cost[e] = differ(pairs[e, 0], new, lengths[e], steps[e], size, sums, contrast)
            if cost[e] < cost[best]:
                best = e
    return children, difference
