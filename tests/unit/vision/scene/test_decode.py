"""From photo to labels: working size, tiles that leave no seam, mirror, votes, and labels of the photo's own size."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from percept.core import checkpoint, weights
from percept.core.device import Device
from percept.core.errors import UsageError
from percept.vision.image import read_image
from percept.vision.scene import decode, model
from percept.vision.scene.decode import Settings
from percept.vision.scene.model import Pyramid
from percept.vision.scene.networks import from_checkpoint
from percept.vision.scene.options import Predict
from percept.vision.scene.superpixels import segment

CPU = Device(torch.device("cpu"), 1, torch.float32, "")
EXAMPLES = Path(__file__).resolve().parents[4] / "examples"


class OfColour(nn.Module):
    """Scores that are the pixel's own colour, a class a channel; counts how many pixels it was shown."""

    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, ...]] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(tuple(images.shape))
        return 4 * images


class OfHalves(nn.Module):
    """Class 0 in the left half of whatever it is shown, class 1 in the right: the mirrored photo contradicts."""

    stride = 4

    def forward(self, images: Tensor) -> Tensor:
        rows, columns = -(-images.shape[2] // 4), -(-images.shape[3] // 4)
        right = torch.arange(columns) >= columns // 2
        return 3 * torch.stack([~right, right]).float()[None, :, None].expand(len(images), 2, rows, columns)


class OfSegments(nn.Module):
    """What weights of farabet can do: :meth:`features` of a picture, and the cover that is made of them."""

    def features(self, images: Tensor) -> Tensor:
        return images.mean(1, keepdim=True)

    def cover(self, features: Tensor, rgb: np.ndarray) -> np.ndarray:
        assert features.shape == (1, *rgb.shape[:2])
        return np.concatenate([features.numpy(), 1 - features.numpy()])


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def soft(*shape: int, seed: int = 0) -> np.ndarray:
    """Probabilities in blobs: (K, H, W)."""
    odds = np.random.default_rng(seed).random(shape).astype(np.float32) ** 4 + 0.01
    return odds / odds.sum(0)


@pytest.fixture(scope="module")
def pyramid() -> Pyramid:
    return from_checkpoint(checkpoint.load(weights.resolve("outdoor")[1]))


@pytest.mark.parametrize(
    ("shape", "size", "wanted"),
    [
        ((240, 320), 160, (120, 160)),
        ((320, 240), 160, (160, 120)),
        ((213, 320), 640, (426, 640)),
        ((1, 1), 320, (320, 320)),
        ((1, 5000), 320, (1, 320)),
        ((5000, 3), 100, (100, 1)),
    ],
)
def test_the_longest_side_has_the_working_size(shape: tuple[int, int], size: int, wanted: tuple[int, int]) -> None:
    seen = decode.working(np.full((*shape, 3), 77, np.uint8), size)
    assert seen.shape == (*wanted, 3) and seen.dtype == np.uint8 and (seen == 77).all()


def test_a_photo_of_that_size_is_left_as_it_is() -> None:
    rgb = noise(30, 64)
    assert decode.working(rgb, 64) is rgb


def test_probabilities_are_those_of_the_photos_pixels() -> None:
    rgb = noise(9, 14)
    found = decode.probabilities(OfColour(), rgb, CPU)
    wanted = torch.from_numpy(rgb).permute(2, 0, 1).div(255).mul(4).softmax(0).numpy()
    assert found.shape == (3, 9, 14) and found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@given(
    side=st.integers(257, 1500),
    other=st.one_of(st.integers(1, 8), st.integers(257, 500)),
    tile=st.integers(256, 1100),
    upright=st.booleans(),
)
@settings(max_examples=15)
def test_tiles_give_each_pixel_its_own_answer(side: int, other: int, tile: int, upright: bool) -> None:
    """Of a network that looks at single pixels, tiled is whole, wherever tiles begin and end."""
    across = np.arange(side) % 251
    rgb = np.stack(np.broadcast_arrays(across[None], np.arange(other)[:, None] % 241, across[None] // 7), 2)
    rgb = rgb.astype(np.uint8).transpose(1, 0, 2) if upright else rgb.astype(np.uint8)
    network = OfColour()
    tiled = decode.probabilities(network, np.ascontiguousarray(rgb), CPU, tile=tile)
    np.testing.assert_allclose(tiled, decode.probabilities(OfColour(), rgb, CPU, tile=4000), atol=2e-6)
    assert all(max(shape[2:]) <= tile for shape in network.seen)


@given(side=st.integers(1, 40_000), tile=st.integers(256, 4096))
@settings(max_examples=100)
def test_tiles_begin_at_multiples_overlap_and_reach_the_end(side: int, tile: int) -> None:
    starts = decode._starts(side, tile)
    assert starts[0] == 0 and starts[-1] + tile >= side and starts[-1] < side
    steps = np.diff(starts)
    assert all(start % 128 == 0 for start in starts), "cells of a tile and of the levels below are those of the whole"
    assert (steps > 0).all(), "no tile is answered twice"
    assert (tile - steps >= 64).all(), "no gap, and enough in common to fade"
    assert len(starts) <= -(-side // (tile // 2 // 128 * 128)), "hardly more tiles than needed"


@pytest.mark.parametrize(("side", "tile"), [(1025, 1024), (1537, 1024), (5472, 1024), (640, 256), (641, 257)])
def test_neighbouring_tiles_fade_into_one_another(side: int, tile: int) -> None:
    """A tile counts least at its own edges, everything at the picture's, and from pixel to pixel hardly changes."""
    starts = decode._starts(side, tile)
    shares = np.zeros((len(starts), side))
    for number, start in enumerate(starts):
        length = min(tile, side - start)
        shares[number, start : start + length] = decode._ramp(start, length, side)
    total = shares.sum(0)
    assert total.min() > 0
    shares /= total
    assert shares[0, 0] == shares[-1, -1] == 1
    assert np.abs(np.diff(shares, axis=1)).max() < 0.03


def test_of_a_photo_tiled_is_whole(pyramid: Pyramid) -> None:
    """Measured: 0.0001, 0.009 and 99.98 %. Tiles differ by what lies too far outside them to be seen."""
    rgb = decode.working(read_image(EXAMPLES / "village_bus.jpg"), 1600)[592:656]
    whole, tiled = (decode.probabilities(pyramid, rgb, CPU, tile=tile) for tile in (4096, 1024))
    off, same = np.abs(whole - tiled), whole.argmax(0) == tiled.argmax(0)
    assert len(np.unique(whole.argmax(0))) > 3, "something is seen there"
    assert off.max() > 0, "it was tiled"
    assert off.mean() < 0.001 and off.max() < 0.05 and same.mean() > 0.995


def test_no_seam_is_seen_where_tiles_meet(pyramid: Pyramid) -> None:
    """From column to column the tiled answer changes as much as the whole one does."""
    rgb = read_image(EXAMPLES / "village_bus.jpg")[200:264]
    whole, tiled = (np.abs(np.diff(decode.probabilities(pyramid, rgb, CPU, tile=t))).mean((0, 1)) for t in (1024, 256))
    for start in decode._starts(640, 256):
        for edge in (start, start + 256):
            if 0 < edge < 640:
                assert tiled[edge - 1] < 1.1 * whole[edge - 1] + 1e-3


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (37, 5), (65, 130)])
def test_probabilities_of_any_size_sum_to_one(pyramid: Pyramid, shape: tuple[int, int]) -> None:
    for flip in (False, True):
        found = decode.probabilities(pyramid, noise(*shape), CPU, flip=flip)
        assert found.shape == (8, *shape)
        np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)
        assert found.min() >= 0


def test_the_mirrored_photo_is_asked_too_and_both_count_alike() -> None:
    rgb = noise(32, 64)
    alone, both = (decode.probabilities(OfHalves(), rgb, CPU, flip=flip) for flip in (False, True))
    assert alone[0, :, :20].min() > 0.9 and alone[1, :, 44:].min() > 0.9
    np.testing.assert_allclose(both, (alone + alone[:, :, ::-1]) / 2, atol=1e-6)
    tiled = decode.probabilities(OfColour(), noise(8, 600), CPU, flip=True, tile=256)
    np.testing.assert_allclose(tiled, decode.probabilities(OfColour(), noise(8, 600), CPU), atol=2e-6)


def test_cells_are_stretched_from_their_middles_and_the_rest_is_cut_off() -> None:
    found = model.stretched(torch.arange(4.0).expand(1, 1, 3, 4), 4, 10, 14)
    assert found.shape == (1, 1, 10, 14)
    centres = ((torch.arange(14) + 0.5) / 4 - 0.5).clamp(0, 3)
    torch.testing.assert_close(found[0, 0], centres.expand(10, 14))


@pytest.mark.parametrize("size", [(24, 32), (50, 71), (200, 333), (7, 11), (1, 1)])
def test_labels_are_the_argmax_of_the_stretched_probabilities(size: tuple[int, int]) -> None:
    found = soft(11, 24, 32)
    stretched = cv2.resize(found.transpose(1, 2, 0), size[::-1], interpolation=cv2.INTER_LINEAR).reshape(*size, 11)
    labels = decode.labels(found, *size)
    assert labels.dtype == np.uint8 and labels.shape == size
    unsure = np.diff(np.sort(stretched, axis=2)[..., -2:], axis=2)[..., 0] < 1e-6
    assert ((labels == stretched.argmax(2)) | unsure).all() and unsure.mean() < 0.01


def test_of_equal_classes_the_first_is_the_label() -> None:
    even = np.full((4, 5, 6), 0.25, np.float32)
    assert not decode.labels(even, 5, 6).any() and not decode.labels(even, 20, 24).any()


def test_a_photo_of_one_pixel(pyramid: Pyramid) -> None:
    seen = decode.working(noise(1, 1), 64)
    assert decode.labels(decode.probabilities(pyramid, seen, CPU), 1, 1).shape == (1, 1)


def test_without_segments_nothing_votes() -> None:
    found = soft(3, 20, 30)
    how = Settings(30)
    assert not how.votes
    assert decode.voted(OfColour(), found, noise(20, 30), how, CPU) is found


def test_a_segments_pixels_vote() -> None:
    rgb = cv2.resize(noise(4, 5), (60, 48), interpolation=cv2.INTER_NEAREST)
    found, segments = soft(3, 48, 60), segment(rgb, "felzenszwalb")
    assert 5 < segments.max() < 40
    how = Settings(60, "felzenszwalb", "soft")
    voted = decode.voted(OfColour(), found, rgb, how, CPU)
    assert how.votes and not np.array_equal(voted, found)
    for number in range(segments.max() + 1):
        mean = found[:, segments == number].mean(1, keepdims=True)  # (K, P) -> (K, 1)
        assert np.abs(voted[:, segments == number] - mean).max() < 1e-5
    gated = decode.voted(OfColour(), found, rgb, Settings(60, "felzenszwalb", "gated", 0.7), CPU)
    sure = found.max(0) >= 0.7
    assert 0.1 < sure.mean() < 0.9
    assert np.array_equal(gated[:, sure], found[:, sure]) and np.array_equal(gated[:, ~sure], voted[:, ~sure])
    for way in ("majority", "soft", "gated"):
        np.testing.assert_allclose(
            decode.voted(OfColour(), found, rgb, Settings(60, "seeds", way), CPU).sum(0), 1, atol=1e-5
        )


def test_a_cover_is_asked_of_the_network() -> None:
    rgb, how = noise(8, 12), Settings(12, vote="cover")
    assert how.votes, "even without superpixels of their own"
    found = decode.voted(OfSegments(), soft(2, 8, 12), rgb, how, CPU)
    np.testing.assert_allclose(found[0], rgb.mean(2) / 255, atol=1e-6)


def header(**tuned: object) -> dict[str, object]:
    return {"size": 320, "model": {"name": "pyramid"}, **({"vote": tuned} if tuned else {})}


def test_options_come_before_the_weights_and_these_before_the_usual() -> None:
    def how(options: dict[str, object], **tuned: object) -> Settings:
        return decode.settings(Predict(inputs=(), **options), header(**tuned))  # type: ignore[arg-type]

    assert how({}) == Settings(320, "none", "soft", 0.8, False, 1024)
    tuned = {"segments": "seeds", "vote": "gated", "gate": 0.6}
    assert how({}, **tuned) == Settings(320, "seeds", "gated", 0.6)
    asked = how({"size": 200, "segments": "slic", "vote": "majority", "tta": True, "tile": 512}, **tuned)
    assert asked == Settings(200, "slic", "majority", 0.6, True, 512)
    assert not how({"segments": "none"}, **tuned).votes
    assert not how({}, segments="none").votes


def test_a_cover_needs_weights_that_hold_its_classifier() -> None:
    options = Predict(inputs=(), vote="cover")
    with pytest.raises(UsageError, match=r"--vote cover: only weights of farabet"):
        decode.settings(options, header())
    farabet = {"size": 320, "model": {"name": "farabet", "cover": True}}
    assert decode.settings(options, farabet).vote == "cover"
    with pytest.raises(UsageError):
        decode.settings(options, {"size": 320, "model": {"name": "farabet", "cover": False}})


def test_balance_helps_the_rare_class_where_the_network_is_unsure() -> None:
    """By hand: classes of 90 and 10 percent; 0.8 : 0.2 is 0.889 : 2 with the shares taken out."""
    found = np.array([0.8, 0.2], np.float32).reshape(2, 1, 1)
    np.testing.assert_allclose(decode.balanced(found, (0.9, 0.1), 1.0)[:, 0, 0], [0.8 / 2.6, 1.8 / 2.6], rtol=1e-5)
    half = decode.balanced(found, (0.9, 0.1), 0.5)[:, 0, 0]
    np.testing.assert_allclose(half, [0.8 / 1.4, 0.6 / 1.4], rtol=1e-5)
    np.testing.assert_allclose(decode.balanced(found, (0.9, 0.1), 0.0), found, rtol=1e-6)
    assert np.isfinite(decode.balanced(found, (1.0, 0.0), 1.0)).all()  # a class without a pixel in training


def test_balance_is_that_of_the_weights_unless_another_is_asked_for() -> None:
    header = {"size": 320, "model": {"name": "pyramid"}, "balance": 0.5, "shares": [0.9, 0.1]}
    assert decode.settings(Predict(inputs=()), header).balance == 0.5
    assert decode.settings(Predict(inputs=(), balance=0.0), header).balance == 0.0
    seen, found = decode.alone(OfHalves(), noise(32, 32), Settings(32), CPU)
    _, helped = decode.alone(OfHalves(), noise(32, 32), Settings(32, balance=1.0, shares=(0.9, 0.1)), CPU)
    np.testing.assert_allclose(helped, decode.balanced(found, (0.9, 0.1), 1.0))
    with pytest.raises(UsageError, match="do not say how frequent their classes are"):
        decode.settings(Predict(inputs=(), balance=1.0), {"size": 320, "model": {"name": "pyramid"}})
