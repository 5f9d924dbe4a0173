"""A network over recordings of any length: piece by piece with its context, so that the answer is that of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from percept.core.device import Device
from percept.speech.audio import QUIET
from percept.speech.features import MELS

PIECE = 3000  # frames that are answered at a time: half a minute


@dataclass(frozen=True)
class Heard:
    """What the network says of a stretch of a recording.

    first: number of its first frame. frames: (T, C) float32, natural log of the probability of each class of the frame
    head. steps: (S, 1 + P) float32, the same of the CTC head, blank first; None where there is no such head.
    mels: (T, 40) float32, what was heard.
    """

    first: int
    frames: np.ndarray
    steps: np.ndarray | None
    mels: np.ndarray


class Passing:
    """Blocks of samples (N,) as they pass: how many samples, the loudest, and ``first``, the first block."""

    def __init__(self, blocks: Iterator[np.ndarray]) -> None:
        self.blocks, self.samples, self.loudest, self.first = blocks, 0, 0.0, np.zeros(0, np.float32)

    def __iter__(self) -> Iterator[np.ndarray]:
        for block in self.blocks:
            if not self.samples:
                self.first = block
            self.samples += len(block)
            self.loudest = max(self.loudest, float(np.abs(block).max(initial=0.0)))
            yield block

    @property
    def silent(self) -> bool:
        """Whether nothing so far was louder than silence."""
        return self.loudest < QUIET


def heard(network: nn.Module, mels: Iterable[Tensor], device: Device, piece: int = PIECE) -> Iterator[Heard]:
    """Answers of a ``Phones`` network to normalised frames (T', 40) that come bit by bit; at most ``piece`` at a time.

    Each stretch is answered with the context that the network sees on either side, which makes it the same as if
    the whole had been answered at once.
    """
    context = -(-network.context // network.step) * network.step
    piece = -(-piece // network.step) * network.step
    kept = torch.zeros(0, MELS)
    first, before = 0, 0  # number of the next frame to be answered, and how many frames before it are kept
    for more in mels:
        kept = torch.cat([kept, more])
        while len(kept) >= before + piece + context:
            yield _answered(network, kept[: before + piece + context], first, before, piece, device)
            first += piece
            begin = max(0, before + piece - context)
            kept, before = kept[begin:], before + piece - begin
    while len(kept) > before:
        count = min(piece, len(kept) - before)
        yield _answered(network, kept[: before + count + context], first, before, count, device)
        first += count
        begin = max(0, before + count - context)
        kept, before = kept[begin:], before + count - begin


@torch.inference_mode()
def _answered(network: nn.Module, mels: Tensor, first: int, before: int, count: int, device: Device) -> Heard:
    """The ``count`` frames after the first ``before``, of frames (T, 40) that hold their context."""
    with device.autocast():
        frames, steps = network(mels[None].to(device.torch))
    frames = frames[0, before : before + count].float().log_softmax(-1).cpu().numpy()
    if steps is not None:
        of_steps = slice(before // network.hop, -(-(before + count) // network.hop))
        steps = steps[0, of_steps].float().log_softmax(-1).cpu().numpy()
    return Heard(first, frames, steps, mels[before : before + count].numpy())
