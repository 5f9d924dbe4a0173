"""A back-off n-gram model in use: scores, perplexity, and what may come next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from percept.core.errors import UsageError
from percept.nlp import packing, pruning
from percept.nlp.sentences import END, LINE_END, Known, numbered
from percept.nlp.trie import Trie, follow, levels, settled

_NO_END = -2  # a word that never comes


@dataclass(frozen=True)
class Perplexity:
    """How well a model predicts a text. Every word counts, and one end for each sentence; add texts with ``+``.

    tokens: words and ends.
    sentences: ends.
    unknown: words that the model does not know. Where it has <unk>, they count as that, not spelt out; else they are
        impossible. A word spelt <unk> in the text is known if the model has it.
    log10: of the probability of all tokens; -inf if one is impossible.
    log10_known: of the probability of all tokens but the unknown ones.
    """

    tokens: int = 0
    sentences: int = 0
    unknown: int = 0
    log10: float = 0.0
    log10_known: float = 0.0

    def __add__(self, other: Perplexity) -> Perplexity:
        return Perplexity(
            self.tokens + other.tokens,
            self.sentences + other.sentences,
            self.unknown + other.unknown,
            self.log10 + other.log10,
            self.log10_known + other.log10_known,
        )

    @property
    def perplexity(self) -> float:
        """Of all tokens. nan without any."""
        return _power(self.log10, self.tokens)

    @property
    def perplexity_known(self) -> float:
        """Of all tokens but the unknown ones, which are context all the same. nan without any."""
        return _power(self.log10_known, self.tokens - self.unknown)

    @property
    def bits_per_token(self) -> float:
        """log2 of the perplexity of all tokens."""
        return -self.log10 / math.log10(2) / self.tokens if self.tokens else math.nan


def _power(log10: float, tokens: int) -> float:
    return 10 ** (-log10 / tokens) if tokens else math.nan


@dataclass(frozen=True, eq=False)
class Ngram:
    """words: the V that can be predicted, </s> among them, and <unk> if there is a probability for unknown ones.

    The number of a word is its place there; -1 stands for any other. ``trie`` is what kernels want: see trie.py.
    ``seen`` tells how often each context was in the text that the model was estimated from; pruning asks for it.
    """

    words: tuple[str, ...]
    trie: Trie
    seen: np.ndarray | None = None  # (K,) float32

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The number of each word."""
        return {word: number for number, word in enumerate(self.words)}

    @property
    def end(self) -> int:
        """The number of </s>."""
        return self.index[END]

    @property
    def order(self) -> int:
        """How many words the longest n-grams have."""
        return len(levels(self.trie)) - 2

    @property
    def counts(self) -> tuple[int, ...]:
        """How many n-grams there are of 1, 2, ... words; <s> is among those of one."""
        starts = levels(self.trie)
        return tuple(end - start for start, end in zip(starts[1:-1], starts[2:], strict=True))

    @cached_property
    def start(self) -> int:
        """The state in which a sentence begins: after <s>."""
        return int(settled(self.trie, 1 + len(self.words)))

    @cached_property
    def stream(self) -> bool:
        """Whether context reaches across the ends of sentences: whether any n-gram goes on after </s>."""
        node = 1 + self.end
        return node < len(self.trie.back) and bool(self.trie.first[node] < self.trie.first[node + 1])

    def state(self, context: Sequence[str], begin: bool = True) -> int:
        """The state after words of one text; ``begin``: they are its first ones. </s> among them begins a sentence."""
        numbers = np.array([self.index.get(word, -1) for word in context], np.int32)
        return self.follow(self.start if begin else 0, numbers)[0]

    def score(self, words: Sequence[str], begin: bool = True, end: bool = True) -> list[float]:
        """log10 p of each word of a sentence, and of </s> after them if ``end``.

        Args:
            begin: the sentence begins here; else nothing is known of what was before.
        """
        numbers = np.array([self.index.get(word, -1) for word in (*words, *((END,) if end else ()))], np.int32)
        return self.follow(self.start if begin else 0, numbers)[1].tolist()

    def follow(self, state: int, numbers: np.ndarray) -> tuple[int, np.ndarray]:
        """The state after words given by number, (n,) int32, and log10 p of each, (n,) float32.

        After </s> a new sentence begins, unless the model is of a stream.
        """
        scores = np.empty(len(numbers), np.float32)
        numbers = np.require(numbers, np.int32, "CW")  # numba would compile everything anew for arrays of other kinds
        ends = _NO_END if self.stream else self.end
        return int(follow(self.trie, state, numbers, ends, self.start, scores)), scores

    def perplexity(self, sentences: Iterable[Iterable[str]]) -> Perplexity:
        """Of a text, read block by block.

        Raises:
            InputError: <s> or </s> is written out within a sentence; and what reading the sentences raises.
        """
        state, total = self.start, Perplexity()
        index = Known(self.index)
        for numbers in numbered(sentences, index):
            state, scores = self.follow(state, numbers)
            unknown = numbers == -1
            every, of_unknown = scores.sum(dtype=np.float64), scores[unknown].sum(dtype=np.float64)
            impossible = self.trie.unknown < 0 and unknown.any()
            total += Perplexity(
                tokens=len(numbers),
                sentences=int(np.count_nonzero(numbers == index[LINE_END])),
                unknown=int(np.count_nonzero(unknown)),
                log10=-math.inf if impossible else float(every),
                log10_known=float(every - of_unknown),
            )
        return total

    def distribution(self, context: Sequence[str], begin: bool = True) -> np.ndarray:
        """(V,) float64: p(word | context) of each word, summing to one. Arguments as :meth:`state`."""
        return self.distribution_at(self.state(context, begin))

    def distribution_at(self, state: int) -> np.ndarray:
        """(V,) float64: p(word | state) of each word, summing to one."""
        first, word, suffix, prob, back, _ = self.trie
        found = self._alone.copy()
        longer = []
        while state:
            longer.append(state)
            state = int(suffix[state])
        for node in reversed(longer):
            found *= 10.0 ** float(back[node])
            start, end = int(first[node]), int(first[node + 1])
            end -= end > start and word[end - 1] == len(self.words)  # foreign files may predict <s>
            found[word[start:end]] = 10.0 ** prob[start:end].astype(np.float64)
        return found

    @cached_property
    def _alone(self) -> np.ndarray:
        return 10.0 ** self.trie.prob[1 : 1 + len(self.words)].astype(np.float64)  # (V,)

    def pruned(self, threshold: float) -> Ngram:
        """Without the n-grams whose loss raises the model's own perplexity by less than this share (Stolcke 1998).

        Every context's distribution sums to one as before. Single words stay.

        Raises:
            UsageError: the threshold is below 0.
        """
        if not threshold >= 0:
            raise UsageError(f"a threshold of {threshold:g} for pruning: 0 or more is expected, such as 1e-8")
        return Ngram(self.words, *pruning.pruned(self.trie, self.seen, self.end, threshold))

    def arrays(self, bits: int = 32) -> dict[str, np.ndarray]:
        """The model as small arrays for a file of weights; see :func:`percept.nlp.packing.packed`."""
        return packing.packed(self.words, self.trie, bits)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Ngram:
        """The model that :meth:`arrays` gave. Raises UsageError if they are not such arrays."""
        return cls(*packing.unpacked(arrays))
