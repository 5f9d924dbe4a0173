"""The losses: hand cases, and that they fall where matches are found."""

from __future__ import annotations

import math

import pytest
import torch

from percept.vision.stereo.loss import MARGIN, pairs_loss, rows_loss
from percept.vision.stereo.model import Accurate, Fast


def one_hot(columns: list[int], channels: int = 6) -> torch.Tensor:
    """(1, C, 1, W): pixel i holds the unit vector of ``columns[i]``."""
    return torch.eye(channels)[columns].T[None, :, None]


def test_rows_by_hand() -> None:
    """Three pixels; the first one's match is in column 1 and looks like it, at sharpness s."""
    left, right = one_hot([0, 1, 2]), one_hot([3, 0, 4])
    places = torch.tensor([[[1.0, math.nan, math.nan]]])
    s = 5.0
    total, right_ones = rows_loss(left, right, places, torch.tensor([s]))
    expected = math.log(math.exp(s) + 2) - s  # against the row's two others
    assert float(total) == pytest.approx(expected, rel=1e-5)
    assert int(right_ones) == 1


def test_a_match_between_two_pixels_is_shared_by_both() -> None:
    left, right = one_hot([0, 1, 2]), one_hot([3, 0, 4])
    halfway, _ = rows_loss(left, right, torch.tensor([[[0.5, math.nan, math.nan]]]), torch.tensor([5.0]))
    ends = [
        float(rows_loss(left, right, torch.tensor([[[place, math.nan, math.nan]]]), torch.tensor([5.0]))[0])
        for place in (0.0, 1.0)
    ]
    assert float(halfway) == pytest.approx(sum(ends) / 2, rel=1e-5)


def test_without_matches_there_is_no_loss_and_no_nan() -> None:
    left = one_hot([0, 1, 2]).requires_grad_()
    total, right_ones = rows_loss(left, one_hot([3, 0, 4]), torch.full((1, 1, 3), math.nan), torch.tensor([5.0]))
    total.backward()
    assert total.item() == 0 and int(right_ones) == 0
    assert left.grad is not None and not left.grad.any()


def test_hinge_by_hand() -> None:
    """Cosine 1 with the match and 0 with the other costs nothing; exchanged it costs 1 and the margin."""
    left, right = one_hot([0, 1, 2, 5]), one_hot([0, 3, 4, 5])
    places = torch.tensor([[[0.0, math.nan, math.nan, math.nan]]])
    draws = torch.zeros(1, 1, 4, 2)
    draws[..., 1] = 2.0
    good, told = pairs_loss(Fast(), left, right, places, draws)
    assert (float(good), int(told)) == (0.0, 1)
    bad, told = pairs_loss(Fast(), left, right, places, draws.flip(-1))
    assert (float(bad), int(told)) == (pytest.approx(1 + MARGIN), 0)


def test_examples_outside_the_crop_are_left_out() -> None:
    left, right = one_hot([0, 1, 2, 5]), one_hot([0, 3, 4, 5])
    draws = torch.zeros(1, 1, 4, 2)
    draws[..., 1] = -2.0
    total, told = pairs_loss(Fast(), left, right, torch.tensor([[[0.0, math.nan, math.nan, math.nan]]]), draws)
    assert (float(total), int(told)) == (0.0, 0)


def test_cross_entropy_of_the_accurate_network() -> None:
    torch.manual_seed(0)
    network = Accurate(width=0.1)
    vectors = torch.rand(1, network.channels, 1, 4)
    places = torch.tensor([[[0.0, math.nan, math.nan, math.nan]]])
    draws = torch.zeros(1, 1, 4, 2)
    draws[..., 1] = 2.0
    total, _ = pairs_loss(network, vectors, vectors, places, draws)
    anchor = vectors[0, :, 0, :1].T
    yes, no = network.alike(anchor, anchor), network.alike(anchor, vectors[0, :, 0, 2:3].T)
    expected = -(torch.nn.functional.logsigmoid(yes) + torch.nn.functional.logsigmoid(-no)) / 2
    torch.testing.assert_close(total, expected.sum())
