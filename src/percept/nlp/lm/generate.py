"""From a model to text: words are drawn one after another and written as they come."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from percept.nlp.lm.detokenise import Writer
from percept.nlp.lm.reader import NgramReader, Reader
from percept.nlp.lm.vocabulary import Vocabulary
from percept.nlp.sentences import UNKNOWN


def generate(
    reader: Reader | NgramReader,
    vocabulary: Vocabulary,
    prompt: str,
    *,
    length: int = 100,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    stop: str = "",
) -> Iterator[str]:
    """Pieces of the text that follows a prompt, as they come.

    Args:
        length: most units to draw. temperature: 0 takes the likeliest. top_k, top_p: see :func:`narrowed`.
        seed: the same seed, the same text. stop: the text ends before this, or what might be its begin.
    """
    rng = np.random.default_rng(seed)
    reader.reset()
    given = vocabulary.numbers(prompt)
    if given:
        reader.score(np.array(given, np.int32))
    writer, banned = Writer(vocabulary.style), vocabulary.index.get(UNKNOWN, -1)
    writer.seen(prompt)
    undone = b""  # bytes of a character that BPE has cut
    held = ""  # what may be the begin of the word to stop at
    for _ in range(length):
        word = draw(reader.next(), rng, temperature, top_k, top_p, banned)
        reader.push(word)
        unit = vocabulary.units[word]
        if vocabulary.kind == "bpe":
            piece, undone = _decoded(vocabulary, unit, undone)
        else:
            piece = writer.write(unit)
        held += piece
        if stop and stop in held:
            yield held[: held.index(stop)]
            return
        sure = len(held) - _begun(held, stop)
        if sure:
            yield held[:sure]
            held = held[sure:]
    if held:
        yield held


def draw(
    log_probs: np.ndarray, rng: np.random.Generator, temperature: float, top_k: int, top_p: float, banned: int = -1
) -> int:
    """One word drawn from log p (V,), never the banned one."""
    scores = log_probs.astype(np.float64)
    if banned >= 0 and len(scores) > 1:
        scores[banned] = -np.inf
    if temperature == 0:
        return int(scores.argmax())
    scores = scores / temperature
    p = np.exp(scores - scores.max())
    p = narrowed(p / p.sum(), top_k, top_p)
    return int(min(np.searchsorted(p.cumsum(), rng.random() * p.sum(), side="right"), len(p) - 1))


def narrowed(p: np.ndarray, top_k: int = 0, top_p: float = 1.0) -> np.ndarray:
    """p (V,) of the ``top_k`` likeliest words, and the fewest likeliest with ``top_p`` together (Holtzman 2020)."""
    if 0 < top_k < len(p):
        p = np.where(p >= np.partition(p, -top_k)[-top_k], p, 0.0)
    if top_p < 1:
        order = np.argsort(-p, kind="stable")
        before = p[order].cumsum() - p[order]
        p = p.copy()
        p[order[before > top_p * p.sum()]] = 0.0
    return p / p.sum()


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of a text may be the begin of the word to stop at."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)


def _decoded(vocabulary: Vocabulary, unit: str, before: bytes) -> tuple[str, bytes]:
    """The whole characters of a piece of BPE, and the bytes of one that is not whole yet."""
    data = before + vocabulary.spelt(unit)
    for cut in range(min(4, len(data) + 1)):
        whole = data[: len(data) - cut]
        try:
            return whole.decode(), data[len(data) - cut :]
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace"), b""
