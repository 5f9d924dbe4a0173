"""A folder of good, odd and broken files, written anew for a test: what people and cameras really hand in.

``write_corpus(folder)`` returns one Case a file: whether it is a picture, and what the message about it must say. The
scene is 48 x 32 pixels: its upper left quarter green, the lower left one red, the right half blue.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 32, 48


@dataclass(frozen=True)
class Case:
    path: Path
    good: bool
    says: str = ""  # part of the message, for a bad one
    scene: bool = True  # a good one shows the scene, upright and in its colours (grey ones do not)


def scene(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """(H, W, 3) uint8: green upper left quarter, red lower left, blue right half."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[:, : width // 2, 0] = 230
    rgb[:, width // 2 :, 2] = 230
    rgb[: height // 2, : width // 2] = (0, 200, 0)
    return rgb


def noise(height: int = 96, width: int = 128) -> np.ndarray:
    """(H, W, 3) uint8 that compresses badly, so that a file cut in two has lost pixels."""
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def png(
    width: int, height: int, bits: int, colour: int, rows: bytes, wrong_checksum: bool = False, interlaced: bool = False
) -> bytes:
    """A PNG from its parts. colour: 0 grey, 2 RGB; rows: as the format wants them, a filter byte before each."""

    def chunk(kind: bytes, data: bytes, error: int = 0) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ error)

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    body = chunk(b"IDAT", zlib.compress(rows), int(wrong_checksum))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def write_corpus(folder: Path) -> list[Case]:
    """Writes the files into ``folder`` (made if need be) and says what to expect of each."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = [
        *_good(folder),
        *_turned(folder),
        *_cut(folder),
        *_no_pictures(folder),
        *_not_files(folder),
    ]
    assert len({case.path for case in cases}) == len(cases)
    return cases


def _put(folder: Path, name: str, data: bytes, good: bool, says: str = "", scene: bool = True) -> Case:
    path = folder / name
    path.write_bytes(data)
    return Case(path, good, says, scene)


def _good(folder: Path) -> list[Case]:
    rgb = scene()
    picture = Image.fromarray(rgb)
    clear = np.dstack([rgb, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    wide = rgb.astype(">u2") * 257
    rows16 = b"".join(b"\x00" + row.tobytes() for row in wide)
    grey16 = b"".join(b"\x00" + row.tobytes() for row in wide[..., 0])
    jpeg = encoded(picture, "JPEG", quality=95)
    second = Image.fromarray(255 - rgb)
    return [
        _put(folder, "plain.jpg", jpeg, True),
        _put(folder, "progressive.JPEG", encoded(picture, "JPEG", quality=95, progressive=True), True),
        _put(folder, "png named.jpg", encoded(picture, "PNG"), True),
        _put(folder, "straße 道路 صورة.jpg", jpeg, True),
        _put(folder, "-dash.jpg", jpeg, True),
        _put(folder, "rgb16.png", png(WIDTH, HEIGHT, 16, 2, rows16), True),
        _put(folder, "grey16.png", png(WIDTH, HEIGHT, 16, 0, grey16), True, scene=False),
        _put(folder, "grey.png", encoded(picture.convert("L"), "PNG"), True, scene=False),
        _put(folder, "one_bit.png", encoded(picture.convert("1"), "PNG"), True, scene=False),
        _put(folder, "palette.png", encoded(picture.convert("P", palette=Image.Palette.ADAPTIVE), "PNG"), True),
        _put(folder, "alpha.png", encoded(Image.fromarray(clear), "PNG"), True),
        _put(folder, "cmyk.jpg", encoded(picture.convert("CMYK"), "JPEG", quality=95), True),
        _put(folder, "animated.gif", encoded(picture, "GIF", save_all=True, append_images=[second]), True),
        _put(
            folder, "animated.webp", encoded(picture, "WEBP", save_all=True, append_images=[second], quality=95), True
        ),
        _put(folder, "plain.bmp", encoded(picture, "BMP"), True),
        _put(folder, "plain.tif", encoded(picture, "TIFF", compression="tiff_lzw"), True),
        _put(folder, "plain.ppm", encoded(picture, "PPM"), True),
        _put(folder, "one_pixel.png", encoded(Image.new("RGB", (1, 1)), "PNG"), True, scene=False),
        _put(folder, "bad_exif.jpg", encoded(picture, "JPEG", quality=95, exif=b"Exif\x00\x00II*\x00\xff"), True),
    ]


def _turned(folder: Path) -> list[Case]:
    """The scene stored in each of the eight ways that EXIF knows, with the tag that turns it back."""
    upright = Image.fromarray(scene())
    way = Image.Transpose
    stored = {
        1: upright,
        2: upright.transpose(way.FLIP_LEFT_RIGHT),
        3: upright.transpose(way.ROTATE_180),
        4: upright.transpose(way.FLIP_TOP_BOTTOM),
        5: upright.transpose(way.TRANSPOSE),
        6: upright.transpose(way.ROTATE_90),
        7: upright.transpose(way.TRANSVERSE),
        8: upright.transpose(way.ROTATE_270),
    }
    cases = []
    for orientation, picture in stored.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = encoded(picture, "JPEG", quality=95, exif=exif)
        cases.append(_put(folder, f"exif{orientation}.jpg", data, True))
    return cases


def _cut(folder: Path) -> list[Case]:
    picture = Image.fromarray(noise())
    jpeg = encoded(picture, "JPEG", quality=90)
    cases = [
        _put(folder, f"cut_at_{part}.jpg", jpeg[: len(jpeg) * part // 100], False, "cut off after")
        for part in (1, 30, 97)
    ]
    progressive = encoded(picture, "JPEG", quality=90, progressive=True)
    cases.append(_put(folder, "cut_progressive.jpg", progressive[: len(progressive) // 2], False, "cut off after"))
    for form, suffix, known in [
        ("PNG", "png", False),
        ("GIF", "gif", False),
        ("WEBP", "webp", True),
        ("TIFF", "tif", True),
        ("BMP", "bmp", True),
        ("PPM", "ppm", False),
    ]:
        whole = encoded(picture, form)
        part = len(whole) // 2
        # Pillow puts the TIFF directory in front of the pixels, so their length is known
        says = f"cut off after {part:,} of {len(whole):,} bytes" if known else f"cut off after {part:,} bytes"
        cases.append(_put(folder, f"cut.{suffix}", whole[:part], False, says))
    rows = b"".join(b"\x00" + row.tobytes() for row in scene())
    return [
        *cases,
        _put(folder, "wrong_checksum.png", png(WIDTH, HEIGHT, 8, 2, rows, True), False, "wrong checksum"),
        _put(folder, "rows_missing.png", png(WIDTH, HEIGHT, 8, 2, rows[: len(rows) // 2]), False, "rows are missing"),
        _put(
            folder,
            "bomb.png",
            png(30_000, 30_000, 8, 2, rows),
            False,
            "30,000 x 30,000 pixels are more than 100 million",
        ),
        _put(folder, "no_pixels.png", png(0, 0, 8, 2, b""), False, "damaged"),
    ]


def _no_pictures(folder: Path) -> list[Case]:
    box = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
    return [
        _put(folder, "empty.jpg", b"", False, "an empty file"),
        _put(folder, "notes.jpg", b"Milk, eggs, flour.\n" * 30, False, "not a picture (it begins like text)"),
        _put(folder, "zeros.jpg", bytes(5000), False, "not a picture (it begins with nothing but zeros)"),
        _put(folder, "paper.jpg", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", False, "not a picture (a PDF)"),
        _put(folder, "archive.png", b"PK\x03\x04\x14\x00\x00\x00", False, "not a picture (a zip archive)"),
        _put(folder, "clip.jpg", box + bytes(100), False, "not a picture (a video)"),
        _put(folder, "pointer.jpg", b"version https://git-lfs.github.com/spec/v1\n", False, "a Git LFS pointer"),
        _put(folder, "garbage.jpg", bytes(range(1, 256)) * 9, False, "not a picture (of no known kind)"),
        _put(folder, "two_bytes.jpg", b"\xff\xd8", False, "not a picture"),
        _put(folder, "head_then_garbage.jpg", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 9, False, ""),
    ]


def _not_files(folder: Path) -> list[Case]:
    (folder / "folder.jpg").mkdir(exist_ok=True)
    cases = [Case(folder / "folder.jpg", False, "a folder, not a file")]
    if os.name != "posix":
        return cases
    locked = _put(folder, "locked.jpg", encoded(Image.fromarray(scene()), "JPEG", quality=95), True)
    locked.path.chmod(0)
    readable = os.access(locked.path, os.R_OK)  # for the superuser it is
    (folder / "dangling.jpg").symlink_to("nowhere.jpg")
    (folder / "circle.jpg").symlink_to("circle.jpg")
    os.mkfifo(folder / "pipe.jpg")
    return [
        *cases,
        Case(locked.path, readable, "no permission"),
        Case(folder / "dangling.jpg", False, "a link to nothing"),
        Case(folder / "circle.jpg", False, "links that lead in a circle"),
        Case(folder / "pipe.jpg", False, "a pipe or device, not a file"),
    ]
