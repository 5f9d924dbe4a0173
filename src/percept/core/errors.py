"""What percept says when something is wrong: one line that a person can act on, and an exit code.

Exit codes: 0 done, 1 some inputs failed, 2 wrong usage, 3 training diverged, 70 a bug of ours, 130 and 143 stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any


class PerceptError(Exception):
    """An error whose text is meant for the person at the terminal; never shown with a traceback."""

    exit_code = 1


class InputError(PerceptError):
    """One input cannot be used; the text leaves the input's name out, the caller puts it in front."""


class UsageError(PerceptError):
    """Wrong usage, options, weights or data set: nothing was done."""

    exit_code = 2


class Diverged(PerceptError):
    """The loss is no longer a finite number; the last good weights were kept."""

    exit_code = 3


class Stopped(BaseException):
    """Stopped by SIGINT (130) or SIGTERM (143); what was finished is kept.

    Like KeyboardInterrupt no Exception: a signal is answered in the middle of anything, and a library's
    ``except Exception`` there would swallow it and go on with something half done.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@contextmanager
def named(x: Any) -> Iterator[str]:
    """What an input of Python's is called, "" where it is no path; an :class:`InputError` within gets it in front."""
    name = str(x) if isinstance(x, str | Path) else ""
    try:
        yield name
    except InputError as error:
        raise InputError(f"{name}: {error}" if name else str(error)) from error


def nearest(word: str, known: Iterable[str]) -> str:
    """The words to append to an error: ``"; did you mean stereo?"``, or nothing if no known name is near.

    >>> nearest("steroe", ["detect", "stereo"])
    '; did you mean stereo?'
    """
    by_lower: dict[str, str] = {}
    for name in known:
        by_lower.setdefault(name.lower(), name)
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[found[0]]}?" if found else ""
