"""Published figures: where they are shown, and what is said of scores that do not compare."""

from __future__ import annotations

import pytest

from percept.vision.scene.published import PROTOCOLS, PUBLISHED, caution, published
from percept.vision.scene.tables import FIGURES


def test_each_set_has_its_own_rows() -> None:
    for name in PROTOCOLS:
        rows = published(name, 1)
        assert [row["system"] for row in rows] == [row.system for row in PUBLISHED if row.set == name]
        assert len(rows) > 1
    assert published("folder", 10) == []


def test_rows_are_in_the_form_of_every_report() -> None:
    for row in published("sift-flow", 200):
        assert {"system", "data", "figures", "source"} <= set(row)
        assert row["source"]
        assert set(row["figures"]) <= set(FIGURES)
        assert all(0 < value < 100 for value in row["figures"].values())


def test_the_figures_of_the_paper_on_stanford() -> None:
    figures = {row["system"]: row["figures"] for row in published("stanford-background", 143)}
    assert figures["Farabet + CRF on gPb"] == {"pixel_accuracy": 81.4, "class_accuracy": 76.0}
    assert figures["Gould 2009"] == {"pixel_accuracy": 76.4}  # it gave no class accuracy: no 0, no None


@pytest.mark.parametrize(
    ("name", "count"),
    [("sift-flow", 200), ("camvid", 233), ("barcelona", 279), ("stanford-background", 143)],
)
def test_a_score_on_the_published_photos_compares(name: str, count: int) -> None:
    assert caution(name, count) == ""
    assert all(row["comparable"] for row in published(name, count))


@pytest.mark.parametrize(("name", "count"), [("sift-flow", 12), ("sift-flow", 183), ("stanford-background", 95)])
def test_a_score_on_fewer_photos_is_told_so(name: str, count: int) -> None:
    line = caution(name, count)
    assert line.startswith(f"{count} photos are scored here")
    assert line.endswith("do not compare")
    assert not any(row["comparable"] for row in published(name, count))


def test_nothing_is_said_where_nothing_was_published() -> None:
    assert caution("folder", 3) == ""
    assert caution("camvid", 1).startswith("1 photo is scored here")


def test_rows_cannot_be_changed_by_who_gets_them() -> None:
    published("camvid", 233)[0]["figures"]["mean_iou"] = 99.0
    assert published("camvid", 233)[0]["figures"]["mean_iou"] == 60.1
