"""Calibration: known slopes are found, order is kept, and odd inputs give usable numbers."""

from __future__ import annotations

import numpy as np
import pytest

from percept.vision.detect.calibration import Calibration, apply, fit, logit, sigmoid


def test_finds_the_slope_and_offset_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.01, 0.99, 20_000)
    right = rng.uniform(size=len(scores)) < sigmoid(1.7 * logit(scores) - 0.8)
    found = fit(scores, right)
    assert found.a == pytest.approx(1.7, abs=0.1)
    assert found.b == pytest.approx(-0.8, abs=0.1)


def test_half_of_the_boxes_at_one_half_are_right() -> None:
    rng = np.random.default_rng(1)
    scores = rng.beta(0.7, 3, 20_000)
    right = rng.uniform(size=len(scores)) < scores**2  # too bold throughout
    said = apply(scores, fit(scores, right))
    near = np.abs(said - 0.5) < 0.1
    assert near.sum() > 300
    assert right[near].mean() == pytest.approx(0.5, abs=0.07)


def test_order_is_kept_even_where_scores_say_the_opposite() -> None:
    scores = np.linspace(0.05, 0.95, 200)
    found = fit(scores, scores < 0.5)
    assert found.a > 0
    assert (np.diff(apply(scores, found)) >= 0).all()
    assert apply(scores, found).mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("right", [[True] * 5, [False] * 5, [True], [False]])
def test_all_right_or_all_wrong_stays_finite(right: list[bool]) -> None:
    scores = np.linspace(0.2, 0.9, len(right))
    found = fit(scores, np.array(right))
    said = apply(np.array([0.0, 1.0]), found)
    assert np.isfinite(found).all()
    assert ((said >= 0) & (said <= 1)).all()
    assert (apply(scores, found).mean() > 0.5) == right[0]


def test_perfect_scores_stay_finite() -> None:
    scores = np.concatenate((np.full(50, 0.1), np.full(50, 0.9)))
    found = fit(scores, scores > 0.5)
    said = apply(np.array([0.1, 0.9]), found)
    assert np.isfinite(found).all()
    assert said[0] < 0.05
    assert said[1] > 0.95


def test_without_boxes_nothing_changes() -> None:
    assert fit(np.zeros(0), np.zeros(0, bool)) == Calibration(1.0, 0.0)
    scores = np.array([0.1, 0.5, 0.9])
    assert apply(scores, Calibration()) == pytest.approx(scores, abs=1e-6)
