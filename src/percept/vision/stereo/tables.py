"""What ``percept eval stereo`` shows a person; the JSON document holds the same figures and more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from percept.core.evaluation import Table, figure
from percept.vision.stereo.measuring import Measured, mean_time

BAD = ("bad0.5_noc", "bad1_noc", "bad2_noc", "bad3_noc", "bad4_noc", "bad2_all", "d1_all")
BRIEF = ("bad0.5", "bad1", "bad2", "bad3", "bad4", "bad2_all", "d1", "epe", "rms", "ms")  # 80 columns hold a name too
LONGEST = 14  # letters of a scene's name


def scenes(found: Sequence[Measured], mean: Mapping[str, float | None]) -> Table:
    """A row a scene, in the short names."""
    rows = [(_shortened(one.scene.name), one.score.figures(), 1000 * sum(one.answer.seconds.values())) for one in found]
    rows.append(("mean", dict(mean), sum(ms for _, _, ms in rows) / max(1, len(rows))))
    cells = (
        (
            name,
            *(figure(of[key], 1) for key in BAD),
            *(figure(of[key], 2) for key in ("epe_noc", "rms_noc")),
            f"{ms:.0f}",
        )
        for name, of, ms in rows
    )
    return Table("measured here", ("scene", *BRIEF), tuple(cells))


def figures(mean: Mapping[str, float | None]) -> Table:
    """Every figure under its name in the JSON document."""
    cells = tuple((name, figure(value, 2)) for name, value in mean.items())
    half = -(-len(cells) // 2)
    rows = ((*one, *two) for one, two in zip_longest(cells[:half], cells[half:], fillvalue=("", "")))
    return Table("mean over the scenes", ("figure", "", "figure", ""), tuple(rows))


def ablation(rows: Sequence[Mapping[str, Any]]) -> Table:
    """A row for each choice of clean-up steps."""
    columns = ("bad1_noc", "bad2_noc", "bad3_noc", "bad2_all", "epe_noc")
    cells = tuple((row["steps"], *(figure(row[name], 2) for name in columns)) for row in rows)
    return Table("what each step brings", ("steps", *columns), cells)


def areas(of: Mapping[str, float]) -> Table:
    """How well the confidence sorts right pixels from wrong ones."""
    title = "bad1 of what is left while the least sure pixels go: area under the curve"
    return Table(title, ("", *of), (("area", *(figure(value, 2) for value in of.values())),))


def times(found: Sequence[Measured]) -> Table:
    """Where the time goes."""
    mean = mean_time(found)
    row = "ms", *(f"{ms:.0f}" for ms in mean.values())
    return Table("where the time goes, a pair", ("", *mean), (row,))


def _shortened(name: str) -> str:
    """A long name without its middle: those of one set differ at the beginning or at the end."""
    ends = LONGEST // 2 - 1
    return name if len(name) <= LONGEST else f"{name[:ends]}..{name[-ends:]}"
