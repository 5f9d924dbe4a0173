"""Acoustic's verbs: what predict, train, eval, export and data check do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from percept.core import checkpoint, datasets, weights
from percept.core.device import Device
from percept.core.evaluation import Report
from percept.core.export import to_onnx
from percept.speech.acoustic import check as checks
from percept.speech.acoustic import measuring
from percept.speech.acoustic.data import recognise
from percept.speech.acoustic.listener import load
from percept.speech.acoustic.networks import from_checkpoint
from percept.speech.acoustic.options import DATASETS, Evaluate, Export, Train
from percept.speech.acoustic.trainer import Trainer
from percept.speech.features import MELS

__all__ = ["check", "evaluate", "export", "load", "trainer"]

FURTHER = 51  # frames by which the second recording that an exported network is checked with is longer


def trainer(options: Train, device: Device) -> Trainer:
    """What the training loop is given. Data and labels are checked here, before anything is computed."""
    return Trainer(options, device, [(_name(name), _folder(name)) for name in options.data])


def evaluate(options: Evaluate) -> Report:
    """Errors of phones, words and frames, or the accuracy of command words."""
    return measuring.measure(options, _folder(options.data), _name(options.data))


def export(options: Export) -> dict[str, Any]:
    """ONNX: mels (B, T, 40), normalised -> frames (B, T, C) and tokens (B, S, 1 + P), or words (B, K): scores."""
    shown, path = weights.resolve(options.weights, "acoustic")
    read = checkpoint.load(path, task="acoustic")
    network = from_checkpoint(read)
    outputs: dict[str, dict[int, str]] = {"words": {0: "batch"}}
    if read.header["model"]["units"] == "phones":
        outputs = {"frames": {0: "batch", 1: "time"}}
        if read.header["model"]["ctc"]:
            outputs["tokens"] = {0: "batch", 1: "steps"}
        else:
            network = _First(network)
    to = Path(options.out or f"{Path(shown).stem}.onnx")
    example, other = (
        torch.randn(1, length, MELS, generator=torch.Generator().manual_seed(seed))
        for seed, length in enumerate((options.size, options.size + FURTHER))
    )
    return to_onnx(
        network,
        to,
        example,
        other,
        inputs={"mels": {0: "batch", 1: "time"}},
        outputs=outputs,
        about={**read.header, "weights": shown},
    )


def check(folder: Path) -> checks.Report | None:
    """What a folder of recordings holds and what is wrong with it, or None if it is no such folder."""
    return checks.look_through(folder) if recognise(folder) else None


class _First(nn.Module):
    """The first answer of a network that has two."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, mels: Tensor) -> Tensor:
        return self.network(mels)[0]


def _folder(name: str) -> Path:
    return datasets.find(name, datasets.rows({"acoustic": DATASETS}), "acoustic")[0]


def _name(name: str) -> str:
    return Path(name).name or name
