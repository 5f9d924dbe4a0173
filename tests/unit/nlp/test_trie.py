"""Kernels walk the trie as ARPA files mean it; states hold no more than the future needs."""

from __future__ import annotations

import numpy as np
import pytest
from dictionaries import some_text

from percept.core.kernels import kernel
from percept.nlp.ngram import Trie, estimate, step
from percept.nlp.trie import levels, parents, subset


@kernel
def total(trie, state, words):
    """What another module's kernel makes of a sentence: the sum of its scores."""
    found = 0.0
    for word in words:
        score, state = step(trie, state, word)
        found += score
    return found


@pytest.fixture(scope="module")
def model():
    return estimate(some_text(3), 4)


def grams(model):
    """The n-gram of each node, as a tuple of numbers; <s> is V."""
    found = [()]
    for node, parent in enumerate(parents(model.trie)[1:], 1):
        found.append((*found[parent], int(model.trie.word[node])))
    return found


def test_nodes_are_ngrams_level_by_level_and_sorted(model):
    found = grams(model)
    starts = levels(model.trie)
    assert [len(gram) for gram in found] == sorted(len(gram) for gram in found)
    assert [found[start] for start in starts[:2]] == [(), (0,)] and starts[-1] == len(found)
    for start, end in zip(starts[:-1], starts[1:], strict=True):
        assert found[start:end] == sorted(set(found[start:end]))
    assert len(model.trie.back) == starts[-2] and len(model.trie.first) == starts[-2] + 1


def test_suffixes_are_the_longest_there_are(model):
    found = grams(model)
    number = {gram: node for node, gram in enumerate(found)}
    for node, gram in enumerate(found[1:], 1):
        assert model.trie.suffix[node] == number[gram[1:]]  # Kneser-Ney has them all
    smaller = model.pruned(1e-3)
    found = grams(smaller)
    number = {gram: node for node, gram in enumerate(found)}
    lacking = 0
    for node, gram in enumerate(found[1:], 1):
        ends = [number[gram[at:]] for at in range(1, len(gram) + 1) if gram[at:] in number]
        assert smaller.trie.suffix[node] == ends[0]
        lacking += gram[1:] not in number
    assert lacking


@pytest.mark.parametrize("threshold", [0, 1e-4, 1e-3])
def test_steps_give_what_the_definition_gives(model, threshold):
    model = model.pruned(threshold) if threshold else model
    found = grams(model)
    number = {gram: node for node, gram in enumerate(found)}
    back = {gram: float(model.trie.back[node]) for gram, node in number.items() if node < len(model.trie.back)}
    begin, rng = len(model.words), np.random.default_rng(1)

    def defined(context, word):
        if (*context, word) in number:
            return float(model.trie.prob[number[*context, word]])
        return back.get(context, 0.0) + defined(context[1:], word)

    for sentence in some_text(8, sentences=60):
        words = [model.index.get(word, -1) for word in sentence]
        words = [-1 if rng.random() < 0.1 else word for word in words]
        past, state = [begin], model.start
        for word in words:
            spelt = model.index["<unk>"] if word < 0 else word
            score, state = step(model.trie, state, word)
            assert score == pytest.approx(defined(tuple(past[-(model.order - 1) :]), spelt), abs=1e-5)
            past.append(spelt)
        assert total(model.trie, model.start, np.array(words, np.int32)) == pytest.approx(
            sum(model.score(sentence, end=False)) if -1 not in words else total.py_func(model.trie, model.start, words),
            abs=1e-4,
        )


def test_states_hold_no_more_than_matters(model):
    found = grams(model)
    seen = set()
    for sentence in some_text(8, sentences=60):
        state = model.start
        for word in sentence:
            state = step(model.trie, state, model.index[word])[1]
            seen.add(state)
    assert len(seen) > 10
    for state in seen:
        assert state == 0 or model.trie.first[state] < model.trie.first[state + 1]
        assert len(found[state]) < model.order
    assert step(model.trie, model.start, model.end)[1] == 0  # nothing follows </s>


def test_a_model_of_single_words_has_one_state():
    model = estimate(some_text(3), 1)
    assert model.start == 0 and len(model.trie.back) == 1
    score, state = step(model.trie, 0, model.index["a"])
    assert state == 0 and 10**score == pytest.approx(model.distribution([])[model.index["a"]])


def test_a_part_of_a_trie(model):
    starts = levels(model.trie)
    keep = np.arange(len(model.trie.word)) < starts[3] + 5  # five 3-grams of many, no 4-gram
    part = subset(model.trie, keep)
    assert levels(part) == [*starts[:4], starts[3] + 5]
    np.testing.assert_array_equal(part.prob, model.trie.prob[keep])
    np.testing.assert_array_equal(part.word, model.trie.word[keep])
    np.testing.assert_array_equal(part.back, model.trie.back[: starts[3]])
    np.testing.assert_array_equal(part.suffix, model.trie.suffix[keep])
    assert part.first[-1] == len(part.word) and isinstance(part, Trie)
