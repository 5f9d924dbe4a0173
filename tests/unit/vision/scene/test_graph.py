"""Segments are those of the paper, written out in plain Python, and scikit-image's on a real photo."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.segmentation import felzenszwalb as peer

from percept.vision.image import read_image
from percept.vision.scene.graph import edges, felzenszwalb, minimum_spanning_forest

EXAMPLES = Path(__file__).parents[4] / "examples"


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    """A photo of a street at a network's size, uint8 (H, W, 3)."""
    rgb = read_image(EXAMPLES / "street_people_cars.jpg")
    return cv2.resize(rgb, (240, round(240 * len(rgb) / rgb.shape[1])), interpolation=cv2.INTER_AREA)


def noise(height: int, width: int, seed: int, step: int = 1) -> np.ndarray:
    """Random colours; a step above 1 leaves few of them, so that many edges weigh the same."""
    values = np.random.default_rng(seed).integers(0, 256 // step, (height, width, 3)) * step
    return values.astype(np.uint8)


def plain_edges(rgb: np.ndarray) -> list[tuple[float, int, int]]:
    """(weight, first, second) without smoothing, from light to heavy; among equals in reading order."""
    height, width = rgb.shape[:2]
    image = rgb.astype(np.float32) / np.float32(255)
    found = []
    for y in range(height):
        for x in range(width):
            for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
                if y + dy < height and 0 <= x + dx < width:
                    weight = np.sqrt(((image[y, x] - image[y + dy, x + dx]) ** 2).sum(dtype=np.float32))
                    found.append((float(weight), y * width + x, (y + dy) * width + x + dx))
    return sorted(found, key=lambda edge: edge[0])


def plain_felzenszwalb(rgb: np.ndarray, k: float, min_size: int) -> np.ndarray:
    """Section 3.2 of the paper with sets of pixels in place of a forest."""
    height, width = rgb.shape[:2]
    sets = {pixel: {pixel} for pixel in range(height * width)}
    inside = dict.fromkeys(sets, 0.0)  # Int(C), by the name of the set
    name = list(range(height * width))

    def join(one: int, other: int, weight: float) -> None:
        for pixel in sets[other]:
            name[pixel] = one
        sets[one] |= sets.pop(other)
        inside[one] = weight

    ordered = plain_edges(rgb)
    for weight, first, second in ordered:
        one, other = name[first], name[second]
        if one != other and weight <= min(inside[c] + k / len(sets[c]) for c in (one, other)):
            join(one, other, weight)
    for weight, first, second in ordered:
        one, other = name[first], name[second]
        if one != other and min(len(sets[one]), len(sets[other])) < min_size:
            join(one, other, weight)
    return in_reading_order(np.array(name).reshape(height, width))


def in_reading_order(labels: np.ndarray) -> np.ndarray:
    _, places, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(places))[inverse].reshape(labels.shape)


def adapted_overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Of all pairs of pixels that either puts into one segment, how many both do (the Jaccard index of the pairs)."""

    def pairs(labels: np.ndarray) -> float:
        counts = np.unique(labels, return_counts=True)[1].astype(float)
        return float((counts * (counts - 1) / 2).sum())

    both = pairs(one.astype(np.int64) * (int(other.max()) + 1) + other)
    return both / (pairs(one) + pairs(other) - both)


@settings(max_examples=25)
@given(
    st.integers(1, 7),
    st.integers(1, 7),
    st.integers(0, 99),
    st.sampled_from((1, 64)),
    st.floats(0, 900),
    st.integers(0, 8),
)
def test_segments_are_those_of_the_paper(height, width, seed, step, scale, min_size):
    rgb = noise(height, width, seed, step)
    found = felzenszwalb(rgb, scale, 0, min_size)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, plain_felzenszwalb(rgb, scale / 255, min_size))


@pytest.mark.parametrize("scale, sigma, min_size", [(20, 0.5, 20), (100, 0.8, 100)])
def test_a_photo_is_segmented_as_by_scikit_image(street, scale, sigma, min_size):
    ours, theirs = felzenszwalb(street, scale, sigma, min_size), peer(street, scale, sigma, min_size)
    assert abs(ours.max() - theirs.max()) <= 0.02 * theirs.max()
    assert adapted_overlap(ours, theirs) > 0.95


def test_segments_of_a_photo_hang_together_and_are_large_enough(street):
    found = felzenszwalb(street, 50, 0.5, 30)
    np.testing.assert_array_equal(found, in_reading_order(found))  # so no number is left out
    assert np.bincount(found.ravel()).min() >= 30
    for number, box in enumerate(ndimage.find_objects(found + 1)):
        assert ndimage.label(found[box] == number, np.ones((3, 3)))[1] == 1, number


def test_a_larger_scale_means_fewer_segments(street):
    counts = [int(felzenszwalb(street, scale, 0.5, 5).max()) + 1 for scale in (5, 50, 500)]
    assert counts[0] > 1.5 * counts[1] > 2 * counts[2]


def test_smoothing_takes_noise_away():
    rgb = (128 + noise(40, 40, 0) // 8).astype(np.uint8)
    assert felzenszwalb(rgb, 10, 2, 0).max() < felzenszwalb(rgb, 10, 0, 0).max() / 5


def test_one_colour_is_one_segment():
    assert not felzenszwalb(np.full((9, 14, 3), 77, np.uint8), 20, 0.5, 20).any()


def test_two_halves_are_two_segments():
    rgb = np.zeros((10, 12, 3), np.uint8)
    rgb[:, 7:] = 200, 0, 0
    found = felzenszwalb(rgb, 5, 0, 0)
    assert not found[:, :7].any() and (found[:, 7:] == 1).all()


@pytest.mark.parametrize("height, width", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_pictures_of_hardly_any_pixels(height, width):
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[-1, -1] = 255
    expected = np.zeros((height, width))
    if height * width > 1:
        expected[-1, -1] = 1
    np.testing.assert_array_equal(felzenszwalb(rgb, 1, 0, 0), expected)
    assert not felzenszwalb(rgb, 1, 0.8, height * width).any()


def test_a_picture_that_is_a_view_of_another_one_or_read_only(street):
    mirrored = street[:, ::-1]
    mirrored.flags.writeable = False
    np.testing.assert_array_equal(felzenszwalb(mirrored, 20, 0.5, 20), felzenszwalb(mirrored.copy(), 20, 0.5, 20))


@settings(max_examples=25)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99), st.sampled_from((1, 64, 255)))
def test_edges_are_sorted_exactly_and_keep_their_order_where_equal(height, width, seed, step):
    rgb = noise(height, width, seed, step)
    first, second, weight = edges(rgb, 0)
    assert (first.dtype, second.dtype, weight.dtype) == (np.int32, np.int32, np.float32)
    expected = plain_edges(rgb)
    assert len(first) == len(expected) == 4 * height * width - 3 * height - 3 * width + 2
    np.testing.assert_allclose(weight, [edge[0] for edge in expected], atol=1e-6)
    assert (np.diff(weight) >= 0).all()
    if step > 1:  # else weights may differ in their last bit, and so their order
        assert list(zip(first, second, strict=True)) == [edge[1:] for edge in expected]


def test_the_heaviest_edge_of_all_is_sorted_too():
    rgb = np.zeros((1, 3, 3), np.uint8)
    rgb[0, 0] = 255
    first, second, weight = edges(rgb, 0)
    assert list(first) == [1, 0] and list(second) == [2, 1]
    np.testing.assert_allclose(weight, [0, 3**0.5], rtol=1e-6)


def test_a_spanning_tree_weighs_as_little_as_scipys():
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import minimum_spanning_tree

    first, second, weight = edges(noise(13, 17, 5), 0)
    kept = minimum_spanning_forest(first, second, weight, 13 * 17)
    assert len(kept) == 13 * 17 - 1 and (np.diff(kept) > 0).all()
    graph = coo_matrix((weight.astype(float), (first, second)), (221, 221))
    assert weight[kept].sum() == pytest.approx(minimum_spanning_tree(graph).sum(), rel=1e-5)
    tree = coo_matrix((np.ones(len(kept)), (first[kept], second[kept])), (221, 221))
    assert minimum_spanning_tree(tree).nnz == 220  # it reaches every pixel without a ring


def test_a_forest_of_edges_in_any_order():
    first, second = np.array([0, 1, 0, 3], np.int32), np.array([1, 2, 2, 4], np.int32)
    kept = minimum_spanning_forest(first, second, np.array([3.0, 1.0, 2.0, 0.5], np.float32), 6)
    assert list(kept) == [3, 1, 2]  # 0-1 would close a ring; vertex 5 has no edge


def test_no_edges_are_an_empty_forest():
    none = np.empty(0, np.int32)
    assert len(minimum_spanning_forest(none, none, np.empty(0, np.float32), 1)) == 0


def test_what_cannot_be_segmented_is_said():
    rgb = noise(3, 3, 0)
    with pytest.raises(ValueError, match="uint8"):
        felzenszwalb(rgb.astype(np.float32), 20, 0.5, 20)
    with pytest.raises(ValueError, match=r"\(0, 3, 3\)"):
        edges(rgb[:0], 0.5)
    with pytest.raises(ValueError, match="sigma"):
        edges(rgb, -1)
    with pytest.raises(ValueError, match="scale"):
        felzenszwalb(rgb, float("nan"), 0.5, 20)
    with pytest.raises(ValueError, match="vertices"):
        minimum_spanning_forest(np.array([0]), np.array([4]), np.array([1.0]), 4)
    with pytest.raises(ValueError, match="two ends"):
        minimum_spanning_forest(np.array([0]), np.array([1]), np.array([]), 4)
