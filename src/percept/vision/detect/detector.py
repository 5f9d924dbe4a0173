"""The predictor: weights, pyramid, merge and calibration joined; photos and videos in, ``Detections`` out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from percept.core import checkpoint, outputs, sources, weights
from percept.core.device import Device, choose
from percept.core.errors import UsageError, named, nearest
from percept.vision import image, video
from percept.vision.detect import decode, formats
from percept.vision.detect.networks import from_checkpoint
from percept.vision.detect.options import Dense, Predict
from percept.vision.detect.result import Detections
from percept.vision.draw import overlay_heat


class Detector:
    """Finds objects in photos.

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
        self.network = from_checkpoint(read).to(device.torch, memory_format=torch.channels_last)
        self.about = {"task": "detect", "model": header["model"]["name"], "weights": shown, "device": str(device)}
        self.dense = dense_options(options, header)

    def predict(self, x: Any) -> Detections:
        """Find the objects of one photo.

        Args:
            x: a path, a PIL image, an array (H, W), (H, W, 3) or (H, W, 4), or a tensor (3, H, W), RGB.

        Raises:
            InputError: not a picture.
        """
        with named(x) as name:
            return self.detect(image.to_rgb(x), name)

    def detect(self, rgb: np.ndarray, name: str, frame: int | None = None, seconds: float | None = None) -> Detections:
        """Find the objects of a decoded photo (H, W, 3) uint8 RGB; ``name`` is what the result calls it."""
        boxes, scores, labels = decode.detect(
            self.network, rgb, device=self.device, conf=self.options.conf, classes=self._wanted(), **self.dense
        )
        height, width = rgb.shape[:2]
        return Detections(name, width, height, self.names, boxes, scores, labels, rgb, frame, seconds)

    def stream(self) -> Iterator[outputs.Outcome]:
        """Answer the inputs of the options one after another, in bounded memory."""
        return outputs.with_errors(
            video.inputs(self.options), lambda item, rgb: self.detect(rgb, item.name, item.frame, item.seconds)
        )

    def deliver(self) -> int:
        """``percept detect``: answers on stdout, pictures under ``--out``; returns the exit code."""
        options = self.options
        out = Path(options.out) if options.out else None
        sink = Pictures(self, out) if out is not None else None
        form = "json" if options.json else options.format
        to = outputs.Deliver(
            self.about, form, out, formats.header()[1:], formats.PER_FILE, formats.DOCUMENT, sink, without_image
        )
        return to.run(self.stream(), strict=options.strict)

    def heat(self, rgb: np.ndarray) -> np.ndarray:
        """Where the network sees any of the wanted classes: (h, w) float32, 0..1, one cell for 8 x 8 pixels."""
        return decode.heat(self.network, rgb, max(self.dense["scales"]), self._wanted(), self.device)

    def _wanted(self) -> list[int] | None:
        return [self.names.index(name) for name in self.options.classes] or None


def load(options: Predict) -> Detector:
    """A detector with its weights read and its device chosen."""
    shown, path = weights.resolve(options.weights, "detect")
    read = checkpoint.load(path, task="detect")
    return Detector(options, read, shown, choose(options.device, options.threads, options.precision))


def dense_options(options: Dense, header: dict[str, Any]) -> dict[str, Any]:
    """How to look: the options where given, else what the weight file says is best for it."""
    return {
        "scales": options.scales or tuple(header["scales"]),
        "merge": options.merge or header["merge"],
        "flip": options.tta,
        "max_detections": options.max,
        "calibration": tuple(header["calibration"]) if header.get("calibration") else None,
    }


class Pictures:
    """Writes what ``--save`` asks for under ``--out``: pictures with boxes, crops, heat maps, and videos."""

    def __init__(self, detector: Detector, out: Path) -> None:
        self.detector, self.out, self.kinds = detector, out, detector.options.save
        self._written: list[str] = []
        self._films = video.Films()

    def add(self, item: sources.Item, result: Detections) -> dict[str, Any]:
        """Write the files of one result; returns their paths."""
        files: dict[str, Any] = {}
        base = self.out / item.stem
        if item.frame is not None:
            if "picture" in self.kinds:
                files["video"] = self._add_frame(item, base, result)
            base = base.parent / f"{base.name}_{item.frame:06d}"
        elif "picture" in self.kinds:
            files["picture"] = self._write(base.parent / f"{base.name}{_suffix(item)}", result.draw())
        if "crops" in self.kinds:
            files["crops"] = [self._write(base.parent / f"{base.name}_{name}.png", rgb) for name, rgb in result.crops()]
        if "heat" in self.kinds and result.image is not None:
            seen = overlay_heat(result.image, self.detector.heat(result.image))
            files["heat"] = self._write(base.parent / f"{base.name}_heat.png", seen)
        return files

    def close(self) -> list[str]:
        """Finish the open video; returns all that was written."""
        self._films.close()
        return self._written

    def _write(self, path: Path, rgb: np.ndarray) -> str:
        image.write_image(path, rgb)
        self._written.append(str(path))
        return str(path)

    def _add_frame(self, item: sources.Item, base: Path, result: Detections) -> str:
        path = base.parent / f"{base.name}.mp4"
        if self._films.write(path, item, self.detector.options.every, result.draw()):
            self._written.append(str(path))
        return str(path)


def _suffix(item: sources.Item) -> str:
    """The picture keeps the photo's own suffix where people expect it; all others become PNG."""
    suffix = item.path.suffix.lower() if item.path is not None else ""
    return suffix if suffix in (".jpg", ".jpeg", ".png", ".webp") else ".png"


def without_image(result: Detections) -> Detections:
    """The result without its photo, for keeping many."""
    return replace(result, image=None)
