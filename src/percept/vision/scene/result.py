"""What scene parsing answers for one photo: a class for each pixel, and how it is shown and written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from rich.cells import cell_len, set_cell_size

from percept.core.console import duration
from percept.core.errors import UsageError
from percept.core.files import replacing
from percept.vision.image import write_image
from percept.vision.scene.picture import colours_of, count, overlay, write_palette

Row = tuple[str, float]
COLUMNS = ("label", "share")  # of a row

SMALLEST = 0.001  # share of the picture above which connected pixels of one class are told as a region
MOST_REGIONS = 50
EXACT = 1_000_000  # pixels of a picture up to which each counts for a region's confidence; of a larger one a sample
LONGEST_NAME = 40  # cells of a terminal
BAR = 30  # cells for a share of 100 %


class Region(NamedTuple):
    """Connected pixels of one class.

    label: of the class. share: 0..1, of the picture. box: x0 y0 x1 y1 in pixels, x1 and y1 just outside. confidence:
    0..1, the mean probability of the class there.
    """

    label: str
    share: float
    box: tuple[int, int, int, int]
    confidence: float


@dataclass(frozen=True, eq=False, repr=False)
class SceneResult:
    """The class of each pixel of a photo.

    Attributes:
        input: the photo's name, as the person gave it.
        width, height: of the photo, in pixels.
        names: the K classes that `labels` points into, in the order that ``percept info`` lists.
        colours: RGB of each class; percept's own if empty.
        labels: (H, W) uint8; 255 where there is no class.
        probabilities: (K, h, w) float32 at the network's own size, their sum over K is 1.
        image: (H, W, 3) uint8 RGB, kept only for drawing, or None.
        shown: the only classes that are told and drawn (``--classes``); all if empty. `labels` keeps all.
        frame, seconds: number and time of a video's frame, or None.
        steadied: percent of the pixels whose class is not that of the frame before, before and after the steadying;
            None where nothing was steadied.
        took: seconds that the parsing took, or None.
    Raises:
        ValueError: arrays or colours that do not fit the size or the names.
    """

    input: str
    width: int
    height: int
    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    labels: np.ndarray
    probabilities: np.ndarray
    image: np.ndarray | None = None
    shown: tuple[str, ...] = ()
    frame: int | None = None
    seconds: float | None = None
    steadied: tuple[float, float] | None = None
    took: float | None = None

    def __post_init__(self) -> None:
        labels = np.ascontiguousarray(self.labels)
        if labels.dtype != np.uint8 or labels.shape != (self.height, self.width):
            raise ValueError(f"labels {labels.dtype} {labels.shape} for {self.width} x {self.height} pixels")
        probabilities = np.asarray(self.probabilities, dtype=np.float32)
        if probabilities.ndim != 3 or len(probabilities) != len(self.names) or not probabilities.size:
            raise ValueError(f"probabilities of shape {probabilities.shape} for {len(self.names)} classes")
        if self.image is not None and self.image.shape != (self.height, self.width, 3):
            raise ValueError(f"an image of shape {self.image.shape} for {self.width} x {self.height} pixels")
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "probabilities", probabilities)
        object.__setattr__(self, "colours", colours_of(self.names, self.colours))

    def __repr__(self) -> str:
        what = ", ".join(f"{name} {100 * share:.0f} %" for name, share in list(self.shares.items())[:5])
        more = ", ..." if len(self.shares) > 5 else ""
        return f"<SceneResult {self.input!r} {self.width} x {self.height}: {what or 'no class'}{more}>"

    def __str__(self) -> str:
        """The answer for a person at a terminal: a line of what was done, and a small table."""
        when = "" if self.frame is None else f"  frame {self.frame}"
        when += "" if self.seconds is None else f"  {self.seconds:.2f} s"
        took = "" if self.took is None else f"   {duration(self.took)}"
        number = len(self.shares)
        what = f"{number or 'no'} {'class' if number == 1 else 'classes'}"
        lines = [f" {self.input}{when}  {self.width} x {self.height}   {what}{took}"]
        if self.steadied is not None:
            before, after = self.steadied
            lines.append(f" {before:.1f} % of the labels changed since the frame before, steadied {after:.1f} %")
        if self.shares:
            shown = [" ".join(name.split()) for name in self.shares]
            wide = min(max(cell_len(name) for name in (*shown, "label")), LONGEST_NAME)
            lines.append(f" {'label':<{wide}}  share")
            for name, share in zip(shown, self.shares.values(), strict=True):
                bar = "━" * round(BAR * share)
                lines.append(f" {set_cell_size(name, wide)}  {100 * share:>5.1f} %  {bar}".rstrip())
        return "\n".join(lines)

    @cached_property
    def shares(self) -> dict[str, float]:
        """The share of the picture, 0..1, of each class that occurs (and is shown), the largest first."""
        found = {}
        for index, name in enumerate(self.names):
            if self._counts[index] and self._is_shown(index):
                found[name] = self._counts[index] / self.labels.size
        return dict(sorted(found.items(), key=lambda row: -row[1]))

    @cached_property
    def regions(self) -> list[Region]:
        """Connected pixels of one class, larger than 0.1 % of the picture: at most 50, the largest first.

        Pixels are connected over their corners too: what is thin, such as a pole, stays whole.
        """
        found = []
        for index in range(len(self.names)):
            if self._counts[index] > SMALLEST * self.labels.size and self._is_shown(index):
                found += self._regions_of(index)
        return sorted(found, key=lambda region: (-region.share, region.box))[:MOST_REGIONS]

    def rows(self) -> list[Row]:
        """(label, share) of each class that occurs, the largest first; shares to 6 decimals."""
        return [(name, round(share, 6)) for name, share in self.shares.items()]

    def to_json(self) -> dict[str, Any]:
        """One entry of "results": input, size, classes, regions; of a video also frame, seconds and what changed."""
        document: dict[str, Any] = {"input": self.input}
        if self.frame is not None:
            document["frame"] = self.frame
        if self.seconds is not None:
            document["seconds"] = round(self.seconds, 3)
        document |= {"width": self.width, "height": self.height}
        document["classes"] = [{"label": label, "share": share} for label, share in self.rows()]
        document["regions"] = [
            {"label": label, "share": round(share, 6), "box": list(box), "confidence": round(confidence, 4)}
            for label, share, box, confidence in self.regions
        ]
        if self.steadied is not None:
            before, after = self.steadied
            document["changed"] = {"before": round(before, 3), "after": round(after, 3)}
        return document

    def overlay(self) -> np.ndarray:
        """The photo under the classes' colours, with a legend: (H', W', 3) uint8 RGB.

        Raises:
            ValueError: the photo was not kept.
        """
        if self.image is None:
            raise ValueError(f"{self.input}: the photo was not kept with its classes")
        every = self.frame is not None  # the frames of a video must have one size
        return overlay(self.image, self.labels, self.names, self.colours, shown=self.shown, every=every)

    def soft(self) -> dict[str, np.ndarray]:
        """What an .npz holds: names (K,), probabilities (K, h, w) float16, width and height of the photo in pixels."""
        return {
            "names": np.array(self.names),
            "probabilities": self.probabilities.astype(np.float16),
            "width": np.int64(self.width),
            "height": np.int64(self.height),
        }

    def save(self, path: str | Path) -> None:
        """Write the labels as a palette picture (.png), the overlay (.jpg, .webp), or the probabilities (.npz).

        Raises:
            UsageError: another suffix.
            PerceptError: the disk is full, or the folder may not be written.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix in (".jpg", ".jpeg", ".webp"):
            write_image(path, self.overlay())
        elif suffix == ".png":
            write_palette(path, self.labels, self.names, self.colours)
        elif suffix == ".npz":
            with replacing(path) as temporary:
                np.savez_compressed(temporary, **self.soft())
        else:
            known = "labels are written as .png, probabilities as .npz, the overlay as .jpg"
            raise UsageError(f'{path}: {known}, not "{path.suffix}"')

    @cached_property
    def _counts(self) -> list[int]:
        return count(self.labels).tolist()

    def _is_shown(self, index: int) -> bool:
        return not self.shown or self.names[index] in self.shown

    def _regions_of(self, index: int) -> list[Region]:
        mask = (self.labels == index).view(np.uint8)  # (H, W)
        left, top, wide, high = cv2.boundingRect(mask)
        mask = np.ascontiguousarray(mask[top : top + high, left : left + wide])
        number, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
        pixels = self.width * self.height
        found = []
        for part in range(1, number):  # 0 is all else
            x, y, w, h, area = stats[part].tolist()
            if area > SMALLEST * pixels:
                box = (left + x, top + y, left + x + w, top + y + h)
                sure = self._confidence(index, parts[y : y + h, x : x + w] == part, box[:2])
                found.append(Region(self.names[index], area / pixels, box, sure))
        return found

    def _confidence(self, index: int, mask: np.ndarray, corner: tuple[int, int]) -> float:
        """The mean probability of a class where the mask (h, w), whose upper left corner is x, y, is true."""
        plane = self.probabilities[index]  # the network's (h, w)
        step = max(1, int((mask.size / EXACT) ** 0.5))
        if not mask[::step, ::step].any():  # thinner than the steps
            step = 1
        rows, columns = np.nonzero(mask[::step, ::step])
        y = ((rows * step + corner[1] + 0.5) * (plane.shape[0] / self.height)).astype(np.intp)
        x = ((columns * step + corner[0] + 0.5) * (plane.shape[1] / self.width)).astype(np.intp)
        return float(plane[y, x].mean(dtype=np.float64))
