"""Where an option comes from: recipe < config < PERCEPT_* < flag; and a run that is repeated, or gone on with."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commandline import percept
from inputs import INPUTS

from percept.core import datasets, runs, training

DETECT = INPUTS["detect"]
SMALL = ("--size", "64", "--multiscale", "0", "--batch", "1", *DETECT.start)


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but the loop: what it would have been asked to do stands in run.toml."""
    monkeypatch.setattr(training, "train", lambda *_: {"epoch": 1.0, "AP": 0.0})


@pytest.fixture
def cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> datasets.Dataset:
    """A data set called cells whose recipe says how it is trained, lying in PERCEPT_DATA."""
    monkeypatch.setenv("PERCEPT_DATA", str(tmp_path / "data"))
    shutil.copytree(DETECT.data, tmp_path / "data" / "cells")
    row = datasets.Dataset(
        name="cells",
        tasks=("detect",),
        title="cells",
        size=1,
        licence="MIT",
        allows="any use",
        homepage="https://example.org",
        layout="voc",
        files=(datasets.RemoteFile(name="cells.zip", url="https://example.org/cells.zip"),),
        unpacked={"Annotations": 6},
        recipe={"seed": 1, "epochs": 1, "accumulate": 1, "ema": 0.1, "batch": 3},
    )
    monkeypatch.setattr(datasets, "rows", lambda tables: (row,))
    return row


def options_of(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "run.toml").read_text())["options"]


def test_the_stronger_source_wins(
    tmp_path: Path, cells: datasets.Dataset, no_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("seed = 2\nepochs = 2\naccumulate = 1\nlr = 0.5\n")
    monkeypatch.setenv("PERCEPT_SEED", "3")
    monkeypatch.setenv("PERCEPT_EPOCHS", "3")
    monkeypatch.setenv("PERCEPT_CONF", "0.9")  # another command's: none of this one's business
    run = tmp_path / "run"
    ran = percept("train", "detect", "--data", "cells", "--config", config, "--seed", "4", "--out", run, *DETECT.start)
    assert ran.code == 0, ran.err
    found = options_of(run)
    assert found["seed"] == 4, "the flag"
    assert found["epochs"] == 3, "the environment"
    assert found["lr"] == 0.5, "the config"
    assert found["ema"] == 0.1 and found["batch"] == 3, "the recipe"
    assert found["momentum"] == 0.9, "the default"


def test_a_wrong_key_names_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("[options]\nepoch = 3\n")
    ran = percept("train", "detect", "--data", DETECT.data, "--config", config, "--out", tmp_path / "run")
    assert ran.code == 2
    assert f'unknown option "epoch" in {config}; did you mean epochs?' in ran.err
    monkeypatch.setenv("PERCEPT_EPOCHS", "many")
    ran = percept("train", "detect", "--data", DETECT.data, "--out", tmp_path / "run")
    assert ran.code == 2
    assert "\"epochs\" in the environment: 'many' is not a whole number" in ran.err
    assert not (tmp_path / "run").exists()


def test_predict_listens_to_config_environment_and_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def count(*words: object) -> int:
        ran = percept("detect", DETECT.predict[0], *DETECT.with_weights, "--json", *words)
        return len(ran.json["results"][0]["detections"])

    config = tmp_path / "mine.toml"
    config.write_text("conf = 0.01\nmax = 3\n")
    assert count("--conf", "0.01") > 3
    assert count("--config", config) == 3
    monkeypatch.setenv("PERCEPT_MAX", "2")
    assert count("--config", config) == 2
    assert count("--config", config, "--max", "1") == 1


def last(folder: Path) -> bytes:
    return (folder / "last.safetensors").read_bytes()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.setattr(runs.Run, "_draw_curves", lambda self: None)

    def train(name: str, *words: object) -> Path:
        ran = percept("train", "detect", *words, "--out", tmp_path / name, "--quiet")
        assert ran.code == 0, ran.err
        return tmp_path / name

    return train


def test_run_toml_repeats_a_run_to_the_byte(run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("first", "--data", DETECT.data, *SMALL, "--epochs", "1", "--seed", "7", "--lr", "0.002")
    about = tomllib.loads((first / "run.toml").read_text())["run"]
    assert about["repeat"] == f"percept train detect --config {first}/run.toml"
    again = run("again", "--config", first / "run.toml")
    assert last(again) == last(first)
    assert options_of(again) == options_of(first)
    other = run("other", "--config", first / "run.toml", "--seed", "8")
    assert last(other) != last(first)


def test_what_may_change_on_resume_and_what_may_not(run: Callable[..., Path]) -> None:
    folder = run("run", "--data", DETECT.data, *SMALL, "--epochs", "1")
    before = last(folder)
    for words, said in (
        (("--lr", "0.5"), "--lr was 0.001 in "),
        (("--batch", "3"), "--batch was 1 in "),
        (("--data", INPUTS["classify"].data), "--data was "),
        (("--model", "overfeat-fast"), "--model was compact in "),
    ):
        ran = percept("train", "detect", "--resume", folder, *words)
        assert ran.code == 2
        assert said in ran.err and "may change on --resume" in ran.err
    assert (
        percept("train", "classify", "--resume", folder).err
        == f"percept: {folder} is a run of detect, not of classify\n"
    )
    assert last(folder) == before
    ran = percept("train", "detect", "--resume", folder, "--epochs", "2", "--workers", "1", "--batch", "1", "--quiet")
    assert (ran.code, ran.err) == (0, "")
    assert len((folder / "log.csv").read_text().splitlines()) == 3


def test_a_run_without_out_gets_the_first_free_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_training: None
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        ran = percept("train", "detect", "--data", DETECT.data, *DETECT.start)
        assert ran.code == 0, ran.err
        assert (tmp_path / "runs" / f"detect-voc_cells-{number}" / "run.toml").is_file()
