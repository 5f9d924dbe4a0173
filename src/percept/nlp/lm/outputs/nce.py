"""Noise-contrastive estimation (Gutmann and Hyvarinen 2010; Mnih and Teh 2012): tell words of the text from noise.

With k noise words drawn from q for each word, a word is of the text with probability s(score - log(k q(w))). The
normaliser is taken for 1 in training; evaluation normalises over all words.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from percept.nlp.lm.outputs.sampled import Sampled


class NoiseContrastive(Sampled):
    """Biases begin as the words' log frequencies, so that scores begin nearly normalised."""

    def __init__(self, width: int, counts: np.ndarray, table: nn.Embedding | None = None, noise: int = 1000) -> None:
        super().__init__(width, counts, table, noise)
        share = counts.astype(np.float64) / max(1, counts.sum())
        with torch.no_grad():
            self.bias.copy_(torch.from_numpy(np.log(np.maximum(share, 1e-12))))

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Summed over (N,) targets."""
        noise = self.drawn()
        right, wrong = self.scores(features, targets, noise)
        expected = self.log_q + float(np.log(self.noise))
        of_text = F.logsigmoid(right - expected[targets])  # (N,)
        of_noise = F.logsigmoid(expected[noise] - wrong).sum(dim=1)  # (N, K) -> (N,)
        return -(of_text + of_noise).sum()
