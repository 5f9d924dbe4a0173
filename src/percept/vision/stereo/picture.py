"""Disparity as pictures: colours with a scale, and errors beside the truth."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from percept.core.files import write_atomic

HOLE = (52, 52, 52)  # no disparity: a grey that is no colour of the scale
PAPER, INK = (24, 24, 24), (235, 235, 235)
TICKS = 5
# The largest error, in pixels, that has this colour: right, nearly, wrong, far off.
ERRORS = ((1.0, (56, 176, 72)), (2.0, (196, 214, 64)), (4.0, (242, 152, 36)), (np.inf, (214, 40, 40)))
OCCLUDED = 0.5  # brightness of what only the left view sees
GAP = 4  # pixels between the pictures of a montage


def limits(disparity: np.ndarray) -> tuple[float, float]:
    """The range that the colours of (H, W) should show: all but the outermost hundredth, in whole pixels."""
    known = disparity[np.isfinite(disparity)]
    if not known.size:
        return 0.0, 1.0
    low, high = np.percentile(known, (0.5, 99.5))
    low, high = float(np.floor(low)), float(np.ceil(high))
    return low, max(high, low + 1)


def colours(disparity: np.ndarray, low: float, high: float) -> np.ndarray:
    """(H, W) pixels, NaN where there is none -> (H, W, 3) uint8 RGB: far is blue, near is red, none is dark grey."""
    known = np.isfinite(disparity)
    share = (np.where(known, disparity, low) - low) / max(high - low, 1e-6)
    rgb = _table()[np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)]  # (H, W) -> (H, W, 3)
    rgb[~known] = HOLE
    return rgb


def with_scale(
    rgb: np.ndarray, low: float, high: float, metres: Callable[[float], float | None] | None = None
) -> np.ndarray:
    """A picture (H, W, 3) with the scale of its colours at its right: (H, W + w, 3), w the same for the same size.

    low, high: the disparities at the ends, in pixels. metres: disparity -> depth, None where there is no depth.
    """
    height = rgb.shape[0]
    size = int(np.clip(round(0.028 * (height * rgb.shape[1]) ** 0.5), 9, max(9, height // (TICKS + 1))))
    font = _font(size)
    values = np.linspace(high, low, TICKS)
    texts = [_label(value, high - low, metres) for value in values]
    # as wide as any text can be: the frames of a video, whose scales differ, have one width
    room = round(font.getlength("000.0 px" + ("  000.0 m" if metres is not None else "")))
    bar, edge = max(6, round(0.9 * size)), max(3, size // 2)
    top, bottom = min(size, height // 3), max(height - 1 - min(size, height // 3), 1)
    wide = edge + bar + edge + room + edge
    panel = np.empty((height, wide, 3), np.uint8)
    panel[:] = PAPER
    levels = np.linspace(255, 0, max(bottom - top + 1, 1)).round().astype(np.uint8)
    panel[top : bottom + 1, edge : edge + bar] = _table()[levels][:, None]  # (h, 3) -> (h, 1, 3)
    drawn = Image.fromarray(panel)
    pen = ImageDraw.Draw(drawn)
    for number, text in enumerate(texts):
        y = top + (bottom - top) * number / (TICKS - 1)
        pen.line((edge + bar, y, edge + bar + edge // 2, y), fill=INK, width=max(1, size // 12))
        pen.text((edge + bar + edge, y), text, font=font, fill=INK, anchor="lm")
    return np.concatenate([rgb, np.asarray(drawn)], 1)


def write_grey(path: Path, share: np.ndarray) -> None:
    """Write (H, W) numbers 0..1 as an 8-bit grey .png: black is 0 and NaN, white 1.

    Raises:
        PerceptError: the disk is full, or the folder may not be written.
    """
    values = np.rint(np.clip(np.nan_to_num(share), 0, 1) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format="PNG")
    write_atomic(path, buffer.getvalue())


def errors(disparity: np.ndarray, truth: np.ndarray, visible: np.ndarray | None = None) -> np.ndarray:
    """How far off (H, W) is, as (H, W, 3) uint8 RGB: green to 1 pixel, yellow to 2, orange to 4, red above.

    truth: NaN where unknown (black). visible: what both views see; the rest is darker. A hole is as wrong as can be.
    """
    known = np.isfinite(truth)
    off = np.abs(np.nan_to_num(disparity, nan=np.inf) - np.where(known, truth, 0))
    rgb = np.zeros((*truth.shape, 3), np.float32)
    for limit, colour in reversed(ERRORS):
        rgb[off <= limit] = colour
    if visible is not None:
        rgb[~visible] *= OCCLUDED
    rgb[~known] = 0
    return rgb.astype(np.uint8)


def montage(
    left: np.ndarray, truth: np.ndarray, disparity: np.ndarray, visible: np.ndarray | None = None
) -> np.ndarray:
    """left | truth | answer | error, the two in the middle in the same colours: (H, 4 W + 3 gaps, 3) uint8 RGB."""
    low, high = limits(truth if np.isfinite(truth).any() else disparity)
    return beside([left, colours(truth, low, high), colours(disparity, low, high), errors(disparity, truth, visible)])


def beside(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures (H, W_i, 3) of one height in a row, white gaps between them."""
    gap = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8)
    row = [part for picture in pictures for part in (picture, gap)]
    return np.concatenate(row[:-1], 1)


@functools.cache
def _table() -> np.ndarray:
    """(256, 3) uint8 RGB: Mikhailov's turbo, whose ends are dark; they are left out, so that holes stand apart."""
    share = np.linspace(0.06, 0.96, 256) * 255
    bgr = cv2.applyColorMap(share.round().astype(np.uint8)[None], cv2.COLORMAP_TURBO)  # (1, 256, 3)
    return np.ascontiguousarray(bgr[0, :, ::-1])


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _label(value: float, span: float, metres: Callable[[float], float | None] | None) -> str:
    text = f"{value:.0f} px" if span >= 2 * TICKS else f"{value:.1f} px"
    depth = metres(value) if metres is not None else None
    if depth is None or not np.isfinite(depth):
        return text
    return (
        f"{text}  {depth:.2f} m"
        if depth < 10
        else f"{text}  {depth:.1f} m"
        if depth < 100
        else f"{text}  {depth:.0f} m"
    )
