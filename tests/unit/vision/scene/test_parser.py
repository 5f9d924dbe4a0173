"""The predictor: photos of every kind, frames that are steadied, and options that its weights cannot serve."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from percept.core import checkpoint, console
from percept.core.errors import InputError, UsageError
from percept.vision.image import read_image, write_image
from percept.vision.scene.networks import build
from percept.vision.scene.options import Predict
from percept.vision.scene.parser import Parser, load
from percept.vision.scene.result import SceneResult
from percept.vision.video import VideoWriter

NAMES = ("sky", "ground", "thing")
COLOURS = [[10, 20, 30], [128, 64, 128], [241, 134, 51]]
PHOTO = Path(__file__).resolve().parents[3] / "data" / "scene_tiny" / "images" / "train" / "village_bus.jpg"


@pytest.fixture(autouse=True)
def _talking() -> None:
    """Whatever a command in an earlier test was told."""
    console.configure(quiet=False, verbose=False)


def write_weights(path: Path, model: dict[str, object], **more: object) -> Path:
    """Random weights whose answer changes from place to place."""
    torch.manual_seed(0)
    network = build(model, len(NAMES))
    tensors = network.state_dict()
    if model["name"] == "pyramid":
        tensors["classifier.weight"] *= 100 / tensors["classifier.weight"].abs().max()
    header = {"task": "scene-parse", "model": model, "classes": list(NAMES), "colours": COLOURS, "size": 64, **more}
    checkpoint.save(path, tensors, header)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors", {"name": "pyramid"})


def parser(weights: Path, *inputs: object, **options: object) -> Parser:
    given = tuple(str(name) for name in inputs)
    return load(Predict(inputs=given, weights=str(weights), device="cpu", threads=1, **options))  # type: ignore[arg-type]


def street(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Frame of a sequence: a square that moves before sky and ground."""
    rgb = np.full((height, width, 3), (90, 140, 220), np.uint8)
    rgb[height // 2 :] = (150, 90, 60)
    rgb[14:34, 6 + 2 * number : 26 + 2 * number] = (230, 220, 60)
    return np.clip(rgb + np.random.default_rng(number).normal(0, 4, rgb.shape), 0, 255).astype(np.uint8)


def folder_of(path: Path, numbers: range) -> Path:
    for number in numbers:
        write_image(path / f"frame_{number:06d}.png", street(number))
    return path


def test_a_photo_has_one_answer_however_it_is_handed_over(weights: Path) -> None:
    ready, rgb = parser(weights), read_image(PHOTO)
    found = ready.predict(PHOTO)
    assert isinstance(found, SceneResult) and found.input == str(PHOTO)
    assert (found.width, found.height) == rgb.shape[1::-1] == found.labels.shape[::-1]
    assert found.names == NAMES and found.colours == tuple(map(tuple, COLOURS))
    assert found.probabilities.shape == (3, *(round(64 / 96 * side) for side in rgb.shape[:2])), "at the weights' size"
    np.testing.assert_allclose(found.probabilities.sum(0), 1, atol=1e-5)
    assert np.array_equal(found.image, rgb) and found.took > 0
    assert found.frame is None and found.steadied is None
    for other in (str(PHOTO), rgb, Image.fromarray(rgb), torch.from_numpy(rgb).permute(2, 0, 1)):
        again = ready.predict(other)
        assert np.array_equal(again.labels, found.labels)
        assert again.input == (other if isinstance(other, str) else "")


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 3), (30, 21), (20, 30, 4)])
def test_pictures_of_any_size_and_kind(weights: Path, shape: tuple[int, ...]) -> None:
    found = parser(weights).predict(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    assert found.labels.shape == shape[:2] and found.labels.max() < 3
    assert max(found.probabilities.shape[1:]) == 64


def test_the_size_asked_for_is_the_networks(weights: Path) -> None:
    found = parser(weights, size=96).predict(PHOTO)
    assert found.probabilities.shape[1:] == found.labels.shape


def test_the_mirrored_photo_has_the_mirrored_answer_when_both_are_asked(weights: Path) -> None:
    ready, rgb = parser(weights, tta=True), read_image(PHOTO)
    one, other = ready.predict(rgb), ready.predict(np.ascontiguousarray(rgb[:, ::-1]))
    np.testing.assert_allclose(other.probabilities[:, :, ::-1], one.probabilities, atol=1e-4)


def test_what_is_no_picture_is_said_with_its_name(weights: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    with pytest.raises(InputError, match=f"^{broken}: "):
        parser(weights).predict(broken)
    with pytest.raises(InputError, match=r"^(?!: )"):
        parser(weights).predict(np.zeros((4, 4, 7), np.uint8))


def test_only_classes_that_the_weights_know_can_be_shown(weights: Path) -> None:
    whole = parser(weights).predict(PHOTO)
    some = parser(weights, classes=("ground", "thing")).predict(PHOTO)
    assert np.array_equal(whole.labels, some.labels) and some.shown == ("ground", "thing")
    assert set(some.shares) == set(whole.shares) - {"sky"}
    with pytest.raises(UsageError, match='these weights know no class "grond".*ground'):
        parser(weights, classes=("grond",))


def test_a_cover_is_for_weights_of_farabet(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--vote cover: only weights of farabet"):
        parser(weights, vote="cover")
    model = {"name": "farabet", "connections": "paper", "seed": 0, "cover": True}
    farabet = write_weights(tmp_path / "farabet.safetensors", model)
    covered = parser(farabet, vote="cover", size=32).predict(PHOTO)
    alone = parser(farabet, size=32).predict(PHOTO)
    assert covered.probabilities.shape == alone.probabilities.shape
    np.testing.assert_allclose(covered.probabilities.sum(0), 1, atol=1e-4)
    assert not np.allclose(covered.probabilities, alone.probabilities, atol=1e-3)


def test_the_vote_of_the_weights_is_taken_unless_another_is_asked_for(tmp_path: Path) -> None:
    tuned = {"segments": "felzenszwalb", "vote": "soft"}
    path = write_weights(tmp_path / "tuned.safetensors", {"name": "pyramid"}, vote=tuned)
    voted, plain = parser(path).predict(PHOTO), parser(path, segments="none").predict(PHOTO)
    pixels = [len(np.unique(found.probabilities.reshape(3, -1), axis=1).T) for found in (voted, plain)]
    assert pixels[0] < pixels[1] / 5, "all pixels of a segment have one distribution"
    assert parser(path, vote="majority").how.vote == "majority"
    assert parser(path, vote="majority").how.segments == "felzenszwalb"


def test_weights_of_another_task_are_refused() -> None:
    with pytest.raises(UsageError, match='"imagenet" are for classify, not for scene-parse'):
        load(Predict(inputs=(), weights="imagenet", device="cpu", threads=1))


def test_frames_of_a_folder_are_steadied_one_after_the_other(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of(tmp_path / "walk" / "first", range(3, 7))
    folder_of(tmp_path / "walk" / "second", range(2))
    outcomes = list(parser(weights, tmp_path / "walk", temporal=True).stream())
    assert [Path(item.name).stem[-2:] for item, _ in outcomes] == ["03", "04", "05", "06", "00", "01"]
    steadied = [result.steadied for _, result in outcomes]
    assert [found is None for found in steadied] == [True, False, False, False, True, False], "each folder by itself"
    assert all(0 <= after <= before + 5 for before, after in filter(None, steadied))
    said = [line for line in capsys.readouterr().err.splitlines() if "of the labels changed a frame" in line]
    assert len(said) == 2 and "first: " in said[0] and "second: " in said[1]
    means = np.mean([found for found in steadied[:4] if found], axis=0)
    assert f"{means[0]:.1f} % of the labels changed a frame, steadied {means[1]:.1f} %" in said[0]


def test_photos_are_not_steadied_unless_asked_for(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    walk = folder_of(tmp_path / "walk", range(2))
    results = [result for _, result in parser(weights, walk).stream()]
    assert [result.steadied for result in results] == [None, None]
    assert "changed" not in capsys.readouterr().err
    steady = [result for _, result in parser(weights, walk, temporal=True).stream()]
    assert np.array_equal(steady[0].probabilities, results[0].probabilities), "the first frame has no past"
    assert not np.array_equal(steady[1].probabilities, results[1].probabilities)
    np.testing.assert_allclose(steady[1].probabilities.sum(0), 1, atol=1e-4)


def test_a_stream_that_is_asked_for_twice_begins_anew(weights: Path, tmp_path: Path) -> None:
    ready = parser(weights, folder_of(tmp_path / "walk", range(2)), temporal=True)
    one, other = ([result for _, result in ready.stream()] for _ in range(2))
    assert other[0].steadied is None
    assert all(np.array_equal(a.labels, b.labels) for a, b in zip(one, other, strict=True))


def test_a_video_is_parsed_frame_by_frame(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        with VideoWriter(tmp_path / f"{name}.mp4", rate=10) as film:
            for number in range(5):
                film.write(street(number))
    outcomes = list(parser(weights, tmp_path / "one.mp4", tmp_path / "two.mp4", temporal=True, every=2).stream())
    results = [result for _, result in outcomes]
    assert [result.frame for result in results] == [0, 2, 4] * 2
    assert [result.seconds for result in results] == pytest.approx([0.0, 0.2, 0.4] * 2)
    assert [result.steadied is None for result in results] == [True, False, False] * 2
    assert all(result.labels.shape == (48, 64) for result in results)
    assert capsys.readouterr().err.count("of the labels changed a frame") == 2
    assert "changed" in results[1].to_json()


def test_one_bad_input_does_not_stop_the_others(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of(tmp_path, range(1))
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    out = tmp_path / "out"
    ready = parser(weights, tmp_path / "bad.jpg", tmp_path / "frame_000000.png", json=True, out=str(out), soft=True)
    assert ready.deliver() == 1
    document = json.loads(capsys.readouterr().out)
    assert {"task", "model", "weights", "device"} <= set(document)
    assert (document["task"], document["model"]) == ("scene-parse", "pyramid")
    bad, good = document["results"]
    assert bad["input"].endswith("bad.jpg") and "error" in bad
    assert sum(entry["share"] for entry in good["classes"]) == pytest.approx(1, abs=1e-4)
    assert {path.name for path in out.iterdir()} == {
        f"frame_000000_{what}" for what in ("labels.png", "overlay.jpg", "soft.npz")
    }
    labels = cv2.imread(str(out / "frame_000000_labels.png"), cv2.IMREAD_UNCHANGED)
    assert labels.shape[:2] == (48, 64)
