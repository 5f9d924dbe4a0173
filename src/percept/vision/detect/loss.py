"""Targets and loss of the `compact` detector: which window answers for which object, and how wrong it is.

Windows are assigned to objects anew in each step from what the network answers now (SimOTA, Ge et al. 2021, arXiv
2107.08430, section 2.3): the cheapest windows of each object in classification and overlap, as many as their overlaps
add up to. Objectness takes the rest as background, but for windows on objects that are neither: crowds, difficult
objects, and objects too small to be seen.

Everything is a sum over windows, never a mean: the training loop divides by `size` of the whole batch, so that a batch
in four parts, or on four ranks, gives the gradient of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from percept.vision.detect.data import Target
from percept.vision.detect.model import Level, cells, corners

SMALLEST = 8.0  # pixels: of a box with a longer side under this too little is left to learn from
RADIUS = 2.5  # strides: windows this near an object's centre, along each axis, may answer for it
CANDIDATES = 10  # overlaps that are added up for the number of windows of an object
OVERLAP_COST = 3.0  # weight of -log IoU beside the class cost
FAR = 1e5  # cost of a window that is in the box or near its centre, but not both: only where nothing better is
BOX_WEIGHT = 5.0
TINY = 1e-7


@dataclass(frozen=True)
class Assignment:
    """Of one photo: which windows answer for which object."""

    windows: Tensor  # (P,) int64 rows of the photo's windows, rising
    objects: Tensor  # (P,) int64 rows of the photo's boxes
    overlaps: Tensor  # (P,) float32 IoU of the window's box with the object
    counts: Tensor  # (W,) bool: the window is an object's, or background; False: it is left out of the objectness


def size(targets: Sequence[Target]) -> float:
    """Number of objects that count in these photos, at least 1: what the summed loss is to be divided by."""
    return max(1.0, float(sum(int(counted(target).sum()) for target in targets)))


def counted(target: Target) -> Tensor:
    """(N,) bool: boxes that count as objects. The others are ignored, or empty and of no meaning."""
    extent = target.boxes[:, 2:] - target.boxes[:, :2]
    return ~target.ignore & (extent.amin(dim=1) > 0) & (extent.amax(dim=1) >= SMALLEST)


def detection_loss(
    levels: Sequence[Level], targets: Sequence[Target], classes: int, *, negatives: int | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Summed loss of a batch of B photos, and its parts.

    levels: raw maps of `Compact.raw`; targets: one for each photo, on any device; classes: K.
    negatives: background windows of a photo that count for each of its windows on an object, the hardest first (a photo
    without objects: as many as for one window); None: all of them. All is the default, for then cross-entropy fits the
    share of objects among all windows, not among the hard ones; and mining changes little: of the background gradient
    at the start weights the hardest 3 for each object window hold 78 %, 10 hold 95 %, 30 hold 99 %.

    Returns (loss, parts): loss () float32 with gradient; parts, without, hold the sums `box`, `class` and `object` that
    add up to it, and the number of `windows` on objects. Raises ValueError if the numbers of photos differ.
    """
    device = levels[0].objects.device
    if len(targets) != len(levels[0].objects):
        raise ValueError(f"{len(targets)} targets for {len(levels[0].objects)} photos")
    with torch.autocast(device.type, enabled=False):
        logits, objects, boxes = flat(levels)
        centres, strides = grid(levels)
        box_loss = class_loss = object_loss = torch.zeros((), device=device)
        windows = torch.zeros((), device=device)
        for i, target in enumerate(targets):
            target = Target(*(field.to(device) for field in (target.boxes.float(), target.labels, target.ignore)))
            found = assign(logits[i], objects[i], boxes[i], centres, strides, target)
            rows = found.windows
            wanted = target.boxes[found.objects]
            one_hot = F.one_hot(target.labels[found.objects], classes).float() * found.overlaps[:, None]  # (P, K)
            box_loss = box_loss + BOX_WEIGHT * (1 - giou(boxes[i][rows], wanted)).sum()
            class_loss = class_loss + F.binary_cross_entropy_with_logits(logits[i][rows], one_hot, reduction="sum")
            object_loss = object_loss + objectness(objects[i], found, negatives)
            windows = windows + len(rows)
    loss = box_loss + class_loss + object_loss
    parts = {"box": box_loss, "class": class_loss, "object": object_loss, "windows": windows}
    return loss, {name: part.detach() for name, part in parts.items()}


def objectness(logits: Tensor, found: Assignment, negatives: int | None) -> Tensor:
    """Summed cross-entropy of one photo's objectness (W,), over its objects and the background that counts."""
    wanted = torch.zeros_like(logits)
    wanted[found.windows] = 1
    each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * found.counts
    if negatives is None:
        return each.sum()
    background = each * (1 - wanted)
    hardest = background.topk(min(len(each), negatives * max(1, len(found.windows)))).values
    return (each * wanted).sum() + hardest.sum()


def distil(levels: Sequence[Level], teacher: Sequence[Level]) -> Tensor:
    """How far a network's answers are from its teacher's over all windows of a batch, summed; 0 where they are equal.

    Keeps a network near its start while it learns from few photos: Kullback-Leibler divergence of objectness, and, as
    far as the teacher sees an object in a window, of the classes, and 1 - GIoU of the boxes. Returns () float32;
    gradients reach only `levels`. Raises ValueError if the two differ in classes or in the size of their maps.
    """
    with torch.autocast(levels[0].objects.device.type, enabled=False):
        logits, objects, boxes = flat(levels)
        with torch.no_grad():
            teacher_logits, teacher_objects, teacher_boxes = flat(teacher)
            weight = teacher_objects.sigmoid()  # (B, W)
        if logits.shape != teacher_logits.shape:
            raise ValueError(f"the teacher answers {tuple(teacher_logits.shape)}, the network {tuple(logits.shape)}")
        what = divergence(logits, teacher_logits).sum(dim=-1)
        where = BOX_WEIGHT * (1 - giou(boxes, teacher_boxes))
        return (divergence(objects, teacher_objects) + weight * (what + where)).sum()


def divergence(logits: Tensor, teacher: Tensor) -> Tensor:
    """Kullback-Leibler divergence of Bernoulli probabilities given as logits, each for itself."""
    p = teacher.sigmoid()
    cross = F.binary_cross_entropy_with_logits
    return cross(logits, p, reduction="none") - cross(teacher, p, reduction="none")


def flat(levels: Sequence[Level]) -> tuple[Tensor, Tensor, Tensor]:
    """Class logits (B, W, K), objectness logits (B, W) and boxes (B, W, 4) in pixels of all levels, in float32."""
    logits = torch.cat([level.classes.float().flatten(2) for level in levels], dim=2).transpose(1, 2)  # (B, W, K)
    objects = torch.cat([level.objects.float().flatten(1) for level in levels], dim=1)  # (B, 1, H, W) -> (B, W)
    return logits, objects, torch.cat([corners(level) for level in levels], dim=1)


def grid(levels: Sequence[Level]) -> tuple[Tensor, Tensor]:
    """Centres (W, 2) in pixels and strides (W,) of all windows."""
    own = [cells(level) for level in levels]
    centres = torch.cat([(cell + 0.5) * level.stride for cell, level in zip(own, levels, strict=True)])
    strides = torch.cat([cell.new_full((len(cell),), level.stride) for cell, level in zip(own, levels, strict=True)])
    return centres, strides


@torch.no_grad()
def assign(
    logits: Tensor, objects: Tensor, boxes: Tensor, centres: Tensor, strides: Tensor, target: Target
) -> Assignment:
    """SimOTA for one photo.

    logits: (W, K), objects: (W,), boxes: (W, 4) what the network answers; centres: (W, 2), strides: (W,) see `grid`.
    A window may answer for an object if its centre is in the box, or within RADIUS strides of the box's centre; windows
    that are both come first. The cost of a pair is the cross-entropy of the class scores and -OVERLAP_COST log IoU.
    Each object takes its k cheapest windows, k the sum of its CANDIDATES best overlaps (at least 1); a window that
    several objects want goes to the one for which it is cheapest.
    """
    counts = ~covered(centres, strides, target.boxes[~counted(target)])
    real = counted(target).nonzero().flatten()  # (G,)
    centre = (target.boxes[real, :2] + target.boxes[real, 2:]) / 2
    inside = within(centres, target.boxes[real])  # (G, W)
    near = ((centres - centre[:, None]).abs() <= RADIUS * strides[:, None]).all(dim=-1)  # (G, W, 2) -> (G, W)
    some = (inside | near).any(dim=0).nonzero().flatten()  # (C,) candidates of any object
    if len(real) == 0 or len(some) == 0:
        nothing = centres.new_zeros(0, dtype=torch.int64)
        return Assignment(nothing, nothing, centres.new_zeros(0), counts)
    inside, near = inside[:, some], near[:, some]  # (G, C)
    overlaps = pairwise_iou(target.boxes[real], boxes[some]) * (inside | near)
    cost = class_cost(logits[some], objects[some], target.labels[real]) - OVERLAP_COST * torch.log(overlaps + 1e-8)
    cost = cost + FAR * ~(inside & near)
    cost = cost.masked_fill(~(inside | near), torch.inf)

    best = overlaps.topk(min(CANDIDATES, len(some)), dim=1).values
    wanted = best.sum(dim=1).int().clamp(min=1)  # (G,) how many windows each object takes
    order = cost.argsort(dim=1, stable=True)
    rank = order.argsort(dim=1, stable=True)  # of each window among those of the object
    taken = (rank < wanted[:, None]) & cost.isfinite()  # (G, C)
    cheapest = cost.masked_fill(~taken, torch.inf).argmin(dim=0)  # (C,) of the objects that want the window
    won = taken.any(dim=0).nonzero().flatten()  # (P,)
    owner = cheapest[won]
    windows = some[won]
    counts[windows] = True
    return Assignment(windows, real[owner], overlaps[owner, won], counts)


def class_cost(logits: Tensor, objects: Tensor, labels: Tensor) -> Tensor:
    """(G, C): cross-entropy of each window's scores, sqrt(class * object), with each object's class as the truth."""
    log_score = (F.logsigmoid(logits) + F.logsigmoid(objects)[:, None]) / 2  # (C, K)
    log_none = torch.log1p(-log_score.exp().clamp(max=1 - TINY))
    return (log_none - log_score)[:, labels].T - log_none.sum(dim=1)  # (C, G) -> (G, C)


def covered(centres: Tensor, strides: Tensor, boxes: Tensor) -> Tensor:
    """(W,) bool: centres in one of these boxes, each grown by half a stride so that the smallest covers one."""
    left_top = boxes[:, None, :2] - strides[:, None] / 2  # (I, W, 2)
    right_bottom = boxes[:, None, 2:] + strides[:, None] / 2
    return ((centres >= left_top) & (centres <= right_bottom)).all(dim=-1).any(dim=0)


def within(centres: Tensor, boxes: Tensor) -> Tensor:
    """(G, W) bool: centres (W, 2) strictly inside boxes (G, 4)."""
    return ((centres > boxes[:, None, :2]) & (centres < boxes[:, None, 2:])).all(dim=-1)


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of each of (A, 4) with each of (B, 4): (A, B)."""
    extent = torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])  # (A, B, 2)
    both = extent.clamp(min=0).prod(dim=-1)
    area = (a[:, 2:] - a[:, :2]).prod(dim=-1)[:, None] + (b[:, 2:] - b[:, :2]).prod(dim=-1)
    return both / (area - both).clamp(min=TINY)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised IoU of boxes (..., 4), row by row: (...), in -1..1 (Rezatofighi 2019, arXiv 1902.09630).

    Unlike IoU it has a gradient for boxes that do not meet.
    """
    both = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(dim=-1)
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(dim=-1)
    union = (a[..., 2:] - a[..., :2]).prod(dim=-1) + (b[..., 2:] - b[..., :2]).prod(dim=-1) - both
    return both / union.clamp(min=TINY) - (hull - union) / hull.clamp(min=TINY)
