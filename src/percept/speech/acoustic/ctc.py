"""Phones from a CTC head (Graves et al. 2006): the likeliest label of each step, prefix beam search, and alignment.

Log probabilities are (T, 1 + P), the blank first, as the network gives them; phones are numbers from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from percept.core.errors import InputError
from percept.core.kernels import kernel
from percept.nlp.ngram import Ngram, step
from percept.speech.acoustic.topology import IMPOSSIBLE, Span

BLANK = 0


@dataclass(frozen=True, eq=False)
class Grammar:
    """Which phones follow each other, as a table of states: for an n-gram, the last n - 1 phones.

    scores: (N, 1 + P) float32 natural log of each phone after each state, and of the end in column 0. goto: (N, 1 + P)
    int32, the state after it. start: the state at the beginning.
    """

    scores: np.ndarray
    goto: np.ndarray
    start: int = 0


@dataclass(frozen=True)
class Hypothesis:
    """phones: numbers, in order. score: natural log of its probability, with what the grammar adds."""

    phones: tuple[int, ...]
    score: float


def bigram(table: np.ndarray) -> Grammar:
    """The grammar of a bigram: (1 + P, 1 + P) natural log of how often the second phone follows the first, 0 standing
    for beginning and end."""
    goto = np.broadcast_to(np.arange(len(table), dtype=np.int32), table.shape)
    return Grammar(np.ascontiguousarray(table, np.float32), goto.copy())


def of_ngram(model: Ngram, alphabet: Sequence[str]) -> Grammar:
    """The grammar of a language model of phones, whose words they are; the first is number 1.

    Raises:
        ValueError: a phone that the model does not know.
    """
    for phone in alphabet:
        if phone not in model.index:
            raise ValueError(f'the language model has no phone "{phone}"')
    words = np.array([model.end, *(model.index[phone] for phone in alphabet)], np.int32)
    scores, goto = _walked(model.trie, model.start, words)
    return Grammar(scores, goto)


def greedy(chances: np.ndarray) -> list[int]:
    """The phones of the likeliest labels: repeated ones are one, blanks are none (Graves et al. 2006, section 3.2)."""
    return [span.phone for span in greedy_spans(chances)]


def greedy_spans(chances: np.ndarray) -> list[Span]:
    """The same with the steps of each phone, and the mean of its probability over them."""
    return _runs(chances.argmax(axis=1), chances) if len(chances) else []


def beam(
    chances: np.ndarray,
    width: int = 32,
    grammar: Grammar | None = None,
    weight: float = 1.0,
    bonus: float = 0.0,
    count: int = 1,
) -> list[Hypothesis]:
    """The likeliest phones, each the sum over all its alignments (Graves et al. 2006; Hannun et al. 2014, algorithm 1).

    Takes memory in proportion to T times ``width``, 8 bytes each.

    Args:
        chances: (T, 1 + P) natural log of probabilities.
        width: how many beginnings are kept at each step.
        grammar: what else is known of which phones follow; ``weight`` is how much it counts.
        bonus: natural log, added for each phone.
        count: how many hypotheses are answered, at most, the best first.

    Raises:
        ValueError: shapes that do not fit, or nothing to keep.
    """
    labels = chances.shape[1]
    if grammar is None:
        grammar = Grammar(np.zeros((1, labels), np.float32), np.zeros((1, labels), np.int32))
    if grammar.scores.shape[1] != labels:
        raise ValueError(f"a grammar of {grammar.scores.shape[1]} labels for {labels}")
    if width < 1 or count < 1:
        raise ValueError(f"width {width}, count {count}")
    adds = (grammar.scores * weight + bonus).astype(np.float32)
    adds[:, 0] -= np.float32(bonus)
    chances = np.maximum(chances, np.float32(IMPOSSIBLE), dtype=np.float32)
    tree = np.zeros((1 + len(chances) * width, 2), np.int32)  # the prefix without its last phone, and that phone
    nodes, scores = _prefixes(np.require(chances, np.float32, "CW"), adds, grammar.goto, grammar.start, width, tree)
    best = np.argsort(-scores, kind="stable")[:count]
    return [Hypothesis(_spelt(tree, int(nodes[n])), float(scores[n])) for n in best]


def align(chances: np.ndarray, phones: Sequence[int], hop: float = 0.02) -> list[Span]:
    """Where phones stand on their likeliest path, in steps, with the mean of their probability there.

    A CTC head says a phone in one or two steps and blanks for the rest: where it stands, not how long it lasts. Takes
    memory in proportion to T times the number of phones, 2 bytes each: for recordings of minutes, not of hours.

    Args:
        chances: (T, 1 + P) natural log of probabilities. phones: numbers from 1. hop: seconds that a step lasts.

    Raises:
        InputError: the sound is too short for its phones, of which equal neighbours need a step between them.
        ValueError: a number that is no phone.
    """
    if not len(phones):
        return []
    if min(phones) < 1 or max(phones) >= chances.shape[1]:
        raise ValueError(f"phones {min(phones)} to {max(phones)} of {chances.shape[1] - 1}")
    needed = len(phones) + sum(one == other for one, other in zip(phones, phones[1:], strict=False))
    if needed > len(chances):
        seconds, count = len(chances) * hop, len(phones)
        raise InputError(
            f"{seconds:.2f} s of sound are too short for {count} phones: at least {needed * hop:.2f} s are needed"
        )
    import torch
    from torchaudio.functional import forced_align

    targets = torch.tensor([list(phones)], dtype=torch.int32)  # (1, L)
    path, _ = forced_align(torch.from_numpy(np.ascontiguousarray(chances, np.float32))[None], targets, blank=BLANK)
    return _runs(path[0].numpy(), chances)  # (1, T) -> (T,)


def _runs(labels: np.ndarray, chances: np.ndarray) -> list[Span]:
    """The runs of labels (T,) that are no blanks."""
    edges = np.flatnonzero(np.diff(labels, prepend=-1, append=-1))
    steps = np.exp(chances[np.arange(len(labels)), labels].astype(np.float64))
    return [
        Span(int(labels[first]), int(first), int(end), float(steps[first:end].mean()))
        for first, end in zip(edges[:-1], edges[1:], strict=True)
        if labels[first] != BLANK
    ]


def _spelt(tree: np.ndarray, node: int) -> tuple[int, ...]:
    phones = []
    while node > 0:
        phones.append(int(tree[node, 1]))
        node = int(tree[node, 0])
    return tuple(phones[::-1])


@kernel
def _prefixes(chances, adds, goto, start, width, tree):
    """Nodes of the prefixes that are left after the last step, and their scores.

    Of each prefix: its node; marks of it and of the prefix without its last phone, by which equal ones are recognised
    even where one was given up and found again; its last phone; the probability of all alignments that end in a blank,
    and in that phone; what the grammar adds, and its state.
    """
    labels = chances.shape[1]
    node, mark, before = np.zeros(width, np.int32), np.zeros(width, np.uint64), np.zeros(width, np.uint64)
    last, state = np.zeros(width, np.int32), np.full(width, start, np.int32)
    blank, label, added = np.full(width, -np.inf), np.full(width, -np.inf), np.zeros(width)
    blank[0], mark[0] = 0.0, 1
    count, nodes = 1, 1
    found_blank, found_label = np.empty((width, labels)), np.empty((width, labels))
    total = np.empty(width * labels)
    for t in range(len(chances)):
        found_blank[:], found_label[:] = -np.inf, -np.inf
        for n in range(count):  # column 0: the prefix as it is; others: one more phone
            either = _sum(blank[n], label[n])
            found_blank[n, 0] = either + chances[t, 0]
            found_label[n, 0] = _sum(found_label[n, 0], label[n] + chances[t, last[n]] if last[n] else -np.inf)
            for c in range(1, labels):
                found_label[n, c] = (blank[n] if c == last[n] else either) + chances[t, c]
            for other in range(count):  # a prefix that is one phone longer, and alive itself
                if before[other] == mark[n] and last[other]:
                    found_label[other, 0] = _sum(found_label[other, 0], found_label[n, last[other]])
                    found_label[n, last[other]] = -np.inf
        for n in range(count):
            for c in range(labels):
                grown = added[n] + adds[state[n], c] if c else added[n]
                total[n * labels + c] = _sum(found_blank[n, c], found_label[n, c]) + grown
        best = np.argsort(-total[: count * labels], kind="mergesort")
        kept = 0
        new = (
            node.copy(),
            mark.copy(),
            before.copy(),
            last.copy(),
            state.copy(),
            blank.copy(),
            label.copy(),
            added.copy(),
        )
        for place in best[:width]:
            if total[place] == -np.inf:
                break
            n, c = place // labels, place % labels
            new[5][kept], new[6][kept] = found_blank[n, c], found_label[n, c]
            if c == 0:
                new[0][kept], new[1][kept], new[2][kept] = node[n], mark[n], before[n]
                new[3][kept], new[4][kept], new[7][kept] = last[n], state[n], added[n]
            else:
                tree[nodes, 0], tree[nodes, 1] = node[n], c
                new[0][kept], new[2][kept], new[3][kept] = nodes, mark[n], c
                new[1][kept] = mark[n] * np.uint64(6364136223846793005) + np.uint64(c)
                new[4][kept], new[7][kept] = goto[state[n], c], added[n] + adds[state[n], c]
                nodes += 1
            kept += 1
        node, mark, before, last, state, blank, label, added = new
        count = kept
    scores = np.empty(count)
    for n in range(count):
        scores[n] = _sum(blank[n], label[n]) + added[n] + adds[state[n], 0]
    return node[:count], scores


@kernel
def _walked(trie, start, words):
    """All states that words lead to, from ``start`` on, which is number 0, with what each word costs there and where it
    leads."""
    count = len(trie.back)
    number, states = np.full(count, -1, np.int32), np.zeros(count, np.int64)
    scores, goto = np.empty((count, len(words)), np.float32), np.zeros((count, len(words)), np.int32)
    number[start], states[0], found = 0, start, 1
    at = 0
    while at < found:
        for n in range(len(words)):
            chance, following = step(trie, states[at], words[n])
            scores[at, n] = chance * np.log(10.0)
            if n:  # nothing follows the end
                if number[following] < 0:
                    number[following], states[found] = found, following
                    found += 1
                goto[at, n] = number[following]
        at += 1
    return scores[:found].copy(), goto[:found].copy()


@kernel
def _sum(one, other):
    """log(exp(one) + exp(other))."""
    if one < other:
        one, other = other, one
    return one if other == -np.inf else one + np.log1p(np.exp(other - one))
