"""Training samples: photo and labels move together, labels are never mixed, and nothing but the pick decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from percept.core.sampling import Pick
from percept.vision.scene import data, samples
from percept.vision.scene.data import VOID
from percept.vision.scene.samples import AUGMENT, AUGMENT_FARABET, OUTSIDE, Augment, Crops, collate, crop, recoloured

TINY = Path(__file__).resolve().parents[3] / "data" / "scene_tiny"
STILL = Augment((1.0, 1.0), 0.0, False, 0.0)
MOVED = replace(AUGMENT["full"], colour=0.0)  # all but the colours, which the tests look for


def crops(seed: int = 0, cache: int = 10, augment: Augment = AUGMENT["full"]) -> Crops:
    return Crops(data.read_photos(TINY, "train"), 96, seed, augment, cache)


def marked(height: int = 90, width: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """A grey photo of class 0 with a red square of class 2, off its middle."""
    rgb, labels = np.full((height, width, 3), 128, np.uint8), np.zeros((height, width), np.uint8)
    rgb[30:60, 20:50] = (255, 0, 0)
    labels[30:60, 20:50] = 2
    return rgb, labels


def same(one: tuple[torch.Tensor, torch.Tensor], other: tuple[torch.Tensor, torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_seed_epoch_and_number_alone_decide() -> None:
    first, pick = crops(), Pick(3, 1, 64)
    wanted = first[pick]
    for number in (4, 0, 2):
        first[Pick(0, number, 48)]
    assert same(first[pick], wanted), "whatever was drawn in between"
    assert same(crops(cache=0)[pick], wanted)
    assert not same(crops(seed=1)[pick], wanted)
    assert not same(first[Pick(4, 1, 64)], wanted)
    assert not same(first[Pick(3, 2, 64)], wanted)


def test_samples_have_the_size_of_their_pick() -> None:
    images, labels = collate([crops()[Pick(0, number, 80)] for number in range(3)])
    assert images.shape == (3, 3, 80, 80) and labels.shape == (3, 80, 80)
    assert images.dtype == labels.dtype == torch.uint8
    assert len(crops()) == 5


@pytest.mark.parametrize("augment", [*AUGMENT.values(), *AUGMENT_FARABET.values()])
def test_labels_are_never_mixed(augment: Augment) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.repeat(rng.choice(np.uint8([3, 200]), (12, 12)), 5, 0), 5, 1)
    rgb = rng.integers(0, 256, (60, 60, 3), np.uint8)
    for seed in range(12):
        known = crop(rgb, labels, 64, 90, augment, np.random.default_rng(seed))[1]
        assert set(np.unique(known)) <= {3, 200, VOID}
        assert {3, 200} <= set(np.unique(known))


def test_what_lies_outside_the_photo_is_void() -> None:
    rgb, labels = np.full((50, 90, 3), 255, np.uint8), np.ones((50, 90), np.uint8)
    shares = []
    for seed in range(12):
        window, known = crop(rgb, labels, 96, 90, MOVED, np.random.default_rng(seed))
        outside, inside = (window == OUTSIDE).all(2), (window == 255).all(2)
        mixed = ~(outside | inside)  # the photo's border, a pixel or two wide
        assert mixed.mean() < 0.08
        assert (known[outside & ~mixed] == VOID).mean() > 0.99 and (known[inside] == 1).all()
        shares.append((known == VOID).mean())
    assert min(shares) > 0.05 and max(shares) < 0.9


def test_photo_and_labels_move_together() -> None:
    rgb, labels = marked()
    places = []
    for seed in range(20):
        window, known = crop(rgb, labels, 96, 120, MOVED, np.random.default_rng(seed))
        red = (window[..., 0] > 190) & (window[..., 1] < 64)
        told = known == 2
        if told.sum() < 200:
            continue  # cropped away, but for a corner
        assert (red & told).sum() / (red | told).sum() > 0.9
        rows, columns = np.nonzero(told)
        for axis, found in ((rows, np.nonzero(red)[0]), (columns, np.nonzero(red)[1])):
            assert abs(axis.mean() - found.mean()) < 0.7
        places.append((rows.mean(), columns.mean(), told.sum()))
    assert len(places) > 10 and (np.std(places, axis=0) > (5, 5, 100)).all(), "it was moved and scaled"


@pytest.mark.parametrize(("augment", "low", "high"), [(AUGMENT["light"], 70, 130), (STILL, 0, 0)])
def test_half_are_mirrored(augment: Augment, low: int, high: int) -> None:
    rgb, labels = np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8)
    rgb[:, :8], labels[:, :8] = 255, 1
    mirrored = 0
    for seed in range(200):
        window, known = crop(rgb, labels, 16, 16, augment, np.random.default_rng(seed))
        assert np.array_equal(known == 1, window[..., 0] == 255)
        assert known[:, :8].all() != known[:, 8:].all(), "one half or the other, not something between"
        mirrored += bool(known[0, 15])
    assert low <= mirrored <= high


def test_without_changes_a_crop_is_the_photo_in_the_middle() -> None:
    rng = np.random.default_rng(1)
    rgb, labels = rng.integers(0, 256, (40, 64, 3), np.uint8), rng.integers(0, 9, (40, 64), np.uint8)
    for seed in range(3):
        window, known = crop(rgb, labels, 80, 64, AUGMENT["none"], np.random.default_rng(seed))
        assert np.array_equal(window[20:60, 8:72], rgb) and np.array_equal(known[20:60, 8:72], labels)
        known[20:60, 8:72] = VOID
        assert (known == VOID).all()


def test_a_crop_smaller_than_its_photo_shows_nothing_but_the_photo() -> None:
    rgb, labels = np.full((60, 90, 3), 9, np.uint8), np.zeros((60, 90), np.uint8)
    labels[:, 45:] = 1
    shares = []
    for seed in range(20):
        window, known = crop(rgb, labels, 32, 90, AUGMENT["none"], np.random.default_rng(seed))
        assert (window == 9).all() and (known != VOID).all()
        shares.append(known.mean())
    assert min(shares) < 0.2 and max(shares) > 0.8, "from all of the photo"


@pytest.mark.parametrize(
    ("size", "scales", "side"), [(240, (1.0, 1.0), 60), (60, (1.0, 1.0), 15), (120, (1.5, 1.5), 45)]
)
def test_size_is_that_of_the_longest_side_and_scales_multiply_it(
    size: int, scales: tuple[float, float], side: int
) -> None:
    window, known = crop(*marked(), 2 * size, size, replace(STILL, scales=scales), np.random.default_rng(0))
    assert (known == 2).sum() == pytest.approx(side**2, rel=0.1)
    assert ((window[..., 0] > 190) & (window[..., 1] < 64)).sum() == pytest.approx(side**2, rel=0.1)


def test_scales_and_turns_reach_from_end_to_end_and_not_beyond() -> None:
    rgb, labels = np.zeros((100, 100, 3), np.uint8), np.zeros((100, 100), np.uint8)
    labels[50:] = 1
    turns, heights = [], []
    for seed in range(150):
        known = crop(rgb, labels, 240, 100, Augment((0.6, 1.7), 8.0, False, 0.0), np.random.default_rng(seed))[1]
        heights.append(np.sqrt((known != VOID).sum()) / 100)
        first = [(column, np.flatnonzero(known[:, column] == 1)[0]) for column in range(100, 140)]  # of the horizon
        turns.append(np.rad2deg(np.arctan(np.polyfit(*np.transpose(first), 1)[0])))
    assert 0.58 < min(heights) < 0.65 and 1.6 < max(heights) < 1.72
    assert np.median(heights) == pytest.approx(np.sqrt(0.6 * 1.7), abs=0.12), "as often smaller as larger"
    assert -8.5 < min(turns) < -6.5 and 6.5 < max(turns) < 8.5


def test_a_much_smaller_photo_does_not_flicker() -> None:
    """Stripes a pixel wide become grey, whichever of them the crop's pixels meet."""
    rgb = np.zeros((200, 200, 3), np.uint8)
    rgb[:, ::2] = 255
    window = crop(rgb, np.zeros((200, 200), np.uint8), 60, 70, STILL, np.random.default_rng(0))[0]
    assert window.min() > 90 and window.max() < 165


def test_photos_kept_in_memory_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = data.read_pair

    def counted(photo: data.Photo, photos: data.PhotoSet) -> tuple[np.ndarray, np.ndarray]:
        read.append(photo.name)
        return real(photo, photos)

    monkeypatch.setattr(samples, "read_pair", counted)
    several = crops(cache=0)
    several.pair.room = 60_000  # bytes: two of the tiny photos
    for number in (0, 1, 0, 2, 0, 1):
        several[Pick(0, number, 32)]
        assert (
            several.pair.held
            == sum(array.nbytes for pair in several.pair.kept.values() for array in pair)
            <= several.pair.room
        )
    names = [photo.name for photo in several.photos.photos]
    assert read == [names[0], names[1], names[2], names[1]], "the one not asked for for longest goes"
    read.clear()
    all_of_them, none = crops(cache=10), crops(cache=0)
    for _ in range(2):
        for number in range(5):
            all_of_them[Pick(0, number, 32)]
    assert len(read) == 5 == len(all_of_them.pair.kept)
    for number in range(5):
        none[Pick(0, number, 32)]
        assert len(none.pair.kept) == 1


def test_crops_do_not_change_the_photo_that_is_kept() -> None:
    several = crops()
    before = [array.copy() for array in several.pair(2)]
    for epoch in range(3):
        several[Pick(epoch, 2, 64)]
    assert all(np.array_equal(a, b) for a, b in zip(before, several.pair(2), strict=True))


def test_colours_change_by_as_much_as_is_said() -> None:
    rgb = np.random.default_rng(3).integers(60, 120, (40, 40, 3), np.uint8)
    assert np.abs(recoloured(rgb, 0.0, np.random.default_rng(0)).astype(int) - rgb).max() <= 1
    means = [recoloured(rgb, 0.3, np.random.default_rng(seed)).mean() / rgb.mean() for seed in range(100)]
    assert 0.6 < min(means) < 0.8 and 1.2 < max(means) < 1.4
    bright = recoloured(np.full((2, 2, 3), 250, np.uint8), 0.3, np.random.default_rng(1))
    assert bright.dtype == np.uint8 and bright.min() > 150, "cut off at 255, not wrapped"


def test_full_changes_colours_of_the_photo_and_not_of_labels() -> None:
    rgb, labels = marked()
    plain = crop(rgb, labels, 96, 120, MOVED, np.random.default_rng(5))
    coloured = crop(rgb, labels, 96, 120, AUGMENT["full"], np.random.default_rng(5))
    assert np.array_equal(plain[1], coloured[1])
    assert np.abs(plain[0].astype(int) - coloured[0]).max() > 5
