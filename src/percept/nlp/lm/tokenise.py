"""Text into words, by the habits of the corpora that models are trained on; detokenise.py goes the other way.

A style is how words are spelt:

- ``blanks``: words are what stands between blanks.
- ``text``: punctuation stands alone; ``can't`` is ``can 't``; marks inside words and numbers are kept, ``well @-@
  known`` and ``3 @.@ 5``, so that text can be put together again.
- ``wikitext``: the same with straight quotes, as in WikiText (Merity et al. 2016).
- ``ptb``: as Mikolov's Penn Treebank: lower case, numbers are N, no punctuation, ``do n't``.

Text that is cut already passes unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

Split = Callable[[str], list[str]]

_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})
_SHORT = frozenset(
    ("mr", "mrs", "ms", "dr", "st", "jr", "sr", "vs", "prof", "rev", "gen", "col", "capt", "lt", "sgt", "vol", "etc")
    + ("messrs", "mme", "mlle", "esq", "hon", "co", "corp", "inc", "ltd", "bros", "nos", "pp")
)
_NUMBER = r"\d+(?:[.,]\d+)+"
_PIECE = re.compile(
    rf"<unk>|@[-,.]@|{_NUMBER}|(?:[^\W\d_]\.){{2,}}|\w+|['’](?:s|t|re|ve|ll|d|m|S|T|RE|VE|LL|D|M)\b|\.\.+|--+|[^\w\s]"
)
_PTB_NUMBER = re.compile(r"[-+]?\$?\d[\d.,:/]*(?:st|nd|rd|th)?%?")


def splitter(style: str) -> Split:
    """The function that cuts a piece of text, which begins and ends at blanks, into words."""
    return {"blanks": str.split, "text": text_words, "wikitext": wikitext_words, "ptb": ptb_words}[style]


def text_words(text: str) -> list[str]:
    """Style ``text``.

    >>> text_words("Mr. Bell's well-known map cost $3.50, they say.")
    ['Mr.', 'Bell', "'s", 'well', '@-@', 'known', 'map', 'cost', '$', '3', '@.@', '50', ',', 'they', 'say', '.']
    """
    found: list[str] = []
    for chunk in text.split():
        if chunk.isalnum():
            found.append(chunk)
        else:
            _cut(chunk, found)
    return found


def wikitext_words(text: str) -> list[str]:
    """Style ``wikitext``."""
    return text_words(text.translate(_STRAIGHT))


def ptb_words(text: str) -> list[str]:
    """Style ``ptb``.

    >>> ptb_words("He didn't pay $3.50 to Mr. Vinken.")
    ['he', 'did', "n't", 'pay', '$', 'N', 'to', 'mr.', 'vinken']
    """
    found: list[str] = []
    for chunk in text.translate(_STRAIGHT).split():
        if chunk == "N" or chunk == "<unk>":
            found.append(chunk)
            continue
        word = chunk.lower().strip("\"'()[]{},;:!?") if chunk != "'s" else chunk
        if word.endswith(".") and word[:-1] not in _SHORT and not re.fullmatch(r"(?:\w\.)+", word):
            word = word.rstrip(".")
        if word[:1] == "$" and len(word) > 1:
            found.append("$")
            word = word[1:]
        if _PTB_NUMBER.fullmatch(word):
            found += ["N", "%"] if word.endswith("%") else ["N"]
        elif word.endswith("n't") and len(word) > 3:
            found += [word[:-3], "n't"]
        elif at := re.search(r"(?<=\w)'(?:s|re|ve|ll|d|m)$", word):
            found += [word[: at.start()], at[0]]
        elif word:
            found.append(word)
    return found


def looks_cut(lines: Iterable[str]) -> bool:
    """Whether punctuation in these lines stands alone already."""
    alone = stuck = 0
    for line in lines:
        alone += len(re.findall(r"(?<=\s)(?:[.,;:?!()]|<unk>|'s|n't|@[-,.]@)(?=\s|$)", line))
        stuck += len(re.findall(r"(?<=\w\w\w)[.,;:?!](?=\s|$)", line))  # "Mr." and "U.S." stay whole when cut
    return alone > 2 * stuck


def _cut(chunk: str, found: list[str]) -> None:
    pieces = _PIECE.findall(chunk)
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        before, after = pieces[number - 1] if number else "", "" if last else pieces[number + 1]
        if piece == "-" and before.isalnum() and after[:1].isalnum():
            found.append("@-@")
        elif piece == "." and found and number and _abbreviated(before):
            found[-1] += "."
        elif piece[0].isdigit() and not piece.isalnum():
            for part in re.split(r"([.,])", piece):
                found.append(f"@{part}@" if part in ".," else part)
        else:
            found.append(piece)


def _abbreviated(word: str) -> bool:
    """Whether a full stop belongs to the word: ``Mr.``, or an initial."""
    return word.lower() in _SHORT or (len(word) == 1 and word.isupper() and word != "I")
