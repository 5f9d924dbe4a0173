"""A language model: a table of vectors, a body that reads them, and an output layer; and how weight files hold one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from percept.core.checkpoint import Checkpoint
from percept.core.errors import UsageError
from percept.nlp.lm import outputs, rows
from percept.nlp.lm.awd_lstm import AwdLstm
from percept.nlp.lm.nplm import Nplm
from percept.nlp.lm.recurrent import Recurrent, State


@dataclass(frozen=True)
class Drops:
    """Shares dropped in training: of words, their vectors, between layers, before the output; of recurrent weights."""

    words: float = 0.0
    input: float = 0.0
    hidden: float = 0.0
    output: float = 0.0
    weights: float = 0.0


def build(
    model: Mapping[str, Any], units: int, counts: np.ndarray | None = None, drops: Drops = Drops()
) -> LanguageModel:
    """A model with new weights.

    Args:
        model: name, embedding, hidden, layers, context, direct, output, tied; as in the header of a weight file.
        units: size V of the vocabulary. counts: (V,) how often each unit is in the training text.

    Raises:
        UsageError: tied vectors of different lengths.
    """
    name, inputs, hidden = model["name"], model["embedding"], model["hidden"]
    three = (drops.input, drops.hidden, drops.output)
    body: nn.Module
    if name == "nplm":
        body = Nplm(inputs, hidden, model["context"], model["direct"], three)
    elif name == "awd-lstm":
        width = inputs if model["tied"] else hidden
        body = AwdLstm(inputs, hidden, width, model["layers"], three, drops.weights)
    else:
        body = Recurrent(name, inputs, hidden, model["layers"], three)
    table = nn.Embedding(units, inputs)
    nn.init.uniform_(table.weight, -0.1, 0.1)
    if model["tied"] and body.width != inputs:
        raise UsageError(
            f"--tied: the output layer sees {body.width} numbers and words have {inputs}; give --hidden as --embedding"
        )
    output = outputs.build(model["output"], body.width, units, counts, table if model["tied"] else None)
    return LanguageModel(table, body, output, drops.words)


def from_checkpoint(read: Checkpoint) -> LanguageModel:
    """The model of a weight file, ready to answer. Raises UsageError if the tensors are not those of its header."""
    model = read.header["model"]
    tensors = rows.unpacked(read.tensors)
    counts = tensors.get("output.counts")
    network = build(model, len(read.header["classes"]), None if counts is None else counts.numpy())
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        said = str(error).splitlines()[-1].strip()
        raise UsageError(f"{read.path}: not the tensors of {model['name']}: {said}") from error
    return network.eval()


class LanguageModel(nn.Module):
    """Words (T, B) -> descriptions (T, B, D) of what has been read, and from them the next words."""

    def __init__(self, table: nn.Embedding, body: nn.Module, output: nn.Module, word_drop: float = 0.0) -> None:
        super().__init__()
        self.table, self.body, self.output, self.word_drop = table, body, output, word_drop

    def start(self, batch: int) -> State:
        """The state before anything is read."""
        return self.body.start(batch, self.table.weight)

    def read(self, words: Tensor, state: State, fresh: Tensor | None = None) -> tuple[Tensor, State]:
        """Read on.

        Args:
            words: (T, B) numbers. state: after the words before.
            fresh: (T, B) bool on the CPU, True where a document begins: what was before is forgotten.

        Returns:
            (T, B, D) descriptions after each word, without the dropout before the output layer, and the state.
        """
        vectors = self.table(words)  # (T, B) -> (T, B, E)
        if self.training and self.word_drop:
            kept = torch.bernoulli(vectors.new_full((self.table.num_embeddings,), 1 - self.word_drop))
            vectors = vectors * (kept / (1 - self.word_drop))[words].unsqueeze(2)
        if fresh is None or not fresh.any():
            return self.body(vectors, state)
        found, edges = [], [*torch.nonzero(fresh.any(dim=1)).flatten().tolist(), len(words)]
        if edges[0]:
            part, state = self.body(vectors[: edges[0]], state)
            found.append(part)
        for start, end in zip(edges, edges[1:], strict=False):
            keep = (~fresh[start]).to(vectors)[None, :, None]  # (1, B, 1)
            part, state = self.body(vectors[start:end], tuple(one * keep for one in state))
            found.append(part)
        return torch.cat(found), state

    def forward(self, words: Tensor) -> Tensor:
        """(B, T) numbers of words, a document's first ones -> (B, T, V) log p of the word that follows each."""
        vectors = self.table(words.transpose(0, 1))  # (B, T) -> (T, B, E)
        found, _ = self.body(vectors, self.body.start(vectors.shape[1], vectors))
        return self.output.log_probs(found).transpose(0, 1)  # (T, B, V) -> (B, T, V)
