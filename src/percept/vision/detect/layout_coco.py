"""The COCO layout (Lin et al. 2014): for each split one JSON of images, annotations and categories."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from percept.core.errors import UsageError
from percept.vision.detect.photos import Label, LabelCheck, PhotoSet, find_photo

KEYS = ("images", "annotations", "categories")
OTHER_TASKS = ("captions", "person_keypoints", "panoptic", "stuff", "image_info")  # published beside the boxes
SPLIT_WORDS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test",)}
SNIFF_BYTES = 32 << 20  # a JSON below this size is read whole to see what it is; above it the published names decide


def coco_files(folder: Path) -> dict[str, Path]:
    """The annotation file of each split found: {"train": path, ...}, {"all": path} for one that names no split."""
    found: dict[str, Path] = {}
    paths = [path for pattern in ("annotations/*.json", "*.json", "*/*.json") for path in sorted(folder.glob(pattern))]
    paths = [path for path in dict.fromkeys(paths) if not path.name.startswith(OTHER_TASKS)]
    for path in sorted(paths, key=lambda path: not path.name.startswith("instances")):
        split = split_of(path.relative_to(folder))
        if split not in found and is_coco(path):
            found[split] = path
    return found


def split_of(path: Path) -> str:
    """The split that a file's or its folder's name speaks of, "all" if none: instances_train2017.json -> train."""
    for part in (path.stem, *reversed(path.parts[:-1])):
        words = re.findall(r"[a-z]+", part.lower())
        for split, known in SPLIT_WORDS.items():
            if any(word in known for word in words):
                return split
    return "all"


def is_coco(path: Path) -> bool:
    """Whether a JSON file is one of boxes."""
    try:
        if path.stat().st_size > SNIFF_BYTES:
            return path.name.startswith(("instances", "annotations", "_annotations"))
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return path.name.startswith(("instances", "_annotations.coco"))  # broken, but meant: the reader says how
    return isinstance(content, dict) and all(isinstance(content.get(key), list) for key in KEYS)


def read_coco(folder: Path, file: Path, split: str, split_found: str) -> PhotoSet:
    """The photos of one COCO JSON.

    Category ids are mapped to 0, 1, ... in rising order of id (COCO's 1..90 to 0..79); categories without boxes
    stay. `bbox` is x, y, width, height with 0-based edges; `iscrowd` becomes ignore; `area` is kept (mask area).
    Raises UsageError if the file is not COCO JSON or most photos are missing.
    """
    content = load(folder, file)
    check = LabelCheck(folder)
    names, index_of = class_table(check, file, content["categories"])
    labels = labels_by_image(check, file, content, index_of)
    bases = photo_folders(folder, file, split_found)
    ids: set[Any] = set()
    for index, image in enumerate(content["images"]):
        entry = f"image index {index}"
        if not isinstance(image, dict) or not isinstance(image.get("file_name"), str) or not hashable(image.get("id")):
            check.problem(file, "image without id or file_name", image, entry=entry)
            continue
        if image["id"] in ids:
            check.problem(file, "image id twice, only the first is used", image["id"], entry=entry)
            continue
        ids.add(image["id"])
        size = (image.get("width"), image.get("height"))
        stated = size if all(isinstance(side, int) and side > 0 for side in size) else None
        check.add(find_photo(bases, image["file_name"]), image["file_name"], file, labels.pop(image["id"], []), stated)
    for image_id, left in labels.items():
        if image_id not in ids:
            for label in left:
                check.problem(file, "box of a photo that is not listed", f"image_id {image_id}", entry=label.entry)
    return check.finish(names, "coco", split, split_found)


def load(folder: Path, file: Path) -> dict[str, Any]:
    """The parsed JSON, its three lists checked to be lists."""
    try:
        content = json.loads(file.read_bytes())
    except json.JSONDecodeError as error:
        raise UsageError(f"{file}: not JSON, line {error.lineno} column {error.colno}: {error.msg}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file}: cannot be read as JSON: {error}") from error
    missing = [key for key in KEYS if not isinstance(content, dict) or not isinstance(content.get(key), list)]
    if missing:
        raise UsageError(f"{file}: not COCO annotations: no list {', '.join(missing)}")
    return content


def class_table(check: LabelCheck, file: Path, categories: list[Any]) -> tuple[list[str], dict[int, int]]:
    """(names in the order of their ids, id -> index)."""
    by_id: dict[int, str] = {}
    for index, category in enumerate(categories):
        number = category.get("id") if isinstance(category, dict) else None
        name = category.get("name") if isinstance(category, dict) else None
        if type(number) is not int or not isinstance(name, str) or not name.strip():
            check.problem(file, "category without id or name", category, entry=f"category index {index}")
        elif number in by_id:
            check.problem(file, "category id twice, only the first is used", f"{number} {name}")
        else:
            by_id[number] = name.strip()
    if not by_id:
        raise UsageError(f"{file}: no categories")
    names: list[str] = []
    index_of: dict[int, int] = {}
    for number in sorted(by_id):
        if by_id[number] in names:
            check.problem(file, "two category ids with one name, joined", f"{number} {by_id[number]}", dropped=False)
        else:
            names.append(by_id[number])
        index_of[number] = names.index(by_id[number])
    return names, index_of


def labels_by_image(
    check: LabelCheck, file: Path, content: dict[str, Any], index_of: dict[int, int]
) -> dict[Any, list[Label]]:
    """image id -> its labels, not yet checked against the photo."""
    labels: dict[Any, list[Label]] = defaultdict(list)
    for index, annotation in enumerate(content["annotations"]):
        if not isinstance(annotation, dict) or not hashable(annotation.get("image_id")):
            check.problem(file, "annotation without image_id", annotation, entry=f"annotation index {index}")
            continue
        entry = f"annotation {annotation.get('id', '-')}, index {index}"
        bbox, category = annotation.get("bbox"), annotation.get("category_id")
        if not isinstance(bbox, list) or len(bbox) != 4 or not all(is_number(side) for side in bbox):
            check.problem(file, "bbox is not 4 numbers", bbox, entry=entry)
        elif not hashable(category) or category not in index_of:
            check.problem(file, "unknown category_id", category, entry=entry)
        else:
            x, y, width, height = (float(side) for side in bbox)
            area = annotation.get("area")
            area = float(area) if is_number(area) and 0 < area < float("inf") else None
            crowd = bool(annotation.get("iscrowd"))
            box = (x, y, x + width, y + height)
            labels[annotation["image_id"]].append(
                Label(box, index_of[category], crowd, area, entry=entry, value=f"bbox {bbox}")
            )
    return labels


def is_number(value: object) -> bool:
    """A JSON number that a float can hold (JSON's whole numbers have no bound)."""
    return type(value) is float or (type(value) is int and abs(value) < 1 << 53)


def hashable(value: object) -> bool:
    """What may serve as an id: JSON's numbers and strings."""
    return isinstance(value, (int, float, str))


def photo_folders(folder: Path, file: Path, split_found: str) -> list[Path]:
    """Where the photos of an annotation file may lie, likeliest first."""
    beside = file.parent
    words = [split_found, *SPLIT_WORDS.get(split_found, ())]
    year = re.search(r"(?:19|20)\d\d", file.stem)
    named = [folder / (split_found + year.group())] if year else []
    named += [base / word for base in (folder / "images", folder) for word in words]
    named += [folder / word / "images" for word in words]
    named += [folder / "images" / (split_found + year.group())] if year else []
    candidates = [*named, folder / "images", beside / "images", beside, folder, folder / "data", folder / "photos"]
    return [base for base in dict.fromkeys(candidates) if base.is_dir()]
