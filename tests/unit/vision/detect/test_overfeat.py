"""OverFeat as a detector: geometry, roles of windows, and a loss that can be driven down."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from percept.vision.detect.overfeat import OverFeatDetector, Raw, assign, overfeat_loss
from percept.vision.overfeat import cost, window


def target(boxes: list, labels: list[int], ignore: list[bool] | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        boxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        labels=torch.tensor(labels, dtype=torch.int64),
        ignore=torch.tensor(ignore or [False] * len(labels), dtype=torch.bool),
    )


def raw_for(windows: Tensor, classes: int, batch: int = 1) -> Raw:
    torch.manual_seed(1)
    count = len(windows)
    return Raw(torch.randn(batch, count, classes + 1), torch.randn(batch, count, 4), windows)


def test_box_head_is_the_papers() -> None:
    with torch.device("meta"):
        network = OverFeatDetector("accurate", classes=200)
    assert [layer.weight.shape for layer in network.regressor.layers] == [
        (4096, 1024, 5, 5),
        (1024, 4096, 1, 1),
        (4, 1024, 1, 1),
    ]
    assert network.classifier.layers[-1].out_channels == 201
    windows = network(torch.empty(2, 3, 461, 569, device="meta"))
    assert windows.scores.shape == (2, 630, 200) and windows.boxes.shape == (2, 630, 4)
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, 461, 569, device="meta"))
    assert cost(network, 461, 569).dense == counter.get_total_flops() // 2  # both heads


@pytest.mark.parametrize(("variant", "side"), [("fast", 231), ("accurate", 221)])
def test_an_untrained_detector_answers_with_its_windows(variant: str, side: int) -> None:
    network = OverFeatDetector(variant, classes=2, width=0.02).eval()
    network.regressor.layers[-1].weight.data.zero_()
    with torch.inference_mode():
        scores, boxes = network(torch.rand(1, 3, side + network.stride, side))
    assert boxes.tolist() == [[[0, 0, side, side], [0, network.stride, side, side + network.stride]]]
    assert scores.shape == (1, 2, 2) and (scores.sum(dim=2) < 1).all()


def test_a_small_picture_has_one_window() -> None:
    network = OverFeatDetector("accurate", classes=2, width=0.02).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 3, 60, 96)).scores.shape == (2, 1, 2)


def test_roles_of_windows() -> None:
    windows = torch.tensor([[0, 0, 200, 200], [80, 0, 280, 200], [120, 0, 320, 200], [400, 0, 600, 200.0]])
    roles = assign(windows, target([[20, 0, 220, 200]], [1]), classes=3)
    assert roles.positive.tolist() == [True, True, False, False]  # overlaps 0.82, 0.54, 0.33, 0
    assert roles.background.tolist() == [False, False, False, True]
    assert roles.classes.tolist() == [1, 1, 3, 3]
    torch.testing.assert_close(roles.edges[0], torch.tensor([0.1, 0.0, 1.1, 1.0]))


def test_a_crowd_is_neither_object_nor_background() -> None:
    windows = torch.tensor([[0, 0, 100, 100], [500, 0, 600, 100.0], [950, 0, 1050, 100.0]])
    roles = assign(windows, target([[400, 0, 1000, 800]], [0], [True]), classes=1)
    assert not roles.positive.any()
    assert roles.background.tolist() == [True, False, False]


def test_loss_of_a_batch_is_the_sum_over_its_pictures() -> None:
    windows = window("accurate").boxes(281, 317)
    raw = raw_for(windows, classes=3, batch=3)
    targets = [
        target([[10, 10, 230, 220], [90, 40, 300, 270]], [0, 2]),
        target([], []),
        target([[0, 0, 20, 20]], [1], [True]),
    ]
    whole, parts = overfeat_loss(raw, targets)
    alone = [
        overfeat_loss(Raw(raw.logits[i : i + 1], raw.edges[i : i + 1], windows), targets[i : i + 1])[0]
        for i in range(3)
    ]
    torch.testing.assert_close(whole, torch.stack(alone).sum())
    torch.testing.assert_close(parts["class"] + parts["box"], whole)
    assert all(loss > 0 for loss in alone)


def test_the_hardest_background_is_chosen_and_the_rest_is_not() -> None:
    windows = window("accurate").boxes(281, 317)
    raw = raw_for(windows, classes=2)
    raw.logits.requires_grad_()
    loss, _ = overfeat_loss(raw, [target([], [])], least=5)
    loss.backward()
    entropy = torch.nn.functional.cross_entropy(raw.logits[0], torch.full((len(windows),), 2), reduction="none")
    touched = raw.logits.grad[0].abs().sum(dim=1) > 0
    assert sorted(touched.nonzero()[:, 0].tolist()) == sorted(entropy.topk(5).indices.tolist())
    torch.testing.assert_close(loss, entropy.topk(5).values.mean())


def test_boxes_are_learned_from_object_windows_only() -> None:
    windows = window("accurate").boxes(281, 317)
    raw = raw_for(windows, classes=2)
    raw.edges.requires_grad_()
    one = target([[0, 0, 221, 221]], [1])
    overfeat_loss(raw, [one])[0].backward()
    touched = raw.edges.grad[0].abs().sum(dim=1) > 0
    assert torch.equal(touched, assign(windows, one, 2).positive)
    assert 0 < touched.sum() < len(windows)


def test_a_perfect_answer_costs_nothing() -> None:
    windows = window("fast").boxes(300, 340)
    one = target([[30, 40, 250, 260]], [1])
    roles = assign(windows, one, classes=2)
    logits = torch.nn.functional.one_hot(roles.classes, 3).float()[None] * 50
    loss, parts = overfeat_loss(Raw(logits, roles.edges[None], windows), [one])
    assert loss < 1e-6 and parts["box"] == 0


def test_it_learns_one_picture() -> None:
    torch.manual_seed(0)
    network = OverFeatDetector("fast", classes=2, width=0.03)
    picture = torch.rand(1, 3, 263, 327) * 0.2
    box = [70.0, 15.0, 290.0, 245.0]
    picture[:, 0, 15:245, 70:290] += 0.7
    seen = [target([box], [1])]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(30):
        loss, _ = overfeat_loss(network.raw(picture), seen)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.25 * losses[0]
    with torch.inference_mode():
        scores, boxes = network.eval()(picture)
    best = int(scores[0].amax(dim=1).argmax())
    assert int(scores[0, best].argmax()) == 1 and scores[0, best].max() > 0.5
    assert (boxes[0, best] - torch.tensor(box)).abs().max() < 20
