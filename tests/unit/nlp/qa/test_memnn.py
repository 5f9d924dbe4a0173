"""MemNN picks the best match at each step, stops, and learns from the supports."""

from __future__ import annotations

import pytest
import torch

from percept.nlp.qa.loss import ranking_loss, stops
from percept.nlp.qa.memnn import MemNN


def stories() -> torch.Tensor:
    made = torch.randint(1, 20, (2, 4, 6, 5), generator=torch.Generator().manual_seed(0))
    made[:, 1, 3:] = 0
    return made


def network() -> MemNN:
    torch.manual_seed(0)
    return MemNN(20, 8, 3, [6, 4])


def test_what_is_picked_is_the_best_match_and_nothing_after_a_stop() -> None:
    made = network().eval()
    scores, looked = made(stories())
    assert scores.shape == (2, 4, 1, 20) and looked.shape == (2, 4, 3, 5)
    assert set(looked.unique().tolist()) <= {0.0, 1.0}
    count = looked.sum(dim=-1)  # (M, B, K)
    assert (count[..., 1:] <= count[..., :-1]).all(), "after a stop nothing is picked"
    assert looked[:, 1, :, 2:].sum() == 0, "an empty place is never picked"


def test_given_the_right_memories_answers_follow_them() -> None:
    made = network()
    tokens = stories()
    first = torch.zeros(2, 4, 3, dtype=torch.long)
    second = torch.ones_like(first)
    assert not torch.allclose(made.steps(tokens, first)[0], made.steps(tokens, second)[0])
    stopped = torch.full_like(first, 5)
    matches = made.steps(tokens, stopped)[1]
    assert matches.shape == (2, 4, 3, 6)


def test_what_is_exported_computes_what_training_does(monkeypatch: pytest.MonkeyPatch) -> None:
    made, tokens = network(), stories()
    wanted = made(tokens)[0]
    monkeypatch.setattr(torch.jit, "is_tracing", lambda: True)
    torch.testing.assert_close(made(tokens)[0], wanted)


def test_supports_become_picks_with_a_stop_behind() -> None:
    supports = torch.tensor([[2, 0, -1, -1], [4, 1, -1, -1], [9, 1, -1, -1]])
    assert stops(supports, 3, 5).tolist() == [[2, 0, 5], [4, 1, 5], [5, 5, 5]]
    assert stops(supports, 6, 5)[0].tolist() == [2, 0, 5, 5, 5, 5]


def test_ranking_loss_counts_what_comes_within_the_margin() -> None:
    scores = torch.tensor([[1.0, 0.95, 0.5, float("-inf")]])
    torch.testing.assert_close(ranking_loss(scores, torch.tensor([0]), 0.1), torch.tensor([0.05]))
    torch.testing.assert_close(ranking_loss(scores, torch.tensor([2]), 0.1), torch.tensor([0.6 + 0.55]))
    assert ranking_loss(scores, torch.tensor([0]), 0.01).item() == 0


def test_it_learns_to_pick_and_to_answer() -> None:
    """The newest of two sentences about somebody says where they are; word 1 asks, 2 and 3 are two people."""
    rng = torch.Generator().manual_seed(0)
    made = MemNN(12, 12, 2, [3])
    optimizer = torch.optim.Adam(made.parameters(), 0.02)
    for step in range(121):
        who = torch.randint(2, 4, (64, 3), generator=rng)
        where = torch.randint(4, 12, (64, 3), generator=rng)
        asked = who[torch.arange(64), torch.randint(3, (64,), generator=rng)]  # somebody who was told of
        facts = torch.stack([who, where], dim=-1)
        question = torch.stack([torch.ones_like(asked), asked], dim=-1)[:, None]
        tokens = torch.cat([question, facts], dim=1)[None]  # (1, B, 4, 2)
        place = (who == asked[:, None]).int().argmax(dim=1)  # the newest comes first
        right = torch.stack([place, torch.full_like(place, 3)], dim=-1)[None]
        answer = where.gather(1, place[:, None])[:, 0][None]
        if step == 120:
            break
        scores, matches, _ = made.steps(tokens, right)
        loss = ranking_loss(scores[:, :, 0], answer, 0.1) + sum(
            ranking_loss(matches[:, :, hop], right[:, :, hop], 0.1) for hop in range(2)
        )
        optimizer.zero_grad()
        loss.mean().backward()
        optimizer.step()
    scores, looked = made.eval()(tokens)
    assert (looked[0, :, 0].argmax(dim=-1) == place).float().mean() > 0.9
    assert (scores[0, :, 0].argmax(dim=-1) == answer[0]).float().mean() > 0.9
