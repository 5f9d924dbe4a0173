"""What the training loop is given: photos, cross-entropy, accuracy on the photos kept for choosing, pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from percept.core import checkpoint, weights
from percept.core.console import say
from percept.core.device import Device
from percept.core.errors import UsageError
from percept.core.sampling import EpochSampler, loader, parts, share
from percept.vision import image
from percept.vision.classify import data, decode
from percept.vision.classify.model import build, from_checkpoint
from percept.vision.classify.options import Train
from percept.vision.classify.result import Classes

PICTURES = 6


@dataclass
class Batch:
    """Images (B, 3, S, S) uint8, labels (B,) int64 and the photos' names."""

    images: Tensor
    labels: Tensor
    names: list[str]


class Trainer:
    """Trains a classifier: see ``core.training.Trainable`` for what the loop asks."""

    metric = "top1"
    higher_is_better = True

    def __init__(self, options: Train, device: Device, folders: Sequence[tuple[str, Path]]) -> None:
        if len(folders) != 1:
            raise UsageError("classify is trained on one --data, a folder for each class")
        self.options, self.device = options, device
        name, folder = folders[0]
        self.photos, self.chosen_on = _photos(options, folder)
        model = {"name": options.model, **({"width": options.width} if options.model != "mobilenet-v2" else {})}
        self.model, start = _start(options, model, self.photos.names)
        if options.freeze == "trunk":
            self.model.requires_grad_(False)
            self.model.classifier.requires_grad_(True)
        rank, world = share(options.batch, options.accumulate)
        count = len(self.photos.photos)
        self.sampler = EpochSampler(count, options.batch, options.seed, (options.size,), rank, world)
        self.loader = loader(
            data.TrainingPhotos(self.photos, options.size, options.seed),
            self.sampler,
            data.collate,
            options.workers,
            prepare=image.one_thread,
            pin_memory=device.torch.type == "cuda",
        )
        self.header: dict[str, Any] = {
            "task": "classify",
            "model": model,
            "classes": list(self.photos.names),
            "data": {"sets": [name], "photos": count},
            "start": start,
            "scales": [options.size],
            "vote": decode.VOTES[options.model],
        }
        self.facts = {"train_photos": count, "choosing_photos": len(self.chosen_on.photos), "start": start}
        total = sum(parameter.numel() for parameter in self.model.parameters())
        say(f"data    {count} train, {len(self.chosen_on.photos)} to choose by, {len(self.photos.names)} classes")
        say(f"model   {options.model}, {total / 1e6:.1f} M parameters, from {start}")

    def steps(self) -> int:
        """Steps an epoch; the last photos of an epoch that fill no batch wait for another epoch."""
        return self.sampler.batches

    def batches(self, epoch: int, start: int) -> Iterator[list[Batch]]:
        """This process's share of each batch, in parts."""
        self.sampler.set_epoch(epoch, start)
        for (images, labels), picks in zip(self.loader, self.sampler, strict=True):
            names = [str(self.photos.photos[pick.index].path) for pick in picks]
            yield [Batch(images[p], labels[p], names[p]) for p in parts(len(labels), self.options.accumulate)]

    def size(self, batch: Batch) -> float:
        """Photos."""
        return len(batch.labels)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropy over all places of the map, the mean over places, the sum over photos."""
        images = batch.images.to(self.device.torch, non_blocking=True).float() / 255
        scores = self.model(images)  # (B, K, rows, columns)
        labels = batch.labels.to(self.device.torch)[:, None, None].expand(-1, *scores.shape[2:])
        total = F.cross_entropy(scores.float(), labels, reduction="none").mean(dim=(1, 2)).sum()
        right = (scores.mean(dim=(2, 3)).argmax(dim=1) == labels[:, 0, 0]).sum()
        return total, {"right": right}

    def describe(self, batch: Batch) -> str:
        """The photos of a batch, for the message when the loss is not finite."""
        return ", ".join(batch.names)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Share of the photos kept for choosing whose class is the first answer, or among five; in percent."""
        ranks = [
            rank_of(self._answer(model, image.read_sample(photo.path)), photo.label) for photo in self.chosen_on.photos
        ]
        return accuracy(ranks)

    def pictures(self, model: nn.Module, folder: Path) -> None:
        """The first photos kept for choosing, with what is seen in them now."""
        for photo in self.chosen_on.photos[:PICTURES]:
            rgb = image.read_sample(photo.path)
            answer = decode.best(self._answer(model, rgb), self.photos.names, 3)
            made = Classes(photo.path.name, rgb.shape[1], rgb.shape[0], *zip(*answer, strict=True), rgb)
            made.save(folder / f"{photo.path.stem}.jpg")

    def _answer(self, model: nn.Module, rgb: Any) -> Any:
        return decode.classify(
            model, rgb, scales=self.header["scales"], vote=self.header["vote"], flip=False, device=self.device
        )


def rank_of(probabilities: Any, label: int) -> int:
    """How many classes are likelier than ``label``; 0 means it is the first answer."""
    return int((probabilities > probabilities[label]).sum())


def accuracy(ranks: Sequence[int]) -> dict[str, float]:
    """Percent of the answers right at once (top1) and within five (top5)."""
    count = max(1, len(ranks))
    return {f"top{k}": 100 * sum(rank < k for rank in ranks) / count for k in (1, 5)}


def _photos(options: Train, folder: Path) -> tuple[data.PhotoSet, data.PhotoSet]:
    """The photos to train on and those to choose the best epoch by; these are never trained on."""
    train = data.read_photos(folder, "train")
    for problem in train.problems[:10]:
        say(f"        {problem}")
    if options.hold_out or "val" not in data.splits(folder):
        return data.hold_out(train, options.hold_out or 0.1, options.seed)
    return train, data.read_photos(folder, "val")


def _start(options: Train, model: dict[str, Any], names: Sequence[str]) -> tuple[nn.Module, str]:
    """The network to train, and what it begins with: all but the last layer of the weights named by ``--start``."""
    if options.start == "none" or (not options.start and options.model != "mobilenet-v2"):
        return build(options.model, len(names), options.width), "random weights"
    shown, path = weights.resolve(options.start, "classify")
    read = checkpoint.load(path, task="classify")
    if read.header["model"]["name"] != options.model:
        raise UsageError(f"--start {shown}: weights of {read.header['model']['name']}, not of {options.model}")
    if tuple(read.header["classes"]) == tuple(names):
        return from_checkpoint(read).train(), shown
    network = build(options.model, len(names), options.width)
    own = network.state_dict()
    kept = {name: tensor for name, tensor in read.tensors.items() if name in own and own[name].shape == tensor.shape}
    network.load_state_dict({**own, **kept})
    return network, f"{shown} ({len(kept)} of {len(own)} tensors)"
