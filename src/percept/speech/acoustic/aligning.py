"""Where the phones of a transcript are, by a network that was trained before: what a hybrid system learns frames from.

Weights that have learnt from times answer by their frame head: scaled likelihoods (posteriors by priors; Bourlard &
Morgan 1994), a graph of all pronunciations with silences between, Viterbi. Others, a flat start, answer by their CTC
head, which tells about where a phone is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from percept.core import checkpoint, weights
from percept.core.console import progress, say
from percept.core.device import Device
from percept.core.errors import InputError, UsageError
from percept.speech.acoustic import ctc, graph
from percept.speech.acoustic.edges import EDGE, change
from percept.speech.acoustic.networks import from_checkpoint
from percept.speech.acoustic.recogniser import Heard, heard
from percept.speech.acoustic.samples import CLASSES, NUMBERS, Taught, sound
from percept.speech.acoustic.topology import Span, Topology
from percept.speech.features import FRAME, log_mel, normalised
from percept.speech.lexicon import Lexicon
from percept.speech.segments import Segment


class Aligner:
    """Finds where the phones of a transcript are. read: of weights that know phones."""

    def __init__(self, read: checkpoint.Checkpoint, device: Device) -> None:
        model = read.header["model"]
        if model["units"] != "phones":
            raise UsageError(f"{read.path}: weights of whole words cannot tell where phones are")
        self.network: nn.Module = from_checkpoint(read).to(device.torch)
        self.device, self.timed = device, bool(read.header["data"]["timed"])
        if not self.timed and not model["ctc"]:
            raise UsageError(f"{read.path}: these weights have learnt neither times nor texts")
        self.topology = Topology(len(CLASSES), model["states"])
        self.priors = np.log(np.array(read.header["priors"], np.float32))  # (C,)

    def times(self, samples: np.ndarray, words: Sequence[Sequence[Sequence[str]]]) -> tuple[Segment, ...]:
        """Phones and silences from the beginning to the end.

        Args:
            samples: (N,) at 16 kHz. words: the pronunciations of each word, in phones.

        Raises:
            InputError: too short for its text.
        """
        mels = normalised(log_mel(torch.from_numpy(samples)))
        (found,) = heard(self.network, [mels], self.device, piece=len(mels))
        numbers = [[[NUMBERS[phone] for phone in variant] for variant in word] for word in words]
        spans = self._spans(found, numbers)
        return tuple(Segment(CLASSES[one.phone], one.first * FRAME, one.end * FRAME) for one in spans)

    def _spans(self, found: Heard, words: Sequence[Sequence[Sequence[int]]]) -> Sequence[Span]:
        if self.timed:
            gained = EDGE * change(found.mels)
            return graph.align(found.frames - self.priors, words, self.topology, change=gained, hop=FRAME).spans
        assert found.steps is not None
        step = self.network.hop
        spans = ctc.align(found.steps, [phone for word in words for phone in word[0]], hop=step * FRAME)
        return _contiguous([Span(one.phone, step * one.first, step * one.end) for one in spans], len(found.frames))


def aligner(wanted: str, device: Device) -> Aligner:
    """The aligner of weights by name, file or run folder."""
    return Aligner(checkpoint.load(weights.resolve(wanted, "acoustic")[1], task="acoustic"), device)


def aligned(taught: Sequence[Taught], lexicon: Lexicon, wanted: str, device: Device) -> list[Taught]:
    """The same recordings with times of their phones where they had none; those that cannot be aligned keep theirs.

    What was said is the set's own pronunciation of each word, or chosen among the dictionary's, and becomes the
    recording's phones.
    """
    finder = aligner(wanted, device)
    made, failed = [], 0
    with progress("aligned", len(taught)) as bar:
        for one in taught:
            if not one.times:
                words = _pronunciations(one, lexicon)
                try:
                    times = finder.times(sound(one.utterance), words)
                    phones = tuple(segment.label for segment in times if segment.label != CLASSES[0])
                    one = replace(one, phones=phones, times=times)
                except InputError:
                    failed += 1
            made.append(one)
            bar.step()
    if failed:
        say(f"        {failed} recordings could not be aligned: they teach their text only")
    return made


def _pronunciations(taught: Taught, lexicon: Lexicon) -> list[tuple[tuple[str, ...], ...]]:
    """Of each word; all phones in a row, if any word's are not known."""
    said = taught.utterance.pronunciations
    words = [(one,) for one in said] or [lexicon.look_up(word).pronunciations for word in taught.utterance.words]
    return words if words and all(any(word) for word in words) else [(taught.phones,)]


def _contiguous(spans: Sequence[Span], frames: int) -> list[Span]:
    """Phones that reach up to the middle of the gap to the next; before the first and after the last is silence."""
    if not spans:
        return [Span(0, 0, frames)]
    edges = [spans[0].first, *((a.end + b.first) // 2 for a, b in zip(spans, spans[1:], strict=False))]
    edges.append(min(frames, spans[-1].end))
    inner = [Span(one.phone, edges[n], edges[n + 1]) for n, one in enumerate(spans) if edges[n] < edges[n + 1]]
    outer = [Span(0, 0, edges[0]), *inner, Span(0, edges[-1], frames)]
    return [one for one in outer if one.first < one.end]
