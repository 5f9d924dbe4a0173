"""Superpixels of every kind are connected, without gaps, and lie on one object where the picture has clear ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from percept.core.errors import UsageError
from percept.vision.image import read_image
from percept.vision.scene.options import SEGMENTS
from percept.vision.scene.superpixels import DEFAULTS, RING, TEARS, connected, quantised, segment

KINDS = tuple(DEFAULTS)
EXAMPLES = Path(__file__).parents[4] / "examples"
CROSS, SQUARE = ndimage.generate_binary_structure(2, 1), np.ones((3, 3))


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    rgb = read_image(EXAMPLES / "street_people_cars.jpg")
    return cv2.resize(rgb, (240, 160), interpolation=cv2.INTER_AREA)


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A picture of clear objects with a little noise, and which object each pixel shows: sky, ground, ball, pole."""
    objects = np.zeros((96, 128), np.int64)
    objects[50:] = 1
    cv2.circle(picture := np.zeros((96, 128), np.uint8), (80, 45), 22, 1, -1)
    objects[picture == 1] = 2
    objects[10:80, 30:36] = 3
    colours = np.array([[120, 170, 230], [90, 90, 80], [200, 60, 50], [240, 220, 90]])
    rgb = colours[objects] + np.random.default_rng(0).normal(0, 5, (96, 128, 3))
    return rgb.clip(0, 255).astype(np.uint8), objects


def purest(segments: np.ndarray, objects: np.ndarray) -> float:
    """The share of pixels whose object is the most frequent of their segment."""
    counts = np.zeros((segments.max() + 1, objects.max() + 1), int)
    np.add.at(counts, (segments, objects), 1)
    return counts.max(axis=1).sum() / objects.size


def assert_whole(segments: np.ndarray, kind: str) -> None:
    """int32, numbered in reading order without gaps, each connected: by sides, or for felzenszwalb by corners too."""
    assert segments.dtype == np.int32
    numbers, places = np.unique(segments, return_index=True)
    assert list(numbers) == list(range(len(numbers))) and (np.diff(places) > 0).all()
    for number, box in enumerate(ndimage.find_objects(segments + 1)):
        assert ndimage.label(segments[box] == number, SQUARE if kind == "felzenszwalb" else CROSS)[1] == 1, number


def test_every_kind_that_can_be_asked_for_is_there():
    assert {"none", *KINDS} == set(SEGMENTS)


@pytest.mark.parametrize("kind", KINDS)
def test_superpixels_of_a_photo_are_whole_and_of_use(street, kind):
    segments = segment(street, kind)
    assert segments.shape == street.shape[:2]
    assert_whole(segments, kind)
    assert 150 <= segments.max() + 1 <= 900


@pytest.mark.parametrize("kind", KINDS)
def test_superpixels_follow_objects_and_leave_thin_ones(kind):
    rgb, objects = scene()
    segments = segment(rgb, kind)
    assert purest(segments, objects) > 0.98
    counts = np.bincount(segments[objects == 3], minlength=segments.max() + 1)
    of_pole = np.flatnonzero(counts > np.bincount(segments.ravel()) / 2)
    assert counts[of_pole].sum() > 0.93 * counts.sum()


def test_seeds_move_their_borders_to_the_objects():
    rgb, objects = scene()
    side = 12
    blocks = np.arange(96)[:, None] // side * (128 // side + 1) + np.arange(128) // side
    assert 1 - purest(segment(rgb, "seeds", side=side), objects) < (1 - purest(blocks, objects)) / 4


def test_seeds_have_as_many_superpixels_as_the_grid_they_began_with(street):
    assert segment(street, "seeds", side=20).max() + 1 == 12 * 8
    assert segment(street, "seeds", side=2).max() + 1 == 120 * 80


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99), st.integers(2, 17), st.integers(1, 4))
def test_seeds_stay_whole_whatever_the_picture(height, width, seed, side, sweeps):
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    rgb[: height // 2] //= 64
    assert_whole(segment(rgb, "seeds", side=side, sweeps=sweeps, prior=0), "seeds")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("height, width", [(1, 1), (1, 13), (13, 1), (3, 2), (40, 50)])
def test_pictures_of_one_colour_and_of_hardly_any_pixels(kind, height, width):
    segments = segment(np.full((height, width, 3), 130, np.uint8), kind)
    assert segments.shape == (height, width)
    assert_whole(segments, kind)
    if kind == "felzenszwalb":
        assert not segments.any()


@pytest.mark.parametrize("kind, name, few, many", [("felzenszwalb", "scale", 300, 3), ("slic", "side", 30, 8)])
def test_parameters_change_what_they_say(street, kind, name, few, many):
    counts = [int(segment(street, kind, **{name: value}).max()) + 1 for value in (few, many)]
    assert counts[1] > 1.5 * counts[0]


def test_unknown_kinds_and_parameters_are_named_with_the_nearest():
    rgb = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(UsageError, match='"felsenszwalb".*did you mean felzenszwalb'):
        segment(rgb, "felsenszwalb")
    with pytest.raises(UsageError, match='seeds has no parameter "sides".*did you mean side'):
        segment(rgb, "seeds", sides=3)
    with pytest.raises(UsageError, match="slic: side is 2 to 10000, not 0"):
        segment(rgb, "slic", side=0)
    with pytest.raises(UsageError, match="not nan"):
        segment(rgb, "felzenszwalb", sigma=float("nan"))
    with pytest.raises(ValueError, match="float64"):
        segment(rgb.astype(float), "slic")


@settings(max_examples=30)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 99))
def test_connected_parts_are_scipys_in_reading_order(height, width, seed):
    labels = np.random.default_rng(seed).integers(0, 3, (height, width)).astype(np.int32)
    found = connected(labels)
    assert_whole(found, "connected")
    for value in range(3):
        parts, count = ndimage.label(labels == value, CROSS)
        assert len(np.unique(found[labels == value])) == count
        assert len(np.unique(np.stack([parts, found])[:, labels == value], axis=1).T) == count


def test_the_table_of_tears_is_what_scipy_counts():
    for number in range(256):
        window = np.zeros((3, 3), bool)
        for k, (dy, dx) in enumerate(RING):
            window[1 + dy, 1 + dx] = number >> k & 1
        parts = ndimage.label(window, CROSS)[0]
        beside = {parts[0, 1], parts[1, 0], parts[1, 2], parts[2, 1]} - {0}
        assert TEARS[number] == (len(beside) != 1), window


def test_quantiles_share_the_pixels_evenly():
    lab = (
        np.random.default_rng(0).normal(128, 4, (200, 200, 3)).clip(0, 255).astype(np.uint8)
    )  # few values: a dull photo
    found = quantised(lab, 2)
    assert found.min() >= 0 and found.max() == 7
    assert np.bincount(found.ravel(), minlength=8).min() > 0.06 * found.size
    np.testing.assert_array_equal(quantised(lab[:, ::-1], 2), found[:, ::-1])
