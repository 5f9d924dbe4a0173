"""Scores of disparity maps, each against a case that can be counted on one's fingers."""

from __future__ import annotations

import numpy as np
import pytest

from percept.vision.stereo.metrics import mean, score

NAN = float("nan")


def row(*values: float) -> np.ndarray:
    return np.array([values], np.float32)  # (1, W)


def everything(truth: np.ndarray) -> np.ndarray:
    return np.ones(truth.shape, bool)


def test_an_error_of_exactly_the_threshold_is_good() -> None:
    truth = row(10, 10, 10, 10)
    found = score(row(10, 11, 8, 13.5), truth, everything(truth))  # errors 0, 1, 2, 3.5
    assert found.bad_noc == {0.5: 75, 1: 50, 2: 25, 3: 25, 4: 0}
    assert found.epe_noc == pytest.approx(6.5 / 4)
    assert found.rms_noc == pytest.approx(((1 + 4 + 12.25) / 4) ** 0.5)
    assert found.density == 100


def test_occluded_pixels_count_in_all_only() -> None:
    truth = row(10, 10, 10, 10)
    found = score(row(10, 10, 15, 15), truth, np.array([[True, True, True, False]]))
    assert found.bad_noc[2] == pytest.approx(100 / 3)
    assert found.bad_all[2] == 50
    assert found.epe_noc == pytest.approx(5 / 3)
    assert found.epe_all == 2.5


def test_unknown_pixels_never_count() -> None:
    truth = row(10, NAN, NAN, 20)
    found = score(row(10, 99, 5, 20), truth, everything(truth))
    assert found.bad_noc[0.5] == found.bad_all[0.5] == found.epe_all == 0
    assert found.density == 100


def test_a_filled_hole_is_scored_by_its_value_but_wrong_in_h() -> None:
    truth = row(10, 10, 10, 10, 10)
    holes = np.array([[True, True, False, False, False]])
    found = score(row(10, 15, 15, 10, 10), truth, everything(truth), holes)
    assert found.bad_noc[3] == 40  # the second and the third
    assert found.h[3] == 60  # and the first, which was answered by filling
    assert found.density == 60
    assert found.epe_noc == 2
    assert found.epe_valid == pytest.approx(5 / 3)


def test_a_hole_that_is_left_is_wrong_and_in_no_mean() -> None:
    truth = row(10, 10, 10, 10)
    found = score(row(NAN, 12, 10, 10), truth, everything(truth))
    assert found.bad_noc == {0.5: 50, 1: 50, 2: 25, 3: 25, 4: 25}
    assert found.h == found.bad_noc
    assert found.epe_noc == pytest.approx(2 / 3)
    assert found.rms_noc == pytest.approx((4 / 3) ** 0.5)
    assert found.density == 75


def test_d1_asks_for_both_pixels_and_share() -> None:
    truth = row(100, 100, 20, 20, 100)
    found = score(row(104, 106, 24, 23, 105), truth, everything(truth))
    # 4 of 100 is under 5 %, 6 is bad; 4 of 20 is bad, 3 is not over 3 pixels; exactly 5 % is good
    assert found.d1_all == 40
    assert found.bad_all[3] == 80


def test_nothing_to_score_is_none_and_left_out_of_the_mean() -> None:
    truth = row(10, 10)
    empty = score(row(10, 13), truth, ~everything(truth))
    assert empty.figures()["bad1_noc"] is None
    assert empty.figures()["bad1_all"] == 50
    good = score(row(10, 13), truth, everything(truth))
    both = mean([empty, good])
    assert both["bad1_noc"] == 50
    assert both["epe_noc"] == 1.5


def test_the_mean_counts_every_pair_alike() -> None:
    small, large = row(10), row(*[10] * 9)
    scores = [score(small + 5, small, everything(small)), score(large, large, everything(large))]
    assert mean(scores)["bad4_noc"] == 50
    assert mean([]) == {}


def test_names_of_the_json_document() -> None:
    names = set(score(row(1), row(1), everything(row(1))).figures())
    assert names >= {"bad0.5_noc", "bad1_noc", "bad2_noc", "bad3_noc", "bad4_noc", "bad1_all", "bad2_all", "bad3_all"}
    assert names >= {"epe_noc", "rms_noc", "density", "d1_all", "h1", "h2", "h3"}


def test_shapes_that_differ_are_an_error() -> None:
    with pytest.raises(ValueError, match="differ"):
        score(row(1, 2), row(1), everything(row(1)))
    with pytest.raises(ValueError, match="differ"):
        score(row(1), row(1), everything(row(1)), np.zeros((2, 2), bool))
