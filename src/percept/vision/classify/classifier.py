"""The predictor: weights, scales and vote joined; photos in, ``Classes`` out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from percept.core import checkpoint, outputs, sources, weights
from percept.core.device import Device, choose
from percept.core.errors import UsageError, named, nearest
from percept.vision import image
from percept.vision.classify import decode
from percept.vision.classify.model import from_checkpoint
from percept.vision.classify.options import Dense, Predict
from percept.vision.classify.result import Classes


class Classifier:
    """Says what is in photos.

    Attributes:
        names: the classes its weights know.
        about: what every JSON document begins with.
    """

    def __init__(self, options: Predict, read: checkpoint.Checkpoint, shown: str, device: Device) -> None:
        header = read.header
        self.options, self.device, self.names = options, device, tuple(header["classes"])
        if options.map and options.map not in self.names:
            raise UsageError(f'these weights know no class "{options.map}"{nearest(options.map, self.names)}')
        self.network = from_checkpoint(read).to(device.torch, memory_format=torch.channels_last)
        self.about = {"task": "classify", "model": header["model"]["name"], "weights": shown, "device": str(device)}
        self.dense = dense_options(options, header)

    def predict(self, x: Any) -> Classes:
        """Say what is in one photo.

        Args:
            x: a path, a PIL image, an array (H, W), (H, W, 3) or (H, W, 4), or a tensor (3, H, W), RGB.

        Raises:
            InputError: not a picture.
        """
        with named(x) as name:
            return self.classify(image.to_rgb(x), name)

    def classify(self, rgb: np.ndarray, name: str) -> Classes:
        """Say what is in a decoded photo (H, W, 3) uint8 RGB; ``name`` is what the result calls it."""
        probabilities = decode.classify(self.network, rgb, device=self.device, **self.dense)
        labels, shares = zip(*decode.best(probabilities, self.names, self.options.top), strict=True)
        height, width = rgb.shape[:2]
        seen, label = None, self.options.map or None
        if label is not None:
            seen = decode.heat(
                self.network,
                rgb,
                self.names.index(label),
                scales=self.dense["scales"],
                flip=self.dense["flip"],
                device=self.device,
            )
        return Classes(name, width, height, labels, shares, rgb, label, seen)

    def stream(self) -> Iterator[outputs.Outcome]:
        """Answer the inputs of the options one after another, in bounded memory."""
        out = Path(self.options.out) if self.options.out else None
        items = sources.resolve(self.options.inputs, image.SUFFIXES, out=out)
        opened = sources.stream(items, image.read_image, image.SUFFIXES)
        return outputs.with_errors(opened, lambda item, rgb: self.classify(rgb, item.name))

    def deliver(self) -> int:
        """``percept classify``: answers on stdout, pictures under ``--out``; returns the exit code."""
        options = self.options
        out = Path(options.out) if options.out else None
        sink = Pictures(out, "map" if options.map else "picture") if out is not None else None
        form = "json" if options.json else options.format
        to = outputs.Deliver(self.about, form, out, ("label", "probability"), {}, {}, sink)
        return to.run(self.stream(), strict=options.strict)


def load(options: Predict) -> Classifier:
    """A classifier with its weights read and its device chosen."""
    shown, path = weights.resolve(options.weights, "classify")
    read = checkpoint.load(path, task="classify")
    return Classifier(options, read, shown, choose(options.device, options.threads, options.precision))


def dense_options(options: Dense, header: dict[str, Any]) -> dict[str, Any]:
    """How to look: the options where given, else what the weight file says is best for it."""
    return {
        "scales": options.scales or tuple(header["scales"]),
        "vote": options.vote or header["vote"],
        "flip": options.tta,
    }


class Pictures:
    """Writes the photo with its classes, or with the map of one, under ``--out``."""

    def __init__(self, out: Path, kind: str) -> None:
        self.out, self.kind = out, kind
        self._written: list[str] = []

    def add(self, item: sources.Item, result: Classes) -> dict[str, str]:
        """Write the picture of one result; returns its path."""
        path = self.out / item.stem.parent / f"{item.stem.name}{'_map' if self.kind == 'map' else ''}.png"
        result.save(path)
        self._written.append(str(path))
        return {self.kind: str(path)}

    def close(self) -> list[str]:
        """All that was written."""
        return self._written
