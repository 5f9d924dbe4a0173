"""The likeliest list of things against trying them all, and the temperature."""

from __future__ import annotations

import itertools

import pytest
import torch

from percept.nlp.qa.decode import fit_temperature, likeliest, ranked


def every_answer(scores: torch.Tensor, temperature: float) -> dict[tuple[int, ...], float]:
    """Probability of every answer that could be, written out: (P, V) scores."""
    scaled = scores / temperature
    first = scaled[0].clone()
    first[0] = float("-inf")
    shares = [first.softmax(dim=0), *(row.softmax(dim=0) for row in scaled[1:])]
    found = {}
    for length in range(1, len(scores) + 1):
        for things in itertools.product(range(1, scores.shape[1]), repeat=length):
            share = 1.0
            for at, thing in enumerate(things):
                share *= float(shares[at][thing])
            found[things] = share * (float(shares[length][0]) if length < len(scores) else 1.0)
    return found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("parts", [1, 3])
def test_the_likeliest_is_the_best_of_all(seed: int, parts: int) -> None:
    scores = 2 * torch.randn(parts, 5, generator=torch.Generator().manual_seed(seed))
    known = every_answer(scores, 1.3)
    assert sum(known.values()) == pytest.approx(1, abs=1e-5)
    order = sorted(known, key=lambda things: -known[things])
    answers, probability = likeliest(scores[None], 1.3)
    assert tuple(word for word in answers[0].tolist() if word) == order[0]
    assert float(probability[0]) == pytest.approx(known[order[0]], rel=1e-4)
    best = ranked(scores, 1.3, 3)
    assert [things for things, _ in best] == order[:3]
    assert [share for _, share in best] == pytest.approx([known[things] for things in order[:3]], rel=1e-4)


def test_a_temperature_makes_doubt_honest() -> None:
    rng = torch.Generator().manual_seed(0)
    right = torch.randint(1, 6, (4000,), generator=rng)
    scores = torch.zeros(4000, 1, 6)
    scores[torch.arange(4000), 0, right] = 1.5
    drawn = torch.multinomial(scores[:, 0, 1:].softmax(dim=1), 1, generator=rng) + 1  # what happened
    assert fit_temperature(scores, drawn) == pytest.approx(1, abs=0.13)
    assert fit_temperature(3 * scores, drawn) == pytest.approx(3, rel=0.13)
    assert fit_temperature(scores, torch.full((4000, 1), -1)) == 1.0
