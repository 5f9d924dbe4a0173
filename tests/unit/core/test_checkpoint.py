"""Weight files: whole or not at all, refused when they are anything else, never run."""

from __future__ import annotations

import os
import pickle
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from percept.core import checkpoint
from percept.core.errors import PerceptError, UsageError


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    tensors = {"a": torch.linspace(-1, 1, 12).reshape(3, 4), "n": torch.tensor([1, 2])}
    checkpoint.save(path, tensors, {"task": "detect", "classes": ["cat"]}, store="float16")
    return path


def test_reads_back_what_was_written(written: Path) -> None:
    read = checkpoint.load(written, task="detect")
    assert read.header["classes"] == ["cat"]
    assert read.tensors["a"].dtype == torch.float32
    torch.testing.assert_close(read.tensors["a"], torch.linspace(-1, 1, 12).reshape(3, 4), atol=1e-3, rtol=0)
    assert read.tensors["n"].tolist() == [1, 2]


def test_the_same_content_is_the_same_bytes(written: Path, tmp_path: Path) -> None:
    read = checkpoint.load(written)
    again = tmp_path / "again.safetensors"
    checkpoint.save(again, read.tensors, {"classes": ["cat"], "task": "detect"}, store="float16")
    assert again.read_bytes() == written.read_bytes()


def test_a_header_of_any_length_is_read(tmp_path: Path) -> None:
    """Some lengths have 0x80, with which pickles begin, as their first byte; the format pads lengths to eights."""
    firsts, path = set(), tmp_path / "w.safetensors"
    for extra in range(0, 256, 8):
        checkpoint.save(path, {"a": torch.ones(1)}, {"task": "detect", "note": "x" * extra})
        firsts.add(path.read_bytes()[0])
        assert checkpoint.load(path).header["note"] == "x" * extra
    assert 0x80 in firsts


def test_another_tasks_file_is_refused(written: Path) -> None:
    with pytest.raises(UsageError, match="these weights are for detect, not for classify"):
        checkpoint.load(written, task="classify")


def test_every_flipped_bit_is_found(written: Path) -> None:
    whole = written.read_bytes()
    data = 8 + int.from_bytes(whole[:8], "little")
    for at in range(data, len(whole), 3):
        written.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(UsageError, match="damaged"):
            checkpoint.load(written)


def test_every_cut_is_found(written: Path) -> None:
    whole = written.read_bytes()
    for at in range(0, len(whole), 37):
        written.write_bytes(whole[:at])
        with pytest.raises(UsageError):
            checkpoint.load(written)


class _Evil:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple:
        return os.system, (f"touch {self.canary}",)


@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_a_pickle_is_refused_and_never_run(tmp_path: Path, how: str) -> None:
    path, canary = tmp_path / "evil.safetensors", tmp_path / "canary"
    if how == "pickle":
        path.write_bytes(pickle.dumps(_Evil(canary)))
    else:
        torch.save({"x": _Evil(canary)}, path)
    with pytest.raises(UsageError, match=r"pickle or PyTorch archive.*percept reads \.safetensors only"):
        checkpoint.load(path)
    assert not canary.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "an empty file"), (b"hello, this is a text\n" * 9, "not a weight file"), (None, "cannot be read")],
)
def test_other_files_are_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "x"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        checkpoint.load(path)


def test_a_foreign_safetensors_file_is_named(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "x.safetensors")
    with pytest.raises(UsageError, match="not one of percept's"):
        checkpoint.load(tmp_path / "x.safetensors")


def test_numbers_that_are_not_finite_are_not_written(written: Path) -> None:
    before = written.read_bytes()
    for bad in (float("nan"), 1e30):  # 1e30 is infinite as float16
        with pytest.raises(ValueError, match="not finite in float16"):
            checkpoint.save(written, {"a": torch.tensor([[bad]])}, {"task": "detect"}, store="float16")
    assert written.read_bytes() == before


KILLER = """
import os, signal, sys, time, torch
from pathlib import Path
from percept.core import checkpoint
path, step = Path(sys.argv[1]), 0
for number in range(50):
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        while True:
            step += 1
            tensors = {"a": torch.full((300_000,), float(step))}
            checkpoint.save(path, tensors, {"task": "detect", "step": step})
            os.write(tell, b".")
    os.read(ready, 1)
    time.sleep(0.0007 * (number % 25))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready), os.close(tell)
    read = checkpoint.load(path)
    assert read.header["step"] > step, (read.header["step"], step)
    step = read.header["step"]
    assert torch.equal(read.tensors["a"], torch.full((300_000,), float(step)))
print("whole after 50 kills, at step", step)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_killed_fifty_times_while_writing_there_is_always_a_whole_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLER, str(tmp_path / "w.safetensors")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "whole after 50 kills" in done.stdout


def test_a_full_disk_is_loud_and_keeps_the_old_file(written: Path) -> None:
    before, soft_hard = written.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    script = f"""
import resource, signal, torch
from pathlib import Path
from percept.core import checkpoint
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, {soft_hard[1]}))
checkpoint.save(Path({str(written)!r}), {{"a": torch.ones(200_000)}}, {{"task": "detect"}})
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode != 0
    assert "cannot be written" in done.stderr
    assert written.read_bytes() == before
    assert [path.name for path in written.parent.iterdir()] == [written.name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "fixed"
    folder.mkdir(mode=0o555)
    with pytest.raises(PerceptError, match="cannot be written"):
        checkpoint.save(folder / "w.safetensors", {"a": torch.ones(1)}, {"task": "detect"})
