"""The neural probabilistic language model (Bengio et al. 2003, section 2): an n-gram model over vectors of words.

y = b + W x + U tanh(d + H x), where x are the vectors of the last n - 1 words side by side. U, and with direct
connections W, are the output layer's: it sees tanh(d + H x) and x side by side.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

State = tuple[Tensor, ...]


class Nplm(nn.Module):
    """(T, B, E) -> (T, B, D), D = hidden, and (n - 1) E more with direct connections.

    Its state is the vectors of the n - 2 words before, zeros where a document begins.
    """

    def __init__(self, inputs: int, hidden: int, context: int, direct: bool, drops: tuple[float, float, float]) -> None:
        super().__init__()
        self.inputs, self.before, self.direct, self.drops = inputs, context - 2, direct, drops
        self.hidden = nn.Linear((context - 1) * inputs, hidden)
        self.width = hidden + ((context - 1) * inputs if direct else 0)

    def start(self, batch: int, like: Tensor) -> State:
        """The state before anything is read."""
        return (like.new_zeros(self.before, batch, self.inputs),)

    def forward(self, words: Tensor, state: State) -> tuple[Tensor, State]:
        words = F.dropout(words, self.drops[0], self.training)
        every = torch.cat([state[0].to(words.dtype), words])  # (n - 2 + T, B, E)
        steps = words.shape[0]
        x = torch.cat([every[n : n + steps] for n in range(self.before + 1)], dim=2)  # (T, B, (n - 1) E)
        found = torch.tanh(self.hidden(x))  # (T, B, hidden)
        if self.direct:
            found = torch.cat([found, x], dim=2)
        return found, (every[every.shape[0] - self.before :],)

    def drop(self, found: Tensor) -> Tensor:
        """(T, B, D) as the output layer sees it in training."""
        return F.dropout(found, self.drops[2], self.training)
