"""Votes are what plain numpy makes of them, segment by segment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percept.core.errors import UsageError
from percept.vision.scene.vote import KINDS, vote


def plain(probabilities: np.ndarray, segments: np.ndarray, kind: str, gate: float) -> np.ndarray:
    """The vote, one segment after the other, in float64."""
    voted = probabilities.astype(np.float64)
    labels = probabilities.argmax(axis=0)
    for number in np.unique(segments):
        inside = segments == number
        mean = probabilities[:, inside].mean(axis=1, dtype=np.float64)
        if kind == "majority":
            mean = np.bincount(labels[inside], minlength=len(probabilities)) / inside.sum()
        if kind == "gated":
            inside = inside & (probabilities.max(axis=0) < gate)
        voted[:, inside] = mean[:, None]
    return voted


def softmax(height: int, width: int, classes: int, seed: int) -> np.ndarray:
    scores = np.exp(np.random.default_rng(seed).normal(0, 2, (classes, height, width)))
    return (scores / scores.sum(axis=0)).astype(np.float32)


@st.composite
def cases(draw):
    height, width, classes = draw(st.integers(1, 8)), draw(st.integers(1, 8)), draw(st.integers(1, 5))
    segments = np.random.default_rng(draw(st.integers(0, 99))).integers(0, draw(st.integers(1, 9)), (height, width))
    return softmax(height, width, classes, draw(st.integers(0, 99))), segments.astype(np.int32)


@settings(max_examples=60)
@given(cases(), st.sampled_from(KINDS), st.sampled_from((0.0, 0.4, 0.7, 1.1)))
def test_a_vote_is_what_plain_numpy_makes_of_it(case, kind, gate):
    probabilities, segments = case
    before = probabilities.copy()
    voted = vote(probabilities, segments, kind, gate)
    assert voted.dtype == np.float32 and voted.shape == probabilities.shape and voted.flags.c_contiguous
    np.testing.assert_allclose(voted, plain(probabilities, segments, kind, gate), atol=1e-6)
    np.testing.assert_allclose(voted.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(probabilities, before)


@settings(max_examples=60)
@given(cases())
def test_of_labels_that_tie_the_more_probable_wins(case):
    probabilities, segments = case
    voted, labels = vote(probabilities, segments, "majority"), probabilities.argmax(axis=0)
    for number in np.unique(segments):
        inside = segments == number
        counts = np.bincount(labels[inside], minlength=len(probabilities))
        total = probabilities[:, inside].sum(axis=1, dtype=np.float64)
        winner = max(range(len(counts)), key=lambda k: (counts[k], total[k]))  # noqa: B023
        assert set(voted.argmax(axis=0)[inside]) == {winner}


def test_a_tie_does_not_go_to_the_first_class():
    probabilities = np.array([[[0.6, 0.1]], [[0.4, 0.9]]], np.float32)  # (2, 1, 2): one pixel for each class
    voted = vote(probabilities, np.zeros((1, 2), np.int32), "majority")
    np.testing.assert_allclose(voted, 0.5, atol=1e-6)
    assert (voted.argmax(axis=0) == 1).all()


def test_majority_counts_pixels_and_soft_weighs_how_sure_they_are():
    probabilities = np.array([[[0.55, 0.55, 0.0]], [[0.45, 0.45, 1.0]]], np.float32)
    together = np.zeros((1, 3), np.int32)
    assert not vote(probabilities, together, "majority").argmax(axis=0).any()
    assert vote(probabilities, together, "soft").argmax(axis=0).all()


def test_a_gate_keeps_the_pixels_that_reach_it():
    probabilities = np.array([[[0.75, 0.5, 0.25]], [[0.25, 0.5, 0.75]]], np.float32)
    voted = vote(probabilities, np.array([[0, 0, 1]], np.int32), "gated", 0.75)
    np.testing.assert_array_equal(voted[0], [[0.75, 0.625, 0.25]])
    np.testing.assert_array_equal(vote(probabilities, np.zeros((1, 3), np.int32), "gated"), probabilities)


def test_a_large_segment_loses_no_precision():
    probabilities = softmax(600, 800, 3, 0)
    voted = vote(probabilities, np.zeros((600, 800), np.int32), "soft")
    np.testing.assert_allclose(voted[:, 0, 0], probabilities.mean(axis=(1, 2), dtype=np.float64), rtol=1e-6)


def test_numbers_that_no_segment_has_do_no_harm():
    probabilities = softmax(2, 3, 4, 1)
    gaps = np.array([[0, 0, 7], [7, 7, 9]], np.int32)
    for kind in KINDS:
        np.testing.assert_array_equal(
            vote(probabilities, gaps, kind), vote(probabilities, np.searchsorted([0, 7, 9], gaps), kind)
        )


def test_views_and_read_only_arrays_vote_too():
    probabilities = softmax(4, 6, 3, 2)
    segments = np.arange(24, dtype=np.int32).reshape(4, 6) // 5
    mirrored = probabilities[:, :, ::-1]
    mirrored.flags.writeable = False
    found = vote(mirrored, segments[:, ::-1], "soft")
    np.testing.assert_array_equal(found[:, :, ::-1], vote(probabilities, segments, "soft"))


def test_what_cannot_vote_is_said():
    probabilities, segments = softmax(2, 3, 4, 1), np.zeros((2, 3), np.int32)
    with pytest.raises(UsageError, match='"majorty".*did you mean majority'):
        vote(probabilities, segments, "majorty")
    with pytest.raises(ValueError, match="do not fit"):
        vote(probabilities, segments.T, "soft")
    with pytest.raises(ValueError, match="do not fit"):
        vote(probabilities[:0], segments, "soft")
    with pytest.raises(ValueError, match="from 0"):
        vote(probabilities, segments - 1, "soft")
