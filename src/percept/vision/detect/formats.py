"""Detections in the layouts that other tools read: CSV, COCO, Pascal VOC, YOLO. Each function gives the file's text."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import PurePath
from xml.etree import ElementTree

from percept.vision.detect.result import Detections

# XML 1.0 has no way to write these, escaped or not
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def header(video: bool = False) -> tuple[str, ...]:
    """The columns of `rows`."""
    return ("input", *(("frame", "seconds") if video else ()), "label", "score", "x0", "y0", "x1", "y1")


def rows(result: Detections, video: bool = False) -> list[tuple[str | int | float | None, ...]]:
    """One row an object, as `header` says."""
    when = (result.frame, None if result.seconds is None else round(result.seconds, 3)) if video else ()
    return [(result.input, *when, *row) for row in result.rows()]


def to_csv(results: Sequence[Detections]) -> str:
    """One line an object under one header; frame and seconds are columns if any result is of a video."""
    video = any(result.frame is not None for result in results)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header(video))
    for result in results:
        writer.writerows(rows(result, video))
    return text.getvalue()


def to_coco(results: Sequence[Detections]) -> str:
    """A COCO document (images, categories, annotations with scores) that reads back as a data set.

    Boxes are x y width height in pixels, category ids count from 1 in the order of the weights' classes, and
    ``file_name`` is the path below the folder that all inputs share.

    Raises:
        ValueError: the results are not of the same classes.
    """
    names = results[0].names if results else ()
    images: list[dict] = []
    annotations: list[dict] = []
    for result, file_name in zip(results, _below_shared_folder([one.input for one in results]), strict=True):
        if result.names != names:
            raise ValueError(f"{result.input}: its classes are not those of {results[0].input}")
        image = {"id": len(images) + 1, "file_name": file_name, "width": result.width, "height": result.height}
        if result.frame is not None:
            image["frame"] = result.frame
        if result.seconds is not None:
            image["seconds"] = round(result.seconds, 3)
        images.append(image)
        for label, (_, score, x0, y0, x1, y1) in zip(result.labels.tolist(), result.rows(), strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image["id"],
                    "category_id": label + 1,
                    "bbox": [x0, y0, round(x1 - x0, 2), round(y1 - y0, 2)],
                    "area": round((x1 - x0) * (y1 - y0), 2),
                    "iscrowd": 0,
                    "score": score,
                }
            )
    document = {
        "info": {"description": "detections by percept"},
        "images": images,
        "categories": [{"id": index + 1, "name": name} for index, name in enumerate(names)],
        "annotations": annotations,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def to_voc(result: Detections) -> str:
    """A Pascal VOC annotation: edges as whole pixel numbers from 1, both inclusive, inside the photo."""
    root = ElementTree.Element("annotation")
    _add(root, "folder", PurePath(result.input).parent.name)
    _add(root, "filename", PurePath(result.input).name)
    size = _add(root, "size")
    for tag, value in (("width", result.width), ("height", result.height), ("depth", 3)):
        _add(size, tag, value)
    _add(root, "segmented", 0)
    for label, (x0, y0, x1, y1) in zip(result.labels, result.boxes.tolist(), strict=True):
        entry = _add(root, "object")
        _add(entry, "name", result.names[label])
        _add(entry, "pose", "Unspecified")
        _add(entry, "truncated", 0)
        _add(entry, "difficult", 0)
        box = _add(entry, "bndbox")
        xmin, xmax = _inclusive(x0, x1, result.width)
        ymin, ymax = _inclusive(y0, y1, result.height)
        for tag, value in (("xmin", xmin), ("ymin", ymin), ("xmax", xmax), ("ymax", ymax)):
            _add(box, tag, value)
    ElementTree.indent(root, space="\t")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def to_yolo(result: Detections) -> str:
    """YOLO's lines "class cx cy w h score": centre and size as shares of the photo, classes counted from 0."""
    lines = []
    for label, score, (x0, y0, x1, y1) in zip(
        result.labels, result.scores.tolist(), result.boxes.tolist(), strict=True
    ):
        centre = f"{(x0 + x1) / 2 / result.width:.6f} {(y0 + y1) / 2 / result.height:.6f}"
        lines.append(f"{label} {centre} {(x1 - x0) / result.width:.6f} {(y1 - y0) / result.height:.6f} {score:.4f}\n")
    return "".join(lines)


# format -> (suffix of each photo's file, its text); format -> the text of the one file for all photos
PER_FILE: dict[str, tuple[str, Callable[[Detections], str]]] = {"voc": (".xml", to_voc), "yolo": (".txt", to_yolo)}
DOCUMENT: dict[str, Callable[[Sequence[Detections]], str]] = {"csv": to_csv, "coco": to_coco}


def _add(parent: ElementTree.Element, tag: str, value: object = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, tag)
    if value is not None:
        child.text = _NOT_IN_XML.sub("\ufffd", str(value))
    return child


def _inclusive(low: float, high: float, size: int) -> tuple[int, int]:
    """Continuous edges -> first and last pixel, counted from 1; a box keeps at least one pixel."""
    first, last = int(low + 0.5) + 1, int(high + 0.5)  # not round(), which takes 0.5 to 0 and 1.5 to 2
    if last < first:
        first = last = int((low + high) / 2) + 1  # thinner than a pixel: the one that it lies in
    return min(max(first, 1), size), min(max(last, 1), size)


def _below_shared_folder(inputs: Sequence[str]) -> list[str]:
    """Paths as COCO's file_name, without the folder that they all share.

    >>> _below_shared_folder(["photos/a.jpg", "photos/b/a.jpg"])
    ['a.jpg', 'b/a.jpg']
    """
    try:
        shared = os.path.commonpath([PurePath(name).parent for name in inputs])
    except ValueError:  # nothing given, or absolute and relative paths together
        return [PurePath(name).as_posix() for name in inputs]
    return [PurePath(name).relative_to(shared).as_posix() for name in inputs]
