"""From many windows that answer for the same object to one box.

Every merge takes and gives boxes (N, 4) float32 x0 y0 x1 y1, scores (N,) float32 in 0..1 and labels (N,) int64, gives
them by falling score, and never joins boxes of different classes. `views` is the number of passes (scales, mirrored
photos) that the windows come from, so that looking more often does not make a score larger.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torchvision.ops import batched_nms, box_iou

Merged = tuple[np.ndarray, np.ndarray, np.ndarray]

NMS_IOU = 0.65
SEED_IOU, LINK_IOU = 0.6, 0.65  # chosen on 300 photos the weights never saw; 0.55 to 0.65 differ by 0.002 AP at most
MATCH = 0.45  # `overfeat`: pairs that match worse than this stay apart; chosen like the two above
MOST = 300  # `overfeat` merges so many boxes a class; its time grows with the square


def nms(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, views: int = 1, iou: float = NMS_IOU) -> Merged:
    """Non-maximum suppression: the best box stays as it is, boxes that overlap it by more than `iou` go."""
    kept = seeds(boxes, scores, labels, iou)
    return boxes[kept], scores[kept], labels[kept]


def vote(
    boxes: np.ndarray,
    scores: np.ndarray,
    labels: np.ndarray,
    views: int = 1,
    seed: float = SEED_IOU,
    link: float = LINK_IOU,
) -> Merged:
    """Box voting (Gidaris 2015, arXiv 1505.01749, section 5) with OverFeat's accumulated scores.

    Boxes that non-maximum suppression at `seed` keeps are seeds. Every box gives its vote to the seed of its class that
    it overlaps most, if by `link` or more. A seed becomes the mean of its voters weighted by their scores, and its
    score is their sum, see `accumulated`.
    """
    kept = seeds(boxes, scores, labels, seed)
    if len(kept) == 0:
        return boxes, scores, labels
    # apart by class: shifted so far that boxes of two classes cannot meet; float64, so that the shift costs no accuracy
    shifted = boxes.astype(np.float64) + (labels * (float(np.abs(boxes).max()) * 2 + 1))[:, None]
    overlap, voted = box_iou(torch.from_numpy(shifted[kept]), torch.from_numpy(shifted)).max(dim=0)  # (S, N) -> (N,)
    voted, votes = voted.numpy(), np.where(overlap.numpy() >= link, scores, 0).astype(np.float64)
    voted[kept] = np.arange(len(kept))  # a seed votes for itself, even if it has no area
    votes[kept] = scores[kept]
    sums = np.bincount(voted, votes, len(kept))
    edges = [np.bincount(voted, votes * boxes[:, i], len(kept)) / np.maximum(sums, 1e-12) for i in range(4)]
    return by_score(np.stack(edges, axis=1), accumulated(sums, views), labels[kept])


def overfeat(
    boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, views: int = 1, threshold: float = MATCH
) -> Merged:
    """The greedy merge of Sermanet 2013, section 4.3: best matching pairs become one box, until none matches.

    `match` is the paper's sum of the distance between centres and of the intersection, here both relative to the size
    of the boxes. The merged box is the average of all windows in it, weighted by their scores, and scores accumulate.
    The paper merges one pair at a time, the best of all; here all pairs that are each other's best are merged at once,
    which gives the same boxes but where a merged box comes nearer to a third than both of its parts were.
    """
    results = [(boxes[:0].astype(np.float64), scores[:0].astype(np.float64), labels[:0])]
    for label in np.unique(labels):
        own = (labels == label).nonzero()[0]
        own = own[np.argsort(-scores[own], kind="stable")[:MOST]]
        merged, sums = merge_pairs(boxes[own].astype(np.float64), scores[own].astype(np.float64), threshold)
        results.append((merged, sums, np.full(len(sums), label, labels.dtype)))
    all_boxes, sums, all_labels = (np.concatenate(field) for field in zip(*results, strict=True))
    return by_score(all_boxes, accumulated(sums, views), all_labels)


def merge_pairs(boxes: np.ndarray, sums: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """`overfeat` within one class: boxes (N, 4), scores (N,), float64, to merged boxes (M, 4), summed scores (M,)."""
    while len(boxes) > 1:
        cost = match(boxes)
        nearest = cost.argmin(axis=1)
        one = np.arange(len(boxes))
        mutual = (nearest[nearest] == one) & (one < nearest) & (cost[one, nearest] <= threshold)
        if not mutual.any():
            break
        one, other = one[mutual], nearest[mutual]
        total = sums[one] + sums[other]
        mean = (boxes[one] * sums[one, None] + boxes[other] * sums[other, None]) / np.maximum(total, 1e-12)[:, None]
        boxes, sums = boxes.copy(), sums.copy()
        boxes[one], sums[one] = mean, total
        boxes, sums = np.delete(boxes, other, axis=0), np.delete(sums, other)
    return boxes, sums


def match(boxes: np.ndarray) -> np.ndarray:
    """How badly boxes (N, 4) match each other (N, N): distance of centres over mean size, plus the share not in common.

    0 for equal boxes, 0.33 for a box and itself moved by a tenth of its size both ways, over 1 for boxes apart. A box
    does not match itself (inf).
    """
    left, top, right, bottom = boxes.T
    area = np.maximum((right - left) * (bottom - top), 1e-12)
    distance = np.hypot(outer(np.subtract, (left + right) / 2), outer(np.subtract, (top + bottom) / 2))
    width = outer(np.minimum, right) - outer(np.maximum, left)
    height = outer(np.minimum, bottom) - outer(np.maximum, top)
    both = width.clip(min=0) * height.clip(min=0)
    cost = distance / outer(np.add, np.sqrt(area) / 2) + 1 - both / outer(np.maximum, area)
    np.fill_diagonal(cost, np.inf)
    return cost


def outer(function: np.ufunc, values: np.ndarray) -> np.ndarray:
    """The function of each pair of values: (N,) -> (N, N)."""
    return function(values[:, None], values)


def accumulated(sums: np.ndarray, views: int) -> np.ndarray:
    """Summed scores of the windows of an object as a score in 0..1: the sum of one view, read as odds.

    Odds never saturate: 1 - exp(-sum) is nearer to a probability, but large objects gather sums of 20 and more, where
    it is 1 for all in float32, and their order is lost (0.9 AP50 points on blood cells).
    """
    return sums / (sums + views)


def seeds(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, iou: float) -> np.ndarray:
    """Rows that non-maximum suppression keeps, by falling score."""
    if len(scores) == 0:
        return np.zeros(0, np.int64)
    fields = (np.ascontiguousarray(field) for field in (boxes, scores, labels))
    return batched_nms(*map(torch.from_numpy, fields), iou).numpy()


def by_score(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray) -> Merged:
    order = np.argsort(-scores, kind="stable")
    return boxes[order].astype(np.float32), scores[order].astype(np.float32), labels[order]


MERGES: dict[str, Callable[..., Merged]] = {"overfeat": overfeat, "vote": vote, "nms": nms}
