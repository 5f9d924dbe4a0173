"""Kneser-Ney models are what dictionaries make of the formulas; every distribution sums to one."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from dictionaries import Dictionaries, some_contexts, some_text

from percept.core.errors import InputError, UsageError
from percept.nlp import sentences as reading
from percept.nlp.ngram import Perplexity, estimate


def words_of(sentences):
    return sorted({word for sentence in sentences for word in sentence} | {"</s>"})


def test_a_bigram_model_by_hand():
    """<s> a b </s>, <s> a </s>: a and b follow one word, </s> two; discounts 0.5, 1, 1.5; V = 3."""
    model = estimate([["a", "b"], ["a"]], order=2, unknown=False)
    assert set(model.words) == {"a", "b", "</s>"} and model.order == 2 and model.counts == (4, 4)
    a, b, end = (model.index[word] for word in ("a", "b", "</s>"))
    alone = model.distribution([], begin=False)
    np.testing.assert_allclose(alone[[a, b, end]], [0.5 / 4 + 0.5 / 3, 0.5 / 4 + 0.5 / 3, 1 / 4 + 0.5 / 3], rtol=1e-6)
    first = model.distribution([])
    np.testing.assert_allclose(first[[a, b, end]], [1 / 2 + alone[a] / 2, alone[b] / 2, alone[end] / 2], rtol=1e-6)
    after = model.distribution(["a"])
    np.testing.assert_allclose(
        after[[a, b, end]], [alone[a] / 2, 1 / 4 + alone[b] / 2, 1 / 4 + alone[end] / 2], rtol=1e-6
    )


@pytest.mark.parametrize("order", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("stream", [False, True])
def test_distributions_are_those_of_the_formulas(order, stream):
    sentences = some_text(order)
    words = words_of(sentences)
    plain = Dictionaries(sentences, order, words, stream=stream)
    model = estimate(sentences, order, unknown=False, stream=stream)
    assert sorted(model.words) == words and model.order == order
    assert model.counts == tuple(sum(len(gram) == n for gram in plain.raw) for n in range(1, order + 1))
    at = [model.index[word] for word in words]
    for context in some_contexts([word for word in words if stream or word != "</s>"], seed=order):
        for begin in (False, True):
            found = model.distribution(context, begin)
            assert found.shape == (len(words),) and found.dtype == np.float64
            assert abs(found.sum() - 1) < 1e-6
            np.testing.assert_allclose(found[at], plain.distribution(["<s>"] * begin + context), rtol=2e-6)


def test_real_discounts_are_among_those_tested():
    found = Dictionaries(some_text(4), 4, words_of(some_text(4))).discounts
    assert found[2] != [0.5, 1.0, 1.5] and found[0] == [0.5, 1.0, 1.5]


def test_an_open_vocabulary_keeps_something_for_unknown_words():
    sentences = some_text(1)
    words = [*words_of(sentences), "<unk>"]
    plain = Dictionaries(sentences, 3, words)
    model = estimate(sentences, 3)
    at = [model.index[word] for word in words]
    for context in some_contexts([*words[1:-1], "zebra"], seed=2):
        found = model.distribution(context)
        assert abs(found.sum() - 1) < 1e-6
        np.testing.assert_allclose(found[at], plain.distribution(["<s>", *context]), rtol=2e-6)
    assert model.score(["zebra"])[0] == pytest.approx(math.log10(plain.p("<unk>", ["<s>"])), rel=1e-5)


@pytest.mark.parametrize("minimum", [(1, 2), (1, 1, 2), (1, 1, 2, 3)])
def test_rare_ngrams_can_be_left_out(minimum):
    sentences = some_text(7)
    words = words_of(sentences)
    every = [*minimum, *[minimum[-1]] * 4][:4]
    plain = Dictionaries(sentences, 4, words, every)
    model = estimate(sentences, 4, unknown=False, minimum=minimum)
    kept = [sum(len(gram) == n and plain.raw[gram] >= every[n - 1] for gram in plain.raw) for n in (1, 2, 3, 4)]
    assert model.counts == tuple(kept)
    at = [model.index[word] for word in words]
    for context in some_contexts(words[1:], seed=3):
        found = model.distribution(context)
        assert abs(found.sum() - 1) < 1e-6
        np.testing.assert_allclose(found[at], plain.distribution(["<s>", *context]), rtol=2e-6)


def test_orders_of_which_nothing_is_left_are_gone():
    model = estimate(some_text(7), 4, minimum=(1, 1, 1000))
    assert model.order == 2
    assert abs(model.distribution(["a", "b"]).sum() - 1) < 1e-6


def test_scores_are_the_logarithms_of_what_distributions_say():
    model = estimate(some_text(3), 4)
    sentence = ["b", "a", "a", "zebra", "c", "d"]
    scores = model.score(sentence)
    assert len(scores) == 7 and all(isinstance(score, float) for score in scores)
    for at, word in enumerate([*sentence, "</s>"]):
        number = model.index.get(word, model.index["<unk>"])
        assert scores[at] == pytest.approx(math.log10(model.distribution(sentence[:at])[number]), rel=1e-5)
    assert model.score(sentence, end=False) == scores[:-1]
    alone = model.score(sentence, begin=False)
    assert alone[0] == pytest.approx(math.log10(model.distribution([], begin=False)[model.index["b"]]), rel=1e-5)
    assert alone[3:] == scores[3:]


def test_perplexity_counts_every_word_and_one_end_a_sentence():
    model = estimate(some_text(3), 4)
    text = [["a", "zebra", "b"], [], ["lion", "c"]]
    found = model.perplexity(text)
    scores = [score for sentence in text for score in model.score(sentence)]
    assert (found.tokens, found.sentences, found.unknown) == (8, 3, 2)
    assert found.perplexity == pytest.approx(10 ** (-sum(scores) / 8), rel=1e-6)
    assert 2**found.bits_per_token == pytest.approx(found.perplexity)
    known = sum(scores) - scores[1] - scores[5]
    assert found.perplexity_known == pytest.approx(10 ** (-known / 6), rel=1e-6)
    halves = model.perplexity(text[:1]) + model.perplexity(text[1:])
    assert halves.log10 == pytest.approx(found.log10) and halves.tokens == 8
    assert math.isnan(Perplexity().perplexity) and math.isnan(Perplexity().bits_per_token)


def test_a_word_spelt_unk_is_known_to_a_model_that_has_it():
    found = estimate([["a", "<unk>"], ["a"]], 2).perplexity([["<unk>", "b"]])
    assert found.unknown == 1 and math.isfinite(found.perplexity)


def test_unknown_words_are_impossible_to_a_closed_vocabulary():
    model = estimate(some_text(3), 3, unknown=False)
    assert "<unk>" not in model.words
    found = model.perplexity([["a", "zebra", "b"]])
    assert found.perplexity == math.inf and found.unknown == 1 and math.isfinite(found.perplexity_known)
    assert model.score(["zebra", "a"])[0] == -100
    assert model.score(["zebra", "a"])[1] == model.score(["a"], begin=False)[0]


@pytest.mark.parametrize("stream", [False, True])
def test_blocks_leave_no_seam(monkeypatch, stream):
    sentences = some_text(5)
    model = estimate(sentences, 4, stream=stream)
    found = model.perplexity(sentences)
    monkeypatch.setattr(reading, "_BLOCK", 7)
    again = estimate(iter(sentences), 4, stream=stream)
    assert again.words == model.words
    np.testing.assert_array_equal(again.trie.prob, model.trie.prob)
    assert again.perplexity(iter(map(iter, sentences))).log10 == pytest.approx(found.log10, rel=1e-9)
    if not stream:
        assert found.log10 == pytest.approx(sum(sum(model.score(sentence)) for sentence in sentences), rel=1e-6)


def test_context_crosses_the_ends_of_sentences_in_a_stream_only():
    sentences = some_text(5)
    lines, stream = estimate(sentences, 3), estimate(sentences, 3, stream=True)
    assert not lines.stream and stream.stream
    assert lines.state(["a", "b", "</s>"]) == lines.start
    assert stream.state(["a", "b", "</s>"]) not in (0, stream.start)
    text = [["a"], ["b"]]
    flat = stream.follow(stream.start, np.array([stream.index[w] for w in ("a", "</s>", "b", "</s>")]))[1]
    assert stream.perplexity(text).log10 == pytest.approx(float(flat.sum()), rel=1e-6)


def test_words_are_sorted_by_how_frequent_they_are():
    model = estimate([["b", "a", "b"], ["b", "c", "a"]], 2)
    assert model.words == ("b", "</s>", "a", "c", "<unk>")


def test_a_vocabulary_can_be_cut():
    sentences = [["b", "a", "b"], ["b", "c", "a", "d"]]
    model = estimate(sentences, 2, vocabulary=2, unknown=False)
    assert model.words == ("b", "</s>", "a", "<unk>")
    same = estimate([["b", "a", "b"], ["b", "<unk>", "a", "<unk>"]], 2, vocabulary=model.words)
    np.testing.assert_array_equal(model.trie.prob, same.trie.prob)
    assert estimate(sentences, 2, vocabulary=4, unknown=False).words == ("b", "</s>", "a", "c", "d")


def test_a_vocabulary_can_be_given():
    model = estimate([["b", "a"]], 2, vocabulary=["z", "</s>", "a"])
    assert model.words == ("z", "</s>", "a", "<unk>")
    assert model.score(["b"]) == model.score(["<unk>"])
    assert abs(model.distribution(["a"]).sum() - 1) < 1e-6 and model.distribution([]).min() > 0
    with pytest.raises(UsageError, match='"b" is not in the vocabulary, and <unk> neither'):
        estimate([["b", "a"]], 2, vocabulary=["a"], unknown=False)
    with pytest.raises(UsageError, match="twice"):
        estimate([["b", "a"]], 2, vocabulary=["a", "a"])


def test_it_says_what_a_small_text_does_not_tell():
    told = []
    model = estimate([["a", "b"]], 9, warn=told.append)
    assert model.order == 4 and "no sentence is long enough for 9-grams; the model is of order 4" in told
    assert sum("too little text" in line and "0.5, 1 and 1.5" in line for line in told) == 4
    told.clear()
    estimate(some_text(4, sentences=800, kinds=26), 3, warn=told.append)
    assert not any("2-grams" in line for line in told)


@pytest.mark.parametrize(
    ("sentences", "options", "message"),
    [
        ([], {}, "no words"),
        ([[], []], {}, "no words"),
        ([["a"]], {"order": 0}, "n-grams of 0 words"),
        ([["a"]], {"vocabulary": 0}, "a vocabulary of 0 words"),
        ([["a"]], {"minimum": ()}, "the first must be 1"),
        ([["a"]], {"minimum": (2, 2)}, "least counts 2, 2: the first must be 1"),
        ([["a"]], {"minimum": (1, 3, 2)}, "none below the one before"),
    ],
)
def test_what_cannot_be_estimated(sentences, options, message):
    with pytest.raises(UsageError, match=message):
        estimate(sentences, **options)


@pytest.mark.parametrize("mark", ["<s>", "</s>"])
def test_marks_within_sentences_are_refused(mark):
    with pytest.raises(InputError, match="^sentence 3 contains"):
        estimate([["a"], ["b"], ["a", mark, "b"], ["a"]])
    with pytest.raises(InputError, match="^sentence 2 contains"):
        estimate([["a"]]).perplexity([["b"], [mark]])


def test_more_context_predicts_better():
    sentences = some_text(9, sentences=400)
    found = [estimate(sentences[:300], order).perplexity(sentences[300:]).perplexity for order in (1, 2, 3)]
    assert found[0] > found[1] and all(value < 13 for value in found)
    fitted = [estimate(sentences, order).perplexity(sentences).perplexity for order in (1, 2, 3, 4, 5)]
    assert all(a > b for a, b in pairwise(fitted))
