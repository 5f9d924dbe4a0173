"""Forced alignment: where the words and phones of a transcript are, by Viterbi over a graph of all ways to say it.

The words stand in order, each with its pronunciations, optional silence before, between and after them, and, where that
is asked for, sound that is none of the transcript's. Paths that can no longer reach the end in the frames that are left
are given up at once, so that a beam, however narrow, always ends at the transcript's end; what it saves is time, and
what it costs is that a path far below the best one is not looked at. Without a beam the best path of all is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from percept.core.errors import InputError
from percept.core.kernels import kernel
from percept.speech.acoustic.topology import OTHER, Span, Topology
from percept.speech.acoustic.trace import Trace

BEAM = 1000.0  # natural log
STATE, FIRST = 1, 2  # columns of the trace: the state that was entered, and when
DISTANT = 1 << 30  # frames to an end that cannot be reached

Pronunciations = Sequence[Sequence[int]]  # of a word: each the numbers of its phones


@dataclass(frozen=True)
class Gaps:
    """What may stand before, between and after words.

    silence: natural log, added where a silence begins; None: there are no silences. other: natural log, how much less
    likely a frame of sound that is no part of the transcript is than the best of all classes; None: all sound is part
    of it. entry: natural log, added where such sound begins.
    """

    silence: float | None = 0.0
    other: float | None = None
    entry: float = -10.0


@dataclass(frozen=True)
class Word:
    """A word of the transcript. number: its place there. variant: place of the pronunciation that was said. phones:
    from the word's first frame to its last."""

    number: int
    variant: int
    first: int
    end: int
    phones: tuple[Span, ...]


@dataclass(frozen=True, eq=False)
class Alignment:
    """words: in order. spans: phones, silences and other sound (OTHER), from frame 0 to the last without gaps.
    classes: (T,) int32, the class of the head that stands at each frame, OTHER for other sound. score: natural log."""

    words: tuple[Word, ...]
    spans: tuple[Span, ...]
    classes: np.ndarray
    score: float


@dataclass(frozen=True, eq=False)
class Graph:
    """States in an order in which each comes after all that lead to it.

    emits: (S,) int32 class, OTHER for other sound. stay, go: (S,) float32. item: (S,) int32 which phone, silence or
    other sound a state is a part of. sources: (S + 1,) int32, the ways into state s are from sources[s] up to
    sources[s + 1] in came, (E,) int32, the last state of the item before, and cost, (E,) float32; a state without any
    continues the state before it. start: (S,) float32, what it costs to begin there. left: (S,) int32 frames after this
    one that are needed to reach the end. reach: (S,) int32 the last of the states that may follow. ends: (S,) bool.
    items: (phone, word or -1, variant) of each.
    """

    emits: np.ndarray
    stay: np.ndarray
    go: np.ndarray
    item: np.ndarray
    sources: np.ndarray
    came: np.ndarray
    cost: np.ndarray
    start: np.ndarray
    left: np.ndarray
    reach: np.ndarray
    ends: np.ndarray
    items: tuple[tuple[int, int, int], ...]

    @property
    def shortest(self) -> int:
        """Frames that the shortest way through takes."""
        return int(self.left[np.isfinite(self.start)].min()) + 1


def graph(words: Sequence[Pronunciations], topology: Topology, gaps: Gaps | None = None) -> Graph:
    """The graph of a transcript.

    Args:
        words: the pronunciations of each word, at least one each, of numbers of phones.

    Raises:
        ValueError: a word without pronunciations, an empty pronunciation, a number that is no phone; or neither words
            nor silence; or the topology of a CTC head, for which there is :func:`percept.speech.acoustic.ctc.align`.
    """
    if topology.ctc:
        raise ValueError("the graph of a transcript has the classes of a frame head")
    made = _Making(gaps or Gaps())
    for number, word in enumerate(words):
        made.gap()
        made.word(number, word, topology.phones)
    made.gap()
    if not made.items:
        raise ValueError("neither words nor silence")
    return made.graph(topology)


def align(
    scores: np.ndarray,
    words: Sequence[Pronunciations],
    topology: Topology,
    *,
    gaps: Gaps | None = None,
    change: np.ndarray | None = None,
    beam: float = BEAM,
    hop: float = 0.01,
) -> Alignment:
    """The likeliest way to say a transcript.

    Args:
        scores: (T, C) natural log of likelihoods, up to a constant for each frame.
        words: as for :func:`graph`.
        change: (T,) natural log, what a phone, silence or other sound gains by beginning at a frame; None: nothing.
        beam: paths this much less likely than the best so far are given up, natural log; inf: none are.
        hop: seconds that a frame lasts.

    Raises:
        InputError: the sound is too short for its text.
        ValueError: as :func:`graph`, or scores that do not fit.
    """
    scores = topology.checked(scores)
    gaps = gaps or Gaps()
    made = graph(words, topology, gaps)
    if made.shortest > len(scores):
        count = sum(min(map(len, word)) for word in words)
        seconds, needed = len(scores) * hop, made.shortest * hop
        raise InputError(
            f"{seconds:.2f} s of sound are too short for {count} phones: at least {needed:.2f} s are needed"
        )
    other = scores.max(axis=1) - np.float32(gaps.other or 0)  # (T,) the score of sound that is none of the transcript's
    change = np.zeros(len(scores), np.float32) if change is None else change
    alive, heads = np.full(len(made.emits), -np.inf), np.full(len(made.emits), -1, np.int32)
    trace, state, score = Trace(3, 0), np.array([0, 0, len(made.emits) - 1]), 0.0
    while state[0] < len(scores):
        heads[np.isneginf(alive)] = -1
        trace.room(state[2] - state[1] + 1, heads)
        trace.count, score = _advance(
            scores, other, change, made.emits, made.stay, made.go, made.sources, made.came, made.cost, made.start,
            made.left, made.reach, float(beam), score, alive, heads, state, trace.rows, trace.count,
        )  # fmt: skip
    ends = np.where(made.ends, alive + made.go, -np.inf)
    last = int(np.argmax(ends))
    rows, _ = trace.path(int(heads[last]))
    return _alignment(made, rows[1:, STATE], np.append(rows[1:, FIRST], len(scores)), score + float(ends[last]))


def _alignment(made: Graph, states: np.ndarray, edges: np.ndarray, score: float) -> Alignment:
    """From states (N,) of a path and the frames (N + 1,) between them."""
    classes = np.repeat(made.emits[states], np.diff(edges))  # (N,) -> (T,)
    items = made.item[states]
    begins = np.flatnonzero(np.diff(items, prepend=-1))
    edges = [*edges[begins].tolist(), int(edges[-1])]
    spans, words = [], []
    parts: dict[tuple[int, int], list[Span]] = {}  # of the words, in order
    for n, item in enumerate(items[begins]):
        phone, word, variant = made.items[item]
        spans.append(Span(phone, edges[n], edges[n + 1]))
        if word >= 0:
            parts.setdefault((word, variant), []).append(spans[-1])
    for (word, variant), phones in parts.items():
        words.append(Word(word, variant, phones[0].first, phones[-1].end, tuple(phones)))
    return Alignment(tuple(words), tuple(spans), classes, score)


class _Making:
    """A graph as it grows, by items: phones of words, silences, other sound."""

    def __init__(self, gaps: Gaps) -> None:
        self.gaps = gaps
        self.items: list[tuple[int, int, int]] = []
        self.sources: list[list[tuple[int, float]]] = []  # of each item: the items before it, -1 the beginning; cost
        self.open: list[int] = [-1]  # the items of which one has just ended

    def add(self, item: tuple[int, int, int], sources: list[int], cost: float = 0.0) -> int:
        self.items.append(item)
        self.sources.append([(source, cost) for source in sources])
        return len(self.items) - 1

    def gap(self) -> None:
        """Silence, other sound, and silence again, all of which may be left out."""
        gaps, before = self.gaps, self.open
        if gaps.silence is not None:
            self.open = [*self.open, self.add((0, -1, 0), before, gaps.silence)]
        if gaps.other is not None:
            other = self.add((OTHER, -1, 0), self.open, gaps.entry)
            self.open = [*self.open, other]
            if gaps.silence is not None:
                self.open = [*self.open, self.add((0, -1, 0), [other], gaps.silence)]

    def word(self, number: int, pronunciations: Pronunciations, phones: int) -> None:
        if not pronunciations or not all(pronunciations):
            raise ValueError(f"word {number} has no pronunciation, or one without phones")
        ends = []
        for variant, pronunciation in enumerate(pronunciations):
            before = self.open
            for phone in pronunciation:
                if not 0 <= phone < phones:
                    raise ValueError(f"word {number}: no phone is number {phone}")
                before = [self.add((int(phone), number, variant), before)]
            ends += before
        self.open = ends

    def graph(self, topology: Topology) -> Graph:
        emits, stay, go = topology.tables
        phones = np.array([phone for phone, _, _ in self.items])
        other = phones == OTHER
        steps = np.where(other, 1, topology.steps)
        begins = np.cumsum(steps) - steps  # the first state of each item
        lasts = (begins + steps - 1).tolist()
        item = np.repeat(np.arange(len(phones), dtype=np.int32), steps)  # (S,)
        step = np.arange(len(item)) - begins[item]
        of = (phones[item], step)
        is_other = other[item]
        emits = np.where(is_other, OTHER, emits[of]).astype(np.int32)
        stay, go = (np.where(is_other, np.float32(0), table[of]) for table in (stay, go))
        sources, came, cost = np.zeros(len(item) + 1, np.int64), [], []
        start = np.full(len(item), -np.inf, np.float32)
        for number, before in enumerate(self.sources):
            for source, price in before:
                if source < 0:
                    start[begins[number]] = price
                else:
                    sources[begins[number] + 1] += 1
                    came.append(lasts[source])
                    cost.append(price)
        ends = np.zeros(len(item), bool)
        ends[[lasts[number] for number in self.open if number >= 0]] = True
        sources = np.cumsum(sources).astype(np.int32)
        came, cost = np.array(came, np.int32), np.array(cost, np.float32)
        first = step == 0
        left, reach = _bounds(first, sources, came, ends)
        return Graph(emits, stay, go, item, sources, came, cost, start, left, reach, ends, tuple(self.items))


@kernel
def _bounds(first, sources, came, ends):
    """Of each state: frames that are needed after it to reach an end, and the last state that may follow it."""
    count = len(first)
    left, reach = np.full(count, DISTANT, np.int32), np.arange(count).astype(np.int32)
    for s in range(count - 1, -1, -1):
        if ends[s]:
            left[s] = 0
        if not first[s]:
            left[s - 1] = min(left[s - 1], left[s] + 1)
            reach[s - 1] = max(reach[s - 1], s)
        for way in range(sources[s], sources[s + 1]):
            left[came[way]] = min(left[came[way]], left[s] + 1)
            reach[came[way]] = max(reach[came[way]], s)
    return left, reach


@kernel
def _advance(
    scores,
    other,
    change,
    emits,
    stay,
    go,
    sources,
    came,
    cost,
    start,
    left,
    reach,
    beam,
    score,
    alive,
    heads,
    state,
    rows,
    count,
):
    """Take in frames until the trace is full; gives the trace's count and the score of the best path.

    state: (3,) the next frame, and the first and the last state that may be live after it, all of which are changed.
    """
    frames = len(scores)
    while state[0] < frames and len(rows) - count > state[2] - state[1]:
        t, low, high = state
        most = -np.inf
        for s in range(high, low - 1, -1):  # downwards: all that lead to a state still stand as they were
            found, head = alive[s] + stay[s], heads[s]
            entered = False
            if sources[s] == sources[s + 1]:
                way = alive[s - 1] + go[s - 1] if s > 0 and start[s] == -np.inf else -np.inf
                if way > found:
                    found, head, entered = way, heads[s - 1], True
            for n in range(sources[s], sources[s + 1]):
                way = alive[came[n]] + go[came[n]] + cost[n] + change[t]
                if way > found:
                    found, head, entered = way, heads[came[n]], True
            if t == 0 and start[s] > found:
                found, head, entered = np.float64(start[s]), np.int32(0), True
            if found == -np.inf or left[s] >= frames - t:
                alive[s] = -np.inf
                continue
            if entered:
                rows[count, 0], rows[count, 1], rows[count, 2] = head, s, t
                head = count
                count += 1
            heads[s] = head
            alive[s] = found + (scores[t, emits[s]] if emits[s] >= 0 else other[t])
            most = max(most, alive[s])
        score += most
        first, last, further = high + 1, low, low
        for s in range(low, high + 1):
            alive[s] = alive[s] - most if alive[s] >= most - beam else -np.inf
            if alive[s] > -np.inf:
                first, last = min(first, s), s
                further = max(further, reach[s])
        state[0], state[1], state[2] = t + 1, first, max(last, further)
    return count, score
