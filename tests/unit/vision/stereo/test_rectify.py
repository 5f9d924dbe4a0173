"""A wall at a known distance, seen by two turned cameras with lenses: rectified, rows agree and the depth is true."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from percept.core.errors import InputError
from percept.vision.stereo.calibration import depth
from percept.vision.stereo.inspection import inspect
from percept.vision.stereo.rectify import rectify

SIZE = (320, 240)
K1 = np.array([[300, 0, 158], [0, 302, 121], [0, 0, 1]], float)
K2 = np.array([[305, 0, 161], [0, 304, 118], [0, 0, 1]], float)
D1, D2 = np.array([-0.1, 0.02, 0.001, 0, 0]), np.array([-0.08, 0.01, 0, 0.001, 0])
R = cv2.Rodrigues(np.array([0.01, -0.02, 0.03]))[0]
T = np.array([-0.12, 0.004, 0.002])
Z = 2.0  # metres: a textured wall, square to the left camera


def store(path: Path, **values) -> Path:
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for key, value in values.items():
        storage.write(key, value)
    storage.release()
    return path


def whole(path: Path, **other) -> Path:
    values = {"K1": K1, "D1": D1, "K2": K2, "D2": D2, "R": R, "T": T.reshape(3, 1), **other}
    return store(path, **{key: value for key, value in values.items() if value is not None})


def wall(camera: np.ndarray, lens: np.ndarray, turn: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """What a camera at ``turn`` and ``shift`` sees of the wall: (H, W, 3) uint8."""
    texture = np.random.default_rng(0).integers(0, 256, (150, 200)).astype(np.uint8)
    texture = cv2.GaussianBlur(cv2.resize(texture, (800, 600), interpolation=cv2.INTER_CUBIC), (0, 0), 1)
    width, height = SIZE
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(-1, 1, 2).astype(float)
    rays = cv2.undistortPoints(pixels, camera, lens).reshape(-1, 2)
    rays = np.c_[rays, np.ones(len(rays))] @ turn  # into the left camera's directions: R^T ray
    centre = -turn.T @ shift
    far = (Z - centre[2]) / rays[:, 2]
    at = (centre + rays * far[:, None])[:, :2] * 200 + (400, 300)  # 200 texels a metre
    maps = at.astype(np.float32).reshape(height, width, 2)
    return cv2.cvtColor(cv2.remap(texture, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR), cv2.COLOR_GRAY2RGB)


@pytest.fixture(scope="module")
def views() -> tuple[np.ndarray, np.ndarray]:
    return wall(K1, D1, np.eye(3), np.zeros(3)), wall(K2, D2, R, T)


def disparity_of(left: np.ndarray, right: np.ndarray) -> float:
    """Of a patch in the middle, to a fraction of a pixel."""
    y, x, radius = left.shape[0] // 2, left.shape[1] // 2, 20
    patch = left[y - radius : y + radius, x - radius : x + radius, 0]
    row = right[y - radius : y + radius, :, 0]
    score = cv2.matchTemplate(row, patch, cv2.TM_CCOEFF_NORMED)[0]
    best = int(score.argmax())
    before, at, after = score[best - 1 : best + 2]
    assert at > 0.9
    return x - radius - (best + 0.5 * (before - after) / (before - 2 * at + after))


def test_rows_agree_and_depth_is_true(tmp_path, views):
    assert not inspect(*views).rectified
    left, right, cameras = rectify(*views, whole(tmp_path / "stereo.yml", image_width=320, image_height=240))
    assert left.shape == right.shape == (240, 320, 3) and left.dtype == np.uint8
    look = inspect(left, right)
    assert look.matches > 50 and look.rectified and look.corner < 0.7 and not look.swapped
    assert cameras.baseline_m == pytest.approx(np.linalg.norm(T)) and cameras.doffs == 0
    assert (cameras.width, cameras.height, cameras.name) == (320, 240, "stereo.yml")
    metres = depth(np.full((1, 1), disparity_of(left, right), np.float32), cameras)[0, 0]
    assert metres == pytest.approx(Z, rel=0.05)  # the cameras are turned by up to two degrees


def test_opencvs_two_files_and_names_give_the_same(tmp_path, views):
    one = rectify(*views, whole(tmp_path / "stereo.yml"))
    store(tmp_path / "intrinsics.yml", M1=K1, D1=D1.reshape(1, 5), M2=K2, D2=D2.reshape(1, 5))
    store(tmp_path / "extrinsics.yml", R=R, T=T)
    for name in ("intrinsics.yml", "extrinsics.yml"):
        two = rectify(*views, tmp_path / name)
        np.testing.assert_array_equal(one[0], two[0])
        np.testing.assert_array_equal(one[1], two[1])
        assert one[2].baseline_m == two[2].baseline_m


def test_a_rotation_may_be_an_axis_and_a_lens_may_be_missing(tmp_path, views):
    one = rectify(*views, whole(tmp_path / "a.xml", D1=np.zeros(5), D2=np.zeros(5)))
    two = rectify(*views, whole(tmp_path / "b.xml", D1=None, D2=None, R=cv2.Rodrigues(R)[0]))
    assert np.abs(one[0].astype(int) - two[0]).max() <= 1


def test_units_of_the_baseline(tmp_path, views):
    length = np.linalg.norm(T)
    assert rectify(*views, whole(tmp_path / "mm.yml", T=T * 1000))[2].baseline_m == pytest.approx(length)
    assert rectify(*views, whole(tmp_path / "cm.yml", T=T * 100, unit="cm"))[2].baseline_m == pytest.approx(length)
    with pytest.raises(InputError, match="unit in feet.yml is none of m, cm, mm"):
        rectify(*views, whole(tmp_path / "feet.yml", unit="ft"))


def test_a_file_that_changes_is_read_again(tmp_path, views):
    path = whole(tmp_path / "stereo.yml")
    before = rectify(*views, path)[2].baseline_m
    whole(path, T=2 * T)
    os.utime(path, ns=(1, 1))
    assert rectify(*views, path)[2].baseline_m == pytest.approx(2 * before)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"K1": None}, "no K1 or M1 in bad.yml; --rectify needs K1, D1, K2, D2, R and T"),
        ({"T": None}, "no T in bad.yml"),
        ({"T": -T}, "right camera on the left"),
        ({"T": T[[1, 0, 2]]}, "above each other"),
        ({"D1": np.zeros(3)}, "D1 in bad.yml has 3 numbers; a lens has 4, 5, 8, 12 or 14"),
        ({"K2": np.eye(2)}, "K2 in bad.yml has 4 numbers, not 9"),
        ({"image_width": 640, "image_height": 480}, "for pictures of 640 x 480 pixels, these have 320 x 240"),
        ({"K1": K1 * [[1, 1, 9], [1, 1, 9], [1, 1, 1]]}, "principal point at 1422, 1089, outside"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, views, other, message):
    with pytest.raises(InputError, match=message):
        rectify(*views, whole(tmp_path / "bad.yml", **other))


def test_no_file_and_no_yaml(tmp_path, views):
    with pytest.raises(InputError, match="no such file"):
        rectify(*views, tmp_path / "none.yml")
    (tmp_path / "a.yml").write_text("hello")
    with pytest.raises(InputError, match="damaged"):
        rectify(*views, tmp_path / "a.yml")


def test_views_of_two_sizes_are_refused(tmp_path, views):
    with pytest.raises(InputError, match="left is 320 x 240 pixels, right 300 x 240"):
        rectify(views[0], views[1][:, :300], whole(tmp_path / "stereo.yml"))
