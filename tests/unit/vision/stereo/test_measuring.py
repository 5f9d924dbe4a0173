"""Scenes matched and scored: each step by itself, and what cannot be scored."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from percept.core.device import choose
from percept.core.errors import UsageError
from percept.vision.stereo import data, measuring
from percept.vision.stereo.model import Fast
from percept.vision.stereo.options import Matching
from percept.vision.stereo.settings import Settings

TINY = Path(__file__).resolve().parents[3] / "data" / "stereo_tiny"
DEVICE = choose("cpu", 1)


def test_an_ablation_scores_each_way_as_it_is_scored_alone() -> None:
    torch.manual_seed(0)
    network, scenes = Fast(width=0.2), data.read_scenes(TINY, "val")[:1]
    rows = measuring.ablation(network, scenes, options=Matching(), matching=Settings(), device=DEVICE)
    assert [row["steps"] for row in rows] == [name for name, _ in measuring.ABLATION]
    for row, (_, without) in list(zip(rows, measuring.ABLATION, strict=True))[::5]:
        alone = measuring.measure(
            network,
            scenes[0],
            data.read_pair(scenes[0]),
            options=Matching(without=without),
            matching=Settings(),
            device=DEVICE,
        )
        assert row["bad2_noc"] == alone.score.figures()["bad2_noc"]


def test_a_range_wider_than_the_pair_is_no_score() -> None:
    scene = data.read_scenes(TINY, "val")[0]
    pair = data.read_pair(scene)
    with pytest.raises(UsageError, match=f"{scene.name}: .* too narrow for --max-disp 5000"):
        options = Matching(max_disp="5000")
        measuring.measure(None, scene, pair, options=options, matching=Settings(), device=DEVICE)
