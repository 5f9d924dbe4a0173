"""Which device, how many threads, which arithmetic - each with the reason for the choice."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import random
import sys
from dataclasses import dataclass

import numpy as np
import torch

from percept.core.errors import UsageError

log = logging.getLogger(__name__)

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h of glibc


@dataclass(frozen=True)
class Device:
    """Where a network runs. ``dtype`` is what autocast uses; float32 means no autocast."""

    torch: torch.device
    threads: int
    dtype: torch.dtype
    why: str

    def __str__(self) -> str:
        return f"cpu x{self.threads}" if self.torch.type == "cpu" else str(self.torch)

    @property
    def precision(self) -> str:
        """``float32``, ``bfloat16`` or ``float16``."""
        return str(self.dtype).removeprefix("torch.")

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """The context in which a network is run."""
        return torch.autocast(self.torch.type, dtype=self.dtype, enabled=self.dtype != torch.float32)


def choose(device: str = "auto", threads: int = 0, precision: str = "auto") -> Device:
    """Choose and check the device, and set torch's threads.

    Raises:
        UsageError: the device is not there, or does not know the arithmetic asked for.
    """
    place = _place(device)
    threads = threads or available_cores()
    torch.set_num_threads(threads)
    dtype, why = _dtype(place, precision)
    chosen = Device(place, threads, dtype, why)
    log.info("device %s, %s: %s", chosen, chosen.precision, why)
    return chosen


def available_cores() -> int:
    """The cores this process may use (taskset, containers and SLURM respected)."""
    if "OMP_NUM_THREADS" in os.environ and os.environ["OMP_NUM_THREADS"].isdigit():
        return max(1, int(os.environ["OMP_NUM_THREADS"]))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keep_freed_memory() -> None:
    """Keep what a step of training frees for the next step, where the C library is glibc.

    glibc maps large blocks anew each time, and the system clears every page of them: up to half of a step on a CPU.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def seed_everything(seed: int) -> None:
    """Seed python, numpy and torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _place(device: str) -> torch.device:
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise UsageError(f'no device "{device}"; one of auto, cpu, cuda, cuda:1, mps') from error
    if place.type == "cuda":
        if not torch.cuda.is_available():
            raise UsageError("--device cuda: torch finds no CUDA device here; percept doctor says more")
        if (place.index or 0) >= torch.cuda.device_count():
            raise UsageError(f"--device {device}: this machine has {torch.cuda.device_count()} CUDA device(s)")
    elif place.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError("--device mps: no Apple GPU here")
    elif place.type not in ("cpu", "mps"):
        raise UsageError(f'percept does not run on "{place.type}"; one of auto, cpu, cuda, mps')
    return place


def _dtype(place: torch.device, precision: str) -> tuple[torch.dtype, str]:
    if place.type == "cuda":
        bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
        if precision == "auto":
            why = "this GPU has bfloat16 units" if bfloat16 else "this GPU has no bfloat16 units"
            return (torch.bfloat16 if bfloat16 else torch.float16), why
        return getattr(torch, precision), "asked for"
    if precision == "auto":
        if place.type == "cpu" and _cpu_has_bfloat16():
            return torch.float32, "exact; --precision bfloat16 may be faster on this processor"
        return torch.float32, "this processor has no bfloat16 units" if place.type == "cpu" else "exact"
    if precision == "float16" and place.type == "cpu":
        raise UsageError("--precision float16 needs a GPU; the CPU knows float32 and bfloat16")
    return getattr(torch, precision), "asked for"


def _cpu_has_bfloat16() -> bool:
    return (
        bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
        if hasattr(torch.cpu, "get_capabilities")
        else False
    )
