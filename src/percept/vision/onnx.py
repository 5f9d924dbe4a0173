"""Networks that take pictures, as ONNX files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from percept.core.export import to_onnx


def write(
    network: nn.Module,
    header: Mapping[str, Any],
    shown: str,
    out: str,
    *,
    size: int,
    further: int,
    outputs: Mapping[str, Mapping[int, str]],
) -> dict[str, Any]:
    """Write a network of images (B, 3, H, W) RGB 0..1. Returns and raises as ``core.export.to_onnx`` does.

    Args:
        header: of its weights, stored in the file.
        shown: what the weights are called; names the file where ``out`` does not.
        size: height and width of the picture that is traced, in pixels.
        further: how much wider the picture of the second size is with which the file is checked.
        outputs: as in :func:`percept.core.export.to_onnx`.
    """
    example, other = (
        torch.rand(1, 3, size, width, generator=torch.Generator().manual_seed(seed))
        for seed, width in enumerate((size, size + further))
    )
    to, about = Path(out or f"{Path(shown).stem}.onnx"), {**header, "weights": shown}
    inputs = {"images": {0: "batch", 2: "height", 3: "width"}}
    return to_onnx(network, to, example, other, inputs=inputs, outputs=outputs, about=about)
