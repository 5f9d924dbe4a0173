"""What is drawn: colours over the photo, a legend that stays inside, label pictures, the confusion, the montage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from percept.core.errors import PerceptError
from percept.vision.draw import palette
from percept.vision.scene import legend, picture

NAMES = ("sky", "tree", "road")
COLOURS = ((30, 120, 240), (40, 160, 40), (220, 60, 200))


def photo(height: int = 90, width: int = 240) -> np.ndarray:
    """Grey that grows from left to right."""
    return np.repeat(np.tile(np.linspace(40, 220, width).astype(np.uint8), (height, 1))[:, :, None], 3, axis=2)


def thirds(height: int = 90, width: int = 240) -> np.ndarray:
    """Three bands of one class each, from top to bottom."""
    return np.repeat(np.arange(3, dtype=np.uint8), height // 3)[:, None].repeat(width, 1)


def hue_of(rgb: np.ndarray) -> int:
    """Which of COLOURS a pixel is nearest to, but for its lightness."""
    unit = rgb / np.linalg.norm(rgb)
    return int(np.argmax([unit @ (np.array(colour) / np.linalg.norm(colour)) for colour in COLOURS]))


# Overlay


def test_each_class_has_its_colour_and_the_photos_light_and_shade_stay() -> None:
    drawn = picture.overlay(photo(), thirds(), NAMES, COLOURS)
    for index, row in enumerate((15, 45, 75)):
        line = drawn[row, 5:235].astype(int)
        assert {hue_of(pixel) for pixel in line[::20]} == {index}
        assert line[-1].sum() > line[0].sum() + 60, "brighter where the photo is"
        assert (np.diff(line.sum(1)) >= -4).all()


def test_lines_part_the_classes_and_nothing_else() -> None:
    drawn = picture.overlay(np.full((90, 240, 3), 120, np.uint8), thirds(), NAMES, COLOURS)[:90].astype(int)
    light = drawn.min(2).mean(1)  # of each row
    assert np.flatnonzero(light > 180).tolist() == [30, 60]
    plain = np.abs(np.diff(drawn, axis=0)).sum((1, 2)) > 0
    assert set(np.flatnonzero(plain)) <= {28, 29, 30, 31, 58, 59, 60, 61}, "a dark line on both sides, no more"


def test_no_strength_leaves_the_photos_colours_but_for_the_lines() -> None:
    drawn = picture.overlay(photo(), thirds(), NAMES, COLOURS, strength=0)
    assert np.abs(drawn[:28].astype(int) - photo()[:28]).max() <= 3


def test_what_is_not_shown_is_dimmed_and_not_in_the_legend() -> None:
    whole = picture.overlay(photo(), thirds(), NAMES, COLOURS)
    drawn = picture.overlay(photo(), thirds(), NAMES, COLOURS, shown=("road",))
    assert np.array_equal(drawn[70:90], whole[70:90]), "road looks as it did"
    sky = drawn[2:50].astype(int)
    assert np.ptp(sky, axis=2).max() <= 6, "grey, with no line between sky and tree"
    assert colours_in(drawn[90:]) == {2} and colours_in(whole[90:]) == {0, 1, 2}


def test_what_has_no_class_is_dimmed_too() -> None:
    labels = thirds()
    labels[:30] = 255
    drawn = picture.overlay(photo(), labels, NAMES, COLOURS)
    assert np.ptp(drawn[2:25].astype(int), axis=2).max() <= 6
    assert colours_in(drawn[90:]) == {1, 2}


def colours_in(strip: np.ndarray) -> set[int]:
    """The classes that have a swatch in a legend."""
    return {index for index, colour in enumerate(COLOURS) if (strip == colour).all(2).sum() >= 20}


def test_neither_photo_nor_labels_are_touched() -> None:
    rgb, labels = photo(), thirds()
    picture.overlay(rgb, labels, NAMES, COLOURS)
    picture.montage(rgb, labels, labels, NAMES, COLOURS)
    assert np.array_equal(rgb, photo()) and np.array_equal(labels, thirds())


@pytest.mark.parametrize(("height", "width"), [(1, 1), (240, 320), (320, 160), (30, 1500), (1500, 30), (3, 4)])
def test_the_legend_stays_inside_at_any_size(height: int, width: int) -> None:
    labels = (np.arange(height * width) % 3).astype(np.uint8).reshape(height, width)
    drawn = picture.overlay(photo(height, width), labels, NAMES, COLOURS)
    assert drawn.dtype == np.uint8 and drawn.shape[1] == max(width, legend.NARROWEST) and drawn.shape[0] > height
    strip = drawn[height:]
    for edge in (strip[0], strip[-1], strip[:, 0], strip[:, -1]):
        assert (edge == legend.PAPER).all(), "no letter is cut by an edge"
    if height >= 240 and width >= 160:
        assert strip.shape[0] < 0.3 * height


def test_a_large_photo_is_shrunk_and_its_legend_grows_with_it() -> None:
    small = picture.overlay(photo(90, 240), thirds(90, 240), NAMES, COLOURS)
    large = picture.overlay(photo(936, 2496), thirds(936, 2496), NAMES, COLOURS)
    assert large.shape[1] == picture.LONGEST and 900 < large.shape[0] < 1000
    assert large.shape[0] - 900 > 1.5 * (small.shape[0] - 90)
    assert [hue_of(large[row, 1200].astype(int)) for row in (150, 450, 750)] == [0, 1, 2]


def test_shrunk_labels_are_labels_of_the_photo() -> None:
    labels = np.where(np.random.default_rng(1).random((70, 110)) < 0.5, 0, 9).astype(np.uint8)
    small = picture._shrunk(labels, 77)
    assert small.shape == (49, 77) and set(np.unique(small)) == {0, 9}, "never one between two others"
    assert picture._shrunk(labels, 110) is labels


def test_shares_in_the_legend_are_those_of_the_whole_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[legend.Entry] = []
    monkeypatch.setattr(picture, "with_legend", lambda rgb, entries, size: told.extend(entries))
    labels = np.zeros((100, 100), np.uint8)
    labels[:30], labels[30:32], labels[99] = 2, 1, 255
    picture.overlay(photo(100, 100), labels, NAMES, COLOURS)
    assert [(entry.name, round(entry.share, 4)) for entry in told] == [("sky", 0.67), ("road", 0.3), ("tree", 0.02)]
    told.clear()
    picture.overlay(photo(100, 100), np.zeros((100, 100), np.uint8), NAMES, COLOURS, every=True)
    assert [(entry.name, entry.occurs) for entry in told] == [("sky", True), ("tree", False), ("road", False)]


def test_the_frames_of_a_video_have_one_size_whatever_they_show() -> None:
    names = [f"class with number {index}" for index in range(60)]
    few, many = np.zeros((90, 240), np.uint8), (np.arange(90 * 240) % 60).astype(np.uint8).reshape(90, 240)
    sizes = {picture.overlay(photo(), labels, names, every=True).shape for labels in (few, many)}
    assert len(sizes) == 1
    assert len({picture.overlay(photo(), labels, names).shape for labels in (few, many)}) == 2


def test_labels_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"labels of shape \(90, 240\) for a photo of shape \(90, 239, 3\)"):
        picture.overlay(photo(90, 239), thirds(), NAMES)
    with pytest.raises(ValueError, match="2 colours for 3 classes"):
        picture.overlay(photo(), thirds(), NAMES, COLOURS[:2])


def test_classes_without_colours_have_those_of_percept() -> None:
    assert picture.colours_of(NAMES) == tuple(palette(3))
    assert picture.colours_of(NAMES, [list(colour) for colour in COLOURS]) == COLOURS


# Legend


def test_254_classes_fit_and_the_last_ones_are_counted() -> None:
    labels = (np.arange(300 * 400) % 254).astype(np.uint8).reshape(300, 400)
    drawn = picture.overlay(photo(300, 400), labels, [f"class {index}" for index in range(254)])
    assert drawn.shape[1] == 400 and drawn.shape[0] < 300 + 12 * 40
    entries = legend._few([legend.Entry(str(index), (0, 0, 0), 1 / 254) for index in range(254)])
    assert len(entries) == legend.MOST and entries[-1].name == "215 more"
    assert entries[-1].share == pytest.approx(215 / 254)


def test_columns_are_as_many_as_fit_and_equally_full() -> None:
    assert legend._columns([], 100, 10) == []
    assert legend._columns([500], 100, 10) == [0]
    assert len(legend._columns([40] * 3, 139, 10)) == 2
    assert legend._columns([40] * 3, 140, 10) == [0, 50, 100]
    starts = legend._columns([40] * 5, 190, 10)
    assert len(starts) == 3, "not four: three and two are fuller than four and one"
    assert starts[0] == 0 and starts[2] + 40 <= 190
    assert len(legend._columns([20, 90, 20, 90], 120, 10)) == 2, "a column is as wide as its own widest"


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "0 %"),
        (1e-9, "<0.1 %"),
        (0.0006, "0.1 %"),
        (0.034, "3.4 %"),
        (0.0994, "9.9 %"),
        (0.0996, "10 %"),
        (1, "100 %"),
    ],
)
def test_shares_are_told_as_people_do(share: float, words: str) -> None:
    assert legend.percent(share) == words


def test_names_in_any_script_are_one_line_or_a_number() -> None:
    assert legend.readable("foreground object", 7) == "foreground object"
    assert legend.readable("Straße\n 2", 0) == "Straße 2"
    assert legend.readable("небо", 0) == "небо" and legend.readable("طريق", 0) == "طريق"
    assert legend.readable("道路", 4) == "class 4", "boxes tell nothing"
    assert legend.readable("", 5) == "class 5"
    long = legend.readable("a very long name of a class that nobody would want", 0)
    assert len(long) <= legend.LONGEST_NAME and long.endswith("…")


def test_a_name_in_cyrillic_is_drawn_in_its_own_letters() -> None:
    one, two = (legend.with_legend(photo(), [legend.Entry(name, COLOURS[0])], 12) for name in ("небо", "море"))
    assert one.shape == two.shape and not np.array_equal(one, two), "not the same four boxes"


# Palette picture


@pytest.mark.parametrize("classes", [1, 3, 40, 254])
def test_a_palette_picture_holds_indices_and_colours(tmp_path: Path, classes: int) -> None:
    labels = (np.arange(50 * 61) % classes).astype(np.uint8).reshape(50, 61)
    labels[3, 4] = 255
    names = [f"class {index}" for index in range(classes)]
    picture.write_palette(tmp_path / "deep" / "l.png", labels, names)
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["l.png"]
    with Image.open(tmp_path / "deep" / "l.png") as read:
        assert read.mode == "P" and read.format == "PNG" and not read.info, "no metadata, no transparency"
        assert np.array_equal(np.asarray(read), labels)
        table = np.array(read.getpalette()).reshape(-1, 3)
        rgb = np.asarray(read.convert("RGB"))
    assert len(table) == 256 and (table[:classes] == palette(classes)).all()
    assert (table[classes:255] == 0).all() and (table[255] == 255).all()
    assert tuple(rgb[0, 0]) == palette(1)[0] and tuple(rgb[3, 4]) == (255, 255, 255)


def test_a_palette_picture_has_eight_bits_a_pixel(tmp_path: Path) -> None:
    picture.write_palette(tmp_path / "l.png", thirds(), NAMES, COLOURS)
    data = (tmp_path / "l.png").read_bytes()
    assert data[24:26] == bytes([8, 3]), "bits a pixel; kind 3 is a palette"


def test_a_palette_picture_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PerceptError, match="cannot be written"):
        picture.write_palette(tmp_path / "file" / "l.png", thirds(), NAMES)


# Beside the truth


def test_a_montage_shows_photo_truth_answer_and_errors() -> None:
    truth, labels = thirds(), thirds()
    labels[:30, :120] = 1  # a sixth is wrong
    truth[60:, 120:] = 255  # and a sixth is not known
    row = picture.montage(photo(), truth, labels, NAMES, COLOURS)
    step, head = 240 + picture.GAP, round(1.7 * legend.letters(90, 240))
    assert row.shape[1] == 4 * 240 + 3 * picture.GAP and row.shape[0] > head + 90
    panels = [row[head : head + 90, start : start + 240].astype(int) for start in range(0, 4 * step, step)]
    assert np.array_equal(panels[0], photo())
    assert [hue_of(panels[1][y, 60]) for y in (15, 45, 75)] == [0, 1, 2]
    assert [hue_of(panels[2][y, 60]) for y in (15, 45, 75)] == [1, 1, 2]
    assert np.ptp(panels[1][75, 200]) <= 6, "no truth is grey"
    wrong, right, unknown = panels[3][15, 60], panels[3][45, 60], panels[3][75, 200]
    assert wrong[0] > 2 * wrong[1] and wrong[0] > 2 * wrong[2]
    assert right[1] > right[0] + 10 and right[1] > right[2]
    assert np.ptp(unknown) <= 6


def test_the_words_of_a_montage_tell_the_share_of_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(picture, "captioned", lambda rgb, text, size: told.append(text) or rgb)
    truth, labels = thirds(), thirds()
    truth[60:], labels[:15] = 255, 2
    picture.montage(photo(), truth, labels, NAMES)
    assert told == ["photo", "truth", "answer", "errors 25 %"], "of the pixels whose truth is known"
    told.clear()
    picture.montage(photo(), np.full_like(truth, 255), labels, NAMES)
    assert told[3] == "no truth"


def test_a_montage_of_large_or_tiny_photos() -> None:
    large = picture.montage(photo(900, 600), thirds(900, 600), thirds(900, 600), NAMES)
    assert 800 < large.shape[0] < 1000 and large.shape[1] == 4 * 533 + 3 * picture.GAP
    one = np.zeros((1, 1), np.uint8)
    assert picture.montage(photo(1, 1), one, one, NAMES).shape[1] == legend.NARROWEST
    with pytest.raises(ValueError, match="labels of shape"):
        picture.montage(photo(), thirds(), one, NAMES)


# Confusion


def test_a_confusion_is_darker_where_more_pixels_went() -> None:
    drawn = picture.confusion([[80, 20, 0], [0, 0, 5], [1, 0, 99]], NAMES).astype(int)
    dark = set(map(tuple, np.unique(drawn.reshape(-1, 3), axis=0).tolist()))
    assert set(map(tuple, picture._cells(np.array([0.8, 0.2, 0.0, 1.0, 0.01, 0.99])).tolist())) <= dark
    levels = picture._cells(np.linspace(0, 1, 21)).astype(int).sum(1)
    assert (np.diff(levels) < 0).all()


@pytest.mark.parametrize("classes", [1, 8, 33, 170])
def test_a_confusion_can_be_read_at_any_size(classes: int) -> None:
    names = [f"foreground {index}" for index in range(classes)]
    drawn = picture.confusion(np.eye(classes) * 50 + 1, names)
    assert drawn.shape[2] == 3 and max(drawn.shape) < 2400
    for edge in (drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]):
        assert (edge == 255).all(), "nothing is cut off"


def test_a_confusion_without_a_pixel_has_dashes_not_nan() -> None:
    with np.errstate(all="raise"):
        drawn = picture.confusion(np.zeros((3, 3)), NAMES)
    other = picture.confusion(np.eye(3), NAMES)
    assert drawn.shape == other.shape and (drawn != other).any()
    with pytest.raises(ValueError, match=r"shape \(2, 2\) for 3 classes"):
        picture.confusion(np.eye(2), NAMES)
