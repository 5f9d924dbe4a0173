"""Words of a recording: beam search in a prefix tree with an n-gram language model, for frame heads and CTC heads.

Small vocabularies and command words go the same way. The inner loop is in search.py, the tree in tree.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percept.nlp.ngram import Ngram, Trie
from percept.speech.acoustic import ctc
from percept.speech.acoustic.graph import Gaps, align
from percept.speech.acoustic.search import END, FIRST, SPELT, advance, finals
from percept.speech.acoustic.tokens import (
    BEST,
    CUT,
    NO_MODEL,
    ROWS,
    SIDE,
    TOKENS,
    TOP,
    TOTAL,
    Lexicon,
    Rules,
    Steps,
    room,
)
from percept.speech.acoustic.topology import Span, Topology, phone_chances, with_confidence
from percept.speech.acoustic.trace import Trace
from percept.speech.acoustic.tree import Tree, smeared

BLOCK = 100  # frames, after which what is settled is given out
ROOM = 4  # tokens for which there is room, in those that stay after a frame
ENDS = 2048  # histories that may end in one frame
UNKNOWN = -100.0  # log10 of the probability of a word that the language model has no place for


@dataclass(frozen=True)
class Search:
    """How words are searched.

    All but ``most``, ``lag`` and ``longest`` are natural logs, in the measure of the scores.

    Attributes:
        beam: paths this much less likely than the best one are given up.
        most: tokens that stay after a frame, about; where the beam leaves more, it narrows.
        weight: how much the language model counts; more with a frame head, whose neighbouring frames say the same.
        penalty: added for each word. silence: added for each silence.
        single: exactly one word is said, with silence around it.
        apart: histories that differ in any word stay apart, which :meth:`Words.hypotheses` needs; takes longer.
        lag: seconds after which what the best path says is final, even where others still compete; None: never.
        longest: seconds that a word lasts at most, if any other path is left.
    """

    beam: float = 80.0
    most: int = 2000
    weight: float = 6.0
    penalty: float = 0.0
    silence: float = 0.0
    single: bool = False
    apart: bool = False
    lag: float | None = 15.0
    longest: float = 20.0


@dataclass(frozen=True)
class Word:
    """A word as it was heard: frames ``first`` until just before ``end``.

    pronunciation: numbers of its phones. phones: the same with their frames. confidence: 0..1, the mean probability of
    its phones. score: natural log, what the word and the silence before it added to the path.
    """

    word: str
    pronunciation: tuple[int, ...]
    first: int
    end: int
    phones: tuple[Span, ...]
    confidence: float
    score: float


@dataclass(frozen=True)
class Hypothesis:
    """words: of a whole recording. score: natural log."""

    words: tuple[Word, ...]
    score: float


@dataclass(frozen=True, eq=False)
class Space:
    """All that a search needs besides the sound; made once by :func:`space`, for any number of recordings."""

    tree: Tree
    topology: Topology
    search: Search
    lexicon: Lexicon
    trie: Trie
    rules: Rules


def space(tree: Tree, topology: Topology, model: Ngram | None = None, search: Search | None = None) -> Space:
    """What is searched, laid out for the inner loop.

    Args:
        tree: the words. topology: of the head whose scores will come. model: of the words, where those that it does not
            know share the probability of its <unk>; None: any word may follow any other.
    """
    search = search or Search()
    weight = 0.0 if model is None else float(search.weight * np.log(10))
    numbers = np.full(len(tree.word), -1, np.int32)
    look = np.zeros(len(tree.phone), np.float32)
    trie, start, end = NO_MODEL, 0, -1
    if model is not None and weight:
        known = np.array([model.index.get(word, -1) for word in tree.words], np.int32)  # (V,)
        numbers = known[tree.word]  # (V,) -> (Q,)
        trie = _shared(model.trie, max(1, int((known < 0).sum())))
        unknown = trie.prob[1 + trie.unknown] if trie.unknown >= 0 else UNKNOWN
        alone = np.where(numbers >= 0, trie.prob[1 + numbers], unknown)  # log10 of each word without context
        look = smeared(tree, np.float32(weight) * alone)
        start, end = model.start, model.end
    lexicon = Lexicon(tree.phone, tree.child, tree.ends, tree.word, numbers, look)
    rules = Rules(
        float(search.beam), int(search.most), weight, float(search.penalty), float(search.silence), bool(search.single),
        bool(search.apart), int(start), int(end),
    )  # fmt: skip
    return Space(tree, topology, search, lexicon, trie, rules)


def _shared(trie: Trie, words: int) -> Trie:
    """A copy in which so many words share alike what the model leaves to all that it does not know."""
    first, word, suffix, prob, back = (np.require(part, part.dtype, "CW") for part in trie[:5])
    prob = prob - np.float32(np.log10(words)) * (word == trie.unknown)
    return Trie(first, word, suffix, prob, back, int(trie.unknown))


class Words:
    """The likeliest words while scores come in.

        words = Words(space(tree, Topology(40), model))
        for scores in stream:
            found = words.feed(scores)
        found = words.finish()

    Memory does not grow with the recording; the answers, put together, are those of the whole at once, unless ``lag``
    or ``longest`` had to decide.

    Args:
        hop: seconds that a frame lasts.

    Attributes:
        score: of the best path so far, natural log; after :meth:`finish` that of the answer.
    """

    def __init__(self, space: Space, hop: float = 0.01) -> None:
        self.space, self.hop = space, hop
        self.tree, self.topology, self.search = space.tree, space.topology, space.search
        steps = Steps(*self.topology.tables, self.topology.ctc)
        self._given = space.lexicon, steps, space.trie, space.rules
        self._room = room(ROOM * self.search.most, ENDS, self.topology.steps, self.search.beam)
        self._tokens = self._room[0]
        self._trace = Trace(4, 1)
        self._frames = 0
        self.score = 0.0
        self._scores = np.zeros((0, self.topology.classes), np.float32)  # of frames that words still to come may hold
        self._chances = np.zeros((0, self.topology.phones), np.float32)

    def feed(self, scores: np.ndarray, chances: np.ndarray | None = None) -> list[Word]:
        """The words that are final now.

        Args:
            scores: (T, C) natural log of likelihoods, up to a constant for each frame; of a CTC head, log
                probabilities.
            chances: (T, P) probabilities of the phones, which give the confidence; None: by softmax of the scores.

        Raises:
            ValueError: shapes that do not fit, or a score that is no number.
        """
        scores = self.topology.checked(scores)
        chances = phone_chances(scores, self.topology.states) if chances is None else chances
        if chances.shape != (len(scores), self.topology.phones):
            raise ValueError(f"probabilities {chances.shape} of {self.topology.phones} phones in {len(scores)} frames")
        found: list[Word] = []
        for at in range(0, len(scores), BLOCK):
            block = scores[at : at + BLOCK]
            self._scores = np.concatenate((self._scores, block))
            self._chances = np.concatenate((self._chances, chances[at : at + BLOCK]))
            self._advance(block)
            found += self._settled()
        return found

    def finish(self) -> list[Word]:
        """The words that had not been final before the end.

        Where no word can end at the end, one that has begun is left out.
        """
        found = self._ends(1)
        return list(found[0].words) if found else []

    def hypotheses(self, count: int) -> list[Hypothesis]:
        """The ``count`` likeliest sequences of words, the best first, fewer where fewer were near enough.

        For one short recording, in place of :meth:`finish`, after a search with ``apart``.

        Raises:
            ValueError: the search was another one.
        """
        if not self.search.apart:
            raise ValueError("hypotheses are kept apart by Search(apart=True) only")
        return self._ends(count)

    def _advance(self, block: np.ndarray) -> None:
        """Take in some frames."""
        done = 0
        while done < len(block):
            heads = self._heads()
            self._trace.room(ENDS, heads)
            counts = self._tokens.counts
            counts[ROWS] = self._trace.count
            done += advance(
                block[done:], self._frames + done, *self._given, *self._room, self._trace.rows, self._trace.values
            )
            self._trace.count = int(counts[ROWS])
        self._frames += len(block)
        self.score = float(self._tokens.levels[TOTAL] + self._tokens.levels[TOP])

    def _live(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Views of the tokens of the last frame: node (N,), score, link and since (N, K)."""
        side, count = self._tokens.counts[SIDE], self._tokens.counts[TOKENS]
        return tuple(getattr(self._tokens, name)[side, :count] for name in ("node", "score", "link", "since"))

    def _heads(self) -> np.ndarray:
        """(N K,) the trace's rows of the tokens, a view; -1 of what is dead."""
        _, score, link, _ = self._live()
        score[score.max(axis=1, initial=-np.inf) < self._tokens.levels[CUT]] = -np.inf
        link[np.isneginf(score)] = -1
        return link.reshape(-1)

    def _settled(self) -> list[Word]:
        """The words that all paths share; what was needed for them only is dropped."""
        if self.search.apart or self.search.single:
            return []
        self._decide()
        found = self._words(*self._trace.settle(self._heads()))
        node, score, _, since = self._live()
        waiting = since[(node > 0)[:, None] & (score > -np.inf)]
        earliest = min(
            waiting.min(initial=self._frames), self._trace.rows[1 : self._trace.count, FIRST].min(initial=self._frames)
        )
        first = self._frames - len(self._scores)
        self._scores, self._chances = self._scores[earliest - first :], self._chances[earliest - first :]
        return found

    def _decide(self) -> None:
        """Give up paths that differ from the best in words that ended more than ``lag`` ago, or stay in one word for
        ``longest``."""
        heads = self._heads()
        node, score, link, since = self._live()
        best = link[self._tokens.counts[BEST], score[self._tokens.counts[BEST]].argmax()]
        away = np.isneginf(score)
        if self.search.lag is not None:
            limit = self._frames - round(self.search.lag / self.hop)
            away |= self._trace.astray(heads, best, END, limit).reshape(link.shape)
        old = (node > 0)[:, None] & (since < self._frames - round(self.search.longest / self.hop))
        if not (away | old).all():
            away |= old
        score[away], link[away] = -np.inf, -1
        top = self._tokens.top[self._tokens.counts[SIDE], : len(score)]
        top[:] = score.max(axis=1)
        self._tokens.counts[BEST] = top.argmax()

    def _ends(self, count: int) -> list[Hypothesis]:
        """The best ways to end here; where no word can, the best path without the word that it is in."""
        if not self._frames:
            return []
        heads = self._heads()
        node, score, link, _ = self._live()
        most = len(node) + int((self.tree.ends[node + 1] - self.tree.ends[node]).sum())
        self._trace.room(most, heads)
        self._tokens.counts[ROWS] = self._trace.count
        scores, rows = np.empty(most), np.empty(most, np.int32)
        number = finals(self._frames, *self._given, self._tokens, self._trace.rows, self._trace.values, scores, rows)
        if not number:
            best = self._tokens.counts[BEST]
            scores[0], rows[0], number = self.score, link[best, score[best].argmax()], 1
        found: dict[tuple[int, ...], Hypothesis] = {}
        for n in np.argsort(-scores[:number], kind="stable"):
            path = self._trace.path(int(rows[n]))
            spelling = tuple(self.tree.word[path[0][1:, SPELT]].tolist())
            if spelling not in found:
                found[spelling] = Hypothesis(tuple(self._words(*path)), float(scores[n]))
            if len(found) == count:
                break
        every = list(found.values())
        self.score = every[0].score
        return every

    def _words(self, rows: np.ndarray, values: np.ndarray) -> list[Word]:
        """The words of a path, from the row of the word before them on."""
        found = []
        offset = self._frames - len(self._scores)
        for n in range(1, len(rows)):
            number, first, end = (int(rows[n, column]) for column in (SPELT, FIRST, END))
            sounds = self.tree.sounds[number]
            phones = self._phones(sounds, first - offset, end - offset)
            phones = [Span(one.phone, one.first + first, one.end + first, one.confidence) for one in phones]
            if self.topology.ctc:  # blanks around it are silence as likely as not
                first, end = phones[0].first, phones[-1].end
            lengths = [one.end - one.first for one in phones]
            sure = sum(one.confidence * length for one, length in zip(phones, lengths, strict=True)) / sum(lengths)
            score = float(values[n, 0] - values[n - 1, 0])
            word = self.tree.words[self.tree.word[number]]
            found.append(Word(word, sounds, first, end, tuple(phones), sure, score))
        return found

    def _phones(self, sounds: tuple[int, ...], first: int, end: int) -> list[Span]:
        """The phones of a word that stands in these of the frames that are kept, counted from its own first."""
        scores, chances = self._scores[first:end], self._chances[first:end]
        if self.topology.ctc:
            return with_confidence(ctc.align(scores, sounds), chances)
        if len(sounds) == 1:
            return with_confidence([Span(sounds[0], 0, len(scores))], chances)
        spans = align(scores, [[sounds]], self.topology, gaps=Gaps(silence=None), beam=np.inf).spans
        return with_confidence(spans, chances)


def decode(scores: np.ndarray, space: Space, chances: np.ndarray | None = None, hop: float = 0.01) -> list[Word]:
    """The words of a whole recording. Arguments as in :class:`Words`."""
    words = Words(space, hop)
    return words.feed(scores, chances) + words.finish()
