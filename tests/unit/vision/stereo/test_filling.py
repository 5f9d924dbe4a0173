"""Filling: what is known stays, what is hidden takes what lies behind, and no map defeats it."""

from __future__ import annotations

import numpy as np
import pytest

from percept.vision.stereo import cleanup, filling

NAN = np.nan


def wall_and_square() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A wall at 4, a square at 12 before it, and an occlusion to the square's left: holed map, kind, grey."""
    disparity, grey = np.full((40, 60), 4, np.float32), np.full((40, 60), 50, np.float32)
    disparity[10:30, 25:45] = 12
    grey[10:30, 25:45] = 200
    kind = np.zeros(disparity.shape, np.uint8)
    kind[10:30, 17:25] = cleanup.OCCLUSION
    disparity[kind > 0] = NAN
    return disparity, kind, grey


def test_smallest_takes_the_smaller_of_both_sides() -> None:
    rows = np.array([[NAN, 3, NAN, NAN, 5, NAN], [7, NAN, 2, NAN, 9, NAN]], np.float32)
    assert filling.fill_smallest(rows).tolist() == [[3, 3, 3, 3, 5, 5], [7, 2, 2, 2, 9, 9]]


def test_smallest_is_that_of_plain_loops() -> None:
    rng = np.random.default_rng(0)
    disparity = rng.uniform(0, 9, (30, 17)).astype(np.float32)
    disparity[rng.random(disparity.shape) < 0.7] = NAN
    disparity[:, 3] = 1.5  # no row without a known value
    found = filling.fill_smallest(disparity)
    for y, x in np.ndindex(*disparity.shape):
        before, after = disparity[y, : x + 1], disparity[y, x:]
        sides = [side[~np.isnan(side)] for side in (before[::-1], after)]
        assert found[y, x] == min(side[0] for side in sides if len(side))


def test_rows_without_a_known_value_take_their_neighbours() -> None:
    disparity = np.full((5, 3), NAN, np.float32)
    disparity[1, 1], disparity[3, 2] = 2, 6
    assert filling.fill_smallest(disparity)[:, 0].tolist() == [2, 2, 2, 6, 6]


@pytest.mark.parametrize("where", [(0, 0), (7, 9), (3, 4)])
def test_one_known_pixel_fills_everything(where: tuple[int, int]) -> None:
    disparity = np.full((8, 10), NAN, np.float32)
    disparity[where] = 3.25
    assert filling.fill(disparity) == pytest.approx(3.25)
    assert (filling.fill_smallest(disparity) == 3.25).all()


def test_nothing_known_stays_nothing() -> None:
    disparity = np.full((4, 5), NAN, np.float32)
    assert np.isnan(filling.fill(disparity)).all()
    assert np.isnan(filling.fill_smallest(disparity)).all()
    assert filling.fill(np.zeros((0, 5), np.float32)).shape == (0, 5)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
@pytest.mark.parametrize("threads", [1, 3])
def test_known_values_stay_and_others_lie_between_them(share: float, threads: int) -> None:
    rng = np.random.default_rng(4)
    disparity = rng.uniform(0, 40, (37, 41)).astype(np.float32)
    disparity[rng.random(disparity.shape) < share] = NAN
    before, known = disparity.copy(), ~np.isnan(disparity)
    kind = rng.integers(0, 3, disparity.shape).astype(np.uint8)
    found = filling.fill(disparity, kind, rng.uniform(0, 255, disparity.shape).astype(np.float32), threads)
    assert (found[known] == before[known]).all()
    assert found.min() >= before[known].min() - 1e-3
    assert found.max() <= before[known].max() + 1e-3
    assert np.array_equal(disparity, before, equal_nan=True)  # the input is left alone
    assert found.dtype == np.float32


def test_threads_change_nothing() -> None:
    disparity, kind, grey = wall_and_square()
    assert (filling.fill(disparity, kind, grey, threads=4) == filling.fill(disparity, kind, grey)).all()


def test_an_occlusion_takes_the_wall_behind_the_square() -> None:
    disparity, kind, grey = wall_and_square()
    assert filling.fill(disparity, kind, grey)[kind > 0] == pytest.approx(4)
    assert filling.fill(disparity, kind)[kind > 0] == pytest.approx(4)
    assert filling.fill(disparity)[kind > 0] == pytest.approx(4)


def test_a_streak_of_one_row_does_not_come_through() -> None:
    disparity = np.full((41, 60), 8, np.float32)
    disparity[:, 15:45] = NAN
    disparity[20, 14] = 1  # one wrong pixel beside the hole
    assert (filling.fill_smallest(disparity)[20, 15:45] == 1).all()
    assert filling.fill(disparity)[20, 15:45] == pytest.approx(8)


def test_grey_tells_which_surface_a_hole_belongs_to() -> None:
    disparity, grey = np.full((40, 60), 4, np.float32), np.full((40, 60), 50, np.float32)
    disparity[:, 30:] = 12
    grey[:, 30:] = 200
    disparity[18:22, 31:36] = NAN  # inside the near surface, at its edge
    assert filling.fill(disparity, None, grey)[18:22, 31:36] == pytest.approx(12)
    assert filling.fill(disparity)[20, 31] == pytest.approx(4)  # without it the edge is lost


def test_islands_below_the_size_go() -> None:
    disparity = np.full((10, 12), 5, np.float32)
    disparity[2:4, 2:5] = 9  # 6 pixels
    disparity[7, 7:9] = NAN
    disparity[6, 10] = 5.5  # within the difference: no island
    found = filling.speckle(disparity, 7, 1.0)
    gone = np.isnan(found) & ~np.isnan(disparity)
    assert gone[2:4, 2:5].all()
    assert gone.sum() == 6
    assert np.array_equal(filling.speckle(disparity, 6, 1.0), disparity, equal_nan=True)
    assert np.array_equal(filling.speckle(disparity, 0), disparity, equal_nan=True)


def test_islands_are_those_of_a_plain_search() -> None:
    rng = np.random.default_rng(5)
    disparity = rng.integers(0, 3, (25, 30)).astype(np.float32)
    disparity[rng.random(disparity.shape) < 0.1] = NAN
    wanted, seen = disparity.copy(), np.isnan(disparity)
    for start in zip(*np.nonzero(~seen), strict=True):
        island, queue = [], [start]
        while queue:
            y, x = at = queue.pop()
            if seen[at]:
                continue
            seen[at] = True
            island.append(at)
            for other in ((y, x + 1), (y, x - 1), (y + 1, x), (y - 1, x)):
                inside = 0 <= other[0] < 25 and 0 <= other[1] < 30
                if inside and not seen[other] and disparity[other] == disparity[at]:
                    queue.append(other)
        if 0 < len(island) < 9:
            wanted[tuple(np.transpose(island))] = NAN
    assert np.array_equal(filling.speckle(disparity, 9, 0.5), wanted, equal_nan=True)
    assert np.isnan(wanted).sum() > np.isnan(disparity).sum()


def test_other_shapes_are_refused() -> None:
    disparity = np.full((4, 5), NAN, np.float32)
    with pytest.raises(ValueError, match="beside"):
        filling.fill(disparity, np.zeros((5, 4), np.uint8))
    with pytest.raises(ValueError, match="H, W"):
        filling.fill_smallest(np.zeros(4, np.float32))
