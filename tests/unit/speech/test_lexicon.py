"""CMUdict, one's own dictionaries, endings; what is wrong with a dictionary file, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from percept.core.errors import UsageError
from percept.speech import letters
from percept.speech.endings import derived, lettered
from percept.speech.lexicon import Entry, Lexicon, cmudict, read_lexicon, write_lexicon
from percept.speech.phones import PHONES


def said(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.dict"
    path.write_text(text, encoding="utf-8")
    return path


def test_cmudict_without_stress_comments_and_numbers_of_variants() -> None:
    lexicon = cmudict()
    assert len(lexicon) > 125_000 and lexicon is cmudict()
    assert lexicon.listed("hello") == (said("hh ah l ow"), said("hh eh l ow"))
    assert lexicon.listed("aalborg") == (said("ao l b ao r g"), said("aa l b ao r g"))  # "# place, danish"
    assert "hello(2)" not in lexicon and "xqzv" not in lexicon and lexicon.listed("xqzv") == ()
    assert lexicon.listed("tomato")[0] == said("t ah m ey t ow")
    assert lexicon.words()[0] == "'bout"
    some = lexicon.words()[::500]
    assert all(
        lexicon.listed(word) and {p for one in lexicon.listed(word) for p in one} <= set(PHONES) for word in some
    )


@pytest.mark.parametrize(
    "text",
    [
        "HELLO HH AH0 L OW1\nhello HH EH0 L OW1\nBye\tB  AY1\n",
        ";;; comment\nHELLO  HH AH0 L OW1\nHELLO(2)  HH EH0 L OW1 # greeting\n\n# another\nBYE  B AY1\n",
        "hello\t0.2\thh_B eh_I l_I ow_E\nhello 0.8 hh_B ah_I l_I ow_E\r\nbye 1 b_B ay_E\n!SIL SIL\n<unk> SPN\n",
        "hello\t0.8\t0.1\t1.0\t1.2\th ə l oʊ\nhello\t0.2\t0.1\t1.0\t1.2\th ɛ l oʊ\nbye b aɪ\n",
        "hello həˈloʊ\nhello hɛˈloʊ\nbye /baɪ/\n",
        "hello hv ax l ow\nhello hv eh l ow\nbye bcl b ay\n",
        "\ufeffhello hh ah l ow\nhello hh eh l ow\nhello hh ah l ow\nbye b ay",
    ],
    ids=["kaldi", "cmu", "probabilities", "ipa", "ipa without blanks", "timit", "twice"],
)
def test_dictionaries_of_any_kind(tmp_path: Path, text: str) -> None:
    lexicon = read_lexicon(written(tmp_path, text))
    assert lexicon.words() == ("hello", "bye")
    assert lexicon.listed("hello") == (said("hh ah l ow"), said("hh eh l ow"))
    assert lexicon.listed("bye") == (said("b ay"),)


def test_an_ipa_dictionary_in_ascii(tmp_path: Path) -> None:
    assert read_lexicon(written(tmp_path, "mama m a m a\nkino k i n o\n")).listed("kino") == (said("k iy n ow"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one W AH N\ntwo T UUW\n", r'own\.dict line 2: unknown phone "UUW"; did you mean uw\?'),
        ("one w ʌ n\ntwo t ж\n", r'line 2: unknown phone "ж"'),
        ("one W AH N\n\ntwo\n", r'line 3: no phones after "two"'),
        ("one 0.5\n", r'line 1: no phones after "one"'),
        ("", r"own\.dict: no words in it; lines such as"),
        ("# only a comment\n<eps> SIL\n", r"no words in it"),
    ],
)
def test_dictionaries_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_lexicon(written(tmp_path, text))


def test_a_dictionary_that_is_not_there_or_in_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.dict: no such file"):
        read_lexicon(tmp_path / "gone.dict")
    path = tmp_path / "latin.dict"
    path.write_bytes("one w ah n\ncafé k ae f ey\n".encode("latin-1"))
    with pytest.raises(UsageError, match=r"latin\.dict: line 2: neither UTF-8 nor UTF-16"):
        read_lexicon(path)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    entries = [cmudict().look_up(word) for word in ("hello", "dogs'", "tomato")]
    text = write_lexicon(entries)
    assert text.startswith("hello\thh ah l ow\nhello\thh eh l ow\ndogs'\td ao g z\n")
    again = read_lexicon(written(tmp_path, text))
    assert [again.listed(entry.word) for entry in entries] == [entry.pronunciations for entry in entries]


def test_ones_own_words_come_before_cmus() -> None:
    both = Lexicon({"hello": "y ow", "blorp": "b l ao r p"}).over(cmudict())
    assert both.listed("hello") == (said("y ow"),)
    assert both.listed("world") == cmudict().listed("world")
    assert both.pronunciations("blorped") == (said("b l ao r p t"),)
    assert both.unknown(["blorp", "xyzzyq", "hello", "xyzzyq"]) == ["xyzzyq"]


def test_where_a_pronunciation_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "pronounce", lambda word, count: (("b", "l"),) * count if word.isascii() else ())
    lexicon = cmudict()
    assert lexicon.look_up("hello").source == "listed"
    assert lexicon.look_up("zebras'") == Entry("zebras'", (said("z iy b r ah z"),), "derived")
    assert lexicon.look_up("blorple", 2) == Entry("blorple", (("b", "l"), ("b", "l")), "letters")
    assert lexicon.look_up("blorple", 0) == Entry("blorple", (), "")
    assert lexicon.look_up("привет") == Entry("привет", (), "")


STEMS = {
    "cat": "k ae t",
    "dog": "d ao g",
    "horse": "hh ao r s",
    "bake": "b ey k",
    "beg": "b eh g",
    "wait": "w ey t",
    "study": "s t ah d iy",
    "box": "b aa k s",
    "real": "r iy l",
    "happy": "hh ae p iy",
    "magic": "m ae jh ih k",
    **{"b": "b iy", "c": "s iy", "x": "eh k s"},
}


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("cat's", "k ae t s"),
        ("cats", "k ae t s"),
        ("cats'", "k ae t s"),
        ("dog's", "d ao g z"),
        ("horses", "hh ao r s ih z"),
        ("horse's", "hh ao r s ih z"),
        ("boxes", "b aa k s ih z"),
        ("studies", "s t ah d iy z"),
        ("baked", "b ey k t"),
        ("begged", "b eh g d"),
        ("waited", "w ey t ih d"),
        ("studied", "s t ah d iy d"),
        ("baking", "b ey k ih ng"),
        ("begging", "b eh g ih ng"),
        ("waitin'", "w ey t ih n"),
        ("dog'll", "d ao g ah l"),
        ("dog'd", "d ao g d"),
        ("really", "r iy l iy"),
        ("happiness", "hh ae p iy n ah s"),
        ("magically", "m ae jh ih k l iy"),
        ("catlike", "k ae t l ay k"),
    ],
)
def test_endings(word: str, phones: str) -> None:
    assert derived(word, Lexicon(STEMS).listed) == (said(phones),)


@pytest.mark.parametrize("word", ["bass", "ing", "'s", "s", "", "king", "'d", "in'", "xs'"])
def test_words_without_a_stem(word: str) -> None:
    assert derived(word, Lexicon(STEMS).listed) == ()


def test_words_without_vowels_are_their_letters() -> None:
    listed = Lexicon(STEMS).listed
    assert lettered("bbc", listed) == (said("b iy b iy s iy"),)
    assert lettered("bbc's", listed) == (said("b iy b iy s iy z"),)
    assert (
        lettered("bac", listed) == lettered("bcd", listed) == lettered("b", listed) == lettered("bcbcbc", listed) == ()
    )
