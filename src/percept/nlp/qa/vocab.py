"""Words as numbers: the vocabulary of a network, with words kept for names that training never saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from percept.nlp.qa.data import Asked
from percept.nlp.qa.story import answer_words, words

NIL = 0  # no word: padding, and the end of an answer


@dataclass(frozen=True)
class Vocabulary:
    """The words of a network by number; ``words[0]`` is nil.

    spare: the last so many words stand for names that no training story had; each new name gets one of its own for as
    long as a story lasts. lists: answers of several things are one word each, as in the paper.
    """

    words: tuple[str, ...]
    spare: int = 0
    lists: bool = False
    numbers: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", {word: number for number, word in enumerate(self.words)})

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, said: Sequence[str], names: dict[str, int] | None = None) -> list[int]:
        """The numbers of some words. Unknown ones are left out, or get a spare word where ``names`` keeps them."""
        found = []
        for word in said:
            number = self.numbers.get(word)
            if number is None and names is not None:
                number = self._named(word, names)
            if number is not None:
                found.append(number)
        return found

    def _named(self, word: str, names: dict[str, int]) -> int | None:
        if word not in names and len(names) < self.spare:
            names[word] = len(self.words) - self.spare + len(names)
        return names.get(word)

    def answer(self, text: str, names: dict[str, int] | None = None) -> list[int] | None:
        """The numbers of an answer's things, one if lists are words; None if some is neither a word nor a name."""
        things = (",".join(answer_words(text)),) if self.lists else answer_words(text)
        found = [self.numbers.get(thing, (names or {}).get(thing)) for thing in things]
        return None if None in found else found  # type: ignore[return-value]

    def to_json(self) -> dict[str, object]:
        """As it stands in the header of weights."""
        return {"words": list(self.words), "spare": self.spare, "lists": self.lists}


def from_json(read: dict[str, object]) -> Vocabulary:
    """The vocabulary of a weight file's header."""
    return Vocabulary(tuple(read["words"]), int(read["spare"]), bool(read["lists"]))  # type: ignore[arg-type]


def build(asked: Iterable[Asked], *, spare: int, lists: bool) -> Vocabulary:
    """The vocabulary of some questions, their stories and answers, sorted; the spare words behind."""
    found: Counter[str] = Counter()
    sentences = set()
    for one in asked:
        sentences.update((*one.sentences, one.question.text))
        things = answer_words(one.question.answer)
        found.update([",".join(things)] if lists else things)
    for sentence in sentences:
        found.update(words(sentence))
    return Vocabulary(("", *sorted(found), *(f"<{number}>" for number in range(1, spare + 1))), spare, lists)
