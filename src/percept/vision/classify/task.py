"""Classification's verbs: what predict, train, eval, export and data check do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from percept.core import checkpoint, datasets, weights
from percept.core.device import Device, choose
from percept.core.errors import UsageError
from percept.core.evaluation import Report, Table, answers, figure
from percept.vision import image, onnx
from percept.vision.classify import data, decode
from percept.vision.classify.check import CheckReport, look_through
from percept.vision.classify.classifier import dense_options, load
from percept.vision.classify.model import DenseMobileNetV2, from_checkpoint
from percept.vision.classify.options import DATASETS, Evaluate, Export, Train
from percept.vision.classify.trainer import Trainer, accuracy, rank_of

__all__ = ["check", "evaluate", "export", "load", "trainer"]


def trainer(options: Train, device: Device) -> Trainer:
    """What the training loop is given. Data is checked here, before anything is computed."""
    return Trainer(options, device, [(Path(name).name, _folder(name)) for name in options.data])


def evaluate(options: Evaluate) -> Report:
    """Top-1 and top-5 accuracy, and that of each class."""
    folder = _folder(options.data)
    split = options.split or next((name for name in ("test", "val") if name in data.splits(folder)), "val")
    photos = data.read_photos(folder, split)
    chosen = photos.photos[: options.limit] if options.limit else photos.photos
    shown, path = weights.resolve(options.weights, "classify")
    read = checkpoint.load(path, task="classify")
    names = tuple(read.header["classes"])
    unknown = [name for name in photos.names if name not in names]
    if unknown:
        raise UsageError(f"these weights know no class {', '.join(unknown[:5])}; they know {', '.join(names[:10])} ...")
    device = choose(options.device, options.threads, options.precision)
    network = from_checkpoint(read).to(device.torch, memory_format=torch.channels_last)
    dense = dense_options(options, read.header)

    def rank(photo: data.Photo) -> int:
        probabilities = decode.classify(network, image.read_sample(photo.path), device=device, **dense)
        return rank_of(probabilities, names.index(photos.names[photo.label]))

    ranks, seconds = answers("photos", chosen, rank)
    ours = accuracy(ranks)
    rows = []
    for number, name in enumerate(photos.names):
        own = [rank for rank, photo in zip(ranks, chosen, strict=True) if photo.label == number]
        if own:
            rows.append((name, *(figure(value, 1) for value in accuracy(own).values()), str(len(own))))
    classes = Table("classes", ("class", "top1", "top5", "photos"), tuple(rows))
    milliseconds = 1000 * seconds / max(1, len(chosen))
    return Report(
        "classify",
        Path(options.data).name or options.data,
        split,
        shown,
        len(chosen),
        dict(ours),
        seconds,
        tables=[
            Table(
                "",
                ("measured here", "top1", "top5", "ms"),
                ((shown, figure(ours["top1"], 1), figure(ours["top5"], 1), f"{milliseconds:.0f}"),),
            ),
            classes,
        ],
        files=[classes.write(Path(options.out) / "classes.csv")] if options.out else [],
        note=f"percent; shortest side {','.join(map(str, dense['scales']))}, vote {dense['vote']}; {device}",
    )


def export(options: Export) -> dict[str, Any]:
    """ONNX: images (B, 3, H, W) RGB 0..1 -> scores (B, K, rows, columns) before the softmax; H and W from --size on."""
    shown, path = weights.resolve(options.weights, "classify")
    read = checkpoint.load(path, task="classify")
    network = from_checkpoint(read)
    size = options.size
    if isinstance(network, DenseMobileNetV2):
        network.window = min(network.window, -(-size // 32))  # cells of a picture of this size, then of every size
    else:
        size = max(size, network.grid().size)  # a smaller picture is padded, by a number that would become a constant
    outputs = {"scores": {0: "batch", 2: "rows", 3: "columns"}}
    return onnx.write(network, read.header, shown, options.out, size=size, further=64, outputs=outputs)


def check(folder: Path) -> CheckReport | None:
    """What a folder of photos in class folders holds and what is wrong with it, or None if it is no such folder."""
    return look_through(folder) if data.recognise(folder) else None


def _folder(name: str) -> Path:
    return datasets.find(name, datasets.rows({"classify": DATASETS}), "classify")[0]
