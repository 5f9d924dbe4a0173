"""Text as it is read aloud: numbers, abbreviations, symbols, quotes; and what cannot be."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percept.speech.numerals import cardinal, ordinal, year
from percept.speech.words import spoken, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mr. Smith's 21 dogs", "mister smith's twenty one dogs"),
        ("Dr. Jones on Elm Dr. near St. Paul", "doctor jones on elm drive near saint paul"),
        ("5 Main St. with Mrs Brown", "five main street with missus brown"),
        ("Gen. Lee, gen. no. No. 5 no.", "general lee gen no number five no"),
        ("Jan. 5 vs. etc.", "january five versus et cetera"),
        ("Smith & Sons Inc.", "smith and sons incorporated"),
        ("U.S. U.S.A. Ph.D. NBC AT&T R&D J. R. Tolkien", "u s u s a p h d nbc a t and t r and d j r tolkien"),
        ("this, e.g. that", "this for example that"),
        ("don't o'clock 'tis the dogs' tails", "don't o'clock 'tis the dogs' tails"),
        ("‘It’s the dogs’, he said: “goin’ home”", "it's the dogs he said goin' home"),
        ("'hello there' rock 'n' roll", "hello there rock 'n roll"),
        ("well-known—indeed…yes and/or", "well known indeed yes and or"),
        ("café naïve Łódź Straße Ångström ﬁne", "cafe naive lodz strasse angstrom fine"),
        ("I'M ALL CAPS", "i'm all caps"),
        ("end.Next www.foo.com me@foo.org", "end next w w w dot foo dot com me at foo dot org"),
        ("mp3 4x4 3D B2B", "mp three four x four three d b two b"),
        ("10km 100 km/h", "ten kilometers one hundred kilometers per hour"),
        ("20°C 1 lb 50% 5 %", "twenty degrees celsius one pound fifty percent five percent"),
        ("[noise] <unk> _x_ (a)", "noise unk x a"),
        ("", ""),
        (" .,-'\" ", ""),
    ],
)
def test_words(text: str, words: str) -> None:
    assert spoken(text).words == tuple(words.split())
    assert spoken(text).dropped == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 7 13 40 101", "zero seven thirteen forty one hundred one"),
        ("1,500 1000000", "one thousand five hundred one million"),
        ("007 10,00", "zero zero seven ten zero zero"),
        ("1984 1905 1900", "nineteen eighty four nineteen oh five nineteen hundred"),
        ("2000 2005 2010 2600", "two thousand two thousand five twenty ten two thousand six hundred"),
        ("the 1990s, '90s and 6s", "the nineteen nineties nineties and sixes"),
        ("1st 2nd 3RD 20th 101st", "first second third twentieth one hundred first"),
        ("3.14 0.5 .5", "three point one four zero point five point five"),
        ("-5 -3.2 1.2.3", "minus five minus three point two one point two three"),
        ("10-15 1914–1918", "ten to fifteen nineteen fourteen to nineteen eighteen"),
        ("5-year-old 1-2-3 555-1234", "five year old one two three five five five one two three four"),
        ("$1 $3.50 $1.01", "one dollar three dollars and fifty cents one dollar and one cent"),
        ("£2.02 $0.99 $2 million", "two pounds and two pence ninety nine cents two million dollars"),
        ("$5k €1.5 billion", "five thousand dollars one point five billion euros"),
        ("3:05 3:00 10:30 a.m. 5pm", "three oh five three o'clock ten thirty a m five p m"),
        ("23:15 0:00", "twenty three fifteen zero hundred"),
        ("1/2 2/3 3/4 2 1/2 1½", "one half two thirds three quarters two and one half one and one half"),
        ("24/7 9/11 12/25/2020", "twenty four seven nine eleven twelve twenty five twenty twenty"),
        ("#1 2+2=4 6 × 7", "number one two plus two equals four six times seven"),
        ("9" * 20, " ".join(["nine"] * 20)),
        ("٣ １２", "three twelve"),
    ],
)
def test_numbers(text: str, words: str) -> None:
    assert words_of(text) == words.split()


def test_what_is_left_out_is_told() -> None:
    said = spoken("Привет, 北京 x © C# 🙂 ok")
    assert said.words == ("x", "c", "ok")
    assert said.dropped == ("Привет", "北京", "©", "#", "🙂")


def test_words_that_are_known_stay() -> None:
    czech = {"čau", "x-ray", "привет"}
    assert spoken("Čau, světe: X-ray! Привет", czech).words == ("čau", "svete", "x-ray", "привет")


def test_numerals_are_right_up_to_the_largest() -> None:
    assert " ".join(cardinal(987_654_321)).startswith(
        "nine hundred eighty seven million six hundred fifty four thousand"
    )
    assert cardinal(10**18) == ["one", *["zero"] * 18]
    assert cardinal(10**15) == ["one", "quadrillion"]
    ordinals = " ".join(ordinal(n)[-1] for n in (1, 2, 3, 5, 8, 9, 12, 20, 100))
    assert ordinals == "first second third fifth eighth ninth twelfth twentieth hundredth"
    assert len({" ".join(cardinal(n)) for n in range(3000)}) == 3000
    assert len({" ".join(year(n)) for n in range(1100, 2100)}) == 1000


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_any_text_is_words_of_letters_or_told(text: str) -> None:
    said = spoken(text)
    assert all(re.fullmatch(r"'?[a-z]+(?:'[a-z]+)*'?", word) for word in said.words)
    again = spoken(" ".join(said.words))
    assert not again.dropped


PLAIN = ("we", "don't", "know", "man's", "name", "it's", "o'clock", "'tis", "ladies'")


@settings(max_examples=30)
@given(st.lists(st.sampled_from(PLAIN), max_size=8))
def test_plain_words_stay(words: list[str]) -> None:
    assert words_of(" ".join(words)) == words
