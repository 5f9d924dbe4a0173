"""The full softmax: p(w | h) = exp(v_w . h + b_w) / sum over all words."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Full(nn.Module):
    """A vector and a bias for each word; the vectors may be those of another table (Press and Wolf 2017)."""

    def __init__(self, width: int, units: int, table: nn.Embedding | None = None) -> None:
        super().__init__()
        self.shared = (table,)  # in a tuple: it is saved and trained once, where it belongs
        if table is None:
            self.weight = nn.Parameter(torch.empty(units, width).uniform_(-0.1, 0.1))
        self.bias = nn.Parameter(torch.zeros(units))

    @property
    def vectors(self) -> Tensor:
        """(V, D)."""
        return self.weight if self.shared[0] is None else self.shared[0].weight

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Summed over (N,) targets."""
        return F.cross_entropy(F.linear(features, self.vectors, self.bias).float(), targets, reduction="sum")

    def log_probs(self, features: Tensor) -> Tensor:
        """(..., D) -> (..., V)."""
        return F.log_softmax(F.linear(features, self.vectors, self.bias).float(), dim=-1)

    def score(self, features: Tensor, targets: Tensor) -> Tensor:
        """(N, D), (N,) -> (N,) log p."""
        scores = F.linear(features, self.vectors, self.bias).float()  # (N, V)
        return scores.gather(1, targets[:, None]).squeeze(1) - scores.logsumexp(dim=1)
