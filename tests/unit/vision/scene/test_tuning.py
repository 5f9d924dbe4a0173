"""The search for superpixels and vote: all are measured, the best one wins, and none where none does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from percept.core.device import Device
from percept.vision.scene import decode, tuning
from percept.vision.scene.data import VOID, Photo, PhotoSet
from percept.vision.scene.metrics import Confusion
from percept.vision.scene.options import SEGMENTS, Parsing

CPU = Device(torch.device("cpu"), 1, torch.float32, "")
HOW = decode.Settings(60, gate=0.65)
COLOURS = np.array([(90, 140, 220), (150, 90, 60), (60, 160, 60)], np.uint8)
NAMES = ("sky", "house", "grass")


class Knows(nn.Module):
    """The class of each pixel by its colour, as sure as is said; in a share of the pixels another one, less sure."""

    stride = 1

    def __init__(self, wrong: float, sure: float = 5.0, unsure: float = 1.0) -> None:
        super().__init__()
        self.wrong, self.sure, self.unsure = wrong, sure, unsure

    def forward(self, images: Tensor) -> Tensor:
        pixels = images.permute(0, 2, 3, 1) * 255  # (1, 3, H, W) -> (1, H, W, 3)
        found = (pixels[..., None, :] - torch.from_numpy(COLOURS).float()).abs().sum(-1).argmin(-1)  # (1, H, W)
        wrong = torch.rand(found.shape, generator=torch.Generator().manual_seed(0)) < self.wrong
        found = torch.where(wrong, (found + 1) % 3, found)
        scores = torch.where(wrong, self.unsure, self.sure)[..., None] * nn.functional.one_hot(found, 3)
        return scores.permute(0, 3, 1, 2)  # (1, H, W, K) -> (1, K, H, W)


def scene(number: int) -> tuple[np.ndarray, np.ndarray]:
    truth = cv2.resize(
        np.random.default_rng(number).integers(0, 3, (3, 4), np.uint8), (60, 48), interpolation=cv2.INTER_NEAREST
    )
    rgb = COLOURS[truth]
    truth[:, :2] = VOID
    return rgb, truth


PHOTOS = tuple(Photo(f"p{number}", Path(f"p{number}.png"), Path(f"l{number}.png"), "") for number in range(2))


def read(photo: Photo, _: PhotoSet | None = None) -> tuple[np.ndarray, np.ndarray]:
    return scene(int(photo.name[1:]))


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> Callable[[nn.Module], tuning.Found]:
    monkeypatch.setattr(tuning.data, "read_pair", read)
    photos = PhotoSet("folder", NAMES, ((0, 0, 0),) * 3, PHOTOS)
    return lambda network: tuning.search(network, photos, decode.Settings(60), CPU)


def test_a_row_for_each_way_and_the_first_without_a_vote() -> None:
    rows = tuning.measure(Knows(0.2), PHOTOS, read, 3, HOW, CPU, (0.5, 0.9))
    assert [(row.segments, row.vote, row.gate) for row in rows] == [
        ("none", "", 0.0),
        *(
            (segments, vote, gate)
            for segments in SEGMENTS[1:]
            for vote, gate in (("majority", 0.0), ("soft", 0.0), ("gated", 0.5), ("gated", 0.9))
        ),
    ]
    assert rows[0].milliseconds == 0 and all(row.milliseconds > 0 for row in rows[1:])
    assert json.loads(json.dumps([row.to_json() for row in rows]))[2]["vote"] == "soft"


def test_the_first_row_is_what_the_network_alone_scores() -> None:
    network, by_hand = Knows(0.2), Confusion(3)
    for photo in PHOTOS:
        rgb, truth = read(photo)
        by_hand.add(decode.probabilities(network, rgb, CPU).argmax(0).astype(np.uint8), truth)
    first, *others = tuning.measure(network, PHOTOS, read, 3, HOW, CPU)
    assert first.figures == by_hand.figures()
    assert 75 < first.figures.pixel_accuracy < 85
    assert first.worth == first.figures.pixel_accuracy + first.figures.mean_iou
    assert [row.gate for row in others if row.vote == "gated"] == [HOW.gate] * 3, "none was given"
    assert len(others) == 9


def test_a_vote_that_is_right_more_often_is_found(search: Callable[[nn.Module], tuning.Found]) -> None:
    found = search(Knows(0.25))
    best = max(found.rows, key=lambda row: row.worth)
    assert found.figures == best.figures
    assert found.figures.pixel_accuracy > found.rows[0].figures.pixel_accuracy + 15
    assert found.best["segments"] == best.segments != "none" and found.best["vote"] == best.vote
    assert len(found.rows) == 1 + 3 * (2 + len(tuning.GATES))
    how = decode.settings(Parsing(), {"size": 60, "model": {}, "vote": found.best})
    assert (how.segments, how.vote) == (best.segments, best.vote), "as it stands in a header it is understood"


def test_no_vote_is_kept_where_none_wins(search: Callable[[nn.Module], tuning.Found]) -> None:
    found = search(Knows(0.0))
    assert found.rows[0].figures.pixel_accuracy == 100
    assert found.best == {"segments": "none"} and found.figures == found.rows[0].figures


def test_a_vote_that_hardly_wins_is_not_worth_its_time(
    monkeypatch: pytest.MonkeyPatch, search: Callable[[nn.Module], tuning.Found]
) -> None:
    monkeypatch.setattr(tuning, "GAIN", 1000.0)
    found = search(Knows(0.25))
    assert found.best == {"segments": "none"} and found.figures == found.rows[0].figures


def test_where_sure_pixels_are_right_against_their_segment_the_gate_is_kept_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wires before the sky, as blue as it: no superpixel sees them, the network does."""

    class Sees(Knows):
        def forward(self, images: Tensor) -> Tensor:
            scores = super().forward(images)
            scores[:, :, ::8] = torch.tensor([0.0, 0.0, 6.0])[None, :, None, None]
            return scores

    def wired(photo: Photo, _: PhotoSet) -> tuple[np.ndarray, np.ndarray]:
        rgb, truth = read(photo)
        truth[::8] = 2
        return rgb, truth

    monkeypatch.setattr(tuning.data, "read_pair", wired)
    found = tuning.search(Sees(0.25), PhotoSet("folder", NAMES, ((0, 0, 0),) * 3, PHOTOS), decode.Settings(60), CPU)
    assert found.best["vote"] == "gated" and found.best["gate"] in tuning.GATES
    worth = {(row.segments, row.vote, row.gate): row.worth for row in found.rows}
    assert found.figures == next(row.figures for row in found.rows if row.worth == max(worth.values()))
    assert max(worth.values()) > worth[found.best["segments"], "soft", 0.0] + 5
