"""Each published layout, made small: what is found, in which split, and what is said of files that are not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from percept.core import datasets
from percept.core.errors import UsageError
from percept.vision.scene import layout_camvid
from percept.vision.scene.data import VOID, read_labels, read_pair, read_photos, recognise, splits
from percept.vision.scene.layout_stanford import DUPLICATES
from percept.vision.scene.options import DATASETS

DATA = Path(__file__).parents[3] / "data"
TINY, SIFT = DATA / "scene_tiny", DATA / "scene_sift"
STATIC = "spatial_envelope_256x256_static_8outdoorcategories"


def photo(path: Path, width: int = 4, height: int = 3) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (90, 120, 150)).save(path)


def label(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def stanford(folder: Path, ids: list[str], text: str = "0 1 2 -1\n3 4 5 6\n7 7 7 7\n") -> None:
    for one in ids:
        photo(folder / f"images/{one}.jpg")
        (folder / "labels").mkdir(exist_ok=True)
        (folder / f"labels/{one}.regions.txt").write_text(text)


def names(found) -> list[str]:
    return [one.path.stem for one in found.photos]


def test_the_tiny_set_is_ones_own_folder():
    assert (recognise(TINY), splits(TINY)) == ("folder", ("train", "val"))
    found = read_photos(TINY, "train")
    assert found.names == ("sky", "ground", "upright", "thing")
    assert found.colours[3] == (241, 134, 51)
    assert len(found.photos) == 5
    assert len(read_photos(TINY, "all").photos) == 7
    rgb, labels = read_pair(found.photos[3], found)
    assert found.photos[3].name == "images/train/street_people_cars"
    assert rgb.shape == (96, 72, 3)
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    with_date = next(one for one in found.photos if one.path.stem == "village_bus")
    assert (read_labels(with_date, found) == VOID).sum() == 50  # the date in a corner


def test_stanford_background(tmp_path):
    stanford(tmp_path, ["0000051", "0000059"])
    assert recognise(tmp_path) == "stanford-background"
    assert splits(tmp_path) == ("all", "fold1", "fold2", "fold3", "fold4", "fold5")
    found = read_photos(tmp_path, "train")
    assert (found.split, found.split_found) == ("train", "all")
    assert found.names[7] == "foreground"
    assert read_labels(found.photos[0], found).tolist() == [[0, 1, 2, VOID], [3, 4, 5, 6], [7, 7, 7, 7]]


def test_stanford_photos_without_labels_are_named(tmp_path):
    stanford(tmp_path, ["0000051", "0000059"])
    (tmp_path / "labels/0000059.regions.txt").unlink()
    (tmp_path / "images/0000051.jpg").rename(tmp_path / "images/0000052.jpg")
    with pytest.raises(UsageError, match=r"no photo with labels in all; images/0000052.jpg: no labels/0000052.regions"):
        read_photos(tmp_path, "all")


def test_a_published_folder_round_the_set_is_looked_into(tmp_path):
    stanford(tmp_path / "iccv09Data", ["0000051"])
    assert recognise(tmp_path) == "stanford-background"
    assert read_photos(tmp_path, "all").photos[0].name == "images/0000051"


def test_two_sets_in_one_folder_are_not_mixed(tmp_path):
    stanford(tmp_path / "one", ["0000051"])
    stanford(tmp_path / "two", ["0000051"])
    assert recognise(tmp_path) is None
    with pytest.raises(UsageError, match="several sets in one folder"):
        read_photos(tmp_path, "all")


def test_folds_are_parts_that_together_are_the_set(tmp_path):
    ids = [f"{number:07d}" for number in range(1, 12)]
    stanford(tmp_path, ids)
    folds = [names(read_photos(tmp_path, f"fold{k}")) for k in range(1, 6)]
    assert folds[1] == ["0000002", "0000007"]
    assert sorted(sum(folds, [])) == ids
    others = names(read_photos(tmp_path, "train-without-fold2"))
    assert sorted(others + folds[1]) == ids
    with pytest.raises(UsageError, match="no split fold6, there is all, fold1"):
        read_photos(tmp_path, "fold6")


def test_a_photo_under_two_ids_is_in_one_fold(tmp_path):
    one, other = "6000068", "6000318"
    assert DUPLICATES[other] == one
    stanford(tmp_path, [one, "6000100", other])
    assert names(read_photos(tmp_path, "fold1")) == [one, other]
    assert {photo.group for photo in read_photos(tmp_path, "fold1").photos} == {f"images/{one}"}


def test_folds_txt_is_followed(tmp_path):
    stanford(tmp_path, ["0000001", "0000002", "0000003"])
    (tmp_path / "folds.txt").write_text("# id fold\n0000001 1\n0000002 0\n0000003 1\n")
    assert splits(tmp_path) == ("all", "fold1", "fold2")
    assert names(read_photos(tmp_path, "fold1")) == ["0000002"]
    assert names(read_photos(tmp_path, "train-without-fold1")) == ["0000001", "0000003"]
    (tmp_path / "folds.txt").write_text("0000001 a\n")
    with pytest.raises(UsageError, match=r'folds.txt line 1: "ID FOLD" expected'):
        read_photos(tmp_path, "fold1")


def test_sift_flow():
    assert (recognise(SIFT), splits(SIFT)) == ("sift-flow", ("train", "test"))
    found = read_photos(SIFT, "test")
    assert names(found) == ["street_people_cars"]
    assert (len(found.names), found.never_tested) == (33, ("cow", "desert", "moon"))
    assert names(read_photos(SIFT, "train")) == ["junction_trolleybus", "park_bench", "village_bus"]
    shown = {found.names[label] for label in np.unique(read_labels(found.photos[0], found)) if label != VOID}
    assert shown == {"sky", "building", "road", "person"}
    assert len(set(found.colours)) == 33


def test_sift_flow_zero_is_void():
    found = read_photos(SIFT, "train")
    with_date = next(one for one in found.photos if one.path.stem == "village_bus")
    assert VOID in read_labels(with_date, found)


def test_sift_flow_photos_without_labels_and_tests_that_are_not_here(tmp_path):
    shutil.copytree(SIFT, tmp_path, dirs_exist_ok=True)
    (tmp_path / f"SemanticLabels/{STATIC}/park_bench.mat").unlink()
    with (tmp_path / "TestSet1.txt").open("a", newline="") as file:
        file.write(f"{STATIC}\\coast_1.jpg\r\n")
    lines = [str(problem) for problem in read_photos(tmp_path, "train").problems]
    assert lines == [f"Images/{STATIC}/park_bench.jpg: no SemanticLabels/{STATIC}/park_bench.mat"]
    assert "1 of its 2 photos are not there" in str(read_photos(tmp_path, "test").problems[0])


def mat(path: Path, values: np.ndarray, classes: list[str]) -> None:
    from scipy.io import savemat

    cell = np.empty((len(classes), 1), object)
    cell[:, 0] = classes
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"S": values, "names": cell})


def test_barcelona_has_the_names_of_its_files(tmp_path):
    classes = [f"class{number}" for number in range(170)]
    for one in ("a", "b"):
        photo(tmp_path / f"Images/street/{one}.jpg")
        mat(tmp_path / f"SemanticLabels/street/{one}.mat", np.full((3, 4), 170, np.uint8), classes)
    (tmp_path / "TestSet1.txt").write_text("street\\b.jpg\r\n")
    assert recognise(tmp_path) == "barcelona"
    found = read_photos(tmp_path, "test")
    assert (found.names, names(found), found.never_tested) == (tuple(classes), ["b"], ())
    assert read_labels(found.photos[0], found)[0, 0] == 169


def test_other_names_in_the_same_number_are_refused(tmp_path):
    shutil.copytree(SIFT, tmp_path, dirs_exist_ok=True)
    found = read_photos(tmp_path, "train")
    swapped = [*found.names[:5], "tower", *found.names[6:]]
    mat(found.photos[0].labels, np.ones((32, 32), np.uint8), swapped)
    with pytest.raises(UsageError, match='class 6 is "tower", in its set it is "building"'):
        read_labels(found.photos[0], found)
    with pytest.raises(UsageError, match='is "tower"'):
        read_photos(tmp_path, "train")  # it is the first file, too


def camvid(folder: Path, part: str, stems: list[str], ending: str = ".png") -> None:
    for stem in stems:
        photo(folder / f"{part}/{stem}{ending}")
        label(folder / f"{part}annot/{stem}.png", np.array([[0, 11, 10, 3]] * 3, np.uint8))


def test_camvid_in_segnets_copy(tmp_path):
    camvid(tmp_path, "train", ["0001TP_006690", "0006R0_f00930"], ".jpg")
    camvid(tmp_path, "val", ["0016E5_07959"])
    lines = [
        f"/SegNet/CamVid/train/{s}.png /SegNet/CamVid/trainannot/{s}.png" for s in ("0006R0_f00930", "0001TP_006690")
    ]
    (tmp_path / "train.txt").write_text("\n".join([*lines, "/SegNet/CamVid/train/gone.png x"]))
    assert (recognise(tmp_path), splits(tmp_path)) == ("camvid", ("train", "val"))
    found = read_photos(tmp_path, "train")
    assert [(p.video, p.frame) for p in found.photos] == [("0006R0", 930), ("0001TP", 6690)]  # in the order of the list
    assert [str(problem) for problem in found.problems] == ["train.txt: train/gone is not there"]
    assert read_labels(found.photos[0], found)[0].tolist() == [0, VOID, 10, 3]
    assert found.names[6] == "sign"


def test_camvids_raw_release_is_reduced_to_eleven_classes(tmp_path):
    stems = ["0001TP_006690", "0001TP_008550", "0016E5_07961", "Seq05VD_f00000"]
    colours = [(128, 0, 192), (128, 128, 192), (192, 128, 192), (0, 0, 0)]  # lane marks, shoulder, bus, void
    for stem in stems:
        photo(tmp_path / f"701_StillsRaw_full/{stem}.png", 4, 1)
        label(tmp_path / f"LabeledApproved_full/{stem}_L.png", np.array([colours], np.uint8))
    assert (recognise(tmp_path), splits(tmp_path)) == ("camvid", ("train", "val", "test"))
    found = read_photos(tmp_path, "train")
    road, pavement, car = (found.names.index(name) for name in ("road", "pavement", "car"))
    assert read_labels(found.photos[0], found).tolist() == [[road, pavement, car, VOID]]
    assert names(read_photos(tmp_path, "test")) == ["0001TP_008550", "Seq05VD_f00000"]
    (tmp_path / f"LabeledApproved_full/{stems[1]}_L.png").unlink()
    what = f"701_StillsRaw_full/{stems[1]}.png: no LabeledApproved_full/{stems[1]}_L.png"
    assert str(read_photos(tmp_path, "train").problems[0]) == what


def test_all_thirty_two_colours_of_the_raw_release_have_a_class():
    assert set(layout_camvid.RAW) == set(layout_camvid.NAMES)
    colours = [colour for listed in layout_camvid.RAW.values() for colour in listed]
    assert len(colours) == len(set(colours)) == 31  # and void


def test_folds_of_a_video_are_stretches(tmp_path):
    camvid(tmp_path, "train", [f"0001TP_{frame:06d}" for frame in range(0, 100 * 30, 30)])
    frames = [one.frame // 30 for one in read_photos(tmp_path, "fold2").photos]
    assert frames[:8] == [4, 5, 6, 7, 24, 25, 26, 27]
    assert len(read_photos(tmp_path, "train-without-fold2").photos) == 80


def test_the_table_of_data_sets_finds_each(monkeypatch, tmp_path):
    monkeypatch.setenv("PERCEPT_DATA", str(tmp_path))
    rows = datasets.rows({"scene-parse": DATASETS})
    assert [row.name for row in rows] == ["sift-flow", "stanford-background", "camvid", "barcelona"]
    shutil.copytree(SIFT, tmp_path / "sift-flow")
    place, row = datasets.find("sift-flow", rows, "scene-parse")
    assert recognise(place) == row.layout == "sift-flow"
    assert datasets.verify(row, say=lambda text: None) == []
    with pytest.raises(UsageError, match="got by hand"):
        datasets.find("camvid", rows, "scene-parse")


@pytest.mark.parametrize("folder", ["voc_cells", "yolo_tiny", "coco_tiny", "stereo_tiny", "classify_tiny"])
def test_data_of_other_tasks_is_not_claimed(folder):
    assert recognise(DATA / folder) is None
    with pytest.raises(UsageError, match="expected"):
        splits(DATA / folder)


def test_no_such_folder(tmp_path):
    assert recognise(tmp_path / "none") is None
    with pytest.raises(UsageError, match="no such folder"):
        read_photos(tmp_path / "none", "train")
