"""What the training loop is given: crops, loss, scores on the photos kept for choosing, and pictures to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from percept.core import checkpoint, console, weights
from percept.core.console import say
from percept.core.device import Device
from percept.core.errors import UsageError
from percept.core.sampling import EpochSampler, loader, parts, share
from percept.vision import image
from percept.vision.scene import data, decode, picture, tuning
from percept.vision.scene.loss import class_weights, pixel_loss, right
from percept.vision.scene.metrics import Confusion
from percept.vision.scene.networks import build, described, from_checkpoint
from percept.vision.scene.options import Parsing, Train
from percept.vision.scene.samples import AUGMENT, AUGMENT_FARABET, Crops, collate

PICTURES = 6
HELD = 0.1  # of the photos, to choose the best epoch by, where the set has no part for it


@dataclass
class Batch:
    """Crops (B, 3, S, S) uint8, labels (B, S, S) uint8, VOID where unknown, and the photos' names."""

    images: Tensor
    labels: Tensor
    names: list[str]


class Trainer:
    """Trains a parsing network: see ``core.training.Trainable`` for what the loop asks."""

    metric = "miou"
    higher_is_better = True

    def __init__(self, options: Train, device: Device, folders: Sequence[tuple[str, Path]]) -> None:
        if len(folders) != 1:
            raise UsageError("scene-parse is trained on one --data: two sets seldom mean the same by their classes")
        self.options, self.device = options, device
        name, folder = folders[0]
        self.photos, self.chosen_on = _photos(options, folder)
        counted = data.counts(self.photos)
        console.say_table(_plain(data.class_table(counted, self.photos)))
        data.refuse(counted, self.photos)
        data.refuse(data.counts(self.chosen_on), self.chosen_on)  # now, and not after an epoch
        names = self.photos.names
        self.model, start = _start(options, names)
        self.covers = described(options).get("cover", False)
        self.weights = torch.from_numpy(class_weights(counted.pixels, options.sampling)).to(device.torch)
        rank, world = share(options.batch, options.accumulate)
        changes = (AUGMENT_FARABET if options.model == "farabet" else AUGMENT)[options.augment]
        crops = Crops(self.photos, options.size, options.seed, changes, options.cache)
        self.sampler = EpochSampler(len(crops), options.batch, options.seed, (options.crop,), rank, world)
        pinned = device.torch.type == "cuda"
        self.loader = loader(crops, self.sampler, collate, options.workers, prepare=image.one_thread, pin_memory=pinned)
        self.header: dict[str, Any] = {
            "task": "scene-parse",
            "model": described(options),
            "classes": list(names),
            "colours": [list(colour) for colour in self.photos.colours],
            "size": options.size,
            "sampling": options.sampling,
            "shares": [round(pixels / sum(counted.pixels), 5) for pixels in counted.pixels],
            "balance": options.balance,
            "data": {
                "sets": [name],
                "split": self.photos.split,
                "photos": len(self.photos.photos),
                "choosing": sorted(photo.name for photo in self.chosen_on.photos),
                "names": sorted(photo.name for photo in self.photos.photos),  # eval warns of both
            },
            "start": start,
        }
        self.how = decode.settings(Parsing(segments="none"), self.header)
        self.facts = {
            "train_photos": len(self.photos.photos),
            "choosing_photos": len(self.chosen_on.photos),
            "class_weights": {name: round(float(w), 3) for name, w in zip(names, self.weights.tolist(), strict=True)},
            "start": start,
        }
        count = sum(parameter.numel() for parameter in self.model.parameters())
        begun = start if isinstance(start, str) else start["weights"]
        say(f"data    {len(self.photos.photos)} photos to train, {len(self.chosen_on.photos)} to choose by")
        say(f"model   {options.model}, {count / 1e6:.2f} M parameters, from {begun}; sampling {options.sampling}")

    def steps(self) -> int:
        """Steps an epoch."""
        return self.sampler.batches

    def batches(self, epoch: int, start: int) -> Iterator[list[Batch]]:
        """This process's share of each batch, in parts."""
        self.sampler.set_epoch(epoch, start)
        for (images, labels), picks in zip(self.loader, self.sampler, strict=True):
            names = [self.photos.photos[pick.index].name for pick in picks]
            yield [Batch(images[p], labels[p], names[p]) for p in parts(len(names), self.options.accumulate)]

    def size(self, batch: Batch) -> float:
        """Pixels of these crops whose class is known."""
        return float((batch.labels != data.VOID).sum())

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The summed loss of these crops' pixels, and how many of these pixels are right."""
        images = batch.images.to(self.device.torch, non_blocking=True).float() / 255
        labels = batch.labels.to(self.device.torch, non_blocking=True)
        if self.covers:
            features = self.model.features(images)
            scores, early = self.model.classified(features)
            crops = list(zip(batch.images.permute(0, 2, 3, 1).numpy(), batch.labels.numpy(), strict=True))
            each = batch.labels[0].numel()  # so that a crop's segments count as its pixels do
            total = pixel_loss(scores, labels, self.weights) + each * self.model.segment_loss(features, crops, scores)
        else:
            scores, early = self.model.both(images)
            total = pixel_loss(scores, labels, self.weights)
        for coarse in early:
            total = total + self.model.early_weight * pixel_loss(coarse, labels, self.weights)
        return total, {"right": right(scores, labels)}

    def describe(self, batch: Batch) -> str:
        """The photos of a batch, for the message when the loss is not finite."""
        return ", ".join(batch.names)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Mean IoU, pixel and class accuracy in percent on the photos kept for choosing.

        With ``--tune`` superpixels and vote are chosen too, on these photos.
        """
        if self.options.tune:
            found = tuning.search(model, self.chosen_on, self.how, self.device)
            self.header["vote"] = found.best
            figures = found.figures
        else:
            confusion = Confusion(len(self.photos.names))
            for photo in self.chosen_on.photos:
                rgb, truth = data.read_pair(photo, self.chosen_on)
                confusion.add(self._answer(model, rgb), truth)
            figures = confusion.figures()
        return {
            "miou": figures.mean_iou or 0.0,
            "pixel": figures.pixel_accuracy or 0.0,
            "class": figures.class_accuracy or 0.0,
        }

    def pictures(self, model: nn.Module, folder: Path) -> None:
        """Some photos kept for choosing: photo, truth, answer and errors."""
        photos = self.chosen_on.photos
        for photo in photos[:: max(1, len(photos) // PICTURES)][:PICTURES]:
            rgb, truth = data.read_pair(photo, self.chosen_on)
            shown = picture.montage(rgb, truth, self._answer(model, rgb), self.photos.names, self.photos.colours)
            image.write_image(folder / f"{Path(photo.name).name}.jpg", shown)

    def _answer(self, model: nn.Module, rgb: Any) -> Any:
        _, found = decode.alone(model, rgb, self.how, self.device)
        return decode.labels(found, *rgb.shape[:2])


def _photos(options: Train, folder: Path) -> tuple[data.PhotoSet, data.PhotoSet]:
    """The photos to train on and those to choose the best epoch by; these are never trained on."""
    split = f"train-without-fold{options.fold}" if options.fold else "train"
    photos = data.read_photos(folder, split)
    for problem in photos.problems[:10]:
        say(f"        {problem}")
    if options.hold_out or "val" not in data.splits(folder):
        return data.hold_out(photos, options.hold_out or HELD, options.seed)
    return photos, data.read_photos(folder, "val")


def _plain(made: Any) -> Any:
    return console.table(made.columns, made.rows, title=made.title)


def _start(options: Train, names: Sequence[str]) -> tuple[nn.Module, dict[str, Any] | str]:
    """The network to train, and what it begins with.

    The trunk may come from a classifier of photos; weights of other classes give all but the last layers.
    """
    network = build(described(options), len(names))
    if options.start == "none" or (options.model == "farabet" and not options.start):
        return network, "random weights"
    shown, path = weights.resolve(options.start or "imagenet")
    read = checkpoint.load(path)
    origin = weights.origin(shown, path, read.header)
    if read.header["task"] == "scene-parse":
        if read.header["model"] != described(options):
            raise UsageError(f"--start {shown}: weights of {read.header['model']['name']}, not of {options.model}")
        if tuple(read.header["classes"]) == tuple(names):
            return from_checkpoint(read).train(), origin
    # layers that have another shape for a class more are the classes' own, even where the numbers of classes agree
    more = build(described(options), len(names) + 1).state_dict()
    own = {name: tensor for name, tensor in network.state_dict().items() if more[name].shape == tensor.shape}
    kept = {name: tensor for name, tensor in read.tensors.items() if name in own and own[name].shape == tensor.shape}
    if not kept:
        raise UsageError(f"--start {shown}: nothing in it fits {options.model}")
    network.load_state_dict(kept, strict=False)
    return network, origin
