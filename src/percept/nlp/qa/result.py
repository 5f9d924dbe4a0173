"""What question answering answers: the answer, how likely it is, what was looked at, and what makes it doubtful."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from percept.core.files import write_atomic
from percept.nlp.qa import draw

BAR = 10  # characters
SEEN = 0.05  # a sentence that no hop gave more is not shown


@dataclass(frozen=True)
class Answer:
    """One question about one story.

    Attributes:
        input: the story's file, as the person gave it; story: which of the stories in it, from 1.
        question: as it was asked; answer: several things between commas; probability: 0..1, calibrated.
        alternatives: the runners-up with their probabilities.
        sentences: the story before the question; hops: for each hop the weight of each sentence.
        unknown_words: words that training never saw, of the question and of the sentences before it.
        doubts: why the answer may be wrong, a few words each; none if nothing speaks against it.
        forgotten: the oldest sentences, so many of them, were not read.
    """

    input: str
    story: int
    question: str
    answer: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]
    sentences: tuple[str, ...]
    hops: tuple[tuple[float, ...], ...]
    unknown_words: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    forgotten: int = 0

    @property
    def sure(self) -> bool:
        """Whether nothing speaks against the answer."""
        return not self.doubts

    def __str__(self) -> str:
        """What a person reads: the answer first, then the sentences that were looked at with a bar a hop."""
        where = f" {self.input}" + (f", story {self.story}" if self.story > 1 else "")
        also = "   or " + ", ".join(f"{answer} {share:.2f}" for answer, share in self.alternatives if share >= 0.01)
        lines = [where] if self.input else []
        lines.append(f" {self.question}  {self.answer}  {self.probability:.2f}{also if len(also) > 6 else ''}")
        for hop in range(len(self.hops)):
            best = [at for at in range(len(self.sentences)) if self.hops[hop][at] >= SEEN]
            for at in sorted(sorted(best, key=lambda at: -self.hops[hop][at])[:3]):
                share = self.hops[hop][at]
                lines.append(f"  hop {hop + 1}  {_bar(share)} {share:.2f}  {at + 1} {self.sentences[at]}")
        return "\n".join([*lines, *(f"  unsure: {doubt}" for doubt in self.doubts)])

    def rows(self) -> list[tuple[str, str, float]]:
        """(question, answer, probability) to 4 decimals."""
        return [(self.question, self.answer, round(self.probability, 4))]

    def to_json(self) -> dict[str, Any]:
        """One entry of "results"; of each hop the sentences with some weight, the strongest first."""
        hops = []
        for hop in self.hops:
            order = sorted(range(len(hop)), key=lambda at: -hop[at])
            hops.append(
                [
                    {"sentence": self.sentences[at], "number": at + 1, "weight": round(hop[at], 4)}
                    for at in order[:10]
                    if round(hop[at], 4) > 0
                ]
            )
        return {
            "input": self.input,
            "story": self.story,
            "question": self.question,
            "answer": self.answer,
            "probability": round(self.probability, 4),
            "alternatives": [{"answer": answer, "probability": round(share, 4)} for answer, share in self.alternatives],
            "hops": hops,
            "unknown_words": list(self.unknown_words),
            "sure": self.sure,
            "doubts": list(self.doubts),
            "forgotten": self.forgotten,
        }

    def save(self, path: Path) -> None:
        """Write where it was looked: a page for ``.html``, else a picture."""
        about = (self.sentences, self.question, self.answer, self.probability, self.hops)
        if path.suffix == ".html":
            write_atomic(path, draw.document([draw.section(*about)]))
        else:
            draw.picture(path, *about)


def _bar(share: float) -> str:
    full = round(min(1.0, share) * BAR)
    return "█" * full + "·" * (BAR - full)
