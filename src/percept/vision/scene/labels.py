"""Label files of every kind in, ``(H, W)`` uint8 classes out: Stanford's .regions.txt, SIFT Flow's .mat, PNG."""

from __future__ import annotations

import functools
import io
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import PngImagePlugin

from percept.core.errors import InputError, UsageError
from percept.core.kinds import unreadable
from percept.vision.image import check_size
from percept.vision.scene import mat
from percept.vision.scene.photos import UNKNOWN, VOID, Codes
from percept.vision.whole import png_flaw

LOWEST, HIGHEST = -256, 65535  # values that can be looked up; no label file has a use for others
ENDINGS = (".regions.txt", ".mat", ".png")
PNG_HEAD = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, eq=False)
class Coded:
    """One label file. labels: (H, W) uint8 classes, VOID, and UNKNOWN where the class list does not have the value;
    values: (H, W) int32 as they stand in the file, or red x 65536 + green x 256 + blue; colour: whether they are such;
    names: the class table inside the file, where it has one."""

    labels: np.ndarray
    values: np.ndarray
    colour: bool = False
    names: tuple[str, ...] = ()


def read_codes(path: Path, codes: Codes) -> Coded:
    """Read one label file; its kind is told by its suffix.

    Raises:
        UsageError: it cannot be read or is damaged; the message names the file.
    """
    if problem := unreadable(path):
        raise UsageError(f"{path}: {problem}")
    try:
        if path.name.endswith(".regions.txt"):
            return _looked_up(read_regions(path), codes)
        if path.suffix.lower() == ".mat":
            values, names = read_mat(path)
            return _looked_up(values, codes, names)
        return _from_picture(path, codes)
    except InputError as error:
        raise UsageError(f"{path}: {error}") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


def shown_value(value: int, colour: bool) -> str:
    """A value of a label file as messages show it.

    >>> shown_value(0x102030, colour=True), shown_value(12, colour=False)
    ('colour 16 32 48', 'value 12')
    """
    return f"colour {value >> 16} {value >> 8 & 255} {value & 255}" if colour else f"value {value}"


def read_regions(path: Path) -> np.ndarray:
    """(H, W) int32 from Stanford's text: a row of the picture a line, whole numbers with blanks between.

    Raises:
        InputError: something else stands there, or the rows differ in length; the message tells the line.
    """
    text = np.frombuffer(path.read_bytes(), np.uint8)  # (characters,)
    digit = (text >= ord("0")) & (text <= ord("9"))
    minus, line_end = text == ord("-"), text == ord("\n")
    blank = line_end | (text == ord(" ")) | (text == ord("\t")) | (text == ord("\r"))
    at = np.flatnonzero(digit)  # (numbers,) if each has one digit, which is so in every published file
    after_minus = np.flatnonzero(minus) + 1
    plain = at.size and not (digit[1:] & digit[:-1]).any() and bool((digit | minus | blank).all())
    if not plain or (after_minus.size and (after_minus[-1] >= text.size or not digit[after_minus].all())):
        return _regions_by_line(path)
    if (minus[1:] & digit[:-1]).any():  # 1-1
        return _regions_by_line(path)
    values = (text[at] - ord("0")).astype(np.int32)
    negative = at[at > 0][minus[at[at > 0] - 1]]
    values[np.searchsorted(at, negative)] *= -1
    ends = np.flatnonzero(line_end)
    lengths = np.diff(np.searchsorted(at, ends), prepend=0)  # numbers of each line
    if at[-1] > (ends[-1] if ends.size else -1):
        lengths = np.append(lengths, at.size - lengths.sum())
    filled = lengths[lengths > 0]
    if (filled != filled[0]).any():
        return _regions_by_line(path)  # finds the line
    return values.reshape(-1, int(filled[0]))  # (numbers,) -> (H, W)


def _regions_by_line(path: Path) -> np.ndarray:
    """The same, slowly: for numbers of several digits, and to tell what is wrong where."""
    rows: list[list[int]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            row = [int(word) for word in line.split()]
        except ValueError:
            word = next(word for word in line.split() if not word.lstrip("+-").isdecimal())
            raise InputError(f'line {number}: "{word[:20]}" is no whole number') from None
        if row and rows and len(row) != len(rows[0]):
            raise InputError(f"line {number} has {len(row)} numbers, the lines before have {len(rows[0])}")
        if row:
            if min(row) < LOWEST or max(row) > HIGHEST:
                raise InputError(f"line {number}: a number beyond {LOWEST} to {HIGHEST:,} is no class")
            rows.append(row)
    if not rows:
        raise InputError("no numbers in it")
    return np.array(rows, np.int32)


def read_mat(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """((H, W) int32, class names) from a .mat with ``S`` and, perhaps, ``names``, as SIFT Flow's are.

    Raises:
        InputError: no whole .mat file, or no such table in it.
    """
    found = mat.tables(path.read_bytes(), ("S", "names"))
    values, names = found.get("S"), found.get("names", ())
    if not isinstance(values, np.ndarray):
        raise InputError("no table S of labels in it")
    if values.dtype.kind == "f" and not (np.isfinite(values).all() and (values == np.rint(values)).all()):
        raise InputError("S holds numbers that are not whole")
    if values.min() < LOWEST or values.max() > HIGHEST:
        raise InputError(f"S holds values from {values.min():g} to {values.max():g}: no classes")
    return np.ascontiguousarray(values, np.int32), names if isinstance(names, tuple) else ()


def read_png(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """(values, palette): values (H, W) int32 of grey (8, 16 bit or less) or palette pictures, or (H, W, 3) uint8 RGB;
    palette (N, 3) uint8 where there is one. Transparency is left out.

    Raises:
        InputError: no whole PNG.
    """
    data = path.read_bytes()
    if not data.startswith(PNG_HEAD):
        raise InputError("an empty file" if not data else "no PNG: labels are kept as PNG, which loses nothing")
    if flaw := _flaw(data):
        raise InputError(flaw)
    bits, kind = data[24], data[25]  # of the header: depth, and 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA
    try:
        with PngImagePlugin.PngImageFile(io.BytesIO(data)) as picture:
            check_size(*picture.size)
            picture.load()
            palette = picture.getpalette() if kind == 3 else None
            array = np.asarray(picture)
    except InputError:
        raise
    except Exception as error:  # as read_image: decoders stumble in many ways
        raise InputError("damaged: its PNG data cannot be decoded") from error
    if array.ndim == 3 and kind in (2, 6):
        return np.ascontiguousarray(array[..., :3], np.uint8), None
    values = (array[..., 0] if array.ndim == 3 else array).astype(np.int32)  # grey + alpha: (H, W, 2) -> (H, W)
    if kind == 0 and bits in (2, 4):
        values //= 255 // (2**bits - 1)  # Pillow stretches these to 0 .. 255
    return values, np.array(palette, np.uint8).reshape(-1, 3) if palette else None


def _flaw(data: bytes) -> str | None:
    try:
        return png_flaw(io.BytesIO(data), len(data))
    except (struct.error, IndexError, ValueError):
        return "damaged: its PNG data cannot be decoded"


def _from_picture(path: Path, codes: Codes) -> Coded:
    values, palette = read_png(path)
    if values.ndim == 3:
        if not codes.colours:
            raise InputError("an RGB picture, and classes.txt has no colours; write lines like: road 128 64 128")
        return _by_colour(values, codes)
    if palette is not None and codes.colours and not _is_the_lists(palette, codes):
        # A palette in any order is as good as RGB, if all that is used of it are colours of the list.
        used = np.flatnonzero(np.bincount(values.ravel(), minlength=len(palette)))
        if used[-1] < len(palette):
            listed = {colour for colour, _ in codes.colours}
            known = all(int(r) << 16 | int(g) << 8 | int(b) in listed for r, g, b in palette[used])
            if known or not codes.values:
                return _by_colour(palette[values], codes)  # (H, W) -> (H, W, 3)
    if not codes.values:
        raise InputError("a picture of numbers, where colours are expected")
    return _looked_up(values, codes)


def _is_the_lists(palette: np.ndarray, codes: Codes) -> bool:
    """Whether a palette (N, 3) gives each number of the list its own colour there. Then numbers are what they say, also
    one that is not in the list: what is not used of a palette is often black, as void is."""
    meant = dict(codes.colours)
    colours = (palette.astype(np.int32) @ (1 << 16, 1 << 8, 1)).tolist()  # (N, 3) -> (N,)
    there = [(colours[value], label) for value, label in codes.values if 0 <= value < len(colours)]
    return bool(there) and all(meant.get(colour) == label for colour, label in there)


def _looked_up(values: np.ndarray, codes: Codes, names: tuple[str, ...] = ()) -> Coded:
    return Coded(_value_table(codes.values)[values - LOWEST], values, names=names)


def _by_colour(rgb: np.ndarray, codes: Codes) -> Coded:
    wide = rgb.astype(np.int32)
    values = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]  # (H, W, 3) -> (H, W)
    return Coded(_colour_table(codes.colours)[values], values, colour=True)


@functools.lru_cache(maxsize=8)
def _value_table(values: tuple[tuple[int, int], ...]) -> np.ndarray:
    """(HIGHEST - LOWEST + 1,) uint8: the class of each value."""
    table = np.full(HIGHEST - LOWEST + 1, UNKNOWN, np.uint8)
    for value, label in values:
        table[value - LOWEST] = label
    return table


@functools.lru_cache(maxsize=2)
def _colour_table(colours: tuple[tuple[int, int], ...]) -> np.ndarray:
    """(2^24,) uint8: the class of each colour; 16 MB, and many times faster than to search."""
    table = np.full(1 << 24, UNKNOWN, np.uint8)
    for colour, label in colours:
        table[colour] = label
    return table


__all__ = ["ENDINGS", "UNKNOWN", "VOID", "Coded", "read_codes", "read_mat", "read_png", "read_regions", "shown_value"]
