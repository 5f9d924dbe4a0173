"""Answers on stdout, files under ``--out``: the JSON contract, one line a failure on stderr, and the exit code."""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from percept import __version__
from percept.core.console import answer, complain, duration, say, stdout
from percept.core.errors import InputError
from percept.core.files import write_atomic
from percept.core.sources import Item


class Result(Protocol):
    """What a task answers for one input; ``str()`` of it is for a person at a terminal."""

    def to_json(self) -> dict[str, Any]:
        """One entry of ``results``, ``input`` among its keys."""

    def rows(self) -> Sequence[Sequence[object]]:
        """One row an object, for pipes and CSV; the input's name is put in front."""


Outcome = tuple[Item, Result | InputError]


class Sink(Protocol):
    """Where a task puts the files of a result: pictures, videos, label maps."""

    def add(self, item: Item, result: Any) -> dict[str, str]:
        """Write what belongs to one result; returns the paths for the JSON ``files``."""

    def close(self) -> list[str]:
        """Finish what is open (videos); returns the paths written."""


class Deliver:
    """Deliver outcomes as they come, in bounded memory, and count them.

    Args:
        about: the keys that every document begins with: task, model, weights, device.
        per_file: format -> (suffix, result -> text), written to ``out/STEM.suffix`` or to stdout.
        document: format -> (results -> text), one text for all results.
        lighten: a result without what such a text needs not (pictures), since all of them are kept for it.
    """

    def __init__(
        self,
        about: Mapping[str, Any],
        format: str,
        out: Path | None,
        columns: Sequence[str],
        per_file: Mapping[str, tuple[str, Callable[[Any], str]]],
        document: Mapping[str, Callable[[Sequence[Any]], str]],
        sink: Sink | None,
        lighten: Callable[[Any], Any] = lambda result: result,
    ) -> None:
        self.about, self.format, self.out, self.columns = about, format, out, columns
        self.per_file, self.document, self.sink, self.lighten = per_file, document, sink, lighten
        self.done = self.failed = 0
        self._kept: list[Any] = []
        self._began = time.monotonic()

    def run(self, outcomes: Iterable[Outcome], *, strict: bool = False) -> int:
        """Deliver all; returns the exit code: 0 all done, 1 some failed. What is finished stays if it is stopped."""
        self._head()
        try:
            for item, result in outcomes:
                if isinstance(result, InputError):
                    self.failed += 1
                    complain(f"{item.name}: {result}; {'stopped here' if strict else 'skipped'}")
                    self._entry({"input": item.name, "error": str(result)})
                    if strict:
                        break
                    continue
                files = self.sink.add(item, result) if self.sink is not None else {}
                files |= self._file(item, result)
                self.done += 1
                self._show(result, files)
        finally:
            written = self.sink.close() if self.sink is not None else []
            self._tail()
        self._last_line(written)
        return 1 if self.failed else 0

    def _head(self) -> None:
        self._first = True
        if self.format == "json":
            head = json.dumps({"percept": __version__, **self.about}, ensure_ascii=False)
            sys.stdout.write(head[:-1] + ', "results": [')
        elif self.format == "csv" and "csv" not in self.document:
            answer(_csv([["input", *self.columns]]))

    def _entry(self, entry: dict[str, Any]) -> None:
        if self.format == "json":
            sys.stdout.write(("\n " if self._first else ",\n ") + json.dumps(entry, ensure_ascii=False))
            self._first = False
        elif self.format == "jsonl":
            answer(json.dumps(entry, ensure_ascii=False))

    def _show(self, result: Result, files: dict[str, str]) -> None:
        entry = result.to_json()
        if self.format in ("json", "jsonl"):
            self._entry({**entry, "files": files} if files else entry)
        elif self.format in self.document:
            self._kept.append(self.lighten(result))
        elif self.format == "csv":
            answer(_csv([entry["input"], *row] for row in result.rows()))
        elif self.format in self.per_file:
            if self.out is None:
                answer(self.per_file[self.format][1](result))
        elif stdout.is_terminal:
            answer(str(result))
        else:
            for row in result.rows():
                answer("\t".join(str(cell) for cell in (entry["input"], *row)))

    def _file(self, item: Item, result: Result) -> dict[str, str]:
        if self.format not in self.per_file or self.out is None:
            return {}
        suffix, text = self.per_file[self.format]
        path = self.out / f"{item.stem}{'' if item.frame is None else f'_{item.frame:06d}'}{suffix}"
        write_atomic(path, text(result))
        return {self.format: str(path)}

    def _tail(self) -> None:
        if self.format == "json":
            seconds = round(time.monotonic() - self._began, 3)
            sys.stdout.write(f'\n], "seconds": {seconds}}}\n')
            sys.stdout.flush()
        elif self.format in self.document:
            text = self.document[self.format](self._kept)
            if self.out is None or self.format == "csv":
                answer(text)
            else:
                write_atomic(self.out / f"{self.format}.json", text)

    def _last_line(self, written: list[str]) -> None:
        seconds = duration(time.monotonic() - self._began)
        how = f"{self.about['weights']}, {self.about['device']}, {seconds}"
        where = written[0] if len(written) == 1 else f"{len(written)} files in {self.out}" if written else ""
        say(f"{where:<{max(1, 78 - len(how))}} {how}" if where else how, style="dim")
        if self.failed:
            complain(f"{self.done} of {self.done + self.failed} done, {self.failed} failed")


def with_errors(items: Iterable[tuple[Item, Any]], predict: Callable[[Item, Any], Result]) -> Iterator[Outcome]:
    """Predict each input that could be read; one that cannot be used does not stop the others."""
    for item, value in items:
        if isinstance(value, InputError):
            yield item, value
            continue
        try:
            result: Result | InputError = predict(item, value)
        except InputError as error:
            result = error
        yield item, result


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().rstrip("\n")
