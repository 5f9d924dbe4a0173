"""Label files of each kind, and each way in which one can be wrong: one line that names the file."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from percept.core.errors import UsageError
from percept.vision.scene.labels import read_codes, read_mat, read_png, read_regions
from percept.vision.scene.photos import UNKNOWN, VOID, Codes

CODES = Codes(((-1, VOID), (0, 0), (1, 1), (17, 2)), ((0xFF0000, 0), (0x00FF00, 1), (0, VOID)))


def written(tmp_path: Path, name: str, content: bytes | str) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n"])
def test_regions(tmp_path, end):
    path = written(tmp_path, "a.regions.txt", end.join(["0 1 -1", "7 6 5"]))
    assert read_regions(path).tolist() == [[0, 1, -1], [7, 6, 5]]
    assert read_regions(written(tmp_path, "a.regions.txt", f"-1{end}")).tolist() == [[-1]]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 5), st.lists(st.integers(-9, 12), min_size=1, max_size=20), st.sampled_from([" ", "  ", "\t"]))
def test_regions_are_read_back(tmp_path, width, values, blank):
    rows = [values[start : start + width] for start in range(0, len(values) - width + 1, width)] or [values]
    text = "\n".join(blank.join(map(str, row)) for row in rows)
    assert read_regions(written(tmp_path, "a.regions.txt", text)).tolist() == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1\n0\n", "line 2 has 1 numbers, the lines before have 2"),
        ("0 1\n0 x\n", 'line 2: "x" is no whole number'),
        ("0 1-1\n", 'line 1: "1-1" is no whole number'),
        ("0 -\n", 'line 1: "-" is no whole number'),
        ("0 - 1\n", 'line 1: "-" is no whole number'),
        ("0 99999999\n", "line 1: a number beyond"),
        ("\n\n", "no numbers in it"),
        ("", "no numbers in it"),
        ("0 1.5\n", 'line 1: "1.5" is no whole number'),
    ],
)
def test_regions_that_are_none(tmp_path, text, message):
    path = written(tmp_path, "a.regions.txt", text)
    with pytest.raises(UsageError, match=f"^{path}: {message}"):
        read_codes(path, CODES)


def saved(tmp_path: Path, **tables: object) -> Path:
    file = io.BytesIO()
    scipy.io.savemat(file, tables)
    return written(tmp_path, "a.mat", file.getvalue())


def test_mat(tmp_path):
    names = np.empty((2, 1), object)
    names[:, 0] = ["sky", "sea side"]
    values, found = read_mat(saved(tmp_path, S=np.array([[0.0, 1], [2, 1]]), names=names))
    assert (values.tolist(), found) == ([[0, 1], [2, 1]], ("sky", "sea side"))
    assert read_mat(saved(tmp_path, S=np.array([[3]], np.uint8)))[1] == ()


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"T": np.ones((2, 2))}, "no table S of labels"),
        ({"S": np.ones((2, 2, 2))}, "no table S of labels"),
        ({"S": "text"}, "no table S of labels"),
        ({"S": np.array([[0.5]])}, "not whole"),
        ({"S": np.array([[1e9]])}, "no classes"),
        ({"S": np.array([[np.nan]])}, "not whole"),
    ],
)
def test_mat_files_without_labels(tmp_path, tables, message):
    path = saved(tmp_path, **tables)
    with pytest.raises(UsageError, match=f"^{path}: .*{message}"):
        read_codes(path, CODES)


def test_mat_files_that_are_cut_off_or_none(tmp_path):
    whole = saved(tmp_path, S=np.arange(10_000).reshape(100, 100)).read_bytes()
    for content in (b"", b"\x00", whole[:100], whole[:140], whole[:5000], whole[:-1], b"MATLAB 5.0" * 20):
        path = written(tmp_path, "a.mat", content)
        with pytest.raises(UsageError, match=f"^{path}: "):
            read_codes(path, CODES)
    pointer = written(tmp_path, "a.mat", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(UsageError, match="a Git LFS pointer"):
        read_codes(pointer, CODES)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.booleans(), st.integers(0, 10_000), st.integers(0, 255))
def test_mat_files_with_a_wrong_byte_are_read_or_refused(tmp_path, packed, place, byte):
    names = np.empty((2, 1), object)
    names[:, 0] = ["sky", "sea side"]
    file = io.BytesIO()
    scipy.io.savemat(file, {"S": np.ones((3, 4), np.uint8), "names": names, "other": np.ones(9)}, do_compression=packed)
    content = bytearray(file.getvalue())
    content[place % len(content)] = byte
    path = written(tmp_path, "b.mat", bytes(content))
    try:
        assert read_codes(path, CODES).labels.dtype == np.uint8
    except UsageError as error:
        assert str(error).startswith(f"{path}: ")


@pytest.mark.parametrize("kind", ["u1", "i2", "f4", "f8", "i8"])
@pytest.mark.parametrize("packed", [True, False])
def test_mat_tables_of_any_numbers_are_read_as_scipy_wrote_them(tmp_path, kind, packed):
    values = np.arange(300 * 7).reshape(7, 300).astype(kind) % 50
    names = np.empty((1, 3), object)
    names[0] = ["a", "", "a name that is longer than four letters"]
    file = io.BytesIO()
    scipy.io.savemat(file, {"note": "text", "names": names, "S": values, "more": {"x": 1}}, do_compression=packed)
    found, listed = read_mat(written(tmp_path, "a.mat", file.getvalue()))
    assert found.tolist() == values.tolist()
    assert listed == ("a", "", "a name that is longer than four letters")


def test_mat_files_of_other_machines_and_versions(tmp_path):
    def element(kind: int, data: bytes) -> bytes:
        return struct.pack(">II", kind, len(data)) + data + bytes(-len(data) % 8)

    parts = element(6, struct.pack(">II", 9, 0)) + element(5, struct.pack(">ii", 2, 3)) + element(1, b"S")
    content = bytes(124) + b"\x01\x00MI" + element(14, parts + element(3, struct.pack(">6h", 1, 4, 2, 5, 3, 300)))
    assert read_mat(written(tmp_path, "a.mat", content))[0].tolist() == [[1, 2, 3], [4, 5, 300]]
    for other, message in (
        (b"MATLAB 7.3 MAT-file" + bytes(600), "version 7.3; save it with -v7"),
        (bytes(600), "no .mat file of version 5 to 7"),
    ):
        with pytest.raises(UsageError, match=message):
            read_codes(written(tmp_path, "a.mat", other), CODES)


def png(tmp_path: Path, values: np.ndarray, **options: object) -> Path:
    path = tmp_path / "a.png"
    Image.fromarray(values).save(path, **options)
    return path


def grey_png(values: list[int], bits: int) -> bytes:
    """One row of grey with few bits, which Pillow does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = int("".join(f"{value:0{bits}b}" for value in values).ljust(-(-len(values) * bits // 8) * 8, "0"), 2)
    data = b"\x00" + row.to_bytes(-(-len(values) * bits // 8), "big")
    header = struct.pack(">IIBBBBB", len(values), 1, bits, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_grey_of_few_bits_keeps_its_numbers(tmp_path, bits):
    values = [0, 1, 1, 0, 2**bits - 1]
    assert read_png(written(tmp_path, "a.png", grey_png(values, bits)))[0].tolist() == [values]


def test_sixteen_bits_and_transparency(tmp_path):
    assert read_codes(png(tmp_path, np.array([[0, 17, 4000]], np.uint16)), CODES).labels.tolist() == [[0, 2, UNKNOWN]]
    assert read_codes(png(tmp_path, np.array([[[1, 0], [17, 255]]], np.uint8)), CODES).labels.tolist() == [[1, 2]]
    rgba = np.array([[[255, 0, 0, 0], [0, 255, 0, 255]]], np.uint8)
    assert read_codes(png(tmp_path, rgba), CODES).labels.tolist() == [[0, 1]]


def test_rgb_needs_colours(tmp_path):
    path = png(tmp_path, np.array([[[255, 0, 0], [0, 0, 0], [1, 2, 3]]], np.uint8))
    found = read_codes(path, CODES)
    assert (found.labels.tolist(), found.colour) == ([[0, VOID, UNKNOWN]], True)
    with pytest.raises(UsageError, match=r"a.png: an RGB picture, and classes.txt has no colours"):
        read_codes(path, Codes(CODES.values))


def palette(tmp_path: Path, colours: list[int], values: list[int]) -> Path:
    picture = Image.fromarray(np.array([values], np.uint8))
    picture.putpalette(colours)
    picture.save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_a_palette_counts_by_number_or_by_listed_colours(tmp_path):
    swapped = palette(tmp_path, [0, 255, 0, 255, 0, 0], [0, 1])  # the list's colours, in an order of some program
    assert read_codes(swapped, CODES).labels.tolist() == [[1, 0]]
    assert read_codes(swapped, Codes(CODES.values)).labels.tolist() == [[0, 1]]
    other = palette(tmp_path, [9, 9, 9, 8, 8, 8], [0, 1])
    assert read_codes(other, CODES).labels.tolist() == [[0, 1]]


def test_a_number_that_is_not_listed_is_none_of_its_palettes_colour(tmp_path):
    """A palette in the list's own order is filled up with black, which is void's colour too."""
    codes = Codes(((0, 0), (1, 1), (255, VOID)), ((0xFF0000, 0), (0x00FF00, 1), (0, VOID)))
    coded = read_codes(palette(tmp_path, [255, 0, 0, 0, 255, 0, *[0] * 762], [1, 7, 255]), codes)
    assert coded.labels.tolist() == [[1, UNKNOWN, VOID]] and not coded.colour
    swapped = read_codes(palette(tmp_path, [0, 255, 0, 255, 0, 0, *[0] * 762], [1, 7, 255]), codes)
    assert swapped.labels.tolist() == [[0, VOID, VOID]] and swapped.colour


def test_numbers_where_colours_are_expected(tmp_path):
    with pytest.raises(UsageError, match="a picture of numbers, where colours are expected"):
        read_codes(png(tmp_path, np.zeros((2, 2), np.uint8)), Codes(colours=CODES.colours))


def test_pictures_that_are_damaged(tmp_path):
    whole = png(tmp_path, np.random.default_rng(0).integers(0, 2, (40, 40)).astype(np.uint8)).read_bytes()
    jpeg = io.BytesIO()
    Image.new("RGB", (8, 8)).save(jpeg, "JPEG")
    for content, message in (
        (b"", "an empty file"),
        (jpeg.getvalue(), "no PNG"),
        (whole[:-20], "cut off"),
        (whole[:60] + b"\x00\x01" + whole[62:], "damaged"),
        (whole[:20], "cut off"),
    ):
        path = written(tmp_path, "b.png", content)
        with pytest.raises(UsageError, match=f"^{path}: {message}"):
            read_codes(path, CODES)
    with pytest.raises(UsageError, match="no such file"):
        read_codes(tmp_path / "none.png", CODES)


def test_a_picture_too_large_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setenv("PERCEPT_MAX_PIXELS", "100")
    with pytest.raises(UsageError, match="more than 100"):
        read_codes(png(tmp_path, np.zeros((20, 20), np.uint8)), CODES)
