"""Units are numbered by frequency; every token of a text has a number, ends of lines too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from percept.core.errors import UsageError
from percept.nlp.lm import vocabulary
from percept.nlp.lm.corpus import Text, read
from percept.nlp.lm.vocabulary import Counted, Vocabulary, build, encode, encode_texts
from percept.nlp.sentences import END, UNKNOWN

TINY = Path(__file__).parents[3] / "data" / "lm_tiny"


def text(folder: Path, content: str, **about: bool) -> Text:
    path = folder / "a.txt"
    path.write_text(content)
    return Text(path, **about)


def test_words_are_sorted_by_frequency_and_rare_ones_are_unknown(tmp_path: Path) -> None:
    found, counts = build([text(tmp_path, "b b b a\nb a\nc\n")], "word", "blanks", minimum=2)
    assert found.units == ("b", END, "a", UNKNOWN) and counts.tolist() == [4, 3, 2, 1]


def test_where_unk_is_a_word_all_words_are_kept(tmp_path: Path) -> None:
    found, _ = build([text(tmp_path, "a <unk> b\n")], "word", "blanks")
    assert set(found.units) == {"a", "b", UNKNOWN, END}


def test_most_words(tmp_path: Path) -> None:
    found, counts = build([text(tmp_path, "a a a b b c\n")], "word", "blanks", most=1, minimum=1)
    assert set(found.units) == {"a", UNKNOWN, END} and dict(zip(found.units, counts, strict=True))[UNKNOWN] == 3


def test_numbers_of_a_text_and_what_was_counted(tmp_path: Path) -> None:
    words = Vocabulary("word", ("a", END, UNKNOWN, "b"), "blanks")
    counted = Counted()
    blocks = [*encode([["a b"], [], ["x  "], ["a ", "x"]], words, counted)]
    assert np.concatenate(blocks).tolist() == [0, 3, 1, 1, 2, 1, 0, 2, 1]
    assert (counted.tokens, counted.lines, counted.characters) == (9, 4, 3 + 0 + 1 + 2 + 4)
    assert counted.unknown == {"x": 2}


def test_a_long_text_comes_in_blocks() -> None:
    letters = Vocabulary("character", ("a", END), "none")
    blocks = [*encode([["a" * 50_000, "a" * 50_000, "a"]], letters, Counted())]
    assert [len(block) for block in blocks] == [100_000, 2]


def test_articles_are_documents(tmp_path: Path) -> None:
    wiki = text(tmp_path, " \n = One = \n a \n = = Part = = \n = Two = \n b \n", articles=True, cut=True)
    words, _ = build([wiki], "word", "wikitext", minimum=1)
    found = encode_texts([wiki], words)
    beginnings = [[words.units[i] for i in found.ids[at : at + 3]] for at in found.starts.tolist()]
    assert beginnings[1:] == [["=", "One", "="], ["=", "Two", "="]] and found.starts[0] == 0
    assert len(found.ids) == len(wiki.path.read_text().split()) + 6


def test_characters_have_a_place_for_those_that_never_came(tmp_path: Path) -> None:
    found, _ = build([text(tmp_path, "abba\n")], "character", "none")
    assert set(found.units) == {"a", "b", END, UNKNOWN}
    assert found.numbers("ac") == [found.index["a"], found.unknown]


def test_pieces_of_words_spell_everything() -> None:
    pytest.importorskip("tokenizers")
    found, counts = build(read(TINY).split("train"), "bpe", "none", most=400)
    assert len(found) == 400 and (np.diff(counts) <= 0).all()
    for given in ("It was a bright cold day", "naïve — 😀", "  two  blanks "):
        units = [found.units[number] for number in found.numbers(given)]
        assert b"".join(map(found.spelt, units)).decode() == given


def test_an_unknown_word_names_the_nearest() -> None:
    words = Vocabulary("word", ("stereo", "Apple", END), "blanks")
    assert words.number("STEREO".lower()) == 0 and words.number("apple") == 1
    with pytest.raises(UsageError, match='"steroe" is not in the vocabulary .* did you mean stereo'):
        words.number("steroe")
    with pytest.raises(UsageError, match="'x' is not in the vocabulary, and <unk> neither"):
        words.numbers("stereo x")


def test_an_empty_text_teaches_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no words"):
        build([text(tmp_path, "\n\n")], "word", "blanks")


def test_a_header_gives_the_vocabulary_back(tmp_path: Path) -> None:
    found, _ = build([text(tmp_path, "a b a\n")], "word", "text", minimum=1)
    assert Vocabulary(units=found.units, **found.to_json()) == found
    assert vocabulary.RARE == 3
