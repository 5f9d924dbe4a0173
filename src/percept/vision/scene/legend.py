"""The strip below a picture that says which colour is which class, and letters for names in any script."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

NARROWEST = 160  # pixels: room for a legend under the smallest photo
MOST = 40  # entries; what is left is counted in the last one
LONGEST_NAME = 28  # letters
PAPER, INK, FAINT = (24, 24, 24), (235, 235, 235), (148, 148, 148)
INDENT = 1.7  # letters' heights from the left edge of an entry to its name
MISSING = "\U0010ffff"  # no font has a letter for it


@dataclass(frozen=True)
class Entry:
    """One class: its name, its colour, its share of the picture 0..1 or None, and whether it occurs at all."""

    name: str
    colour: Colour
    share: float | None = None
    occurs: bool = True


def percent(share: float) -> str:
    """A share 0..1 for people: ``31 %``, ``3.1 %``, ``<0.1 %``, ``0 %``."""
    value = 100 * share
    if value >= 9.95 or value == 0:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if value >= 0.05 else "<0.1 %"


def letters(height: int, width: int) -> int:
    """The size of letters, in pixels, for a picture of this size."""
    return max(12, round(0.021 * (height * width) ** 0.5))


def with_legend(rgb: np.ndarray, entries: Sequence[Entry], size: int) -> np.ndarray:
    """A picture (H, W, 3) with its legend below, in columns: (H + h, max(W, 160), 3) uint8 RGB.

    h depends on the names and sizes, not on the shares. Of more than 40 entries the last ones are only counted.
    """
    height, width = rgb.shape[:2]
    wide = max(width, NARROWEST)
    entries = _few(entries)
    pad, line = round(0.7 * size), round(1.65 * size)
    font = font_for("".join(entry.name for entry in entries), size)
    room = wide - 2 * pad  # of all columns
    told = max(font.getlength(text) for text in ("100 %", "<0.1 %")) + INDENT * size / 4
    beside = INDENT * size + (told if any(entry.share is not None for entry in entries) else 0)
    names = [_cropped(entry.name, font, room - beside) for entry in entries]
    starts = _columns([font.getlength(name) + beside for name in names], room, 1.2 * size)
    rows = -(-len(entries) // max(len(starts), 1))
    strip = Image.new("RGB", (wide, rows * line + 2 * (pad // 2) if rows else 0), PAPER)
    pen = ImageDraw.Draw(strip)
    for number, (entry, name) in enumerate(zip(entries, names, strict=True)):
        row, column = divmod(number, len(starts))
        _draw_entry(pen, entry, name, font, pad + starts[column], pad // 2 + (row + 0.5) * line)
    paper = np.empty((height + strip.height, wide, 3), np.uint8)
    paper[:] = PAPER
    paper[:height, :width] = rgb
    paper[height:] = np.asarray(strip)
    return paper


def captioned(rgb: np.ndarray, text: str, size: int) -> np.ndarray:
    """A picture (H, W, 3) with a line of words above it: (H + h, W, 3) uint8 RGB."""
    strip = Image.new("RGB", (rgb.shape[1], round(1.7 * size)), PAPER)
    font = font_for(text, size)
    text = _cropped(text, font, rgb.shape[1] - size // 2)
    ImageDraw.Draw(strip).text((size // 2, strip.height / 2), text, font=font, fill=INK, anchor="lm")
    return np.concatenate([np.asarray(strip), rgb])


def readable(name: str, index: int) -> str:
    """A class's name in one line of at most 28 letters; its number where there is no font for its script."""
    name = " ".join(name.split())
    if not name or not _covers(_plain, name) and not _covers(_wide, name):
        return f"class {index}"
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def font_for(text: str, size: int) -> ImageFont.FreeTypeFont:
    """A font of letters `size` pixels high that has all of the text, if there is one."""
    return _plain(size) if _covers(_plain, text) else _wide(size)


def _few(entries: Sequence[Entry]) -> list[Entry]:
    if len(entries) <= MOST:
        return list(entries)
    rest = entries[MOST - 1 :]
    share = sum(entry.share or 0 for entry in rest)
    return [*entries[: MOST - 1], Entry(f"{len(rest)} more", PAPER, share, any(entry.occurs for entry in rest))]


def _columns(widths: Sequence[float], room: float, gap: float) -> list[float]:
    """Where each column begins, filled row by row: as many as fit, each as wide as its widest entry."""
    columns = len(widths)
    while columns > 1:
        columns = -(-len(widths) // -(-len(widths) // columns))  # the same rows with fewer columns: fuller ones
        most = [max(widths[column::columns]) for column in range(columns)]
        spare = room - sum(most) - gap * (columns - 1)
        if spare >= 0:
            gap += min(spare / columns, 3 * gap)
            return [sum(most[:column]) + gap * column for column in range(columns)]
        columns -= 1
    return [0.0] * columns


def _draw_entry(
    pen: ImageDraw.ImageDraw, entry: Entry, name: str, font: ImageFont.FreeTypeFont, x: float, middle: float
) -> None:
    """A swatch of the class's colour, its name, and its share in fainter ink."""
    size = font.size
    box = (x, middle - size / 2, x + 1.25 * size, middle + size / 2)
    edge = tuple(min(255, value + 60) for value in entry.colour)  # parts a dark colour from the dark paper
    pen.rounded_rectangle(box, size * 0.22, fill=entry.colour, outline=edge, width=max(1, round(size / 14)))
    x += INDENT * size
    pen.text((x, middle), name, font=font, fill=INK if entry.occurs else FAINT, anchor="lm")
    if entry.share is not None:
        told = percent(entry.share) if entry.occurs else "-"
        pen.text((x + font.getlength(name) + INDENT * size / 4, middle), told, font=font, fill=FAINT, anchor="lm")


def _cropped(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    """The text, or as much of it as fits into so many pixels."""
    while len(text) > 1 and font.getlength(text) > room:
        text = text[:-2].rstrip() + "…"
    return text


@functools.cache
def _plain(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


@functools.cache
def _wide(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib: Greek, Cyrillic, Hebrew, Arabic and more beside Latin."""
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


def _covers(font: Callable[[int], ImageFont.FreeTypeFont], text: str) -> bool:
    return all(_has(font, letter) for letter in set(text))


@functools.cache
def _has(font: Callable[[int], ImageFont.FreeTypeFont], letter: str) -> bool:
    """Whether the font has its own shape for a letter, not the box that stands for all it lacks."""
    box = font(20).getmask(MISSING)
    drawn = font(20).getmask(letter)
    return letter.isspace() or drawn.size != box.size or bytes(drawn) != bytes(box)
