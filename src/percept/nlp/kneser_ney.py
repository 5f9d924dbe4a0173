"""Interpolated modified Kneser-Ney smoothing (Chen and Goodman 1998; as spelt out by Heafield et al. 2013, section 3).

Counts are those of the text for the highest order and for n-grams that begin with <s>; for others the number of
different words that they follow (Kneser and Ney 1995). From each a discount is taken that depends on whether it is 1,
2 or more, and what is gained that way goes to the order below:

    p(w | h) = max(c(hw) - D(c(hw)), 0) / c(h) + gamma(h) p(w | h'),    gamma(h) = sum of discounts / c(h)

Words alone are mixed with 1/V in the same way. <s> is context only.

n-grams are never spelt out: those of n words are pairs of one of n - 1 words and a word, packed into an integer, sorted
and counted at once for the whole text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from percept.nlp.trie import NEVER, Trie, numbered_from

FALLBACK = (0.5, 1.0, 1.5)  # where a text is too small or too regular to tell, as lmplz --discount_fallback does

Discounts = tuple[float, float, float]  # of counts 1, 2, and 3 or more


@dataclass(frozen=True)
class Level:
    """All n-grams of one length, sorted by their words. Within a level they are numbered from 0."""

    parent: np.ndarray  # (M,) int32: without the last word
    word: np.ndarray  # (M,) int32: the last word
    suffix: np.ndarray  # (M,) int32: without the first word
    count: np.ndarray  # (M,) int32: how often it is in the text
    begins: int  # the first of those that begin with <s>; they are the last


def kneser_ney(
    text: np.ndarray, words: int, order: int, minimum: Sequence[int], unknown: int, warn: Callable[[str], None]
) -> tuple[Trie, np.ndarray]:
    """The model of a text, and how often each of its contexts is there, (K,) float32.

    Args:
        text: (T,) int32, words 0..words-1, and ``words`` for <s>; no n-gram reaches across that. T >= 2.
        words: how many there are to predict.
        order: longest n-gram; where the text has none so long, the model is of a lower order.
        minimum: for each order, how often an n-gram must be in the text to be kept, not falling, the first of them 1.
            Discounts are those of all; what is dropped gives its mass to the order below.
        unknown: the word that stands for unknown ones, or -1.
        warn: told where discounts could not be estimated, and of a lower order.
    """
    counted = count(text, words, order)
    if len(counted) < order:
        warn(f"no sentence is long enough for {order}-grams; the model is of order {len(counted)}")
        order = len(counted)
    kept = [
        level.count >= least if least > 1 else np.ones(len(level.word), bool)
        for level, least in zip(counted, minimum[:order], strict=True)
    ]
    while not kept[-1].any():
        kept.pop()
    starts = np.cumsum([0, 1, *map(np.count_nonzero, kept)])  # the first node of each level
    word, suffix = np.zeros(starts[-1], np.int32), np.zeros(starts[-1], np.int32)
    prob, back = np.zeros(starts[-1], np.float32), np.zeros(starts[-2], np.float32)
    children, seen = np.empty(starts[-2], np.int32), np.empty(starts[-2], np.float32)
    # Of the order below: p(w | h'), whether it is kept, and how often it is in the text; at first for no words at all.
    below, keep, counts = np.array([1 / words]), np.ones(1, bool), np.array([np.count_nonzero(text != words)])
    for n, kept_here in enumerate(kept, 1):
        level = counted.pop(0)
        contexts, nodes = slice(starts[n - 1], starts[n]), slice(starts[n], starts[n + 1])
        here, gamma = _smoothed(level, _adjusted(level, counted[0] if counted else None, n), kept_here, below, n, warn)
        back[contexts] = np.log10(gamma[keep])
        seen[contexts] = counts[keep]
        children[contexts] = np.bincount(level.parent[kept_here], minlength=len(keep))[keep]
        word[nodes] = level.word[kept_here]
        suffix[nodes] = (keep.cumsum(dtype=np.int32) + np.int32(starts[n - 1] - 1))[level.suffix[kept_here]]
        prob[nodes] = np.log10(here[kept_here])
        below, keep, counts = here, kept_here, level.count
    prob[1 + words], back[0] = NEVER, 0
    return Trie(numbered_from(children), word, suffix, prob, back, unknown), seen


def count(text: np.ndarray, words: int, order: int) -> list[Level]:
    """The n-grams of a text (T,) int32, in which ``words`` is <s>: for n = 1 .. order, or until there are no more."""
    every = np.arange(words + 1, dtype=np.int32)
    levels = [Level(0 * every, every, 0 * every, np.bincount(text, minlength=words + 1).astype(np.int32), words)]
    node = text  # of the n-gram that begins at each place; -1 where that would reach across <s>
    for n in range(2, order + 1):
        left, right = node[:-1], node[1:]
        whole = (left >= 0) & (right >= 0) if n > 2 else text[1:] != words
        at = np.flatnonzero(whole).astype(np.int32)  # (P,) places
        if not len(at):
            break
        key = left[at].astype(np.int64)
        key *= words + 1
        key += text[n - 1 :][at]
        by = np.argsort(key)
        key = key[by]
        at = at[by]
        new = np.ones(len(key), bool)
        np.not_equal(key[1:], key[:-1], out=new[1:])
        firsts = np.flatnonzero(new)  # (M,) where each kind begins
        kind = key[firsts]
        del key, by
        node = np.full(len(left), -1, np.int32)
        node[at] = new.cumsum(dtype=np.int32) - 1
        parent, word = (half.astype(np.int32) for half in np.divmod(kind, words + 1))
        levels.append(
            Level(
                parent=parent,
                word=word,
                suffix=right[at[firsts]],
                count=np.diff(firsts, append=len(at)).astype(np.int32),
                begins=int(np.searchsorted(parent, levels[-1].begins)),
            )
        )
    return levels


def discounts(adjusted: np.ndarray, n: int, warn: Callable[[str], None]) -> Discounts:
    """Chen and Goodman's equation 26 for the adjusted counts (M,) of one order n, or FALLBACK with a warning."""
    n1, n2, n3, n4 = (int(np.count_nonzero(adjusted == k)) for k in (1, 2, 3, 4))
    if n1 and n2 and n3:
        y = n1 / (n1 + 2 * n2)
        found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
        if all(0 < amount <= k for k, amount in enumerate(found, 1)):
            return found
    warn(
        f"too little text to tell what to discount {n}-grams by (counts of 1, 2, 3, 4: {n1}, {n2}, {n3}, {n4}); "
        f"{FALLBACK[0]:g}, {FALLBACK[1]:g} and {FALLBACK[2]:g} are taken"
    )
    return FALLBACK


def _smoothed(
    level: Level, adjusted: np.ndarray, kept: np.ndarray, below: np.ndarray, n: int, warn: Callable[[str], None]
) -> tuple[np.ndarray, np.ndarray]:
    """(M,) p(w | h) of n-grams, and gamma(h) of the n-grams below, whose probabilities are ``below``."""
    taken = np.array([0.0, *discounts(adjusted, n, warn)])[np.minimum(adjusted, 3)]  # (M,)
    np.copyto(taken, adjusted, where=~kept)
    total = np.bincount(level.parent, adjusted, len(below))  # c(h)
    gamma = np.ones(len(below))
    np.divide(np.bincount(level.parent, taken, len(below)), total, out=gamma, where=total > 0)
    p = adjusted - taken
    p /= total[level.parent]
    p += gamma[level.parent] * below[level.suffix]
    return p, gamma


def _adjusted(level: Level, above: Level | None, n: int) -> np.ndarray:
    """(M,) int32: the counts that are smoothed."""
    if above is None:
        adjusted = level.count.copy()
    else:
        adjusted = np.bincount(above.suffix, minlength=len(level.word)).astype(np.int32)
        adjusted[level.begins :] = level.count[level.begins :]
    if n == 1:
        adjusted[level.begins :] = 0  # <s> is never predicted
    return adjusted
