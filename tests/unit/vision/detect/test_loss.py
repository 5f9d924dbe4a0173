"""Assignment and loss of the compact network, from cases small enough to work out by hand."""

from __future__ import annotations

import pytest
import torch

from percept.vision.detect.data import Target
from percept.vision.detect.loss import assign, detection_loss, distil, flat, giou, grid, pairwise_iou, size
from percept.vision.detect.model import Compact, Level

CLASSES = 3


def target(boxes: list[list[float]], labels: list[int], ignore: list[bool] | None = None) -> Target:
    return Target(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(labels, dtype=torch.int64),
        torch.tensor(ignore or [False] * len(labels), dtype=torch.bool),
    )


def flat_levels(height: int = 64, width: int = 64, batch: int = 1) -> list[Level]:
    """Maps that say nothing: each window's box is four cells wide and high, at its cell's corner."""
    levels = []
    for stride in (8, 16, 32):
        classes, objects, edges = (torch.zeros(batch, n, height // stride, width // stride) for n in (CLASSES, 1, 4))
        edges[:, 2:] = 1.386
        levels.append(Level(classes, objects, edges, stride))
    return levels


def assigned(levels: list[Level], one: Target):
    logits, objects, boxes = flat(levels)
    return assign(logits[0], objects[0], boxes[0], *grid(levels), one)


def test_windows_of_an_object_are_at_it() -> None:
    levels = flat_levels()
    box = [16.0, 16.0, 48.0, 48.0]
    found = assigned(levels, target([box], [1]))
    centres, _ = grid(levels)
    assert len(found.windows) >= 1
    assert (found.objects == 0).all()
    assert ((centres[found.windows] > 16) & (centres[found.windows] < 48)).all()
    _, _, boxes = flat(levels)
    assert torch.allclose(found.overlaps, pairwise_iou(torch.tensor([box]), boxes[0][found.windows])[0])
    best = pairwise_iou(torch.tensor([box]), boxes[0])[0].argmax()
    assert int(best) in found.windows.tolist()


def test_number_of_windows_is_the_sum_of_the_best_overlaps() -> None:
    levels = flat_levels()
    box = torch.tensor([[16.0, 16.0, 48.0, 48.0]])
    found = assigned(levels, target(box.tolist(), [1]))
    _, _, boxes = flat(levels)
    expected = int(pairwise_iou(box, boxes[0])[0].topk(10).values.sum())  # all ten lie near the centre here
    assert len(found.windows) == expected
    assert expected > 1


def test_windows_with_the_right_class_come_first() -> None:
    levels = flat_levels(96, 96)
    one = target([[32.0, 32.0, 64.0, 64.0]], [2])
    near = 5 * 12 + 5  # its box begins at (24, 24): IoU 0.39, while others have 0.6
    assert near not in assigned(levels, one).windows.tolist()
    levels[0].classes[0, :, 5, 5] = torch.tensor([-9.0, -9.0, 9.0])
    levels[0].objects[0, 0, 5, 5] = 9.0
    assert near in assigned(levels, one).windows.tolist()
    other = target([[32.0, 32.0, 64.0, 64.0]], [1])
    assert near not in assigned(levels, other).windows.tolist()


def test_a_window_answers_for_one_object_only() -> None:
    levels = flat_levels()
    found = assigned(levels, target([[16, 16, 48, 48], [18, 16, 50, 48]], [0, 0]))
    assert len(set(found.windows.tolist())) == len(found.windows)
    assert set(found.objects.tolist()) == {0, 1}


def test_ignored_boxes_are_neither_object_nor_background() -> None:
    levels = flat_levels()
    found = assigned(levels, target([[0, 0, 32, 64]], [0], [True]))
    centres, strides = grid(levels)
    assert len(found.windows) == 0
    assert not found.counts[centres[:, 0] < 32].any()
    assert found.counts[centres[:, 0] - strides / 2 > 32].all()
    assert found.counts.any()


def test_boxes_too_small_to_see_are_ignored_and_still_cover_a_window() -> None:
    levels = flat_levels()
    tiny = target([[30, 30, 34, 35]], [0])
    found = assigned(levels, tiny)
    assert len(found.windows) == 0
    assert 0 < int((~found.counts).sum()) < 15
    assert size([tiny]) == 1
    assert size([target([[30, 30, 34, 38]], [0])] * 2) == 2  # one side of 8 pixels is enough


def test_an_object_in_a_crowd_counts() -> None:
    found = assigned(flat_levels(), target([[0, 0, 64, 64], [16, 16, 48, 48]], [0, 1], [True, False]))
    assert len(found.windows) >= 1
    assert (found.objects == 1).all()
    assert found.counts[found.windows].all()
    assert int(found.counts.sum()) == len(found.windows)


@pytest.mark.parametrize(
    "boxes",
    [
        [],
        [[10.0, 10.0, 10.0, 40.0]],  # no width
        [[200.0, 200.0, 260.0, 260.0]],  # beside the picture
        [[-500.0, -500.0, 900.0, 900.0]],  # far larger than it
        [[40.0, 40.0, 20.0, 20.0]],  # turned over
    ],
)
def test_odd_photos_give_finite_loss_and_gradient(boxes: list[list[float]]) -> None:
    torch.manual_seed(0)
    network = Compact(CLASSES)
    loss, parts = detection_loss(network.raw(torch.rand(1, 3, 64, 96)), [target(boxes, [0] * len(boxes))], CLASSES)
    loss.backward()
    assert loss.isfinite()
    assert all(part.isfinite() for part in parts.values())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert size([target(boxes, [0] * len(boxes))]) == 1


def test_loss_of_a_batch_is_the_sum_over_its_photos() -> None:
    torch.manual_seed(1)
    network = Compact(CLASSES).eval()
    images = torch.rand(3, 3, 64, 64)
    targets = [target([[8, 8, 40, 56]], [0]), target([], []), target([[0, 0, 20, 20], [30, 30, 60, 60]], [1, 2])]
    with torch.no_grad():
        whole, parts = detection_loss(network.raw(images), targets, CLASSES)
        alone = [detection_loss(network.raw(images[i : i + 1]), targets[i : i + 1], CLASSES)[0] for i in range(3)]
    assert float(whole) == pytest.approx(float(sum(alone)), rel=1e-5)
    assert float(parts["box"] + parts["class"] + parts["object"]) == pytest.approx(float(whole), rel=1e-6)
    assert size(targets) == 3


def test_same_twice() -> None:
    torch.manual_seed(1)
    network = Compact(CLASSES)
    images, targets = torch.rand(2, 3, 64, 64), [target([[8, 8, 40, 56]], [0]), target([[3, 3, 61, 30]], [2])]
    gradients = []
    for _ in range(2):
        network.zero_grad()
        detection_loss(network.raw(images), targets, CLASSES)[0].backward()
        gradients.append(torch.cat([p.grad.flatten() for p in network.parameters()]))
    assert torch.equal(*gradients)


def test_hardest_background_alone() -> None:
    levels = flat_levels()
    levels[0].objects[0, 0, 0, 0] = 5.0
    empty = [target([], [])]
    every = detection_loss(levels, empty, CLASSES)[1]["object"]
    one = detection_loss(levels, empty, CLASSES, negatives=1)[1]["object"]
    two = detection_loss(levels, empty, CLASSES, negatives=2)[1]["object"]
    assert float(one) == pytest.approx(5.0067, abs=1e-3)  # log(1 + e^5): the window that is sure of an object
    assert float(two - one) == pytest.approx(0.6931, abs=1e-3)  # log 2
    assert float(every - one) == pytest.approx(0.6931 * (64 + 16 + 4 - 1), rel=1e-3)


def test_one_picture_can_be_learnt() -> None:
    torch.manual_seed(0)
    network = Compact(CLASSES)
    image = torch.zeros(1, 3, 64, 64)
    image[:, :, 16:48, 8:40] = 1
    targets = [target([[8, 16, 40, 48]], [1])]
    with torch.no_grad():
        maps = network.neck(*network.backbone((image - network.mean) / network.std))
    parameters = list(network.head.parameters())
    losses = []
    for _ in range(20):
        loss, parts = detection_loss(network.head(maps), targets, CLASSES)
        losses.append((loss / parts["windows"]).item())
        with torch.no_grad():
            for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                parameter -= 1e-3 * gradient.sign()
    assert losses[-1] < 0.6 * losses[0]


def test_autocast_changes_the_network_not_the_assignment() -> None:
    torch.manual_seed(0)
    network = Compact(CLASSES)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        raw = network.raw(torch.rand(1, 3, 64, 64))
        loss, _ = detection_loss(raw, [target([[8, 8, 40, 56]], [0])], CLASSES)
    assert raw[0].classes.dtype == torch.bfloat16
    assert loss.dtype == torch.float32
    loss.backward()
    assert network.backbone.stem.weight.grad.isfinite().all()


def test_distillation_is_nothing_at_the_teacher_and_leads_back_to_it() -> None:
    torch.manual_seed(0)
    network = Compact(CLASSES)
    raw = network.raw(torch.rand(1, 3, 64, 64))
    teacher = [Level(*(m.detach() for m in level[:3]), level.stride) for level in raw]
    assert distil(raw, teacher).item() == pytest.approx(0, abs=1e-3)
    moved = [Level(level.classes, level.objects + 1, level.edges + 0.5, level.stride) for level in teacher]
    assert distil(raw, moved).item() > 1
    moved[0].objects.requires_grad_(True)
    distil(raw, moved).backward()
    assert moved[0].objects.grad is None
    assert network.head.obj_preds[0].bias.grad < 0  # up, towards a teacher that is surer


def test_distillation_needs_the_same_classes() -> None:
    raw = flat_levels()
    with pytest.raises(ValueError, match="the teacher answers"):
        distil(raw, [Level(level.classes[:, :2], level.objects, level.edges, level.stride) for level in raw])


def test_numbers_of_photos_must_agree() -> None:
    with pytest.raises(ValueError, match="2 targets for 1 photos"):
        detection_loss(flat_levels(), [target([], [])] * 2, CLASSES)


def test_giou_by_hand() -> None:
    a = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 1, 1], [1, 1, 1, 1]])
    b = torch.tensor([[0.0, 0, 2, 2], [1, 0, 3, 2], [2, 0, 3, 1], [1, 1, 1, 1]])
    # equal; IoU 1/3 and nothing of the hull left over; apart, a third of the hull between them; two points
    assert giou(a, b).tolist() == pytest.approx([1, 1 / 3, -1 / 3, 0], abs=1e-5)
