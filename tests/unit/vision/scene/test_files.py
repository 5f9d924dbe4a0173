"""What lies under ``--out`` afterwards, under which names."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from percept.core.sources import Item
from percept.vision.image import read_image
from percept.vision.scene.files import Files
from percept.vision.scene.options import Predict
from percept.vision.scene.result import SceneResult
from percept.vision.video import VideoWriter, frames, rate

NAMES = ("sky", "road")


def answer(number: int = 0, frame: int | None = None) -> SceneResult:
    """(48, 64), the upper rows sky: one row more for each number; of 14 the road is gone."""
    labels = np.ones((48, 64), np.uint8)
    labels[: 20 + 2 * number] = 0
    return SceneResult(
        input="in",
        width=64,
        height=48,
        names=NAMES,
        colours=(),
        labels=labels,
        probabilities=np.full((2, 12, 16), 0.5, np.float32),
        image=np.full((48, 64, 3), 100, np.uint8),
        frame=frame,
        seconds=None if frame is None else frame / 10,
    )


def photo(stem: str) -> Item:
    return Item(f"{stem}.png", PurePosixPath(stem), Path(f"{stem}.png"))


def options(out: Path, **further) -> Predict:
    return Predict(inputs=("in",), out=str(out), **further)


def labels_in(path: str | Path) -> np.ndarray:
    with Image.open(path) as read:
        assert read.mode == "P"
        return np.asarray(read)


def test_a_photo_has_labels_and_an_overlay_in_its_folder(tmp_path: Path) -> None:
    files = Files(options(tmp_path), tmp_path)
    written = files.add(photo("town/street.2"), answer())
    assert written == {
        "labels": str(tmp_path / "town/street.2_labels.png"),
        "overlay": str(tmp_path / "town/street.2_overlay.jpg"),
    }
    assert np.array_equal(labels_in(written["labels"]), answer().labels)
    assert read_image(Path(written["overlay"])).shape == answer().overlay().shape
    files.add(photo("b"), answer())
    assert files.close() == [*written.values(), str(tmp_path / "b_labels.png"), str(tmp_path / "b_overlay.jpg")]
    assert {str(path) for path in tmp_path.rglob("*.*")} == set(files.close())


def test_soft_keeps_the_probabilities_too(tmp_path: Path) -> None:
    files = Files(options(tmp_path, soft=True), tmp_path)
    written = files.add(photo("a"), answer())
    assert written["soft"] == str(tmp_path / "a_soft.npz") and written["soft"] in files.close()
    with np.load(written["soft"], allow_pickle=False) as soft:
        assert soft["names"].tolist() == list(NAMES)
        assert soft["probabilities"].shape == (2, 12, 16) and (soft["probabilities"] == 0.5).all()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "in.mp4"
    with VideoWriter(path, rate=10) as writer:
        for _ in range(3):
            writer.write(np.zeros((48, 64, 3), np.uint8))
    return path


def frame_of(film: Path, number: int) -> Item:
    return Item(str(film), PurePosixPath(film.stem), film, frame=number, seconds=number / 10, video=True)


def test_a_video_has_one_film_and_labels_for_each_frame(tmp_path: Path, film: Path) -> None:
    out = tmp_path / "out"
    files = Files(options(out, soft=True), out)
    for number in range(3):
        written = files.add(frame_of(film, number), answer(7 * number, number))
        assert written["labels"] == str(out / f"in_00000{number}_labels.png")
        assert written["soft"] == str(out / f"in_00000{number}_soft.npz")
        assert written["overlay"] == str(out / "in_overlay.mp4")
        assert np.array_equal(labels_in(written["labels"]), answer(7 * number).labels)
    assert not (out / "in_overlay.mp4").exists(), "it appears when it is complete"
    written = files.close()
    assert len(written) == 7 and {Path(path).name for path in written} == {path.name for path in out.iterdir()}
    seen = [rgb for _, _, rgb in frames(out / "in_overlay.mp4")]
    assert len(seen) == 3 and rate(out / "in_overlay.mp4") == 10
    assert len({rgb.shape for rgb in seen}) == 1, "although the last frame has no road"
    assert seen[0].shape[0] > 48


def test_of_a_video_a_frame_in_two_makes_a_film_of_half_the_rate(tmp_path: Path, film: Path) -> None:
    out = tmp_path / "out"
    files = Files(options(out, every=2), out)
    for number in (0, 2):
        files.add(frame_of(film, number), answer(0, number))
    files.close()
    assert rate(out / "in_overlay.mp4") == 5


def test_two_videos_are_two_films(tmp_path: Path, film: Path) -> None:
    other = film.rename(tmp_path / "other.mp4")
    film.write_bytes(other.read_bytes())
    out = tmp_path / "out"
    files = Files(options(out), out)
    for path in (film, other):
        for number in range(2):
            files.add(frame_of(path, number), answer(number, number))
            assert (out / "in_overlay.mp4").exists() == (path is other), "the first is complete when the second begins"
    written = files.close()
    assert [Path(path).name for path in written if path.endswith(".mp4")] == ["in_overlay.mp4", "other_overlay.mp4"]
    assert [len(list(frames(out / f"{stem}_overlay.mp4"))) for stem in ("in", "other")] == [2, 2]


def test_numbered_pictures_of_a_folder_are_photos(tmp_path: Path) -> None:
    files = Files(options(tmp_path), tmp_path)
    for number in (1, 2):
        files.add(photo(f"walk/frame_{number:06d}"), answer(number))
    assert [Path(path).name for path in files.close()] == [
        "frame_000001_labels.png",
        "frame_000001_overlay.jpg",
        "frame_000002_labels.png",
        "frame_000002_overlay.jpg",
    ]
