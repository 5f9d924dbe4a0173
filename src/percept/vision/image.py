"""Pictures of any common kind in, ``(H, W, 3)`` uint8 RGB out; and written whole or not at all.

Pillow decodes, but is not asked to guess: the first bytes choose the one decoder that may see the file, the size in the
header is looked at before a pixel is decoded, and a file that was cut off is an error, never a picture that turns grey.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from percept.core.errors import InputError, UsageError
from percept.core.files import write_atomic
from percept.core.kinds import looks_like, unreadable
from percept.vision.whole import cut_off, png_flaw, webp_size

MAX_PIXELS = 100_000_000  # 300 MB once decoded; PERCEPT_MAX_PIXELS replaces it
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".gif", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
    | {".pbm", ".pnm", ".avif", ".jp2", ".j2k"}
)
ORIENTATION = 0x0112  # the EXIF tag

# Remarks on odd metadata are no news to the person who waits for an answer; pixels that cannot be trusted raise.
warnings.filterwarnings("ignore", module=r"PIL\.")


# name, what the file begins with, the class that opens it
_FORMATS = (
    ("JPEG", rb"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
    ("PNG", rb"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    ("GIF", rb"GIF8[79]a", GifImagePlugin.GifImageFile),
    ("WebP", rb"RIFF.{4}WEBP", WebPImagePlugin.WebPImageFile),
    ("TIFF", rb"II[*+]\x00|MM\x00[*+]", TiffImagePlugin.TiffImageFile),
    ("BMP", rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00", BmpImagePlugin.BmpImageFile),
    ("PPM", rb"P[1-6][\s#]", PpmImagePlugin.PpmImageFile),
    ("AVIF", rb".{4}ftypavi[fs]", AvifImagePlugin.AvifImageFile),
    ("JPEG 2000", rb"\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", Jpeg2KImagePlugin.Jpeg2KImageFile),
)


def read_image(source: Path | bytes) -> np.ndarray:
    """The picture in a file, or in the bytes of one, as ``(H, W, 3)`` uint8 RGB.

    Turned upright as its EXIF says. 16-bit values keep their upper byte; grey, palette, CMYK and 1-bit become RGB; what
    is transparent lies on white; of an animation the first frame is taken.

    Raises:
        InputError: no picture, cut off, damaged, or of more pixels than MAX_PIXELS; nothing else, whatever the bytes.
        UsageError: PERCEPT_MAX_PIXELS is no number.
    """
    if not isinstance(source, Path):
        return _read(io.BytesIO(source), len(source))
    if problem := unreadable(source):
        raise InputError(problem)
    with source.open("rb") as file:
        return _read(file, os.fstat(file.fileno()).st_size)


def read_sample(path: Path) -> np.ndarray:
    """The picture of a data set, as :func:`read_image` gives it; one that cannot be used makes the set unusable.

    Raises:
        UsageError: not a whole picture; the message names the file.
    """
    try:
        return read_image(path)
    except InputError as error:
        raise UsageError(f"{path}: {error}") from error


def to_rgb(value: Any) -> np.ndarray:
    """Whatever a Python caller has for a picture, as ``(H, W, 3)`` uint8 RGB.

    value: a path or the bytes of a file; a PIL image; a numpy array ``(H, W)``, ``(H, W, 1)``, ``(H, W, 3)`` or
    ``(H, W, 4)``; a torch tensor ``(3, H, W)``, ``(1, H, W)`` or with a batch of one before it. Numbers are bool,
    uint8, uint16 or floats from 0 to 1; a fourth channel is alpha, and lies on white.

    Raises:
        InputError: it is none of these; the message names the shape or kind that was found.
    """
    if isinstance(value, (str, Path)):
        return read_image(Path(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return read_image(bytes(value))
    if isinstance(value, Image.Image):
        return _guarded("picture", lambda: _upright(value))
    if isinstance(value, np.ndarray):
        return _from_array(value)
    if type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach"):
        return _from_tensor(value)
    raise InputError(f"a {type(value).__name__} is no picture; give a path, a PIL image, an array or a tensor")


def write_image(path: Path, rgb: np.ndarray) -> None:
    """Write ``(H, W, 3)`` uint8 RGB as .png, .jpg or .webp, whole or not at all.

    Raises:
        UsageError: another suffix.
        PerceptError: the disk is full, the folder may not be written, or the format has no room for so many pixels.
    """
    options = {
        ".png": {"format": "PNG"},
        ".jpg": {"format": "JPEG", "quality": 92, "subsampling": 0},  # 4:4:4, or thin coloured lines bleed
        ".webp": {"format": "WEBP", "quality": 90},
    }
    suffix = path.suffix.lower().replace("jpeg", "jpg")
    if suffix not in options:
        raise UsageError(f'{path}: pictures are written as .png, .jpg or .webp, not "{path.suffix}"')
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"expected (H, W, 3) uint8, got {rgb.shape} {rgb.dtype}")
    buffer = io.BytesIO()
    try:
        Image.fromarray(rgb).save(buffer, **options[suffix])
    except (OSError, ValueError) as error:  # JPEG ends at 65,535 pixels a side, WebP at 16,383
        raise InputError(f"{path}: {rgb.shape[1]:,} x {rgb.shape[0]:,} pixels do not fit into {suffix}") from error
    write_atomic(path, buffer.getvalue())


def max_pixels() -> int:
    """How many pixels a picture may have: MAX_PIXELS, or what PERCEPT_MAX_PIXELS says."""
    text = os.environ.get("PERCEPT_MAX_PIXELS", "").replace("_", "").replace(",", "")
    if not text:
        return MAX_PIXELS
    if not text.isdecimal() or int(text) == 0:
        raise UsageError(f'PERCEPT_MAX_PIXELS is "{text}", not a whole number of pixels')
    return int(text)


def check_size(width: int, height: int) -> None:
    """Raises InputError for a picture of ``width`` x ``height`` pixels that is too large, or has none."""
    limit = max_pixels()
    if width < 1 or height < 1:
        raise InputError("a picture without pixels")
    if width * height > limit:
        most = f"{limit // 10**6:,} million" if limit % 10**6 == 0 else f"{limit:,}"
        raise InputError(f"{width:,} x {height:,} pixels are more than {most} (raise PERCEPT_MAX_PIXELS to read it)")


def _read(file: BinaryIO, size: int) -> np.ndarray:
    head = file.read(512)
    file.seek(0)
    if size == 0:
        raise InputError("an empty file")
    name, opener = next(
        ((name, opener) for name, magic, opener in _FORMATS if re.match(magic, head, re.DOTALL)), ("", None)
    )
    if opener is None:
        raise InputError(f"not a picture ({looks_like(head)})")
    if size > 8 * max_pixels() + 2**26:  # 16-bit RGBA without compression, and room for metadata
        raise InputError(f"a file of {size / 1e9:.1f} GB is too large for a picture")
    if name == "WebP":  # its decoder makes room for the whole picture as soon as it opens the file
        check_size(*webp_size(head))

    def decode() -> np.ndarray:
        with opener(file) as picture:
            check_size(*picture.size)
            if name == "PNG" and (flaw := png_flaw(file, size)):
                raise InputError(flaw)
            return _upright(picture)

    return _guarded(name, decode, lambda text: cut_off(name, file, size, text))


def _guarded(name: str, decode: Callable[[], np.ndarray], says: Callable[[str], str] = lambda error: "") -> np.ndarray:
    """``decode()``, where a decoder that stumbles over hostile bytes, in whatever way, makes an InputError."""
    try:
        return decode()
    except (InputError, UsageError):
        raise
    except MemoryError as error:
        raise InputError("more pixels than this machine has memory for") from error
    except Image.DecompressionBombError as error:
        raise InputError("more pixels than its header says") from error
    except Exception as error:  # Pillow lets SyntaxError, OSError, ValueError, struct.error, zlib.error ... out
        raise InputError(says(str(error)) or f"damaged: its {name} data cannot be decoded") from error


def _upright(picture: Image.Image) -> np.ndarray:
    picture.load()
    try:
        orientation = picture.getexif().get(ORIENTATION, 1)
    except Exception:  # broken metadata; the pixels are whole
        orientation = 1
    rgb = _pixels(picture)  # (H, W, 3)
    # What EXIF calls 5 to 8 exchanges rows and columns: (W, H, 3) in the file becomes (H, W, 3).
    turned = {
        2: lambda: rgb[:, ::-1],
        3: lambda: rgb[::-1, ::-1],
        4: lambda: rgb[::-1],
        5: lambda: rgb.transpose(1, 0, 2),
        6: lambda: np.rot90(rgb, -1),
        7: lambda: rgb[::-1, ::-1].transpose(1, 0, 2),
        8: lambda: np.rot90(rgb),
    }
    return np.ascontiguousarray(turned[orientation]()) if orientation in turned else rgb


def _pixels(picture: Image.Image) -> np.ndarray:
    """A decoded picture of any mode as ``(H, W, 3)`` uint8 RGB."""
    if picture.mode.startswith("I;16"):
        return _grey((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode == "I":  # how Pillow opens some 16-bit greys
        values = np.asarray(picture)  # (H, W) int32
        if values.min() < 0 or values.max() > 65535:
            raise InputError("whole numbers beyond 0 to 65,535 in place of brightness: not a photo")
        return _grey((values >> 8).astype(np.uint8))
    if picture.mode == "F":
        return _grey(_to_bytes(np.asarray(picture)))
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        paper = Image.new("RGB", picture.size, "white")
        paper.paste(layer, mask=layer)
        return np.array(paper)
    return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"))


def _grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values[:, :, None], 3, axis=2)  # (H, W) -> (H, W, 3)


def _to_bytes(values: np.ndarray) -> np.ndarray:
    """Numbers of brightness, of any shape, as uint8."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype == np.uint16:
        return (values >> 8).astype(np.uint8)
    if not np.issubdtype(values.dtype, np.floating):
        raise InputError(f"numbers of type {values.dtype}; give uint8, uint16, or floats from 0 to 1")
    if values.size and not np.isfinite(values).all():
        raise InputError("some of its numbers are NaN or infinite")
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if low < -1e-3 or high > 1 + 1e-3:  # a resized picture may overshoot by a rounding error
        raise InputError(f"floats from {low:.4g} to {high:.4g}; give floats from 0 to 1, or uint8")
    return np.rint(values.clip(0, 1) * 255).astype(np.uint8)


def _from_array(array: np.ndarray) -> np.ndarray:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4):
        hint = "; move the channels last" if array.ndim == 3 and array.shape[0] in (1, 3, 4) else ""
        raise InputError(f"an array of shape {array.shape}; expected (H, W), (H, W, 3) or (H, W, 4){hint}")
    check_size(array.shape[1], array.shape[0])
    values = _to_bytes(array)
    if channels == 1:
        return _grey(values.reshape(array.shape[:2]))
    if channels == 4:
        return _pixels(Image.fromarray(np.ascontiguousarray(values)))
    return np.array(values, order="C")  # a copy: what the caller does to theirs later is not seen here


def _from_tensor(tensor: Any) -> np.ndarray:
    shape = tuple(tensor.shape)
    planes = tensor[0] if len(shape) == 4 and shape[0] == 1 else tensor  # (1, C, H, W) -> (C, H, W)
    if planes.ndim != 3 or planes.shape[0] not in (1, 3):
        raise InputError(f"a tensor of shape {shape}; expected (3, H, W), (1, H, W) or a batch of one such")
    planes = planes.detach().cpu()
    array = (planes.float() if planes.is_floating_point() else planes).numpy()
    return _from_array(array.transpose(1, 2, 0))  # (C, H, W) -> (H, W, C)


def one_thread(_worker: int) -> None:
    """For a loader's worker process: OpenCV's own threads would fight over the cores, and can hang after a fork."""
    import cv2

    cv2.setNumThreads(0)
