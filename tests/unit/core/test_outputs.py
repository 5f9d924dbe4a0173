"""Answers as they come: every format, one line a failure, whole documents even when the work is stopped."""

from __future__ import annotations

import csv
import json
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from percept.core import console, show
from percept.core.errors import InputError, UsageError
from percept.core.outputs import Deliver, with_errors
from percept.core.sources import Item

ABOUT = {"task": "toy", "model": "m", "weights": "w", "device": "cpu x1"}


@dataclass(eq=False)
class Toy:
    input: str
    words: tuple[str, ...] = ("a", "b")
    picture: Any = None

    def to_json(self) -> dict[str, Any]:
        return {"input": self.input, "words": list(self.words)}

    def rows(self) -> Sequence[Sequence[object]]:
        return [(word, len(word)) for word in self.words]

    def __str__(self) -> str:
        return f" {self.input}: {' '.join(self.words)}"


@dataclass
class Sink:
    closed: int = 0
    added: list[str] = field(default_factory=list)

    def add(self, item: Item, result: Toy) -> dict[str, str]:
        self.added.append(item.name)
        return {"picture": f"out/{item.stem}.png"}

    def close(self) -> list[str]:
        self.closed += 1
        return [f"out/{name}.png" for name in self.added]


def item(name: str, frame: int | None = None) -> Item:
    return Item(name, PurePosixPath(name), Path(name), frame=frame)


def outcomes(*names: str) -> Iterator[tuple[Item, Toy | InputError]]:
    for name in names:
        yield item(name), InputError("an empty file") if name.startswith("bad") else Toy(name)


def deliver(form: str, out: Path | None = None, sink: Sink | None = None, **keywords: Any) -> Deliver:
    per_file = {"list": (".txt", lambda result: "\n".join(result.words) + "\n")}
    document = {"whole": lambda results: json.dumps([result.input for result in results])}
    return Deliver(ABOUT, form, out, ("word", "length"), per_file, document, sink, **keywords)


def test_json_is_one_document_with_results_and_errors_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert deliver("json").run(outcomes("x", "bad", "y")) == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert list(document)[:5] == ["percept", "task", "model", "weights", "device"]
    assert document["results"] == [
        {"input": "x", "words": ["a", "b"]},
        {"input": "bad", "error": "an empty file"},
        {"input": "y", "words": ["a", "b"]},
    ]
    assert document["seconds"] >= 0
    assert said.err.splitlines()[0] == "bad: an empty file; skipped"
    assert said.err.splitlines()[-1] == "2 of 3 done, 1 failed"


def test_json_of_nothing_is_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert deliver("json").run([]) == 0
    assert json.loads(capsys.readouterr().out)["results"] == []


def test_other_formats(capsys: pytest.CaptureFixture[str]) -> None:
    assert deliver("jsonl").run(outcomes("x", "bad")) == 1
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"input": "x", "words": ["a", "b"]},
        {"input": "bad", "error": "an empty file"},
    ]
    assert deliver("csv").run(outcomes("x, y", "z")) == 0
    rows = list(csv.reader(capsys.readouterr().out.splitlines()))
    assert rows == [["input", "word", "length"], *[[name, w, "1"] for name in ("x, y", "z") for w in "ab"]]
    deliver("table").run(outcomes("x"))
    assert capsys.readouterr().out == "x\ta\t1\nx\tb\t1\n"
    deliver("list").run(outcomes("x", "y"))
    assert capsys.readouterr().out == "a\nb\na\nb\n"
    deliver("whole").run(outcomes("x", "bad", "y"))
    assert json.loads(capsys.readouterr().out) == ["x", "y"]


def test_a_terminal_gets_the_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    deliver("table").run(outcomes("x"))
    assert capsys.readouterr().out == " x: a b\n"


def test_files_are_written_whole_beside_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deliver("list", tmp_path).run(outcomes("a/x", "b/x"))
    assert (tmp_path / "a" / "x.txt").read_text() == "a\nb\n" and (tmp_path / "b" / "x.txt").is_file()
    film = [(item("film", frame=number), Toy("film")) for number in (0, 25)]
    deliver("list", tmp_path).run(film)
    assert {"film_000000.txt", "film_000025.txt"} <= {path.name for path in tmp_path.iterdir()}
    deliver("whole", tmp_path).run(outcomes("x"))
    assert json.loads((tmp_path / "whole.json").read_text()) == ["x"]
    assert capsys.readouterr().out == ""


def test_strict_stops_at_the_first_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert deliver("json").run(outcomes("x", "bad", "y"), strict=True) == 1
    said = capsys.readouterr()
    assert [result["input"] for result in json.loads(said.out)["results"]] == ["x", "bad"]
    assert "bad: an empty file; stopped here" in said.err


@pytest.mark.parametrize("error", [KeyboardInterrupt, UsageError("disk full"), ZeroDivisionError])
def test_stopped_in_the_middle_the_document_is_whole_and_files_are_closed(
    error: BaseException | type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> Iterator[tuple[Item, Toy]]:
        yield item("x"), Toy("x")
        raise error

    sink = Sink()
    with pytest.raises(error if isinstance(error, type) else type(error)):
        deliver("json", Path("out"), sink).run(interrupted())
    assert [result["input"] for result in json.loads(capsys.readouterr().out)["results"]] == ["x"]
    assert sink.closed == 1


def test_files_of_a_result_stand_in_its_entry_and_on_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    deliver("json", Path("out"), Sink()).run(outcomes("x", "bad"))
    said = capsys.readouterr()
    assert json.loads(said.out)["results"][0]["files"] == {"picture": "out/x.png"}
    line = said.err.splitlines()[-2]
    assert line.startswith("out/x.png ") and "w, cpu x1, 0.0" in line
    deliver("table", Path("out"), Sink()).run(outcomes("x", "y"))
    assert "2 files in out" in capsys.readouterr().err


def test_quiet_leaves_the_failures(capsys: pytest.CaptureFixture[str]) -> None:
    console.configure(quiet=True)
    try:
        deliver("json").run(outcomes("x"))
        assert capsys.readouterr().err == ""
        deliver("json").run(outcomes("bad"))
        assert capsys.readouterr().err.splitlines() == ["bad: an empty file; skipped", "0 of 1 done, 1 failed"]
    finally:
        console.configure()


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "table", "list", "whole"])
def test_no_format_keeps_the_pictures(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    class Picture:
        pass

    alive: list[weakref.ref[Picture]] = []
    most = 0

    def many() -> Iterator[tuple[Item, Toy]]:
        nonlocal most
        for number in range(20):
            picture = Picture()
            alive.append(weakref.ref(picture))
            yield item(f"x{number}"), Toy(f"x{number}", picture=picture)
            del picture
            most = max(most, sum(one() is not None for one in alive))

    deliver(form, lighten=lambda result: Toy(result.input, result.words)).run(many())
    assert most <= 2


@given(st.text(), st.lists(st.text(), max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_names_the_document_and_the_csv_are_whole(
    capsys: pytest.CaptureFixture[str], name: str, words: list[str]
) -> None:
    name = "x" + name
    deliver("json").run([(item("i"), Toy(name, tuple(words)))])
    assert json.loads(capsys.readouterr().out)["results"] == [{"input": name, "words": words}]
    deliver("jsonl").run([(item("i"), Toy(name, tuple(words)))])
    assert json.loads(capsys.readouterr().out)["words"] == words


def test_one_input_that_cannot_be_used_does_not_stop_the_others() -> None:
    def predict(one: Item, value: int) -> Toy:
        if value == 2:
            raise InputError("too small")
        return Toy(one.name)

    given_items = [(item("a"), 1), (item("b"), InputError("cut off")), (item("c"), 2), (item("d"), 3)]
    found = [
        (one.name, str(result) if isinstance(result, InputError) else "ok")
        for one, result in with_errors(given_items, predict)
    ]
    assert found == [("a", "ok"), ("b", "cut off"), ("c", "too small"), ("d", "ok")]


def test_a_bug_in_a_task_is_not_hidden() -> None:
    def predict(one: Item, value: int) -> Toy:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(with_errors([(item("a"), 1)], predict))


def test_documents_have_no_number_that_json_does_not_know() -> None:
    text = show.document({"scores": {"AP": float("nan"), "n": [1.5, float("inf")]}, "path": Path("a")})
    document = json.loads(text, parse_constant=pytest.fail)
    assert document["scores"] == {"AP": None, "n": [1.5, None]} and document["path"] == "a"
