"""The softmax with its sum estimated by importance sampling (Bengio and Senecal 2003; Jean et al. 2015, section 3).

Z = sum of exp(score) over all words is what makes training slow. The target's part of it is known; that of the others
is estimated from a sample of k words drawn from a distribution q, each weighed by 1 / (k q(w)). The estimate of Z is
right on average, whatever q. Evaluation is over all words.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from percept.nlp.lm.outputs.full import Full

POWER = 0.75  # of the frequencies: rare words are drawn a little more often than they come


class Sampled(Full):
    """``noise``: how many words are drawn a step, for all targets together."""

    def __init__(self, width: int, counts: np.ndarray, table: nn.Embedding | None = None, noise: int = 1000) -> None:
        super().__init__(width, len(counts), table)
        self.noise = noise
        self.register_buffer("counts", torch.from_numpy(np.ascontiguousarray(counts, np.int64)))
        q = np.maximum(counts, 1) ** POWER  # pieces of words may never come: larger ones have taken their place
        q = q / q.sum()
        self.register_buffer("log_q", torch.from_numpy(np.log(q)).float(), persistent=False)
        self.register_buffer("upto", torch.from_numpy(q.cumsum()).float(), persistent=False)

    def drawn(self) -> Tensor:
        """(K,) words drawn from q, with repetitions."""
        where = torch.rand(self.noise, device=self.upto.device)
        return torch.searchsorted(self.upto, where).clamp_max(len(self.upto) - 1)

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Summed over (N,) targets."""
        noise = self.drawn()
        right, wrong = self.scores(features, targets, noise)
        wrong = wrong - (self.log_q[noise] + float(np.log(self.noise)))
        wrong = wrong.masked_fill(noise == targets[:, None], -torch.inf)  # the target itself is no sample
        every = torch.cat([right[:, None], wrong], dim=1)  # (N, 1 + K)
        return (every.logsumexp(dim=1) - right).sum()

    def scores(self, features: Tensor, targets: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The scores of the targets (N,) and of the noise words (N, K)."""
        numbers = torch.cat([targets, noise])
        vectors, bias = F.embedding(numbers, self.vectors), self.bias[numbers]
        count = len(targets)
        right = (features * vectors[:count]).sum(dim=1) + bias[:count]
        return right.float(), F.linear(features, vectors[count:], bias[count:]).float()
