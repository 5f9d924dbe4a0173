"""The report of a data set: what it holds, what is wrong, what to do about it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from percept.core.errors import UsageError
from percept.vision.detect.check import report

DATA = Path(__file__).parents[3] / "data"


def test_cells_are_counted():
    found = report(DATA / "voc_cells")
    assert found.layout == "voc"
    assert [(row.split, row.photos, row.boxes, row.without_boxes) for row in found.splits] == [
        ("train", 3, 47, 0),
        ("val", 2, 36, 0),
        ("test", 1, 18, 0),
    ]
    assert [row.name for row in found.classes] == ["Platelets", "RBC", "WBC"]
    for row in found.splits:
        assert sum(counted.boxes[row.split] for counted in found.classes) == row.boxes
    assert found.sizes.small + found.sizes.medium + found.sizes.large == 101
    assert found.problem_count == found.left_out == 1
    assert "box of no size" in found.problems[0]
    whites = next(row for row in found.classes if row.name == "WBC").boxes["train"]
    assert any(line.startswith(f"class WBC has {whites} box") and "too few to learn" in line for line in found.advice)


def test_the_report_is_plain_json():
    found = report(DATA / "coco_tiny")
    assert json.loads(json.dumps(found.to_json()))["classes"][0] == {
        "name": "motorcycle",
        "boxes": {"train": 0, "val": 1},
        "photos": 1,
    }
    assert "class motorcycle has no boxes in train, 1 elsewhere" in found.advice
    assert "class teddy bear has no boxes in train" in found.advice


def test_small_boxes_call_for_a_larger_input():
    tiny = report(DATA / "voc_cells", training_size=64)
    assert tiny.sizes.tiny_share > 0.1
    assert any("larger input size" in line for line in tiny.advice)
    assert report(DATA / "voc_cells", training_size=2000).sizes.tiny_share == 0


@pytest.fixture
def copied(tmp_path) -> Path:
    return shutil.copytree(DATA / "yolo_tiny", tmp_path / "yolo")


def test_photos_that_are_damaged_inside_are_found(copied):
    file = copied / "images" / "train" / "dog_rug.jpg"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    found = report(copied)
    assert any(line.startswith("images/train/dog_rug.jpg: ") and "cut off" in line for line in found.problems)
    assert found.splits[0].photos == 2


def test_photos_in_two_splits_are_found(copied):
    (copied / "data.yaml").write_text("train: [images/train, images/val]\nval: images/val\nnames: [a, b, c, d, e]\n")
    assert any("motorcycle.jpg: photo is in train and in val" in line for line in report(copied).problems)


def test_no_val_split_and_many_problems(copied):
    shutil.rmtree(copied / "images" / "val")
    (copied / "data.yaml").write_text("train: images/train\nnames: [a, b, c, d, e]\n")
    (copied / "labels" / "train" / "dog_rug.txt").write_text("9 .5 .5 .5 .5\n" * 30)
    found = report(copied)
    assert (len(found.problems), found.problem_count, found.splits[0].without_boxes) == (20, 30, 1)
    assert found.advice[0].startswith("no val split")


def test_a_folder_of_something_else_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="no detection data found"):
        report(tmp_path)
