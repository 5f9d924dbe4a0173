"""From maps of class scores to one answer: votes of places, scales and mirror images (Sermanet 2013, section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from percept.core.device import Device
from percept.core.errors import UsageError
from percept.vision.classify.model import DenseMobileNetV2
from percept.vision.overfeat import Grid

# Shortest side of the photo, pixels. OverFeat's are the paper's six (table 5). MobileNetV2 was trained at 224, on crops
# that show 8 to 100 % of a photo: much larger scales show it parts alone, and its answers get worse.
SCALES = {
    "mobilenet-v2": (224, 288),
    "overfeat-fast": (245, 281, 317, 389, 425, 461),
    "overfeat-accurate": (245, 281, 317, 389, 425, 461),
}
# The paper takes each class's maximum over places. A network trained on whole photos is sure of wrong things where a
# window shows a corner of one, and a maximum listens to the surest. MobileNetV2 on the 12 photos of examples/: the same
# first answer on most, but with the maximum its probability falls (dog 0.90 -> 0.77, bench 0.86 -> 0.56). So: the mean.
VOTES = {"mobilenet-v2": "mean", "overfeat-fast": "max", "overfeat-accurate": "max"}
LONGEST = 6  # times the scale: a strip of 100 to 1 is not looked at window by window


def classify(
    network: nn.Module, rgb: np.ndarray, *, scales: Sequence[int], vote: str, flip: bool, device: Device
) -> np.ndarray:
    """Probability of each class, (K,) float32 that sum to one.

    rgb: (H, W, 3) uint8. At each of the `scales` (pixels, shortest side), and for its mirror image if `flip`, a class
    gets the "max" or "mean" over places of its softmax; the answer is the mean of these, scaled to sum to one.
    Raises UsageError for an unknown vote or no scale.
    """
    if vote not in ("mean", "max"):
        raise UsageError(f'no vote "{vote}"; there are mean and max')
    total: Tensor | None = None
    for images in pyramid(rgb, scales, flip, device):
        places = seen(network, images, device).flatten(2)  # (B, K, rows, columns) -> (B, K, N)
        voted = (places.amax(dim=2) if vote == "max" else places.mean(dim=2)).sum(dim=0)  # (K,)
        total = voted if total is None else total + voted
    return (total / total.sum()).cpu().numpy()


def heat(
    network: nn.Module, rgb: np.ndarray, label: int, *, scales: Sequence[int], flip: bool, device: Device
) -> np.ndarray:
    """Where the network sees class `label`: (H, W) float32 0..1 for a photo (H, W, 3), the mean over scales.

    A pixel gets the class's softmax of the cell whose middle is nearest, bilinear between middles. MobileNetV2 answers
    for single cells of 32 pixels here: as averaging and classifier are linear, those are what its answer is the mean of
    (class activation maps, Zhou et al. 2016). OverFeat answers for its windows.
    """
    height, width = rgb.shape[:2]
    total = np.zeros((height, width), np.float32)
    count = 0
    for images in pyramid(rgb, scales, flip, device):
        cells = seen(network, images, device, fine=True)[:, label].cpu().numpy()  # (B, rows, columns)
        grid = network.grid(1) if isinstance(network, DenseMobileNetV2) else network.grid()
        for mirrored, one in enumerate(cells):
            placed = on_photo(one, grid, images.shape[2] / height, images.shape[3] / width, height, width)
            total += placed[:, ::-1] if mirrored else placed
            count += 1
    return total / count


def best(probabilities: np.ndarray, names: Sequence[str], top: int = 5) -> tuple[tuple[str, float], ...]:
    """The `top` classes as (name, probability), the surest first; (K,) -> at most K pairs."""
    order = np.argsort(-probabilities, kind="stable")[:top]
    return tuple((names[index], float(probabilities[index])) for index in order)


def pyramid(rgb: np.ndarray, scales: Sequence[int], flip: bool, device: Device) -> Iterator[Tensor]:
    """The photo with each scale as its shortest side: (1, 3, h, w) RGB 0..1, or (2, 3, h, w) with its mirror image."""
    if not scales or min(scales) < 1:
        raise UsageError(f"scales must be one or more numbers of pixels, not {tuple(scales)}")
    height, width = rgb.shape[:2]
    for scale in dict.fromkeys(scales):
        factor = min(scale / min(height, width), LONGEST * scale / max(height, width))
        across, down = max(1, round(width * factor)), max(1, round(height * factor))
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        small = rgb if factor == 1 else cv2.resize(rgb, (across, down), interpolation=how)
        images = torch.from_numpy(np.ascontiguousarray(small)).to(device.torch).permute(2, 0, 1)[None]  # (1, 3, h, w)
        images = images.float() / 255
        yield torch.cat([images, images.flip(3)]) if flip else images


@torch.inference_mode()
def seen(network: nn.Module, images: Tensor, device: Device, fine: bool = False) -> Tensor:
    """Softmax at each place: (B, 3, h, w) -> (B, K, rows, columns). `fine`: MobileNetV2's single cells."""
    with device.autocast():
        scores = network(images, window=1) if fine and isinstance(network, DenseMobileNetV2) else network(images)
    return scores.float().softmax(dim=1)


def on_photo(cells: np.ndarray, grid: Grid, down: float, across: float, height: int, width: int) -> np.ndarray:
    """Lay a map (rows, columns) on the photo: (height, width) float32.

    down, across: factors from photo pixels to the pixels that `grid` counts in. Beyond the outermost middles the edge's
    value goes on.
    """

    def coordinates(pixels: int, factor: float, most: int) -> np.ndarray:
        middles = (np.arange(pixels, dtype=np.float32) + 0.5) * factor - grid.size / 2
        return np.clip(middles / grid.stride, 0, most - 1)

    rows, columns = cells.shape
    lower, upper, part = between(coordinates(height, down, rows))
    tall = cells[lower] * (1 - part[:, None]) + cells[upper] * part[:, None]  # (rows, columns) -> (height, columns)
    lower, upper, part = between(coordinates(width, across, columns))
    return (tall[:, lower] * (1 - part) + tall[:, upper] * part).astype(np.float32)  # (height, width)


def between(at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two whole positions around each, and the upper one's share."""
    lower = np.floor(at).astype(np.int64)
    return lower, np.ceil(at).astype(np.int64), at - lower
