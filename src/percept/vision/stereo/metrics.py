"""Scores of a disparity map: bad pixels, mean and root mean square error, KITTI's D1, with holes filled and unfilled.

A pixel is bad at threshold t if its error is more than t pixels of the picture that was matched; exactly t is good. The
map that is scored is filled, so that every pixel counts; the ``h`` figures count what was filled as wrong, so that a
method that leaves the difficult places open gains nothing by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

THRESHOLDS = (0.5, 1.0, 2.0, 3.0, 4.0)  # pixels
D1_PIXELS, D1_SHARE = 3.0, 0.05  # KITTI 2015: bad is an error above both, pixels and share of the truth


@dataclass(frozen=True)
class Score:
    """The figures of one pair, percent of pixels where not said otherwise; NaN where no pixel could be scored.

    bad_noc, bad_all: threshold -> bad pixels of the filled map, of the non-occluded and of all known pixels;
    h: threshold -> bad or unanswered pixels, of the non-occluded ones; d1_noc, d1_all: KITTI 2015's rule, filled;
    epe_noc, epe_all: mean absolute error in pixels, filled; epe_valid: the same of the non-occluded pixels that were
    answered; rms_noc: root of the mean squared error in pixels, filled; density: answered before filling, of the
    non-occluded pixels.
    """

    bad_noc: dict[float, float]
    bad_all: dict[float, float]
    h: dict[float, float]
    d1_noc: float
    d1_all: float
    epe_noc: float
    epe_all: float
    epe_valid: float
    rms_noc: float
    density: float

    def figures(self) -> dict[str, float | None]:
        """Under the names of the JSON document: ``bad0.5_noc``, ``bad2_all``, ``h3``, ``epe_noc`` ...; None for NaN.

        >>> answer, truth = np.zeros((1, 2)), np.array([[4.0, 4.5]])
        >>> score(answer, truth, np.isfinite(truth)).figures()["bad4_noc"]
        50.0
        """
        named = {f"bad{t:g}_noc": value for t, value in self.bad_noc.items()}
        named |= {f"bad{t:g}_all": value for t, value in self.bad_all.items()}
        named |= {f"h{t:g}": value for t, value in self.h.items()}
        for name in ("epe_noc", "epe_all", "epe_valid", "rms_noc", "density", "d1_noc", "d1_all"):
            named[name] = getattr(self, name)
        return {name: None if value != value else value for name, value in named.items()}


def score(
    disparity: np.ndarray,
    truth: np.ndarray,
    visible: np.ndarray,
    holes: np.ndarray | None = None,
    thresholds: Sequence[float] = THRESHOLDS,
) -> Score:
    """Score one map.

    Args:
        disparity: (H, W) pixels, filled; a NaN that is left is wrong at every threshold and in no mean error.
        truth: (H, W) pixels, NaN where unknown.
        visible: (H, W) bool, non-occluded; unknown pixels in it do not count.
        holes: (H, W) bool, what was filled; without it, the NaNs of ``disparity``.

    Raises:
        ValueError: shapes that differ.
    """
    if not disparity.shape == truth.shape == visible.shape == (disparity if holes is None else holes).shape:
        raise ValueError(f"disparity {disparity.shape}, truth {truth.shape}, visible {visible.shape} or holes differ")
    known = np.isfinite(truth)
    answered = np.isfinite(disparity)
    error = np.abs(disparity[known] - truth[known])  # (H, W) -> (N,) known pixels
    error = np.where(answered[known], error, np.inf)
    noc = visible[known]
    open_ = ~answered[known] if holes is None else (holes | ~answered)[known]
    d1 = (error > D1_PIXELS) & (error > D1_SHARE * np.abs(truth[known]))
    seen = error[noc]
    return Score(
        bad_noc={t: _percent(seen > t) for t in thresholds},
        bad_all={t: _percent(error > t) for t in thresholds},
        h={t: _percent((seen > t) | open_[noc]) for t in thresholds},
        d1_noc=_percent(d1[noc]),
        d1_all=_percent(d1),
        epe_noc=_mean(seen),
        epe_all=_mean(error),
        epe_valid=_mean(seen[~open_[noc]]),
        rms_noc=_mean(seen.astype(np.float64) ** 2) ** 0.5,
        density=_percent(~open_[noc]),
    )


def mean(scores: Iterable[Score]) -> dict[str, float | None]:
    """The mean of each figure over the pairs, every pair counting alike; None where no pair has it."""
    listed = [one.figures() for one in scores]
    names = dict.fromkeys(name for one in listed for name in one)
    values = {name: [value for one in listed if (value := one.get(name)) is not None] for name in names}
    return {name: sum(found) / len(found) if found else None for name, found in values.items()}


def _percent(of: np.ndarray) -> float:
    return 100.0 * float(np.count_nonzero(of)) / of.size if of.size else float("nan")


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean(dtype=np.float64)) if finite.size else float("nan")
