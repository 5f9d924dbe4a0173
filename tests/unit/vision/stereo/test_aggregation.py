"""Arms end where the picture changes, and a cost becomes the mean over what the arms of both pictures share."""

from __future__ import annotations

import math

import numpy as np
import pytest

from percept.vision.stereo.aggregation import aggregate, arms


def drawn(height: int, width: int, depth: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A random cost and two pictures of few grey values."""
    rng = np.random.default_rng(seed)
    left, right = (rng.integers(0, 5, (height, width)).astype(np.float32) for _ in range(2))
    return rng.integers(0, 256, (height, width, depth)).astype(np.uint8), left, right


def region(reach: np.ndarray, y: int, x: int) -> set[tuple[int, int]]:
    """The support region of a pixel: the horizontal arms of all pixels on its vertical arms."""
    _, _, up, down = (int(n) for n in reach[y, x])
    rows = range(y - up, y + down + 1)
    return {(row, q) for row in rows for q in range(x - int(reach[row, x, 0]), x + int(reach[row, x, 1]) + 1)}


def by_hand(cost: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The mean over U_d(p) = {q in U(p) : q - d in U(p - d)}."""
    result = cost.copy()
    for y, x, d in np.ndindex(cost.shape):
        if x >= d:
            other = region(right, y, x - d)
            both = [q for q in region(left, y, x) if (q[0], q[1] - d) in other]
            result[y, x, d] = math.floor(sum(int(cost[(*q, d)]) for q in both) / len(both) + 0.5)
    return result


def test_arms_end_at_edges_borders_and_their_length():
    grey = np.array([[10, 11, 12, 13, 40, 41, 41]], np.float32)
    reach = arms(grey, length=3, tau=2.5)
    assert reach.dtype == np.uint8 and reach.shape == (1, 7, 4)
    assert reach[0, :, 0].tolist() == [0, 1, 2, 2, 0, 1, 2]
    assert reach[0, :, 1].tolist() == [2, 2, 1, 0, 2, 1, 0]
    assert not reach[:, :, 2:].any()
    upright = arms(np.ascontiguousarray(grey.T), length=3, tau=2.5)
    np.testing.assert_array_equal(upright[:, 0, 2:], reach[0, :, :2])
    assert not upright[:, :, :2].any()


def test_a_step_of_tau_ends_an_arm_and_the_pixel_itself_is_compared():
    grey = np.array([[0, 2, 4, 6]], np.float32)
    assert not arms(grey, length=4, tau=2).any()  # strictly less
    assert arms(grey, length=4, tau=5)[0, :, 1].tolist() == [2, 2, 1, 0]  # not step by step: 0 sees 4, not 6


def test_length_is_a_distance_that_is_not_reached():
    flat = np.zeros((9, 9), np.float32)
    assert arms(flat, length=4, tau=1)[4, 4].tolist() == [3, 3, 3, 3]
    assert not arms(flat, length=1, tau=1).any()


@pytest.mark.parametrize(("shape", "length", "tau"), [((6, 8, 5), 4, 1.5), ((7, 5, 9), 5, 3.5), ((5, 9, 17), 9, 9.0)])
def test_means_are_those_over_the_shared_region(shape, length, tau):
    cost, *pictures = drawn(*shape)
    left, right = (arms(picture, length, tau) for picture in pictures)
    expected = by_hand(cost, left, right)
    before = cost.copy()
    np.testing.assert_array_equal(aggregate(cost, left, right, 1), expected)
    np.testing.assert_array_equal(aggregate(cost, left, right, 2), by_hand(expected, left, right))
    np.testing.assert_array_equal(cost, before)


def test_nothing_is_left_of_the_right_picture():
    cost, *pictures = drawn(6, 8, 11)
    left, right = (arms(picture, 5, 3.5) for picture in pictures)
    outside = np.arange(8)[:, None] < np.arange(11)  # (W, D)
    changed = cost.copy()
    changed[:, outside] = 255
    result = aggregate(changed, left, right, 2)
    assert (result[:, outside] == 255).all()
    np.testing.assert_array_equal(result[:, ~outside], aggregate(cost, left, right, 2)[:, ~outside])


def test_without_arms_or_iterations_nothing_changes():
    cost, left, right = drawn(6, 8, 5)
    none, some = arms(left, 1, 9.0), arms(right, 5, 9.0)
    np.testing.assert_array_equal(aggregate(cost, none, some, 3), cost)
    copy = aggregate(cost, some, some, 0)
    np.testing.assert_array_equal(copy, cost)
    assert copy is not cost and not np.shares_memory(copy, cost)


def test_a_constant_cost_stays_constant_under_the_longest_arms():
    flat = arms(np.zeros((120, 130), np.float32), 100, 1.0)
    assert flat.max() == 99
    for value in (1, 254, 255):
        assert (aggregate(np.full((120, 130, 2), value, np.uint8), flat, flat, 1) == value).all()


def test_an_edge_of_either_picture_keeps_costs_apart():
    edge = np.zeros((5, 12), np.float32)
    edge[:, 6:] = 100
    cost = np.where(np.arange(12) < 6, 10, 200).astype(np.uint8)[None, :, None].repeat(5, 0)  # (5, 12, 1)
    flat, kept = arms(np.zeros_like(edge), 5, 20), arms(edge, 5, 20)
    for pair in ((kept, flat), (flat, kept)):
        np.testing.assert_array_equal(aggregate(cost, *pair, 2), cost)
    assert (aggregate(cost, flat, flat, 1)[:, 4:8] != cost[:, 4:8]).any()


@pytest.mark.parametrize("threads", [2, 3, 40])
def test_threads_share_the_rows(threads):
    cost, *pictures = drawn(23, 19, 18)
    left, right = (arms(picture, 6, 2.5) for picture in pictures)
    one = aggregate(cost, left, right, 2)
    np.testing.assert_array_equal(aggregate(cost, left, right, 2, threads=threads), one)


def test_what_does_not_fit_is_refused():
    cost, left, right = drawn(6, 8, 5)
    for length in (0, 101):
        with pytest.raises(ValueError, match=str(length)):
            arms(left, length, 1.0)
    reach = arms(left, 3, 1.0)
    with pytest.raises(ValueError, match=r"\(6, 7, 4\)"):
        aggregate(cost, reach, reach[:, :7], 1)
    with pytest.raises(ValueError, match="less than 100"):
        aggregate(cost, reach, reach + np.uint8(100), 1)
