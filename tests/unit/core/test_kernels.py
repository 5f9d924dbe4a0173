"""Rows shared among threads: each is done once, and what goes wrong is said."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from percept.core import kernels
from percept.core.kernels import in_rows, kernel


@pytest.mark.parametrize(("height", "threads"), [(1, 4), (7, 2), (8, 3), (5, 5), (3, 0)])
def test_every_row_is_done_once(height: int, threads: int) -> None:
    counts = np.zeros(height, int)

    def count(values: np.ndarray, first: int, end: int) -> None:
        values[first:end] += 1

    in_rows(count, height, threads, counts)
    np.testing.assert_array_equal(counts, 1)


def test_one_thread_is_the_caller_s_own() -> None:
    seen = []
    in_rows(lambda first, end: seen.append((threading.get_ident(), first, end)), 9, 1)
    assert seen == [(threading.get_ident(), 0, 9)]


def test_an_error_in_a_thread_is_raised() -> None:
    def fail(first: int, end: int) -> None:
        if first > 0:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        in_rows(fail, 4, 2)


def test_kernels_work_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise RuntimeError("cannot cache function 'double': no locator available for file")

    def double(value: int) -> int:
        return 2 * value

    monkeypatch.setattr(Dispatcher, "enable_caching", refused)
    compiled = kernel(double)
    assert compiled is not double and compiled(21) == 42


def test_who_waits_for_the_compiler_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kernels, "PATIENCE", 0.05)
    for waits, said in ((0.5, True), (0.0, False)):
        with kernels.warming_up(seconds=7):
            time.sleep(waits)
        assert ("compiling for this machine, once: about 7 seconds" in capsys.readouterr().err) == said
