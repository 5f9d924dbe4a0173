"""ONNX files answer as torch does, or are not written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from percept.core.errors import PerceptError, UsageError
from percept.core.export import to_onnx


class Dense(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.dropout = nn.Dropout(0.5)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.dropout(self.conv(images))
        return maps, maps.flatten(2).transpose(1, 2)


class Stubborn(Dense):
    """The width of the picture it was traced with becomes a number in the graph."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        maps, rows = super().forward(images)
        return maps + int(images.shape[3]), rows


def export(network: nn.Module, path: Path) -> dict:
    return to_onnx(
        network,
        path,
        torch.rand(1, 3, 8, 8),
        torch.rand(1, 3, 8, 12),
        inputs={"images": {0: "batch", 2: "height", 3: "width"}},
        outputs={"maps": {0: "batch", 2: "rows", 3: "columns"}, "windows": {0: "batch", 1: "windows"}},
        about={"task": "toy"},
    )


def test_the_file_answers_as_torch_for_every_size_and_batch(tmp_path: Path) -> None:
    network = Dense().train()
    made = export(network, tmp_path / "net.onnx")
    assert made["difference"] <= 1e-4 and made["size"] == (tmp_path / "net.onnx").stat().st_size
    import onnxruntime  # after percept, which tells it not to report to its makers

    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    assert json.loads(session.get_modelmeta().custom_metadata_map["percept"]) == {"task": "toy"}
    assert session.get_outputs()[0].shape == ["batch", 4, "rows", "columns"]
    images = torch.rand(3, 3, 5, 7)
    wanted = network.eval()(images)
    for ours, theirs in zip(wanted, session.run(None, {"images": images.numpy()}), strict=True):
        np.testing.assert_allclose(theirs, ours.detach().numpy(), atol=1e-5)


def test_a_file_that_answers_differently_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"the old one")
    with pytest.raises(PerceptError, match="answers differently from torch"):
        export(Stubborn(), tmp_path / "net.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
    assert (tmp_path / "net.onnx").read_bytes() == b"the old one"


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError, match=rf"{missing} is not installed: pip install 'percept\[export\]'"):
        export(Dense(), tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []
