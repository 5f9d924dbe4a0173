"""The networks by name, built from nothing, from weights with the same classes, or from weights with others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from percept.core.checkpoint import Checkpoint
from percept.core.errors import UsageError
from percept.vision.detect.model import Compact, new_classes
from percept.vision.detect.overfeat import OverFeatDetector


def build(name: str, classes: int, width: float = 1.0) -> nn.Module:
    """A network with fresh weights.

    Args:
        name: ``compact``, ``overfeat-fast`` or ``overfeat-accurate``.
        width: channels of an OverFeat network as a share of the paper's.
    """
    if name == "compact":
        return Compact(classes)
    return OverFeatDetector(name.removeprefix("overfeat-"), classes, width=width)


def from_checkpoint(checkpoint: Checkpoint) -> nn.Module:
    """The network of a weight file, ready to answer.

    Raises:
        UsageError: the tensors are not those of the network that the header names.
    """
    model = checkpoint.header["model"]
    network = build(model["name"], len(checkpoint.header["classes"]), model.get("width", 1.0))
    fill(network, checkpoint.tensors, checkpoint)
    return network.eval()


def started(checkpoint: Checkpoint, model: dict[str, Any], classes: Sequence[str]) -> nn.Module:
    """A network for ``classes`` that begins with another's weights; what knows no class is kept.

    Raises:
        UsageError: the weights are another network's.
    """
    header = checkpoint.header
    if header["model"]["name"] != model["name"] or header["model"].get("width", 1.0) != model.get("width", 1.0):
        raise UsageError(
            f"--start {checkpoint.path}: weights of {header['model']['name']}, not of {model['name']}; "
            f"--start none begins with random weights"
        )
    network = build(model["name"], len(classes), model.get("width", 1.0))
    tensors = checkpoint.tensors
    if tuple(header["classes"]) != tuple(classes):
        tensors = (
            new_classes(tensors, header["classes"], classes)
            if model["name"] == "compact"
            else {name: tensor for name, tensor in tensors.items() if network.state_dict()[name].shape == tensor.shape}
        )
        tensors = {**network.state_dict(), **tensors}
    fill(network, tensors, checkpoint)
    return network


def fill(network: nn.Module, tensors: dict[str, Any], checkpoint: Checkpoint) -> None:
    """Load tensors whole or raise a UsageError that names the file."""
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        lines = str(error).splitlines()
        raise UsageError(f"{checkpoint.path}: not the tensors of its network: {lines[-1].strip()}") from error
