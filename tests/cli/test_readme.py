"""The commands of README.md run as they stand there, in a folder that holds what the README's reader has."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from percept.cli import main

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line[2:] for block in re.findall(r"```console\n(.*?)```", README, re.S) for line in block.splitlines()
            if line.startswith("$ ")]  # fmt: skip


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copytree(ROOT / "tests" / "data", tmp_path / "tests" / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(command: str, reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(command)
    assert words[0] == "percept"
    with pytest.raises(SystemExit) as ended:
        main(words[1:])
    assert ended.value.code == 0, capsys.readouterr().err
    assert capsys.readouterr().out


def test_python_runs(reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in re.findall(r"```python\n(.*?)```", README, re.S):
        exec(compile(block, "README.md", "exec"), {})
    assert "dog" in capsys.readouterr().out
    assert (reader / "dog.png").stat().st_size > 10_000


def test_pages_that_it_names_are_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing
