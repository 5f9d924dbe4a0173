"""Label files of every kind: words and phones with times in and out.

TextGrid is in :mod:`percept.speech.textgrid`, subtitles are in :mod:`percept.speech.captions`; here are the formats of
a line a segment: TIMIT's .phn and .wrd, ESPS's and HTK's .lab, and NIST's CTM. Every reader raises InputError with one
line that names the line of the file; every writer returns text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from percept.core.errors import InputError
from percept.speech.captions import captions, read_captions, srt, vtt
from percept.speech.segments import Segment, Tiers, check_order, number_in, read_text
from percept.speech.textgrid import read_textgrid, write_textgrid

HTK = 1e-7  # seconds: HTK counts in steps of 100 ns
COLOUR = 121  # what ESPS's xwaves writes into the second column
ANY = float("inf")


def read_phn(path: Path, rate: int = 16_000) -> list[Segment]:
    """TIMIT's .phn or .wrd: ``start end label`` in samples. Words may overlap, as TIMIT's own do.

    Args:
        rate: samples a second of the sound.

    Raises:
        InputError: not such lines, or times that cannot be.
    """
    found: list[Segment] = []
    for line, text in _lines(path):
        words = text.split(maxsplit=2)
        if len(words) != 3:
            raise InputError(f'line {line}: "START END LABEL" expected, there is "{text[:40]}"')
        start, end = (_whole(word, line) / rate for word in words[:2])
        _add(found, Segment(words[2], start, end), line, overlap=ANY)
    return found


def phn(segments: Sequence[Segment], rate: int = 16_000) -> str:
    """TIMIT's .phn or .wrd of segments, in samples.

    >>> phn([Segment("sh", 0.0, 0.25)])
    '0 4000 sh\\n'
    """
    return "".join(f"{round(one.start * rate)} {round(one.end * rate)} {one.label}\n" for one in segments)


def read_lab(path: Path) -> list[Segment]:
    """An ESPS .lab (a header up to ``#``, then ``end colour label`` in seconds) or an HTK .lab (``start end label`` in
    steps of 100 ns). In ESPS's, each segment starts where the one before it ends, the first at 0.

    Raises:
        InputError: neither of them, or times that cannot be.
    """
    lines = list(_lines(path))
    header = next((place for place, (_, text) in enumerate(lines) if text == "#"), None)
    found: list[Segment] = []
    if header is None:
        for line, text in lines:
            words = text.split(maxsplit=2)
            if len(words) != 3:
                raise InputError(f'line {line}: "START END LABEL" expected (HTK), or an ESPS header that ends with #')
            start, end = (_whole(word, line) * HTK for word in words[:2])
            label = words[2].split()[0]  # its score and other levels may follow
            _add(found, Segment(label, start, end), line, overlap=0.01)
        return found
    for line, text in lines[header + 1 :]:
        words = text.split(maxsplit=2)
        if len(words) < 2:
            raise InputError(f'line {line}: "END COLOUR LABEL" expected, there is "{text[:40]}"')
        end = number_in(words[0], line)
        start = found[-1].end if found else 0.0
        if end < start:
            raise InputError(f"line {line}: times run backwards: {end:g} s after {start:g} s")
        found.append(Segment(words[2] if len(words) > 2 else "", start, end))
    return found


def lab(segments: Sequence[Segment], signal: str = "") -> str:
    """An ESPS .lab of segments; where they leave a gap, a label "" stands.

    >>> print(lab([Segment("a", 0.0, 0.1), Segment("b", 0.2, 0.3)], "x.wav"), end="")
    signal x.wav
    nfields 1
    #
        0.100000  121 a
        0.200000  121
        0.300000  121 b
    """
    lines = [f"signal {signal}".strip(), "nfields 1", "#"]
    at = 0.0
    for one in segments:
        if one.start > at + 1e-6:
            lines.append(f"{one.start:12.6f}  {COLOUR}")
        lines.append(f"{one.end:12.6f}  {COLOUR} {one.label}".rstrip())
        at = one.end
    return "\n".join(lines) + "\n"


def read_ctm(path: Path) -> Tiers:
    """A CTM file, ``utterance channel start duration label [confidence]``: utterance -> its segments.

    Where an utterance has several channels, each is called "utterance channel". Lines that begin with ``;;`` are
    comments.

    Raises:
        InputError: not such lines, or times that cannot be.
    """
    found: dict[tuple[str, str], list[Segment]] = {}
    for line, text in _lines(path):
        if text.startswith(";;"):
            continue
        words = text.split()
        if len(words) < 5:
            raise InputError(f'line {line}: "UTTERANCE CHANNEL START DURATION LABEL" expected, there is "{text[:40]}"')
        start, duration = (number_in(word, line) for word in words[2:4])
        if duration < 0:
            raise InputError(f"line {line}: a duration below 0: {words[3][:20]}")
        segment = Segment(words[4], start, start + duration)
        _add(found.setdefault((words[0], words[1]), []), segment, line, overlap=ANY)
    channels: dict[str, int] = {}
    for utterance, _ in found:
        channels[utterance] = channels.get(utterance, 0) + 1
    return {name if channels[name] == 1 else f"{name} {channel}": held for (name, channel), held in found.items()}


def ctm(tiers: Mapping[str, Sequence[Segment]], confidences: Mapping[str, Sequence[float]] | None = None) -> str:
    """A CTM file of utterances, on channel 1, with a confidence in each line where they are given.

    Blanks in names and labels become "_", for the columns are parted by blanks.

    >>> ctm({"a": [Segment("yes", 0.5, 0.75)]}, {"a": [0.9]})
    'a 1 0.500 0.250 yes 0.90\\n'
    """
    lines = []
    for name, segments in tiers.items():
        sure = [f" {one:.2f}" for one in confidences[name]] if confidences else [""] * len(segments)
        for one, tail in zip(segments, sure, strict=True):
            times = f"{one.start:.3f} {one.end - one.start:.3f}"
            lines.append(f"{_joined(name)} 1 {times} {_joined(one.label) or '<eps>'}{tail}\n")
    return "".join(lines)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number from 1 on, text) of the lines that are not empty."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            yield number, line.strip()


def _whole(word: str, line: int) -> float:
    value = number_in(word, line)
    if value != int(value):
        raise InputError(f"line {line}: {word[:20]} is no whole number, as times in this kind of file are")
    return value


def _add(found: list[Segment], segment: Segment, line: int, overlap: float) -> None:
    check_order(segment, found[-1] if found else None, line, overlap=overlap)
    found.append(segment)


def _joined(text: str) -> str:
    return "_".join(text.split())


__all__ = [
    "Segment",
    "Tiers",
    "captions",
    "ctm",
    "lab",
    "phn",
    "read_captions",
    "read_ctm",
    "read_lab",
    "read_phn",
    "read_textgrid",
    "srt",
    "vtt",
    "write_textgrid",
]
