"""Packed models come back as they were, or nearly so, and still sum to one."""

from __future__ import annotations

import numpy as np
import pytest
from dictionaries import some_contexts, some_text

from percept.core.errors import UsageError
from percept.nlp.ngram import Ngram, estimate


@pytest.fixture(scope="module")
def model():
    return estimate(some_text(3, sentences=1500, kinds=26), 4)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_whole_values_come_back_to_the_bit(order):
    model = estimate(some_text(3), order)
    arrays = model.arrays()
    again = Ngram.from_arrays(arrays)
    assert again.words == model.words and again.order == order
    for mine, theirs in zip(again.trie, model.trie, strict=True):
        np.testing.assert_array_equal(mine, theirs)
        assert isinstance(mine, int) or mine.dtype == theirs.dtype
    assert all(isinstance(array, np.ndarray) and array.flags.c_contiguous for array in arrays.values())


@pytest.mark.parametrize(("bits", "size", "off", "worse"), [(16, 0.65, 1e-3, 1e-4), (8, 0.6, 2e-3, 1e-2)])
def test_rounded_values_are_small_and_near(model, bits, size, off, worse):
    arrays = model.arrays(bits)
    again = Ngram.from_arrays(arrays)
    assert sum(array.nbytes for array in arrays.values()) < size * sum(a.nbytes for a in model.arrays().values())
    for context in some_contexts(model.words, seed=1):
        assert abs(again.distribution(context).sum() - 1) < off
    text = some_text(3, sentences=1500, kinds=26)
    mine, theirs = again.perplexity(text).perplexity, model.perplexity(text).perplexity
    assert abs(mine / theirs - 1) < worse


def test_contexts_with_more_children_than_a_byte_can_tell():
    sentences = [[f"w{n}", "a", f"w{n * 7 % 300}"] for n in range(300)]
    model = estimate(sentences, 3)
    assert np.diff(model.trie.first)[1:].max() >= 299
    again = Ngram.from_arrays(model.arrays())
    np.testing.assert_array_equal(again.trie.first, model.trie.first)
    assert len(model.arrays()["many"]) == 2  # a, and <s>


def test_a_model_of_few_values():
    model = estimate([["a", "b"]], 2)
    for bits in (16, 8):
        again = Ngram.from_arrays(model.arrays(bits))
        np.testing.assert_allclose(again.distribution(["a"]), model.distribution(["a"]), rtol=1e-3)


def test_other_numbers_of_bits(model):
    with pytest.raises(UsageError, match="12 bits"):
        model.arrays(12)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("words", lambda a: a[:9]),
        ("words", lambda a: np.concatenate([a, a])),
        ("children", lambda a: a[:-1]),
        ("children", lambda a: np.maximum(a, 1)),
        ("word", lambda a: a[:-1]),
        ("word", lambda a: a + 100),
        ("prob.1", lambda a: a[:-1]),
        ("prob.3", lambda a: a[:-1]),
        ("back", lambda a: a[:-1]),
        ("book.back", lambda a: a[:-1]),
        ("book.2", None),
        ("back", None),
    ],
)
def test_arrays_that_do_not_fit(model, name, change):
    arrays = model.arrays(16)
    if change:
        arrays[name] = change(arrays[name])
    else:
        del arrays[name]
    with pytest.raises(UsageError, match="not the arrays of an n-gram model"):
        Ngram.from_arrays(arrays)
