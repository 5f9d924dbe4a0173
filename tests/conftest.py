"""For every test: no network but this machine's own, no data sets of the person who runs them, one thread."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from percept.core import console, kernels

sys.path.insert(0, str(Path(__file__).parent / "unit" / "core"))
sys.path.insert(0, str(Path(__file__).parent / "unit" / "vision"))

os.environ["OMP_NUM_THREADS"] = "1"  # for the processes that tests start: threads of many processes hinder each other
torch.set_num_threads(1)
kernels.PATIENCE = 600.0  # seconds: a fresh environment compiles for a while, which is not what tests read stderr for
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
_connect = socket.socket.connect


def _only_here(self: socket.socket, address: object) -> None:
    host = address[0] if isinstance(address, tuple) else "localhost"
    if host not in ("127.0.0.1", "::1", "localhost"):
        raise AssertionError(f"a test tried to reach {address}: percept must not use the network")
    _connect(self, address)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setattr(socket.socket, "connect", _only_here)
    console.configure()  # --quiet of a test before is that test's alone
    monkeypatch.setenv("PERCEPT_DATA", str(tmp_path_factory.getbasetemp() / "no-data-sets"))


@pytest.fixture
def port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
