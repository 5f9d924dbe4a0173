"""Is everything in order? Python, machine, packages, devices, weights, data: each looked at, none trusted to be well.

Heavy packages are imported inside the checks, since whether they can be imported is the question. No check raises.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from percept.core import datasets
from percept.core.console import size
from percept.core.errors import PerceptError, nearest

VARIABLES = ("PERCEPT_DATA", "PERCEPT_DEBUG", "PERCEPT_MAX_PIXELS")
MEMORY_NEEDED = 2_000_000_000  # bytes: torch, a network and a large photo
DISK_NEEDED = 2_000_000_000
SHARED_NEEDED = 1_000_000_000  # workers hand their batches over in /dev/shm; too little is a "Bus error"


@dataclass(frozen=True)
class Check:
    """One thing looked at. ``ok`` is None where nothing can be wrong; ``advice`` is empty where all is well."""

    name: str
    ok: bool | None
    found: str
    advice: str = ""


def examine(
    *,
    table: Iterable[datasets.Dataset] = (),
    weights_check: Callable[[], Iterable[Check]] | None = None,
    variables: Iterable[str] = (),
) -> list[Check]:
    """Every check, in the order in which a person reads them. Imports torch; takes seconds.

    Args:
        table: the data sets to look for.
        weights_check: looks at the shipped weights.
        variables: names of ``PERCEPT_*`` variables that options know, beside those that every command knows.
    """
    table = tuple(table)
    checks: list[tuple[str, Callable[[], Iterable[Check]]]] = [
        ("percept", _percept),
        ("python", _python),
        ("system", _system),
        ("processor", _processor),
        ("memory", _memory),
        ("disk", _disk),
        ("shared memory", _shared_memory),
        ("packages", _packages),
        ("torch family", _torch_family),
        ("devices", _devices),
        ("precision", _precision),
        ("video", _video),
        ("sound", _sound),
        ("weights", weights_check or (lambda: ())),
        ("data", lambda: _data(table)),
        ("environment", lambda: _environment(variables)),
    ]
    return [check for name, look in checks for check in _safely(name, look)]


def markdown(checks: Iterable[Check]) -> str:
    """The checks as a table to be pasted into a bug report; the home folder is shown as ``~``."""
    marks = {True: "ok", False: "**wrong**", None: ""}
    lines = ["### percept doctor", "", "| | what | found | advice |", "|---|---|---|---|"]
    for check in checks:
        cells = (marks[check.ok], check.name, check.found, check.advice)
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    home = str(Path("~").expanduser())
    if len(home) > 1:  # not "/"
        text = re.sub(re.escape(home) + r"(?=[/\\:]|\s|$)", lambda _: "~", text)
    return " ".join(text.replace("|", "\\|").split())


def _safely(name: str, look: Callable[[], Iterable[Check]]) -> list[Check]:
    found = []
    try:
        for check in look():
            found.append(replace(check, advice="") if check.ok else check)
    except PerceptError as error:
        found.append(Check(name, False, str(error).splitlines()[0]))
    except Exception as error:  # broken packages raise anything while they are imported
        text = str(error).strip().splitlines() or [""]
        found.append(Check(name, None, f"could not be looked at: {type(error).__name__}: {text[0]}"))
    return found


def _percept() -> Iterator[Check]:
    version = _version("percept")
    place = Path(__file__).resolve().parents[1]
    yield Check("percept", None, f"{version or 'not installed as a package'}, {datasets.shown(place)}")


def _python() -> Iterator[Check]:
    needed = (3, 11)
    kind, bits = platform.python_implementation(), 64 if sys.maxsize > 2**32 else 32
    yield Check(
        "python",
        sys.version_info >= needed and kind == "CPython" and bits == 64,
        f"{kind} {platform.python_version()}, {bits} bit, {datasets.shown(Path(sys.prefix))}",
        f"percept needs 64-bit CPython {needed[0]}.{needed[1]} or later",
    )


def _system() -> Iterator[Check]:
    name = platform.platform(terse=True)
    if hasattr(platform, "freedesktop_os_release"):
        with contextlib.suppress(OSError):
            name = f"{platform.freedesktop_os_release().get('PRETTY_NAME', '')}, {name}".lstrip(", ")
    yield Check("system", None, f"{name}, {platform.machine()}")


def _processor() -> Iterator[Check]:
    model, flags = _cpu()
    units = [unit for unit in ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16") if unit in flags]
    yield Check("processor", None, f"{model}{': ' if units else ''}{' '.join(units)}")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_cpus()
    found = f"{usable} of {os.cpu_count()} cores usable" + (f", but a quota of {quota:.1f}" if quota else "")
    limit = os.environ.get("OMP_NUM_THREADS")
    if limit:
        found += f", OMP_NUM_THREADS={limit}"
    yield Check(
        "threads",
        not quota or quota + 0.5 >= usable,
        found,
        f"more threads than the quota slow each other down: --threads {max(1, int(quota or 1))}",
    )


def _cpu() -> tuple[str, set[str]]:
    """The processor's name, and what it can do, as Linux tells it."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(errors="replace") if info.exists() else ""
    model = re.search(r"^model name\s*: (.*)", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*: (.*)", text, re.MULTILINE)
    return (model[1] if model else platform.processor() or platform.machine()), set(flags[1].split() if flags else ())


def _cgroup_cpus() -> float | None:
    """The processors that a container may use, if it is limited."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return None


def _memory() -> Iterator[Check]:
    info = Path("/proc/meminfo")
    if not info.exists():
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
        yield Check("memory", None, f"{size(total)} in all" if total else "unknown on this system")
        return
    kilobytes = dict(re.findall(r"^(\w+):\s+(\d+) kB", info.read_text(), re.MULTILINE))
    total, free = int(kilobytes["MemTotal"]) * 1024, int(kilobytes["MemAvailable"]) * 1024
    found = f"{size(free)} free of {size(total)}"
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        found += f", this container may use {size(limit)}"
        free = min(free, limit - used)
    except (OSError, ValueError):  # no container, or no limit ("max")
        pass
    yield Check("memory", free >= MEMORY_NEEDED, found, f"percept wants {size(MEMORY_NEEDED)}: close other programs")


def _disk() -> Iterator[Check]:
    for what, folder in (("disk, data", datasets.home()), ("disk, here", Path.cwd())):
        there = next(place for place in (folder, *folder.parents) if place.exists())
        free = shutil.disk_usage(there).free
        writable = os.access(there, os.W_OK)
        found = f"{size(free)} free for {datasets.shown(folder)}" + ("" if writable else ", which may not be written")
        advice = "PERCEPT_DATA names another place" if "data" in what else "--out names another place"
        yield Check(what, writable and free >= DISK_NEEDED, found, advice)


def _shared_memory() -> Iterator[Check]:
    place = Path("/dev/shm")
    if place.is_dir():
        free = shutil.disk_usage(place).free
        yield Check(
            "/dev/shm",
            free >= SHARED_NEEDED,
            f"{size(free)} free",
            "train with --workers 0, or give the container more: docker run --shm-size 2g",
        )


def _packages() -> Iterator[Check]:
    """Every package that percept names, against the bounds it names."""
    from packaging.requirements import Requirement

    try:
        lines = importlib.metadata.requires("percept") or []
    except importlib.metadata.PackageNotFoundError:
        yield Check("packages", None, "percept is not installed, so its bounds are unknown", "pip install .")
        return
    seen: set[str] = set()  # an extra may name a package that another names too
    for line in lines:
        requirement = Requirement(line)
        extra = re.search(r"""extra == ["']([^"']+)""", line)
        if requirement.name in ("percept", *seen):  # percept: an extra that takes in another
            continue
        if requirement.marker and not requirement.marker.evaluate({"extra": extra[1] if extra else ""}):
            continue
        seen.add(requirement.name)
        version, bounds = _version(requirement.name), str(requirement.specifier) or "any"
        if version is None:
            ok, found = (None if extra else False), "not installed" + (f" (optional: {extra[1]})" if extra else "")
        else:
            ok, found = requirement.specifier.contains(version, prereleases=True), f"{version} ({bounds})"
        extra_name = f"percept[{extra[1]}]" if extra else str(Requirement(line.split(";")[0]))
        yield Check(requirement.name, ok, found, "" if ok else f'pip install "{extra_name}"')


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _torch_family() -> Iterator[Check]:
    """torchvision and torchaudio hold code compiled against one torch; another one breaks them as late as it can."""
    begun = time.perf_counter()
    torch = importlib.import_module("torch")
    cuda = torch.version.cuda or "no CUDA"
    yield Check("torch import", True, f"{torch.__version__} ({cuda}), {time.perf_counter() - begun:.1f} s")
    for name, proof in (("torchvision", _prove_torchvision), ("torchaudio", _prove_torchaudio)):
        if _version(name) is None:
            continue
        try:
            proof(torch)
            yield Check(f"{name} with torch", True, f"{_version(name)} with {torch.__version__}: its operators run")
        except Exception as error:
            text = (str(error).strip().splitlines() or [type(error).__name__])[0]
            advice = "install them together: pip install --upgrade torch torchvision torchaudio"
            yield Check(f"{name} with torch", False, f"{_version(name)} with {torch.__version__}: {text}", advice)


def _prove_torchvision(torch: Any) -> None:
    ops = importlib.import_module("torchvision.ops")
    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 2.0]])
    kept = ops.nms(boxes, torch.tensor([0.9, 0.8]), 0.5)
    if kept.tolist() != [0]:
        raise RuntimeError(f"nms keeps {kept.tolist()} of two equal boxes")


def _prove_torchaudio(torch: Any) -> None:
    functional = importlib.import_module("torchaudio.functional")
    slow = functional.resample(torch.zeros(1, 160), 16000, 8000)
    if slow.shape[-1] != 80:
        raise RuntimeError(f"resampling 160 samples to half gives {slow.shape[-1]}")


def _devices() -> Iterator[Check]:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for number in range(count):
        card = torch.cuda.get_device_properties(number)
        free, total = torch.cuda.mem_get_info(number)
        works = float(torch.ones(2, device=f"cuda:{number}").sum()) == 2.0
        yield Check(
            f"cuda:{number}",
            works,
            f"{card.name}, {size(free)} free of {size(total)}, compute capability {card.major}.{card.minor}",
            "the card does not compute: see nvidia-smi",
        )
    if torch.backends.mps.is_available():
        yield Check("mps", True, "Apple GPU")
    elif not count:
        driver = shutil.which("nvidia-smi") is not None
        reason = "the driver may be too old for it" if torch.version.cuda else "it is built without CUDA"
        yield Check(
            "gpu",
            False if driver else None,
            f"none that this torch can use: {reason}" if driver else "none; percept runs on the CPU",
            "see nvidia-smi" if driver else "",
        )


def _precision() -> Iterator[Check]:
    import torch

    from percept.core import device

    threads = torch.get_num_threads()
    try:
        chosen = device.choose("auto")  # what a command without flags does
        yield Check("precision", None, f"{chosen}: {chosen.precision} ({chosen.why})")
    finally:
        torch.set_num_threads(threads)


def _video() -> Iterator[Check]:
    """Write an MP4 of a few frames and read it back: whether codecs are there shows only then."""
    import cv2
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        name = str(Path(folder) / "test.mp4")
        writer = cv2.VideoWriter(name, cv2.VideoWriter_fourcc(*"mp4v"), 10.0, (64, 48))
        for level in (0, 80, 160, 240):
            writer.write(np.full((48, 64, 3), level, np.uint8))
        writer.release()
        reader = cv2.VideoCapture(name)
        frames = sum(1 for _ in iter(lambda: reader.read()[0], False))
        reader.release()
    good = frames == 4
    found = "MP4 is written and read" if good else f"of 4 frames written to an MP4, {frames} come back"
    yield Check("video", good, f"OpenCV {cv2.__version__}: {found}", "pip install --force-reinstall opencv-python")


def _sound() -> Iterator[Check]:
    if _version("soundfile") is not None:
        soundfile = importlib.import_module("soundfile")
        wanted = {"WAV", "FLAC", "OGG", "MP3"}
        missing = sorted(wanted - set(soundfile.available_formats()))
        without = f", without {', '.join(missing)}" if missing else ""
        found = f"libsndfile {soundfile.__libsndfile_version__}{without}"
        yield Check("sound", not missing, found, "pip install --upgrade soundfile")


def _data(table: tuple[datasets.Dataset, ...]) -> Iterator[Check]:
    home = datasets.home()
    there = [row for row in table if row.folder.is_dir()]
    whole = [row.name for row in there if datasets.root_of(row, row.folder) is not None]
    found = ", ".join(whole) or "no data set yet"
    yield Check("data", None, f"{datasets.shown(home)}: {found}", "" if whole else "percept data list")
    for row in there:
        if row.name not in whole:
            yield Check(f"data {row.name}", False, "not whole", f"percept data verify {row.name}")


def _environment(variables: Iterable[str]) -> Iterator[Check]:
    known = {*VARIABLES, *variables}
    for name, value in sorted(os.environ.items()):
        if name.startswith("PERCEPT_"):
            good = name in known
            hint = nearest(name, known).removeprefix("; ")
            yield Check(name, None if good else False, value, "" if good else hint or "percept knows no such variable")
