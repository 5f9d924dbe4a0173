"""What the search for words works on: its tree, rules and tokens in flat arrays, as its kernels take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from percept.nlp.ngram import Trie

SIDE, TOKENS, ROWS, BEST, STAMP, FULL = range(6)  # of Tokens.counts
TOP, CUT, TOTAL, WIDTH = range(4)  # of Tokens.levels
REMEMBERED = 1 << 16  # answers of the language model: most are asked again in the next frame


class Lexicon(NamedTuple):
    """The tree, see tree.py, with (Q,) int32 ``number`` of each pronunciation's word for the language model, and (N,)
    float32 ``look``, its look-ahead."""

    phone: np.ndarray
    child: np.ndarray
    ends: np.ndarray
    word: np.ndarray
    number: np.ndarray
    look: np.ndarray


class Steps(NamedTuple):
    """(P, K) tables of a topology, and whether it is that of a CTC head."""

    emits: np.ndarray
    stay: np.ndarray
    go: np.ndarray
    ctc: bool


class Rules(NamedTuple):
    """What a path costs, natural logs, and how many are followed.

    weight: of log10 probabilities; 0: the language model is not asked. apart: histories of other words stay apart even
    where they mean the same to the language model. single: one word is said. start, end: the language model's first
    state, and its word for the end.
    """

    beam: float
    most: int
    weight: float
    penalty: float
    silence: float
    single: bool
    apart: bool
    start: int
    end: int


class Tokens(NamedTuple):
    """Two sides of M tokens, this frame's and the next one's.

    node, key, state: (2, M) where in the tree, after which history, and the language model's state after that. top:
    (2, M) best score of the token's K steps. score, link, since: (2, M, K) of each step, the row of the trace of its
    last word, and the frame in which the present word began. slots, stamps: (H,) the hash table of nodes and keys.
    counts, levels: see the names above; scores are less levels[TOTAL].
    """

    node: np.ndarray
    key: np.ndarray
    state: np.ndarray
    top: np.ndarray
    score: np.ndarray
    link: np.ndarray
    since: np.ndarray
    slots: np.ndarray
    stamps: np.ndarray
    counts: np.ndarray
    levels: np.ndarray


class Entering(NamedTuple):
    """Paths that enter a node of the tree in one frame, (M,) each, before the best one to each token is chosen."""

    node: np.ndarray
    key: np.ndarray
    state: np.ndarray
    score: np.ndarray
    link: np.ndarray
    since: np.ndarray


class Ending(NamedTuple):
    """Words that end in one frame, (E,) each, of which the best to each history is kept.

    phone: the last one, of CTC heads where no blank followed; else 0. row: of the trace. slots, stamps: the hash table
    of keys and phones. asked: (R, 3) int32 state and word of what the language model was asked last, and the state that
    it answered; answers: (R,) float32 its log10 probability.
    """

    key: np.ndarray
    phone: np.ndarray
    state: np.ndarray
    score: np.ndarray
    row: np.ndarray
    slots: np.ndarray
    stamps: np.ndarray
    asked: np.ndarray
    answers: np.ndarray


def room(count: int, ends: int, steps: int, beam: float) -> tuple[Tokens, Entering, Ending]:
    """Room for so many tokens, and ends of words in a frame."""

    def table(entries: int) -> tuple[np.ndarray, np.ndarray]:
        size = 1 << (2 * entries).bit_length()
        return np.zeros(size, np.int32), np.zeros(size, np.int64)

    i, j, f = np.int32, np.int64, np.float32
    tokens = Tokens(
        *(np.zeros((2, count), kind) for kind in (i, j, i, f)),
        *(np.zeros((2, count, steps), kind) for kind in (f, i, i)),
        *table(count),
        counts=np.array([0, 0, 1, 0, 0, 0]),
        levels=np.array([0.0, -np.inf, 0.0, beam]),
    )
    entering = Entering(*(np.zeros(count, kind) for kind in (i, j, i, f, i, i)))
    ending = Ending(
        *(np.zeros(ends, kind) for kind in (j, i, i, f, i)),
        *table(ends),
        asked=np.full((REMEMBERED, 3), -2, i),
        answers=np.zeros(REMEMBERED, f),
    )
    return tokens, entering, ending


NO_MODEL = Trie(
    np.zeros(2, np.int32), np.zeros(1, np.int32), np.zeros(1, np.int32), np.zeros(1, np.float32),
    np.zeros(1, np.float32), -1,
)  # fmt: skip
