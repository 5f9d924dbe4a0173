"""``percept data check`` for texts: how much there is of each split, and what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from percept.core.errors import InputError
from percept.core.evaluation import Table, problem_lines
from percept.nlp.lm import corpus


@dataclass(frozen=True)
class CheckReport:
    """What a folder holds. ``counts``: split -> texts, lines, words, different words, words that train has not."""

    folder: Path
    layout: str
    counts: dict[str, dict[str, int]]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """As plain values."""
        return {
            "folder": str(self.folder),
            "layout": self.layout,
            "splits": self.counts,
            "problems": list(self.problems),
        }

    def tables(self) -> list[Table]:
        """A row a split."""
        columns = ("split", "texts", "lines", "words", "different", "not in train")
        rows = tuple((split, *(f"{number:,}" for number in row.values())) for split, row in self.counts.items())
        return [Table(f"{self.folder}  {self.layout}", columns, rows)]

    def lines(self) -> list[str]:
        """What is wrong, a line each."""
        return problem_lines(self.problems)


def look_through(folder: Path) -> CheckReport:
    """Read every text of every split and count words, which stand between blanks."""
    found = corpus.read(folder)
    counts, problems, known = {}, [], None
    for split, texts in found.texts.items():
        words: Counter[str] = Counter()
        lines = 0
        for text in texts:
            try:
                before = lines
                for line in text.lines():
                    lines += 1
                    for piece in line:
                        words.update(piece.split())
                if lines == before:
                    problems.append(f"{text.path}: an empty file")
            except InputError as error:
                problems.append(str(error))
        problems += corpus.notes(texts)
        known = set(words) if known is None else known
        new = sum(count for word, count in words.items() if word not in known)
        counts[split] = {
            "texts": len(texts),
            "lines": lines,
            "words": words.total(),
            "different": len(words),
            "new": new,
        }
    return CheckReport(folder, found.layout, counts, tuple(problems))
