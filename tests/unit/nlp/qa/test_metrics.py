"""Errors by hand, and what else is measured."""

from __future__ import annotations

import math

import pytest
import torch

from percept.nlp.qa import metrics
from percept.nlp.qa.loss import answer_loss, support_loss
from percept.nlp.qa.published import SYSTEMS, published, table
from percept.nlp.qa.shapes import is_known, shapes


def scores_of(answers: list[list[int]], size: int = 6) -> torch.Tensor:
    scores = torch.zeros(len(answers), len(answers[0]), size)
    for row, things in zip(scores, answers, strict=True):
        for place, thing in zip(row, things, strict=True):
            place[thing] = 5
    return scores


def test_order_and_number_of_things_count() -> None:
    wanted = torch.tensor([[1, 2, 0], [1, 0, 0], [3, 0, 0]])
    got = scores_of([[2, 1, 0], [1, 4, 0], [3, 0, 0]])
    assert metrics.wrong(got, wanted).tolist() == [True, True, False]
    assert metrics.wrong(got, torch.full_like(wanted, -1)).all(), "an unknown answer is never right"


def test_the_mean_is_over_kinds() -> None:
    missed = torch.tensor([True, False, False, False, True])
    assert metrics.mean_error(missed, torch.tensor([0, 0, 0, 0, 1])) == pytest.approx((25 + 100) / 2)
    assert metrics.failed([5.0, 5.1, 0.0, 80.0]) == 2


def test_supports_seen_by_hop() -> None:
    looked = torch.tensor([[[0.1, 0.9, 0.0], [0.6, 0.2, 0.2]], [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]])
    saw, known = metrics.saw_support(looked, torch.tensor([[1, 2], [0, -1]]))
    assert saw.tolist() == [[True, False], [False, False]]
    assert known.tolist() == [True, True]
    assert metrics.saw_support(looked, torch.full((2, 2), -1))[1].tolist() == [False, False]


def test_reliability_by_hand() -> None:
    rows, error = metrics.reliability(torch.tensor([0.95, 0.95, 1.0, 0.25]), torch.tensor([True, False, True, False]))
    assert [(count, round(was, 3)) for _, was, count in rows] == [(1, 0.0), (3, 0.667)]
    assert error == pytest.approx(0.25 / 4 + 3 / 4 * abs((0.95 + 0.95 + 1) / 3 - 2 / 3), abs=1e-6)


def test_losses_by_hand() -> None:
    scores = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    answers = torch.tensor([[1, 2, 0], [4, 0, 0]])
    wanted = [-sum(float(scores[q, p].log_softmax(0)[answers[q, p]]) for p in range(3)) for q in range(2)]
    assert answer_loss(scores, answers).tolist() == pytest.approx(wanted, rel=1e-5)
    looked = torch.tensor([[[0.5, 0.0], [0.2, 0.8]]])
    got = support_loss(looked, torch.tensor([[0, 1, -1]]))
    assert float(got) == pytest.approx(-float(torch.tensor([0.5001, 0.8001]).log().mean()), rel=1e-5)
    assert support_loss(looked, torch.tensor([[-1, -1, -1]])).item() == 0
    one = support_loss(looked, torch.tensor([[1, -1, -1]]))
    assert float(one) == pytest.approx(-math.log((0.0001 + 0.8001) / 2), rel=1e-5), "by any hop"
    most = support_loss(looked, torch.tensor([[0, 1, 0]]))
    assert float(most) == pytest.approx(-math.log(0.5001) * 2 / 3 - math.log(0.8001) / 3, rel=1e-5), "more than hops"
    gone = support_loss(looked, torch.tensor([[1, 5, -1]]))
    assert gone.isfinite(), "a place beyond the story"


def test_published_errors_are_those_of_the_table() -> None:
    known = table()
    assert set(known) == {system.column for system in SYSTEMS}
    assert len(known["memn2n_1k_3hop_joint"]) == 20 and sum(
        known["memn2n_1k_3hop_joint"].values()
    ) / 20 == pytest.approx(12.395)
    assert 10 not in known["lstm_1k"], "two copies disagree: left out"
    rows = published(list(range(1, 21)), "1k", True)
    assert rows[0]["system"].endswith(", joint") and rows[-1]["system"] == "MemN2N, 3 hops PE LS RN"
    assert {row["system"]: row["figures"]["failed_tasks"] for row in rows}["MemN2N, 3 hops, joint"] == 11
    assert not [row for row in rows if row["system"] == "LSTM"], "not on all of these kinds"
    assert published([], "1k", None) == []


def test_shapes_of_questions() -> None:
    names = ("Mary", "John", "Bill")
    known = shapes([*(f"Where is {name}?" for name in names), "What is Mary carrying?", "Who gave the milk to John?"])
    vocabulary = {"where", "is", "mary", "john", "bill", "what", "carrying", "who", "gave", "the", "milk", "to"}
    for question, wanted in (
        ("where is bill", True),
        ("where is zoe", True),  # a new name
        ("what is john carrying", True),
        ("where is", False),
        ("is bill where", False),
        ("carrying what is mary", False),
    ):
        assert is_known(question.split(), known, vocabulary) is wanted, question
