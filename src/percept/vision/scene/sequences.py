"""How steady the labels of a labelled sequence are, frame by frame alone and steadied by the past."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from torch import nn

from percept.core.device import Device
from percept.core.errors import UsageError
from percept.core.evaluation import answers
from percept.vision.scene import data, decode
from percept.vision.scene.metrics import Scores
from percept.vision.scene.temporal import Steady
from percept.vision.scene.temporal_metrics import Consistency

ALONE, STEADIED = "each frame alone", "steadied"
Read = Callable[[data.Photo], tuple[np.ndarray, np.ndarray]]


def steadiness(
    network: nn.Module, photos: Sequence[data.Photo], read: Read, classes: int, how: decode.Settings, device: Device
) -> dict[str, dict[str, float | None]]:
    """Flicker, consistency and mean IoU (percent) of each frame alone and steadied, and what the truth itself reaches.

    Args:
        read: gives photo (H, W, 3) and truth (H, W) of a frame.

    Raises:
        UsageError: the photos are no sequence.
    """
    frames = sorted((photo for photo in photos if photo.video), key=lambda photo: (photo.video, photo.frame))
    if len(frames) < 2:
        raise UsageError("--temporal: these photos are no frames of a sequence")
    ways = {ALONE: Consistency(), STEADIED: Consistency()}
    scores = {way: Scores(classes, boundaries=False) for way in ways}
    spent = dict.fromkeys(ways, 0.0)
    past: dict[str, Steady] = {}

    def follow(photo: data.Photo) -> None:
        rgb, truth = read(photo)
        began = time.perf_counter()
        seen, found = decode.alone(network, rgb, how, device)
        found = decode.voted(network, found, seen, how, device)
        spent[ALONE] += time.perf_counter() - began
        if photo.video not in past:
            past.clear()
            past[photo.video] = Steady(classes)
            for way in ways.values():
                way.restart()
        began = time.perf_counter()
        steady = past[photo.video].add(seen, found)
        spent[STEADIED] += time.perf_counter() - began
        for way, one in ((ALONE, found), (STEADIED, steady)):
            labels = decode.labels(one, *truth.shape)
            scores[way].add(labels, truth)
            ways[way].add(rgb, labels, truth)

    answers("frames", frames, follow)
    made: dict[str, dict[str, float | None]] = {}
    for name, way in ways.items():
        figures, own = way.figures(), scores[name].to_metrics()
        made[name] = {
            "flicker": figures["flicker"],
            "consistency": figures["consistency"],
            "mIoU": own["mean_iou"],
            "pixel": own["pixel_accuracy"],
            "ms": 1000 * spent[name] / len(frames),
        }
    made["the truth itself"] = {"flicker": 0.0, "consistency": ways[ALONE].figures()["truth_consistency"]}
    return made
