"""What is pruned is what the divergence over all words says, and contexts sum to one again."""

from __future__ import annotations

import numpy as np
import pytest
from dictionaries import some_contexts, some_text

from percept.core.errors import UsageError
from percept.nlp.ngram import Ngram, estimate
from percept.nlp.trie import balance, levels, lower, parents, subset


@pytest.fixture(scope="module")
def model():
    return estimate(some_text(3, sentences=300), 3)


@pytest.mark.parametrize("threshold", [0, 1e-5, 1e-4, 1e-3, 1])
def test_distributions_sum_to_one(model, threshold):
    smaller = model.pruned(threshold)
    for context in some_contexts([*model.words, "zebra"], seed=1):
        found = smaller.distribution(context)
        assert abs(found.sum() - 1) < 1e-5 and found.min() > 0


def test_more_is_lost_the_higher_the_threshold(model):
    text = some_text(3, sentences=300)
    models = [model, *(model.pruned(threshold) for threshold in (1e-5, 1e-4, 1e-3, 1))]
    sizes = [sum(one.counts) for one in models]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == len(sizes)
    lost = [one.perplexity(text).perplexity for one in models]
    assert lost == sorted(lost)
    assert models[-1].order == 1 and models[-1].words == model.words
    assert models[2].perplexity(text).perplexity < 1.1 * lost[0] and sizes[2] < 0.75 * sizes[0]


@pytest.mark.parametrize("counted", [True, False])
def test_the_loss_is_the_divergence_over_all_words(model, counted):
    """Each 3-gram by itself: taken out, the context balanced anew, and every word's probability compared."""
    if not counted:
        model = Ngram(model.words, model.trie)
    trie, starts, parent = model.trie, levels(model.trie), parents(model.trie)
    losses = []
    for node in range(starts[3], starts[4], 7):
        keep = np.ones(len(trie.word), bool)
        keep[node] = False
        without = subset(trie, keep)
        balance(without, 1e-7)
        context = int(parent[node])
        p = model.distribution_at(context)
        divergence = float(np.sum(p * np.log(p / Ngram(model.words, without).distribution_at(context))))
        if counted:
            share = model.seen[context] / model.seen[0]
        else:
            first, second = int(parent[context]), int(trie.word[context])
            alone = 10.0 ** trie.prob[1 + model.end if first == 1 + len(model.words) else first]
            share = alone * model.distribution_at(first)[second]
        losses.append((node, np.expm1(share * divergence)))
    for threshold in np.quantile([loss for _, loss in losses], [0.2, 0.5, 0.8]) * 1.001:
        kept = {gram for gram, _ in spelt(model.pruned(threshold))}
        for node, loss in losses:
            if abs(loss - threshold) > 1e-3 * threshold:
                assert (dict(map(reversed, spelt(model)))[node] in kept) == (loss > threshold)


def spelt(model):
    """(n-gram as numbers, node) of each node."""
    found = [()]
    for node, parent in enumerate(parents(model.trie)[1:], 1):
        found.append((*found[parent], int(model.trie.word[node])))
    return list(zip(found, range(len(found)), strict=True))


def test_what_is_kept_keeps_its_probability_and_its_beginning(model):
    before, smaller = dict(spelt(model)), model.pruned(1e-4)
    for gram, node in spelt(smaller):
        assert gram[:-1] in dict(spelt(smaller))
        assert smaller.trie.prob[node] == model.trie.prob[before[gram]]
    assert len(smaller.seen) == len(smaller.trie.back)
    again = smaller.pruned(1e-3)
    assert sum(again.counts) < sum(smaller.counts) and len(again.seen) == len(again.trie.back)


def test_lower_probabilities_are_those_of_the_shorter_context(model):
    below, parent = lower(model.trie), parents(model.trie)
    for gram, node in spelt(model)[levels(model.trie)[2] :: 11]:
        shorter = model.distribution_at(int(model.trie.suffix[parent[node]]))
        assert 10 ** below[node] == pytest.approx(shorter[gram[-1]], rel=1e-5)


@pytest.mark.parametrize("threshold", [-1e-9, float("nan")])
def test_a_threshold_is_not_negative(model, threshold):
    with pytest.raises(UsageError, match="0 or more is expected"):
        model.pruned(threshold)
