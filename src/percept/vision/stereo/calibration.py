"""Calibrations of stereo cameras as data sets and OpenCV write them, and depth from disparity.

Depth is ``Z = baseline f / (d + doffs)``: f in pixels, doffs the distance of the principal points in pixels.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from percept.core.errors import InputError
from percept.core.kinds import unreadable

KINDS = "it is of no kind percept knows: Middlebury, KITTI, OpenCV"
UNREAD = "OpenCV cannot read {}: no YAML, XML or JSON of its kind, or damaged"
MOST = 2**20  # bytes; a calibration is a page of numbers
METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}
LONGEST = 10.0  # a longer baseline of a file that names no unit is in millimetres, not metres

Numbers = dict[str, np.ndarray]  # what a file says, flat


@dataclass(frozen=True)
class Calibration:
    """A rectified pair of cameras.

    Attributes:
        focal: in pixels. cx, cy: principal point of the left camera, in pixels.
        doffs: how much further right the principal point of the right camera is, in pixels.
        baseline_m: distance of the cameras, in metres.
        width, height: of the pictures that it is for, or None where the file does not say.
        ndisp: how many disparities, from 0, the file says are enough; None if it does not, or says all of the width.
        name: of the file.
    """

    focal: float
    cx: float
    cy: float
    doffs: float
    baseline_m: float
    width: int | None = None
    height: int | None = None
    ndisp: int | None = None
    name: str = "the calibration"

    def check_size(self, width: int, height: int) -> None:
        """Raises InputError for pictures of another size than the calibration is for, where it says one."""
        if self.width is not None and self.height is not None and (self.width, self.height) != (width, height):
            raise InputError(
                f"{self.name} is for pictures of {self.width} x {self.height} pixels, these have {width} x {height}"
            )


def read_calibration(path: str | Path, frame: str = "") -> Calibration:
    """The calibration in a file: Middlebury's calib.txt, KITTI's (raw, 2012, 2015, odometry), or OpenCV's YAML or XML.

    OpenCV: P1 and P2, or Q, as ``stereoRectify`` gives them. The unit of their baseline is what ``unit`` says (m, cm,
    mm); without it, metres up to LONGEST, millimetres beyond.

    frame: the folder of the left picture; of KITTI's four cameras image_0 (and image_1, image_00 ...) are the grey
        ones, P0 and P1; all else are the colour ones, P2 and P3.

    Raises:
        InputError: the message names what is missing.
    """
    path = Path(path)
    name = path.name
    text = _text(path)
    if text.lstrip("\ufeff").startswith(("%YAML", "<?xml", "{")):
        return _opencv(path, name)
    numbers = _numbers(text)
    if not numbers.keys().isdisjoint(("cam0", "baseline", "doffs")):
        return _middlebury(numbers, name)
    if any(re.fullmatch(r"P(_rect_0)?[0-3]", key) for key in numbers):
        return _kitti(numbers, name, frame)
    raise InputError(f"no cam0, P2 or P_rect_02 in {name}; {KINDS}")


def depth(disparity: np.ndarray, calibration: Calibration) -> np.ndarray:
    """(H, W) disparities in pixels -> (H, W) float32 depth in metres; NaN where there is none, or no end to it."""
    shifted = np.asarray(disparity, np.float32) + np.float32(calibration.doffs)
    shifted = np.where(shifted > 0, shifted, np.nan)  # NaN is not > 0 either
    with np.errstate(over="ignore"):
        metres = (np.float32(calibration.baseline_m * calibration.focal) / shifted).astype(np.float32)
    return np.where(np.isfinite(metres), metres, np.float32(np.nan))


@contextmanager
def opened(path: Path) -> Iterator[cv2.FileStorage]:
    """An OpenCV file of numbers.

    Raises:
        InputError: no such file, or one that OpenCV cannot read.
    """
    _text(path)
    try:
        storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
        whole = storage.isOpened() and storage.root().isMap()
    except (cv2.error, SystemError) as error:
        raise InputError(UNREAD.format(path.name)) from error
    if not whole:
        raise InputError(UNREAD.format(path.name))
    try:
        yield storage
    finally:
        storage.release()


def matrix(storage: cv2.FileStorage, *names: str) -> np.ndarray | None:
    """The first matrix in an OpenCV file that has one of these names, as float64; None if none has."""
    for name in names:
        node = storage.getNode(name)
        try:
            found = None if node.empty() else node.mat()
            if found is None and not node.empty() and node.isSeq():
                found = np.array([node.at(index).real() for index in range(node.size())])
        except (cv2.error, SystemError):  # a word, a list of words ...
            continue
        if found is not None and found.size and np.isfinite(np.asarray(found, np.float64)).all():
            return np.asarray(found, np.float64)
    return None


def size_in(storage: cv2.FileStorage) -> tuple[int, int] | None:
    """Width and height of the pictures that an OpenCV file is for, or None."""
    for name in ("image_size", "imageSize", "image_Size", "size", "ImageSize"):
        found = matrix(storage, name)
        if found is not None and found.size == 2:
            return int(found.flat[0]), int(found.flat[1])
    for wide, high in (("image_width", "image_height"), ("width", "height")):
        nodes = storage.getNode(wide), storage.getNode(high)
        if all(not node.empty() and (node.isInt() or node.isReal()) for node in nodes):
            return int(nodes[0].real()), int(nodes[1].real())
    return None


def in_metres(storage: cv2.FileStorage, baseline: float, name: str) -> float:
    """A length of an OpenCV file in metres: by its ``unit``, else metres up to LONGEST and millimetres beyond."""
    node = next((node for key in ("unit", "units") if not (node := storage.getNode(key)).empty()), None)
    if node is None:
        return baseline * METRES["m" if abs(baseline) <= LONGEST else "mm"]
    unit = node.string().strip().lower() if node.isString() else ""
    if unit not in METRES:
        raise InputError(f"unit in {name} is none of {', '.join(METRES)}")
    return baseline * METRES[unit]


# Below here: the kinds.


def _text(path: Path) -> str:
    if problem := unreadable(path):
        raise InputError(f"{path}: {problem}")
    with path.open("rb") as file:
        data = file.read(MOST + 1)
    if len(data) > MOST:
        raise InputError(f"{path.name} is too large for a calibration; {KINDS}")
    return data.decode("utf-8", errors="replace")


def _numbers(text: str) -> Numbers:
    """Lines of ``name=numbers`` or ``name: numbers``; brackets, semicolons and blanks more or less do not matter."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"\s*\ufeff?(\w+)\s*[=:]\s*(.*)", line)
        if match is None:
            continue
        try:
            values = np.array([float(word) for word in re.split(r"[\s;,\[\]]+", match[2]) if word])
        except ValueError:  # calib_time, comments
            continue
        if values.size and np.isfinite(values).all():
            found[match[1]] = values
    return found


def _middlebury(numbers: Numbers, name: str) -> Calibration:
    def one(key: str) -> float:
        if key not in numbers or numbers[key].size != 1:
            raise InputError(f"no {key} in {name}; {KINDS}")
        return float(numbers[key][0])

    def camera(key: str) -> np.ndarray:
        if key not in numbers or numbers[key].size != 9:
            raise InputError(f"no {key} in {name}; {KINDS}")
        return numbers[key].reshape(3, 3)  # (9,) -> (3, 3)

    baseline, left = one("baseline") / 1000, camera("cam0")
    doffs = camera("cam1")[0, 2] - left[0, 2] if "cam1" in numbers and "doffs" not in numbers else one("doffs")
    whole = {key: int(one(key)) for key in ("width", "height", "ndisp") if key in numbers}
    if whole.get("ndisp", 0) >= whole.get("width", math.inf):  # ETH3D's say the width: nothing is known
        del whole["ndisp"]
    return _sound(Calibration(left[0, 0], left[0, 2], left[1, 2], doffs, baseline, **whole, name=name))


def _kitti(numbers: Numbers, name: str, frame: str) -> Calibration:
    pairs = ((2, 3), (0, 1))
    if re.fullmatch(r"image_0?[01]", _last(frame)):
        pairs = pairs[::-1]
    # a file of one pair only is for that pair; one that has half of the pair it should have is broken
    first, second = next((pair for pair in pairs if any(_camera(numbers, one) is not None for one in pair)), pairs[0])
    cameras = []
    for one in (first, second):
        if (flat := _camera(numbers, one)) is None:
            key = f"P{one}" if any(re.fullmatch(r"P\d", key) for key in numbers) else f"P_rect_0{one}"
            raise InputError(f"no {key} of 12 numbers in {name}; {KINDS}")
        cameras.append(flat.reshape(3, 4))  # (12,) -> (3, 4)
    width, height = (None, None)
    if (size := numbers.get(f"S_rect_0{first}")) is not None and size.size == 2:
        width, height = int(size[0]), int(size[1])
    return _projected(*cameras, 1.0, width, height, name)


def _camera(numbers: Numbers, one: int) -> np.ndarray | None:
    found = (numbers.get(key) for key in (f"P{one}", f"P_rect_0{one}"))
    return next((flat for flat in found if flat is not None and flat.size == 12), None)


def _last(frame: str) -> str:
    """The last folder named in ``frame``, which KITTI's raw sequences follow with ``data``."""
    parts = [part for part in re.split(r"[/\\]", frame) if part and part != "data"]
    return parts[-1] if parts else ""


def _opencv(path: Path, name: str) -> Calibration:
    with opened(path) as storage:
        size = size_in(storage) or (None, None)
        left, right, q = matrix(storage, "P1"), matrix(storage, "P2"), matrix(storage, "Q")
        if left is not None and right is not None:
            if left.size != 12 or right.size != 12:
                raise InputError(f"P1 or P2 in {name} is not 3 x 4")
            cameras = left.reshape(3, 4), right.reshape(3, 4)
            unscaled = abs(cameras[0][0, 3] - cameras[1][0, 3]) / max(abs(cameras[0][0, 0]), 1e-9)
            unit = in_metres(storage, unscaled, name) / unscaled if unscaled else 1.0
            return _projected(*cameras, unit, *size, name)
        if q is not None:
            if q.size != 16 or q.reshape(4, 4)[3, 2] == 0:
                raise InputError(f"Q in {name} is not what stereoRectify gives")
            q = q.reshape(4, 4)
            baseline = in_metres(storage, abs(1 / q[3, 2]), name)
            return _sound(Calibration(q[2, 3], -q[0, 3], -q[1, 3], q[3, 3] / q[3, 2], baseline, *size, name=name))
        if matrix(storage, "R") is not None or matrix(storage, "K1", "M1") is not None:
            raise InputError(f"no P1 and P2, and no Q in {name}: its cameras are not rectified; give it to --rectify")
    raise InputError(f"no P1 and P2, and no Q in {name}; {KINDS}")


def _projected(
    left: np.ndarray, right: np.ndarray, unit: float, width: int | None, height: int | None, name: str
) -> Calibration:
    """From the projections (3, 4) of both cameras; ``unit`` is the length of theirs in metres."""
    if abs(right[1, 3] - left[1, 3]) > abs(right[0, 3] - left[0, 3]):
        raise InputError(f"the cameras of {name} lie above each other; percept matches views side by side")
    focal, doffs = float(left[0, 0]), float(right[0, 2] - left[0, 2])
    baseline = (left[0, 3] - right[0, 3]) / focal * unit if focal else math.nan
    return _sound(Calibration(focal, left[0, 2], left[1, 2], doffs, baseline, width, height, name=name))


def _sound(found: Calibration) -> Calibration:
    """``found``, of plain floats, if a pair of cameras can be so."""
    values = {key: float(getattr(found, key)) for key in ("focal", "cx", "cy", "doffs", "baseline_m")}
    for key, text in (("focal", "the focal length"), ("baseline_m", "the baseline")):
        if not (math.isfinite(values[key]) and values[key] > 0):
            hint = "; are left and right exchanged?" if key == "baseline_m" and values[key] < 0 else ""
            raise InputError(f"{text} in {found.name} is {values[key]:g}, which is not above 0{hint}")
    return Calibration(**values, width=found.width, height=found.height, ndisp=found.ndisp, name=found.name)
