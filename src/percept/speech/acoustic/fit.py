"""How well a transcript fits its sound, from its alignment: what it takes to notice that it does not.

An alignment always ends well: words that nobody said are squeezed in somewhere. There the frames are far less likely
than they are on the best path that need not spell the transcript, and phones are as short as they can be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percept.speech.acoustic.graph import Alignment
from percept.speech.acoustic.topology import OTHER


@dataclass(frozen=True)
class Fit:
    """Ratios are natural logs of likelihood against the free path, means over frames: 0 at best.

    words: the ratio of each word. whole: of all frames of words. silence: of all frames that are aligned with silence,
    where missing words hide. worst: the least of any ``together`` neighbouring words. low: share of the words below
    ``least``. hurried: share of the phones that last as short as a phone can. other: share of the frames that are
    sound which is none of the transcript's. Of no frames, 0.
    """

    words: tuple[float, ...]
    whole: float
    silence: float
    worst: float
    low: float
    hurried: float
    other: float


def fit(
    alignment: Alignment,
    scores: np.ndarray,
    shortest: int,
    *,
    free: np.ndarray | None = None,
    least: float = -3.0,
    together: int = 5,
) -> Fit:
    """Compare an alignment with the best that the same sound could be.

    Args:
        scores: (T, C), what was aligned.
        shortest: frames that a phone lasts at least, ``Topology.shortest``.
        free: (T,) the score of a path that is not bound to the transcript, such as
            :func:`percept.speech.acoustic.topology.along` of what ``viterbi.decode`` finds; None: each frame's best
            class.
        least: the ratio below which a word counts as low.
        together: how many neighbouring words ``worst`` looks at.
    """
    free = scores.max(axis=1) if free is None else free
    classes = alignment.classes
    known = classes != OTHER
    own = scores[np.arange(len(scores)), np.where(known, classes, 0)]
    ratio = np.where(known, own.astype(np.float64) - free, 0.0)  # (T,)
    total = np.concatenate(([0.0], np.cumsum(ratio)))  # (T + 1,) of all frames before
    edges = np.array([(word.first, word.end) for word in alignment.words], np.int64).reshape(-1, 2)  # (W, 2)
    sums, frames = total[edges[:, 1]] - total[edges[:, 0]], edges[:, 1] - edges[:, 0]
    words = sums / frames
    silent = [(span.first, span.end) for span in alignment.spans if span.phone == 0]
    phones = [span for word in alignment.words for span in word.phones]
    return Fit(
        words=tuple(words.tolist()),
        whole=_share(sums.sum(), frames.sum()),
        silence=_share(sum(total[end] - total[first] for first, end in silent), sum(e - f for f, e in silent)),
        worst=_worst(sums, frames, together),
        low=_share(np.count_nonzero(words < least), len(words)),
        hurried=_share(sum(span.end - span.first <= shortest for span in phones), len(phones)),
        other=_share(np.count_nonzero(~known), len(known)),
    )


def _worst(sums: np.ndarray, frames: np.ndarray, together: int) -> float:
    """The least mean of ``together`` neighbours, or of all where there are fewer."""
    if not len(sums):
        return 0.0
    together = min(together, len(sums))
    sums, frames = (np.concatenate(([0], np.cumsum(values))) for values in (sums, frames))
    return float(((sums[together:] - sums[:-together]) / (frames[together:] - frames[:-together])).min())


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0
