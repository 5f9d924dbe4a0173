"""Cross-entropy by frame, and CTC over the phones of a recording."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

UNKNOWN = -100  # target of a frame of which nobody knows what it is


def frame_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """The summed cross-entropy of scores (B, T, K) over the targets (B, T) int64 that are known."""
    return F.cross_entropy(scores.float().flatten(0, 1), targets.flatten(), ignore_index=UNKNOWN, reduction="sum")


def right(scores: Tensor, targets: Tensor, states: int) -> tuple[Tensor, Tensor]:
    """How many known frames have the right phone, whatever its state, and how many are known."""
    known = targets != UNKNOWN
    phones = scores.argmax(-1) // states  # (B, T, K) -> (B, T)
    return ((phones == targets // states) & known).sum(), known.sum()


def ctc_loss(scores: Tensor, lengths: Tensor, tokens: Sequence[Tensor]) -> Tensor:
    """The summed negative log probability of the phones (Graves et al. 2006, equation 8), blank 0.

    Args:
        scores: (B, S, 1 + P) before the softmax. lengths: (B,) steps of each. tokens: phones of each, 1..P; a
            recording without any counts nothing, and so does one with fewer steps than its phones need.
    """
    counts = torch.tensor([len(one) for one in tokens], device=scores.device)
    if not int(counts.max()):
        return scores.sum() * 0
    chances = scores.float().log_softmax(-1).transpose(0, 1)  # (B, S, P') -> (S, B, P')
    every = torch.cat(list(tokens)).to(scores.device)
    each = F.ctc_loss(chances, every, lengths, counts, reduction="none", zero_infinity=True)  # (B,)
    return (each * (counts > 0)).sum()
