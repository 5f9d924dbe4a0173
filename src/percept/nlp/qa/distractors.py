"""Training stories with fewer of the sentences that do not decide: easier first, and more of them than there are.

What the deciding sentences say they say without the others too, so a story that has lost some of the others has the
same answer. Where pronouns stand for whoever the sentence before names, no sentence is left out.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from percept.nlp.qa.tensors import Batch
from percept.nlp.qa.vocab import NIL

PRONOUNS = (11, 13)  # kinds whose sentences need the one before


def thin(batch: Batch, share: float) -> Batch:
    """(B,) stories with about that share of the sentences that do not decide, without gaps; the question stays.

    How many are kept differs from story to story: a part of u to the power (1 / share - 1) with u even between 0 and 1,
    which is ``share`` in the mean, none at 0 and all at 1. Stories that do not tell what decides stay whole.
    """
    if share >= 1:
        return batch
    tokens, supports = batch.tokens, batch.supports  # (B, 1 + S, W), (B, N)
    count, places = tokens.shape[0], tokens.shape[1] - 1
    even = torch.rand(count, 1, device=tokens.device)
    part = even ** (1 / share - 1) if share else torch.zeros_like(even)
    kept = torch.rand(count, places, device=tokens.device) < part  # (B, S)
    known = supports >= 0
    kept |= torch.zeros_like(kept).scatter_reduce(1, supports.clamp(min=0), known, "amax")
    kept |= (torch.isin(batch.kinds, batch.kinds.new_tensor(PRONOUNS)) | ~known.any(dim=1))[:, None]
    kept &= (tokens[:, 1:] != NIL).any(dim=-1)
    first = (~kept).to(torch.int8).argsort(dim=1, stable=True)[:, : max(int(kept.sum(dim=1).max()), 1)]  # (B, S')
    facts = tokens[:, 1:].take_along_dim(first[..., None], dim=1) * kept.take_along_dim(first, dim=1)[..., None]
    moved = (kept.cumsum(dim=1) - 1).take_along_dim(supports.clamp(min=0), dim=1)
    return replace(batch, tokens=torch.cat([tokens[:, :1], facts], dim=1), supports=torch.where(known, moved, -1))
