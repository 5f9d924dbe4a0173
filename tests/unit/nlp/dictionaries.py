"""Modified Kneser-Ney once more, straight from the formulas: dictionaries, strings and recursion."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np


class Dictionaries:
    """p(word, context) of the model of a few sentences; context counts its own <s>."""

    def __init__(self, sentences, order, words, minimum=None, stream=False):
        self.order, self.words, self.minimum = order, words, minimum or [1] * order
        texts = [["<s>", *sentence, "</s>"] for sentence in sentences]
        if stream:
            texts = [["<s>"] + [word for sentence in sentences for word in (*sentence, "</s>")]]
        self.raw = Counter(
            tuple(text[at : at + n]) for text in texts for n in range(1, order + 1) for at in range(len(text) - n + 1)
        )
        before = defaultdict(set)
        for gram in self.raw:
            before[gram[1:]].add(gram[0])
        self.adjusted = {
            gram: count if len(gram) == order or gram[0] == "<s>" else len(before[gram])
            for gram, count in self.raw.items()
            if gram != ("<s>",)
        }
        self.after = defaultdict(list)
        for gram in self.adjusted:
            self.after[gram[:-1]].append(gram)
        self.discounts = [self.discounts_of(n) for n in range(1, order + 1)]

    def discounts_of(self, n):
        n1, n2, n3, n4 = (
            sum(len(gram) == n and count == k for gram, count in self.adjusted.items()) for k in (1, 2, 3, 4)
        )
        if n1 and n2 and n3:
            y = n1 / (n1 + 2 * n2)
            found = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
            if all(0 < d <= k for k, d in enumerate(found, 1)):
                return found
        return [0.5, 1.0, 1.5]

    def p(self, word, context):
        context = tuple(context)[-(self.order - 1) :] if self.order > 1 else ()
        return self.mixed(word, context)

    def mixed(self, word, context):
        below = 1 / len(self.words) if not context else self.mixed(word, context[1:])
        grams = self.after[context]
        if not grams:
            return below
        n = len(context) + 1
        taken = {
            gram: self.discounts[n - 1][min(self.adjusted[gram], 3) - 1]
            if self.raw[gram] >= self.minimum[n - 1]
            else self.adjusted[gram]
            for gram in grams
        }
        own, total = (*context, word), sum(self.adjusted[gram] for gram in grams)
        direct = max(self.adjusted[own] - taken[own], 0) / total if own in taken else 0.0
        return direct + sum(taken.values()) / total * below

    def distribution(self, context):
        return np.array([self.p(word, context) for word in self.words])


def some_text(seed, sentences=120, kinds=12, longest=9):
    """Sentences of words a, b, c ... of which few are frequent, and some pairs more so; blank ones too."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, kinds + 1)
    found = []
    for _ in range(sentences):
        words = rng.choice(kinds, rng.integers(0, longest), p=share / share.sum())
        words = [
            int((words[at - 1] + 1) % kinds) if at and rng.random() < 0.4 else int(w) for at, w in enumerate(words)
        ]
        found.append([chr(ord("a") + word) for word in words])
    return found


def some_contexts(words, seed, count=60, longest=6):
    """Contexts of random words, of those in the text or not."""
    rng = np.random.default_rng(seed)
    return [[words[at] for at in rng.integers(0, len(words), rng.integers(0, longest))] for _ in range(count)]
