"""Word vectors as a picture in two dimensions: their two principal components."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from percept.core.files import replacing


def components(vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """(N, E) -> (N, 2) on the two axes along which they differ most, and the share of the variance that these show."""
    centred = vectors - vectors.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.where(axes[:2, np.abs(axes[:2]).argmax(axis=1)].diagonal() < 0, -1.0, 1.0)[:, None]
    places = np.zeros((len(vectors), 2), np.float64)
    places[:, : len(axes)] = centred @ axes.T
    return places, float((sizes[:2] ** 2).sum() / max((sizes**2).sum(), 1e-12))


def draw(words: Sequence[str], vectors: np.ndarray, path: Path) -> float:
    """Write the picture; returns the share of the variance that it shows."""
    from matplotlib.figure import Figure

    places, share = components(vectors)
    side = min(16.0, 5 + len(words) ** 0.5 / 2)
    figure = Figure(figsize=(side, side), layout="constrained")
    axis = figure.subplots()
    axis.scatter(*places.T, s=4)
    for word, (x, y) in zip(words, places, strict=True):
        axis.annotate(word.replace("$", r"\$"), (x, y), fontsize=8, xytext=(2, 2), textcoords="offset points")
    axis.set_title(f"{len(words)} words, {100 * share:.0f} % of their variance", fontsize=10)
    axis.set_xticks([])
    axis.set_yticks([])
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
    return share
