from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percept.vision.draw import _common, _label, _places, draw_boxes, overlay_heat, palette, text_colour


def contrast(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    """WCAG 2.1's contrast ratio, 1 to 21."""

    def luminance(colour: tuple[int, int, int]) -> float:
        values = np.array(colour) / 255
        linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    high, low = sorted([luminance(first), luminance(second)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def grey_photo(height: int = 200, width: int = 300) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def test_a_class_keeps_its_colour_however_many_there_are() -> None:
    assert palette(80)[:3] == palette(3)
    assert palette(0) == []


def test_colours_differ_from_each_other_and_neighbours_very_much() -> None:
    colours = np.array(palette(80), float)
    assert len(set(palette(80))) == 80
    assert all(0 <= value <= 255 for colour in palette(80) for value in colour)
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    assert np.linalg.norm(np.diff(colours[:20], axis=0), axis=1).min() > 100
    few = apart[:12, :12] + 1e3 * np.eye(12)
    assert few.min() > 45


def test_text_is_readable_on_every_class_colour() -> None:
    assert min(contrast(colour, text_colour(colour)) for colour in palette(300)) >= 4.5
    assert text_colour((255, 255, 255)) == (0, 0, 0)
    assert text_colour((0, 0, 0)) == (255, 255, 255)


def test_a_box_is_drawn_on_its_edges_and_nowhere_inside() -> None:
    photo = grey_photo()
    seen = draw_boxes(photo, np.array([[50.0, 60.0, 250.0, 160.0]]), [""], [(255, 0, 0)])
    red = (seen == (255, 0, 0)).all(2)
    rows, columns = np.nonzero(red)
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (50, 60, 249, 159)
    assert (seen[70:150, 60:240] == 128).all()
    assert (photo == 128).all(), "the photo itself is not touched"
    assert (seen[:55] == 128).all()


def test_lines_and_labels_grow_with_the_photo() -> None:
    def drawn(scale: int) -> tuple[int, int]:
        seen = draw_boxes(
            grey_photo(200 * scale, 300 * scale), np.array([[50, 60, 250, 160]]) * scale, ["cat"], [(255, 0, 0)]
        )
        line = int((seen[110 * scale, : 100 * scale] == (255, 0, 0)).all(1).sum())
        label = _label("cat", np.array([50, 60, 250, 160]) * scale, (200 * 300) ** 0.5 * scale, 300 * scale)[2]
        return line, label[1]

    (thin, low), (thick, high) = drawn(1), drawn(10)
    assert thin == 2 and thick > 8
    assert low >= 10 and high > 5 * low


def test_the_first_box_is_on_top() -> None:
    boxes = np.array([[50, 50, 150, 150], [50, 50, 150, 150]])
    seen = draw_boxes(grey_photo(), boxes, ["", ""], [(255, 0, 0), (0, 255, 0)])
    assert tuple(seen[100, 50]) == (255, 0, 0)


def test_a_label_stands_above_its_box_or_inside_the_picture() -> None:
    colour = (0, 0, 255)
    for box, rows in [((50, 80, 150, 160), slice(60, 80)), ((0, 0, 300, 200), slice(0, 20))]:
        seen = draw_boxes(grey_photo(), np.array([box]), ["dog 0.91"], [colour])
        strip = seen[rows, box[0] + 5 : box[0] + 45]
        assert (strip == colour).all(2).mean() > 0.3
        assert (strip[..., :2].min(2) > 140).sum() > 20, "white letters"


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
@settings(max_examples=40, derandomize=True)
def test_labels_stay_in_the_picture(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    corners = random.uniform(-50, 350, (2, count, 2))
    boxes = np.concatenate([corners.min(0), corners.max(0)], 1).clip(0, [300, 200, 300, 200])
    sizes = random.integers(5, 60, (count, 2))
    for place, (wide, high) in zip(_places(boxes, sizes, 300, 200), sizes, strict=True):
        if place is not None:
            assert 0 <= place[0] <= 300 - wide and 0 <= place[1] <= 200 - high


def test_labels_keep_off_each_other_and_off_small_objects_where_there_is_room() -> None:
    boxes = np.array([[100.0, 100, 200, 180], [105, 88, 115, 98], [104, 100, 204, 180]])
    sizes = np.array([[40, 12]] * 3)
    alone = _places(boxes[:1], sizes[:1], 300, 200)
    assert alone == [(100, 88)], "above, at the left, unless something is there"
    places = _places(boxes, sizes, 300, 200)
    assert None not in places
    labels = np.concatenate([np.array(places), np.array(places) + sizes], 1).astype(float)
    assert (_common(labels, labels) - np.diag(sizes.prod(1))).max() == 0
    assert _common(labels, boxes[1:2]).max() == 0


def test_a_label_that_would_be_hidden_is_left_out() -> None:
    boxes = np.array([[10.0, 10, 30, 30]] * 40)
    places = _places(boxes, np.array([[30, 15]] * 40), 60, 60)
    assert places[0] is not None
    assert 20 < places.count(None) < 40


def test_a_long_text_is_shortened_to_the_picture() -> None:
    text, font, size = _label("a very long name of a class " * 4, np.array([0, 0, 90, 90]), 100.0, 100)
    assert text.endswith("…") and size[0] <= 100 and font.getlength(text) < 100
    assert _label("two\nlines\t", np.array([0, 0, 90, 90]), 400.0, 400)[0] == "two lines"


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (40, 40)])
def test_odd_photos_and_boxes_are_no_crash(size: tuple[int, int]) -> None:
    boxes = np.array([[-50, -50, 9000, 9000], [5, 5, 5, 5], [9, 9, 3, 3], [np.nan, 0, np.inf, 1], [0.2, 0.2, 0.4, 0.4]])
    seen = draw_boxes(grey_photo(*size), boxes, ["a 0.5", "", "عربي", "道路", "ß"], palette(5))
    assert seen.shape == (*size, 3) and seen.dtype == np.uint8


def test_no_boxes_no_change_and_lengths_must_agree() -> None:
    photo = grey_photo()
    assert np.array_equal(draw_boxes(photo, np.zeros((0, 4)), [], []), photo)
    with pytest.raises(ValueError, match="2 boxes, 1 texts, 2 colours"):
        draw_boxes(photo, np.zeros((2, 4)), ["a"], palette(2))


def test_heat_covers_where_it_is_warm_and_nothing_where_it_is_cold() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    heat = np.zeros((6, 8), np.float32)
    heat[:, 6:] = 1
    heat[0, 0] = np.nan
    seen = overlay_heat(photo, heat)
    assert seen.shape == photo.shape and seen.dtype == np.uint8
    assert np.array_equal(seen[:, :80], photo[:, :80])
    assert seen[:, 150:].astype(float).mean((0, 1)) == pytest.approx(
        0.25 * photo[:, 150:].mean((0, 1)) + 0.75 * np.array([252, 255, 164]), abs=1
    )


def test_more_heat_is_lighter() -> None:
    black = np.zeros((4, 256, 3), np.uint8)
    seen = overlay_heat(black, np.linspace(0, 1, 256)[None].repeat(4, 0)).astype(int).sum(2)[0]
    assert (np.diff(seen) >= -1).all() and seen[-1] > seen[0] + 400
