"""What percept does, as Python calls; the command line calls these same functions with the same keywords.

Keywords are the long flags with underscores: ``--max-disp 64`` is ``max_disp=64``. Errors are
:class:`percept.PerceptError`, whose text is one line that a person can act on.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from percept import tasks
from percept.core import console, datasets, device, options, runs, weights
from percept.core.errors import PerceptError, UsageError, nearest
from percept.core.evaluation import Report
from percept.core.files import sha256


@dataclass(frozen=True)
class Trained:
    """What :func:`train` answers: the run folder, its best weights and the scores of the best epoch."""

    task: str
    folder: Path
    weights: Path
    scores: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"task": self.task, "folder": str(self.folder), "weights": str(self.weights), "scores": self.scores}


def load(task: str, **keywords: Any) -> Any:
    """A predictor with its weights read and its device chosen; ``.predict(x)`` answers one input.

    Args:
        task: a name of ``percept.tasks``, such as ``"detect"``.
        keywords: the options of ``percept TASK``: ``weights="general", device="cpu", conf=0.5`` ...

    Raises:
        UsageError: unknown task, option or weights.
    """
    row = tasks.find(task)
    return row.work.load(options.resolve(row.options.Predict, keywords))


def predict(task: str, *inputs: str, **keywords: Any) -> Iterator[Any]:
    """Answer files, folders, globs and videos one after another, in bounded memory.

    Raises:
        InputError: an input cannot be used (``percept TASK`` goes on with the others instead).
    """
    predictor = load(task, inputs=inputs, **keywords)
    for item, result in predictor.stream():
        if isinstance(result, Exception):
            raise type(result)(f"{item.name}: {result}")
        yield result


def deliver(task: str, *, config: str | None = None, **keywords: Any) -> int:
    """``percept TASK INPUT...``: answer every input on stdout and under ``--out``; returns the exit code.

    A task whose inputs may be left out offers ``prompt(options)``, which then talks with the person at the terminal.
    """
    row = tasks.find(task)
    chosen = options.resolve(row.options.Predict, keywords, config=Path(config) if config else None)
    console.configure(quiet=chosen.quiet, verbose=chosen.verbose)
    if hasattr(chosen, "inputs") and not chosen.inputs and hasattr(row.work, "prompt"):
        return row.work.prompt(chosen)
    return row.work.load(chosen).deliver()


def act(task: str, action: str, *, config: str | None = None, **keywords: Any) -> int:
    """``percept TASK ACTION ...``: what a task does beside the four verbs; returns the exit code.

    Raises:
        UsageError: unknown task, action, option or weights.
    """
    row = tasks.find(task)
    known = getattr(row.options, "ACTIONS", {})
    if action not in known:
        raise UsageError(f'{task} has no action "{action}"{nearest(action, known)}')
    chosen = options.resolve(known[action], keywords, config=Path(config) if config else None)
    console.configure(quiet=chosen.quiet, verbose=chosen.verbose)
    return getattr(row.work, action)(chosen)


def train(task: str, *, config: str | None = None, **keywords: Any) -> Trained:
    """Train on a data set or a folder; with ``resume`` go on with a run, equal to the bit on a CPU.

    Raises:
        UsageError: unknown task, option, data set; labels that cannot be used; an option changed on resume.
        Diverged: the loss is no longer finite.
        Stopped: a signal came; what is finished is kept.
    """
    from percept.core import training

    row = tasks.find(task)
    cls = row.options.Train
    with _processes() as rank:
        if keywords.get("resume"):
            chosen = runs.resumed_options(cls, keywords, task)
            folder = Path(chosen.resume)
        else:
            sets = [datasets.find(name, rows(), task, files=_takes_files(row)) for name in keywords.get("data") or ()]
            recipe = next((dict(found.recipe) for _, found in sets if found is not None), None)
            chosen = options.resolve(cls, keywords, recipe=recipe, config=Path(config) if config else None)
            chosen = replace(chosen, data=tuple(_lasting(name) for name in chosen.data))
            if not chosen.data:
                raise UsageError(f"no data: percept train {task} --data NAME|FOLDER")
            folder = runs.new_folder(task, chosen)
            _meet()  # all have looked for the folder before the first of them writes into it
        console.configure(quiet=chosen.quiet or rank > 0, verbose=chosen.verbose)
        place = device.choose(chosen.device, chosen.threads, chosen.precision)
        device.seed_everything(chosen.seed)
        job = row.work.trainer(chosen, place)
        run = runs.Run(folder, task)
        console.say(f"device  {place}, {place.precision} ({place.why})")
        console.say(f"run     {folder}   stop with Ctrl-C, go on with: {run.resume_command}")
        if rank == 0:
            run.describe(chosen, {"device": {"name": str(place), "precision": place.precision}, "data": job.facts})
        with contextlib.closing(run):
            scores = training.train(job, chosen, place, run)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in scores.items() if name == job.metric)
        console.say(f"best epoch {scores['epoch']}: {shown}")
        best = folder / "best.safetensors"
        console.say(f"{best}    percept eval {task} --data {chosen.data[0]} --weights {folder}")
        return Trained(task, folder, best, scores)


def evaluate(task: str, *, config: str | None = None, **keywords: Any) -> Report:
    """Measure weights on a data set or folder, by the published protocol.

    Raises:
        UsageError: unknown task, option, weights or data set.
    """
    row = tasks.find(task)
    chosen = options.resolve(row.options.Evaluate, keywords, config=Path(config) if config else None)
    console.configure(quiet=chosen.quiet, verbose=chosen.verbose)
    if not chosen.data:
        raise UsageError(f"no data: percept eval {task} --data NAME|FOLDER")
    datasets.find(chosen.data, rows(), task, files=_takes_files(row))  # says what another task's data set is for
    return row.work.evaluate(chosen)


def export(task: str, **keywords: Any) -> dict[str, Any]:
    """Write weights as ONNX, and check the file against torch where onnxruntime is installed.

    Raises:
        UsageError: unknown task, option or weights; the extra ``export`` is not installed.
    """
    row = tasks.find(task)
    chosen = options.resolve(row.options.Export, keywords)
    console.configure(quiet=chosen.quiet, verbose=chosen.verbose)
    return row.work.export(chosen)


def new(task: str, **keywords: Any) -> list[Path]:
    """Make up data for a task, as files or, without ``out``, on stdout; returns the paths written.

    Raises:
        UsageError: unknown task or option; the task makes up no data.
    """
    row = tasks.find(task)
    if not hasattr(row.options, "New"):
        raise UsageError(f"percept makes up no data for {task}")
    chosen = options.resolve(row.options.New, keywords)
    console.configure(quiet=chosen.quiet, verbose=chosen.verbose)
    return row.work.new(chosen)


def info(wanted: str) -> dict[str, Any]:
    """What weights are: task, network, classes, what made them, from what, under which licence, what they scored.

    Raises:
        UsageError: no such weights, or not a weight file.
    """
    from percept.core import checkpoint

    name, path = weights.resolve(wanted)
    header = checkpoint.read_header(path)
    shipped = next((vars(row) for row in weights.index() if row.name == name), {})
    about = {"name": name, **header, **{key: value for key, value in shipped.items() if value}}
    return {**about, "file": str(path), "size": path.stat().st_size, "sha256": sha256(path)}


def rows(task: str | None = None) -> tuple[datasets.Dataset, ...]:
    """The table of data sets of one task or of all."""
    wanted = tasks.TASKS if task is None else (tasks.find(task),)
    return datasets.rows({row.name: row.options.DATASETS for row in wanted})


def check(folder: str, task: str | None = None) -> Any:
    """Look through the labels of a folder: class table, sizes, what is wrong. The first task that knows it answers.

    Raises:
        UsageError: no task knows the layout of this folder.
    """
    for row in tasks.TASKS if task is None else (tasks.find(task),):
        path, _ = datasets.find(folder, rows(row.name), row.name, files=_takes_files(row))
        report = row.work.check(path)
        if report is not None:
            return report
    raise UsageError(f"{folder}: no layout that percept knows; docs/data.md shows them")


def data_list(task: str | None = None) -> list[dict[str, Any]]:
    """The known data sets, each with ``here``: whether it lies on this machine."""
    return [data_info(row.name) for row in rows(task)]


def data_info(name: str) -> dict[str, Any]:
    """One data set: what, size, licence, source, layout, where it lies or belongs."""
    row = _row(name)
    files = [{"name": file.name, "url": file.url, "bytes": file.bytes} for file in row.files]
    return {
        "name": row.name,
        "task": ", ".join(row.tasks),
        "title": row.title,
        "size": row.size,
        "licence": row.licence,
        "allows": row.allows,
        "homepage": row.homepage,
        "layout": row.layout,
        "classes": row.classes,
        "splits": dict(row.splits),
        "recipe": dict(row.recipe),
        "files": files,
        "note": row.note,
        "folder": str(row.folder),
        "here": datasets.root_of(row, row.folder) is not None,
        "get": datasets.how_by_hand(row) if row.by_hand else f"percept data fetch {row.name}",
    }


def data_fetch(name: str) -> Path:
    """Fetch a data set, verify and unpack it; the only function that uses the network.

    Raises:
        UsageError: unknown set, one that must be got by hand, no space, or not what it should be.
    """
    return datasets.fetch(_row(name))


def data_verify(name: str) -> list[str]:
    """What is missing or wrong in a data set on the disk; empty if it is in order."""
    row = _row(name)
    return datasets.verify(row, row.folder)


def doctor() -> list[Any]:
    """Whether everything is in order: Python, packages, devices, weights, data."""
    from percept.core import doctor as examination

    def shipped() -> Iterator[examination.Check]:
        for name, good, problem in weights.check():
            yield examination.Check(f"weights {name}", good, problem or "the tested file", "pip install percept again")

    verbs = ("Predict", "Train", "Evaluate", "Export")
    classes = [getattr(row.options, verb) for row in tasks.TASKS for verb in verbs]
    classes += [cls for row in tasks.TASKS for cls in getattr(row.options, "ACTIONS", {}).values()]
    keys = {key for cls in classes for key in options.fields(cls)}
    return examination.examine(
        table=rows(), weights_check=shipped, variables=sorted(f"PERCEPT_{key.upper()}" for key in keys)
    )


def _row(name: str) -> datasets.Dataset:
    """The data set called ``name``."""
    known = {row.name: row for row in rows()}
    if name not in known:
        raise UsageError(f'no data set "{name}"{nearest(name, known) or "; percept data list shows them"}')
    return known[name]


def _takes_files(row: tasks.Task) -> bool:
    """Whether a task's ``--data`` may be a single file."""
    return getattr(row.options, "DATA_FILES", False)


def _lasting(name: str) -> str:
    """A folder or file as an absolute path, so that a run can be resumed from elsewhere; a data set's name as it is."""
    return str(Path(name).resolve()) if Path(name).exists() else name


@contextlib.contextmanager
def _processes() -> Iterator[int]:
    """Join the processes that ``torchrun`` started, if it did; gives this one's rank."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0
        return
    import torch
    import torch.distributed as dist

    # gloo beside nccl: what the processes tell each other about scores and signals lies on the CPU
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=datetime.timedelta(minutes=10))
    try:
        yield dist.get_rank()
        with contextlib.suppress(RuntimeError):
            dist.barrier()  # who leaves first takes along what the others may still be waiting on
    except Exception as error:
        if not _of_a_peer(error):
            raise
        raise PerceptError("another process of this training has ended; the last saved state is kept") from error
    finally:
        with contextlib.suppress(RuntimeError):  # nobody may be left to say goodbye to
            dist.destroy_process_group()


def _of_a_peer(error: Exception) -> bool:
    """Whether an error came out of the talk between processes, which has no class of its own for that."""
    where, modules = error.__traceback__, set()
    while where is not None:
        modules.add(where.tb_frame.f_globals.get("__name__", ""))
        where = where.tb_next
    # a backward pass fails in the reducer without a frame of Python's, and says what the network said
    network = ("gloo", "nccl", "connection", "broken pipe", "peer")
    return any(name.startswith("torch.distributed.") for name in modules) or (
        isinstance(error, RuntimeError) and any(word in str(error).lower() for word in network)
    )


def _meet() -> None:
    """Wait until all processes are here."""
    import torch
    import torch.distributed as dist

    if dist.is_initialized():
        dist.all_reduce(torch.zeros(1))
