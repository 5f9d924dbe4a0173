"""What is minimised: cross-entropy of the answer, ranking losses of memnn, and which sentences decide."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def answer_loss(scores: Tensor, answers: Tensor) -> Tensor:
    """Cross-entropy of each question: scores (..., P, V), answers (..., P) -> (...), the sum over the P things."""
    each = F.cross_entropy(scores.flatten(0, -2).float(), answers.flatten(), reduction="none")
    return each.unflatten(0, answers.shape).sum(dim=-1)  # (..., P) -> (...)


def ranking_loss(scores: Tensor, right: Tensor, margin: float) -> Tensor:
    """How much wrong candidates come within ``margin`` of the right one: scores (..., N), right (...) -> (...).

    The sums over wrong candidates of equations 6 to 8 of Weston 2014. Candidates of score -inf are none.
    """
    best = scores.gather(-1, right[..., None])  # (..., 1)
    over = F.relu(margin - best + scores)
    wrong = torch.ones_like(scores, dtype=torch.bool).scatter(-1, right[..., None], False)
    return over.where(wrong & scores.isfinite(), torch.zeros_like(over)).sum(dim=-1)


def support_loss(looked: Tensor, supports: Tensor) -> Tensor:
    """How little the deciding sentences were looked at: looked (B, K, S), supports (B, N) places or -1 -> (B,).

    The mean over a question's supports of -log of the most that any hop gave it; 0 where nobody said which decide.
    """
    most = looked.float().amax(dim=1)  # (B, S)
    known = (supports >= 0) & (supports < most.shape[1])
    given = most.gather(1, supports.clamp(0, most.shape[1] - 1))  # (B, N)
    each = -(given + 1e-4).log() * known
    return each.sum(dim=1) / known.sum(dim=1).clamp(min=1)


def stops(supports: Tensor, hops: int, places: int) -> Tensor:
    """Which memory each hop should pick: (..., N) supports -> (..., hops), ``places`` (stop) behind the last.

    A sentence that is no longer remembered cannot be picked, and nothing is picked after it.
    """
    wanted = F.pad(supports, (0, max(0, hops - supports.shape[-1])), value=-1)[..., :hops]
    gone = ((wanted < 0) | (wanted >= places)).cumsum(dim=-1) > 0
    return wanted.masked_fill(gone, places)
