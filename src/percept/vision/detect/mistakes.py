"""Where detection goes wrong: one table of mistakes, and what AP50 would gain if one kind of them did not happen.

The kinds, their order and the repairs follow TIDE (Bolya et al. 2020, sections 2.2 and 2.3). The first that fits is it.

- ``wrong place``: IoU 0.1 to 0.5 with an object of the right class. Repair: the box is moved onto the object.
- ``wrong class``: IoU 0.5 or more with an object of another class. Repair: it gets the right class.
- ``double``: IoU 0.5 or more with an object that a better box has found. Repair: it is left out.
- ``background``: IoU under 0.1 with every object. Repair: it is left out.
- ``both``: place and class wrong. Repair: it is left out.
- ``missed``: an object that was not found and that no repair above would find. Repair: it is not asked for.

A repaired box on an object that has one already is left out; of several on one free object the best is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from percept.vision.detect.metrics import LEFT_OUT, Found, average_precision, in_order, match, overlaps
from percept.vision.detect.photos import Photo, PhotoSet

RIGHT, WRONG_PLACE, WRONG_CLASS, DOUBLE, BACKGROUND, BOTH = range(6)
KINDS = ("right", "wrong place", "wrong class", "double", "background", "both", "missed")
OVERLAP, NEAR = 0.5, 0.1  # IoU from which an object is found, and from which a box has to do with it at all


@dataclass(frozen=True)
class Row:
    """One kind. `share` is of all detections over the threshold, for ``missed`` of all objects; None of nothing.

    `gain` is AP50 after the repair less AP50 now (0..1), over detections of every score; None for ``right``.
    """

    kind: str
    count: int
    share: float | None
    gain: float | None


@dataclass(frozen=True)
class _Judged:
    """One photo's detections: kind (N,), the object each has to do with (N,) or -1, and the objects missed (M,)."""

    photo: Photo
    scores: np.ndarray
    labels: np.ndarray
    kinds: np.ndarray
    objects: np.ndarray
    missed: np.ndarray


def mistakes(photos: PhotoSet, found: Iterable[Found], conf: float = 0.3) -> tuple[Row, ...]:
    """The table: right detections, five kinds of wrong ones and missed objects, counted at scores of `conf` and more.

    Gains take in all detections, as AP50 does; what lies in ignored objects counts nowhere.

    Args:
        found: for each photo in turn boxes (N, 4) in pixels, scores (N,), labels (N,) into `photos.names`.
    Raises:
        ValueError: not one entry for each photo, or a label that `photos.names` has no name for.
    """
    pairs = in_order(photos, found)
    everything = [_judge(photo, one) for photo, one in pairs]
    confident = [_judge(photo, tuple(part[one[1] >= conf] for part in one)) for photo, one in pairs]
    counts = sum((np.bincount(one.kinds, minlength=6) for one in confident), np.zeros(6, dtype=np.int64))
    missed = sum(int(one.missed.sum()) for one in confident)
    objects = sum(int((~photo.ignore).sum()) for photo, _ in pairs)
    base = _ap50(everything, len(photos.names), repaired=None)
    rows = []
    for kind, name in enumerate(KINDS):
        gain = None
        if kind != RIGHT and base is not None:
            # without its missed objects a class may have none left and fall out of the mean: nothing is gained there
            gain = max((_ap50(everything, len(photos.names), repaired=kind) or 0.0) - base, 0.0)
        if name == "missed":
            rows.append(Row(name, missed, missed / objects if objects else None, gain))
        else:
            total = int(counts.sum())
            rows.append(Row(name, int(counts[kind]), int(counts[kind]) / total if total else None, gain))
    return tuple(rows)


def _judge(photo: Photo, found: Found) -> _Judged:
    matched = match(photo, found, OVERLAP)
    kept = matched != LEFT_OUT
    boxes, scores, labels = (part[kept] for part in found)
    matched = matched[kept]
    real = np.flatnonzero(~photo.ignore)
    iou = overlaps(boxes, photo.boxes[real], np.zeros(len(real), dtype=bool))  # (N, M)
    same = labels[:, None] == photo.labels[real][None, :]
    kinds = np.full(len(scores), RIGHT)
    objects = matched.copy()
    for n in np.flatnonzero(matched < 0):
        own, other = iou[n] * same[n], iou[n] * ~same[n]  # (M,)
        if NEAR <= own.max(initial=0) < OVERLAP:
            kinds[n], objects[n] = WRONG_PLACE, real[own.argmax()]
        elif other.max(initial=0) >= OVERLAP:
            kinds[n], objects[n] = WRONG_CLASS, real[other.argmax()]
        elif own.max(initial=0) >= OVERLAP:
            kinds[n], objects[n] = DOUBLE, real[own.argmax()]
        else:
            kinds[n] = BOTH if iou[n].max(initial=0) >= NEAR else BACKGROUND
    missed = ~photo.ignore
    missed[objects[(kinds == RIGHT) | (kinds == WRONG_PLACE) | (kinds == WRONG_CLASS)]] = False
    return _Judged(photo, scores, labels, kinds, objects, missed)


def _ap50(judged: list[_Judged], classes: int, repaired: int | None) -> float | None:
    """The mean AP50 after one kind of mistake (an index into KINDS) has been repaired."""
    scores: list[list[float]] = [[] for _ in range(classes)]
    right: list[list[bool]] = [[] for _ in range(classes)]
    wanted = np.zeros(classes, dtype=np.int64)
    for one in judged:
        asked = ~one.photo.ignore
        if repaired == KINDS.index("missed"):
            asked = asked & ~one.missed
        wanted += np.bincount(one.photo.labels[asked], minlength=classes)
        taken = set(one.objects[one.kinds == RIGHT].tolist())
        for n in np.argsort(-one.scores, kind="stable"):
            kind, label, hit = int(one.kinds[n]), int(one.labels[n]), bool(one.kinds[n] == RIGHT)
            if kind == repaired:
                place = int(one.objects[n])
                if kind not in (WRONG_PLACE, WRONG_CLASS) or place in taken:
                    continue
                taken.add(place)
                label, hit = int(one.photo.labels[place]), True
            scores[label].append(float(one.scores[n]))
            right[label].append(hit)
    each = [
        average_precision(np.array(scores[k]), np.array(right[k], dtype=bool), int(wanted[k])) for k in range(classes)
    ]
    known = [value for value in each if value is not None]
    return sum(known) / len(known) if known else None
