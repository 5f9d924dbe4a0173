"""Praat's TextGrid: the long form, the short form, and all that lies between, read; the long form written.

Praat itself reads such a file as a row of numbers, texts in quotes and <flags> that stand free, and skips all other
words (manual page "TextGrid file formats"): so both forms are read by one rule. Words that neither form has are refused
here, for they are mistyped numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from percept.core.errors import InputError
from percept.speech.segments import Segment, Tiers, check_order, number_in, read_text

TOKEN = re.compile(r'"(?:[^"]|"")*"|![^\n]*|"|\S+')  # ! begins a comment
SKIPPED = re.compile(
    r"file|type|object|class|xmin|xmax|tiers\?|size|item|intervals:?|points:?|name|text|mark|number|time|value|=|"
    r"(?:item|intervals|points)?\s?\[\d*\]:?",
    re.IGNORECASE,
)
KINDS = ("IntervalTier", "TextTier")


def read_textgrid(path: Path) -> Tiers:
    """The tiers of a TextGrid, in their order; points are segments without length.

    Texts are as they stand, empty ones too. Of tiers of one name the second is called "name (2)". Interval tiers may
    have gaps.

    Raises:
        InputError: no TextGrid, cut off, or with times that cannot be; that names the line.
    """
    return parsed(read_text(path))


def parsed(text: str) -> Tiers:
    """The tiers in the text of a TextGrid. Raises as :func:`read_textgrid` does."""
    tokens = Tokens(text)
    if not text.lstrip().lower().startswith(("file type", '"ootextfile')):
        raise InputError("no TextGrid: it does not begin with ooTextFile")
    tokens.string("ooTextFile")
    kind = tokens.string("the object's class")
    if kind != "TextGrid":
        raise InputError(f'line {tokens.line}: a Praat "{_short(kind)}", no TextGrid')
    tokens.number("xmin")
    tokens.number("xmax")
    flag = tokens.next("<exists>")
    if flag != "<exists>":
        raise InputError(f"line {tokens.line}: <exists> expected, there is {_short(flag)}")
    found: Tiers = {}
    for _ in range(tokens.count("the number of tiers")):
        name, segments = _tier(tokens)
        same = sum(1 for other in found if other == name or re.fullmatch(re.escape(name) + r" \(\d+\)", other))
        found[f"{name} ({same + 1})" if same else name] = segments
    return found


def write_textgrid(tiers: Tiers, duration: float) -> str:
    """The text of a TextGrid in the long form.

    Interval tiers are made contiguous from 0 to ``duration``: where nothing is labelled, an empty text stands (silence,
    as the Montreal Forced Aligner has it). Where segments overlap, the earlier one ends where the later one begins. A
    tier of points only, which have no length, becomes a TextTier.

    Args:
        tiers: name -> segments in order of time.
        duration: of the sound, in seconds; what ends after it is cut there.

    Raises:
        ValueError: segments out of order, without length among others, or that begin after the end.
    """
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {_shown(duration)}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for number, (name, segments) in enumerate(tiers.items(), 1):
        points = bool(segments) and all(one.start == one.end for one in segments)
        entries = list(segments) if points else _contiguous(name, segments, duration)
        what = "points" if points else "intervals"
        lines += [
            f"    item [{number}]:",
            f'        class = "{"TextTier" if points else "IntervalTier"}"',
            f"        name = {_quoted(name)}",
            "        xmin = 0",
            f"        xmax = {_shown(duration)}",
            f"        {what}: size = {len(entries)}",
        ]
        for place, one in enumerate(entries, 1):
            lines.append(f"        {what} [{place}]:")
            if points:
                lines += [f"            number = {_shown(one.start)}", f"            mark = {_quoted(one.label)}"]
            else:
                lines += [
                    f"            xmin = {_shown(one.start)}",
                    f"            xmax = {_shown(one.end)}",
                    f"            text = {_quoted(one.label)}",
                ]
    return "\n".join(lines) + "\n"


class Tokens:
    """The values of a TextGrid one after the other, and the line on which the last one stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.counted, self.lines = 0, 1  # how far lines were counted, and how many: files of hours are long
        self.values = self._values()

    @property
    def line(self) -> int:
        """Of the last value, from 1 on."""
        self.lines += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.lines

    def next(self, what: str) -> str:
        """The next value as it is written; InputError at the end of the file."""
        value = next(self.values, None)
        if value is None:
            raise InputError(f"line {self.text.rstrip().count(chr(10)) + 1}: cut off: {what} is missing")
        return value

    def string(self, what: str) -> str:
        """The next value, a text in quotes, without them."""
        value = self.next(what)
        if not value.startswith('"'):
            raise InputError(f"line {self.line}: {what} expected, there is {_short(value)}")
        return value[1:-1].replace('""', '"')

    def number(self, what: str) -> float:
        """The next value, a number."""
        value = self.next(what)
        if value.startswith(('"', "<")):
            raise InputError(f"line {self.line}: {what} expected, there is {_short(value)}")
        return number_in(value, self.line)

    def count(self, what: str) -> int:
        """The next value, a whole number."""
        value = self.number(what)
        if value < 0 or value != int(value):
            raise InputError(f"line {self.line}: {what} expected, there is {value:g}")
        return int(value)

    def _values(self) -> Iterator[str]:
        for match in TOKEN.finditer(self.text):
            word = match[0]
            if word.startswith("!") or SKIPPED.fullmatch(word):
                continue
            self.at = match.start()
            if word == '"':
                raise InputError(f"line {self.line}: a text that no quote ends")
            yield word


def _tier(tokens: Tokens) -> tuple[str, list[Segment]]:
    kind = tokens.string("a tier's class")
    if kind not in KINDS:
        raise InputError(f'line {tokens.line}: "{_short(kind)}" is no kind of tier: {" or ".join(KINDS)} expected')
    name = tokens.string("a tier's name")
    tokens.number("a tier's xmin")
    tokens.number("a tier's xmax")
    segments: list[Segment] = []
    for _ in range(tokens.count("the number of a tier's entries")):
        start = tokens.number("a time")
        end = start if kind == "TextTier" else tokens.number("a time")
        line = tokens.line
        segments.append(Segment(tokens.string("a text"), start, end))
        check_order(segments[-1], segments[-2] if len(segments) > 1 else None, line)
    return name, segments


def _contiguous(name: str, segments: Sequence[Segment], duration: float) -> list[Segment]:
    made: list[Segment] = []
    at = 0.0
    for place, one in enumerate(segments):
        later = segments[place + 1].start if place + 1 < len(segments) else duration
        start = at if abs(one.start - at) < 1e-6 else max(one.start, 0.0)
        end = min(one.end, later, duration)
        if start < at or end - start < 1e-6:
            raise ValueError(f'"{one.label}" at {one.start:g} to {one.end:g} s does not fit into tier "{name}"')
        if start > at:
            made.append(Segment("", at, start))
        made.append(Segment(one.label, start, end))
        at = end
    if duration - at >= 1e-6 or not made:
        made.append(Segment("", at, duration))
    return made


def _short(text: str) -> str:
    return " ".join(text.split())[:20]


def _shown(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
