"""What the networks learn from: all places of a row compete for a pixel, or the paper's pairs of patches."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MARGIN = 0.2  # of the hinge (section 3.1)


@dataclass(frozen=True)
class Pairs:
    """Where the paper takes its examples from, in pixels: a match within ``positive``, no match ``low`` to ``high``."""

    positive: float = 0.5
    low: float = 1.5
    high: float = 6.0
    high_accurate: float = 18.0


def rows_loss(left: Tensor, right: Tensor, places: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the true match among all pixels of the right row.

    Args:
        left: (B, C, H, w) vectors of the pixels that are asked for.
        right: (B, C, H, W) vectors of whole rows.
        places: (B, H, w) column of the match in the right crop, NaN where there is none.
        scale: (1,) how sharply cosines are told apart.

    Returns:
        The sum over the matched pixels, and how many of them are nearest to their match within a pixel.
    """
    batch, channels, height, asked = left.shape
    width = right.shape[3]
    one = left.permute(0, 2, 3, 1).reshape(batch * height, asked, channels)  # (B, C, H, w) -> (B H, w, C)
    two = right.permute(0, 2, 1, 3).reshape(batch * height, channels, width)  # (B, C, H, W) -> (B H, C, W)
    alike = torch.bmm(one * scale, two)  # (B H, w, W): pixels of the left row against those of the right one
    where = places.reshape(batch * height, asked)
    matched = torch.isfinite(where)
    true, alike = where[matched], alike[matched]  # (N,) and (N, W)
    low = true.floor().long().clamp(0, width - 2)  # this pixel and its neighbour share the target
    upper = (true - low).clamp(0, 1)
    said = F.log_softmax(alike, dim=1).gather(1, torch.stack([low, low + 1], dim=1))  # (N, 2)
    total = -((1 - upper) * said[:, 0] + upper * said[:, 1]).sum()
    return total, ((alike.detach().argmax(dim=1) - true).abs() <= 1).sum()


def pairs_loss(network: nn.Module, left: Tensor, right: Tensor, places: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
    """The paper's: hinge on cosines for fast (section 3.1), binary cross-entropy for accurate (section 3.2).

    Args:
        left, right: (B, C, H, W) vectors of whole crops: each of their pixels is a patch.
        places: (B, H, W) column of the match in the right crop, NaN where there is none.
        draws: (B, H, W, 2) offsets in pixels of the positive and of the negative example from the match.

    Returns:
        The sum over the examples, and how many of them are told rightly.
    """
    width = left.shape[3]
    image, row, column = torch.nonzero(torch.isfinite(places), as_tuple=True)  # (N,)
    true = places[image, row, column][:, None] + draws[image, row, column]  # (N, 2)
    inside = ((true >= 0) & (true <= width - 1)).all(dim=1)
    image, row, column, true = image[inside], row[inside], column[inside], true[inside].round().long()
    anchor = left[image, :, row, column]  # (N, C)
    match, other = (right[image, :, row, true[:, which]] for which in (0, 1))
    if hasattr(network, "alike"):
        yes, no = network.alike(anchor, match), network.alike(anchor, other)
        wrong = F.binary_cross_entropy_with_logits(yes, torch.ones_like(yes), reduction="none")
        wrong = wrong + F.binary_cross_entropy_with_logits(no, torch.zeros_like(no), reduction="none")
        return wrong.sum() / 2, ((yes > 0) & (no < 0)).sum()
    yes, no = (anchor * match).sum(dim=1), (anchor * other).sum(dim=1)
    return F.relu(MARGIN + no - yes).sum(), (yes > no).sum()
