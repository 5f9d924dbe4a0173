"""Training crops: a window of both views, turned upside down, mirrored, stretched and lit otherwise, and its matches.

The paper's augmentation (Zbontar & LeCun 2016, section 5.4) without its large rotations, which a row of a whole crop
does not survive, and with a light that changes across one view, which patches of 11 pixels never see.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from percept.vision.stereo.data import Pair
from percept.vision.stereo.grey import grey as to_grey

SPARSE = 0.4  # of the pixels
NEAR, EDGE = 15, 3.0  # pixels around an outline, and the step of disparity that makes one


@dataclass(frozen=True)
class Augment:
    """How much is changed; zero changes nothing.

    stretch: log of the largest scale, for both axes together and, half of it, apart; tilt: degrees between the views;
    shift: pixels between the views, vertically; light: brightness, contrast and gamma of both views; apart: the same
    of one view against the other; shade: light across one view; noise: deviation of 255; grey, blur: how often.
    """

    stretch: float = 0.3
    tilt: float = 0.2
    shift: float = 0.4
    light: float = 0.3
    apart: float = 0.12
    shade: float = 0.35
    noise: float = 5.0
    grey: float = 0.3
    blur: float = 0.15
    flip: bool = True

    @classmethod
    def none(cls) -> Augment:
        """Windows as they are."""
        return cls(0, 0, 0, 0, 0, 0, 0, 0, 0, False)

    @classmethod
    def lighting(cls) -> Augment:
        """Changes of light only."""
        return cls(stretch=0, tilt=0, shift=0, flip=False)


def crop(
    pair: Pair, width: int, height: int, augment: Augment, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One training sample of a pair.

    Returns:
        Both windows, (height, width, 3) uint8 RGB, and (height, width) float32: the column of each left pixel's match
        in the right window, NaN where it has none, is occluded, lies outside, or is not asked for.
    """
    left, right, whole = pair.left, pair.right, pair.truth
    truth = np.where(pair.visible, whole, np.float32(np.nan))
    if augment.flip and pair.right_truth is not None and rng.random() < 0.5:
        left, right, truth = mirrored(pair)
        whole = np.ascontiguousarray(pair.right_truth[:, ::-1])
    source_height, source_width = truth.shape
    both = np.exp(rng.uniform(-augment.stretch, augment.stretch))
    scale_x, scale_y = (both * np.exp(rng.uniform(-augment.stretch, augment.stretch) / 2) for _ in range(2))
    scale_x, scale_y = max(scale_x, width / source_width), max(scale_y, height / source_height)
    upside = augment.flip and rng.random() < 0.5
    x = rng.uniform(0, source_width - width / scale_x)
    y = rng.uniform(0, source_height - height / scale_y)
    known = truth[int(y) : int(y + height / scale_y), int(x) : int(x + width / scale_x)]
    known = known[np.isfinite(known)]
    # the right window lies where most matches are, or anywhere between there and the left window's place
    away = rng.uniform(0, 1) * float(np.median(known)) if known.size else 0.0
    one = _affine(x, y, scale_x, scale_y, height if upside else 0)
    two = _affine(max(0.0, x - away), y, scale_x, scale_y, height if upside else 0)
    angle = np.deg2rad(rng.uniform(-augment.tilt, augment.tilt))
    down = rng.normal(0, augment.shift) if augment.shift else 0.0
    two = _tilted(two, angle, down, width, height)
    size = (width, height)
    shrink = cv2.INTER_AREA if both < 0.7 else cv2.INTER_LINEAR
    views = [
        cv2.warpAffine(v, a, size, flags=shrink, borderMode=cv2.BORDER_REPLICATE)
        for v, a in ((left, one), (right, two))
    ]
    truth, whole = (
        cv2.warpAffine(d, one, size, flags=cv2.INTER_NEAREST, borderValue=float("nan")) for d in (truth, whole)
    )
    places = _places(truth, one, two)
    places[_thinned(whole)] = np.nan
    return *_lit(views, augment, rng), places


def mirrored(pair: Pair) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pair seen in a mirror: the right view is the left one, with its own truth where both views see the place."""
    assert pair.right_truth is not None
    height, width = pair.truth.shape
    d = pair.right_truth
    column = np.arange(width)[None] + np.nan_to_num(d, nan=0.0)
    there = np.clip(column.round().astype(int), 0, width - 1)
    seen = np.take_along_axis(pair.truth, there, axis=1)
    with np.errstate(invalid="ignore"):
        good = np.isfinite(d) & (column <= width - 1) & (np.abs(seen - d) <= 1)
    truth = np.where(good, d, np.nan).astype(np.float32)
    return tuple(np.ascontiguousarray(a[:, ::-1]) for a in (pair.right, pair.left, truth))  # type: ignore[return-value]


def _affine(x: float, y: float, scale_x: float, scale_y: float, upside: int) -> np.ndarray:
    """(2, 3): from the picture to the window that begins at (x, y)."""
    matrix = np.array([[scale_x, 0, -x * scale_x], [0, scale_y, -y * scale_y]])
    return np.array([[1, 0, 0], [0, -1, upside - 1]]) @ np.vstack([matrix, [0, 0, 1]]) if upside else matrix


def _tilted(matrix: np.ndarray, angle: float, down: float, width: int, height: int) -> np.ndarray:
    """The same, turned by ``angle`` about the middle of the window and moved down."""
    cos, sin, cx, cy = np.cos(angle), np.sin(angle), width / 2, height / 2
    turn = np.array([[cos, -sin, cx - cos * cx + sin * cy], [sin, cos, cy - sin * cx - cos * cy + down]])
    return turn @ np.vstack([matrix, [0, 0, 1]])


def _places(truth: np.ndarray, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """(H, W) columns of the matches in the right window; ``truth`` still counts in pixels of the picture."""
    height, width = truth.shape
    back = cv2.invertAffineTransform(one)
    xs, ys = np.meshgrid(np.arange(width), np.arange(height))  # (H, W) each
    x = back[0, 0] * xs + back[0, 1] * ys + back[0, 2] - truth
    y = back[1, 0] * xs + back[1, 1] * ys + back[1, 2]
    places = two[0, 0] * x + two[0, 1] * y + two[0, 2]
    with np.errstate(invalid="ignore"):
        places[(places < 0) | (places > width - 1)] = np.nan
    return places.astype(np.float32)


def _thinned(truth: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels that need not be asked for, five of six of those that are far from any outline.

    Neighbours say nearly the same, and what is plain is the business of semi-global matching; a vector must tell near
    from far along the outlines, which are few. A sparse truth, as a laser scanner's, is asked for whole.
    """
    window = np.ones((NEAR, NEAR), np.uint8)
    known = np.isfinite(truth)
    if known.mean() < SPARSE:
        return np.zeros_like(known)
    highest = cv2.dilate(np.where(known, truth, -1e9).astype(np.float32), window)
    lowest = cv2.erode(np.where(known, truth, 1e9).astype(np.float32), window)
    plain = highest - lowest <= EDGE
    plain[::2, ::3] = False
    return plain


def _lit(views: list[np.ndarray], augment: Augment, rng: np.random.Generator) -> list[np.ndarray]:
    light = rng.uniform(-1, 1, 6) * augment.light
    grey = rng.random() < augment.grey
    found = []
    for number, view in enumerate(views):
        lit = view.astype(np.float32) / 255
        if grey:
            lit[:] = to_grey(lit)[..., None]  # (H, W) -> (H, W, 1)
        own = light + number * rng.uniform(-1, 1, 6) * augment.apart
        lit = np.clip(lit, 0, 1) ** np.float32(np.exp(own[0]))
        lit = lit * np.exp(own[1] + 0.3 * (0 if grey else own[3:])).astype(np.float32) + np.float32(0.4 * own[2])
        if number and augment.shade and rng.random() < 0.4:
            lit *= _shade(lit.shape[:2], augment.shade, rng)[..., None]
        if rng.random() < augment.blur:
            lit = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.4, 1.0))
        if augment.noise:
            lit += rng.normal(0, rng.uniform(0, augment.noise) / 255, lit.shape).astype(np.float32)
        found.append((np.clip(lit, 0, 1) * 255 + 0.5).astype(np.uint8))
    return found


def _shade(shape: tuple[int, int], amount: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W) float32 around 1: a lamp that lights one side more."""
    coarse = np.exp(rng.uniform(-amount, amount, (3, 4))).astype(np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
