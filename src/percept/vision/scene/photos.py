"""The photos of a split and where their labels lie, as every reader of a layout gives them."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from percept.vision.image import SUFFIXES

VOID = 255  # the label of a pixel whose class nobody told
UNKNOWN = 254  # while labels are read: a value that the class list does not have
MOST_CLASSES = 254  # 0 .. 253

RGB = tuple[int, int, int]
# What the words of outdoor sets look like in the legends of the papers; other classes take colours far from these.
COLOURS: dict[str, RGB] = {
    "sky": (128, 128, 128),
    "tree": (129, 127, 38),
    "road": (120, 69, 125),
    "grass": (53, 125, 34),
    "water": (0, 11, 123),
    "building": (118, 20, 12),
    "mountain": (122, 81, 25),
    "foreground": (241, 134, 51),
    "sidewalk": (60, 40, 222),
    "car": (64, 0, 128),
    "person": (64, 64, 0),
    "pole": (192, 192, 128),
    "sign": (192, 128, 128),
    "fence": (64, 64, 128),
}


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the data; ``str()`` is the line that a person reads.

    file: a path inside the data set's folder; dropped: a photo was left out because of it, else it is only noted.
    """

    file: str
    what: str
    dropped: bool = True

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


@dataclass(frozen=True)
class Photo:
    """One photo and the file of its labels.

    name: the photo's path inside the set's folder, without suffix; group: the same for photos that show one scene,
    which are never parted; video: the sequence that it is a frame of, frame: its number there (-1: of no sequence).
    """

    name: str
    path: Path
    labels: Path
    group: str
    video: str = ""
    frame: int = -1


@dataclass(frozen=True)
class Codes:
    """What the values in label files mean.

    values: (value in the file, class or VOID) of .mat, .regions.txt and pictures of numbers; colours: (red x 65536 +
    green x 256 + blue, class or VOID) of RGB pictures; void: which values are void, in words; void_given: the set says
    so itself, else 255 is void because that is the custom.
    """

    values: tuple[tuple[int, int], ...] = ()
    colours: tuple[tuple[int, int], ...] = ()
    void: str = ""
    void_given: bool = True


@dataclass(frozen=True)
class PhotoSet:
    """The photos of one split.

    set: "stanford-background", "sift-flow", "camvid", "barcelona" or "folder"; names: the class table, K <= 254;
    never_tested: classes that the set's own protocol leaves out of means; split: the one asked for; split_found: the
    one that serves it, "all" where a set has no parts; codes: how its label files are read.
    """

    set: str
    names: tuple[str, ...]
    colours: tuple[RGB, ...]
    photos: tuple[Photo, ...]
    never_tested: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    split: str = "all"
    split_found: str = "all"
    codes: Codes = Codes()
    folder: Path = Path()


@dataclass
class Found:
    """What a layout's reader found: a set, with its photos by split, in the order in which splits are told.

    folds: photo's name -> its fold, 1 and up, where the set says so itself; fold_count: how many there are.
    """

    set: str
    folder: Path
    names: tuple[str, ...]
    colours: tuple[RGB, ...]
    codes: Codes
    splits: dict[str, tuple[Photo, ...]]
    problems: dict[str, list[Problem]] = field(default_factory=dict)
    never_tested: tuple[str, ...] = ()
    folds: dict[str, int] = field(default_factory=dict)
    fold_count: int = 5


def colours_for(names: Sequence[str], known: Iterable[RGB | None] = ()) -> tuple[RGB, ...]:
    """A colour for each class, the same in every run: the known ones, then those of COLOURS, then others far apart.

    >>> colours_for(("sky", "cloud"))[0]
    (128, 128, 128)
    """
    chosen: list[RGB | None] = list(known) or [None] * len(names)
    chosen = [colour or COLOURS.get(name.lower()) for name, colour in zip(names, chosen, strict=True)]
    taken = {colour for colour in chosen if colour}
    number = 0
    for place, colour in enumerate(chosen):
        while colour is None:
            # a golden step around the wheel of hues never comes back to where it was; brightness changes with it
            hue, bright = number * 0.618034 % 1, (0.95, 0.7, 0.5)[number % 3]
            red, green, blue = colorsys.hsv_to_rgb(hue, (0.75, 0.5, 0.95)[number // 3 % 3], bright)
            made = (round(255 * red), round(255 * green), round(255 * blue))
            number += 1
            if made not in taken:
                taken.add(made)
                chosen[place] = colour = made
    return tuple(colour for colour in chosen if colour)


def packed(colour: RGB) -> int:
    """A colour as one number.

    >>> hex(packed((1, 2, 3)))
    '0x10203'
    """
    return colour[0] << 16 | colour[1] << 8 | colour[2]


def pictures(folder: Path) -> list[Path]:
    """The photos of a folder by their names, sorted; hidden files are none."""
    return [path for path in files(folder) if path.suffix.lower() in SUFFIXES]


def files(folder: Path) -> list[Path]:
    """The files of a folder that are not hidden, sorted; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name[0] != "." and path.is_file())


def inside(path: Path, folder: Path) -> str:
    """A path as messages show it: below the set's folder."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def name_of(path: Path, folder: Path) -> str:
    """What a photo is called: its place in the set's folder without suffix."""
    return inside(path.with_suffix(""), folder)


def several(problems: list[Problem], shown: int, what: str, file: str) -> list[Problem]:
    """The first ``shown`` of many alike problems, and a line that counts the others."""
    if len(problems) <= shown:
        return problems
    more = f"{what} for {len(problems) - shown:,} more"
    return [*problems[:shown], Problem(file, more, problems[0].dropped)]
