"""What acoustic answers for one recording: words and phones with their times, or one command word."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from percept.core.console import duration
from percept.core.errors import UsageError
from percept.core.files import write_atomic
from percept.speech.acoustic.utterances import bare
from percept.speech.phones import ipa
from percept.speech.segments import Segment
from percept.speech.tiers import ctm, srt, vtt, write_textgrid

COLUMNS = ("start", "end", "label", "confidence")  # of a row
WIDE = 24  # cells for a word


@dataclass(frozen=True)
class Part:
    """A word or a phone. start, end: seconds. confidence: 0..1, how sure the network is of it."""

    label: str
    start: float
    end: float
    confidence: float

    @property
    def segment(self) -> Segment:
        """Without its confidence."""
        return Segment(self.label, self.start, self.end)

    def to_json(self, key: str) -> dict[str, Any]:
        """With the label under ``key``; times to milliseconds."""
        return {
            key: self.label,
            "start": round(self.start, 3),
            "end": round(self.end, 3),
            "confidence": round(self.confidence, 4),
        }


@dataclass(frozen=True, eq=False, repr=False)
class Heard:
    """What a picture shows. samples: (N,) at 16 kHz. mels: (T, 40) normalised. chances: (T, 1 + P) probabilities of
    silence and the phones. All from the recording's beginning, perhaps not up to its end."""

    samples: np.ndarray
    mels: np.ndarray
    chances: np.ndarray


@dataclass(frozen=True)
class Transcript:
    """The words and phones of a recording.

    Attributes:
        input: the recording's name, as the person gave it.
        duration: seconds of sound that there were.
        words, phones: in order, without silence; words is None where only phones were asked for.
        alphabet: "arpabet" or "ipa", what the phones are shown in.
        notes: what a person should know, such as a header that promised more.
        took: seconds that it took, or None.
        heard: kept only for drawing.
    """

    input: str
    duration: float
    words: tuple[Part, ...] | None
    phones: tuple[Part, ...]
    alphabet: str = "arpabet"
    notes: tuple[str, ...] = ()
    took: float | None = None
    heard: Heard | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        """The answer for a person at a terminal: a line of what was done, the text, and a line a word."""
        took = "" if self.took is None else f"   {duration(self.took)}"
        parts = self.phones if self.words is None else self.words
        kind = "phone" if self.words is None else "word"
        lines = [
            f" {self.input}  {self.duration:.2f} s   {len(parts) or 'no'} {kind}{'' if len(parts) == 1 else 's'}{took}"
        ]
        if not parts:
            return lines[0]
        if self.words is not None:
            lines.append(f" {self.text}")
        wide = min(WIDE, max(len(part.label) for part in parts))
        for part in parts:
            line = f" {part.start:>7.2f} {part.end:>7.2f}  {part.label:<{wide}}  {part.confidence:.2f}"
            lines.append(line if self.words is None else f"{line}  {' '.join(self._phones_of(part))}".rstrip())
        return "\n".join(lines)

    @property
    def text(self) -> str:
        """The words, or the phones, with blanks between."""
        return " ".join(part.label for part in (self.shown if self.words is None else self.words))

    @cached_property
    def shown(self) -> tuple[Part, ...]:
        """The phones in the alphabet that was asked for."""
        if self.alphabet == "arpabet":
            return self.phones
        return tuple(Part(ipa(part.label), part.start, part.end, part.confidence) for part in self.phones)

    def rows(self) -> list[tuple[object, ...]]:
        """(start, end, label, confidence) of each word, or of each phone where only these were asked for."""
        parts = self.shown if self.words is None else self.words
        return [(round(one.start, 3), round(one.end, 3), one.label, round(one.confidence, 4)) for one in parts]

    def to_json(self) -> dict[str, Any]:
        """One entry of "results"."""
        document: dict[str, Any] = {"input": self.input, "duration": round(self.duration, 3), "text": self.text}
        if self.words is not None:
            document["words"] = [part.to_json("word") for part in self.words]
        document["phones"] = [part.to_json("phone") for part in self.shown]
        if self.notes:
            document["notes"] = list(self.notes)
        return document

    def to_textgrid(self) -> str:
        """Praat's TextGrid with tiers words (unless only phones were asked for) and phones."""
        tiers = {} if self.words is None else {"words": [part.segment for part in self.words]}
        return write_textgrid({**tiers, "phones": [part.segment for part in self.shown]}, self.duration)

    def to_ctm(self) -> str:
        """NIST's CTM of the words, or of the phones where only these were asked for."""
        parts = self.shown if self.words is None else self.words
        name = bare(Path(self.input).name) or "recording"  # of Kaldi's names a dot is a part
        return ctm({name: [part.segment for part in parts]}, {name: [part.confidence for part in parts]})

    def to_srt(self) -> str:
        """Subtitles for players."""
        return srt([part.segment for part in self.words or ()])

    def to_vtt(self) -> str:
        """Subtitles for browsers."""
        return vtt([part.segment for part in self.words or ()])

    def save(self, path: str | Path) -> None:
        """Write it as .TextGrid, .ctm, .srt, .vtt or .txt.

        Raises:
            UsageError: another suffix.
            PerceptError: the disk is full, or the folder may not be written.
        """
        path = Path(path)
        known = {
            ".textgrid": self.to_textgrid,
            ".ctm": self.to_ctm,
            ".srt": self.to_srt,
            ".vtt": self.to_vtt,
            ".txt": lambda: self.text + "\n",
        }
        if path.suffix.lower() not in known:
            raise UsageError(f'{path}: written are .TextGrid, .ctm, .srt, .vtt and .txt, not "{path.suffix}"')
        write_atomic(path, known[path.suffix.lower()]())

    def _phones_of(self, word: Part) -> list[str]:
        return [one.label for one in self.shown if word.start - 1e-6 <= one.start and one.end <= word.end + 1e-6]


@dataclass(frozen=True)
class Command:
    """The command word of a recording. probabilities: of each word, the likeliest first."""

    input: str
    duration: float
    probabilities: tuple[tuple[str, float], ...]
    took: float | None = None

    def __str__(self) -> str:
        """The answer for a person at a terminal."""
        took = "" if self.took is None else f"   {duration(self.took)}"
        lines = [f" {self.input}  {self.duration:.2f} s{took}"]
        wide = max(len(word) for word, _ in self.probabilities[:3])
        lines += [f" {word:<{wide}}  {share:.2f}" for word, share in self.probabilities[:3]]
        return "\n".join(lines)

    @property
    def word(self) -> str:
        """The likeliest."""
        return self.probabilities[0][0]

    def rows(self) -> list[tuple[object, ...]]:
        """(start, end, word, confidence), the whole recording being the word."""
        return [(0.0, round(self.duration, 3), self.word, round(self.probabilities[0][1], 4))]

    def to_json(self) -> dict[str, Any]:
        """One entry of "results"."""
        (word, confidence), *others = self.probabilities[:5]
        alternatives = [{"word": name, "confidence": round(share, 4)} for name, share in others]
        return {
            "input": self.input,
            "duration": round(self.duration, 3),
            "word": word,
            "confidence": round(confidence, 4),
            "alternatives": alternatives,
        }
