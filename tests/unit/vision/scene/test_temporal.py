"""Segments keep their identities, labels keep still, and nothing of an old scene is left in a new one."""

from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest

from percept.vision.scene.temporal import Steady, different, match, seeded_forest

SKY, HOUSE, BALL = (90, 140, 220), (150, 90, 60), (230, 220, 60)


def scene(left: int, height: int = 60, width: int = 80, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Sky over a house with a square before them, ``left`` pixels from the left: a photo and its truth."""
    truth = np.zeros((height, width), np.uint8)
    truth[height // 2 :] = 1
    truth[height // 3 : height // 3 + 20, left : left + 20] = 2
    rgb = np.array([SKY, HOUSE, BALL])[truth] + np.random.default_rng(seed).normal(0, 3, (height, width, 3))
    return np.clip(rgb, 0, 255).astype(np.uint8), truth


def noisy(truth: np.ndarray, seed: int, classes: int = 3, by: float = 1.0) -> np.ndarray:
    """What a network might say: the truth with noise that forms blobs, another one in each frame."""
    rng = np.random.default_rng(seed)
    logits = 2.0 * (np.arange(classes)[:, None, None] == truth)  # (H, W) -> (K, H, W)
    blobs = rng.normal(0, by, (classes, truth.shape[0] // 6 + 1, truth.shape[1] // 6 + 1))
    logits += [cv2.resize(blob, truth.shape[::-1], interpolation=cv2.INTER_CUBIC) for blob in blobs]
    odds = np.exp(logits - logits.max(0))
    return (odds / odds.sum(0)).astype(np.float32)


def sure(truth: np.ndarray, classes: int = 3) -> np.ndarray:
    return (np.arange(classes)[:, None, None] == truth).astype(np.float32)  # (H, W) -> (K, H, W)


def grown_by_hand(first, second, seeds) -> list[int]:
    """The rule word by word, with the trees as lists of vertices."""
    trees = [[vertex] for vertex in range(len(seeds))]
    for a, b in zip(first, second, strict=True):
        one, other = (next(tree for tree in trees if vertex in tree) for vertex in (a, b))
        markers = {seeds[vertex] for vertex in one + other} - {-1}
        if one is not other and len(markers) <= 1:
            trees.remove(other)
            one += other
    found = [-1] * len(seeds)
    for tree in trees:
        for vertex in tree:
            found[vertex] = max(seeds[other] for other in tree)
    return found


@pytest.mark.parametrize("seed", range(30))
def test_the_seeded_forest_is_that_of_the_rule(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 12))
    ends = rng.integers(0, count, (int(rng.integers(1, 30)), 2))
    ends = ends[ends[:, 0] != ends[:, 1]].astype(np.int32)
    seeds = rng.integers(-3, 3, count).clip(-1).astype(np.int32)
    first, second = np.ascontiguousarray(ends[:, 0]), np.ascontiguousarray(ends[:, 1])
    assert seeded_forest(first, second, seeds).tolist() == grown_by_hand(first, second, seeds)


def test_markers_meet_at_the_heaviest_edge_between_them():
    first, second = np.array([0, 1, 3, 2], np.int32), np.array([1, 2, 4, 3], np.int32)  # a path; 2-3 is heaviest
    seeds = np.array([7, -1, -1, -1, 9], np.int32)
    assert seeded_forest(first, second, seeds).tolist() == [7, 7, 7, 9, 9]


def test_segments_are_matched_by_place_size_and_colour():
    old_area, old_centre = np.array([100.0, 100, 100, 400]), np.array([[10.0, 10], [10, 14], [40, 40], [70, 70]])
    old_colour = np.array([[200.0, 0, 0], [0, 0, 200], [0, 200, 0], [9, 9, 9]])
    area, centre = np.array([100.0, 100, 100]), np.array([[10.0, 13], [40, 42], [70, 70]])
    colour = np.array([[200.0, 0, 0], [0, 200, 0], [9, 9, 9]])
    best_old, best_new = match(old_area, old_centre, old_colour, area, centre, colour)
    assert best_old.tolist() == [0, 2, 3]  # the nearer one has another colour; four times larger is just near enough
    assert best_new.tolist() == [0, -1, 1, 2]
    best_old, _ = match(old_area, old_centre, old_colour, area / 10, centre, colour)
    assert best_old.tolist() == [-1, -1, -1]


def test_identities_are_kept_when_a_square_moves():
    steady, names = Steady(3), []
    for t in range(6):
        rgb, truth = scene(10 + 3 * t, seed=t)
        steady.add(rgb, sure(truth))
        row, column = 60 // 3 + 10, 10 + 3 * t + 10
        names.append((steady.segments[row // 2, column // 2], steady.segments[2, 38], steady.segments[28, 2]))
    assert len(set(names)) == 1, names
    assert len(set(names[0])) == 3
    assert steady.cuts == 0


def test_a_thing_that_comes_into_view_gets_an_identity_of_its_own():
    steady = Steady(3)
    empty, truth = scene(200)
    for _ in range(2):
        steady.add(empty, sure(truth))
    known = set(steady.segments.ravel().tolist())
    rgb, truth = scene(30)
    steady.add(rgb, sure(truth))
    assert steady.segments[15, 20] not in known
    assert steady.segments[2, 2] in known and steady.segments[28, 2] in known


def test_labels_follow_what_moves_without_a_trail():
    steady, wrong = Steady(3), []
    for t in range(8):
        rgb, truth = scene(5 + 4 * t, seed=t)
        wrong.append(np.count_nonzero(steady.add(rgb, sure(truth)).argmax(0) != truth))
    assert max(wrong) <= 0.005 * truth.size
    assert steady.changed_after <= steady.changed_before + 0.5


def test_means_move_with_their_segments():
    rng = np.random.default_rng(0)
    wide = cv2.GaussianBlur(rng.normal(0, 1, (60, 90, 3)).astype(np.float32), (0, 0), 4.0)
    wide = np.clip(128 + 500 * wide, 0, 255).astype(np.uint8)
    one, other = (noisy(rng.integers(0, 3, (60, 90)), seed) for seed in (1, 2))
    steady = Steady(3)
    steady.add(np.ascontiguousarray(wide[:, :80]), one[..., :80])
    found = steady.add(np.ascontiguousarray(wide[:, 3:83]), other[..., 3:83])  # all lies 3 pixels further left
    wanted = (one[..., 3:83] + other[..., 3:83]) / 2
    inside = np.abs(found - wanted).max(0)[4:-4, 4:-8]  # (K, H, W) -> (H, W)
    assert np.mean(inside < 0.01) > 0.9


def test_a_still_scene_stops_flickering_and_comes_to_the_truth():
    steady, right, first = Steady(3, memory=8.0), [], None
    for t in range(16):
        rgb, truth = scene(30, seed=t)
        now = noisy(truth, t)
        labels = steady.add(rgb, now).argmax(0)
        right.append((np.mean(now.argmax(0) == truth), np.mean(labels == truth)))
        first = labels if first is None else first
    before, after = steady.changed()
    assert before > 5
    assert after < 0.5 * before
    assert np.mean([one[0] for one in right]) < 0.96
    assert right[-1][1] > 0.98


def test_the_first_frame_goes_through_as_it_came():
    rgb, truth = scene(30)
    given, steady = noisy(truth, 0), Steady(3)
    assert np.array_equal(steady.add(rgb, given), given)
    assert steady.changed_before is None and steady.changed_after is None and steady.changed() is None
    assert steady.cuts == 0


def test_two_equal_frames_are_averaged_evenly_and_the_past_counts_no_more_than_the_memory():
    rgb, truth = scene(30)
    steady = Steady(3, memory=2.0)
    a, b, c, d = (noisy(truth, seed) for seed in range(4))
    steady.add(rgb, a)
    assert np.allclose(steady.add(rgb, b), (a + b) / 2, atol=1e-6)
    assert np.allclose(steady.add(rgb, c), (a + b + c) / 3, atol=1e-6)
    assert np.allclose(steady.add(rgb, d), (2 * (a + b + c) / 3 + d) / 3, atol=1e-6)


def test_without_memory_nothing_changes():
    steady = Steady(3, memory=0.0)
    for t in range(3):
        rgb, truth = scene(30, seed=t)
        given = noisy(truth, t)
        assert np.array_equal(steady.add(rgb, given), given)
    assert steady.changed_before == steady.changed_after > 0


def test_sums_stay_one():
    steady = Steady(3)
    for t in range(12):
        rgb, truth = scene(5 + 3 * t, seed=t)
        found = steady.add(rgb, noisy(truth, t))
        assert found.dtype == np.float32 and found.shape == (3, 60, 80) and found.min() >= 0
        assert np.abs(found.sum(0) - 1).max() < 1e-5


def test_percentages_are_those_of_the_labels():
    steady, last = Steady(3), None
    for t in range(4):
        rgb, truth = scene(10 + 2 * t, seed=t)
        given = noisy(truth, t)
        now = given.argmax(0), steady.add(rgb, given).argmax(0)
        if last is not None:
            changed = [100 * np.mean(a != b) for a, b in zip(last, now, strict=True)]
            assert [steady.changed_before, steady.changed_after] == pytest.approx(changed)
        last = now


def test_a_cut_begins_anew():
    steady = Steady(3)
    for t in range(3):
        rgb, truth = scene(30, seed=t)
        steady.add(rgb, noisy(truth, t))
    known = set(steady.segments.ravel().tolist())
    given = noisy(truth, 9)
    assert np.array_equal(steady.add(255 - rgb, given), given)
    assert steady.cuts == 1 and steady.changed_after is None
    assert not known & set(steady.segments.ravel().tolist())
    assert not np.array_equal(steady.add(255 - rgb, noisy(truth, 10)), given)
    assert steady.cuts == 1 and steady.changed_after is not None


def test_another_size_begins_anew():
    steady = Steady(3)
    steady.add(*(lambda rgb, truth: (rgb, noisy(truth, 0)))(*scene(30)))
    rgb, truth = scene(30, height=66, width=70)
    given = noisy(truth, 1)
    assert np.array_equal(steady.add(rgb, given), given)
    assert steady.cuts == 1


def test_colours_are_compared_as_histograms():
    black, half = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)
    half[:2] = 255
    assert different(black, black) == 0
    assert different(black, half) == 0.5
    assert different(half, half[::-1]) == 0


def test_memory_does_not_grow():
    rng, steady, sizes, names = np.random.default_rng(0), Steady(3), [], []
    for t in range(200):
        rgb, truth = scene(int(rng.integers(0, 20)), 24, 40, seed=t)  # the square jumps: new segments all the time
        steady.add(rgb, noisy(truth, t))
        if t % 50 == 49:
            sizes.append(len(pickle.dumps(steady.__dict__)))
            names.append(int(steady.segments.max()))
    assert max(sizes) < 1.1 * min(sizes), sizes
    assert names[-1] > names[0]  # identities are never given twice: this is no scene that stands still


def test_the_same_frames_give_the_same_answer():
    def run() -> np.ndarray:
        steady = Steady(3)
        for t in range(4):
            rgb, truth = scene(10 + 3 * t, seed=t)
            found = steady.add(rgb, noisy(truth, t))
        return found

    assert np.array_equal(run(), run())


def test_an_answer_may_be_changed_by_the_caller():
    found = []
    for spoil in (False, True):
        steady = Steady(3)
        for t in range(3):
            rgb, truth = scene(30, seed=t)
            given = noisy(truth, t)
            answer = steady.add(rgb, given)
            if spoil and t < 2:
                answer[:], given[:], rgb[:] = 0, 0, 0
        found.append(answer)
    assert np.array_equal(*found)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (2, 3), (7, 9)])
def test_small_pictures_pass(shape):
    steady = Steady(2)
    for t in range(3):
        rgb = np.random.default_rng(t).integers(0, 256, (*shape, 3)).astype(np.uint8)
        found = steady.add(rgb, np.full((2, *shape), 0.5, np.float32))
        assert np.allclose(found, 0.5)


def test_what_does_not_belong_together_is_refused():
    rgb, truth = scene(30)
    with pytest.raises(ValueError, match=r"expected uint8 \(H, W, 3\) and \(4, H, W\)"):
        Steady(4).add(rgb, sure(truth))
    with pytest.raises(ValueError, match="expected uint8"):
        Steady(3).add(rgb[:-1], sure(truth))
    with pytest.raises(ValueError, match="a memory of -1"):
        Steady(3, memory=-1)
