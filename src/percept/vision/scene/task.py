"""Scene parsing's verbs: what predict, train, eval, export and data check do."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from percept.core import checkpoint, datasets, weights
from percept.core.console import say
from percept.core.device import Device, choose
from percept.core.errors import UsageError
from percept.core.evaluation import Report, answers
from percept.vision import image, onnx
from percept.vision.scene import check as checks
from percept.vision.scene import data, decode, picture, tables, tuning
from percept.vision.scene.metrics import Scores
from percept.vision.scene.model import MULTIPLE
from percept.vision.scene.networks import from_checkpoint, fused
from percept.vision.scene.options import DATASETS, Evaluate, Export, Train
from percept.vision.scene.parser import load
from percept.vision.scene.published import caution, published
from percept.vision.scene.sequences import steadiness
from percept.vision.scene.trainer import Trainer

__all__ = ["check", "evaluate", "export", "load", "trainer"]

POLICY = "void pixels do not count; classes that do not occur in the truth (-) are in no mean"
CHOOSING = "choosing"  # a split of the weights' own: the training photos by which their best epoch was chosen


def trainer(options: Train, device: Device) -> Trainer:
    """What the training loop is given. Data and labels are checked here, before anything is computed."""
    return Trainer(options, device, [(_name(name), _folder(name)) for name in options.data])


def evaluate(options: Evaluate) -> Report:
    """Pixel and class accuracy, IoU and boundary F1, with the vote and without, and of each class."""
    folder = _folder(options.data)
    there = data.splits(folder)
    split = options.split or next((name for name in ("test", "val") if name in there), "all")
    shown, path = weights.resolve(options.weights, "scene-parse")
    weights_read = checkpoint.load(path, task="scene-parse")
    header = weights_read.header
    photos = data.read_photos(folder, "train" if split == CHOOSING else split)
    if split == CHOOSING:
        kept = set(header["data"]["choosing"])
        photos = replace(photos, photos=tuple(photo for photo in photos.photos if photo.name in kept))
    if options.limit:
        photos = replace(photos, photos=photos.photos[: options.limit])
    order = _order(photos, tuple(header["classes"]))
    seen = set(header["data"].get("names", ())) | set(header["data"].get("choosing", ()))
    trained_on = [photo.name for photo in photos.photos if photo.name in seen]
    if trained_on and _name(options.data) in header["data"]["sets"]:
        say(f"these weights have seen {len(trained_on)} of the {len(photos.photos)} photos: the scores are no test")
    device = choose(options.device, options.threads, options.precision)
    network = fused(from_checkpoint(weights_read)).to(device.torch, memory_format=torch.channels_last)
    how = decode.settings(options, header)
    never = [order.index(photos.names.index(name)) for name in photos.never_tested]
    alone, voted = Scores(len(order), never), Scores(len(order), never)
    spent = {"alone": 0.0, "vote": 0.0}
    files: list[Path] = []

    def scored(photo: data.Photo) -> None:
        rgb, truth = read(photo)
        began = time.perf_counter()
        seen, found = decode.alone(network, rgb, how, device)
        labels = decode.labels(found, *truth.shape)
        between = time.perf_counter()
        alone.add(labels, truth)
        started = time.perf_counter()
        if how.votes:
            labels = decode.labels(decode.voted(network, found, seen, how, device), *truth.shape)
        spent["alone"] += between - began
        spent["vote"] += time.perf_counter() - started
        voted.add(labels, truth)
        if options.out:
            files.append(Path(options.out) / f"{photo.name}.jpg")
            image.write_image(files[-1], picture.montage(rgb, truth, labels, header["classes"], header["colours"]))

    def read(photo: data.Photo) -> tuple[np.ndarray, np.ndarray]:
        rgb, truth = data.read_pair(photo, photos)
        return rgb, places[truth]

    places = np.full(256, data.VOID, np.uint8)  # class of the data -> class of the weights
    for ours, theirs in enumerate(order):
        if theirs is not None:
            places[theirs] = ours
    _, seconds = answers("photos", photos.photos, scored)
    count = max(1, len(photos.photos))
    metrics = voted.to_metrics() | {f"{name}_no_vote": value for name, value in alone.to_metrics().items()}
    rows = [("net alone", alone.to_metrics(), 1000 * spent["alone"] / count)]
    if how.votes:
        name = tables.row_name(how.segments, how.vote)
        rows.append((name, voted.to_metrics(), 1000 * (spent["alone"] + spent["vote"]) / count))
    names = header["classes"]
    made = [tables.figures(rows), tables.classes(names, voted.figures(), set_name=photos.set)]
    details: dict[str, Any] = {"sampling": header["sampling"], "trained_on": len(trained_on)}
    sampled = f"trained with {header['sampling']} sampling"
    if options.votes:
        ways = tuning.measure(network, photos.photos, read, len(order), how, device)
        made.append(tables.votes(ways, header.get("vote", {})))
        details["votes"] = [row.to_json() for row in ways]
    if options.temporal:
        steady = steadiness(network, photos.photos, read, len(order), how, device)
        made.append(tables.temporal(steady))
        details["temporal"] = steady
    if options.out:
        files.append(Path(options.out) / "confusion.png")
        image.write_image(files[-1], picture.confusion(voted.confusion.matrix, names))
    return Report(
        "scene-parse",
        _name(options.data),
        split,
        shown,
        len(photos.photos),
        metrics,
        seconds,
        published=published(photos.set, len(photos.photos)),
        tables=made,
        note="; ".join(filter(None, (caution(photos.set, len(photos.photos)), POLICY, sampled, str(device)))),
        files=files,
        details=details,
    )


def export(options: Export) -> dict[str, Any]:
    """ONNX: images (B, 3, H, W) RGB 0..1 -> scores (B, K, H / 4, W / 4) before the softmax; sides multiples of 64."""
    shown, path = weights.resolve(options.weights, "scene-parse")
    read = checkpoint.load(path, task="scene-parse")
    network = from_checkpoint(read)
    size = -(-options.size // MULTIPLE) * MULTIPLE
    outputs = {"scores": {0: "batch", 2: "rows", 3: "columns"}}
    return onnx.write(network, read.header, shown, options.out, size=size, further=MULTIPLE, outputs=outputs)


def check(folder: Path) -> checks.Report | None:
    """What a folder of photos and labels holds and what is wrong with it, or None if it is no such folder."""
    return checks.look_through(folder) if data.recognise(folder) else None


def _order(photos: data.PhotoSet, names: tuple[str, ...]) -> list[int | None]:
    """For each class of the weights its number in the data, None where the data does not have it.

    Raises:
        UsageError: the data has a class that the weights do not know.
    """
    unknown = [name for name in photos.names if name not in names]
    if unknown:
        raise UsageError(f"these weights know no class {', '.join(unknown[:5])}; they know {', '.join(names[:12])}")
    return [photos.names.index(name) if name in photos.names else None for name in names]


def _folder(name: str) -> Path:
    return datasets.find(name, datasets.rows({"scene-parse": DATASETS}), "scene-parse")[0]


def _name(name: str) -> str:
    return Path(name).name or name
