"""What is said while the work runs: messages, progress and tables, all on stderr; stdout carries the answer only."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

SECONDS_BETWEEN_LINES = 30.0  # where no terminal is there for a moving bar

stderr = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)  # file names may hold :cat: and [red]
stdout = Console(highlight=False, soft_wrap=True, emoji=False)
_quiet = False


def configure(*, quiet: bool = False, verbose: bool = False) -> None:
    """Set how much is said: ``quiet`` leaves errors only, ``verbose`` adds the reason of each choice."""
    global _quiet
    _quiet = quiet
    logger = logging.getLogger("percept")
    logger.setLevel(logging.INFO if verbose else logging.WARNING)
    if verbose and not any(isinstance(handler, _StderrHandler) for handler in logger.handlers):
        logger.addHandler(_StderrHandler())


class _StderrHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        stderr.print(record.getMessage(), style="dim", markup=False)


def say(text: str, *, style: str = "") -> None:
    """One line for the person at the terminal, on stderr; nothing with ``--quiet``."""
    if not _quiet:
        stderr.print(text, style=style, markup=False)


def complain(text: str) -> None:
    """One line that is said even with ``--quiet``: an error."""
    stderr.print(text, style="red", markup=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "", left: int = 1) -> Table:
    """A plain table: the first ``left`` columns to the left, the others (figures) to the right."""
    made = Table(box=None, pad_edge=False, title=title or None, title_justify="left", header_style="bold")
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number < left else "right", no_wrap=number >= left, overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def say_table(made: Table) -> None:
    """A table for the person at the terminal, on stderr; nothing with ``--quiet``."""
    if not _quiet:
        stderr.print(made)


def duration(seconds: float) -> str:
    """Seconds as people read them: ``0.09 s``, ``7.4 s``, ``3:05``, ``2:03:05``."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def size(count: float) -> str:
    """Bytes as people read them: ``812 B``, ``2.2 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")


class Progress:
    """Counts steps, and says how far, how fast and how long still: a bar on a terminal, else a line now and then."""

    def __init__(self, what: str, total: int | None, start: int = 0) -> None:
        self.what, self.total, self.done, self.note = what, total, start, ""
        self._first, self._began, self._spoke = start, time.monotonic(), time.monotonic()
        self._status = None
        if stderr.is_terminal and not _quiet:
            self._status = stderr.status(self.what)
            self._status.start()

    def step(self, note: str = "") -> None:
        """One more step is done; ``note`` is shown behind the figures."""
        self.done += 1
        self.note = note
        now = time.monotonic()
        if self._status is not None:
            self._status.update(Text(self.line()))
        elif now - self._spoke > SECONDS_BETWEEN_LINES:
            self._spoke = now
            say(self.line())

    def line(self) -> str:
        """The state in one line."""
        passed = max(time.monotonic() - self._began, 1e-9)
        rate = (self.done - self._first) / passed
        speed = f"{rate:.1f}/s" if rate >= 1 or rate == 0 else f"{1 / rate:.1f} s each"
        if self.total is None:
            return f"{self.what} {self.done}  {speed}  {self.note}".rstrip()
        left = duration((self.total - self.done) / rate) if rate else "?"
        return f"{self.what} {self.done}/{self.total}  {speed}  {left} left  {self.note}".rstrip()

    def close(self) -> None:
        """Take the bar away."""
        if self._status is not None:
            self._status.stop()


@contextmanager
def progress(what: str, total: int | None, start: int = 0) -> Iterator[Progress]:
    """A :class:`Progress` that takes its bar away whatever happens."""
    bar = Progress(what, total, start)
    try:
        yield bar
    finally:
        bar.close()


def answer(text: str) -> None:
    """The answer itself, on stdout, byte for byte."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()
