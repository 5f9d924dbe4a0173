"""The options that every task's predict, train, evaluate and export share; a task's ``options.py`` adds its own."""

from __future__ import annotations

from dataclasses import dataclass

from percept.core.options import option

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
# What may differ between a run and its continuation: nothing here changes what a finished step would have computed.
CHANGEABLE_ON_RESUME = frozenset(
    {"epochs", "threads", "workers", "device", "stop_after", "save_every", "patience", "quiet", "verbose", "json"}
)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where the work runs."""

    device: str = option("auto", "auto, cpu, cuda, cuda:1 or mps", group="Speed")
    threads: int = option(0, "CPU threads", group="Speed", low=0, shown_default="all cores")
    seed: int = option(0, "seed of everything random", group="Speed", low=0)


@dataclass(frozen=True, kw_only=True)
class Talk:
    """What is said while the work runs; all of it goes to stderr."""

    quiet: bool = option(False, "say nothing but errors", group="Output", short="-q")
    verbose: bool = option(False, "say why each choice was made", group="Output", short="-v")


@dataclass(frozen=True, kw_only=True)
class PredictOptions(Talk, Machine):
    """``percept TASK INPUT...``"""

    out: str = option("", "write pictures and files into this folder", group="Output", metavar="DIR")
    json: bool = option(False, "one JSON document on stdout (same as --format json)", group="Output")
    strict: bool = option(False, "stop at the first input that fails", group="Input")
    weights: str = option("", "weights by name or file", group="Model", metavar="NAME|FILE")
    precision: str = option("auto", "arithmetic of the network", group="Speed", choices=PRECISIONS)


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Talk, Machine):
    """``percept train TASK``"""

    data: tuple[str, ...] = option(
        (), "data set by name, or a folder; may be given again", group="Input", repeat=True, metavar="NAME|FOLDER"
    )
    hold_out: float = option(
        0.0,
        "choose the best epoch on this share of the training samples, not on the set's own val split",
        group="Input",
        low=0.0,
        high=0.9,
    )
    start: str = option("", "weights to start from", group="Model", metavar="NAME|FILE|none")
    epochs: int = option(20, "passes over the training samples", group="Training", low=1)
    batch: int = option(16, "samples a step, over all processes", group="Training", low=1)
    accumulate: int = option(1, "split a step's samples into this many parts (less memory)", group="Training", low=1)
    lr: float = option(1e-3, "highest learning rate", group="Training", low=0.0)
    optimizer: str = option("adamw", "how steps are taken", group="Training", choices=("adamw", "sgd"))
    momentum: float = option(0.9, "momentum of sgd", group="Training", low=0.0, high=0.999)
    weight_decay: float = option(0.01, "decay of weights (not of biases)", group="Training", low=0.0)
    schedule: str = option(
        "cosine", "course of the learning rate", group="Training", choices=("cosine", "poly", "step", "constant")
    )
    step_epochs: tuple[int, ...] = option((), "schedule step: divide the rate by ten at these epochs", group="Training")
    warmup: float = option(1.0, "epochs of linear warm-up", group="Training", low=0.0)
    clip: float = option(10.0, "longest gradient (L2 norm); 0 = no limit", group="Training", low=0.0)
    ema: float = option(0.998, "decay of the weights' running mean; 0 = off", group="Training", low=0.0, high=0.99999)
    patience: int = option(0, "stop after so many epochs without a better score; 0 = never", group="Training", low=0)
    stop_after: int = option(0, "stop after this epoch as if interrupted; 0 = at the end", group="Training", low=0)
    store: str = option("float16", "numbers in the weight files", group="Training", choices=("float16", "float32"))
    precision: str = option("auto", "arithmetic of the network", group="Speed", choices=PRECISIONS)
    channels_last: bool = option(False, "keep channels innermost in memory: faster on GPUs", group="Speed")
    workers: int = option(0, "processes that load samples; 0 = none beside this one", group="Speed", low=0)
    out: str = option("", "run folder", group="Output", metavar="DIR", shown_default="runs/TASK-DATA-N")
    resume: str = option("", "go on with this run, as it was", group="Output", metavar="runs/NAME")
    save_every: int = option(
        0, "steps between saves of the state to resume from; 0 = each epoch", group="Output", low=0
    )
    json: bool = option(False, "the final scores as one JSON document on stdout", group="Output")

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = []
        if self.optimizer != "sgd":
            found.append(("momentum", "only --optimizer sgd has momentum"))
        if self.schedule != "step":
            found.append(("step_epochs", "only --schedule step takes it"))
        return found


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(Talk, Machine):
    """``percept eval TASK``"""

    data: str = option("", "data set by name, or a folder", group="Input", metavar="NAME|FOLDER")
    split: str = option("", "part of the data", group="Input", shown_default="test, else val")
    limit: int = option(0, "only the first so many samples; 0 = all", group="Input", low=0)
    weights: str = option("", "weights by name, file or run folder", group="Model", metavar="NAME|FILE|RUN")
    precision: str = option("auto", "arithmetic of the network", group="Speed", choices=PRECISIONS)
    out: str = option("", "write pictures and tables into this folder", group="Output", metavar="DIR")
    json: bool = option(False, "one JSON document on stdout", group="Output")


@dataclass(frozen=True, kw_only=True)
class ExportOptions(Talk):
    """``percept export TASK``"""

    weights: str = option("", "weights by name, file or run folder", group="Model", metavar="NAME|FILE|RUN")
    out: str = option("", "file to write", group="Output", metavar="FILE.onnx", shown_default="WEIGHTS.onnx")
    json: bool = option(False, "one JSON document on stdout", group="Output")
