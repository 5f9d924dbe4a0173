"""The English phone nearest to any IPA segment: marks, doubled letters, diphthongs, affricates; and what is none."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percept.speech.ipa import from_ipa, split_ipa
from percept.speech.phones import PHONES

# Labels that hand-made transcriptions of Czech, Greek and Hawaiian hold.
NEAREST = {
    "a": "aa",
    "aː": "aa",
    "b": "b",
    "c": "k",
    "d": "d",
    "dʲ": "d",
    "d͡ʒ": "jh",
    "e": "ey",
    "eː": "ey",
    "f": "f",
    "h": "hh",
    "i": "iy",
    "iː": "iy",
    "j": "y",
    "k": "k",
    "l": "l",
    "m": "m",
    "n": "n",
    "o": "ow",
    "oː": "ow",
    "p": "p",
    "r": "r",
    "r̝": "zh",
    "s": "s",
    "t": "t",
    "tʲ": "t",
    "t̪": "t",
    "t͡ʃ": "ch",
    "u": "uw",
    "v": "v",
    "w": "w",
    "x": "hh",
    "z": "z",
    "æ": "ae",
    "ð": "dh",
    "ŋ": "ng",
    "ɔ": "ao",
    "ɛ": "eh",
    "ɡ": "g",
    "g": "g",
    "ɣ": "g",
    "ɪ": "ih",
    "ɲ": "n",
    "ɾ": "d",
    "ʃ": "sh",
    "ʊ": "uh",
    "ʌ": "ah",
    "ʒ": "zh",
    "ʔ": "t",
}


@pytest.mark.parametrize(("symbol", "phone"), NEAREST.items())
def test_labels_of_other_languages(symbol: str, phone: str) -> None:
    assert from_ipa(symbol) == phone
    assert from_ipa(unicodedata.normalize("NFC", symbol)) == phone


@pytest.mark.parametrize(
    ("symbols", "phone"),
    [
        ("tʰ tʼ tː tt ʈ ʰt t̚ tˤ t⁼", "t"),
        ("kʷ kː q kʲ kʰː", "k"),
        ("n̩ nː ɳ n̥", "n"),
        ("ɹ̩ ɚ ə˞ ɝ ɜː əɹ", "er"),
        ("a˥ a˥˩ á à ã aˑ ˈa a² aʰ", "aa"),
        ("ç çː", "hh"),
        ("ts t͡s ʦ tɕ ʈ͡ʂ t͡ːʃ ttʃ ʧ tʃʰ", "ch"),
        ("dz d͡ʑ ʤ", "jh"),
        ("d̥ tʲ", "t"),
        ("ɡ̊", "k"),
        ("s̬", "z"),
        ("ⁿd nd", "d"),
        ("k͡p", "p"),
        ("ai aɪ ai̯ ɑɪ aj aːi", "ay"),
        ("au aʊ aw", "aw"),
        ("oi ɔɪ oi̯", "oy"),
        ("ei eɪ ej", "ey"),
        ("ou oʊ əʊ ow", "ow"),
        ("i̯a", "aa"),
        ("i̯", "y"),
        ("u̯", "w"),
        ("r ɻ ʀ ʁ r̥", "r"),
    ],
)
def test_marks_doubles_diphthongs_and_affricates(symbols: str, phone: str) -> None:
    assert {symbol: from_ipa(symbol) for symbol in symbols.split()} == dict.fromkeys(symbols.split(), phone)


@pytest.mark.parametrize(
    "symbol", ["", "?", "1", "kp", "stra", "abj", "abɹ", "ж", "ː", "a?", "\u0303", "A", "spn", "-"]
)
def test_what_is_no_segment(symbol: str) -> None:
    assert from_ipa(symbol) is None


@settings(max_examples=60)
@given(st.text("aeiouəɛɔbdfɡhjklmnprstuvwxzɾʃʒθðŋ\u0303\u0329\u0325\u031d\u032f\u0361ʰʷʲː˞˥ˈ ", max_size=6))
def test_any_string_of_letters_and_marks_has_an_answer(text: str) -> None:
    assert from_ipa(text) in (None, *PHONES)
    assert all(split_ipa(text))
    assert (
        "".join(split_ipa(text)).replace("ˈ", "")
        == unicodedata.normalize("NFC", "".join(text.replace("ˈ", "").split()))
        or "\u0303" in text
    )


def test_transcriptions_without_blanks() -> None:
    assert [from_ipa(one) for one in split_ipa("/ˈtʃɛk.ɪŋ/")] == ["ch", "eh", "k", "ih", "ng"]
    assert split_ipa("ˈdʒʌdʒ") == ["dʒ", "ʌ", "dʒ"]
    assert split_ipa("t͡saʊ̯ a") == ["t͡s", "aʊ̯", "a"]
