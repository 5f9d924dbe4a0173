"""What ``percept eval scene-parse`` shows a person; the JSON document holds the same figures and more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from percept.core.evaluation import Table, figure
from percept.vision.scene.metrics import Figures, mean_of
from percept.vision.scene.tuning import Row

FIGURES = ("pixel_accuracy", "class_accuracy", "mean_iou", "fw_iou", "boundary_f1")  # names of the JSON document
# Classes a few pixels wide: a set's mean hides what becomes of them, and large superpixels swallow them. As the copies
# of the sets name them, in small letters without anything between.
THIN = {"camvid": ("pole", "columnpole", "sign", "signsymbol", "pedestrian", "person")}
LONGEST = 30  # letters of a class's name, so that a row fits 80 columns

Measured = Mapping[str, float | None]  # metric -> percent


def row_name(segments: str, vote: str, gate: float = 0.0) -> str:
    """How a way to vote is called in tables; ``gate`` where several are told apart.

    >>> row_name("none", "soft"), row_name("slic", "soft"), row_name("slic", "gated", 0.8)
    ('net alone', '+ soft vote, slic', '+ gated vote 0.8, slic')
    """
    if segments == "none":
        return "net alone"
    if vote == "cover":
        return "+ cover"
    return f"+ {vote} vote {gate:g}, {segments}" if vote == "gated" and gate else f"+ {vote} vote, {segments}"


def figures(ways: Sequence[tuple[str, Measured, float | None]]) -> Table:
    """A column for the net alone and for each vote: name, metrics (percent), milliseconds a photo or None."""
    rows = [(key, *(figure(of.get(key), 1) for _, of, _ in ways)) for key in FIGURES]
    rows.append(("ms a photo", *(figure(ms, 0) for _, _, ms in ways)))
    return Table("measured here, percent", ("", *(name for name, _, _ in ways)), tuple(rows))


def thin(set_name: str, names: Sequence[str]) -> tuple[int, ...]:
    """The indices of a set's thin classes; none for sets where none is told apart."""
    wanted = THIN.get(set_name, ())
    return tuple(c for c, name in enumerate(names) if re.sub("[^a-z]", "", name.lower()) in wanted)


def thin_means(found: Figures, indices: Sequence[int]) -> dict[str, float | None]:
    """Mean recall and IoU of some classes by themselves, percent; None if none of them occurs."""
    some = [found.per_class[c] for c in indices]
    return {"recall": mean_of(one.recall for one in some), "iou": mean_of(one.iou for one in some)}


def classes(names: Sequence[str], found: Figures, alone: Figures | None = None, *, set_name: str = "") -> Table:
    """A row a class, a dash where it does not occur in the truth; thin classes once more, as a mean by themselves.

    ``alone``: the same of the net without a vote, whose IoU is set beside.
    """
    whole = sum(one.pixels for one in found.per_class)
    without = alone.per_class if alone else ()

    def row(name: str, *indices: int) -> tuple[str, ...]:
        of, before = ([each[c] for c in indices] for each in (found.per_class, without or found.per_class))
        pixels = sum(one.pixels for one in of)
        means = [
            mean_of(one.recall for one in of),
            mean_of(one.precision for one in of),
            mean_of(one.iou for one in of),
        ]
        means += [mean_of(one.iou for one in before)] if without else []
        return name, *(figure(value, 1) for value in means), figure(100 * pixels / whole if pixels else None, 2)

    rows = [row(_shortened(name), c) for c, name in enumerate(names)]
    if slim := thin(set_name, names):
        rows.append(row(f"mean of the {len(slim)} thin ones", *slim))
    columns = ("class", "recall", "precision", "IoU", *(("IoU alone",) if without else ()), "share")
    return Table("classes, percent (-: not in the truth)", columns, tuple(rows))


def votes(rows: Sequence[Row], chosen: Mapping[str, Any] | None = None) -> Table:
    """Superpixels x votes; milliseconds are those of superpixels and vote, without the net's.

    ``chosen`` is the way that the weights come with (``segments``, ``vote``, ``gate``), marked by a star.
    """
    default = row_name(chosen["segments"], chosen.get("vote", ""), chosen.get("gate", 0.0)) if chosen else ""
    cells = []
    for row in rows:
        name = row_name(row.segments, row.vote, row.gate)
        means = (row.figures.pixel_accuracy, row.figures.class_accuracy, row.figures.mean_iou, row.boundary_f1)
        shown = (figure(value, 2) for value in means)  # votes differ by tenths
        cells.append((f"{name} *" if name == default else name, *shown, figure(row.milliseconds, 0)))
    title = "superpixels and votes, percent" + ("; * the default" if default else "")
    return Table(title, ("", "pixel", "class", "mIoU", "bF1", "ms"), tuple(cells))


def temporal(rows: Mapping[str, Measured]) -> Table:
    """How steady a video's labels are: name of a way -> figures under the heads of their columns, a dash if missing."""
    columns = tuple(dict.fromkeys(name for of in rows.values() for name in of))
    cells = tuple((name, *(figure(of.get(column), 2) for column in columns)) for name, of in rows.items())
    return Table("from frame to frame, percent", ("", *columns), cells)


def _shortened(name: str) -> str:
    """A long name without its end."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 2]}.."
