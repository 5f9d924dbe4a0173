"""Confidence: clear winners are sure ones, fitted shares are honest, and areas are those of the definition."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from percept.vision.stereo import cleanup, confidence


def raw_of(volume: np.ndarray) -> np.ndarray:
    return confidence.confidence(volume, *cleanup.winners(volume))


def at_two(depth: int, rival: int) -> np.ndarray:
    """(12, 40, 16): the winner is 2 everywhere, the best rival that is not beside it costs `rival`."""
    volume = np.full((12, 40, 16), 4000, np.uint16)
    volume[..., 2] = depth
    volume[..., 9] = rival
    return volume


def test_a_deeper_winner_is_surer() -> None:
    clear, middling, doubtful = (raw_of(at_two(100, rival))[6, 20] for rival in (4000, 400, 120))
    assert clear > middling > doubtful > 0
    assert clear == pytest.approx(3900 / 4200, abs=1e-5)
    assert middling == pytest.approx(300 / 600, abs=1e-5)


def test_a_neighbour_of_the_winner_is_no_rival() -> None:
    volume = at_two(100, 4000)
    volume[..., 3] = 101
    assert raw_of(volume)[6, 20] == pytest.approx(3900 / 4200, abs=1e-5)


def test_where_the_views_disagree_there_is_no_confidence() -> None:
    volume = at_two(100, 4000)
    left, right = cleanup.winners(volume)
    right[:, :20] = 12
    raw = confidence.confidence(volume, left, right)
    assert (raw[:, 3:18] == 0).all()
    assert (raw[:, 26:] > 0.9).all()
    assert raw_of(volume)[:, 0].max() < 0.5  # matched outside the right picture


@pytest.mark.parametrize("shape", [(6, 9, 1), (6, 9, 2), (6, 9, 3), (7, 5, 12), (1, 1, 4), (20, 30, 10)])
def test_raw_is_within_bounds_on_any_volume(shape: tuple[int, int, int]) -> None:
    raw = raw_of(np.random.default_rng(0).integers(0, 65536, shape).astype(np.uint16))
    assert raw.shape == shape[:2]
    assert raw.dtype == np.float32
    assert ((raw >= 0) & (raw <= 1)).all()
    assert shape[2] > 2 or (raw == 0).all()  # no rival


def test_raw_is_that_of_plain_loops_and_of_threads() -> None:
    volume = np.random.default_rng(1).integers(0, 900, (14, 25, 9)).astype(np.uint16)
    left, right = cleanup.winners(volume)
    margin = np.zeros(left.shape)
    for y, x in np.ndindex(*left.shape):
        d = left[y, x]
        if d <= x and abs(d - right[y, x - d]) <= 1:
            rival = min(int(volume[y, x, other]) for other in range(9) if abs(other - d) > 1)
            margin[y, x] = max(0, rival - int(volume[y, x, d])) / (rival + confidence.BASE)
    padded = np.pad(margin, 2, mode="reflect")
    wanted = np.lib.stride_tricks.sliding_window_view(padded, (5, 5)).mean(axis=(2, 3))
    assert margin.max() > 0
    assert confidence.confidence(volume, left, right) == pytest.approx(wanted, abs=1e-5)
    assert (confidence.confidence(volume, left, right, threads=3) == confidence.confidence(volume, left, right)).all()


def test_winners_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="winners"):
        confidence.confidence(np.zeros((3, 4, 5), np.uint16), np.zeros((3, 4), np.int32), np.zeros((4, 3), np.int32))


def test_calibrated_shares_are_those_of_the_data() -> None:
    rng = np.random.default_rng(2)
    raw = rng.uniform(0, 1, 60_000)
    right = rng.random(len(raw)) < raw**2
    knots = confidence.calibrate(raw, right)
    assert json.loads(json.dumps(knots)) == [list(knot) for knot in knots]
    assert (np.diff(np.array(knots), axis=0) > 0).all()
    grid = np.linspace(0.05, 0.95, 10)
    assert confidence.calibrated(grid, knots) == pytest.approx(grid**2, abs=0.03)
    assert confidence.calibrated(grid.reshape(2, 5), json.loads(json.dumps(knots))).shape == (2, 5)


def test_calibration_never_turns_the_order_around() -> None:
    raw = np.linspace(0, 1, 1000)
    falling = confidence.calibrate(raw, raw < 0.5)
    assert len(falling) == 1
    assert confidence.calibrated(raw, falling) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("right", "wanted"), [(True, 0.999), (False, 0.001)])
def test_no_answer_is_certain(right: bool, wanted: float) -> None:
    knots = confidence.calibrate(np.full(50, 0.3), np.full(50, right))
    assert confidence.calibrated(np.array([0.0, 0.3, 1.0]), knots) == pytest.approx(wanted)


def test_calibration_without_pixels_changes_nothing() -> None:
    raw = np.array([0.0, 0.4, 1.0])
    assert confidence.calibrated(raw, confidence.calibrate(np.zeros(0), np.zeros(0, bool))) == pytest.approx(raw)
    with pytest.raises(ValueError, match="3 measures"):
        confidence.calibrate(raw, np.zeros(2, bool))


def test_areas_of_four_pixels() -> None:
    error, sure = np.array([0.0, 5.0, 0.5, np.nan]), np.array([0.9, 0.8, 0.7, 0.1])
    found = confidence.sparsification(error, sure)
    assert found.area == pytest.approx(100 * np.mean([0, 1 / 2, 1 / 3, 2 / 4]))
    assert found.oracle == pytest.approx(100 * np.mean([0, 0, 1 / 3, 2 / 4]))
    assert found.random == pytest.approx(50)
    assert found.bad[0] == pytest.approx(50)
    assert found.bad[-1] == 0
    assert found.removed[0] == 0


def test_a_confidence_that_says_nothing_has_the_random_area() -> None:
    error = np.random.default_rng(3).uniform(0, 2, 500)
    found = confidence.sparsification(error, np.full(500, 0.7))
    assert found.area == pytest.approx(found.random)
    assert found.bad == pytest.approx(np.full(len(found.bad), found.random))


def test_knowing_the_error_reaches_the_oracle_and_its_opposite_is_the_worst() -> None:
    error = np.random.default_rng(4).uniform(0, 2, 500)
    best, worst = (confidence.sparsification(error, sign * (error > 1)) for sign in (-1.0, 1.0))
    assert best.area == pytest.approx(best.oracle)
    assert best.oracle < best.random < worst.area
    assert (np.diff(best.bad) <= 1e-9).all()


def test_pixels_without_confidence_go_first() -> None:
    found = confidence.sparsification(np.array([9.0, 0.0, 0.0]), np.array([np.nan, 0.0, -5.0]))
    assert found.area == found.oracle
    with pytest.raises(ValueError, match="0 errors"):
        confidence.sparsification(np.zeros(0), np.zeros(0))


def test_pairs_count_alike_and_hidden_pixels_do_not() -> None:
    curves = confidence.Sparsification()
    assert np.isnan(curves.areas()["ours"])
    for size, error in ((4, 0.0), (8, 3.0)):
        truth = np.full((size, size), 10, np.float32)
        visible = np.ones(truth.shape, bool)
        visible[0], truth[1] = False, np.nan
        disparity = truth + np.float32(error)
        disparity[0] = 99  # hidden: of no account
        answer = SimpleNamespace(disparity=disparity, confidence=np.ones(truth.shape, np.float32))
        curves.add(answer, SimpleNamespace(truth=truth, visible=visible))
    nowhere = SimpleNamespace(truth=truth, visible=np.zeros(truth.shape, bool))
    curves.add(answer, nowhere)
    assert curves.areas() == pytest.approx({"ours": 50, "oracle": 50, "random": 50})
    assert [one.bad[0] for one in curves.curves] == [0, 100]
