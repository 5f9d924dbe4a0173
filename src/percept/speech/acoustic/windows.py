"""The bodies of the papers: a ConvNet looks at a window of frames and describes the one in its middle.

Here they run over whole recordings: each layer's answer at a frame is computed once, and shared by all windows that
hold it. That is the same as window by window, since nothing is pooled over time and no layer but the first sees
padding, which is silence's neighbour: zeros, the mean of normalised frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from percept.speech.acoustic.compact import cut
from percept.speech.features import MELS


class NyuIbm(nn.Module):
    """The ConvNet of NYU and IBM: seven layers with weights, windows of 40 mel bands times 40 frames.

    Two convolutions as in Sainath et al. 2013 (9 x 9, frequencies pooled by 3, then 3 x 4), four fully connected layers
    and the classifier on top; rectifiers, dropout before the last layers. Its 54.4 million weights with 3,000
    classes are published, the layers' widths are not: these give that number.
    """

    step, before, after = 1, 19, 20  # frames before and after the one that is described
    context = 20

    def __init__(self, width: int = 1464, maps: int = 128) -> None:
        super().__init__()
        self.width = width
        self.first = nn.Conv2d(1, maps, (9, 9))  # (time, frequency)
        self.second = nn.Conv2d(maps, maps, (4, 3))
        self.wide = nn.Conv1d(8 * maps, width, 29)  # fully connected: 40 - 8 - 3 frames, (40 - 8) / 3 - 2 bands
        self.further = nn.ModuleList(nn.Linear(width, width) for _ in range(3))
        self.dropout = nn.Dropout(0.5)

    def forward(self, mels: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(B, T, 40) -> (B, T, width)."""
        found = F.pad(cut(mels, lengths), (0, 0, self.before, self.after)).unsqueeze(1)  # (B, 1, T + 39, 40)
        found = F.max_pool2d(F.relu(self.first(found)), (1, 3))  # (B, C, T + 31, 10)
        found = F.relu(self.second(found))  # (B, C, T + 28, 8)
        found = F.relu(self.wide(found.transpose(2, 3).flatten(1, 2))).transpose(1, 2)  # (B, T, width)
        for layer in self.further:
            found = F.relu(layer(self.dropout(found)))
        return self.dropout(found)


class Sercu(nn.Module):
    """Very deep: ten convolutions of 3 x 3, several before each pooling, three fully connected layers, a classifier.

    After Sercu, Puhrsch, Kingsbury & LeCun 2016, figure 1 (14 layers with weights). Frequencies alone are pooled, and
    convolutions over time see no padding (Sercu & Goel 2016, "Dense prediction on sequences"): 21 frames describe one.
    """

    step, before, after = 1, 10, 10
    context = 10
    MAPS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))  # of the convolutions between poolings

    def __init__(self, width: int = 2048) -> None:
        super().__init__()
        self.width = width
        self.groups = nn.ModuleList()
        maps = 1
        for group in self.MAPS:
            layers: list[nn.Module] = []
            for after in group:
                layers += [nn.Conv2d(maps, after, 3, padding=(0, 1), bias=False), nn.BatchNorm2d(after), nn.ReLU()]
                maps = after
            self.groups.append(nn.Sequential(*layers, nn.MaxPool2d((1, 2))))
        self.connected = nn.ModuleList(
            nn.Linear(before, width) for before in (maps * (MELS >> len(self.MAPS)), width, width)
        )
        self.dropout = nn.Dropout(0.5)

    def forward(self, mels: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(B, T, 40) -> (B, T, width)."""
        found = F.pad(cut(mels, lengths), (0, 0, self.before, self.after)).unsqueeze(1)  # (B, 1, T + 20, 40)
        for group in self.groups:
            found = group(found)  # bands 40 -> 20 -> 10 -> 5 -> 2
        found = found.permute(0, 2, 1, 3).flatten(2)  # (B, 512, T, 2) -> (B, T, 1024)
        for layer in self.connected:
            found = self.dropout(F.relu(layer(found)))
        return found


class Tdnn(nn.Module):
    """A time-delay network whose upper layers see few, distant frames (Peddinti, Povey & Khudanpur 2015, table 1)."""

    step = 1
    OFFSETS = ((-2, -1, 0, 1, 2), (-1, 2), (-3, 3), (-7, 2), (0,))
    before, after = 13, 9
    context = 13

    def __init__(self, width: int = 512) -> None:
        super().__init__()
        self.width = width
        sizes = (MELS, *(width for _ in self.OFFSETS[1:]))
        self.layers = nn.ModuleList(
            nn.Linear(len(at) * size, width) for at, size in zip(self.OFFSETS, sizes, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in self.OFFSETS)

    def forward(self, mels: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(B, T, 40) -> (B, T, width)."""
        found = F.pad(cut(mels, lengths), (0, 0, self.before, self.after))  # (B, T + 22, 40)
        for offsets, layer, norm in zip(self.OFFSETS, self.layers, self.norms, strict=True):
            found = F.relu(layer(spliced(found, offsets)))
            found = norm(found.transpose(1, 2)).transpose(1, 2)
        return found


def spliced(found: Tensor, offsets: Sequence[int]) -> Tensor:
    """(B, T, C) -> (B, T - last + first, n C): beside each frame those at the offsets."""
    first, last = min(offsets), max(offsets)
    inside = found.shape[1] - (last - first)
    return torch.cat([found[:, at - first : at - first + inside] for at in offsets], dim=2)
