"""A network trained for a moment on made-up stories, shared by the tests of what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from percept.core import runs, training
from percept.core.device import choose, seed_everything
from percept.core.options import resolve
from percept.nlp.qa import task
from percept.nlp.qa.options import Train

TINY = Path(__file__).parents[3] / "data" / "qa_tiny"
SMALL = {"dimension": 16, "hops": 2, "batch": 8, "epochs": 1, "warmup": 0.0, "threads": 1, "data": [str(TINY)]}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Options -> the folder of a run with them; the same options, the same folder."""
    known: dict[str, Path] = {}

    def train(**options: Any) -> Path:
        key = repr(sorted(options.items()))
        if key not in known:
            folder = tmp_path_factory.mktemp("qa") / "run"
            chosen = resolve(Train, {**SMALL, **options})
            device = choose("cpu", 1, "auto")
            seed_everything(0)
            job, run = task.trainer(chosen, device), runs.Run(folder, "qa")
            run.describe(chosen, {"data": job.facts})
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(runs.Run, "_draw_curves", lambda self: None)  # takes longer than the training
                training.train(job, chosen, device, run)
            known[key] = folder
        return known[key]

    return train
