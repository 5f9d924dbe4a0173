"""A first look notices rolled, shifted and exchanged views, stays silent on good ones, and finds the range."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from percept.core.errors import InputError
from percept.vision.image import read_image
from percept.vision.stereo.calibration import read_calibration
from percept.vision.stereo.inspection import Inspection, inspect

TESTS = Path(__file__).parents[3]
TINY, EXAMPLES = TESTS / "data" / "stereo_tiny", TESTS.parent / "examples" / "stereo"
PAIRS = [
    *((path, path.parents[1] / "right" / path.name) for path in sorted(TINY.glob("*/left/*.png"))),
    *((path / "im0.png", path / "im1.png") for path in sorted((TINY / "pairs").iterdir())),
]


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(H, W, 3) uint8 with detail of several sizes."""
    draw = np.random.default_rng(seed)
    layers = [
        cv2.resize(draw.uniform(0, 255, (height // step + 2, width // step + 2)), (width, height))
        for step in (1, 4, 16)
    ]
    grey = np.clip(np.mean(layers, 0), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, 2)  # (H, W) -> (H, W, 3)


def scene(height: int = 240, width: int = 320, far: int = 8, near: int = 40, thin: int = 0) -> tuple[np.ndarray, ...]:
    """A wall at ``far`` pixels, before it a square at ``near``; ``thin``: and a bar at so many."""
    wall, square = texture(height, width + 2 * far), texture(height // 2, width // 4, 1)
    left, right = wall[:, far : far + width].copy(), wall[:, 2 * far : 2 * far + width].copy()
    y, x = height // 4, width // 2
    left[y : y + height // 2, x : x + width // 4] = square
    right[y : y + height // 2, x - near : x - near + width // 4] = square
    if thin:
        bar = texture(height, 12, 2)
        left[:, width - 30 : width - 18] = bar
        right[:, width - 30 - thin : width - 18 - thin] = bar
    return left, right


def moved(view: np.ndarray, roll: float = 0, down: float = 0) -> np.ndarray:
    height, width = view.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), roll, 1)
    turn[1, 2] += down
    return cv2.warpAffine(view, turn, (width, height), borderMode=cv2.BORDER_REFLECT)


def test_a_good_pair_raises_no_alarm_and_its_range_is_found():
    found = inspect(*scene())
    assert found.problems() == [] and found.rectified and not found.swapped and not found.identical
    assert found.matches > 50 and found.vertical < 0.3 and found.corner < 0.7
    low, high = found.range
    assert 0 <= low <= 8 and 40 <= high <= 56
    assert found.max_disp % 16 == 0 and high < found.max_disp <= high + 16


def test_a_thin_near_bar_is_in_the_range():
    assert inspect(*scene(thin=90)).range[1] >= 90


def test_disparities_beyond_the_first_try_are_found():
    wall = texture(120, 520)
    found = inspect(wall[:, :320].copy(), wall[:, 170:490].copy())
    assert found.range[0] <= 170 <= found.range[1] < found.max_disp


@pytest.mark.parametrize("down", [3, -3, 12])
def test_a_shift_is_noticed_and_measured(down):
    left, right = scene()
    found = inspect(left, moved(right, down=down))
    assert not found.rectified and found.vertical == pytest.approx(abs(down), abs=0.5)
    (problem,) = found.problems()
    assert problem.startswith(f"the views are not rectified: matches lie {found.vertical:.1f} px apart vertically")
    assert problem.endswith("give --rectify CALIB") and f"median of {found.matches};" in problem


@pytest.mark.parametrize("roll", [1, -1, 5])
def test_a_roll_is_noticed_though_its_offsets_have_both_signs(roll):
    left, right = scene()
    found = inspect(left, moved(right, roll=roll))
    expected = 160 * np.tan(np.radians(abs(roll)))
    assert not found.rectified and found.corner == pytest.approx(expected, rel=0.2, abs=0.7)


def test_exchanged_views_are_noticed():
    left, right = scene()
    found = inspect(right, left)
    assert found.swapped and found.rectified and found.rightward > 0.9
    (problem,) = found.problems()
    assert problem.startswith("left and right are swapped: ") and problem.endswith("exchange them")


@pytest.mark.parametrize(("left", "right"), PAIRS, ids=[f"{left.parts[-2]}-{left.stem}" for left, _ in PAIRS])
def test_photos(left, right):
    left, right = read_image(left), read_image(right)
    assert inspect(left, right).problems() == []
    assert inspect(right, left).swapped or inspect(right, left).matches == 0
    shifted = inspect(left, moved(right, down=3))
    assert not shifted.rectified or shifted.matches == 0


def test_the_example():
    folder = EXAMPLES / "motorcycle"
    left, right = read_image(folder / "im0.png"), read_image(folder / "im1.png")
    found = inspect(left, right)
    assert found.problems() == [] and found.matches > 100
    said = read_calibration(folder / "calib.txt")
    said.check_size(left.shape[1], left.shape[0])
    assert said.ndisp is not None and said.ndisp <= found.max_disp <= 1.5 * said.ndisp
    assert inspect(right, left).swapped and not inspect(left, moved(right, roll=1)).rectified


@pytest.mark.parametrize("path", sorted(TINY.glob("*/disp/*.png")), ids=lambda path: path.stem)
def test_range_covers_the_truth(path):
    views = [read_image(path.parents[1] / side / path.name) for side in ("left", "right")]
    truth = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) / 256
    seen = truth[(truth > 0) & (np.arange(truth.shape[1])[None] >= truth)]  # the window's left edge has no partner
    found = inspect(*views)
    assert found.range is not None and found.max_disp > seen.max()
    assert found.max_disp <= 16 * np.ceil(1.6 * seen.max() / 16 + 1)


def test_most_photos_have_enough_matches_to_tell():
    assert sum(inspect(read_image(left), read_image(right)).matches > 0 for left, right in PAIRS) >= len(PAIRS) - 2


def test_another_exposure_changes_nothing():
    left, right = scene()
    found = inspect(left, (right * 0.5 + 20).astype(np.uint8))
    assert found.problems() == [] and found.matches > 50 and found.range[1] >= 40


def test_the_same_picture_twice():
    picture = texture(60, 80)
    found = inspect(picture, picture.copy())
    assert found.identical and found.max_disp == 16
    assert found.problems() == ["left and right are the same picture: there is no depth in it"]


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (3, 200), (200, 3), (47, 60), (7, 7)])
def test_small_pictures_give_no_alarm(size):
    found = inspect(texture(*size), texture(*size, seed=1))
    assert found.problems() == [] and found.max_disp >= 16
    flat = np.full((*size, 3), 90, np.uint8)
    found = inspect(flat, flat + 1)
    assert found.problems() == [] and found.range is None and found.matches == 0


def test_constant_and_unrelated_pictures_give_no_alarm():
    flat = np.full((120, 160, 3), 90, np.uint8)
    assert inspect(flat, flat + 1).problems() == [] and inspect(flat, flat + 1).range is None
    assert inspect(flat, texture(120, 160)).problems() == []
    for seed in range(4):
        found = inspect(texture(240, 320), texture(240, 320, seed + 1))
        assert found.problems() == [] and found.matches == 0


def test_the_same_views_give_the_same_answer():
    pair = scene()
    assert inspect(*pair) == inspect(*pair)


def test_a_large_picture_is_looked_at_small():
    left, right = scene(1200, 1600, far=40, near=200)
    found = inspect(left, right)
    assert found.problems() == [] and found.range[0] <= 40 and 200 <= found.range[1] <= 280
    assert not inspect(left, moved(right, roll=1)).rectified


def test_views_of_two_sizes_are_refused():
    with pytest.raises(InputError, match="left is 20 x 10 pixels, right 21 x 10"):
        inspect(np.zeros((10, 20, 3), np.uint8), np.zeros((10, 21, 3), np.uint8))


def test_what_was_not_found_is_a_quarter_of_the_width():
    unknown = Inspection(0, float("nan"), float("nan"), 2.0, float("nan"), False, False, None, 400)
    assert unknown.rectified and unknown.problems() == [] and unknown.max_disp == 112
    assert replace(unknown, range=(3, 15)).max_disp == 16 and replace(unknown, range=(3, 16)).max_disp == 32
