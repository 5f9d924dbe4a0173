"""What lm answers: how likely a text is, the text it writes, and words with near vectors; and how they are shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from percept.core.console import stdout

NAMED = 8  # unknown words that a person reads; JSON has more
_MARKS = ((16.0, "bold red"), (12.0, "red"), (8.0, "yellow"))  # bits from which a word is marked


@dataclass(frozen=True)
class Scored:
    """How well a model predicts a text. Every token counts, an end of line for each line among them.

    Attributes:
        input: the text's name, as the person gave it.
        tokens: words (or characters, or pieces of words) and ends. unknown: those that the model does not know, which
            count as <unk>. characters: of the text, line ends too.
        nats: -log p of all tokens, infinite where one is impossible.
        unknown_words: the most frequent unknown words, with how often they come.
        text: the text itself, where lines are scored one by one. words: (word, bits) of each token, where asked for.
    """

    input: str
    tokens: int
    unknown: int
    characters: int
    nats: float
    unknown_words: tuple[tuple[str, int], ...] = ()
    text: str | None = None
    words: tuple[tuple[str, float], ...] | None = None

    @property
    def bits_per_token(self) -> float:
        """log2 of the perplexity."""
        return self.nats / math.log(2) / self.tokens

    @property
    def perplexity(self) -> float:
        """exp of the mean of -log p."""
        return math.exp(self.nats / self.tokens) if self.nats / self.tokens < 700 else math.inf

    @property
    def bits_per_character(self) -> float:
        """Bits over characters. Unknown words cost no more than <unk> does."""
        return self.nats / math.log(2) / max(1, self.characters)

    def __str__(self) -> str:
        """For a person: the figures, unknown words, and the text with its surprising words marked."""
        name = self.input if self.text is None else f"{self.input}  {self.text[:60]}"
        lines = [
            f" {name}",
            f" perplexity {_shown(self.perplexity, 2)}   bits a token {_shown(self.bits_per_token, 3)}   "
            f"bits a character {_shown(self.bits_per_character, 3)}   tokens {self.tokens:,}",
        ]
        if self.unknown:
            named = ", ".join(f"{word} ({count})" if count > 1 else word for word, count in self.unknown_words[:NAMED])
            lines.append(f" unknown {self.unknown:,} ({100 * self.unknown / self.tokens:.2f} %): {named}")
        return "\n".join(lines) + (f"\n{marked(self.words)}" if self.words else "")

    def rows(self) -> Sequence[Sequence[object]]:
        """tokens, unknown, perplexity, bits a token and a character; with --show a row a word: word, bits."""
        if self.words is not None:
            return [(word if word.strip() else repr(word)[1:-1], round(bits, 2)) for word, bits in self.words]
        figures = (self.perplexity, self.bits_per_token, self.bits_per_character)
        cells = [self.tokens, self.unknown, *(round(one, 4) for one in figures)]
        return [cells if self.text is None else [*cells, self.text]]

    def to_json(self) -> dict[str, Any]:
        """One entry of "results"."""
        entry: dict[str, Any] = {
            "input": self.input,
            "tokens": self.tokens,
            "unknown": self.unknown,
            "perplexity": _finite(self.perplexity),
            "bits_per_token": _finite(self.bits_per_token),
            "bits_per_character": _finite(self.bits_per_character),
            "characters": self.characters,
            "log_probability": _finite(-self.nats),
            "unknown_words": [{"word": word, "count": count} for word, count in self.unknown_words],
        }
        if self.text is not None:
            entry["text"] = self.text
        if self.words is not None:
            entry["words"] = [{"word": word, "bits": _finite(bits)} for word, bits in self.words]
        return entry


@dataclass(frozen=True)
class Neighbours:
    """Words near to a word, or to where an analogy points, the nearest first; similarities are cosines."""

    input: str
    words: tuple[str, ...]
    similarities: tuple[float, ...]

    def __str__(self) -> str:
        wide = max(map(len, self.words), default=0)
        lines = [f" {word:<{wide}}  {similarity:.3f}" for word, similarity in self.rows()]
        return "\n".join([f" {self.input}", *lines])

    def rows(self) -> list[tuple[str, float]]:
        """(word, similarity), to 4 decimals."""
        return [(word, round(one, 4)) for word, one in zip(self.words, self.similarities, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """One entry of "results"."""
        near = [{"word": word, "similarity": similarity} for word, similarity in self.rows()]
        return {"input": self.input, "query": self.input, "neighbours": near}


def marked(words: Sequence[tuple[str, float]]) -> str:
    """Words with colours for the surprising ones, as a terminal takes them; plain where there is none."""
    made = Text()
    for word, bits in words:
        style = next((style for least, style in _MARKS if bits >= least), "")
        made.append(word, style=style)
        made.append("" if word.endswith("\n") else " ")
    with stdout.capture() as taken:
        stdout.print(made, end="")
    return taken.get()


def _shown(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "infinite"


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
