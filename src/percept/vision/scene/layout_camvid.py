"""CamVid (Brostow, Fauqueur, Cipolla 2009): SegNet's copy with 11 classes, and the raw release with 32 colours.

SegNet's copy has train/ trainannot/ val/ valannot/ test/ testannot/; a value is the class, 11 void.
The raw release has photos and ``*_L.png``, RGB pictures in 32 colours, which are reduced to SegNet's classes so:

    sky         Sky
    building    Building, Archway, Bridge, Tunnel, Wall
    pole        Column_Pole, TrafficCone
    road        Road, LaneMkgsDriv, LaneMkgsNonDriv
    pavement    Sidewalk, ParkingBlock, RoadShoulder
    tree        Tree, VegetationMisc
    sign        SignSymbol, Misc_Text, TrafficLight
    fence       Fence
    car         Car, SUVPickupTruck, Truck_Bus, Train, OtherMoving
    pedestrian  Pedestrian, Child, CartLuggagePram, Animal
    bicyclist   Bicyclist, MotorcycleScooter
    void        Void
"""

from __future__ import annotations

import re
from pathlib import Path

from percept.vision.scene.photos import RGB, VOID, Codes, Found, Photo, Problem, files, inside, name_of, packed, several

SET = "camvid"
SHOWN = 5  # photos without labels that are named one by one
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
PARTS = ("train", "val", "test")
NAMES = ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist")
COLOURS = (
    (128, 128, 128),
    (128, 0, 0),
    (192, 192, 128),
    (128, 64, 128),
    (60, 40, 222),
    (128, 128, 0),
    (192, 128, 128),
    (64, 64, 128),
    (64, 0, 128),
    (64, 64, 0),
    (0, 128, 192),
)
RAW: dict[str, tuple[RGB, ...]] = {  # in the order of the table above
    "sky": ((128, 128, 128),),
    "building": ((128, 0, 0), (192, 0, 128), (0, 128, 64), (64, 0, 64), (64, 192, 0)),
    "pole": ((192, 192, 128), (0, 0, 64)),
    "road": ((128, 64, 128), (128, 0, 192), (192, 0, 64)),
    "pavement": ((0, 0, 192), (64, 192, 128), (128, 128, 192)),
    "tree": ((128, 128, 0), (192, 192, 0)),
    "sign": ((192, 128, 128), (128, 128, 64), (0, 64, 64)),
    "fence": ((64, 64, 128),),
    "car": ((64, 0, 128), (64, 128, 192), (192, 128, 192), (192, 64, 128), (128, 64, 64)),
    "pedestrian": ((64, 64, 0), (192, 128, 64), (64, 0, 192), (64, 128, 64)),
    "bicyclist": ((0, 128, 192), (192, 0, 192)),
}
CODES = Codes(((11, VOID), *((label, label) for label in range(len(NAMES)))), void="11")
RAW_CODES = Codes(
    colours=(
        (packed((0, 0, 0)), VOID),
        *((packed(colour), NAMES.index(name)) for name, colours in RAW.items() for colour in colours),
    ),
    void="colour 0 0 0",
)
FRAME = re.compile(r"(?P<video>[^_]+)_[a-zA-Z]?(?P<frame>\d+)$")  # 0001TP_006690, 0006R0_f00930, Seq05VD_f00000


def is_camvid(folder: Path) -> bool:
    """Whether the folder has SegNet's parts, or the raw release's ``*_L.png``."""
    return any(_is_part(folder, part) for part in PARTS) or _raw_labels(folder) is not None


def find_camvid(folder: Path) -> Found:
    """SegNet's parts; of the raw release the same parts, by the numbers of the frames."""
    if not any(_is_part(folder, part) for part in PARTS):
        return _find_raw(folder)
    splits, problems = {}, {}
    for part in PARTS:
        if _is_part(folder, part):
            splits[part], problems[part] = _part(folder, part)
    return Found(SET, folder, NAMES, COLOURS, CODES, splits, problems)


def frame_of(stem: str) -> tuple[str, int]:
    """Sequence and frame, ("", -1) of a name that tells none.

    >>> frame_of("0006R0_f00930")
    ('0006R0', 930)
    """
    found = FRAME.fullmatch(stem)
    return (found["video"], int(found["frame"])) if found else ("", -1)


def segnets_part(video: str, frame: int) -> str:
    """In which part SegNet put a frame: two sequences are cut, one in time, the other by a stretch in its middle.

    >>> segnets_part("0016E5", 8001), segnets_part("0016E5", 8190)
    ('val', 'train')
    """
    if video == "Seq05VD" or (video == "0001TP" and frame >= 8550):
        return "test"
    return "val" if video == "0016E5" and 7959 <= frame <= 8159 else "train"


def _is_part(folder: Path, part: str) -> bool:
    return (folder / part).is_dir() and (folder / f"{part}annot").is_dir()


def _part(folder: Path, part: str) -> tuple[tuple[Photo, ...], list[Problem]]:
    """In the order of the published list, or by name without one; a list's .png may be here as .jpg."""
    here = {path.stem: path for path in files(folder / part) if path.suffix.lower() in SUFFIXES}
    names = folder / f"{part}.txt"
    stems, problems = list(here), []
    if names.is_file():
        lines = names.read_text(encoding="utf-8", errors="replace").splitlines()
        stems = [Path(line.split()[0]).stem for line in lines if line.strip()]
        lost = [Problem(names.name, f"{part}/{stem} is not there") for stem in stems if stem not in here]
        problems += several(lost, SHOWN, "no photo", names.name)
        stems = [stem for stem in stems if stem in here]
    annot = folder / f"{part}annot"
    found, bare = _pairs(folder, [(here[stem], annot / f"{here[stem].stem}.png") for stem in stems])
    return found, problems + bare


def _pairs(folder: Path, pairs: list[tuple[Path, Path]]) -> tuple[tuple[Photo, ...], list[Problem]]:
    """(photo, labels) -> the frames whose labels are there, and those whose are not."""
    found, bare = [], []
    for path, labels in pairs:
        name = name_of(path, folder)
        if labels.is_file():
            video, frame = frame_of(path.stem)
            found.append(Photo(name, path, labels, name, video, frame))
        else:
            bare.append(Problem(inside(path, folder), f"no {inside(labels, folder)}"))
    return tuple(found), several(bare, SHOWN, "no labels", inside(pairs[0][0].parent, folder) if pairs else "")


def _raw_labels(folder: Path) -> Path | None:
    """The folder of the raw release's label pictures: this one or one in it."""
    places = [folder, *sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")]
    return next((place for place in places if any(path.name.endswith("_L.png") for path in files(place))), None)


def _find_raw(folder: Path) -> Found:
    place = _raw_labels(folder)
    assert place is not None  # is_camvid said so
    labels = {path.stem.removesuffix("_L"): path for path in files(place) if path.name.endswith("_L.png")}
    places = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    photos = {
        path.stem: path
        for where in places
        for path in files(where)
        if path.suffix.lower() in SUFFIXES and not path.name.endswith("_L.png")
    }
    lost = [Problem(inside(labels[stem], folder), "no photo of this name") for stem in labels if stem not in photos]
    found, bare = _pairs(folder, [(photos[stem], labels.get(stem, place / f"{stem}_L.png")) for stem in sorted(photos)])
    parted = {part: tuple(photo for photo in found if segnets_part(photo.video, photo.frame) == part) for part in PARTS}
    splits = {part: frames for part, frames in parted.items() if frames} or {"all": found}
    problems = {next(iter(splits)): several(lost, SHOWN, "no photo", inside(place, folder)) + bare}
    return Found(SET, folder, NAMES, COLOURS, RAW_CODES, splits, problems)
