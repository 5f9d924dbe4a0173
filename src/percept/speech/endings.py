"""Pronunciations of words that no dictionary lists, from a listed stem and an ending, or from the names of letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator

Pronunciation = tuple[str, ...]
Listed = Callable[[str], tuple[Pronunciation, ...]]

HISSING = frozenset(("s", "z", "sh", "zh", "ch", "jh"))
VOICELESS = frozenset(("p", "t", "k", "f", "th"))
VOWELS = frozenset("aeiouy")
SHORTEST = 2  # letters of a stem
ENDINGS = {  # whose sound is the same after any stem, which is written whole before it
    "'ll": ("ah", "l"),
    "'ve": ("ah", "v"),
    "'re": ("er",),
    "ly": ("l", "iy"),
    "ness": ("n", "ah", "s"),
    "less": ("l", "ah", "s"),
    "ful": ("f", "ah", "l"),
    "ship": ("sh", "ih", "p"),
    "like": ("l", "ay", "k"),
}


def derived(word: str, listed: Listed) -> tuple[Pronunciation, ...]:
    """The pronunciations of a listed stem with the sound of the word's ending; () where there is no such stem.

    Possessives and plurals (-'s, -s', -s, -es, -ies), -ed, -ing, -in', -'d, and the endings in ENDINGS.
    """
    for stem, sound in _analyses(word):
        if len(stem) >= SHORTEST and (found := listed(stem)):
            return tuple((*phones, *_after(phones, sound)) for phones in found)
    if word.endswith("in'") and (found := derived(f"{word[:-1]}g", listed) or listed(f"{word[:-1]}g")):
        return tuple((*phones[:-1], "n") if phones[-1] == "ng" else phones for phones in found)
    return ()


def lettered(word: str, listed: Listed) -> tuple[Pronunciation, ...]:
    """The names of the letters of a word that has no vowel and is no longer than five: "bbc"; () of others."""
    stem = word.removesuffix("'s")
    if not 1 < len(stem) <= 5 or not stem.isalpha() or VOWELS & set(stem):
        return ()
    names = [listed(letter) for letter in stem]
    if not all(names):
        return ()
    phones = tuple(phone for name in names for phone in name[0])
    return ((*phones, *(_after(phones, "s") if stem != word else ())),)


def _analyses(word: str) -> Iterator[tuple[str, str | Pronunciation]]:
    """(stem, ending): "s" and "d" sound by what stands before them; the likeliest first."""
    if word.endswith(("'s", "s'")):
        yield word[:-2] if word.endswith("'s") else word[:-1], "s" if word.endswith("'s") else ()
        if word.endswith("s'"):
            yield word[:-2], "s"
        return
    if word.endswith("'d"):
        yield word[:-2], "d"
    if word.endswith("ies"):
        yield f"{word[:-3]}y", "s"
    if word.endswith("s") and not word.endswith("ss"):
        yield word[:-1], "s"
    if word.endswith("es"):
        yield word[:-2], "s"
    for ending, sound in (("ed", "d"), ("ing", ("ih", "ng"))):
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            if stem.endswith("i") and ending == "ed":
                yield f"{stem[:-1]}y", sound
            if len(stem) > 2 and stem[-1] == stem[-2]:
                yield stem[:-1], sound
            yield f"{stem}e", sound
            yield stem, sound
    if word.endswith("ically"):
        yield word.removesuffix("ally"), ("l", "iy")
    for ending, phones in ENDINGS.items():
        if word.endswith(ending):
            yield word.removesuffix(ending), phones
            if ending in ("ly", "ness", "less", "ful") and word.endswith(f"i{ending}"):
                yield f"{word.removesuffix(f'i{ending}')}y", phones


def _after(phones: Pronunciation, sound: str | Pronunciation) -> Pronunciation:
    """How an ending sounds after phones: cats, dogs, horses; baked, begged, waited."""
    last = phones[-1]
    if not isinstance(sound, str):
        return sound[1:] if sound[:1] == (last,) == ("l",) else sound  # really
    if sound == "s":
        return ("ih", "z") if last in HISSING else ("s",) if last in VOICELESS else ("z",)
    return ("ih", "d") if last in "td" else ("t",) if last in VOICELESS or last in ("s", "sh", "ch") else ("d",)
