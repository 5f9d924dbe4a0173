"""How sure a disparity is: a raw measure, a map that makes a probability of it, and the curve that judges both.

The measure is how far the winner's cost lies below that of its best rival (Hu & Mordohai 2012 compare seventeen of
them), nothing where the right view disagrees, and the mean of a small window of it: neighbours are right or wrong
together. A fitted monotone map turns it into the share of such pixels that are right within a pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from percept.core.kernels import in_rows, kernel
from percept.vision.stereo.cleanup import shape_of

if TYPE_CHECKING:
    from percept.vision.stereo.data import Pair
    from percept.vision.stereo.decode import Answer

BASE = 200.0  # added to the rival's cost, in units of summed costs: between two cheap answers little is certain
WINDOW = 5  # pixels: side of the window whose mean is taken
POINTS = 100  # of a sparsification curve
LEAST, MOST = 0.001, 0.999  # no share is called impossible or certain

Knots = list[tuple[float, float]]  # (raw, probability), both growing


class Curve(NamedTuple):
    """What is left when the unsure pixels go.

    Attributes:
        removed: (POINTS,) shares removed, from 0 up to just below 1.
        bad: (POINTS,) percent of the rest that are wrong.
        area: mean of the whole curve, percent; low = the wrong pixels go first.
        oracle, random: the same area when errors are known, and when pixels go in any order.
    """

    removed: np.ndarray
    bad: np.ndarray
    area: float
    oracle: float
    random: float


def confidence(
    volume: np.ndarray, left_d: np.ndarray, right_d: np.ndarray, tolerance: float = 1.0, threads: int = 1
) -> np.ndarray:
    """The raw measure: (c2 - c1) / (c2 + BASE) where both views agree, 0 elsewhere, averaged over WINDOW x WINDOW.

    Args:
        volume: (H, W, D) uint16 summed costs.
        left_d, right_d: (H, W) int32 winners of both views.
        tolerance: pixels by which the views may differ.

    Returns:
        (H, W) float32 in 0..1. c1 is the winner's cost and c2 the lowest one that is not next to it; without any such
        rival the measure is 0.

    Raises:
        ValueError: shapes differ.
    """
    height, width, _ = shape_of(volume)
    if left_d.shape != (height, width) or right_d.shape != (height, width):
        raise ValueError(f"a volume of {volume.shape}, but winners of {left_d.shape} and {right_d.shape}")
    margin = np.empty((height, width), np.float32)
    in_rows(_margin, height, threads, volume, left_d, right_d, float(tolerance), np.float32(BASE), margin)
    if not margin.size:
        return margin
    return np.clip(cv2.blur(margin, (WINDOW, WINDOW)), 0, 1)  # the running sums of blur can end just below 0


def calibrate(raw: np.ndarray, right: np.ndarray, knots: int = 16) -> Knots:
    """A monotone map from the raw measure to the share of pixels that are right (isotonic regression).

    Pixels are sorted into ``knots`` bins of equal numbers; where the share of right ones falls from a bin to the next,
    bins are joined (pool adjacent violators).

    Args:
        raw: (N,) raw measures.
        right: (N,) bool, the error is at most a pixel.

    Returns:
        At most ``knots`` pairs (raw, probability), both growing; plain numbers, for a header. No pixels: the identity.

    Raises:
        ValueError: lengths differ, or less than one knot.
    """
    raw, right = np.asarray(raw, np.float64).ravel(), np.asarray(right, np.float64).ravel()
    if len(raw) != len(right) or knots < 1:
        raise ValueError(f"{len(raw)} measures, {len(right)} answers and {knots} knots")
    if not len(raw):
        return [(0.0, 0.0), (1.0, 1.0)]
    order = np.argsort(raw, kind="stable")
    joined: list[list[float]] = []  # [number, sum of raw, sum of right]
    for part in np.array_split(order, min(knots, len(order))):
        joined.append([len(part), float(raw[part].sum()), float(right[part].sum())])
        while len(joined) > 1 and _falls(joined[-2], joined[-1]):
            last = joined.pop()
            joined[-1] = [one + two for one, two in zip(joined[-1], last, strict=True)]
    return [
        (round(x / number, 5), round(float(np.clip(share / number, LEAST, MOST)), 4)) for number, x, share in joined
    ]


def calibrated(raw: np.ndarray, knots: Knots) -> np.ndarray:
    """Raw measures of any shape as probabilities, float32: straight lines between knots, level outside them."""
    at, share = np.asarray(knots, np.float64).T
    return np.interp(raw, at, share).astype(np.float32)


def sparsification(error: np.ndarray, confidence: np.ndarray, threshold: float = 1.0) -> Curve:
    """The bad rate of what is left while the least sure pixels are removed one after another.

    Args:
        error: (N,) absolute errors in pixels; NaN (no answer) is bad.
        confidence: (N,) of any scale; NaN goes first. Equal ones go in no order: each counts as their mean.
        threshold: pixels beyond which an answer is bad.

    Raises:
        ValueError: lengths differ, or there are no pixels.
    """
    error, confidence = np.ravel(error), np.ravel(confidence)
    if len(error) != len(confidence) or not len(error):
        raise ValueError(f"{len(error)} errors and {len(confidence)} confidences")
    bad = ~(error <= threshold)  # NaN is bad, too
    kept = _kept(bad, np.where(np.isnan(confidence), -np.inf, confidence))
    removed = np.arange(POINTS) / POINTS
    left = np.maximum(np.ceil((1 - removed) * len(bad)).astype(int), 1)  # pixels that remain
    best = _kept(bad, -bad.astype(np.float64))
    return Curve(removed, kept[left - 1], float(kept.mean()), float(best.mean()), float(100 * bad.mean()))


class Sparsification:
    """Curves of many pairs, each counting alike; non-occluded pixels with known truth, bad-1."""

    def __init__(self) -> None:
        self.curves: list[Curve] = []

    def add(self, answer: Answer, pair: Pair) -> None:
        """One pair; one without such pixels says nothing and is left out."""
        seen = pair.visible & np.isfinite(pair.truth)
        if seen.any():
            self.curves.append(sparsification(np.abs(answer.disparity - pair.truth)[seen], answer.confidence[seen]))

    def areas(self) -> dict[str, float]:
        """Mean areas in percent: ours, oracle, random; NaN without any pair."""
        return {"ours": self._mean("area"), "oracle": self._mean("oracle"), "random": self._mean("random")}

    def _mean(self, name: str) -> float:
        values: list[Any] = [getattr(one, name) for one in self.curves]
        return float(np.mean(values)) if values else float("nan")


def _falls(one: list[float], two: list[float]) -> bool:
    """The share of right ones does not grow from one bin to the next, or they lie at one place."""
    return two[2] / two[0] <= one[2] / one[0] or two[1] / two[0] <= one[1] / one[0]


def _kept(bad: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """(N,) percent of bad ones among the n surest, n = 1 .. N."""
    _, place, number = np.unique(-confidence, return_inverse=True, return_counts=True)
    share = np.bincount(place, bad) / number  # of each group of equals, surest first
    return 100 * np.cumsum(np.repeat(share, number)) / np.arange(1, len(bad) + 1)


@kernel
def _margin(volume, left, right, tolerance, base, found, first, end):  # type: ignore[no-untyped-def]
    _, width, count = volume.shape
    for y in range(first, end):
        for x in range(width):
            d = left[y, x]
            found[y, x] = 0
            if d < 0 or d > x or abs(d - right[y, x - d]) > tolerance:
                continue
            row = volume[y, x]
            rival = row[0] if d > 1 else row[count - 1]
            for other in range(0, d - 1):
                rival = min(rival, row[other])
            for other in range(d + 2, count):
                rival = min(rival, row[other])
            here = np.float32(row[d])
            if d > 1 or d + 2 < count:
                found[y, x] = max(np.float32(0), (np.float32(rival) - here) / (np.float32(rival) + base))
