"""OverFeat as a detector (Sermanet et al. 2013, sections 4 and 5): a class and a box for every window.

Two heads read the same layer-5 maps: the classifier with one more class, background, and the box regressor, four edges
in units of the window, one for all classes. Both pool at all offsets, so there is a window every 16 (fast) or 12
(accurate) pixels. Windows have one size; a pyramid of scales finds objects of other sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import box_iou

from percept.vision.detect.loss import counted
from percept.vision.detect.pyramid import Windows
from percept.vision.overfeat import FULL, STRIDE, WINDOW, Grid, Head, Trunk, normalise, pad_to, scaled, window

if TYPE_CHECKING:
    from percept.vision.detect.data import Target

BOX_HIDDEN = (4096, 1024)  # section 4.1
OBJECT = 0.5  # a window that overlaps an object by this is an example of it, and of its box (section 4.2)
BACKGROUND = 0.3  # a window that overlaps no object by this is background; in between it is neither


class Raw(NamedTuple):
    """What the loss takes: N windows a picture, row by row."""

    logits: Tensor  # (B, N, K + 1), background last
    edges: Tensor  # (B, N, 4) x0 y0 x1 y1, 0..1 from the window's top left to its bottom right
    windows: Tensor  # (N, 4) x0 y0 x1 y1 pixels of the network's input


class Roles(NamedTuple):
    """What each of one picture's N windows is an example of."""

    classes: Tensor  # (N,) class index; K for windows of no object
    edges: Tensor  # (N, 4) edges of the nearest object, in units of the window
    positive: Tensor  # (N,) bool
    background: Tensor  # (N,) bool


def assign(windows: Tensor, target: Target, classes: int) -> Roles:
    """Give each window its role by its overlap (intersection over union) with the objects of one picture.

    windows: (N, 4); target: boxes (M, 4) in the same pixels, labels (M,), ignore (M,). A window that a box which
    does not count (`loss.counted`) covers by BACKGROUND is no background: crowds are larger than windows, so the share
    of the window is taken, not the overlap.
    """
    objects = counted(target)
    boxes, labels = target.boxes[objects].to(windows), target.labels[objects].to(windows.device)
    if len(boxes):
        overlap, nearest = box_iou(windows, boxes).max(dim=1)  # (N, M) -> (N,)
        positive = overlap >= OBJECT
        found = torch.where(positive, labels[nearest], classes)
        size = (windows[:, 2:] - windows[:, :2]).repeat(1, 2)  # (N, 2) -> (N, 4)
        edges = (boxes[nearest] - windows[:, :2].repeat(1, 2)) / size
    else:
        overlap = windows.new_zeros(len(windows))
        positive = overlap > 0
        found = torch.full_like(overlap, classes, dtype=torch.long)
        edges = torch.zeros_like(windows)
    crowd = covered(windows, target.boxes[~objects])
    return Roles(found, edges, positive, (overlap < BACKGROUND) & (crowd < BACKGROUND))


def covered(windows: Tensor, boxes: Tensor) -> Tensor:
    """(N,) the largest share of each window that lies inside one of the boxes, 0..1; never less than the overlap."""
    if not len(boxes):
        return windows.new_zeros(len(windows))
    boxes = boxes.to(windows)
    corner = torch.maximum(windows[:, None, :2], boxes[None, :, :2])  # (N, M, 2)
    inside = (torch.minimum(windows[:, None, 2:], boxes[None, :, 2:]) - corner).clamp(min=0).prod(dim=2)  # (N, M)
    return inside.amax(dim=1) / (windows[:, 2:] - windows[:, :2]).prod(dim=1)


def overfeat_loss(
    raw: Raw, targets: Sequence[Target], negatives: float = 3.0, least: int = 16
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss SUMMED over the batch's pictures, and its parts, each already detached.

    A picture's class part is the mean cross-entropy over its object windows and its hardest background windows:
    `negatives` for each object window but no fewer than `least`, chosen anew each time (section 5). Its box part is the
    mean squared error of the edges over object windows. Both count as many times as the picture has objects (an empty
    one once), so a sum over any split of a batch is the sum over the batch; divide by `loss.size`.
    """
    class_sum = raw.edges.sum() * 0.0  # keeps both heads in the graph when a batch holds no object, as DDP asks
    box_sum = raw.logits.sum() * 0.0
    classes = raw.logits.shape[2] - 1
    for logits, edges, target in zip(raw.logits.float(), raw.edges.float(), targets, strict=True):
        roles = assign(raw.windows, target, classes)
        weight = max(1, int(counted(target).sum()))
        entropy = F.cross_entropy(logits, roles.classes, reduction="none")  # (N,)
        positives = int(roles.positive.sum())
        candidates = entropy[roles.background]
        hardest = candidates.topk(min(len(candidates), max(least, round(negatives * positives)))).values
        chosen = torch.cat([entropy[roles.positive], hardest])
        if len(chosen):
            class_sum = class_sum + weight * chosen.mean()
        if positives:
            wrong = (edges - roles.edges)[roles.positive].square().sum(dim=1)  # (P, 4) -> (P,)
            box_sum = box_sum + weight * wrong.mean()
    return class_sum + box_sum, {"class": class_sum.detach(), "box": box_sum.detach()}


class OverFeatDetector(nn.Module):
    """(B, 3, H, W) RGB 0..1 -> Windows: scores (B, N, K) 0..1, boxes (B, N, 4) pixels of the network's input.

    variant: "fast" or "accurate"; `width` scales all hidden channels, 1 is the paper. A picture smaller than one window
    is padded with the mean colour, right and below, and then has one window.
    """

    def __init__(self, variant: str = "fast", classes: int = 80, width: float = 1.0) -> None:
        super().__init__()
        self.variant = variant
        self.classes = classes
        self.trunk = Trunk(variant, width)
        hidden = tuple(scaled(channels, width) for channels in FULL[variant][1:])
        self.classifier = Head(variant, self.trunk.channels, hidden, classes + 1, dropout=0.5)
        box_hidden = tuple(scaled(channels, width) for channels in BOX_HIDDEN)
        self.regressor = Head(variant, self.trunk.channels, box_hidden, 4)
        last = self.regressor.layers[-1]
        nn.init.normal_(last.weight, std=0.001)
        with torch.no_grad():
            last.bias.copy_(torch.tensor([0.0, 0.0, 1.0, 1.0]))  # before it learns, the box is the window

    @property
    def stride(self) -> int:
        """Pixels between windows."""
        return STRIDE[self.variant]

    @property
    def grid(self) -> Grid:
        return window(self.variant)

    def raw(self, images: Tensor) -> Raw:
        """(B, 3, H, W) RGB 0..1 -> what the loss takes."""
        images = pad_to(normalise(images), WINDOW[self.variant])
        maps = self.trunk(images)
        logits = self.classifier(maps).flatten(2).transpose(1, 2)  # (B, K + 1, rows, columns) -> (B, N, K + 1)
        edges = self.regressor(maps).flatten(2).transpose(1, 2)  # (B, 4, rows, columns) -> (B, N, 4)
        return Raw(logits, edges, self.grid.boxes(*images.shape[-2:]).to(images.device))

    def forward(self, images: Tensor) -> Windows:
        logits, edges, windows = self.raw(images)
        scores = logits.float().softmax(dim=2)[..., :-1]  # (B, N, K + 1) -> (B, N, K)
        return Windows(scores, windows[:, :2].repeat(1, 2) + edges.float() * self.grid.size)
