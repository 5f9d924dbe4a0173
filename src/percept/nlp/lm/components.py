"""What a model is mixed with, ``--mix``: n-grams of the training text, a neural cache, dynamic evaluation, ARPA files.

Each gives p of every token of a text, so that mixtures are sums of arrays. What learns from the text that it reads,
cache and dynamic evaluation, makes a mixture adaptive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from percept.core.console import say
from percept.core.errors import UsageError, nearest
from percept.nlp.lm.cache import THETAS, cached
from percept.nlp.lm.dynamic import Dynamic
from percept.nlp.lm.mixing import perplexity
from percept.nlp.lm.opened import ARPA, Opened
from percept.nlp.lm.reader import NgramReader, Reader
from percept.nlp.lm.vocabulary import Encoded, Vocabulary
from percept.nlp.ngram import END, UNKNOWN, Ngram, estimate, read_arpa

ADAPTIVE = ("cache", "dynamic")

Pair = tuple[np.ndarray, np.ndarray]  # (N,) float64 p of each token of the text to tune on, and of the one measured


def check(names: tuple[str, ...], model: Opened) -> None:
    """Refuse what cannot be mixed, before anything is read. Raises UsageError."""
    for name in names:
        if name in ADAPTIVE:
            _ = model.neural
        elif not re.fullmatch(r"kn\d{1,2}", name) and not name.endswith(ARPA):
            raise UsageError(
                f'--mix: no "{name}"{nearest(name, ("kn5", *ADAPTIVE))} (kn5, cache, dynamic, or a .arpa file)'
            )
        elif name.startswith("kn") and not name.endswith(ARPA) and not 1 <= int(name[2:]) <= 10:
            raise UsageError(f"--mix {name}: n-grams of 1 to 10 words are possible")


def component(
    name: str, model: Opened, device: torch.device, train: Callable[[], Encoded], tune: Encoded, test: Encoded
) -> tuple[Pair, str]:
    """One part of a mixture, and what was found out about it, for the table."""
    if name == "cache":
        reader = Reader(model.neural, model.vocabulary.end, device)
        _, found = cached(reader, tune, THETAS)
        # a cache alone gives nothing to words that it has not seen: it is judged with a tenth of an even spread
        even = 0.1 / len(model.vocabulary)
        best = int(np.argmin([perplexity(0.9 * one + even) for one in found]))
        _, of_test = cached(reader, test, THETAS[best : best + 1])
        return (found[best], of_test[0]), f"theta {THETAS[best]:g}"
    if name == "dynamic":
        learner = Dynamic(model.neural, model.vocabulary.end, device, tune)
        return _both(learner.score, tune, test), f"rate {learner.rate:g}"
    if name.endswith(ARPA):
        ngram = read_arpa(Path(name))
        _refuse_other(ngram, model.vocabulary, name)
    else:
        ngram = of_training(train(), model.vocabulary, int(name[2:]))
    number = np.array([ngram.index.get(unit, -1) for unit in model.vocabulary.units], np.int32)
    reader_of_ngrams = NgramReader(ngram)

    def score(encoded: Encoded) -> np.ndarray:
        return reader_of_ngrams.score_text(Encoded(number[encoded.ids], encoded.starts, encoded.counted))

    return _both(score, tune, test), f"{sum(ngram.counts):,} n-grams"


def of_training(train: Encoded, vocabulary: Vocabulary, order: int) -> Ngram:
    """Modified Kneser-Ney over the same units, by which nothing is unknown that the model knows."""
    known = UNKNOWN in vocabulary.index
    return estimate(_sentences(train, vocabulary), order, vocabulary=vocabulary.units, unknown=known, warn=say)


def _sentences(encoded: Encoded, vocabulary: Vocabulary) -> Iterator[list[str]]:
    ends = np.flatnonzero(encoded.ids == vocabulary.end)
    start = 0
    for end in ends.tolist():
        yield [vocabulary.units[i] for i in encoded.ids[start:end].tolist()]
        start = end + 1


def _both(score: Callable[[Encoded], np.ndarray], tune: Encoded, test: Encoded) -> Pair:
    return np.exp(score(tune).astype(np.float64)), np.exp(score(test).astype(np.float64))


def _refuse_other(model: Ngram, vocabulary: Vocabulary, name: str) -> None:
    """Models over different words share no probability space."""
    ours, theirs = set(vocabulary.units), set(model.words)
    other = sorted((ours ^ theirs) - {UNKNOWN, END})
    if other:
        raise UsageError(f"{name}: another vocabulary ({len(other):,} words are in one only, such as {other[0]!r})")
