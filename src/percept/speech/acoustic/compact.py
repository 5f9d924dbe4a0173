"""The default body: a light convolutional encoder of log-mel frames.

The idea is that of the ConvNets over mel features (Abdel-Hamid et al. 2014; Sainath et al. 2013): convolutions over
time and frequency first. It is shaped for a small machine: then residual blocks over time with separable convolutions,
in steps of four frames.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from percept.speech.acoustic.model import within
from percept.speech.features import MELS

STEP = 4  # frames that are described together
STRIDE = 2  # of the convolutions over time: the frames of a step reach the blocks as so many parts
MAPS = 32  # of the convolutions over time and frequency


class Compact(nn.Module):
    """Normalised log-mel frames (B, T, 40) -> (B, ceil(T / 4), width); any T.

    Args:
        width, blocks: of the encoder. reach: steps that a block sees; odd. dropout: within the blocks.
    """

    step = STEP

    def __init__(self, width: int = 256, blocks: int = 10, reach: int = 9, dropout: float = 0.1) -> None:
        super().__init__()
        self.width = width
        self.fine = nn.Conv2d(1, MAPS, 3, stride=(1, 2), padding=1)
        self.coarse = nn.Conv2d(MAPS, MAPS, 3, stride=(STRIDE, 2), padding=1)
        self.enter = nn.Linear(STEP // STRIDE * MAPS * (MELS // 4), width)
        self.blocks = nn.ModuleList(Block(width, reach, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.context = STEP * blocks * (reach // 2) + 2 + STEP  # frames on each side that a description depends on

    def forward(self, mels: Tensor, lengths: Tensor | None = None) -> Tensor:
        """lengths: (B,) frames of each; what lies beyond is padding, without influence on what lies before."""
        steps = None if lengths is None else -(-lengths // STEP)
        halves = None if lengths is None else -(-lengths // STRIDE)
        found = cut(mels, lengths).unsqueeze(1)  # (B, 1, T, 40)
        found = cut(F.relu(self.fine(found)).transpose(1, 2), lengths)  # (B, T, 32, 20)
        found = cut(F.relu(self.coarse(found.transpose(1, 2))).transpose(1, 2), halves)  # (B, T / 2, 32, 10)
        parts = STEP // STRIDE
        whole = (found.shape[1] + parts - 1) // parts * parts  # what is padded is cut again, so that any length exports
        found = F.pad(found.flatten(2), (0, 0, 0, parts - 1))[:, :whole]  # (B, 2 S, 320)
        found = self.enter(found.unflatten(1, (-1, parts)).flatten(2))  # (B, S, 640) -> (B, S, C)
        for block in self.blocks:
            found = block(found, steps)
        return self.norm(found)


class Block(nn.Module):
    """A convolution over time of each channel by itself, then a perceptron (after ConvNeXt; Liu et al. 2022): (B, S, C)
    -> (B, S, C)."""

    def __init__(self, channels: int, reach: int, dropout: float) -> None:
        super().__init__()
        self.over_time = nn.Conv1d(channels, channels, reach, padding=reach // 2, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.wide = nn.Linear(channels, 2 * channels)
        self.narrow = nn.Linear(2 * channels, channels)
        self.dropout = nn.Dropout1d(dropout)  # whole channels (Tompson et al. 2015), and so few random numbers

    def forward(self, steps: Tensor, lengths: Tensor | None) -> Tensor:
        found = self.over_time(cut(steps, lengths).transpose(1, 2)).transpose(1, 2)  # over (B, C, S)
        found = F.gelu(self.wide(self.norm(found)))
        return steps + self.narrow(self.dropout(found.transpose(1, 2)).transpose(1, 2))


def cut(found: Tensor, lengths: Tensor | None) -> Tensor:
    """(B, T, ...) with zeros beyond each length."""
    if lengths is None:
        return found
    keep = within(lengths, found.shape[1])
    return found * keep.view(*keep.shape, *(1,) * (found.ndim - 2))
