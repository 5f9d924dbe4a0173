"""CTC: the prefix beam is exact against the sum over every alignment, and the alignment against every path."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from percept.core.errors import InputError
from percept.nlp.ngram import estimate
from percept.speech.acoustic.ctc import Grammar, align, beam, bigram, greedy, greedy_spans, of_ngram


def collapsed(path) -> tuple[int, ...]:
    return tuple(int(label) for label, _ in itertools.groupby(path) if label)


def every_alignment(chances: np.ndarray) -> dict[tuple[int, ...], float]:
    """log p of each string of phones, the sum over all its alignments."""
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(chances.shape[1]), repeat=len(chances)):
        score = float(sum(chances[t, label] for t, label in enumerate(path)))
        found[collapsed(path)] = np.logaddexp(found.get(collapsed(path), -np.inf), score)
    return found


def chances(rng: np.random.Generator, steps: int, labels: int, evenness: float = 0.7) -> np.ndarray:
    return np.log(rng.dirichlet(np.full(labels, evenness), steps)).astype(np.float32)


def test_greedy():
    likeliest = [0, 1, 1, 0, 1, 2, 2, 0, 0, 3]
    heard = np.log(np.full((10, 4), 0.1, np.float32))
    heard[np.arange(10), likeliest] = np.log(0.7)
    assert greedy(heard) == [1, 1, 2, 3]
    assert [(span.first, span.end) for span in greedy_spans(heard)] == [(1, 3), (4, 5), (5, 7), (9, 10)]
    assert greedy_spans(heard)[0].confidence == pytest.approx(0.7)
    assert greedy(heard[:0]) == greedy(heard[:1]) == []


@pytest.mark.parametrize("with_grammar", [False, True])
def test_the_beam_finds_the_sum_over_all_alignments(with_grammar):
    rng = np.random.default_rng(1)
    for steps in (1, 3, 5):
        heard = chances(rng, steps, 4)
        table = np.log(rng.dirichlet(np.ones(4), 4))
        every = every_alignment(heard)
        if with_grammar:
            for phones in every:
                line = [0, *phones, 0]
                every[phones] += 0.7 * sum(table[a, b] for a, b in itertools.pairwise(line)) + 0.4 * len(phones)
            found = beam(heard, 5000, bigram(table), weight=0.7, bonus=0.4, count=5000)
        else:
            found = beam(heard, 5000, count=5000)
        best = sorted(every.items(), key=lambda pair: -pair[1])
        assert len(found) == len(best)
        assert [one.score for one in found] == pytest.approx([score for _, score in best], abs=1e-4)
        assert {one.phones: pytest.approx(one.score, abs=1e-4) for one in found} == every


def test_a_narrow_beam_is_near():
    rng = np.random.default_rng(4)
    heard = chances(rng, 200, 20, 0.2)
    wide, narrow = beam(heard, 200)[0], beam(heard, 16)[0]
    assert wide.score - 3 < narrow.score <= wide.score + 1e-6
    one = beam(heard, 1, count=1)
    assert len(one) == 1
    assert beam(heard[:0]) == [one[0].__class__((), 0.0)]


def test_a_grammar_of_n_grams_is_that_of_the_model():
    rng = np.random.default_rng(6)
    names = ("a", "b", "c")
    text = [[names[n] for n in rng.choice(3, rng.integers(1, 6), p=(0.6, 0.3, 0.1))] for _ in range(200)]
    model = estimate(text, 3, unknown=False)
    grammar = of_ngram(model, names)
    for line in ([], ["a"], ["c", "c", "c", "b"], ["b", "a", "a"]):
        state, total = grammar.start, 0.0
        for name in line:
            number = names.index(name) + 1
            total += grammar.scores[state, number]
            state = grammar.goto[state, number]
        total += grammar.scores[state, 0]
        assert total / np.log(10) == pytest.approx(sum(model.score(line)), abs=1e-4)
    with pytest.raises(ValueError, match='"d"'):
        of_ngram(model, (*names, "d"))


def test_alignment_is_the_likeliest_path():
    rng = np.random.default_rng(8)
    for phones in ([1], [2, 2], [1, 2, 1]):
        heard = chances(rng, 6, 3)
        paths = [path for path in itertools.product(range(3), repeat=6) if collapsed(path) == tuple(phones)]
        best = max(paths, key=lambda path: sum(heard[t, label] for t, label in enumerate(path)))
        found = align(heard, phones)
        assert [span.phone for span in found] == phones
        labels = np.zeros(6, int)
        for span in found:
            labels[span.first : span.end] = span.phone
            assert span.confidence == pytest.approx(np.exp(heard[span.first : span.end, span.phone]).mean(), abs=1e-5)
        assert labels.tolist() == list(best)
    assert align(chances(rng, 6, 3), []) == []


def test_too_short_for_its_phones():
    heard = chances(np.random.default_rng(1), 4, 3)
    with pytest.raises(InputError) as error:
        align(heard, [1, 2, 2, 1], hop=0.02)
    assert str(error.value) == "0.08 s of sound are too short for 4 phones: at least 0.10 s are needed"
    assert len(align(heard, [1, 2, 1, 2])) == 4


def test_what_does_not_fit():
    heard = chances(np.random.default_rng(1), 4, 3)
    with pytest.raises(ValueError, match="phones 1 to 3 of 2"):
        align(heard, [1, 3])
    with pytest.raises(ValueError, match="grammar of 5"):
        beam(heard, grammar=Grammar(np.zeros((1, 5), np.float32), np.zeros((1, 5), np.int32)))
    with pytest.raises(ValueError, match="width"):
        beam(heard, 0)
