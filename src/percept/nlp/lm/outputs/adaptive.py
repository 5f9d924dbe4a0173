"""The adaptive softmax (Grave et al. 2017): frequent words first, rare ones in clusters with ever fewer numbers each.

p(w) = p(cluster) p(w | cluster). torch has it; here it gets its clusters and the face of the other layers.
"""

from __future__ import annotations

from torch import Tensor, nn

_CUTS = (2000, 10_000, 50_000)  # ranks of words at which a cluster ends


class Adaptive(nn.Module):
    """Words numbered by frequency; the k-th cluster sees D / 4^k numbers (section 4)."""

    def __init__(self, width: int, units: int) -> None:
        super().__init__()
        cuts = sorted({min(cut, units // share) for cut, share in zip(_CUTS, (5, 2, 2), strict=True)})
        cuts = [cut for cut in cuts if 0 < cut < units - 1] or [1]
        while width < 4 ** len(cuts):  # a cluster would see nothing
            cuts.pop()
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(width, units, cuts, div_value=4.0)

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Summed over (N,) targets."""
        return -self.softmax(features.float(), targets).output.sum()

    def log_probs(self, features: Tensor) -> Tensor:
        """(..., D) -> (..., V)."""
        flat = self.softmax.log_prob(features.reshape(-1, features.shape[-1]).float())  # (N, V)
        return flat.view(*features.shape[:-1], -1)

    def score(self, features: Tensor, targets: Tensor) -> Tensor:
        """(N, D), (N,) -> (N,) log p."""
        return self.softmax(features.float(), targets).output
