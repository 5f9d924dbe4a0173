"""An n-gram model as a few small arrays, for files of weights.

Suffixes are not stored but found again. Probabilities may be rounded to codes of 16 bits, evenly spaced, or of 8 bits,
which are means of equally many values; single words keep theirs. Back-off weights are made to fit the rounded
probabilities before they are rounded themselves, to 16 bits, so that contexts still sum to one to four digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from percept.core.errors import UsageError
from percept.nlp.sentences import END, UNKNOWN
from percept.nlp.trie import NEVER, Trie, balance, levels, link, numbered_from

_BITS = (32, 16, 8)
_MANY = 255  # children; how many there are is then told apart
_LEAST = 1e-6  # what rounding may make of a remainder of probability


def packed(words: Sequence[str], trie: Trie, bits: int = 32) -> dict[str, np.ndarray]:
    """The arrays by name.

    words: uint8, UTF-8, a word a line.
    children: (K - 1,) uint8, of each node but the empty one; 255 or more are told in ``many``, int32.
    word: uint16 where that is enough, else int32, of each node of two words and more.
    prob.1: (V,) float32, log10; prob.2, ...: (M_n,) float32, or codes, uint16 or uint8, of values in ``book.2``, ...:
    float32, the value of each code, or the first and last of evenly spaced ones.
    back: float32 for each node but the empty one, or codes, uint16, for those with children, with ``book.back``.

    Args:
        bits: 32 keeps all values as they are, 16 and 8 round them.

    Raises:
        UsageError: other bits.
    """
    if bits not in _BITS:
        raise UsageError(f"{bits} bits for a probability: 32, 16 or 8 are possible")
    starts = levels(trie)
    children = np.diff(trie.first)[1:]
    arrays = {
        "words": np.frombuffer("\n".join(words).encode(), np.uint8).copy(),
        "children": np.minimum(children, _MANY).astype(np.uint8),
        "many": children[children >= _MANY].astype(np.int32),
        "word": trie.word[starts[2] :].astype(np.uint16 if len(words) < 2**16 else np.int32),
        "prob.1": trie.prob[1 : 1 + len(words)].copy(),
    }
    rounded = trie._replace(prob=trie.prob.copy(), back=trie.back.copy())
    for n, (start, end) in enumerate(zip(starts[2:-1], starts[3:], strict=True), 2):
        codes, book = _coded(trie.prob[start:end], bits)
        arrays[f"prob.{n}"] = codes
        if book is not None:
            arrays[f"book.{n}"] = book
            rounded.prob[start:end] = _decoded(codes, book)
    if bits == 32:
        return arrays | {"back": trie.back[1:].copy()}
    balance(rounded, _LEAST)
    codes, book = _coded(rounded.back[1:][children > 0], 16)
    return arrays | {"back": codes, "book.back": book}


def unpacked(arrays: Mapping[str, np.ndarray]) -> tuple[tuple[str, ...], Trie]:
    """The words and the trie of :func:`packed`.

    Raises:
        UsageError: these are no such arrays.
    """
    try:
        return _unpacked(arrays)
    except (KeyError, ValueError, IndexError) as error:
        raise UsageError(f"not the arrays of an n-gram model: {error}") from error


def _unpacked(arrays: Mapping[str, np.ndarray]) -> tuple[tuple[str, ...], Trie]:
    words = tuple(arrays["words"].tobytes().decode().split("\n"))
    number = {word: at for at, word in enumerate(words)}
    if END not in number or len(number) < len(words):
        raise ValueError(f"words without {END}, or the same one twice")
    children = arrays["children"].astype(np.int32)
    children[children == _MANY] = arrays["many"]
    first = numbered_from(np.concatenate([[len(words) + 1], children]))
    every = np.arange(len(words) + 1, dtype=np.int32)  # and <s>
    word = np.concatenate([[0], every, arrays["word"]]).astype(np.int32)
    if first[-1] != len(word) or (children < 0).any() or not 0 <= word.min() <= word.max() <= len(words):
        raise ValueError("numbers of words or children that do not fit")
    trie = Trie(first, word, np.zeros_like(word), np.zeros(len(word), np.float32), None, number.get(UNKNOWN, -1))
    starts = levels(trie)
    trie.prob[1 : 1 + len(words)] = arrays["prob.1"]
    trie.prob[1 + len(words)] = NEVER
    for n, (start, end) in enumerate(zip(starts[2:-1], starts[3:], strict=True), 2):
        trie.prob[start:end] = _decoded(arrays[f"prob.{n}"], arrays.get(f"book.{n}"))
    back = np.zeros(len(first) - 1, np.float32)
    if "book.back" in arrays:
        back[1:][children > 0] = _decoded(arrays["back"], arrays["book.back"])
    else:
        back[1:] = arrays["back"]
    link(trie.first, trie.word, trie.suffix)
    return words, trie._replace(back=back)


def _coded(values: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Codes of (n,) float32 values and the book to read them by, or the values themselves."""
    if bits == 32:
        return values.copy(), None
    if bits == 16:
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
        codes = np.rint((values - low) * (65535 / ((high - low) or 1.0)))
        return codes.astype(np.uint16), np.array([low, high], np.float32)
    parts = np.array_split(np.sort(values), min(256, len(values)))
    book = np.array([part.mean(dtype=np.float64) for part in parts], np.float32)
    middle = (book[1:].astype(np.float64) + book[:-1]) / 2
    return np.searchsorted(middle, values).astype(np.uint8), book


def _decoded(codes: np.ndarray, book: np.ndarray | None) -> np.ndarray:
    if book is None:
        if codes.dtype.kind != "f":
            raise ValueError("codes without a book")
        return codes
    if codes.dtype == np.uint16:
        low, high = book.astype(np.float64)
        return (low + codes.astype(np.float64) * ((high - low) / 65535)).astype(np.float32)
    return book[codes]
