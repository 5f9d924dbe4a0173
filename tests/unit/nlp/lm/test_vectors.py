"""Neighbours, analogies and judged similarities on a table made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from percept.core.errors import UsageError
from percept.nlp.lm.picture import components, draw
from percept.nlp.lm.vectors import Vectors, read_analogies, read_pairs
from percept.nlp.lm.vocabulary import Vocabulary
from percept.nlp.sentences import END, UNKNOWN

# royal, female, fruit
TABLE = {
    "king": (3, 0, 0),
    "queen": (3, 2, 0),
    "man": (1, 0, 0),
    "woman": (1, 2, 0),
    "apple": (0, 0, 2),
    "pear": (0, 0.2, 2),
}
WORDS = Vocabulary("word", (*TABLE, UNKNOWN, END), "blanks")


@pytest.fixture
def vectors() -> Vectors:
    return Vectors(np.array([*TABLE.values(), (1, 1, 1), (2, 1, 1)], np.float32), WORDS)


def test_neighbours_have_the_largest_cosines(vectors: Vectors) -> None:
    found = vectors.nearest("apple", 2)
    assert found.words[0] == "pear" and found.similarities[0] == pytest.approx(2 / np.sqrt(4.04))
    everything = vectors.nearest("apple", 100).words
    assert len(everything) == 5 and not {"apple", UNKNOWN, END} & set(everything)


def test_an_analogy_leaves_its_own_words_out(vectors: Vectors) -> None:
    found = vectors.analogy("king", "queen", "man", 5)
    assert found.words[0] == "woman" and not {"king", "queen", "man"} & set(found.words)
    with pytest.raises(UsageError, match='"quen" is not in the vocabulary .*did you mean queen'):
        vectors.analogy("king", "quen", "man", 5)


def test_questions_are_counted_where_all_words_are_known(vectors: Vectors) -> None:
    asked = [("king", "queen", "man", "woman"), ("man", "woman", "king", "queen"), ("king", "queen", "man", "duke")]
    assert vectors.answers(asked) == (2, 2)
    assert vectors.answers([("a", "b", "c", "d")]) == (0, 0)


def test_rank_correlation_by_hand(vectors: Vectors) -> None:
    pairs = [("apple", "pear", 10.0), ("king", "queen", 7.0), ("king", "apple", 1.0), ("king", "duke", 5.0)]
    assert vectors.correlation(pairs) == (pytest.approx(1.0), 3)
    assert vectors.correlation([(a, b, -score) for a, b, score in pairs]) == (pytest.approx(-1.0), 3)
    assert vectors.correlation(pairs[:1]) == (None, 1)


def test_files_of_questions_and_pairs(tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text(": family\nKing Queen man woman\n\n: fruit\napple pear apple pear\n")
    found = read_analogies(tmp_path / "q.txt", WORDS)
    assert found == {"family": [("king", "queen", "man", "woman")], "fruit": [("apple", "pear", "apple", "pear")]}
    (tmp_path / "p.txt").write_text("king\tqueen\t8.5\n")
    assert read_pairs(tmp_path / "p.txt", WORDS) == [("king", "queen", 8.5)]
    (tmp_path / "p.txt").write_text("king\tqueen\t8.5\nking queen\n")
    with pytest.raises(UsageError, match="line 2: two words and a number"):
        read_pairs(tmp_path / "p.txt", WORDS)
    (tmp_path / "q.txt").write_text("king queen man\n")
    with pytest.raises(UsageError, match="line 1: four words are expected, there are 3"):
        read_analogies(tmp_path / "q.txt", WORDS)
    with pytest.raises(UsageError, match="No such file"):
        read_analogies(tmp_path / "none.txt", WORDS)


def test_the_picture_shows_the_axes_of_most_variance(vectors: Vectors, tmp_path: Path) -> None:
    flat = np.array([[0, 0, 1.0], [4, 0, 1], [0, 1, 1], [4, 1, 1]])
    places, share = components(flat)
    assert share == pytest.approx(1.0)
    np.testing.assert_allclose(np.ptp(places, axis=0), [4, 1], atol=1e-9)
    assert 0 < draw([*TABLE, "$x", "y"], vectors.units, tmp_path / "map.png") <= 1
    assert (tmp_path / "map.png").read_bytes()[:4] == b"\x89PNG"
