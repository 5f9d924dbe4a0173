"""How steady the labels of a video are, whether or not they are right (percept eval scene-parse --temporal).

A frame's labels are compared with those of the frame before at the places where its pixels were then. Optical flow
(Farneback 2003) tells these places, from the pictures alone: a moving camera is no flicker. The flow errs too, at
outlines above all, so the truth's own consistency stands beside that of the labels, as what can be reached.
"""

from __future__ import annotations

import cv2
import numpy as np

from percept.vision.scene.photos import VOID


class Consistency:
    """Adds up the figures of a labelled sequence, frame by frame; only the last frame is kept."""

    def __init__(self) -> None:
        self._last: tuple[np.ndarray, np.ndarray, np.ndarray | None] | None = None
        self._same, self._truth, self._flicker = (np.zeros(2, np.int64) for _ in range(3))  # pixels that did, of all

    def add(self, rgb: np.ndarray, labels: np.ndarray, truth: np.ndarray | None = None) -> None:
        """The next frame. A frame of another size begins a new sequence.

        Args:
            rgb: uint8 (H, W, 3).
            labels: uint8 (H, W), what was predicted.
            truth: uint8 (H, W), VOID where no class is known; None: a frame without truth, which has no flicker.

        Raises:
            ValueError: the three are not of one size.
        """
        if not rgb.shape[:2] == labels.shape == (labels if truth is None else truth).shape:
            raise ValueError(f"a frame of {rgb.shape}, labels of {labels.shape} or their truth are not of one size")
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        last, self._last = self._last, (grey, labels.copy(), None if truth is None else truth.copy())
        if last is None or last[0].shape != grey.shape:
            return
        flow = flow_back(grey, last[0])
        before, truth_before = carried(last[1], flow), None if last[2] is None else carried(last[2], flow)
        self._same += _count(labels == before, _known(labels, before, truth))
        if truth is not None and truth_before is not None:
            self._truth += _count(truth == truth_before, _known(truth, truth_before))
            self._flicker += _flickers(before, labels, truth_before, truth)

    def restart(self) -> None:
        """The next frame is the first of another sequence; what was counted stays."""
        self._last = None

    def figures(self) -> dict[str, float | None]:
        """Percent of the pixels of all pairs of frames; None where there was no pixel to count.

        ``flicker``: labels that changed although the truth did not; ``consistency``: labels that stayed the same;
        ``truth_consistency``: truth that stayed the same, which labels can hardly exceed but by being wrong.
        """
        return {
            "flicker": _percent(self._flicker),
            "consistency": _percent(self._same),
            "truth_consistency": _percent(self._truth),
        }


def flicker(
    before: np.ndarray,
    labels: np.ndarray,
    truth_before: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    flow: np.ndarray | None = None,
) -> float | None:
    """Percent of the pixels whose label changed from one frame to the next although the truth did not.

    Args:
        before, labels: uint8 (H, W), predicted in the two frames; VOID does not count.
        truth_before, truth: uint8 (H, W) of the two frames, VOID where unknown; without them every change counts.
        flow: float32 (H, W, 2) from :func:`flow_back`, along which the frame before is carried; None: nothing moved.

    Returns:
        None where no pixel counts.
    """
    if flow is not None:
        before = carried(before, flow)
        truth_before = None if truth_before is None else carried(truth_before, flow)
    return _percent(_flickers(before, labels, truth_before, truth))


def flow_back(grey: np.ndarray, grey_before: np.ndarray) -> np.ndarray:
    """Where each pixel of a frame was in the frame before: float32 (H, W, 2), x and y to add to its place.

    Both uint8 (H, W). Farneback's method with OpenCV's usual parameters: half-size pyramid of 3 levels, windows of 15
    pixels, 3 rounds, polynomials over 5 pixels.
    """
    return cv2.calcOpticalFlowFarneback(grey, grey_before, None, 0.5, 3, 15, 3, 5, 1.2, 0)


def carried(labels: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """uint8 (H, W): the label that each pixel had in the frame before, at the nearest pixel; VOID from outside it."""
    height, width = labels.shape
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    x, y = np.rint(columns + flow[..., 0]).astype(np.int64), np.rint(rows + flow[..., 1]).astype(np.int64)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = np.full(labels.shape, VOID, np.uint8)
    found[inside] = labels[y[inside], x[inside]]
    return found


def _flickers(
    before: np.ndarray, labels: np.ndarray, truth_before: np.ndarray | None, truth: np.ndarray | None
) -> np.ndarray:
    """Pixels that flicker, of those that could: int64 (2,). ``before`` and its truth are carried along already."""
    known = _known(labels, before, truth, truth_before)
    if truth is not None and truth_before is not None:
        known &= truth == truth_before
    return _count(labels != before, known)


def _known(*maps: np.ndarray | None) -> np.ndarray:
    """Where none of the label maps is VOID."""
    return np.all([labels != VOID for labels in maps if labels is not None], axis=0)


def _count(which: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.array([np.count_nonzero(which & known), np.count_nonzero(known)], np.int64)


def _percent(counts: np.ndarray) -> float | None:
    return 100.0 * float(counts[0]) / float(counts[1]) if counts[1] else None
