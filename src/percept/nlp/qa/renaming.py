"""The same story with other names: what is true of Mary and the milk is true of Bill and the apple.

Names, places, things, kinds and colours of bAbI's English world that mean nothing by themselves are exchanged among
each other, and for spare words that stand for names never seen; the compass is turned and mirrored, left becomes right.
This says more than the training files do, so figures measured with it are told so. Which words mean something by
themselves depends on the kind: in kind 20 a kitchen is where the hungry go.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from percept.nlp.qa.vocab import Vocabulary

KEPT = 0.25  # share of questions that stay as they are

_PEOPLE = (
    "mary john daniel sandra bill fred jeff julie sumit jason yann antoine gertrude winona emily jessica lily bernhard "
    "brian julius greg"
)
_PLACES = "kitchen garden bathroom bedroom hallway office school park cinema"
POOLS: tuple[tuple[str, frozenset[int]], ...] = (  # words that may stand for each other, and the kinds where they may
    (_PEOPLE, frozenset({1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20})),
    (_PLACES, frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 19})),
    ("football milk apple", frozenset({2, 3, 5, 6, 7, 8})),
    ("frog lion swan rhino", frozenset({16})),
    ("green white gray yellow", frozenset({16})),
    ("mouse/mice wolf/wolves cat/cats", frozenset({15})),
    ("pink blue red yellow", frozenset({17})),
    ("rectangle square sphere triangle", frozenset({17})),
    ("chest suitcase container", frozenset({18})),
)
COMPASS = (("north", "east", "south", "west"), ("n", "e", "s", "w"))
MIRRORS = (("left", "right"), ("above", "below"))


class Renaming:
    """Tables of new names, drawn from (seed, epoch, question) alone."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        number = vocabulary.numbers
        self.size = len(vocabulary)
        self.spare = list(range(self.size - vocabulary.spare, self.size))
        self.pools: list[tuple[np.ndarray, frozenset[int]]] = []  # (members, forms of a word) numbers, kinds
        for words, kinds in POOLS:
            members = [[number.get(form, -1) for form in word.split("/")] for word in words.split()]
            known = [forms for forms in members if min(forms) >= 0]
            if len(known) > 1:
                self.pools.append((np.array(known), kinds))
        self.compass = [[number[word] for word in ring] for ring in COMPASS if all(word in number for word in ring)]
        self.mirrors = [tuple(number[word] for word in pair) for pair in MIRRORS if all(w in number for w in pair)]

    def __call__(self, kinds: Sequence[int], questions: Sequence[int], seed: int, epoch: int) -> Tensor:
        """(B, V): what each word of each question's story becomes."""
        tables = np.tile(np.arange(self.size), (len(kinds), 1))
        for table, kind, question in zip(tables, kinds, questions, strict=True):
            rng = np.random.default_rng([seed, epoch, question])
            if rng.random() >= KEPT:
                self._draw(table, kind, rng)
        return torch.from_numpy(tables)

    def _draw(self, table: np.ndarray, kind: int, rng: np.random.Generator) -> None:
        here = [words for words, kinds in self.pools if kind in kinds]
        free = rng.permutation(self.spare).tolist()
        for words in here:
            more = [free.pop() for _ in range(min(len(free), int(rng.integers(3))))] if words.shape[1] == 1 else []
            among = np.concatenate([words, np.array(more, dtype=words.dtype).reshape(-1, 1)]) if more else words
            table[words] = among[rng.permutation(len(among))[: len(words)]]
        if kind in (4, 19):
            turn, mirrored = int(rng.integers(4)), rng.random() < 0.5
            for ring in self.compass:
                to = [ring[(turn - at if mirrored else turn + at) % 4] for at in range(4)]
                table[ring] = to
        if kind == 17:
            for one, other in self.mirrors:
                if rng.random() < 0.5:
                    table[[one, other]] = other, one


def rename(tokens: Tensor, tables: Tensor) -> Tensor:
    """Tokens or answers (B, ...) by the tables (B, V) of new names."""
    flat = tokens.flatten(1)  # (B, n)
    return tables.gather(1, flat).reshape(tokens.shape)
