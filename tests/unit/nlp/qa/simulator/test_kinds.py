"""Every kind's answers are what an independent reasoner finds in the text, and are drawn by number alone."""

from __future__ import annotations

import os

import pytest

from percept.nlp.qa.reasoners.reason import reason
from percept.nlp.qa.simulator.kinds import KINDS, STEPPED, lines, story
from percept.nlp.qa.stories import parse
from percept.nlp.qa.story import words


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_reasoner_finds_every_answer_in_the_text(kind: int) -> None:
    asked = 0
    for number in range(12):
        made = story(kind, 7, number)
        for question in made.questions:
            said = made.sentences[: question.seen]
            assert reason(said, question.text) == question.answer.lower(), (said, question)
            assert question.supports and all(0 <= support < question.seen for support in question.supports)
            asked += 1
    assert asked >= 12


@pytest.mark.parametrize("kind", sorted(STEPPED))
def test_answers_of_one_step_follow_from_one_sentence(kind: int) -> None:
    for number in range(12):
        made = story(kind, 7, number, steps=1)
        for question in made.questions:
            (support,) = question.supports
            said = made.sentences[support]
            assert reason([said], question.text) == question.answer.lower(), (said, question)


@pytest.mark.slow
@pytest.mark.skipif("PERCEPT_DATA" not in os.environ, reason="minutes; run where the data sets lie")
@pytest.mark.parametrize("kind", list(KINDS))
def test_the_reasoner_finds_the_answers_of_a_thousand_stories(kind: int) -> None:
    for number in range(1000):
        made = story(kind, 3, number)
        for question in made.questions:
            assert reason(made.sentences[: question.seen], question.text) == question.answer.lower()


@pytest.mark.parametrize("kind", list(KINDS))
def test_what_is_written_is_read_back(kind: int) -> None:
    made = story(kind, 1, 0)
    read, problems = parse("\n".join(lines(made)))
    assert problems == [] and len(read) == 1
    assert read[0].sentences == made.sentences
    for ours, theirs in zip(made.questions, read[0].questions, strict=True):
        assert (ours.text, ours.seen, ours.answer, ours.supports) == (
            theirs.text,
            theirs.seen,
            theirs.answer,
            theirs.supports,
        )


def test_a_story_depends_on_seed_kind_and_number_alone() -> None:
    assert story(5, 1, 3) == story(5, 1, 3)
    assert len({story(5, seed, number) for seed in (1, 2) for number in range(5)}) == 10


def test_answers_of_a_kind_are_not_one_sided() -> None:
    said = [question.answer for number in range(60) for question in story(17, 0, number).questions]
    assert 0.4 < said.count("yes") / len(said) < 0.6
    maybe = [question.answer for number in range(60) for question in story(10, 0, number).questions]
    assert {"yes", "no", "maybe"} == set(maybe) and maybe.count("maybe") > 20
    lists = {question.answer for number in range(60) for question in story(8, 0, number).questions}
    assert any("," in answer for answer in lists) and "nothing" in lists


def test_deciding_sentences_decide() -> None:
    """Of kind 1 the one sentence is enough to answer by; without it another answer is found, or none."""
    for number in range(10):
        made = story(1, 0, number)
        for question in made.questions:
            (support,) = question.supports
            assert reason([made.sentences[support]], question.text) == question.answer
            assert words(question.text)[-1] in words(made.sentences[support])
