"""What the training loop is given: photos, loss, scores on the photos kept for choosing, and pictures to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from percept.core import checkpoint, weights
from percept.core.console import say
from percept.core.device import Device
from percept.core.errors import UsageError
from percept.core.sampling import EpochSampler, loader, parts, share
from percept.vision import image
from percept.vision.detect import calibration, data, decode, loss, metrics
from percept.vision.detect.augment import Augment
from percept.vision.detect.networks import build, from_checkpoint, started
from percept.vision.detect.options import Train
from percept.vision.detect.overfeat import overfeat_loss
from percept.vision.detect.result import Detections

PICTURES = 6
AUGMENT = {
    "full": Augment(),
    "light": Augment(mosaic=0.0, brightness=0.0, contrast=0.0, saturation=0.0, hue=0.0),
    "none": Augment.none(),
}


@dataclass
class Batch:
    """Images (B, 3, S, S) uint8, their targets and the photos' names."""

    images: Tensor
    targets: list[data.Target]
    names: list[str]


class Trainer:
    """Trains a detector: see ``core.training.Trainable`` for what the loop asks."""

    metric = "AP"
    higher_is_better = True

    def __init__(self, options: Train, device: Device, folders: Sequence[tuple[str, Path]]) -> None:
        self.options, self.device = options, device
        train, self.chosen_on = _photos(options, folders)
        self.classes = len(train.names)
        model = {"name": options.model, **({"width": options.width} if options.model != "compact" else {})}
        self.model, start = _start(options, model, train.names)
        self.teacher = _teacher(options, train.names, device)
        _freeze(self.model, options.freeze)
        sizes = data.training_sizes(options.size, options.multiscale)
        rank, world = share(options.batch, options.accumulate)
        photos = data.TrainingPhotos(
            train,
            options.size,
            options.seed,
            AUGMENT[options.augment],
            options.epochs,
            options.mosaic_off,
            options.cache,
        )
        self.photos = train
        self.sampler = EpochSampler(len(train.photos), options.batch, options.seed, sizes, rank, world)
        self.loader = loader(
            photos,
            self.sampler,
            data.collate,
            options.workers,
            prepare=image.one_thread,
            pin_memory=device.torch.type == "cuda",
        )
        self.header: dict[str, Any] = {
            "task": "detect",
            "model": model,
            "classes": list(train.names),
            "data": {"sets": [name for name, _ in folders], "photos": len(train.photos)},
            "start": start,
            "scales": list(options.scales or (options.size,)),
            "merge": "vote",
        }
        self.facts = {
            "train_photos": len(train.photos),
            "choosing_photos": len(self.chosen_on.photos),
            "classes": list(train.names),
            "start": start,
        }
        _describe(train, self.chosen_on, model, self.model, start)

    def steps(self) -> int:
        """Steps an epoch; the last photos of an epoch that fill no batch wait for another epoch."""
        return self.sampler.batches

    def batches(self, epoch: int, start: int) -> Iterator[list[Batch]]:
        """This process's share of each batch, in parts."""
        self.sampler.set_epoch(epoch, start)
        for (images, targets), picks in zip(self.loader, self.sampler, strict=True):
            names = [str(self.photos.photos[pick.index].path) for pick in picks]
            yield [Batch(images[p], targets[p], names[p]) for p in parts(len(targets), self.options.accumulate)]

    def size(self, batch: Batch) -> float:
        """Objects in these photos."""
        return loss.size(batch.targets)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The summed loss of these photos and its parts."""
        images = batch.images.to(self.device.torch, non_blocking=True).float() / 255
        if self.options.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        raw = self.model.raw(images)
        if self.options.model != "compact":
            return overfeat_loss(raw, batch.targets)
        total, parts = loss.detection_loss(raw, batch.targets, self.classes, negatives=self.options.negatives or None)
        if self.teacher is not None:
            with torch.no_grad():
                wanted = self.teacher.raw(images)
            near = loss.distil(raw, wanted) * self.options.distil
            total, parts = total + near, {**parts, "distil": near.detach()}
        return total, parts

    def describe(self, batch: Batch) -> str:
        """The photos of a batch, for the message when the loss is not finite."""
        return ", ".join(batch.names)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """AP and AP50 on the photos kept for choosing, as COCO counts them; fits the calibration on the way."""
        found = [self._detect(model, image.read_sample(photo.path)) for photo in self.chosen_on.photos]
        scores = metrics.score(self.chosen_on, found)
        self.header["calibration"] = list(calibration.fit(*metrics.graded(self.chosen_on, found)))
        return {"AP50": scores.AP50 or 0.0, "AP": scores.AP or 0.0}

    def pictures(self, model: nn.Module, folder: Path) -> None:
        """The first photos kept for choosing, with what is found now."""
        for photo in self.chosen_on.photos[:PICTURES]:
            rgb = image.read_sample(photo.path)
            found = Detections(
                photo.path.name,
                photo.width,
                photo.height,
                self.photos.names,
                *self._detect(model, rgb, self.header["calibration"]),
                rgb,
            )
            found.filter(0.4).save(folder / f"{photo.path.stem}.jpg")

    def _detect(self, model: nn.Module, rgb: Any, fitted: Any = None) -> tuple[Any, Any, Any]:
        return decode.detect(
            model,
            rgb,
            scales=self.header["scales"],
            merge=self.header["merge"],
            conf=0.01,
            device=self.device,
            calibration=fitted,
        )


def _photos(options: Train, folders: Sequence[tuple[str, Path]]) -> tuple[data.PhotoSet, data.PhotoSet]:
    """The photos to train on and those to choose the best epoch by; these are never trained on."""
    train = data.combine([data.read_photos(folder, "train") for _, folder in folders])
    for problem in train.problems[:10]:
        say(f"        {problem}")
    if len(train.problems) > 10:
        say(f"        ... {len(train.problems)} problems in all: percept data check FOLDER")
    whole = any("val" in data.splits(folder) for _, folder in folders)
    if options.hold_out or not whole:
        return data.hold_out(train, options.hold_out or 0.1, options.seed)
    named = [data.read_photos(folder, "val") for _, folder in folders if "val" in data.splits(folder)]
    return train, data.combine([data.PhotoSet(train.names, (), train.layout, ()), *named])


def _start(options: Train, model: dict[str, Any], names: Sequence[str]) -> tuple[nn.Module, dict[str, Any] | str]:
    """The network to train, and what it begins with."""
    if options.start == "none" or (not options.start and options.model != "compact"):
        return build(options.model, len(names), options.width), "random weights"
    shown, path = weights.resolve(options.start, "detect")
    read = checkpoint.load(path, task="detect")
    return started(read, model, names), weights.origin(shown, path, read.header)


def _teacher(options: Train, names: Sequence[str], device: Device) -> nn.Module | None:
    """The start as it was, to stay near to; it must know the same classes."""
    if not options.distil:
        return None
    read = checkpoint.load(weights.resolve(options.start, "detect")[1], task="detect")
    if tuple(read.header["classes"]) != tuple(names):
        raise UsageError("--distil needs a start with the same classes as the data")
    return from_checkpoint(read).to(device.torch, memory_format=torch.channels_last).requires_grad_(False)


def _freeze(network: nn.Module, what: str) -> None:
    """Keep the trunk, or all but the heads, as they are. OverFeat's heads sit on its trunk: both mean the same."""
    if what == "none":
        return
    network.requires_grad_(what == "trunk")
    for name, part in network.named_children():
        part.requires_grad_(name not in ("backbone", "trunk") and (what == "trunk" or name != "neck"))


def _describe(train: data.PhotoSet, kept: data.PhotoSet, model: dict[str, Any], network: nn.Module, start: Any) -> None:
    count = sum(parameter.numel() for parameter in network.parameters())
    begun = start if isinstance(start, str) else start["weights"]
    counts = f"{len(train.photos)} train, {len(kept.photos)} to choose by, {len(train.names)} classes"
    say(f"data    {train.layout}, {counts}")
    say(f"model   {model['name']}, {count / 1e6:.1f} M parameters, from {begun}")
