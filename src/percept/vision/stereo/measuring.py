"""Scenes matched and scored: what eval, training and the search for settings have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from percept.core.device import Device
from percept.core.errors import InputError, UsageError
from percept.core.evaluation import answers
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
    priced: np.ndarray | None = None,
) -> Measured:
    """Match one pair over the set's own range of disparities, or the options', and score the filled map.

    ``described``, ``priced``: see :func:`decode.match`.

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
            max_disp=reach(pair, options),
            described=described,
            priced=priced,
        )
    except InputError as error:  # a mean over the other scenes would be no score of the set
        raise UsageError(f"{scene.name}: {error}") from error
    return Measured(scene, metrics.score(answer.disparity, pair.truth, pair.visible, ~answer.found), answer)


def reach(pair: data.Pair, options: Matching) -> int:
    """The largest disparity looked for: the set's own, or the options'.

    Raises:
        InputError: the pair is narrower than the options'.
    """
    if options.max_disp == "auto":
        return pair.ndisp - 1
    asked, width = int(options.max_disp), pair.left.shape[1]
    if asked >= width:
        raise InputError(f"{width} pixels wide, too narrow for --max-disp {asked}")
    return asked


def ablation(
    network: nn.Module | None,
    scenes: Sequence[data.Scene],
    *,
    options: Matching,
    matching: Settings,
    device: Device,
) -> list[dict[str, Any]]:
    """Each clean-up step by itself, the means over all scenes; the network is asked once a scene.

    Raises:
        UsageError: a scene that cannot be matched.
    """

    def scored(scene: data.Scene) -> list[metrics.Score]:
        pair = data.read_pair(scene)
        priced = None
        if network is not None:
            priced = decode.price(network, pair.left, pair.right, reach(pair, options), matching.gain, device)
        ways = [replace(options, without=without) for _, without in ABLATION]
        return [
            measure(network, scene, pair, options=way, matching=matching, device=device, priced=priced).score
            for way in ways
        ]

    found, _ = answers("each step", scenes, scored)
    return [
        {"steps": name, **metrics.mean(scores[number] for scores in found)} for number, (name, _) in enumerate(ABLATION)
    ]


def seen_by(header: Mapping[str, Any]) -> set[str]:
    """The scenes that weights were trained, chosen or tuned on: on them, their scores would say nothing."""
    seen = header.get("data", {})
    return {name for part in ("scenes", "choosing") for name in seen.get(part, ())}


def mean_time(measured: Sequence[Measured]) -> dict[str, float]:
    """Step -> mean milliseconds over the scenes."""
    steps = dict.fromkeys(step for one in measured for step in one.answer.seconds)
    return {step: 1000 * float(np.mean([one.answer.seconds.get(step, 0.0) for one in measured])) for step in steps}
