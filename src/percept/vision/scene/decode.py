"""From a photo to a class for every pixel: working size, tiles, vote, and labels at the photo's own size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from percept.core.device import Device
from percept.core.errors import UsageError
from percept.vision.scene import superpixels
from percept.vision.scene.model import MULTIPLE, stretched
from percept.vision.scene.options import Parsing
from percept.vision.scene.vote import vote

# pixels that neighbouring tiles share (small ones half their side): what lies further away moves an answer by less
# than is seen
OVERLAP = 256
RAREST = 1e-3  # share of the pixels below which no class is helped further


@dataclass(frozen=True)
class Settings:
    """How photos are parsed: longest side of the photo for the network, superpixels, vote, sureness from which a
    pixel keeps its own answer (vote gated), whether the mirrored photo is asked too, side of tiles; how much rare
    classes are helped, and which share of the pixels each class has."""

    size: int
    segments: str = "none"
    vote: str = "soft"
    gate: float = 0.8
    flip: bool = False
    tile: int = 1024
    balance: float = 0.0
    shares: tuple[float, ...] = ()

    @property
    def votes(self) -> bool:
        """Whether anything follows the network's own answer."""
        return self.segments != "none" or self.vote == "cover"


def settings(options: Parsing, header: dict[str, Any]) -> Settings:
    """The options where given, else what the weight file says is best for it.

    Raises:
        UsageError: a cover of weights that hold no classifier of segments, a vote without superpixels, or a balance
            of weights that do not say how frequent their classes are.
    """
    tuned = header.get("vote", {})
    way = options.vote or tuned.get("vote", "soft")
    if way == "cover" and not header["model"].get("cover"):
        raise UsageError("--vote cover: only weights of farabet hold the classifier of segments that it asks")
    segments = options.segments or tuned.get("segments", "none")
    if options.vote and way != "cover" and segments == "none":
        raise UsageError("--vote has no effect here: these weights come without superpixels; --segments chooses some")
    balance = header.get("balance", 0.0) if options.balance is None else options.balance
    if balance and "shares" not in header:
        raise UsageError("--balance: these weights do not say how frequent their classes are")
    return Settings(
        options.size or header["size"],
        segments,
        way,
        tuned.get("gate", Settings.gate),
        options.tta,
        options.tile,
        balance,
        tuple(header.get("shares", ())),
    )


def working(rgb: np.ndarray, size: int) -> np.ndarray:
    """(H, W, 3) uint8 -> the same photo with a longest side of ``size`` pixels."""
    height, width = rgb.shape[:2]
    scale = size / max(height, width)
    if scale == 1:
        return rgb
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(rgb, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def probabilities(
    network: nn.Module, rgb: np.ndarray, device: Device, *, flip: bool = False, tile: int = 1024
) -> np.ndarray:
    """What the network says of a photo (H, W, 3) uint8 at its working size: (K, H, W) float32, sums to 1.

    A photo with a side longer than ``tile`` is answered in tiles that overlap; where they do, their answers fade into
    one another.
    """
    height, width = rgb.shape[:2]
    if max(height, width) <= tile:
        return _answers(network, rgb, device, flip)
    whole = None
    weights = np.zeros((height, width), np.float32)
    for top in _starts(height, tile):
        for left in _starts(width, tile):
            part = rgb[top : top + tile, left : left + tile]
            found = _answers(network, part, device, flip)
            ramp = _ramp(top, part.shape[0], height)[:, None] * _ramp(left, part.shape[1], width)[None]  # (h, w)
            if whole is None:
                whole = np.zeros((len(found), height, width), np.float32)
            whole[:, top : top + tile, left : left + tile] += found * ramp
            weights[top : top + tile, left : left + tile] += ramp
    assert whole is not None
    whole /= weights
    return whole


def alone(network: nn.Module, rgb: np.ndarray, how: Settings, device: Device) -> tuple[np.ndarray, np.ndarray]:
    """A photo (H, W, 3) uint8 at its working size, and what the network alone says of it, (K, h, w) there."""
    seen = working(rgb, how.size)
    found = probabilities(network, seen, device, flip=how.flip, tile=how.tile)
    return seen, balanced(found, how.shares, how.balance) if how.balance else found


def balanced(found: np.ndarray, shares: Sequence[float], balance: float) -> np.ndarray:
    """Probabilities (K, H, W) divided by their classes' shares of the pixels to the power of ``balance``, to sum to 1.

    At 1 all classes were alike before the pixel was looked at (Menon et al. 2021, section 4.1, after training).
    """
    weights = np.maximum(np.asarray(shares, np.float32), RAREST) ** -balance  # (K,)
    found = found * weights[:, None, None]
    return found / found.sum(0)


def voted(network: nn.Module, found: np.ndarray, rgb: np.ndarray, how: Settings, device: Device) -> np.ndarray:
    """Probabilities (K, H, W) after the vote of the photo's superpixels, or of a tree of them (cover)."""
    if how.vote == "cover":
        with torch.inference_mode(), device.autocast():
            return network.cover(network.features(_images(rgb, device))[0], rgb)  # type: ignore[operator]
    if how.segments == "none":
        return found
    return vote(found, superpixels.segment(rgb, how.segments), how.vote, how.gate)


def labels(found: np.ndarray, height: int, width: int) -> np.ndarray:
    """(K, h, w) probabilities -> (height, width) uint8, the likeliest class of each pixel, class after class so that a
    large photo's probabilities are never all there at once."""
    if found.shape[1:] == (height, width):
        return found.argmax(0).astype(np.uint8)
    best = np.zeros((height, width), np.uint8)
    most = cv2.resize(found[0], (width, height), interpolation=cv2.INTER_LINEAR)
    for label in range(1, len(found)):
        one = cv2.resize(found[label], (width, height), interpolation=cv2.INTER_LINEAR)
        best[one > most] = label
        np.maximum(most, one, out=most)
    return best


def _answers(network: nn.Module, rgb: np.ndarray, device: Device, flip: bool) -> np.ndarray:
    height, width = rgb.shape[:2]
    images = _images(rgb, device)
    if flip:
        images = torch.cat([images, images.flip(3)])  # (2, 3, H, W)
    with torch.inference_mode(), device.autocast():
        scores = network(images).float()  # (B, K, h, w)
    found = stretched(scores, network.stride, height, width).softmax(1)  # (B, K, H, W)
    if flip:
        found = (found[:1] + found[1:].flip(3)) / 2
    return found[0].cpu().numpy()


def _images(rgb: np.ndarray, device: Device) -> Tensor:
    images = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None]  # (H, W, 3) -> (1, 3, H, W)
    return images.to(device.torch).float() / 255


def _starts(side: int, tile: int) -> list[int]:
    """Where tiles begin, evenly, at multiples of MULTIPLE: there the cells of all levels are those of the whole."""
    if side <= tile:
        return [0]
    most = (tile - min(OVERLAP, tile // 2)) // MULTIPLE * MULTIPLE  # pixels from one to the next
    count = -(-(side - tile) // most)
    step = (side - tile) / count
    return [MULTIPLE * -int(-number * step // MULTIPLE) for number in range(count + 1)]  # rounded up: to reach the end


def _ramp(start: int, length: int, side: int) -> np.ndarray:
    """(length,) float32: how much a tile counts, less towards an edge that is not the picture's."""
    ramp = np.ones(length, np.float32)
    rise = (np.arange(min(OVERLAP, length), dtype=np.float32) + 0.5) / OVERLAP
    if start > 0:
        ramp[: len(rise)] = np.minimum(ramp[: len(rise)], rise)
    if start + length < side:
        ramp[-len(rise) :] = np.minimum(ramp[-len(rise) :], rise[::-1])
    return ramp
