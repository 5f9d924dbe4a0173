"""One's own folder: classes.txt in all its forms, where photos and labels may lie, what is said of what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from percept.core.errors import UsageError
from percept.vision.scene.data import VOID, read_labels, read_photos, recognise, splits
from percept.vision.scene.layout_folder import read_classes


def classes(tmp_path: Path, text: str) -> tuple:
    (tmp_path / "classes.txt").write_text(text)
    return read_classes(tmp_path / "classes.txt")


def own(folder: Path, stems: list[str], below: str = "", values: np.ndarray | None = None) -> None:
    values = np.array([[0, 1], [1, 255]], np.uint8) if values is None else values
    for stem in stems:
        for kind, array in (("images", np.zeros((*values.shape[:2], 3), np.uint8)), ("labels", values)):
            path = folder / kind / below / f"{stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(path)
    (folder / "classes.txt").write_text("sky\nroad\n")


def test_a_name_a_line(tmp_path):
    names, colours, codes = classes(tmp_path, "sky\nstreet light  # a remark\n\nmy thing\n")
    assert names == ("sky", "street light", "my thing")
    assert dict(codes.values) == {0: 0, 1: 1, 2: 2, 255: VOID}
    assert not codes.void_given
    assert codes.void.startswith("255 (by custom")
    assert colours[0] == (128, 128, 128)  # skies are grey in this literature
    assert len(set(colours)) == 3


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0 sky\n1 road\n255 void\n", {0: 0, 1: 1, 255: VOID}),
        ("sky\nroad\n255 void\n", {0: 0, 1: 1, 255: VOID}),
        ("void\nsky\nroad\n", {0: VOID, 1: 0, 2: 1}),
        ("7: sky\n11, road\n3 unlabelled\n4 ignore", {3: VOID, 4: VOID, 7: 0, 11: 1}),
        ("255 road\n0 sky\n", {0: 0, 255: 1}),  # 255 is a class where the list says so
    ],
)
def test_what_values_mean(tmp_path, text, values):
    names, _, codes = classes(tmp_path, text)
    assert names == ("sky", "road")
    assert dict(codes.values) == values


def test_colours(tmp_path):
    names, colours, codes = classes(tmp_path, "sky 1 2 3\nred road 255 0 0\nvoid 0 0 0\n")
    assert (names, colours) == (("sky", "red road"), ((1, 2, 3), (255, 0, 0)))
    assert dict(codes.colours) == {0x010203: 0, 0xFF0000: 1, 0: VOID}
    assert codes.void == "2 (void, colour 0 0 0)"
    assert classes(tmp_path, "0 sky 1 2 3\n1 red road 255 0 0\n")[:2] == (names, colours)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 sky\nroad\n", "line 2: no number before road"),
        ("sky\nsky\n", "line 2: sky stands in line 1 already"),
        ("0 sky\n0 road\n", "line 2: value 0 stands in line 1"),
        ("sky 1 2 3\nroad 1 2 3\n", "line 2: colour 1 2 3 stands in line 1"),
        ("sky 1 2 300\nroad 1 2 3\n", "line 1: colours go from 0 to 255, not 300"),
        ("0 sky\n70000 road\n", "line 2: values go from 0 to 65,535"),
        ("0 sky\n1 2 3 4\n", 'line 2: no name in "1 2 3 4"'),
        ("sky\nvoid\n", "1 classes; 2 to 254"),
        ("\n".join(f"c{k}" for k in range(300)), "300 classes; 2 to 254"),
        ("", "0 classes"),
    ],
)
def test_lines_that_say_nothing(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        classes(tmp_path, text)


def test_without_a_list(tmp_path):
    own(tmp_path, ["a"])
    (tmp_path / "classes.txt").rename(tmp_path / "names.txt")
    with pytest.raises(UsageError, match=r"classes.txt: not there \(there is names.txt\); it names the classes"):
        read_photos(tmp_path, "train")


def test_a_folder_without_parts_serves_training(tmp_path):
    own(tmp_path, ["a", "b"])
    assert (recognise(tmp_path), splits(tmp_path)) == ("folder", ("all",))
    found = read_photos(tmp_path, "train")
    assert (found.split_found, [one.name for one in found.photos]) == ("all", ["images/a", "images/b"])
    assert read_labels(found.photos[0], found).tolist() == [[0, 1], [1, VOID]]
    with pytest.raises(UsageError, match="no split val, there is all"):
        read_photos(tmp_path, "val")


def test_parts_may_lie_either_way(tmp_path):
    own(tmp_path, ["a"], "train")
    (tmp_path / "valid").mkdir()
    own(tmp_path / "valid", ["b"])
    assert splits(tmp_path) == ("train", "val")
    assert read_photos(tmp_path, "val").photos[0].name == "valid/images/b"


def test_parts_by_lists(tmp_path):
    own(tmp_path, ["a", "b", "c"])
    (tmp_path / "train.txt").write_text("images/b.png\na\na\ngone\n")
    (tmp_path / "test.txt").write_text("c.png\n")
    assert splits(tmp_path) == ("train", "test")
    found = read_photos(tmp_path, "train")
    assert [one.path.stem for one in found.photos] == ["b", "a"]
    assert [str(problem) for problem in found.problems] == ["train.txt: gone is not there with labels"]


def test_what_has_no_partner_is_named(tmp_path):
    own(tmp_path, ["a", "b", "c", "d"])
    (tmp_path / "labels/b.png").unlink()
    (tmp_path / "images/c.png").unlink()
    (tmp_path / "labels/d.png").rename(tmp_path / "labels/d.jpg")
    (tmp_path / "images/notes.doc").touch()
    assert [str(problem) for problem in read_photos(tmp_path, "train").problems] == [
        "images/b.png: no labels/b.png",
        "labels/d.jpg: not a PNG: other formats blur or scale the numbers",
        "images/notes.doc: not a photo by its name",
        "labels/c.png: no photo c in images",
    ]


def test_many_of_a_kind_are_counted(tmp_path):
    own(tmp_path, [f"p{k:02d}" for k in range(20)])
    for path in sorted((tmp_path / "labels").iterdir())[1:]:
        path.unlink()
    lines = [str(problem) for problem in read_photos(tmp_path, "train").problems]
    assert len(lines) == 6
    assert lines[-1] == "images: no labels for 14 more"


def test_photos_without_any_label(tmp_path):
    own(tmp_path, ["a"])
    (tmp_path / "labels/a.png").unlink()
    assert recognise(tmp_path) is None
    with pytest.raises(UsageError, match="photos but no labels"):
        read_photos(tmp_path, "train")


def test_numbered_photos_are_frames(tmp_path):
    own(tmp_path, ["drive_0003", "drive_0004", "house"])
    assert [(one.video, one.frame) for one in read_photos(tmp_path, "train").photos] == [
        ("drive", 3),
        ("drive", 4),
        ("", -1),
    ]
