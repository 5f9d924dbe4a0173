"""From a photo to its objects: every window of every scale, the likely ones merged, their scores made probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from percept.core.device import Device
from percept.vision.detect import calibration as platt
from percept.vision.detect.merge import MERGES, Merged
from percept.vision.detect.pyramid import Windows, level, levels

FLOOR = 0.01  # windows with a lower score have no say; half of it adds 0.0004 AP and doubles the time of merging
MOST = 1000  # windows of one view that are merged, the likeliest first
HEAT_CELL = 8  # pixels of the network's input


@torch.inference_mode()
def detect(
    network: nn.Module,
    rgb: np.ndarray,
    *,
    device: Device,
    scales: Sequence[int] = (416,),
    flip: bool = False,
    conf: float = 0.01,
    merge: str = "vote",
    max_detections: int = 100,
    classes: Sequence[int] | None = None,
    calibration: Sequence[float] | None = None,
) -> Merged:
    """Find the objects of one photo.

    network: (B, 3, H, W) RGB in 0..1 -> Windows, with a `stride`; rgb: (H, W, 3) uint8; scales: longest side at each
    level of the pyramid, pixels; flip: look at the mirrored photo too; conf: lowest score given; merge: a name in
    MERGES; classes: only these class indices, None for all; calibration: a and b of `calibration.fit`, None for none.

    Returns boxes (N, 4) float32 x0 y0 x1 y1 in pixels of the photo and inside it, scores (N,) float32 in 0..1 and
    falling, labels (N,) int64, at most `max_detections`. A higher `conf` gives the first of the same boxes: it has no
    say in the merging. Raises ValueError for impossible scales and KeyError for an unknown merge.
    """
    height, width = rgb.shape[:2]
    views: list[Merged] = []
    for image, factor in levels(rgb, scales, network.stride):
        seen = max(1, round(width * factor))  # columns of the input that are not padding
        if flip:
            mirrored = torch.cat((image[..., :seen].flip(-1), image[..., seen:]), dim=-1)
            image = torch.cat((image, mirrored))  # (2, 3, h, w)
        windows = run(network, image, device)
        for i in range(len(image)):
            boxes, scores, labels = likely(windows.scores[i], windows.boxes[i], classes)
            if i == 1:
                boxes[:, [0, 2]] = seen - boxes[:, [2, 0]]
            views.append((boxes / np.float32(factor), scores, labels))
    boxes, scores, labels = (np.concatenate(field) for field in zip(*views, strict=True))
    boxes, scores, labels = inside(boxes, scores, labels, height, width)
    boxes, scores, labels = MERGES[merge](boxes, scores, labels, len(views))
    if calibration is not None:
        scores = platt.apply(scores, platt.Calibration(*calibration))
    shown = int((scores >= conf).sum())  # scores fall
    kept = slice(min(shown, max_detections))
    return boxes[kept], scores[kept], labels[kept]


@torch.inference_mode()
def heat(network: nn.Module, rgb: np.ndarray, scale: int, classes: Sequence[int] | None, device: Device) -> np.ndarray:
    """Where the network sees any of the classes: (h, w) float32 in 0..1, a cell for HEAT_CELL pixels of its input.

    Each likely window warms the cells around the centre of its box, by its score, falling off with its size; a cell
    shows its warmest window.
    """
    image, factor = level(rgb, scale, network.stride)
    windows = run(network, image, device)
    boxes, scores, _ = likely(windows.scores[0], windows.boxes[0], classes, most=300)
    h, w = (-(-max(1, round(side * factor)) // HEAT_CELL) for side in rgb.shape[:2])
    warmth = np.zeros((h, w), np.float32)
    y, x = (np.arange(side, dtype=np.float32)[None] * HEAT_CELL + HEAT_CELL / 2 for side in (h, w))  # (1, h), (1, w)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    spread = np.maximum((boxes[:, 2:] - boxes[:, :2]) / 4, HEAT_CELL / 2)  # pixels: one sigma is a quarter of a box
    across = np.exp(-(((x - centres[:, :1]) / spread[:, :1]) ** 2) / 2)  # (N, w)
    down = np.exp(-(((y - centres[:, 1:]) / spread[:, 1:]) ** 2) / 2)  # (N, h)
    for row, column, score in zip(down, across, scores, strict=True):
        np.maximum(warmth, np.outer(row, column) * score, out=warmth)
    return warmth


def run(network: nn.Module, image: Tensor, device: Device) -> Windows:
    """The network's answer to (B, 3, h, w), float32, on its device."""
    with device.autocast():
        windows = network(image.to(device.torch, memory_format=torch.channels_last))
    return Windows(windows.scores.float(), windows.boxes.float())


def likely(scores: Tensor, boxes: Tensor, classes: Sequence[int] | None, most: int = MOST) -> Merged:
    """Windows above FLOOR of one picture, one row for each of their classes: (N, 4), (N,), (N,) on the CPU.

    scores: (W, K), boxes: (W, 4); classes: only these, None for all. At most the `most` likeliest are given.
    """
    if classes is not None:
        scores = scores[:, list(classes)]
    flat = scores.flatten()  # (W, K) -> (W*K,)
    rows = (flat > FLOOR).nonzero().flatten()
    values = flat[rows]
    if len(rows) > most:
        values, best = values.topk(most)
        rows = rows[best]
    labels = rows % scores.shape[1]
    if classes is not None:
        labels = torch.tensor(classes, device=labels.device)[labels]
    return boxes[rows // scores.shape[1]].cpu().numpy(), values.cpu().numpy(), labels.cpu().numpy()


def inside(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, height: int, width: int) -> Merged:
    """Boxes cut to the photo; what is left with less than a pixel either way goes."""
    boxes = boxes.clip(0, np.array([width, height, width, height], np.float32))
    real = ((boxes[:, 2:] - boxes[:, :2]) >= min(1, height, width)).all(axis=1)
    return boxes[real], scores[real], labels[real]
