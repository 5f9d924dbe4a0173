"""The published layouts, laid out small: which pairs are found, how their truth is read, which splits there are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from percept.core.errors import UsageError
from percept.vision.stereo.data import read_pair, read_scenes, recognise, splits
from percept.vision.stereo.formats import write_pfm, write_png16

CALIB = "cam0=[100 0 9; 0 100 7; 0 0 1]\ncam1=[100 0 11; 0 100 7; 0 0 1]\ndoffs=2\nbaseline=80\n"


def picture(path: Path, width: int = 24, height: int = 16) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(path.name))
    cv2.imwrite(str(path), rng.integers(0, 255, (height, width, 3), np.uint8))


def grey(path: Path, value: int, width: int = 24, height: int = 16, kind: type = np.uint8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width), value, kind))


def pfm(path: Path, value: float, width: int = 24, height: int = 16) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_pfm(path, np.full((height, width), value, np.float32))


def v3(place: Path, truth: str = "disp0GT.pfm", ndisp: int = 73) -> None:
    for name in ("im0.png", "im1.png"):
        picture(place / name)
    pfm(place / truth, 5)
    (place / "calib.txt").write_text(f"{CALIB}width=24\nheight=16\nndisp={ndisp}\n")


def old(place: Path, value: int, width: int = 24, height: int = 16, ending: str = ".png") -> None:
    for name in ("im2", "im6"):
        picture(place / f"{name}{ending}", width, height)
    for name in ("disp2", "disp6"):
        grey(place / f"{name}.png", value, width, height)


def six(place: Path, value: int, height: int) -> None:
    for name in ("view1.png", "view5.png"):
        picture(place / name, 20, height)
    for name in ("disp1.png", "disp5.png"):
        grey(place / name, value, 20, height)


def kitti(training: Path, frames: range | list[int], occ: bool = True, year: int = 2015) -> None:
    ending, left, right = ("_0", "image_2", "image_3") if year == 2015 else ("", "colored_0", "colored_1")
    for frame in frames:
        name = f"{frame:06d}_10.png"
        picture(training / left / name)
        picture(training / right / name)
        picture(training / left / name.replace("_10", "_11"))
        grey(training / f"disp_noc{ending}" / name, 5 * 256, 12, kind=np.uint16)
        for kind, on in (("noc", True), ("occ", occ)):
            if on:
                truth = np.full((16, 24), 5 * 256, np.uint16)
                truth[:, : 12 if kind == "noc" else 4] = 0
                folder = training / f"disp_{kind}{ending}"
                folder.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(folder / name), truth)


@pytest.fixture()
def middlebury(tmp_path: Path) -> Path:
    v3(tmp_path / "2014/trainingQ/ArtL", ndisp=64)
    v3(tmp_path / "2014/trainingQ/Teddy")
    grey(tmp_path / "2014/trainingQ/Teddy/mask0nocc.png", 255)
    v3(tmp_path / "2014/trainingH/Teddy", ndisp=146)
    old(tmp_path / "2001/venus", 80)
    tsukuba = tmp_path / "2001/tsukuba"
    for column in (3, 4):
        picture(tsukuba / f"scene1.row3.col{column}.ppm")
    grey(tsukuba / "truedisp.row3.col3.pgm", 80)
    old(tmp_path / "2003/teddy", 20, 450, 375)
    six(tmp_path / "deeper/2005/ThirdSize/Art", 15, 370)
    six(tmp_path / "2006/Baby1", 10, 555)
    (tmp_path / "SOURCE.md").write_text("notes")
    return tmp_path


def test_middlebury_in_any_nesting(middlebury: Path) -> None:
    assert recognise(middlebury) == "middlebury"
    assert splits(middlebury) == ("v3", "v3-half", "2001", "2003", "2005", "2006", "all")
    assert [scene.name for scene in read_scenes(middlebury, "v3")] == ["ArtL", "Teddy"]
    assert [scene.name for scene in read_scenes(middlebury, "2001")] == ["tsukuba", "venus"]
    everything = read_scenes(middlebury, "all")
    assert len(everything) == 7  # one size of each
    assert read_scenes(middlebury, "train") == everything


def test_middlebury_truths_are_pixels(middlebury: Path) -> None:
    for scene in read_scenes(middlebury, "all"):
        pair = read_pair(scene)
        assert np.nanmax(pair.truth) == np.nanmin(pair.truth) == (10 if scene.name == "venus" else 5), scene.name
    ndisp = {scene.name: scene.ndisp for scene in read_scenes(middlebury, "all")}
    assert ndisp == {"ArtL": 64, "Teddy": 80, "tsukuba": 16, "venus": 32, "teddy": 64, "Art": 80, "Baby1": 128}


def test_the_same_real_scene_is_one_group(middlebury: Path) -> None:
    groups: dict[str, set[str]] = {}
    for scene in read_scenes(middlebury, "all"):
        groups.setdefault(scene.group, set()).add(scene.name)
    assert groups["teddy"] == {"Teddy", "teddy"}
    assert groups["art"] == {"ArtL", "Art"}
    assert len(groups) == 5


def test_half_size_alone_is_v3(tmp_path: Path) -> None:
    v3(tmp_path / "MiddEval3/trainingH/Piano", ndisp=130)
    assert splits(tmp_path) == ("v3", "all")
    assert read_scenes(tmp_path, "v3")[0].ndisp == 144


def test_2014_zips_have_both_truths(tmp_path: Path) -> None:
    v3(tmp_path / "Piano-perfect", "disp0.pfm", 260)
    pfm(tmp_path / "Piano-perfect/disp1.pfm", 5)
    (scene,) = read_scenes(tmp_path, "2014")
    assert (scene.name, scene.group, scene.ndisp) == ("Piano-perfect", "piano", 272)
    assert scene.right_truth is not None
    assert read_pair(scene).visible.sum() == 16 * (24 - 5)  # the first columns' matches lie outside


def test_full_size_2003(tmp_path: Path) -> None:
    old(tmp_path / "conesF", 60, 1800, 15)
    (scene,) = read_scenes(tmp_path, "2003")
    assert (scene.scale, scene.ndisp, scene.group) == (1, 256, "cones")


def test_one_scene_is_a_set(tmp_path: Path) -> None:
    old(tmp_path / "sawtooth", 80, ending=".ppm")
    assert [scene.name for scene in read_scenes(tmp_path / "sawtooth", "all")] == ["sawtooth"]


def test_kitti_2015(tmp_path: Path) -> None:
    kitti(tmp_path / "training", range(11))
    assert recognise(tmp_path) == recognise(tmp_path / "training") == "kitti"
    assert splits(tmp_path) == ("train", "val", "all")
    assert [scene.name for scene in read_scenes(tmp_path, "val")] == ["000004", "000009"]
    assert len(read_scenes(tmp_path, "train")) == 9
    scene = read_scenes(tmp_path, "val")[0]
    assert (scene.set, scene.ndisp) == ("kitti2015", 192)
    pair = read_pair(scene)
    assert np.isfinite(pair.truth).sum() == 16 * 20  # disp_occ
    assert pair.visible.sum() == 16 * 12  # disp_noc
    assert np.nanmax(pair.truth) == 5


def test_kitti_part_has_its_own_block_for_choosing(tmp_path: Path) -> None:
    kitti(tmp_path / "training", [5, 10, 30, 38], occ=False)
    assert [scene.name for scene in read_scenes(tmp_path, "val")] == ["000030", "000038"]
    pair = read_pair(read_scenes(tmp_path, "train")[0])
    assert pair.visible.sum() == np.isfinite(pair.truth).sum() == 16 * 12


def test_kitti_frames_that_are_kept_are_never_train(tmp_path: Path) -> None:
    kitti(tmp_path / "training", [2, 3, 7])
    assert splits(tmp_path) == ("val", "all")
    with pytest.raises(UsageError, match="no split train, there is val, all"):
        read_scenes(tmp_path, "train")


def test_kitti_2012_and_2015_beside_each_other(tmp_path: Path) -> None:
    kitti(tmp_path / "2012/training", range(6), year=2012)
    kitti(tmp_path / "2015/training", [0, 1, 4, 6, 8])
    assert splits(tmp_path) == ("train", "val", "kitti2012", "kitti2015", "all")
    assert {scene.set for scene in read_scenes(tmp_path, "train")} == {"kitti2012", "kitti2015"}
    names = [scene.name for scene in read_scenes(tmp_path, "all")]
    assert len(set(names)) == len(names) == 11  # 000000 is in both
    assert "2012/training/colored_0/000000_10" in names


def test_eth3d_in_two_folders_and_in_one(tmp_path: Path) -> None:
    two = tmp_path / "two"
    for name in ("im0.png", "im1.png"):
        picture(two / "two_view_training/terrace_2s" / name)
    pfm(two / "two_view_training_gt/terrace_2s/disp0GT.pfm", 5)
    grey(two / "two_view_training_gt/terrace_2s/mask0nocc.png", 128)
    (scene,) = read_scenes(two, "all")
    assert (scene.set, scene.ndisp, recognise(two)) == ("eth3d", 64, "eth3d")
    assert not read_pair(scene).visible.any()  # all occluded
    v3(tmp_path / "one/terrace_2s", ndisp=24)  # ndisp is the width there
    (scene,) = read_scenes(tmp_path / "one", "all")
    assert (scene.set, scene.ndisp) == ("eth3d", 64)


def test_scene_flow(tmp_path: Path) -> None:
    for part, frame in (("TRAIN/A/0000", "0006"), ("TEST/B/0001", "0007")):
        for side in ("left", "right"):
            path = tmp_path / "frames_cleanpass" / part / side / f"{frame}.png"
            path.parent.mkdir(parents=True)
            cv2.imwrite(str(path), np.dstack([np.full((16, 24, 3), 50, np.uint8), np.full((16, 24), 3, np.uint8)]))
        pfm(tmp_path / "disparity" / part / "left" / f"{frame}.pfm", 5)
    grey(tmp_path / "occlusion/TRAIN/A/0000/left/0006.png", 255)
    assert splits(tmp_path) == ("train", "test", "all")
    (scene,) = read_scenes(tmp_path, "train")
    assert (scene.name, scene.set, scene.ndisp) == ("TRAIN/A/0000/0006", "sceneflow", 192)
    pair = read_pair(scene)
    assert (pair.left == 50).all()  # the fourth channel is no transparency
    assert not pair.visible.any()  # 255 is occluded


def test_ones_own_folder_flat_and_in_parts(tmp_path: Path) -> None:
    for place in (tmp_path / "flat", tmp_path / "parts/train", tmp_path / "parts/val"):
        for stem, kind in (("a", ".jpg"), ("b.1", ".png")):
            picture(place / "left" / f"{stem}{kind}")
            picture(place / "right" / f"{stem}.png")
        picture(place / "left" / "alone.png")
        pfm(place / "disp/a.pfm", 17)
        write_png16(place / "disp/b.1.png", np.full((16, 24), 15.5, np.float32))
    flat = tmp_path / "flat"
    assert (recognise(flat), splits(flat)) == ("folder", ("all",))
    assert [scene.name for scene in read_scenes(flat, "train")] == ["a", "b.1"]
    assert [read_pair(scene).ndisp for scene in read_scenes(flat, "all")] == [32, 16]  # as much as the truth needs
    parts = tmp_path / "parts"
    assert splits(parts) == ("train", "val", "all")
    assert [scene.left.parent.parent.name for scene in read_scenes(parts, "val")] == ["val", "val"]
    assert [scene.name for scene in read_scenes(parts, "all")] == [
        "train/left/a",
        "train/left/b.1",
        "val/left/a",
        "val/left/b.1",
    ]


def test_folders_of_classes_called_left_and_right_are_no_stereo(tmp_path: Path) -> None:
    for word in ("left", "right", "stop"):
        picture(tmp_path / "train" / word / "0.png")
    assert recognise(tmp_path) is None
