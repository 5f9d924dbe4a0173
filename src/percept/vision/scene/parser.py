"""The predictor: weights, working size, vote and the past joined; photos and videos in, ``SceneResult`` out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from torch import nn

from percept.core import checkpoint, outputs, weights
from percept.core.console import say
from percept.core.device import Device, choose
from percept.core.errors import UsageError, named, nearest
from percept.core.sources import Item
from percept.vision import image, video
from percept.vision.scene import decode
from percept.vision.scene.files import Files
from percept.vision.scene.networks import from_checkpoint, fused
from percept.vision.scene.options import Predict
from percept.vision.scene.result import COLUMNS, SceneResult
from percept.vision.scene.temporal import Steady

PLACE = PurePosixPath("photo")  # of what has no name


class Parser:
    """Says of each pixel of a photo what it shows.

    Attributes:
        names: the classes its weights know.
        about: what every JSON document begins with.
    """

    def __init__(self, options: Predict, read: checkpoint.Checkpoint, shown: str, device: Device) -> None:
        header = read.header
        self.options, self.device, self.names = options, device, tuple(header["classes"])
        for name in options.classes:
            if name not in self.names:
                raise UsageError(f'these weights know no class "{name}"{nearest(name, self.names)}')
        self.colours = tuple(tuple(colour) for colour in header["colours"])
        self.network: nn.Module = fused(from_checkpoint(read)).to(device.torch, memory_format=torch.channels_last)
        self.about = {"task": "scene-parse", "model": header["model"]["name"], "weights": shown, "device": str(device)}
        self.how = decode.settings(options, header)
        self._steady: Steady | None = None
        self._film = ""

    def predict(self, x: Any) -> SceneResult:
        """Parse one photo.

        Args:
            x: a path, a PIL image, an array (H, W), (H, W, 3) or (H, W, 4), or a tensor (3, H, W), RGB.

        Raises:
            InputError: not a picture.
        """
        with named(x) as name:
            return self.parse(image.to_rgb(x), Item(name, PLACE, None))

    def parse(self, rgb: np.ndarray, item: Item) -> SceneResult:
        """Parse a decoded photo (H, W, 3) uint8 RGB; ``item`` says what the result calls it, and its place in a
        sequence."""
        began = time.perf_counter()
        height, width = rgb.shape[:2]
        seen, found = decode.alone(self.network, rgb, self.how, self.device)
        found = decode.voted(self.network, found, seen, self.how, self.device)
        changed = None
        if self.options.temporal:
            steady = self._past(item)
            found = steady.add(seen, found)
            if steady.changed_before is not None and steady.changed_after is not None:
                changed = (steady.changed_before, steady.changed_after)
        return SceneResult(
            input=item.name,
            width=width,
            height=height,
            names=self.names,
            colours=self.colours,
            labels=decode.labels(found, height, width),
            probabilities=found,
            image=rgb,
            shown=self.options.classes,
            frame=item.frame,
            seconds=item.seconds,
            steadied=changed,
            took=time.perf_counter() - began,
        )

    def stream(self) -> Iterator[outputs.Outcome]:
        """Answer the inputs of the options one after another, in bounded memory."""
        yield from outputs.with_errors(video.inputs(self.options), lambda item, rgb: self.parse(rgb, item))
        self._say_what_was_steadied()

    def deliver(self) -> int:
        """``percept scene-parse``: answers on stdout, pictures under ``--out``; returns the exit code."""
        options = self.options
        out = Path(options.out) if options.out else None
        sink = Files(options, out) if out is not None else None
        form = "json" if options.json else options.format
        to = outputs.Deliver(self.about, form, out, COLUMNS, {}, {}, sink)
        return to.run(self.stream(), strict=options.strict)

    def _past(self, item: Item) -> Steady:
        """What is known of the sequence that the item belongs to: a video, or the numbered pictures of a folder."""
        film = item.name if item.frame is not None else str(Path(item.name).parent)
        if self._steady is None or film != self._film:
            self._say_what_was_steadied()
            self._steady, self._film = Steady(len(self.names)), film
        return self._steady

    def _say_what_was_steadied(self) -> None:
        changed = None if self._steady is None else self._steady.changed()
        if changed is not None:
            say(f"{self._film}: {changed[0]:.1f} % of the labels changed a frame, steadied {changed[1]:.1f} %")
        self._steady = None


def load(options: Predict) -> Parser:
    """A parser with its weights read and its device chosen."""
    shown, path = weights.resolve(options.weights, "scene-parse")
    read = checkpoint.load(path, task="scene-parse")
    return Parser(options, read, shown, choose(options.device, options.threads, options.precision))
