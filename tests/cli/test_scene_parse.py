"""percept scene-parse as people call it: photos and frames, what is written, votes, the published sets, bad data.

Weights are made here: ImageNet's trunk under a random head. Its answers mean nothing, but they differ from place to
place, which is all that these tests need.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from commandline import Ran, percept
from inputs import DATA, EXAMPLES
from PIL import Image

import percept as package
from percept.core import checkpoint, runs, weights
from percept.vision.image import read_image, write_image
from percept.vision.scene import superpixels
from percept.vision.scene.networks import build
from percept.vision.video import VideoWriter, frames

TINY, SIFT = DATA / "scene_tiny", DATA / "scene_sift"
BUS = EXAMPLES / "village_bus.jpg"
NAMES = ("sky", "ground", "upright", "thing")
COLOURS = ((128, 128, 128), (128, 64, 128), (118, 20, 12), (241, 134, 51))
LABELS = "labels/train/horse_marsh.png"
SIZE = 96  # pixels, at which the network sees photos here


def saved(path: Path, model: dict[str, object]) -> Path:
    """A weight file as the trainer writes it."""
    torch.manual_seed(0)
    network = build(model, len(NAMES))
    trunk = checkpoint.load(weights.resolve("imagenet")[1]).tensors
    own = network.state_dict()
    own |= {name: tensor for name, tensor in trunk.items() if name in own and own[name].shape == tensor.shape}
    network.load_state_dict(own)
    with torch.no_grad():
        (network.classifier if model["name"] == "pyramid" else network.perceptron[2]).weight *= 40
    header = {
        "task": "scene-parse",
        "model": model,
        "classes": list(NAMES),
        "colours": [list(colour) for colour in COLOURS],
        "size": SIZE,
        "sampling": "natural",
        "data": {"sets": ["elsewhere"], "split": "train", "photos": 1, "choosing": [], "names": []},
        "start": "random weights",
    }
    checkpoint.save(path, network.state_dict(), header)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("weights") / "made.safetensors", {"name": "pyramid"})


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of the size at which the network sees it."""
    path = tmp_path_factory.mktemp("photos") / "bus.png"
    write_image(path, cv2.resize(read_image(BUS), (SIZE, 64), interpolation=cv2.INTER_AREA))
    return path


@pytest.fixture(autouse=True)
def _no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs.Run, "_draw_curves", lambda self: None)


def typed(line: str) -> Ran:
    """The command as it is typed."""
    program, *words = line.split()
    assert program == "percept"
    return percept(*words)


def said(ran: Ran) -> str:
    """The one line with which a command was refused."""
    lines = [line for line in ran.err.splitlines() if line.startswith("percept: ")]
    assert (ran.code, ran.out, len(lines)) == (2, "", 1), ran.err
    assert ran.err.splitlines()[-1] == lines[0] and "Traceback" not in ran.err
    return lines[0].removeprefix("percept: ")


# What is written


def test_labels_overlay_and_probabilities_are_those_of_the_answer(made: Path, tmp_path: Path) -> None:
    ran = percept("scene-parse", BUS, "--weights", made, "--out", tmp_path / "out", "--soft", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["task"], ran.json["model"], ran.json["weights"]) == ("scene-parse", "pyramid", str(made))
    (result,) = ran.json["results"]
    endings = {"labels": "_labels.png", "overlay": "_overlay.jpg", "soft": "_soft.npz"}
    files = {kind: str(tmp_path / "out" / f"village_bus{ending}") for kind, ending in endings.items()}
    assert result["files"] == files
    assert sorted(map(str, (tmp_path / "out").iterdir())) == sorted(files.values()), "and nothing else"
    with Image.open(files["labels"]) as picture:
        assert (picture.mode, picture.size) == ("P", (640, 423))
        labels, colours = np.asarray(picture), np.array(picture.getpalette()).reshape(-1, 3)
    assert [tuple(colour) for colour in colours[: len(NAMES)]] == list(COLOURS)
    shares = {name: np.mean(labels == index) for index, name in enumerate(NAMES) if np.any(labels == index)}
    assert len(shares) > 1
    told = {row["label"]: row["share"] for row in result["classes"]}
    assert told == pytest.approx(shares, abs=1e-6)
    assert list(told.values()) == sorted(told.values(), reverse=True)
    assert {region["label"] for region in result["regions"]} <= set(told)
    with np.load(files["soft"]) as soft:
        assert (soft["names"].tolist(), soft["width"], soft["height"]) == (list(NAMES), 640, 423)
        chances = soft["probabilities"].astype(np.float32)
    assert max(chances.shape[1:]) == SIZE and np.allclose(chances.sum(0), 1, atol=0.01)
    enlarged = np.stack([cv2.resize(chance, (640, 423)) for chance in chances])
    assert np.mean(enlarged.argmax(0) == labels) > 0.98, "but for float16"
    overlay = read_image(Path(files["overlay"]))
    assert overlay.shape[1] == 640 and overlay.shape[0] > 423, "a legend below"


def test_some_classes_are_told_and_drawn_alone_and_the_label_picture_keeps_all(made: Path, tmp_path: Path) -> None:
    runs = {}
    for name, flags in (("all", ()), ("some", ("--classes", "sky,ground"))):
        runs[name] = percept("scene-parse", BUS, "--weights", made, "--out", tmp_path / name, "--json", *flags)
    every, some = (ran.json["results"][0] for ran in runs.values())
    assert some["classes"] == [row for row in every["classes"] if row["label"] in ("sky", "ground")] != every["classes"]
    assert {region["label"] for region in some["regions"]} <= {"sky", "ground"}
    labels, overlays = (
        [Path(result["files"][kind]).read_bytes() for result in (every, some)] for kind in ("labels", "overlay")
    )
    assert labels[0] == labels[1] and overlays[0] != overlays[1]
    ran = percept("scene-parse", BUS, "--weights", made, "--classes", "grund")
    assert said(ran) == 'these weights know no class "grund"; did you mean ground?'


def test_a_pipe_a_csv_and_python_give_the_same_rows(made: Path, small: Path) -> None:
    lines = [line.split("\t") for line in percept("scene-parse", small, "--weights", made).lines]
    table = list(csv.reader(percept("scene-parse", small, "--weights", made, "--format", "csv").lines))
    assert table == [["input", "label", "share"], *lines]
    parser = package.load("scene-parse", weights=str(made))
    rgb = read_image(small)
    for x in (small, rgb, Image.fromarray(rgb), torch.from_numpy(rgb).permute(2, 0, 1)):
        assert [[str(cell) for cell in row] for row in parser.predict(x).rows()] == [line[1:] for line in lines]


# What people hand in


def test_every_kind_of_picture_in_a_folder_is_answered_and_a_broken_one_is_one_line(made: Path, tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    bus = Image.open(BUS).resize((SIZE, 64))
    bus.convert("RGBA").save(photos / "alpha.png")
    Image.fromarray(np.asarray(bus.convert("L")).astype(np.uint16) * 257).save(photos / "deep.png")
    Image.new("RGB", (1, 1), (90, 120, 200)).save(photos / "dot.png")
    Image.new("RGB", (700, 2), (90, 120, 200)).save(photos / "thin.png")
    (photos / "broken.jpg").write_bytes(BUS.read_bytes()[:3000])
    ran = percept("scene-parse", photos, "--weights", made, "--out", out, "--json")
    assert ran.code == 1
    lines = ran.err.splitlines()
    assert lines[0] == f"{photos / 'broken.jpg'}: cut off after 3,000 bytes; skipped"
    assert (lines[-1], len(lines)) == ("4 of 5 done, 1 failed", 3)
    sizes = {Path(one["input"]).stem: (one["width"], one["height"]) for one in ran.json["results"] if "width" in one}
    assert sizes == {"alpha": (SIZE, 64), "deep": (SIZE, 64), "dot": (1, 1), "thin": (700, 2)}
    for name, size in sizes.items():
        with Image.open(out / f"{name}_labels.png") as picture:
            assert picture.size == size
    assert not list(out.glob("broken*"))


def test_numbered_frames_are_steadied_by_the_past_and_another_folder_begins_anew(made: Path, tmp_path: Path) -> None:
    wide = cv2.resize(read_image(BUS), (SIZE + 16, 72), interpolation=cv2.INTER_AREA)
    random = np.random.default_rng(0)
    for film, count in (("one", 4), ("two", 2)):
        (tmp_path / film).mkdir()
        for number in range(count):
            view = wide[4:68, 2 * number : 2 * number + SIZE].astype(np.int16)
            noisy = view + random.integers(-25, 26, view.shape, dtype=np.int16)
            write_image(tmp_path / film / f"{number:06d}.png", np.clip(noisy, 0, 255).astype(np.uint8))
    words = ("scene-parse", tmp_path / "one", tmp_path / "two", "--weights", made)
    ran = percept(*words, "--temporal", "--json")
    assert ran.code == 0, ran.err
    results = ran.json["results"]
    assert ["changed" in result for result in results] == [False, True, True, True, False, True]
    before, after = (sum(one["changed"][when] for one in results[1:4]) for when in ("before", "after"))
    assert 0 < after < 0.8 * before
    told = [line for line in ran.err.splitlines() if "labels changed a frame, steadied" in line]
    assert [line.split(":")[0] for line in told] == [str(tmp_path / "one"), str(tmp_path / "two")]
    assert f"{before / 3:.1f} % of the labels" in told[0] and f"steadied {after / 3:.1f} %" in told[0]
    plain = percept("scene-parse", tmp_path / "one" / "000000.png", "--weights", made, "--json").json["results"]
    assert plain == results[:1], "the first frame has no past, and without --temporal nothing changes"


def test_a_video_becomes_one_in_colours_and_a_label_picture_a_frame(made: Path, small: Path, tmp_path: Path) -> None:
    clip, out = tmp_path / "clip.mp4", tmp_path / "out"
    with VideoWriter(clip, rate=8) as film:
        for _ in range(4):
            film.write(read_image(small))
    ran = percept("scene-parse", clip, "--weights", made, "--every", "2", "--temporal", "--out", out, "--json")
    assert ran.code == 0, ran.err
    results = ran.json["results"]
    assert [(result["frame"], result["seconds"]) for result in results] == [(0, 0.0), (2, 0.25)]
    assert {result["files"]["overlay"] for result in results} == {str(out / "clip_overlay.mp4")}
    names = ["clip_000000_labels.png", "clip_000002_labels.png", "clip_overlay.mp4"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert len(list(frames(out / "clip_overlay.mp4"))) == 2
    assert results[1]["changed"]["after"] < 5, "the same photo"


# Votes


def test_every_vote_over_every_kind_of_superpixels(made: Path, small: Path) -> None:
    rgb = read_image(small)
    alone = package.load("scene-parse", weights=str(made)).predict(small)
    sure = alone.probabilities.max(0) >= 0.8
    assert 0.02 < sure.mean() < 0.98, "so that a gate means something"
    for kind in ("felzenszwalb", "slic", "seeds"):
        segments = superpixels.segment(rgb, kind)
        found = {}
        for way in ("majority", "soft", "gated"):
            found[way] = package.load("scene-parse", weights=str(made), segments=kind, vote=way).predict(small).labels
        for way in ("majority", "soft"):
            each = [len(np.unique(found[way][segments == number])) for number in range(segments.max() + 1)]
            assert set(each) == {1}, f"one class a superpixel: {kind}, {way}"
        assert np.array_equal(found["gated"], np.where(sure, alone.labels, found["soft"]))
        assert not np.array_equal(found["soft"], alone.labels)
    ran = percept("scene-parse", small, "--weights", made, "--segments", "seeds", "--vote", "majority", "--json")
    shares = {row["label"]: row["share"] for row in ran.json["results"][0]["classes"]}
    wanted = {name: np.mean(found["majority"] == index) for index, name in enumerate(NAMES)}
    assert shares == pytest.approx({name: share for name, share in wanted.items() if share}, abs=1e-6)


def test_a_cover_is_asked_of_farabet_alone(made: Path, small: Path, tmp_path: Path) -> None:
    model = {"name": "farabet", "connections": "paper", "seed": 0, "cover": True}
    farabet = saved(tmp_path / "farabet.safetensors", model)
    ran = percept("scene-parse", small, "--weights", farabet, "--vote", "cover", "--json")
    assert (ran.code, ran.json["model"]) == (0, "farabet")
    assert sum(row["share"] for row in ran.json["results"][0]["classes"]) == pytest.approx(1, abs=1e-5)
    ran = percept("scene-parse", small, "--weights", made, "--vote", "cover")
    assert said(ran).startswith("--vote cover: only weights of farabet hold")


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ("--segments none --vote soft", "--vote has no effect here: --segments none has nothing that votes"),
        ("--vote soft", "--vote has no effect here: these weights come without superpixels"),
        ("--segments slic --vote cover", "--segments has no effect here: --vote cover grows a tree of its own"),
        ("--soft", "--soft has no effect here: nothing is kept without --out DIR"),
        ("--json --format csv", "--format has no effect here: --json chooses the format"),
        ("--segments slik", '--segments: no "slik"; did you mean slic? (one of none, felzenszwalb, slic, seeds)'),
        ("--vote mayority", '--vote: no "mayority"; did you mean majority?'),
        ("--size 20000", "--size: 20000 must be at least 0 and at most 16384"),
    ],
)
def test_what_has_no_effect_or_cannot_be_is_said(made: Path, small: Path, flags: str, why: str) -> None:
    assert said(percept("scene-parse", small, "--weights", made, *flags.split())).startswith(why)


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ("--connections full", "--connections has no effect here: only farabet has connection tables"),
        (f"--data {SIFT}", "scene-parse is trained on one --data"),
        ("--fold 9", "no split train-without-fold9, there is train, val, fold1, fold2, fold3, fold4, fold5"),
        ("--start general", "--start general: nothing in it fits pyramid"),
    ],
)
def test_a_training_that_cannot_be_is_said(flags: str, why: str, tmp_path: Path) -> None:
    words = ("train", "scene-parse", "--data", TINY, "--out", tmp_path / "run", *flags.split())
    assert why in said(percept(*words))
    assert not (tmp_path / "run").exists()


# Published sets


def test_sift_flow_is_trained_and_measured_word_for_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = typed("percept train scene-parse --data sift-flow")
    assert ran.code == 2 and "percept: data set sift-flow is not here (131 MB" in ran.err
    assert "It must be got by hand: http://www.cs.unc.edu" in ran.err
    shutil.copytree(SIFT, tmp_path / "data" / "sift-flow")
    monkeypatch.setenv("PERCEPT_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        for key, value in {"epochs": 2, "batch": 2, "crop": 32, "size": 64, "warmup": 0}.items():
            patch.setenv(f"PERCEPT_{key.upper()}", str(value))
        ran = typed("percept train scene-parse --data sift-flow")
    assert ran.code == 0, ran.err
    assert "sift-flow  train: 2 photos, 2,048 pixels" in ran.err and "awning" in ran.err
    ran = typed("percept eval scene-parse --data sift-flow --weights runs/scene-parse-sift-flow-1")
    assert ran.code == 0, ran.err
    rows = [line.split() for line in ran.lines]
    start = rows.index(["class", "recall", "precision", "IoU", "share"]) + 1
    classes = {row[0]: row[1:] for row in rows[start : start + 33]}
    assert list(classes)[:2] == ["awning", "balcony"] and list(classes)[-1] == "window" and rows[start + 33] == []
    there = {name for name, cells in classes.items() if cells != ["-"] * 4}
    assert there == {"building", "person", "road", "sky"}, "the others are dashes"
    assert "nan" not in ran.out.lower()
    assert "1 photo is scored here; the published figures are on SIFT Flow's 200 test photos" in ran.out
    assert "trained with natural sampling" in ran.out and "published, not measured" in ran.out
    ran = typed("percept eval scene-parse --data sift-flow --split choosing --weights runs/scene-parse-sift-flow-1")
    assert ran.code == 0 and "these weights have seen 1 of the 1 photos: the scores are no test" in ran.err


def test_info_names_the_first_photos_only(made: Path, tmp_path: Path) -> None:
    read = checkpoint.load(made)
    names = [f"photo-{number:03d}" for number in range(300)]
    header = {**read.header, "data": {**read.header["data"], "names": names}}
    checkpoint.save(tmp_path / "many.safetensors", read.tensors, header)
    ran = percept("info", tmp_path / "many.safetensors")
    assert ran.code == 0 and "photo-011" in ran.out and "... (300)" in ran.out and "photo-012" not in ran.out


def test_an_evaluation_tells_both_with_the_vote_and_without(made: Path, tmp_path: Path) -> None:
    words = ("eval", "scene-parse", "--data", TINY, "--weights", made)
    alone = percept(*words, "--json").json["metrics"]
    flags = ("--segments", "felzenszwalb", "--vote", "soft", "--out", tmp_path / "out")
    ran = percept(*words, *flags, "--json")
    metrics = ran.json["metrics"]
    names = ("pixel_accuracy", "class_accuracy", "mean_iou", "fw_iou", "boundary_f1")
    assert set(metrics) == {*names, *(f"{name}_no_vote" for name in names)}
    for name in names:
        assert alone[name] == alone[f"{name}_no_vote"] == metrics[f"{name}_no_vote"]
    assert metrics["pixel_accuracy"] != alone["pixel_accuracy"]
    files = ["confusion.png", "images/val/bus_in_rain.jpg", "images/val/park_bench.jpg"]
    assert sorted(ran.json["files"]) == [str(tmp_path / "out" / name) for name in files]
    assert all(Path(file).is_file() for file in ran.json["files"])
    table = percept(*words, *flags)
    assert "net alone  + soft vote, felzenszwalb" in table.out
    assert max(len(line) for line in table.lines[:-1]) <= 80
    ran = percept("eval", "scene-parse", "--data", SIFT, "--weights", made)
    assert "these weights know no class awning, balcony, bird" in said(ran)


def test_an_evaluation_of_a_sequence_tells_how_steady_it_is(made: Path, tmp_path: Path) -> None:
    words = ("eval", "scene-parse", "--weights", made, "--temporal", "--data")
    assert said(percept(*words, TINY)) == "--temporal: these photos are no frames of a sequence"
    for kind, suffix in (("images", ".jpg"), ("labels", ".png")):
        (tmp_path / kind).mkdir()
        for film, photo in (("one", "bus_in_rain"), ("two", "park_bench")):
            for number in range(2):
                copy = tmp_path / kind / f"{film}_{number:06d}{suffix}"
                shutil.copy((TINY / kind / "val" / photo).with_suffix(suffix), copy)
    shutil.copy(TINY / "classes.txt", tmp_path)
    ran = percept(*words, tmp_path, "--json")
    assert ran.code == 0, ran.err
    steady = ran.json["temporal"]
    assert list(steady) == ["each frame alone", "steadied", "the truth itself"]
    for way in steady.values():
        assert way["flicker"] == 0 and way["consistency"] == 100, "the same frame twice, and then another film"


# Bad data: one line, before anything is written


def relabelled(edit: Callable[[np.ndarray], np.ndarray], colours: bool = True) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with Image.open(folder / LABELS) as picture:
            values, palette = np.asarray(picture), picture.getpalette()
        new = Image.fromarray(edit(values))
        if colours and palette is not None and new.mode == "L":
            new.putpalette(palette)
        new.save(folder / LABELS)

    return change


def another(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[3, 5:7] = 7
    return values


def two_classes(folder: Path) -> None:
    """0 and 255, and a list of two classes that names no void."""
    for path in (folder / "labels").rglob("*.png"):
        with Image.open(path) as picture:
            Image.fromarray(255 * (np.asarray(picture) > 1).astype(np.uint8)).save(path)
    (folder / "classes.txt").write_text("other\nthing\n")


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:150])


def without_labels(folder: Path) -> None:
    shutil.rmtree(folder / "labels" / "train")
    (folder / "labels" / "train").mkdir()


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "size": (
        relabelled(lambda values: values[:40, :50]),
        f"{LABELS}: 50 x 40 pixels, where its photo horse_marsh.jpg has 96 x 61",
    ),
    "value": (relabelled(another), f"{LABELS}: value 7 at (5, 3) is not in the class list"),
    "grey": (relabelled(another, colours=False), f"{LABELS}: value 7 at (5, 3) is not in the class list"),
    "sixteen bits": (
        relabelled(lambda values: values.astype(np.uint16) * 257),
        f"{LABELS}: value 257 at (0, 0) is not in the class list",
    ),
    "RGBA": (
        relabelled(lambda values: np.repeat(values[..., None], 4, 2)),
        f"{LABELS}: colour 1 1 1 at (0, 0) is not in the class list",
    ),
    "no void": (two_classes, "the labels hold 0 and 255 only, and 255 is void by custom: nothing would be thing"),
    "cut": (lambda folder: shorten(folder / LABELS), f"{LABELS}: cut off after 150 bytes"),
    "none": (without_labels, "no photo with labels in train; images/train/horse_marsh.jpg: no labels/train/"),
    "no list": (lambda folder: (folder / "classes.txt").unlink(), "classes.txt: not there; it names the classes in"),
}
NO_SET = ("none", "no list")  # of these there is nothing to look through


@pytest.mark.parametrize("wrong", BAD)
def test_labels_that_cannot_be_are_refused_with_file_and_place(wrong: str, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(TINY, folder)
    spoil, why = BAD[wrong]
    spoil(folder)
    assert why in said(percept("train", "scene-parse", "--data", folder, "--out", tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    if wrong not in NO_SET:
        ran = percept("data", "check", folder)
        assert ran.code == 0 and why in " ".join(ran.out.split())


def test_an_evaluation_refuses_such_labels_in_one_line(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(TINY, folder)
    words = ("eval", "scene-parse", "--data", folder, "--split", "train", "--weights", made)
    for wrong in ("size", "value", "cut"):
        shutil.copy(TINY / LABELS, folder / LABELS)
        spoil, why = BAD[wrong]
        spoil(folder)
        ran = percept(*words)
        assert why in said(ran) and len(ran.err.splitlines()) == 1
    (folder / LABELS).unlink()
    assert percept(*words, "--json").json["count"] == 4, "a photo without labels is left out"


@pytest.mark.parametrize("content", [b"", b"no MATLAB at all " * 20, None])
def test_a_corrupt_mat_is_one_line(content: bytes | None, tmp_path: Path) -> None:
    folder = tmp_path / "sift-flow"
    shutil.copytree(SIFT, folder)
    path = next((folder / "SemanticLabels").rglob("park_bench.mat"))
    path.write_bytes(path.read_bytes()[:200] if content is None else content)
    line = said(percept("train", "scene-parse", "--data", folder, "--out", tmp_path / "run"))
    why = {b"": "an empty file", None: "cut off: "}.get(content, "no .mat file of version 5 to 7")
    assert line.startswith(f"{path}: {why}")
    assert not (tmp_path / "run").exists()


def test_labels_of_colours_with_alpha_and_of_sixteen_bits_are_read_as_they_mean(tmp_path: Path) -> None:
    counts = []
    for name, edit in (
        ("palette", lambda picture: picture),
        ("alpha", lambda picture: picture.convert("RGBA")),
        ("deep", lambda picture: Image.fromarray(np.asarray(picture).astype(np.uint16))),
    ):
        folder = tmp_path / name
        shutil.copytree(TINY, folder)
        for path in (folder / "labels").rglob("*.png"):
            with Image.open(path) as picture:
                edit(picture).save(path)
        counts.append(percept("data", "check", folder, "--json").json["classes"])
    assert counts[0] == counts[1] == counts[2]
