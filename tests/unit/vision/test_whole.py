from __future__ import annotations

import io
import struct

import pytest
from hostile import encoded, noise, png, scene
from PIL import Image

from percept.vision.whole import cut_off, png_flaw, webp_size


@pytest.mark.parametrize(
    ("form", "name", "options"),
    [
        ("BMP", "BMP", {}),
        ("WEBP", "WebP", {}),
        ("AVIF", "AVIF", {}),
        ("TIFF", "TIFF", {}),
        ("TIFF", "TIFF", {"compression": "tiff_lzw"}),
        ("JPEG2000", "JPEG 2000", {}),
    ],
)
def test_formats_that_say_how_long_they_are(form: str, name: str, options: dict) -> None:
    whole = encoded(Image.fromarray(noise(200, 100)), form, **options)
    half = len(whole) // 2
    message = cut_off(name, io.BytesIO(whole[:half]), half, "")
    directory_last = form == "TIFF" and options  # the directory is cut off, and with it all that it says
    if name == "JPEG 2000" and whole[:4] == b"\xff\x4f\xff\x51":
        assert message == ""
    elif directory_last:
        assert message.startswith(f"cut off after {half:,} of ")
    else:
        assert message == f"cut off after {half:,} of {len(whole):,} bytes"
    assert cut_off(name, io.BytesIO(whole), len(whole), "") == ""


@pytest.mark.parametrize("form", ["JPEG", "GIF"])
def test_formats_that_only_have_an_end_mark(form: str) -> None:
    whole = encoded(Image.fromarray(scene()), form)
    assert cut_off(form, io.BytesIO(whole), len(whole), "") == ""
    assert cut_off(form, io.BytesIO(whole[:-20]), len(whole) - 20, "") == f"cut off after {len(whole) - 20:,} bytes"


@pytest.mark.parametrize("name", ["BMP", "WebP", "TIFF", "AVIF", "JPEG 2000", "PNG", "JPEG", "GIF", "PPM"])
@pytest.mark.parametrize("data", [b"", b"II*\x00", b"\xff" * 40, bytes(40)])
def test_nonsense_is_no_crash(name: str, data: bytes) -> None:
    assert isinstance(cut_off(name, io.BytesIO(data), len(data), ""), str)


def test_a_checksum_matters_only_where_it_guards_pixels() -> None:
    rows = b"".join(b"\x00" + row.tobytes() for row in scene())
    whole = png(48, 32, 8, 2, rows)
    note = struct.pack(">I", 4) + b"tEXt" + b"a\x00bc" + b"\x00\x00\x00\x00"  # with a wrong checksum
    assert png_flaw(io.BytesIO(whole[:33] + note + whole[33:]), len(whole) + len(note)) is None
    broken = bytearray(whole)
    broken[50] ^= 1
    flaw = png_flaw(io.BytesIO(bytes(broken)), len(broken))
    assert flaw is not None and flaw.startswith("damaged")


def test_looking_at_a_png_leaves_the_file_where_it_was() -> None:
    file = io.BytesIO(encoded(Image.fromarray(scene()), "PNG"))
    file.seek(13)
    png_flaw(file, len(file.getvalue()))
    assert file.tell() == 13


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"save_all": True}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_size_in_a_webp_header(options: dict, mode: str) -> None:
    more = {"append_images": [Image.new(mode, (301, 77), "red")]} if "save_all" in options else {}
    data = encoded(Image.fromarray(noise(77, 301)).convert(mode), "WEBP", **options, **more)
    assert webp_size(data[:512]) == (301, 77)
