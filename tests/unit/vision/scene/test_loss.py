"""The loss by hand: what counts, how much, and where; and the classes' weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from percept.vision.scene.data import VOID
from percept.vision.scene.loss import MOST, POWER, class_weights, pixel_loss, right

EVEN = torch.ones(3)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def truth(*shape: int, seed: int = 0, classes: int = 3) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, classes, shape).astype(np.uint8))


def test_a_sum_over_pixels_of_minus_the_log_of_the_true_class() -> None:
    scores = torch.tensor([2.0, 0.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)  # (1, K, h, w), the same everywhere
    labels = torch.full((1, 8, 8), VOID, dtype=torch.uint8)
    labels[0, 0, 0], labels[0, 3, 5], labels[0, 7, 7] = 0, 0, 2
    likely = torch.tensor([2.0, 0.0, -1.0]).softmax(0).log()
    wanted = -(2 * likely[0] + likely[2])
    torch.testing.assert_close(pixel_loss(scores, labels, EVEN), wanted)
    weights = torch.tensor([0.5, 9.0, 3.0])
    torch.testing.assert_close(pixel_loss(scores, labels, weights), -(0.5 * 2 * likely[0] + 3 * likely[2]))


def test_void_counts_nothing() -> None:
    scores, labels = drawn(2, 3, 4, 4).requires_grad_(), truth(2, 16, 16)
    void = torch.full_like(labels, VOID)
    nothing = pixel_loss(scores, void, EVEN)
    nothing.backward()
    assert nothing.item() == 0 and not scores.grad.any()
    labels[:, :, 8:] = VOID
    grad = torch.autograd.grad(pixel_loss(scores, labels, EVEN), scores)[0]
    assert grad[:, :, :, :2].abs().min() > 0 and not grad[:, :, :, 3].any()


def test_parts_of_a_batch_add_up() -> None:
    scores, labels, weights = drawn(6, 3, 5, 7), truth(6, 20, 28), torch.tensor([1.0, 2.0, 0.3])
    labels[1] = VOID
    labels[2, :9] = VOID
    whole = pixel_loss(scores, labels, weights)
    parts = sum(pixel_loss(scores[part], labels[part], weights) for part in (slice(0, 1), slice(1, 2), slice(2, 6)))
    torch.testing.assert_close(parts, whole)


def test_scores_are_stretched_so_that_cells_stand_where_their_pixels_are() -> None:
    """A cell's own score holds at its middle, and is mixed with the neighbours' in between."""
    scores, labels = drawn(1, 3, 6, 6), truth(1, 24, 24)
    rows = torch.arange(24).float().add(0.5).div(4).sub(0.5).clamp(0, 5)
    low = rows.floor().long().clamp(max=4)
    mix = torch.zeros(24, 6).scatter(1, low[:, None], (1 - (rows - low))[:, None])
    mix = mix.scatter_add(1, low[:, None] + 1, (rows - low)[:, None])
    by_hand = torch.einsum("yi,xj,bkij->bkyx", mix, mix, scores)
    wanted = F.cross_entropy(by_hand, labels.long(), reduction="sum")
    torch.testing.assert_close(pixel_loss(scores, labels, EVEN), wanted)


@pytest.mark.parametrize("stride", [4, 8, 16])
@pytest.mark.parametrize("side", [32, 33, 41, 63, 64, 100, 161])
def test_of_sides_that_are_no_multiple_the_rest_is_cut_off(stride: int, side: int) -> None:
    """Scores (ceil(side / stride)) are stretched by the stride, not to fit."""
    cells = -(-side // stride)
    scores, labels = drawn(1, 3, cells, cells), truth(1, side, side)
    larger = F.interpolate(scores, scale_factor=stride, mode="bilinear")[:, :, :side, :side]
    wanted = F.cross_entropy(larger, labels.long(), reduction="sum")
    torch.testing.assert_close(pixel_loss(scores, labels, EVEN), wanted)


def test_half_precision_scores_are_summed_in_single() -> None:
    scores, labels = drawn(1, 3, 64, 64).to(torch.bfloat16), truth(1, 256, 256)
    loss = pixel_loss(scores, labels, EVEN)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, pixel_loss(scores.float(), labels, EVEN))


def test_right_counts_pixels_of_the_true_class() -> None:
    labels = torch.zeros(1, 32, 32, dtype=torch.uint8)
    labels[:, 16:] = 1
    scores = torch.zeros(1, 3, 8, 8)
    scores[:, 0] = 1.0  # class 0 everywhere: right in the upper half
    assert right(scores, labels).item() == 16 * 32
    labels[:, :, :16] = VOID
    assert right(scores, labels).item() == 16 * 16
    scores[:, 1, 4:] = 2.0
    assert right(scores, labels).item() == 32 * 16


@pytest.mark.parametrize("side", [32, 33, 35, 63, 101])
def test_right_is_about_the_count_of_all_pixels(side: int) -> None:
    labels = torch.zeros(2, side, side, dtype=torch.uint8)
    scores = torch.zeros(2, 3, -(-side // 4), -(-side // 4))
    scores[:, 0] = 1.0
    assert right(scores, labels).item() == pytest.approx(2 * side * side, rel=0.15)


def test_natural_weights_are_all_one() -> None:
    assert class_weights([100, 7, 1], "natural").tolist() == [1, 1, 1]


def test_balanced_weights_go_with_the_inverse_of_pixels_and_the_mean_pixel_counts_one() -> None:
    counts = np.array([600, 300, 100])
    for sampling, power in (("balanced", 1.0), ("root", 0.5)):
        weights = class_weights(counts, sampling)
        assert weights.dtype == np.float32
        assert (weights * counts).sum() / counts.sum() == pytest.approx(1)
        np.testing.assert_allclose(weights / weights[0], (600 / counts) ** power, rtol=1e-5)
    assert np.ptp(class_weights(counts, "balanced") * counts) < 1e-3, "all classes alike"


@pytest.mark.parametrize("sampling", POWER)
def test_a_class_without_pixels_weighs_nothing_and_changes_nothing(sampling: str) -> None:
    weights = class_weights([500, 0, 100, 0], sampling)
    assert weights[1] == weights[3] == 0
    np.testing.assert_array_equal(weights[[0, 2]], class_weights([500, 100], sampling))
    assert not class_weights([0, 0], sampling).any(), "nothing at all is no error here"


def test_a_class_that_hardly_occurs_is_held_back() -> None:
    counts = np.array([1_000_000, 900_000, 10])
    weights = class_weights(counts, "balanced")
    assert weights[2] == MOST
    assert (weights * counts).sum() / counts.sum() == pytest.approx(1, rel=1e-3)
    assert weights[1] / weights[0] == pytest.approx(10 / 9, rel=1e-3)
