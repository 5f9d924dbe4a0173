"""The matching networks: counts of the paper's tables, dense answers equal to patch by patch, shapes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from percept.vision.stereo.model import Accurate, Compact, Fast, standardised, to_grey


def textured(height: int, width: int, batch: int = 1, seed: int = 0) -> torch.Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("network", "count"),
    [
        # one grey channel, then layers of 64 or 112 maps, 3 x 3 and a bias each; the sharpness is ours
        (Fast(layers=4), 640 + 3 * 36_928 + 1),
        (Fast(layers=5), 640 + 4 * 36_928 + 1),
        # Middlebury: five layers of 112, three of 384 units on 224 numbers; KITTI: four and four
        (Accurate(layers=5), 1_120 + 4 * 113_008 + 86_400 + 2 * 147_840 + 385),
        (Accurate(layers=4), 1_120 + 3 * 113_008 + 86_400 + 3 * 147_840 + 385),
    ],
)
def test_parameter_counts_are_the_papers(network: torch.nn.Module, count: int) -> None:
    assert sum(parameter.numel() for parameter in network.parameters()) == count


@pytest.mark.parametrize("layers", [4, 5])
def test_a_patch_is_nine_or_eleven_pixels(layers: int) -> None:
    network = Fast(width=0.1, layers=layers)
    side = 2 * layers + 1
    assert network.vectors(torch.rand(1, 1, side, side)).shape == (1, network.channels, 1, 1)


@pytest.mark.parametrize("kind", [Fast, Accurate])
def test_dense_is_patch_by_patch(kind: type) -> None:
    torch.manual_seed(1)
    network = kind(width=0.1, layers=5).eval()
    images = textured(17, 23)
    with torch.inference_mode():
        dense = network(images)
        grey = F.pad(to_grey(standardised(images)), [5] * 4, mode="replicate")
        for y, x in ((0, 0), (8, 11), (16, 22), (3, 22)):
            patch = network.vectors(grey[:, :, y : y + 11, x : x + 11])
            torch.testing.assert_close(dense[:, :, y, x], patch[:, :, 0, 0])


@pytest.mark.parametrize(("kind", "width"), [(Fast, 0.2), (Compact, 0.5)])
@pytest.mark.parametrize("size", [(16, 16), (31, 45), (1, 9)])
def test_vectors_have_the_pictures_size_and_length_one(kind: type, width: float, size: tuple[int, int]) -> None:
    torch.manual_seed(1)  # of so few maps all may be zero somewhere, before training: eight seeds of a hundred
    network = kind(width=width)
    with torch.inference_mode():
        found = network(textured(*size))
    assert found.shape == (1, network.channels, *size)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(1, *size))


def test_compact_sees_four_pixels_to_each_side() -> None:
    torch.manual_seed(2)
    network = Compact().eval()
    images = standardised(textured(24, 40))
    with torch.inference_mode():
        whole = network.describe(images)
        patch = network.describe(images[:, :, 6:15, 20:29])[:, :, 4, 4]
    torch.testing.assert_close(whole[:, :, 10, 24], patch)


def test_brighter_and_more_contrasty_is_the_same_picture() -> None:
    images = textured(12, 18)
    torch.testing.assert_close(standardised(images), standardised(images * 0.5 + 0.2), rtol=1e-4, atol=1e-4)
    flat = standardised(torch.full((1, 3, 8, 8), 0.4))
    assert float(flat.abs().max()) < 1e-4, "a plain picture stays plain"


def test_halves_are_the_fully_connected_layers_of_the_joined_vectors() -> None:
    torch.manual_seed(3)
    network = Accurate(width=0.1).eval()
    left, right = torch.rand(2, 7, network.channels)
    hidden = F.relu(network.first(torch.cat([left, right], dim=1)))
    for layer in network.others:
        hidden = F.relu(layer(hidden))
    torch.testing.assert_close(network.alike(left, right), network.last(hidden)[:, 0])
    assert np.isfinite(network.alike(left, right).detach().numpy()).all()
