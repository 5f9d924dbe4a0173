"""``percept qa`` without a story: a talk in which a person tells facts, takes them back, and asks."""

from __future__ import annotations

import sys
from collections.abc import Callable

from percept.core.console import answer, say
from percept.nlp.qa.reader import Reader
from percept.nlp.qa.story import words

HELP = """tell a sentence:  Mary went to the garden.       ask:  Where is Mary?
  back    take back the last sentence           story   show what was told
  new     begin another story                   help    this
  quit    end (or Ctrl-D)"""


class Talk:
    """What was told so far, and what is said to the next line."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.sentences: list[str] = []
        self.commands: dict[str, Callable[[], str]] = {
            "back": self.back,
            "undo": self.back,
            "story": self.story,
            "new": self.new,
            "help": lambda: HELP,
            "?": lambda: HELP,
        }

    def said(self, line: str) -> str:
        """What a line is answered; nothing for a sentence that is taken as told."""
        line = line.strip()
        command = self.commands.get(line.lower())
        if command is not None:
            return command()
        if not words(line):
            return ""
        if not line.endswith("?"):
            self.sentences.append(line)
            return ""
        if not self.sentences:
            return "nothing was told yet: tell a sentence first (help says more)"
        return str(self.reader.answer(self.sentences, line))

    def back(self) -> str:
        """Take back the last sentence."""
        return f"taken back: {self.sentences.pop()}" if self.sentences else "nothing was told yet"

    def story(self) -> str:
        """What was told."""
        return "\n".join(f"{number} {line}" for number, line in enumerate(self.sentences, 1)) or "nothing was told yet"

    def new(self) -> str:
        """Forget all."""
        self.sentences.clear()
        return "a new story"


def run(reader: Reader) -> int:
    """Talk until the end of the input; answers go to stdout, the rest to stderr."""
    talk = Talk(reader)
    person = sys.stdin.isatty()
    if person:
        say(f"{reader.about['weights']}, {reader.about['device']}\n{HELP}")
    while True:
        try:
            line = input("> ") if person else next(sys.stdin).rstrip("\n")
        except (EOFError, StopIteration):
            return 0
        if line.strip().lower() in ("quit", "exit"):
            return 0
        said = talk.said(line)
        if said:
            answer(said)
