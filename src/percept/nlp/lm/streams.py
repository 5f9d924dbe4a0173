"""A text as streams read side by side, in chunks of random lengths, with a state that goes from chunk to chunk.

The text is cut into B streams of equal lengths. A chunk is the next T words of each: the network goes on from the state
in which it left the chunk before, and errors are carried back within the chunk only (Williams and Peng 1990). Lengths
vary from epoch to epoch, so that it is not always the same words that begin a chunk (Merity et al. 2017, section 4.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from percept.core.errors import UsageError
from percept.nlp.lm.vocabulary import Encoded

_SHORT = 0.05  # of the chunks are half as long
_SPREAD = 5.0  # standard deviation of lengths, in words
_SHORTEST = 5
_MEAN = 1 - _SHORT / 2  # of lengths, as a share of bptt


class Chunk(NamedTuple):
    """words, targets: (T, B) int64; fresh: (T, B) bool, where a document begins; at: the first step of the chunk."""

    words: Tensor
    targets: Tensor
    fresh: Tensor
    at: int


class Streams:
    """The chunks of each epoch. The word before the first one of the text is the end of a line.

    Args:
        encoded: the text. end: the number of an end. batch: streams B; the last len % B words are left out.
        bptt: usual length of a chunk. vary: whether lengths are random; short ones never are.

    Raises:
        UsageError: the text is too short for so many streams.
    """

    def __init__(self, encoded: Encoded, end: int, batch: int, bptt: int, seed: int, vary: bool = True) -> None:
        length = len(encoded.ids) // batch
        if length < 2:
            raise UsageError(f"{len(encoded.ids)} words cannot be read at {batch} places side by side; lower --batch")
        self.seed, self.bptt, self.length, self.batch = seed, bptt, length, batch
        self.vary = vary and bptt >= 2 * _SHORTEST
        self.chunks = max(1, round(length / (bptt * _MEAN))) if self.vary else -(-length // bptt)
        kept = encoded.ids[: length * batch].astype(np.int64)
        before = np.concatenate([[end], kept[:-1]])
        fresh = np.zeros(len(kept), bool)
        fresh[encoded.starts[encoded.starts < len(kept)]] = True
        before[fresh] = end
        fresh[::length] = True  # what is before a stream's begin is another stream's end

        def side_by_side(flat: np.ndarray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(flat.reshape(batch, length).T))  # (B L,) -> (L, B)

        self.words, self.targets, self.fresh = (side_by_side(flat) for flat in (before, kept, fresh))

    def to(self, device: torch.device) -> Streams:
        """The whole text on the device, so that no step waits for it; where documents begin is asked on the CPU."""
        self.words, self.targets = self.words.to(device), self.targets.to(device)
        return self

    @property
    def mean(self) -> float:
        """Words of a chunk, on average over an epoch."""
        return self.length * self.batch / self.chunks

    def edges(self, epoch: int) -> np.ndarray:
        """(chunks + 1,) where the chunks of an epoch begin and end."""
        if not self.vary:
            return np.minimum(np.arange(self.chunks + 1) * self.bptt, self.length)
        rng = np.random.default_rng([self.seed, epoch])
        usual = np.where(rng.random(self.chunks) < _SHORT, self.bptt / 2, self.bptt)
        spread = min(_SPREAD, self.bptt / 8)
        lengths = np.maximum(rng.normal(usual, spread), _SHORTEST)
        edges = np.concatenate([[0.0], lengths.cumsum()])
        edges = np.rint(edges * (self.length / edges[-1])).astype(np.int64)
        return np.maximum.accumulate(edges)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Chunk]:
        """The chunks of an epoch from number ``start`` on."""
        edges = self.edges(epoch)
        for low, high in zip(edges[start:-1].tolist(), edges[start + 1 :].tolist(), strict=True):
            yield Chunk(self.words[low:high], self.targets[low:high], self.fresh[low:high], low)
