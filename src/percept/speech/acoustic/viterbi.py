"""Phones of a recording by Viterbi over a loop of phone HMMs: hybrid decoding (Bourlard & Morgan 1994, chapter 7).

Every phone is a chain of states from left to right, and after every phone any other may come, as probable as a bigram
says. Scores are what a network says of the frames, divided by how frequent the classes are. The best path of all is
found, whole or while the sound comes in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from percept.core.kernels import kernel
from percept.speech.acoustic.topology import Span, Topology, phone_chances
from percept.speech.acoustic.trace import Trace

BLOCK = 500  # frames, after which what is settled is given out
PHONE, FIRST = 1, 2  # columns of the trace: the phone that began, and its first frame
OWN, LAST = 0, 1  # its values: sums of the probability of this phone, and of the phone before, until it began


@dataclass(frozen=True, eq=False)
class Loop:
    """Which phones follow each other, and how.

    topology: of a frame head. bigram: (P, P) natural log of how often the second phone follows the first, silence
    (0) standing for beginning and end too: a recording begins and ends in silence, which may last no frame. weight:
    how much the bigram counts. penalty: natural log, added wherever a phone begins that is not silence. lag: seconds
    after which what the best path says is final, even where others still compete; None: never.
    """

    topology: Topology
    bigram: np.ndarray
    weight: float = 1.0
    penalty: float = 0.0
    lag: float | None = 10.0

    def __post_init__(self) -> None:
        if self.bigram.shape != (self.topology.phones,) * 2:
            raise ValueError(f"a bigram {self.bigram.shape} for {self.topology.phones} phones")
        if self.topology.ctc:
            raise ValueError("a loop of phones has the classes of a frame head")

    @property
    def turns(self) -> np.ndarray:
        """(P, P) float64, what it costs that the second phone follows the first."""
        turns = self.weight * self.bigram.astype(np.float64)
        turns[:, 1:] += self.penalty
        return turns


class PhoneLoop:
    """The best path through phones while scores come in.

        loop = PhoneLoop(Loop(Topology(40), bigram))
        for scores in stream:
            spans = loop.feed(scores)
        spans = loop.finish()

    The answers, put together, are those of the whole recording at once, unless ``lag`` had to decide.

    Args:
        hop: seconds that a frame lasts.

    Attributes:
        score: of the best path, natural log.
    """

    def __init__(self, loop: Loop, hop: float = 0.01) -> None:
        self.loop, self.hop = loop, hop
        phones, steps = loop.topology.tables[0].shape
        self.score = 0.0
        self._turns = loop.turns
        self._alive = np.full((phones, steps), -np.inf)  # score of the best path that ends here, less self.score
        self._heads = np.full((phones, steps), -1, np.int32)  # its row of the trace
        self._sums = np.zeros(phones)  # of the probabilities of each phone, over all frames
        self._trace = Trace(3, 2)
        self._frames = 0

    def feed(self, scores: np.ndarray, chances: np.ndarray | None = None) -> list[Span]:
        """The phones that are final now, silence among them, each beginning where the one before ended.

        Args:
            scores: (T, C) natural log of likelihoods, up to a constant for each frame.
            chances: (T, P) probabilities of the phones, which give the confidence: the mean over a phone's frames;
                None: by softmax of the scores.

        Raises:
            ValueError: shapes that do not fit, or a score that is no number.
        """
        topology = self.loop.topology
        scores = topology.checked(scores)
        chances = phone_chances(scores, topology.states) if chances is None else np.require(chances, np.float32, "CW")
        if chances.shape != (len(scores), topology.phones):
            raise ValueError(f"probabilities {chances.shape} of {topology.phones} phones in {len(scores)} frames")
        found: list[Span] = []
        for at in range(0, len(scores), BLOCK):
            block = scores[at : at + BLOCK]
            self._trace.room(len(block) * topology.phones, self._heads.ravel())
            self._trace.count, self.score = _advance(
                block, chances[at : at + BLOCK], *topology.tables, self._turns, self._frames, self.score,
                self._alive, self._heads, self._sums, self._trace.rows, self._trace.values, self._trace.count,
            )  # fmt: skip
            self._heads[np.isneginf(self._alive)] = -1
            self._frames += len(block)
            if self.loop.lag is not None:
                self._decide(self._frames - round(self.loop.lag / self.hop))
            found += _spans(*self._trace.settle(self._heads.ravel()))
        return found

    def finish(self) -> list[Span]:
        """The phones that had not been final before the end; the last may be cut off by it."""
        if not self._frames:
            return []
        ends = self._alive + self._turns[:, :1]
        ends[0] = self._alive[0]  # in silence already
        best = int(np.argmax(ends))
        self.score += float(ends.flat[best])
        rows, values = self._trace.path(int(self._heads.flat[best]))
        last = np.array([[0, -1, self._frames]], np.int32)
        sums = np.array([[0.0, self._sums[rows[-1, PHONE]]]])
        return list(_spans(np.concatenate((rows, last)), np.concatenate((values, sums))))

    def _decide(self, limit: int) -> None:
        """Give up the paths that differ from the best in what began at frame ``limit`` or before."""
        heads = self._heads.ravel()
        best = int(heads[np.argmax(self._alive)])
        away = (heads >= 0) & self._trace.astray(heads, best, FIRST, limit)
        self._alive.ravel()[away] = -np.inf
        heads[away] = -1


def decode(scores: np.ndarray, loop: Loop, chances: np.ndarray | None = None, hop: float = 0.01) -> list[Span]:
    """The phones of a recording, silence among them, from frame 0 to the last. Arguments as in :class:`PhoneLoop`."""
    whole = PhoneLoop(loop, hop)
    return whole.feed(scores, chances) + whole.finish()


def _spans(rows: np.ndarray, values: np.ndarray) -> Iterator[Span]:
    """The phones of all rows but the last, which tells where the one before it ends."""
    for n in range(len(rows) - 1):
        phone, first, end = int(rows[n, PHONE]), int(rows[n, FIRST]), int(rows[n + 1, FIRST])
        if phone >= 0:
            yield Span(phone, first, end, float(values[n + 1, LAST] - values[n, OWN]) / (end - first))


@kernel
def _advance(scores, chances, emits, stay, go, turns, begin, score, alive, heads, sums, rows, values, count):
    """Take in frames, the first of which is the recording's frame ``begin``; gives the trace's count and the score."""
    phones, steps = emits.shape
    enter, source, ends = np.empty(phones), np.empty(phones, np.int64), np.empty(phones, np.int32)
    for t in range(len(scores)):
        enter[:] = -np.inf
        if begin + t == 0:
            enter[:] = turns[0]
            enter[0] = 0.0
            source[:] = 0
            ends[0] = 0
        for p in range(phones):
            left = alive[p, steps - 1] + go[p, steps - 1]
            if left == -np.inf:
                continue
            ends[p] = heads[p, steps - 1]
            for q in range(phones):  # without branches, so that it becomes vectors
                found = left + turns[p, q]
                source[q] = p if found > enter[q] else source[q]
                enter[q] = max(found, enter[q])
        best = -np.inf
        for p in range(phones):
            for k in range(steps - 1, 0, -1):
                stayed, came = alive[p, k] + stay[p, k], alive[p, k - 1] + go[p, k - 1]
                if came > stayed:
                    heads[p, k] = heads[p, k - 1]
                alive[p, k] = max(came, stayed) + scores[t, emits[p, k]]
                best = max(best, alive[p, k])
            stayed = alive[p, 0] + stay[p, 0]
            if enter[p] > stayed:
                heads[p, 0] = count
                rows[count, 0], rows[count, 1], rows[count, 2] = ends[source[p]], p, begin + t
                values[count, 0], values[count, 1] = sums[p], sums[max(rows[rows[count, 0], 1], 0)]
                count += 1
            alive[p, 0] = max(enter[p], stayed) + scores[t, emits[p, 0]]
            best = max(best, alive[p, 0])
        score += best
        for p in range(phones):
            for k in range(steps):
                alive[p, k] -= best
            sums[p] += chances[t, p]
    return count, score
