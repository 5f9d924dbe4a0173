"""What detection answers for one photo: boxes with names and scores, and how they are shown and written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from percept.core.errors import UsageError, nearest

Row = tuple[str, float, float, float, float, float]  # label, score, x0, y0, x1, y1


@dataclass(frozen=True, eq=False, repr=False)
class Detections:
    """The objects of one photo, the surest first (detections that come in another order are put in this one).

    Attributes:
        input: the photo's name, as the person gave it.
        width, height: of the photo, in pixels.
        names: the class names that `labels` points into.
        boxes: (N, 4) float32, x0 y0 x1 y1 in pixels of the photo.
        scores: (N,) float32, 0..1.
        labels: (N,) int64.
        image: (H, W, 3) uint8 RGB, kept only for drawing and crops, or None.
        frame, seconds: number and time of a video's frame, or None.
    Raises:
        ValueError: boxes, scores and labels are not equally many.
    """

    input: str
    width: int
    height: int
    names: tuple[str, ...]
    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    image: np.ndarray | None = None
    frame: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        boxes = np.asarray(self.boxes, dtype=np.float32).reshape(-1, 4)
        scores = np.asarray(self.scores, dtype=np.float32).reshape(-1)
        labels = np.asarray(self.labels, dtype=np.int64).reshape(-1)
        if not len(boxes) == len(scores) == len(labels):
            raise ValueError(f"{len(boxes)} boxes, {len(scores)} scores and {len(labels)} labels")
        order = np.argsort(-scores, kind="stable")
        for name, value in (("boxes", boxes), ("scores", scores), ("labels", labels)):
            object.__setattr__(self, name, value[order])

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        counts = Counter(self.names[label] for label in self.labels)
        what = ", ".join(f"{count} {name}" for name, count in counts.most_common(5))
        more = ", ..." if len(counts) > 5 else ""
        return f"<Detections {self.input!r} {self.width} x {self.height}: {what or 'no objects'}{more}>"

    def __str__(self) -> str:
        """The answer as a table of plain text, boxes in whole pixels."""
        when = "" if self.frame is None else f"  frame {self.frame}"
        when += "" if self.seconds is None else f"  {self.seconds:.2f} s"
        lines = [f" {self.input}{when}  {self.width} x {self.height}   {_objects(len(self))}"]
        rows = self.rows()
        if rows:
            wide = max(len("label"), *(len(row[0]) for row in rows))
            lines.append(f" {'label':<{wide}}  score   box (x0 y0 x1 y1)")
            for label, score, *box in rows:
                lines.append(f" {label:<{wide}}   {score:.2f} " + "".join(f" {edge:>4.0f}" for edge in box))
        return "\n".join(lines)

    def rows(self) -> list[Row]:
        """(label, score, x0, y0, x1, y1) of each object; scores to 4 decimals, edges to 2, in pixels."""
        return [
            (self.names[label], round(score, 4), *(round(edge, 2) + 0.0 for edge in box))  # + 0.0: no "-0.0"
            for label, score, box in zip(self.labels, self.scores.tolist(), self.boxes.tolist(), strict=True)
        ]

    def to_json(self) -> dict:
        """One entry of "results": input, width, height and detections; of a video also frame and seconds."""
        document: dict = {"input": self.input}
        if self.frame is not None:
            document["frame"] = self.frame
        if self.seconds is not None:
            document["seconds"] = round(self.seconds, 3)
        document |= {"width": self.width, "height": self.height}
        document["detections"] = [{"label": label, "score": score, "box": box} for label, score, *box in self.rows()]
        return document

    def filter(self, conf: float = 0.0, classes: Collection[str] | None = None, max: int | None = None) -> Detections:
        """The objects with a score of `conf` or more, of these class names, at most `max` of them.

        Raises:
            UsageError: a class that these weights do not know.
        """
        keep = self.scores >= np.float32(conf)
        if classes is not None:
            wanted = [classes] if isinstance(classes, str) else list(classes)
            for name in wanted:
                if name not in self.names:
                    raise UsageError(f'no class "{name}"{nearest(name, self.names)}')
            keep &= np.isin(self.labels, [self.names.index(name) for name in wanted])
        index = np.flatnonzero(keep)[:max]
        return replace(self, boxes=self.boxes[index], scores=self.scores[index], labels=self.labels[index])

    def draw(self) -> np.ndarray:
        """The photo with its boxes, (H, W, 3) uint8 RGB; a class keeps its colour on every photo.

        Raises:
            ValueError: the photo was not kept.
        """
        from percept.vision.draw import draw_boxes, palette

        colours = palette(len(self.names))
        texts = [f"{self.names[label]} {score:.2f}" for label, score in zip(self.labels, self.scores, strict=True)]
        return draw_boxes(self._photo(), self.boxes, texts, [colours[label] for label in self.labels])

    def save(self, path: str | Path) -> None:
        """Write the photo with its boxes; the suffix chooses the format."""
        from percept.vision.image import write_image

        write_image(Path(path), self.draw())

    def crops(self) -> list[tuple[str, np.ndarray]]:
        """Each object cut out: (name that may stand in a file name, such as ``01_person``, (h, w, 3) uint8 RGB).

        Raises:
            ValueError: the photo was not kept.
        """
        photo = self._photo()
        digits = len(str(len(self)))
        found = []
        for index, (label, (x0, y0, x1, y1)) in enumerate(zip(self.labels, self.boxes.tolist(), strict=True), start=1):
            left, right = _pixels(x0, x1, self.width)
            top, bottom = _pixels(y0, y1, self.height)
            name = re.sub(r"[^\w.-]+", "_", self.names[label]).strip("._") or "object"
            found.append((f"{index:0{max(digits, 2)}d}_{name}", photo[top:bottom, left:right].copy()))
        return found

    def _photo(self) -> np.ndarray:
        if self.image is None:
            raise ValueError(f"{self.input}: the photo was not kept with its detections")
        return self.image


def _objects(count: int) -> str:
    return f"{count or 'no'} {'object' if count == 1 else 'objects'}"


def _pixels(low: float, high: float, size: int) -> tuple[int, int]:
    """The whole pixels that an edge pair touches, inside the photo, at least one."""
    start = min(max(int(np.floor(low)), 0), size - 1)
    return start, min(max(int(np.ceil(high)), start + 1), size)
