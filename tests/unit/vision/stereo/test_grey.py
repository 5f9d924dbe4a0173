"""Grey values: one weighting, for bytes and for floats."""

from __future__ import annotations

import numpy as np
import torch

from percept.vision.stereo.grey import grey, grey_bytes
from percept.vision.stereo.model import to_grey


def test_numpy_torch_and_bytes_agree() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (17, 23, 3)).astype(np.uint8)
    found = grey(rgb)
    assert found.dtype == np.float32 and found.shape == (17, 23)
    assert np.allclose(found, 0.299 * rgb[..., 0] + 0.587 * rgb[..., 1] + 0.114 * rgb[..., 2], atol=1e-4)
    images = torch.from_numpy(rgb).permute(2, 0, 1)[None].float()  # (H, W, 3) -> (1, 3, H, W)
    assert np.allclose(to_grey(images)[0, 0].numpy(), found, atol=1e-4)
    assert np.abs(grey_bytes(rgb) - found).max() <= 0.51
    assert np.allclose(grey(rgb.astype(np.float32) / 255), found / 255, atol=1e-6)


def test_grey_stays_what_it_is() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    rgb = np.repeat(levels[:, :, None], 3, axis=2)  # (H, W) -> (H, W, 3)
    assert np.array_equal(grey_bytes(rgb), levels)
    assert np.allclose(grey(rgb), levels, atol=1e-4)
