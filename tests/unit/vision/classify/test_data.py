"""A folder for each class: recognised, checked, and training pictures that depend on the seed alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from percept.core.errors import UsageError
from percept.vision.classify.data import (
    TrainingPhotos,
    ValidationPhotos,
    collate,
    hold_out,
    read_photos,
    recognise,
    splits,
    stream,
)

TINY = Path(__file__).parents[3] / "data" / "classify_tiny"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "tiny"))


def test_the_layout_is_recognised_by_its_content(tmp_path: Path) -> None:
    assert recognise(TINY) == "imagefolder" and recognise(TINY / "train") == "imagefolder"
    assert recognise(TINY / "train" / "animal") is None  # photos, but no classes
    assert recognise(tmp_path) is None and recognise(tmp_path / "nothing") is None
    assert splits(TINY) == ("train", "val") and splits(TINY / "val") == ("all",)


def test_photos_and_classes_of_a_split() -> None:
    train, val = read_photos(TINY, "train"), read_photos(TINY, "val")
    assert train.names == val.names == ("animal", "thing")
    assert [(photo.path.name, photo.label) for photo in train.photos] == [
        ("cat_grooming.jpg", 0),
        ("dog_rug.jpg", 0),
        ("motorcycle.jpg", 1),
        ("pizza_table.jpg", 1),
    ]
    assert train.counts() == (2, 2) and val.counts() == (1, 1)
    assert train.problems == () and train.split_found == "train"


def test_a_folder_without_splits_serves_every_split() -> None:
    found = read_photos(TINY / "train", "val")
    assert found.split_found == "all" and len(found.photos) == 4


def test_what_is_wrong_is_told_file_by_file(copy: Path) -> None:
    (copy / "train" / "animal" / "notes.txt").write_text("not a photo")
    (copy / "train" / "thing" / "empty.jpg").touch()
    (copy / "train" / "plant").mkdir()
    (copy / "train" / "animal" / ".DS_Store").write_text("hidden")
    assert [str(problem) for problem in read_photos(copy, "train").problems] == [
        "train/animal/notes.txt: not a photo by its name",
        "train/plant: a class without photos",
        "train/thing/empty.jpg: an empty file",
    ]
    val = read_photos(copy, "val")
    assert val.names == ("animal", "plant", "thing") and val.counts() == (1, 0, 1)
    assert [str(problem) for problem in val.problems] == ["val/plant: no such folder"]


def test_a_class_that_training_does_not_know_is_refused(copy: Path) -> None:
    (copy / "val" / "animal").rename(copy / "val" / "animals")
    with pytest.raises(UsageError, match='class "animals" of val is not among those of train; did you mean animal?'):
        read_photos(copy, "val")


def test_wrong_folders_and_splits_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no split test, there is train, val"):
        read_photos(TINY, "test")
    with pytest.raises(UsageError, match="no such folder"):
        read_photos(tmp_path / "nothing", "train")
    (tmp_path / "a.jpg").touch()
    with pytest.raises(UsageError, match=r"train/CLASS/\*.jpg .* there is a.jpg"):
        read_photos(tmp_path, "train")


def test_training_pictures_depend_on_seed_epoch_and_photo_alone() -> None:
    photos = TrainingPhotos(read_photos(TINY, "train"), 48, seed=3)
    image, label = photos[0, 1]
    assert image.shape == (3, 48, 48) and image.dtype == torch.uint8 and label == 0
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert torch.equal(photos[0, 1][0], image)
    assert torch.equal(torch.get_rng_state(), before)  # the loop's own stream is left alone
    assert not torch.equal(photos[1, 1][0], image)
    assert not torch.equal(TrainingPhotos(photos.photo_set, 48, seed=4)[0, 1][0], image)


def test_workers_change_nothing() -> None:
    photos = TrainingPhotos(read_photos(TINY, "train"), 32, seed=3)
    picks = [[(0, 0), (0, 2)], [(1, 0), (1, 3)]]
    alone = list(DataLoader(photos, batch_sampler=picks, collate_fn=collate))
    shared = list(DataLoader(photos, batch_sampler=picks, collate_fn=collate, num_workers=2))
    for (images, labels), (others, their_labels) in zip(alone, shared, strict=True):
        assert torch.equal(images, others) and torch.equal(labels, their_labels)
    assert alone[0][1].tolist() == [0, 1]


def test_validation_pictures_are_the_middle() -> None:
    photos = ValidationPhotos(read_photos(TINY, "val"), 64)
    image, label = photos[1]
    assert image.shape == (3, 64, 64) and label == 1 and len(photos) == 2
    assert torch.equal(photos[1][0], image)


def test_a_photo_that_cannot_be_read_is_named(copy: Path) -> None:
    broken = copy / "train" / "animal" / "cat_grooming.jpg"
    broken.write_bytes(broken.read_bytes()[:2000])
    with pytest.raises(UsageError, match=r"cat_grooming.jpg: cut off"):
        TrainingPhotos(read_photos(copy, "train"), 32, seed=0)[0, 0]


def test_hold_out_takes_from_each_class_whatever_the_order() -> None:
    whole = read_photos(TINY / "train", "train")
    train, held = hold_out(whole, 0.4, seed=1)
    assert train.counts() == held.counts() == (1, 1)
    assert {photo.path for photo in (*train.photos, *held.photos)} == {photo.path for photo in whole.photos}
    with pytest.raises(UsageError, match="between 0 and 1"):
        hold_out(whole, 1.0, seed=1)
    with pytest.raises(UsageError, match="no class has two photos"):
        hold_out(held, 0.4, seed=1)


def test_streams_are_positive_and_apart() -> None:
    seeds = {stream(seed, epoch, index) for seed in range(3) for epoch in range(3) for index in range(50)}
    assert len(seeds) == 450 and all(0 <= seed < 2**63 for seed in seeds)
