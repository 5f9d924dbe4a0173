"""A labelled stretch of time, and what every reader of label files shares: their encodings and the order of times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from percept.core.errors import InputError
from percept.core.kinds import reason, unreadable

TOUCH = 1e-3  # seconds by which neighbours may overlap: some programs round the two ends of a boundary differently


@dataclass(frozen=True)
class Segment:
    """A label with its start and end in seconds; a point in time has both the same."""

    label: str
    start: float
    end: float


Tiers = dict[str, list[Segment]]  # name of a tier -> its segments in order of time


def read_text(path: Path) -> str:
    """A text file in UTF-8 or UTF-16, with a mark at its start or without; lines end in a newline alone.

    Raises:
        InputError: it cannot be read, or is in another encoding; that names the line.
    """
    if problem := unreadable(path):
        raise InputError(problem)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(reason(error)) from error
    return decoded(data).replace("\r\n", "\n").replace("\r", "\n")


def decoded(data: bytes) -> str:
    """Bytes of UTF-8 or UTF-16 as text without its mark. Raises as :func:`read_text` does."""
    encoding = _encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"line {line}: neither UTF-8 nor UTF-16: its encoding is unknown, save it as UTF-8") from None


def number_in(word: str, line: int) -> float:
    """A finite number that stands in a line. Raises InputError where the word is none."""
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in word:
        raise InputError(f'line {line}: "{word[:20]}" is no number')
    return value


def check_order(segment: Segment, before: Segment | None, line: int, *, overlap: float = TOUCH) -> None:
    """Refuse a segment that ends before it starts, or starts before the one before it does (or ends, by more than
    ``overlap`` seconds).

    Raises:
        InputError: it does; that names the line.
    """
    start, end = segment.start, segment.end
    if start < 0:
        raise InputError(f"line {line}: a time below 0: {start:g} s")
    if end < start:
        raise InputError(f"line {line}: ends at {end:g} s, before it starts at {start:g} s")
    if before and (start < before.start - TOUCH or start < before.end - overlap):
        what = f"{start:g} s after {max(before.start, before.end):g} s"
        raise InputError(f"line {line}: times run backwards: {what}")


def _encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = data[:200]
    if head.count(0) > len(head) // 4:  # no mark: of ASCII letters every other byte is zero
        return "utf-16-be" if head[0] == 0 else "utf-16-le"
    return "utf-8-sig"
