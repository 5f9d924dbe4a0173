"""How the inner loops are compiled, and how threads share a picture's rows among them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from numba import njit

from percept.core.console import say

PATIENCE = 4.0  # seconds; kernels that were compiled before are loaded in two


def kernel(function: Callable[..., Any], **flags: Any) -> Callable[..., Any]:
    """numba's ``njit`` without the GIL, compiled once on a machine; once a process where nothing can be written.

    numba keeps what it compiled beside the module, or else in the user's cache folder, and refuses the whole function
    where neither can be written: a package that the system installed, and an account without a home.
    """
    try:
        return njit(function, cache=True, nogil=True, **flags)
    except RuntimeError:
        return njit(function, nogil=True, **flags)


@contextmanager
def warming_up(seconds: int) -> Iterator[None]:
    """Around first calls of kernels, which loads or compiles them: who waits for that is told why.

    seconds: about how long compiling takes.
    """
    patience = threading.Timer(PATIENCE, say, (f"compiling for this machine, once: about {seconds} seconds ...",))
    patience.daemon = True
    patience.start()
    try:
        yield
    finally:
        patience.cancel()


def in_rows(job: Callable[..., object], height: int, threads: int, *arguments: object) -> None:
    """job(*arguments, first, end) for all ``height`` rows, in as many blocks of rows as there are threads.

    What one block raises is raised here.
    """
    threads = max(1, min(threads, height))
    if threads == 1:
        job(*arguments, 0, height)
        return
    edges = [height * n // threads for n in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(job, *arguments, *edges[n : n + 2]) for n in range(threads)]:
            done.result()
