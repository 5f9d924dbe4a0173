"""The folder of a training run: ``run.toml``, ``log.csv``, ``curves.png``, ``samples/``, weights and the state."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import torch

from percept import __version__
from percept.core import options as options_module
from percept.core.console import duration, say
from percept.core.errors import PerceptError, UsageError
from percept.core.files import replacing, write_atomic
from percept.core.verbs import CHANGEABLE_ON_RESUME, TrainOptions

# Where a run lies or where its data lay does not change what it computes, and is not repeated from run.toml.
SECONDS_BETWEEN_DRAWINGS = 20.0  # drawing takes as long as a short epoch
_BEGUN = re.compile(r"\.(last|best|run|log|curves|latest|rank\d+)-\w{8}\.\w+")  # as files.replacing names them
_NOT_REPEATED = {"resume", "out", "quiet", "verbose", "json", "stop_after"}


class Run:
    """A run folder. Only the first of several processes writes into it, but for its random state."""

    def __init__(self, folder: Path, task: str) -> None:
        self.folder = folder
        self.task = task
        self._rows: dict[int, dict[str, float]] = {}
        self._columns: list[str] = []
        self._board: Any = None
        self._drawn = time.monotonic()

    @property
    def resume_command(self) -> str:
        """What to type to go on."""
        return f"percept train {self.task} --resume {shlex.quote(str(self.folder))}"

    def describe(self, options: TrainOptions, facts: dict[str, dict[str, Any]]) -> None:
        """Write ``run.toml``: all that is needed to repeat the run, with ``percept train TASK --config run.toml``."""
        kept = {k: v for k, v in options_module.to_dict(options).items() if k not in _NOT_REPEATED}
        about = {
            "task": self.task,
            "percept": __version__,
            "torch": torch.__version__,
            "python": sys.version.split()[0],
            "repeat": f"percept train {self.task} --config {shlex.quote(str(self.folder / 'run.toml'))}",
        }
        write_atomic(self.folder / "run.toml", options_module.to_toml({"run": about, "options": kept, **facts}))

    def log(self, epoch: int, row: dict[str, float], epochs: int, better: bool) -> None:
        """Add an epoch to ``log.csv``, ``curves.png``, TensorBoard (if installed) and the table on the terminal."""
        if not self._columns:
            self._columns = [name for name in row if name not in ("lr", "seconds")]
            say("epoch  " + "".join(f"{name[:11]:>12}" for name in self._columns) + "  best     time     left")
        self._rows[epoch] = row
        left = row["seconds"] / epoch * (epochs - epoch)
        figures = "".join(f"{row.get(name, float('nan')):12.4g}" for name in self._columns)
        mark = "*" if better else " "
        say(f"{epoch:5d}  {figures}  {mark:4}{duration(row['seconds']):>9}{duration(left) if left else '':>9}")
        self._write_log()
        if time.monotonic() - self._drawn > SECONDS_BETWEEN_DRAWINGS:
            self._draw_curves()
        self._to_tensorboard(epoch, row)

    def scores(self, epoch: int) -> dict[str, float]:
        """The logged figures of ``epoch`` without rate and time."""
        return {k: v for k, v in self._rows.get(epoch, {}).items() if k not in ("lr", "seconds")}

    def forget_after(self, epoch: int) -> None:
        """Take up ``log.csv`` as far as ``epoch``: what came after it will be computed again.

        What a killed process had only begun to write is taken away.
        """
        for place in (self.folder, self.folder / "state"):
            for left in place.glob(".*-????????.*"):
                if _BEGUN.fullmatch(left.name):
                    left.unlink(missing_ok=True)
        path = self.folder / "log.csv"
        if path.is_file():
            with path.open(newline="") as file:
                for row in csv.DictReader(file):
                    if int(row["epoch"]) <= epoch:
                        self._rows[int(row["epoch"])] = {k: float(v) for k, v in row.items() if k != "epoch" and v}

    def save_state(self, content: dict[str, Any], rank: int) -> None:
        """Write the state of one process, whole or not at all.

        Raises:
            PerceptError: the disk is full or the folder may not be written; the state before is untouched.
        """
        try:
            with replacing(self._state(rank)) as temporary:
                torch.save(content, temporary)
        except RuntimeError as error:  # of torch's writer, which keeps the system's reason to itself
            raise PerceptError(f"{self._state(rank)}: cannot be written: {str(error).splitlines()[0]}") from error

    def load_state(self, rank: int) -> dict[str, Any]:
        """Read the state of one process; nothing in it can run code.

        Raises:
            UsageError: there is none, or it is damaged.
        """
        path = self._state(rank)
        if not path.is_file():
            raise UsageError(f"{self.folder}: no {path.relative_to(self.folder)}; this run cannot be resumed")
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds, all meaning the same to the person
            raise UsageError(f"{path}: damaged, this run cannot be resumed ({str(error).splitlines()[0]})") from error

    def _state(self, rank: int) -> Path:
        return self.folder / "state" / ("latest.pt" if rank == 0 else f"rank{rank}.pt")

    def _write_log(self) -> None:
        names = list(dict.fromkeys(name for row in self._rows.values() for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, ["epoch", *names], lineterminator="\n")
        writer.writeheader()
        for epoch, row in sorted(self._rows.items()):
            writer.writerow({"epoch": epoch, **{name: repr(float(value)) for name, value in row.items()}})
        write_atomic(self.folder / "log.csv", text.getvalue())

    def _draw_curves(self) -> None:
        from matplotlib.figure import Figure

        names = [n for n in dict.fromkeys(name for row in self._rows.values() for name in row) if n != "seconds"]
        columns = min(3, len(names))
        lines = -(-len(names) // columns)
        figure = Figure(figsize=(4 * columns, 2.6 * lines), layout="constrained")
        axes = figure.subplots(lines, columns, squeeze=False)
        for axis, name in zip(axes.flat, names, strict=False):
            points = [(epoch, row[name]) for epoch, row in sorted(self._rows.items()) if name in row]
            axis.plot(*zip(*points, strict=True), marker="." if len(points) < 30 else "")
            axis.set_title(name, fontsize=10)
            axis.grid(alpha=0.3)
            axis.xaxis.get_major_locator().set_params(integer=True)
        for axis in list(axes.flat)[len(names) :]:
            axis.axis("off")
        with replacing(self.folder / "curves.png") as temporary:
            figure.savefig(temporary, dpi=100)
        self._drawn = time.monotonic()

    def _to_tensorboard(self, epoch: int, row: dict[str, float]) -> None:
        if self._board is None:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                self._board = False
            else:
                self._board = SummaryWriter(str(self.folder / "tensorboard"))
        if self._board:
            for name, value in row.items():
                self._board.add_scalar(name, value, epoch)
            self._board.flush()

    def close(self) -> None:
        """Draw the curves as they are at the end, and close TensorBoard's file."""
        if self._columns:
            self._draw_curves()
        if self._board:
            self._board.close()


def new_folder(task: str, options: TrainOptions) -> Path:
    """The folder for a new run: ``--out``, which must be empty or absent, or the first free ``runs/TASK-DATA-N``."""
    if options.out:
        folder = Path(options.out)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is not empty; choose another --out, or go on with --resume {folder}")
        return folder
    data = "-".join(re.sub(r"[^\w.]+", "-", Path(name).name.lower()).strip("-") for name in options.data) or "data"
    number = 1
    while (folder := Path("runs") / f"{task}-{data[:60]}-{number}").exists():
        number += 1
    return folder


def resumed_options(cls: type[TrainOptions], flags: dict[str, Any], task: str) -> TrainOptions:
    """The options of the run named by ``--resume``, with what may be changed.

    Raises:
        UsageError: no such run, another task's, or an option is changed that would make it another run.
    """
    folder = Path(flags["resume"])
    if not (folder / "run.toml").is_file():
        raise UsageError(f"{folder}: no run.toml; is it the folder of a run of percept train?")
    recorded = options_module.read_toml(folder / "run.toml")
    if recorded.get("run", {}).get("task") != task:
        raise UsageError(f"{folder} is a run of {recorded.get('run', {}).get('task')}, not of {task}")
    before = options_module.resolve(cls, {}, config=folder / "run.toml", environ={})
    given = {key: value for key, value in flags.items() if value is not None and key not in ("resume", "out")}
    after = options_module.resolve(cls, given, recipe=options_module.to_dict(before), environ={})
    for key in given:
        if key not in CHANGEABLE_ON_RESUME and getattr(after, key) != getattr(before, key):
            was = getattr(before, key)
            allowed = ", ".join("--" + name.replace("_", "-") for name in sorted(CHANGEABLE_ON_RESUME))
            raise UsageError(f"--{key.replace('_', '-')} was {was} in {folder}; only {allowed} may change on --resume")
    return dataclasses.replace(after, resume=str(folder))
