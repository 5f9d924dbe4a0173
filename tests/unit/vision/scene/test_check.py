"""The report of a scene parsing data set: what it holds, and each kind of mistake with the name of its file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from percept.core.errors import UsageError
from percept.vision.scene.check import look_through

DATA = Path(__file__).parents[3] / "data"
TINY, SIFT = DATA / "scene_tiny", DATA / "scene_sift"


@pytest.fixture()
def own(tmp_path: Path) -> Path:
    """The tiny set, to be spoilt."""
    return shutil.copytree(TINY, tmp_path / "own")


def test_a_good_set():
    found = look_through(TINY)
    assert (found.layout, found.problems) == ("folder", ())
    assert [(row.split, row.photos, row.smallest, row.unknown) for row in found.splits] == [
        ("train", 5, (96, 54), 0),
        ("val", 2, (96, 64), 0),
    ]
    assert found.lines() == ["nothing wrong was found"]
    splits, classes = found.tables()
    assert splits.rows[1][:3] == ("val", "2", "96 x 64 to 96 x 72")
    assert classes.columns == ("class", "train", "val", "photos")
    assert [row[0] for row in classes.rows] == ["sky", "ground", "upright", "thing", "void: 255 (void, colour 0 0 0)"]
    sky = json.loads(json.dumps(found.to_json()))["classes"][0]
    assert (sky["name"], sky["photos"]) == ("sky", 4)
    assert sum(row.pixels["train"] for row in found.classes) == found.splits[0].pixels - found.splits[0].void


def test_absent_classes_are_dashes_and_the_protocol_is_told():
    found = look_through(SIFT)
    awning = next(row for row in found.tables()[1].rows if row[0] == "awning")
    assert awning == ("awning", "-", "-", "0")
    assert any(line.startswith("no pixel in train, so never learnt: awning, balcony") for line in found.advice)
    assert any("leave out cow, desert, moon" in line for line in found.advice)


def test_every_kind_of_mistake_is_named(own):
    train = own / "labels/train"
    values = np.asarray(Image.open(train / "horse_marsh.png")).copy()
    values[3, 4] = 77
    Image.fromarray(values).save(train / "horse_marsh.png")
    Image.fromarray(values[1:]).save(train / "motorcycle.png")
    (train / "village_bus.png").write_bytes((train / "village_bus.png").read_bytes()[:200])
    (train / "junction_trolleybus.png").unlink()
    photo = own / "images/train/street_people_cars.jpg"
    photo.write_bytes(photo.read_bytes()[:1500])
    shutil.copy(own / "images/val/park_bench.jpg", own / "images/train/bench.jpg")
    shutil.copy(own / "labels/val/park_bench.png", train / "bench.png")
    lines = look_through(own).problems
    for start in (
        "images/train/junction_trolleybus.jpg: no labels/train/junction_trolleybus.png",
        "labels/train/horse_marsh.png: value 77 at (4, 3) is not in the class list: 2 pixels in 2 of 4 label files",
        "labels/train/motorcycle.png: 96 x 60 pixels, where its photo motorcycle.jpg has 96 x 54",
        "labels/train/village_bus.png: cut off after 200 bytes",
        "images/train/street_people_cars.jpg: cut off after 1,500 bytes",
        "images/val/park_bench.jpg: the same photo as images/train/bench.jpg, in train and in val",
    ):
        assert any(line.startswith(start) for line in lines), (start, lines)
    assert len(lines) == 6


def test_void_by_custom_is_said(own):
    (own / "classes.txt").write_text("sky\nground\nupright\nthing\n")
    assert any("255 is void by custom" in line for line in look_through(own).advice)


def test_binary_masks_are_a_problem(tmp_path):
    for kind, picture in (
        ("images", Image.new("RGB", (2, 1))),
        ("labels", Image.fromarray(np.array([[0, 255]], np.uint8))),
    ):
        (tmp_path / kind).mkdir()
        picture.save(tmp_path / kind / "a.png")
    (tmp_path / "classes.txt").write_text("background\nroad\n")
    assert "nothing would be road" in look_through(tmp_path).problems[0]


def test_a_split_without_any_labels_is_told(own):
    shutil.rmtree(own / "labels/val")
    (own / "labels/val").mkdir()
    found = look_through(own)
    assert "val: no photo with labels" in found.problems
    assert [row.split for row in found.splits] == ["train"]


def test_rare_classes_are_told(own):
    values = np.asarray(Image.open(own / "labels/train/motorcycle.png")).copy()
    values[0, :3] = 9
    Image.fromarray(values).save(own / "labels/train/motorcycle.png")
    (own / "classes.txt").write_text("0 sky\n1 ground\n2 upright\n3 thing\n9 lamp\n255 void\n")
    assert any(line.startswith("rare in train: lamp (0.0097 %)") for line in look_through(own).advice)


def test_no_such_data():
    with pytest.raises(UsageError, match="no labelled scenes found"):
        look_through(DATA / "stereo_tiny")
