"""Sentences that do not decide are left out, the deciding ones never, and the text still decides the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from percept.nlp.qa.data import questions
from percept.nlp.qa.distractors import PRONOUNS, thin
from percept.nlp.qa.reasoners.reason import reason
from percept.nlp.qa.simulator.kinds import KINDS, story
from percept.nlp.qa.tensors import Batch, encode
from percept.nlp.qa.vocab import build

STORIES, SENTENCES = 400, 20


def stories(kind: int = 1) -> Batch:
    """Each sentence one word, a number of its own; the newest but one and the oldest decide, in this order."""
    words = torch.arange(1, 1 + STORIES * (1 + SENTENCES)).reshape(STORIES, 1 + SENTENCES, 1)
    supports = torch.tensor([1, SENTENCES - 1, -1]).expand(STORIES, 3)
    answers = torch.ones(STORIES, 1, dtype=torch.long)
    return Batch(words, answers, torch.full((STORIES,), kind), supports, torch.arange(STORIES))


def kept(after: Batch) -> float:
    """The share of the sentences that do not decide which is still there."""
    total = (after.tokens[:, 1:] != 0).sum() - 2 * STORIES
    return float(total) / (STORIES * (SENTENCES - 2))


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_the_share_is_that_asked_for_and_what_decides_stays(share: float) -> None:
    torch.manual_seed(0)
    before = stories()
    after = thin(before, share)
    assert abs(kept(after) - share) < 0.06
    assert (after.tokens[:, 0] == before.tokens[:, 0]).all(), "the question"
    deciding = after.tokens[:, 1:, 0].take_along_dim(after.supports[:, :2], dim=1)
    assert (deciding == before.tokens[:, 1:, 0][:, [1, SENTENCES - 1]]).all()
    assert (after.supports[:, 2] == -1).all()
    for told in after.tokens[:, 1:, 0].tolist():
        there = [word for word in told if word]
        assert there == sorted(there), "the order stays"
        assert told == there + [0] * (len(told) - len(there)), "no gaps"


def test_stories_differ_in_how_much_they_lose() -> None:
    torch.manual_seed(0)
    left = (thin(stories(), 0.5).tokens[:, 1:] != 0).sum(dim=(1, 2))
    assert left.min() <= 3 and left.max() >= SENTENCES - 1


def test_pronouns_and_stories_without_supports_stay_whole() -> None:
    for before in (stories(PRONOUNS[0]), stories(PRONOUNS[1])):
        assert torch.equal(thin(before, 0.0).tokens, before.tokens)
    unknown = replace(stories(), supports=torch.full((STORIES, 3), -1))
    after = thin(unknown, 0.0)
    assert torch.equal(after.tokens, unknown.tokens) and torch.equal(after.supports, unknown.supports)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {2, 3}))
def test_the_text_still_decides_the_same(kind: int) -> None:
    """Without kinds 2 and 3: the rules do not believe that somebody put down what nobody saw them take."""
    torch.manual_seed(kind)
    asked = questions([story(kind, 0, number) for number in range(12)], 0)
    vocabulary = build(asked, spare=0, lists=False)
    encoded = encode(asked, vocabulary, [kind], 3)
    for share in (0.0, 0.5):
        batch = thin(encoded.batch(torch.arange(len(asked))), share)
        for one, tokens in zip(asked, batch.tokens.tolist(), strict=True):
            said = [" ".join(vocabulary.words[word] for word in sentence if word) for sentence in tokens]
            told = [sentence for sentence in reversed(said[1:]) if sentence]
            assert reason(told, said[0]) == one.question.answer.lower(), (told, one.question)
