"""What one answer holds, shows and writes."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from percept.core.errors import UsageError
from percept.vision.detect.result import Detections

NAMES = ("person", "hair drier", "car/van")


def answer(**changes):
    fields = {
        "input": "photos/street.jpg",
        "width": 375,
        "height": 500,
        "names": NAMES,
        "boxes": [[2, 240.004, 71.126, 301], [41.2, 212, 118, 402.6], [160, 205, 221, 390]],
        "scores": [0.83, 0.91236, 0.88],
        "labels": [2, 0, 0],
    }
    return Detections(**(fields | changes))


def test_the_surest_comes_first_and_equal_scores_keep_their_order():
    result = answer(scores=[0.5, 0.9, 0.5])
    assert result.labels.tolist() == [0, 2, 0] and result.scores[0] == np.float32(0.9)
    assert result.boxes.dtype == np.float32 and result.labels.dtype == np.int64 and len(result) == 3


def test_many_equal_scores_keep_their_order():
    boxes = [[n, 0, n + 9, 9] for n in range(200)]
    result = answer(boxes=boxes, scores=[0.5, 0.25] * 100, labels=[0] * 200)
    assert result.boxes[:, 0].tolist() == [*range(0, 200, 2), *range(1, 200, 2)]


def test_json_is_the_contract():
    assert answer().to_json() == {
        "input": "photos/street.jpg",
        "width": 375,
        "height": 500,
        "detections": [
            {"label": "person", "score": 0.9124, "box": [41.2, 212.0, 118.0, 402.6]},
            {"label": "person", "score": 0.88, "box": [160.0, 205.0, 221.0, 390.0]},
            {"label": "car/van", "score": 0.83, "box": [2.0, 240.0, 71.13, 301.0]},
        ],
    }
    assert json.loads(json.dumps(answer().to_json())) == answer().to_json()


def test_a_video_frame_says_when():
    document = answer(input="clip.mp4", frame=12, seconds=0.48048).to_json()
    assert list(document) == ["input", "frame", "seconds", "width", "height", "detections"]
    assert (document["frame"], document["seconds"]) == (12, 0.48)
    assert "frame 12  0.48 s" in str(answer(frame=12, seconds=0.48048))


def test_a_photo_without_objects_is_an_answer_too():
    empty = answer(boxes=[], scores=[], labels=[])
    assert empty.to_json()["detections"] == [] and empty.rows() == [] and len(empty) == 0
    assert str(empty) == " photos/street.jpg  375 x 500   no objects"
    assert repr(empty) == "<Detections 'photos/street.jpg' 375 x 500: no objects>"


def test_no_edge_is_written_as_minus_zero():
    assert str(answer(boxes=[[-0.001, 0, 5, 5]], scores=[0.5], labels=[0]).rows()[0][2]) == "0.0"


def test_boxes_scores_and_labels_must_be_equally_many():
    with pytest.raises(ValueError, match="3 boxes, 2 scores and 3 labels"):
        answer(scores=[0.1, 0.2])


def test_printing_gives_the_table():
    assert str(answer()).splitlines() == [
        " photos/street.jpg  375 x 500   3 objects",
        " label    score   box (x0 y0 x1 y1)",
        " person    0.91    41  212  118  403",
        " person    0.88   160  205  221  390",
        " car/van   0.83     2  240   71  301",
    ]
    assert repr(answer()) == "<Detections 'photos/street.jpg' 375 x 500: 2 person, 1 car/van>"


def test_filter_by_score_class_and_number():
    result = answer()
    assert len(result.filter(conf=0.88)) == 2  # 0.88 itself stays
    assert [row[0] for row in result.filter(classes=["car/van"]).rows()] == ["car/van"]
    assert result.filter(max=1).scores.tolist() == [np.float32(0.91236)]
    assert len(result.filter(classes=["hair drier"])) == 0
    assert len(result) == 3


def test_an_unknown_class_names_the_nearest():
    with pytest.raises(UsageError, match='no class "persn"; did you mean person?'):
        answer().filter(classes=["persn"])


def test_crops_are_the_pixels_of_the_photo_under_names_for_files():
    image = np.arange(500 * 375 * 3, dtype=np.uint32).reshape(500, 375, 3).astype(np.uint8)
    result = answer(image=image, boxes=[[10.5, 20, 30, 40], [-5, 490, 9, 520], [374.9, 7, 375.4, 7]])
    crops = dict(result.crops())
    assert list(crops) == ["01_person", "02_person", "03_car_van"]
    np.testing.assert_array_equal(crops["03_car_van"], image[20:40, 10:30])
    np.testing.assert_array_equal(crops["01_person"], image[490:500, 0:9])
    assert crops["02_person"].shape == (1, 1, 3)  # never empty
    crops["03_car_van"][:] = 0
    assert image[20:40, 10:30].any()


def test_a_box_beside_the_photo_still_cuts_a_pixel():
    image = np.zeros((500, 375, 3), dtype=np.uint8)
    ((_, crop),) = answer(image=image, boxes=[[400, 600, 420, 620]], scores=[0.5], labels=[0]).crops()
    assert crop.shape == (1, 1, 3)


def test_without_the_photo_nothing_can_be_drawn():
    with pytest.raises(ValueError, match="photos/street.jpg: the photo was not kept"):
        answer().draw()
    with pytest.raises(ValueError, match="not kept"):
        answer().crops()


def test_drawing_leaves_the_photo_alone_and_saving_writes_a_picture(tmp_path):
    from percept.vision.image import read_image

    image = np.full((500, 375, 3), 128, dtype=np.uint8)
    result = answer(image=image)
    drawn = result.draw()
    assert drawn.shape == image.shape and drawn.dtype == np.uint8
    assert (drawn != image).any() and (image == 128).all()
    result.save(tmp_path / "out.png")
    np.testing.assert_array_equal(read_image(tmp_path / "out.png"), drawn)


def test_results_and_formats_need_no_torch():
    code = "import sys, percept.vision.detect.formats, percept.vision.detect.result; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
