"""Videos and cameras, a frame at a time, in and out: a film of two hours needs no more memory than one of a second."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import re
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from percept.core import sources
from percept.core.errors import InputError, PerceptError, Stopped, UsageError
from percept.core.files import replacing
from percept.core.kinds import looks_like, unreadable
from percept.core.sources import Item
from percept.vision import image
from percept.vision.image import check_size

SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv", ".3gp", ".mts", ".m2ts"}
)
USUAL_RATE = 25.0  # frames a second, where a file or camera does not tell
CODECS = ("avc1", "mp4v")  # H.264 where OpenCV was built with an encoder for it, else MPEG-4 part 2

# What ffmpeg thinks of a broken file is said once, by us; -8 is its AV_LOG_QUIET, read when a video is first opened.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


def inputs(options: Any) -> Iterator[tuple[Item, np.ndarray | InputError]]:
    """The photos, and each ``--every``-th frame of the videos, that a command was given, decoded one by one."""
    out = Path(options.out) if options.out else None
    items = sources.resolve(options.inputs, image.SUFFIXES, out=out, videos=SUFFIXES)
    film = partial(frames, every=options.every)
    return sources.stream(items, image.read_image, image.SUFFIXES, videos=SUFFIXES, read_video=film)


def frames(source: Path | str, every: int = 1) -> Iterator[tuple[int, float, np.ndarray]]:
    """Each frame, or each ``every``-th: its number from 0, its time in seconds, and ``(H, W, 3)`` uint8 RGB, upright.

    source: a video's path, or ``"camera:0"``, whose frames never end and whose times count from the first.

    Raises:
        InputError: no video, no such camera, or a video that ends before its header says (after the frames it has).
    """
    camera = re.fullmatch(r"camera:(\d+)", source) if isinstance(source, str) else None
    if camera:
        yield from _camera(int(camera[1]), every)
        return
    with _opened(Path(source)) as video:
        rate, promised = _rate(video), video.get(cv2.CAP_PROP_FRAME_COUNT)
        number, seconds = 0, 0.0
        while video.grab():
            seconds = _seconds(video, number, rate, seconds)
            if number % every == 0:
                yield number, seconds, _frame(video, number)
            number += 1
    if number == 0:
        raise InputError("a video without a frame that can be decoded")
    # Both must fall short: the promise may be a guess from length and rate, and the rate of a phone's video varies.
    if number < 0.9 * promised and seconds < 0.9 * promised / rate - 1:
        raise InputError(f"cut off or damaged after {number:,} of {promised:,.0f} frames")


def rate(source: Path | str) -> float:
    """Frames a second of a video, or of ``"camera:0"``; 25 if they cannot be known.

    Raises:
        InputError: no video.
    """
    if isinstance(source, str) and source.startswith("camera:"):
        return USUAL_RATE
    with _opened(Path(source)) as video:
        return _rate(video)


class VideoWriter:
    """Writes frames to an .mp4 that appears under its name when it is complete, and not at all after an error.

    Stopped from outside (Ctrl-C, SIGTERM), it keeps the frames it has: that is how one ends a camera's film. Without a
    frame there is no file.

        with VideoWriter(Path("out.mp4"), rate=25) as video:
            video.write(rgb)
    """

    def __init__(self, path: Path, rate: float) -> None:
        if path.suffix.lower() != ".mp4":
            raise UsageError(f'{path}: videos are written as .mp4, not "{path.suffix}"')
        self.path = path
        self.rate = rate if math.isfinite(rate) and 0 < rate <= 1000 else USUAL_RATE
        self.count = 0
        self._size = (0, 0)
        self._temporary: Path | None = None
        self._writer: cv2.VideoWriter | None = None

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, rgb: np.ndarray) -> None:
        """Append one frame, ``(H, W, 3)`` uint8 RGB; all frames have the first one's size.

        Raises:
            ValueError: another shape.
            PerceptError: the folder may not be written, or no encoder takes frames of this size.
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise ValueError(f"expected (H, W, 3) uint8, got {rgb.shape} {rgb.dtype}")
        if self._writer is None:
            self._start(rgb.shape[1], rgb.shape[0])
        if (rgb.shape[1], rgb.shape[0]) != self._size:
            raise ValueError(
                f"a frame of {rgb.shape[1]} x {rgb.shape[0]} in a video of {self._size[0]} x {self._size[1]}"
            )
        # Encoders halve the colours' resolution: an odd last row or column is doubled, not lost.
        even = cv2.copyMakeBorder(rgb, 0, rgb.shape[0] % 2, 0, rgb.shape[1] % 2, cv2.BORDER_REPLICATE)
        self._writer.write(cv2.cvtColor(even, cv2.COLOR_RGB2BGR))
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._writer is not None:
                self._writer.release()
                if error is None or isinstance(error, (KeyboardInterrupt, Stopped, GeneratorExit)):
                    self._publish()
        finally:
            self._writer = None
            if self._temporary is not None:
                self._temporary.unlink(missing_ok=True)

    def _start(self, width: int, height: int) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".video-", suffix=".mp4")
        except OSError as error:
            raise PerceptError(f"{self.path}: cannot be written: {error.strerror or error}") from error
        os.close(handle)
        self._temporary = Path(name)
        for codec in CODECS:
            size = (width + width % 2, height + height % 2)
            with _quiet():
                writer = cv2.VideoWriter(name, cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), self.rate, size)
            if writer.isOpened():
                self._writer, self._size = writer, (width, height)
                return
        raise PerceptError(f"{self.path}: no encoder for a video of {width} x {height} pixels")

    def _publish(self) -> None:
        """The encoder does not tell when the disk is full: count what it wrote before the name is given."""
        assert self._temporary is not None
        try:
            with _opened(self._temporary) as video:
                written = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        except InputError:
            written = 0
        if written != self.count:
            raise PerceptError(f"{self.path}: {written:,} of {self.count:,} frames were written; is the disk full?")
        with replacing(self.path) as place:
            self._temporary.replace(place)


class Films:
    """Frames of one input after another, each input's in a film of its own, which is whole when the next one begins."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._writer: VideoWriter | None = None
        self._name = ""

    def write(self, path: Path, item: Item, every: int, rgb: np.ndarray) -> bool:
        """Append a frame, ``(H, W, 3)`` uint8 RGB, to the film ``path``; returns whether it is the film's first.

        Args:
            item: the frame; its input's name tells films apart, its input's rate by ``every`` is the film's.

        Raises:
            ValueError, PerceptError, UsageError: see :class:`VideoWriter`.
        """
        new = self._writer is None or item.name != self._name
        if new:
            self._open.close()
            self._writer = self._open.enter_context(VideoWriter(path, rate(item.path or item.name) / every))
            self._name = item.name
        assert self._writer is not None
        self._writer.write(rgb)
        return new

    def close(self) -> None:
        """Finish the open film, if there is one."""
        self._open.close()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    if problem := unreadable(path):
        raise InputError(problem)
    with path.open("rb") as file:
        what = looks_like(file.read(512))
    if what == "an empty file":
        raise InputError(what)
    # ffmpeg sees only what begins like a video: playlists (m3u8, ffconcat ...) would make it open the files they name.
    if not what.startswith(("a video", "a sound or video")):
        raise InputError(f"not a video ({what})")
    with _quiet():
        video = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)  # absolute: "concat:a|b" is a file's name here
    try:
        if not video.isOpened():
            raise InputError("cut off or damaged")
        check_size(int(video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(video.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        yield video
    finally:
        video.release()


def _camera(number: int, every: int) -> Iterator[tuple[int, float, np.ndarray]]:
    with _quiet():
        video = cv2.VideoCapture(number)
    try:
        if not video.isOpened():
            raise InputError("no such camera, or another program uses it")
        began = time.monotonic()
        for count in itertools.count():
            if not video.grab():
                raise InputError(f"the camera stopped after {count:,} frames")
            if count % every == 0:
                yield count, time.monotonic() - began, _frame(video, count)
    finally:
        video.release()


def _frame(video: cv2.VideoCapture, number: int) -> np.ndarray:
    good, bgr = video.retrieve()
    if not good or bgr is None:
        raise InputError(f"frame {number:,} cannot be decoded")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)  # (H, W, 3)


def _rate(video: cv2.VideoCapture) -> float:
    rate = video.get(cv2.CAP_PROP_FPS)
    return rate if math.isfinite(rate) and 0 < rate <= 1000 else USUAL_RATE


def _seconds(video: cv2.VideoCapture, number: int, rate: float, last: float) -> float:
    """When the frame just grabbed is shown; by its number where the file's own clock stands still or runs back."""
    seconds = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
    return seconds if math.isfinite(seconds) and (number == 0 or seconds > last) else max(last, number / rate)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without OpenCV's own messages: what went wrong is said once, by us."""
    before = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)
