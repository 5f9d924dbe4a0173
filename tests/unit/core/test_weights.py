"""The shipped weights are the tested ones, described whole; and what a name, a file or a run folder means."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest
import torch

from percept import tasks
from percept.core import checkpoint, weights
from percept.core.errors import UsageError
from percept.core.files import sha256
from percept.core.weights import index, resolve

MIB = 2**20
ROWS, PARTS = index(), weights.parts()
NAMES = [row.name for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_a_shipped_file_is_what_the_index_says(row: weights.Shipped) -> None:
    assert row.path.stat().st_size == row.size <= 16 * MIB
    assert sha256(row.path) == row.sha256
    read = checkpoint.load(row.path, task=row.task)
    assert read.header["classes"] and read.header["model"]["name"]
    assert all(torch.isfinite(tensor).all() for tensor in read.tensors.values())
    for text in (row.summary, row.command, row.data, row.licence, row.allows, row.good_for):
        assert len(text) > 3
    assert row.scores or row.published, "somebody measured it"
    assert any(measured["command"].startswith("percept eval") for measured in row.scores) or row.published
    for measured in row.scores:
        measuring = ("percept eval", "python benchmarks/")
        assert measured["command"].startswith(measuring), "a score comes with the command that measured it"


@pytest.mark.parametrize("row", PARTS, ids=[row.name for row in PARTS])
def test_a_part_is_what_the_index_says(row: weights.Shipped) -> None:
    assert row.path.stat().st_size == row.size <= 16 * MIB
    assert sha256(row.path) == row.sha256
    assert checkpoint.load(row.path, task=row.task).header["model"]["name"] == row.name not in NAMES
    for text in (row.summary, row.command, row.data, row.licence, row.allows, row.good_for):
        assert len(text) > 3
    assert all(measured["command"].startswith("python recipes/") for measured in row.scores) and row.scores


def test_the_index_is_whole() -> None:
    assert len(set(NAMES)) == len(NAMES)
    there = {path.name for path in weights.folder().glob("*.safetensors")}
    assert there == {row.file for row in (*ROWS, *PARTS)}
    assert sum(row.size for row in ROWS) <= 96 * MIB
    owners = {task.weights or task.name for task in tasks.TASKS}
    assert {row.task for row in ROWS} == owners
    for task in owners:
        assert sum(row.default for row in ROWS if row.task == task) == 1


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights of its own: of detect ``small``, the default, and ``large``; ``cats`` of classify."""
    rows = []
    for name, task in (("small", "detect"), ("large", "detect"), ("cats", "classify")):
        path = tmp_path / f"{name}.safetensors"
        checkpoint.save(path, {"a": torch.ones(2)}, {"task": task, "classes": ["x"]})
        described = {"summary": name, "command": "", "data": "", "licence": "", "allows": ""}
        keys = {"name": name, "task": task, "file": path.name, "sha256": sha256(path), **described}
        numbers = f"size = {path.stat().st_size}\ndefault = {str(name == 'small').lower()}\n"
        rows.append("[[weights]]\n" + "".join(f'{key} = "{value}"\n' for key, value in keys.items()) + numbers)
    (tmp_path / "index.toml").write_text("\n".join(rows))
    monkeypatch.setattr(weights, "folder", lambda: tmp_path)
    return tmp_path


def test_a_name_a_file_a_run_and_nothing(mine: Path, tmp_path: Path) -> None:
    assert resolve("", "detect") == ("small", mine / "small.safetensors")
    assert resolve("large", "detect") == ("large", mine / "large.safetensors")
    file = tmp_path / "own.safetensors"
    shutil.copy(mine / "large.safetensors", file)
    assert resolve(str(file), "detect") == (str(file), file)
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(file, run / "best.safetensors")
    assert resolve(str(run), "detect") == (str(run / "best.safetensors"), run / "best.safetensors")
    assert resolve("cats") == ("cats", mine / "cats.safetensors")


def test_a_shipped_name_wins_over_a_file_beside_me(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (mine / "here" / "large").mkdir(parents=True)
    monkeypatch.chdir(mine / "here")
    assert resolve("large", "detect") == ("large", mine / "large.safetensors")
    with pytest.raises(UsageError, match=r"large: no best\.safetensors in this folder"):
        resolve("./large", "detect")


@pytest.mark.parametrize(
    ("wanted", "task", "said"),
    [
        ("smal", "detect", r'no weights or file "smal"; did you mean small\?'),
        ("xqzvw", "detect", r'no weights or file "xqzvw"; known: small, large$'),
        ("cats", "detect", 'weights "cats" are for classify, not for detect'),
        ("", "classify", "no weights are shipped for classify; name a file with --weights"),
    ],
)
def test_wrong_names(mine: Path, wanted: str, task: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        resolve(wanted, task)


def test_a_changed_or_missing_file_is_refused_and_found_by_the_doctor(mine: Path) -> None:
    assert weights.check() == [("small", True, ""), ("large", True, ""), ("cats", True, "")]
    path = mine / "large.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not the file that was tested"):
        resolve("large", "detect")
    (mine / "cats.safetensors").unlink()
    with pytest.raises(UsageError, match="is missing: this installation of percept is not whole"):
        resolve("cats", "classify")
    assert [(name, good) for name, good, _ in weights.check()] == [("small", True), ("large", False), ("cats", False)]


def test_without_the_index_the_installation_is_not_whole(mine: Path) -> None:
    (mine / "index.toml").unlink()
    with pytest.raises(UsageError, match="not whole"):
        resolve("small", "detect")


def test_the_index_has_no_keys_that_nobody_reads() -> None:
    rows = tomllib.loads((weights.folder() / "index.toml").read_text())["weights"]
    assert [row["name"] for row in rows] == NAMES
    assert {key for row in rows for key in row} <= set(weights.Shipped.__dataclass_fields__)
