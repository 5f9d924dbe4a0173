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

    Looks are meant to take them one by one, in the order in which they are told, which is that of the reasoning, a hop
    each, from any hop on. The loss is -log of the chance of that, the mean over the hops where it may begin, divided by
    the number of sentences. Of more than K sentences it is that of the most that any hop gave. 0 where nobody said
    which decide.
    """
    looked = looked.float()
    hops, sentences = looked.shape[1:]
    known = (supports >= 0) & (supports < sentences)
    count = known.sum(dim=1)  # (B,)
    place = supports.clamp(0, sentences - 1)[:, None].expand(-1, hops, -1)
    given = (looked.gather(2, place) + 1e-4).log()  # (B, K, N)
    most = (given.amax(dim=1) * known).sum(dim=1)  # (B,)
    first = torch.arange(hops, device=supports.device)[:, None]  # (K, 1) where it begins
    hop = first + torch.arange(supports.shape[1], device=supports.device)  # (K, N)
    each = given.gather(1, hop.clamp(max=hops - 1).expand(len(given), -1, -1)) * known[:, None]  # (B, K, N)
    fits = first[:, 0] <= hops - count[:, None].clamp(max=hops)  # (B, K)
    in_turn = each.sum(dim=2).masked_fill(~fits, -torch.inf).logsumexp(dim=1) - fits.sum(dim=1).clamp(min=1).log()
    return -torch.where(count <= hops, in_turn, most) / count.clamp(min=1)


def stops(supports: Tensor, hops: int, places: int) -> Tensor:
    """Which memory each hop should pick: (..., N) supports -> (..., hops), ``places`` (stop) behind the last.

    A sentence that is no longer remembered cannot be picked, and nothing is picked after it.
    """
    wanted = F.pad(supports, (0, max(0, hops - supports.shape[-1])), value=-1)[..., :hops]
    gone = ((wanted < 0) | (wanted >= places)).cumsum(dim=-1) > 0
    return wanted.masked_fill(gone, places)
