"""What one answer holds, shows and writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from percept.core.errors import UsageError
from percept.vision.image import read_image
from percept.vision.stereo import formats
from percept.vision.stereo.result import StereoResult

SCHEMA = Path(__file__).parents[3] / "contract" / "schema" / "stereo.json"


def answer(**changes):
    disparity = np.tile(np.linspace(3.126, 40, 64), (48, 1))
    fields = {
        "input": "pairs/teddy",
        "left": "pairs/teddy/im0.png",
        "right": "pairs/teddy/im1.png",
        "width": 64,
        "height": 48,
        "max_disparity": 63,
        "disparity": disparity,
        "confidence": np.full((48, 64), 0.5),
        "filled": 0.123456,
    }
    return StereoResult(**(fields | changes))


def test_json_is_the_contract():
    document = answer().to_json()
    assert document == {
        "input": "pairs/teddy",
        "left": "pairs/teddy/im0.png",
        "right": "pairs/teddy/im1.png",
        "width": 64,
        "height": 48,
        "max_disparity": 63,
        "range": [3.13, 40.0],
        "filled": 0.1235,
    }
    assert json.loads(json.dumps(document)) == document
    check = Draft202012Validator(json.loads(SCHEMA.read_text()))
    check.validate(document)
    assert not check.is_valid({**document, "range": [1]}), "the schema refuses something"


def test_depth_and_frames_are_told_where_there_are_any():
    depth = np.full((48, 64), np.nan)
    depth[0, :2] = 1.23456, 20
    document = answer(depth=depth, frame=12, seconds=0.48048, took=1.5).to_json()
    assert (document["depth"], document["frame"], document["seconds"]) == ([1.235, 20.0], 12, 0.48)
    assert "took" not in document, "the same answer is the same document"
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)


def test_maps_are_float32_and_have_the_views_size():
    result = answer()
    assert result.disparity.dtype == result.confidence.dtype == np.float32
    for name in ("disparity", "confidence", "depth"):
        with pytest.raises(ValueError, match=f"{name} of shape"):
            answer(**{name: np.zeros((64, 48))})


def test_a_row_tells_size_and_range():
    assert answer().rows() == [(64, 48, 63, 3.13, 40.0, 0.1235)]


def test_nothing_found_is_said_and_is_no_nan():
    result = answer(disparity=np.full((48, 64), np.nan), depth=np.full((48, 64), np.nan))
    assert result.range is None
    assert result.rows() == [(64, 48, 63, "", "", 0.1235)]
    document = result.to_json()
    assert document["range"] is None and document["depth"] is None
    json.dumps(document, allow_nan=False)
    assert "no disparity found" in str(result)
    assert result.color().shape[0] == 48


def test_a_terminal_gets_size_range_share_and_time():
    text = str(answer(took=0.314, frame=3, seconds=0.125))
    first, second, *_ = text.splitlines()
    for words in ("pairs/teddy", "frame 3", "0.12 s", "64 x 48", "0.31 s"):
        assert words in first
    assert second == " disparity 3.1 to 40.0 px, of 63 looked for; 12.3 % filled in"
    assert "\t" not in text and all(len(line) <= 80 for line in text.splitlines())
    assert "depth" not in text
    table = str(answer(depth=np.tile(np.linspace(1, 3, 64), (48, 1)))).splitlines()
    assert table[2].split() == ["nearest", "median", "farthest"]
    assert table[3].split()[0] == "disparity" and float(table[3].split()[1]) > float(table[3].split()[5])
    assert table[4].split()[0] == "depth" and table[4].split()[3] == "2.00"


def test_the_picture_in_colours_keeps_the_maps_size_beside_its_scale():
    result = answer()
    drawn, other = result.color(), result.color(0, 400)
    assert drawn.shape[0] == 48 and drawn.shape[1] > 64 and other.shape == drawn.shape
    assert drawn[20, 60, 0] > drawn[20, 60, 2] and drawn[20, 2, 2] > drawn[20, 2, 0], "near is warm"
    assert not np.array_equal(drawn, other)


def test_what_is_saved_can_be_read_back(tmp_path):
    disparity = np.tile(np.linspace(0, 40, 64, dtype=np.float32), (48, 1))
    disparity[3, 4] = np.nan
    result = answer(disparity=disparity)
    result.save(tmp_path / "d.npy")
    assert np.array_equal(np.load(tmp_path / "d.npy"), disparity, equal_nan=True)
    result.save(tmp_path / "d.pfm")
    assert np.array_equal(formats.read_truth(tmp_path / "d.pfm"), disparity, equal_nan=True)
    result.save(tmp_path / "d.png")
    back = formats.read_truth(tmp_path / "d.png", 256)
    assert np.isnan(back[3, 4]) and np.nanmax(np.abs(back - disparity)) <= 1 / 256
    result.save(str(tmp_path / "d.jpg"))
    assert read_image(tmp_path / "d.jpg").shape[0] == 48
    with pytest.raises(UsageError, match=r"written as .png, .pfm or .npy"):
        result.save(tmp_path / "d.tif")
