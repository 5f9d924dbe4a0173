"""Files of disparities: PFM, PNG and NPY, read with NaN where there is no answer, and written whole or not at all.

Disparities are float32 (H, W) in pixels of the left picture. NaN is the only sign for "none" inside percept; a file has
its own: +inf in PFM, 0 in PNG, NaN in NPY.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np

from percept.core.errors import InputError
from percept.core.files import write_atomic
from percept.vision.image import check_size

PNG_SCALE = 256.0  # KITTI's: what a 16-bit value of 1 pixel is
TRUTH_SUFFIXES = (".png", ".pgm", ".pfm", ".npy", ".tif", ".tiff")
_NONE = np.float32(np.nan)


def write_pfm(path: Path, disparity: np.ndarray) -> None:
    """Write (H, W) as a little-endian PFM, +inf for NaN."""
    height, width = disparity.shape
    rows = np.where(np.isnan(disparity), np.inf, disparity)[::-1].astype("<f4")  # the format begins at the bottom
    write_atomic(path, f"Pf\n{width} {height}\n-1.0\n".encode() + rows.tobytes())


def write_png16(path: Path, disparity: np.ndarray) -> None:
    """Write (H, W) as a 16-bit PNG: 256 d, 0 for NaN, at least 1 for every answer, no more than 65535 (256 pixels)."""
    values = np.clip(np.rint(disparity * PNG_SCALE), 1, 65535)
    _, data = cv2.imencode(".png", np.where(np.isnan(disparity), 0, values).astype(np.uint16))
    write_atomic(path, data.tobytes())


def write_npy(path: Path, disparity: np.ndarray) -> None:
    """Write (H, W) as float32 .npy, NaN as it is."""
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(disparity, np.float32), allow_pickle=False)
    write_atomic(path, buffer.getvalue())


def read_truth(path: Path, scale: float = 0.0) -> np.ndarray:
    """The disparities of a file as (H, W) float32 in pixels, top row first, NaN where it has none.

    Args:
        scale: what a value of 1 pixel is in an 8- or 16-bit picture, in which 0 means none; PFM and NPY hold pixels,
            and none is what is negative or not finite.

    Raises:
        InputError: unreadable, cut off, not one channel, or an 8-bit picture where ``scale`` asks for 16 bits.
    """
    values = read_values(path)
    if values.dtype.kind == "f":
        return _known(values)
    if values.dtype == np.uint8 and scale >= PNG_SCALE:
        raise InputError("8 bits, where 16 bits (disparity x 256, 0 = none) are expected")
    return np.where(values == 0, _NONE, values.astype(np.float32) / np.float32(scale or 1))


def read_values(path: Path) -> np.ndarray:
    """The numbers of a file as they stand in it, (H, W): float32 of PFM and NPY, uint8 or uint16 of a picture.

    Raises:
        InputError: unreadable, or not one channel.
    """
    suffix = path.suffix.lower()
    if suffix == ".pfm":
        return _pfm(path)
    if suffix == ".npy":
        return _npy(path)
    values = cv2.imdecode(np.frombuffer(_bytes(path), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise InputError("not a whole picture")
    if values.ndim == 3 and (values[..., :3] == values[..., :1]).all():
        values = values[..., 0]  # (H, W, 3) of three equal channels -> (H, W)
    if values.ndim != 2:
        raise InputError(f"{values.shape[2]} channels, where disparities have one")
    if values.dtype not in (np.uint8, np.uint16, np.float32):
        raise InputError(f"numbers of type {values.dtype}, where 8 or 16 bits or floats are expected")
    return values


def _known(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values) & (values >= 0), values, _NONE).astype(np.float32)


def _pfm(path: Path) -> np.ndarray:
    """As stored, but with the top row first."""
    data = _bytes(path)
    begin, words = 0, []
    for _ in range(3):  # "Pf", "WIDTH HEIGHT", SCALE: a line each
        end = data.find(b"\n", begin, begin + 80)
        if end < 0:
            raise InputError("not a PFM: its header has no end")
        words += data[begin:end].split()
        begin = end + 1
    if words[:1] == [b"PF"]:
        raise InputError("a PFM of three channels, where disparities have one")
    try:
        kind, width, height, scale = words[0], int(words[1]), int(words[2]), float(words[3])
    except (IndexError, ValueError) as error:
        raise InputError("not a PFM: no width, height and scale in its header") from error
    if kind != b"Pf" or len(words) != 4:
        raise InputError('not a PFM: it does not begin with "Pf"')
    check_size(width, height)
    if len(data) - begin < 4 * width * height:
        raise InputError(f"cut off after {len(data):,} of {begin + 4 * width * height:,} bytes")
    # the sign of the scale tells the order of the bytes; its size is no factor
    values = np.frombuffer(data, "<f4" if scale < 0 else ">f4", width * height, begin)
    return np.ascontiguousarray(values.reshape(height, width)[::-1], np.float32)  # (H W,) -> (H, W)


def _npy(path: Path) -> np.ndarray:
    try:
        values = np.load(io.BytesIO(_bytes(path)), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise InputError("not a whole .npy of numbers") from error
    if not isinstance(values, np.ndarray):
        raise InputError("not (H, W) numbers, but an archive of arrays")
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values[0] if values.shape[0] == 1 else values[..., 0]  # (1, H, W) or (H, W, 1) -> (H, W)
    if values.ndim != 2 or values.dtype.kind not in "fiu" or not values.size:
        raise InputError("not (H, W) numbers")
    return values.astype(np.float32)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(error.strerror or str(error)) from error
