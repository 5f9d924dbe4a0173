"""Where words are in a sound: scaled likelihoods of the frame head (Bourlard & Morgan 1994), and the likeliest way
through a graph of all pronunciations with silence and strange sound between the words.

Sound comes in blocks of any size. What is kept of it are the scores of its frames, 0.17 GB an hour, twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from percept.core import checkpoint
from percept.core.device import Device
from percept.core.errors import InputError, UsageError
from percept.speech.acoustic import graph
from percept.speech.acoustic.edges import Edges
from percept.speech.acoustic.graph import Alignment, Gaps
from percept.speech.acoustic.networks import from_checkpoint
from percept.speech.acoustic.picture import LONGEST
from percept.speech.acoustic.recogniser import Passing, heard
from percept.speech.acoustic.result import Heard
from percept.speech.acoustic.samples import CLASSES, NUMBERS
from percept.speech.acoustic.topology import Span, Topology, phone_chances
from percept.speech.acoustic.viterbi import Loop, PhoneLoop
from percept.speech.audio import RATE
from percept.speech.features import FRAME, streamed
from percept.speech.lexicon import Pronunciation

# A frame of strange sound is 3 (natural log) less likely than its best class. Right words are above that even where
# somebody mumbles; other people's are not. It costs as much as seven frames to begin, or it would eat single phones.
GAPS = Gaps(silence=0.0, other=3.0, entry=-20.0)
HOURS = 4.0  # of sound: 1.4 GB


@dataclass(frozen=True, eq=False)
class Found:
    """Words in a sound.

    alignment: in frames. scores: (T, C) of the frames. free: (T,) the scores of the best path that need not spell the
    words; phones: (T,) where it is, 0 in silence. sure: (T,) probability of the phone that the alignment has there.
    duration: seconds. heard: kept for drawing, or None.
    """

    alignment: Alignment
    scores: np.ndarray
    free: np.ndarray
    phones: np.ndarray
    sure: np.ndarray
    duration: float
    heard: Heard | None


class Finder:
    """Finds words in sounds. read: weights that know where phones are. shown: their name."""

    def __init__(self, read: checkpoint.Checkpoint, shown: str, device: Device) -> None:
        model = read.header["model"]
        if model["units"] != "phones":
            raise UsageError(f"{shown}: weights of whole words cannot tell where phones are")
        if not read.header["data"]["timed"]:
            raise UsageError(
                f"{shown}: these weights have never learnt where a phone is; train others with labels that have times, "
                f"or with --align-with {shown}"
            )
        self.network, self.device = from_checkpoint(read).to(device.torch), device
        self.topology = Topology(len(CLASSES), model["states"])
        self.priors = np.log(np.array(read.header["priors"], np.float32))  # (C,)
        self.loop = Loop(self.topology, np.array(read.header["bigram"], np.float64))  # as it is: fits depend on it

    def find(
        self, blocks: Iterator[np.ndarray], words: Sequence[Sequence[Pronunciation]], *, draw: bool = False
    ) -> Found:
        """Words in a sound.

        Args:
            blocks: samples (N,) at 16 kHz. words: the pronunciations of each word, in phones. draw: keep what a picture
                shows.

        Raises:
            InputError: no sound, silence, too short for its words, or longer than HOURS.
        """
        taken, states = Passing(blocks), self.topology.states
        loop, spans = PhoneLoop(self.loop, FRAME), []
        pieces: list[np.ndarray] = []
        kept: list[tuple[np.ndarray, np.ndarray]] = []  # mels and chances of what is drawn
        edges = Edges()
        for piece in heard(self.network, streamed(taken), self.device):
            if taken.samples > HOURS * 3600 * RATE:
                raise InputError(f"longer than {HOURS:g} hours: cut it into parts")
            pieces.append(piece.frames - self.priors)
            edges.add(piece.mels)
            chances = phone_chances(piece.frames, states)
            spans += loop.feed(pieces[-1], chances)
            if draw and piece.first * FRAME < LONGEST:
                kept.append((piece.mels, chances))
        if not taken.samples:
            raise InputError("no sound in it")
        if taken.silent:
            raise InputError("silence: nothing is said in it")
        phones = _by_frame([*spans, *loop.finish()])
        scores = _joined(pieces)
        numbers = [[[NUMBERS[phone] for phone in way] for way in word] for word in words]
        alignment = graph.align(scores, numbers, self.topology, gaps=GAPS, change=edges.finish(), hop=FRAME)
        return Found(
            alignment,
            scores,
            _of_phones(scores, phones, states).max(1),
            phones,
            self._sure(scores, _by_frame(alignment.spans)),
            taken.samples / RATE,
            Heard(taken.first, *map(np.concatenate, zip(*kept, strict=True))) if kept else None,
        )

    def _sure(self, scores: np.ndarray, phones: np.ndarray) -> np.ndarray:
        """(T,) probability of the phone of each frame: of all its states together; 0 of other sound."""
        states = self.topology.states
        known = np.maximum(phones, 0)
        priors = self.priors.reshape(-1, states)[known]  # (C,) -> (T, states)
        return np.where(phones < 0, 0.0, np.exp(_of_phones(scores, known, states) + priors).sum(1))


def _of_phones(scores: np.ndarray, phones: np.ndarray, states: int) -> np.ndarray:
    """(T, states): of scores (T, C), those of the states of the phone that is at each frame."""
    columns = phones[:, None] * states + np.arange(states)  # (T,) -> (T, states)
    return np.take_along_axis(scores, columns, axis=1)


def _by_frame(spans: Sequence[Span]) -> np.ndarray:
    """(T,) int64 the phone at each frame of contiguous spans."""
    return np.repeat([one.phone for one in spans], [one.end - one.first for one in spans]).astype(np.int64)


def _joined(pieces: list[np.ndarray]) -> np.ndarray:
    """(T, C) of stretches, each of which is let go of once it is copied: hours of sound must not lie there twice."""
    whole = np.empty((sum(map(len, pieces)), pieces[0].shape[1]), np.float32)
    pieces.reverse()
    at = 0
    while pieces:
        piece = pieces.pop()
        whole[at : at + len(piece)] = piece
        at += len(piece)
    return whole
