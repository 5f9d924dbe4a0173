"""The text of stories: bAbI's numbered lines with TABs, or plain sentences as a person writes them.

A numbered line begins with a number; number 1 begins a new story, and so does any that is not larger than the last. A
question has a TAB, or is the last thing a person wrote with a question mark. Without numbers an empty line begins a
new story. Answers and supports stand behind TABs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from percept.core.errors import InputError
from percept.core.kinds import looks_like, reason, unreadable
from percept.nlp.qa.story import Question, Story, words

LARGEST = 50_000_000  # bytes
_NUMBERED = re.compile(r" *(\d{1,9})[.):]? +(.*)", re.DOTALL)
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=\S)")


@dataclass(frozen=True)
class Problem:
    """Something wrong in a file: its line and what it is; nothing else of the file is touched by it."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


def read_stories(path: Path) -> tuple[list[Story], list[Problem]]:
    """The stories of a file, and what is wrong in it.

    Raises:
        InputError: no text, or nothing in it.
    """
    problem = unreadable(path)
    if problem:
        raise InputError(problem)
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path.stat().st_size:,} bytes: too large for stories")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(reason(error)) from error
    text = decode(data)
    stories, problems = parse(text)
    last = text.splitlines()[-1]
    if _NUMBERED.fullmatch(last) and not text.endswith(("\n", "\r")):  # a person's own sentences may end anyhow
        problems.append(Problem(len(text.splitlines()), "it has no end; the file may be cut off"))
    return stories, problems


def decode(data: bytes) -> str:
    """The text of a file: UTF-8 or, by its mark, UTF-16.

    Raises:
        InputError: not a text.
    """
    coding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(coding)
    except UnicodeDecodeError:
        raise InputError(f"not a story in UTF-8 ({looks_like(data[:300])})") from None
    if "\x00" in text:
        raise InputError(f"not a story ({looks_like(data[:300])})")
    if not text.strip():
        raise InputError("an empty file, no story")
    return text


def parse(text: str) -> tuple[list[Story], list[Problem]]:
    """The stories of a text, and what is wrong in it: see the head of this file.

    >>> stories, problems = parse("1 Mary went to the park.\\n2 Where is Mary?\\tpark\\t1\\n")
    >>> stories[0].questions[0].answer, stories[0].questions[0].supports, problems
    ('park', (0,), [])
    """
    making = _Making()
    for number, line in enumerate(text.splitlines(), 1):
        made = _NUMBERED.fullmatch(line)
        if not line.strip():
            making.blank()
        elif made is not None:
            making.numbered(number, int(made[1]), made[2])
        else:
            making.plain(number, line)
    return making.finish(), making.problems


class _Making:
    """The stories read so far, and the one that is being read."""

    def __init__(self) -> None:
        self.stories: list[Story] = []
        self.problems: list[Problem] = []
        self._begin()

    def _begin(self) -> None:
        self.sentences: list[str] = []
        self.questions: list[Question] = []
        self.places: dict[int, int] = {}  # number of a line -> its sentence, of a numbered story
        self.last = 0  # number of the last line of it

    def blank(self) -> None:
        if not self.last:  # between numbered lines an empty one means nothing
            self._end()

    def numbered(self, line: int, number: int, rest: str) -> None:
        if number <= self.last or (not self.last and (self.sentences or self.questions)):
            self._end()
        self.last = number
        if "\t" in rest:
            self._published(line, number, rest)
        else:
            self._said(line, rest, number)

    def plain(self, line: int, text: str) -> None:
        if self.last:
            self._end()
        if "\t" in text:
            self._published(line, 0, text)
        else:
            for part in _SENTENCES.split(text.strip()):
                self._said(line, part, 0)

    def _said(self, line: int, text: str, number: int) -> None:
        """A sentence, or a question without an answer."""
        if not words(text):
            self.problems.append(Problem(line, "no words"))
        elif text.rstrip().endswith("?"):
            self.questions.append(Question(text.strip(), len(self.sentences), line=line))
        else:
            self.places[number] = len(self.sentences)
            self.sentences.append(text.strip())

    def _published(self, line: int, number: int, text: str) -> None:
        """A question with answer and supports between TABs; a sentence if nothing stands behind the TAB."""
        asked, answer, *behind = (part.strip() for part in text.split("\t"))
        if not answer and not asked.endswith("?"):
            self._said(line, asked, number)
            return
        if not words(asked):
            self.problems.append(Problem(line, "an answer without a question"))
            return
        if re.search(r"[;/|]|,,|^,|,$", answer):
            self.problems.append(Problem(line, f'answer "{answer}": several things are parted by single commas'))
        supports = []
        for token in (behind[0] if behind else "").replace(",", " ").split():
            place = self.places.get(int(token)) if token.isdigit() else None
            if place is None:
                self.problems.append(Problem(line, f"support {token} is no earlier sentence of this story"))
            else:
                supports.append(place)
        answer = ",".join(part for piece in answer.split(",") if (part := " ".join(piece.split())))
        self.questions.append(Question(asked, len(self.sentences), answer, tuple(supports), line))

    def _end(self) -> None:
        if self.sentences or self.questions:
            self.stories.append(Story(tuple(self.sentences), tuple(self.questions)))
        self._begin()

    def finish(self) -> list[Story]:
        self._end()
        return self.stories


def questions_of(stories: list[Story]) -> Iterator[tuple[Story, Question]]:
    """Each question with its story."""
    for story in stories:
        for question in story.questions:
            yield story, question
