"""What is said on stderr: quiet or not, with names that look like markup, and how far the work is."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from percept.core import console
from percept.core.console import answer, complain, configure, duration, progress, say, size, table


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    configure()
    yield
    configure()


def test_the_answer_goes_to_stdout_and_all_else_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    answer("the answer")
    answer("with its own end\n")
    say("a word")
    complain("an error")
    said = capsys.readouterr()
    assert said.out == "the answer\nwith its own end\n"
    assert said.err == "a word\nan error\n"


def test_quiet_leaves_errors_only(capsys: pytest.CaptureFixture[str]) -> None:
    configure(quiet=True)
    say("a word")
    complain("an error")
    with progress("step", 2) as bar:
        bar.step()
    assert capsys.readouterr().err == "an error\n"


def test_names_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    odd = "[bold red]x[/bold red] [/] [link=a] \\[ :cat: %s {0} straße 道路"
    for speak in (say, complain):
        speak(odd)
        assert capsys.readouterr().err == odd + "\n"
    console.stdout.print(table(("name", "n"), [("[red]a[/red] :cat:", "1")]))
    assert "[red]a[/red] :cat:" in capsys.readouterr().out


def test_a_long_line_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    complain("photos/" + "long " * 100 + "name.jpg: cut off")
    assert capsys.readouterr().err.count("\n") == 1


def test_reasons_are_told_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("percept.core.device")
    logger.info("device cpu: because")
    assert "because" not in capsys.readouterr().err
    configure(verbose=True)
    configure(verbose=True)  # a second command in one program: not twice
    logger.info("device cpu: because of [this]")
    assert capsys.readouterr().err == "device cpu: because of [this]\n"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.094, "0.09 s"),
        (7.44, "7.4 s"),
        (59.94, "59.9 s"),
        (61, "1:01"),
        (185, "3:05"),
        (7385, "2:03:05"),
        (0, "0.00 s"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (812, "812 B"),
        (2_200, "2.2 kB"),
        (2_214_912, "2.2 MB"),
        (125e6, "125 MB"),
        (20_405_354_669, "20.4 GB"),
        (155e9, "155 GB"),
    ],
)
def test_sizes(count: float, shown: str) -> None:
    assert size(count) == shown


def test_progress_tells_how_far_how_fast_and_how_long_still(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: clock[0])
    with progress("photos", 10, start=2) as bar:  # two were done by an earlier process
        for _ in range(4):
            clock[0] += 0.5
            bar.step("loss 1.5")
        assert bar.line() == "photos 6/10  2.0/s  2.0 s left  loss 1.5"
    with progress("frames", None) as bar:
        clock[0] += 4
        bar.step()
        assert bar.line() == "frames 1  4.0 s each"


def test_without_a_terminal_there_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: clock[0])
    with progress("photos", 200) as bar:
        for _ in range(200):
            clock[0] += 0.5
            bar.step()
    lines = capsys.readouterr().err.splitlines()
    assert 2 <= len(lines) <= 4
    assert all(line.startswith("photos ") and "left" in line for line in lines)


def test_the_bar_goes_even_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = []
    with pytest.raises(ZeroDivisionError), progress("photos", 2) as bar:
        monkeypatch.setattr(bar, "close", lambda: stopped.append(True))
        raise ZeroDivisionError
    assert stopped == [True]
