"""``percept eval`` as it is typed: figures that depend on the data alone, beside the published ones."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import shutil
from pathlib import Path

import pytest
from commandline import percept
from inputs import DATA, INPUTS

from percept.core import weights

COCO = DATA / "coco_tiny"
WEIGHTS = INPUTS["detect"].with_weights
WHOLE_SETS = os.environ.get("PERCEPT_DATA")  # as the person who runs the tests has it; the tests see another
TOLERANCE = 0.002  # of AP; other processors and libraries round otherwise


def test_our_figures_stand_beside_the_published_ones_which_are_marked() -> None:
    ran = percept("eval", "detect", "--data", COCO, *WEIGHTS)
    assert ran.code == 0, ran.err
    ours, published = ran.out.index("measured here"), ran.out.index("published, not measured here")
    assert ours < published
    for words in ("AP50", "AP_small", "OverFeat", "COCO's protocol", "where errors come from", "said", "right"):
        assert words in ran.out
    document = percept("eval", "detect", "--data", COCO, *WEIGHTS, "--json").json
    assert document["metrics"]["AP50"] > 0.5, "a motorcycle and two horses that it knows"
    assert document["published"] and all(row["source"] for row in document["published"])


def shuffled(folder: Path, seed: int) -> Path:
    """The same set with photos, boxes and ids in another order."""
    shutil.copytree(COCO, folder)
    path = folder / "instances_val.json"
    content = json.loads(path.read_text())
    order = random.Random(seed)
    ids = [image["id"] for image in content["images"]]
    names = dict(zip(ids, order.sample(range(1, 100), len(ids)), strict=True))
    for image in content["images"]:
        image["id"] = names[image["id"]]
    for number, annotation in enumerate(order.sample(content["annotations"], len(content["annotations"])), start=1):
        annotation["image_id"], annotation["id"] = names[annotation["image_id"]], number
    content["images"].reverse()
    content["categories"].reverse()
    path.write_text(json.dumps(content))
    return folder


def test_figures_do_not_depend_on_the_order_of_photos_boxes_ids_and_classes(tmp_path: Path) -> None:
    words = ("eval", "detect", *WEIGHTS, "--json", "--data")
    first = percept(*words, COCO).json
    for seed in (1, 2):
        again = percept(*words, shuffled(tmp_path / str(seed), seed)).json
        assert again["metrics"] == first["metrics"]
        assert again["voc_ap50"] == first["voc_ap50"]
    one = [percept(*words, COCO, "--limit", "1").json["count"], first["count"]]
    assert one == [1, 2]


def test_out_keeps_what_the_table_is_drawn_from(tmp_path: Path) -> None:
    ran = percept("eval", "detect", "--data", COCO, *WEIGHTS, "--out", tmp_path / "detect", "--json")
    assert ran.json["files"] == [str(tmp_path / "detect" / "precision_recall.png")]
    assert (tmp_path / "detect" / "precision_recall.png").stat().st_size > 5000
    folder = tmp_path / "photos"  # two of ImageNet's classes, by name
    for name, photo in (("motor scooter", "motorcycle"), ("sorrel", "horse_marsh")):
        (folder / "val" / name).mkdir(parents=True)
        shutil.copy(COCO / "images" / f"{photo}.jpg", folder / "val" / name)
    ran = percept("eval", "classify", "--data", folder, "--out", tmp_path / "classify", "--json")
    assert ran.code == 0, ran.err
    (table,) = ran.json["files"]
    rows = list(csv.DictReader(Path(table).read_text().splitlines()))
    assert [(row["class"], row["photos"]) for row in rows] == [("motor scooter", "1"), ("sorrel", "1")]
    assert ran.json["metrics"]["top5"] >= 50


def test_a_class_that_the_weights_do_not_know_is_said() -> None:
    ran = percept("eval", "detect", "--data", DATA / "voc_cells", *WEIGHTS)
    assert (ran.code, ran.out) == (2, "")
    assert "these weights know no class Platelets, RBC, WBC; they know person, " in ran.err


METRICS = {name for inputs in INPUTS.values() for name in inputs.metrics} | {"accuracy"}
MEASURED = [
    (row, score) for row in weights.index() for score in row.scores if score["command"].startswith("percept eval")
]  # others tell of trainings: cross-validation


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not WHOLE_SETS, reason="PERCEPT_DATA does not say where the data sets lie")
@pytest.mark.parametrize(("row", "score"), MEASURED, ids=[f"{row.name}-{n}" for n, (row, _) in enumerate(MEASURED)])
def test_shipped_weights_score_what_the_index_says(
    row: weights.Shipped, score: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``figures`` such as "AP .321, AP50 .502 ..." against the ``command`` beside them."""
    monkeypatch.setenv("PERCEPT_DATA", str(WHOLE_SETS))
    monkeypatch.chdir(str(WHOLE_SETS))  # a set without a row in the table is a folder here
    words = score["command"].split()
    assert words[:3] == ["percept", "eval", row.task]
    if "--weights" not in words:
        words += ["--weights", row.name]
    ran = percept(*words[1:], "--json")
    if ran.code == 2 and ("is not here" in ran.err or "no data set or folder" in ran.err or "no folder" in ran.err):
        pytest.skip(ran.err.splitlines()[0])
    assert ran.code == 0, ran.err
    told = [(name, figure) for name, figure in re.findall(r"(\w+) ([\d.]+)", score["figures"]) if name in METRICS]
    assert told, "figures are told as NAME NUMBER"
    for name, figure in told:
        tolerance = TOLERANCE * (1 if name.startswith("AP") else 100)  # the others are percent
        assert ran.json["metrics"][name] == pytest.approx(float(figure), abs=tolerance), name
