"""The search for the numbers of the clean-up, on scenes that the network was not trained on and nobody is scored on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from percept.core.console import progress
from percept.core.device import Device
from percept.core.evaluation import mean
from percept.vision.stereo import data
from percept.vision.stereo.decode import describe
from percept.vision.stereo.measuring import measure
from percept.vision.stereo.options import Matching
from percept.vision.stereo.settings import Settings

SEARCHED: dict[str, tuple[float, float]] = {  # between which bounds; a step multiplies or divides
    "gain": (1.0, 64.0),
    "p1": (1.0, 100.0),
    "p2": (8.0, 1000.0),
    "q1": (1.0, 8.0),
    "q2": (1.0, 16.0),
    "v": (1.0, 4.0),
    "threshold": (1.0, 60.0),
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "census": (0.0, 0.3, 0.6, 1.0, 1.5, 2.0, 3.0, 4.0),
    "before": (0, 1, 2),
    "arm": (3, 5, 8, 12),
    "tau": (0.03, 0.06, 0.1, 0.2),
    "median": (1, 3, 5),
    "sigma": (0.0, 1.5, 3.0, 5.0),
    "step": (3.0, 6.0, 12.0),
    "tolerance": (1.0, 2.0),
}


Described = tuple[Tensor, Tensor]


def objective(
    network: nn.Module,
    scenes: Sequence[tuple[data.Scene, data.Pair, Described | None]],
    matching: Settings,
    device: Device,
) -> float:
    """What is made small: bad pixels at 1, 2 and 3, visible and filled, in percent, the mean over the scenes."""
    scores = [
        measure(network, scene, pair, options=Matching(), matching=matching, device=device, described=described).score
        for scene, pair, described in scenes
    ]
    return mean(sum(score.bad_noc[limit] for limit in (1.0, 2.0, 3.0)) / 3 for score in scores) or 0.0


def search(
    network: nn.Module,
    scenes: Sequence[tuple[data.Scene, data.Pair]],
    start: Settings,
    device: Device,
    trials: int,
    seed: int,
) -> tuple[Settings, float]:
    """The best settings of ``trials`` random steps from the best so far, and their objective."""
    rng = np.random.default_rng([seed, 7])
    known = [(*one, describe(network, one[1].left, one[1].right, device)) for one in scenes]
    best, least = start, objective(network, known, start, device)
    with progress("settings", trials) as bar:
        for _ in range(trials):
            tried = _step(best, rng)
            found = objective(network, known, tried, device)
            if found < least:
                best, least = tried, found
            bar.step(f"{least:.3f}")
    return best, least


def _step(settings: Settings, rng: np.random.Generator) -> Settings:
    """One or two numbers changed."""
    changed: dict[str, Any] = {}
    for name in rng.choice([*SEARCHED, *CHOICES], size=rng.integers(1, 3), replace=False):
        if name in CHOICES:
            changed[name] = CHOICES[name][rng.integers(len(CHOICES[name]))]
        else:
            low, high = SEARCHED[name]
            value = getattr(settings, name) * float(np.exp(rng.normal(0, 0.4)))
            changed[str(name)] = round(min(high, max(low, value)), 2)
    return replace(settings, **changed)
