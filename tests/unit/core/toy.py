"""A task small enough to see through: a perceptron with dropout that learns a line, for the tests of the loop."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from percept.core import console, device, options, runs, training
from percept.core.errors import PerceptError, Stopped
from percept.core.verbs import TrainOptions

SAMPLES, WIDE = 64, 5


@dataclass
class Toy:
    options: TrainOptions
    bad_step: int = -1
    dropout: float = 0.3
    on_step: object = None
    header: dict = field(default_factory=lambda: {"task": "toy"})
    metric: str = "error"
    higher_is_better: bool = False
    seen: list = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model = nn.Sequential(nn.Linear(WIDE, 8), nn.Tanh(), nn.Dropout(self.dropout), nn.Linear(8, 1))
        rng = np.random.default_rng(0)
        self.x = torch.from_numpy(rng.normal(size=(SAMPLES, WIDE)).astype(np.float32))
        self.y = self.x.sum(dim=1, keepdim=True)

    def steps(self) -> int:
        return SAMPLES // self.options.batch

    def batches(self, epoch: int, start: int) -> Iterator[list[tuple[Tensor, Tensor, int]]]:
        rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        order = np.random.default_rng([self.options.seed, epoch]).permutation(SAMPLES)
        for step in range(start, self.steps()):
            whole = order[step * self.options.batch : (step + 1) * self.options.batch]
            mine = whole[len(whole) * rank // world : len(whole) * (rank + 1) // world]
            parts = np.array_split(mine, self.options.accumulate)
            self.seen.append((epoch, step))
            if callable(self.on_step):
                self.on_step(epoch, step)
            yield [(self.x[part], self.y[part], step) for part in parts]

    def size(self, batch: tuple) -> float:
        return len(batch[0])

    def loss(self, batch: tuple) -> tuple[Tensor, dict[str, Tensor]]:
        x, y, step = batch
        total = ((self.model(x) - y) ** 2).sum()
        return (total * float("nan") if step == self.bad_step else total), {"square": total.detach()}

    def describe(self, batch: tuple) -> str:
        return f"toy batch {batch[2]}"

    def validate(self, model: nn.Module) -> dict[str, float]:
        return {"error": float(((model(self.x) - self.y) ** 2).mean().detach())}

    def pictures(self, model: nn.Module, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)


def run(folder: Path, *, bad_step: int = -1, dropout: float = 0.3, on_step: object = None, **flags: object) -> Toy:
    """Train a toy in ``folder`` with the options given; ``resume=True`` goes on with it."""
    defaults = {"epochs": 4, "batch": 16, "lr": 0.01, "threads": 1, "data": ("toy",), "device": "cpu", "quiet": True}
    if flags.pop("resume", False):
        chosen = runs.resumed_options(TrainOptions, {**flags, "resume": str(folder)}, "toy")
    else:
        chosen = options.resolve(TrainOptions, {**defaults, **flags}, environ={})
    place = device.choose("cpu", 1)
    device.seed_everything(chosen.seed)
    toy = Toy(chosen, bad_step, dropout, on_step)
    made = runs.Run(folder, "toy")
    if not dist.is_initialized() or dist.get_rank() == 0:
        made.describe(chosen, {})
    console.configure(quiet=True)
    with contextlib.closing(made):
        training.train(toy, chosen, place, made)
    return toy


if __name__ == "__main__":  # what the tests start as processes of their own: toy.py FOLDER key=value ...
    given = {key: int(value) if value.isdigit() else value for key, value in (a.split("=") for a in sys.argv[2:])}
    waits = float(given.pop("waits", 0))
    if given.pop("ranks", 0):
        dist.init_process_group("gloo")
    import time

    try:
        run(Path(sys.argv[1]), on_step=lambda *_: time.sleep(waits), **given)
        if dist.is_initialized():
            dist.barrier()  # whoever leaves first takes the store along, on which the other may still be waiting
    except (PerceptError, Stopped) as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
