"""The three published layouts, as people really have them, and the ways in which their labels are wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from percept.core.errors import PerceptError, UsageError
from percept.vision.detect.layouts import read_photos, recognise, splits

DATA = Path(__file__).parents[3] / "data"
HOSTILE = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


def picture(path: Path, width: int = 40, height: int = 30) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))
    return path


def coco(folder: Path, annotations: list, images: list | None = None, name: str = "instances_train.json") -> Path:
    picture(folder / "images" / "a.jpg")
    images = images if images is not None else [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 30}]
    categories = [{"id": 7, "name": "cat"}, {"id": 3, "name": " dog "}, {"id": 90, "name": "never seen"}]
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return folder


def annotation(bbox: object, category: object = 3, image: object = 1, **more: object) -> dict:
    return {"id": 11, "image_id": image, "category_id": category, "bbox": bbox, **more}


def voc(folder: Path, objects: str, size: str = "<width>40</width><height>30</height>") -> Path:
    picture(folder / "JPEGImages" / "a.jpg")
    (folder / "Annotations").mkdir(exist_ok=True)
    text = f"<annotation>\n<filename>a.jpg</filename>\n<size>{size}</size>\n{objects}\n</annotation>\n"
    (folder / "Annotations" / "a.xml").write_text(text)
    return folder


def voc_object(name: str, *corners: object, more: str = "") -> str:
    edges = "".join(f"<{tag}>{v}</{tag}>" for tag, v in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))
    return f"<object><name>{name}</name>{more}\n<bndbox>{edges}</bndbox></object>\n"


def yolo(folder: Path, lines: str, yaml: str = "names: [dog, cat]\n") -> Path:
    picture(folder / "images" / "train" / "a.jpg")
    (folder / "labels" / "train").mkdir(parents=True)
    (folder / "labels" / "train" / "a.txt").write_text(lines)
    (folder / "data.yaml").write_text(yaml)
    return folder


def test_labels_of_pixels_are_no_boxes(tmp_path):
    (tmp_path / "labels").mkdir()
    assert recognise(tmp_path) == "yolo"  # nothing yet: photos without boxes are background
    (tmp_path / "labels" / "a.png").touch()
    (tmp_path / "labels" / "b.regions.txt").touch()
    assert recognise(tmp_path) is None
    (tmp_path / "labels" / "c.txt").touch()
    assert recognise(tmp_path) == "yolo"


def test_each_layout_is_recognised_by_its_content(tmp_path):
    found = {name: recognise(DATA / name) for name in ("voc_cells", "coco_tiny", "yolo_tiny")}
    assert found == {"voc_cells": "voc", "coco_tiny": "coco", "yolo_tiny": "yolo"}
    assert recognise(tmp_path) is None
    assert recognise(tmp_path / "nowhere") is None
    picture(tmp_path / "a.jpg")
    (tmp_path / "notes.json").write_text('{"images": 3}')
    assert recognise(tmp_path) is None


def test_coco_photos_of_both_splits_may_share_a_folder():
    train, val = (read_photos(DATA / "coco_tiny", split) for split in ("train", "val"))
    assert splits(DATA / "coco_tiny") == ("train", "val")
    assert [photo.path.name for photo in train.photos] == ["pizza_table.jpg", "laptop_coffee.jpg"]
    assert train.names == val.names
    assert len(train.names) == 13 and train.names[-1] == "teddy bear"  # without boxes, kept; order of the ids
    pizza = train.photos[0]
    assert (pizza.width, pizza.height) == (160, 102)
    assert [train.names[label] for label in pizza.labels] == ["pizza", "wine glass", "bottle", "fork", "knife"]
    np.testing.assert_allclose(pizza.boxes[0], [7.4, 61.72, 122.0, 93.18], atol=0.02)
    assert pizza.boxes.dtype == np.float32 and pizza.labels.dtype == np.int64 and pizza.ignore.dtype == bool
    assert not train.problems


@pytest.mark.parametrize(
    "file, photos",
    [
        ("annotations/instances_train2017.json", "train2017"),
        ("annotations/instances_train2017.json", "images/train2017"),
        ("annotations/instances_train.json", "images/train"),
        ("annotations/train.json", "train"),
        ("train/_annotations.coco.json", "train"),
        ("train/annotations.json", "train/images"),
        ("annotations.json", "images"),
        ("labels.json", "data"),
    ],
)
def test_coco_as_people_lay_it_out(tmp_path, file, photos):
    coco(tmp_path, [annotation([1, 2, 3, 4])], name=file)
    shutil.rmtree(tmp_path / "images")
    picture(tmp_path / photos / "a.jpg")
    found = read_photos(tmp_path, "train")
    assert found.photos[0].path == tmp_path / photos / "a.jpg"
    assert found.split_found == ("all" if file in ("annotations.json", "labels.json") else "train")


def test_the_boxes_are_chosen_among_coco_s_files_of_other_tasks(tmp_path):
    coco(tmp_path, [annotation([1, 2, 3, 4])], name="annotations/instances_val2017.json")
    for other in ("captions_val2017", "person_keypoints_val2017", "stuff_val2017"):
        (tmp_path / "annotations" / f"{other}.json").write_text('{"images": [], "annotations": [], "categories": []}')
    assert len(read_photos(tmp_path, "val").photos[0].boxes) == 1
    assert splits(tmp_path) == ("val",)


def test_a_missing_split_says_what_is_there(tmp_path):
    with pytest.raises(UsageError, match="no split test, there is train, val"):
        read_photos(DATA / "coco_tiny", "test")
    with pytest.raises(UsageError, match="no split val, there is train"):
        read_photos(coco(tmp_path, [annotation([1, 2, 3, 4])]), "val")
    with pytest.raises(UsageError, match="no such folder"):
        read_photos(tmp_path / "nowhere", "train")


def test_coco_labels_that_are_wrong_are_reported_with_their_annotation(tmp_path):
    folder = coco(
        tmp_path,
        [
            annotation([1, 2, 30, 20], area=55.5, iscrowd=1),
            annotation([5, 5, 0, 4]),
            annotation([float("nan"), 5, 4, 4]),
            annotation([50, 5, 10, 10]),
            annotation([30, 5, 20, 10]),
            annotation([5, 5, 4]),
            annotation([5, 5, 4, 4], category=4),
            annotation([5, 5, 4, 4], image=99),
            annotation([6, 6, 4, 4]),
            annotation([6, 6, 4, 4]),
            annotation([0, 0, 40.4, 30]),
        ],
    )
    found = read_photos(folder, "train")
    photo = found.photos[0]
    assert found.names == ("dog", "cat", "never seen")
    np.testing.assert_array_equal(photo.boxes, [[1, 2, 31, 22], [30, 5, 40, 15], [6, 6, 10, 10], [0, 0, 40, 30]])
    assert photo.ignore.tolist() == [True, False, False, False]
    assert photo.areas.tolist() == [55.5, 100, 16, 1200]
    by_entry = {problem.entry.split()[-1]: problem for problem in found.problems}
    assert {index: problem.what.split(" the photo of")[0] for index, problem in by_entry.items()} == {
        "1": "box of no size",
        "2": "box that is not a number",
        "3": "box outside",
        "4": "box partly outside",
        "5": "bbox is not 4 numbers",
        "6": "unknown category_id",
        "7": "box of a photo that is not listed",
        "9": "the same box twice",
    }
    assert [index for index, problem in by_entry.items() if not problem.dropped] == ["4"]
    assert str(by_entry["1"]) == "instances_train.json annotation 11, index 1: box of no size (bbox [5, 5, 0, 4])"


def test_photos_without_boxes_are_background(tmp_path):
    found = read_photos(coco(tmp_path, []), "train")
    assert found.photos[0].boxes.shape == (0, 4)
    assert not found.problems


def test_photos_that_cannot_be_used_are_reported_and_many_are_an_error(tmp_path):
    size = {"width": 40, "height": 30}
    images = [{"id": n, "file_name": f"{n}.jpg", **size} for n in range(12)]
    for n in range(8):
        picture(tmp_path / "images" / f"{n}.jpg")
    picture(tmp_path / "images" / "8.jpg", width=30, height=40)
    (tmp_path / "images" / "9.jpg").write_bytes(b"not a picture")
    whole = (DATA / "coco_tiny" / "images" / "motorcycle.jpg").read_bytes()
    (tmp_path / "images" / "10.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    found = read_photos(coco(tmp_path, [], images), "train")
    assert len(found.photos) == 8
    text = "\n".join(map(str, found.problems))
    assert "images/8.jpg: size differs from the label file" in text and "turned on its side?" in text
    assert "images/9.jpg: not a readable picture" in text
    assert "images/10.jpg: photo left out: cut off" in text
    assert "photo missing (11.jpg)" in text
    for n in range(4):
        (tmp_path / "images" / f"{n}.jpg").unlink()
    with pytest.raises(UsageError, match="8 of 12 photos cannot be used in split train; first: .*photo missing"):
        read_photos(tmp_path, "train")


def test_photos_and_ids_that_are_listed_twice(tmp_path):
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}]
    found = read_photos(coco(tmp_path, [], images), "train")
    assert len(found.photos) == 1
    assert {problem.what for problem in found.problems} == {
        "photo listed twice, only the first is used",
        "image id twice, only the first is used",
    }


def test_a_photo_is_found_by_its_name_where_the_json_names_a_folder_of_another_machine(tmp_path):
    images = [{"id": 1, "file_name": "C:\\Users\\me\\photos\\a.jpg"}]
    assert read_photos(coco(tmp_path, [], images), "train").photos[0].path.name == "a.jpg"


@pytest.mark.parametrize("text", ["{", "[]", '{"images": []}', "[" * 100_000, "\ufeff{}", '{"images": 1}'])
def test_json_that_is_no_coco_is_a_usage_error(tmp_path, text):
    (tmp_path / "instances_train.json").write_text(text)
    with pytest.raises(UsageError):
        read_photos(tmp_path, "train")


def test_voc_cells_with_their_published_defect():
    train = read_photos(DATA / "voc_cells", "train")
    assert splits(DATA / "voc_cells") == ("train", "val", "test")
    assert train.names == ("Platelets", "RBC", "WBC")
    assert [len(photo.boxes) for photo in train.photos] == [19, 17, 11]
    [problem] = train.problems
    text = (DATA / "voc_cells" / problem.file).read_text().splitlines()
    assert problem.file == "Annotations/BloodImage_00343.xml" and problem.what == "box of no size"
    assert "<bndbox>" in text[problem.line - 1] and "<xmin>46<" in text[problem.line]


def test_voc_corners_are_inclusive_and_one_based_and_parts_are_left_out(tmp_path):
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>"
    objects = voc_object("dog ", 1, 1, 40, 30, more=part) + voc_object("cat", 3.5, 4, 10, 12.25, more=DIFFICULT)
    found = read_photos(voc(tmp_path, objects), "train")
    np.testing.assert_allclose(found.photos[0].boxes, [[0, 0, 40, 30], [2.5, 3, 10, 12.25]])
    assert found.names == ("cat", "dog")
    assert found.photos[0].labels.tolist() == [1, 0]
    assert found.photos[0].ignore.tolist() == [False, True]
    assert found.split_found == "all" and not found.problems


DIFFICULT = "<difficult>1</difficult>"


def test_voc_below_vocdevkit_and_xml_beside_the_photos(tmp_path):
    root = voc((tmp_path / "VOCdevkit" / "VOC2007"), voc_object("dog", 1, 1, 9, 9))
    assert recognise(tmp_path) == "voc"
    (root / "ImageSets" / "Main").mkdir(parents=True)
    (root / "ImageSets" / "Main" / "val.txt").write_text("a.jpg  1\n\n")
    (root / "ImageSets" / "Main" / "dog_train.txt").write_text("a -1\n")
    assert splits(tmp_path) == ("val",)
    assert len(read_photos(tmp_path, "val").photos) == 1
    flat = tmp_path / "flat"
    picture(flat / "a.JPG")
    shutil.copy(root / "Annotations" / "a.xml", flat)
    assert read_photos(flat, "train").photos[0].path == flat / "a.JPG"


def test_voc_labels_that_are_wrong_are_reported_with_their_line(tmp_path):
    objects = voc_object("dog", 5, 5, 5, 5) + voc_object("dog", "x", 5, 9, 9) + voc_object("", 1, 2, 3, 4)
    objects += voc_object("dog", "nan", 1, 5, 5) + voc_object("Dog", 1, 1, 50, 20)
    found = read_photos(voc(tmp_path, objects, size="<width>0</width>"), "train")
    assert [(problem.line, problem.what.split(" the photo of")[0]) for problem in found.problems] == [
        (7, "box is not 4 numbers"),
        (9, "object without a name"),
        (5, "box of no size"),
        (11, "box that is not a number"),
        (13, "box partly outside"),
        (None, "two classes that differ in upper and lower case only"),
    ]
    assert found.photos[0].boxes.tolist() == [[0, 0, 40, 20]]


def test_broken_xml_leaves_one_photo_out(tmp_path):
    voc(tmp_path, voc_object("dog", 1, 1, 9, 9))
    (tmp_path / "Annotations" / "b.xml").write_text("<annotation>\n<object>\n</annotation>")
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotation>&b;</annotation>'
    (tmp_path / "Annotations" / "c.xml").write_text(bomb)
    found = read_photos(tmp_path, "train")
    assert len(found.photos) == 1
    assert [(p.file, p.line) for p in found.problems] == [("Annotations/b.xml", 3), ("Annotations/c.xml", 1)]


def test_yolo_splits_and_pixels():
    train, val = (read_photos(DATA / "yolo_tiny", split) for split in ("train", "val"))
    assert [photo.path.stem for photo in train.photos] == ["cat_grooming", "dog_rug", "horse_marsh"]
    assert train.names == ("dog", "cat", "horse", "bird", "motorcycle")
    horse, bird = train.photos[2].boxes
    np.testing.assert_allclose(horse, [80.4, 28.35, 145.6, 66.87], atol=0.02)
    np.testing.assert_allclose(bird, [27, 24.35, 46, 35.53], atol=0.02)
    np.testing.assert_allclose(val.photos[0].boxes, [[36.4, 15.6, 138.8, 77.6]], atol=0.02)


@pytest.mark.parametrize(
    "yaml",
    [
        "names: [traffic light, 'it''s', \"b#c\"]  # three",
        "nc: 3\nnames:\n- traffic light\n- 'it''s'\n- \"b#c\"\n",
        "names:\n  0: traffic light\n  2: \"b#c\"\n  1: 'it''s'\n\ndownload: |\n  import os\n  names: no\n",
        "names: {0: traffic light, 1: 'it''s', 2: \"b#c\"}",
        "names: ['traffic light',\n  \"it's\",\n  'b#c']\nval: images/train",
        'names: [\n  traffic light,\n  "it\'s",\n  b#c\n]',
    ],
)
def test_names_in_every_form_of_data_yaml(tmp_path, yaml):
    assert read_photos(yolo(tmp_path, "", yaml), "train").names == ("traffic light", "it's", "b#c")


@pytest.mark.parametrize("yaml", ["names:", "names: dog", "names: {a: b}", "names: [a, a]", "names: {0: a, 2: b}"])
def test_class_names_that_cannot_be_read_are_a_usage_error(tmp_path, yaml):
    with pytest.raises(UsageError, match="names|class name"):
        read_photos(yolo(tmp_path, "", yaml), "train")


def test_yolo_as_exporters_write_it(tmp_path):
    picture(tmp_path / "train" / "images" / "a.jpg")
    picture(tmp_path / "valid" / "images" / "b.jpg")
    for split, name in (("train", "a"), ("valid", "b")):
        (tmp_path / split / "labels").mkdir()
        (tmp_path / split / "labels" / f"{name}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "data.yaml").write_text("train: ../train/images\nval: ../valid/images\nnames: [dog]\n")
    assert splits(tmp_path) == ("train", "val")
    assert read_photos(tmp_path, "val").photos[0].boxes.tolist() == [[10, 7.5, 30, 22.5]]


def test_yolo_flat_with_classes_txt(tmp_path):
    picture(tmp_path / "a.jpg")
    picture(tmp_path / "background.jpg")
    (tmp_path / "a.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    (tmp_path / "classes.txt").write_text("dog \ncat\n")
    found = read_photos(tmp_path, "val")
    assert (found.split, found.split_found, found.names) == ("val", "all", ("dog", "cat"))
    assert [len(photo.boxes) for photo in found.photos] == [1, 0]
    assert not found.problems


def test_yolo_labels_that_are_wrong_are_reported_with_their_line(tmp_path):
    lines = "0 .5 .5 .5 .5\n\n2 .5 .5 .5 .5\n0 .5 .5 0 .5\n0 .5 .5 .5\nx y\n0 9 9 20 20\n1 .9 .5 .4 .5\n"
    lines += "0.5 .1 .1 .1 .1\n1 0 0 .5 0 .5 .5 .1 .2\nnan .5 .5 .5 .5\n"
    found = read_photos(yolo(tmp_path, lines), "train")
    (tmp_path / "labels" / "train" / "gone.txt").write_text("0 .5 .5 .5 .5\n")
    assert sorted(problem.line for problem in found.problems) == [3, 4, 5, 6, 7, 8, 9, 11]
    assert [problem.line for problem in found.problems if not problem.dropped] == [8]
    expected = [[10, 7.5, 30, 22.5], [28, 7.5, 40, 22.5], [0, 0, 20, 15]]
    np.testing.assert_allclose(found.photos[0].boxes, expected, atol=1e-4)
    assert "labels/train/gone.txt: no photo for these labels" in map(str, read_photos(tmp_path, "train").problems)


def test_photos_without_any_label_file_are_an_error_not_background(tmp_path):
    yolo(tmp_path, "")
    (tmp_path / "labels" / "train" / "a.txt").unlink()
    with pytest.raises(UsageError, match="no label file for any of 1 photos"):
        read_photos(tmp_path, "train")


def test_no_class_names_says_how_to_give_them(tmp_path):
    yolo(tmp_path, "0 .5 .5 .5 .5\n")
    (tmp_path / "data.yaml").unlink()
    with pytest.raises(UsageError, match="classes.txt with one name a line"):
        read_photos(tmp_path, "train")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "bbox", "name"]), inner),
    max_leaves=8,
)
ENTRY = st.fixed_dictionaries(
    {},
    optional={key: JSON | st.just(1) for key in ("id", "image_id", "category_id", "area", "iscrowd", "width", "height")}
    | {"file_name": st.sampled_from(["a.jpg", "../x", "\0", "a" * 5000]) | JSON, "bbox": st.lists(JSON, max_size=5)}
    | {"name": st.text(max_size=4) | JSON},
)


@HOSTILE
@given(
    content=st.fixed_dictionaries({key: st.lists(ENTRY | JSON, max_size=4) for key in ("images", "annotations")}),
    categories=st.lists(ENTRY | st.just({"id": 1, "name": "dog"}), max_size=3),
)
def test_only_percept_errors_leave_the_coco_reader(tmp_path, content, categories):
    picture(tmp_path / "images" / "a.jpg")
    (tmp_path / "instances_train.json").write_text(json.dumps({**content, "categories": categories}))
    survives(tmp_path)


@HOSTILE
@given(cut=st.integers(0, 700), put=st.text(max_size=12), length=st.integers(0, 40))
def test_only_percept_errors_leave_the_voc_reader(tmp_path, cut, put, length):
    voc(tmp_path, voc_object("dog", 1, 1, 9, 9) + voc_object("cat", 1, 1, 9, 9, more=DIFFICULT))
    file = tmp_path / "Annotations" / "a.xml"
    text = file.read_text()
    file.write_text(text[:cut] + put + text[cut + length :], encoding="utf-8", errors="replace")
    survives(tmp_path)


@HOSTILE
@given(lines=st.text("0123456789.-+einfa \n\0é", max_size=60), yaml=st.text("names:[]{}'\"-0123abc,#\n ", max_size=40))
def test_only_percept_errors_leave_the_yolo_reader(tmp_path, lines, yaml):
    shutil.rmtree(tmp_path / "labels", ignore_errors=True)
    survives(yolo(tmp_path, lines, yaml))
    shutil.rmtree(tmp_path / "labels", ignore_errors=True)
    survives(yolo(tmp_path, lines, f"names: [a, b]\n{yaml}"))


def survives(folder: Path) -> None:
    """The photos, if any come, keep the promises of Photo."""
    try:
        found = read_photos(folder, "train")
    except PerceptError:
        return
    for photo in found.photos:
        edges = [photo.width, photo.height] * 2
        assert np.isfinite(photo.boxes).all() and (photo.boxes >= 0).all() and (photo.boxes <= edges).all()
        assert (photo.boxes[:, 2:] > photo.boxes[:, :2]).all()
        assert ((photo.labels >= 0) & (photo.labels < len(found.names))).all()
        assert len(photo.boxes) == len(photo.labels) == len(photo.ignore) == len(photo.areas)
