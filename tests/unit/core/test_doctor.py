"""The doctor looks at everything, is stopped by nothing, and says what to do."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from percept.core import doctor
from percept.core.datasets import Dataset, RemoteFile
from percept.core.doctor import Check, examine, markdown
from percept.core.errors import UsageError


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PERCEPT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PERCEPT_DATA", str(tmp_path / "data"))


def only(checks: list[Check], name: str) -> Check:
    (found,) = [check for check in checks if check.name == name]
    return found


def look(check: object, *arguments: object) -> list[Check]:
    return doctor._safely("it", lambda: check(*arguments))


def cells() -> Dataset:
    return Dataset(
        name="cells",
        tasks=("detect",),
        title="cells",
        size=1,
        licence="MIT",
        allows="any use",
        homepage="https://x.org",
        layout="voc",
        files=(RemoteFile(name="a.zip", url="https://x.org/a.zip"),),
        unpacked={"photos": 1},
    )


def test_this_machine_is_examined_whole() -> None:
    checks = examine(table=[cells()], weights_check=lambda: [Check("weights general", True, "2.2 MB")])
    names = [check.name for check in checks]
    for name in ("percept", "python", "system", "processor", "threads", "memory", "disk, data", "disk, here"):
        assert name in names
    for name in ("torch import", "precision", "video", "weights general", "data", "PERCEPT_DATA"):
        assert name in names
    assert only(checks, "python").ok and only(checks, "torch import").ok and only(checks, "video").ok
    assert "float32" in only(checks, "precision").found or "bfloat16" in only(checks, "precision").found
    assert only(checks, "torchvision with torch").ok
    assert not [check for check in checks if "could not be looked at" in check.found]
    assert not [check for check in checks if check.ok and check.advice]


def test_a_check_that_breaks_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[Check]:
        yield Check("first", True, "well")
        raise ImportError("libGL.so.1: cannot open shared object file\nmore")

    def refused() -> list[Check]:
        raise UsageError("general.safetensors: not the file that was tested")

    for name in ("_packages", "_torch_family", "_devices", "_precision", "_video", "_sound"):
        monkeypatch.setattr(doctor, name, broken)
    checks = examine(weights_check=refused)
    said = "could not be looked at: ImportError: libGL.so.1: cannot open shared object file"
    assert Check("video", None, said) in checks
    assert Check("weights", False, "general.safetensors: not the file that was tested") in checks
    assert checks[-1].name == "PERCEPT_DATA"


def test_packages_are_held_against_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        "numpy>=1.0",
        "rich<1",
        "no-such-package-at-all>=2",
        'no-such-extra; extra == "export"',
        'pytest>=3; extra == "test"',
        'percept[export]; extra == "test"',
        'colorama; sys_platform == "never"',
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: lines)
    checks = look(doctor._packages)
    assert only(checks, "numpy").ok and only(checks, "pytest").ok
    assert only(checks, "rich").ok is False and "(<1)" in only(checks, "rich").found
    assert only(checks, "rich").advice == 'pip install "rich<1"'
    assert only(checks, "no-such-package-at-all").ok is False
    extra = only(checks, "no-such-extra")
    assert extra.ok is None and extra.found == "not installed (optional: export)"
    assert extra.advice == 'pip install "percept[export]"'
    assert not {"colorama", "percept"} & {check.name for check in checks}


def test_packages_of_a_percept_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "requires", missing)
    (check,) = look(doctor._packages)
    assert check.ok is None and "not installed" in check.found


def test_torchvision_of_another_torch_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> None:
        raise RuntimeError("operator torchvision::nms does not exist\nat line 1")

    monkeypatch.setattr(doctor, "_prove_torchvision", fails)
    check = only(look(doctor._torch_family), "torchvision with torch")
    assert check.ok is False and check.found.endswith("operator torchvision::nms does not exist")
    assert check.advice.startswith("install them together")


def test_missing_torch_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (check,) = look(doctor._torch_family)
    assert "could not be looked at: ModuleNotFoundError" in check.found


def test_gpu_that_this_torch_cannot_use(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/nvidia-smi")
    (check,) = look(doctor._devices)
    assert check.ok is False and "built without CUDA" in check.found
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (check,) = look(doctor._devices)
    assert check.ok is None and "runs on the CPU" in check.found


def test_codec_that_writes_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2

    monkeypatch.setattr(cv2, "VideoWriter", lambda *_: SimpleNamespace(write=lambda _: None, release=lambda: None))
    monkeypatch.setattr(cv2, "VideoWriter_fourcc", lambda *_: 0, raising=False)
    monkeypatch.setattr(cv2.VideoWriter, "fourcc", lambda *_: 0, raising=False)
    (check,) = look(doctor._video)
    assert check.ok is False and "of 4 frames written to an MP4, 0 come back" in check.found


@pytest.mark.parametrize(("free", "ok"), [(64 << 20, False), (4 << 30, True)])
def test_small_shared_memory_and_full_disks_are_found(monkeypatch: pytest.MonkeyPatch, free: int, ok: bool) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=1 << 40, used=0, free=free))
    checks = look(doctor._disk) + look(doctor._shared_memory)
    assert {check.ok for check in checks} == {ok}
    assert all(bool(check.advice) is not ok for check in checks)


def test_folder_that_may_not_be_written_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert all(check.ok is False and "may not be written" in check.found for check in look(doctor._disk))


def test_more_threads_than_the_container_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_cgroup_cpus", lambda: 0.5)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    check = only(look(doctor._processor), "threads")
    assert check.ok is False and check.advice.endswith("--threads 1")


def test_data_sets_that_are_there(tmp_path: Path) -> None:
    assert [check.found.endswith("no data set yet") for check in look(doctor._data, (cells(),))] == [True]
    (tmp_path / "data/cells").mkdir(parents=True)
    half = only(look(doctor._data, (cells(),)), "data cells")
    assert half.ok is False and half.advice == "percept data verify cells"
    (tmp_path / "data/cells/photos").mkdir()
    (whole,) = look(doctor._data, (cells(),))
    assert whole.found.endswith("data: cells")


def test_unknown_variables_are_flagged_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCEPT_DTAA", "x")
    monkeypatch.setenv("PERCEPT_CONF", "0.3")
    monkeypatch.setenv("PERCEPT_QQQQQQQQ", "1")
    checks = look(doctor._environment, ["PERCEPT_CONF"])
    assert only(checks, "PERCEPT_CONF").ok is None and only(checks, "PERCEPT_DATA").ok is None
    assert only(checks, "PERCEPT_DTAA") == Check("PERCEPT_DTAA", False, "x", "did you mean PERCEPT_DATA?")
    assert only(checks, "PERCEPT_QQQQQQQQ").advice == "percept knows no such variable"


def test_markdown_is_one_table_without_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    checks = [Check("a", True, "/home/ann/x | y"), Check("b", False, "/home/annabel", "do\nthis"), Check("c", None, "")]
    assert markdown(checks).splitlines() == [
        "### percept doctor",
        "",
        "| | what | found | advice |",
        "|---|---|---|---|",
        r"| ok | a | ~/x \| y |  |",
        "| **wrong** | b | /home/annabel | do this |",
        "|  | c |  |  |",
    ]
