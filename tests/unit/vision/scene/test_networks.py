"""Networks by name, and what a weight file's header must say to build them again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from percept.core import checkpoint
from percept.core.errors import UsageError
from percept.vision.scene.farabet import Farabet
from percept.vision.scene.model import Pyramid
from percept.vision.scene.networks import build, described, from_checkpoint
from percept.vision.scene.options import MODELS, Train


def saved(path: Path, network: torch.nn.Module, model: dict[str, object], classes: int) -> checkpoint.Checkpoint:
    header = {"task": "scene-parse", "model": model, "classes": [f"class {n}" for n in range(classes)]}
    checkpoint.save(path, network.state_dict(), header)
    return checkpoint.load(path)


def test_the_options_name_the_network() -> None:
    assert isinstance(build(described(Train()), 5), Pyramid), "the usual one"
    paper = build(described(Train(model="farabet")), 5)
    full = build(described(Train(model="farabet", connections="full")), 5)
    assert isinstance(paper, Farabet) and isinstance(full, Farabet)
    assert sum(p.numel() for p in full.parameters()) - sum(p.numel() for p in paper.parameters()) == 7 * 7 * (
        64 * (16 - 8) + 256 * (64 - 32)
    )
    first, same, other = (build(described(Train(model="farabet", seed=seed)), 5) for seed in (1, 1, 2))
    assert torch.equal(first.second.table, same.second.table) and not torch.equal(
        first.second.table, other.second.table
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_network_comes_back_from_its_file(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    model = described(Train(model=name))
    network = build(model, 3).eval()
    again = from_checkpoint(saved(tmp_path / "w.safetensors", network, model, 3))
    assert not again.training
    images = torch.rand(1, 3, 24, 40)
    with torch.inference_mode():
        assert network(images).shape == (1, 3, 6, 10)
        assert torch.equal(network(images), again(images))


def test_tensors_of_another_network_are_refused_in_one_line(tmp_path: Path) -> None:
    network = Pyramid(3)
    with pytest.raises(UsageError, match=r"w\.safetensors: not the tensors of farabet$"):
        from_checkpoint(saved(tmp_path / "w.safetensors", network, described(Train(model="farabet")), 3))
    with pytest.raises(UsageError, match="not the tensors of pyramid$"):
        from_checkpoint(saved(tmp_path / "w.safetensors", network, {"name": "pyramid"}, 4))
