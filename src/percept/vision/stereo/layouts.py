"""The published layouts of stereo data: Middlebury, KITTI, ETH3D, Scene Flow, and one's own left/ right/ disp/.

A folder is walked down to where one of them begins, so that a set may lie nested as its archives have it, and several
sets beside each other are read as one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from percept.vision.image import SUFFIXES
from percept.vision.stereo.formats import PNG_SCALE, TRUTH_SUFFIXES

DEPTH = 5  # folders between the one that was given and a set's scenes
CROWDED = 200  # files: a folder with more of them holds no further sets
MIDDLEBURY = ("v3", "v3-half", "v3-full", "2014", "2001", "2003", "2005", "2006")
NAMES_2001 = {"barn1", "barn2", "bull", "map", "poster", "sawtooth", "tsukuba", "venus"}
NAMES_2005 = {"art", "books", "dolls", "laundry", "moebius", "reindeer"}
# The same real scene, taken with another light or exposure, or rectified again.
SAME_SCENE = {"artl": "art", "motorcyclee": "motorcycle", "pianol": "piano", "playtablep": "playtable"}
# KITTI 2015 frames of which a small part of the set is made, and those of them that are kept for choosing.
KITTI_PART = {2, 3, 5, 7, 10, 12, 14, 18, 22, 26, 28, 30, 34, 36, 38}
KITTI_PART_VAL = {2, 3, 7, 30, 34, 36, 38}


@dataclass(frozen=True)
class Scene:
    """Where one pair lies and how its truth is read.

    Attributes:
        scale: what a disparity of 1 pixel is in an 8- or 16-bit truth; 0 where the truth is PFM.
        mask: where the pair's non-occluded pixels are marked, in the manner of its set.
        ndisp: disparities 0 .. ndisp - 1 that the set's own evaluation looks for; 0: as many as the truth has.
        set: 2001, 2003, 2005, 2006, 2014, v3, v3-half, v3-full, kitti2012, kitti2015, eth3d, sceneflow or folder.
        group: the same for pairs that show the same real scene, which belong into one split.
    """

    name: str
    left: Path
    right: Path
    truth: Path | None
    right_truth: Path | None = None
    mask: Path | None = None
    scale: float = 0.0
    ndisp: int = 0
    set: str = "folder"
    group: str = ""


@dataclass
class Found:
    """A set: its pairs, and those of its own train, val and test parts where it has any."""

    label: str
    scenes: list[Scene] = field(default_factory=list)
    parts: dict[str, list[Scene]] = field(default_factory=dict)


def find(folder: Path, depth: int = DEPTH) -> list[Found]:
    """The sets below a folder, in the order of their names; only names and a few headers are looked at."""
    merged: dict[str, Found] = {}
    for found in _walk(Path(folder), depth):
        into = merged.setdefault(found.label, Found(found.label))
        into.scenes += found.scenes
        for part, scenes in found.parts.items():
            into.parts.setdefault(part, []).extend(scenes)
    for label in ("v3-half", "v3-full"):  # a set that is there in one size only needs no longer name
        if label in merged and "v3" not in merged:
            merged["v3"] = replace(merged.pop(label), label="v3")
    order = {label: number for number, label in enumerate(MIDDLEBURY)}
    return sorted(merged.values(), key=lambda found: (order.get(found.label, len(order)), found.label))


def own_files(folder: Path) -> dict[str, dict[str, Path]]:
    """Of one's own folder: "left", "right" and "disp" -> stem -> file."""
    kinds = {"left": tuple(SUFFIXES), "right": tuple(SUFFIXES), "disp": TRUTH_SUFFIXES}
    return {side: {path.stem: path for path in _files(folder / side, endings)} for side, endings in kinds.items()}


def own_parts(folder: Path) -> dict[str, Path]:
    """Of one's own folder: split -> where its left/, right/ and disp/ lie; one split "all" where it has none."""
    if _is_own(folder):
        return {"all": folder}
    return {part: folder / part for part in ("train", "val", "test") if _is_own(folder / part)}


def _walk(folder: Path, depth: int) -> Iterator[Found]:
    readers: tuple[Callable[[Path], Found | None], ...] = (_kitti, _eth3d, _scene_flow, _own, _middlebury)
    for reader in readers:
        if found := reader(folder):
            yield found
            return
    if depth == 0 or not folder.is_dir():
        return
    entries = sorted(folder.iterdir())
    below = [path for path in entries if path.is_dir() and not path.name.startswith(".")]
    if len(entries) - len(below) <= CROWDED:
        for path in below:
            yield from _walk(path, depth - 1)


def _middlebury(folder: Path) -> Found | None:
    """One folder is one scene, whatever year it is of."""
    for reader in (_v3, _two_and_six, _one_and_five, _tsukuba):
        if scene := reader(folder):
            group = re.sub(r"(-(im)?perfect|(?<=teddy|cones)[qhf])$", "", scene.name.lower())
            return Found(scene.set, [replace(scene, group=SAME_SCENE.get(group, group))])
    return None


def _v3(folder: Path) -> Scene | None:
    left, right = _picture(folder, "im0"), _picture(folder, "im1")
    truth = _first(folder / "disp0GT.pfm", folder / "disp0.pfm")
    if not (left and right and truth):
        return None
    calib = _first(folder / "calib.txt")
    text = calib.read_text(encoding="utf-8", errors="replace") if calib else ""
    said = {key: int(value) for key, value in re.findall(r"^\s*(ndisp|width)\s*=\s*(\d+)", text, re.MULTILINE)}
    ndisp = said.get("ndisp", 0)
    label = "2014" if truth.name == "disp0.pfm" else "v3"
    if ndisp and ndisp == said.get("width"):  # ETH3D, whose calib.txt gives the width
        label, ndisp = "eth3d", 64
    elif label == "v3":
        label += {"trainingH": "-half", "trainingF": "-full"}.get(folder.parent.name, "")
    return Scene(
        folder.name,
        left,
        right,
        truth,
        _first(folder / "disp1GT.pfm", folder / "disp1.pfm"),
        _first(folder / "mask0nocc.png"),
        ndisp=-(-ndisp // 16) * 16,
        set=label,
    )


def _two_and_six(folder: Path) -> Scene | None:
    """2001 (truth x 8) and 2003 (quarter size x 4, half size x 2, full size x 1)."""
    left, right, truth = (_picture(folder, name) for name in ("im2", "im6", "disp2"))
    if not (left and right and truth):
        return None
    width, _ = _size(left)
    old = folder.name.lower() in NAMES_2001 or (not folder.name.lower().startswith(("cones", "teddy")) and width < 450)
    scale = 8 if old else max(1, round(1800 / max(1, width)))
    right_truth = _picture(folder, "disp6")
    return Scene(
        folder.name,
        left,
        right,
        truth,
        right_truth,
        # nonocc.png leaves a frame of the picture out and is there for three of these scenes only: both truths count
        None if right_truth else _picture(folder, "nonocc"),
        scale=scale,
        ndisp=32 if old else 256 // scale,
        set="2001" if old else "2003",
    )


def _one_and_five(folder: Path) -> Scene | None:
    """2005 and 2006: third size (370 rows, truth x 3), half size (555, x 2) and full size (1110, x 1)."""
    left, right, truth = (_picture(folder, name) for name in ("view1", "view5", "disp1"))
    if not (left and right and truth):
        return None
    _, height = _size(left)
    scale = min(3, max(1, round(1110 / max(1, height))))
    return Scene(
        folder.name,
        left,
        right,
        truth,
        _picture(folder, "disp5"),
        scale=scale,
        ndisp=-(-240 // scale // 16) * 16,
        set="2005" if folder.name.lower() in NAMES_2005 else "2006",
    )


def _tsukuba(folder: Path) -> Scene | None:
    left, right = (_picture(folder, f"scene1.row3.col{column}") for column in (3, 4))
    truth = _picture(folder, "truedisp.row3.col3")
    if not (left and right and truth):
        return None
    mask = _picture(folder, "nonocc")
    return Scene(folder.name, left, right, truth, None, mask, scale=16, ndisp=16, set="2001")


def _kitti(folder: Path) -> Found | None:
    """2015: disp_occ_0, disp_noc_0; 2012: disp_occ, disp_noc. Frames that end in _10 have a truth."""
    inside = folder / "training" if (folder / "training").is_dir() else folder
    sides = (("image_2", "image_3"), ("colored_0", "colored_1"), ("image_0", "image_1"))
    views = next(((inside / one, inside / two) for one, two in sides if (inside / one).is_dir()), None)
    kinds = (("kitti2015", "_0"), ("kitti2012", ""))
    kind = next((k for k in kinds if any((inside / f"disp_{what}{k[1]}").is_dir() for what in ("noc", "occ"))), None)
    if views is None or kind is None:
        return None
    label, ending = kind
    noc, occ = inside / f"disp_noc{ending}", inside / f"disp_occ{ending}"
    scenes = []
    for path in _files(occ if occ.is_dir() else noc, (".png",)):
        left, right = (_picture(view, path.stem) for view in views)
        if not (path.stem.endswith("_10") and left and right):
            continue
        frame = path.stem.removesuffix("_10")
        scenes.append(
            Scene(
                frame,
                left,
                right,
                path,
                None,
                _first(noc / path.name) if path.parent == occ else None,
                scale=PNG_SCALE,
                ndisp=192,
                set=label,
                group=f"{label}-{frame}",
            )
        )
    return Found(label, scenes, _kitti_parts(scenes)) if scenes else None


def _kitti_parts(scenes: list[Scene]) -> dict[str, list[Scene]]:
    numbers = [int(scene.name) if scene.name.isdecimal() else -1 for scene in scenes]
    if scenes[0].set == "kitti2015" and set(numbers) <= KITTI_PART:
        kept = [number in KITTI_PART_VAL for number in numbers]
    else:
        kept = [place % 5 == 4 for place in range(len(scenes))]
    both = zip(kept, scenes, strict=True)
    parts: dict[str, list[Scene]] = {"train": [], "val": []}
    for is_kept, scene in both:
        parts["val" if is_kept else "train"].append(scene)
    return parts


def _eth3d(folder: Path) -> Found | None:
    views, truths = folder / "two_view_training", folder / "two_view_training_gt"
    if not (views.is_dir() and truths.is_dir()):
        return None
    scenes = []
    for place in sorted(views.iterdir()):
        left, right = _picture(place, "im0"), _picture(place, "im1")
        truth = _first(truths / place.name / "disp0GT.pfm")
        if left and right and truth:
            mask = _first(truths / place.name / "mask0nocc.png")
            group = place.name.lower()
            scenes.append(Scene(place.name, left, right, truth, None, mask, 0.0, 64, "eth3d", group))
    return Found("eth3d", scenes) if scenes else None


def _scene_flow(folder: Path) -> Found | None:
    """frames_cleanpass/.../left/FRAME and right/, disparity/.../left/FRAME.pfm: nested alike in all three parts."""
    passes = (folder / f"frames_{kind}{ending}" for kind in ("cleanpass", "finalpass") for ending in ("", "_webp"))
    views, truths = next((path for path in passes if path.is_dir()), None), folder / "disparity"
    if views is None or not truths.is_dir():
        return None
    found = Found("sceneflow")
    for truth in sorted(truths.rglob("left/*.pfm")):
        sequence = truth.parent.parent.relative_to(truths)
        left, right = (_picture(views / sequence / side, truth.stem) for side in ("left", "right"))
        if not (left and right):
            continue
        scene = Scene(
            (sequence / truth.stem).as_posix(),
            left,
            right,
            truth,
            _first(truths / sequence / "right" / truth.name),
            _picture(folder / "occlusion" / sequence / "left", truth.stem),
            ndisp=192,
            set="sceneflow",
            group=sequence.as_posix().lower() if sequence.parts else truth.stem.lower(),
        )
        found.scenes.append(scene)
        if sequence.parts[:1] in (("TRAIN",), ("TEST",)):
            found.parts.setdefault(sequence.parts[0].lower(), []).append(scene)
    return found if found.scenes else None


def _is_own(folder: Path) -> bool:
    return all((folder / side).is_dir() for side in ("left", "right", "disp"))


def _own(folder: Path) -> Found | None:
    """Files that pair by their names; a truth is a 16-bit PNG x 256, PFM or NPY."""
    found = Found("folder")
    for part, place in own_parts(folder).items():
        files = own_files(place)
        for stem in sorted(files["left"].keys() & files["right"].keys() & files["disp"].keys()):
            truth = files["disp"][stem]
            scale = PNG_SCALE if truth.suffix.lower() not in (".pfm", ".npy") else 0.0
            views = files["left"][stem], files["right"][stem]
            scene = Scene(stem, *views, truth, scale=scale, group=stem.lower())
            found.scenes.append(scene)
            if part != "all":
                found.parts.setdefault(part, []).append(scene)
    return found if found.scenes or own_parts(folder) else None


def _first(*paths: Path) -> Path | None:
    return next((path for path in paths if path.is_file()), None)


def _picture(folder: Path, stem: str) -> Path | None:
    """The picture of this name, as published or re-encoded as PNG."""
    return _first(*(folder / f"{stem}{ending}" for ending in (".png", ".ppm", ".pgm", ".webp", ".jpg")))


def _files(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in endings and path.name[0] != ".")


def _size(path: Path) -> tuple[int, int]:
    """Width and height from the header, (0, 0) of a file that is no picture: reading it will say so."""
    try:
        with Image.open(path, formats=("PNG", "PPM", "JPEG", "WEBP")) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0, 0
