"""Scores of scene parsing: pixel and class accuracy, mean and frequency-weighted IoU, and the F1 of boundaries.

Papers differ in what they count. Here, everywhere:

- Void pixels of the truth count in nothing, whatever the labels say there.
- Pixels are counted over the whole set before anything is divided: a large photo weighs more than a small one.
- Class accuracy (mean recall) and mean IoU are means over the classes that occur in the truth. A class that does not
  occur there has no figure of its own: None, a dash in tables, never 0 and never nan. Where it is answered all the
  same, those pixels are wrong pixels of the classes that they belong to, and cost them recall and IoU.
- Classes that a set never tests (SIFT Flow's cow, desert and moon) can be kept out of both means besides. Their pixels,
  if there are any, still count in pixel accuracy and in the IoU of others.
- All figures are percent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from percept.vision.scene.photos import MOST_CLASSES, VOID

TOLERANCE = 0.0075  # of the diagonal, between boundaries that agree: Csurka et al. 2013
_WORDS = (np.uint8, np.uint16, np.uint32, np.uint64)  # a bit for each class of a photo


@dataclass(frozen=True)
class ClassFigures:
    """One class over a whole set: percent, None where the class does not occur in the truth.

    ``precision`` is None too where the class is never answered. ``pixels`` are those of the truth, ``answered`` those
    of the labels, both without void.
    """

    recall: float | None
    precision: float | None
    iou: float | None
    pixels: int
    answered: int


@dataclass(frozen=True)
class Figures:
    """Percent over a whole set; None where no pixel is known. ``per_class`` is in the order of the classes."""

    pixel_accuracy: float | None
    class_accuracy: float | None
    mean_iou: float | None
    fw_iou: float | None
    per_class: tuple[ClassFigures, ...]


def boundary_f1(labels: np.ndarray, truth: np.ndarray, tolerance: float = TOLERANCE) -> float | None:
    """The F1 of a photo's boundaries in percent (Csurka, Larlus, Perronnin 2013, section 3.2); None without any.

    A pixel is on the boundary of its class if one of its four neighbours is of another class; the photo's border is
    no boundary. For each class that occurs in the truth: precision is the share of its boundary pixels in the labels
    that have a boundary pixel of the same class in the truth within the tolerance, recall the same the other way
    round, F1 their harmonic mean. A class with a boundary on one side only gets 0, one with none on either side no
    figure. The photo's figure is the mean over its classes, a set's the mean over its photos: unlike IoU, every photo
    counts alike.

    Void: its pixels are on no boundary, in the truth and in the labels, and neither is a pixel for being next to it.

    Args:
        labels: (H, W) uint8, class indices.
        truth: (H, W) uint8, class indices, VOID = 255 where unknown.
        tolerance: Euclidean distance as a share of the photo's diagonal; exactly that far agrees.

    Raises:
        ValueError: shapes or types that differ from these.
    """
    _check(labels, truth)
    known = truth != VOID
    edges, true_edges = _edges(labels, known), _edges(truth, known)
    answered, wanted = _count(labels[edges]), _count(truth[true_edges])  # (256,) boundary pixels of each class
    radius = tolerance * math.hypot(*truth.shape)
    scores = []
    for classes in _in_words(np.flatnonzero(_count(truth[known]))):
        bit = np.zeros(256, _WORDS[(len(classes) > 8) + (len(classes) > 16) + (len(classes) > 32)])
        bit[classes] = np.left_shift(bit.dtype.type(1), np.arange(len(classes), dtype=bit.dtype))
        mine, theirs = np.where(edges, bit[labels], bit[VOID]), np.where(true_edges, bit[truth], bit[VOID])
        agreed = _count(labels[(mine & _spread(theirs, radius)) != 0])
        found = _count(truth[(theirs & _spread(mine, radius)) != 0])
        for c in classes:
            if answered[c] and wanted[c]:
                precision, recall = agreed[c] / answered[c], found[c] / wanted[c]
                scores.append(2 * precision * recall / max(precision + recall, 1e-12))
            elif answered[c] or wanted[c]:
                scores.append(0.0)
    return 100.0 * float(np.mean(scores)) if scores else None


def _edges(labels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(H, W) bool: known pixels with a known neighbour, above, below, left or right, of another class."""
    found = np.zeros(labels.shape, bool)
    across = (labels[:, 1:] != labels[:, :-1]) & known[:, 1:] & known[:, :-1]
    found[:, 1:] |= across
    found[:, :-1] |= across
    down = (labels[1:] != labels[:-1]) & known[1:] & known[:-1]
    found[1:] |= down
    found[:-1] |= down
    return found


def _spread(bits: np.ndarray, radius: float) -> np.ndarray:
    """(H, W) words: the bits that any pixel within ``radius`` has: a dilation by a disk, of all classes at once.

    The disk is a pile of rows. From its ends to its middle they only grow longer, so each is made of the one before.
    """
    row, half = bits.copy(), 0
    found = np.zeros_like(bits)
    for away in range(int(radius), -1, -1):
        while half < math.isqrt(int(radius * radius - away * away)):
            half += 1
            row[:, half:] |= bits[:, :-half]
            row[:, :-half] |= bits[:, half:]
        if away:
            found[away:] |= row[:-away]
            found[:-away] |= row[away:]
    return found | row


def _in_words(classes: np.ndarray) -> Iterable[np.ndarray]:
    """Classes in groups of as many as a word has bits."""
    return (classes[at : at + 64] for at in range(0, len(classes), 64))


def _count(labels: np.ndarray) -> np.ndarray:
    """(256,) how often each label occurs."""
    return np.bincount(labels.ravel(), minlength=256)


def _check(labels: np.ndarray, truth: np.ndarray) -> None:
    if labels.shape != truth.shape or labels.ndim != 2:
        raise ValueError(f"labels {labels.shape} and truth {truth.shape} are not of one size (H, W)")
    if labels.dtype != np.uint8 or truth.dtype != np.uint8:
        raise ValueError(f"labels {labels.dtype} and truth {truth.dtype} must be uint8")


class Confusion:
    """Which class was answered for which: ``matrix`` (K, K) int64 pixels, rows are the truth, columns the labels."""

    def __init__(self, classes: int) -> None:
        if not 1 <= classes <= MOST_CLASSES:
            raise ValueError(f"{classes} classes: a label image holds 1 to {MOST_CLASSES}")
        self.classes = classes
        self.matrix = np.zeros((classes, classes), np.int64)

    def add(self, labels: np.ndarray, truth: np.ndarray) -> None:
        """Count one photo: labels and truth (H, W) uint8; where the truth is VOID nothing counts.

        Raises:
            ValueError: shapes that differ, or an index that is no class.
        """
        _check(labels, truth)
        if labels.size and int(labels.max()) >= self.classes:
            raise ValueError(f"label {labels.max()} in an answer of {self.classes} classes")
        known = truth != VOID
        true, answered = truth[known], labels[known]  # (H, W) -> (N,)
        if true.size and int(true.max()) >= self.classes:
            raise ValueError(f"class {true.max()} in the truth of {self.classes} classes")
        pairs = np.bincount(true.astype(np.intp) * self.classes + answered, minlength=self.classes**2)
        self.matrix += pairs.reshape(self.classes, self.classes)  # (K * K,) -> (K, K)

    def merge(self, other: Confusion) -> None:
        """Add what another has counted.

        Raises:
            ValueError: other classes.
        """
        if other.classes != self.classes:
            raise ValueError(f"{other.classes} classes do not go with {self.classes}")
        self.matrix += other.matrix

    def __add__(self, other: Confusion) -> Confusion:
        both = Confusion(self.classes)
        both.merge(self)
        both.merge(other)
        return both

    def figures(self, never_tested: Sequence[int] = ()) -> Figures:
        """All figures; ``never_tested`` are the indices of classes that are kept out of the means over classes."""
        right = np.diag(self.matrix)  # (K,)
        true, answered = self.matrix.sum(axis=1), self.matrix.sum(axis=0)  # (K, K) -> (K,) pixels of each class
        per_class = tuple(
            ClassFigures(
                recall=_share(right[c], true[c]),
                precision=_share(right[c], answered[c]) if true[c] else None,
                iou=_share(right[c], true[c] + answered[c] - right[c]) if true[c] else None,
                pixels=int(true[c]),
                answered=int(answered[c]),
            )
            for c in range(self.classes)
        )
        tested = [one for c, one in enumerate(per_class) if c not in set(never_tested)]
        known = int(true.sum())
        weighted = sum(one.pixels * one.iou for one in per_class if one.iou is not None)
        return Figures(
            pixel_accuracy=_share(right.sum(), known),
            class_accuracy=mean_of(one.recall for one in tested),
            mean_iou=mean_of(one.iou for one in tested),
            fw_iou=weighted / known if known else None,
            per_class=per_class,
        )


class Scores:
    """All figures of a set, photo by photo."""

    def __init__(self, classes: int, never_tested: Sequence[int] = (), *, boundaries: bool = True) -> None:
        """``boundaries=False`` leaves out the boundary F1, which takes longer than all the rest."""
        self.confusion = Confusion(classes)
        self.never_tested = tuple(never_tested)
        self.boundaries = boundaries
        self.boundary: list[float] = []  # F1 of each photo that has one, percent

    def add(self, labels: np.ndarray, truth: np.ndarray) -> None:
        """Count one photo: labels and truth (H, W) uint8, VOID where the truth is unknown.

        Raises:
            ValueError: see :meth:`Confusion.add`.
        """
        self.confusion.add(labels, truth)
        score = boundary_f1(labels, truth) if self.boundaries else None
        if score is not None:
            self.boundary.append(score)

    def merge(self, other: Scores) -> None:
        """Add what another has counted.

        Raises:
            ValueError: other classes.
        """
        self.confusion.merge(other.confusion)
        self.boundary += other.boundary

    def figures(self) -> Figures:
        """The figures from pixels, with those of each class."""
        return self.confusion.figures(self.never_tested)

    def to_metrics(self) -> dict[str, float | None]:
        """Percent under the names of the JSON document; None where nothing could be measured."""
        found = self.figures()
        return {
            "pixel_accuracy": found.pixel_accuracy,
            "class_accuracy": found.class_accuracy,
            "mean_iou": found.mean_iou,
            "fw_iou": found.fw_iou,
            "boundary_f1": mean_of(self.boundary),
        }


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean of those that are there; None if none is.

    >>> mean_of([50.0, None, 100.0])
    75.0
    """
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def _share(part: int, whole: int) -> float | None:
    return 100.0 * int(part) / int(whole) if whole else None
