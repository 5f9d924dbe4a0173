"""The names that scripts rely on: a snapshot of Python's names, of commands, and of their flags with their choices.

A name that is meant to change: ``python tests/contract/test_surface.py --write``, and a line in CHANGELOG.md.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer.main

import percept
from percept import cli, tasks
from percept.core.options import fields

SNAPSHOT = Path(__file__).with_name("surface.json")


def surface() -> dict[str, Any]:
    """What is public: Python's names, the API's keywords with their choices, and the words of the command line."""
    keywords = {}
    for task in tasks.TASKS:
        for verb in ("Predict", "Train", "Evaluate", "Export"):
            known = fields(getattr(task.options, verb))
            keywords[f"{task.name} {verb.lower()}"] = {
                key: list(spec.choices) if spec.choices else True for key, (_, _, spec) in sorted(known.items())
            }
    return {"python": sorted(percept.__all__), "keywords": keywords, "commands": dict(_commands("percept"))}


def _commands(name: str, command: Any = None) -> list[tuple[str, list[str]]]:
    command = command or typer.main.get_command(cli.app)
    words = [word for parameter in command.params for word in (*parameter.opts, *parameter.secondary_opts)]
    hidden = {"--install-completion", "--show-completion"}
    found = [(name, sorted(set(words) - hidden))]
    for inner, below in sorted(getattr(command, "commands", {}).items()):
        found += _commands(f"{name} {inner}", below)
    return found


def test_public_names_are_those_of_the_snapshot() -> None:
    before = json.loads(SNAPSHOT.read_text())
    now = json.loads(json.dumps(surface()))
    assert now == before, __doc__


def test_every_flag_is_a_keyword_of_the_same_name() -> None:
    found = surface()
    for verb, of in (("", "predict"), ("train ", "train"), ("eval ", "evaluate"), ("export ", "export")):
        for task in tasks.names():
            flags = set(found["commands"][f"percept {verb}{task}"])
            for key in found["keywords"][f"{task} {of}"]:
                assert key in flags or "--" + key.replace("_", "-") in flags, f"{verb}{task}: {key}"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        SNAPSHOT.write_text(json.dumps(surface(), indent=1) + "\n")
    else:
        sys.exit(__doc__)
