"""What is written reads back as the same boxes."""

from __future__ import annotations

import csv
import io
import json
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percept.vision.detect.formats import DOCUMENT, PER_FILE, header, rows, to_coco, to_csv, to_voc, to_yolo
from percept.vision.detect.result import Detections

NAMES = ("salt & <pepper>", 'say "cheese", Käse', "dog")


def answer(name="photos/a.jpg", boxes=((10.25, 20.5, 110.75, 220.0), (0, 0, 640, 480)), labels=(0, 1), **more):
    scores = np.linspace(0.9, 0.5, len(boxes))
    return Detections(name, 640, 480, NAMES, np.array(boxes), scores, np.array(labels), **more)


def read_voc(text):
    """As data sets are read: 1-based inclusive pixels -> continuous edges."""
    root = ElementTree.fromstring(text)
    found = []
    for entry in root.iter("object"):
        x0, y0, x1, y1 = (int(entry.findtext(f"bndbox/{tag}")) for tag in ("xmin", "ymin", "xmax", "ymax"))
        found.append((entry.findtext("name"), [x0 - 1, y0 - 1, x1, y1]))
    return root, found


boxes_inside = st.tuples(
    st.floats(0, 600, width=32), st.floats(0, 440, width=32), st.floats(1, 640, width=32), st.floats(1, 480, width=32)
).map(lambda b: (b[0], b[1], min(b[0] + b[2], 640.0), min(b[1] + b[3], 480.0)))


def test_every_format_is_in_a_table():
    assert {name: suffix for name, (suffix, _) in PER_FILE.items()} == {"voc": ".xml", "yolo": ".txt"}
    assert set(DOCUMENT) == {"csv", "coco"}
    assert all(write(answer()).endswith("\n") for _, write in PER_FILE.values())
    assert all(write([answer()]).endswith("\n") for write in DOCUMENT.values())


def test_csv_reads_back_with_commas_and_quotes_in_names():
    lines = list(csv.DictReader(io.StringIO(to_csv([answer('odd, "name".jpg'), answer("b.jpg", (), ())]))))
    assert [line["input"] for line in lines] == ['odd, "name".jpg'] * 2
    assert [line["label"] for line in lines] == list(NAMES[:2])
    assert [float(lines[0][edge]) for edge in ("x0", "y0", "x1", "y1")] == [10.25, 20.5, 110.75, 220.0]
    assert float(lines[1]["score"]) == 0.5
    assert "\r" not in to_csv([answer()])


def test_csv_of_a_video_has_its_times_and_photos_beside_it_none():
    results = [answer("clip.mp4", frame=3, seconds=0.12), answer("a.jpg")]
    lines = list(csv.DictReader(io.StringIO(to_csv(results))))
    assert [(line["frame"], line["seconds"]) for line in lines] == [("3", "0.12")] * 2 + [("", "")] * 2
    assert all(len(row) == len(header(video)) for video in (False, True) for row in rows(results[0], video))
    assert "frame" not in to_csv(results[1:])


def test_csv_of_nothing_is_its_header():
    assert to_csv([]) == "input,label,score,x0,y0,x1,y1\n"


def test_coco_reads_back_as_a_data_set():
    results = [answer("photos/a.jpg"), answer("photos/deep/a.jpg", (), ()), answer("photos/b.jpg", labels=(2, 0))]
    document = json.loads(to_coco(results))
    assert [image["file_name"] for image in document["images"]] == ["a.jpg", "deep/a.jpg", "b.jpg"]
    assert [(image["width"], image["height"]) for image in document["images"]] == [(640, 480)] * 3
    names = {one["id"]: one["name"] for one in document["categories"]}
    assert list(names.values()) == list(NAMES)
    assert [one["id"] for one in document["annotations"]] == [1, 2, 3, 4]
    for image, result in zip(document["images"], results, strict=True):
        own = [one for one in document["annotations"] if one["image_id"] == image["id"]]
        assert [names[one["category_id"]] for one in own] == [row[0] for row in result.rows()]
        for one, (_, score, *box) in zip(own, result.rows(), strict=True):
            x, y, w, h = one["bbox"]
            assert [x, y, x + w, y + h] == pytest.approx(box, abs=0.01)
            assert one["area"] == pytest.approx(w * h, abs=0.01)
            assert one["score"] == score and one["iscrowd"] == 0


def test_coco_is_what_pycocotools_loads(tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    path = tmp_path / "found.json"
    path.write_text(to_coco([answer("a.jpg"), answer("b.jpg")]), encoding="utf-8")
    loaded = coco.COCO(str(path))
    assert len(loaded.getAnnIds(imgIds=[2])) == 2 and len(loaded.getCatIds()) == 3


def test_coco_file_names_stay_apart_and_plain():
    def names(*inputs):
        return [one["file_name"] for one in json.loads(to_coco([answer(name) for name in inputs]))["images"]]

    assert names("a.jpg") == ["a.jpg"]
    assert names("x/a.jpg", "y/a.jpg") == ["x/a.jpg", "y/a.jpg"]
    assert names("/data/x/a.jpg", "/data/y/a.jpg") == ["x/a.jpg", "y/a.jpg"]
    assert names("/data/a.jpg", "b.jpg") == ["/data/a.jpg", "b.jpg"]
    assert json.loads(to_coco([]))["images"] == []


def test_coco_keeps_frames_apart():
    frames = [answer("clip.mp4", frame=n, seconds=n / 25) for n in (0, 1)]
    images = json.loads(to_coco(frames))["images"]
    assert [(one["id"], one["frame"], one["seconds"]) for one in images] == [(1, 0, 0.0), (2, 1, 0.04)]


def test_coco_refuses_results_of_other_classes():
    other = Detections("b.jpg", 9, 9, ("cat",), np.zeros((0, 4)), np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match="b.jpg: its classes are not those of a.jpg"):
        to_coco([answer("a.jpg"), other])


def test_voc_is_one_based_inclusive_and_whole():
    root, found = read_voc(to_voc(answer("photos/R&D <1>.jpg")))
    assert root.findtext("filename") == "R&D <1>.jpg" and root.findtext("folder") == "photos"
    assert [root.findtext(f"size/{tag}") for tag in ("width", "height", "depth")] == ["640", "480", "3"]
    assert found == [(NAMES[0], [10, 21, 111, 220]), (NAMES[1], [0, 0, 640, 480])]
    assert {entry.findtext("difficult") for entry in root.iter("object")} == {"0"}


@given(st.lists(boxes_inside, max_size=4))
def test_voc_boxes_come_back_within_rounding(boxes):
    _, found = read_voc(to_voc(answer(boxes=boxes, labels=[2] * len(boxes))))
    assert [name for name, _ in found] == ["dog"] * len(boxes)
    for (_, box), (x0, y0, x1, y1) in zip(found, boxes, strict=True):
        assert box[0] >= 0 and box[1] >= 0 and box[2] <= 640 and box[3] <= 480
        assert box[2] > box[0] and box[3] > box[1]  # no box of no size, which readers refuse
        assert np.abs(np.array(box) - (x0, y0, x1, y1)).max() <= 0.5 + 1e-3 or x1 - x0 < 1 or y1 - y0 < 1


def test_voc_of_a_box_over_the_edge_stays_inside():
    _, found = read_voc(to_voc(answer(boxes=[(-8, -3, 700, 500), (639.9, 479.9, 639.95, 480)])))
    assert [box for _, box in found] == [[0, 0, 640, 480], [639, 479, 640, 480]]


def test_voc_of_a_box_thinner_than_a_pixel_is_the_pixel_it_lies_in():
    _, found = read_voc(to_voc(answer(boxes=[(100.6, 20.1, 100.9, 20.4), (100.1, 20.6, 100.4, 20.9)])))
    assert [box for _, box in found] == [[100, 20, 101, 21]] * 2


@given(st.text(alphabet="aé<>&\"' \t\x00\x0b\x7f\ud800\ufffe\U0001f415", max_size=12))
def test_voc_parses_whatever_a_class_is_called(name):
    result = Detections("a.jpg", 9, 9, (name,), np.array([[0, 0, 5, 5]]), np.array([0.5]), np.array([0]))
    _, found = read_voc(to_voc(result))
    printable = all(ord(c) >= 32 and not 0xD800 <= ord(c) < 0xE000 and ord(c) < 0xFFFE for c in name)
    assert len(found) == 1 and (not printable or found[0][0] == name)


@given(st.lists(boxes_inside, max_size=4))
def test_yolo_boxes_come_back(boxes):
    lines = to_yolo(answer(boxes=boxes, labels=[2] * len(boxes))).splitlines()
    assert len(lines) == len(boxes)
    for line, box in zip(lines, boxes, strict=True):
        label, cx, cy, w, h, score = line.split()
        x, y, w, h = float(cx) * 640, float(cy) * 480, float(w) * 640, float(h) * 480
        assert label == "2" and 0 < float(score) <= 1
        np.testing.assert_allclose([x - w / 2, y - h / 2, x + w / 2, y + h / 2], box, atol=2e-3)


def test_yolo_by_hand_and_of_nothing():
    assert to_yolo(answer(boxes=[(0, 0, 320, 480)], labels=[1])) == "1 0.250000 0.500000 0.500000 1.000000 0.9000\n"
    assert to_yolo(answer(boxes=(), labels=())) == ""
