"""A pixel's bits say which neighbours are darker, and costs count the bits that differ."""

from __future__ import annotations

import numpy as np
import pytest

from percept.vision.stereo.census import BITS, HEIGHT, WIDTH, census, census_cost


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 30, (height, width)).astype(np.float32)


def test_one_dark_pixel_sets_one_bit_of_each_pixel_that_sees_it():
    picture = np.full((15, 19), 100, np.float32)
    picture[7, 9] = 20
    codes = census(picture)
    assert codes.dtype == np.uint64
    assert codes[7, 9] == 0  # nothing is darker than the darkest
    assert codes[7 + 3, 9 + 4] == 1 << 61  # at the upper left of this window, read first
    assert codes[7 - 3, 9 - 4] == 1  # at the lower right of this one
    assert codes[7, 9 - 1] == 1 << 30 and codes[7, 9 + 1] == 1 << 31  # on both sides of the middle, which has no bit
    seen = np.zeros_like(picture, bool)
    seen[7 - 3 : 7 + 4, 9 - 4 : 9 + 5] = True
    seen[7, 9] = False
    np.testing.assert_array_equal(codes != 0, seen)


def test_a_bright_pixel_sees_all_others():
    picture = np.full((15, 19), 100, np.float32)
    picture[7, 9] = 120
    assert census(picture)[7, 9] == (1 << BITS) - 1
    assert np.count_nonzero(census(picture)) == 1


def test_the_border_is_continued_with_its_own_pixels():
    picture = noise(9, 11)
    wider = np.pad(picture, ((3, 3), (4, 4)), "edge")
    np.testing.assert_array_equal(census(picture), census(wider)[3:-3, 4:-4])


def test_only_the_order_of_brightness_counts():
    picture = noise(12, 14)
    np.testing.assert_array_equal(census(picture), census(3 * picture + 17))
    assert (census(picture) != census(-picture)).any()


def test_costs_are_numbers_of_differing_bits():
    left, right = noise(6, 13), noise(6, 13, seed=1)
    one, two = census(left), census(right)
    cost = census_cost(left, right, 5, outside=77)
    assert cost.shape == (6, 13, 5) and cost.dtype == np.uint8
    for y, x, d in np.ndindex(cost.shape):
        expected = (int(one[y, x]) ^ int(two[y, x - d])).bit_count() if x >= d else 77
        assert cost[y, x, d] == expected


def test_a_shifted_picture_costs_nothing_at_its_disparity():
    whole = noise(10, 40)
    left, right = whole[:, :30], whole[:, 6:36]  # what is at x in the right one is at x + 6 in the left one
    cost = census_cost(left, right, 12, outside=BITS)
    np.testing.assert_array_equal(cost[:, 10:26, 6], 0)  # windows of 9 that lie inside both
    assert cost[:, 10:26, :6].mean() > 20 and cost[:, 10:26, 7:11].mean() > 20


def test_the_costs_reach_from_0_to_all_bits():
    step = np.full((HEIGHT, WIDTH), 50, np.float32)
    step[3, 4] = 60
    assert census_cost(step, np.full_like(step, 50), 1, outside=0)[3, 4, 0] == BITS
    assert census_cost(step, step, 1, outside=0).max() == 0


def test_more_disparities_than_columns_are_all_outside():
    cost = census_cost(noise(3, 4), noise(3, 4), 9, outside=40)
    assert (cost[:, :, 4:] == 40).all() and (cost[:, 0, 1:] == 40).all()


@pytest.mark.parametrize("threads", [2, 3, 50])
def test_threads_share_the_rows(threads):
    left, right = noise(11, 23), noise(11, 23, seed=1)
    one = census_cost(left, right, 7, outside=40)
    np.testing.assert_array_equal(census_cost(left, right, 7, outside=40, threads=threads), one)


def test_pictures_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match=r"\(3, 4\).*\(3, 5\)"):
        census_cost(noise(3, 4), noise(3, 5), 2, outside=0)
