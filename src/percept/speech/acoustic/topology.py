"""How phones pass through the classes of a network's head, and what decoding answers: stretches of frames.

Phones are numbers here: 0 is silence, the others are those of the alphabet in their order. Frames are those of the
scores, whatever they last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

IMPOSSIBLE = -1e4  # the least score of a frame, natural log: a probability of 0 must not end every path
OTHER = -1  # the phone of sound that is none of the transcript's


@dataclass(frozen=True)
class Span:
    """A phone from frame ``first`` until just before frame ``end``. confidence: 0..1, see :func:`with_confidence`."""

    phone: int
    first: int
    end: int
    confidence: float = 0.0


@dataclass(frozen=True, eq=False)
class Topology:
    """The states that each phone passes through, from left to right, and the class of the head that each one is.

    Of a frame head, class ``phone * states + state``; each state lasts ``least`` frames, and then any number more. Of a
    CTC head, class ``phone`` is the phone and class 0 the blank: a phone, then blanks as there are.

    Args:
        phones: how many, silence among them.
        states: classes of the frame head for each phone.
        least: frames that a state lasts at least.
        stay: probability of one more frame in a state; a number, or (phones, states).
        ctc: whether the scores are a CTC head's.
    """

    phones: int
    states: int = 3
    least: int = 1
    stay: float | np.ndarray = 0.5
    ctc: bool = False

    def __post_init__(self) -> None:
        if self.phones < 2 or self.states < 1 or self.least < 1:
            raise ValueError(f"{self.phones} phones of {self.states} states of {self.least} frames")
        if self.ctc and (self.states, self.least) != (1, 1):
            raise ValueError("a CTC head has one class for each phone")
        if not np.all((np.asarray(self.stay) > 0) & (np.asarray(self.stay) < 1)):
            raise ValueError("the probability to stay in a state is between 0 and 1")

    @property
    def classes(self) -> int:
        """C, the columns of scores."""
        return self.phones * self.states

    @property
    def steps(self) -> int:
        """K, through which a phone passes: states, each as often as the frames that it lasts at least."""
        return 2 if self.ctc else self.states * self.least

    @property
    def shortest(self) -> int:
        """Frames that a phone lasts at least."""
        return 1 if self.ctc else self.steps

    @cached_property
    def tables(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(P, K) each: the class int32 of every step, and natural logs float32 of staying there and of going on."""
        phone = np.arange(self.phones, dtype=np.int32)[:, None]  # (P, 1)
        if self.ctc:
            emits = np.concatenate((phone, np.zeros_like(phone)), axis=1)  # (P, 2): the phone, the blank
            return emits, np.zeros(emits.shape, np.float32), np.zeros(emits.shape, np.float32)
        step = np.arange(self.steps)
        emits = (phone * self.states + step // self.least).astype(np.int32)  # (P, K)
        stay = np.broadcast_to(np.asarray(self.stay, np.float64), (self.phones, self.states))
        stay = np.repeat(stay, self.least, axis=1)  # (P, states) -> (P, K)
        last = step % self.least == self.least - 1  # (K,): the only one of a state that may be repeated
        staying = np.where(last, np.log(stay), -np.inf).astype(np.float32)
        going = np.where(last, np.log1p(-stay), 0.0).astype(np.float32)
        return emits, staying, going

    def checked(self, scores: np.ndarray) -> np.ndarray:
        """Scores (T, C) as kernels want them: float32, in one piece, none below IMPOSSIBLE.

        Raises:
            ValueError: another number of classes, or a score that is no number.
        """
        if scores.ndim != 2 or scores.shape[1] != self.classes:
            raise ValueError(f"scores {scores.shape}, where (T, {self.classes}) are expected")
        scores = np.maximum(scores, np.float32(IMPOSSIBLE), dtype=np.float32)
        if np.isnan(scores).any():
            raise ValueError("a score is no number")
        return np.require(scores, np.float32, "CW")  # numba would compile everything anew for arrays of other kinds


def phone_chances(scores: np.ndarray, states: int = 1) -> np.ndarray:
    """(T, C) log probabilities or scores -> (T, P) float32 probability of each phone: softmax, summed over states."""
    weights = np.exp(scores - scores.max(axis=1, keepdims=True, initial=IMPOSSIBLE))  # (T, C)
    weights = weights.reshape(len(scores), scores.shape[1] // states, states).sum(axis=2)  # (T, C) -> (T, P)
    return np.ascontiguousarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def with_confidence(spans: Iterable[Span], chances: np.ndarray) -> list[Span]:
    """Spans with the mean probability of their phone over their frames.

    Args:
        chances: (T, P), as :func:`phone_chances` gives them, of the same frames.
    """
    found = []
    for span in spans:
        sure = chances[span.first : span.end, span.phone].mean(dtype=np.float64) if span.phone >= 0 else 0.0
        found.append(replace(span, confidence=float(sure)))
    return found


def along(scores: np.ndarray, spans: Sequence[Span], states: int = 1) -> np.ndarray:
    """(T,) float32: the score of the best state of the phone that stands at each frame of contiguous spans."""
    best = scores.reshape(len(scores), scores.shape[1] // states, states).max(axis=2)  # (T, C) -> (T, P)
    phones = np.repeat([span.phone for span in spans], [span.end - span.first for span in spans])  # (T,)
    return best[np.arange(len(scores)), phones]
