"""Stereo data: the pairs of a split, and one pair with its truth and the pixels that both views see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from percept.core.errors import InputError, UsageError, nearest
from percept.vision.image import read_sample
from percept.vision.stereo.formats import read_truth, read_values
from percept.vision.stereo.layouts import MIDDLEBURY, Found, Scene, find

__all__ = ["Pair", "Scene", "consistent", "read_pair", "read_scenes", "recognise", "rounded_up", "splits"]
LAYOUTS = "Middlebury, KITTI, ETH3D, Scene Flow, or left/, right/ and disp/ with files of the same names"
STEP = 16  # numbers of disparities are multiples of it


@dataclass(frozen=True)
class Pair:
    """One pair, read.

    left, right: (H, W, 3) uint8 RGB; truth: (H, W) float32 pixels, NaN where unknown; visible: (H, W) bool, known and
    seen by both views; right_truth: as truth, of the right view, or None; ndisp: disparities 0 .. ndisp - 1.
    """

    left: np.ndarray
    right: np.ndarray
    truth: np.ndarray
    visible: np.ndarray
    right_truth: np.ndarray | None = None
    ndisp: int = 0


def recognise(folder: Path) -> str | None:
    """What a folder holds: "middlebury", "kitti", "eth3d", "sceneflow", "folder", "several" of them, or None."""
    if not Path(folder).is_dir():
        return None
    with _readable(folder):
        kinds = {_kind(found.label) for found in find(folder)}
    return "several" if len(kinds) > 1 else next(iter(kinds), None)


def splits(folder: Path) -> tuple[str, ...]:
    """The splits of a folder, ("all",) where it has none; raises UsageError for an unknown layout.

    KITTI has train and val, one's own folder what it has of train, val and test; Middlebury's are its years and "v3".
    """
    return tuple(_table(folder))


def read_scenes(folder: Path, split: str) -> tuple[Scene, ...]:
    """The pairs of a split that have a truth, in the order of their names.

    "all" is every pair; "train" is every pair too where a set has no parts of its own. Of a set that is there in
    several sizes, both take the smallest.

    Raises:
        UsageError: an unknown layout, no such split, or no pairs.
    """
    table = _table(folder)
    if split == "train" and "train" not in table and "val" not in table:
        split = "all"
    if split not in table:
        raise UsageError(f"{folder}: no split {split}, there is {', '.join(table)}{nearest(split, table)}")
    if not table[split]:
        raise UsageError(f"{folder}: no pair with a truth in {split} (percept data check {folder})")
    return table[split]


def read_pair(scene: Scene) -> Pair:
    """Read both views and the truth.

    ``visible`` is the set's own mask (KITTI: the pixels of disp_noc) where there is one, else the pixels on which the
    truths of both views agree within 1 pixel, else all known pixels.

    Raises:
        UsageError: no truth, a file that cannot be read, or sizes that differ; the message names the file.
    """
    if scene.truth is None:
        raise UsageError(f"{scene.left}: a pair without truth")
    left, right = _view(scene, scene.left), _view(scene, scene.right)
    truth = _truth(scene.truth, scene.scale)
    right_truth = _truth(scene.right_truth, scene.scale) if scene.right_truth else None
    for path, array in ((scene.right, right), (scene.truth, truth), (scene.right_truth, right_truth)):
        if array is not None and array.shape[:2] != left.shape[:2]:
            one, other = ("{1} x {0}".format(*a.shape[:2]) for a in (array, left))
            raise UsageError(f"{path}: {one} pixels, where its left picture {scene.left.name} has {other}")
    known = np.isfinite(truth)
    if scene.mask is not None:
        visible = known & _unmasked(scene, truth.shape)
    elif right_truth is not None:
        visible = known & consistent(truth, right_truth)
    else:
        visible = known
    return Pair(left, right, truth, visible, right_truth, scene.ndisp or rounded_up(truth))


def consistent(truth: np.ndarray, right_truth: np.ndarray, tolerance: float = 1.0) -> np.ndarray:
    """(H, W) bool: both truths are known at the two ends of a match, and differ by at most ``tolerance`` pixels."""
    column = np.arange(truth.shape[1]) - np.nan_to_num(truth)  # (H, W)
    there = np.rint(column).astype(np.int64)
    inside = there >= 0
    seen = np.take_along_axis(right_truth, np.where(inside, there, 0), axis=1)
    with np.errstate(invalid="ignore"):
        return inside & (np.abs(truth - seen) <= tolerance)  # false where either is NaN


def rounded_up(truth: np.ndarray) -> int:
    """How many disparities hold all of a truth's, a multiple of 16."""
    known = truth[np.isfinite(truth)]
    largest = int(known.max()) if known.size else 0
    return -(-(largest + 1) // STEP) * STEP


def _table(folder: Path) -> dict[str, tuple[Scene, ...]]:
    """Split -> pairs, in the order in which splits are told."""
    folder = Path(folder)
    with _readable(folder):
        sets = find(folder) if folder.is_dir() else []
        if not sets:
            raise UsageError(f"{folder}: {_nothing(folder) if folder.is_dir() else 'no such folder'}")
    labels = {found.label for found in sets}
    several = [found for found in sets if found.label not in ("v3-half", "v3-full") or "v3" not in labels]
    table: dict[str, list[Scene]] = {}
    for part in ("train", "val", "test"):
        if any(found.parts.get(part) for found in sets):
            table[part] = [scene for found in several for scene in _part(found, part)]
    for found in sets:
        if found.label in MIDDLEBURY or len(sets) > 1:
            table[found.label] = found.scenes
    table["all"] = [scene for found in several for scene in found.scenes]
    return {split: _named_apart(scenes, folder) for split, scenes in table.items()}


def _nothing(folder: Path) -> str:
    """Why a folder holds no stereo data."""
    for place in (folder, *(folder / part for part in ("train", "val", "test"))):
        if (place / "left").is_dir() and (place / "right").is_dir():
            return f"no truth: {place.relative_to(folder) / 'disp'}/ is not there, beside left/ and right/"
    there = sorted(path.name for path in folder.iterdir())[:8]
    return f"no stereo data found: {LAYOUTS} expected, there is {', '.join(there) or 'nothing'}"


def _part(found: Found, part: str) -> list[Scene]:
    """Of a set without parts everything may be trained on."""
    return found.parts.get(part, []) if found.parts or part != "train" else found.scenes


def _named_apart(scenes: list[Scene], folder: Path) -> tuple[Scene, ...]:
    """Pairs of different sets or parts may have the same name: those are called by their place."""
    count = Counter(scene.name for scene in scenes)
    return tuple(
        replace(scene, name=scene.left.relative_to(folder).with_suffix("").as_posix())
        if count[scene.name] > 1
        else scene
        for scene in scenes
    )


def _kind(label: str) -> str:
    return "middlebury" if label in MIDDLEBURY else "kitti" if label.startswith("kitti") else label


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """Say in one line when the system refuses a file."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror or error}") from error


def _view(scene: Scene, path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB."""
    if scene.set != "sceneflow":
        return read_sample(path)
    # Scene Flow's fourth channel is no transparency: read_sample would lay the picture on white
    with _readable(path):
        bgr = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise UsageError(f"{path}: not a whole picture")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def _truth(path: Path, scale: float) -> np.ndarray:
    try:
        return read_truth(path, scale)
    except InputError as error:
        raise UsageError(f"{path}: {error}") from error


def _unmasked(scene: Scene, shape: tuple[int, ...]) -> np.ndarray:
    """(H, W) bool from the mask in the manner of its set."""
    assert scene.mask is not None
    try:
        values = read_values(scene.mask)
    except InputError as error:
        raise UsageError(f"{scene.mask}: {error}") from error
    if values.shape != shape:
        raise UsageError(f"{scene.mask}: {values.shape[1]} x {values.shape[0]} pixels, not those of {scene.left.name}")
    if scene.set.startswith("kitti"):
        return values > 0  # disp_noc
    return values == 0 if scene.set == "sceneflow" else values == 255  # Scene Flow marks what is occluded
