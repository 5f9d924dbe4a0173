"""Which device is chosen, why, and what is refused."""

from __future__ import annotations

import platform
import random
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from percept.core import device
from percept.core.errors import UsageError


@pytest.fixture(autouse=True)
def threads_as_they_were() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_cpu_with_the_threads_asked_for() -> None:
    chosen = device.choose("cpu", threads=2)
    assert (chosen.torch.type, chosen.threads, torch.get_num_threads()) == ("cpu", 2, 2)
    assert (str(chosen), chosen.precision) == ("cpu x2", "float32")
    assert chosen.why


def test_without_a_number_all_cores_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert device.available_cores() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")  # nested levels: not a plain number
    assert device.available_cores() >= 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(device.os, "sched_getaffinity", lambda _: {0, 5}, raising=False)
    assert device.available_cores() == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gpu", 'no device "gpu"; one of auto, cpu, cuda, cuda:1, mps'),
        ("cuda:x", 'no device "cuda:x"'),
        ("meta", 'percept does not run on "meta"'),
        ("mps", "no Apple GPU here"),
        ("cuda", "finds no CUDA device here"),
    ],
)
def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UsageError, match=said):
        device.choose(name)


def test_a_card_too_many_and_the_card_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    with pytest.raises(UsageError, match=r"this machine has 1 CUDA device\(s\)"):
        device.choose("cuda:1")
    monkeypatch.setenv("LOCAL_RANK", "3")
    chosen = device.choose("auto")
    assert str(chosen) == "cuda:3" and chosen.precision == "bfloat16"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    assert device.choose("cuda:0").precision == "float16"
    assert device.choose("cuda:0", precision="float32").precision == "float32"


def test_precision_on_the_cpu() -> None:
    assert device.choose("cpu", precision="bfloat16").dtype == torch.bfloat16
    with pytest.raises(UsageError, match="--precision float16 needs a GPU"):
        device.choose("cpu", precision="float16")


def test_autocast_only_where_it_is_not_float32() -> None:
    layer = torch.nn.Linear(4, 4)
    for precision, wanted in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        with device.choose("cpu", threads=1, precision=precision).autocast():
            assert layer(torch.ones(1, 4)).dtype == wanted


def test_seeds_reach_python_numpy_and_torch() -> None:
    def drawn() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    device.seed_everything(5)
    first = drawn()
    device.seed_everything(5)
    assert drawn() == first
    device.seed_everything(6)
    assert not set(drawn()) & set(first)
    device.seed_everything(2**40)  # more than numpy's generator takes


def test_the_reason_names_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "cpu", SimpleNamespace(get_capabilities=lambda: {"avx512_bf16": True}))
    chosen = device._dtype(torch.device("cpu"), "auto")
    assert chosen == (torch.float32, "exact; --precision bfloat16 may be faster on this processor")
    monkeypatch.setattr(torch, "cpu", SimpleNamespace(get_capabilities=lambda: {}))
    assert device._dtype(torch.device("cpu"), "auto")[1] == "this processor has no bfloat16 units"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc's malloc")
def test_freed_memory_is_used_again() -> None:
    """Counted in pages that the system handed out for sixteen tensors of 64 MB, one after another."""
    script = """
        import resource, sys, torch
        from percept.core.device import keep_freed_memory
        if sys.argv[1] == "keep":
            keep_freed_memory()
        for _ in range(4):
            torch.empty(2**24).fill_(1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(16):
            torch.empty(2**24).fill_(1)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    kept, plain = (int(subprocess.check_output([*command, how])) for how in ("keep", "plain"))
    assert kept < plain / 4
