"""A text as the words of somebody who reads it aloud: numbers, money, times, abbreviations and symbols spelt out.

English, American style. What cannot be said so, such as words in other scripts, is told, not dropped in silence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass

from percept.speech.abbreviations import (
    ALONE,
    BEFORE_NAMES,
    BEFORE_NUMBERS,
    CENTS,
    CURRENCIES,
    DOMAINS,
    DOTTED,
    ELIDED,
    LETTERS,
    SHORTENED,
    SYMBOLS,
    TITLES,
    TYPOGRAPHY,
    UNITS,
)
from percept.speech.numerals import cardinal, decimal, digits, fraction, ordinal, plain, plural, year

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|(?<![\d\w])\.\d+"
_LETTER = r"[^\W\d_][\u0300-\u036f]*"
_SCALE = r"hundred|thousand|million|billion|trillion"
_RULES = {  # the first that fits counts
    "money": rf"(?P<currency>[{''.join(CURRENCIES)}])\s?(?P<amount>{_NUMBER})"
    rf"(?:\s?(?P<scale>{_SCALE})\b|(?P<short>k|bn|[mb])\b)?",
    "clock": r"(?<![\d:.])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:])"
    r"(?:\s?(?P<half>[ap])\.?\s?m\b\.?)?",
    "hour": r"(?<![\d:.])(?P<only>1[0-2]|0?[1-9])\s?(?P<side>[ap])\.?m\b\.?",
    "fraction": r"(?<![\d/.,])(?:(?P<whole>\d+)\s+)?(?P<above>\d{1,3})[/⁄](?P<below>\d{1,3})(?![\d/])",
    "ordinal": r"(?P<rank>\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th)\b",
    "many": r"'?(?P<many>\d+)'?s\b",
    "phone": r"(?<![\d-])(?:1-)?(?:\d{3}-)?\d{3}-\d{4}(?![\d-])",
    "span": r"(?<![\d.,–-])(?P<from>\d{1,4})[-–](?P<to>\d{1,4})(?![\d-])",
    "number": rf"(?:(?<![\w.)])(?P<minus>[-−])\s?)?(?P<number>{_NUMBER})"
    rf"(?:\s?(?P<unit>{'|'.join(map(re.escape, sorted(UNITS, key=len, reverse=True)))})(?![^\W_]))?",
    "and": r"(?-i:\b[A-Z]{1,3}(?:&[A-Z]{1,3})+\b)",
    "initials": r"\b(?:[a-z]\.){2,}(?:[a-z]\b(?!'))?(?P<owner>'s\b)?|\bph\.?d\b\.?",
    "web": r"\bwww\.",
    "dot": rf"(?<=[a-z0-9])\.(?=(?:{'|'.join(DOMAINS)})\b)",
    "word": rf"(?P<lead>')?(?P<word>{_LETTER}(?:{_LETTER}|'(?={_LETTER}))*)(?P<trail>'(?!\w))?"
    rf"(?P<dotted>\.(?!(?:{'|'.join(DOMAINS)})\b))?",
    "symbol": rf"#(?=\d)|[{re.escape(''.join(SYMBOLS).replace('#', ''))}]",
    "rest": r"\S",
}
_SCAN = re.compile("|".join(f"(?P<{name}_>{rule})" for name, rule in _RULES.items()), re.IGNORECASE)
_PUNCTUATION = frozenset(".,;:!?\"'()[]{}-–—…/\\_*|~^`<>¡¿•·")
_NAME, _COUNT = re.compile(r"\s+[A-Z]"), re.compile(r"\s*\d")
_ABBREVIATIONS = frozenset(("st", "dr", *TITLES, *ALONE, *BEFORE_NAMES, *BEFORE_NUMBERS, *SHORTENED))
_PLAIN = re.compile(r"[a-z]+(?:'[a-z]+)*'?|'[a-z]+")


@dataclass(frozen=True)
class Spoken:
    """``words`` in lower case, of letters a to z and apostrophes (and those that were known); ``dropped``: what of the
    text was not turned into words and is no punctuation, in the text's order."""

    words: tuple[str, ...]
    dropped: tuple[str, ...] = ()


def words_of(text: str, known: Container[str] = ()) -> list[str]:
    """The words of a text, in lower case; see :func:`spoken`.

    >>> words_of("Mr. Smith's 21 dogs")
    ['mister', "smith's", 'twenty', 'one', 'dogs']
    """
    return list(spoken(text, known).words)


def spoken(text: str, known: Container[str] = ()) -> Spoken:
    """A text as the words in which it is read aloud.

    Numbers (cardinals, ordinals, years, decimals, fractions, times, money, units), abbreviations and symbols are spelt
    out, hyphens part words, accents are folded, acronyms with dots become letters, those without stay as they are.

    Args:
        known: words that stay as they are written (but in lower case) though they hold other signs: the dictionary of
            another language.

    >>> spoken("Café № 3 at 5:05 p.m. 🙂")
    Spoken(words=('cafe', 'three', 'at', 'five', 'oh', 'five', 'p', 'm'), dropped=('№', '🙂'))
    """
    said = _Speaker()
    at = 0
    for token in re.finditer(r"\S+", text) if known else ():
        core = token[0].strip("".join(_PUNCTUATION)).lower()
        if core and not _PLAIN.fullmatch(core) and core in known:
            said.read(text[at : token.start()])
            said.words.append(core)
            at = token.end()
    said.read(text[at:])
    return Spoken(tuple(said.words), tuple(said.dropped))


class _Speaker:
    """Reads texts one after another; what it has said, and whether a single quote stands open."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.dropped: list[str] = []
        self.quoted = False

    def read(self, text: str) -> None:
        text = _plain_signs(text)
        for match in _SCAN.finditer(text):
            rule = str(match.lastgroup)[:-1]  # the outermost closes last
            if rule == "word":
                self._word(match, text)
            elif rule == "rest":
                self.dropped += [sign for sign in match[0] if sign not in _PUNCTUATION]
            else:
                self.words += _SAID[rule](match)

    def _word(self, match: re.Match[str], text: str) -> None:
        written = match["word"]
        if not match["lead"] and (long := _in_full(written.lower(), bool(match["dotted"]), text, match.end())):
            self.words += long.split()
            return
        folded = _folded(written)
        if not _PLAIN.fullmatch(folded):
            self.dropped.append(written)
            return
        lead = bool(match["lead"]) and f"'{folded}" in ELIDED
        if match["lead"] and not lead:
            self.quoted = True
        trail = bool(match["trail"]) and not lead and not self.quoted and _may_end_so(folded)
        if match["trail"] and not trail:
            self.quoted = False
        self.words.append("'" * lead + folded + "'" * trail)


def _in_full(short: str, dotted: bool, text: str, end: int) -> str | None:
    """What an abbreviation stands for, where it is one here; end: where it ends in the text."""
    if short not in _ABBREVIATIONS:
        return None
    name_follows, number_follows = bool(_NAME.match(text, end)), bool(_COUNT.match(text, end))
    if short == "st" and (dotted or name_follows):
        return "saint" if name_follows else "street"
    if short in TITLES:
        return TITLES[short]
    if short == "dr" and (dotted or name_follows):
        return "doctor" if name_follows or not dotted else "drive"
    if not dotted:
        return ALONE.get(short)
    if name_follows and short in BEFORE_NAMES:
        return BEFORE_NAMES[short]
    if number_follows and short in BEFORE_NUMBERS:
        return BEFORE_NUMBERS[short]
    return SHORTENED.get(short) or ALONE.get(short)


def _may_end_so(word: str) -> bool:
    """Whether an apostrophe at the end is the word's own: dogs', goin', o'."""
    return word.endswith("s") or (word.endswith("in") and len(word) > 3) or word in ("o", "ol", "th", "an", "wi", "lil")


def _plain_signs(text: str) -> str:
    """Typographic variants of quotes, dashes, fractions and digits as plain ones."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", text).translate(TYPOGRAPHY)
    return "".join(
        unicodedata.normalize("NFKC", sign) if ord(sign) > 127 and unicodedata.category(sign)[0] in "LN" else sign
        for sign in text
    )


def _folded(word: str) -> str:
    """A word in lower case without accents; letters that no accent explains stay."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFD", word.lower().translate(LETTERS))
    return "".join(letter for letter in apart if unicodedata.category(letter) != "Mn")


def _money(match: re.Match[str]) -> list[str]:
    amount, scale = match["amount"].replace(",", ""), match["scale"]
    one, many = CURRENCIES[match["currency"]]
    if match["short"]:
        scale = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion"}[match["short"].lower()]
    whole, _, part = amount.partition(".")
    if scale or len(part) not in (0, 2) or one not in CENTS:
        return [*decimal(amount), *([scale.lower()] if scale else []), one if amount == "1" and not scale else many]
    cents = int(part or 0)
    said = [*plain(whole), one if int(whole) == 1 else many] if whole and (int(whole) or not cents) else []
    if cents:
        small = CENTS[one][cents > 1]
        said += [*(["and"] if said else []), *cardinal(cents), small]
    return said


def _clock(match: re.Match[str]) -> list[str]:
    hour, minute, half = int(match["hour"]), int(match["minute"]), match["half"]
    said = cardinal(hour)
    if minute:
        said += ["oh", *cardinal(minute)] if minute < 10 else cardinal(minute)
    elif not half and not match["second"]:
        said += ["o'clock"] if 0 < hour <= 12 else ["hundred"]
    if match["second"]:
        said += ["and", *cardinal(int(match["second"])), "second" if int(match["second"]) == 1 else "seconds"]
    return [*said, *([half.lower(), "m"] if half else [])]


def _fraction(match: re.Match[str]) -> list[str]:
    above, below = int(match["above"]), int(match["below"])
    whole = plain(match["whole"]) if match["whole"] else []
    if 0 < above < below <= 20 and below != 11:  # 9/11 is a day
        return [*whole, *(["and"] if whole else []), *fraction(above, below)]
    return [*whole, *plain(match["above"]), *plain(match["below"])]


def _number(match: re.Match[str]) -> list[str]:
    text, unit = match["number"], match["unit"]
    bare = not unit and not match["minus"]
    said = year(int(text)) if bare and _is_year(text) else decimal(text)
    one, many = UNITS[unit.lower()] if unit else ("", "")
    return [*(["minus"] if match["minus"] else []), *said, *(one if text == "1" else many).split()]


def _many(match: re.Match[str]) -> list[str]:
    text = match["many"]
    return plural(year(int(text)) if _is_year(text) else plain(text))


def _span(match: re.Match[str]) -> list[str]:
    ends = match["from"], match["to"]
    first, last = (year(int(end)) if _is_year(end) else plain(end) for end in ends)
    return [*first, *(["to"] if int(ends[0]) < int(ends[1]) else []), *last]


def _initials(match: re.Match[str]) -> list[str]:
    text = match[0].lower()
    letters = [sign for sign in text.removesuffix("'s") if sign.isalpha()]
    if "".join(letters) in DOTTED:
        return DOTTED["".join(letters)].split()
    return [*letters[:-1], letters[-1] + ("'s" if match["owner"] else "")]


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isdigit() and 1100 <= int(text) <= 2099


def _letters(match: re.Match[str]) -> Iterator[str]:
    return ("and" if sign == "&" else sign.lower() for sign in match[0])


_SAID: dict[str, Callable[[re.Match[str]], Iterable[str]]] = {
    "money": _money,
    "clock": _clock,
    "hour": lambda match: [*cardinal(int(match["only"])), match["side"].lower(), "m"],
    "fraction": _fraction,
    "ordinal": lambda match: ordinal(int(match["rank"].replace(",", ""))),
    "many": _many,
    "phone": lambda match: digits(match[0].replace("-", "")),
    "span": _span,
    "number": _number,
    "and": _letters,
    "initials": _initials,
    "web": lambda match: ["w", "w", "w", "dot"],
    "dot": lambda match: ["dot"],
    "symbol": lambda match: SYMBOLS[match[0]].split(),
}
