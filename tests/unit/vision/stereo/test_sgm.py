"""The path costs are those of the paper, to the last whole number, however they are computed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from percept.vision.stereo import sgm_torch
from percept.vision.stereo.sgm import LANES, sgm

DIRECTIONS = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]  # dx, dy; the first 4 for 4 paths
PLAIN = {"p1": 7.0, "p2": 40.0}
SHAPES = [(5, 6, 16), (4, 7, 20), (6, 3, 5), (1, 9, 17), (7, 1, 32), (2, 2, 1), (3, 8, 48)]  # H, W, D
RULES = {
    "plain": PLAIN,
    "no smoothness": {"p1": 0.0, "p2": 0.0},
    "halves": {"p1": 2.5, "p2": 9.4},
    "vertical": {**PLAIN, "v": 1.5},
    "adaptive": {**PLAIN, "q1": 3.0, "q2": 7.5, "threshold": 4.0},
    "all": {"p1": 23.0, "p2": 243.0, "q1": 4.0, "q2": 8.0, "v": 2.75, "threshold": 2.5},
}


def drawn(shape: tuple[int, int, int], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A random cost, and two pictures of few grey values, so that steps are small and large."""
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 256, shape).astype(np.uint8)
    left, right = (rng.integers(0, 9, shape[:2]).astype(np.float32) for _ in range(2))
    return cost, left, right


def by_hand(cost, left, right, *, p1, p2, q1=1.0, q2=1.0, v=1.0, threshold=0.0, paths=8) -> np.ndarray:
    """The recursion of the paper, word by word."""
    height, width, depth = cost.shape
    total = np.zeros(cost.shape, int)
    for dx, dy in DIRECTIONS[:paths]:
        found: dict[tuple[int, int], list[int]] = {}
        for y in range(height) if dy >= 0 else reversed(range(height)):
            for x in range(width) if dx >= 0 else reversed(range(width)):
                y0, x0 = y - dy, x - dx
                path = [int(c) for c in cost[y, x]]
                if (y0, x0) in found:
                    before = found[y0, x0]
                    for d in range(depth):
                        large = 0
                        if threshold > 0:
                            large += abs(left[y, x] - left[y0, x0]) >= threshold
                            if x - d >= 0 and 0 <= x0 - d < width:
                                large += abs(right[y, x - d] - right[y0, x0 - d]) >= threshold
                        divisor = (1.0, q1, q2)[large]
                        from_below = from_above = math.floor(p1 / divisor + 0.5)
                        if (dx, dy) == (0, 1):
                            from_below = math.floor(p1 / divisor / v + 0.5)
                        if (dx, dy) == (0, -1):
                            from_above = math.floor(p1 / divisor / v + 0.5)
                        ways = [before[d], min(before) + math.floor(p2 / divisor + 0.5)]
                        ways += [before[d - 1] + from_below] if d > 0 else []
                        ways += [before[d + 1] + from_above] if d + 1 < depth else []
                        path[d] += min(ways) - min(before)
                found[y, x] = path
                total[y, x] += path
    return total


@pytest.mark.parametrize("paths", [4, 8])
@pytest.mark.parametrize("rule", RULES)
def test_both_implementations_follow_the_paper(rule, paths):
    for seed, shape in enumerate(SHAPES):
        inputs, how = drawn(shape, seed), {**RULES[rule], "paths": paths}
        expected = by_hand(*inputs, **how)
        result = sgm(*inputs, **how)
        assert result.dtype == np.uint16 and result.flags.c_contiguous
        np.testing.assert_array_equal(result, expected)
        tensor = sgm_torch.sgm(*(torch.from_numpy(array) for array in inputs), **how)
        np.testing.assert_array_equal(tensor.numpy(), expected)


@pytest.mark.parametrize("rule", ["plain", "all"])
def test_larger_volumes_agree_between_numba_and_torch(rule):
    inputs = drawn((24, 31, 2 * LANES + 5))
    expected = sgm_torch.sgm(*(torch.from_numpy(array) for array in inputs), **RULES[rule]).numpy()
    np.testing.assert_array_equal(sgm(*inputs, **RULES[rule]), expected)


@pytest.mark.parametrize("depth", [3 * LANES, 3 * LANES - 1])
def test_two_threads_give_what_one_gives(depth):
    for height in (1, 2, 37):
        inputs = drawn((height, 41, depth), height)
        one = sgm(*inputs, **RULES["all"])
        for _ in range(5):
            np.testing.assert_array_equal(sgm(*inputs, **RULES["all"], threads=2), one)
        np.testing.assert_array_equal(sgm(*inputs, **RULES["all"], threads=7), one)


@pytest.mark.parametrize("paths", [4, 8])
def test_a_constant_cost_is_summed_once_for_each_path(paths):
    _, left, right = drawn((6, 9, 20))
    total = sgm(np.full((6, 9, 20), 31, np.uint8), left, right, **RULES["all"], paths=paths)
    np.testing.assert_array_equal(total, 31 * paths)


def test_without_penalties_a_path_cost_is_the_cost():
    cost, left, right = drawn((6, 9, 20))
    np.testing.assert_array_equal(sgm(cost, left, right, p1=0, p2=0), 8 * cost.astype(int))


def test_a_cost_on_top_of_every_entry_comes_out_once_for_each_path():
    cost, left, right = drawn((6, 9, 20))
    cost //= 2
    result = sgm(cost + np.uint8(100), left, right, **RULES["all"])
    np.testing.assert_array_equal(result, sgm(cost, left, right, **RULES["all"]) + 800)


def test_turning_the_pictures_by_half_a_turn_turns_the_result():
    cost, left, right = drawn((6, 9, 20))
    turned = sgm(*(np.ascontiguousarray(array[::-1, ::-1]) for array in (cost, left, right)), **PLAIN)
    np.testing.assert_array_equal(turned[::-1, ::-1], sgm(cost, left, right, **PLAIN))


def test_the_largest_penalties_and_costs_fit():
    cost, left, right = drawn((5, 7, 20))
    cost[:, ::2] = 255 * (cost[:, ::2] > 100)
    how = {"p1": 7900.0, "p2": 7900.0}
    np.testing.assert_array_equal(sgm(cost, left, right, **how), by_hand(cost, left, right, **how))
    highest = np.full((65, 65, 17), 255, np.uint8)
    highest[:, :, 3] = 0  # from any border to the middle all other path costs grow to what a jump costs
    picture = np.zeros((65, 65), np.float32)
    assert sgm(highest, picture, picture, **how)[32, 32].tolist() == [0 if d == 3 else 8 * 8155 for d in range(17)]


def test_noise_is_smoothed_but_an_edge_of_the_picture_is_kept():
    rng = np.random.default_rng(3)
    truth = np.where(np.arange(40) < 20, 4, 12)
    cost = rng.integers(0, 120, (30, 40, 20)).astype(np.uint8)
    cost[:, np.arange(40), truth] //= 3
    left = np.broadcast_to(np.where(np.arange(40) < 20, 50, 200), (30, 40)).astype(np.float32)
    total = sgm(cost, left, left, p1=100, p2=400, q1=4, q2=8, threshold=20)
    assert (cost.argmin(2) == truth).mean() < 0.5
    assert (total.argmin(2) == truth).mean() > 0.99


def test_read_only_and_strided_inputs_are_taken():
    cost, left, right = drawn((6, 9, 20))
    expected = sgm(cost, left, right, **PLAIN)
    cost.setflags(write=False)
    np.testing.assert_array_equal(sgm(np.asfortranarray(cost), left[:, ::-1][:, ::-1], right, **PLAIN), expected)
    np.testing.assert_array_equal(sgm(cost, left.astype(np.float64), right, **PLAIN), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p2": 7901.0}, "7901"),
        ({"p1": -1.0}, "-1"),
        ({"q1": 0.5}, "q1 0.5"),
        ({"v": float("nan")}, "nan"),
        ({"paths": 6}, "4 or 8 paths"),
        ({"left": np.zeros((6, 8), np.float32)}, r"\(6, 8\)"),
        ({"cost": np.zeros((6, 9), np.uint8)}, r"\(H, W, D\)"),
        ({"cost": np.zeros((6, 9, 20), np.float32)}, "float32"),
        ({"cost": np.zeros((6, 9, 0), np.uint8)}, r"\(6, 9, 0\)"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    cost, left, right = drawn((6, 9, 20))
    inputs = {"cost": cost, "left": left, "right": right, **PLAIN, **change}
    with pytest.raises(ValueError, match=message):
        sgm(**inputs)
    tensors = {name: torch.from_numpy(it) if isinstance(it, np.ndarray) else it for name, it in inputs.items()}
    with pytest.raises(ValueError, match=message):
        sgm_torch.sgm(**tensors)
