"""How likely texts are: whole files read through once, in bounded memory, or line by line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from percept.core.errors import InputError
from percept.nlp.lm.corpus import Line, numbered_lines
from percept.nlp.lm.opened import Opened
from percept.nlp.lm.result import Scored
from percept.nlp.lm.tokenise import looks_cut
from percept.nlp.lm.vocabulary import Counted, Vocabulary, encode
from percept.nlp.sentences import UNKNOWN, opened

TOLD = 100  # unknown words that are named
_AT_ONCE = 32  # lines read side by side
_LOOKED_AT = 200  # lines that tell whether a text is cut into words already
_ENOUGH = 2**19  # characters that tell it too


def whole(model: Opened, source: Path | bytes, name: str, *, as_is: bool = False, errors: str = "strict") -> Scored:
    """A text as one document.

    Args:
        as_is: words are what stands between blanks; else as the vocabulary has it, unless the text is cut already.

    Raises:
        InputError: it cannot be read, is empty, is no text, or cannot be spelt with the vocabulary.
    """
    counted, nats, tokens = Counted(), 0.0, 0
    with _file(source) as file:
        lines, vocabulary = _cut(model.vocabulary, numbered_lines(file, errors), as_is)
        model.reader.reset()
        for ids in encode(lines, vocabulary, counted):
            _refuse_unspelt(model, ids, counted)
            nats -= float(model.reader.score(ids).sum(dtype=np.float64))
            tokens += len(ids)
    if not counted.lines or not counted.characters - counted.lines:
        raise InputError("an empty file: there is nothing to score")
    return _scored(name, counted, tokens, nats)


def by_line(
    model: Opened,
    source: Path | bytes,
    name: str,
    *,
    as_is: bool = False,
    errors: str = "strict",
    show: bool = False,
) -> Iterator[Scored]:
    """Each line by itself, named NAME:NUMBER; many are read side by side. Arguments and errors as :func:`whole`."""
    done = 0
    with _file(source) as file:
        lines, vocabulary = _cut(model.vocabulary, numbered_lines(file, errors), as_is)
        while some := ["".join(line) for line in islice(lines, _AT_ONCE)]:
            counts = [Counted() for _ in some]
            coded = [
                np.concatenate([*encode([[text]], vocabulary, counted)])
                for text, counted in zip(some, counts, strict=True)
            ]
            for ids, counted in zip(coded, counts, strict=True):
                _refuse_unspelt(model, ids, counted)
            found = model.reader.lines(coded)
            for text, ids, counted, scores in zip(some, coded, counts, found, strict=True):
                done += 1
                words = _words(vocabulary, text, scores) if show else None
                nats = -float(scores.sum(dtype=np.float64))
                yield _scored(f"{name}:{done}", counted, len(ids), nats, text, words)
    if not done:
        raise InputError("an empty file: there is nothing to score")


def shown(model: Opened, source: Path | bytes, name: str, *, as_is: bool = False, errors: str = "strict") -> Scored:
    """A text as one document, with the bits of each word. Arguments and errors as :func:`whole`."""
    total, nats, tokens, words = Counted(), 0.0, 0, []
    with _file(source) as file:
        lines, vocabulary = _cut(model.vocabulary, numbered_lines(file, errors), as_is)
        model.reader.reset()
        for line in lines:
            text = "".join(line)
            ids = np.concatenate([*encode([[text]], vocabulary, total)])
            _refuse_unspelt(model, ids, total)
            scores = model.reader.score(ids)
            words += _words(vocabulary, text, scores)
            nats -= float(scores.sum(dtype=np.float64))
            tokens += len(ids)
    if not total.lines or not total.characters - total.lines:
        raise InputError("an empty file: there is nothing to score")
    return _scored(name, total, tokens, nats, words=words)


def _words(vocabulary: Vocabulary, text: str, scores: np.ndarray) -> list[tuple[str, float]]:
    """(unit as it stands in the text, bits) of a line and its end."""
    bits = (-scores / np.log(2)).tolist()
    return list(zip([*vocabulary.cut(text), "\n"], bits, strict=True))


def _scored(
    name: str,
    counted: Counted,
    tokens: int,
    nats: float,
    text: str | None = None,
    words: list[tuple[str, float]] | None = None,
) -> Scored:
    unknown = tuple(counted.unknown.most_common(TOLD))
    told = None if words is None else tuple(words)
    return Scored(name, tokens, counted.unknown.total(), counted.characters, nats, unknown, text, told)


def _refuse_unspelt(model: Opened, ids: np.ndarray, counted: Counted) -> None:
    """Raises InputError for words that a neural model has no number for; n-grams call them impossible."""
    if model.network is not None and (ids < 0).any():
        word = next(iter(counted.unknown))
        raise InputError(f"{word!r} is not in the vocabulary of these weights, and {UNKNOWN} neither")


def _cut(vocabulary: Vocabulary, lines: Iterator[Line], as_is: bool) -> tuple[Iterator[Line], Vocabulary]:
    """The lines, and the vocabulary that cuts them: at blanks only if they are cut already."""
    if vocabulary.kind != "word" or vocabulary.style == "blanks":
        return lines, vocabulary
    if as_is:
        return lines, vocabulary.as_style("blanks")
    first: list[Line] = []
    seen: list[str] = []
    for line in islice(lines, _LOOKED_AT):
        parts = iter(line)
        seen.append(next(parts, ""))
        if sum(map(len, seen)) >= _ENOUGH:  # of a long line, the rest must wait
            first.append(chain(seen[-1:], parts))
            break
        first.append([seen[-1], *parts])
    cut = looks_cut(seen)
    return chain(first, lines), vocabulary.as_style("blanks") if cut else vocabulary


def _file(source: Path | bytes) -> AbstractContextManager[BinaryIO]:
    return nullcontext(io.BytesIO(source)) if isinstance(source, bytes) else opened(source)
