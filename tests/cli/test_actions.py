"""Commands of two words: what a task does beside the four verbs, and how a person finds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from percept import api, cli, tasks
from percept.core.errors import UsageError
from percept.core.options import argument, option
from percept.core.verbs import Talk


@dataclass(frozen=True, kw_only=True)
class Whisper(Talk):
    """Say it quietly."""

    words: tuple[str, ...] = argument("what to say", metavar="WORD...", repeat=True, required=False)
    times: int = option(1, "how often", group="Output", low=1)


@pytest.fixture
def said() -> list[Any]:
    return []


@pytest.fixture
def program(said: list[Any]) -> Any:
    app = typer.Typer(cls=cli.Group)

    @app.command("speak")
    def speak(words: list[str]) -> None:
        said.append(("speak", tuple(words)))

    def whisper(**given: Any) -> None:
        said.append(("speak whisper", given))

    @app.command("sing")
    def sing() -> None:
        said.append(("sing",))

    app.command("speak whisper", hidden=True)(cli.command(Whisper, whisper, "whisper"))
    made = typer.main.get_command(app)
    return lambda *words: made(list(words), standalone_mode=False)


def test_the_second_word_chooses_the_action(program: Any, said: list[Any]) -> None:
    program("speak", "whisper", "a", "b", "--times", "2")
    program("speak", "loud", "whisper")
    program("sing")
    assert said == [
        ("speak whisper", {"words": ["a", "b"], "times": 2}),
        ("speak", ("loud", "whisper")),
        ("sing",),
    ]


def test_an_optional_argument_may_be_missing(program: Any, said: list[Any]) -> None:
    program("speak", "whisper")
    assert said == [("speak whisper", {})]


def test_a_misspelt_action_is_said_unless_it_is_a_file(
    program: Any, said: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match='no file, and no action of speak, "wisper"; did you mean whisper'):
        program("speak", "wisper")
    monkeypatch.chdir(tmp_path)
    Path("wisper").touch()
    program("speak", "wisper")
    assert said == [("speak", ("wisper",))]


def test_actions_are_called_with_checked_options(monkeypatch: pytest.MonkeyPatch, said: list[Any]) -> None:
    class Options:
        ACTIONS = {"whisper": Whisper}  # noqa: RUF012

    class Work:
        @staticmethod
        def whisper(chosen: Whisper) -> int:
            said.append(chosen)
            return 7

    class Row:
        name, options, work = "speak", Options, Work

    monkeypatch.setattr(tasks, "find", lambda name: Row)
    assert api.act("speak", "whisper", words=["a"], times=3) == 7
    assert said == [Whisper(words=("a",), times=3)]
    with pytest.raises(UsageError, match="times: 0 must be at least 1"):
        api.act("speak", "whisper", times=0)
    with pytest.raises(UsageError, match='speak has no action "wisper"; did you mean whisper'):
        api.act("speak", "wisper")
