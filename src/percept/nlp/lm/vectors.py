"""What the vectors of words know of their meaning: neighbours, analogies (Mikolov et al. 2013), judged similarities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from percept.core.errors import UsageError
from percept.nlp.lm.result import Neighbours
from percept.nlp.lm.vocabulary import Vocabulary
from percept.nlp.sentences import END, UNKNOWN

_BLOCK = 256  # questions answered at a time


class Vectors:
    """The table (V, E) of a model, with each row made of length one."""

    def __init__(self, table: np.ndarray, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.no_words = [vocabulary.index[unit] for unit in (END, UNKNOWN) if unit in vocabulary.index]
        self.units = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)

    def nearest(self, word: str, top: int) -> Neighbours:
        """The words with the largest cosines, without itself. Raises UsageError for an unknown word."""
        number = self.vocabulary.number(word)
        return self._best(word, self.units[number], {number}, top)

    def analogy(self, a: str, b: str, c: str, top: int) -> Neighbours:
        """The words nearest to b - a + c, the three left out (3CosAdd): king queen man: queen - king + man."""
        one, two, three = (self.vocabulary.number(word) for word in (a, b, c))
        goal = self.units[two] - self.units[one] + self.units[three]
        return self._best(f"{a} : {b} = {c} : ?", goal / max(np.linalg.norm(goal), 1e-12), {one, two, three}, top)

    def _best(self, query: str, goal: np.ndarray, without: set[int], top: int) -> Neighbours:
        similarities = self.units @ goal  # (V, E) -> (V,)
        left_out = without | set(self.no_words)
        similarities[list(left_out)] = -np.inf
        order = np.argsort(-similarities, kind="stable")[: min(top, len(similarities) - len(left_out))]
        return Neighbours(query, tuple(self.vocabulary.units[i] for i in order), tuple(similarities[order].tolist()))

    def answers(self, questions: Sequence[tuple[str, str, str, str]]) -> tuple[int, int]:
        """(right, covered): questions whose first answer is the fourth word, of those all of whose words are known."""
        index = self.vocabulary.index
        coded = np.array([[index.get(word, -1) for word in one] for one in questions], np.int64).reshape(-1, 4)
        coded = coded[(coded >= 0).all(axis=1)]
        right = 0
        for at in range(0, len(coded), _BLOCK):
            a, b, c, d = coded[at : at + _BLOCK].T
            similarities = (self.units[b] - self.units[a] + self.units[c]) @ self.units.T  # (n, V)
            similarities[:, self.no_words] = -np.inf
            for one in (a, b, c):
                similarities[np.arange(len(one)), one] = -np.inf
            right += int((similarities.argmax(axis=1) == d).sum())
        return right, len(coded)

    def correlation(self, pairs: Sequence[tuple[str, str, float]]) -> tuple[float | None, int]:
        """Spearman's rank correlation of cosines with judgements, how many pairs are known; None for less than 3."""
        index = self.vocabulary.index
        known = [(index[a], index[b], score) for a, b, score in pairs if a in index and b in index]
        if len(known) < 3:
            return None, len(known)
        ours = [float(self.units[a] @ self.units[b]) for a, b, _ in known]
        ranks = [_ranks(np.array(values)) for values in (ours, [score for _, _, score in known])]
        return float(np.corrcoef(*ranks)[0, 1]), len(known)


def read_analogies(path: Path, vocabulary: Vocabulary) -> dict[str, list[tuple[str, str, str, str]]]:
    """section -> questions of four words a line; ``: name`` begins a section. Spelt as the vocabulary spells words.

    Raises:
        UsageError: it cannot be read, or a line is no question.
    """
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    section = "all"
    for number, line in _lines(path):
        if line.startswith(":"):
            section = line[1:].strip()
            continue
        words = line.split()
        if len(words) != 4:
            raise UsageError(f"{path}: line {number}: four words are expected, there are {len(words)}")
        a, b, c, d = (_spelt(word, vocabulary) for word in words)
        found.setdefault(section, []).append((a, b, c, d))
    return found


def read_pairs(path: Path, vocabulary: Vocabulary) -> list[tuple[str, str, float]]:
    """(word, word, judged similarity). Raises UsageError: it cannot be read, or a line is no such row."""
    found = []
    for number, line in _lines(path):
        cells = line.split()
        try:
            first, second, score = cells
            found.append((_spelt(first, vocabulary), _spelt(second, vocabulary), float(score)))
        except ValueError:
            raise UsageError(f"{path}: line {number}: two words and a number are expected") from None
    return found


def _spelt(word: str, vocabulary: Vocabulary) -> str:
    """As it is, else in small letters, if that is how the vocabulary has it."""
    return word if word in vocabulary.index or word.lower() not in vocabulary.index else word.lower()


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(f"{path}: {said}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, line.strip()


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0 on; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    return ((ends - counts + ends - 1) / 2)[inverse]
