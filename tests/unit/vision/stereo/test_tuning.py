"""The search for settings: it never gets worse, and is repeatable."""

from __future__ import annotations

from pathlib import Path

import torch

from percept.core.device import choose
from percept.vision.stereo import data, tuning
from percept.vision.stereo.model import Fast
from percept.vision.stereo.settings import Settings, of_header

TINY = Path(__file__).resolve().parents[3] / "data" / "stereo_tiny"


def test_a_search_gets_no_worse_and_says_what_it_found() -> None:
    torch.manual_seed(0)
    network, device = Fast(width=0.3), choose("cpu", 1)
    scenes = [(scene, data.read_pair(scene)) for scene in data.read_scenes(TINY, "val")]
    known = [(*one, None) for one in scenes]
    before = tuning.objective(network, known, Settings(), device)
    first, second = (tuning.search(network, scenes, Settings(), device, 6, seed=1) for _ in range(2))
    assert first == second
    assert first[1] <= before
    assert tuning.objective(network, known, first[0], device) == first[1]


def test_settings_go_through_a_header() -> None:
    changed = Settings(p1=3.5, median=5)
    assert of_header({"matching": changed.to_json()}) == changed
    assert of_header({}) == Settings()
