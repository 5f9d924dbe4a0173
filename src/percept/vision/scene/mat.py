"""Tables of numbers and lists of names out of MATLAB's .mat files of version 5 to 7, as far as label files need them.

Every length in a file is held against the bytes that there are: scipy's reader, written in C, takes the whole process
with it on some damaged files.
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from percept.core.errors import InputError
from percept.vision.image import check_size, max_pixels

HEAD = 128  # bytes before the first element
MATRIX, COMPRESSED = 14, 15  # kinds of elements
CELL, CHAR, FIRST_NUMBER, LAST_NUMBER = 1, 4, 6, 15  # classes of matrices; 6 double to 15 uint64
COMPLEX = 0x0800
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
DAMAGED = "damaged: no whole .mat file"

Table = np.ndarray | tuple[str, ...]


def tables(data: bytes, wanted: tuple[str, ...]) -> dict[str, Table]:
    """Name -> (H, W) numbers, or texts, of the ``wanted`` variables of a file; what is of another kind is left out.

    Raises:
        InputError: no .mat file, one of a version that is not read, cut off or damaged.
    """
    if not data:
        raise InputError("an empty file")
    if data.startswith(b"version https://git-lfs"):
        raise InputError("a Git LFS pointer, not the file itself (git lfs pull gets it)")
    if data.startswith(b"MATLAB 7.3") or data[512:516] == b"\x89HDF":
        raise InputError("a .mat file of version 7.3; save it with -v7")
    order = {b"IM": "<", b"MI": ">"}.get(data[HEAD - 2 : HEAD])
    if order is None:
        raise InputError("no .mat file of version 5 to 7" if len(data) >= HEAD else DAMAGED)
    found: dict[str, Table] = {}
    try:
        for kind, content in _elements(memoryview(data)[HEAD:], order):
            if kind == COMPRESSED:
                kind, content = next(_elements(memoryview(_unpacked(content)), order), (0, content))
            if kind == MATRIX:
                name, table = _matrix(content, order, wanted)
                if name in wanted and table is not None:
                    found[name] = table
    except (struct.error, zlib.error, ValueError, UnicodeDecodeError, OverflowError) as error:
        raise InputError(DAMAGED) from error
    return found


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """(kind, content) of each element: a tag of 8 bytes before it, or of 4 and up to 4 bytes of content."""
    place = 0
    while place < len(data):
        kind, length = struct.unpack_from(f"{order}II", data, place)
        if kind >> 16:
            kind, length, start, after = kind & 0xFFFF, kind >> 16, place + 4, place + 8
            if length > 4:
                raise InputError(DAMAGED)
        else:
            start = place + 8
            after = start + length + (0 if kind == COMPRESSED else -length % 8)  # the others fill 8 bytes
        if start + length > len(data):
            raise InputError(f"cut off: {start + length - len(data):,} bytes are missing")
        yield kind, data[start : start + length]
        place = after


def _unpacked(content: memoryview) -> bytes:
    unpacker = zlib.decompressobj()
    unpacked = unpacker.decompress(content, 8 * max_pixels() + 2**20)  # a picture of float64, and room for names
    if not unpacker.eof:
        raise InputError("more numbers than a picture has" if unpacker.unconsumed_tail else DAMAGED)
    return unpacked


def _matrix(content: memoryview, order: str, wanted: tuple[str, ...], depth: int = 0) -> tuple[str, Table | None]:
    """(name, table) of one matrix; None of a kind that labels are not made of, or of a name that is not wanted."""
    parts = _elements(content, order)
    flags, shape, name = (next(parts, (0, memoryview(b"")))[1] for _ in range(3))
    flag = struct.unpack_from(f"{order}I", flags)[0]
    dimensions = tuple(int(side) for side in np.frombuffer(shape, f"{order}i4"))
    called, kind = bytes(name).decode("latin-1"), flag & 0xFF
    if depth == 0 and called not in wanted:
        return called, None
    if kind == CELL:
        return called, _texts(bytes(content), order) if depth == 0 else None
    element, values = next(parts, (0, memoryview(b"")))
    if kind == CHAR and element in TEXTS:
        coding = TEXTS[element]
        wide = {"<": "-le", ">": "-be"}[order] if coding in ("utf-16", "utf-32") else ""
        return called, (bytes(values).decode(coding + wide).strip(),)
    if not FIRST_NUMBER <= kind <= LAST_NUMBER or element not in NUMBERS or flag & COMPLEX or len(dimensions) != 2:
        return called, None
    check_size(dimensions[1], dimensions[0])
    numbers = np.frombuffer(values, order + NUMBERS[element])
    return called, numbers.reshape(dimensions, order="F")  # (W x H,) by columns -> (H, W); ValueError if too few


@functools.lru_cache(maxsize=16)
def _texts(content: bytes, order: str) -> tuple[str, ...]:
    """The texts in a list, "" for what is none. Kept, for every file of a set has the same list of names."""
    found = []
    for kind, cell in list(_elements(memoryview(content), order))[3:]:
        table = _matrix(cell, order, (), depth=1)[1] if kind == MATRIX and len(cell) else None
        found.append(table[0] if isinstance(table, tuple) else "")
    return tuple(found)
