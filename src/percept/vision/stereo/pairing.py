"""What a person names, as pairs of views: LEFT RIGHT, folders that hold a pair, or both views side by side in one.

Two inputs are LEFT RIGHT: files, or folders, patterns and lists whose pictures are paired by their names. Other numbers
of inputs, and two folders that hold a pair each, are answered one by one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path, PurePosixPath

import numpy as np

from percept.core import sources
from percept.core.errors import InputError, UsageError
from percept.core.sources import Item
from percept.vision import image, video

# The names of a pair that lies in a folder of its own. Middlebury's older folders hold im0 to im8 and view0 to view6:
# the views with a published truth come first.
FOLDER_PAIRS = (
    ("im2", "im6"),
    ("view1", "view5"),
    ("im0", "im1"),
    ("left", "right"),
    ("scene1.row3.col3", "scene1.row3.col4"),
)
# What tells a left name from its right one, as a pattern in the left and its replacement: one of them for all names.
MARKS = (
    (r"left", "right"),
    (r"(?<![A-Z])L(?![A-Za-z])", "R"),
    (r"(?<![A-Za-z])l(?![A-Za-z])", "r"),
    (r"(?<=image_)2(?!\d)", "3"),
    (r"(?<=im)2(?!\d)", "6"),
    (r"(?<=view)1(?!\d)", "5"),
    (r"(?<=col)3(?!\d)", "4"),
    (r"(?<!\d)0(?!\d)", "1"),
)
ENDINGS = (  # of the files that an answer may write
    *("_disparity.png", "_disparity.pfm", "_disparity.npy", "_color.png", "_color.mp4"),
    *("_confidence.png", "_depth.pfm", "_cloud.ply"),
)
ONE = "one {}, not a pair: give LEFT RIGHT, or --side-by-side if it holds both views"
NO_PAIR = "no pair in this folder (im0 and im1, left and right ...): give LEFT RIGHT, or --side-by-side"
LISTED = 5  # names in a message
PLACE = PurePosixPath("pair")  # of what has no name


@dataclass(frozen=True)
class PairItem:
    """Two views, found but not opened.

    item: what the result and its files are named after; ``problem`` tells why the pair cannot be used.
    left, right: where the views are; ``right`` is None where ``left`` holds both side by side.
    """

    item: Item
    left: Item
    right: Item | None


@dataclass(frozen=True)
class Views:
    """Two decoded views (H, W, 3) uint8 RGB (their sizes may still differ), and what they are called."""

    left: np.ndarray
    right: np.ndarray
    left_name: str
    right_name: str


def resolve(inputs: Sequence[str], *, out: Path | None = None, side_by_side: bool = False) -> list[PairItem]:
    """All pairs that ``inputs`` name, and that ``out`` has a place for the answers to each.

    Raises:
        UsageError: a left picture without its right one, or the other way round; two pairs whose answers would have
            the same place; an answer that would be written over a view.
    """
    if side_by_side:
        pairs = [PairItem(item, item, None) for item in _find(inputs)]
    elif len(inputs) == 2 and not _by_themselves(*inputs):
        pairs = _left_right(*inputs)
    else:
        pairs = [pair for text in inputs for pair in _alone(text)]
    if out is not None:
        _check_places(pairs, out)
    return pairs


def read(pair: PairItem, every: int = 1) -> Iterator[tuple[Item, Views | InputError]]:
    """The views of one pair, or the InputError that says why not; of videos and cameras each ``every``-th frame."""
    if pair.item.problem is not None:
        yield pair.item, InputError(pair.item.problem)
    elif pair.right is None:
        with closing(_open(pair.left, every)) as opened:
            for item, rgb in opened:
                yield item, rgb if isinstance(rgb, InputError) else _attempt_split(rgb, item.name)
    else:
        with closing(_open(pair.left, every)) as lefts, closing(_open(pair.right, every)) as rights:
            yield from _together(pair, lefts, rights)


def split(rgb: np.ndarray, name: str = "") -> Views:
    """The two views of a picture (H, 2 W, 3) that holds them side by side.

    Raises:
        InputError: an odd width.
    """
    width = rgb.shape[1]
    if width % 2:
        raise InputError(f"{width} pixels wide: two views side by side have an even width")
    left, right = rgb[:, : width // 2], rgb[:, width // 2 :]  # (H, 2 W, 3) -> (H, W, 3) each
    return Views(np.ascontiguousarray(left), np.ascontiguousarray(right), name, name)


def pair_in(folder: Path) -> tuple[Path, Path] | None:
    """The two views that lie in a folder under known names, or None."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except (OSError, ValueError):
        return None
    files: dict[str, list[Path]] = {}
    for path in map(Path, names):
        if path.suffix.lower() in image.SUFFIXES:
            files.setdefault(path.stem.lower(), []).append(path)
    for left, right in FOLDER_PAIRS:
        both = [(a, b) for a in files.get(left, ()) for b in files.get(right, ())]
        if both:
            first, second = min(both, key=lambda two: two[0].suffix.lower() != two[1].suffix.lower())
            return folder / first, folder / second
    return None


# Below here: how the public functions find what they find.


def _find(inputs: Sequence[str]) -> list[Item]:
    return list(sources.find(inputs, image.SUFFIXES, videos=video.SUFFIXES))


def _open(item: Item, every: int) -> Iterator[tuple[Item, np.ndarray | InputError]]:
    return sources.stream(
        [item],
        image.read_image,
        image.SUFFIXES,
        videos=video.SUFFIXES,
        read_video=lambda source: video.frames(source, every=every),
    )


def _attempt_split(rgb: np.ndarray, name: str) -> Views | InputError:
    try:
        return split(rgb, name)
    except InputError as error:
        return error


def _together(
    pair: PairItem,
    lefts: Iterator[tuple[Item, np.ndarray | InputError]],
    rights: Iterator[tuple[Item, np.ndarray | InputError]],
) -> Iterator[tuple[Item, Views | InputError]]:
    """Both sides in step; the first failure of a side is its last word."""
    assert pair.right is not None
    item = pair.item
    for left, right in zip_longest(lefts, rights):
        if left is None or right is None:
            longer, shorter = ("right", "left") if left is None else ("left", "right")
            yield item, InputError(f"the {shorter} video ends here, the {longer} one goes on")
            return
        item = replace(pair.item, frame=left[0].frame, seconds=left[0].seconds)
        if isinstance(left[1], InputError):
            yield item, left[1]
            return
        if isinstance(right[1], InputError):
            yield item, InputError(_of_right(pair.right, str(right[1])))
            return
        yield item, Views(left[1], right[1], pair.left.name, pair.right.name)


def _by_themselves(first: str, second: str) -> bool:
    """Whether two inputs are two pairs, not LEFT RIGHT: unless their own names say which of them is left.

    Numbers that differ say nothing here: scene0 and scene1 may well be two scenes.
    """
    if Path(second).name in _right_names(Path(first).name, MARKS[:4]):
        return False
    return pair_in(Path(first)) is not None or pair_in(Path(second)) is not None


def _alone(text: str) -> Iterator[PairItem]:
    """The pairs in one input; or one that says why there is none."""
    path = Path(os.path.expanduser(text) if text.startswith("~/") else text)  # noqa: PTH111
    if (both := pair_in(path)) is not None:
        name = path.name if path.name not in ("", "..") else path.resolve().name
        yield _folder_pair(Item(text, PurePosixPath(name or "pair"), path), both)
        return
    items, found, seen = _find([text]), False, set()
    if len(items) == 1 and items[0].problem is None and not path.is_dir():
        item = replace(items[0], problem=ONE.format("video" if items[0].video else "picture"))
        yield PairItem(item, item, None)
        return
    for item in items:  # of a folder of folders, a pattern or a list
        if item.problem is not None:
            found = True
            yield PairItem(item, item, None)
        elif item.path is not None and item.path.parent not in seen:
            folder = item.path.parent
            seen.add(folder)
            if (both := pair_in(folder)) is not None:
                found = True
                place = item.stem.parent if item.stem.parent.name else PurePosixPath(folder.resolve().name or "pair")
                yield _folder_pair(Item(str(folder), place, folder), both)
    if not found:
        lost = Item(text, PurePosixPath("none"), path, problem=NO_PAIR if path.is_dir() else "no pair among these")
        yield PairItem(lost, lost, None)


def _folder_pair(item: Item, both: tuple[Path, Path]) -> PairItem:
    left, right = (Item(str(path), item.stem, path) for path in both)
    return PairItem(item, left, right)


def _left_right(left: str, right: str) -> list[PairItem]:
    lefts, rights = _find([left]), _find([right])
    if len(lefts) == len(rights) == 1:
        return [_join(lefts[0], rights[0])]
    for side in (lefts, rights):
        if len(side) == 1 and side[0].problem is not None:  # the folder, pattern or list as a whole
            return [PairItem(side[0], side[0], None)]
    partners = max(
        (_matched(lefts, rights, rule) for rule in (None, *MARKS)), key=len
    )  # of equally good rules the first: the same name
    odd = [item for number, item in enumerate(lefts) if number not in partners]
    taken = set(partners.values())
    more = [item for number, item in enumerate(rights) if number not in taken]
    if odd or more:
        said = [
            _odd(kind, items, count)
            for kind, items, count in (("right", odd, len(lefts)), ("left", more, len(rights)))
            if items
        ]
        raise UsageError("; ".join(said))
    return [_join(item, rights[partners[number]]) for number, item in enumerate(lefts)]


def _join(left: Item, right: Item) -> PairItem:
    problem = left.problem
    if problem is None and right.problem is not None:
        problem = _of_right(right, right.problem)
    elif problem is None and left.video != right.video:
        problem = f"a {_kind(left)} on the left and a {_kind(right)} on the right ({right.name})"
    return PairItem(replace(left, problem=problem), left, right)


def _kind(item: Item) -> str:
    return "video" if item.video else "picture"


def _of_right(right: Item, problem: str) -> str:
    return f"right {_kind(right)} {right.name}: {problem}"


def _odd(kind: str, items: Sequence[Item], count: int) -> str:
    names = ", ".join(_shown(item) for item in items[:LISTED]) + (" ..." if len(items) > LISTED else "")
    return f"no {kind} picture for {names} ({len(items)} of {count})"


def _shown(item: Item) -> str:
    return f"{item.stem}{'' if item.path is None else item.path.suffix}"


def _matched(lefts: Sequence[Item], rights: Sequence[Item], rule: tuple[str, str] | None) -> dict[int, int]:
    """Index in ``lefts`` -> index in ``rights``, for names that are equal or differ by one pair of marks."""
    free: dict[str, list[int]] = {}
    for number, item in enumerate(rights):
        free.setdefault(str(item.stem), []).append(number)
    found: dict[int, int] = {}
    for number, item in enumerate(lefts):
        stems = [str(item.stem)] if rule is None else _right_names(str(item.stem), (rule,))
        candidates = next((free[stem] for stem in stems if free.get(stem)), None)
        if candidates:
            best = min(candidates, key=lambda other: _suffix(rights[other]) != _suffix(item))
            candidates.remove(best)
            found[number] = best
    return found


def _suffix(item: Item) -> str:
    return "" if item.path is None else item.path.suffix.lower()


def _right_names(name: str, marks: Sequence[tuple[str, str]] = MARKS) -> list[str]:
    """What the right view of ``name`` may be called: with each of its marks exchanged, or all of them."""
    found = []
    for pattern, right in marks:
        flags = re.IGNORECASE if pattern == "left" else 0
        places = list(re.finditer(pattern, name, flags))
        if places:
            found.append(re.sub(pattern, lambda match, right=right: _in_case_of(match[0], right), name, flags=flags))
        for place in places if len(places) > 1 else ():
            found.append(name[: place.start()] + _in_case_of(place[0], right) + name[place.end() :])
    return found


def _in_case_of(pattern: str, word: str) -> str:
    """``word`` in the case of ``pattern``: Left -> Right, LEFT -> RIGHT."""
    if len(pattern) == 1:
        return word
    return word.upper() if pattern.isupper() else word.capitalize() if pattern[0].isupper() else word


def _check_places(pairs: Sequence[PairItem], out: Path) -> None:
    views = {}
    for pair in pairs:
        for item in (pair.left, pair.right):
            if item is not None and item.path is not None and item.problem is None:
                views[item.path.resolve()] = item.name
    for pair in pairs if views else ():
        stem = (out / pair.item.stem).resolve()
        for ending in ENDINGS:
            name = views.get(stem.with_name(stem.name + ending))
            if name is not None and pair.item.problem is None:
                raise UsageError(
                    f"{name} would be written over by the answer to {pair.item.name}; give another folder to --out"
                )
    for first, second in sources.clashes(pair.item for pair in pairs):
        raise UsageError(
            f'{first.name} and {second.name} would both be written as "{first.stem}"; '
            "rename one of them, or run them apart with another --out"
        )
