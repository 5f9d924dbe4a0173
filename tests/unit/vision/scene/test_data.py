"""A photo with its labels, photos held out, and the counts that are looked at before training."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from percept.core.errors import UsageError
from percept.vision.scene.data import (
    VOID,
    Photo,
    PhotoSet,
    class_table,
    counts,
    hold_out,
    read_labels,
    read_pair,
    read_photos,
    refuse,
)
from percept.vision.scene.photos import COLOURS, colours_for

TINY = Path(__file__).parents[3] / "data" / "scene_tiny"


@pytest.fixture()
def own(tmp_path: Path) -> Path:
    """The tiny set, to be spoilt."""
    return shutil.copytree(TINY, tmp_path / "own")


def relabel(path: Path, change) -> None:
    """Write a label picture again with other numbers, as grey."""
    values = np.asarray(Image.open(path))
    Image.fromarray(change(values.copy())).save(path)


def test_another_size_names_both(own):
    path = own / "labels/train/motorcycle.png"
    relabel(path, lambda values: values[:-1])
    found = read_photos(own, "train")
    photo = next(one for one in found.photos if one.labels == path)
    with pytest.raises(UsageError, match=f"^{path}: 96 x 53 pixels, where its photo motorcycle.jpg has 96 x 54$"):
        read_pair(photo, found)


def test_labels_of_a_turned_photo_say_so(own):
    path = own / "labels/train/motorcycle.png"
    relabel(path, lambda values: values.T)
    found = counts(read_photos(own, "train"))
    assert str(found.problems[0]).endswith(
        "54 x 96 pixels, where its photo motorcycle.jpg has 96 x 54; is the photo turned upright by its EXIF data?"
    )


def test_an_unknown_value_is_named_with_its_place(own):
    def change(values):
        values[5, 7], values[9, 1:4] = 99, 100
        return values

    path = own / "labels/train/motorcycle.png"
    relabel(path, change)
    found = read_photos(own, "train")
    photo = next(one for one in found.photos if one.labels == path)
    message = (
        r"value 99 at \(7, 5\) is not in the class list; so are 3 more pixels of this file \(it has 0 to 3, 255; void"
    )
    with pytest.raises(UsageError, match=f"^{path}: {message}"):
        read_labels(photo, found)
    counted = counts(found)
    assert [(one.value, one.pixels, one.files, one.x, one.y) for one in counted.unknown] == [
        ("value 100", 3, 1, 1, 9),
        ("value 99", 1, 1, 7, 5),
    ]
    with pytest.raises(
        UsageError, match=r"motorcycle.png: value 100 at \(1, 9\) .*: 3 pixels in 1 of 5 files, and 1 other"
    ):
        refuse(counted, found)
    assert (
        "NOT IN THE LIST: value 100, first at (1, 9) of labels/train/motorcycle.png"
        in class_table(counted, found).rows[5]
    )


def test_unknown_colours_are_told_as_colours(own):
    def change(values):
        rgb = np.full((*values.shape, 3), 128, np.uint8)
        rgb[0, 2] = 1, 2, 3
        return rgb

    relabel(own / "labels/train/motorcycle.png", change)
    found = read_photos(own, "train")
    assert str(counts(found).unknown[0]) == (
        "labels/train/motorcycle.png: colour 1 2 3 at (2, 0) is not in the class list"
    )


def test_counts_are_those_of_the_files(own):
    found = read_photos(own, "train")
    pairs = [read_pair(photo, found) for photo in found.photos]
    expected = np.bincount(np.concatenate([labels.ravel() for _, labels in pairs]), minlength=256)
    counted = counts(found)
    assert counted.pixels == tuple(expected[:4])
    assert (counted.void, counted.read, counted.total) == (expected[VOID], 5, expected.sum())
    assert counted.photos[0] == sum((labels == 0).any() for _, labels in pairs) == 3
    assert counted.sizes == ((96, 54), (96, 72))
    refuse(counted, found)  # nothing is wrong with it


def test_the_table_of_classes(own):
    found = read_photos(own, "train")
    made = class_table(counts(found), found)
    assert made.columns == ("class", "pixels", "share", "photos")
    assert made.title.startswith("folder  train: 5 photos, 3")
    assert [row[0] for row in made.rows] == ["sky", "ground", "upright", "thing", "void: 255 (void, colour 0 0 0)"]
    assert sum(float(row[2].removesuffix(" %")) for row in made.rows) == pytest.approx(100, abs=0.05)


def test_an_absent_class_shows_a_dash(own):
    (own / "classes.txt").write_text("sky\nground\nupright\nthing\nmoon\n")
    found = read_photos(own, "train")
    assert class_table(counts(found), found).rows[4] == ("moon", "0", "-", "-")


def test_files_that_cannot_be_read_are_named(own):
    (own / "labels/train/motorcycle.png").write_bytes(b"")
    found = read_photos(own, "train")
    counted = counts(found)
    assert [str(problem) for problem in counted.problems] == ["labels/train/motorcycle.png: an empty file"]
    assert counted.read == 4
    with pytest.raises(UsageError, match="motorcycle.png: an empty file .percept data check"):
        refuse(counted, found)


def masks(folder: Path, values: tuple[int, ...], classes: str) -> PhotoSet:
    for k in range(3):
        for kind in ("images", "labels"):
            (folder / kind).mkdir(exist_ok=True)
        Image.new("RGB", (len(values), 1)).save(folder / f"images/{k}.png")
        Image.fromarray(np.array([values], np.uint8)).save(folder / f"labels/{k}.png")
    (folder / "classes.txt").write_text(classes)
    return read_photos(folder, "train")


def test_masks_of_0_and_255_are_not_silently_ignored(tmp_path):
    found = masks(tmp_path, (0, 255), "background\nroad\n")
    with pytest.raises(UsageError, match='nothing would be road. If 255 is road, write "0 background" and "255 road"'):
        refuse(counts(found), found)
    found = masks(tmp_path, (0, 255), "0 background\n255 road\n")
    assert counts(found).pixels == (3, 3)
    refuse(counts(found), found)


def test_labels_without_any_void(tmp_path):
    found = masks(tmp_path, (0, 1), "background\nroad\n")
    counted = counts(found)
    assert counted.void == 0
    refuse(counted, found)
    assert class_table(counted, found).rows[2][0].startswith("void: 255 (by custom")


def test_nothing_but_void(tmp_path):
    found = masks(tmp_path, (255, 255), "background\nroad\n")
    with pytest.raises(UsageError, match="every pixel of train is void"):
        refuse(counts(found), found)


def test_one_pixel_and_odd_photos(tmp_path):
    found = masks(tmp_path, (1,), "background\nroad\n")
    assert [array.shape for array in read_pair(found.photos[0], found)] == [(1, 1, 3), (1, 1)]
    Image.new("RGBA", (1, 1), (255, 0, 0, 0)).save(tmp_path / "images/0.png")
    Image.fromarray(np.array([[40000]], np.uint16)).save(tmp_path / "images/1.png")
    assert read_pair(found.photos[0], found)[0].tolist() == [[[255, 255, 255]]]
    assert read_pair(found.photos[1], found)[0].tolist() == [[[156, 156, 156]]]


def made_up(photos: list[Photo]) -> PhotoSet:
    return PhotoSet("folder", ("a", "b"), ((0, 0, 0), (1, 1, 1)), tuple(photos))


def still(name: str, group: str = "") -> Photo:
    return Photo(name, Path(name), Path(name), group or name)


def frames(video: str, count: int) -> list[Photo]:
    return [replace(still(f"{video}_{k:03d}"), video=video, frame=k) for k in range(count)]


def test_held_photos_are_drawn_by_the_seed_alone():
    photos = [still(f"p{k:02d}") for k in range(40)]
    train, held = hold_out(made_up(photos), 0.25, seed=3)
    assert (len(train.photos), len(held.photos), held.split) == (30, 10, "val")
    assert not {p.name for p in train.photos} & {p.name for p in held.photos}
    again = hold_out(made_up(photos[::-1]), 0.25, seed=3)[1]
    assert {p.name for p in again.photos} == {p.name for p in held.photos}
    other = hold_out(made_up(photos), 0.25, seed=4)[1]
    assert {p.name for p in other.photos} != {p.name for p in held.photos}


def test_groups_are_not_parted():
    photos = [still(f"p{k:02d}", f"scene{k // 2}") for k in range(20)]
    for seed in range(10):
        train, held = hold_out(made_up(photos), 0.3, seed)
        assert not {p.group for p in train.photos} & {p.group for p in held.photos}
        assert len(held.photos) == 6


def test_of_videos_stretches_are_held():
    photos = frames("one", 60) + frames("two", 60)
    for seed in range(5):
        held = hold_out(made_up(photos), 0.2, seed)[1].photos
        alone = [p for p in held if not any(q.video == p.video and abs(q.frame - p.frame) == 1 for q in held)]
        assert len(held) == 24
        assert not alone


def test_about_the_share_is_held_of_one_video():
    assert len(hold_out(made_up(frames("one", 367)), 0.1, 0)[1].photos) == 36


def test_something_stays_for_training():
    train, held = hold_out(made_up([still("a"), still("b")]), 0.9, 0)
    assert (len(train.photos), len(held.photos)) == (1, 1)
    with pytest.raises(UsageError, match="1 photo: too few"):
        hold_out(made_up([still("a")]), 0.5, 0)
    with pytest.raises(UsageError, match="3 photos of one scene: too few"):
        hold_out(made_up([still(name, "same") for name in "abc"]), 0.5, 0)
    with pytest.raises(UsageError, match="between 0 and 1, not 1"):
        hold_out(made_up([still("a"), still("b")]), 1.0, 0)


def test_colours_are_all_different_and_stay():
    names = [*COLOURS, *(f"class{k}" for k in range(254 - len(COLOURS)))]
    made = colours_for(names)
    assert len(set(made)) == 254
    assert made == colours_for(names)
