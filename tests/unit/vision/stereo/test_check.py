"""The report of a stereo data set: what it holds, and each kind of mistake with the name of its file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from percept.core.errors import UsageError
from percept.vision.stereo.check import report
from percept.vision.stereo.formats import read_truth, write_npy, write_pfm

TINY = Path(__file__).parents[3] / "data" / "stereo_tiny"


@pytest.fixture()
def own(tmp_path: Path) -> Path:
    """The tiny set, to be spoilt."""
    for part in ("train", "val"):
        shutil.copytree(TINY / part, tmp_path / part)
    return tmp_path


def test_a_good_set() -> None:
    found = report(TINY)
    assert (found.layout, found.problems) == ("folder", ())
    assert [(row.split, row.pairs, row.smallest, row.ndisp) for row in found.splits] == [
        ("train", 3, (112, 72), 48),
        ("val", 2, (112, 72), 32),
    ]
    assert found.splits[0].range == (3.875, 35.0)
    assert found.lines() == ["nothing wrong was found"]
    assert json.loads(json.dumps(found.to_json()))["splits"][1]["pairs"] == 2
    assert found.tables()[0].rows[0] == ("train", "3", "112 x 72", "100.0 %", "3.9 to 35.0", "48")


def test_files_without_the_others(own: Path) -> None:
    (own / "train/right/teddy.png").unlink()
    (own / "val/disp/venus.png").unlink()
    (own / "val/left/baby2.png").unlink()
    assert report(own).problems == (
        "train/left/teddy.png: no right/teddy",
        "val/left/venus.png: no disp/venus",
        "val/right/baby2.png: no left/baby2",
        "val/disp/baby2.png: no left/baby2",
    )


def test_a_set_of_no_whole_pair_is_still_told_file_by_file(own: Path) -> None:
    shutil.rmtree(own / "val")
    for path in (own / "train/disp").iterdir():
        path.unlink()
    found = report(own)
    assert found.problem_count == 3
    assert all("no disp/" in line for line in found.problems)
    assert found.splits[0].pairs == 0
    assert found.tables()[0].rows[0][2:] == ("-", "-", "-", "-")


def spoil(own: Path, how: str) -> None:
    truth = read_truth(own / "train/disp/teddy.png", 256)
    teddy = own / "train/disp/teddy.png"
    if how == "8 bits":
        cv2.imwrite(str(teddy), truth.astype(np.uint8))
    elif how == "not times 256":
        cv2.imwrite(str(teddy), truth.astype(np.uint16))
    elif how in ("times 256", "negative", "twice"):
        teddy.unlink()
        write_npy(teddy.with_suffix(".npy"), truth * {"times 256": 256, "negative": -1, "twice": 2}[how])
    elif how == "empty":
        write_pfm(teddy.with_suffix(".pfm"), np.full_like(truth, np.nan))
        teddy.unlink()
    elif how == "another size":
        cv2.imwrite(str(teddy), cv2.resize(cv2.imread(str(teddy), -1), (56, 36)))
    elif how == "exchanged":
        left, right = own / "train/left/teddy.png", own / "train/right/teddy.png"
        one, other = left.read_bytes(), right.read_bytes()
        left.write_bytes(other)
        right.write_bytes(one)
    elif how == "the same":
        shutil.copy(own / "train/left/teddy.png", own / "train/right/teddy.png")
    elif how == "cut off":
        path = own / "train/right/teddy.png"
        path.write_bytes(path.read_bytes()[:3000])
    elif how == "leak":
        for side in ("left", "right", "disp"):
            shutil.copy(own / f"train/{side}/teddy.png", own / f"val/{side}/other.png")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("8 bits", "train/disp/teddy.png: 8 bits, where 16 bits"),
        ("not times 256", "train/disp/teddy.png: no disparity over 0.11 pixels"),
        ("times 256", "train/disp/teddy.npy: disparities up to 7,360 pixels in a picture 112 wide"),
        ("negative", "train/disp/teddy.npy: only negative numbers"),
        ("twice", "train/disp/teddy.npy: does not fit its pictures"),
        ("empty", "train/disp/teddy.pfm: no disparity in it"),
        ("another size", "train/disp/teddy.png: 56 x 36 pixels, where its left picture teddy.png has 112 x 72"),
        ("exchanged", "train/disp/teddy.png: fits the pictures in the other direction"),
        ("the same", "train/disp/teddy.png: its left and right pictures are the same"),
        ("cut off", "train/right/teddy.png: cut off"),
        ("leak", "val/left/other.png: the same picture as train/left/teddy.png, in train and in val"),
    ],
)
def test_each_mistake_is_named(own: Path, how: str, says: str) -> None:
    spoil(own, how)
    found = report(own)
    assert found.problem_count == len(found.problems) == 1, found.problems
    assert found.problems[0].startswith(says), found.problems[0]
    assert found.lines()[0] == found.problems[0]


def test_truths_of_half_the_size_are_doubted(own: Path) -> None:
    for path in own.glob("*/disp/*.png"):
        write_npy(path.with_suffix(".npy"), read_truth(path, 256) / 2)
        path.unlink()
    assert any(line.startswith("most truths fit their pictures badly") for line in report(own).problems)


def test_many_problems_are_counted_and_some_shown(own: Path) -> None:
    for number in range(30):
        shutil.copy(own / "train/left/teddy.png", own / f"train/left/lone{number}.png")
    found = report(own)
    assert (found.problem_count, len(found.problems)) == (30, 20)
    assert "... and 10 more" in found.lines()


def test_no_val_is_told(own: Path) -> None:
    shutil.rmtree(own / "val")
    assert report(own).advice == ("no val split: some training pairs will be kept to choose the best epoch by",)
    assert report(TINY).advice == ()


def test_disparities_beyond_what_a_png_holds_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 255, (8, 700, 3), np.uint8)
    for side, view in (("left", wide[:, :400]), ("right", wide[:, 300:])):
        (tmp_path / side).mkdir()
        cv2.imwrite(str(tmp_path / side / "far.png"), view)
    (tmp_path / "disp").mkdir()
    write_pfm(tmp_path / "disp/far.pfm", np.full((8, 400), 300, np.float32))
    found = report(tmp_path)
    assert found.problems == ()
    assert found.advice == ("disparities up to 300 pixels: write PFM or NPY, a 16-bit PNG x 256 ends at 256 pixels",)


def test_no_stereo_data(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no stereo data"):
        report(tmp_path)
