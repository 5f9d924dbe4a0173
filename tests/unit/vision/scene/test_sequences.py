"""How steady a labelled sequence is: frames in their order, each video by itself, what steadying takes away."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from percept.core.device import Device
from percept.core.errors import UsageError
from percept.vision.scene.data import Photo
from percept.vision.scene.decode import Settings
from percept.vision.scene.sequences import ALONE, STEADIED, steadiness

CPU = Device(torch.device("cpu"), 1, torch.float32, "")
HOW = Settings(80)
COLOURS = {
    "a": np.array([(90, 140, 220), (150, 90, 60), (230, 220, 60)]),
    "b": np.array([(20, 20, 30), (240, 240, 240), (200, 30, 40)]),
}


class Wavers(nn.Module):
    """Knows the class by the colour, and wavers: noise in blobs, another one at each call."""

    stride = 1

    def __init__(self, noise: float) -> None:
        super().__init__()
        self.noise, self.calls = noise, 0

    def forward(self, images: Tensor) -> Tensor:
        pixels = images[0].permute(1, 2, 0).numpy() * 255  # (1, 3, H, W) -> (H, W, 3)
        off = [np.abs(pixels[:, :, None] - colours).sum(-1) for colours in COLOURS.values()]
        truth = np.min(off, axis=0).argmin(-1)  # (H, W)
        blobs = np.random.default_rng(self.calls).normal(0, self.noise, (3, 10, 13))
        self.calls += 1
        scores = 2.0 * (np.arange(3)[:, None, None] == truth)
        scores += [cv2.resize(blob, truth.shape[::-1], interpolation=cv2.INTER_CUBIC) for blob in blobs]
        return torch.from_numpy(scores).float()[None]


def frame(video: str, number: int) -> Photo:
    name = f"{video}_{number:06d}"
    return Photo(name, Path(f"{name}.png"), Path(f"{name}_l.png"), name, video, number)


def read(photo: Photo) -> tuple[np.ndarray, np.ndarray]:
    """Sky over a house, in video b under one; a square moves by two pixels a frame."""
    truth = np.zeros((60, 80), np.uint8)
    truth[30:] = 1
    truth = truth[::-1].copy() if photo.video == "b" else truth
    truth[20:40, 10 + 2 * photo.frame : 30 + 2 * photo.frame] = 2
    rgb = COLOURS[photo.video][truth] + np.random.default_rng(photo.frame).normal(0, 3, (60, 80, 3))
    return np.clip(rgb, 0, 255).astype(np.uint8), truth


def without_times(found: dict[str, dict[str, float | None]]) -> dict[str, dict[str, float | None]]:
    return {way: {name: value for name, value in row.items() if name != "ms"} for way, row in found.items()}


def test_steadying_takes_flicker_away_and_no_accuracy() -> None:
    found = steadiness(Wavers(1.0), [frame("a", n) for n in range(7)], read, 3, HOW, CPU)
    assert list(found) == [ALONE, STEADIED, "the truth itself"]
    alone, steadied, truth = found.values()
    assert alone["flicker"] > 10 and steadied["flicker"] < alone["flicker"] / 2
    assert steadied["consistency"] > alone["consistency"] + 5
    assert steadied["mIoU"] >= alone["mIoU"] and steadied["pixel"] >= alone["pixel"]
    assert alone["ms"] > 0 and steadied["ms"] > 0
    assert truth["flicker"] == 0 and truth["consistency"] > 95


def test_frames_go_in_the_order_of_their_numbers() -> None:
    numbers = [9, 10, 11, 8, 12]  # 10 is not before 9
    mixed = [frame("a", n) for n in numbers]
    ordered = [frame("a", n) for n in sorted(numbers)]
    one, other = (steadiness(Wavers(1.0), photos, read, 3, HOW, CPU) for photos in (mixed, ordered))
    assert without_times(one) == without_times(other)
    seen: list[int] = []

    def noted(photo: Photo) -> tuple[np.ndarray, np.ndarray]:
        seen.append(photo.frame)
        return read(photo)

    steadiness(Wavers(0.0), mixed, noted, 3, HOW, CPU)
    assert seen == [8, 9, 10, 11, 12]


def test_between_two_videos_nothing_is_compared() -> None:
    """The last frame of one and the first of the next have hardly a label in common."""
    photos = [frame(video, n) for video in "ab" for n in range(3)]
    found = steadiness(Wavers(0.0), photos, read, 3, HOW, CPU)
    for way in (ALONE, STEADIED):
        assert found[way]["pixel"] > 97 and found[way]["flicker"] < 2 and found[way]["consistency"] > 95
    assert found["the truth itself"]["consistency"] > 95


def test_photos_without_a_sequence_do_not_count() -> None:
    photos = [frame("a", n) for n in range(3)]
    stray = Photo("x", Path("x.png"), Path("x_l.png"), "x")
    found, alone = (steadiness(Wavers(0.5), some, read, 3, HOW, CPU) for some in ([stray, *photos], photos))
    assert without_times(found) == without_times(alone)
    for few in ([stray, stray], [frame("a", 1), stray], []):
        with pytest.raises(UsageError, match="--temporal: these photos are no frames of a sequence"):
            steadiness(Wavers(0.5), few, read, 3, HOW, CPU)
