"""The optimal cover (Farabet et al. 2013, section 4.3): for each pixel the purest segment of a tree that holds it.

Every segment of the tree is described by what a network found inside it, max-pooled on a grid of 5 x 5 over its
bounding box, whatever its size; what lies outside of the segment does not count. A two-layer perceptron makes of that
the distribution of classes within the segment. Its entropy is the segment's cost: on the way from a pixel's leaf to the
root the segment of least cost wins, and its distribution is the pixel's.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from percept.core.kernels import kernel
from percept.vision.scene.tree import Tree

GRID = 5  # a segment's description has GRID x GRID places
STRIDE = 4  # pixels of a cell of the network's grid: cell (i, j) stands for pixels 4i..4i+3, 4j..4j+3


class SegmentClassifier(nn.Module):
    """What a network says about a segment -> the distribution of classes in it.

    The paper pools all 768 features: 19,200 numbers a segment. Here the network's own class probabilities are pooled,
    and beside them the features after a 1 x 1 convolution to 32 channels, which is learnt through the pooling: one
    twentieth of the numbers, so that the 600 segments of a tree cost less than the network, and few enough of them
    for the few hundred photos of the usual sets. tanh, as in the network.

    Args:
        channels: of the network's features. classes: K. reduced: channels of the features that are pooled.
        hidden: units between the two layers.
    """

    def __init__(self, channels: int, classes: int, reduced: int = 32, hidden: int = 128) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, reduced, 1)
        self.hidden = nn.Linear((classes + reduced) * GRID * GRID, hidden)
        self.classify = nn.Linear(hidden, classes)

    def describe(self, features: Tensor, logits: Tensor) -> Tensor:
        """(B, C, h, w) features, (B, K, h, w) logits -> (B, K + reduced, h, w): what is pooled."""
        return torch.cat([logits.softmax(1), self.reduce(features).tanh()], 1)

    def forward(self, pooled: Tensor) -> Tensor:
        """(nodes, K + reduced, 5, 5) -> (nodes, K) logits."""
        flat = pooled.permute(0, 2, 3, 1).flatten(1)  # (nodes, 5 * 5 * (K + reduced)): the order in memory of pool()
        return self.classify(self.hidden(flat).tanh())

    def segments(self, described: Tensor, tree: Tree) -> Tensor:
        """(K + reduced, h, w), one picture of :meth:`describe`, and its tree -> (nodes, K) logits."""
        return self(pool(described, tree))


def pool(features: Tensor, tree: Tree) -> Tensor:
    """The features of each segment of a tree, max-pooled on a 5 x 5 grid over its bounding box.

    A cell of the network's grid belongs to each segment that has a pixel in it. The grid lies over the box as adaptive
    pooling lays it: places of a box with less than 5 cells share them. Places without a cell of the segment are 0.

    Args:
        features: (C, h, w) float, with h = ceil(H / 4) and w = ceil(W / 4) of the tree's picture; gradients flow.

    Returns (2N-1, C, 5, 5). Raises ValueError for features of another size.
    """
    channels, height, width = features.shape
    expected = tuple(-(-side // STRIDE) for side in tree.leaves.shape)
    if (height, width) != expected:
        raise ValueError(f"features of {(height, width)} cells do not fit a tree of {expected} cells")
    flat = features.reshape(channels, height * width).T  # (C, h, w) -> (cells, C)
    places = torch.from_numpy(strongest(tree, np.ascontiguousarray(flat.detach().float().cpu().numpy())))
    flat = F.pad(flat, [0, 0, 0, 1])  # (cells + 1, C): the last one, zeros, is that of places without a cell
    values = flat.gather(0, places.to(features.device).reshape(-1, channels))  # (nodes * 25, C)
    return values.reshape(len(tree), GRID, GRID, channels).permute(0, 3, 1, 2)  # -> (nodes, C, 5, 5)


def targets(tree: Tree, labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """The true distribution of each segment, float32 (2N-1, K), and its pixels of a known class, int64 (2N-1,).

    labels: uint8 (H, W) of the tree's picture; values of K and above (VOID) are not known. The distribution of a
    segment without a known pixel is all zeros. Raises ValueError for labels of another size.
    """
    if labels.shape != tree.leaves.shape:
        raise ValueError(f"labels of {labels.shape} do not fit a tree of {tree.leaves.shape}")
    known = labels < classes
    places = tree.leaves[known].astype(np.int64) * classes + labels[known]
    counts = np.zeros((len(tree), classes), np.int64)
    counts[: tree.leaf_count] = np.bincount(places, minlength=tree.leaf_count * classes).reshape(-1, classes)
    for number, (one, two) in enumerate(tree.children, tree.leaf_count):
        counts[number] = counts[one] + counts[two]
    pixels = counts.sum(1)
    return (counts / np.maximum(pixels, 1)[:, None]).astype(np.float32), pixels


def loss(logits: Tensor, distributions: Tensor, pixels: Tensor) -> Tensor:
    """The Kullback-Leibler divergence of the predicted distributions from the true ones, a mean over the segments.

    Segments weigh as the square root of their known pixels: by pixels alone the root and its like, which never win,
    would count most; equally, the many crumbs would.

    Args:
        logits: (nodes, K). distributions: (nodes, K). pixels: (nodes,), see :func:`targets`.

    Returns a scalar, 0 where nothing is known.
    """
    weights = pixels.to(logits.dtype).sqrt()
    divergence = F.kl_div(logits.log_softmax(1), distributions, reduction="none").sum(1)  # (nodes, K) -> (nodes,)
    return (weights * divergence).sum() / weights.sum().clamp(min=1)


def cover(tree: Tree, distributions: np.ndarray) -> np.ndarray:
    """The class distribution of each pixel: that of the purest segment that holds it. Equally pure: the larger one.

    distributions: float (2N-1, K), rows sum to 1. Returns probabilities, float32 (K, H, W).
    Raises ValueError for another number of rows than the tree has segments.
    """
    if len(distributions) != len(tree):
        raise ValueError(f"{len(distributions)} distributions do not fit a tree of {len(tree)} segments")
    distributions = np.asarray(distributions, np.float32)
    return np.take(distributions.T, purest(tree, distributions)[tree.leaves], axis=1)  # (K, nodes) -> (K, H, W)


def purest(tree: Tree, distributions: np.ndarray) -> np.ndarray:
    """The segment of least cost on the way from each leaf to the root, int32 (N,); arguments as of :func:`cover`."""
    return least(tree.parent, entropy(distributions))[: tree.leaf_count]


def entropy(distributions: np.ndarray) -> np.ndarray:
    """(nodes, K) -> (nodes,), in nats: 0 for one class alone."""
    positive = np.where(distributions > 0, distributions, 1)
    return -(distributions * np.log(positive)).sum(1)


def strongest(tree: Tree, values: np.ndarray) -> np.ndarray:
    """The cell with the largest value in each place of each segment: int64 (nodes, 25, C).

    values: float32 (cells, C). Places without a cell of the segment get the number `cells`, which is one too many.
    """
    cells, leaves = members(tree.leaves, STRIDE)
    width = -(-tree.leaves.shape[1] // STRIDE)
    return search(values, width, cells, leaves, boxes(tree.parent, cells, leaves, width), tree.parent)


@kernel
def members(leaves, stride):
    """Each cell with each of the leaves that have a pixel in it: two arrays, int32 (pairs,)."""
    height, width = leaves.shape
    columns = (width + stride - 1) // stride
    rows = (height + stride - 1) // stride
    cell_of, leaf_of = np.empty(height * width, np.int32), np.empty(height * width, np.int32)
    found = 0
    for i in range(rows):
        for j in range(columns):
            first = found
            for y in range(stride * i, min(stride * i + stride, height)):
                for x in range(stride * j, min(stride * j + stride, width)):
                    known = False
                    for k in range(first, found):
                        known |= leaf_of[k] == leaves[y, x]
                    if not known:
                        cell_of[found], leaf_of[found] = i * columns + j, leaves[y, x]
                        found += 1
    return cell_of[:found].copy(), leaf_of[:found].copy()


@kernel
def boxes(parent, cells, leaves, width):
    """The bounding box of each segment in cells, int32 (nodes, 4): y0, x0, y1, x1, the last row and column within."""
    result = np.empty((len(parent), 4), np.int32)
    for node in range(len(parent)):
        result[node, 0], result[node, 1], result[node, 2], result[node, 3] = 2**30, 2**30, -1, -1
    for k in range(len(cells)):
        y, x = cells[k] // width, cells[k] % width
        leaf = leaves[k]
        result[leaf, 0], result[leaf, 1] = min(result[leaf, 0], y), min(result[leaf, 1], x)
        result[leaf, 2], result[leaf, 3] = max(result[leaf, 2], y), max(result[leaf, 3], x)
    for node in range(len(parent) - 1):
        outer = parent[node]
        for k in range(2):
            result[outer, k] = min(result[outer, k], result[node, k])
            result[outer, 2 + k] = max(result[outer, 2 + k], result[node, 2 + k])
    return result


@kernel
def search(values, width, cells, leaves, box, parent):
    """See `strongest`. Each cell climbs from its leaf to the root and tries all places that it lies in."""
    channels = values.shape[1]
    best = np.full((len(parent), GRID * GRID, channels), -np.inf, np.float32)
    result = np.full((len(parent), GRID * GRID, channels), len(values), np.int64)
    for k in range(len(cells)):
        cell, node = cells[k], leaves[k]
        value = values[cell]
        while node >= 0:
            y, x = cell // width - box[node, 0], cell % width - box[node, 1]
            tall, wide = box[node, 2] - box[node, 0] + 1, box[node, 3] - box[node, 1] + 1
            # Place p of n cells reaches from floor(p n / 5) to ceil((p + 1) n / 5), as adaptive pooling has it.
            for py in range(GRID * y // tall, (GRID * (y + 1) + tall - 1) // tall):
                for px in range(GRID * x // wide, (GRID * (x + 1) + wide - 1) // wide):
                    highest, place = best[node, py * GRID + px], result[node, py * GRID + px]
                    for c in range(channels):
                        better = value[c] > highest[c]
                        highest[c] = value[c] if better else highest[c]
                        place[c] = cell if better else place[c]
            node = parent[node]
    return result


@kernel
def least(parent, cost):
    """The cheapest segment on the way from each one to the root, int32 (nodes,); of equal ones the last."""
    result = np.empty(len(parent), np.int32)
    for node in range(len(parent) - 1, -1, -1):
        result[node] = node
        if parent[node] >= 0:
            above = result[parent[node]]
            if cost[above] <= cost[node]:
                result[node] = above
    return result
