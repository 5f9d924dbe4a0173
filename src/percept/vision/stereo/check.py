"""What a stereo data set holds and what is wrong with it: the report of ``percept data check FOLDER``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from percept.core.errors import InputError, UsageError
from percept.core.evaluation import Table
from percept.vision.stereo.data import Pair, Scene, read_pair, read_scenes, recognise, rounded_up, splits
from percept.vision.stereo.formats import read_values
from percept.vision.stereo.grey import grey
from percept.vision.stereo.layouts import MIDDLEBURY, own_files, own_parts

SHOWN = 20  # problems that are shown; the count tells of the others
# Measured on 42 published pairs: true 0.06 to 0.41 (0.76 where one view has another light), truths of half or double
# size 0.66 to 1.1. So one pair over MISFIT is wrong, and a set is whose median is over DOUBTFUL.
MISFIT, DOUBTFUL = 0.8, 0.6
MOST = 400  # pairs of a split that are read, evenly spread: 35,000 of Scene Flow would take an hour
TITLES = {
    "middlebury": "Middlebury",
    "kitti": "KITTI",
    "eth3d": "ETH3D",
    "sceneflow": "Scene Flow",
    "folder": "left/, right/, disp/",
    "several": "several sets",
}


@dataclass(frozen=True)
class Facts:
    """One pair: size in pixels, percent of known pixels, range of disparities in pixels, how well the truth moves the
    right view onto the left one (0 exactly, 1 not at all, NaN where that says nothing), and a mark of the left view."""

    width: int
    height: int
    density: float
    lowest: float
    highest: float
    fit: float
    mark: str


@dataclass(frozen=True)
class SplitCount:
    """One split: its pairs, those that were read; sizes and disparities in pixels, density in percent, None of none."""

    split: str
    pairs: int
    read: int
    smallest: tuple[int, int] | None
    largest: tuple[int, int] | None
    density: float | None
    range: tuple[float, float] | None
    ndisp: int


@dataclass(frozen=True)
class Report:
    """The whole report; ``problems`` are the first lines, ``problem_count`` all of them."""

    folder: str
    layout: str
    splits: tuple[SplitCount, ...]
    problems: tuple[str, ...]
    problem_count: int
    advice: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Plain dicts, lists, texts and numbers."""
        return asdict(self)

    def tables(self) -> list[Table]:
        """The splits, for a person."""
        columns = ("split", "pairs", "width x height", "truth known", "disparities", "looked for")
        rows = []
        for row in self.splits:
            sides = [f"{w} x {h}" for w, h in dict.fromkeys(s for s in (row.smallest, row.largest) if s)]
            density = "-" if row.density is None else f"{row.density:.1f} %"
            reach = "-" if row.range is None else f"{row.range[0]:.1f} to {row.range[1]:.1f}"
            rows.append((row.split, f"{row.pairs:,}", " to ".join(sides) or "-", density, reach, str(row.ndisp or "-")))
        return [Table(f"{self.folder}  {TITLES[self.layout]}", columns, tuple(rows))]

    def lines(self) -> list[str]:
        """What is wrong, a line each, and then advice."""
        more = self.problem_count - len(self.problems)
        wrong = [*self.problems, *([f"... and {more:,} more"] if more > 0 else [])] or ["nothing wrong was found"]
        return [*wrong, *(f"advice: {line}" for line in self.advice)]


def report(folder: Path) -> Report:
    """Look through every split: read the pairs, and set their truths against the pictures.

    Raises:
        UsageError: the folder holds no stereo data.
    """
    folder = Path(folder)
    found = splits(folder)  # says what is expected where nothing is known
    problems = [line for place in own_parts(folder).values() for line in _single(folder, place)]
    facts: dict[Path, Facts | None] = {}
    rows, marks = [], {}
    for split in _parts(found):
        scenes = _scenes(folder, split)
        chosen = scenes[:: -(-len(scenes) // MOST) or 1]
        for scene in chosen:
            if scene.left not in facts:
                facts[scene.left], lines = _look(scene, folder)
                problems += lines
        read = [(scene, fact) for scene in chosen if (fact := facts[scene.left])]
        rows.append(_count(split, len(scenes), read))
        marks[split] = {fact.mark: scene.left for scene, fact in read}
    fits = [fact.fit for fact in facts.values() if fact and fact.fit == fact.fit]
    if fits and DOUBTFUL < float(np.median(fits)) <= MISFIT:
        problems.append("most truths fit their pictures badly: are they pixels of pictures of this size?")
    problems += _leaks(folder, {split: marks[split] for split in ("train", "val", "test") if split in marks})
    problems = list(dict.fromkeys(problems))
    advice = tuple(_advice(found, rows))
    return Report(str(folder), str(recognise(folder)), tuple(rows), tuple(problems[:SHOWN]), len(problems), advice)


def _parts(found: tuple[str, ...]) -> list[str]:
    """The splits without those that are only sums of others."""
    sets = [split for split in found if split in MIDDLEBURY or split not in ("train", "val", "test", "all")]
    return sets or [split for split in found if split != "all"] or ["all"]


def _scenes(folder: Path, split: str) -> tuple[Scene, ...]:
    try:
        return read_scenes(folder, split)
    except UsageError:  # no pair with a truth: what is missing is told file by file
        return ()


def _single(folder: Path, place: Path) -> Iterator[str]:
    """Of one's own folder: files without the others of their name."""
    files = own_files(place)
    for side, paths in files.items():
        for stem, path in sorted(paths.items()):
            lacking = [f"{other}/{stem}" for other in files if other != side and stem not in files[other]]
            if lacking and (side == "left" or stem not in files["left"]):
                yield f"{_shown(folder, path)}: no {' and no '.join(lacking)}"


def _look(scene: Scene, folder: Path) -> tuple[Facts | None, list[str]]:
    """The facts of one pair, None if it cannot be read, and what is wrong."""
    assert scene.truth is not None
    truth = _shown(folder, scene.truth)
    try:
        pair = read_pair(scene)
        values = read_values(scene.truth)
        mark = hashlib.sha256(pair.left.tobytes()).hexdigest()
    except (UsageError, InputError) as error:
        return None, [str(error).replace(f"{folder}/", "")]
    known = pair.truth[np.isfinite(pair.truth)]
    height, width = pair.truth.shape
    if not known.size:
        negative = values.dtype.kind == "f" and np.any(np.isfinite(values) & (values < 0))
        why = "only negative numbers: a match lies d pixels further LEFT in the right view, d > 0" if negative else ""
        return None, [f"{truth}: {why or 'no disparity in it'}"]
    lowest, highest = float(known.min()), float(known.max())
    fit, wrong = _fit(pair)
    facts = Facts(width, height, 100 * known.size / pair.truth.size, lowest, highest, fit, mark)
    if highest < 1:
        return facts, [f"{truth}: no disparity over {highest:.2g} pixels: a 16-bit PNG holds disparity x 256"]
    if highest > width:
        what = f"disparities up to {highest:,.0f} pixels in a picture {width} wide"
        return facts, [f"{truth}: {what}: PFM and NPY hold pixels, a 16-bit PNG pixels x 256"]
    return facts, [f"{truth}: {wrong}"] if wrong else []


def _fit(pair: Pair) -> tuple[float, str]:
    """How much less the views differ once the right one is moved by the truth (1: no less), and what that tells."""
    if np.array_equal(pair.left, pair.right):
        return float("nan"), "its left and right pictures are the same"
    if np.nanmedian(pair.truth) < 2:
        return float("nan"), ""  # too far away to tell
    greys = [grey(view) for view in (pair.left, pair.right)]
    unmoved, there, back = (_difference(*greys, pair, sign) for sign in (0, -1, 1))
    fit = there / max(unmoved, 1e-6)
    if fit <= MISFIT:
        return fit, ""
    if back < MISFIT * unmoved:
        return fit, "fits the pictures in the other direction: left and right are exchanged"
    return fit, "does not fit its pictures: moved by it, the right one is hardly more like the left one than unmoved"


def _difference(left: np.ndarray, right: np.ndarray, pair: Pair, sign: int) -> float:
    """Mean difference of grey (H, W) at visible pixels between the left view at x and the right one at x + sign d."""
    y, x = np.nonzero(pair.visible)
    at = x + sign * np.rint(pair.truth[y, x]).astype(np.int64)
    inside = (at >= 0) & (at < pair.truth.shape[1])
    y, x, at = y[inside], x[inside], at[inside]
    if not y.size:
        return float("inf")
    one, other = left[y, x], right[y, at]
    return float(np.abs((one - one.mean()) - (other - other.mean())).mean())  # another exposure is no misfit


def _count(split: str, pairs: int, read: list[tuple[Scene, Facts]]) -> SplitCount:
    if not read:
        return SplitCount(split, pairs, 0, None, None, None, None, 0)
    facts = [fact for _, fact in read]
    sizes = sorted((fact.width, fact.height) for fact in facts)
    lowest, highest = min(fact.lowest for fact in facts), max(fact.highest for fact in facts)
    ndisp = max(scene.ndisp or rounded_up(np.array([fact.highest])) for scene, fact in read)
    density = sum(fact.density for fact in facts) / len(facts)
    return SplitCount(split, pairs, len(read), sizes[0], sizes[-1], density, (lowest, highest), ndisp)


def _leaks(folder: Path, marks: dict[str, dict[str, Path]]) -> Iterator[str]:
    """Pictures that are in two splits: what is measured on them says nothing."""
    for one, other in combinations(marks, 2):
        for mark in marks[one].keys() & marks[other].keys():
            where = _shown(folder, marks[one][mark]), _shown(folder, marks[other][mark])
            yield f"{where[1]}: the same picture as {where[0]}, in {one} and in {other}"


def _advice(found: Iterable[str], rows: list[SplitCount]) -> Iterator[str]:
    """What a person may want to do before training."""
    if "train" in found and "val" not in found:
        yield "no val split: some training pairs will be kept to choose the best epoch by"
    highest = max((row.range[1] for row in rows if row.range), default=0.0)
    if highest >= 256:
        yield f"disparities up to {highest:.0f} pixels: write PFM or NPY, a 16-bit PNG x 256 ends at 256 pixels"
    if 0 < sum(row.read for row in rows) < sum(row.pairs for row in rows):
        yield f"{sum(row.read for row in rows):,} of {sum(row.pairs for row in rows):,} pairs were read"


def _shown(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
