"""Which superpixels and which vote: all of them measured on photos that were not trained on, and the best one kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from percept.core.device import Device
from percept.core.evaluation import answers
from percept.vision.scene import data, decode, superpixels
from percept.vision.scene.metrics import Figures, Scores
from percept.vision.scene.options import SEGMENTS
from percept.vision.scene.vote import vote

GATES = (0.5, 0.6, 0.7, 0.8, 0.9)  # of the gated vote: how sure a pixel must be to keep its own answer
GAIN = 0.05  # percent points of accuracy and mean IoU together by which a vote must beat none to be worth its time


@dataclass(frozen=True)
class Row:
    """One way to vote and what it scores: percent, and milliseconds a photo for superpixels and vote."""

    segments: str
    vote: str
    gate: float
    figures: Figures
    boundary_f1: float | None
    milliseconds: float

    def to_json(self) -> dict[str, Any]:
        """As plain values: what it is, the figures in percent, and milliseconds a photo."""
        return {
            "segments": self.segments,
            "vote": self.vote,
            "gate": self.gate,
            "pixel_accuracy": self.figures.pixel_accuracy,
            "class_accuracy": self.figures.class_accuracy,
            "mean_iou": self.figures.mean_iou,
            "boundary_f1": self.boundary_f1,
            "ms": self.milliseconds,
        }

    @property
    def worth(self) -> float:
        """Pixel accuracy and mean IoU together."""
        return (self.figures.pixel_accuracy or 0.0) + (self.figures.mean_iou or 0.0)


@dataclass(frozen=True)
class Found:
    """All rows, the first of them without a vote, and the best as it stands in a weight file's header."""

    rows: tuple[Row, ...]
    best: dict[str, Any]

    @property
    def figures(self) -> Figures:
        """Those of the best way."""
        return next(row.figures for row in self.rows if _named(row) == self.best)


def search(network: nn.Module, photos: data.PhotoSet, how: decode.Settings, device: Device) -> Found:
    """Measure all votes on ``photos``; the best is the one that wins most, none if none wins :data:`GAIN`."""

    def read(photo: data.Photo) -> tuple[np.ndarray, np.ndarray]:
        return data.read_pair(photo, photos)

    rows = measure(network, photos.photos, read, len(photos.names), how, device, GATES)
    best = max(rows[1:], key=lambda row: row.worth)
    return Found(rows, _named(best if best.worth > rows[0].worth + GAIN else rows[0]))


def measure(
    network: nn.Module,
    photos: Sequence[data.Photo],
    read: Callable[[data.Photo], tuple[np.ndarray, np.ndarray]],
    classes: int,
    how: decode.Settings,
    device: Device,
    gates: Sequence[float] = (),
) -> tuple[Row, ...]:
    """One row without a vote, and one for each of superpixels and vote.

    Args:
        read: gives photo (H, W, 3) and truth (H, W).
        gates: of the gated vote; that of ``how`` if none are given.
    """
    ways = [("none", "", 0.0), *_ways(gates or (how.gate,))]
    scores = {way: Scores(classes) for way in ways}
    seconds = dict.fromkeys(ways, 0.0)

    def count(photo: data.Photo) -> None:
        rgb, truth = read(photo)
        seen, alone = decode.alone(network, rgb, how, device)
        scores[ways[0]].add(decode.labels(alone, *truth.shape), truth)
        made: dict[str, tuple[np.ndarray, float]] = {}
        for way in ways[1:]:
            segments, kind, gate = way
            if segments not in made:
                began = time.perf_counter()
                made[segments] = superpixels.segment(seen, segments), time.perf_counter() - began
            began = time.perf_counter()
            voted = vote(alone, made[segments][0], kind, gate)
            seconds[way] += made[segments][1] + time.perf_counter() - began
            scores[way].add(decode.labels(voted, *truth.shape), truth)

    answers("photos", photos, count)
    each = 1000 / max(1, len(photos))
    return tuple(
        Row(*way, scores[way].figures(), scores[way].to_metrics()["boundary_f1"], each * seconds[way]) for way in ways
    )


def _ways(gates: Sequence[float]) -> Iterator[tuple[str, str, float]]:
    for segments in SEGMENTS[1:]:
        yield segments, "majority", 0.0
        yield segments, "soft", 0.0
        for gate in gates:
            yield segments, "gated", gate


def _named(row: Row) -> dict[str, Any]:
    if row.segments == "none":
        return {"segments": "none"}
    return {"segments": row.segments, "vote": row.vote, **({"gate": row.gate} if row.vote == "gated" else {})}
