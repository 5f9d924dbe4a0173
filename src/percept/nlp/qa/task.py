"""Question answering's verbs: what predict, train, eval, export, data check and data new do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from percept.core import checkpoint, weights
from percept.core.console import answer
from percept.core.device import Device
from percept.core.errors import UsageError, nearest
from percept.core.export import to_onnx
from percept.core.files import write_atomic
from percept.nlp.qa import data, networks
from percept.nlp.qa.check import CheckReport, look_through
from percept.nlp.qa.measuring import evaluate, folder_of
from percept.nlp.qa.options import Export, New, Predict, Train
from percept.nlp.qa.prompt import run
from percept.nlp.qa.reader import load
from percept.nlp.qa.simulator.kinds import KINDS, STEPPED, lines, story
from percept.nlp.qa.trainer import Trainer

__all__ = ["check", "evaluate", "export", "load", "new", "prompt", "trainer"]

WORDS = 8  # of a sentence of the example that is traced


def trainer(options: Train, device: Device) -> Trainer:
    """What the training loop is given. Data is checked here, before anything is computed."""
    return Trainer(options, device, [(Path(name).name, folder_of(name)) for name in options.data])


def prompt(options: Predict) -> int:
    """``percept qa`` without a story."""
    return run(load(options))


def new(options: New) -> list[Path]:
    """Fresh stories of the kinds asked for, a file for each kind under ``--out``, else on stdout."""
    wanted = list(KINDS) if options.tasks == ("all",) else [_kind(name) for name in options.tasks]
    if options.steps == 1 and not STEPPED.issuperset(wanted):
        raise UsageError(f"--steps 1: only of kinds {', '.join(map(str, sorted(STEPPED)))}; give --tasks")
    written = []
    for kind in wanted:
        made = (story(kind, options.seed, number, options.steps) for number in range(options.stories))
        text = "".join(f"{line}\n" for one in made for line in lines(one))
        if options.out:
            split = {"val": "valid"}.get(options.split, options.split)
            written.append(Path(options.out) / f"qa{kind}_{KINDS[kind][0]}_{split}.txt")
            write_atomic(written[-1], text)
        else:
            answer(text)
    return written


def _kind(name: str) -> int:
    known = {**{str(kind): kind for kind in KINDS}, **{slug: kind for kind, (slug, _) in KINDS.items()}}
    if name not in known:
        raise UsageError(f'no kind of stories "{name}"{nearest(name, known) or "; there are 1 to 20"}')
    return known[name]


def export(options: Export) -> dict[str, Any]:
    """ONNX: tokens (B, 1 + S, W), the question, the newest sentence -> scores (B, P, V), looked (B, K, S)."""
    shown, path = weights.resolve(options.weights, "qa")
    read = checkpoint.load(path, task="qa")
    network = networks.alone(read, (read.header.get("chosen") or [0])[0])
    size = len(read.header["vocabulary"]["words"])
    example = torch.arange(1 + (1 + options.size) * WORDS)[1:].remainder(size - 1).add(1).unflatten(0, (1, -1, WORDS))
    other = torch.cat([example, example.flip(1)])[:, : 1 + options.size // 2]  # (2, 1 + S/2, W)
    header = {key: value for key, value in read.header.items() if key not in ("digest", "versions", "shapes")}
    return to_onnx(
        network,
        Path(options.out or f"{Path(shown).stem}.onnx"),
        example,
        other,
        inputs={"tokens": {0: "batch", 1: "lines"}},
        outputs={"scores": {0: "batch"}, "looked": {0: "batch", 2: "sentences"}},
        about={**header, "weights": shown},
    )


def check(folder: Path) -> CheckReport | None:
    """What a folder of stories holds and what is wrong with it, or None if it holds none."""
    return look_through(folder) if data.recognise(folder) else None
