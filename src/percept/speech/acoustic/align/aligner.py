"""The predictor: pairs of sound and transcript in, words and phones with times out."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from percept.core import checkpoint, outputs, sources, weights
from percept.core.console import say
from percept.core.device import Device, choose
from percept.core.errors import InputError, named
from percept.core.files import write_atomic
from percept.core.sources import Item
from percept.speech.acoustic import files
from percept.speech.acoustic.align import pairs
from percept.speech.acoustic.align.finder import Finder, Found
from percept.speech.acoustic.align.options import Predict
from percept.speech.acoustic.align.pairs import Pair
from percept.speech.acoustic.align.result import Aligned
from percept.speech.acoustic.align.verdict import Rule, Verdict, judge
from percept.speech.acoustic.graph import Word
from percept.speech.acoustic.listener import BLOCK
from percept.speech.acoustic.result import COLUMNS, Part
from percept.speech.acoustic.samples import CLASSES
from percept.speech.acoustic.teaching import dictionary
from percept.speech.acoustic.topology import Span
from percept.speech.audio import RATE, SUFFIXES, opened, read_audio, to_samples
from percept.speech.features import FRAME
from percept.speech.lexicon import Entry, Pronunciation, write_lexicon
from percept.speech.words import Spoken

GUESSES = 3  # pronunciations of a word that no dictionary lists, among which its sound chooses
SHOWN, NAMED = 3, 20  # stretches, and words, in a message
FORMATS = {**files.FORMATS, "lab": (".lab", lambda result: result.to_lab())}


class Aligner:
    """Says where the words of a transcript are in its sound.

    Attributes:
        about: what every JSON document begins with.
        guessed: words that no dictionary lists, with their pronunciations; those that were heard, once they were.
    """

    def __init__(self, options: Predict, read: checkpoint.Checkpoint, shown: str, device: Device) -> None:
        self.options = options
        self.finder = Finder(read, shown, device)
        self.network = self.finder.network
        self.rule = Rule.of(read.header)
        self.lexicon = dictionary(options.lexicon)
        self.guessed: dict[str, tuple[Pronunciation, ...]] = {}
        self._heard: set[tuple[str, Pronunciation]] = set()
        self.about = {"task": "align", "model": read.header["model"]["name"], "weights": shown, "device": str(device)}

    def predict(self, x: Any, text: str | Path | None = None, rate: int | None = None) -> Aligned:
        """Align one recording.

        Args:
            x: a path, or samples (N,), (N, C) or (C, N), as an array or tensor. text: its words; a ``Path``: the file
                that holds them; None: that which lies beside the path. rate: samples a second of an array.

        Raises:
            InputError: not a sound, no words, or words that do not fit it (``force=True`` answers nevertheless).
        """
        with named(x) as name:
            if name and text is None:
                return self._pair(pairs.beside(Path(name)))
            if text is None:
                raise InputError("samples need their words: predict(samples, text)")
            item = Item(name, PurePosixPath("sound"), None)
            said = (Pair(item, text) if isinstance(text, Path) else Pair(item, text=text)).words(self.lexicon)
            return replace(self.align(iter([to_samples(x, rate)]), said.words, name), notes=_notes(said))

    def stream(self) -> Iterator[outputs.Outcome]:
        """Answer the pairs of the options one after another; what is wrong with all of them is said at once."""
        options = self.options
        out = Path(options.out) if options.out else None
        writes = [".TextGrid", *(FORMATS[options.format][:1] if options.format in FORMATS else ())]
        found = pairs.resolve(options.inputs, text=options.text, out=out, writes=writes)
        return outputs.with_errors(((pair.item, pair) for pair in found), lambda _, pair: self._pair(pair))

    def deliver(self) -> int:
        """``percept align``: answers on stdout, files under ``--out``; returns the exit code."""
        options = self.options
        out = Path(options.out) if options.out else None
        sink = files.Files(options, out) if out is not None else None
        form = "json" if options.json else options.format
        to = outputs.Deliver(self.about, form, out, COLUMNS, FORMATS, {}, sink)
        try:
            return to.run(_told(self.stream()), strict=options.strict)
        finally:
            self._tell_guessed()

    def align(
        self,
        blocks: Iterator[np.ndarray],
        words: Sequence[str],
        name: str,
        ways: Sequence[Sequence[Pronunciation]] | None = None,
    ) -> Aligned:
        """Align samples (N,) at 16 kHz that come block by block with their words.

        Args:
            ways: pronunciations of each word; None: the dictionary's, or those that are guessed.

        Raises:
            InputError: no sound, too short for its words, or words that do not fit it.
        """
        began = time.perf_counter()
        ways = [self._ways(word) for word in words] if ways is None else ways
        found = self.finder.find(blocks, ways, draw=self.options.save)
        spoken, spans = found.alignment.words, found.alignment.spans
        verdict = judge(
            found.alignment, found.scores, found.free, found.phones, self.finder.topology.shortest, self.rule, words
        )
        if not (verdict.fits or self.options.force):
            raise InputError(_refusal(verdict))
        for one in spoken:
            if words[one.number] in self.guessed:
                self._heard.add((words[one.number], tuple(ways[one.number][one.variant])))
        return Aligned(
            input=name,
            duration=found.duration,
            words=tuple(_part(words[one.number], one, found) for one in spoken),
            phones=tuple(_part(CLASSES[one.phone], one, found) for one in spans if one.phone > 0),
            alphabet=self.options.phones,
            took=time.perf_counter() - began,
            heard=found.heard,
            fit=verdict.fit,
            fits=verdict.fits,
            oov=tuple(word for word in dict.fromkeys(words) if word in self.guessed),
            strange=tuple(sorted((*verdict.wrong, *verdict.foreign), key=lambda one: one.start)),
        )

    def _pair(self, pair: Pair) -> Aligned:
        """Raises InputError, which does not name the pair."""
        _, source = next(sources.stream([pair.item], lambda source: source, SUFFIXES))
        if isinstance(source, InputError):
            raise source
        said = pair.words(self.lexicon)
        if isinstance(source, Path) and (pair.begin or pair.end is not None):
            found = self.align(iter([_part_of(source, pair.begin, pair.end)]), said.words, pair.item.name)
            return replace(found, notes=_notes(said))
        with opened(source) as recording:
            found = self.align(recording.blocks(BLOCK), said.words, pair.item.name)
            return replace(found, notes=(*_notes(said), *recording.notes))

    def _ways(self, word: str) -> tuple[Pronunciation, ...]:
        """The pronunciations of a word, guessed ones if need be."""
        entry = self.lexicon.look_up(word, GUESSES)
        if not entry.pronunciations:
            raise InputError(f'nobody knows how "{word}" is pronounced; tell it by --lexicon FILE')
        if entry.source == "letters":
            self.guessed.setdefault(word, entry.pronunciations)
        return entry.pronunciations

    def _tell_guessed(self) -> None:
        """One warning for all words that no dictionary lists; into a file where that was asked for."""
        entries = [
            Entry(word, tuple(way for way in ways if (word, way) in self._heard) or ways[:1], "letters")
            for word, ways in self.guessed.items()
        ]
        file = self.options.write_lexicon
        if entries:
            named = [f"{one.word} ({' '.join(one.pronunciations[0])})" for one in entries[:NAMED]]
            more = f" and {len(entries) - NAMED:,} more" if len(entries) > NAMED else ""
            how = f"correct {file}, then" if file else "have them written by --write-lexicon FILE, correct it, then"
            count = "1 word is" if len(entries) == 1 else f"{len(entries):,} words are"
            listed = f"{', '.join(named)}{more}"
            say(f"{count} in no dictionary, and guessed from the letters: {listed}; {how} --lexicon FILE")
        if file and entries:
            write_atomic(Path(file), write_lexicon(entries))
        elif file:
            say(f"no word had to be guessed: {file} is not written")


def load(options: Predict) -> Aligner:
    """An aligner with its weights, which are acoustic's, read and its device chosen."""
    shown, path = weights.resolve(options.weights, "acoustic")
    read = checkpoint.load(path, task="acoustic")
    return Aligner(options, read, shown, choose(options.device, options.threads, options.precision))


def _told(outcomes: Iterator[outputs.Outcome]) -> Iterator[outputs.Outcome]:
    """The same; what a person should know of a result is said as it comes."""
    for item, result in outcomes:
        if isinstance(result, Aligned):
            for note in (*result.notes, *([] if result.fits else [_misfit(result.fit)]), *result.strange):
                say(f"{item.name}: {note}")
        yield item, result


def _part(label: str, span: Span | Word, found: Found) -> Part:
    """A word or phone; the last frame may reach beyond the last sample."""
    start, end = span.first * FRAME, min(span.end * FRAME, found.duration)
    return Part(label, start, end, float(found.sure[span.first : span.end].mean()))


def _misfit(fit: float) -> str:
    return f"the transcript does not fit this sound (fit {fit:.2f})"


def _refusal(found: Verdict) -> str:
    """That a transcript does not fit, and where."""
    more = len(found.wrong) - SHOWN
    where = [*map(str, found.wrong[:SHOWN]), *([f"{more} such stretches more"] if more > 0 else [])]
    return "; ".join([_misfit(found.fit), *where, "--force writes it nevertheless"])


def _part_of(path: Path, begin: float, end: float | None) -> np.ndarray:
    """(N,) samples of a part of a file."""
    samples = _whole(path)
    part = samples[round(begin * RATE) : None if end is None else round(end * RATE)]
    if not len(part):
        raise InputError(f"nothing at {begin:g} s: the sound is {len(samples) / RATE:.2f} s long")
    return part


@functools.lru_cache(maxsize=1)
def _whole(path: Path) -> np.ndarray:
    """A file whose parts are aligned one after another is read once."""
    return read_audio(path)


def _notes(said: Spoken) -> tuple[str, ...]:
    dropped = " ".join(said.dropped)
    return (f'left out, for it cannot be said in English: "{dropped[:40]}"',) if dropped else ()
