"""Classes as pictures: laid over the photo with a legend, as a palette .png, beside the truth, and as a confusion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from percept.core.files import replacing
from percept.vision.draw import palette
from percept.vision.scene.legend import (
    FAINT,
    INK,
    PAPER,
    Colour,
    Entry,
    captioned,
    font_for,
    letters,
    percent,
    readable,
    with_legend,
)
from percept.vision.scene.photos import VOID

LONGEST = 2400  # pixels: a larger photo is shrunk before it is drawn on; no screen shows more, and memory is spared
PANEL = 800  # pixels: the longest side of each picture of a montage
GAP = 4  # pixels between the pictures of a montage
BAND = 256  # rows that are painted or counted at a time, to spare memory
BLANK = (255, 255, 255)  # void in a palette .png; black is what the palette does not use

# How much a class's colour takes the place of the photo's lightness, and of its two axes of colour (CIE Lab).
COVER = (0.5, 0.92, 0.92)
DIM, DIM_COVER = (100, 100, 100), (0.45, 0.85, 0.85)  # where nothing is told: the photo darker and nearly grey
LINE, LINE_COVER = (255, 255, 255), 0.8  # between two classes, with a dark line on both sides of it
SHADE_COVER = 0.35
RIGHT, WRONG, UNKNOWN = (112, 148, 122), (222, 36, 36), (128, 128, 128)
# Cells of a confusion, from none to all: white over blue to nearly black.
CELLS = ((255, 255, 255), (198, 219, 239), (107, 174, 214), (33, 113, 181), (8, 48, 107))


def colours_of(names: Sequence[str], colours: Sequence[Colour] = ()) -> tuple[Colour, ...]:
    """The set's own colours where it has them, else those in which percept draws classes.

    Raises:
        ValueError: not one for each name.
    """
    if not colours:
        return tuple(palette(len(names)))
    if len(colours) != len(names):
        raise ValueError(f"{len(colours)} colours for {len(names)} classes")
    return tuple((int(red), int(green), int(blue)) for red, green, blue in colours)


def count(labels: np.ndarray) -> np.ndarray:
    """Pixels of each label in (H, W) uint8: (256,) int64."""
    found = np.zeros(256, np.int64)
    for top in range(0, len(labels), BAND):  # numpy counts with 8 bytes a pixel
        found += np.bincount(labels[top : top + BAND].reshape(-1), minlength=256)
    return found


def overlay(
    rgb: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
    colours: Sequence[Colour] = (),
    *,
    shown: Sequence[str] = (),
    strength: float = 1.0,
    every: bool = False,
) -> np.ndarray:
    """The classes' colours over a photo whose light and shade stay, lines between them, a legend below: (H', W', 3).

    The photo keeps its size, but for one longer than 2,400 pixels, which is shrunk to that. One narrower than 160
    pixels gets a margin at its right, for the legend's sake. The legend has the classes that occur, the largest first.

    Args:
        rgb: (H, W, 3) uint8.
        labels: (H, W) uint8, an index into names, 255 where there is no class.
        colours: one for each name, or none for percept's own.
        shown: the only classes to draw; all if empty.
        strength: 0..1, how much the colours cover.
        every: the legend has all classes in their own order, so that the frames of a video have one size.

    Raises:
        ValueError: labels of another size than the photo, or not one colour for each name.
    """
    _check(rgb, labels)
    colours = colours_of(names, colours)
    drawn = np.zeros(256, bool)
    drawn[: len(names)] = [not shown or name in shown for name in names]
    shares = (count(labels) / labels.size).tolist()
    rgb, labels = _shrunk(rgb, LONGEST), _shrunk(labels, LONGEST)
    painted = _paint(rgb, labels, colours, drawn, strength)
    _outline(painted, np.where(drawn, np.arange(256), VOID).astype(np.uint8)[labels])
    entries = [
        Entry(readable(names[index], index), colours[index], shares[index], shares[index] > 0)
        for index in range(len(names))
        if drawn[index] and (every or shares[index])
    ]
    if not every:
        entries.sort(key=lambda entry: -(entry.share or 0))
    return with_legend(painted, entries, letters(*labels.shape))


def write_palette(path: Path, labels: np.ndarray, names: Sequence[str], colours: Sequence[Colour] = ()) -> None:
    """Write (H, W) uint8 class indices as an 8-bit palette .png: index = class, palette = its colour.

    255 (no class) is white, what the palette does not use is black. Written whole or not at all, without metadata.

    Raises:
        PerceptError: the disk is full, or the folder may not be written.
        ValueError: not one colour for each name.
    """
    table = np.zeros((256, 3), np.uint8)
    table[: len(names)] = np.array(colours_of(names, colours), np.uint8).reshape(-1, 3)
    table[VOID] = BLANK
    picture = Image.fromarray(np.ascontiguousarray(labels, np.uint8))
    picture.putpalette(table.tobytes())  # all 256: with 16 or fewer Pillow would pack pixels into less than 8 bits
    with replacing(path) as temporary:
        picture.save(temporary, format="PNG")


def montage(
    rgb: np.ndarray, truth: np.ndarray, labels: np.ndarray, names: Sequence[str], colours: Sequence[Colour] = ()
) -> np.ndarray:
    """photo | truth | answer | errors in a row, a legend below: (H', W', 3) uint8 RGB.

    Errors are red, right pixels a greyish green, pixels without truth grey; shares are those of the truth.

    Args:
        rgb: (H, W, 3) uint8.
        truth, labels: (H, W) uint8, an index into names, 255 where there is no class.

    Raises:
        ValueError: truth or labels of another size than the photo, or not one colour for each name.
    """
    _check(rgb, truth)
    _check(rgb, labels)
    colours = colours_of(names, colours)
    known = truth != VOID
    judged = np.where(known, np.where(truth == labels, 0, 1), 2).astype(np.uint8)  # (H, W)
    right, wrong, _ = count(judged)[:3].tolist()
    seen, answered = count(truth)[: len(names)], count(labels)[: len(names)]
    rgb, truth, labels, judged = (_shrunk(plane, PANEL) for plane in (rgb, truth, labels, judged))
    size = letters(*truth.shape)
    parts = [captioned(rgb, "photo", size)]
    for title, plane in (("truth", truth), ("answer", labels)):
        painted = _paint(rgb, plane, colours, np.arange(256) < len(names), 1.0)
        _outline(painted, plane)
        parts.append(captioned(painted, title, size))
    errors = _paint(rgb, judged, (RIGHT, WRONG, UNKNOWN), np.arange(256) < 3, 1.0)
    told = f"errors {percent(wrong / (right + wrong))}" if known.any() else "no truth"
    parts.append(captioned(errors, told, size))
    chosen = sorted(np.flatnonzero(seen + answered).tolist(), key=lambda index: -seen[index])
    entries = [
        Entry(readable(names[index], index), colours[index], seen[index] / max(seen.sum(), 1), bool(seen[index]))
        for index in chosen
    ]
    judgements = [Entry("right", RIGHT), Entry("wrong", WRONG), Entry("no truth", UNKNOWN)]
    return with_legend(_beside(parts), judgements + entries, size)


def confusion(matrix: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """What each class was taken for, in percent of its true pixels: a table as a picture, (H, W, 3) uint8 RGB.

    matrix: (K, K) pixels, rows the truth, columns the answer. The row of a class without a pixel has dashes.

    Raises:
        ValueError: a matrix of another shape than (K, K) for K names.
    """
    matrix = np.asarray(matrix, np.float64)
    classes = len(names)
    if matrix.shape != (classes, classes):
        raise ValueError(f"a confusion of shape {matrix.shape} for {classes} classes")
    cell = 40 if classes <= 12 else 30 if classes <= 40 else max(8, 1600 // classes)  # pixels
    size = min(15, max(7, round(cell * 0.6)))
    texts = [readable(name, index) for index, name in enumerate(names)]
    font, figures = font_for("".join(texts), size), font_for("0", round(cell * 0.4))
    total = matrix.sum(1)  # (K,)
    shares = matrix / np.maximum(total, 1)[:, None]
    fills = _cells(shares).repeat(cell, 0).repeat(cell, 1)  # (K, K, 3) -> (K cell, K cell, 3)
    fills[cell - 1 :: cell] = fills[:, cell - 1 :: cell] = INK  # lines between them
    occurs = [percent(pixels / total.sum()) if pixels else "-" for pixels in total]
    gap, foot = size, 3 * size
    room = round(max((font.getlength(text) for text in texts), default=0))
    left = room + 2 * gap + round(font.getlength("<0.1 %")) + gap
    top = room + 2 * gap
    told = "rows: truth, with its share of all pixels; columns: answer; percent of the row"
    small = font_for(told, 12)
    wide = max(left + classes * cell + gap, round(small.getlength(told)) + 2 * gap)
    paper = Image.new("RGB", (wide, top + classes * cell + foot), "white")
    paper.paste(Image.fromarray(fills), (left, top))
    pen = ImageDraw.Draw(paper)
    for row, text in enumerate(texts):
        y = top + (row + 0.5) * cell
        pen.text((gap + room, y), text, font=font, fill=PAPER, anchor="rm")
        pen.text((left - gap, y), occurs[row], font=font, fill=FAINT, anchor="rm")
        name = Image.new("RGB", (room + gap, cell), "white")  # a column's name is written upwards
        ImageDraw.Draw(name).text((gap // 2, cell / 2), text, font=font, fill=PAPER, anchor="lm")
        paper.paste(name.rotate(90, expand=True), (left + row * cell, gap))
        x = left + row * cell  # of what was right
        pen.rectangle((x - 1, y - cell / 2 - 1, x + cell - 1, y + cell / 2 - 1), outline=FAINT)
        for column, share in enumerate(shares[row].tolist() if cell >= 24 else ()):
            figure = f"{100 * share:.0f}" if share >= 0.005 or row == column else ""
            ink, x = INK if share > 0.5 else PAPER, left + (column + 0.5) * cell
            pen.text((x, y), figure if total[row] else "-", font=figures, fill=ink, anchor="mm")
    pen.text((gap, paper.height - foot / 2), told, font=small, fill=PAPER, anchor="lm")
    return np.array(paper)


def _cells(shares: np.ndarray) -> np.ndarray:
    """(K, K) shares 0..1 -> (K, K, 3) colours. Small ones are told apart too: what is confused is looked for."""
    place = shares**0.6 * (len(CELLS) - 1)
    channels = [np.interp(place, np.arange(len(CELLS)), channel) for channel in zip(*CELLS, strict=True)]
    return np.rint(np.stack(channels, -1)).astype(np.uint8)


def _check(rgb: np.ndarray, labels: np.ndarray) -> None:
    if labels.shape != rgb.shape[:2]:
        raise ValueError(f"labels of shape {labels.shape} for a photo of shape {rgb.shape}")


def _shrunk(plane: np.ndarray, longest: int) -> np.ndarray:
    """A photo (H, W, 3) or labels (H, W) of at most this many pixels a side."""
    height, width = plane.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return plane
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA if plane.ndim == 3 else cv2.INTER_NEAREST_EXACT)


def _paint(
    rgb: np.ndarray, labels: np.ndarray, colours: Sequence[Colour], drawn: np.ndarray, strength: float
) -> np.ndarray:
    """(H, W, 3) with the colours of the labels for which drawn (256,) is true; the rest is dimmed."""
    table = np.full((256, 3), DIM, np.uint8)
    table[: len(colours)][drawn[: len(colours)]] = np.array(colours, np.uint8).reshape(-1, 3)[drawn[: len(colours)]]
    wanted = cv2.cvtColor(table[None], cv2.COLOR_RGB2LAB)[0].astype(np.float32)  # (1, 256, 3) -> (256, 3)
    cover = np.where(drawn[:, None], np.float32(COVER) * strength, np.float32(DIM_COVER)).astype(np.float32)
    added, kept = wanted * cover, 1 - cover  # (256, 3)
    painted = np.empty_like(rgb)
    for top in range(0, len(rgb), BAND):
        index = labels[top : top + BAND]
        lab = cv2.cvtColor(np.ascontiguousarray(rgb[top : top + BAND]), cv2.COLOR_RGB2LAB)  # (h, W, 3)
        mixed = np.rint(lab * kept[index] + added[index]).astype(np.uint8)
        painted[top : top + BAND] = cv2.cvtColor(mixed, cv2.COLOR_LAB2RGB)
    return painted


def _outline(rgb: np.ndarray, labels: np.ndarray) -> None:
    """Draw lines into a picture (H, W, 3) where the labels (H, W) change: a light one between two dark ones."""
    edge = np.zeros(labels.shape, np.uint8)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    thick = max(1, round((labels.size) ** 0.5 / 500))
    light = edge if thick == 1 else cv2.dilate(edge, _disc(thick))
    dark = cv2.dilate(edge, _disc(thick + 2 * max(1, thick // 2))) & ~light
    for mask, colour, cover in ((dark, (0, 0, 0), SHADE_COVER), (light, LINE, LINE_COVER)):
        place = mask.astype(bool)
        rgb[place] = np.rint(rgb[place] * (1 - cover) + np.multiply(colour, cover)).astype(np.uint8)


def _disc(size: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def _beside(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures (H, W_i, 3) of one height in a row, gaps between them."""
    gap = np.full((pictures[0].shape[0], GAP, 3), PAPER, np.uint8)
    row = [part for picture in pictures for part in (picture, gap)]
    return np.concatenate(row[:-1], 1)
