"""The predictor: weights, features, decoding and a language model joined; recordings in, ``Transcript`` out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from percept.core import checkpoint, outputs, sources, weights
from percept.core.device import Device, choose
from percept.core.errors import named
from percept.speech.acoustic import beam
from percept.speech.acoustic.decoder import Decoder
from percept.speech.acoustic.files import FORMATS, Files
from percept.speech.acoustic.networks import from_checkpoint
from percept.speech.acoustic.options import Predict
from percept.speech.acoustic.picture import LONGEST
from percept.speech.acoustic.recogniser import Passing, heard
from percept.speech.acoustic.result import COLUMNS, Command, Heard, Part, Transcript
from percept.speech.acoustic.samples import CLASSES
from percept.speech.acoustic.topology import Span, phone_chances
from percept.speech.audio import RATE, SUFFIXES, opened, to_samples
from percept.speech.features import FRAME, log_mel, normalised, streamed

BLOCK = LONGEST  # seconds that are read at a time: what is drawn, at least


class Listener:
    """Says which words and phones a recording holds, and when.

    Attributes:
        about: what every JSON document begins with.
    """

    def __init__(self, options: Predict, read: checkpoint.Checkpoint, shown: str, device: Device) -> None:
        self.options, self.device = options, device
        self.network = from_checkpoint(read).to(device.torch)
        self.labels: tuple[str, ...] = tuple(read.header["classes"]) if _of_words(read) else ()
        self.decoder = None if self.labels else Decoder(options, read)
        if self.decoder is not None:
            self.decoder.warm_up()
        self.about = {
            "task": "acoustic",
            "model": read.header["model"]["name"],
            "weights": shown,
            "device": str(device),
        }

    def predict(self, x: Any, rate: int | None = None) -> Transcript | Command:
        """Listen to one recording.

        Args:
            x: a path, or samples (N,), (N, C) or (C, N), as an array or tensor. rate: samples a second of these.

        Raises:
            InputError: not a sound.
        """
        with named(x) as name:
            samples = to_samples(x, rate)
            return self.listen(iter([samples]), name)

    def stream(self) -> Iterator[outputs.Outcome]:
        """Answer the inputs of the options one after another, in bounded memory."""
        out = Path(self.options.out) if self.options.out else None
        items = sources.resolve(self.options.inputs, SUFFIXES, out=out)
        found = sources.stream(items, lambda source: source, SUFFIXES)
        return outputs.with_errors(found, lambda item, source: self._file(source, item.name))

    def deliver(self) -> int:
        """``percept acoustic``: answers on stdout, files under ``--out``; returns the exit code."""
        options = self.options
        out = Path(options.out) if options.out else None
        sink = Files(options, out) if out is not None else None
        form = "json" if options.json else options.format
        to = outputs.Deliver(self.about, form, out, COLUMNS, FORMATS, {}, sink)
        return to.run(self.stream(), strict=options.strict)

    def listen(self, blocks: Iterator[np.ndarray], name: str) -> Transcript | Command:
        """Listen to samples (N,) at 16 kHz that come block by block."""
        began = time.perf_counter()
        if self.decoder is None:
            return self._command(np.concatenate(list(blocks)), name, began)
        taken, states = Passing(blocks), self.decoder.topology.states
        words = self.decoder.search()
        phones = self.decoder.phones() if words is None else None
        spans: list[Span] = []
        found: list[beam.Word] = []
        kept: list[tuple[np.ndarray, np.ndarray]] = []  # mels and chances of what is drawn
        for piece in heard(self.network, streamed(taken), self.device):
            scores, chances = piece.frames - self.decoder.priors, phone_chances(piece.frames, states)
            if self.options.save and piece.first * FRAME < LONGEST:
                kept.append((piece.mels, chances))
            if phones is not None:
                spans += phones.feed(scores, chances)
            else:
                found += words.feed(scores, chances)
        if phones is not None:
            spans += phones.finish()
        else:
            found += words.finish()
            spans = [span for word in found for span in word.phones]
        if taken.silent:  # whatever a network that knows noise imagines there
            spans, found = [], []
        return Transcript(
            input=name,
            duration=taken.samples / RATE,
            words=None if words is None else tuple(_part(one.word, one) for one in found),
            phones=tuple(_part(CLASSES[one.phone], one) for one in spans if one.phone > 0),
            alphabet=self.options.phones,
            took=time.perf_counter() - began,
            heard=Heard(taken.first, *map(np.concatenate, zip(*kept, strict=True))) if kept else None,
        )

    def _file(self, source: Any, name: str) -> Transcript | Command:
        with opened(source) as recording:
            return self.listen(recording.blocks(BLOCK), name)

    @torch.inference_mode()
    def _command(self, samples: np.ndarray, name: str, began: float) -> Command:
        mels = normalised(log_mel(torch.from_numpy(samples)))
        with self.device.autocast():
            scores = self.network(mels[None].to(self.device.torch))[0]
        shares = scores.float().softmax(-1).tolist()
        order = sorted(zip(self.labels, shares, strict=True), key=lambda one: -one[1])
        return Command(name, len(samples) / RATE, tuple(order), time.perf_counter() - began)


def load(options: Predict) -> Listener:
    """A listener with its weights read and its device chosen."""
    shown, path = weights.resolve(options.weights, "acoustic")
    read = checkpoint.load(path, task="acoustic")
    return Listener(options, read, shown, choose(options.device, options.threads, options.precision))


def _part(label: str, found: Span | beam.Word) -> Part:
    return Part(label, found.first * FRAME, found.end * FRAME, found.confidence)


def _of_words(read: checkpoint.Checkpoint) -> bool:
    return read.header["model"]["units"] == "words"
