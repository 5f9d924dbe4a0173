"""What a model predicts: words, characters or pieces of words (BPE), and the ends of lines; and texts as their numbers.

Numbers go by frequency, the most frequent first: output layers build on that.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np

from percept.core.errors import UsageError, nearest
from percept.nlp.lm.corpus import Line, Text, is_title
from percept.nlp.lm.tokenise import splitter
from percept.nlp.sentences import END, UNKNOWN

RARE = 3  # a word seen less often is <unk>, where no <unk> is in the text
PIECES = 8000  # of BPE, where no number is asked for
_BLOCK = 2**16  # numbers


@dataclass(frozen=True)
class Vocabulary:
    """The units of a model: ``units[i]`` has number i.

    kind: word, character or bpe; style: how words are cut from text (tokenise.py), ``none`` for the other kinds;
    rules: what ``tokenizers`` needs to know of BPE, as JSON.
    """

    kind: str
    units: tuple[str, ...]
    style: str = "none"
    rules: str = ""

    def __len__(self) -> int:
        return len(self.units)

    @cached_property
    def index(self) -> dict[str, int]:
        """The number of each unit."""
        return {unit: number for number, unit in enumerate(self.units)}

    @property
    def end(self) -> int:
        """The number of the end of a line."""
        return self.index[END]

    @property
    def unknown(self) -> int:
        """The number of <unk>, or -1."""
        return self.index.get(UNKNOWN, -1)

    @cached_property
    def cut(self) -> Callable[[str], Iterable[str]]:
        """A piece of text -> its units, which may be unknown ones."""
        if self.kind == "word":
            return splitter(self.style)
        if self.kind == "character":
            return iter
        coder = _coder(self.rules)
        return lambda text: coder.encode(text).tokens

    def numbers(self, text: str) -> list[int]:
        """A text's numbers, without an end, unknown ones as <unk>. Raises UsageError for them if there is no <unk>."""
        found = [self.index.get(unit, self.unknown) for unit in self.cut(text)]
        if -1 in found:
            raise UsageError(
                f"{list(self.cut(text))[found.index(-1)]!r} is not in the vocabulary, and {UNKNOWN} neither"
            )
        return found

    def number(self, word: str) -> int:
        """The number of one word. Raises UsageError with the nearest known one."""
        spellings = (word, word.lower(), word.capitalize())
        known = next((one for one in spellings if one in self.index), None)
        if known is None:
            raise UsageError(f'"{word}" is not in the vocabulary ({len(self):,} words){nearest(word, self.units)}')
        return self.index[known]

    def spelt(self, unit: str) -> bytes:
        """The bytes that a unit stands for: of BPE, one for each of its letters."""
        if unit == END:
            return b"\n"
        return bytes(map(_bytes().__getitem__, unit)) if self.kind == "bpe" else unit.encode()

    def as_style(self, style: str) -> Vocabulary:
        """The same units, with words cut otherwise."""
        return Vocabulary(self.kind, self.units, style, self.rules) if self.kind == "word" else self

    def to_json(self) -> dict[str, Any]:
        """For the header of a weight file, whose ``classes`` are the units."""
        return {"kind": self.kind, "style": self.style, **({"rules": self.rules} if self.rules else {})}


@dataclass
class Counted:
    """What was read of a text: characters (of words: as if one blank stood between them), and unknown units."""

    characters: int = 0
    tokens: int = 0
    lines: int = 0
    unknown: Counter[str] = field(default_factory=Counter)


class _Lookup(dict[str, int]):
    """Numbers of units; others are noted, and have that of <unk>."""

    def __init__(self, vocabulary: Vocabulary, counted: Counted) -> None:
        super().__init__(vocabulary.index)
        self.other, self.noted = vocabulary.unknown, counted.unknown

    def __missing__(self, unit: str) -> int:
        self.noted[unit] += 1
        return self.other


def encode(lines: Iterable[Line], vocabulary: Vocabulary, counted: Counted) -> Iterator[np.ndarray]:
    """The numbers of lines, each followed by the end; int32 (n,), in blocks; -1 for unknown units without <unk>.

    ``counted`` is kept up to date. A unit spelt </s> in the text is an unknown one.
    """
    lookup, cut, words = _Lookup(vocabulary, counted), vocabulary.cut, vocabulary.kind == "word"
    lookup.pop(END)
    block = array("i")
    for line in lines:
        for piece in line:
            units = cut(piece)
            block.extend(map(lookup.__getitem__, units))
            counted.characters += len(piece.strip()) if words else len(piece)
            if len(block) >= _BLOCK:
                counted.tokens += len(block)
                yield np.frombuffer(block, np.int32)
                block = array("i")
        block.append(vocabulary.end)
        counted.characters += 1
        counted.lines += 1
    if block:
        counted.tokens += len(block)
        yield np.frombuffer(block, np.int32)


@dataclass(frozen=True)
class Encoded:
    """Texts as numbers: ``ids`` (N,) int32; ``starts``: the places where documents begin."""

    ids: np.ndarray
    starts: np.ndarray
    counted: Counted


def encode_texts(texts: Iterable[Text], vocabulary: Vocabulary) -> Encoded:
    """Whole texts. Raises InputError for what cannot be read, UsageError for what the vocabulary cannot spell."""
    counted, blocks, starts, at = Counted(), [], [], 0
    for text in texts:
        own = vocabulary.as_style("blanks") if text.cut else vocabulary
        for document in documents(text):
            begun = at
            for block in encode(document, own, counted):
                blocks.append(block)
                at += len(block)
            if at > begun:
                starts.append(begun)
    ids = np.concatenate(blocks) if blocks else np.zeros(0, np.int32)
    if (ids < 0).any():
        word = next(iter(counted.unknown))
        raise UsageError(f"{word!r} is not in the vocabulary of these weights, and {UNKNOWN} neither")
    return Encoded(ids, np.array(starts, np.int64), counted)


def documents(text: Text) -> Iterator[Iterator[Line]]:
    """The documents of a text, each to be read before the next."""
    if not text.articles:
        yield text.lines()
        return
    lines = text.lines()
    waiting: list[Line] = []
    more = True

    def one() -> Iterator[Line]:
        nonlocal more
        yield from waiting
        waiting.clear()
        for line in lines:
            listed = list(line)
            if len(listed) == 1 and is_title(listed[0]):
                waiting.append(listed)
                return
            yield listed
        more = False

    while more:
        yield one()


def build(
    texts: Iterable[Text], kind: str, style: str, *, most: int = 0, minimum: int = 0
) -> tuple[Vocabulary, np.ndarray]:
    """The vocabulary of training texts, and how often each unit is there, (V,) int64.

    Args:
        most: how many words to keep, or pieces of words to make; 0: all that are frequent.
        minimum: how often a word must be there; 0: 3, or 1 where <unk> is a word of the text.

    Raises:
        UsageError: there are no words to learn from.
    """
    texts = tuple(texts)
    if kind == "bpe":
        return _bpe(texts, most or PIECES)
    found: Counter[str] = Counter()
    lines = 0
    for text in texts:
        cut = splitter("blanks" if text.cut else style) if kind == "word" else iter
        for line in text.lines():
            lines += 1
            for piece in line:
                found.update(cut(piece))
    if not found:
        raise UsageError("there are no words to learn from")
    found.pop(END, None)
    if kind == "word":
        least = minimum or (1 if UNKNOWN in found else RARE)
        kept = [(unit, count) for unit, count in found.most_common() if count >= least or unit == UNKNOWN]
    else:
        kept = [(unit, count) for unit, count in found.most_common() if count >= minimum]
    kept = kept[: most or None]
    rest = found.total() - sum(count for _, count in kept)
    known = dict(kept)
    if rest or (kind == "character" and UNKNOWN not in known):
        known[UNKNOWN] = known.get(UNKNOWN, 0) + max(rest, 1)
    known[END] = max(lines, 1)
    ordered = sorted(known, key=lambda unit: -known[unit])  # stable: of equals, the one seen first
    counts = np.array([known[unit] for unit in ordered], np.int64)
    return Vocabulary(kind, tuple(ordered), style if kind == "word" else "none"), counts


def _bpe(texts: tuple[Text, ...], size: int) -> tuple[Vocabulary, np.ndarray]:
    """Byte-level BPE (Sennrich et al. 2016; bytes as in GPT-2): whatever the text, nothing is unknown."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    coder = Tokenizer(models.BPE())
    coder.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    coder.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=max(size - 1, len(alphabet)), initial_alphabet=alphabet, show_progress=False
    )
    coder.train_from_iterator((piece for text in texts for line in text.lines() for piece in line), trainer)
    rules = coder.to_str()
    raw = Vocabulary(
        "bpe", (*(unit for unit, _ in sorted(coder.get_vocab().items(), key=lambda one: one[1])), END), "none", rules
    )
    encoded = encode_texts(texts, raw)
    counts = np.bincount(encoded.ids, minlength=len(raw))
    order = np.argsort(-counts, kind="stable")
    return Vocabulary("bpe", tuple(raw.units[i] for i in order), "none", rules), counts[order]


@cache
def _bytes() -> dict[str, int]:
    """The byte that each letter of byte-level BPE stands for: printable ones for themselves, others moved above 255."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + number): byte for number, byte in enumerate(others)}


_CODERS: dict[str, Any] = {}


def _coder(rules: str) -> Any:
    """The tokenizer of these rules, made once."""
    if rules not in _CODERS:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise UsageError("tokenizers is not installed: pip install tokenizers") from error
        _CODERS[rules] = Tokenizer.from_str(rules)
    return _CODERS[rules]
