"""Does a transcript fit its sound? An alignment always ends well; this tells whether to believe it.

Each stretch of some seconds is judged by itself, so that a page that is missing in the middle of an hour shows, and is
named with its times. Two figures of :mod:`percept.speech.acoustic.fit` tell most: how much less likely the words are
than the best phones that anybody could have said there, and how many phones are as short as a phone can be. A logistic
function weighs them; ``recipes/fit.py`` learns its numbers from right pairs and from sounds with the words of others,
and writes them into the header of the weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from percept.speech.acoustic.fit import fit
from percept.speech.acoustic.graph import Alignment, Word
from percept.speech.acoustic.topology import OTHER, Span
from percept.speech.features import FRAME

STRETCH = 5.0  # seconds of words that are judged together, at least
FOREIGN = 1.0  # seconds; sound that is none of the transcript's and lasts as long is named
EVEN, CLEAR = 0.5, 0.1  # chances below which words are doubted, and are surely others
ODD = 0.02  # of the stretches; so many may hold other words by a slip of somebody's tongue
QUOTED = 5  # words of a stretch that are named


@dataclass(frozen=True)
class Rule:
    """What turns figures into a chance: of a stretch that is as likely right as wrong, the sum is 0.

    whole: for each natural log of likelihood a frame; hurried: for the share of shortest phones; constant.
    """

    whole: float = 6.0
    hurried: float = -5.0
    constant: float = 10.0

    @classmethod
    def of(cls, header: dict[str, Any]) -> Rule:
        """The one in the header of weights, else one that does for most."""
        return cls(**header.get("decoding", {}).get("fit", {}))

    def chance(self, whole: float, hurried: float) -> float:
        """0..1: how likely words that measure so are right."""
        weighed = self.whole * whole + self.hurried * hurried + self.constant
        return float(1 / (1 + np.exp(-np.clip(weighed, -50, 50))))


@dataclass(frozen=True)
class Stretch:
    """A part of the sound, in seconds, and what is wrong there."""

    start: float
    end: float
    what: str

    def __str__(self) -> str:
        return f"{self.start:.1f}-{self.end:.1f} s: {self.what}"

    def to_json(self) -> dict[str, Any]:
        """Times to milliseconds."""
        return {"start": round(self.start, 3), "end": round(self.end, 3), "what": self.what}


@dataclass(frozen=True)
class Verdict:
    """fit: 0..1, the mean chance of the stretches, by their length. fits: whether the words may be believed. wrong: the
    stretches that may not; foreign: sound that the transcript does not hold, which alone is no reason to disbelieve."""

    fit: float
    fits: bool
    wrong: tuple[Stretch, ...] = ()
    foreign: tuple[Stretch, ...] = ()


def judge(
    alignment: Alignment,
    scores: np.ndarray,
    free: np.ndarray,
    phones: np.ndarray,
    shortest: int,
    rule: Rule,
    words: Sequence[str],
) -> Verdict:
    """Judge an alignment.

    Args:
        scores: (T, C), what was aligned. free: (T,) the scores of the best path that need not spell the words; phones:
            (T,) where it is, 0 in silence. shortest: frames that a phone lasts at least. words: of the transcript.
    """
    judged = []
    for part, first, end in stretches(alignment):
        whole, hurried = figures(part, scores[first:end], free[first:end], shortest)
        judged.append((rule.chance(whole, hurried), part, first, end))
    sure, fits = decided([chance for chance, *_ in judged], [end - first for *_, first, end in judged])
    wrong = []
    for is_bad, group in groupby(judged, key=lambda one: one[0] < EVEN):
        if is_bad:
            run = list(group)
            begin, last = run[0][1].words[0], run[-1][1].words[-1]
            start, end = run[0][2] + begin.first, run[-1][2] + last.end
            not_heard = _not_heard(words[begin.number : last.number + 1])
            wrong.append(Stretch(start * FRAME, end * FRAME, not_heard))
    return Verdict(sure, fits, tuple(wrong), tuple(_foreign(alignment, phones)))


def decided(chances: Sequence[float], lengths: Sequence[int]) -> tuple[float, bool]:
    """(fit, fits) of stretches with their lengths: of a long recording an odd one is forgiven, two in a row are not."""
    if not chances:
        return 0.0, False
    sure = float(np.average(chances, weights=lengths))
    in_a_row = any(a < EVEN and b < EVEN for a, b in pairwise(chances))
    odd = sum(chance < CLEAR for chance in chances)
    return sure, sure >= EVEN and not in_a_row and odd <= ODD * len(chances)


def figures(part: Alignment, scores: np.ndarray, free: np.ndarray, shortest: int) -> tuple[float, float]:
    """What a rule weighs: (whole, hurried) of :class:`percept.speech.acoustic.fit.Fit`."""
    found = fit(part, scores, shortest, free=free)
    return found.whole, found.hurried


def stretches(alignment: Alignment, seconds: float = STRETCH) -> Iterator[tuple[Alignment, int, int]]:
    """Parts of whole words that last ``seconds`` or more, each with its first frame and the frame after its last.

    The frames of a part count from 0. What lies before its first word belongs to it, and to the last one what follows.
    """
    words, least = alignment.words, seconds / FRAME
    left = sum(word.end - word.first for word in words)
    begin = first = taken = 0
    for n, word in enumerate(words):
        taken += word.end - word.first
        left -= word.end - word.first
        if n + 1 == len(words) or min(taken, left) >= least:
            end = len(alignment.classes) if n + 1 == len(words) else word.end
            yield _part(alignment, words[begin : n + 1], first, end), first, end
            begin, first, taken = n + 1, end, 0


def _part(alignment: Alignment, words: Sequence[Word], first: int, end: int) -> Alignment:
    """The part with these words, without the spans between them, which nobody judges."""
    moved = [
        replace(word, first=word.first - first, end=word.end - first, phones=_moved(word.phones, first))
        for word in words
    ]
    return Alignment(tuple(moved), (), alignment.classes[first:end], 0.0)


def _moved(spans: Sequence[Span], by: int) -> tuple[Span, ...]:
    return tuple(replace(one, first=one.first - by, end=one.end - by) for one in spans)


def _foreign(alignment: Alignment, phones: np.ndarray) -> Iterator[Stretch]:
    """Sound that is none of the transcript's; silences between it do not part it."""
    for between, group in groupby(alignment.spans, key=lambda span: span.phone in (0, OTHER)):
        run = list(group)
        while run and run[0].phone != OTHER:
            run.pop(0)
        while run and run[-1].phone != OTHER:
            run.pop()
        if between and run and (run[-1].end - run[0].first) * FRAME >= FOREIGN:
            first, end = run[0].first, run[-1].end
            what = "speech" if np.mean(phones[first:end] > 0) > 0.5 else "sound"
            yield Stretch(first * FRAME, end * FRAME, f"{what} that is not in the transcript")


def _not_heard(words: Sequence[str]) -> str:
    return f'what is heard is not "{" ".join(words[:QUOTED])}{" ..." if len(words) > QUOTED else ""}"'
