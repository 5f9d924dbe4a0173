"""Points lie where the pinhole camera says, in metres, and another program can read the file."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from percept.vision.stereo import cloud
from percept.vision.stereo.calibration import Calibration
from percept.vision.stereo.cloud import points, write_ply

CAMERAS = Calibration(focal=100, cx=1, cy=0, doffs=5, baseline_m=0.2)


def read_ply(path: Path) -> tuple[list[str], list[tuple]]:
    """Written from the format's description, not from the writer."""
    data = path.read_bytes()
    header, _, body = data.partition(b"end_header\n")
    lines = header.decode("ascii").splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    codes = {"float": "f", "uchar": "B"}
    row = struct.Struct("<" + "".join(codes[line.split()[1]] for line in lines if line.startswith("property")))
    count = next(int(line.split()[2]) for line in lines if line.startswith("element vertex"))
    assert len(body) == count * row.size
    return lines, list(row.iter_unpack(body))


def test_a_case_by_hand(tmp_path):
    disparity = np.array([[5.0, np.nan, 15.0], [-5.0, 35.0, np.nan]], np.float32)  # -5 + doffs: infinitely far
    rgb = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    places, colours = points(disparity, rgb, CAMERAS)
    # z = 0.2 * 100 / (d + 5); x = (column - 1) z / 100; y = row z / 100
    expected = [(-0.02, 0, 2), (0.01, 0, 1), (0, 0.005, 0.5)]
    assert places.dtype == np.float32 and colours.dtype == np.uint8
    np.testing.assert_allclose(places, expected, rtol=1e-6)
    np.testing.assert_array_equal(colours, [rgb[0, 0], rgb[0, 2], rgb[1, 1]])

    write_ply(tmp_path / "cloud.ply", places, colours)
    header, rows = read_ply(tmp_path / "cloud.ply")
    assert "comment metres in the left camera's coordinates: x right, y down, z forward" in header
    names = [line.split()[-1] for line in header if line.startswith("property")]
    assert names == ["x", "y", "z", "red", "green", "blue"]
    np.testing.assert_allclose([row[:3] for row in rows], expected, rtol=1e-6)
    assert [row[3:] for row in rows] == [tuple(rgb[0, 0]), tuple(rgb[0, 2]), tuple(rgb[1, 1])]


def test_chunks_leave_no_seam(tmp_path, monkeypatch):
    places = np.random.default_rng(0).normal(size=(23, 3)).astype(np.float32)
    colours = np.random.default_rng(1).integers(0, 256, (23, 3)).astype(np.uint8)
    write_ply(tmp_path / "whole.ply", places, colours)
    monkeypatch.setattr(cloud, "CHUNK", 5)
    write_ply(tmp_path / "parts.ply", places, colours)
    assert (tmp_path / "parts.ply").read_bytes() == (tmp_path / "whole.ply").read_bytes()
    assert len(read_ply(tmp_path / "parts.ply")[1]) == 23


def test_no_point_at_all_is_still_a_file(tmp_path):
    places, colours = points(np.full((4, 5), np.nan, np.float32), np.zeros((4, 5, 3), np.uint8), CAMERAS)
    assert places.shape == colours.shape == (0, 3)
    write_ply(tmp_path / "none.ply", places, colours)
    assert read_ply(tmp_path / "none.ply")[1] == []


def test_a_failure_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "cloud.ply"
    path.write_bytes(b"old")
    monkeypatch.setattr(cloud, "POINT", None)
    with pytest.raises((TypeError, ValueError, IndexError)):
        write_ply(path, np.zeros((2, 3), np.float32), np.zeros((2, 3), np.uint8))
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_arrays_that_do_not_belong_together_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 3\)"):
        write_ply(tmp_path / "a.ply", np.zeros((2, 3), np.float32), np.zeros((3, 3), np.uint8))
