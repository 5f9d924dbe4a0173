"""Merging: cases worked out by hand, and what must hold for any boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percept.vision.detect.merge import MERGES, accumulated, match, nms, overfeat, vote

MOVED = np.array([[0, 0, 100, 100], [10, 0, 110, 100], [300, 300, 340, 340]], np.float32)  # IoU of the first two: 0.82
SCORES = np.array([0.6, 0.2, 0.5], np.float32)
ONE_CLASS = np.zeros(3, np.int64)


def test_nms_keeps_the_best_as_it_is() -> None:
    boxes, scores, labels = nms(MOVED, SCORES, ONE_CLASS)
    assert boxes.tolist() == [MOVED[0].tolist(), MOVED[2].tolist()]
    assert scores.tolist() == pytest.approx([0.6, 0.5])
    assert labels.tolist() == [0, 0]


def test_vote_gives_the_mean_weighted_by_scores_and_their_sum_as_odds() -> None:
    boxes, scores, _ = vote(MOVED, SCORES, ONE_CLASS)
    assert boxes[0].tolist() == pytest.approx([2.5, 0, 102.5, 100])  # 0.6 of one, 0.2 of a box 10 further right
    assert boxes[1].tolist() == [300, 300, 340, 340]
    assert scores.tolist() == pytest.approx([0.8 / 1.8, 0.5 / 1.5])


def test_overfeat_gives_the_same_for_one_pair() -> None:
    boxes, scores, _ = overfeat(MOVED, SCORES, ONE_CLASS)
    assert boxes[0].tolist() == pytest.approx([2.5, 0, 102.5, 100])
    assert scores.tolist() == pytest.approx([0.8 / 1.8, 0.5 / 1.5])


def test_overfeat_goes_from_the_best_matching_pair_on() -> None:
    # 20 and 30 match best and meet at 25; 0 matches neither 20 nor 25, though 0 - 10 would have been a pair
    boxes = np.array([[x, 0, x + 100, 100] for x in (0, 20, 30)], np.float32)
    merged, scores, _ = overfeat(boxes, np.array([0.5, 0.3, 0.3], np.float32), ONE_CLASS, threshold=0.35)
    assert sorted(merged[:, 0].tolist()) == pytest.approx([0, 25])
    assert scores.tolist() == pytest.approx([0.6 / 1.6, 0.5 / 1.5])


def test_match_by_hand() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10], [0, 0, 5, 5]])
    cost = match(boxes)
    # equal; half a size away and half in common; two sizes away; centres 3.54 apart over a mean size of 7.5, a quarter
    assert cost[0, 1:].tolist() == pytest.approx([0, 0.5 + 0.5, 2 + 1, 3.5355 / 7.5 + 0.75], abs=1e-4)
    assert np.array_equal(cost, cost.T)
    assert np.isinf(np.diag(cost)).all()


def test_looking_twice_makes_no_score_larger() -> None:
    once = vote(MOVED, SCORES, ONE_CLASS, views=1)
    twice = vote(np.concatenate((MOVED, MOVED)), np.tile(SCORES, 2), np.tile(ONE_CLASS, 2), views=2)
    assert np.allclose(once[0], twice[0], atol=1e-4)
    assert np.allclose(once[1], twice[1], atol=1e-6)


def test_accumulated_scores_keep_their_order_and_stay_below_one() -> None:
    values = accumulated(np.array([0.01, 1.0, 30.0, 300.0]), views=3)
    assert (np.diff(values) > 0).all()
    assert values.max() < 1
    assert values[1] == pytest.approx(0.25)


@pytest.mark.parametrize("name", MERGES)
def test_classes_are_never_joined(name: str) -> None:
    boxes = np.tile(MOVED[:1], (2, 1))
    merged, scores, labels = MERGES[name](boxes, np.array([0.5, 0.25], np.float32), np.array([7, 3]), 1)
    assert merged.tolist() == boxes.tolist()
    assert labels.tolist() == [7, 3]
    assert scores[0] > scores[1]


@pytest.mark.parametrize("name", MERGES)
def test_no_boxes(name: str) -> None:
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)
    boxes, scores, labels = MERGES[name](*nothing, 2)
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)
    assert labels.shape == (0,)
    assert labels.dtype == np.int64


@st.composite
def windows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = draw(st.integers(1, 25))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    corner = rng.integers(0, 60, (count, 2))
    extent = rng.integers(0, 40, (count, 2))  # some have no area
    boxes = np.concatenate((corner, corner + extent), axis=1).astype(np.float32)
    return boxes, rng.uniform(0.01, 1, count).astype(np.float32), rng.integers(0, 3, count)


@pytest.mark.parametrize("name", MERGES)
@given(windows())
@settings(max_examples=30)
def test_for_any_windows(name: str, given_windows: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    boxes, scores, labels = given_windows
    merged, sure, named = MERGES[name](boxes, scores, labels, 1)
    assert 1 <= len(merged) <= len(boxes)
    assert np.isfinite(merged).all()
    assert merged.dtype == sure.dtype == np.float32
    assert ((sure > 0) & (sure <= 1)).all()
    assert (np.diff(sure) <= 0).all()
    assert set(named.tolist()) == set(labels.tolist())  # no class appears, none is lost
    for label in set(labels.tolist()):
        own = boxes[labels == label]
        low, high = own.min(axis=0) - 1e-3, own.max(axis=0) + 1e-3
        assert ((merged[named == label] >= low) & (merged[named == label] <= high)).all()  # a mean lies between
