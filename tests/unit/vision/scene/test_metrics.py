"""Scores of scene parsing, each against a case that can be counted on one's fingers, and against a plain twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from percept.vision.scene.metrics import Confusion, Scores, boundary_f1
from percept.vision.scene.photos import VOID


def image(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.uint8)  # (H, W)


def counted(labels: np.ndarray, truth: np.ndarray, classes: int) -> Confusion:
    made = Confusion(classes)
    made.add(labels, truth)
    return made


def halves(width: int, edge: int, height: int = 8) -> np.ndarray:
    """Class 0 left of ``edge``, class 1 right of it."""
    made = np.zeros((height, width), np.uint8)
    made[:, edge:] = 1
    return made


def test_rows_of_the_matrix_are_the_truth() -> None:
    found = counted(image([0, 1, 1, 1]), image([0, 0, 0, 1]), 2)
    assert found.matrix.tolist() == [[1, 2], [0, 1]]
    assert found.matrix.dtype == np.int64


def test_figures_of_a_case_done_by_hand() -> None:
    # truth: 4 of class 0, 4 of class 1, 2 of class 2; right: 3, 2, 2
    truth = image([0, 0, 0, 0, 1], [1, 1, 1, 2, 2])
    labels = image([0, 0, 0, 1, 1], [1, 2, 0, 2, 2])
    found = counted(labels, truth, 3).figures()
    assert found.pixel_accuracy == pytest.approx(70)
    assert [one.recall for one in found.per_class] == [75, 50, 100]
    assert [one.precision for one in found.per_class] == pytest.approx([75, 200 / 3, 200 / 3])
    # unions: 4 + 4 - 3, 4 + 3 - 2, 2 + 3 - 2
    assert [one.iou for one in found.per_class] == pytest.approx([60, 40, 200 / 3])
    assert found.class_accuracy == pytest.approx(75)
    assert found.mean_iou == pytest.approx((60 + 40 + 200 / 3) / 3)
    assert found.fw_iou == pytest.approx(0.4 * 60 + 0.4 * 40 + 0.2 * 200 / 3)
    assert [one.pixels for one in found.per_class] == [4, 4, 2]
    assert [one.answered for one in found.per_class] == [4, 3, 3]


def test_void_counts_in_nothing() -> None:
    truth, labels = image([0, VOID, VOID, 1]), image([0, 1, 0, 1])
    found = counted(labels, truth, 2).figures()
    assert found.pixel_accuracy == found.class_accuracy == found.mean_iou == found.fw_iou == 100
    assert sum(one.answered for one in found.per_class) == 2


def test_nothing_known_is_none_everywhere() -> None:
    void = np.full((3, 4), VOID, np.uint8)
    scores = Scores(2)
    scores.add(np.zeros((3, 4), np.uint8), void)
    assert set(scores.to_metrics().values()) == {None}
    assert all(one.recall is None and one.iou is None for one in scores.figures().per_class)
    assert set(Scores(2).to_metrics().values()) == {None}


def test_an_absent_class_that_is_answered_costs_the_others_but_has_no_figure() -> None:
    found = counted(image([0, 0, 2, 1]), image([0, 0, 0, 1]), 3).figures()
    absent = found.per_class[2]
    assert (absent.recall, absent.precision, absent.iou) == (None, None, None)
    assert (absent.pixels, absent.answered) == (0, 1)
    assert found.mean_iou == pytest.approx((200 / 3 + 100) / 2)  # a mean of two classes, not of three
    assert found.class_accuracy == pytest.approx((200 / 3 + 100) / 2)
    assert found.pixel_accuracy == 75


def test_a_class_never_answered_has_no_precision_but_an_iou_of_0() -> None:
    missed = counted(image([0, 0]), image([0, 1]), 2).figures().per_class[1]
    assert (missed.recall, missed.precision, missed.iou) == (0, None, 0)


def test_classes_never_tested_stay_out_of_the_means_only() -> None:
    truth, labels = image([0, 0, 1, 1, 2, 2]), image([0, 0, 1, 0, 0, 0])
    found = counted(labels, truth, 3).figures(never_tested=(2,))
    assert found.class_accuracy == pytest.approx((100 + 50) / 2)
    assert found.mean_iou == pytest.approx((40 + 50) / 2)  # class 2's pixels still are wrong answers of class 0
    assert found.pixel_accuracy == 50
    assert found.per_class[2].iou == 0


def test_one_class_only() -> None:
    scores = Scores(1)
    scores.add(np.zeros((5, 5), np.uint8), np.zeros((5, 5), np.uint8))
    found = scores.to_metrics()
    assert found.pop("boundary_f1") is None  # nothing has a boundary
    assert set(found.values()) == {100}


def test_pixels_of_the_set_are_counted_before_anything_is_divided() -> None:
    scores = Scores(2, boundaries=False)
    scores.add(image([0]), image([1]))
    scores.add(np.ones((3, 3), np.uint8), np.ones((3, 3), np.uint8))
    assert scores.to_metrics()["pixel_accuracy"] == 90
    assert scores.to_metrics()["boundary_f1"] is None


def test_the_highest_class_is_no_void() -> None:
    top = np.full((2, 2), 253, np.uint8)
    assert counted(top, top, 254).figures().per_class[253].pixels == 4
    assert counted(np.zeros((2, 2), np.uint8), top, 254).figures().pixel_accuracy == 0
    with pytest.raises(ValueError, match="1 to 254"):
        Confusion(255)


@pytest.mark.parametrize(
    ("labels", "truth", "told"),
    [
        (image([0, VOID]), image([0, VOID]), "label 255"),  # an answer is a class, even where the truth is void
        (image([0, 2]), image([0, 1]), "label 2"),
        (image([0, 1]), image([0, 254]), "class 254 in the truth"),
        (image([0, 1]), image([0]), "not of one size"),
        (np.zeros((1, 2), np.int64), image([0, 1]), "uint8"),
    ],
)
def test_what_cannot_be_counted_is_an_error_and_changes_nothing(
    labels: np.ndarray, truth: np.ndarray, told: str
) -> None:
    made = Confusion(2)
    with pytest.raises(ValueError, match=told):
        made.add(labels, truth)
    assert not made.matrix.any()


def test_two_counts_together_are_the_count_of_both() -> None:
    first, second = (image([0, 1], [1, 1]), image([0, 0], [1, VOID])), (image([1, 1]), image([0, 1]))
    both, one, two = Scores(2), Scores(2), Scores(2)
    for pair in (first, second):
        both.add(*pair)
    one.add(*first)
    two.add(*second)
    added = one.confusion + two.confusion
    one.merge(two)
    assert one.to_metrics() == both.to_metrics()
    assert (added.matrix == both.confusion.matrix).all()
    with pytest.raises(ValueError, match="3 classes"):
        one.merge(Scores(3))


def test_a_perfect_boundary_and_one_far_away() -> None:
    truth = halves(100, 50)  # diagonal 100.3, tolerance 0.75 pixels: the same pixel only
    assert boundary_f1(truth, truth) == 100
    assert boundary_f1(halves(100, 60), truth) == 0


def test_exactly_the_tolerance_agrees() -> None:
    truth = np.zeros((300, 400), np.uint8)  # diagonal 500
    truth[:, 200:] = 1
    moved = np.zeros_like(truth)
    moved[:, 204:] = 1
    assert boundary_f1(moved, truth, tolerance=4 / 500) == 100
    assert boundary_f1(moved, truth, tolerance=3.99 / 500) == 0


def test_the_tolerance_is_a_disk() -> None:
    truth, labels = np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.uint8)
    truth[20, 20] = 1
    labels[23, 24] = 1  # 5 pixels away, along neither axis
    diagonal = math.hypot(40, 40)
    hit, missed = (boundary_f1(labels, truth, tolerance=radius / diagonal) for radius in (5.001, 4.99))
    assert hit == 100  # class 0's boundary is the cross around the pixel, which moves with it
    assert missed is not None
    assert missed < 75  # class 1 has 0 now


def test_precision_and_recall_by_hand() -> None:
    truth = image([0, 0, 0, 1, 1, 1])  # boundary pixels: 0 at 2, 1 at 3
    labels = image([0, 1, 0, 1, 1, 1])  # 0 at 0 and 2; 1 at 1 and 3
    # of each class one of two boundary pixels in the labels is right, and the one in the truth is found
    assert boundary_f1(labels, truth) == pytest.approx(100 * 2 * 0.5 * 1 / 1.5)


def test_classes_of_the_photo_count_alike_and_others_not_at_all() -> None:
    truth = image([0, 0, 0, 0, 1, 1, 1, 2])
    labels = image([0, 0, 0, 0, 1, 1, 1, 1])  # class 2 missed: 0; class 1: of its two boundary pixels one is found
    assert boundary_f1(labels, truth) == pytest.approx(100 * (1 + 2 / 3 + 0) / 3)
    extra = image([0, 3, 0, 0, 1, 1, 1, 2])  # class 3 has no figure; class 0 has two boundary pixels too many
    assert boundary_f1(extra, truth) == pytest.approx(100 * (2 * (1 / 3) / (4 / 3) + 1 + 1) / 3)


def test_boundaries_where_the_truth_has_none_are_wrong() -> None:
    assert boundary_f1(image([0, 1, 0]), image([0, 0, 0])) == 0
    assert boundary_f1(image([0, 0, 0]), image([0, 0, 0])) is None


def test_boundaries_in_and_at_void_do_not_count() -> None:
    truth = image([0, 0, VOID, VOID, 1, 1])
    assert boundary_f1(image([0, 0, 0, 1, 1, 1]), truth) is None
    assert boundary_f1(image([0, 0, 0, 0, 0, 1]), truth) == 0  # this one is where something is known
    truth = np.hstack([halves(6, 3, 2), np.full((2, 6), VOID, np.uint8)])
    spoiled = truth.copy()
    spoiled[:, 6:] = image([0, 1, 0, 1, 0, 1], [1, 0, 1, 0, 1, 0])
    assert boundary_f1(spoiled, truth) == 100


def test_more_classes_than_a_word_has_bits() -> None:
    truth = np.arange(200, dtype=np.uint8).reshape(1, 200).repeat(2, axis=0)
    labels = truth.copy()
    labels[:, 150:160] = 149
    found = boundary_f1(labels, truth, tolerance=0)
    # classes 150 to 159 are missed; 149 kept its two pixels, which have a neighbour yet, and gained two at 159
    assert found == pytest.approx(100 * (189 + 2 * 0.5 / 1.5) / 200)


def plain_boundary_f1(labels: np.ndarray, truth: np.ndarray, radius: float) -> float | None:
    """The same from the definition, pixel by pixel."""
    height, width = truth.shape

    def boundary(of: np.ndarray, label: int) -> list[tuple[int, int]]:
        found = []
        for y, x in np.argwhere((of == label) & (truth != VOID)):
            near = [(y + dy, x + dx) for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0))]
            inside = [(v, u) for v, u in near if 0 <= v < height and 0 <= u < width and truth[v, u] != VOID]
            if any(of[at] != label for at in inside):
                found.append((int(y), int(x)))
        return found

    def share(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> float:
        return sum(any(math.dist(one, two) <= radius for two in others) for one in some) / len(some)

    scores = []
    for label in sorted(set(truth[truth != VOID].tolist())):
        mine, theirs = boundary(labels, label), boundary(truth, label)
        if mine and theirs:
            precision, recall = share(mine, theirs), share(theirs, mine)
            scores.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
        elif mine or theirs:
            scores.append(0.0)
    return 100 * sum(scores) / len(scores) if scores else None


def plain_figures(labels: np.ndarray, truth: np.ndarray, classes: int) -> tuple[float | None, ...]:
    """Pixel accuracy, class accuracy, mean IoU, frequency-weighted IoU from sets of pixels."""
    known = {tuple(at) for at in np.argwhere(truth != VOID)}
    true = {c: {tuple(at) for at in np.argwhere(truth == c)} for c in range(classes)}
    mine = {c: {tuple(at) for at in np.argwhere(labels == c)} & known for c in range(classes)}
    there = [c for c in range(classes) if true[c]]
    if not there:
        return None, None, None, None
    iou = {c: len(true[c] & mine[c]) / len(true[c] | mine[c]) for c in there}
    return (
        100 * sum(len(true[c] & mine[c]) for c in there) / len(known),
        100 * sum(len(true[c] & mine[c]) / len(true[c]) for c in there) / len(there),
        100 * sum(iou.values()) / len(there),
        100 * sum(len(true[c]) * iou[c] for c in there) / len(known),
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    labels = draw(arrays.arrays(np.uint8, shape, elements=st.integers(0, 3)))
    truth = draw(arrays.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 2, 3, VOID])))
    return labels, truth


@settings(max_examples=50)
@given(pairs(), st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.7]))
def test_boundary_f1_is_its_definition(pair: tuple[np.ndarray, np.ndarray], radius: float) -> None:
    labels, truth = pair
    # a hair more than the radius: the share of the diagonal must not lose the last digit
    found = boundary_f1(labels, truth, tolerance=(radius + 1e-9) / math.hypot(*truth.shape))
    expected = plain_boundary_f1(labels, truth, radius + 1e-9)
    assert found == (None if expected is None else pytest.approx(expected))


@settings(max_examples=50)
@given(pairs())
def test_figures_are_their_definitions(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = counted(*pair, 4).figures()
    expected = plain_figures(*pair, 4)
    for value, wanted in zip(
        (found.pixel_accuracy, found.class_accuracy, found.mean_iou, found.fw_iou), expected, strict=True
    ):
        assert value == (None if wanted is None else pytest.approx(wanted))
