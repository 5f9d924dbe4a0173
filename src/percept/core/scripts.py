"""What recipes and benchmarks share: commands of percept one after another, and nothing that is done already twice."""

from __future__ import annotations

import csv
import json
import shlex
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

from percept.core.console import say

PERCEPT = (sys.executable, "-m", "percept")


def percept(*words: str) -> str:
    """Run a command, which is shown; returns what it says on stdout.

    Raises:
        SystemExit: it failed.
    """
    say(f"percept {shlex.join(words)}")
    done = subprocess.run([*PERCEPT, *words], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout


def watched(*words: str) -> tuple[float, int]:
    """Run a command, whose answer is thrown away; returns its seconds, and the most memory that it had, in bytes.

    Raises:
        SystemExit: it failed.
    """
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _WATCH, *PERCEPT, *words], stdout=subprocess.PIPE, text=True)
    code, most = map(int, done.stdout.split())
    if code:
        raise SystemExit(f"percept {shlex.join(words)}: exit code {code}")
    return time.perf_counter() - began, most * (1 if sys.platform == "darwin" else 1024)


# A process begins with the memory of the one that starts it, and that counts as its own: a small one stands between.
_WATCH = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, used.ru_maxrss)
"""


def trained(run: Path, *words: str) -> Path:
    """``percept train words --out run``, unless it is done already; a training that was stopped is gone on with.

    Returns:
        The run's folder.
    """
    begun = any((run / name).is_file() for name in ("state/latest.pt", "best.safetensors"))
    if not begun:
        percept("train", *words, "--out", str(run))
    elif not finished(run):
        percept("train", words[0], "--resume", str(run))
    return run


def finished(run: Path) -> bool:
    """Whether the last epoch asked for is in the log; weights without a log were put there finished."""
    rows = log(run)
    if not rows:
        return (run / "best.safetensors").is_file()
    asked = tomllib.loads((run / "run.toml").read_text())["options"]
    return rows[-1]["epoch"] >= asked["epochs"] or bool(asked["patience"])


def log(run: Path) -> list[dict[str, float]]:
    """The figures of each epoch that is over; "seconds" counts from the beginning."""
    if not (run / "log.csv").is_file():
        return []
    with (run / "log.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]


def measured(run: Path, name: str, *words: str) -> dict[str, Any]:
    """What ``percept eval words --weights run --json`` answers; kept as run/NAME.json until the weights are newer."""
    kept, weights = run / f"{name}.json", run / "best.safetensors"
    if not kept.is_file() or kept.stat().st_mtime < weights.stat().st_mtime:
        kept.write_text(percept("eval", *words, "--weights", str(run), "--json"))
    return json.loads(kept.read_text())
