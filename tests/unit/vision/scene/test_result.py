"""What one answer holds, tells and writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from PIL import Image
from rich.cells import cell_len

from percept.core.errors import UsageError
from percept.vision.draw import palette
from percept.vision.image import read_image
from percept.vision.scene import result as results
from percept.vision.scene.result import Region, SceneResult

SCHEMA = Path(__file__).parents[3] / "contract" / "schema" / "scene-parse.json"
NAMES = ("sky", "tree", "road", "car")


def parsed() -> np.ndarray:
    """(40, 50): sky above, road below, two cars on it (10 x 5 and 4 x 5 pixels), no tree."""
    labels = np.full((40, 50), 2, np.uint8)
    labels[:20] = 0
    labels[25:30, 5:15] = 3
    labels[25:30, 40:44] = 3
    return labels


def answer(**changes) -> SceneResult:
    labels = changes.get("labels", parsed())
    count = len(changes.get("names", NAMES))
    fields = {
        "input": "street.jpg",
        "width": labels.shape[1],
        "height": labels.shape[0],
        "names": NAMES,
        "colours": (),
        "labels": labels,
        "probabilities": np.full((count, 20, 25), 1 / count, np.float32),
    }
    return SceneResult(**(fields | changes))


def valid(document: object) -> bool:
    return Draft202012Validator(json.loads(SCHEMA.read_text())).is_valid(document)


def test_json_is_the_contract() -> None:
    document = answer(took=1.5).to_json()
    assert document == {
        "input": "street.jpg",
        "width": 50,
        "height": 40,
        "classes": [
            {"label": "sky", "share": 0.5},
            {"label": "road", "share": 0.465},
            {"label": "car", "share": 0.035},
        ],
        "regions": [
            {"label": "sky", "share": 0.5, "box": [0, 0, 50, 20], "confidence": 0.25},
            {"label": "road", "share": 0.465, "box": [0, 20, 50, 40], "confidence": 0.25},
            {"label": "car", "share": 0.025, "box": [5, 25, 15, 30], "confidence": 0.25},
            {"label": "car", "share": 0.01, "box": [40, 25, 44, 30], "confidence": 0.25},
        ],
    }
    assert json.loads(json.dumps(document)) == document
    assert valid(document) and valid({**document, "files": {"labels": "a.png", "overlay": "a.jpg", "soft": "a.npz"}})
    assert not valid({**document, "files": {"mask": "a.png"}}), "the schema refuses something"
    assert not valid({**document, "classes": [{"label": "sky", "share": 50}]})


def test_frames_tell_when_they_are_and_what_changed() -> None:
    document = answer(frame=12, seconds=0.48048, steadied=(4.12345, 1.2)).to_json()
    assert (document["frame"], document["seconds"]) == (12, 0.48)
    assert document["changed"] == {"before": 4.123, "after": 1.2}
    assert valid(document) and not valid({**document, "changed": {"before": 4}})


def test_shares_are_of_the_whole_picture_and_the_largest_first() -> None:
    labels = parsed()
    labels[0] = 255
    shares = answer(labels=labels).shares
    assert list(shares) == ["sky", "road", "car"]
    assert sum(shares.values()) == pytest.approx(1 - 50 / 2000), "what has no class is no class's"
    rng = np.random.default_rng(3)
    assert sum(answer(labels=rng.integers(0, 4, (301, 257), np.uint8)).shares.values()) == pytest.approx(1)


def test_rows_are_a_class_each() -> None:
    assert answer().rows() == [("sky", 0.5), ("road", 0.465), ("car", 0.035)]
    assert all(len(row) == len(results.COLUMNS) for row in answer().rows())
    third = answer(labels=np.array([[0, 0, 2]], np.uint8))
    assert third.rows() == [("sky", 0.666667), ("road", 0.333333)]


def test_only_the_classes_asked_for_are_told() -> None:
    some = answer(shown=("car", "tree"))
    assert some.shares == {"car": 0.035}
    assert {region.label for region in some.regions} == {"car"} and len(some.regions) == 2
    assert "sky" not in str(some) and some.labels[0, 0] == 0, "the labels keep all"
    none = answer(shown=("tree",))
    assert none.to_json()["classes"] == [] and none.rows() == [] and "no classes" in str(none)
    assert valid(none.to_json())


# Regions


def test_a_regions_confidence_is_the_mean_of_its_class_there() -> None:
    sure = np.zeros((4, 20, 25), np.float32)
    sure[0] = 0.9  # all of the sky
    sure[3, 12:15, :12] = 0.5  # the left car, whose pixels are half as many there
    sure[3, 12:15, 20:] = np.linspace(0.2, 0.6, 5)  # the right one: columns 40 to 43 are the first two
    confidences = {region.box: region.confidence for region in answer(probabilities=sure).regions}
    assert confidences[0, 0, 50, 20] == pytest.approx(0.9)
    assert confidences[5, 25, 15, 30] == pytest.approx(0.5)
    assert confidences[40, 25, 44, 30] == pytest.approx(0.25)
    assert confidences[0, 20, 50, 40] == 0, "road"


def test_what_touches_at_a_corner_is_one_region() -> None:
    labels = np.zeros((30, 30), np.uint8)
    labels[np.arange(30), np.arange(30)] = 2
    road = [region for region in answer(labels=labels).regions if region.label == "road"]
    assert [(region.share, region.box) for region in road] == [(30 / 900, (0, 0, 30, 30))]


def test_specks_are_no_regions_and_there_are_at_most_fifty() -> None:
    labels = np.zeros((100, 100), np.uint8)
    labels[10, 10:20] = labels[50, 10:20] = 1  # a thousandth each: not larger than that
    labels[20, 10:21] = 2
    found = answer(labels=labels).regions
    assert [region.label for region in found] == ["sky", "road"]
    grid = np.zeros((100, 100), np.uint8)
    for number in range(81):
        y, x = divmod(number, 9)
        grid[11 * y : 11 * y + 4, 11 * x : 11 * x + 4 + (number % 2)] = 1
    found = answer(labels=grid).regions
    assert len(found) == results.MOST_REGIONS
    assert found[0].label == "sky" and [region.share for region in found[1:42]] == [0.002] * 40 + [0.0016]


def test_regions_of_a_large_picture_are_the_small_ones_enlarged(monkeypatch: pytest.MonkeyPatch) -> None:
    sure = np.random.default_rng(1).random((4, 20, 25), np.float32)
    exact = answer(labels=parsed().repeat(8, 0).repeat(8, 1), probabilities=sure).regions
    monkeypatch.setattr(results, "EXACT", 300)  # pixels: far fewer than each region has
    sampled = answer(labels=parsed().repeat(8, 0).repeat(8, 1), probabilities=sure).regions
    small = answer(probabilities=sure).regions
    for one, two, three in zip(small, exact, sampled, strict=True):
        assert two[:2] == three[:2] == one[:2] and two.box == three.box == tuple(8 * edge for edge in one.box)
        assert two.confidence == pytest.approx(one.confidence, abs=1e-6)
        assert three.confidence == pytest.approx(one.confidence, abs=0.1)


def test_a_line_that_the_sample_misses_has_a_confidence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "EXACT", 9)
    labels = np.zeros((30, 30), np.uint8)
    labels[1:30, 29] = labels[29, 1:30] = (
        2  # its box is the picture's, of which every ninth row and column is looked at
    )
    (road,) = [region for region in answer(labels=labels).regions if region.label == "road"]
    assert road.confidence == pytest.approx(0.25)


# What a person sees


def test_a_terminal_gets_size_classes_shares_and_time() -> None:
    text = str(answer(took=0.314, frame=3, seconds=0.125))
    first, second, sky, road, car = text.splitlines()
    for words in ("street.jpg", "frame 3", "0.12 s", "50 x 40", "3 classes", "0.31 s"):
        assert words in first
    assert second.split() == ["label", "share"]
    assert sky.split()[:3] == ["sky", "50.0", "%"] and road.split()[:2] == ["road", "46.5"]
    assert sky.count("━") == results.BAR // 2 and car.count("━") == 1
    assert "\t" not in text and all(line == line.rstrip() for line in text.splitlines())
    assert "changed" not in text
    steady = str(answer(steadied=(4.12, 1.96))).splitlines()
    assert steady[1] == " 4.1 % of the labels changed since the frame before, steadied 2.0 %"


def test_a_table_has_eighty_columns_whatever_the_names() -> None:
    names = ("道路" * 30, "a name that is longer than any sensible name of a class would ever be", "небо", "car\nred")
    lines = str(answer(names=names)).splitlines()
    assert all(cell_len(line) <= 80 for line in lines)
    assert len(lines) == 2 + 3, "a class is one line"
    assert len({line.index("%") for line in str(answer()).splitlines()[2:]}) == 1
    cells = [cell_len(line[: line.index("%")]) for line in lines[2:]]
    assert len(set(cells)) == 1, "wide letters count as two"


def test_its_representation_is_short() -> None:
    assert repr(answer()) == "<SceneResult 'street.jpg' 50 x 40: sky 50 %, road 46 %, car 4 %>"
    names = tuple(f"n{index}" for index in range(254))
    many = answer(names=names, labels=np.arange(254, dtype=np.uint8)[None])
    assert repr(many).endswith(", ...>") and len(repr(many)) < 120


# What is kept and written


def test_arrays_and_colours_must_fit() -> None:
    assert answer().colours == tuple(palette(4))
    with pytest.raises(ValueError, match="labels uint8"):
        answer(width=40, height=50)
    with pytest.raises(ValueError, match="labels int64"):
        answer(labels=parsed().astype(np.int64))
    with pytest.raises(ValueError, match="probabilities of shape"):
        answer(probabilities=np.zeros((3, 20, 25)))
    with pytest.raises(ValueError, match="an image of shape"):
        answer(image=np.zeros((40, 51, 3), np.uint8))
    with pytest.raises(ValueError, match="1 colours for 4 classes"):
        answer(colours=((1, 2, 3),))


def test_the_overlay_needs_the_photo() -> None:
    image = np.full((40, 50, 3), 90, np.uint8)
    assert answer(image=image).overlay().shape[0] > 40
    with pytest.raises(ValueError, match=r"street\.jpg: the photo was not kept"):
        answer().overlay()


def test_soft_keeps_names_probabilities_and_size() -> None:
    sure = np.random.default_rng(1).random((4, 20, 25), np.float32)
    soft = answer(probabilities=sure).soft()
    assert soft["names"].tolist() == list(NAMES) and (soft["width"], soft["height"]) == (50, 40)
    assert soft["probabilities"].dtype == np.float16 and soft["probabilities"].shape == (4, 20, 25)
    assert np.abs(soft["probabilities"] - sure).max() < 1e-3


def test_what_is_saved_can_be_read_back(tmp_path: Path) -> None:
    one = answer(image=np.full((40, 50, 3), 90, np.uint8))
    one.save(tmp_path / "l.png")
    with Image.open(tmp_path / "l.png") as read:
        assert np.array_equal(np.asarray(read), parsed())
    one.save(str(tmp_path / "o.JPG"))
    assert read_image(tmp_path / "o.JPG").shape == one.overlay().shape
    one.save(tmp_path / "s.npz")
    with np.load(tmp_path / "s.npz", allow_pickle=False) as soft:
        assert soft["names"].tolist() == list(NAMES) and int(soft["width"]) == 50
    with pytest.raises(UsageError, match=r'probabilities as \.npz, the overlay as \.jpg, not "\.tif"'):
        one.save(tmp_path / "l.tif")
    assert {file.name for file in tmp_path.iterdir()} == {"l.png", "o.JPG", "s.npz"}


def test_one_pixel_is_a_picture() -> None:
    one = answer(
        labels=np.zeros((1, 1), np.uint8), probabilities=np.full((4, 1, 1), 0.25), image=np.zeros((1, 1, 3), np.uint8)
    )
    assert one.regions == [Region("sky", 1.0, (0, 0, 1, 1), 0.25)] and one.shares == {"sky": 1.0}
    assert valid(one.to_json()) and one.overlay().shape[0] > 1
