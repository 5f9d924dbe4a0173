"""Views of two calibrated cameras, turned so that a thing lies on the same row of both."""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np

from percept.core.errors import InputError
from percept.vision.stereo.calibration import Calibration, in_metres, matrix, opened, size_in

# As OpenCV's own sample writes them (M1, D1), and as most others do; and which of its two files holds what.
CAMERAS = {"K1": ("K1", "M1"), "D1": ("D1",), "K2": ("K2", "M2"), "D2": ("D2",), "R": ("R",), "T": ("T",)}
COMPANIONS = {"intrinsics": "extrinsics", "extrinsics": "intrinsics"}
SHAPES = {"K1": 9, "K2": 9, "R": 9, "T": 3}
COEFFICIENTS = (4, 5, 8, 12, 14)  # how many numbers OpenCV's models of a lens have

Maps = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray], Calibration]


def rectify(left: np.ndarray, right: np.ndarray, path: str | Path) -> tuple[np.ndarray, np.ndarray, Calibration]:
    """Both views, (H, W, 3) uint8, rectified in the same size, and the calibration of the cameras so turned.

    Only what both cameras see whole is kept: no black borders. Principal points agree, so that ``doffs`` is 0.

    path: an OpenCV YAML or XML file with the cameras K1, K2 (or M1, M2), their lenses D1, D2 (none: no distortion) and
        from the left to the right camera R and T. OpenCV's sample puts them into intrinsics.yml and extrinsics.yml:
        name one, the other is found beside it. T is in what ``unit`` says (m, cm, mm); without it, in metres if it is
        no longer than 10, in millimetres beyond.

    Raises:
        InputError: the file lacks something, which is named, or is for pictures of another size.
    """
    if left.shape != right.shape:
        (height, width), (h, w) = left.shape[:2], right.shape[:2]
        raise InputError(f"left is {width} x {height} pixels, right {w} x {h}: views of one size are needed")
    path = Path(path)
    height, width = left.shape[:2]
    one, two, calibration = _maps(path, _changed(path), width, height)
    turned = (cv2.remap(view, *maps, cv2.INTER_LINEAR) for view, maps in ((left, one), (right, two)))
    return *turned, calibration


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except (OSError, ValueError):  # what is wrong is said when it is read
        return 0


@functools.lru_cache(maxsize=1)
def _maps(path: Path, changed: int, width: int, height: int) -> Maps:
    """Where each pixel comes from, for both views; kept for the next frame of a video."""
    found, size, metres = _cameras(path)
    name = path.name
    if size is not None and size != (width, height):
        raise InputError(
            f"{name} is for pictures of {size[0]} x {size[1]} pixels, these have {width} x {height}; "
            "take the pictures that it was made with, in their own size"
        )
    for key in ("K1", "K2"):
        if not (0 < found[key][0, 2] < width and 0 < found[key][1, 2] < height):
            raise InputError(
                f"{key} in {name} has its principal point at {found[key][0, 2]:.0f}, {found[key][1, 2]:.0f}, outside "
                f"the picture of {width} x {height} pixels: it is for pictures of another size"
            )
    r1, r2, p1, p2, *_ = cv2.stereoRectify(
        *(found[key] for key in ("K1", "D1", "K2", "D2")), (width, height), found["R"], found["T"],
        flags=cv2.CALIB_ZERO_DISPARITY, alpha=0,
    )  # fmt: skip
    if abs(p2[1, 3]) > abs(p2[0, 3]):
        raise InputError(f"the cameras of {name} lie above each other; percept matches views side by side")
    if p2[0, 3] >= 0:
        raise InputError(
            f"T in {name} has the right camera on the left; exchange the views, or the cameras in the file"
        )
    maps = [
        cv2.initUndistortRectifyMap(found[f"K{side}"], found[f"D{side}"], turn, camera, (width, height), cv2.CV_16SC2)
        for side, turn, camera in ((1, r1, p1), (2, r2, p2))
    ]
    focal = float(p1[0, 0])
    baseline = float(-p2[0, 3] / p2[0, 0] * metres)
    doffs = float(p2[0, 2] - p1[0, 2])
    about = Calibration(focal, float(p1[0, 2]), float(p1[1, 2]), doffs, baseline, width, height, name=name)
    return maps[0], maps[1], about


def _cameras(path: Path) -> tuple[dict[str, np.ndarray], tuple[int, int] | None, float]:
    """The matrices of a file and its companion, the size that they are for, and the length of T's unit in metres."""
    found: dict[str, np.ndarray] = {}
    size: tuple[int, int] | None = None
    metres = 1.0
    files = [path]
    companion = COMPANIONS.get(path.stem.lower())
    if companion is not None and (other := path.with_name(companion + path.suffix)).is_file():
        files.append(other)
    for file in files:
        with opened(file) as storage:
            size = size or size_in(storage)
            for key, names in CAMERAS.items():
                if key not in found and (value := matrix(storage, *names)) is not None:
                    found[key] = value
                    if key == "T" and (length := float(np.linalg.norm(value))):
                        metres = in_metres(storage, length, file.name) / length
    for key, names in CAMERAS.items():
        if key in ("D1", "D2"):
            found.setdefault(key, np.zeros(5))
            if found[key].size not in COEFFICIENTS:
                raise InputError(
                    f"{key} in {path.name} has {found[key].size} numbers; a lens has {_either(COEFFICIENTS)}"
                )
            found[key] = found[key].reshape(-1, 1)  # (1, n) or (n,) -> (n, 1)
        elif key not in found:
            raise InputError(
                f"no {' or '.join(names)} in {path.name}; --rectify needs K1, D1, K2, D2, R and T of OpenCV"
            )
        elif found[key].size != SHAPES[key]:
            if key == "R" and found[key].size == 3:
                found[key] = cv2.Rodrigues(found[key])[0]  # (3,) -> (3, 3): an axis, as long as the angle
                continue
            raise InputError(f"{key} in {path.name} has {found[key].size} numbers, not {SHAPES[key]}")
        else:
            found[key] = found[key].reshape(3, -1)  # (3, 3), or T (3, 1)
    return found, size, metres


def _either(counts: tuple[int, ...]) -> str:
    return f"{', '.join(map(str, counts[:-1]))} or {counts[-1]}"
