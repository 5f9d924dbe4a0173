"""Stories in memory: sentences, questions among them, and words."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ENDS = re.compile(r"(?:\s*[.?!;]+)+\s*$")
_MARKS = re.compile(r"[\"“”„()\[\]]|(?<!\w)['’]|['’](?!\w)")


@dataclass(frozen=True)
class Question:
    """A question, asked when the first ``seen`` sentences of its story had been told.

    answer: as the file has it, several things between commas; empty where a person asks. supports: which of the
    sentences, counted from 0, decide the answer, in the file's order; empty where nobody said. line: in its file.
    """

    text: str
    seen: int
    answer: str = ""
    supports: tuple[int, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Story:
    """Sentences in the order in which they are told, and the questions asked in between."""

    sentences: tuple[str, ...]
    questions: tuple[Question, ...] = ()


def words(sentence: str) -> tuple[str, ...]:
    """The words of a sentence: lower case, the marks at its end and around words cut off, blanks of any kind between.

    >>> words("Where is  Mary ?")
    ('where', 'is', 'mary')
    >>> words("Mary, however, has been to St. Ives.")
    ('mary', 'however', 'has', 'been', 'to', 'st.', 'ives')
    """
    plain = _ENDS.sub("", _MARKS.sub(" ", sentence.lower()))
    return tuple(word for part in plain.split() if (word := part.rstrip(",:;?!")))


def answer_words(answer: str) -> tuple[str, ...]:
    """The things of an answer, which commas part: ``apple,milk`` has two; what has a blank inside is one thing.

    >>> answer_words("Apple, milk ")
    ('apple', 'milk')
    >>> answer_words("rasoi ghar")
    ('rasoi ghar',)
    """
    return tuple(" ".join(part.lower().split()) for part in answer.split(",") if part.strip())
