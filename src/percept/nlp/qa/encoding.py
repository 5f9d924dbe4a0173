"""A sentence as one vector: its words' embeddings summed, each weighted by its place (Sukhbaatar 2015, section 4.1).

The weight of word j in dimension k is a_j + b_j r_k in the paper's form of position encoding and in that of its code,
so that a sum over words is two sums of plain bags, which is quicker than a product for each word and dimension.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from percept.nlp.qa.vocab import NIL

ENCODINGS = ("bow", "pe", "pe-code")


def ramp(encoding: str, dimension: int) -> Tensor:
    """r_k: (d,)."""
    k = torch.arange(1, dimension + 1, dtype=torch.float32)
    return k / dimension if encoding == "pe" else (k - (dimension + 1) / 2) / dimension


def places(encoding: str, tokens: Tensor, longest: int) -> tuple[Tensor, Tensor]:
    """a_j and b_j of the words of sentences (R, W): (R, W) each, 0 where there is no word.

    "pe", equation under (4) of the paper: l_kj = (1 - j/J) - (k/d)(1 - 2j/J), J words of that sentence.
    "pe-code", the authors' Matlab: l_kj = 1 + 4 (k - (d+1)/2)(j - (J+1)/2) / (d J), J = ``longest`` of all sentences.
    """
    word = (tokens != NIL).float()  # (R, W)
    j = torch.arange(1, tokens.shape[-1] + 1, device=tokens.device, dtype=torch.float32)  # (W,)
    if encoding == "bow":
        return word, torch.zeros_like(word)
    if encoding == "pe":
        share = j / word.sum(dim=-1, keepdim=True).clamp(min=1)  # (R, W): j/J
        return word * (1 - share), word * (2 * share - 1)
    return word, word * (4 * (j - (longest + 1) / 2) / longest)


def bags(weights: Tensor, tokens: Tensor, member: Tensor, encoding: str, longest: int, *, dense: bool) -> Tensor:
    """Sentences (R, W) of words as vectors (R, T, d), one by each of T tables.

    weights: (T, M, V, d), T tables for each of M networks. member: (R,) whose sentence it is. dense: by plain products,
    which every exporter knows, instead of by bags. All tables are looked up at once: what costs is the call.
    """
    tables, count, size, dimension = weights.shape
    table = weights.permute(1, 2, 0, 3).reshape(count * size, tables * dimension)  # (T, M, V, d) -> (M V, T d)
    rows = tokens + (member * size)[:, None]  # (R, W)
    first, second = places(encoding, tokens, longest)
    slope = ramp(encoding, dimension).to(weights)
    if dense:
        embedded = F.embedding(rows, table).unflatten(-1, (tables, dimension))  # (R, W, T, d)
        factor = first[..., None] + second[..., None] * slope  # (R, W, d)
        return (embedded * factor[:, :, None]).sum(dim=1)  # (R, W, T, d) -> (R, T, d)
    summed = F.embedding_bag(rows, table, mode="sum", per_sample_weights=first)  # (R, T d)
    summed = summed.unflatten(-1, (tables, dimension))
    if encoding == "bow":
        return summed
    other = F.embedding_bag(rows, table, mode="sum", per_sample_weights=second).unflatten(-1, (tables, dimension))
    return summed + other * slope
