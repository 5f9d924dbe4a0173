"""Splits asked for by name, and one pair read with its truth."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from percept.core.errors import UsageError
from percept.vision.stereo.data import Scene, consistent, read_pair, read_scenes, recognise, rounded_up, splits
from percept.vision.stereo.formats import write_pfm

TINY = Path(__file__).parents[3] / "data" / "stereo_tiny"
NAN = float("nan")


def test_tiny_set() -> None:
    assert recognise(TINY) == "folder"
    assert splits(TINY) == ("train", "val", "all")
    assert [scene.name for scene in read_scenes(TINY, "train")] == ["barn2", "moebius", "teddy"]
    for scene in read_scenes(TINY, "all"):
        pair = read_pair(scene)
        assert pair.left.shape == pair.right.shape == (72, 112, 3)
        assert pair.left.dtype == np.uint8
        assert pair.truth.dtype == np.float32
        assert pair.visible.mean() > 0.9
        assert 16 <= pair.ndisp <= 48


def test_tiny_truth_moves_the_right_view_onto_the_left() -> None:
    for scene in read_scenes(TINY, "all"):
        pair = read_pair(scene)
        y, x = np.nonzero(pair.visible)
        there = x - np.rint(pair.truth[y, x]).astype(int)
        y, x, there = y[there >= 0], x[there >= 0], there[there >= 0]
        moved = np.abs(pair.left[y, x].astype(float) - pair.right[y, there]).mean()
        unmoved = np.abs(pair.left.astype(float) - pair.right).mean()
        assert moved < 0.5 * unmoved, scene.name


@pytest.mark.parametrize(("asked", "hint"), [("vall", "did you mean val"), ("trian", "did you mean train")])
def test_a_wrong_split_names_the_nearest(asked: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"no split {asked}, there is train, val, all; {hint}"):
        read_scenes(TINY, asked)


def test_no_stereo_data(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    assert recognise(tmp_path) is None
    assert recognise(tmp_path / "absent") is None
    with pytest.raises(UsageError, match="no stereo data found: Middlebury, KITTI.* there is photos"):
        splits(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        read_scenes(tmp_path / "absent", "train")


def test_a_folder_without_any_whole_pair(tmp_path: Path) -> None:
    for side in ("left", "right", "disp"):
        (tmp_path / side).mkdir()
    shutil.copy(TINY / "train/left/teddy.png", tmp_path / "left")
    with pytest.raises(UsageError, match="no pair with a truth in all"):
        read_scenes(tmp_path, "train")


def test_sizes_that_differ_are_named(tmp_path: Path) -> None:
    scene = read_scenes(TINY, "val")[0]
    write_pfm(tmp_path / "small.pfm", np.ones((36, 56), np.float32))
    with pytest.raises(UsageError, match=r"small.pfm: 56 x 36 pixels, where its left picture baby2.png has 112 x 72"):
        read_pair(replace(scene, truth=tmp_path / "small.pfm"))
    cv2.imwrite(str(tmp_path / "mask.png"), np.full((3, 4), 255, np.uint8))
    with pytest.raises(UsageError, match="mask.png: 4 x 3"):
        read_pair(replace(scene, mask=tmp_path / "mask.png"))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    scene = read_scenes(TINY, "val")[0]
    (tmp_path / "broken.png").write_bytes(scene.left.read_bytes()[:2000])
    for change, name in (
        ({"left": tmp_path / "broken.png"}, "broken.png: cut off"),
        ({"truth": tmp_path / "absent.png"}, "absent.png: No such file"),
        ({"truth": None}, "without truth"),
        ({"right": tmp_path / "broken.png", "set": "sceneflow"}, "broken.png"),
    ):
        with pytest.raises(UsageError, match=name):
            read_pair(replace(scene, **change))


def test_a_mask_of_255_is_visible(tmp_path: Path) -> None:
    mask = np.zeros((72, 112), np.uint8)
    mask[:10], mask[10:20] = 255, 128
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    scene = read_scenes(TINY, "train")[0]
    pair = read_pair(replace(scene, mask=tmp_path / "mask.png"))
    np.testing.assert_array_equal(pair.visible, np.isfinite(pair.truth) & (mask == 255))


def test_both_truths_tell_what_is_occluded() -> None:
    # the left pixels 4 and 5 lie in front (d = 3), the others behind (d = 1): what they cover is seen by one view only
    left = np.array([[1, 1, 1, 1, 3, 3, 1, 1]], np.float32)
    right = np.array([[1, 3, 3, 1, NAN, 1, 1, 1]], np.float32)
    wanted = [False, True, False, False, True, True, True, True]
    #         outside         covered by 3              x - 1 = 5, 6 agree
    np.testing.assert_array_equal(consistent(left, right)[0], wanted)


def test_a_difference_of_exactly_one_pixel_agrees() -> None:
    left = np.array([[NAN, NAN, 2, 2, 2]], np.float32)
    right = np.array([[3, 3.01, NAN, 0, 0]], np.float32)
    np.testing.assert_array_equal(consistent(left, right)[0], [False, False, True, False, False])


@pytest.mark.parametrize(("largest", "ndisp"), [(0, 16), (15.9, 16), (16, 32), (31.99, 32), (192, 208), (NAN, 16)])
def test_disparities_that_hold_a_truth(largest: float, ndisp: int) -> None:
    assert rounded_up(np.array([[0, NAN, largest]], np.float32)) == ndisp


def test_a_scene_says_how_many_disparities_are_looked_for(tmp_path: Path) -> None:
    scene = read_scenes(TINY, "train")[0]
    assert isinstance(scene, Scene)
    assert read_pair(scene).ndisp == 16
    assert read_pair(replace(scene, ndisp=80)).ndisp == 80
