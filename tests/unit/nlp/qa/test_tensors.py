"""Questions as tensors, words as numbers, and which questions come together."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from percept.nlp.qa.data import Asked
from percept.nlp.qa.sampling import SideBySide, alike, noisy_ages, one_network, one_network_steps
from percept.nlp.qa.story import Question
from percept.nlp.qa.tensors import encode
from percept.nlp.qa.vocab import Vocabulary, build, from_json

SENTENCES = ("Mary went home.", "John left.", "Mary took milk.")
ASKED = [
    Asked(SENTENCES[:2], Question("Where is Mary?", 2, "home", (0,)), 0, 0),
    Asked(SENTENCES, Question("What has Mary?", 3, "milk,apple", (2, 0)), 0, 0),
    Asked(("Bill left.",), Question("Who left?", 1, "Bill"), 1, 0),
]


def spoken(tokens: torch.Tensor, vocabulary: Vocabulary) -> list[str]:
    return [" ".join(vocabulary.words[word] for word in row if word) for row in tokens.tolist()]


def test_the_newest_sentence_comes_first() -> None:
    vocabulary = build(ASKED, spare=0, lists=False)
    questions = encode(ASKED, vocabulary, [7, 0], 3)
    batch = questions.batch(torch.tensor([1, 2]))
    assert spoken(batch.tokens[0], vocabulary) == ["what has mary", "mary took milk", "john left", "mary went home"]
    assert spoken(batch.tokens[1], vocabulary) == ["who left", "bill left", "", ""]
    assert batch.supports[0, :3].tolist() == [0, 2, -1], "places in memory, in the file's order"
    assert batch.kinds.tolist() == [7, 0]
    assert [vocabulary.words[word] for word in batch.answers[0].tolist()] == ["milk", "apple", ""]
    first = questions.batch(torch.tensor([0]))
    assert spoken(first.tokens[0], vocabulary) == ["where is mary", "john left", "mary went home"]
    assert spoken(questions.batch(torch.tensor([1]), most=2).tokens[0], vocabulary)[1:] == [
        "mary took milk",
        "john left",
    ]


def test_side_by_side_has_an_axis_more() -> None:
    questions = encode(ASKED, build(ASKED, spare=0, lists=True), [7, 0], 1)
    batch = questions.batch(torch.tensor([[0, 1], [2, 2]]))
    assert batch.tokens.shape == (2, 2, 4, 3) and batch.answers.shape == (2, 2, 1)


def test_lists_are_one_word_or_several() -> None:
    whole, parts = build(ASKED, spare=0, lists=True), build(ASKED, spare=0, lists=False)
    assert "milk,apple" in whole.words and "apple" not in whole.words
    assert "apple" in parts.words and "milk,apple" not in parts.words
    assert len(whole.answer("Milk, apple") or []) == 1 and len(parts.answer("Milk, apple") or []) == 2
    assert parts.answer("pear") is None
    assert from_json(parts.to_json()) == parts


def test_an_answer_that_is_no_word_is_always_wrong() -> None:
    vocabulary = build(ASKED[:1], spare=0, lists=False)
    questions = encode(ASKED, vocabulary, [0, 0], 3)
    assert questions.answers[1].tolist() == [-1, -1, -1]
    assert encode(ASKED, build(ASKED, spare=0, lists=False), [0, 0], 1).answers[1].tolist() == [-1]


def test_unknown_names_get_spare_words_for_as_long_as_a_story_lasts() -> None:
    vocabulary = build(ASKED, spare=2, lists=False)
    unseen = [
        Asked(("Zoe left.", "Mary left.", "Ann left.", "Tim left."), Question("Who left?", 4, "Zoe"), 0, 0),
        Asked(("Ann left.",), Question("Who left?", 1, "Ann"), 0, 1),
    ]
    questions = encode(unseen, vocabulary, [0], 1)
    first, second = questions.batch(torch.tensor([0])), questions.batch(torch.tensor([1]))
    assert spoken(first.tokens[0], vocabulary) == ["who left", "left", "<2> left", "mary left", "<1> left"]
    assert spoken(second.tokens[0], vocabulary) == ["who left", "<1> left"]
    assert [vocabulary.words[int(one.answers[0, 0])] for one in (first, second)] == ["<1>", "<1>"]


def test_every_question_once_an_epoch_and_the_same_after_a_pause() -> None:
    questions = encode(ASKED * 7, build(ASKED, spare=0, lists=False), [0, 0], 3)
    whole = [index.tolist() for index in one_network(questions, 4, 0, 2, 0, 0, 1)]
    assert len(whole) == one_network_steps(questions, 4, 1) == 5
    assert len({number for index in whole for number in index}) == 20
    assert [index.tolist() for index in one_network(questions, 4, 0, 2, 3, 0, 1)] == whole[3:]
    assert [index.tolist() for index in one_network(questions, 4, 0, 3, 0, 0, 1)] != whole
    ranks = [list(one_network(questions, 4, 0, 2, 0, rank, 2)) for rank in range(2)]
    assert [sorted([*a.tolist(), *b.tolist()]) for a, b in zip(*ranks, strict=True)] == [sorted(one) for one in whole]


def test_questions_of_a_step_are_taken_in_parts_of_like_lengths() -> None:
    long = Asked(SENTENCES * 4, Question("Where is Mary?", 12, "home"), 0, 9)
    questions = encode([*ASKED, long] * 5, build(ASKED, spare=0, lists=False), [0, 0], 3)
    (index,) = one_network(questions, len(questions), 0, 0, 0, 0, 1)
    seen = questions.seen[index] + 1
    assert seen.tolist() == sorted(seen.tolist()) and int(seen[-1]) > 2 * int(seen[0])
    found = alike(questions, index, lambda size: 100 / size**2)
    assert torch.equal(torch.cat(found), index)
    for part in found:
        longest = int(questions.seen[part].max()) + 1
        assert longest <= 2 * (int(questions.seen[part].min()) + 1) and (
            len(part) == 1 or len(part) * longest**2 <= 100
        )


def test_each_network_sees_its_own_questions() -> None:
    own = [torch.arange(10), torch.arange(100, 104)]
    side = SideBySide(own, 4, 0)
    steps = list(side.epoch(0, 0))
    assert side.batch == 4 and len(steps) == side.steps == 2
    order = torch.cat(steps, dim=1)
    assert len(set(order[0].tolist())) == 8 and set(order[1].tolist()) == {100, 101, 102, 103}
    assert torch.equal(list(side.epoch(0, 1))[0], steps[1])
    assert not torch.equal(torch.cat(list(side.epoch(1, 0)), dim=1), order)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.6])
def test_noise_keeps_the_order_and_leaves_gaps(noise: float) -> None:
    seen = torch.tensor([[1, 5, 20], [0, 20, 7]])
    index = torch.arange(6).reshape(2, 3)
    ages = noisy_ages(seen, 20, noise, 0, 3, index)
    assert ages.shape == (2, 3, 20)
    gaps = 0
    for count, row in zip(seen.flatten().tolist(), ages.flatten(0, 1).tolist(), strict=True):
        told = row[:count]
        assert told == sorted(set(told)), "older sentences stay older"
        assert not told or told[-1] < count + np.ceil(noise * count)
        gaps += told != list(range(count))
    assert gaps == 0 if noise == 0 else gaps >= 1 or noise < 0.5
    assert torch.equal(ages, noisy_ages(seen, 20, noise, 0, 3, index))
