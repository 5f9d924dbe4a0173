"""The prefix tree: every word is found in it once, and nodes are shared as far as words are alike."""

from __future__ import annotations

import numpy as np
import pytest

from percept.speech.acoustic.tree import build, smeared

ENTRIES = [
    ("tea", [("t", "i")]),
    ("team", [("t", "i", "m")]),
    ("tee", [("t", "i")]),
    ("eat", [("i", "t"), ("a", "t"), ("i", "t")]),
    ("a", [("a",)]),
]
ALPHABET = ("a", "i", "m", "t")


def spelt(tree) -> dict[tuple[int, ...], list[str]]:
    """The words at each node, by the phones that lead there."""
    found = {}
    waiting = [(0, ())]
    while waiting:
        node, phones = waiting.pop()
        found[phones] = [tree.words[tree.word[n]] for n in range(tree.ends[node], tree.ends[node + 1])]
        for n in range(tree.ends[node], tree.ends[node + 1]):
            assert tree.sounds[n] == phones
        for below in range(tree.child[node], tree.child[node + 1]):
            waiting.append((below, (*phones, int(tree.phone[below]))))
    return found


def test_words_are_where_their_phones_lead():
    tree = build(ENTRIES, ALPHABET)
    assert spelt(tree) == {
        (): [],
        (1,): ["a"],
        (1, 4): ["eat"],
        (2,): [],
        (2, 4): ["eat"],
        (4,): [],
        (4, 2): ["tea", "tee"],
        (4, 2, 3): ["team"],
    }
    assert len(tree.phone) == 8
    assert tree.phone[0] == 0


def test_many_words():
    rng = np.random.default_rng(3)
    entries = [(str(n), [rng.choice(ALPHABET, rng.integers(1, 9)).tolist()]) for n in range(3000)]
    tree = build(entries, ALPHABET)
    found = spelt(tree)
    expected: dict[tuple[int, ...], list[str]] = {}
    for word, (phones,) in entries:
        expected.setdefault(tuple(ALPHABET.index(phone) + 1 for phone in phones), []).append(word)
    assert {phones: words for phones, words in found.items() if words} == expected
    prefixes = {phones[:n] for phones in expected for n in range(len(phones) + 1)}
    assert set(found) == prefixes
    assert len(tree.phone) == len(prefixes)


def test_look_ahead_is_the_best_that_may_come():
    tree = build(ENTRIES, ALPHABET)
    values = np.array(
        [{"tea": -3.0, "team": -1.0, "tee": -2.0, "eat": -5.0, "a": -4.0}[tree.words[w]] for w in tree.word]
    )
    look = smeared(tree, values)
    by_phones = {}
    waiting = [(0, ())]
    while waiting:
        node, phones = waiting.pop()
        by_phones[phones] = float(look[node])
        waiting += [(n, (*phones, int(tree.phone[n]))) for n in range(tree.child[node], tree.child[node + 1])]
    assert by_phones == {(): 0, (1,): -4, (1, 4): -5, (2,): -5, (2, 4): -5, (4,): -1, (4, 2): -1, (4, 2, 3): -1}


@pytest.mark.parametrize(
    ("entries", "what"),
    [([], "no words"), ([("a", [])], '"a"'), ([("a", [()])], '"a"'), ([("a", [("x",)])], "no phone is called 'x'")],
)
def test_what_makes_no_tree(entries, what):
    with pytest.raises(ValueError, match=what):
        build(entries, ALPHABET)
