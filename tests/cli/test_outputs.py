"""What is written: formats, crops, heat maps, videos; where it is written; and never over anything by surprise."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from commandline import Ran, percept
from inputs import EXAMPLES, INPUTS
from PIL import Image

from percept.vision.image import read_image
from percept.vision.video import VideoWriter, frames

DETECT = INPUTS["detect"]
STREET = EXAMPLES / "street_people_cars.jpg"


def detect(*words: object) -> Ran:
    ran = percept("detect", *words, *DETECT.with_weights)
    assert ran.code == 0, ran.err
    return ran


@pytest.fixture(scope="module")
def found() -> list[dict]:
    """The detections of the street photo as JSON has them."""
    return detect(STREET, "--json").json["results"][0]["detections"]


def test_csv_has_a_header_and_a_row_an_object(found: list[dict]) -> None:
    rows = list(csv.DictReader(detect(STREET, DETECT.predict[0], "--format", "csv").lines))
    ours = [row for row in rows if row["input"] == str(STREET)]
    assert len(ours) == len(found) > 2 and len(rows) > len(ours)
    for row, one in zip(ours, found, strict=True):
        assert row["label"] == one["label"]
        assert [float(row[key]) for key in ("score", "x0", "y0", "x1", "y1")] == [one["score"], *one["box"]]


def test_jsonl_has_a_line_an_input(found: list[dict]) -> None:
    lines = [json.loads(line) for line in detect(STREET, DETECT.predict[0], "--format", "jsonl").lines]
    assert [line["input"] for line in lines] == [str(STREET), str(DETECT.predict[0])]
    assert lines[0]["detections"] == found


def test_coco_is_one_document_and_reads_back_as_a_data_set(found: list[dict], tmp_path: Path) -> None:
    document = json.loads(detect(STREET, "--format", "coco").out)
    assert [image["file_name"] for image in document["images"]] == [STREET.name]
    names = {category["id"]: category["name"] for category in document["categories"]}
    assert [names[one["category_id"]] for one in document["annotations"]] == [one["label"] for one in found]
    shutil.copy(STREET, tmp_path)
    ran = detect(tmp_path / STREET.name, "--format", "coco", "--out", tmp_path / "out", "--save", "none")
    assert ran.out == ""
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["coco.json"]
    shutil.copy(tmp_path / "out" / "coco.json", tmp_path / "instances_all.json")
    assert percept("data", "check", tmp_path, "--json").json["layout"] == "coco"


def test_voc_and_yolo_are_a_file_an_input(found: list[dict], tmp_path: Path) -> None:
    for form, suffix in (("voc", ".xml"), ("yolo", ".txt")):
        out = tmp_path / form
        detect(STREET, DETECT.predict[0], "--format", form, "--out", out, "--save", "none")
        assert sorted(path.name for path in out.iterdir()) == sorted(
            f"{path.stem}{suffix}" for path in (STREET, DETECT.predict[0])
        )
    tree = ElementTree.parse(tmp_path / "voc" / f"{STREET.stem}.xml")
    assert [node.text for node in tree.iterfind("object/name")] == [one["label"] for one in found]
    lines = (tmp_path / "yolo" / f"{STREET.stem}.txt").read_text().splitlines()
    assert [float(line.split()[-1]) for line in lines] == [one["score"] for one in found]
    assert detect(STREET, "--format", "yolo").lines == lines


def test_pictures_crops_and_heat_are_kept_where_json_says(found: list[dict], tmp_path: Path) -> None:
    ran = detect(STREET, "--save", "picture,crops,heat", "--out", tmp_path / "out", "--json")
    files = ran.json["results"][0]["files"]
    assert files["picture"] == str(tmp_path / "out" / STREET.name)
    assert files["heat"] == str(tmp_path / "out" / f"{STREET.stem}_heat.png")
    photo = read_image(STREET)
    assert read_image(Path(files["heat"])).shape == photo.shape
    drawn = read_image(Path(files["picture"]))
    assert drawn.shape == photo.shape and np.abs(drawn.astype(int) - photo).max() > 100, "boxes are drawn"
    assert len(files["crops"]) == len(found)
    for path, one in zip(files["crops"], found, strict=True):
        x0, y0, x1, y1 = one["box"]
        height, width = read_image(Path(path)).shape[:2]
        assert abs(width - (x1 - x0)) <= 2 and abs(height - (y1 - y0)) <= 2
        assert one["label"].replace(" ", "_") in Path(path).name
    written = {str(path) for path in (tmp_path / "out").iterdir()}
    assert written == {files["picture"], files["heat"], *files["crops"]}, "and nothing else"


def test_only_the_classes_asked_for(found: list[dict]) -> None:
    (result,) = detect(STREET, "--classes", "car,person", "--json").json["results"]
    assert {one["label"] for one in result["detections"]} <= {"car", "person"}
    assert [one["label"] for one in detect(STREET, "--max", "1", "--json").json["results"][0]["detections"]] == [
        found[0]["label"]
    ]
    scores = [one["score"] for one in detect(STREET, "--conf", "0.6", "--json").json["results"][0]["detections"]]
    assert scores == [one["score"] for one in found if one["score"] >= 0.6]


def test_classify_draws_where_it_sees_a_class(tmp_path: Path) -> None:
    photo = EXAMPLES / "cat_grooming.jpg"
    ran = percept("classify", photo, "--map", "tiger cat", "--out", tmp_path, "--json")
    assert ran.code == 0, ran.err
    (result,) = ran.json["results"]
    assert read_image(Path(result["files"]["map"])).shape == read_image(photo).shape
    ran = percept("classify", photo, "--top", "3", "--format", "csv")
    rows = list(csv.DictReader(ran.lines))
    assert len(rows) == 3 and rows[0]["label"] == "tiger cat"


# Videos


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frames at 6 a second: a cat walks out of the picture."""
    path = tmp_path_factory.mktemp("clip") / "cat.mp4"
    photo = read_image(EXAMPLES / "cat_grooming.jpg")[:400, :640]
    with VideoWriter(path, rate=6) as film:
        for number in range(12):
            film.write(np.ascontiguousarray(np.roll(photo, 8 * number, axis=1)))
    return path


def test_a_video_becomes_frames_and_an_annotated_video(clip: Path, tmp_path: Path) -> None:
    ran = detect(clip, "--json", "--out", tmp_path / "out")
    results = ran.json["results"]
    assert [one["frame"] for one in results] == list(range(12))
    assert [one["seconds"] for one in results] == [round(number / 6, 3) for number in range(12)]
    assert {one["input"] for one in results} == {str(clip)}
    assert results[0]["detections"][0]["label"] == "cat"
    assert {one["files"]["video"] for one in results} == {str(tmp_path / "out" / "cat.mp4")}
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["cat.mp4"]
    before, after = list(frames(clip)), list(frames(tmp_path / "out" / "cat.mp4"))
    assert [seconds for _, seconds, _ in after] == pytest.approx([seconds for _, seconds, _ in before])
    assert np.abs(after[0][2].astype(int) - before[0][2]).max() > 100, "boxes are drawn"
    assert str(tmp_path / "out" / "cat.mp4") in ran.err


def test_every_nth_frame_keeps_its_number_and_the_films_pace(clip: Path, tmp_path: Path) -> None:
    ran = detect(clip, "--every", "4", "--format", "csv", "--out", tmp_path, "--conf", "0.3")
    rows = list(csv.DictReader(ran.lines))
    assert {row["frame"] for row in rows} <= {"0", "4", "8"} and rows[0]["seconds"] == "0.0"
    shown = [seconds for _, seconds, _ in frames(tmp_path / "cat.mp4")]
    assert shown == pytest.approx([0, 4 / 6, 8 / 6], abs=0.01)


# Where


def test_the_tree_of_the_inputs_is_kept_and_the_folder_is_the_one_named(tmp_path: Path) -> None:
    for name in ("a/x.jpg", "a/deep/x.jpg", "b/x.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(DETECT.predict[0], path)
    for _ in range(2):  # a second run writes to the same places, not into out2
        detect(tmp_path / "photos", "--out", tmp_path / "out", "--scales", "64")
        files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
        assert files == ["a/deep/x.jpg", "a/x.jpg", "b/x.jpg"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "photos"]


@pytest.mark.parametrize("task", ["detect", "classify"])  # two pictures are one pair for stereo: test_stereo.py
def test_clashes_are_found_before_anything_is_done(task: str, tmp_path: Path) -> None:
    for name in ("x.jpg", "x.png"):
        Image.open(DETECT.predict[0]).save(tmp_path / name)
    ran = percept(task, tmp_path / "x.jpg", tmp_path / "x.png", *INPUTS[task].with_weights, "--out", tmp_path / "out")
    assert (ran.code, ran.out) == (2, "")
    assert 'would both be written as "x"' in ran.err
    before = (tmp_path / "x.jpg").read_bytes()
    ran = percept(task, tmp_path / "x.jpg", *INPUTS[task].with_weights, "--out", tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "would be written over by its own answer" in ran.err
    assert (tmp_path / "x.jpg").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.jpg", "x.png"]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file, no folder")
    ran = percept("detect", DETECT.predict[0], *DETECT.with_weights, "--out", tmp_path / "out")
    assert ran.code == 1
    assert "cannot be written" in ran.err and "Traceback" not in ran.err
    assert (tmp_path / "out").read_text() == "a file, no folder"
