"""How good detections are, by the published protocols: COCO average precision and Pascal VOC 2007 AP50.

Boxes are ``x0 y0 x1 y1`` in pixels with continuous edges, so ``width = x1 - x0``. VOC's inclusive pixel numbers
``xmin..xmax`` become ``xmin - 1, xmax`` when a data set is read, and the "+ 1" of its protocol is then already there.

Photos are put in the order of their paths before anything is counted. Average precision sorts all detections by score
with a stable sort, so equal scores on two photos are ranked by photo: in the order of the list, the figure would depend
on how the photos were shuffled or dealt out to machines.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from percept.core.files import replacing
from percept.vision.detect.photos import Photo, PhotoSet

DETECTIONS_PER_CLASS = 100  # COCO: the best 100 of each class on each photo
RECALLS = np.linspace(0.0, 1.0, 101)  # COCO: the recalls at which precision is read
COLOURS = ("C0", "C1", "C2", "C3", "C4", "C5", "C6", "C8", "C9", "navy")  # matplotlib's, but for its grey
MADE_UP, LEFT_OUT = -1, -2  # what `match` says of a detection that found no object

Found = tuple[np.ndarray, np.ndarray, np.ndarray]  # of one photo: boxes (N, 4), scores (N,), labels (N,)


@dataclass(frozen=True)
class ClassScore:
    """One class: average precision 0..1, None where the photos show no such object; `boxes` counts the objects."""

    label: str
    AP: float | None
    AP50: float | None
    boxes: int


@dataclass(frozen=True)
class Scores:
    """COCO's figures, 0..1, each None where the photos show no object of that size.

    `recall` (101,) and `precision` (K, 101) are the curves at IoU 0.5; a class without objects is a row of NaN.
    """

    AP: float | None
    AP50: float | None
    AP75: float | None
    AP_small: float | None  # objects under 32 x 32 pixels
    AP_medium: float | None
    AP_large: float | None  # objects over 96 x 96 pixels
    per_class: tuple[ClassScore, ...]
    recall: np.ndarray
    precision: np.ndarray
    count: int  # photos

    def metrics(self) -> dict[str, float | None]:
        """The six figures under the names that scripts rely on."""
        return {name: getattr(self, name) for name in METRICS}


METRICS = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large")


@dataclass(frozen=True)
class Bin:
    """Detections with a score in [low, high): how often they are said to be right and how often they are."""

    low: float
    high: float
    count: int
    predicted: float | None  # mean score; None in an empty bin
    right: float | None  # share of right detections


def shown(value: float | None) -> str:
    """A figure as a table shows it: three decimals, or "-" where there was nothing to measure."""
    return "-" if value is None else f"{value:.3f}"


def score(photos: PhotoSet, found: Iterable[Found]) -> Scores:
    """COCO's average precision: IoU 0.50:0.05:0.95, 101 recalls, 100 detections, ignored objects taken as crowds.

    Args:
        photos: the truth; `Photo.areas` decides small, medium and large.
        found: for each photo in turn boxes (N, 4) in pixels, scores (N,), labels (N,) into `photos.names`.
    Raises:
        ValueError: not one entry for each photo, or a label that `photos.names` has no name for.
    """
    from faster_coco_eval import COCO, COCOeval_faster

    pairs = in_order(photos, found)
    ordered = [photo for photo, _ in pairs]
    with contextlib.redirect_stdout(io.StringIO()):  # stdout carries answers only, whatever the library says
        truth = COCO(_coco_document(photos.names, ordered, _coco_objects(ordered)))
        results = COCO(_coco_document(photos.names, ordered, _coco_found([one for _, one in pairs])))
        judge = COCOeval_faster(truth, results, "bbox", print_function=_say_nothing)
        judge.params.maxDets = [DETECTIONS_PER_CLASS]
        judge.evaluate()
        judge.accumulate()
        sizes = list(judge.params.areaRngLbl)
    # (T, R, K, A, M) -> (T, R, K, A): one limit on detections; -1 where a class has no object of a size
    precision = np.asarray(judge.eval["precision"], dtype=np.float64).reshape(10, len(RECALLS), -1, len(sizes))
    everything = precision[..., sizes.index("all")]  # (T, R, K)
    counts = np.zeros(len(photos.names), dtype=np.int64)
    for photo in photos.photos:
        counts += np.bincount(photo.labels[~photo.ignore], minlength=len(counts))
    return Scores(
        AP=_mean(everything),
        AP50=_mean(everything[0]),
        AP75=_mean(everything[5]),
        AP_small=_mean(precision[..., sizes.index("small")]),
        AP_medium=_mean(precision[..., sizes.index("medium")]),
        AP_large=_mean(precision[..., sizes.index("large")]),
        per_class=tuple(
            ClassScore(name, _mean(everything[:, :, k]), _mean(everything[0, :, k]), int(counts[k]))
            for k, name in enumerate(photos.names)
        ),
        recall=RECALLS,
        precision=np.where(everything[0] < 0, np.nan, everything[0]).T,  # (R, K) -> (K, R)
        count=len(photos.photos),
    )


def voc_ap50(
    photos: PhotoSet, found: Iterable[Found], eleven_points: bool = True
) -> tuple[float | None, dict[str, float | None]]:
    """Pascal VOC's AP at IoU 0.5: (mean over the classes that occur, each class by name), 0..1.

    A detection belongs to the object of its class that it overlaps most; a second one on the same object is wrong, one
    on a difficult object counts neither way. With `eleven_points` as in VOC 2007 (precision at recall 0, 0.1 ... 1),
    else as since VOC 2010 (the area under the whole curve).
    """
    pairs = in_order(photos, found)
    each: dict[str, float | None] = {}
    for k, name in enumerate(photos.names):
        scores, right, objects = [], [], 0
        for photo, (boxes, confidence, labels) in pairs:
            own, of_class = labels == k, photo.labels == k
            objects += int((of_class & ~photo.ignore).sum())
            outcome = _voc_match(photo.boxes[of_class], photo.ignore[of_class], boxes[own], confidence[own])
            scores.append(confidence[own][outcome != LEFT_OUT])
            right.append(outcome[outcome != LEFT_OUT] >= 0)
        each[name] = _voc_average(_concatenate(scores), _concatenate(right) > 0, objects, eleven_points)
    known = [value for value in each.values() if value is not None]
    return (sum(known) / len(known) if known else None), each


def graded(photos: PhotoSet, found: Iterable[Found]) -> tuple[np.ndarray, np.ndarray]:
    """All detections as (scores (D,), right (D,) bool) at IoU 0.5; those on ignored objects are left out."""
    scores, right = [], []
    for photo, one in in_order(photos, found):
        outcome = match(photo, one)
        scores.append(one[1][outcome != LEFT_OUT])
        right.append(outcome[outcome != LEFT_OUT] >= 0)
    return _concatenate(scores), _concatenate(right) > 0


def reliability(scores: np.ndarray, correct: np.ndarray, bins: int = 10) -> tuple[Bin, ...]:
    """Whether a score of 0.8 means right in 8 of 10 cases: `bins` equal steps of 0..1, predicted beside right.

    >>> table = reliability([0.9, 0.8, 0.1], [True, False, False], bins=2)
    >>> [(one.count, one.right) for one in table]
    [(1, 0.0), (2, 0.5)]
    """
    scores, correct = np.asarray(scores, dtype=np.float64), np.asarray(correct, dtype=bool)
    place = np.clip((scores * bins).astype(np.int64), 0, bins - 1)  # a score of 1 belongs to the last bin
    table = []
    for index in range(bins):
        inside = place == index
        count = int(inside.sum())
        predicted = float(scores[inside].mean()) if count else None
        right = float(correct[inside].mean()) if count else None
        table.append(Bin(index / bins, (index + 1) / bins, count, predicted, right))
    return tuple(table)


def overlaps(boxes: np.ndarray, truth: np.ndarray, ignore: np.ndarray) -> np.ndarray:
    """IoU (N, M) of boxes (N, 4) and truth (M, 4); over an ignored truth the share of the box that lies inside it."""
    a, b = boxes.astype(np.float64), truth.astype(np.float64)
    low = np.maximum(a[:, None, :2], b[None, :, :2])  # (N, M, 2)
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(axis=2)  # (N, M)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(axis=1), (b[:, 2:] - b[:, :2]).prod(axis=1)
    union = np.where(ignore[None, :], area_a[:, None], area_a[:, None] + area_b[None, :] - both)
    return np.divide(both, union, out=np.zeros_like(both), where=both > 0)


def match(photo: Photo, found: Found, threshold: float = 0.5) -> np.ndarray:
    """Which object each detection found, by COCO's rule: (N,) index into `photo.boxes`, MADE_UP or LEFT_OUT.

    Detections choose in the order of their scores, each the free object of its class that it overlaps most. What lies
    in an ignored object, or behind the best 100 of its class, is LEFT_OUT.
    """
    boxes, scores, labels = found
    outcome = np.full(len(scores), MADE_UP, dtype=np.int64)
    iou = overlaps(boxes, photo.boxes, photo.ignore)  # (N, M)
    same = labels[:, None] == photo.labels[None, :]
    free = ~photo.ignore
    chosen: dict[int, int] = {}  # detections of each class so far
    for n in np.argsort(-scores, kind="stable"):
        label = int(labels[n])
        chosen[label] = chosen.get(label, 0) + 1
        if chosen[label] > DETECTIONS_PER_CLASS:
            outcome[n] = LEFT_OUT
            continue
        near = same[n] & (iou[n] >= threshold)
        if (near & free).any():
            candidates = np.flatnonzero(near & free)[::-1]  # backwards: of equal overlaps COCO takes the last
            best = candidates[np.argmax(iou[n, candidates])]
            outcome[n] = best
            free[best] = False
        elif (near & photo.ignore).any():
            outcome[n] = LEFT_OUT
    return outcome


def average_precision(scores: np.ndarray, right: np.ndarray, objects: int) -> float | None:
    """COCO's mean of the precision at 101 recalls; scores (D,), right (D,) bool; None if there are no objects."""
    if objects == 0:
        return None
    recall, precision = _curve(scores, right, objects)
    place = np.searchsorted(recall, RECALLS, side="left")
    reached = place < len(recall)  # recalls that were never reached have precision 0
    return float(precision[place[reached]].sum() / len(RECALLS))


def pr_curves(scores: Scores, path: str | Path, named: int = 10) -> None:
    """Draw precision over recall at IoU 0.5: the mean thick, the `named` most frequent classes coloured."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    measured = [k for k, one in enumerate(scores.per_class) if one.AP50 is not None]
    measured.sort(key=lambda k: -scores.per_class[k].boxes)
    for k in measured[named:]:
        axes.plot(scores.recall, scores.precision[k], color="0.82", linewidth=0.7, zorder=1)
    for index, k in enumerate(measured[:named]):
        one = scores.per_class[k]
        label = f"{one.label}  {shown(one.AP50)}  ({one.boxes:,})"
        axes.plot(
            scores.recall,
            scores.precision[k],
            color=COLOURS[index % len(COLOURS)],
            linewidth=1.4,
            zorder=2,
            label=label,
        )
    if measured:
        mean = scores.precision[measured].mean(axis=0)  # (K, 101) -> (101,)
        label = f"mean of {len(measured)}  {shown(scores.AP50)}"
        axes.plot(scores.recall, mean, color="black", linewidth=3.5, zorder=3, label=label)
        axes.legend(title="class, AP50 (objects)", loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision", title="Precision and recall at IoU 0.5")
    axes.grid(alpha=0.3)
    path = Path(path)
    with replacing(path) as unfinished:
        figure.savefig(unfinished, dpi=120, format=path.suffix.lstrip(".") or "png")


def in_order(photos: PhotoSet, found: Iterable[Found]) -> list[tuple[Photo, Found]]:
    """The photos with what was found on each, by path; checks that the two lists and the names belong together."""
    found = list(found)
    if len(found) != len(photos.photos):
        raise ValueError(f"{len(photos.photos)} photos, but detections of {len(found)}")
    pairs = []
    for photo, (boxes, scores, labels) in zip(photos.photos, found, strict=True):
        boxes, scores = np.asarray(boxes, dtype=np.float64).reshape(-1, 4), np.asarray(scores, dtype=np.float64)
        labels = np.asarray(labels, dtype=np.int64)
        if not len(boxes) == len(scores) == len(labels):
            raise ValueError(f"{photo.path}: {len(boxes)} boxes, {len(scores)} scores and {len(labels)} labels")
        if len(labels) and (labels.min() < 0 or labels.max() >= len(photos.names)):
            raise ValueError(f"{photo.path}: labels from {labels.min()} to {labels.max()}, {len(photos.names)} names")
        pairs.append((photo, (boxes, scores, labels)))
    return sorted(pairs, key=lambda pair: pair[0].path.as_posix())


def _coco_document(names: Sequence[str], photos: Sequence[Photo], annotations: list[dict]) -> dict:
    return {
        "info": {},
        "images": [{"id": i + 1, "width": one.width, "height": one.height} for i, one in enumerate(photos)],
        "categories": [{"id": k + 1, "name": name} for k, name in enumerate(names)],
        # ids from 1: the library takes 0 for "matched nothing"
        "annotations": [{"id": index + 1} | one for index, one in enumerate(annotations)],
    }


def _coco_objects(photos: Sequence[Photo]) -> list[dict]:
    return [
        _coco_box(index, box, label) | {"area": float(area), "iscrowd": int(ignore)}
        for index, photo in enumerate(photos)
        for box, label, ignore, area in zip(photo.boxes, photo.labels, photo.ignore, photo.areas, strict=True)
    ]


def _coco_found(found: Sequence[Found]) -> list[dict]:
    return [
        _coco_box(index, box, label)
        | {"score": float(confidence), "area": float((box[2:] - box[:2]).prod()), "iscrowd": 0}
        for index, one in enumerate(found)
        for box, confidence, label in zip(*one, strict=True)
    ]


def _coco_box(index: int, box: np.ndarray, label: int) -> dict:
    x0, y0, x1, y1 = map(float, box)
    return {"image_id": index + 1, "category_id": int(label) + 1, "bbox": [x0, y0, x1 - x0, y1 - y0]}


def _say_nothing(*_: object) -> None:
    """Takes the library's progress lines."""


def _mean(precision: np.ndarray) -> float | None:
    """The mean of what was measured (the library writes -1 elsewhere), or None."""
    measured = precision[precision > -1]
    return float(measured.mean()) if measured.size else None


def _concatenate(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0)


def _curve(scores: np.ndarray, right: np.ndarray, objects: int) -> tuple[np.ndarray, np.ndarray]:
    """(recall, precision), each (D,), as the score falls; precision made falling from left to right."""
    hits = np.cumsum(right[np.argsort(-scores, kind="stable")])
    precision = hits / np.arange(1, len(hits) + 1)
    return hits / objects, np.maximum.accumulate(precision[::-1])[::-1]


def _voc_match(truth: np.ndarray, difficult: np.ndarray, boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """As `match` for one class, by VOC's rule: the nearest object decides, even if it is taken or difficult."""
    outcome = np.full(len(scores), MADE_UP, dtype=np.int64)
    if len(truth) == 0:
        return outcome
    iou = overlaps(boxes, truth, np.zeros(len(truth), dtype=bool))  # (N, M)
    taken = np.zeros(len(truth), dtype=bool)
    for n in np.argsort(-scores, kind="stable"):
        best = int(iou[n].argmax())
        if iou[n, best] < 0.5:
            continue
        if difficult[best]:
            outcome[n] = LEFT_OUT
        elif not taken[best]:
            outcome[n], taken[best] = best, True
    return outcome


def _voc_average(scores: np.ndarray, right: np.ndarray, objects: int, eleven_points: bool) -> float | None:
    if objects == 0:
        return None
    recall, precision = _curve(scores, right, objects)
    if not eleven_points:
        return float((np.diff(recall, prepend=0.0) * precision).sum())
    hits = np.rint(recall * objects).astype(np.int64)
    # recall >= tenth / 10 in whole numbers: 0.1 * 3 is more than 0.3 for a computer
    return float(sum(precision[10 * hits >= tenth * objects].max(initial=0.0) for tenth in range(11)) / 11)
