"""The one evaluation loop of all tasks, and the report that comes of it: ours beside the published figures."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from percept.core.console import progress
from percept.core.files import write_atomic

SHOWN = 20  # problems that a person reads; the count tells of the rest
Sample = TypeVar("Sample")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Table:
    """Rows of text under columns; the first column to the left, the others are figures."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def write(self, path: Path) -> Path:
        """As CSV, whole or not at all; returns the path."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.columns, *self.rows])
        write_atomic(path, text.getvalue())
        return path


@dataclass(frozen=True)
class Report:
    """What ``percept eval`` answers.

    Attributes:
        metrics: the task's metric names (a contract, see docs) -> figure, None where nothing could be measured.
        published: rows of published figures, never measured here: system, data, figures, source.
        tables: for people.
        note: the protocol in one line.
        files: pictures and tables written.
    """

    task: str
    data: str
    split: str
    weights: str
    count: int
    metrics: dict[str, float | None]
    seconds: float
    published: list[dict[str, Any]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    note: str = ""
    files: list[Path] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The document of ``percept eval --json``."""
        return {
            "task": self.task,
            "data": self.data,
            "split": self.split,
            "weights": self.weights,
            "count": self.count,
            "metrics": self.metrics,
            "published": self.published,
            "seconds": round(self.seconds, 3),
            **self.details,
            "files": [str(path) for path in self.files],
        }


def answers(what: str, samples: Sequence[Sample], answer: Callable[[Sample], Answer]) -> tuple[list[Answer], float]:
    """Answer each sample by itself, so that no figure depends on batch or order; returns the answers and seconds."""
    began = time.monotonic()
    found = []
    with progress(what, len(samples)) as bar:
        for sample in samples:
            found.append(answer(sample))
            bar.step()
    return found, time.monotonic() - began


def figure(value: float | None, digits: int = 3) -> str:
    """A figure as tables show it; ``-`` where nothing could be measured."""
    return "-" if value is None or value != value else f"{value:.{digits}f}"


def mean(values: Iterable[float]) -> float | None:
    """The mean, or None of nothing."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else None


def problem_lines(problems: Sequence[str]) -> list[str]:
    """What is wrong with data, a line each, the first of them; a line where nothing is."""
    more = len(problems) - SHOWN
    return [*problems[:SHOWN], *([f"... and {more} more"] if more > 0 else [])] or ["nothing wrong was found"]
