"""What ``percept eval scene-parse`` prints: dashes, thin classes, and room in 80 columns."""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console

from percept.core.console import table
from percept.core.evaluation import Table
from percept.vision.scene import tables
from percept.vision.scene.metrics import Confusion, Figures
from percept.vision.scene.tuning import Row

CAMVID = (
    "Sky",
    "Building",
    "Pole",
    "Road",
    "Pavement",
    "Tree",
    "SignSymbol",
    "Fence",
    "Car",
    "Pedestrian",
    "Bicyclist",
)


def printed(made: Table) -> list[str]:
    """The lines of a table in a terminal of 80 columns, as a report prints it."""
    console = Console(file=io.StringIO(), width=80)
    console.print(table(made.columns, made.rows, title=made.title))
    return console.file.getvalue().splitlines()


def with_recall(percent: dict[int, int], classes: int) -> Figures:
    """100 pixels of some classes, so many of which are right; the others are taken for the next class."""
    made = Confusion(classes)
    for c, right in percent.items():
        made.matrix[c, c] += right
        made.matrix[c, (c + 1) % classes] += 100 - right
    return made.figures()


def cells(made: Table, name: str) -> tuple[str, ...]:
    return next(row for row in made.rows if row[0] == name)


def test_rows_with_and_without_vote() -> None:
    alone = {"pixel_accuracy": 86.04, "class_accuracy": 80.0, "mean_iou": 70.0, "fw_iou": 76.0, "boundary_f1": None}
    voted = {**alone, "pixel_accuracy": 86.5, "boundary_f1": 61.26}
    made = tables.figures([("net alone", alone, 41.2), (tables.row_name("felzenszwalb", "gated"), voted, None)])
    assert made.columns == ("", "net alone", "+ gated vote, felzenszwalb")
    assert cells(made, "pixel_accuracy") == ("pixel_accuracy", "86.0", "86.5")
    assert cells(made, "boundary_f1") == ("boundary_f1", "-", "61.3")
    assert cells(made, "ms a photo") == ("ms a photo", "41", "-")
    assert [row[0] for row in made.rows[:-1]] == list(alone)
    assert len(printed(made)) == 2 + len(made.rows)  # title, head, rows: none is folded


def test_an_absent_class_is_a_row_of_dashes() -> None:
    made = tables.classes(("sky", "sea", "land"), with_recall({0: 100, 2: 50}, 3))
    assert made.columns == ("class", "recall", "precision", "IoU", "share")
    assert cells(made, "sea") == ("sea", "-", "-", "-", "-")
    assert cells(made, "sky") == ("sky", "100.0", "66.7", "66.7", "50.00")
    assert not any("nan" in cell for row in made.rows for cell in row)


def test_nothing_known_is_dashes_only() -> None:
    made = tables.classes(("sky", "sea"), Confusion(2).figures())
    assert {cell for row in made.rows for cell in row[1:]} == {"-"}


def test_the_thin_classes_of_camvid_have_a_mean_by_themselves() -> None:
    found = with_recall({c: 10 * c for c in range(11)}, 11)
    assert [CAMVID[c] for c in tables.thin("camvid", CAMVID)] == ["Pole", "SignSymbol", "Pedestrian"]
    made = tables.classes(CAMVID, found, set_name="camvid")
    assert len(made.rows) == 12
    row = made.rows[-1]
    assert row[:2] == ("mean of the 3 thin ones", f"{(20 + 60 + 90) / 3:.1f}")
    assert row[-1] == f"{100 * 3 / 11:.2f}"  # of the pixels, theirs together
    assert tables.thin_means(found, (2, 6, 9))["recall"] == np.mean([20, 60, 90])
    assert tables.thin_means(found, ()) == {"recall": None, "iou": None}


def test_other_sets_and_spellings() -> None:
    assert tables.thin("camvid", ("road", "column_pole", "Sign Symbol", "telegraph")) == (1, 2)
    assert tables.thin("sift-flow", ("pole", "sign")) == ()
    assert len(tables.classes(("pole", "sign"), Confusion(2).figures(), set_name="folder").rows) == 2


def test_an_absent_thin_class_does_not_pull_their_mean_down() -> None:
    made = tables.classes(("pole", "sign", "road"), with_recall({0: 40, 2: 100}, 3), set_name="camvid")
    assert made.rows[-1][:2] == ("mean of the 2 thin ones", "40.0")


def test_the_iou_of_the_net_alone_stands_beside() -> None:
    voted, alone = with_recall({0: 100, 1: 100}, 2), with_recall({0: 100, 1: 50}, 2)
    made = tables.classes(("a", "b"), voted, alone)
    assert made.columns[-2:] == ("IoU alone", "share")
    assert cells(made, "b")[3:5] == ("100.0", "50.0")


def test_a_long_name_leaves_room_for_the_figures() -> None:
    name = "a very long name that somebody gave to a class of theirs"
    found = with_recall({0: 50, 1: 100}, 2)
    lines = printed(tables.classes((name, "b"), found, found))
    assert len(lines) == 4
    assert all(len(line.rstrip()) <= 80 for line in lines)
    assert "a very long name that somebo.." in lines[2]


def test_votes_name_what_the_weights_come_with() -> None:
    found = with_recall({0: 100, 1: 50}, 2)
    rows = (
        Row("none", "", 0.0, found, 60.0, 0.0),
        Row("slic", "gated", 0.7, found, None, 71.6),
        Row("slic", "gated", 0.8, found, 61.234, 71.6),
        Row("felzenszwalb", "majority", 0.0, found, 61.0, 12.0),
    )
    made = tables.votes(rows, {"segments": "slic", "vote": "gated", "gate": 0.8})
    names = [row[0] for row in made.rows]
    assert names == ["net alone", "+ gated vote 0.7, slic", "+ gated vote 0.8, slic *", "+ majority vote, felzenszwalb"]
    assert made.rows[2][1:] == ("75.00", "75.00", "58.33", "61.23", "72")
    assert made.rows[1][4] == "-"
    assert len(printed(made)) == 6  # nothing is folded
    assert "*" not in str(tables.votes(rows))
    assert tables.votes(rows, {"segments": "none"}).rows[0][0] == "net alone *"


def test_temporal_rows_may_have_figures_of_their_own() -> None:
    made = tables.temporal({"by itself": {"changed": 5.0, "mIoU": 61.0}, "flow": {"agrees": 97.3}})
    assert made.columns == ("", "changed", "mIoU", "agrees")
    assert made.rows == (("by itself", "5.00", "61.00", "-"), ("flow", "-", "-", "97.30"))
