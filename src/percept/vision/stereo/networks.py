"""The networks by name, built from nothing or from weights."""

from __future__ import annotations

from typing import Any

from torch import nn

from percept.core.checkpoint import Checkpoint
from percept.core.errors import UsageError
from percept.vision.stereo.model import Accurate, Compact, Fast
from percept.vision.stereo.options import Train


def described(options: Train) -> dict[str, Any]:
    """What builds the network of these options again; stands in the header of its weights."""
    about: dict[str, Any] = {"name": options.model, "width": options.width}
    return about if options.model == "compact" else {**about, "layers": options.layers}


def build(model: dict[str, Any]) -> nn.Module:
    """A network with fresh weights."""
    name, width = model["name"], model.get("width", 1.0)
    if name == "compact":
        return Compact(width)
    return {"fast": Fast, "accurate": Accurate}[name](width, model.get("layers", 5))


def from_checkpoint(checkpoint: Checkpoint) -> nn.Module:
    """The network of a weight file, ready to answer.

    Raises:
        UsageError: the tensors are not those of the network that the header names.
    """
    network = build(checkpoint.header["model"])
    try:
        network.load_state_dict(checkpoint.tensors)
    except RuntimeError as error:
        raise UsageError(f"{checkpoint.path}: not the tensors of {checkpoint.header['model']['name']}") from error
    return network.eval()
