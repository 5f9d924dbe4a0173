"""What was found, drawn on the photo: boxes with labels, and maps of where it is warm."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import product

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

# Lightness and chroma (OKLCH) of the colours, in turn: bright enough to stand out on a photo, and told apart in grey.
ROUNDS = ((0.70, 0.19), (0.82, 0.14), (0.56, 0.19))
GOLDEN_ANGLE = 137.508  # degrees between the hues of one class and the next: no two neighbours look alike
HIDDEN = 0.3  # share of a label under others from which it can no longer be read
HEAT_STOPS = (  # RGB of no, ..., most heat: dark violet over red to pale yellow, growing lighter all the way
    (20, 11, 54),
    (101, 21, 110),
    (188, 55, 84),
    (249, 142, 9),
    (252, 255, 164),
)


def palette(count: int) -> list[Colour]:
    """RGB of the classes 0 to ``count`` - 1. A class has the same colour however many there are."""
    return [_class_colour(index) for index in range(count)]


def text_colour(background: Colour) -> Colour:
    """Black or white, whichever is easier to read on ``background`` (contrast of WCAG 2.1 at least 4.5)."""
    linear = [_linear(value / 255) for value in background]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return (0, 0, 0) if luminance > 0.1791 else (255, 255, 255)


def draw_boxes(rgb: np.ndarray, boxes: np.ndarray, texts: Sequence[str], colours: Sequence[Colour]) -> np.ndarray:
    """A copy of a photo with boxes and labels; lines and letters grow with the photo.

    rgb: ``(H, W, 3)`` uint8. boxes: ``(N, 4)`` x0 y0 x1 y1 in pixels, the most important first: it is drawn on top and
    its label gets the best place. texts, colours: N each; an empty text has no label.

    Labels stay inside the picture, and off each other and off small boxes where there is room. One that would be hidden
    so much by better ones that it cannot be read is left out.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)  # (N, 4)
    if not len(boxes) == len(texts) == len(colours):
        raise ValueError(f"{len(boxes)} boxes, {len(texts)} texts, {len(colours)} colours")
    height, width = rgb.shape[:2]
    boxes = np.clip(np.nan_to_num(boxes), 0, [width, height, width, height])
    picture = Image.fromarray(rgb)  # drawing copies first: the array is not touched
    pen = ImageDraw.Draw(picture)
    scale = (height * width) ** 0.5
    for box, colour in reversed(list(zip(boxes, colours, strict=True))):
        _draw_box(pen, box, colour, scale)
    labels = [_label(text, box, scale, width) for text, box in zip(texts, boxes, strict=True)]
    places = _places(boxes, np.array([size for _, _, size in labels]).reshape(-1, 2), width, height)
    for (text, font, size), place, colour in reversed(list(zip(labels, places, colours, strict=True))):
        if text and place is not None:
            _draw_label(pen, text, font, size, place, colour)
    return np.array(picture)


def overlay_heat(rgb: np.ndarray, heat: np.ndarray, strength: float = 0.75) -> np.ndarray:
    """A copy of a photo ``(H, W, 3)`` uint8 under a map ``(h, w)`` of numbers 0 to 1: the higher, the more it covers.

    The map is stretched over the whole photo. NaN counts as 0. ``strength``: how much the highest number covers.
    """
    height, width = rgb.shape[:2]
    values = np.clip(np.nan_to_num(np.asarray(heat, np.float32)), 0, 1)
    values = np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)  # (H, W)
    levels = np.linspace(0, 1, 256)
    stops = np.linspace(0, 1, len(HEAT_STOPS))
    table = np.stack([np.interp(levels, stops, channel) for channel in zip(*HEAT_STOPS, strict=True)], 1)  # (256, 3)
    cover = (strength * levels**0.7)[:, None]  # (256, 1)
    index = np.rint(values * 255).astype(np.uint8)  # (H, W)
    warm = (table * cover).astype(np.float32)[index]  # (H, W) -> (H, W, 3)
    return np.rint(rgb * (1 - cover).astype(np.float32)[index] + warm).astype(np.uint8)


@functools.cache
def _class_colour(index: int) -> Colour:
    """OKLCH (Ottosson 2020) to sRGB, with less chroma where the screen cannot show as much."""
    lightness, chroma = ROUNDS[index % len(ROUNDS)]
    hue = np.deg2rad(29 + GOLDEN_ANGLE * index)
    while True:
        a, b = chroma * np.cos(hue), chroma * np.sin(hue)
        long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        linear = np.array(
            [
                4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
                -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
                -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
            ]
        )
        if linear.min() >= 0 and linear.max() <= 1:
            encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
            red, green, blue = np.rint(encoded * 255).astype(int).tolist()
            return red, green, blue
        chroma *= 0.97


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _draw_box(pen: ImageDraw.ImageDraw, box: np.ndarray, colour: Colour, scale: float) -> None:
    """A line of the class's colour between two dark ones, which part it from a background of the same colour."""
    x0, y0, x1, y1 = np.rint(box).astype(int).tolist()
    x1, y1 = max(x0, x1 - 1), max(y0, y1 - 1)  # Pillow's last pixel is part of the box
    line = max(2, round(scale / 220))
    line = max(1, min(line, min(x1 - x0, y1 - y0) // 8))  # on a small object a thick line would hide it
    edge = max(1, line // 4)
    pen.rectangle((x0 - edge, y0 - edge, x1 + edge, y1 + edge), outline=_dark(colour), width=line + 2 * edge)
    pen.rectangle((x0, y0, x1, y1), outline=colour, width=line)


def _dark(colour: Colour) -> Colour:
    red, green, blue = colour
    return red * 2 // 5, green * 2 // 5, blue * 2 // 5


def _label(text: str, box: np.ndarray, scale: float, width: int) -> tuple[str, ImageFont.FreeTypeFont, tuple[int, int]]:
    """The text that fits into the picture's width, its font, and the label's (width, height) in pixels."""
    text = " ".join(text.split())
    size = scale * 0.028
    small = min(box[2:] - box[:2]) < 3 * size  # a small object's label should not be the larger of the two
    size = max(10, round(size * (0.8 if small else 1)))
    font = _font(size)
    while size > 8 and font.getlength(text) + size > width:
        size -= 1
        font = _font(size)
    while len(text) > 1 and font.getlength(text) + size > width:
        text = text[:-2].rstrip() + "…"
    if not text:
        return "", font, (0, 0)
    ascent, descent = font.getmetrics()
    return text, font, (round(font.getlength(text) + 0.7 * size), round((ascent + descent) * 1.1))


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _draw_label(
    pen: ImageDraw.ImageDraw,
    text: str,
    font: ImageFont.FreeTypeFont,
    size: tuple[int, int],
    place: tuple[int, int],
    colour: Colour,
) -> None:
    x, y = place
    pen.rectangle(
        (x, y, x + size[0] - 1, y + size[1] - 1), fill=colour, outline=_dark(colour)
    )  # parts it from the next
    pen.text((x + size[0] / 2, y + size[1] / 2), text, font=font, fill=text_colour(colour), anchor="mm")


def _places(boxes: np.ndarray, sizes: np.ndarray, width: int, height: int) -> list[tuple[int, int] | None]:
    """Where each label's upper left corner goes: beside its box, where it hides least; None where there is no room."""
    areas = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1)  # (N,)
    taken = np.zeros((0, 4))
    found: list[tuple[int, int] | None] = []
    for (x0, y0, x1, y1), (wide, high) in zip(boxes.tolist(), sizes.tolist(), strict=True):
        across, down = (x0, x1 - wide), (y0 - high, y1, y0, y1 - high)
        corners = [(x, y) for y, x in product(down, across)] + [(x1, y0), (x0 - wide, y0), (x1, y1 - high)]
        wanted = np.array(corners)  # (11, 2), the best first
        corner = np.clip(wanted, 0, np.maximum([width - wide, height - high], 0))
        label = np.concatenate([corner, corner + [wide, high]], 1)  # (11, 4)
        moved = np.abs(corner - wanted).sum(1) / max(high, 1)
        hidden = _common(label, taken).sum(1) / max(wide * high, 1)  # of labels
        covered = (_common(label, boxes) / areas).sum(1)  # of objects
        cost = 6 * hidden + covered + 0.15 * moved + 0.03 * np.arange(len(corners))
        best = int(cost.argmin())
        if hidden[best] > HIDDEN:
            found.append(None)
            continue
        taken = np.concatenate([taken, label[best : best + 1]])
        found.append((round(corner[best, 0]), round(corner[best, 1])))
    return found


def _common(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Areas that boxes ``(M, 4)`` and ``(N, 4)`` have in common: ``(M, N)``."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])  # (M, N, 2)
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return np.maximum(high - low, 0).prod(2)
