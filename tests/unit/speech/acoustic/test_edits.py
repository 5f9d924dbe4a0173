"""The alignment with the fewest edits: against brute force, its choice among equals, and times."""

from __future__ import annotations

import time
from functools import cache

import numpy as np
import pytest

from percept.speech.acoustic.edits import aligned


def fewest(reference: str, answer: str) -> int:
    """The edit distance, straight from its definition."""

    @cache
    def distance(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        same = reference[i - 1] == answer[j - 1]
        return min(distance(i - 1, j - 1) + (not same), distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    return distance(len(reference), len(answer))


def cost(pairs: list[tuple[int, int]], reference: str, answer: str) -> int:
    return sum(i < 0 or j < 0 or reference[i] != answer[j] for i, j in pairs)


def test_as_few_edits_as_there_can_be():
    rng = np.random.default_rng(3)
    for _ in range(300):
        reference, answer = ("".join(rng.choice(list("abc"), size=rng.integers(0, 9))) for _ in range(2))
        pairs = aligned(reference, answer)
        assert cost(pairs, reference, answer) == fewest(reference, answer)
        assert [i for i, _ in pairs if i >= 0] == list(range(len(reference)))
        assert [j for _, j in pairs if j >= 0] == list(range(len(answer)))


@pytest.mark.parametrize(
    ("reference", "answer", "pairs"),
    [
        ("", "", []),
        ("ab", "", [(0, -1), (1, -1)]),
        ("", "ab", [(-1, 0), (-1, 1)]),
        ("kitten", "sitting", [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (-1, 6)]),
        ("axb", "ab", [(0, 0), (1, -1), (2, 1)]),
    ],
)
def test_known_alignments(reference, answer, pairs):
    assert aligned(reference, answer) == pairs


def test_of_equal_alignments_the_one_with_more_right_is_taken():
    pairs = aligned(["a", "cat", "sat", "on", "the", "mat"], ["a", "bat", "sat", "the", "old", "mat"])
    assert pairs == [(0, 0), (1, 1), (2, 2), (3, -1), (4, 3), (-1, 4), (5, 5)]


def test_of_equal_alignments_the_nearest_in_time_is_taken():
    # two of three alike are answered: which is the missing one, only times can tell
    for missing in range(3):
        times = [0.0, 1.0, 2.0]
        found = [at + 0.01 for k, at in enumerate(times) if k != missing]
        pairs = aligned("aaa", "aa", times, found)
        assert pairs[missing] == (missing, -1)


def test_times_never_outweigh_an_edit():
    pairs = aligned("ab", "ab", [0.0, 1e6], [1e6, 2e6])
    assert pairs == [(0, 0), (1, 1)]


def test_times_must_fit():
    with pytest.raises(ValueError, match="1 times for 2 labels"):
        aligned("ab", "ab", [0.0], [0.0, 1.0])


def test_long_sequences_are_quick():
    rng = np.random.default_rng(0)
    reference = rng.integers(40, size=1500).tolist()
    answer = [label for label in reference if rng.random() > 0.1]
    began = time.perf_counter()
    pairs = aligned(reference, answer)
    assert sum(j < 0 for _, j in pairs) == len(reference) - len(answer)
    assert time.perf_counter() - began < 1.5
