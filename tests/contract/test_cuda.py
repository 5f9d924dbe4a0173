"""What a GPU answers is what the processor answers. Skipped where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from commandline import percept
from inputs import INPUTS

import percept as package
from percept import tasks

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
NEAR = 1e-3  # of the largest number of an output


@pytest.mark.parametrize("task", tasks.names())
def test_networks_answer_as_on_the_processor(task: str) -> None:
    """float32 on both, without TF32, whose products have ten bits."""
    inputs = INPUTS[task]
    keywords = {"weights": inputs.weights} if inputs.weights else {}
    example = [torch.from_numpy(array) for array in inputs.example().values()]
    answers = []
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        for device in ("cpu", "cuda"):
            network = package.load(task, device=device, precision="float32", **keywords).network
            with torch.inference_mode():
                made = network(*(tensor.to(device) for tensor in example))
            answers.append([tensor.cpu().numpy() for tensor in (made if isinstance(made, tuple) else (made,))])
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before
    for cpu, cuda in zip(*answers, strict=True):
        np.testing.assert_allclose(cuda, cpu, atol=NEAR * max(1.0, float(np.abs(cpu).max())))


@pytest.mark.parametrize("task", tasks.names())
def test_a_training_on_the_gpu_is_begun_stopped_and_gone_on_with(task: str, tmp_path: Path) -> None:
    inputs, folder = INPUTS[task], tmp_path / "run"
    words = ("--data", inputs.data, *inputs.train, *inputs.start, "--device", "cuda", "--out", folder)
    assert percept("train", task, *words, "--stop-after", "1", "--quiet").code == 0
    assert percept("train", task, "--resume", folder, "--stop-after", "0", "--quiet").code == 0
    ran = percept("eval", task, "--data", inputs.data, "--split", "val", "--weights", folder, "--device", "cuda", "-q")
    assert ran.code == 0, ran.err
