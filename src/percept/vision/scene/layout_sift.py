"""SIFT Flow (Liu, Yuen, Torralba 2009), Barcelona (Tighe, Lazebnik 2010): Images/, SemanticLabels/, TestSet1.txt.

In a .mat, ``S`` holds 0 where nothing is labelled and k for the class names[k - 1]. The test list names its photos with
backslashes; all others are for training.
"""

from __future__ import annotations

from pathlib import Path

from percept.core.errors import InputError, UsageError
from percept.vision.scene.labels import read_mat
from percept.vision.scene.photos import (
    MOST_CLASSES,
    VOID,
    Codes,
    Found,
    Photo,
    Problem,
    colours_for,
    inside,
    name_of,
    several,
)

SHOWN = 5  # photos without labels that are named one by one
SUFFIXES = {".jpg", ".jpeg", ".png"}
BARCELONA = 170  # classes
# fmt: off
NAMES = (
    "awning", "balcony", "bird", "boat", "bridge", "building", "bus", "car", "cow",
    "crosswalk", "desert", "door", "fence", "field", "grass", "moon", "mountain", "person",
    "plant", "pole", "river", "road", "rock", "sand", "sea", "sidewalk", "sign",
    "sky", "staircase", "streetlight", "sun", "tree", "window",
)
# fmt: on
NEVER_TESTED = ("cow", "desert", "moon")  # no test photo shows them: the published means are over the other 30
COLOURS = {"sea": (0, 11, 123), "river": (30, 90, 170), "field": (110, 170, 60)}


def is_sift(folder: Path) -> bool:
    """Whether the folder has photos beside .mat labels."""
    return (folder / "Images").is_dir() and _first_mat(folder) is not None


def kind_of(folder: Path, names: tuple[str, ...]) -> str:
    """Which set it is, by its class names: "sift-flow", "barcelona", or "folder" for another in the same layout."""
    if len(names) == BARCELONA or any("barcelona" in part.lower() for part in folder.absolute().parts[-2:]):
        return "barcelona"
    return "sift-flow" if not names or len(names) == len(NAMES) else "folder"


def names_in(folder: Path) -> tuple[str, ...]:
    """The class names in the first .mat that can be read; none where it has none."""
    for path in sorted((folder / "SemanticLabels").rglob("*.mat"))[:5]:
        try:
            return read_mat(path)[1]
        except InputError:  # reading the labels will say so
            continue
    return ()


def find_sift(folder: Path) -> Found:
    """The photos with labels, by TestSet*.txt; without a list, all of them.

    Raises:
        UsageError: the class names in the .mat are not the published ones, or there are too many or none.
    """
    names = names_in(folder)
    kind = kind_of(folder, names)
    if kind == "sift-flow":
        names = names or NAMES
        check_names(folder / "SemanticLabels", names, NAMES)
    if not 2 <= len(names) <= MOST_CLASSES:
        raise UsageError(f"{folder}: {len(names)} class names in its .mat files; 2 to {MOST_CLASSES} can be learnt")
    photos, problems = _photos(folder)
    splits, missing = _parted(folder, photos)
    known = [COLOURS.get(name) for name in names]
    codes = Codes(((0, VOID), *((label + 1, label) for label in range(len(names)))), void="0 (unlabelled)")
    never = NEVER_TESTED if kind == "sift-flow" else ()
    notes = {split: problems if split in ("train", "all") else missing for split in splits}
    return Found(kind, folder, names, colours_for(names, known), codes, splits, notes, never_tested=never)


def check_names(path: Path, found: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Raises UsageError where the class names in a .mat are not those of its set, for its numbers mean other things."""
    if found == expected:
        return
    if len(found) != len(expected):
        raise UsageError(f"{path}: {len(found)} class names, where its set has {len(expected)}")
    place = next(place for place, pair in enumerate(zip(found, expected, strict=True)) if pair[0] != pair[1])
    raise UsageError(f'{path}: its class {place + 1} is "{found[place]}", in its set it is "{expected[place]}"')


def _first_mat(folder: Path) -> Path | None:
    place = folder / "SemanticLabels"
    return next(iter(place.rglob("*.mat")), None) if place.is_dir() else None


def _photos(folder: Path) -> tuple[list[Photo], list[Problem]]:
    """All photos with labels, and which have none: two of the published photos do not."""
    photos, bare = [], []
    for path in sorted((folder / "Images").rglob("*")):
        if path.suffix.lower() not in SUFFIXES or path.name[0] == ".":
            continue
        below = path.relative_to(folder / "Images").with_suffix(".mat")
        labels = folder / "SemanticLabels" / below
        if labels.is_file():
            name = name_of(path, folder)
            photos.append(Photo(name, path, labels, name))
        else:
            bare.append(Problem(inside(path, folder), f"no SemanticLabels/{below.as_posix()}"))
    return photos, several(bare, SHOWN, "no labels", "SemanticLabels")


def _parted(folder: Path, photos: list[Photo]) -> tuple[dict[str, tuple[Photo, ...]], list[Problem]]:
    """Train and test by the published list, and how many photos of the list are not there."""
    lists = sorted(folder.glob("TestSet*.txt"))
    if not lists:
        return {"all": tuple(photos)}, []
    lines = lists[0].read_text(encoding="utf-8", errors="replace").splitlines()
    tested = [Path(line.strip().replace("\\", "/")).with_suffix("").as_posix() for line in lines if line.strip()]
    keys = {photo.name.removeprefix("Images/"): photo for photo in photos}
    lost = [name for name in tested if name not in keys]
    missing = []
    if lost:
        what = f"{len(lost):,} of its {len(tested):,} photos are not there with labels, the first {lost[0]}"
        missing = [Problem(lists[0].name, what, dropped=False)]
    names = set(tested)
    parts = {
        "train": tuple(photo for key, photo in keys.items() if key not in names),
        "test": tuple(photo for key, photo in keys.items() if key in names),
    }
    return parts, missing
