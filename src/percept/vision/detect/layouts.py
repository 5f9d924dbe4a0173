"""The published layouts of detection data: which one a folder has, and the photos of a split."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from percept.core.errors import UsageError, nearest
from percept.vision.detect.layout_coco import coco_files, read_coco
from percept.vision.detect.layout_voc import read_voc, voc_root, voc_splits
from percept.vision.detect.layout_yolo import is_yolo, read_yolo, yolo_splits
from percept.vision.detect.photos import PhotoSet

LAYOUTS = "COCO (JSON of images, annotations, categories), Pascal VOC (Annotations/*.xml) or YOLO (labels/*.txt)"


def recognise(folder: Path) -> str | None:
    """The layout of a folder, by its content: "coco", "voc", "yolo" or None."""
    if not folder.is_dir():
        return None
    if coco_files(folder):
        return "coco"
    if voc_root(folder) is not None:
        return "voc"
    return "yolo" if is_yolo(folder) else None


def splits(folder: Path) -> tuple[str, ...]:
    """The splits that a folder holds, ("all",) where it has none; raises UsageError for an unknown layout."""
    with readable(folder):
        found = found_splits(Path(folder))[1]
    usual = ("train", "val", "trainval", "test")
    return tuple(sorted(found, key=lambda split: usual.index(split) if split in usual else len(usual)))


def read_photos(folder: Path, split: str) -> PhotoSet:
    """The photos of `split` ("train", "val", "test", or a name that the folder itself uses), labels checked.

    A folder without splits serves every split with all its photos and says so by `split_found == "all"`.
    Raises UsageError if the layout is unknown, the split is not there, or the labels cannot be those of the photos.
    """
    folder = Path(folder)
    with readable(folder):
        layout, found = found_splits(folder)
        split_found = split if split in found else "all"
        if split_found not in found:
            raise UsageError(f"{folder}: no split {split}, there is {', '.join(found)}{nearest(split, found)}")
        if layout == "coco":
            return read_coco(folder, found[split_found], split, split_found)
        if layout == "voc":
            return read_voc(voc_root(folder) or folder, found[split_found], split, split_found)
        return read_yolo(folder, found[split_found], split, split_found)


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Say in one line when the system refuses a file."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror or error}") from error


def found_splits(folder: Path) -> tuple[str, dict]:
    """(layout, split -> where its photos are listed)."""
    layout = recognise(folder)
    if layout is None:
        there = sorted(path.name for path in folder.iterdir())[:8] if folder.is_dir() else []
        what = f"no detection data found: {LAYOUTS} expected, there is {', '.join(there) or 'nothing'}"
        raise UsageError(f"{folder}: {what if folder.is_dir() else 'no such folder'}")
    if layout == "coco":
        return layout, coco_files(folder)
    found = voc_splits(voc_root(folder) or folder) if layout == "voc" else yolo_splits(folder)
    if not found:
        raise UsageError(f"{folder}: labels but no photos")
    return layout, found
