"""A renamed story has a renamed answer: the rules find it in stories whose names were exchanged."""

from __future__ import annotations

import pytest
import torch

from percept.nlp.qa.data import Asked
from percept.nlp.qa.reasoners.reason import reason
from percept.nlp.qa.renaming import Renaming, rename
from percept.nlp.qa.simulator.kinds import KINDS, story
from percept.nlp.qa.story import answer_words, words
from percept.nlp.qa.vocab import Vocabulary, build


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    asked = [
        Asked(made.sentences, question, kind, number)
        for kind in KINDS
        for number in range(12)
        for made in [story(kind, 0, number)]
        for question in made.questions
    ]
    return build(asked, spare=6, lists=False)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != 15])
def test_the_text_still_decides_the_same(kind: int, vocabulary: Vocabulary) -> None:
    renaming = Renaming(vocabulary)
    changed = 0
    for number in range(12):
        made = story(kind, 0, number)
        table = renaming([kind], [number], 3, 5)[0].tolist()

        def renamed(said: str, table: list[int] = table) -> str:
            return " ".join(vocabulary.words[table[at]] for at in vocabulary.encode(words(said)))

        for question in made.questions:
            wanted = [vocabulary.words[table[at]] for at in vocabulary.encode(answer_words(question.answer))]
            told = [renamed(said) for said in made.sentences[: question.seen]]
            assert reason(told, renamed(question.text)) == ",".join(wanted), (told, question)
        changed += renamed(" ".join(made.sentences)) != " ".join(" ".join(words(one)) for one in made.sentences)
    assert changed >= 4


def test_animals_keep_their_plurals(vocabulary: Vocabulary) -> None:
    renaming = Renaming(vocabulary)
    number, word = vocabulary.numbers, vocabulary.words
    tables = renaming([15] * 40, range(40), 0, 0)
    pairs = {(word[table[number["mouse"]]], word[table[number["mice"]]]) for table in tables.tolist()}
    assert pairs == {("mouse", "mice"), ("wolf", "wolves"), ("cat", "cats")}


def test_what_has_a_meaning_is_kept(vocabulary: Vocabulary) -> None:
    renaming = Renaming(vocabulary)
    number = vocabulary.numbers
    tables = renaming([20] * 50, range(50), 0, 0)
    for word in ("kitchen", "hungry", "football", "went", "the"):
        assert (tables[:, number[word]] == number[word]).all(), word
    assert len(set(tables[:, number["yann"]].tolist())) > 5
    assert (renaming([0] * 20, range(20), 0, 0) == torch.arange(len(vocabulary))).all(), "an unknown kind is kept"


def test_tables_never_make_two_words_one(vocabulary: Vocabulary) -> None:
    renaming = Renaming(vocabulary)
    for kind in KINDS:
        tables = renaming([kind] * 10, range(10), 1, 2)
        real = tables[:, : len(vocabulary) - vocabulary.spare]
        assert all(len(set(row)) == len(row) for row in real.tolist())
    assert (renaming([2] * 60, range(60), 0, 0) >= len(vocabulary) - vocabulary.spare)[:, :-6].any(), "spare words too"


def test_a_table_depends_on_seed_epoch_and_question_alone(vocabulary: Vocabulary) -> None:
    renaming = Renaming(vocabulary)
    assert torch.equal(renaming([2, 3], [7, 8], 0, 1)[1], renaming([3], [8], 0, 1)[0])
    assert not torch.equal(renaming([2] * 9, range(9), 0, 1), renaming([2] * 9, range(9), 0, 2))
    tokens = torch.tensor([[[2, 1], [0, 3]], [[3, 3], [1, 0]]])
    tables = torch.tensor([[0, 5, 6, 7], [0, 1, 9, 8]])
    assert rename(tokens, tables).tolist() == [[[6, 5], [0, 7]], [[8, 8], [1, 0]]]
