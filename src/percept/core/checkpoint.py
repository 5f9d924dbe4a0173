"""Weight files: safetensors with one JSON header, written whole or not at all, checked when read. Never pickles.

The header is one JSON text under the key ``percept`` of the safetensors metadata: what the network is, what made it,
from which data under which licence, what it scored, and a digest of the numbers.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from percept import __version__
from percept.core.errors import UsageError
from percept.core.files import write_atomic

FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """A weight file in memory.

    Attributes:
        path: where it was read.
        header: ``task``, ``model`` (name and options that build it), ``classes``, ``data``, ``licence``, ``scores`` ...
        tensors: name -> float32 tensor (whole-number tensors keep their type).
    """

    path: Path
    header: dict[str, Any]
    tensors: dict[str, Tensor]


def save(path: Path, tensors: dict[str, Tensor], header: dict[str, Any], *, store: str = "float32") -> None:
    """Write a weight file.

    Args:
        tensors: name -> tensor; floating ones are stored as ``store`` (``float32`` or ``float16``), but for vectors
            (biases, statistics), which are few, and some too small for float16.
        header: JSON values; ``format``, ``versions`` and ``digest`` are added.

    Raises:
        PerceptError: the file cannot be written; an older one of that name is untouched.
        ValueError: a tensor is not finite (in the type it is stored in).
    """
    stored = {}
    for name, tensor in sorted(tensors.items()):
        kept = tensor.detach().cpu()
        if kept.is_floating_point():
            kept = kept.to(getattr(torch, store) if kept.ndim > 1 else torch.float32)
            if not torch.isfinite(kept).all():
                raise ValueError(f"{name} holds numbers that are not finite in {store}")
        stored[name] = kept.contiguous().clone()
    header = {
        "format": FORMAT,
        **header,
        "versions": {"percept": __version__, "torch": torch.__version__.split("+")[0]},
        "digest": _digest(stored),
    }
    write_atomic(path, to_bytes(stored, metadata={"percept": json.dumps(header, sort_keys=True)}))


def read_header(path: Path) -> dict[str, Any]:
    """The JSON header alone. Raises as :func:`load` does."""
    _refuse_others(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise UsageError(f"{path}: damaged weight file: {_first_line(error)}") from error
    try:
        header = json.loads(metadata["percept"])
    except (KeyError, json.JSONDecodeError):
        raise UsageError(f"{path}: a safetensors file, but not one of percept's (it has no percept header)") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise UsageError(f"{path}: written by another version of percept (format {header.get('format')!r})")
    return header


def load(path: Path, *, task: str | None = None) -> Checkpoint:
    """Read a weight file and check it.

    Args:
        task: the task that will use it; another task's file is refused.

    Raises:
        UsageError: not a weight file, a pickle, cut off, changed since it was written, or another task's.
    """
    header = read_header(path)
    if task is not None and header.get("task") != task:
        raise UsageError(f"{path}: these weights are for {header.get('task')}, not for {task}")
    try:
        with safe_open(path, framework="pt") as file:
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError, ValueError) as error:
        raise UsageError(f"{path}: damaged weight file: {_first_line(error)}") from error
    if _digest(stored) != header.get("digest"):
        raise UsageError(f"{path}: damaged weight file: its numbers are not those that were written")
    tensors = {name: t.float() if t.is_floating_point() else t for name, t in stored.items()}
    return Checkpoint(path, header, tensors)


def _refuse_others(path: Path) -> None:
    """Say what a file is that cannot be a weight file; nothing is unpickled, ever."""
    try:
        with path.open("rb") as file:
            first = file.read(16)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    if not first:
        raise UsageError(f"{path}: an empty file, not weights")
    if first[8:9] == b"{" and 2 <= int.from_bytes(first[:8], "little") <= 100_000_000:
        return  # safetensors: the length of its header, which may well begin with the 0x80 of a pickle, and the header
    if first[:4] == b"PK\x03\x04" or first[:1] == b"\x80":
        raise UsageError(
            f"{path}: a pickle or PyTorch archive, which can run code when it is read; percept reads .safetensors only"
        )
    raise UsageError(f"{path}: not a weight file (.safetensors)")


def _digest(tensors: dict[str, Tensor]) -> str:
    """sha256 over names, types, shapes and numbers, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
