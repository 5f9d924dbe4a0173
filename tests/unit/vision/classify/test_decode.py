"""The vote over places, scales and mirror images, and maps laid on the photo, with networks whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from percept.core.device import Device
from percept.core.errors import UsageError
from percept.vision.classify.decode import SCALES, VOTES, best, classify, heat, on_photo, pyramid
from percept.vision.classify.model import ARCHITECTURES, build
from percept.vision.overfeat import Grid

CPU = Device(torch.device("cpu"), 1, torch.float32, "a test")


class Colours(nn.Module):
    """Class 0 where a cell of 32 pixels is red, 1 where it is green, 2 where blue; sure of it."""

    def grid(self) -> Grid:
        return Grid(32, 32)

    def forward(self, images: Tensor) -> Tensor:
        return F.avg_pool2d(images, 32) * 50


def half_red_quarter_green(height: int = 64, width: int = 128) -> np.ndarray:
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 2] = 255
    rgb[:, : width // 2] = (255, 0, 0)
    rgb[: height // 2, width // 2 :] = (0, 255, 0)
    return rgb


def test_the_mean_vote_counts_places_and_the_maximum_does_not() -> None:
    rgb = half_red_quarter_green()
    mean = classify(Colours(), rgb, scales=(64,), vote="mean", flip=False, device=CPU)
    most = classify(Colours(), rgb, scales=(64,), vote="max", flip=True, device=CPU)
    np.testing.assert_allclose(mean, [0.5, 0.25, 0.25], atol=1e-6)
    np.testing.assert_allclose(most, [1 / 3] * 3, atol=1e-6)
    assert mean.dtype == np.float32


def test_scales_and_mirror_images_count_alike() -> None:
    class LeftOnly(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images[:, :, :1, :1] * 50

    rgb = half_red_quarter_green()  # left: red; the mirror image's left: green above, blue below
    alone = classify(LeftOnly(), rgb, scales=(64,), vote="max", flip=False, device=CPU)
    both = classify(LeftOnly(), rgb, scales=(64, 128), vote="max", flip=True, device=CPU)
    np.testing.assert_allclose(alone, [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(both, [0.5, 0.5, 0], atol=1e-6)


def test_pyramid_has_the_shortest_side_and_bounds_strips() -> None:
    rgb = np.zeros((100, 150, 3), np.uint8)
    assert [tuple(images.shape) for images in pyramid(rgb, (50, 100, 100), True, CPU)] == [
        (2, 3, 50, 75),
        (2, 3, 100, 150),
    ]
    strip = np.zeros((2, 4000, 3), np.uint8)
    assert next(pyramid(strip, (64,), False, CPU)).shape == (1, 3, 1, 384)
    with pytest.raises(UsageError, match="one or more numbers"):
        next(pyramid(rgb, (), False, CPU))


def test_best_gives_names_and_no_more_than_there_are() -> None:
    shares = np.array([0.1, 0.6, 0.3], np.float32)
    assert [name for name, _ in best(shares, ("a", "b", "c"), 2)] == ["b", "c"]
    assert len(best(shares, ("a", "b", "c"))) == 3


@pytest.mark.parametrize("flip", [False, True])
def test_heat_lies_where_the_class_is(flip: bool) -> None:
    rgb = half_red_quarter_green(128, 256)
    green = heat(Colours(), rgb, 1, scales=(128, 256), flip=flip, device=CPU)
    assert green.shape == (128, 256)
    assert green[:40, 150:].min() > 0.95
    assert green[:, :100].max() < 0.05 and green[90:, :].max() < 0.05


def test_a_map_is_laid_by_the_middles_of_its_cells() -> None:
    cells = np.array([[0.0, 1.0]], np.float32)
    placed = on_photo(cells, Grid(size=4, stride=2), 1.0, 1.0, height=3, width=8)
    # middles at pixel edges 2 and 4; values of pixel middles 0.5, 1.5, 2.5, 3.5, 4.5 ...
    np.testing.assert_allclose(placed[0], [0, 0, 0.25, 0.75, 1, 1, 1, 1], atol=1e-6)
    assert (placed == placed[0]).all()


def test_real_networks_give_probabilities_and_maps() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    for name in ARCHITECTURES:
        torch.manual_seed(0)
        network = build(name, 4, **({} if name == "mobilenet-v2" else {"width": 0.02})).eval()
        shares = classify(network, rgb, scales=SCALES[name][:1], vote=VOTES[name], flip=True, device=CPU)
        assert shares.shape == (4,) and abs(shares.sum() - 1) < 1e-5
        seen = heat(network, rgb, 2, scales=SCALES[name][:1], flip=True, device=CPU)
        assert seen.shape == (60, 90) and seen.min() >= 0 and seen.max() <= 1


def test_unknown_vote_is_refused() -> None:
    with pytest.raises(UsageError, match='no vote "median"'):
        classify(Colours(), half_red_quarter_green(), scales=(64,), vote="median", flip=False, device=CPU)
