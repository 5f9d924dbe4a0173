"""Boxes follow the pixels through every augmentation, and what a crop leaves too little of is ignored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from percept.vision.detect.augment import GREY, Augment, Sample, augmented, cut, mosaic, placed, recoloured

COLOURLESS = replace(Augment(), brightness=0.0, contrast=0.0, saturation=0.0, hue=0.0)


def painted(width: int, height: int, box: tuple[int, int, int, int], label: int = 0) -> Sample:
    """A black photo with one pure green rectangle, exactly its box."""
    image = np.zeros((height, width, 3), np.uint8)
    x0, y0, x1, y1 = box
    image[y0:y1, x0:x1, 1] = 255
    return Sample(image, np.array([box], np.float32), np.array([label]), np.array([False]))


def found(image: np.ndarray, edge: int = 128) -> list[float]:
    """The box around the green pixels (the grey outside a photo is no green)."""
    picture = image.astype(int)
    green = picture[:, :, 1] - picture[:, :, 0] >= edge
    rows, columns = np.flatnonzero(green.any(axis=1)), np.flatnonzero(green.any(axis=0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


@pytest.mark.parametrize(
    "photo", [(300, 200, (60, 40, 200, 150)), (90, 120, (0, 10, 60, 120)), (900, 700, (80, 90, 700, 500))]
)
def test_boxes_follow_the_pixels(photo):
    source, how, whole = painted(*photo), replace(COLOURLESS, mosaic=0.0), 0
    for seed in range(40):
        sample = augmented(lambda _: source, 0, 1, 256, how, np.random.default_rng(seed))
        assert sample.image.shape == (256, 256, 3) and sample.image.dtype == np.uint8
        if len(sample.boxes) and not sample.ignore[0]:
            whole += 1
            np.testing.assert_allclose(sample.boxes[0], found(sample.image), atol=1.01)
    assert whole > 20


def test_boxes_follow_the_pixels_in_each_quarter_of_a_mosaic():
    boxes = [(10, 10, 90, 70), (20, 5, 100, 60), (30, 30, 110, 90), (5, 20, 115, 85)]
    samples = [painted(120, 100, box, label) for label, box in enumerate(boxes)]
    seen = set()
    for seed in range(20):
        one = mosaic(samples, 224, COLOURLESS, np.random.default_rng(seed))
        assert len(one.boxes) == len(one.labels) == len(one.ignore)
        for box, label, ignore in zip(one.boxes, one.labels, one.ignore, strict=True):
            if not ignore:
                x0, y0, x1, y1 = box.astype(int)
                inside = one.image[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2]
                assert (inside[:, :, 1] > 200).all() and (inside[:, :, 0] < 50).all()
                seen.add(int(label))
    assert seen == {0, 1, 2, 3}


def test_without_augmentation_the_photo_lies_upper_left_as_at_prediction():
    photo = painted(200, 100, (0, 0, 100, 100))
    sample = placed(photo, 96, 96, 96, (1.0, 1.0), Augment.none(), np.random.default_rng(0))
    assert sample.boxes.tolist() == [[0, 0, 48, 48]]
    assert (sample.image[48:] == GREY).all()
    assert (sample.image[:48, :47, 1] == 255).all()


def test_flip_mirrors_boxes_and_pixels():
    always = replace(Augment.none(), flip=1.0)
    sample = placed(painted(100, 100, (10, 20, 40, 90)), 100, 100, 100, (1.0, 1.0), always, np.random.default_rng(0))
    assert sample.boxes.tolist() == [[60, 20, 90, 90]] == [found(sample.image)]


def test_what_a_crop_leaves_of_a_box():
    boxes = np.array(
        [[-90, 0, 10, 50], [-70, 0, 30, 50], [-50, 0, -1, 9], [10, 10, 13, 40], [10, 10, 14, 40], [95, 95, 300, 300]],
        np.float32,
    )
    sample = Sample(np.zeros((100, 100, 3), np.uint8), boxes, np.arange(6), np.array([False] * 4 + [True, False]))
    after = cut(sample, 100, 100, Augment(min_left=0.2, min_pixels=4))
    assert after.labels.tolist() == [0, 1, 3, 4, 5]  # 2 is wholly outside
    assert after.ignore.tolist() == [True, False, True, True, True]  # 10 % left; 30 %; 3 px wide; crowd; a corner
    assert after.boxes[0].tolist() == [0, 0, 10, 50]


def test_colours_change_as_named():
    image = np.random.default_rng(0).integers(60, 190, (32, 32, 3)).astype(np.uint8)
    rng = np.random.default_rng(1)
    assert recoloured(image, Augment.none(), rng) is image
    grey = image.mean(axis=2, keepdims=True).repeat(3, axis=2).astype(np.uint8)
    turned = recoloured(grey, replace(Augment.none(), hue=0.3, saturation=0.9), rng)
    assert np.abs(turned.astype(int) - grey).max() <= 1  # grey has neither hue nor saturation
    lighter = recoloured(image, replace(Augment.none(), brightness=0.3), np.random.default_rng(0)).astype(float)
    ratios = lighter.reshape(-1) / image.reshape(-1)
    assert ratios.std() < 0.01 and abs(ratios.mean() - 1) > 0.02
    contrasts = recoloured(image, replace(Augment.none(), contrast=0.4), np.random.default_rng(3)).astype(float)
    assert abs(contrasts.mean() - image.mean()) < 2 and abs(contrasts.std() / image.std() - 1) > 0.02


def test_photos_without_boxes_stay_photos():
    black, no_boxes = np.zeros((50, 60, 3), np.uint8), np.zeros((0, 4), np.float32)
    empty = Sample(black, no_boxes, np.zeros(0, np.int64), np.zeros(0, bool))
    for share in (0.0, 1.0):
        sample = augmented(lambda _: empty, 0, 1, 64, replace(Augment(), mosaic=share), np.random.default_rng(0))
        assert sample.boxes.shape == (0, 4) and sample.image.shape == (64, 64, 3)
