"""The relational memory: attention that stops at the first match, and no influence of what is not there."""

from __future__ import annotations

import pytest
import torch

from percept.nlp.qa.relational import Relational, _by_sums, first_match


def network() -> Relational:
    torch.manual_seed(0)
    return Relational(30, 16, 3, 8, 6, 3).eval()


def stories(count: int = 3, facts: int = 7) -> torch.Tensor:
    return torch.randint(1, 30, (count, 1 + facts, 5), generator=torch.Generator().manual_seed(facts))


def test_first_match_is_the_formula_written_out() -> None:
    scores = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    usable = torch.tensor([[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]).bool()
    got = first_match(scores, usable)[0, 0]
    for ask in range(4):
        left = 1.0
        for key in range(4):
            match = float(scores[0, 0, ask, key].sigmoid()) if usable[ask, key] else 0.0
            assert got[ask, key].item() == pytest.approx(left * match, abs=1e-6)
            left *= 1 - match


def test_a_sure_match_hides_what_is_behind_it() -> None:
    scores = torch.tensor([[[[-20.0, 20.0, 20.0, -20.0]]]])
    got = first_match(scores, torch.ones(1, 4, dtype=torch.bool))[0, 0, 0]
    torch.testing.assert_close(got, torch.tensor([0.0, 1.0, 0.0, 0.0]), atol=1e-6, rtol=0)


def test_the_gradient_written_out_is_the_gradient() -> None:
    usable = torch.rand(2, 1, 5, 5, generator=torch.Generator().manual_seed(1)) < 0.7
    factor = torch.randn(2, 3, 5, 5, generator=torch.Generator().manual_seed(2))
    found = []
    for weigh in (first_match, _by_sums):
        scores = torch.randn(2, 3, 5, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
        (weigh(scores, usable) * factor).sum().backward()
        found.append(scores.grad)
    torch.testing.assert_close(*found)
    assert found[0].abs().max() > 0.1 and (found[0] * ~usable).abs().max() == 0


def test_padding_changes_nothing() -> None:
    made, tokens = network(), stories()
    padded = torch.nn.functional.pad(tokens, (0, 2, 0, 5))  # words, sentences
    scores, looked = made(tokens)
    again, looked_again = made(padded)
    torch.testing.assert_close(scores, again, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(looked, looked_again[..., :7], atol=1e-5, rtol=1e-4)
    assert looked_again[..., 7:].abs().max() < 1e-6


def test_order_of_words_and_of_sentences_matters() -> None:
    made, tokens = network(), stories()
    turned = tokens.clone()
    turned[:, 1, :2] = tokens[:, 1, :2].flip(-1)
    assert not torch.allclose(made(tokens)[0], made(turned)[0], atol=1e-4)
    swapped = tokens[:, [0, 2, 1, 3, 4, 5, 6, 7]]
    assert not torch.allclose(made(tokens)[0], made(swapped)[0], atol=1e-4)


def test_no_sentence_and_many_are_answered() -> None:
    made = network()
    nothing = torch.zeros(1, 2, 4, dtype=torch.long)
    nothing[0, 0] = 3
    for tokens in (nothing, stories(1, 300)):
        scores, looked = made(tokens)
        assert scores.shape == (1, 3, 30) and scores.isfinite().all() and looked.isfinite().all()


def test_longer_sentences_than_training_saw_are_taken() -> None:
    tokens = torch.randint(1, 30, (2, 4, 15), generator=torch.Generator().manual_seed(0))
    assert network()(tokens)[0].isfinite().all()
