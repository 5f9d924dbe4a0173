"""What classification answers for one photo: names with probabilities, and how they are shown and written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from percept.vision.draw import overlay_heat
from percept.vision.image import write_image

PANEL = 0.72  # how much darker the photo gets under the words
SMALLEST = 5  # pixels: smaller letters are left out


@dataclass(frozen=True, eq=False, repr=False)
class Classes:
    """The likeliest classes of one photo, the likeliest first.

    Attributes:
        input: the photo's name, as the person gave it.
        width, height: of the photo, in pixels.
        labels: the names of the classes.
        probabilities: of each of them, 0..1; over all classes of the weights they sum to one.
        image: (H, W, 3) uint8 RGB, kept only for drawing, or None.
        map_label, map: a class, and where it is seen: (H, W) float32 0..1; or None.
    Raises:
        ValueError: labels and probabilities are not equally many.
    """

    input: str
    width: int
    height: int
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    image: np.ndarray | None = None
    map_label: str | None = None
    map: np.ndarray | None = None

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.probabilities):
            raise ValueError(f"{len(self.labels)} labels and {len(self.probabilities)} probabilities")

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        said = ", ".join(f"{label} {probability:.2f}" for label, probability in self.rows())
        return f"Classes({self.input!r}, {self.width} x {self.height}: {said})"

    def __str__(self) -> str:
        """What a person reads: the photo and its size, then a line a class."""
        wide = max(len("label"), *(len(label) for label in self.labels)) if self.labels else len("label")
        lines = [f" {self.input}  {self.width} x {self.height}", f" {'label':<{wide}}  probability"]
        return "\n".join(lines + [f" {label:<{wide}}         {share:.2f}" for label, share in self.rows()])

    def rows(self) -> list[tuple[str, float]]:
        """(label, probability) of each class, probabilities to 4 decimals."""
        return [(label, round(float(share), 4)) for label, share in zip(self.labels, self.probabilities, strict=True)]

    def to_json(self) -> dict:
        """One entry of "results": input, width, height and classes."""
        classes = [{"label": label, "probability": probability} for label, probability in self.rows()]
        return {"input": self.input, "width": self.width, "height": self.height, "classes": classes}

    def draw(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB: the photo with the map, if there is one, else with its classes written on it.

        Raises:
            ValueError: the photo was not kept.
        """
        if self.image is None:
            raise ValueError(f"{self.input}: the photo was not kept with its classes")
        if self.map is not None:
            return written(overlay_heat(self.image, self.map), [f"{self.map_label}  (most {self.map.max():.2f})"])
        return written(self.image, [f"{share:.2f} {label}" for label, share in self.rows()])

    def save(self, path: str | Path) -> None:
        """Write what `draw` gives; the suffix chooses the format."""
        write_image(Path(path), self.draw())


def written(photo: np.ndarray, lines: list[str]) -> np.ndarray:
    """A copy of a photo (H, W, 3) with lines of words in the upper left corner, on dark ground, as large as fits."""
    height, width = photo.shape[:2]
    size = max(14, round(min(height, width) / 26))  # pixels, of the letters
    longest = max((ImageFont.load_default(size).getlength(text) for text in lines), default=0) + size
    size = int(size * min(1, width / longest, height / (1.4 * size * len(lines) + size))) if lines else 0
    picture = photo.copy()
    if size < SMALLEST:
        return picture
    font = ImageFont.load_default(size)
    right = round(max(font.getlength(text) for text in lines)) + size
    below = round(1.4 * size * len(lines)) + size // 2
    picture[:below, :right] = (picture[:below, :right] * (1 - PANEL)).astype(np.uint8)
    paper = Image.fromarray(picture)
    pen = ImageDraw.Draw(paper)
    for number, text in enumerate(lines):
        pen.text((size // 2, round(1.4 * size * number) + size // 4), text, fill="white", font=font)
    return np.array(paper)
