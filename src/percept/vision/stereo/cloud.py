"""Points in space from disparities, and PLY files of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from percept.core.files import replacing
from percept.vision.stereo.calibration import Calibration, depth

CHUNK = 2**16  # points that are put together at once
POINT = np.dtype([("place", "<f4", 3), ("colour", "u1", 3)])  # 15 bytes, none between them
HEADER = """\
ply
format binary_little_endian 1.0
comment metres in the left camera's coordinates: x right, y down, z forward
element vertex {count}
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
end_header
"""


def points(disparity: np.ndarray, rgb: np.ndarray, calibration: Calibration) -> tuple[np.ndarray, np.ndarray]:
    """Where the pixels of the left view lie: (N, 3) float32 metres, and their colours (N, 3) uint8.

    x to the right, y down, z forward from the left camera. Pixels without disparity, or at no finite depth, are left
    out; the others keep their order, row by row.

    Args:
        disparity: (H, W) pixels, NaN where there is none. rgb: (H, W, 3) uint8, the left view.
    """
    metres = depth(disparity, calibration)
    known = np.isfinite(metres)
    y, x = np.nonzero(known)
    z = metres[known]  # (H, W) -> (N,)
    found = np.empty((len(z), 3), np.float32)
    found[:, 0] = (x.astype(np.float32) - np.float32(calibration.cx)) * z / np.float32(calibration.focal)
    found[:, 1] = (y.astype(np.float32) - np.float32(calibration.cy)) * z / np.float32(calibration.focal)
    found[:, 2] = z
    return found, rgb[known]


def write_ply(path: str | Path, places: np.ndarray, colours: np.ndarray) -> None:
    """Write points (N, 3) metres with colours (N, 3) uint8 as binary PLY, whole or not at all.

    Raises:
        PerceptError: the disk is full, or the folder may not be written.
    """
    if places.shape != colours.shape or places.ndim != 2 or places.shape[1] != 3:
        raise ValueError(f"expected (N, 3) points and colours, got {places.shape} and {colours.shape}")
    with replacing(Path(path)) as temporary, temporary.open("wb") as file:
        file.write(HEADER.format(count=len(places)).encode())
        for start in range(0, len(places), CHUNK):
            part = slice(start, start + CHUNK)
            block = np.empty(len(places[part]), POINT)
            block["place"], block["colour"] = places[part], colours[part]
            file.write(block.tobytes())
