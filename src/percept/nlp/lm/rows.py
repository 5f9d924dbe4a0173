"""Tables of vectors as whole numbers of eight bits, a scale for each row: a quarter of float32, half of float16."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

_NUMBERS, _SCALE = ".int8", ".scale"
_TABLES = ("table.", "output.")  # what has a row for each word


def packed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tables (V, D) as NAME.int8 (V, D) and NAME.scale (V,) float32: row = numbers * scale; others as they are."""
    found = {}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and tensor.ndim == 2 and name.startswith(_TABLES):
            scale = tensor.abs().amax(dim=1) / 127  # (V,)
            numbers = torch.round(tensor / scale.clamp_min(1e-12)[:, None]).to(torch.int8)
            found |= {name + _NUMBERS: numbers, name + _SCALE: scale.float()}
        else:
            found[name] = tensor
    return found


def unpacked(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What :func:`packed` was given, up to rounding; what was never packed passes."""
    found = {}
    for name, tensor in tensors.items():
        if name.endswith(_NUMBERS):
            whole = name.removesuffix(_NUMBERS)
            found[whole] = tensor.float() * tensors[whole + _SCALE][:, None]
        elif not (name.endswith(_SCALE) and name.removesuffix(_SCALE) + _NUMBERS in tensors):
            found[name] = tensor
    return found
