"""The networks by name, built from nothing or from weights."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from percept.core.checkpoint import Checkpoint
from percept.core.errors import UsageError
from percept.vision.scene.farabet import Farabet
from percept.vision.scene.model import Pyramid
from percept.vision.scene.options import Train


def described(options: Train) -> dict[str, Any]:
    """What builds the network of these options again; stands in the header of its weights."""
    if options.model == "farabet":
        return {"name": "farabet", "connections": options.connections, "seed": options.seed, "cover": True}
    return {"name": options.model}


def build(model: dict[str, Any], classes: int) -> nn.Module:
    """A network with fresh weights: images (B, 3, H, W) RGB 0..1 -> scores (B, classes, ceil(H / 4), ceil(W / 4))."""
    if model["name"] == "farabet":
        return Farabet(classes, model["connections"], model["seed"], cover=model["cover"])
    return Pyramid(classes)


def fused(network: nn.Module) -> nn.Module:
    """The same network with each batch normalisation inside the convolution before it: quicker, and only to answer.

    It is changed in place, and given back.
    """
    for block in network.modules():
        if not isinstance(block, nn.Sequential):
            continue
        for (first, one), (second, two) in pairwise(list(block.named_children())):
            if isinstance(one, nn.Conv2d) and isinstance(two, nn.BatchNorm2d):
                setattr(block, first, fuse_conv_bn_eval(one, two))
                setattr(block, second, nn.Identity())
    return network


def from_checkpoint(checkpoint: Checkpoint) -> nn.Module:
    """The network of a weight file, ready to answer.

    Raises:
        UsageError: the tensors are not those of the network that the header names.
    """
    network = build(checkpoint.header["model"], len(checkpoint.header["classes"]))
    try:
        network.load_state_dict(checkpoint.tensors)
    except RuntimeError as error:
        raise UsageError(f"{checkpoint.path}: not the tensors of {checkpoint.header['model']['name']}") from error
    return network.eval()
