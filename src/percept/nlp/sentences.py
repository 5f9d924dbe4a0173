"""Sentences of words from text files, and words as numbers; only a block of a file is ever in memory.

A sentence is a line, and its words are what stands between blanks. A blank line is a sentence too: one without words.
"""

from __future__ import annotations

import contextlib
import gzip
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from percept.core.errors import InputError
from percept.core.kinds import reason, unreadable

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"
LINE_END = "\n"  # stands for END among words: no word can be spelt like it
MISPLACED = -2  # the number of <s> and </s> where they are written out as words
_BLOCK = 2**20  # bytes, words
_BLANKS = b" \t\r\n\v\f"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file to read bytes from; what ends in .gz is unpacked on the way.

    Raises:
        InputError: it cannot be read, or its packing is damaged; then and later on.
    """
    if problem := unreadable(path):
        raise InputError(problem)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield file
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"a damaged gzip archive: {error}") from error
    except OSError as error:
        raise InputError(reason(error)) from error


def read_sentences(
    file: BinaryIO, errors: str = "strict", split: Callable[[str], Iterable[str]] = str.split
) -> Iterator[Iterable[str]]:
    """The words of each line. Those of a line above 1 MiB are read only as they are asked for, once.

    Args:
        split: words of a line, or of a piece of a long line that ends with a blank.
        errors: what becomes of bytes that are not UTF-8, as in :meth:`bytes.decode`: strict, replace or ignore.

    Raises:
        InputError: bytes that are no UTF-8 text, named by their offset, or a word above 1 MiB.
    """
    at = 0  # bytes read before this block

    def pieces(block: bytes) -> Iterator[str]:
        nonlocal at
        while True:
            whole = block.endswith(b"\n") or len(block) < _BLOCK
            cut = len(block) if whole else max(block.rfind(blank) for blank in _BLANKS) + 1
            if not cut:
                raise InputError(f"byte {at}: a word of more than {_BLOCK} bytes")
            yield from split(_decoded(block[:cut], at, errors))
            at += cut
            if whole:
                return
            more = file.readline(_BLOCK)
            block = block[cut:] + more
            if len(more) < _BLOCK and not block.endswith(b"\n"):
                block += b"\n"  # the end of the file is the end of its line

    while block := file.readline(_BLOCK):
        if block.endswith(b"\n") or len(block) < _BLOCK:
            yield split(_decoded(block, at, errors))
            at += len(block)
        else:
            words = pieces(block)
            yield words
            for _ in words:  # whoever has asked for a part only finds the next line all the same
                pass


def _decoded(data: bytes, at: int, errors: str) -> str:
    if b"\0" in data:
        raise InputError(f"byte {at + data.index(0)} is zero: this is no UTF-8 text")
    try:
        return data.decode("utf-8", errors).removeprefix("\ufeff" if at == 0 else "")
    except UnicodeDecodeError as error:
        raise InputError(f"byte {at + error.start} is not UTF-8") from None


class Known(dict[str, int]):
    """Numbers of words; -1 for every other."""

    def __init__(self, index: Mapping[str, int]) -> None:
        super().__init__(index)
        self.update({LINE_END: index[END], BEGIN: MISPLACED, END: MISPLACED})

    def __missing__(self, word: str) -> int:
        return -1


class Growing(dict[str, int]):
    """Numbers of words in the order in which they come; END has 0."""

    def __init__(self) -> None:
        super().__init__({LINE_END: 0, BEGIN: MISPLACED, END: MISPLACED})

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self) - 2
        return number

    def words(self) -> list[str]:
        """The words by their numbers."""
        return [END, *(word for word, number in self.items() if number > 0)]


def numbered(sentences: Iterable[Iterable[str]], index: Known | Growing) -> Iterator[np.ndarray]:
    """Sentences as numbers, each ended by that of END; int32 (n,), in blocks that know of no sentence's border.

    Raises:
        InputError: <s> or </s> is written out within a sentence.
    """
    words = chain.from_iterable(chain(sentence, (LINE_END,)) for sentence in sentences)
    done = 0
    while block := array("i", map(index.__getitem__, islice(words, _BLOCK))):
        numbers = np.frombuffer(block, np.int32)
        ends = numbers == index[LINE_END]
        if (numbers == MISPLACED).any():
            line = done + 1 + int(ends[: int((numbers == MISPLACED).argmax())].sum())
            raise InputError(
                f"sentence {line} contains {BEGIN} or {END}, which stand for its begin and end: take it out"
            )
        done += int(ends.sum())
        yield numbers
