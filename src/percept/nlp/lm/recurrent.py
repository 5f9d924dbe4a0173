"""Recurrent bodies: Elman's network (Mikolov et al. 2010), the GRU, and the LSTM as regularised by Zaremba et al. 2014.

A body takes the vectors of words (T, B, E) and a state, and gives a description of what has been read at each place,
(T, B, D), and the next state. A state is a tuple of tensors (K, B, ...), zeros at the begin of a document. ``drop`` is
what training does to the descriptions before the output layer sees them.
"""

from __future__ import annotations

import torch
from torch import _VF, Tensor, nn
from torch.nn import functional as F

State = tuple[Tensor, ...]

_GATES = {"rnn": 1, "gru": 3, "lstm": 4}


class Recurrent(nn.Module):
    """Layers of one kind, with dropout on what goes from layer to layer but not from step to step (Zaremba, section 3).

    Args:
        kind: rnn, gru or lstm. drops: shares dropped of the words' vectors, between layers, and at the end.
    """

    def __init__(self, kind: str, inputs: int, hidden: int, layers: int, drops: tuple[float, float, float]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(kind, hidden if n else inputs, hidden) for n in range(layers))
        self.drops = drops
        self.width = hidden

    def start(self, batch: int, like: Tensor) -> State:
        """The state before anything is read."""
        return tuple(zeros for layer in self.layers for zeros in layer.start(batch, like))

    def forward(self, words: Tensor, state: State) -> tuple[Tensor, State]:
        into, between, _ = self.drops
        found, after = F.dropout(words, into, self.training), []
        each = len(state) // len(self.layers)
        for number, layer in enumerate(self.layers):
            if number:
                found = F.dropout(found, between, self.training)
            found, new = layer(found, state[each * number : each * (number + 1)])
            after += new
        return found, tuple(after)

    def drop(self, found: Tensor) -> Tensor:
        """(T, B, D) as the output layer sees it in training."""
        return F.dropout(found, self.drops[2], self.training)


class Layer(nn.Module):
    """One recurrent layer by torch's own kernels, with weights that may be handed in.

    The LSTM is i, f, g, o = W x + U h + b;  c' = s(f) c + s(i) tanh(g);  h' = s(o) tanh(c')  with s the sigmoid.
    """

    def __init__(self, kind: str, inputs: int, hidden: int) -> None:
        super().__init__()
        self.kind, self.hidden = kind, hidden
        rows = _GATES[kind] * hidden
        bound = hidden**-0.5
        self.weight_ih = nn.Parameter(torch.empty(rows, inputs).uniform_(-bound, bound))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden).uniform_(-bound, bound))
        self.bias_ih = nn.Parameter(torch.zeros(rows))
        self.bias_hh = nn.Parameter(torch.zeros(rows))

    def start(self, batch: int, like: Tensor) -> State:
        """Zeros: h, and of an LSTM c."""
        return tuple(like.new_zeros(1, batch, self.hidden) for _ in range(2 if self.kind == "lstm" else 1))

    def forward(self, words: Tensor, state: State, weight_hh: Tensor | None = None) -> tuple[Tensor, State]:
        """(T, B, I), state -> (T, B, H), state. ``weight_hh``: recurrent weights to use instead of its own."""
        recurrent = self.weight_hh if weight_hh is None else weight_hh
        weights = [self.weight_ih, recurrent, self.bias_ih, self.bias_hh]
        state = tuple(one.to(words.dtype) for one in state)
        how = (True, 1, 0.0, self.training, False, False)  # biases, layers, dropout, training, both ways, batch first
        if self.kind == "lstm":
            found, h, c = _VF.lstm(words, state, weights, *how)
            return found, (h, c)
        run = _VF.gru if self.kind == "gru" else _VF.rnn_tanh
        found, h = run(words, state[0], weights, *how)
        return found, (h,)
