"""Text is cut as the corpora cut it, and put together again as it was."""

from __future__ import annotations

import pytest

from percept.nlp.lm.detokenise import Writer, detokenise
from percept.nlp.lm.tokenise import looks_cut, ptb_words, splitter, text_words, wikitext_words
from percept.nlp.sentences import END

# each as a person writes it, and as WikiText has it
PAIRS = (
    ("It weighs 0.7 to 2.2 kg (1.5 lb).", "It weighs 0 @.@ 7 to 2 @.@ 2 kg ( 1 @.@ 5 lb ) ."),
    ("A well-known site's 1,000 stones.", "A well @-@ known site 's 1 @,@ 000 stones ."),
    ("Mr. H. G. Wells can't come; why?", "Mr. H. G. Wells can 't come ; why ?"),
    ("The U.S. team won.", "The U.S. team won ."),
)


@pytest.mark.parametrize(("text", "cut"), PAIRS)
def test_text_and_words_are_two_forms_of_one_thing(text: str, cut: str) -> None:
    assert text_words(text) == cut.split()
    assert detokenise(cut.split(), "text") == text


@pytest.mark.parametrize(("text", "cut"), PAIRS)
def test_what_is_cut_passes_unchanged(text: str, cut: str) -> None:
    assert text_words(cut) == cut.split()
    assert looks_cut([cut]) and not looks_cut([text])


def test_quotation_marks_are_straight_in_wikitext_and_lean_the_right_way() -> None:
    assert wikitext_words("“Come,” he said.") == ['"', "Come", ",", '"', "he", "said", "."]
    assert detokenise(['"', "Come", ",", '"', "he", "said", "."], "wikitext") == '"Come," he said.'
    assert detokenise(["“", "Come", ",", "”", "he", "said", "."], "text") == "“Come,” he said."
    assert detokenise(["one", "—", "two"], "text") == "one—two"


def test_the_penn_treebank_has_small_letters_numbers_as_n_and_no_punctuation() -> None:
    wanted = ["mr.", "vinken", "N", "is", "n't", "the", "board", "'s", "N", "%", "owner"]
    assert ptb_words("Mr. Vinken, 61, isn't the board's 5% owner.") == wanted
    kept = "mr. <unk> is n't n.v. 's chairman of $ N million"
    assert ptb_words(kept) == kept.split()


def test_sentences_of_the_penn_treebank_are_written_with_capitals_and_full_stops() -> None:
    assert detokenise(["shares", "rose", END, "he", "did", "n't", END], "ptb") == "Shares rose.\nHe didn't.\n"


def test_blanks_cut_at_blanks_alone() -> None:
    assert splitter("blanks")("well-known, it is") == ["well-known,", "it", "is"]


def test_the_text_before_decides_whether_a_blank_comes_first() -> None:
    for prompt, written in (("It was", " a"), ("It was ", "a"), ("", "a"), ("He (", "a")):
        writer = Writer("text")
        writer.seen(prompt)
        assert writer.write("a") == written
    writer = Writer("text")
    writer.seen('He said "come')
    assert writer.write('"') == '"', "an open quotation is closed"


def test_characters_are_joined_as_they_are() -> None:
    assert detokenise([*"a b", END, "c"], "none") == "a b\nc"
