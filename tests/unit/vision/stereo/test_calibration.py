"""Depth is in metres, whoever wrote the calibration; a broken one says what it lacks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percept.core.errors import InputError
from percept.vision.stereo.calibration import Calibration, depth, read_calibration

MIDDLEBURY = """cam0=[1000 0 300; 0 1000 200; 0 0 1]
cam1=[1000 0 330; 0 1000 200; 0 0 1]
doffs=30
baseline=200
width=640
height=400
ndisp=70
isint=0
"""
KITTI = """P0: 700 0 600 0 0 700 170 0 0 0 1 0
P1: 700 0 600 -385 0 700 170 0 0 0 1 0
P2: 710 0 610 42.6 0 710 172 0.2 0 0 1 0.003
P3: 710 0 610 -312.4 0 710 172 2.2 0 0 1 0.003
"""


def written(folder: Path, text: str, name: str = "calib.txt") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def stored(path: Path, **values) -> Path:
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for key, value in values.items():
        storage.write(key, value)
    storage.release()
    return path


def metres(disparity: float, calibration: Calibration) -> float:
    return float(depth(np.full((1, 1), disparity, np.float32), calibration)[0, 0])


def test_middlebury_in_millimetres_becomes_metres(tmp_path):
    found = read_calibration(written(tmp_path, MIDDLEBURY))
    assert found == Calibration(1000, 300, 200, 30, 0.2, 640, 400, 70, "calib.txt")
    assert metres(70, found) == pytest.approx(0.2 * 1000 / 100)


def test_blanks_byte_order_mark_and_line_ends_do_not_matter(tmp_path):
    loose = MIDDLEBURY.replace("=", " = ").replace(";", " ;  ").replace("[", "[ ").replace("\n", "  \r\n")
    path = tmp_path / "calib.txt"
    path.write_bytes(b"\xef\xbb\xbf" + loose.encode())
    assert read_calibration(path) == read_calibration(written(tmp_path, MIDDLEBURY))


def test_an_ndisp_of_the_whole_width_says_nothing(tmp_path):
    assert read_calibration(written(tmp_path, MIDDLEBURY.replace("ndisp=70", "ndisp=640"))).ndisp is None


def test_doffs_follows_from_the_cameras_where_it_is_not_said(tmp_path):
    assert read_calibration(written(tmp_path, MIDDLEBURY.replace("doffs=30\n", ""))).doffs == 30


@pytest.mark.parametrize(
    ("frame", "focal", "baseline"),
    [
        ("", 710, 355 / 710),
        ("image_2", 710, 355 / 710),
        ("colored_0", 710, 355 / 710),
        ("image_0", 700, 0.55),
        ("training/image_0/", 700, 0.55),
        ("2011_09_26/image_00/data", 700, 0.55),
    ],
)
def test_kitti_takes_the_cameras_of_the_folder(tmp_path, frame, focal, baseline):
    found = read_calibration(written(tmp_path, KITTI), frame)
    assert (found.focal, found.doffs, found.width) == (focal, 0, None)
    assert found.baseline_m == pytest.approx(baseline)
    assert metres(50, found) == pytest.approx(baseline * focal / 50)


def test_kitti_of_2015_says_its_size(tmp_path):
    lines = ["calib_time: 09-Jan-2012 13:57:47", "S_02: 1392 512", "S_rect_02: 1.242e+03 3.75e+02"]
    lines += [line.replace("P", "P_rect_0", 1) for line in KITTI.splitlines()]
    found = read_calibration(written(tmp_path, "\n".join(lines)))
    assert (found.focal, found.width, found.height) == (710, 1242, 375)
    assert found.baseline_m == pytest.approx(0.5)


def test_kitti_of_two_cameras_is_used_whatever_the_folder(tmp_path):
    grey = "\n".join(KITTI.splitlines()[:2])
    assert read_calibration(written(tmp_path, grey), "image_2").focal == 700


@pytest.mark.parametrize("suffix", [".yml", ".xml", ".json"])
def test_opencv_projections(tmp_path, suffix):
    left = np.array([[500, 0, 320, 0], [0, 500, 240, 0], [0, 0, 1, 0]], float)
    right = left.copy()
    right[0, 2:] = 325, -60.0
    found = read_calibration(stored(tmp_path / f"stereo{suffix}", P1=left, P2=right, image_width=640, image_height=480))
    assert (found.focal, found.cx, found.cy, found.doffs) == (500, 320, 240, 5)
    assert (found.width, found.height) == (640, 480)
    assert found.baseline_m == pytest.approx(0.12)


def test_opencv_q_means_the_same_as_its_projections(tmp_path):
    camera, lens = np.array([[500, 0, 320], [0, 500, 240], [0, 0, 1]], float), np.zeros(5)
    r = cv2.Rodrigues(np.array([0.01, 0.02, -0.01]))[0]
    shift = np.array([[-120.0], [2], [1]])
    _, _, p1, p2, q, *_ = cv2.stereoRectify(camera, lens, camera, lens, (640, 480), r, shift, flags=0)
    one = read_calibration(stored(tmp_path / "p.yml", P1=p1, P2=p2))
    two = read_calibration(stored(tmp_path / "q.yml", Q=q))
    assert one.baseline_m == pytest.approx(np.hypot(np.hypot(120, 2), 1) / 1000)  # beyond 10: millimetres
    for key in ("focal", "cx", "cy", "doffs", "baseline_m"):
        assert getattr(one, key) == pytest.approx(getattr(two, key))
    point = q @ np.array([100, 50, 40.0, 1])
    assert metres(40, two) == pytest.approx(point[2] / point[3] / 1000, rel=1e-5)


@pytest.mark.parametrize(("unit", "expected"), [("m", 6.0), ("cm", 0.06), ("mm", 0.006)])
def test_a_unit_that_is_named_counts(tmp_path, unit, expected):
    right = np.array([[500, 0, 320, -3000.0], [0, 500, 240, 0], [0, 0, 1, 0]])
    left = right * (1, 1, 1, 0)
    found = read_calibration(stored(tmp_path / "a.yml", P1=left, P2=right, unit=unit))
    assert found.baseline_m == pytest.approx(expected)


def test_pictures_of_another_size_are_refused_with_both_sizes(tmp_path):
    found = read_calibration(written(tmp_path, MIDDLEBURY))
    found.check_size(640, 400)
    with pytest.raises(InputError, match="calib.txt is for pictures of 640 x 400 pixels, these have 320 x 200"):
        found.check_size(320, 200)
    read_calibration(written(tmp_path, KITTI)).check_size(1, 1)  # it says no size


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            MIDDLEBURY.replace("baseline=200\n", ""),
            "no baseline in calib.txt; it is of no kind percept knows: Middlebury",
        ),
        ("baseline=200\ndoffs=0\n", "no cam0 in calib.txt"),
        (MIDDLEBURY.replace("baseline=200", "baseline=0"), "the baseline in calib.txt is 0"),
        (MIDDLEBURY.replace("[1000 0 300", "[nan 0 300"), "no cam0 in calib.txt"),
        (MIDDLEBURY.replace("cam0=[1000", "cam0=[-1000"), "the focal length in calib.txt is -1000"),
        (KITTI.replace("P3", "X3"), "no P3 of 12 numbers in calib.txt"),
        (KITTI.replace("-312.4", "400"), "exchanged"),
        (KITTI.replace("172 2.2", "172 900"), "above each other"),
        ("hello\n", "no cam0, P2 or P_rect_02 in calib.txt; .* Middlebury, KITTI, OpenCV"),
        ("", "no cam0, P2"),
        ("%YAML:1.0\n---\nother: 3\n", "no P1 and P2, and no Q in calib.txt; .* Middlebury, KITTI, OpenCV"),
        ("%YAML:1.0\n---\n- 1\n- 2\n", "damaged"),
        ('{"P1": 3', "damaged"),
    ],
)
def test_a_broken_file_says_what_it_lacks(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_calibration(written(tmp_path, text))


def test_cameras_that_are_not_rectified_are_sent_to_rectify(tmp_path):
    path = stored(tmp_path / "raw.yml", K1=np.eye(3), K2=np.eye(3), R=np.eye(3), T=np.ones(3))
    with pytest.raises(InputError, match="give it to --rectify"):
        read_calibration(path)


def test_no_file_a_folder_and_a_picture_are_told_apart(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_calibration(tmp_path / "none.txt")
    with pytest.raises(InputError, match="a folder"):
        read_calibration(tmp_path)
    (tmp_path / "a.png").write_bytes(bytes(range(256)) * 9)
    with pytest.raises(InputError, match="no cam0"):
        read_calibration(tmp_path / "a.png")
    (tmp_path / "large.txt").write_bytes(b" " * (2**20 + 1))
    with pytest.raises(InputError, match="too large"):
        read_calibration(tmp_path / "large.txt")


@settings(max_examples=100, derandomize=True)
@given(
    st.integers(0, len(KITTI)), st.binary(max_size=6), st.sampled_from([MIDDLEBURY, KITTI, "%YAML:1.0\n---\nP1: [1]\n"])
)
def test_damage_anywhere_is_an_input_error_or_a_calibration(tmp_path_factory, at, junk, text):
    path = tmp_path_factory.getbasetemp() / "damaged.txt"
    path.write_bytes(text.encode()[:at] + junk + text.encode()[at + len(junk) :])
    try:
        found = read_calibration(path)
    except InputError:
        return
    assert found.focal > 0 and found.baseline_m > 0


def test_depth_has_no_value_where_there_is_none():
    cameras = Calibration(100, 0, 0, 2.0, 0.5)
    found = depth(np.array([[3, np.nan, -2, -5, 0]], np.float32), cameras)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[10, np.nan, np.nan, np.nan, 25]])
