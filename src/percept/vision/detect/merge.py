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
SEED_IOU, LINK_IOU = 0.6, 0.65  # of 0.55 to 0.75, highest AP and AP50 on 300 photos that the weights never saw
MATCH = 0.4  # `overfeat`: pairs that match worse than this stay apart; chosen like the two above
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
    it overlaps most, if by `link` or more. A seed becomes the mean of its voters weighted by their scores, and its score
    is their sum, see `accumulated`.
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
    """The greedy merge of Sermanet 2013, section 4.3: the best matching pair becomes one box, until none matches.

    `match` is the paper's sum of the distance between centres and of the intersection, here both relative to the size
    of the boxes. The merged box is the average of all windows in it, weighted by their scores, and scores accumulate.
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
    """`overfeat` within one class: boxes (N, 4) and scores (N,) float64 to merged boxes (M, 4) and summed scores (M,)."""
    boxes, sums, alive = boxes.copy(), sums.copy(), np.ones(len(boxes), bool)
    cost = np.stack([match(box, boxes) for box in boxes])  # (N, N)
    np.fill_diagonal(cost, np.inf)
    while True:
        one, other = np.unravel_index(cost.argmin(), cost.shape)
        if not cost[one, other] <= threshold:
            return boxes[alive], sums[alive]
        total = sums[one] + sums[other]
        boxes[one] = (boxes[one] * sums[one] + boxes[other] * sums[other]) / max(total, 1e-12)
        sums[one], alive[other] = total, False
        cost[other], cost[:, other] = np.inf, np.inf
        again = np.where(alive, match(boxes[one], boxes), np.inf)
        again[one] = np.inf
        cost[one], cost[:, one] = again, again


def match(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """How badly one box (4,) matches each of (N, 4): distance of centres over mean size, plus the share not in common.

    0 for equal boxes, about 0.45 for a box and itself moved by a tenth of its size both ways, over 1 for boxes that do not meet.
    """
    area, areas = max(float((box[2:] - box[:2]).prod()), 1e-12), (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    distance = np.hypot(*((boxes[:, :2] + boxes[:, 2:] - box[:2] - box[2:]) / 2).T)
    both = (np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])).clip(min=0).prod(axis=1)
    return distance / ((np.sqrt(area) + np.sqrt(areas)) / 2) + 1 - both / np.maximum(area, areas)


def accumulated(sums: np.ndarray, views: int) -> np.ndarray:
    """Summed scores of the windows of an object as a score in 0..1: the sum of one view, read as odds."""
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
