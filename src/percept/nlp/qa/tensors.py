"""Questions as tensors: every different sentence once, every story as numbers of sentences, batches by index.

A memory holds the newest sentence first, so that the n-th newest stands in the n-th place whatever else is in a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from percept.nlp.qa.data import Asked
from percept.nlp.qa.story import words
from percept.nlp.qa.vocab import NIL, Vocabulary

MOST_SUPPORTS = 12


@dataclass(frozen=True)
class Batch:
    """B questions, or (M, B) of M networks.

    tokens: (..., 1 + S, W) the question, then the sentences before it, the newest first; 0 = nil. answers: (..., P)
    words, nil behind the last. kinds: (...) bAbI's number, 0 if none. supports: (..., N) places in memory, -1 if none.
    index: (...) which questions they are.
    """

    tokens: Tensor
    answers: Tensor
    kinds: Tensor
    supports: Tensor
    index: Tensor

    def to(self, device: torch.device) -> Batch:
        """On another device."""
        moved = (one.to(device) for one in (self.tokens, self.answers, self.kinds, self.supports, self.index))
        return Batch(*moved)


@dataclass(frozen=True)
class Questions:
    """All questions of a set.

    table: (N, W) the words of each different sentence. stream: (F,) the stories, one behind the other, as rows of the
    table. first, seen: (Q,) where a question's story begins in the stream, and how much of it was told. asked: (Q,)
    rows of the table. answers: (Q, P). kinds: (Q,). supports: (Q, N) sentences of the story, -1 behind the last.
    """

    table: Tensor
    stream: Tensor
    first: Tensor
    seen: Tensor
    asked: Tensor
    answers: Tensor
    kinds: Tensor
    supports: Tensor

    def __len__(self) -> int:
        return len(self.seen)

    def batch(self, index: Tensor, most: int = 0) -> Batch:
        """The questions of ``index`` (...), with at most so many sentences each (0 = all)."""
        seen = self.seen[index]
        longest = max(int(seen.max()), 1)
        places = torch.arange(min(longest, most) if most else longest)  # (S,)
        told = places < seen[..., None]  # (..., S)
        at = self.first[index][..., None] + seen[..., None] - 1 - places  # (..., S) the newest first
        facts = torch.where(told, self.stream[at.clamp(min=0)], 0)
        rows = torch.cat([self.asked[index][..., None], facts], dim=-1)  # (..., 1 + S)
        tokens = self.table[rows]  # (..., 1 + S, W)
        tokens = tokens[..., : max(int((tokens != NIL).sum(dim=-1).max()), 1)]
        supports = self.supports[index]  # (..., N)
        supports = torch.where(supports >= 0, seen[..., None] - 1 - supports, -1)
        return Batch(tokens, self.answers[index], self.kinds[index], supports, index)


def encode(asked: Sequence[Asked], vocabulary: Vocabulary, numbers: Sequence[int], parts: int) -> Questions:
    """Questions as tensors. An answer that is no word of the vocabulary becomes -1 (all of it): always wrong.

    numbers: bAbI's number of each kind that ``Asked.kind`` indexes. parts: things that an answer may have.
    """
    rows: dict[tuple[int, ...], int] = {(): 0}
    known: dict[str, int] = {}  # a text is looked up once

    def row(sentence: str, names: dict[str, int]) -> int:
        if sentence in known:
            return known[sentence]
        said = words(sentence)
        found = rows.setdefault(tuple(vocabulary.encode(said, names)), len(rows))
        if all(word in vocabulary.numbers for word in said):  # else it depends on the names of its story
            known[sentence] = found
        return found

    stream: list[int] = []
    named: dict[tuple[int, int], dict[str, int]] = {}  # story -> its unknown names
    starts: dict[tuple[int, int], tuple[int, int]] = {}  # story -> where it begins in the stream, how much is there
    columns: dict[str, list[int]] = {"first": [], "seen": [], "asked": [], "kinds": []}
    answers, supports = [], []
    for one in asked:
        key = (one.kind, one.story)
        names = named.setdefault(key, {})
        first, there = starts.get(key, (len(stream), 0))
        if there and first + there != len(stream) and len(one.sentences) > there:
            first, there = len(stream), 0  # another story came between: begin this one again
        stream += [row(sentence, names) for sentence in one.sentences[there:]]
        starts[key] = (first, max(there, len(one.sentences)))
        columns["first"].append(first)
        columns["seen"].append(len(one.sentences))
        columns["asked"].append(row(one.question.text, names))
        columns["kinds"].append(numbers[one.kind])
        found = vocabulary.answer(one.question.answer, names)
        usable = found is not None and len(found) <= parts
        answers.append([*found, *[NIL] * (parts - len(found))] if usable and found is not None else [-1] * parts)
        few = one.question.supports[:MOST_SUPPORTS]
        supports.append([*few, *[-1] * (MOST_SUPPORTS - len(few))])
    width = max(1, *(len(row) for row in rows))
    table = torch.tensor([[*row, *[NIL] * (width - len(row))] for row in rows])  # (N, W)
    made = {name: torch.tensor(values) for name, values in columns.items()}
    return Questions(
        table, torch.tensor(stream or [0]), answers=torch.tensor(answers), supports=torch.tensor(supports), **made
    )
