"""What is put on a body that describes frames: a head for frames, one for CTC, or one for whole recordings.

Bodies take normalised log-mel frames (B, T, 40), optionally with the number of frames of each, and give (B, S, width):
a description of each ``step`` frames. They are :class:`percept.speech.acoustic.compact.Compact`, the default, and the
papers' in :mod:`percept.speech.acoustic.windows`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

HOP = 2  # frames that a token stands for, where the body tells of so many or more at once: phones are short


class Phones(nn.Module):
    """Normalised log-mel frames -> scores of the phones, before the softmax; ``hop``: frames a token.

    Args:
        body: what describes the frames. classes: of the frame head: phones times states, silence first.
        tokens: of the CTC head: the blank, then the phones; 0: no such head.
    """

    def __init__(self, body: nn.Module, classes: int, tokens: int) -> None:
        super().__init__()
        self.body, self.step, self.context = body, body.step, body.context
        self.hop = min(body.step, HOP)
        self.frame_head = nn.Linear(body.width, body.step * classes)
        self.token_head = nn.Linear(body.width, body.step // self.hop * tokens) if tokens else None

    def forward(self, mels: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """(B, T, 40) -> (B, T, classes) of each frame, and (B, ceil(T / hop), tokens) of each ``hop`` frames, or None.

        lengths: (B,) frames of each; what lies beyond is padding, without influence on what lies before.
        """
        found = self.body(mels, lengths)  # (B, S, C)
        frames = self.frame_head(found).unflatten(-1, (self.step, -1)).flatten(1, 2)  # (B, S, step K) -> (B, step S, K)
        frames = frames[:, : mels.shape[1]]
        if self.token_head is None:
            return frames, None
        tokens = self.token_head(found).unflatten(-1, (self.step // self.hop, -1)).flatten(1, 2)
        return frames, tokens[:, : (mels.shape[1] + self.hop - 1) // self.hop]


class Words(nn.Module):
    """Normalised log-mel frames of one command word -> scores of the words, before the softmax.

    Each step says by itself how much it counts; the weighted mean and the maximum over time are what is classified.
    """

    def __init__(self, body: nn.Module, labels: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.body, self.step, self.context = body, body.step, body.context
        self.counts = nn.Linear(body.width, 1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * body.width, labels)

    def forward(self, mels: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(B, T, 40) -> (B, labels)."""
        found = self.body(mels, lengths)  # (B, S, C)
        counts, heard = self.counts(found), found
        if lengths is not None:
            outside = ~within(-(-lengths // self.step), found.shape[1]).unsqueeze(-1)
            counts, heard = counts.masked_fill(outside, -torch.inf), found.masked_fill(outside, -torch.inf)
        mean = (counts.softmax(1) * found).sum(1)  # (B, S, 1) (B, S, C) -> (B, C)
        most = heard.amax(1)
        return self.head(self.dropout(torch.cat((mean, most), dim=1)))


def within(lengths: Tensor, longest: int) -> Tensor:
    """(B, longest) bool: false beyond each length."""
    return torch.arange(longest, device=lengths.device) < lengths[:, None]
