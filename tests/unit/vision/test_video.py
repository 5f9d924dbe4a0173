from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from percept.core.errors import InputError, PerceptError, Stopped, UsageError
from percept.vision import video
from percept.vision.video import SUFFIXES, VideoWriter, frames, rate


def shade(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """(H, W, 3) uint8: red grows with the frame's number, green 40, blue falls."""
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[:] = (min(255, 8 * number), 40, max(0, 255 - 8 * number))
    return rgb


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "straße 1.mp4"
    with VideoWriter(path, rate=12.5) as film:
        for number in range(30):
            film.write(shade(number))
    return path


def resident() -> int:
    """Bytes of memory in use now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_what_was_written_is_read_in_order_with_times_and_colours(clip: Path) -> None:
    found = list(frames(clip))
    assert [number for number, _, _ in found] == list(range(30))
    assert [seconds for _, seconds, _ in found] == pytest.approx([number / 12.5 for number in range(30)])
    for number, _, rgb in found:
        assert rgb.shape == (48, 64, 3) and rgb.dtype == np.uint8
        assert np.abs(rgb.astype(float).mean((0, 1)) - shade(number)[0, 0]).max() < 6
    assert rate(clip) == 12.5
    assert [file.name for file in clip.parent.iterdir()] == [clip.name], "no temporary file is left"


def test_every_tenth_frame_keeps_its_number_and_time(clip: Path) -> None:
    found = [(number, seconds) for number, seconds, _ in frames(clip, every=10)]
    assert found == [(0, 0.0), (10, pytest.approx(0.8)), (20, pytest.approx(1.6))]


def test_an_odd_size_is_filled_up_not_cut(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "odd.mp4", rate=25) as film:
        film.write(shade(3, 47, 65))
    ((_, _, rgb),) = frames(tmp_path / "odd.mp4")
    assert rgb.shape == (48, 66, 3)


def test_a_long_video_needs_no_more_memory_than_a_short_one(clip: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    for _ in frames(clip):
        pass
    before = resident()
    for _ in range(60):  # 1,800 frames, 16 MB if they were kept
        for _ in frames(clip):
            pass
    assert resident() - before < 8e6


def test_broken_videos_say_what_they_are(clip: Path, tmp_path: Path) -> None:
    whole = clip.read_bytes()
    (tmp_path / "whole.mp4").write_bytes(whole)
    broken = {
        "cut.mp4": (whole[: len(whole) // 2], "cut off or damaged"),
        "empty.mp4": (b"", "an empty file"),
        "playlist.mp4": (b"ffconcat version 1.0\nfile whole.mp4\n", "not a video (it begins like text)"),
        "sly.mp4": (b"ffconcat version 1.0\nfile whole.mp4\n#\x00\x01", "not a video (of no known kind)"),
        "zip.avi": (b"PK\x03\x04" + bytes(100), "not a video (a zip archive)"),
        "noise.mkv": (bytes(range(1, 255)) * 20, "not a video (of no known kind)"),
    }
    for name, (data, says) in broken.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError) as error:
            list(frames(tmp_path / name))
        assert str(error.value) == says, name
        with pytest.raises(InputError):
            rate(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        next(frames(tmp_path / "none.mp4"))
    with pytest.raises(InputError, match="a folder"):
        next(frames(tmp_path))


def test_a_video_that_ends_too_early_gives_its_frames_and_then_says_so(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    random = np.random.default_rng(0)
    for _ in range(40):
        writer.write(random.integers(0, 255, (48, 64, 3), dtype=np.uint8))
    writer.release()
    assert len(list(frames(path))) == 40
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    seen = []
    with pytest.raises(InputError, match=r"^cut off or damaged after \d+ of 40 frames$"):
        for number, _, _ in frames(path):
            seen.append(number)
    assert seen == list(range(len(seen))) and 10 < len(seen) < 30


def test_frames_of_too_many_pixels_are_refused(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCEPT_MAX_PIXELS", "3000")
    with pytest.raises(InputError, match="64 x 48 pixels are more than 3,000"):
        next(frames(clip))


class Camera:
    """Stands in for a camera that gives three frames and is then unplugged."""

    def __init__(self, number: int) -> None:
        self.left, self.open = 3, number == 0

    def isOpened(self) -> bool:  # noqa: N802 (OpenCV's name)
        return self.open

    def grab(self) -> bool:
        self.left -= 1
        return self.left >= 0

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, shade(1)[:, :, ::-1]

    def release(self) -> None:
        self.open = False


def test_a_camera_runs_until_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video.cv2, "VideoCapture", Camera)
    flow = frames("camera:0", every=2)
    number, seconds, rgb = next(flow)
    assert number == 0 and 0 <= seconds < 5 and np.array_equal(rgb, shade(1))
    assert next(flow)[0] == 2
    with pytest.raises(InputError, match="the camera stopped after 3 frames"):
        next(flow)
    with pytest.raises(InputError, match="no such camera"):
        next(frames("camera:1"))
    assert rate("camera:0") == 25


def test_an_error_leaves_no_video_and_the_old_one_untouched(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), VideoWriter(path, rate=25) as film:
        film.write(shade(0))
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Stopped("stopped", 143)])
def test_a_stop_from_outside_keeps_the_frames_so_far(tmp_path: Path, stop: BaseException) -> None:
    path = tmp_path / "deep" / "out.mp4"
    with pytest.raises(type(stop)), VideoWriter(path, rate=25) as film:
        film.write(shade(0))
        film.write(shade(1))
        raise stop
    assert len(list(frames(path))) == 2
    assert [file.name for file in path.parent.iterdir()] == ["out.mp4"]


def test_a_video_that_did_not_reach_the_disk_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with (
        pytest.raises(PerceptError, match="0 of 1 frames were written; is the disk full"),
        VideoWriter(path, 25) as film,
    ):
        film.write(shade(0))
        film._writer.release()  # what a full disk leaves: a file that has lost its end
        next(tmp_path.glob(".video-*")).write_bytes(b"\x00\x00\x00\x18ftypmp42")
    assert list(tmp_path.iterdir()) == []


def test_no_frames_no_file_and_wrong_frames_are_refused(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "none.mp4", rate=25):
        pass
    assert list(tmp_path.iterdir()) == []
    with (
        pytest.raises(ValueError, match="a frame of 32 x 20 in a video of 64 x 48"),
        VideoWriter(tmp_path / "a.mp4", 25) as a,
    ):
        a.write(shade(0))
        a.write(shade(0, 20, 32))
    with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8"), VideoWriter(tmp_path / "a.mp4", 25) as a:
        a.write(shade(0).astype(float))
    with pytest.raises(UsageError, match=r'written as .mp4, not ".avi"'):
        VideoWriter(tmp_path / "a.avi", 25)
    assert list(tmp_path.iterdir()) == []


def test_a_rate_that_makes_no_sense_is_replaced(tmp_path: Path) -> None:
    for given in (0.0, float("nan"), float("inf"), -3.0):
        assert VideoWriter(tmp_path / "a.mp4", given).rate == 25


def test_suffixes() -> None:
    assert {".mp4", ".mov", ".avi", ".mkv", ".webm"} <= SUFFIXES
    assert all(suffix == suffix.lower() for suffix in SUFFIXES)
