"""Disparity in colours that can be read: which end is near, what is a hole, what the scale says."""

from __future__ import annotations

import numpy as np
import pytest

from percept.vision.image import read_image
from percept.vision.stereo import picture


def test_near_is_warm_far_is_cold_and_a_hole_is_no_colour():
    disparity = np.array([[0, 50, 100, np.nan, 1000, -5]], np.float32)
    far, middle, near, hole, over, under = picture.colours(disparity, 0, 100)[0].astype(int).tolist()
    assert near[0] > 150 and near[0] > 3 * near[2], "red"
    assert far[2] > far[0] and far[2] > far[1], "blue"
    assert middle[1] > 200, "green between them"
    assert hole == list(picture.HOLE) and over == near and under == far


def test_each_disparity_has_its_own_colour_and_neighbours_are_alike():
    rgb = picture.colours(np.linspace(0, 1, 256, dtype=np.float32)[None], 0, 1)[0].astype(int)
    steps = np.abs(np.diff(rgb, axis=0)).sum(1)
    assert steps.max() < 30
    apart = np.abs(rgb[:, None] - rgb[None]).sum(2)
    far = np.abs(np.arange(256)[:, None] - np.arange(256)[None]) > 24
    assert apart[far].min() > 20
    assert np.abs(rgb - picture.HOLE).sum(1).min() > 60


def test_limits_leave_wild_values_out_and_never_meet():
    disparity = np.full((100, 100), 20.4, np.float32)
    disparity[:50] = 10.6
    disparity[0, 0], disparity[1] = 900, np.nan
    assert picture.limits(disparity) == (10, 21)
    assert picture.limits(np.full((4, 4), 7, np.float32)) == (7, 8)
    assert picture.limits(np.full((4, 4), np.nan, np.float32)) == (0, 1)


@pytest.mark.parametrize(("width", "height"), [(320, 200), (741, 500), (1242, 375), (3000, 2000), (40, 30)])
def test_the_scale_is_readable_at_any_size(width, height):
    rgb = np.full((height, width, 3), 9, np.uint8)
    drawn = picture.with_scale(rgb, 3, 61)
    assert drawn.shape[0] == height and np.array_equal(drawn[:, :width], rgb)
    panel = drawn[:, width:].astype(int)
    assert width < 100 or panel.shape[1] < 0.35 * width, "it is beside the picture, not instead of it"
    bright = (panel.min(2) > 150).any(1)  # rows with letters
    starts = np.flatnonzero(np.diff(np.concatenate([[False], bright]).astype(int)) == 1)
    assert len(starts) == picture.TICKS if height >= 100 else len(starts) >= 1
    if height >= 100:
        assert bright.sum() / picture.TICKS >= 6, "letters of seven pixels or more"
    other = picture.with_scale(rgb, 0, 4000)
    assert other.shape == drawn.shape, "frames of a video have one size"


def test_the_scale_tells_metres_where_they_are_known():
    rgb = np.zeros((300, 400, 3), np.uint8)
    plain = picture.with_scale(rgb, 0, 60)
    depth = picture.with_scale(rgb, 0, 60, lambda value: 30 / value if value else None)
    assert depth.shape[1] > plain.shape[1]
    assert picture._label(30, 60, lambda value: 30 / value) == "30 px  1.00 m"
    assert picture._label(0, 60, lambda value: None) == "0 px"
    assert picture._label(2.25, 4, None) == "2.2 px"
    assert picture._label(1, 60, lambda value: 12.34) == "1 px  12.3 m"
    assert picture._label(1, 60, lambda value: 123.4) == "1 px  123 m"


def test_errors_are_green_yellow_orange_red_and_dark_where_occluded():
    truth = np.array([[10, 10, 10, 10, 10, np.nan, 10]], np.float32)
    answer = np.array([[10.5, 11.5, 13, 30, np.nan, 4, 30]], np.float32)
    visible = np.array([[True, True, True, True, True, True, False]])
    rgb = picture.errors(answer, truth, visible)[0]
    wanted = [colour for _, colour in picture.ERRORS]
    assert [tuple(colour) for colour in rgb[:4].tolist()] == wanted
    assert tuple(rgb[4]) == wanted[3], "a hole is as wrong as can be"
    assert rgb[5].max() == 0, "nothing is known"
    assert tuple(rgb[6]) == tuple(value // 2 for value in wanted[3])


def test_a_montage_shows_truth_and_answer_in_the_same_colours():
    truth = np.tile(np.linspace(5, 30, 40, dtype=np.float32), (20, 1))
    left = np.full((20, 40, 3), 77, np.uint8)
    row = picture.montage(left, truth, truth.copy())
    assert row.shape == (20, 4 * 40 + 3 * picture.GAP, 3)
    step = 40 + picture.GAP
    assert np.array_equal(row[:, :40], left)
    assert np.array_equal(row[:, step : step + 40], row[:, 2 * step : 2 * step + 40])
    assert set(map(tuple, row[:, 3 * step :].reshape(-1, 3).tolist())) == {picture.ERRORS[0][1]}


def test_confidence_is_written_as_grey(tmp_path):
    share = np.array([[0, 0.5, 1, np.nan, 2]], np.float32)
    picture.write_grey(tmp_path / "c.png", share)
    assert read_image(tmp_path / "c.png")[0, :, 0].tolist() == [0, 128, 255, 0, 255]
