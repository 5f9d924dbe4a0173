"""Training crops: the matches that they name are matches, whatever was turned, stretched and lit otherwise."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from percept.vision.stereo.augment import Augment, crop, mirrored
from percept.vision.stereo.data import Pair, consistent


def made(height: int = 90, width: int = 160, near: float = 14.0, far: float = 6.0) -> Pair:
    """A near square before a far wall, both of smooth random texture; exact truths of both views."""
    rng = np.random.default_rng(5)
    wall, square = (
        cv2.GaussianBlur(rng.random((height, width + 40, 3)).astype(np.float32), (0, 0), 2.0) for _ in range(2)
    )
    columns = np.arange(width)

    def seen(shift: float) -> tuple[np.ndarray, np.ndarray]:
        inside = np.zeros((height, width), bool)
        left = int(60 - near * shift)
        inside[20:70, left : left + 50] = True
        back = wall[:, (columns + int(far * shift)).clip(0, width + 39)]
        front = square[:, (columns + int(near * shift)).clip(0, width + 39)]
        rgb = np.where(inside[..., None], front, back)
        return (255 * (rgb - rgb.min()) / np.ptp(rgb)).astype(np.uint8), inside

    (one, in_one), (two, in_two) = seen(0), seen(1)
    truth, other = (np.where(inside, near, far).astype(np.float32) for inside in (in_one, in_two))
    return Pair(one, two, truth, consistent(truth, other), other, 16)


def similarity(left: np.ndarray, right: np.ndarray, places: np.ndarray) -> tuple[float, float]:
    """Mean grey difference at the matches, and at places 5 pixels off."""
    rows, columns = np.nonzero(np.isfinite(places))
    there = places[rows, columns].round().astype(int)
    grey = [view.astype(np.float32).mean(axis=2) for view in (left, right)]
    off = (there + 5).clip(0, left.shape[1] - 1)
    at, beside = (np.abs(grey[0][rows, columns] - grey[1][rows, where]).mean() for where in (there, off))
    return float(at), float(beside)


@pytest.mark.parametrize("seed", range(8))
def test_places_are_matches_after_all_that_is_done_to_the_views(seed: int) -> None:
    augment = replace(Augment(), apart=0.0, shade=0.0, noise=0.0, blur=0.0, shift=0.0, tilt=0.0)
    left, right, places = crop(made(), 96, 48, augment, np.random.default_rng(seed))
    assert left.shape == right.shape == (48, 96, 3) and places.shape == (48, 96)
    assert np.isfinite(places).sum() > 100
    at, beside = similarity(left, right, places)
    assert at < 0.35 * beside


def test_without_augmentation_a_crop_is_a_window_of_the_pair() -> None:
    pair = made()
    left, right, places = crop(pair, 96, 48, Augment.none(), np.random.default_rng(0))
    found = cv2.matchTemplate(pair.left, left, cv2.TM_SQDIFF_NORMED)
    assert found.min() < 1e-3, "the window is somewhere in the picture"
    at, _ = similarity(left, right, places)
    assert at < 12, "half a pixel of resampling is all that differs"


def test_occluded_pixels_have_no_match() -> None:
    pair = made()
    assert not pair.visible.all()
    hidden = replace(pair, visible=np.zeros_like(pair.visible))
    _, _, places = crop(hidden, 96, 48, Augment.none(), np.random.default_rng(0))
    assert not np.isfinite(places).any()


def test_outlines_are_asked_for_and_of_plain_surfaces_one_pixel_in_six() -> None:
    pair = made(160, 240)
    flat = replace(pair, truth=np.full_like(pair.truth, 6.0), visible=np.ones_like(pair.visible), right_truth=None)
    shares = []
    for one in (flat, pair):
        _, _, places = crop(one, 96, 48, Augment.none(), np.random.default_rng(2))
        shares.append(np.isfinite(places[:, 30:]).mean())
    assert 0.14 < shares[0] < 0.18
    assert shares[1] > 1.5 * shares[0]


def test_the_mirrored_pair_is_a_pair() -> None:
    pair = made()
    left, right, truth = mirrored(pair)
    assert np.array_equal(left, pair.right[:, ::-1]) and np.array_equal(right, pair.left[:, ::-1])
    rows, columns = np.nonzero(np.isfinite(truth))
    there = (columns - truth[rows, columns]).astype(int)
    assert there.min() >= 0
    difference = np.abs(left[rows, columns].astype(int) - right[rows, there].astype(int)).mean()
    assert difference < 3


def test_the_same_seed_gives_the_same_crop_and_another_seed_another() -> None:
    one, same, other = (crop(made(), 96, 48, Augment(), np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])


def test_a_crop_larger_than_the_picture_is_stretched_to_fit() -> None:
    left, _, places = crop(made(40, 60, 8, 3), 96, 48, Augment.none(), np.random.default_rng(0))
    assert left.shape == (48, 96, 3)
    assert np.isfinite(places).any()
