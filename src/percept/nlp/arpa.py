"""Back-off models in the ARPA format, which SRILM, KenLM, IRSTLM and most recognisers read and write.

A head ``\\data\\`` with the number of n-grams of each order, a section ``\\n-grams:`` for each, with lines of log10 p,
the words and, where it is not 0, the log10 of the back-off weight, and ``\\end\\``. Files are read line by line. Those
whose name ends in .gz are packed and unpacked on the way.
"""

from __future__ import annotations

import gzip
import math
import re
from array import array
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from percept.core.errors import InputError, UsageError
from percept.core.files import replacing
from percept.nlp.backoff import Ngram
from percept.nlp.sentences import BEGIN, END, UNKNOWN, opened
from percept.nlp.trie import NEVER, Trie, fill, levels, link, numbered_from, parents

_COUNT = re.compile(rb"ngram\s+(\d+)\s*=\s*(\d+)$")
_LONGEST = 2**20  # bytes of a line
_COMMENTS = 1000  # lines before the head
_ROWS = 2**16  # n-grams written at a time
_CERTAIN = 1e-6  # log10 of a probability, rounded


class _Section(NamedTuple):
    """The n-grams of one order, as they stand in a file."""

    line: int  # of the first
    words: np.ndarray  # (M, n) int32
    prob: np.ndarray  # (M,) float32
    back: np.ndarray  # (M,) float32


def read_arpa(path: Path) -> Ngram:
    """A model from an ARPA file.

    Contexts that the file lacks although longer n-grams begin with them are put in, with the probability that they
    have anyhow: no score changes. <UNK> is read as <unk>, -inf as -99, a missing <s> as one without weight.

    Raises:
        UsageError: the file cannot be read, is cut off, or is wrong somewhere; that names the line.
    """
    try:
        with opened(path) as file:
            lines = _Lines(file)
            sizes, line = _head(lines)
            index, sections = _Growing(), []
            for n, size in enumerate(sizes, 1):
                section, line = _section(lines, line, n, size, index)
                sections.append(section)
                index = dict(index)  # which from now on knows what is missing
            if line != b"\\end\\":
                raise lines.error(f"{_shown(line)} where \\end\\ is expected")
        return _model(index, sections)
    except InputError as error:
        raise UsageError(f"{path}: {error}") from error


def write_arpa(model: Ngram, path: Path) -> None:
    """Write a model, seven digits a number: the file is there whole or not at all.

    Raises:
        UsageError: a word contains blanks, as those of a model of characters do: the format has no room for them.
        PerceptError: the file cannot be written.
    """
    if unfit := next((word for word in model.words if word.encode().split() != [word.encode()]), None):
        raise UsageError(f"{unfit!r} is a word of this model: words with blanks cannot be written to an ARPA file")
    with replacing(path) as temporary:
        packed = path.suffix == ".gz"
        with (
            gzip.open(temporary, "wt", 6, "utf-8")
            if packed
            else temporary.open("w", encoding="utf-8", newline="\n") as file
        ):
            file.write("\\data\\\n")
            file.writelines(f"ngram {n}={count}\n" for n, count in enumerate(model.counts, 1))
            for n, lines in enumerate(_written(model), 1):
                file.write(f"\n\\{n}-grams:\n")
                file.writelines(lines)
            file.write("\n\\end\\\n")


def _written(model: Ngram) -> Iterator[Iterator[str]]:
    """The lines of each order's n-grams."""
    trie, names = model.trie, [*model.words, BEGIN]
    starts, parent = levels(trie), parents(trie)
    words = np.zeros((1, 0), np.int32)  # (M_n, n) of the level before
    for n in range(1, len(starts) - 1):
        nodes = slice(starts[n], starts[n + 1])
        words = np.column_stack([words[parent[nodes] - starts[n - 1]], trie.word[nodes]])
        yield _texts(words, trie.prob[nodes], trie.back[nodes], names)


def _texts(words: np.ndarray, prob: np.ndarray, back: np.ndarray, names: list[str]) -> Iterator[str]:
    """A line for each of (M, n) n-grams; the longest have no back-off weights, (0,)."""
    for at in range(0, len(words), _ROWS):
        rows = words[at : at + _ROWS].tolist()
        weights = back[at : at + _ROWS].tolist() or [0.0] * len(rows)
        for row, p, weight in zip(rows, prob[at : at + _ROWS].tolist(), weights, strict=True):
            text = " ".join([names[word] for word in row])
            yield f"{p:.7g}\t{text}\t{weight:.7g}\n" if weight else f"{p:.7g}\t{text}\n"


class _Growing(dict[bytes, int]):
    """Numbers of words in the order in which they come."""

    def __missing__(self, word: bytes) -> int:
        number = self[word] = len(self)
        return number


class _Lines:
    """The lines of a file, counted."""

    def __init__(self, file: BinaryIO) -> None:
        self.rows = iter(partial(file.readline, _LONGEST), b"")
        self.number = 0

    def content(self) -> bytes:
        """The next line that is not blank, without blanks around it.

        Raises:
            InputError: the file ends first.
        """
        for row in self.rows:
            self.number += 1
            if row := row.strip():
                return row
        raise self.error("the file is cut off: no \\end\\" if self.number else "an empty file")

    def error(self, what: str) -> InputError:
        return InputError(f"line {self.number}: {what}")


def _head(lines: _Lines) -> tuple[list[int], bytes]:
    """How many n-grams of each order the file promises, and the line after that."""
    while lines.content() != b"\\data\\":
        if lines.number > _COMMENTS:
            raise InputError("no ARPA file: it does not begin with \\data\\")
    sizes: list[int] = []
    while found := _COUNT.fullmatch(line := lines.content()):
        if int(found[1]) != len(sizes) + 1:
            raise lines.error(f"{_shown(line)} where ngram {len(sizes) + 1}= is expected")
        sizes.append(int(found[2]))
    if not sizes:
        raise lines.error(f"{_shown(line)} where ngram 1= is expected")
    return sizes, line


def _section(lines: _Lines, line: bytes, n: int, size: int, index: dict[bytes, int]) -> tuple[_Section, bytes]:
    """The n-grams of one order after the first line of their section, and the line after them."""
    if line != b"\\%d-grams:" % n:
        raise lines.error(f"{_shown(line)} where \\{n}-grams: is expected")
    words, prob, back = array("i"), array("f"), array("f")
    number = index.__getitem__
    first = lines.number + 1
    for row in islice(lines.rows, size):
        lines.number += 1
        parts = row.split()
        try:
            back.append(float(parts[n + 1]) if len(parts) == n + 2 else 0.0)
            prob.append(float(parts[0]))
            words.extend(map(number, parts[1 : n + 1]))
            if not n < len(parts) < n + 3:
                raise ValueError
        except (ValueError, IndexError, KeyError, OverflowError):
            raise lines.error(_wrong(row, n, lines.number - first, size, index)) from None
    line = lines.content()
    if not line.startswith(b"\\"):
        raise lines.error(f"more {n}-grams than the {size} that \\data\\ promises")
    rows = np.array(words, np.int32).reshape(-1, n)  # (M * n,) -> (M, n)
    section = _Section(first, rows, np.array(prob, np.float32), np.array(back, np.float32))
    wrong = ~(section.prob <= _CERTAIN) | ~(section.back < math.inf)
    if n == 1 and BEGIN.encode() in index:
        wrong &= rows[:, 0] != index[BEGIN.encode()]  # lmplz gives <s> the probability 1, others what they like
    if wrong.any():
        lines.number = first + int(wrong.argmax())
        raise lines.error("a log10 of a probability above 0, or no finite number")
    return section, line


def _wrong(row: bytes, n: int, done: int, size: int, index: dict[bytes, int]) -> str:
    """What is wrong with a line for an n-gram."""
    parts = row.split()
    if not parts or row.startswith(b"\\"):
        return f"the {n}-grams end after {done}; \\data\\ promises {size}"
    if not row.endswith(b"\n"):
        return "the file is cut off within this line"
    if not n < len(parts) < n + 3:
        return f"{len(parts)} columns where {n + 1} or {n + 2} are expected: log10 p, {n} words, log10 back-off weight"
    for word in parts[1 : n + 1]:
        if n > 1 and word not in index:
            return f"{_shown(word)} is not among the words of \\1-grams:"
    try:
        float(parts[0])
    except ValueError:
        return f"{_shown(parts[0])} is no number"
    return f"{_shown(parts[-1])} is no number"


def _model(index: dict[bytes, int], sections: list[_Section]) -> Ngram:
    """The model of all sections.

    Raises:
        InputError: a word is no UTF-8, </s> is missing, or an n-gram is there twice.
    """
    begin = index.get(BEGIN.encode(), len(index))
    words = [_spelling(word, sections[0].line + at) for at, word in enumerate(index) if at != begin]
    if UNKNOWN not in words and "<UNK>" in words:
        words[words.index("<UNK>")] = UNKNOWN
    if END not in words:
        raise InputError(f"{END} is not among the words of \\1-grams: no sentence could end")
    width = len(words) + 1
    number = np.arange(width, dtype=np.int32)  # of a word, by that in the file: <s> is the last
    number[begin:] = [width - 1, *range(begin, width - 1)]
    while not len(sections[-1].prob):
        sections.pop()
    node = [np.zeros(len(section.prob), np.int64) for section in sections]  # of the first words of each n-gram ...
    children, word = [], [np.zeros(1, np.int32)]
    prob, back = [np.zeros(1, np.float32)], [np.zeros(1, np.float32)]
    for n, section in enumerate(sections, 1):
        keys = [at * width + number[other.words[:, n - 1]] for at, other in zip(node, sections[n - 1 :], strict=True)]
        ends = np.cumsum([len(key) for key in keys])
        kinds, place = np.arange(width), np.concatenate(keys)
        if n > 1:
            kinds, place = np.unique(place, return_inverse=True)
        own, *node = np.split(place, ends[:-1])  # ... within their level: what has n words, and what begins with them
        _once(own, section.line, n)
        children.append(np.bincount(kinds // width, minlength=len(prob[-1])))
        word.append((kinds % width).astype(np.int32))
        prob.append(_put(section.prob, own, len(kinds), np.nan))
        back.append(_put(section.back, own, len(kinds), 0))
    prob[1][-1] = NEVER
    first, words_of = numbered_from(np.concatenate(children)), np.concatenate(word)
    trie = Trie(
        first=first,
        word=words_of,
        suffix=np.empty_like(words_of),
        prob=np.concatenate(prob),
        back=np.concatenate(back[:-1]),
        unknown=words.index(UNKNOWN) if UNKNOWN in words else -1,
    )
    link(first, words_of, trie.suffix)
    fill(trie)
    return Ngram(tuple(words), trie)


def _put(values: np.ndarray, at: np.ndarray, size: int, other: float) -> np.ndarray:
    """(size,) float32: values at their places, -inf as -99, and another number elsewhere."""
    found = np.full(size, other, np.float32)
    found[at] = np.where(np.isneginf(values), NEVER, values)
    return found


def _once(own: np.ndarray, line: int, n: int) -> None:
    """Refuse n-grams (M,) of which one is there twice."""
    by = np.argsort(own, kind="stable")
    again = by[1:][own[by[1:]] == own[by[:-1]]]
    if len(again):
        raise InputError(f"line {line + int(again.min())}: this {n}-gram was there before")


def _spelling(word: bytes, line: int) -> str:
    try:
        return word.decode()
    except UnicodeDecodeError:
        raise InputError(f"line {line}: {_shown(word)} is not UTF-8") from None


def _shown(word: bytes) -> str:
    return f'"{word[:20].decode(errors="replace")}"'
