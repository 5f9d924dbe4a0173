"""Scenes matched and scored: what eval, training and the search for settings have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from percept.core.device import Device
from percept.core.errors import InputError, UsageError
from percept.vision.stereo import data, decode, metrics
from percept.vision.stereo.options import STEPS, Matching
from percept.vision.stereo.settings import Settings

# What each step brings: those of a row are left out, the others are there. The paper's table 7 in our steps.
ABLATION: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("network alone", STEPS),
    ("+ aggregation", ("sgm", "check", "fill", "subpixel", "median", "bilateral")),
    ("+ semi-global matching", ("check", "fill", "subpixel", "median", "bilateral")),
    ("+ sub-pixel", ("check", "fill", "median", "bilateral")),
    ("+ check and filling", ("median", "bilateral")),
    ("+ median, bilateral: all", ()),
    ("all but aggregation", ("aggregation",)),
    ("all but semi-global matching", ("sgm",)),
    ("all but check and filling", ("check", "fill")),
    ("all but sub-pixel", ("subpixel",)),
    ("all but the filters", ("median", "bilateral")),
)


@dataclass(frozen=True)
class Measured:
    """One scene: its scores, its answer, and the seconds of each step."""

    scene: data.Scene
    score: metrics.Score
    answer: decode.Answer


def measure(
    network: nn.Module | None,
    scene: data.Scene,
    pair: data.Pair,
    *,
    options: Matching,
    matching: Settings,
    device: Device,
    described: tuple[Tensor, Tensor] | None = None,
) -> Measured:
    """Match one pair over the set's own range of disparities, or the options', and score the filled map.

    ``described``: see :func:`decode.match`.

    Raises:
        UsageError: a scene that cannot be matched.
    """
    try:
        answer = decode.match(
            network,
            pair.left,
            pair.right,
            options=options,
            matching=matching,
            device=device,
            max_disp=pair.ndisp - 1 if options.max_disp == "auto" else int(options.max_disp),
            described=described,
        )
    except InputError as error:  # a mean over the other scenes would be no score of the set
        raise UsageError(f"{scene.name}: {error}") from error
    return Measured(scene, metrics.score(answer.disparity, pair.truth, pair.visible, ~answer.found), answer)


def seen_by(header: Mapping[str, Any]) -> set[str]:
    """The scenes that weights were trained, chosen or tuned on: on them, their scores would say nothing."""
    seen = header.get("data", {})
    return {name for part in ("scenes", "choosing") for name in seen.get(part, ())}


def mean_time(measured: Sequence[Measured]) -> dict[str, float]:
    """Step -> mean milliseconds over the scenes."""
    steps = dict.fromkeys(step for one in measured for step in one.answer.seconds)
    return {step: 1000 * float(np.mean([one.answer.seconds.get(step, 0.0) for one in measured])) for step in steps}
