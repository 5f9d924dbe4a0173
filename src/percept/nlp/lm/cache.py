"""The neural cache (Grave, Joulin and Usunier 2017): what followed similar histories of this text is likely again.

p(w | h_t) is proportional to the sum over the last W places i of exp(theta h_t . h_i) where w came (section 3, equation
5). It learns from the text that it reads: what is measured with it is adaptive.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from percept.core.console import progress
from percept.nlp.lm.reader import Reader
from percept.nlp.lm.vocabulary import Encoded

WINDOW = 2000  # places
THETAS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2)
_BLOCK = 256  # words at a time


@torch.inference_mode()
def cached(
    reader: Reader, encoded: Encoded, thetas: Sequence[float], window: int = WINDOW
) -> tuple[np.ndarray, np.ndarray]:
    """A text read once.

    Returns:
        (N,) float32 log p of each token by the model alone, and (K, N) float64 p of each by the cache, for each theta.
    """
    alone = np.empty(len(encoded.ids), np.float32)
    found = np.zeros((len(thetas), len(encoded.ids)))
    kept = torch.zeros(0, 0, device=reader.device)  # (<= W, D) descriptions, and the words that followed them
    came = torch.zeros(0, dtype=torch.int64, device=reader.device)
    starts = set(encoded.starts.tolist())
    edges = sorted({*range(0, len(encoded.ids), _BLOCK), *starts, len(encoded.ids)})
    with progress("cache", len(edges) - 1) as bar:
        for start, end in zip(edges, edges[1:], strict=False):
            if start in starts:
                reader.reset()
            features, targets = reader.features(encoded.ids[start:end])
            alone[start:end] = reader.of(features, targets)
            kept = torch.cat([kept.view(-1, features.shape[1]), features])
            came = torch.cat([came, targets])
            found[:, start:end] = _of_block(kept, came, len(targets), thetas, window)
            kept, came = kept[-window:], came[-window:]
            bar.step()
    return alone, found


def _of_block(kept: torch.Tensor, came: torch.Tensor, count: int, thetas: Sequence[float], window: int) -> np.ndarray:
    """(K, count) of the last ``count`` places, each of which looks at the ``window`` places before it."""
    near = kept[-count:] @ kept.T  # (count, M)
    here = torch.arange(len(kept) - count, len(kept), device=kept.device)[:, None]
    there = torch.arange(len(kept), device=kept.device)
    seen = (there < here) & (there >= here - window)
    right = seen & (came == came[-count:, None])
    rows = []
    for theta in thetas:
        scores = (theta * near).masked_fill(~seen, -torch.inf)
        weights = torch.softmax(scores, dim=1).nan_to_num()  # the first place of all sees nothing
        rows.append((weights * right).sum(dim=1).double().cpu().numpy())
    return np.stack(rows)
