"""Training batches depend on the seed and the place alone: not on workers, processes, or where a run was resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from percept.core.errors import UsageError
from percept.core.sampling import EpochSampler, loader
from percept.vision.detect.augment import Augment
from percept.vision.detect.data import (
    Photo,
    PhotoSet,
    TrainingPhotos,
    collate,
    combine,
    hold_out,
    read_photos,
    training_sizes,
)

CELLS = Path(__file__).parents[3] / "data" / "voc_cells"


@pytest.fixture(scope="module")
def cells() -> PhotoSet:
    return read_photos(CELLS, "train")


def named(count: int, names: tuple[str, ...] = ("dog", "cat")) -> PhotoSet:
    box = np.array([[1, 2, 3, 4]], np.float32)
    labels = np.arange(count) % len(names)
    photos = [
        Photo(Path(f"{n}.jpg"), 40, 30, box, np.array([labels[n]]), np.array([False]), np.array([4.0], np.float32))
        for n in range(count)
    ]
    return PhotoSet(names, tuple(photos), "coco", ())


def batches(sampler: EpochSampler, epoch: int = 0, start: int = 0) -> list:
    sampler.set_epoch(epoch, start)
    return list(sampler)


def test_one_picture_keeps_its_promises(cells):
    image, target = TrainingPhotos(cells, 128, seed=3)[0, 1]
    assert image.shape == (3, 128, 128) and image.dtype == torch.uint8 and image.is_contiguous()
    assert target.boxes.shape == (len(target.labels), 4) and len(target.ignore) == len(target.labels) > 0
    assert (target.boxes.dtype, target.labels.dtype, target.ignore.dtype) == (torch.float32, torch.int64, torch.bool)
    assert target.boxes.min() >= 0 and target.boxes.max() <= 128
    assert TrainingPhotos(cells, 128, seed=3)[0, 1, 96][0].shape == (3, 96, 96)


def test_pictures_differ_between_epochs_photos_and_seeds_and_repeat_exactly(cells):
    photos = TrainingPhotos(cells, 64, seed=3)
    pictures = [photos[epoch, index][0] for epoch in range(4) for index in range(3)]
    pictures.append(TrainingPhotos(cells, 64, seed=4)[0, 0][0])
    assert len({picture.numpy().tobytes() for picture in pictures}) == len(pictures)
    assert torch.equal(TrainingPhotos(cells, 64, seed=3)[3, 2][0], pictures[11])


def test_the_global_random_states_are_neither_used_nor_moved(cells):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = TrainingPhotos(cells, 64, seed=3)[0, 0][0]
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    np.random.seed(5)  # noqa: NPY002
    assert torch.equal(TrainingPhotos(cells, 64, seed=3)[0, 0][0], first)


def test_two_workers_give_what_none_gives_also_in_later_epochs(cells):
    given = []
    for workers in (0, 2):
        sampler = EpochSampler(3, 2, seed=5, sizes=(64, 96), drop_last=False)
        stream = loader(TrainingPhotos(cells, 64, seed=5), sampler, collate, workers)
        pictures = []
        for epoch in range(2):
            sampler.set_epoch(epoch)
            pictures += [(images, targets) for images, targets in stream]
        given.append(pictures)
    assert len(given[0]) == 4
    for (images, targets), (other_images, other_targets) in zip(*given, strict=True):
        assert torch.equal(images, other_images)
        for target, other in zip(targets, other_targets, strict=True):
            assert torch.equal(target.boxes, other.boxes) and torch.equal(target.labels, other.labels)
    assert not torch.equal(given[0][0][0], given[0][2][0])


def test_the_cache_changes_nothing_and_keeps_its_bound(cells):
    kept, none = TrainingPhotos(cells, 64, seed=0), TrainingPhotos(cells, 64, seed=0, cache_mb=0)
    for _ in range(2):
        assert torch.equal(kept[0, 1][0], none[0, 1][0])
    one = 160 * 120 * 3
    small = TrainingPhotos(cells, 64, seed=0, cache_mb=2.5 * one / 2**20)
    for index in range(3):
        small.sample(index)
    assert (len(small.cached), small.cached_bytes, none.cached_bytes) == (2, 2 * one, 0)


def test_large_photos_are_shrunk_with_their_boxes(cells):
    photos = TrainingPhotos(cells, 64, seed=0, longest=80)
    sample = photos.sample(0)
    assert sample.image.shape == (60, 80, 3)
    np.testing.assert_allclose(sample.boxes, cells.photos[0].boxes / 2)


def test_mosaics_stop_in_the_last_epochs(cells):
    how = replace(Augment.none(), mosaic=1.0)
    photos = TrainingPhotos(cells, 64, seed=0, how=how, epochs=5, mosaic_off_epochs=2)
    alone = TrainingPhotos(cells, 64, seed=0, how=Augment.none())
    same = [torch.equal(photos[epoch, 0][0], alone[epoch, 0][0]) for epoch in range(5)]
    assert same == [False, False, False, True, True]


def test_a_photo_that_is_gone_is_named(cells, tmp_path):
    missing = replace(cells.photos[0], path=tmp_path / "gone.jpg")
    with pytest.raises(UsageError, match="gone.jpg"):
        TrainingPhotos(replace(cells, photos=(missing,)), 64, seed=0)[0, 0]
    changed = replace(cells.photos[0], width=159)
    with pytest.raises(UsageError, match="changed since the labels were read"):
        TrainingPhotos(replace(cells, photos=(changed,)), 64, seed=0)[0, 0]


def test_an_epoch_is_every_photo_once_in_another_order():
    sampler = EpochSampler(50, 8, seed=1, sizes=(416,), drop_last=False)
    first, second = ([pick.index for batch in batches(sampler, epoch) for pick in batch] for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(50)) and first != second and first != sorted(first)
    assert {pick.epoch for batch in batches(sampler, 7) for pick in batch} == {7}
    assert [len(batch) for batch in batches(sampler)] == [8] * 6 + [2]
    assert [len(batch) for batch in batches(EpochSampler(50, 8, seed=1, sizes=(416,)))] == [8] * 6
    assert [len(batch) for batch in batches(EpochSampler(5, 8, seed=1, sizes=(416,)))] == [5]


@pytest.mark.parametrize("count, batch, world", [(50, 8, 2), (50, 8, 4), (23, 6, 3), (5, 8, 2)])
def test_the_processes_batches_together_are_those_of_one(count, batch, world):
    for drop_last in (True, False):
        if not drop_last and count % batch < world:
            continue
        one = batches(EpochSampler(count, batch, 3, (320, 416), drop_last=drop_last), epoch=2)
        parts = [batches(EpochSampler(count, batch, 3, (320, 416), r, world, drop_last), epoch=2) for r in range(world)]
        assert [sum(together, []) for together in zip(*parts, strict=True)] == one
        assert all(parts[rank][number] for rank in range(world) for number in range(len(one)))


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(UsageError, match="cannot be shared by 2 processes"):
        EpochSampler(9, 8, 0, (416,), world=2, drop_last=False)


def test_resuming_goes_on_where_the_epoch_stopped():
    sampler = EpochSampler(40, 4, seed=9, sizes=(320, 352, 384, 416))
    whole = batches(sampler, epoch=3)
    assert batches(sampler, epoch=3, start=6) == whole[6:]
    assert len(sampler) == 4


def test_sizes_are_drawn_for_each_batch_from_those_given():
    sizes = training_sizes(416, 0.25)
    assert sizes == (320, 352, 384, 416, 448, 480, 512) or all(size % 32 == 0 for size in sizes)
    assert min(sizes) >= 312 and max(sizes) <= 520 and 416 in sizes
    assert training_sizes(416, 0.0) == (416,)
    drawn = [{pick.size for pick in batch} for batch in batches(EpochSampler(400, 4, 0, sizes))]
    assert all(len(one) == 1 for one in drawn)
    assert set().union(*drawn) == set(sizes)


def test_batches_are_collated_without_padding_targets(cells):
    photos = TrainingPhotos(cells, 64, seed=0)
    images, targets = collate([photos[0, 0], photos[0, 1]])
    assert images.shape == (2, 3, 64, 64) and images.dtype == torch.uint8
    assert len(targets) == 2 and torch.equal(targets[1].boxes, photos[0, 1][1].boxes)


def test_held_out_photos_are_the_same_in_any_order():
    photo_set = named(20)
    train, held = hold_out(photo_set, 0.2, seed=1)
    assert (len(train.photos), len(held.photos), train.split, held.split) == (16, 4, "train", "val")
    assert {photo.path for photo in train.photos + held.photos} == {photo.path for photo in photo_set.photos}
    backwards = hold_out(replace(photo_set, photos=photo_set.photos[::-1]), 0.2, seed=1)[1]
    assert {photo.path for photo in backwards.photos} == {photo.path for photo in held.photos}
    assert {photo.path for photo in hold_out(photo_set, 0.2, seed=2)[1].photos} != {p.path for p in held.photos}
    assert [len(part.photos) for part in hold_out(named(2), 0.01, seed=0)] == [1, 1]
    for bad in (0.0, 1.0):
        with pytest.raises(UsageError, match="share"):
            hold_out(photo_set, bad, seed=0)
    with pytest.raises(UsageError, match="too few"):
        hold_out(named(1), 0.5, seed=0)


def test_sets_are_combined_by_class_name():
    both = combine([named(2, ("dog", "cat")), named(2, ("cat", "dog"))])
    assert both.names == ("dog", "cat")
    assert [int(photo.labels[0]) for photo in both.photos] == [0, 1, 1, 0]
    with pytest.raises(UsageError, match="only one has dog; the other bird, fish"):
        combine([named(3, ("dog", "cat")), named(3, ("cat", "bird", "fish"))])
