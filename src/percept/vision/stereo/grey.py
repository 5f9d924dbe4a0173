"""Grey values of colours, as ITU-R BT.601 weighs them."""

from __future__ import annotations

import cv2
import numpy as np

SHARES = (0.299, 0.587, 0.114)  # of red, green and blue


def grey(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3), uint8 0..255 or float32 of any range -> (H, W) float32 of the same range."""
    return rgb.astype(np.float32, copy=False) @ np.array(SHARES, np.float32)  # (H, W, 3) -> (H, W)


def grey_bytes(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> (H, W) uint8, rounded."""
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)  # (H, W, 3) -> (H, W)
