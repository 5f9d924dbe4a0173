"""Whether a picture's file is whole, and how large it says the picture is. Each format tells in its own way, some not
at all; nothing here decodes a picture."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO


def cut_off(name: str, file: BinaryIO, size: int, error: str) -> str:
    """The message for a file that ends too early, or nothing if the trouble is another."""
    try:
        if name == "PNG":
            return png_flaw(file, size) or ""
        expected = _expected_size(name, file, size)
        if expected > size:
            return f"cut off after {size:,} of {expected:,} bytes"
        file.seek(max(0, size - 1024))
        tail = file.read(1024)
    except (OSError, ValueError, struct.error):
        return ""
    ended = {"JPEG": b"\xff\xd9" in tail, "GIF": tail.rstrip(b"\x00").endswith(b";")}.get(name, True)
    return "" if ended and "truncated" not in error else f"cut off after {size:,} bytes"


def png_flaw(file: BinaryIO, size: int) -> str | None:
    """What is wrong with a PNG's chunks, for Pillow neither compares the checksums of the pixels' chunks nor minds if
    the rows end too early: it leaves the rest black."""
    position, place = file.tell(), 8
    unpacker, missing = zlib.decompressobj(), 0
    try:
        while place + 12 <= size:
            file.seek(place)
            length, kind = struct.unpack(">I4s", file.read(8))
            if place + 12 + length > size:
                break
            checksum, left = zlib.crc32(kind), length
            while left:
                block = file.read(min(left, 2**16))
                checksum, left = zlib.crc32(block, checksum), left - len(block)
                if kind == b"IHDR" and len(block) == 13:
                    missing = _png_bytes(block)
                while kind == b"IDAT" and block and missing > 0 and not unpacker.eof:
                    missing -= len(unpacker.decompress(block, 2**20))
                    block = unpacker.unconsumed_tail
            if kind[0] & 0x20 == 0 and struct.unpack(">I", file.read(4))[0] != checksum:  # a chunk that decides pixels
                return f"damaged: a wrong checksum in the part that begins at byte {place:,}"
            if kind == b"IEND":
                return "damaged: some of its rows are missing" if missing > 0 else None
            place += 12 + length
        return f"cut off after {size:,} bytes"
    except zlib.error:
        return "damaged: its PNG data cannot be decoded"
    finally:
        file.seek(position)


def webp_size(head: bytes) -> tuple[int, int]:
    """Width and height from the first part of a WebP; (1, 1), for the decoder to judge, if there is no such part."""
    kind, data = head[12:16], head[20:30]
    if len(data) < 10:
        return 1, 1
    if kind == b"VP8X":  # 24 bits each, less one
        return int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1
    if kind == b"VP8L":  # 14 bits each, less one
        bits = int.from_bytes(data[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF
    return 1, 1


def _expected_size(name: str, file: BinaryIO, size: int) -> int:
    """How many bytes the file says that it has; 0 if it does not say."""
    file.seek(0)
    head = file.read(16)
    if name == "WebP":
        return struct.unpack_from("<I", head, 4)[0] + 8
    if name == "BMP":
        return struct.unpack_from("<I", head, 2)[0]
    if name == "TIFF":
        return _tiff_size(file, head)
    place = 0
    while name in {"AVIF", "JPEG 2000"} and place + 16 <= size:  # ISO boxes: length, type, content
        file.seek(place)
        length, _, long = struct.unpack(">I4sQ", file.read(16))
        length = long if length == 1 else length
        if length < 8:  # 0: up to the end of the file
            return 0
        place += length
    return place


def _tiff_size(file: BinaryIO, head: bytes) -> int:
    """The end of the last strip or tile that the first directory of a classic TIFF names."""
    order = "<" if head[:2] == b"II" else ">"
    if struct.unpack_from(order + "H", head, 2)[0] != 42:
        return 0
    file.seek(struct.unpack_from(order + "I", head, 4)[0])
    start = file.tell()
    count = file.read(2)
    if len(count) < 2:  # the directory itself lies beyond the end; how long it is, is not known
        return start + 2
    entries = file.read(12 * struct.unpack(order + "H", count)[0])
    tags = {}
    for offset in range(0, len(entries) - 11, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", entries, offset)
        if tag in (273, 279, 324, 325) and kind in (3, 4) and number <= 2**20:  # strips', tiles' offsets and lengths
            width = 2 if kind == 3 else 4
            data = entries[offset + 8 : offset + 12]
            if number * width > 4:
                file.seek(struct.unpack(order + "I", data)[0])
                data = file.read(number * width)
            number = min(number, len(data) // width)
            tags[tag] = struct.unpack_from(f"{order}{number}{'H' if kind == 3 else 'I'}", data)
    starts, lengths = tags.get(273, tags.get(324, ())), tags.get(279, tags.get(325, ()))
    return max((start + length for start, length in zip(starts, lengths, strict=False)), default=0)


def _png_bytes(header: bytes) -> int:
    """How many bytes the rows of a PNG unpack to: each row's pixels, and one byte before them."""
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits *= {2: 3, 4: 2, 6: 4}.get(colour, 1)  # RGB, grey and alpha, RGBA; else one number a pixel
    passes = [(0, 0, 1, 1)]
    if interlaced:  # Adam7: each pass takes the pixels from (x, y) on, every so many
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    sizes = [((width - x + across - 1) // across, (height - y + down - 1) // down) for x, y, across, down in passes]
    return sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns > 0 and rows > 0)
