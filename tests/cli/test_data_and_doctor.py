"""``percept data ...`` and ``percept doctor`` as they are typed."""

from __future__ import annotations

import shutil
from pathlib import Path

import hostile
import pytest
from commandline import percept
from inputs import DATA, INPUTS
from PIL import Image

from percept.core import weights

SETS = ("coco2017", "voc2007", "voc2012", "bccd", "imagenet", "imagenette")


def test_the_list_says_what_each_set_is_and_whether_it_is_here() -> None:
    ran = percept("data", "list")
    assert ran.code == 0
    for name in SETS:
        assert name in ran.out
    assert "percept data fetch NAME" in ran.err
    document = percept("data", "list", "--json").json
    assert {row["name"] for row in document["data_sets"]} >= set(SETS)
    for row in document["data_sets"]:
        assert row["licence"] and row["allows"] and row["homepage"].startswith("http") and row["size"] > 0
        assert row["here"] is False
    only = percept("data", "list", "classify", "--json").json
    assert {row["task"] for row in only["data_sets"]} == {"classify"}


def test_info_tells_one_set_whole() -> None:
    ran = percept("data", "info", "bccd")
    assert ran.code == 0
    for words in ("MIT", "voc", "percept data fetch bccd", "https://github.com/Shenggan/BCCD_Dataset"):
        assert words in ran.out
    document = percept("data", "info", "imagenet", "--json").json
    assert document["classes"] == 1000 and "by hand" in document["get"]


def test_verify_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCEPT_DATA", str(tmp_path))
    ran = percept("data", "verify", "bccd")
    assert ran.code == 1
    assert f"{tmp_path / 'bccd'} is not there" in ran.out
    shutil.copytree(DATA / "voc_cells", tmp_path / "bccd" / "BCCD")
    ran = percept("data", "verify", "bccd")
    assert ran.code == 1
    assert "6 files where 364 are expected" in ran.out
    assert percept("eval", "detect", "--data", "bccd").code == 2


def test_what_may_not_be_fetched_is_not_asked_for() -> None:
    ran = percept("data", "fetch", "imagenet")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be fetched" in ran.err and "https://image-net.org/" in ran.err


@pytest.mark.parametrize("task", list(INPUTS))
def test_check_counts_and_names_file_and_line(task: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(INPUTS[task].data, folder)
    photo = folder / INPUTS[task].first
    photo.write_bytes(photo.read_bytes()[:2000])
    ran = percept("data", "check", folder)
    assert ran.code == 0, ran.err
    assert "train" in ran.out and photo.name in ran.out and "cut off" in ran.out
    document = percept("data", "check", folder, "--task", task, "--json").json
    assert document["folder"] == str(folder)
    assert any("cut off" in problem for problem in document["problems"])
    ran = percept("train", task, "--data", folder, *INPUTS[task].train, *INPUTS[task].start, "--out", tmp_path / "run")
    assert ran.code in (0, 2), "left out, or refused"
    assert photo.name in ran.err and "cut off" in ran.err, "but training says which photo it is"


def test_check_of_cells_names_the_line_of_a_box_of_no_size() -> None:
    ran = percept("data", "check", DATA / "voc_cells")
    assert "Annotations/BloodImage_00343.xml line 54: box of no size (RBC 46 83 46 83)" in ran.out
    for row in ("RBC", "WBC", "Platelets"):
        assert row in ran.out


def test_check_of_no_data_set(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to learn from")
    ran = percept("data", "check", tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "no layout that percept knows" in ran.err


def test_an_evaluation_says_what_it_left_out(tmp_path: Path) -> None:
    shutil.copytree(DATA / "coco_tiny", tmp_path / "data")
    photo = tmp_path / "data" / "images" / "motorcycle.jpg"
    whole = photo.read_bytes()
    words = ("eval", "detect", "--data", tmp_path / "data", *INPUTS["detect"].with_weights, "--json")
    assert percept(*words).json["left_out"] == 0
    photo.write_bytes(whole[:3000])
    ran = percept(*words)
    assert ran.code == 0
    assert (ran.json["count"], ran.json["left_out"]) == (1, 1)
    assert "1 labels or photos left out" in ran.err and "motorcycle.jpg: photo left out: cut off after" in ran.err


def test_a_photo_damaged_inside_stops_an_evaluation_with_its_name(tmp_path: Path) -> None:
    """Of this format only decoding shows it, which nobody does before the evaluation comes to it."""
    shutil.copytree(DATA / "coco_tiny", tmp_path / "data")
    photo = tmp_path / "data" / "images" / "motorcycle.jpg"
    with Image.open(photo) as picture:
        whole = hostile.encoded(picture, "BMP")
    photo.write_bytes(whole[: len(whole) // 2])
    ran = percept("eval", "detect", "--data", tmp_path / "data", *INPUTS["detect"].with_weights)
    assert (ran.code, ran.out) == (2, "")
    assert f"percept: {photo}: cut off after" in ran.err


def test_the_doctor_finds_everything_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCEPT_EPOCHS", "3")  # an option of some command
    ran = percept("doctor", "--json")
    checks = {check["name"]: check for check in ran.json["checks"]}
    assert not [check for check in checks.values() if "could not be looked at" in check["found"]]
    for row in weights.index():
        assert checks[f"weights {row.name}"]["ok"] is True
    assert {"percept", "python", "torch import", "precision", "data", "video"} <= set(checks)
    assert ran.code == int(any(check["ok"] is False for check in checks.values()))
    assert not [name for name in checks if name == "PERCEPT_EPOCHS" and checks[name]["ok"] is False]


def test_the_doctor_writes_for_a_bug_report_and_sees_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(weights.folder(), tmp_path / "weights")
    damaged = next(row for row in weights.index() if row.task == "classify")
    content = bytearray((tmp_path / "weights" / damaged.file).read_bytes())
    content[-1] ^= 1
    (tmp_path / "weights" / damaged.file).write_bytes(content)
    monkeypatch.setattr(weights, "folder", lambda: tmp_path / "weights")
    monkeypatch.setenv("PERCEPT_EPOHCS", "3")
    ran = percept("doctor", "--markdown")
    assert ran.code == 1
    assert ran.out.startswith("### percept doctor\n") and "| **wrong** |" in ran.out
    assert f"| weights {damaged.name} |" in ran.out and "not the file that was tested" in ran.out
    assert "PERCEPT_EPOCHS" in ran.out, "the nearest variable is named"
    assert str(Path.home()) == "/" or str(Path.home()) not in ran.out
    ran = percept("classify", INPUTS["classify"].predict[0])
    assert (ran.code, ran.out) == (2, "")
    assert "not the file that was tested (sha256 differs)" in ran.err
