"""Published layouts and people's own texts -> the texts of a split, read line by line and as often as needed.

What percept knows, by the names of files:

- ``ptb``: ptb.{train,valid,test}.txt (Mikolov), a sentence a line
- ``wikitext``: wiki.{train,valid,test}.tokens or .raw (Merity et al. 2016), articles begin with `` = Title = ``
- ``splits``: {train,valid,test}.txt, or folders train/, val/, test/ of texts
- ``brown``: ca01 ... cr09, ``word/tag`` (Francis and Kucera), cut after 800,000 and 200,000 words (Bengio 2003)
- ``text8``: one line of 100,000,000 characters, of which 90, 5 and 5 million are the splits (Mikolov)
- ``books``: texts of Standard Ebooks; three whole books are test, the last twentieth of each other is val
- ``texts``: one text, or any folder of them; the last tenth of each, or the share of ``--hold-out``, is val
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from percept.core.errors import InputError, UsageError, nearest
from percept.nlp.lm.tokenise import looks_cut
from percept.nlp.sentences import opened, read_sentences

SUFFIXES = (".txt", ".text", ".tokens", ".raw", ".md")
SPLITS = ("train", "val", "test")
OTHER_NAMES = {"valid": "val", "validation": "val", "dev": "val", "testing": "test", "training": "train"}
STYLES = {"ptb": "ptb", "wikitext": "wikitext", "brown": "blanks", "text8": "blanks", "books": "text"}
BOOKS_TEST = (
    "f-scott-fitzgerald_the-great-gatsby",
    "h-g-wells_the-war-of-the-worlds",
    "oscar-wilde_the-picture-of-dorian-gray",
)
_BROWN = (800_000, 200_000)  # words of train and val
_TEXT8 = (90_000_000, 5_000_000)  # characters
_ARTICLE = re.compile(r"^ ?= [^=].* = ?$")
_TAIL = 0.1  # of a text without splits, to choose by
_BOOK_TAIL = 0.05
_LOOKED_AT = 200  # lines that tell whether a text is cut into words already

Line = Iterable[str]  # its pieces of text: one, or several of a long line, each to be asked for before the next line


@dataclass(frozen=True)
class Text:
    """One text, or a part of one.

    share: from where to where: shares of its lines, but of kind brown words, of text8 characters.
    articles: it is a row of documents, each of which begins with a title. cut: into words, with blanks between them.
    """

    path: Path
    kind: str = "plain"
    share: tuple[float, float] = (0.0, 1.0)
    articles: bool = False
    cut: bool = False
    errors: str = "strict"

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.path.name

    def lines(self) -> Iterator[Line]:
        """Its lines, without what ends them. Raises InputError where it cannot be read, with the file's name."""
        try:
            with opened(self.path) as file:
                yield from _within(self, file)
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from error


@dataclass(frozen=True)
class Corpus:
    """What lies in a folder. ``texts``: split -> its texts; ``style``: how words are cut, where that is known."""

    folder: Path
    layout: str
    texts: dict[str, tuple[Text, ...]] = field(default_factory=dict)
    style: str = ""

    def split(self, name: str) -> tuple[Text, ...]:
        """The texts of a split. Raises UsageError if there is none of that name."""
        known = OTHER_NAMES.get(name, name)
        if known not in self.texts:
            raise UsageError(f"{self.folder}: no split {name}, there is {', '.join(self.texts)}{nearest(name, SPLITS)}")
        return self.texts[known]


def recognise(place: Path) -> str | None:
    """The layout of a folder or file, by its content, or None."""
    if place.is_file():
        return "texts"
    if not place.is_dir():
        return None
    names = {path.name for path in place.iterdir() if not path.name.startswith(".")}
    if "ptb.train.txt" in names or "ptb.test.txt" in names:
        return "ptb"
    if any(re.fullmatch(r"wiki\.(train|valid|test)\.(tokens|raw)", name) for name in names):
        return "wikitext"
    if "text8" in names:
        return "text8"
    if {"ca01", "cr09"} <= names:
        return "brown"
    if _split_places(place).get("train"):
        return "splits"
    if set(BOOKS_TEST) <= {name.removesuffix(".txt") for name in names}:
        return "books"
    return "texts" if any(_is_text(place / name) for name in names) else None


def read(place: Path, *, hold_out: float = 0.0, errors: str = "strict") -> Corpus:
    """The texts of a folder or file, found but not read.

    Args:
        hold_out: share of each training text to choose by, at its end, instead of the set's own val split.

    Raises:
        UsageError: there is nothing that percept can read.
    """
    layout = recognise(place)
    if layout is None:
        there = ", ".join(sorted(path.name for path in place.iterdir())[:8]) if place.is_dir() else ""
        known = "texts (.txt), train.txt and valid.txt, or a published set"
        raise UsageError(f"{place}: expected {known}; there is {there or 'nothing'}")
    texts = _TEXTS[layout](place, errors)
    if hold_out and layout in ("brown", "text8", "books"):
        raise UsageError(f"{place}: --hold-out is not for {layout}, which has a val split of its own")
    if hold_out:
        whole = texts.get("train", ())
        texts |= {"train": _cut(whole, 0.0, 1 - hold_out), "val": _cut(whole, 1 - hold_out, 1.0)}
    return Corpus(place, layout, {name: texts[name] for name in SPLITS if texts.get(name)}, STYLES.get(layout, ""))


def found(place: Path) -> list[Path]:
    """The texts of a folder and of those in it, sorted; or the file itself."""
    return [place] if place.is_file() else sorted(path for path in place.rglob("*") if _is_text(path))


def notes(texts: Iterable[Text]) -> list[str]:
    """What looks wrong in texts, although they can be read: a line each."""
    noted = []
    for path in dict.fromkeys(text.path for text in texts if text.kind == "plain"):
        with path.open("rb") as file:
            if file.seek(0, 2):
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    noted.append(f"{path}: its last line has no end; the text may be cut off")
    return noted


def pieces(text: str) -> list[str]:
    """A line, or a piece of a long one, as it is, without what ends it: for ``read_sentences``."""
    return [text.rstrip("\r\n")]


def numbered_lines(file: BinaryIO, errors: str) -> Iterator[Line]:
    """The lines of an open file."""
    return read_sentences(file, errors, pieces)


def _within(text: Text, file: BinaryIO) -> Iterator[Line]:
    lines = numbered_lines(file, text.errors)
    if text.kind == "brown":
        lines = ([" ".join(word.rpartition("/")[0] for word in "".join(line).split())] for line in lines)
        lines = (line for line in lines if line[0])
    low, high = text.share
    if text.kind == "text8":
        file.seek(int(low))
        yield (file.read(size).decode() for size in _blocks(int(high - low)))
    elif text.kind == "brown":
        yield from _by_words(lines, int(low), int(high))
    elif (low, high) == (0.0, 1.0):
        yield from lines
    else:
        with opened(text.path) as again:
            count = sum(1 for _ in again)
        yield from islice(lines, round(count * low), round(count * high))


def _blocks(size: int) -> Iterator[int]:
    """Sizes of at most 1 MiB that are ``size`` together."""
    for at in range(0, size, 2**20):
        yield min(2**20, size - at)


def _by_words(lines: Iterable[Line], low: int, high: int) -> Iterator[Line]:
    """The lines whose first word is within [low, high)."""
    at = 0
    for line in lines:
        if low <= at < high:
            yield line
        at += len("".join(line).split())


def is_title(line: str) -> bool:
    """Whether a line begins an article of WikiText."""
    return bool(_ARTICLE.match(line)) and not line.lstrip().startswith("= =")


def _ptb(place: Path, errors: str) -> dict[str, tuple[Text, ...]]:
    return _named(place, "ptb.{}.txt", errors, cut=True)


def _wikitext(place: Path, errors: str) -> dict[str, tuple[Text, ...]]:
    suffix = "tokens" if list(place.glob("wiki.*.tokens")) else "raw"
    return _named(place, "wiki.{}." + suffix, errors, articles=True, cut=suffix == "tokens")


def _named(
    place: Path, pattern: str, errors: str, articles: bool = False, cut: bool = False
) -> dict[str, tuple[Text, ...]]:
    found = {}
    for name, split in (("train", "train"), ("valid", "val"), ("test", "test")):
        path = place / pattern.format(name)
        if path.is_file():
            found[split] = (Text(path, articles=articles, cut=cut, errors=errors),)
    return found


def _splits(place: Path, errors: str) -> dict[str, tuple[Text, ...]]:
    found = {split: tuple(_plain(path, errors) for path in paths) for split, paths in _split_places(place).items()}
    if "val" not in found:
        found |= {"val": _cut(found["train"], 1 - _TAIL, 1.0), "train": _cut(found["train"], 0.0, 1 - _TAIL)}
    return found


def _split_places(place: Path) -> dict[str, list[Path]]:
    """split -> its texts: train.txt, or all in train/."""
    found: dict[str, list[Path]] = {}
    for path in sorted(place.iterdir()):
        name = path.name if path.is_dir() else path.stem
        split = OTHER_NAMES.get(name, name)
        if split in SPLITS:
            inside = sorted(one for one in path.rglob("*") if _is_text(one)) if path.is_dir() else [path]
            if inside and (path.is_dir() or _is_text(path)):
                found.setdefault(split, []).extend(inside)
    return found


def _brown(place: Path, errors: str) -> dict[str, tuple[Text, ...]]:
    """Cut in running order by the number of words: which files, and in the two that are cut how many of their words."""
    files = sorted(path for path in place.iterdir() if re.fullmatch(r"c[a-r]\d\d", path.name))
    edges = {"train": (0, _BROWN[0]), "val": (_BROWN[0], sum(_BROWN)), "test": (sum(_BROWN), 10**9)}
    found: dict[str, list[Text]] = {split: [] for split in edges}
    at = 0
    for path in files:
        words = len(path.read_bytes().split())
        for split, (low, high) in edges.items():
            if at < high and at + words > low:
                share = (float(max(0, low - at)), float(max(2, high - at)))
                found[split].append(Text(path, "brown", share, cut=True, errors=errors))
        at += words
    return {split: tuple(texts) for split, texts in found.items()}


def _text8(place: Path, errors: str) -> dict[str, tuple[Text, ...]]:
    path = place / "text8"
    edges = (0, _TEXT8[0], sum(_TEXT8), path.stat().st_size)
    return {
        split: (Text(path, "text8", (float(low), float(high)), cut=True, errors=errors),)
        for split, low, high in zip(SPLITS, edges, edges[1:], strict=False)
        if high > low
    }


def _books(place: Path, errors: str) -> dict[str, tuple[Text, ...]]:
    every = tuple(Text(path, errors=errors) for path in sorted(place.glob("*.txt")))
    test = tuple(text for text in every if text.path.stem in BOOKS_TEST)
    rest = tuple(text for text in every if text.path.stem not in BOOKS_TEST)
    return {"train": _cut(rest, 0.0, 1 - _BOOK_TAIL), "val": _cut(rest, 1 - _BOOK_TAIL, 1.0), "test": test}


def _texts(place: Path, errors: str) -> dict[str, tuple[Text, ...]]:
    every = tuple(_plain(path, errors) for path in found(place))
    return {"train": _cut(every, 0.0, 1 - _TAIL), "val": _cut(every, 1 - _TAIL, 1.0)}


def _plain(path: Path, errors: str) -> Text:
    """A person's own text, which may be cut into words already."""
    text = Text(path, errors=errors)
    lines = (next(iter(line), "") for line, _ in zip(text.lines(), range(_LOOKED_AT), strict=False))
    return replace(text, cut=looks_cut(lines))


def _cut(texts: Iterable[Text], low: float, high: float) -> tuple[Text, ...]:
    return tuple(replace(text, share=(low, high)) for text in texts)


def _is_text(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


_TEXTS = {
    "ptb": _ptb,
    "wikitext": _wikitext,
    "splits": _splits,
    "brown": _brown,
    "text8": _text8,
    "books": _books,
    "texts": _texts,
}
