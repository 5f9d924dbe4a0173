"""Augmentation of training photos: flip, zoom and crop, colours, mosaics of four, with boxes that follow the pixels.

All of it is OpenCV on uint8: a 416 x 416 picture of one photo takes about 2 ms of one core, of four photos 4 ms, where
torchvision's v2 takes 18 ms for the colours alone (hue 12.8, saturation 3.7, contrast 1.4, brightness 0.9; here one
3 x 4 matrix, 0.1 ms).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

GREY = 114  # what lies outside the photo: near the mean of photos, so that it is not an edge of its own
SHRINK_BY_AREA = 1.8  # photos shrunk by more are averaged over areas: thin things would vanish. Slower than a warp
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
TO_YIQ = np.array([LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])  # hue is an angle in the plane of I and Q
FROM_YIQ = np.linalg.inv(TO_YIQ)


@dataclass(frozen=True)
class Augment:
    """How strongly training photos are changed; `Augment.none()` only fits them into the input.

    flip: share of photos mirrored; scale: zoom range relative to the photo just fitting the input;
    aspect: width and height may be stretched against each other by up to 1 + aspect;
    mosaic: share of pictures made of four photos; mosaic_scale: their zoom range, relative to the whole input;
    brightness, contrast, saturation: each factor is drawn from 1 - v ... 1 + v; hue: turn in shares of the circle;
    min_left: boxes of which a crop leaves less than this share of their area are ignored, neither object nor
    background; min_pixels: so are boxes with a side shorter than this in the input.
    """

    flip: float = 0.5
    scale: tuple[float, float] = (0.7, 1.8)
    aspect: float = 0.15
    mosaic: float = 0.5
    mosaic_scale: tuple[float, float] = (0.4, 1.2)
    brightness: float = 0.2
    contrast: float = 0.25
    saturation: float = 0.3
    hue: float = 0.02
    min_left: float = 0.2
    min_pixels: float = 4.0

    @classmethod
    def none(cls) -> Augment:
        """Nothing random."""
        return cls(0.0, (1.0, 1.0), 0.0, 0.0, (1.0, 1.0), 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Sample:
    """A picture with its boxes: image (H, W, 3) uint8 RGB; boxes (N, 4) float32 pixels; labels (N,); ignore (N,)."""

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    ignore: np.ndarray


def augmented(
    load: Callable[[int], Sample], index: int, count: int, size: int, how: Augment, rng: np.random.Generator
) -> Sample:
    """Photo `index` of `count` as one training picture of size x size pixels, everything random drawn from `rng`.

    load: gives a photo by index; a mosaic takes three more at random.
    """
    if rng.random() < how.mosaic:
        others = rng.integers(0, count, 3)
        return mosaic([load(index), *(load(int(other)) for other in others)], size, how, rng)
    return placed(load(index), size, size, size, how.scale, how, rng)


def mosaic(samples: list[Sample], size: int, how: Augment, rng: np.random.Generator) -> Sample:
    """Four photos around a random point of a size x size picture, each zoomed and cropped to its quarter."""
    x, y = (int(size * rng.uniform(0.3, 0.7)) for _ in range(2))
    canvas = np.empty((size, size, 3), np.uint8)
    parts = []
    for sample, (x0, y0, x1, y1) in zip(
        samples, [(0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size)], strict=True
    ):
        part = placed(sample, x1 - x0, y1 - y0, size, how.mosaic_scale, how, rng)
        canvas[y0:y1, x0:x1] = part.image
        parts.append((part, np.array([x0, y0, x0, y0], np.float32)))
    return Sample(
        canvas,
        np.concatenate([part.boxes + corner for part, corner in parts]),  # (sum of N, 4)
        np.concatenate([part.labels for part, _ in parts]),
        np.concatenate([part.ignore for part, _ in parts]),
    )


def placed(
    sample: Sample,
    width: int,
    height: int,
    fit: int,
    scale: tuple[float, float],
    how: Augment,
    rng: np.random.Generator,
) -> Sample:
    """The photo zoomed, recoloured, perhaps mirrored, and laid at random on a grey canvas of width x height.

    At zoom 1 the photo's longer side is `fit` pixels. A photo smaller than the canvas lies wholly on it, a larger
    one covers it; without any zoom range it lies in the upper left corner, as photos do at prediction.
    """
    photo_height, photo_width = sample.image.shape[:2]
    zoom = fit / max(photo_height, photo_width) * math.exp(rng.uniform(*np.log(scale)))
    stretch = math.exp(rng.uniform(-0.5, 0.5) * math.log1p(how.aspect))
    across = max(1, round(photo_width * zoom * stretch))
    down = max(1, round(photo_height * zoom / stretch))
    left, top = 0, 0
    if scale[0] < scale[1]:
        left = between(width - across, rng)
        top = between(height - down, rng)
    image = np.full((height, width, 3), GREY, np.uint8)
    seen = (slice(max(top, 0), min(top + down, height)), slice(max(left, 0), min(left + across, width)))
    image[seen] = recoloured(zoomed(sample.image, across, down, left, top, *seen), how, rng)
    factors = np.array([across / photo_width, down / photo_height] * 2, np.float32)
    boxes = sample.boxes * factors + np.array([left, top, left, top], np.float32)
    if rng.random() < how.flip:
        image = cv2.flip(image, 1)
        boxes = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)  # (N, 4)
    return cut(Sample(image, boxes, sample.labels, sample.ignore), width, height, how)


def between(room: int, rng: np.random.Generator) -> int:
    """Where a photo begins on a canvas that has this much room (negative: less than the photo)."""
    return int(rng.integers(min(room, 0), max(room, 0) + 1))


def zoomed(image: np.ndarray, across: int, down: int, left: int, top: int, rows: slice, columns: slice) -> np.ndarray:
    """The part of a photo that is seen in `rows` and `columns` of a canvas, where it lies at left, top.

    across, down: the size to which the whole photo is resized.
    """
    sx, sy = image.shape[1] / across, image.shape[0] / down  # photo pixels in one canvas pixel
    if max(sx, sy) > SHRINK_BY_AREA:
        small = cv2.resize(image, (across, down), interpolation=cv2.INTER_AREA)
        return small[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    # one warp computes only what is seen; pixel centres lie at halves
    shift = ((columns.start - left + 0.5) * sx - 0.5, (rows.start - top + 0.5) * sy - 0.5)
    matrix = np.array([[sx, 0, shift[0]], [0, sy, shift[1]]], np.float32)
    size = (columns.stop - columns.start, rows.stop - rows.start)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def cut(sample: Sample, width: int, height: int, how: Augment) -> Sample:
    """Boxes clipped to the canvas: those wholly outside go, those of which too little is left are ignored."""
    edges = np.array([width, height, width, height], np.float32)
    boxes = np.clip(sample.boxes, 0, edges)
    sides = boxes[:, 2:] - boxes[:, :2]  # (N, 2)
    whole = np.prod(sample.boxes[:, 2:] - sample.boxes[:, :2], axis=1)
    little = np.prod(sides, axis=1) < how.min_left * whole
    ignore = sample.ignore | little | (sides.min(axis=1, initial=np.inf) < how.min_pixels)
    seen = (sides > 0).all(axis=1)
    return Sample(sample.image, boxes[seen], sample.labels[seen], ignore[seen])


def recoloured(image: np.ndarray, how: Augment, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8 with brightness, contrast, saturation and hue changed at once: all four are linear in RGB."""
    light, contrast, saturation = (rng.uniform(1 - v, 1 + v) for v in (how.brightness, how.contrast, how.saturation))
    turn = 2 * math.pi * rng.uniform(-how.hue, how.hue)
    if not (how.brightness or how.contrast or how.saturation or how.hue):
        return image
    cos, sin = math.cos(turn), math.sin(turn)
    turned = FROM_YIQ @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ TO_YIQ
    matrix = turned @ (saturation * np.eye(3) + (1 - saturation) * LUMA)  # LUMA in each row
    # contrast turns around the picture's own mean grey; every 8th pixel is enough to know it
    mean = float(image[::8, ::8].reshape(-1, 3).mean(axis=0) @ LUMA)
    offset = np.full((3, 1), light * (1 - contrast) * mean)
    affine = np.concatenate([light * contrast * matrix, offset], axis=1)  # (3, 4)
    return cv2.transform(np.ascontiguousarray(image), affine.astype(np.float32))
