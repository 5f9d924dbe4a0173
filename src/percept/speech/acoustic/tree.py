"""The words that may be said as a prefix tree of their phones, in a few flat arrays (Ney et al. 1992).

Words that begin alike share nodes, so that far fewer hypotheses are looked at than words. Nodes are numbered level by
level, and so that the children of a node are neighbours. Node 0, the root, is where words begin; its own phone is
silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from percept.speech.phones import PHONES


@dataclass(frozen=True, eq=False)
class Tree:
    """N nodes, V words with Q pronunciations.

    phone: (N,) int32 of each node, 0 of the root. child: (N + 1,) int32, the children of node i are
    child[i] .. child[i + 1] - 1. ends: (N + 1,) int32, the pronunciations that end at node i are ends[i] ..
    ends[i + 1] - 1. word: (Q,) int32 the word of each. sounds: numbers of the phones of each. words: their spelling.
    levels: the first node of each level, and N.
    """

    phone: np.ndarray
    child: np.ndarray
    ends: np.ndarray
    word: np.ndarray
    sounds: tuple[tuple[int, ...], ...]
    words: tuple[str, ...]
    levels: tuple[int, ...]


def build(entries: Iterable[tuple[str, Iterable[Sequence[str]]]], alphabet: Sequence[str] = PHONES) -> Tree:
    """The tree of words with their pronunciations, of which equal ones count once.

    Args:
        entries: each word with the phones of its pronunciations.
        alphabet: the phones; the first is number 1.

    Raises:
        ValueError: no words, a word without pronunciation, a pronunciation without phones, or a phone that is none.
    """
    numbers = {phone: number for number, phone in enumerate(alphabet, 1)}
    words, word, sounds = [], [], []
    try:
        for spelling, pronunciations in entries:
            found = dict.fromkeys(tuple([numbers[phone] for phone in phones]) for phones in pronunciations)
            if not found or () in found:
                raise ValueError(f'"{spelling}" has no pronunciation, or one without phones')
            word += [len(words)] * len(found)
            words.append(spelling)
            sounds += found
    except KeyError as error:
        raise ValueError(f'"{spelling}": no phone is called {error}') from None
    if not words:
        raise ValueError("no words")
    lengths = np.fromiter(map(len, sounds), np.int64, len(sounds))  # (Q,)
    deepest = int(lengths.max())
    table = np.zeros((len(sounds), deepest), np.uint8)  # (Q, L), 0 behind the last phone
    table[np.arange(deepest) < lengths[:, None]] = np.fromiter(chain.from_iterable(sounds), np.uint8, lengths.sum())
    order = np.argsort(table.view(f"S{deepest}").ravel(), kind="stable")  # as texts: (Q, L) bytes -> (Q,)
    table, lengths = table[order], lengths[order]
    unlike = table[1:] != table[:-1]
    shared = np.where(unlike.any(axis=1), unlike.argmax(axis=1), deepest)  # phones that begin a row like the one before
    shared = np.concatenate(([-1], shared))  # (Q,)
    phone, parent, levels = [np.zeros(1, np.int32)], [np.zeros(1, np.int64)], [0, 1]
    here = np.zeros(len(sounds), np.int64)  # the node of each row at this level
    last = np.zeros(len(sounds), np.int64)  # the node at which each row ends
    for depth in range(deepest):
        new = (lengths > depth) & (shared <= depth)
        above, here = here, levels[-1] + np.cumsum(new) - 1
        phone.append(table[new, depth].astype(np.int32))
        parent.append(above[new])
        levels.append(levels[-1] + int(np.count_nonzero(new)))
        last = np.where(lengths == depth + 1, here, last)
    nodes = levels[-1]
    by_node = np.argsort(last, kind="stable")
    order = order[by_node].tolist()
    return Tree(
        phone=np.concatenate(phone),
        child=_edges(np.concatenate(parent[1:]), nodes) + 1,
        ends=_edges(last, nodes),
        word=np.array(word, np.int32)[order],
        sounds=tuple([sounds[number] for number in order]),
        words=tuple(words),
        levels=tuple(levels),
    )


def smeared(tree: Tree, values: np.ndarray) -> np.ndarray:
    """(N,) float32: of each node the largest of ``values`` (Q,) of the pronunciations at and below it; 0 of the root.

    The look-ahead of a language model (Steinbiss et al. 1994): what a word will cost at least is paid as soon as the
    node leads to no better one.
    """
    found = np.full(len(tree.phone), -np.inf, np.float32)
    at = np.repeat(np.arange(len(tree.phone)), np.diff(tree.ends))  # (Q,) the node of each pronunciation
    np.maximum.at(found, at, values.astype(np.float32))
    parent = np.repeat(np.arange(len(tree.phone)), np.diff(tree.child))  # (N - 1,) of all nodes but the root
    for first, end in reversed(list(zip(tree.levels[1:-1], tree.levels[2:], strict=True))):
        np.maximum.at(found, parent[first - 1 : end - 1], found[first:end])
    found[0] = 0
    return found


def _edges(owners: np.ndarray, nodes: int) -> np.ndarray:
    """(N + 1,) int32: where the things of each node begin, when they are sorted by their owners."""
    edges = np.zeros(nodes + 1, np.int32)
    np.cumsum(np.bincount(owners, minlength=nodes), out=edges[1:])
    return edges
