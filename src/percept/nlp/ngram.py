"""n-gram language models: estimated from text, read from ARPA files, and walked by decoders.

    model = estimate(read_sentences(file), order=5)
    model.perplexity(read_sentences(other)).perplexity

This is what others import; the method itself is in kneser_ney.py, trie.py, pruning.py and arpa.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from percept.core.errors import UsageError
from percept.nlp.arpa import read_arpa, write_arpa
from percept.nlp.backoff import Ngram, Perplexity
from percept.nlp.kneser_ney import kneser_ney
from percept.nlp.sentences import BEGIN, END, UNKNOWN, Growing, numbered, opened, read_sentences
from percept.nlp.trie import Trie, step


def _silent(message: str) -> None:
    """Nobody is to be warned."""


def estimate(
    sentences: Iterable[Iterable[str]],
    order: int = 5,
    *,
    vocabulary: int | Sequence[str] | None = None,
    unknown: bool = True,
    minimum: Sequence[int] = (1,),
    stream: bool = False,
    warn: Callable[[str], None] = _silent,
) -> Ngram:
    """An n-gram model by interpolated modified Kneser-Ney smoothing; see :mod:`percept.nlp.kneser_ney`.

    Args:
        sentences: words; each sentence is read once, before the next is asked for. </s> is predicted after each, also
            after one without words.
        vocabulary: None for all words of the text, the most frequent first; how many of these to keep, </s> and <unk>
            not among them; or the words themselves, whose order is kept: </s> and, if ``unknown``, <unk> are put
            behind them where missing. All other words of the text become <unk>.
        unknown: whether words that the model does not know have a probability, as <unk>. Where the text has <unk> as
            a word, it makes no difference.
        minimum: how often n-grams of 1, 2, ... words must be in the text to be kept; the last number holds for all
            longer ones too. The first is 1: for words there is ``vocabulary``.
        stream: the sentences are one text: context reaches back across </s>, and only the first follows <s>.
        warn: told in one line what could not be done as asked: discounts estimated, so high an order reached.

    Raises:
        UsageError: there are no words, an option is wrong, or a word is not in the vocabulary and <unk> neither.
        InputError: <s> or </s> is written out within a sentence; and what reading the sentences raises.
    """
    if order < 1:
        raise UsageError(f"n-grams of {order} words: 1 or more are expected")
    if len(minimum) == 0 or minimum[0] != 1 or any(a > b for a, b in zip(minimum, minimum[1:], strict=False)):
        raise UsageError(
            f"least counts {', '.join(map(str, minimum))}: the first must be 1, and none below the one before"
        )
    growing = Growing()
    text = np.concatenate([np.zeros(0, np.int32), *numbered(sentences, growing)])  # (T,)
    found = growing.words()
    del growing
    if len(found) == 1:
        raise UsageError("there are no words to learn from")
    words, number = _vocabulary(found, np.bincount(text, minlength=len(found)), vocabulary, unknown)
    text = _laid_out(number[text], words.index(END), len(words), stream)
    least = [*minimum, *[minimum[-1]] * order][:order]
    unknown_word = words.index(UNKNOWN) if UNKNOWN in words else -1
    return Ngram(tuple(words), *kneser_ney(text, len(words), order, least, unknown_word, warn))


def _vocabulary(
    found: list[str], counts: np.ndarray, wanted: int | Sequence[str] | None, unknown: bool
) -> tuple[list[str], np.ndarray]:
    """The words of a model, and the number there of each word of the text, int32."""
    if wanted is None or isinstance(wanted, int):
        words = [found[at] for at in np.argsort(-counts, kind="stable")]
        if wanted is not None:
            if wanted < 1:
                raise UsageError(f"a vocabulary of {wanted} words: 1 or more are expected")
            own = [word for word in words if word not in (END, UNKNOWN)]
            left_out = set(own[wanted:])
            unknown = unknown or bool(left_out)
            words = [word for word in words if word not in left_out]
    else:
        words = list(wanted)
        if BEGIN in words or len(set(words)) < len(words):
            raise UsageError(f"a vocabulary with {BEGIN}, or with a word twice")
    words += [word for word in (END, *((UNKNOWN,) if unknown else ())) if word not in words]
    index = {word: number for number, word in enumerate(words)}
    other = index.get(UNKNOWN, -1)
    number = np.array([index.get(word, other) for word in found], np.int32)
    if (number < 0).any():
        raise UsageError(f'"{found[int(number.argmin())]}" is not in the vocabulary, and {UNKNOWN} neither')
    return words, number


def _laid_out(text: np.ndarray, end: int, begin: int, stream: bool) -> np.ndarray:
    """The text with <s> in front, and after each </s> but the last one, unless it is a stream."""
    if stream:
        return np.concatenate([[begin], text], dtype=np.int32)
    ends = text == end
    at = ends.cumsum(dtype=np.int32)  # sentences before and with each word
    at += np.arange(1, len(text) + 1, dtype=np.int32)
    at -= ends
    laid = np.full(len(text) + int(np.count_nonzero(ends)), begin, np.int32)
    laid[at] = text
    return laid


__all__ = [
    "BEGIN",
    "END",
    "UNKNOWN",
    "Ngram",
    "Perplexity",
    "Trie",
    "estimate",
    "opened",
    "read_arpa",
    "read_sentences",
    "step",
    "write_arpa",
]
