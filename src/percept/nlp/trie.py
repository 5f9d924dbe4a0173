"""A back-off n-gram model as a trie in a few flat arrays, and the kernels that walk on it.

A node is an n-gram, and its children are the n-grams that have one more word at the end, sorted by it. Nodes are
numbered level by level, so that the children of a node are neighbours. Node 0 is the empty n-gram, node 1 + w that of
word w alone. V words can be predicted; word V is ``<s>``, which cannot.

A decoder's state is a node: the longest end of the words so far that the model has as a context. Where the state lacks
the next word, its back-off weight is paid and the state becomes its suffix, as in the failure arcs of Aho and Corasick
(1975); p(w | h) is thus what an ARPA file means: listed, or backoff(h) p(w | h').
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from percept.core.kernels import kernel

NEVER = -99.0  # log10 of the probability of <s>, by the custom of ARPA files
IMPOSSIBLE = -100.0  # log10 of that of an unknown word where the model has no <unk>


class Trie(NamedTuple):
    """M nodes, of which the first K may have children: all but those of the highest order.

    Plain arrays and a number, so that numba's kernels take it as it is.
    """

    first: np.ndarray  # (K + 1,) int32: the children of node i are first[i] .. first[i + 1] - 1
    word: np.ndarray  # (M,) int32: the last word
    suffix: np.ndarray  # (M,) int32: the longest node that is a proper end of this one; 0 for single words
    prob: np.ndarray  # (M,) float32: log10 p(last word | the words before it)
    back: np.ndarray  # (K,) float32: log10 of the back-off weight; 0 where there are no children
    unknown: int  # the word that stands for those the model does not know, or -1


@kernel
def child(first, word, node, wanted):
    """The child of a node for a word, or -1."""
    if node == 0:
        return np.int64(1 + wanted)
    low, high = np.int64(first[node]), np.int64(first[node + 1])
    end = high
    while low < high:
        middle = (low + high) >> 1
        if word[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < end and word[low] == wanted else np.int64(-1)


@kernel
def step(trie, state, word):
    """(log10 p(word | state), the next state); word -1 is an unknown one.

    Begin with the state of ``Ngram.start``, after <s>, or 0 without context. What no longer matters to the future is
    dropped from states: hypotheses that end in the same state may be merged.
    """
    if word < 0:
        word = trie.unknown
        if word < 0:
            return IMPOSSIBLE, np.int64(0)
    paid = 0.0
    node = child(trie.first, trie.word, state, word)
    while node < 0:
        paid += trie.back[state]
        state = np.int64(trie.suffix[state])
        node = child(trie.first, trie.word, state, word)
    return paid + trie.prob[node], settled(trie, node)


@kernel
def settled(trie, node):
    """The longest end of a node that can still matter: with children, or with a back-off weight."""
    if node >= len(trie.back):
        node = np.int64(trie.suffix[node])
    while node > 0 and trie.first[node] == trie.first[node + 1] and trie.back[node] == 0:
        node = np.int64(trie.suffix[node])
    return node


@kernel
def follow(trie, state, words, end, begin, scores):
    """log10 p of each of (n,) int32 words after those before it, into (n,) float32 scores; gives the last state.

    After the word ``end`` the state is ``begin``; -2 never ends.
    """
    for t in range(len(words)):
        scores[t], state = step(trie, state, words[t])
        if words[t] == end:
            state = begin
    return state


@kernel
def link(first, word, suffix):
    """Fill in the suffixes, (M,) int32, of a trie that has none yet."""
    suffix[: first[1]] = 0
    for state in range(1, len(first) - 1):
        for node in range(first[state], first[state + 1]):
            shorter = np.int64(suffix[state])
            found = child(first, word, shorter, word[node])
            while found < 0:
                shorter = np.int64(suffix[shorter])
                found = child(first, word, shorter, word[node])
            suffix[node] = found


@kernel
def lower(trie):
    """(M,) float64 log10 p(last word | the context without its first word) of each node; 0 for single words."""
    found = np.zeros(len(trie.word), np.float64)
    for state in range(1, len(trie.back)):
        for node in range(trie.first[state], trie.first[state + 1]):
            found[node] = step(trie, np.int64(trie.suffix[state]), trie.word[node])[0]
    return found


@kernel
def fill(trie):
    """Give nodes whose probability is nan the one that they would have if they were not there."""
    for state in range(1, len(trie.back)):
        for node in range(trie.first[state], trie.first[state + 1]):
            if np.isnan(trie.prob[node]):
                trie.prob[node] = trie.back[state] + step(trie, np.int64(trie.suffix[state]), trie.word[node])[0]


@kernel
def balance(trie, least):
    """Set all back-off weights so that every context's distribution sums to one, shorter contexts first.

    What a context leaves to others, and what those have in store for it, count as ``least`` if they are below it:
    differences of rounded numbers, which may be negative where nothing is left.
    """
    for state in range(1, len(trie.back)):
        left = below = 1.0
        for node in range(trie.first[state], trie.first[state + 1]):
            left -= 10.0 ** trie.prob[node]
            below -= 10.0 ** step(trie, np.int64(trie.suffix[state]), trie.word[node])[0]
        trie.back[state] = np.log10(max(left, least) / max(below, least))


def levels(trie: Trie) -> list[int]:
    """The first node of each level, from the empty n-gram's on, and the number of nodes: order + 2 numbers."""
    starts = [0, 1]
    while starts[-1] < len(trie.word):
        starts.append(int(trie.first[starts[-1]]))
    return starts


def parents(trie: Trie) -> np.ndarray:
    """(M,) int32: the node without the last word; 0 for the empty one too."""
    found = np.zeros(len(trie.word), np.int32)
    found[1:] = np.repeat(np.arange(len(trie.back), dtype=np.int32), np.diff(trie.first))
    return found


def numbered_from(children: np.ndarray) -> np.ndarray:
    """``first``, (K + 1,) int32, from how many children each of K nodes has, (K,) integers."""
    first = np.ones(len(children) + 1, np.int32)
    np.cumsum(children, out=first[1:], dtype=np.int32)
    first[1:] += 1
    return first


def subset(trie: Trie, keep: np.ndarray) -> Trie:
    """The nodes (M,) bool of a trie, numbered anew, with the weights that they had.

    The empty node, all single words and the node without the last word of each one kept must be kept; suffixes need
    not. Levels that became empty are gone.
    """
    states = len(trie.back)
    children = np.bincount(parents(trie)[1:][keep[1:]], minlength=states)[keep[:states]]
    word = trie.word[keep]
    smaller = Trie(
        numbered_from(children), word, np.empty_like(word), trie.prob[keep], trie.back[keep[:states]], trie.unknown
    )
    highest = levels(smaller)[-2]  # the first node that can no longer have children
    smaller = smaller._replace(first=smaller.first[: highest + 1].copy(), back=smaller.back[:highest].copy())
    link(smaller.first, smaller.word, smaller.suffix)
    return smaller
