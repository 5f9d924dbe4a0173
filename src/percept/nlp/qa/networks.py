"""Networks by name: built new, read from weights, and one of several trained side by side taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from percept.core.checkpoint import Checkpoint
from percept.core.errors import UsageError, nearest
from percept.nlp.qa.memn2n import MemN2N
from percept.nlp.qa.memnn import MemNN
from percept.nlp.qa.relational import Relational

NETWORKS: dict[str, type[MemN2N] | type[MemNN] | type[Relational]] = {
    "relational": Relational,
    "memn2n": MemN2N,
    "memnn": MemNN,
}


def build(model: dict[str, Any]) -> nn.Module:
    """A network with new weights; ``model`` holds its name and what its class asks for.

    Raises:
        UsageError: no such network.
    """
    options = dict(model)
    name = options.pop("name")
    if name not in NETWORKS:
        raise UsageError(f'no network "{name}" for questions{nearest(name, NETWORKS)}')
    return NETWORKS[name](**options)


def from_checkpoint(read: Checkpoint) -> nn.Module:
    """The network of a weight file, all of those trained side by side, ready to answer."""
    network = build(read.header["model"])
    network.load_state_dict(read.tensors)
    return network.eval()


def alone(read: Checkpoint, number: int) -> nn.Module:
    """Network ``number`` of those in a weight file, ready to answer."""
    model = dict(read.header["model"])
    if "slots" not in model:
        return from_checkpoint(read)
    model["slots"] = [model["slots"][number]]
    network = build(model)
    axes = type(network).MEMBERS
    own = {name: _slice(tensor, axes[name], number) for name, tensor in read.tensors.items()}
    own["times"] = own["times"][:, :, : model["slots"][0]]  # of a network that remembers less than the others
    network.load_state_dict(own)
    return network.eval()


def _slice(tensor: Tensor, axis: int, number: int) -> Tensor:
    return tensor.narrow(axis, number, 1)


def transfer(network: nn.Module, words: tuple[str, ...], read: Checkpoint) -> int:
    """Put the weights of a file into a network of the same make, word by word; returns how many words were known.

    Raises:
        UsageError: the file holds another network.
    """
    at = {word: number for number, word in enumerate(read.header["vocabulary"]["words"])}
    shared = [(number, at[word]) for number, word in enumerate(words) if word in at]
    new, old = (torch.tensor(numbers) for numbers in zip(*shared, strict=True))
    axes = type(network).WORDS
    own = network.state_dict()
    for name, tensor in own.items():
        given, axis = read.tensors.get(name), axes.get(name)
        if name == "slots":
            continue
        if given is None or _without(given.shape, axis) != _without(tensor.shape, axis):
            raise UsageError(f"these weights are of another network ({name} differs); give the same sizes, or none")
        if axis is None:
            tensor.copy_(given)
        else:
            tensor.index_copy_(axis, new, given.index_select(axis, old))
    network.load_state_dict(own)
    return len(shared)


def _without(shape: Sequence[int], axis: int | None) -> list[int]:
    return [size for place, size in enumerate(shape) if place != axis]
