"""percept stereo as people call it: pairs in all their forms, bad ones among good ones, and the files it writes.

All with ``--cost census``, which needs no weights.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from commandline import Ran, percept
from PIL import Image

import percept as package
from percept.core.errors import InputError
from percept.vision.image import read_image, write_image
from percept.vision.stereo import formats
from percept.vision.video import VideoWriter, frames

BACK, FRONT = 5, 14  # disparities of the background and of the square before it
SQUARE = (slice(24, 64), slice(60, 110))
CENSUS = ("--cost", "census")
CALIBRATION = """cam0=[200 0 80; 0 200 48; 0 0 1]
cam1=[200 0 80; 0 200 48; 0 0 1]
doffs=0
baseline=100
width={width}
height=96
ndisp=32
"""


def texture(seed: int, width: int, height: int = 96) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 1.2)
    return np.clip(128 + 3 * (soft - 128), 0, 255).astype(np.uint8)


def views(width: int = 160, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A textured wall, BACK pixels apart in the two views, and a square before it."""
    wall, square = texture(seed, width + BACK), texture(seed + 1, width)[SQUARE]
    left, right = wall[:, :width].copy(), wall[:, BACK:].copy()
    rows, columns = SQUARE
    left[rows, columns] = square
    right[rows, columns.start - FRONT : columns.stop - FRONT] = square
    return left, right


def pair(folder: Path, left: np.ndarray, right: np.ndarray) -> Path:
    folder.mkdir(parents=True)
    write_image(folder / "left.png", left)
    write_image(folder / "right.png", right)
    return folder


def check(disparity: np.ndarray) -> None:
    """Right nearly everywhere, at the border and behind the square too."""
    truth = np.full(disparity.shape, BACK, np.float32)
    truth[SQUARE] = FRONT
    assert np.mean(np.abs(disparity - truth) < 1) > 0.95


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pair(tmp_path_factory.mktemp("pairs") / "good", *views())


def stereo(*words: object) -> Ran:
    ran = percept("stereo", *words, *CENSUS)
    assert ran.code == 0, ran.err
    return ran


# What is written


def test_maps_and_pictures_are_written_where_json_says_and_read_back(good: Path, tmp_path: Path) -> None:
    ran = stereo(good / "left.png", good / "right.png", "--out", tmp_path / "out", "--json")
    assert (ran.json["task"], ran.json["model"], ran.json["weights"]) == ("stereo", "census", "none")
    (result,) = ran.json["results"]
    assert (result["input"], result["left"]) == (str(good / "left.png"),) * 2
    assert (result["right"], result["width"], result["height"]) == (str(good / "right.png"), 160, 96)
    files = result["files"]
    assert files == {kind: str(tmp_path / "out" / f"left_{kind}.png") for kind in ("disparity", "color", "confidence")}
    assert sorted(map(str, (tmp_path / "out").iterdir())) == sorted(files.values()), "and nothing else"
    stored = cv2.imread(files["disparity"], cv2.IMREAD_UNCHANGED)
    assert stored.dtype == np.uint16 and stored.shape == (96, 160) and stored.min() > 0, "filled: no hole"
    check(stored / 256)
    low, high = result["range"]
    assert abs(stored.min() / 256 - low) < 0.01 and abs(stored.max() / 256 - high) < 0.01
    assert 0 < result["filled"] < 0.4
    with Image.open(files["confidence"]) as sure:
        assert sure.mode == "L" and sure.size == (160, 96)
    assert read_image(Path(files["color"])).shape[0] == 96


def test_numbers_by_format_agree_and_holes_stay_where_nothing_is_filled(good: Path, tmp_path: Path) -> None:
    read = {}
    for form in ("png", "pfm", "npy"):
        out = tmp_path / form
        words = ("--out", out, "--format", form, "--save", "disparity", "--without", "fill,median,bilateral")
        stereo(good, *words)
        (path,) = out.iterdir()
        assert path.name == f"good_disparity.{form}"
        read[form] = formats.read_truth(path, 256)
    holes = np.isnan(read["npy"])
    assert 0.01 < holes.mean() < 0.4
    assert np.array_equal(np.isnan(read["png"]), holes), "a hole is 0"
    assert np.array_equal(read["pfm"], read["npy"], equal_nan=True)
    assert np.nanmax(np.abs(read["png"] - read["npy"])) <= 1 / 256 + 1e-6


def test_a_calibration_adds_depth_and_a_cloud(good: Path, tmp_path: Path) -> None:
    (tmp_path / "calib.txt").write_text(CALIBRATION.format(width=160))
    ran = stereo(good, "--calib", tmp_path / "calib.txt", "--out", tmp_path / "out", "--json")
    (result,) = ran.json["results"]
    depth = formats.read_truth(Path(result["files"]["depth"]))
    disparity = formats.read_truth(Path(result["files"]["disparity"]), 256)
    there = disparity > 1
    assert there.mean() > 0.95 and np.allclose(depth[there], 200 * 0.1 / disparity[there], rtol=1e-2)
    assert result["depth"][0] == pytest.approx(float(np.nanmin(depth)), rel=1e-2)
    assert Path(result["files"]["cloud"]).read_bytes().startswith(b"ply\nformat binary_little_endian 1.0\n")
    assert set(result["files"]) == {"disparity", "color", "confidence", "depth", "cloud"}


def test_python_matches_paths_arrays_and_folders_alike(good: Path) -> None:
    matcher = package.load("stereo", cost="census")
    left, right = good / "left.png", good / "right.png"
    by_path = matcher.predict(left, right)
    check(by_path.disparity)
    for other in (
        matcher.predict(good),
        matcher.predict(read_image(left), Image.fromarray(read_image(right))),
        next(package.predict("stereo", str(left), str(right), cost="census")),
        package.load("stereo", cost="census", side_by_side=True).predict(
            np.concatenate([read_image(left), read_image(right)], 1)
        ),
    ):
        assert np.array_equal(other.disparity, by_path.disparity)
    with pytest.raises(InputError, match="one picture, not a pair"):
        matcher.predict(read_image(left))
    with pytest.raises(InputError, match=f"{left}: right picture {left}x: no such file"):
        matcher.predict(left, f"{left}x")


# What people hand in


def test_each_bad_pair_is_one_line_and_the_good_ones_are_done(good: Path, tmp_path: Path) -> None:
    left, right = views()
    scenes = tmp_path / "scenes"
    wrong = {
        "sizes": "the left view is 160 x 96 pixels, the right one 150 x 96",
        "same": "left and right are the same picture",
        "swapped": "left and right are swapped",
        "narrow": "28 pixels wide, too narrow for --max-disp 32",
        "cut": "cut off",
        "cut_right": f"right picture {scenes / 'cut_right' / 'right.png'}: cut off",
        "text": "not a picture (it begins like text)",
        "one": "no pair in this folder",
        "missing": "no such file or folder",
    }
    pair(scenes / "sizes", left, right[:, :150])
    pair(scenes / "same", left, left)
    pair(scenes / "swapped", right, left)
    pair(scenes / "narrow", left[:, :28], right[:, :28])
    for name, side in (("cut", "left.png"), ("cut_right", "right.png")):
        path = pair(scenes / name, left, right) / side
        path.write_bytes(path.read_bytes()[:3000])
    (pair(scenes / "text", left, right) / "left.png").write_text("Milk, eggs, flour.\n" * 30)
    (pair(scenes / "one", left, right) / "right.png").unlink()
    folders = [scenes / name for name in wrong]
    ran = percept("stereo", *folders, good, "--max-disp", "32", "--out", tmp_path / "out", "--json", *CENSUS)
    assert ran.code == 1
    results = {Path(result["input"]).name: result for result in ran.json["results"]}
    assert list(results) == [*wrong, "good"]
    lines = ran.err.splitlines()
    for name, said in wrong.items():
        assert results[name]["error"].startswith(said)
        assert lines.count(f"{scenes / name}: {results[name]['error']}; skipped") == 1
    assert lines[-1] == f"1 of {len(wrong) + 1} done, {len(wrong)} failed"
    assert "Traceback" not in ran.err
    assert {path.name.split("_")[0] for path in (tmp_path / "out").iterdir()} == {"good"}, "nothing half-written"


def test_colour_beside_grey_and_sixteen_bits_are_matched(good: Path, tmp_path: Path) -> None:
    left, right = views()
    grey = cv2.cvtColor(right, cv2.COLOR_RGB2GRAY)
    write_image(tmp_path / "left.png", left)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    ran = stereo(tmp_path / "left.png", tmp_path / "grey.png", "--out", tmp_path / "mixed", "--json")
    assert "one view is grey, the other in colour; both are matched in grey" in ran.err
    check(formats.read_truth(Path(ran.json["results"][0]["files"]["disparity"]), 256))
    for side in ("left", "right"):
        wide = cv2.imread(str(good / f"{side}.png"), cv2.IMREAD_GRAYSCALE).astype(np.uint16) * 257
        cv2.imwrite(str(tmp_path / f"{side}16.png"), wide)
    ran = stereo(tmp_path / "left16.png", tmp_path / "right16.png", "--out", tmp_path / "deep", "--json")
    check(formats.read_truth(Path(ran.json["results"][0]["files"]["disparity"]), 256))
    assert len(ran.err.splitlines()) == 1, "no note"


def test_a_pair_that_was_not_rectified_is_answered_with_a_warning(tmp_path: Path) -> None:
    left, right = views()
    folder = pair(tmp_path / "tilted", left[:-4], right[4:])
    ran = stereo(folder)
    (line,) = [line for line in ran.err.splitlines() if line.startswith(str(folder))]
    assert "the views are not rectified: matches lie 4.0 px apart vertically" in line and "--rectify" in line


def test_a_calibration_of_other_cameras_is_an_error_of_that_pair(good: Path, tmp_path: Path) -> None:
    (tmp_path / "calib.txt").write_text(CALIBRATION.format(width=640))
    words = ("--calib", tmp_path / "calib.txt", "--out", tmp_path / "out", *CENSUS)
    ran = percept("stereo", good, *words)
    assert (ran.code, ran.out) == (1, "")
    assert f"{good}: calib.txt is for pictures of 640 x 96 pixels, these have 160 x 96; skipped" in ran.err
    assert not (tmp_path / "out").exists()
    (tmp_path / "text.txt").write_text("Milk, eggs, flour.\n")
    for flag in ("--calib", "--rectify"):
        for name, said in (("lost.txt", "lost.txt: no such file"), ("text.txt", "text.txt")):
            ran = percept("stereo", good, flag, tmp_path / name, *CENSUS)
            assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
            assert ran.err.startswith(f"percept: {flag}: ") and said in ran.err


def test_folders_are_paired_by_name_and_the_odd_ones_are_named(good: Path, tmp_path: Path) -> None:
    for name in ("left/a.png", "left/b.png", "left/sub/c.png", "right/a.png", "right/sub/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(good / f"{name.split('/')[0]}.png", tmp_path / name)
    words = (tmp_path / "left", tmp_path / "right", "--out", tmp_path / "out")
    ran = percept("stereo", *words, *CENSUS)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines() == ["percept: no right picture for b.png (1 of 3)"]
    assert not (tmp_path / "out").exists()
    (tmp_path / "left" / "b.png").unlink()
    results = stereo(*words, "--json", "--save", "disparity").json["results"]
    assert [result["left"] for result in results] == [str(tmp_path / "left" / name) for name in ("a.png", "sub/c.png")]
    assert [Path(result["files"]["disparity"]).relative_to(tmp_path / "out").as_posix() for result in results] == [
        "a_disparity.png",
        "sub/c_disparity.png",
    ]


def test_what_cannot_be_is_said_in_one_line_before_anything_is_done(good: Path, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    shutil.copytree(good, tmp_path / "p" / "good")
    for words, said in (
        ((good, "--max-disp", "many"), '--max-disp: "many" is neither auto nor a whole number'),
        ((good, "--max-disp", "0"), "--max-disp"),
        ((good, "--max-disp", "12.5"), "--max-disp"),
        ((good, "--weights", "everyday"), "--weights has no effect here: --cost census uses no network"),
        ((good, "--format", "pfm"), "--format has no effect here: nothing is written without --out"),
        ((good, "--format", "pfm", "--save", "color", "--out", tmp_path / "out"), "--save leaves the disparity out"),
        ((good, "--save", "cloud", "--out", tmp_path / "out"), "--save has no effect here: a cloud needs --calib FILE"),
        ((good, "--paths", "4", "--without", "sgm"), "--paths has no effect here: --without sgm follows none"),
        ((good, "--paths", "5"), '--paths: no "5" (one of 4, 8)'),
        ((good, "--without", "everything"), '--without: no "everything" (one of aggregation, sgm, '),
        ((good, tmp_path / "p" / "good", "--out", tmp_path / "out"), 'would both be written as "good"'),
    ):
        ran = percept("stereo", *words, *CENSUS)
        assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1), ran.err
        assert said in ran.err
        assert not (tmp_path / "out").exists()


def test_a_pair_too_wide_for_the_memory_fails_alone(good: Path, tmp_path: Path) -> None:
    wide = pair(tmp_path / "wide", *views(width=700))
    ran = percept("stereo", wide, good, "--memory", "0.05", "--max-disp", "100", "--json", *CENSUS)
    assert ran.code == 1
    failed, done = ran.json["results"]
    assert failed["error"].startswith(
        "--memory 0.05 GB is too little for a picture 700 pixels wide and 101 disparities: "
    )
    assert done["width"] == 160
    data = tmp_path / "data"
    for side, name in (("left", "left"), ("right", "right")):
        (data / side).mkdir(parents=True)
        shutil.copy(wide / f"{name}.png", data / side / "wide.png")
    ran = percept("eval", "stereo", "--data", data, *CENSUS)
    assert (ran.code, ran.err.splitlines()) == (
        2,
        [f"percept: {data}: no truth: disp/ is not there, beside left/ and right/"],
    )
    (data / "disp").mkdir()
    formats.write_png16(data / "disp" / "wide.png", np.full((96, 700), BACK, np.float32))
    ran = percept("eval", "stereo", "--data", data, "--memory", "0.05", "--max-disp", "100", *CENSUS)
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert ran.err.startswith("percept: wide: --memory 0.05 GB is too little")
    ran = percept("eval", "stereo", "--data", data, "--weights", "everyday", *CENSUS)
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert "--weights has no effect here: --cost census uses no network" in ran.err


def test_eval_fits_eighty_columns_and_tells_every_figure_by_its_name(tmp_path: Path) -> None:
    place = tmp_path / "a_rather_long_name_of_a_scene"
    for side, view in zip(("left", "right"), views(), strict=True):
        (tmp_path / "set" / side).mkdir(parents=True)
        write_image(tmp_path / "set" / side / f"{place.name}.png", view)
    (tmp_path / "set" / "disp").mkdir()
    formats.write_png16(tmp_path / "set" / "disp" / f"{place.name}.png", np.full((96, 160), BACK, np.float32))
    ran = percept("eval", "stereo", "--data", tmp_path / "set", *CENSUS)
    assert ran.code == 0
    tables = [line for line in ran.out.splitlines() if line and "thresholds" not in line]
    assert max(map(len, tables)) <= 80 and [line.split()[0] for line in tables].count("a_rath.._scene") == 1
    metrics = percept("eval", "stereo", "--data", tmp_path / "set", "--json", *CENSUS).json["metrics"]
    assert all(name in ran.out.split() for name in metrics)


def test_both_views_in_one_picture(good: Path, tmp_path: Path) -> None:
    both = np.concatenate(views(), 1)
    write_image(tmp_path / "both.png", both)
    write_image(tmp_path / "odd.png", both[:, 1:])
    ran = percept("stereo", tmp_path / "both.png", *CENSUS)
    assert ran.code == 1 and "one picture, not a pair: give LEFT RIGHT, or --side-by-side" in ran.err
    inputs = (tmp_path / "both.png", tmp_path / "odd.png")
    ran = percept("stereo", *inputs, "--side-by-side", "--out", tmp_path / "out", "--json", *CENSUS)
    assert ran.code == 1
    done, odd = ran.json["results"]
    assert (done["width"], done["left"], done["right"]) == (160, str(tmp_path / "both.png"), str(tmp_path / "both.png"))
    check(formats.read_truth(tmp_path / "out" / "both_disparity.png", 256))
    assert odd["error"] == "319 pixels wide: two views side by side have an even width"
    two = stereo(good, "--json").json["results"][0]
    assert {key: two[key] for key in ("range", "filled")} == {key: done[key] for key in ("range", "filled")}


# Videos


def test_a_video_of_both_views_becomes_one_in_colours_and_a_map_a_frame(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with VideoWriter(clip, rate=8) as film:
        for number in range(4):
            film.write(np.concatenate(views(seed=10 * number), 1))
    words = ("--side-by-side", "--every", "2", "--out", tmp_path / "out", "--save", "disparity,color", "--json")
    ran = stereo(clip, *words)
    results = ran.json["results"]
    assert [(result["frame"], result["seconds"]) for result in results] == [(0, 0.0), (2, 0.25)]
    assert {result["files"]["color"] for result in results} == {str(tmp_path / "out" / "clip_color.mp4")}
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["clip_000000_disparity.png", "clip_000002_disparity.png", "clip_color.mp4"]
    for number in (0, 2):
        check(formats.read_truth(tmp_path / "out" / f"clip_{number:06d}_disparity.png", 256))
    shown = [rgb for _, _, rgb in frames(tmp_path / "out" / "clip_color.mp4")]
    assert len(shown) == 2 and shown[0].shape[1] > 160
    assert len(ran.err.splitlines()) == 1


def test_a_video_that_is_no_pair_of_views_ends_at_once_with_one_line(tmp_path: Path) -> None:
    clip = tmp_path / "mono.mp4"
    with VideoWriter(clip, rate=8) as film:
        for number in range(3):
            film.write(np.tile(views(seed=number)[0], (1, 2, 1)))
    ran = percept("stereo", clip, "--side-by-side", "--json", *CENSUS)
    assert ran.code == 1
    (result,) = ran.json["results"]
    assert result["error"].startswith("left and right are the same picture")
    assert ran.err.count(str(clip)) == 1


def test_a_video_that_fades_in_is_answered_and_never_looks_less_far(tmp_path: Path) -> None:
    clip = tmp_path / "fade.mp4"
    both = np.concatenate(views(), 1)
    with VideoWriter(clip, rate=8) as film:
        for rgb in (np.zeros_like(both), both, both // 8 * 8):
            film.write(rgb)
    results = stereo(clip, "--side-by-side", "--json").json["results"]
    assert [result["frame"] for result in results] == [0, 1, 2]
    reach = [result["max_disparity"] for result in results]
    assert reach == sorted(reach) and reach[-1] > FRONT
