"""Detection's verbs: what predict, train, eval, export and data check do."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from percept.core import checkpoint, datasets, weights
from percept.core.console import say
from percept.core.device import Device, choose
from percept.core.errors import UsageError
from percept.core.evaluation import Report, Table, answers, figure
from percept.vision import image, onnx
from percept.vision.detect import check as checks
from percept.vision.detect import data, decode, metrics
from percept.vision.detect.detector import dense_options, load
from percept.vision.detect.mistakes import mistakes
from percept.vision.detect.networks import from_checkpoint
from percept.vision.detect.options import DATASETS, Evaluate, Export, Train
from percept.vision.detect.overfeat import OverFeatDetector
from percept.vision.detect.published import published
from percept.vision.detect.trainer import Trainer

__all__ = ["check", "evaluate", "export", "load", "trainer"]

EVERY_WINDOW = 0.001  # lowest score that is measured: AP wants the whole curve


def trainer(options: Train, device: Device) -> Trainer:
    """What the training loop is given. Data and labels are checked here, before anything is computed."""
    return Trainer(options, device, [(_name(name), _folder(name)) for name in options.data])


def evaluate(options: Evaluate) -> Report:
    """AP by COCO's protocol, VOC's AP50, calibration, and where the errors come from."""
    folder = _folder(options.data)
    split = options.split or next((name for name in ("test", "val") if name in data.splits(folder)), "val")
    photos = data.read_photos(folder, split)
    if options.limit:
        photos = replace(photos, photos=photos.photos[: options.limit])
    shown, path = weights.resolve(options.weights, "detect")
    read = checkpoint.load(path, task="detect")
    names_of_data = photos.names
    left_out = [problem for problem in photos.problems if problem.dropped]
    if left_out:
        say(f"{len(left_out)} labels or photos left out, first {left_out[0]} (percept data check {options.data})")
    photos = _in_order_of(photos, tuple(read.header["classes"]))
    device = choose(options.device, options.threads, options.precision)
    network = from_checkpoint(read).to(device.torch, memory_format=torch.channels_last)
    dense = dense_options(options, read.header)
    spent = 0.0

    def detect(photo: data.Photo) -> metrics.Found:
        nonlocal spent
        rgb = image.read_sample(photo.path)
        began = time.perf_counter()
        found = decode.detect(network, rgb, device=device, conf=EVERY_WINDOW, **dense)
        spent += time.perf_counter() - began
        return found

    found, seconds = answers("photos", photos.photos, detect)
    scores = metrics.score(photos, found)
    sure, right = metrics.graded(photos, found)
    voc, _ = metrics.voc_ap50(photos, found)
    milliseconds = 1000 * spent / max(1, len(photos.photos))
    names = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large")
    ours = {name: getattr(scores, name) for name in names}
    where = (
        f"scales {','.join(map(str, dense['scales']))}, merge {dense['merge']}{', mirrored' if dense['flip'] else ''}"
    )
    files = _files(options, scores) if options.out else []
    return Report(
        "detect",
        _name(options.data),
        split,
        shown,
        len(photos.photos),
        ours,
        seconds,
        published=published(names_of_data),
        tables=[
            Table(
                "",
                ("measured here", *names, "ms"),
                ((shown, *(figure(ours[name]) for name in names), f"{milliseconds:.0f}"),),
            ),
            Table(
                "classes",
                ("class", "AP", "AP50", "boxes"),
                tuple((c.label, figure(c.AP), figure(c.AP50), str(c.boxes)) for c in scores.per_class if c.boxes),
            ),
            Table(
                "scores: said and right",
                ("score", "boxes", "said", "right"),
                tuple(
                    (f"{b.low:.1f}-{b.high:.1f}", str(b.count), figure(b.predicted, 2), figure(b.right, 2))
                    for b in metrics.reliability(sure, right)
                ),
            ),
            Table(
                "where errors come from (scores over 0.4)",
                ("kind", "count", "share", "AP50 if mended"),
                tuple(
                    (row.kind, str(row.count), figure(row.share, 2), figure(row.gain))
                    for row in mistakes(photos, found, 0.4)
                ),
            ),
        ],
        note=f"COCO's protocol: 100 boxes a photo, IoU .50:.05:.95; {where}; {device}",
        files=files,
        details={
            "per_class": [vars(c) for c in scores.per_class],
            "voc_ap50": voc,
            "ms_per_photo": milliseconds,
            "left_out": len(left_out),
            "scales": list(dense["scales"]),
            "merge": dense["merge"],
            "tta": dense["flip"],
        },
    )


def export(options: Export) -> dict[str, Any]:
    """ONNX: images (B, 3, H, W) RGB 0..1 -> scores (B, N, K), boxes (B, N, 4) pixels; H and W multiples of stride."""
    shown, path = weights.resolve(options.weights, "detect")
    read = checkpoint.load(path, task="detect")
    network = from_checkpoint(read)
    # OverFeat pads a picture smaller than its window, by a number that would become a constant
    least = network.grid.size if isinstance(network, OverFeatDetector) else 0
    size = -(-max(options.size, least) // network.stride) * network.stride
    outputs = {name: {0: "batch", 1: "windows"} for name in ("scores", "boxes")}
    return onnx.write(network, read.header, shown, options.out, size=size, further=network.stride, outputs=outputs)


def check(folder: Path) -> checks.Report | None:
    """What a folder of labelled photos holds and what is wrong with it, or None if it is no such folder."""
    return checks.report(folder) if data.recognise(folder) else None


def _folder(name: str) -> Path:
    return datasets.find(name, datasets.rows({"detect": DATASETS}), "detect")[0]


def _name(name: str) -> str:
    return Path(name).name or name


def _files(options: Evaluate, scores: metrics.Scores) -> list[Path]:
    curves = Path(options.out) / "precision_recall.png"
    curves.parent.mkdir(parents=True, exist_ok=True)
    metrics.pr_curves(scores, curves)
    return [curves]


def _in_order_of(photos: data.PhotoSet, names: tuple[str, ...]) -> data.PhotoSet:
    """The photos with labels in the order of the weights' classes.

    Raises:
        UsageError: the data has a class that the weights do not know.
    """
    unknown = [name for name in photos.names if name not in names]
    if unknown:
        raise UsageError(f"these weights know no class {', '.join(unknown[:5])}; they know {', '.join(names[:10])} ...")
    return data.relabelled(photos, names)
