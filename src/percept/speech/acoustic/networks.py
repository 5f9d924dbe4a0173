"""The networks by name, built from nothing or from weights."""

from __future__ import annotations

from typing import Any

from torch import nn

from percept.core.checkpoint import Checkpoint
from percept.core.errors import UsageError
from percept.speech.acoustic.compact import Compact
from percept.speech.acoustic.model import Phones, Words
from percept.speech.acoustic.options import Train
from percept.speech.acoustic.windows import NyuIbm, Sercu, Tdnn
from percept.speech.phones import PHONES

PAPERS = {"nyu-ibm": NyuIbm, "sercu": Sercu, "tdnn": Tdnn}


def described(options: Train, units: str) -> dict[str, Any]:
    """What builds the network of these options again; stands in the header of its weights."""
    made: dict[str, Any] = {"name": options.model, "units": units}
    if options.model == "compact":
        made |= {"width": options.width, "blocks": options.blocks}
    if units == "phones":
        made |= {"states": options.states, "ctc": options.ctc > 0}
    return made


def build(model: dict[str, Any], labels: int = 0) -> nn.Module:
    """A network with fresh weights: ``Phones``, or ``Words`` of so many labels."""
    body = Compact(model["width"], model["blocks"]) if model["name"] == "compact" else PAPERS[model["name"]]()
    if model["units"] == "words":
        return Words(body, labels)
    return Phones(body, (1 + len(PHONES)) * model["states"], 1 + len(PHONES) if model["ctc"] else 0)


def from_checkpoint(checkpoint: Checkpoint) -> nn.Module:
    """The network of a weight file, ready to answer.

    Raises:
        UsageError: the tensors are not those of the network that the header names.
    """
    network = build(checkpoint.header["model"], len(checkpoint.header["classes"]))
    own = {name: tensor for name, tensor in checkpoint.tensors.items() if name in network.state_dict()}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        raise UsageError(f"{checkpoint.path}: not the tensors of {checkpoint.header['model']['name']}") from error
    return network.eval()
