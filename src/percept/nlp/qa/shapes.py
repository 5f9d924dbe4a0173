"""What the questions of a training set look like, so that one unlike all of them is told from one that is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from percept.nlp.qa.story import words

ANY = "*"


def shapes(questions: Iterable[str]) -> dict[str, list[str]]:
    """The ``shapes`` of questions, with a star for each of the ``free`` words, which stand for each other.

    Names are told from the words of a frame by what stands around them: three words or more that were seen in the same
    place of the same question are free, so that "where is fred" is known where "where is mary" is.
    """
    asked = sorted({words(question) for question in questions})
    frames: dict[tuple[str, ...], set[str]] = {}
    for one in asked:
        for at in range(len(one)):
            frames.setdefault((*one[:at], ANY, *one[at + 1 :]), set()).add(one[at])
    free = {word for frame in frames.values() if len(frame) > 2 for word in frame}
    made = {tuple(ANY if word in free else word for word in one) for one in asked}
    return {"free": sorted(free), "shapes": sorted(" ".join(one) for one in made)}


def is_known(question: Sequence[str], known: dict[str, list[str]], vocabulary: Iterable[str]) -> bool:
    """Whether a question, given by its words, has a shape that was learned; words of no vocabulary may be names."""
    free, learned = set(known["free"]), set(vocabulary)
    shape = " ".join(ANY if word in free or word not in learned else word for word in question)
    return shape in set(known["shapes"])
