"""The cost volume: equal to products pixel by pixel, in bytes, whatever the threads."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from percept.core.device import choose
from percept.vision.stereo.cost import NEUTRAL, ROWS, standard, vectors, volume
from percept.vision.stereo.model import Accurate, Compact, Fast

DEVICE = choose("cpu", 1)


def views(height: int = 20, width: int = 40) -> tuple[np.ndarray, np.ndarray]:
    wide = np.random.default_rng(0).integers(0, 255, (height, width + 8, 3), dtype=np.uint8)
    return wide[:, :width], wide[:, 4 : width + 4]


def by_hand(alike: np.ndarray, gain: float) -> np.ndarray:
    """(H, W, D) likeness, NaN outside -> costs."""
    cost = (np.nanmax(alike, axis=2, keepdims=True) - alike) * gain
    return np.where(np.isnan(cost), int(255 * NEUTRAL), np.minimum(255, cost + 0.5)).astype(np.uint8)


def test_cosines_become_bytes() -> None:
    torch.manual_seed(0)
    network = Fast(width=0.2)
    one, two = vectors(network, standard(*views(), DEVICE), DEVICE)
    found = volume(network, one, two, 12, gain=4.0)
    assert found.shape == (20, 40, 12) and found.dtype == np.uint8
    alike = np.full((20, 40, 12), np.nan, np.float32)
    for d in range(12):
        alike[:, d:, d] = (one[:, :, d:] * two[:, :, : 40 - d]).sum(dim=0).numpy()
    wanted = by_hand(alike * network.sharpness.item(), 4.0)
    assert np.abs(found.astype(int) - wanted).max() <= 1, "a rounding apart"
    assert (found.min(axis=2) == 0).all(), "the cheapest costs nothing"
    assert np.array_equal(found, volume(network, one, two, 12, gain=4.0, threads=3))


def test_the_accurate_network_compares_every_pair_of_places() -> None:
    torch.manual_seed(0)
    network = Accurate(width=0.05).eval()
    one, two = vectors(network, standard(*views(6, 18), DEVICE), DEVICE)
    found = volume(network, one, two, 7, gain=30.0)
    alike = np.full((6, 18, 7), np.nan, np.float32)
    with torch.inference_mode():
        for y in range(6):
            for x in range(18):
                for d in range(min(7, x + 1)):
                    alike[y, x, d] = network.alike(one[:, y, x][None], two[:, y, x - d][None])
    assert np.abs(found.astype(int) - by_hand(alike, 30.0)).max() <= 1


def test_a_shifted_picture_is_found_at_its_shift() -> None:
    """Even an untrained network's vectors are alike where the pictures are."""
    torch.manual_seed(0)
    network = Fast(width=0.2)
    one, two = vectors(network, standard(*views(32, 64), DEVICE), DEVICE)
    winners = volume(network, one, two, 10, gain=8.0).argmin(axis=2)
    assert (winners[8:-8, 16:-16] == 4).mean() > 0.95


@pytest.mark.parametrize("network", [Fast(width=0.1), Compact(width=0.2), Accurate(width=0.05)])
def test_rows_at_a_time_give_the_vectors_of_the_whole(network: torch.nn.Module) -> None:
    images = standard(*views(2 * ROWS + 10, 30), DEVICE)
    with torch.inference_mode():
        whole = network.describe(images)
    for found, wanted in zip(vectors(network, images, DEVICE), whole, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
