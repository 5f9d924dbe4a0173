"""Commands one after another: what is done is not done again, what was stopped is gone on with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from percept import __version__
from percept.core import scripts


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    commands: list[tuple[str, ...]] = []

    def percept(*words: str) -> str:
        commands.append(words)
        return f'{{"metrics": {{"asked": {len(commands)}}}}}'

    monkeypatch.setattr(scripts, "percept", percept)
    return commands


def begun(run: Path, *, epochs: int, done: int, patience: int = 0) -> Path:
    """A run folder with so many epochs in its log."""
    (run / "state").mkdir(parents=True)
    (run / "state" / "latest.pt").touch()
    (run / "run.toml").write_text(f"[options]\nepochs = {epochs}\npatience = {patience}\n")
    rows = "".join(f"{epoch},0.5,{10 * epoch}\n" for epoch in range(1, done + 1))
    (run / "log.csv").write_text(f"epoch,loss,seconds\n{rows}")
    return run


def test_a_command_answers_what_it_says() -> None:
    assert __version__ in scripts.percept("--version")


def test_a_command_that_fails_ends_the_script() -> None:
    with pytest.raises(SystemExit) as stop:
        scripts.percept("lmm")
    assert stop.value.code == 2


def test_a_training_is_done_once(tmp_path: Path, said: list[tuple[str, ...]]) -> None:
    run = tmp_path / "a"
    assert scripts.trained(run, "qa", "--data", "babi") == run
    assert said == [("train", "qa", "--data", "babi", "--out", str(run))]
    begun(run, epochs=3, done=2)
    scripts.trained(run, "qa", "--data", "babi")
    assert said[1:] == [("train", "qa", "--resume", str(run))]
    scripts.trained(begun(tmp_path / "b", epochs=3, done=3), "qa")
    scripts.trained(begun(tmp_path / "c", epochs=9, done=4, patience=2), "qa")
    assert len(said) == 2


def test_weights_without_a_log_are_finished(tmp_path: Path, said: list[tuple[str, ...]]) -> None:
    (tmp_path / "best.safetensors").touch()
    assert scripts.finished(tmp_path) and not scripts.log(tmp_path)
    scripts.trained(tmp_path, "qa")
    assert not said


def test_a_log_holds_numbers(tmp_path: Path) -> None:
    run = begun(tmp_path / "a", epochs=2, done=2)
    assert scripts.log(run) == [{"epoch": 1, "loss": 0.5, "seconds": 10}, {"epoch": 2, "loss": 0.5, "seconds": 20}]


def test_weights_are_measured_once(tmp_path: Path, said: list[tuple[str, ...]]) -> None:
    weights = tmp_path / "best.safetensors"
    weights.touch()
    os.utime(weights, (1000, 1000))
    first = scripts.measured(tmp_path, "eval", "qa", "--data", "babi")
    assert first == scripts.measured(tmp_path, "eval", "qa", "--data", "babi") == {"metrics": {"asked": 1}}
    assert said == [("eval", "qa", "--data", "babi", "--weights", str(tmp_path), "--json")]
    os.utime(weights, (2e9 * 2, 2e9 * 2))  # newer than the answer
    assert scripts.measured(tmp_path, "eval", "qa")["metrics"] == {"asked": 2}


def test_a_command_is_watched() -> None:
    seconds, peak = scripts.watched("--version")
    assert 0 < seconds < 60 and peak > 5e6
    with pytest.raises(SystemExit, match="percept lmm: exit code 2"):
        scripts.watched("lmm")
