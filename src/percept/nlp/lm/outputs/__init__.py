"""Output layers: from a description (N, D) to the next word among V.

Each has ``loss(features (N, D), targets (N,))``, summed, which may be drawn; ``log_probs(features)``, the true
log probabilities, (..., D) -> (..., V), whose exponentials sum to one; and ``score(features, targets)``, those of the
targets alone, (N,).
"""

from __future__ import annotations

import numpy as np
from torch import nn

from percept.core.errors import UsageError
from percept.nlp.lm.outputs.adaptive import Adaptive
from percept.nlp.lm.outputs.full import Full
from percept.nlp.lm.outputs.hierarchical import Hierarchical
from percept.nlp.lm.outputs.nce import NoiseContrastive
from percept.nlp.lm.outputs.sampled import Sampled


def build(name: str, width: int, units: int, counts: np.ndarray | None, table: nn.Embedding | None) -> nn.Module:
    """An output layer with new weights.

    Args:
        counts: (V,) how often each word is in the training text, not rising; None: all once.
        table: the vectors of the words, where the output layer shares them.

    Raises:
        UsageError: vectors cannot be shared with this layer.
    """
    if table is not None and name in ("adaptive", "hierarchical"):
        raise UsageError(f"--tied: the {name} output layer has no vector for each word to share")
    if name == "full":
        return Full(width, units, table)
    if name == "adaptive":
        return Adaptive(width, units)
    seen = np.ones(units, np.int64) if counts is None else counts
    if name == "hierarchical":
        return Hierarchical(width, seen)
    return (Sampled if name == "sampled" else NoiseContrastive)(width, seen, table)
