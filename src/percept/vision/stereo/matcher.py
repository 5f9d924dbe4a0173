"""The predictor: weights, inspection, matching and calibration joined; pairs of views in, ``StereoResult`` out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from percept.core import checkpoint, outputs, weights
from percept.core.console import say
from percept.core.device import Device, choose
from percept.core.errors import InputError, UsageError, named
from percept.core.sources import Item
from percept.vision import image, video
from percept.vision.stereo import calibration, cloud, decode, formats, inspection, pairing, picture, rectify, settings
from percept.vision.stereo.grey import grey_bytes
from percept.vision.stereo.networks import from_checkpoint
from percept.vision.stereo.options import Predict
from percept.vision.stereo.result import StereoResult

COLUMNS = ("width", "height", "max_disparity", "lowest", "highest", "filled")
FLAT = 2.0  # deviation of a frame's values below which it shows nothing yet


@dataclass
class Film:
    """What is remembered from one frame to the next."""

    name: str = ""
    reach: int = 0
    judged: bool = False


class Matcher:
    """Finds for each pixel of a left view where it lies in the right one.

    Attributes:
        network: what makes vectors of pixels, or None with ``--cost census``.
        about: what every JSON document begins with.
    """

    def __init__(
        self, options: Predict, network: nn.Module | None, header: dict[str, Any], shown: str, device: Device
    ) -> None:
        self.options, self.device = options, device
        self.asked = max_disparity(options.max_disp)
        _check_files(options)
        self.network = None if network is None else network.to(device.torch)
        self.matching = settings.CENSUS if network is None else settings.of_header(header)
        name = "census" if network is None else header["model"]["name"]
        self.about = {"task": "stereo", "model": name, "weights": shown, "device": str(device)}
        self._film = Film()
        self._warm = False
        self._calibrations: dict[str, calibration.Calibration] = {}  # by the left pictures' folder

    def predict(self, left: Any, right: Any = None) -> StereoResult:
        """Match one pair.

        Args:
            left, right: paths, PIL images, arrays (H, W), (H, W, 3) or (H, W, 4), or tensors (3, H, W), RGB. Without
                ``right``, ``left`` is a folder that holds a pair under known names (im0 and im1, left and right ...),
                or with ``side_by_side`` a picture that holds both views.

        Raises:
            InputError: no picture, no pair, or views that cannot be matched.
        """
        with named(left) as name:
            if right is None and name:
                return self._of_path(name)
            if right is None:
                views = self._of_one(image.to_rgb(left))
            else:
                other = str(right) if isinstance(right, str | Path) else ""
                views = pairing.Views(image.to_rgb(left), _right(right, other), name, other)
            return self._answer(Item(name, pairing.PLACE, None), views)

    def match(self, left: np.ndarray, right: np.ndarray, name: str = "") -> StereoResult:
        """Match two decoded views (H, W, 3) uint8 RGB; ``name`` is what the result and warnings call the pair.

        Raises:
            InputError: views of two sizes, one picture twice, left and right exchanged, or too narrow.
        """
        return self._answer(Item(name, pairing.PLACE, None), pairing.Views(left, right, name, ""))

    def stream(self) -> Iterator[outputs.Outcome]:
        """Answer the pairs of the options one after another, in bounded memory; a video ends where a frame fails."""
        options = self.options
        out = Path(options.out) if options.out else None
        for pair in pairing.resolve(options.inputs, out=out, side_by_side=options.side_by_side):
            with closing(pairing.read(pair, options.every)) as opened:
                for item, result in outputs.with_errors(opened, self._answer):
                    yield item, result
                    if isinstance(result, InputError):
                        break

    def deliver(self) -> int:
        """``percept stereo``: answers on stdout, maps and pictures under ``--out``; returns the exit code."""
        options = self.options
        out = Path(options.out) if options.out else None
        sink = Files(options, out) if out is not None else None
        form = "json" if options.json else "lines"
        to = outputs.Deliver(self.about, form, out, COLUMNS, {}, {}, sink)
        return to.run(self.stream(), strict=options.strict)

    def _of_path(self, name: str) -> StereoResult:
        pairs = pairing.resolve([name], side_by_side=self.options.side_by_side)
        if len(pairs) != 1:
            raise InputError(f"{len(pairs)} pairs; percept.predict answers one after another")
        if pairs[0].left.video and pairs[0].item.problem is None:
            raise InputError("a video; percept.predict answers its frames one after another")
        ((item, views),) = pairing.read(pairs[0])
        if isinstance(views, InputError):
            raise views
        return self._answer(item, views)

    def _of_one(self, rgb: np.ndarray) -> pairing.Views:
        if not self.options.side_by_side:
            raise InputError("one picture, not a pair: give left and right, or side_by_side=True if it holds both")
        return pairing.split(rgb)

    def _answer(self, item: Item, views: pairing.Views) -> StereoResult:
        began = time.perf_counter()
        left, right, cameras = views.left, views.right, None
        _check_sizes(left, right)
        height, width = left.shape[:2]
        if self.options.rectify:
            left, right, cameras = rectify.rectify(left, right, self.options.rectify)
        elif self.options.calib:
            cameras = self._calibration(views.left_name)
            cameras.check_size(width, height)
        if item.frame is None or item.name != self._film.name:
            self._film = Film(item.name)
        shown, (left, right) = left, self._alike(item, left, right)
        reach = self._reach(item, left, right, cameras)
        if not self._warm:
            decode.warm_up(self.network, self.options, self.matching, self.device)
            self._warm = True
        found = decode.match(
            self.network, left, right, options=self.options, matching=self.matching, device=self.device, max_disp=reach
        )
        return StereoResult(
            input=item.name,
            left=views.left_name,
            right=views.right_name,
            width=width,
            height=height,
            max_disparity=found.max_disp,
            disparity=found.disparity,
            confidence=found.confidence,
            filled=float(1 - np.mean(found.found)),
            image=shown,
            depth=None if cameras is None else calibration.depth(found.disparity, cameras),
            calibration=cameras,
            frame=item.frame,
            seconds=item.seconds,
            took=time.perf_counter() - began,
        )

    def _calibration(self, left: str) -> calibration.Calibration:
        """That of ``--calib``; the left picture's folder tells which of KITTI's two pairs of cameras took it."""
        folder = str(Path(left).absolute().parent) if left else ""
        if folder not in self._calibrations:
            self._calibrations[folder] = calibration.read_calibration(self.options.calib, folder)
        return self._calibrations[folder]

    def _alike(self, item: Item, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both in grey where one of them is."""
        grey = [_is_grey(view) for view in (left, right)]
        if grey[0] == grey[1]:
            return left, right
        if not self._film.judged:
            say(f"{item.name}: one view is grey, the other in colour; both are matched in grey")
        return _grey(left), _grey(right)

    def _reach(self, item: Item, left: np.ndarray, right: np.ndarray, cameras: calibration.Calibration | None) -> int:
        """The largest disparity to look for; the pair is looked at on the way.

        Raises:
            InputError: no pair of views, or narrower than the disparities asked for.
        """
        width = left.shape[1]
        if self.asked is not None and self.asked >= width:
            raise InputError(f"{width} pixels wide, too narrow for --max-disp {self.asked}")
        if self.asked is not None and self._film.judged:
            return self.asked  # nothing is left to look at a further frame for
        seen = inspection.inspect(left, right)
        if not self._film.judged:
            self._judge(item, left, seen)
        if self.asked is not None:
            return self.asked
        count = (cameras.ndisp if cameras is not None else None) or seen.max_disp  # both count from 0
        # of a video never less than for the frames before: a scale that jumps cannot be read
        self._film.reach = min(max(count - 1, self._film.reach), width - 1)
        return max(1, self._film.reach)

    def _judge(self, item: Item, left: np.ndarray, seen: inspection.Inspection) -> None:
        """Refuse what is no pair, and warn of what was not rectified; of a video by its first frame that says much."""
        if item.frame is not None and (left.std() < FLAT or not (seen.matches or seen.identical)):
            return  # faded in from black
        self._film.judged = True
        problems = seen.problems()
        if seen.identical or seen.swapped:
            raise InputError(problems[0])
        for problem in problems:
            say(f"{item.name}: {problem}")


def load(options: Predict) -> Matcher:
    """A matcher with its weights read (none for the census control) and its device chosen."""
    max_disparity(options.max_disp)
    if options.cost == "census":
        return Matcher(options, None, {}, "none", choose(options.device, options.threads, options.precision))
    shown, path = weights.resolve(options.weights, "stereo")
    read = checkpoint.load(path, task="stereo")
    device = choose(options.device, options.threads, options.precision)
    return Matcher(options, from_checkpoint(read), read.header, shown, device)


def max_disparity(text: str) -> int | None:
    """The number in ``--max-disp``, or None for auto.

    Raises:
        UsageError: neither "auto" nor a whole number of 1 or more.
    """
    if text.strip().lower() == "auto":
        return None
    if text.strip().isdecimal() and text.strip().isascii() and int(text) >= 1:
        return int(text)
    raise UsageError(f'--max-disp: "{text}" is neither auto nor a whole number of pixels of 1 or more')


class Files:
    """Writes what ``--save`` asks for under ``--out``: maps as numbers, pictures, clouds, and a video in colours."""

    def __init__(self, options: Predict, out: Path) -> None:
        self.options, self.out = options, out
        self._written: list[str] = []
        self._films = video.Films()
        self._warned = False

    def add(self, item: Item, result: StereoResult) -> dict[str, str]:
        """Write the files of one result; returns their paths."""
        files: dict[str, str] = {}
        save = self.options.save
        base = self.out / item.stem
        if "color" in save and item.frame is not None:
            files["color"] = self._add_frame(item, base, result)
        if item.frame is not None:
            base = base.with_name(f"{base.name}_{item.frame:06d}")
        if "disparity" in save:
            files["disparity"] = self._path(base, f"_disparity.{self.options.format}")
            self._warn_of_what_is_cut(item, result)
            result.save(files["disparity"])
            if result.depth is not None:
                files["depth"] = self._path(base, "_depth.pfm")
                formats.write_pfm(Path(files["depth"]), result.depth)
        if "color" in save and item.frame is None:
            files["color"] = self._path(base, "_color.png")
            image.write_image(Path(files["color"]), result.color())
        if "confidence" in save:
            files["confidence"] = self._path(base, "_confidence.png")
            picture.write_grey(Path(files["confidence"]), result.confidence)
        if "cloud" in save and result.calibration is not None and result.image is not None:
            files["cloud"] = self._path(base, "_cloud.ply")
            points = cloud.points(result.disparity, result.image, result.calibration)
            cloud.write_ply(Path(files["cloud"]), *points)
        return files

    def close(self) -> list[str]:
        """Finish the open video; returns all that was written."""
        self._films.close()
        return self._written

    def _warn_of_what_is_cut(self, item: Item, result: StereoResult) -> None:
        most = 65535 / formats.PNG_SCALE
        if self.options.format == "png" and result.range is not None and result.range[1] > most and not self._warned:
            self._warned = True
            say(f"{item.name}: disparities above {most:.0f} pixels do not fit into a .png; --format pfm holds all")

    def _path(self, base: Path, ending: str) -> str:
        path = str(base.with_name(base.name + ending))
        self._written.append(path)
        return path

    def _add_frame(self, item: Item, base: Path, result: StereoResult) -> str:
        path = base.with_name(f"{base.name}_color.mp4")
        if self._films.write(path, item, self.options.every, result.color(0, result.max_disparity)):
            self._written.append(str(path))
        return str(path)


def _check_files(options: Predict) -> None:
    """Raises UsageError for a calibration that cannot be used, whatever the pictures."""
    try:
        if options.rectify:
            with calibration.opened(Path(options.rectify)):
                pass
        elif options.calib:
            calibration.read_calibration(options.calib)
    except InputError as error:
        raise UsageError(f"--{'rectify' if options.rectify else 'calib'}: {error}") from error


def _right(value: Any, name: str) -> np.ndarray:
    try:
        return image.to_rgb(value)
    except InputError as error:
        raise InputError(f"right picture{' ' + name if name else ''}: {error}") from error


def _check_sizes(left: np.ndarray, right: np.ndarray) -> None:
    if left.shape != right.shape:
        one, two = (f"{view.shape[1]} x {view.shape[0]}" for view in (left, right))
        raise InputError(f"the left view is {one} pixels, the right one {two}")


def _is_grey(rgb: np.ndarray) -> bool:
    few = rgb[::3, ::3]
    return bool((few[..., 0] == few[..., 1]).all() and (few[..., 1] == few[..., 2]).all())


def _grey(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> the same without its colours."""
    return np.repeat(grey_bytes(rgb)[:, :, None], 3, axis=2)  # (H, W) -> (H, W, 3)
