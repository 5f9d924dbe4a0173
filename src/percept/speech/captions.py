"""Subtitles from words with times, and back: SubRip (.srt) and WebVTT (.vtt)."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from percept.core.errors import InputError
from percept.speech.segments import Segment, check_order, read_text

LINE, LINES = 42, 2  # characters a line, lines a caption
LONGEST = 7.0  # seconds that a caption stands
PAUSE = 0.7  # seconds without a word after which a new caption begins
CLOCK = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
TIMES = re.compile(rf"\s*{CLOCK}\s+-->\s+{CLOCK}(?:\s.*)?")
MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")


def srt(words: Sequence[Segment]) -> str:
    """SubRip captions of words in order of time.

    >>> print(srt([Segment("good", 0.5, 0.8), Segment("morning", 0.8, 1.25)]), end="")
    1
    00:00:00,500 --> 00:00:01,250
    good morning
    """
    blocks = [
        f"{number}\n{_clock(one.start, ',')} --> {_clock(one.end, ',')}\n{one.label}\n"
        for number, one in enumerate(captions(words), 1)
    ]
    return "\n".join(blocks)


def vtt(words: Sequence[Segment]) -> str:
    """WebVTT captions of words in order of time."""
    blocks = [
        f"{_clock(one.start, '.')} --> {_clock(one.end, '.')}\n{html.escape(one.label, quote=False)}\n"
        for one in captions(words)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def captions(words: Sequence[Segment]) -> list[Segment]:
    """Words gathered into captions of one or two lines of at most 42 characters that stand for at most 7 seconds.

    A new one begins after each pause and each sentence's end; what is still too long is parted at its longest pause,
    of several the nearest to its middle. A word that is too long by itself stays whole. No caption outlasts the start
    of the next.
    """
    runs: list[list[Segment]] = []
    for word in (one for one in words if one.label.strip()):
        if not runs or word.start - runs[-1][-1].end >= PAUSE or _ends_sentence(runs[-1][-1].label):
            runs.append([])
        runs[-1].append(word)
    parts = [part for run in runs for part in _parted(run)]
    starts = [part[0].start for part in parts]
    ends = [max(one.end for one in part) for part in parts]
    for place, later in enumerate(starts[1:]):
        ends[place] = max(starts[place], min(ends[place], later))
    return [Segment("\n".join(_lines(part)), start, end) for part, start, end in zip(parts, starts, ends, strict=True)]


def read_captions(path: Path) -> list[Segment]:
    """The captions of an .srt or .vtt file; lines are joined by blanks, markup is left out.

    Raises:
        InputError: no such file, or times that cannot be; that names the line.
    """
    lines = read_text(path).split("\n")
    found: list[Segment] = []
    at = 0
    while at < len(lines):
        at += 1
        if "-->" not in lines[at - 1]:
            continue
        number = at
        match = TIMES.fullmatch(lines[at - 1])
        if not match:
            raise InputError(f'line {number}: "{lines[at - 1].strip()[:40]}" are no times of a caption')
        start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
        text = []
        while at < len(lines) and lines[at].strip():
            text.append(lines[at].strip())
            at += 1
        label = html.unescape(MARKUP.sub("", " ".join(text))).strip()
        found.append(Segment(label, start, end))
        # captions of two speakers may stand at the same time
        check_order(found[-1], found[-2] if len(found) > 1 else None, number, overlap=float("inf"))
    if not found:
        raise InputError("no captions in it")
    return found


def _parted(words: list[Segment]) -> Iterator[list[Segment]]:
    """The words, parted at the longest pauses until each part fits."""
    waiting = [words]
    while waiting:
        part = waiting.pop()
        if len(part) == 1 or _fits(part):
            yield part
            continue
        middle = (part[0].start + part[-1].end) / 2
        pauses = [
            (round(after.start - before.end, 3), -abs(after.start - middle))
            for before, after in zip(part, part[1:], strict=False)
        ]
        at = pauses.index(max(pauses)) + 1
        waiting += [part[at:], part[:at]]  # the last is the next


def _fits(words: Sequence[Segment]) -> bool:
    letters = sum(len(one.label) + 1 for one in words) - 1
    short = words[-1].end - words[0].start <= LONGEST and letters <= LINES * (LINE + 1)
    return short and len(_lines(words)) <= LINES


def _ends_sentence(word: str) -> bool:
    return word.rstrip("\"'”’)").endswith((".", "?", "!", "…"))


def _lines(words: Sequence[Segment]) -> list[str]:
    text = " ".join(one.label.strip() for one in words)
    return textwrap.wrap(text, LINE, break_long_words=False, break_on_hyphens=False)


def _clock(seconds: float, point: str) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = parts
    return (
        int(hours or 0) * 3600
        + int(minutes or 0) * 60
        + int(seconds or 0)
        + int((fraction or "0").ljust(3, "0")) / 1000
    )
