"""Which pictures are a pair, what is said of those that are not, and where the answers go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from percept.core.errors import InputError, UsageError
from percept.vision.image import write_image
from percept.vision.stereo.pairing import pair_in, read, resolve, split
from percept.vision.video import VideoWriter


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def grey(value: int, width: int = 8, height: int = 6) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def names(pairs, top: Path) -> list[tuple[str, str]]:
    """The left and right names below ``top``."""
    return [
        (Path(pair.left.name).relative_to(top).as_posix(), Path(pair.right.name).relative_to(top).as_posix())
        for pair in pairs
    ]


def test_two_files_are_a_pair_whatever_their_names(tmp_path, monkeypatch):
    touch(tmp_path, "one.png", "sub/other.jpg")
    monkeypatch.chdir(tmp_path)
    (pair,) = resolve(["one.png", "sub/other.jpg"])
    assert (pair.item.name, str(pair.item.stem)) == ("one.png", "one")
    assert (pair.left.name, pair.right.name, pair.item.problem) == ("one.png", "sub/other.jpg", None)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("x", "x"),
        ("left_x", "right_x"),
        ("xLeftImg8bit", "xRightImg8bit"),
        ("x_L", "x_R"),
        ("imL_x", "imR_x"),
        ("x_l", "x_r"),
        ("x_im0", "x_im1"),
        ("x_im2", "x_im6"),
        ("x_view1", "x_view5"),
        ("x_0", "x_1"),
        ("cam0_x_00", "cam1_x_00"),
    ],
)
def test_two_folders_are_paired_by_name(tmp_path, left, right):
    """Beside another pair of the same kind, which must not be mixed up with it."""
    for folder, name in (("a", left), ("b", right)):
        touch(tmp_path / folder, f"{name.replace('x', 'p')}.png", f"deep/{name.replace('x', 'q')}.png")
    pairs = resolve([str(tmp_path / "a"), str(tmp_path / "b")])
    assert names(pairs, tmp_path) == [
        (f"a/{left.replace('x', 'p')}.png", f"b/{right.replace('x', 'p')}.png"),
        (f"a/deep/{left.replace('x', 'q')}.png", f"b/deep/{right.replace('x', 'q')}.png"),
    ]
    assert [str(pair.item.stem) for pair in pairs] == [left.replace("x", "p"), f"deep/{left.replace('x', 'q')}"]


def test_numbers_of_frames_are_not_marks_where_the_names_are_equal(tmp_path):
    for folder in ("left", "right"):
        touch(tmp_path / folder, "im_0.png", "im_1.png", "im_2.png")
    pairs = resolve([str(tmp_path / "left"), str(tmp_path / "right")])
    assert names(pairs, tmp_path) == [(f"left/im_{n}.png", f"right/im_{n}.png") for n in range(3)]


def test_globs_and_lists_are_paired_by_name_not_by_order(tmp_path):
    touch(tmp_path, "image_2/000000_10.png", "image_2/000001_10.png", "image_3/000000_10.png", "image_3/000001_10.png")
    wanted = [(f"image_2/00000{n}_10.png", f"image_3/00000{n}_10.png") for n in (0, 1)]
    assert names(resolve([str(tmp_path / "image_2/*.png"), str(tmp_path / "image_3/*.png")]), tmp_path) == wanted
    (tmp_path / "l.txt").write_text("image_2/000000_10.png\nimage_2/000001_10.png\n")
    (tmp_path / "r.txt").write_text("image_3/000001_10.png\nimage_3/000000_10.png\n")
    assert names(resolve([str(tmp_path / "l.txt"), str(tmp_path / "r.txt")]), tmp_path) == wanted
    touch(tmp_path, "s/p/left.png", "s/p/right.png", "s/q/left.png", "s/q/right.png")
    found = resolve([str(tmp_path / "s/*/left.png"), str(tmp_path / "s/*/right.png")])
    assert names(found, tmp_path) == [(f"s/{s}/left.png", f"s/{s}/right.png") for s in "pq"]


def test_the_odd_ones_are_named(tmp_path):
    touch(tmp_path / "l", *(f"{name}.png" for name in "abcdefg"))
    touch(tmp_path / "r", "c.png", "x.jpg")
    with pytest.raises(UsageError) as error:
        resolve([str(tmp_path / "l"), str(tmp_path / "r")])
    assert str(error.value) == (
        "no right picture for a.png, b.png, d.png, e.png, f.png ... (6 of 7); no left picture for x.jpg (1 of 2)"
    )


def test_a_side_that_is_not_there_is_one_problem(tmp_path):
    touch(tmp_path / "left", "a.png", "b.png")
    (pair,) = resolve([str(tmp_path / "left"), str(tmp_path / "rihgt")])
    assert pair.item.problem == "no such file or folder" and pair.item.name == str(tmp_path / "rihgt")
    touch(tmp_path, "a.png", "b.mp4")
    (pair,) = resolve([str(tmp_path / "a.png"), str(tmp_path / "c.png")])
    assert pair.item.problem.startswith(f"right picture {tmp_path / 'c.png'}: no such file or folder")
    (pair,) = resolve([str(tmp_path / "c.png"), str(tmp_path / "a.png")])
    assert pair.item.problem.startswith("no such file or folder")
    (pair,) = resolve([str(tmp_path / "a.png"), str(tmp_path / "b.mp4")])
    assert pair.item.problem == f"a picture on the left and a video on the right ({tmp_path / 'b.mp4'})"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (("im0.png", "im1.png", "disp0.pfm", "im1E.png"), ("im0.png", "im1.png")),
        ((*(f"im{n}.ppm" for n in range(9)), "disp2.pgm"), ("im2.ppm", "im6.ppm")),
        (("view0.png", "view1.png", "view5.png"), ("view1.png", "view5.png")),
        (("Left.PNG", "right.jpg", "right.png"), ("Left.PNG", "right.png")),
        (("scene1.row3.col3.ppm", "scene1.row3.col4.ppm", "truedisp.pgm"), None),
        (("im0.png", "im1.txt"), None),
        (("left.png",), None),
    ],
)
def test_a_pair_in_a_folder_is_known_by_its_names(tmp_path, files, wanted):
    touch(tmp_path, *files)
    if files[0].startswith("scene1"):
        wanted = files[:2]
    assert pair_in(tmp_path) == (wanted and tuple(tmp_path / name for name in wanted))
    assert pair_in(tmp_path / "nowhere") is None


def test_folders_that_hold_a_pair_are_answered_one_by_one(tmp_path, monkeypatch):
    for scene in ("art0", "art1"):  # not LEFT RIGHT, though the names differ like those
        touch(tmp_path / scene, "im0.png", "im1.png")
    touch(tmp_path, "c/left.png", "c/right.png", "a.png")
    monkeypatch.chdir(tmp_path)
    pairs = resolve(["art0/", "art1"])
    assert [(pair.item.name, str(pair.item.stem)) for pair in pairs] == [("art0/", "art0"), ("art1", "art1")]
    assert [(pair.left.name, pair.right.name) for pair in pairs] == [
        (f"{scene}/im0.png", f"{scene}/im1.png") for scene in ("art0", "art1")
    ]
    pairs = resolve(["art0", "lost", "c"])
    assert [pair.item.problem is None for pair in pairs] == [True, False, True]
    pairs = resolve(["art0", "a.png"])
    assert pairs[0].item.problem is None
    assert pairs[1].item.problem == (
        "one picture, not a pair: give LEFT RIGHT, or --side-by-side if it holds both views"
    )
    monkeypatch.chdir(tmp_path / "c")
    assert [str(pair.item.stem) for pair in resolve(["."])] == ["c"]


def test_folders_named_left_and_right_are_left_right_even_if_a_pair_could_be_seen_in_them(tmp_path):
    for folder in ("left", "right"):
        touch(tmp_path / folder, "im0.png", "im1.png")
    pairs = resolve([str(tmp_path / "left"), str(tmp_path / "right")])
    assert names(pairs, tmp_path) == [(f"left/im{n}.png", f"right/im{n}.png") for n in (0, 1)]


def test_a_folder_of_folders_a_pattern_and_a_list_lead_to_the_pairs_in_them(tmp_path):
    touch(tmp_path, "set/p/im0.png", "set/p/im1.png", "set/q/im2.ppm", "set/q/im6.ppm", "set/no/a.png")
    (tmp_path / "list.txt").write_text("set/p\nset/q\nset/lost\n")
    for text in (str(tmp_path / "set"), str(tmp_path / "set/*"), str(tmp_path / "set/*/*.p*")):
        pairs = resolve([text])
        assert [pair.item.name for pair in pairs] == [str(tmp_path / "set" / name) for name in "pq"]
        assert [str(pair.item.stem) for pair in pairs] == ["p", "q"]
    pairs = resolve([str(tmp_path / "list.txt")])
    assert [pair.item.problem is None for pair in pairs] == [True, True, False]
    (pair,) = resolve([str(tmp_path / "set" / "no")])
    assert pair.item.problem.startswith("no pair in this folder (im0 and im1, left and right ...)")


def test_one_picture_is_no_pair_and_a_missing_one_says_so_first(tmp_path):
    touch(tmp_path, "a.png", "clip.mp4")
    said = [resolve([str(tmp_path / name)])[0].item.problem for name in ("a.png", "clip.mp4", "lost.png")]
    assert said[0].startswith("one picture, not a pair") and said[1].startswith("one video, not a pair")
    assert said[2].startswith("no such file or folder")


def test_side_by_side_takes_any_number_of_inputs(tmp_path):
    touch(tmp_path, "x.png", "y.png", "films/z.mp4")
    pairs = resolve([str(tmp_path / "x.png"), str(tmp_path / "y.png"), str(tmp_path / "films")], side_by_side=True)
    assert [Path(pair.item.name).name for pair in pairs] == ["x.png", "y.png", "z.mp4"]
    assert all(pair.right is None and pair.item.problem is None for pair in pairs)


def test_places_that_clash_or_lie_over_a_view_are_refused(tmp_path):
    touch(tmp_path, "p/x/im0.png", "p/x/im1.png", "q/x/im0.png", "q/x/im1.png")
    with pytest.raises(UsageError, match='would both be written as "x"'):
        resolve([str(tmp_path / "p/x"), str(tmp_path / "q/x")], out=tmp_path / "out")
    assert len(resolve([str(tmp_path / "p"), str(tmp_path / "q/x")])) == 2, "nothing is written, nothing clashes"
    touch(tmp_path, "a.png", "a_color.png")
    with pytest.raises(UsageError, match="a_color.png would be written over by the answer to .*a.png"):
        resolve([str(tmp_path / "a.png"), str(tmp_path / "a_color.png")], out=tmp_path)
    assert resolve([str(tmp_path / "a.png"), str(tmp_path / "p/x/im0.png")], out=tmp_path), "beside the views is fine"


# Reading


def test_views_are_read_and_each_sides_failure_is_told(tmp_path):
    write_image(tmp_path / "a.png", grey(10))
    write_image(tmp_path / "b.png", grey(20))
    touch(tmp_path, "broken.png")
    (pair,) = resolve([str(tmp_path / "a.png"), str(tmp_path / "b.png")])
    ((item, views),) = read(pair)
    assert (views.left[0, 0, 0], views.right[0, 0, 0]) == (10, 20)
    assert (item.name, views.left_name, views.right_name) == (pair.left.name, pair.left.name, pair.right.name)
    (pair,) = resolve([str(tmp_path / "a.png"), str(tmp_path / "broken.png")])
    ((_, error),) = read(pair)
    assert isinstance(error, InputError) and str(error).startswith(f"right picture {tmp_path / 'broken.png'}: not a")
    (pair,) = resolve([str(tmp_path / "broken.png"), str(tmp_path / "a.png")])
    ((_, error),) = read(pair)
    assert isinstance(error, InputError) and str(error).startswith("not a picture")


def test_a_picture_of_both_views_is_split_in_the_middle():
    both = np.concatenate([grey(1), grey(2)], 1)
    views = split(both, "both.png")
    assert views.left.shape == views.right.shape == (6, 8, 3)
    assert views.left.max() == 1 and views.right.min() == 2
    with pytest.raises(InputError, match="15 pixels wide: two views side by side have an even width"):
        split(both[:, 1:])


def film(path: Path, count: int, width: int) -> None:
    with VideoWriter(path, rate=5) as writer:
        for number in range(count):
            writer.write(grey(40 * number, width, 48))


def test_videos_go_in_step_and_one_that_ends_first_is_told(tmp_path):
    film(tmp_path / "l.mp4", 4, 64)
    film(tmp_path / "r.mp4", 3, 64)
    (pair,) = resolve([str(tmp_path / "l.mp4"), str(tmp_path / "r.mp4")])
    found = list(read(pair))
    assert [item.frame for item, _ in found[:3]] == [0, 1, 2] and found[1][1].right.shape == (48, 64, 3)
    assert len(found) == 4 and str(found[3][1]) == "the right video ends here, the left one goes on"
    (pair,) = resolve([str(tmp_path / "l.mp4")], side_by_side=True)
    found = list(read(pair, every=2))
    assert [item.frame for item, _ in found] == [0, 2]
    assert {views.left.shape for _, views in found} == {(48, 32, 3)}
