"""Mixtures of models: p = sum of w_k p_k, with weights found by expectation maximisation on a text kept for that."""

from __future__ import annotations

import numpy as np

_ROUNDS = 50
_LEAST = 1e-30


def tuned(p: np.ndarray) -> np.ndarray:
    """(K,) weights that make the tokens of a text likeliest, from each model's p of each, (K, N).

    The likelihood is concave in the weights, and each round of EM (Dempster et al. 1977) raises it.
    """
    weights = np.full(len(p), 1 / len(p))
    for _ in range(_ROUNDS):
        shares = weights[:, None] * np.maximum(p, _LEAST)
        weights = (shares / shares.sum(axis=0)).mean(axis=1)
    return weights


def perplexity(p: np.ndarray) -> float:
    """Of a text, from p of each token, (N,)."""
    return float(np.exp(-np.log(np.maximum(p, 1e-300)).mean()))
