"""Winners, check, sub-pixel, median and bilateral filter: hand-made cases, and twins that are slow but plain."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from percept.vision.stereo import cleanup

NAN = np.nan


def volume_of(height: int, width: int, count: int, seed: int = 0, most: int = 50) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, most, (height, width, count)).astype(np.uint16)


def holed(shape: tuple[int, int], share: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found = rng.uniform(0, 30, shape).astype(np.float32)
    found[rng.random(shape) < share] = NAN
    return found


@pytest.mark.parametrize("shape", [(5, 23, 9), (3, 4, 11), (2, 1, 1), (4, 17, 1)])
@pytest.mark.parametrize("threads", [1, 3])
def test_winners_of_both_views_are_those_of_plain_loops(shape: tuple[int, int, int], threads: int) -> None:
    volume = volume_of(*shape, most=12)  # few costs: many ties
    height, width, count = shape
    right = np.empty((height, width), int)
    for y, xr in np.ndindex(height, width):
        right[y, xr] = np.argmin([volume[y, xr + d, d] for d in range(count) if xr + d < width])
    ours, theirs = cleanup.winners(volume, threads)
    assert (ours == volume.argmin(2)).all() and (theirs == right).all()
    assert ours.dtype == theirs.dtype == np.int32


def test_winners_at_the_highest_cost() -> None:
    volume = np.full((2, 6, 4), 65535, np.uint16)
    volume[:, :, 3] = 65534
    left, right = cleanup.winners(volume)
    assert (left == 3).all()
    assert right.tolist() == [[3, 3, 3, 0, 0, 0]] * 2  # the last three have no partner three pixels further right


@pytest.mark.parametrize("volume", [np.zeros((2, 2), np.uint16), np.zeros((2, 2, 2), np.float32), np.zeros((2, 2, 0))])
def test_what_is_no_volume_is_refused(volume: np.ndarray) -> None:
    with pytest.raises(ValueError, match="volume"):
        cleanup.winners(volume)


def test_check_of_a_square_in_front_of_a_wall() -> None:
    left, right = np.full((1, 20), 2, np.int32), np.full((1, 20), 2, np.int32)
    left[0, 10:15] = 6  # in front: at 4 .. 8 in the right view
    right[0, 4:9] = 6
    kind = cleanup.check(left, right, 0)[0]
    assert kind[:2].tolist() == [cleanup.OCCLUSION] * 2  # outside the right view
    assert kind[10:15].tolist() == [cleanup.CONSISTENT] * 5
    assert kind[6:10].tolist() == [cleanup.OCCLUSION] * 4  # behind the square
    assert (kind[[2, 3, 4, 5, *range(15, 20)]] == cleanup.CONSISTENT).all()


def test_check_calls_a_wrong_answer_a_mismatch_where_another_fits() -> None:
    left, right = np.full((1, 20), 2, np.int32), np.full((1, 20), 2, np.int32)
    left[0, 12] = 7
    assert np.flatnonzero(cleanup.check(left, right, 1)[0] == cleanup.MISMATCH).tolist() == [12]


@pytest.mark.parametrize("tolerance", [0, 1, 1.1, 2])
def test_check_is_that_of_plain_loops(tolerance: float) -> None:
    rng = np.random.default_rng(1)
    left, right = rng.integers(0, 8, (2, 6, 30)).astype(np.int32)
    wanted = np.ones(left.shape, int)
    for y, x in np.ndindex(*left.shape):
        fits = [d for d in range(x + 1) if abs(d - right[y, x - d]) <= tolerance]
        inside = left[y, x] <= x
        if inside and abs(left[y, x] - right[y, x - left[y, x]]) <= tolerance:
            wanted[y, x] = 0
        elif inside and fits:
            wanted[y, x] = 2
    found = cleanup.check(left, right, tolerance)
    assert set(np.unique(wanted)) == {0, 1, 2}
    assert (found == wanted).all()


def test_check_refuses_fractions_and_other_sizes() -> None:
    whole = np.zeros((2, 3), np.int32)
    with pytest.raises(ValueError, match="whole"):
        cleanup.check(whole.astype(np.float32), whole)
    with pytest.raises(ValueError, match="one size"):
        cleanup.check(whole, whole[:1])


def test_subpixel_finds_the_bottom_of_a_parabola() -> None:
    places = np.array([[3.0, 3.3, 4.45, 2.75]])
    volume = (100 * (np.arange(8) - places[..., None]) ** 2).round().astype(np.uint16)  # (1, 4) -> (1, 4, 8)
    assert cleanup.subpixel(cleanup.winners(volume)[0], volume) == pytest.approx(places, abs=0.01)


def test_subpixel_stays_within_half_a_pixel_of_the_winner() -> None:
    volume = volume_of(30, 40, 12)
    whole, _ = cleanup.winners(volume)
    found = cleanup.subpixel(whole, volume)
    assert found.dtype == np.float32
    assert (np.abs(found - whole) <= 0.5).all()
    assert (found >= 0).all()
    assert (found != whole).mean() > 0.5
    ends = (whole == 0) | (whole == 11)
    assert (found[ends] == whole[ends]).all()


def test_subpixel_leaves_what_is_no_minimum_and_keeps_holes() -> None:
    volume = np.array([[[9, 5, 1, 0], [3, 3, 3, 3], [5, 1, 5, 9], [7, 7, 7, 7]]], np.uint16)
    found = cleanup.subpixel(np.array([[1, 2, 1, -1]], np.int32), volume)
    assert found[0, :3].tolist() == [1, 2, 1]
    assert np.isnan(found[0, 3])
    with pytest.raises(ValueError, match="disparity of 4"):
        cleanup.subpixel(np.full((1, 4), 4, np.int32), volume)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_median_without_holes_is_that_of_numpy(size: int) -> None:
    disparity = holed((19, 23), 0)
    padded = np.pad(disparity, size // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))  # (H, W, size, size)
    assert (cleanup.median(disparity, size) == np.median(windows, axis=(2, 3))).all()
    if size <= 5:
        assert (cleanup.median(disparity, size) == cv2.medianBlur(disparity, size)).all()


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("share", [0.05, 0.9])
def test_median_beside_holes_is_that_of_the_known_values(size: int, share: float) -> None:
    disparity = holed((15, 18), share)
    padded = np.pad(disparity, size // 2, mode="edge")
    found = cleanup.median(disparity, size)
    for y, x in np.ndindex(*disparity.shape):
        window = np.sort(padded[y : y + size, x : x + size].ravel())  # NaN comes last
        known = window[~np.isnan(window)]
        wanted = NAN if np.isnan(disparity[y, x]) else known[(len(known) - 1) // 2]
        assert found[y, x] == pytest.approx(wanted, nan_ok=True)


def test_median_of_nothing_and_of_one_pixel() -> None:
    empty = np.full((4, 5), NAN, np.float32)
    assert np.isnan(cleanup.median(empty, 5)).all()
    one = empty.copy()
    one[0, 4] = 7
    assert np.array_equal(cleanup.median(one, 5), one, equal_nan=True)
    assert np.array_equal(cleanup.median(one, 1), one, equal_nan=True)
    with pytest.raises(ValueError, match="odd"):
        cleanup.median(one, 4)


def test_bilateral_is_that_of_plain_loops() -> None:
    disparity, grey = holed((12, 14), 0.2, 2), np.random.default_rng(3).uniform(0, 20, (12, 14)).astype(np.float32)
    found = cleanup.bilateral(disparity, grey, 1.5, 6.0, step=12.0)
    ys, xs = np.mgrid[:12, :14]
    for y, x in np.ndindex(12, 14):
        if np.isnan(disparity[y, x]):
            assert np.isnan(found[y, x])
            continue
        apart = (ys - y) ** 2 + (xs - x) ** 2
        counts = (apart <= 9) & (np.abs(grey - grey[y, x]) < 6) & (np.abs(disparity - disparity[y, x]) < 12)
        weights = np.exp(-apart / (2 * 1.5**2)) * counts
        assert found[y, x] == pytest.approx(np.nansum(weights * disparity) / weights.sum(), rel=1e-4)


def test_bilateral_does_not_cross_an_edge_of_grey_or_of_disparity() -> None:
    disparity = np.full((9, 12), 5, np.float32)
    disparity[:, 6:] = 20
    assert cleanup.bilateral(disparity, disparity * 10, 3, 5) == pytest.approx(disparity)
    assert cleanup.bilateral(disparity, None, 3, 5, step=2) == pytest.approx(disparity)
    assert cleanup.bilateral(disparity, None, 3, 5)[0, 5] > 6
    assert (cleanup.bilateral(disparity, None, 0, 5) == disparity).all()
    with pytest.raises(ValueError, match="picture"):
        cleanup.bilateral(disparity, disparity[:5], 3, 5)
