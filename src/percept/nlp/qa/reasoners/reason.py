"""The reasoners together: sentences and a question in, the answer that the text decides out."""

from __future__ import annotations

from collections.abc import Sequence

from percept.nlp.qa.reasoners import kinds, people, space
from percept.nlp.qa.story import words


def reason(sentences: Sequence[str], question: str) -> str | None:
    """The answer to a question about some sentences of the small world, or None where they do not decide it.

    >>> reason(["Mary moved to the bathroom.", "Mary got the milk there."], "Where is the milk?")
    'bathroom'
    """
    said = [words(sentence) for sentence in sentences]
    asked = words(question)
    for answers in (space.neighbour, space.way, space.beside, kinds.fear, kinds.colour, kinds.size, kinds.motive):
        found = answers(said, asked)
        if found is not None:
            return found
    return people.answer(people.follow(said), asked)
