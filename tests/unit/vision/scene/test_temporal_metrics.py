"""What counts as flicker: not what the camera does, not what the truth does, not what nobody knows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from percept.vision.scene.photos import VOID
from percept.vision.scene.temporal_metrics import Consistency, carried, flicker, flow_back


def textured(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A picture whose motion can be seen everywhere: smoothed noise, uint8 (H, W, 3)."""
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return np.clip(128 + 200 * smooth, 0, 255).astype(np.uint8)


def halves(height: int, width: int, edge: int) -> np.ndarray:
    labels = np.zeros((height, width), np.uint8)
    labels[:, edge:] = 1
    return labels


def test_changes_without_truth_are_counted_one_by_one():
    before = np.array([[0, 0, 1, 1]], np.uint8)
    assert flicker(before, np.array([[0, 0, 1, 1]], np.uint8)) == 0
    assert flicker(before, np.array([[1, 0, 1, 1]], np.uint8)) == 25


def test_where_the_truth_changes_a_label_may():
    before, labels = np.array([[0, 0, 0, 0]], np.uint8), np.array([[1, 1, 0, 0]], np.uint8)
    truth_before, truth = np.array([[0, 0, 0, 0]], np.uint8), np.array([[1, 0, 0, 0]], np.uint8)
    assert flicker(before, labels, truth_before, truth) == pytest.approx(100 / 3)


def test_void_pixels_do_not_count():
    before, labels = np.array([[0, 0, VOID, 0]], np.uint8), np.array([[1, 0, 0, 1]], np.uint8)
    truth = np.array([[0, 0, 0, VOID]], np.uint8)
    assert flicker(before, labels, truth, truth) == 50
    nothing = np.full((1, 4), VOID, np.uint8)
    assert flicker(before, labels, nothing, nothing) is None


def test_labels_are_carried_along_the_flow_and_void_comes_from_outside():
    labels = np.array([[1, 2, 3, 4]], np.uint8)
    flow = np.zeros((1, 4, 2), np.float32)
    flow[..., 0] = 1.2  # one pixel further right in the frame before
    assert carried(labels, flow).tolist() == [[2, 3, 4, VOID]]


def test_the_flow_points_back_to_the_frame_before():
    wide = cv2.cvtColor(textured(60, 90), cv2.COLOR_RGB2GRAY)
    flow = flow_back(wide[:, 8:-4].copy(), wide[:, 10:-2].copy())  # what was at x is at x + 2 now
    assert np.abs(np.median(flow[15:-15, 15:-15], axis=(0, 1)) - (-2, 0)).max() < 0.2


def test_a_camera_that_moves_by_two_pixels_does_not_flicker():
    wide, edge = textured(60, 90), 40
    seen = Consistency()
    for shift in (0, 2, 4, 6):
        part = np.ascontiguousarray(wide[:, shift : shift + 76])
        seen.add(part, halves(60, 76, edge - shift), halves(60, 76, edge - shift))
    figures = seen.figures()
    assert figures["flicker"] < 0.2
    assert figures["consistency"] > 99.5
    assert figures["consistency"] == figures["truth_consistency"]  # the labels are the truth
    unmoved = flicker(halves(60, 76, edge), halves(60, 76, edge - 2))
    assert unmoved > 2  # what was asked for: without the flow, the same would be flicker


def test_random_labels_flicker_much():
    rgb, rng, seen = textured(40, 50), np.random.default_rng(1), Consistency()
    truth = halves(40, 50, 25)
    for _ in range(3):
        seen.add(rgb, rng.integers(0, 4, (40, 50)).astype(np.uint8), truth)
    figures = seen.figures()
    assert figures["flicker"] == pytest.approx(75, abs=3)
    assert figures["consistency"] == pytest.approx(25, abs=3)
    assert figures["truth_consistency"] == 100


def test_pairs_are_added_up_pixel_by_pixel():
    rgb, seen = np.zeros((1, 4, 3), np.uint8), Consistency()
    truth = np.zeros((1, 4), np.uint8)
    for labels in ([0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0]):
        seen.add(rgb, np.array([labels], np.uint8), truth)
    assert seen.figures() == {"flicker": 37.5, "consistency": 62.5, "truth_consistency": 100.0}


def test_without_a_pair_or_a_truth_there_is_no_figure():
    rgb, labels, seen = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8), Consistency()
    assert set(seen.figures().values()) == {None}
    seen.add(rgb, labels)
    assert set(seen.figures().values()) == {None}
    seen.add(rgb, labels)
    assert seen.figures() == {"flicker": None, "consistency": 100.0, "truth_consistency": None}


def test_another_size_begins_a_new_sequence():
    seen = Consistency()
    for size in ((4, 4), (4, 6)):
        seen.add(np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8), np.zeros(size, np.uint8))
    assert seen.figures()["consistency"] is None


def test_what_was_handed_over_may_be_used_again():
    rgb, labels, seen = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8), Consistency()
    seen.add(rgb, labels, labels)
    labels[:] = 1  # the caller's next frame, in the same memory
    seen.add(rgb, labels, np.zeros((4, 4), np.uint8))
    assert seen.figures()["flicker"] == 100


def test_sizes_that_differ_are_refused():
    with pytest.raises(ValueError, match="not of one size"):
        Consistency().add(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8))


def test_another_sequence_is_not_compared_with_the_last_frame_of_the_one_before():
    steady, rgb = Consistency(), textured(40, 60)
    for edge in (20, 40):
        steady.restart()
        steady.add(rgb, halves(40, 60, edge), halves(40, 60, edge))
    assert steady.figures() == {"flicker": None, "consistency": None, "truth_consistency": None}
    steady.add(rgb, halves(40, 60, 40), halves(40, 60, 40))
    assert steady.figures() == {"flicker": 0.0, "consistency": 100.0, "truth_consistency": 100.0}
