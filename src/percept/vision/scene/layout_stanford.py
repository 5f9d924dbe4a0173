"""Stanford Background as its authors pack it (Gould, Fulton, Koller, ICCV 2009): images/ID.jpg, labels/ID.regions.txt.

Photos come in many sizes around 320 x 240. There is no published split: papers use five folds, drawn anew each time.
"""

from __future__ import annotations

from pathlib import Path

from percept.core.errors import UsageError
from percept.vision.scene.photos import VOID, Codes, Found, Photo, Problem, files, inside, name_of, pictures

SET = "stanford-background"
ENDING = ".regions.txt"
FOLDS = 5
NAMES = ("sky", "tree", "road", "grass", "water", "building", "mountain", "foreground")
COLOURS = (
    (128, 128, 128),
    (129, 127, 38),
    (120, 69, 125),
    (53, 125, 34),
    (0, 11, 123),
    (118, 20, 12),
    (122, 81, 25),
    (241, 134, 51),
)
CODES = Codes(((-1, VOID), *((label, label) for label in range(len(NAMES)))), void="-1")
# The same photograph under two ids, labelled twice, and (the last two) photographs taken a moment after another: they
# must not be learnt from and tested on.
DUPLICATES = {
    "6000318": "6000068",
    "6000324": "6000117",
    "6000348": "6000257",
    "9000875": "1000875",
    "5000174": "5000173",
    "6000133": "6000132",
}


def is_stanford(folder: Path) -> bool:
    """Whether the folder has photos beside labels of this kind."""
    return (folder / "images").is_dir() and any(path.name.endswith(ENDING) for path in files(folder / "labels"))


def find_stanford(folder: Path) -> Found:
    """All photos as one split, and the fold of each: as ``folds.txt`` says ("ID FOLD" lines), else by id modulo 5.

    Raises:
        UsageError: folds.txt is no such list.
    """
    photos, problems = [], []
    there = {path.name.removesuffix(ENDING): path for path in files(folder / "labels") if path.name.endswith(ENDING)}
    for path in pictures(folder / "images"):
        labels = there.pop(path.stem, None)
        name = name_of(path, folder)
        if labels is None:
            problems.append(Problem(inside(path, folder), f"no labels/{path.stem}{ENDING}"))
        else:
            same = DUPLICATES.get(path.stem)
            photos.append(Photo(name, path, labels, f"images/{same}" if same else name))
    problems += [Problem(inside(path, folder), f"no images/{stem}.jpg") for stem, path in there.items()]
    listed, count = _folds_told(folder / "folds.txt")
    told = {photo.name: listed[photo.path.stem] for photo in photos if photo.path.stem in listed} if listed else {}
    if listed and (untold := [photo for photo in photos if photo.name not in told]):
        what = f"no fold for {untold[0].path.stem}, nor for {len(untold) - 1:,} more: in no fold, they are never tested"
        problems.append(Problem("folds.txt", what, dropped=False))
    return Found(
        SET,
        folder,
        NAMES,
        COLOURS,
        CODES,
        {"all": tuple(photos)},
        {"all": problems},
        folds=told,
        fold_count=count or FOLDS,
    )


def _folds_told(path: Path) -> tuple[dict[str, int], int]:
    """id -> fold from 1 on, and how many folds; files count them from 0 or from 1."""
    if not path.is_file():
        return {}, 0
    told: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or not words[1].isdecimal():
            raise UsageError(f'{path} line {number}: "ID FOLD" expected, there is "{line.strip()[:60]}"')
        told[words[0]] = int(words[1])
    if not told:
        return {}, 0
    first = min(min(told.values()), 1)
    told = {name: fold - first + 1 for name, fold in told.items()}
    return told, max(told.values())
