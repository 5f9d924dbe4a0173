"""What stereo answers for one pair: disparity, confidence and depth, and how they are shown and written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from percept.core.console import duration
from percept.core.errors import UsageError

if TYPE_CHECKING:
    from percept.vision.stereo.calibration import Calibration

Row = tuple[int, int, int, float | str, float | str, float]  # width, height, max_disparity, lowest, highest, filled


@dataclass(frozen=True, eq=False, repr=False)
class StereoResult:
    """Where each pixel of the left view lies in the right one.

    Attributes:
        input: what the person named: the left picture, or the folder or picture that holds both views.
        left, right: the names of the views; empty where they were no files.
        width, height: of each view, in pixels.
        max_disparity: the largest that was looked for, in pixels.
        disparity: (H, W) float32, pixels: (x, y) of the left view is (x - disparity, y) of the right one; NaN where
            there is none, which is nowhere unless the filling was left out.
        confidence: (H, W) float32, 0..1.
        filled: share, 0..1, of the pixels that had no answer of their own (hidden from the right view, or found
            otherwise from there) and got their neighbours'.
        image: (H, W, 3) uint8 RGB, the left view, or None.
        depth: (H, W) float32, metres, NaN where unknown; None without a calibration.
        calibration: of the cameras, or None.
        frame, seconds: number and time of a video's frame, or None.
        took: seconds that the matching took, or None.
    Raises:
        ValueError: a map of another size.
    """

    input: str
    left: str
    right: str
    width: int
    height: int
    max_disparity: int
    disparity: np.ndarray
    confidence: np.ndarray
    filled: float
    image: np.ndarray | None = None
    depth: np.ndarray | None = None
    calibration: Calibration | None = None
    frame: int | None = None
    seconds: float | None = None
    took: float | None = None

    def __post_init__(self) -> None:
        for name in ("disparity", "confidence", "depth"):
            value = getattr(self, name)
            if value is None and name == "depth":
                continue
            value = np.asarray(value, dtype=np.float32)
            if value.shape != (self.height, self.width):
                raise ValueError(f"{name} of shape {value.shape} for {self.width} x {self.height} pixels")
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"<StereoResult {self.input!r} {self.width} x {self.height}: {self._found()}>"

    def __str__(self) -> str:
        """The answer for a person at a terminal: a line of what was done, and a small table."""
        when = "" if self.frame is None else f"  frame {self.frame}"
        when += "" if self.seconds is None else f"  {self.seconds:.2f} s"
        took = "" if self.took is None else f"   {duration(self.took)}"
        lines = [f" {self.input}{when}  {self.width} x {self.height}{took}", f" {self._found()}"]
        table = [("", "nearest", "median", "farthest"), ("disparity", *self._quartet(self.disparity, "px", True))]
        if self.depth is not None:
            table.append(("depth", *self._quartet(self.depth, "m", False)))
        widths = [max(len(row[column]) for row in table) for column in range(4)]
        for name, *cells in table:
            lines.append(
                f" {name:<{widths[0]}}"
                + "".join(f"  {cell:>{wide}}" for cell, wide in zip(cells, widths[1:], strict=True))
            )
        return "\n".join(lines)

    @property
    def range(self) -> tuple[float, float] | None:
        """The smallest and largest disparity found, in pixels; None if there is none."""
        return _range(self.disparity)

    def rows(self) -> list[Row]:
        """One: width, height, max_disparity, lowest and highest disparity to 2 decimals, share filled to 4."""
        low, high = ("", "") if self.range is None else (round(edge, 2) for edge in self.range)
        return [(self.width, self.height, self.max_disparity, low, high, round(self.filled, 4))]

    def to_json(self) -> dict[str, Any]:
        """One entry of "results"; of a video also frame and seconds, with a calibration also depth in metres."""
        document: dict[str, Any] = {"input": self.input}
        if self.frame is not None:
            document["frame"] = self.frame
        if self.seconds is not None:
            document["seconds"] = round(self.seconds, 3)
        document |= {"left": self.left, "right": self.right, "width": self.width, "height": self.height}
        document |= {"max_disparity": self.max_disparity, "range": _rounded(self.range, 2)}
        document["filled"] = round(self.filled, 4)
        if self.depth is not None:
            document["depth"] = _rounded(_range(self.depth), 3)
        return document

    def color(self, low: float | None = None, high: float | None = None) -> np.ndarray:
        """The disparity in colours, red is near, with a scale in pixels (and metres): (H, W + w, 3) uint8 RGB.

        low, high: the ends of the scale in pixels; what was found unless given.
        """
        from percept.vision.stereo import picture

        found = picture.limits(self.disparity)
        low, high = found[0] if low is None else low, found[1] if high is None else high
        metres = None if self.calibration is None else self._metres
        return picture.with_scale(picture.colours(self.disparity, low, high), low, high, metres)

    def save(self, path: str | Path) -> None:
        """Write the disparity: .pfm and .npy as numbers, .png as 16 bit, 256 times the disparity, 0 where none.

        .jpg and .webp are the picture in colours.

        Raises:
            UsageError: another suffix.
        """
        from percept.vision.image import write_image
        from percept.vision.stereo import formats

        path = Path(path)
        suffix = path.suffix.lower()
        if suffix in (".jpg", ".jpeg", ".webp"):
            write_image(path, self.color())
        elif suffix == ".png":
            formats.write_png16(path, self.disparity)
        elif suffix == ".pfm":
            formats.write_pfm(path, self.disparity)
        elif suffix == ".npy":
            formats.write_npy(path, self.disparity)
        else:
            raise UsageError(f'{path}: disparity is written as .png, .pfm or .npy, in colours as .jpg, not "{suffix}"')

    def _found(self) -> str:
        if self.range is None:
            return "no disparity found"
        low, high = self.range
        found = f"disparity {low:.1f} to {high:.1f} px, of {self.max_disparity} looked for"
        return f"{found}; {100 * self.filled:.1f} % filled in"

    def _quartet(self, values: np.ndarray, unit: str, near_is_high: bool) -> tuple[str, str, str]:
        """Nearest, median and farthest as text; a hundredth at each end is left out, where wild values are."""
        known = values[np.isfinite(values)]
        if not known.size:
            return "-", "-", "-"
        shares = (99, 50, 1) if near_is_high else (1, 50, 99)
        near, middle, far = (
            f"{value:.1f} {unit}" if near_is_high else f"{value:.2f} {unit}" for value in np.percentile(known, shares)
        )
        return near, middle, far

    def _metres(self, disparity: float) -> float | None:
        from percept.vision.stereo.calibration import depth

        assert self.calibration is not None
        value = float(depth(np.full((1, 1), disparity, np.float32), self.calibration)[0, 0])
        return value if np.isfinite(value) else None


def _range(values: np.ndarray) -> tuple[float, float] | None:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else None


def _rounded(edges: tuple[float, float] | None, digits: int) -> list[float] | None:
    return None if edges is None else [round(edge, digits) + 0.0 for edge in edges]  # + 0.0: no "-0.0"
