"""The one training loop of all tasks: plain PyTorch, resumable to the bit, the same on one process or many.

A task hands over a :class:`Trainable`. One step is: for each part of the batch, loss -> finite? -> backward; then
clip, step, running mean of the weights. A task's loss is a *sum*, and ``size`` tells from the targets alone what it is
divided by over the whole global batch, so that parts of a batch and several processes give the gradients of one.
"""

from __future__ import annotations

import contextlib
import math
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from percept.core import checkpoint
from percept.core.console import duration, progress, say
from percept.core.device import Device, keep_freed_memory, seed_everything
from percept.core.errors import Diverged, Stopped
from percept.core.runs import Run
from percept.core.sampling import ranks
from percept.core.verbs import TrainOptions

Batch = Any


class Trainable(Protocol):
    """What a task gives to the loop."""

    model: nn.Module
    metric: str  # the number of validate() that says which epoch is best
    higher_is_better: bool
    header: dict[str, Any]  # of the weight files; scores are added
    facts: dict[str, Any]  # about the data and the start, for run.toml

    def steps(self) -> int:
        """Steps an epoch."""

    def batches(self, epoch: int, start: int) -> Iterator[Sequence[Batch]]:
        """From step ``start`` of ``epoch`` on: this process's share of each batch, in ``accumulate`` parts."""

    def size(self, batch: Batch) -> float:
        """What the summed loss of this part is divided by, from the targets alone."""

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of one part as a sum, and what it is made of (sums, for the log)."""

    def describe(self, batch: Batch) -> str:
        """The names of the samples, for the message when the loss is not finite."""

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Scores of ``model`` on the samples kept for choosing."""

    def pictures(self, model: nn.Module, folder: Path) -> None:
        """Write a few samples that a person can look at."""

    # Two things that most tasks do without:
    # memory: with state_dict() and load_state_dict(), what goes from step to step beside weights
    # mean(average, current, number): how weights are averaged, instead of the exponential mean of --ema


class _Loss(nn.Module):
    """The task's loss as a module's forward pass, which is what DistributedDataParallel can wrap."""

    def __init__(self, task: Trainable) -> None:
        super().__init__()
        self.model = task.model
        self._loss = task.loss

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        return self._loss(batch)


@dataclass
class State:
    """Where a run stands; everything that a later process needs to go on as if nothing had happened."""

    epoch: int = 0
    step: int = 0  # within the epoch
    best: float | None = None
    best_epoch: int = 0
    seconds: float = 0.0


def train(task: Trainable, options: TrainOptions, device: Device, run: Run) -> dict[str, float]:
    """Train until the last epoch, an early stop or a signal; returns the best epoch's scores.

    Raises:
        Diverged: the loss is no longer finite; the last good files are kept.
        Stopped: SIGINT or SIGTERM came, or ``--stop-after`` was reached; the state was saved after the step.
    """
    rank, world = ranks()
    seed_everything(options.seed + rank)
    if device.torch.type == "cpu":
        keep_freed_memory()
    task.model.to(device.torch, memory_format=torch.channels_last if options.channels_last else torch.contiguous_format)
    trained = [parameter for parameter in task.model.parameters() if parameter.requires_grad]
    optimizer = _optimizer(options, trained)
    steps = task.steps()
    own = getattr(task, "rate", None)  # of a task whose schedule is none of the loop's: (step, steps) -> share of lr
    share = (lambda step: own(step, steps)) if own is not None else (lambda step: rate(step, steps, options))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
    averaging = getattr(task, "mean", None) or (_running_mean(options.ema) if options.ema else None)
    mean = AveragedModel(task.model, avg_fn=averaging, use_buffers=True) if averaging else None
    scaler = torch.amp.GradScaler(device.torch.type, enabled=device.dtype == torch.float16)
    state = State()
    saved = [optimizer, schedule, scaler, *([mean] if mean is not None else [])]
    sums = _restore(run, task, saved, state, rank) if options.resume else {}
    loss_of: nn.Module = _Loss(task)
    if world > 1:
        loss_of = DistributedDataParallel(loss_of, device_ids=[device.torch] if device.torch.type == "cuda" else None)
    judged = mean.module if mean is not None else task.model
    began = time.monotonic() - state.seconds
    with _signals() as received:
        while state.epoch < options.epochs:
            if _early(options, state):
                say(f"no better {task.metric} for {options.patience} epochs: stopped early")
                break
            task.model.train()
            with progress(f"epoch {state.epoch + 1}", steps, state.step) as bar:
                for parts in task.batches(state.epoch, state.step):
                    found = _step(task, parts, loss_of, optimizer, scaler, trained, options, device, state)
                    schedule.step()
                    if mean is not None:
                        mean.update_parameters(task.model)
                    for name, value in found.items():
                        sums[name] = sums.get(name, 0.0) + value
                    state.step += 1
                    state.seconds = time.monotonic() - began
                    bar.step(f"loss {sums['loss'] / state.step:.3f}")
                    stop = _any(received.number, device)
                    due = options.save_every and state.step % options.save_every == 0
                    if stop or (due and state.step < steps):
                        _save(run, task, saved, state, sums, rank)
                    if stop:
                        raise Stopped(
                            f"stopped in epoch {state.epoch + 1} after step {state.step}; "
                            f"go on with: {run.resume_command}",
                            128 + stop,
                        )
            logged = {name: total / steps for name, total in sums.items()}
            _refuse_broken(judged, state, options.store)  # the last step's update no loss has looked at
            scores = _validate(task, judged, device, rank)
            state.epoch, state.step, sums = state.epoch + 1, 0, {}
            score = scores[task.metric]
            better = state.best is None or (score > state.best if task.higher_is_better else score < state.best)
            if better:
                state.best, state.best_epoch = score, state.epoch
            state.seconds = time.monotonic() - began
            if rank == 0:
                header = {**task.header, "scores": [{"split": "choosing", "epoch": state.epoch, **scores}]}
                for name in ("last", *(["best"] if better else [])):
                    checkpoint.save(
                        run.folder / f"{name}.safetensors", judged.state_dict(), header, store=options.store
                    )
                row = {"lr": optimizer.param_groups[0]["lr"], **logged, **scores, "seconds": state.seconds}
                run.log(state.epoch, row, options.epochs, better)
                task.pictures(judged, run.folder / "samples")
            _save(run, task, saved, state, sums, rank)
            stop = _any(received.number, device)
            if stop:
                raise Stopped(f"stopped after epoch {state.epoch}; go on with: {run.resume_command}", 128 + stop)
            if options.stop_after and state.epoch >= options.stop_after and state.epoch < options.epochs:
                raise Stopped(f"stopped after epoch {state.epoch} as asked; go on with: {run.resume_command}", 0)
    return {"epoch": state.best_epoch, **run.scores(state.best_epoch)}


def rate(step: int, steps: int, options: TrainOptions) -> float:
    """The learning rate at ``step`` as a share of the highest: linear warm-up, then the schedule asked for."""
    warm = options.warmup * steps
    if step < warm:
        return (step + 1) / (warm + 1)
    done = min(1.0, (step - warm) / max(1.0, options.epochs * steps - warm))
    if options.schedule == "cosine":
        return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))
    if options.schedule == "poly":
        return (1 - done) ** 0.9
    if options.schedule == "step":
        return 0.1 ** sum(step >= epoch * steps for epoch in options.step_epochs)
    return 1.0


def _step(
    task: Trainable,
    parts: Sequence[Batch],
    loss_of: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    trained: list[nn.Parameter],
    options: TrainOptions,
    device: Device,
    state: State,
) -> dict[str, float]:
    """One step over one global batch; returns what is logged, as means over the batch."""
    size = torch.tensor([sum(task.size(part) for part in parts)], dtype=torch.float64)
    world = ranks()[1]
    if world > 1:
        size = size.to(device.torch, torch.float32)
        dist.all_reduce(size)
    whole = max(size.item(), 1e-9)
    found: dict[str, float] = {}
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        wait = contextlib.nullcontext() if last or world == 1 else loss_of.no_sync()  # type: ignore[operator]
        with wait:
            with device.autocast():
                total, pieces = loss_of(part)
            value = total.item()
            if not math.isfinite(value):
                raise Diverged(
                    f"the loss is {value} in epoch {state.epoch + 1}, step {state.step + 1}: {task.describe(part)}; "
                    f"the last good weights are kept. A lower --lr or a longer --warmup helps, or look at these samples"
                )
            scaler.scale(total * (world / whole)).backward()  # DDP averages over processes, we want the sum
        for name, piece in {"loss": total, **pieces}.items():
            found[name] = found.get(name, 0.0) + float(piece.detach()) / whole
    if options.clip:
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(trained, options.clip)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    return found


def _optimizer(options: TrainOptions, trained: list[nn.Parameter]) -> torch.optim.Optimizer:
    """AdamW or SGD; biases and gains (one axis) are not decayed."""
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": options.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if options.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=options.lr, momentum=options.momentum, nesterov=options.momentum > 0)
    fused = trained[0].device.type in ("cpu", "cuda")  # one pass over the weights
    return torch.optim.AdamW(groups, lr=options.lr, fused=fused)


def _running_mean(decay: float) -> Any:
    """EMA with a ramp: early steps count more, so that a short training is not held back by its start."""

    def mean(average: Tensor, current: Tensor, number: Tensor | int) -> Tensor:
        if not average.is_floating_point():  # a counter
            return current
        count = float(number)
        return average.lerp(current, 1 - min(decay, (1 + count) / (10 + count)))

    return mean


def _early(options: TrainOptions, state: State) -> bool:
    return bool(options.patience) and state.epoch - state.best_epoch >= options.patience


def _refuse_broken(model: nn.Module, state: State, store: str) -> None:
    """Raises Diverged for weights that are not finite in the type in which they are stored."""
    for name, tensor in model.state_dict().items():
        kept = tensor.to(getattr(torch, store)) if tensor.ndim > 1 and tensor.is_floating_point() else tensor
        if not torch.isfinite(kept).all():
            raise Diverged(
                f"{name} is no longer finite in {store} after epoch {state.epoch + 1}; the last good weights are kept. "
                f"A lower --lr or a longer --warmup helps"
            )


def _validate(task: Trainable, model: nn.Module, device: Device, rank: int) -> dict[str, float]:
    """Scores from the first process, told to the others; random numbers are left as they were."""
    told: list[Any] = [None]
    if rank == 0:
        model.eval()
        with torch.random.fork_rng(), torch.inference_mode(), device.autocast():
            told[0] = task.validate(model)
    if ranks()[1] > 1:
        dist.broadcast_object_list(told, src=0)
    return told[0]


def _save(run: Run, task: Trainable, saved: list[Any], state: State, sums: dict[str, float], rank: int) -> None:
    """Each process saves its random numbers and what its task remembers, the first one everything else."""
    content: dict[str, Any] = {"random": _random_state()}
    if memory := getattr(task, "memory", None):
        content["memory"] = memory.state_dict()
    if rank == 0:
        content |= {
            "model": task.model.state_dict(),
            "sums": sums,
            "state": vars(state),
            "others": [other.state_dict() for other in saved],
        }
    run.save_state(content, rank)


def _restore(run: Run, task: Trainable, saved: list[Any], state: State, rank: int) -> dict[str, float]:
    content = run.load_state(0)
    task.model.load_state_dict(content["model"])
    for other, values in zip(saved, content["others"], strict=True):
        other.load_state_dict(values)
    for name, value in content["state"].items():
        setattr(state, name, value)
    run.forget_after(state.epoch)
    own = content if rank == 0 else run.load_state(rank)
    _set_random_state(own["random"])
    if memory := getattr(task, "memory", None):
        memory.load_state_dict(own["memory"])
    say(f"going on after epoch {state.epoch}, step {state.step} ({duration(state.seconds)} so far)")
    return dict(content["sums"])


def _random_state() -> dict[str, Any]:
    """Only torch's: a task's samples take their random numbers from (seed, epoch, index)."""
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}


def _set_random_state(kept: dict[str, Any]) -> None:
    torch.set_rng_state(kept["cpu"])
    if kept["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(kept["cuda"])


def _any(number: int, device: Device) -> int:
    """The signal that any process got: all stop at the same step."""
    if ranks()[1] == 1:
        return number
    told = torch.tensor([number], device=device.torch)
    dist.all_reduce(told, op=dist.ReduceOp.MAX)
    return int(told.item())


@dataclass
class _Received:
    number: int = 0


@contextlib.contextmanager
def _signals() -> Iterator[_Received]:
    """Note SIGINT and SIGTERM, to stop after the step; a second one stops at once."""
    received = _Received()

    def note(number: int, _frame: object) -> None:
        if received.number:
            raise Stopped("stopped at once; the last saved state is kept", 128 + number)
        received.number = number
        say("stopping after this step ... (once more: at once)")

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
