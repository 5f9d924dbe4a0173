"""Networks as ONNX files, compared with torch by onnxruntime before they get their name."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from percept.core.errors import PerceptError, UsageError
from percept.core.files import replacing, sha256

OPSET = 18
TOLERANCE = 1e-4  # of the largest number in an output


def to_onnx(
    network: nn.Module,
    path: Path,
    example: Tensor,
    other: Tensor,
    *,
    inputs: Mapping[str, Mapping[int, str]],
    outputs: Mapping[str, Mapping[int, str]],
    about: dict[str, Any],
) -> dict[str, Any]:
    """Write ``network`` as ONNX, its one input of any size along the axes that are named, and check it.

    Args:
        example: input for tracing.
        other: an input of another size, with which the file is run beside torch.
        inputs, outputs: name -> those of its axes that may vary, and what they are called.
        about: stored in the file's metadata under ``percept``.

    Raises:
        UsageError: onnx and onnxruntime are not installed (the extra ``export``).
        PerceptError: the file does not answer as torch does.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reports to its makers; percept stays offline
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed: pip install 'percept[export]'") from error
    network = network.eval()
    with replacing(path) as temporary, torch.inference_mode():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tracing: sizes that become constants are checked below
            torch.onnx.export(
                network,
                (example,),
                str(temporary),
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes={name: dict(axes) for name, axes in {**inputs, **outputs}.items()},
                opset_version=OPSET,
                dynamo=False,
            )
        model = onnx.load(str(temporary))
        entry = model.metadata_props.add()
        entry.key, entry.value = "percept", json.dumps(about)
        onnx.save(model, str(temporary))
        session = onnxruntime.InferenceSession(str(temporary), providers=["CPUExecutionProvider"])
        worst = 0.0
        (name,) = inputs
        for given in (example, other):
            answer = network(given)
            wanted = answer if isinstance(answer, tuple) else (answer,)
            got = session.run(None, {name: given.numpy()})
            for ours, theirs in zip(wanted, got, strict=True):
                scale = max(1.0, float(ours.abs().max()))
                worst = max(worst, float(np.abs(ours.numpy() - theirs).max()) / scale)
        if not worst <= TOLERANCE:
            raise PerceptError(f"the ONNX file answers differently from torch (by {worst:.1e}); nothing was written")
    return {
        "file": str(path),
        "size": path.stat().st_size,
        "sha256": sha256(path),
        "opset": OPSET,
        "checked": f"equal to torch within {worst:.0e} (onnxruntime, two sizes)",
        "difference": worst,
    }
