"""A model that reads on, word by word or chunk by chunk, and says how likely what comes was: neural ones, and n-grams.

Both kinds have the same face: ``reset``, ``score(ids)`` of what comes next in a text, ``lines`` of sentences by
themselves, ``next`` (the distribution of the next word) and ``push``. All are natural logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from percept.nlp.lm.vocabulary import Encoded
from percept.nlp.ngram import Ngram

STREAMS, WARM = 16, 100  # places that are read side by side, and words that warm up each
_STEPS = 256  # words read at a time
_ROOM = 2**25  # numbers in a table of scores (N, V)
_LN10 = math.log(10)


class Reader:
    """Reads with a neural model. Each document is read from the state of zeros, after the end of a line.

    network: a ``LanguageModel``; end: the number of an end.
    """

    def __init__(self, network: nn.Module, end: int, device: torch.device) -> None:
        self.network, self.end, self.device = network, end, device
        self.reset()

    def reset(self) -> None:
        """Forget all: a document begins."""
        self.state = self.network.start(1)
        self.last = self.end

    @torch.inference_mode()
    def score(self, ids: np.ndarray) -> np.ndarray:
        """log p of each of the next (n,) words, float32."""
        found = np.empty(len(ids), np.float32)
        for at in range(0, len(ids), _STEPS):
            features, targets = self.features(ids[at : at + _STEPS])
            found[at : at + _STEPS] = self.of(features, targets)
        return found

    @torch.inference_mode()
    def features(self, ids: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, D) what is known before each of the next (n,) words, and these."""
        targets = torch.from_numpy(ids.astype(np.int64)).to(self.device)
        words = torch.cat([targets.new_tensor([self.last]), targets[:-1]])[:, None]  # (n,) -> (n, 1)
        found, self.state = self.network.read(words, self.state)
        self.last = int(ids[-1])
        return found[:, 0], targets

    @torch.inference_mode()
    def of(self, features: torch.Tensor, targets: torch.Tensor) -> np.ndarray:
        """(n, D), (n,) -> (n,) float32 log p."""
        if not len(targets):
            return np.zeros(0, np.float32)
        rows = max(1, _ROOM // self.network.table.num_embeddings)
        found = [
            self.network.output.score(features[at : at + rows], targets[at : at + rows])
            for at in range(0, len(targets), rows)
        ]
        return torch.cat(found).float().cpu().numpy()

    def score_text(self, encoded: Encoded) -> np.ndarray:
        """(N,) float32: log p of every token of a text, document by document."""
        return score_text(self, encoded)

    @torch.inference_mode()
    def score_side_by_side(self, encoded: Encoded, streams: int = STREAMS, warm: int = WARM) -> np.ndarray:
        """Nearly what :meth:`score_text` gives, many times faster: for the epochs of a training.

        The text is read at ``streams`` places side by side. Each begins ``warm`` words early from the state of zeros;
        what was before these is missing from its state, of which little is left by then.
        """
        count = len(encoded.ids)
        streams = min(streams, count // (10 * warm))
        if streams < 2:
            return self.score_text(encoded)
        length = -(-count // streams)
        at = np.arange(-warm, length)[:, None] + np.arange(streams)[None] * length  # (warm + L, B) places in the text
        inside = np.clip(at, 0, count - 1)
        begins = np.zeros(count, bool)
        begins[encoded.starts] = True
        before = np.concatenate([[self.end], encoded.ids[:-1]])
        before[begins] = self.end
        fresh = torch.from_numpy(begins[inside] & (at == inside))
        words, targets = (
            torch.from_numpy(ids[inside].astype(np.int64)).to(self.device) for ids in (before, encoded.ids)
        )
        found, state = np.empty(count, np.float32), self.network.start(streams)
        for start in range(0, len(at), _STEPS):
            part = slice(start, start + _STEPS)
            features, state = self.network.read(words[part], state, fresh[part])  # (T, B, D)
            told = (np.arange(len(at))[part, None] >= warm) & (at[part] < count)
            kept = torch.from_numpy(told).to(self.device)
            found[at[part][told]] = self.of(features[kept], targets[part][kept])
        return found

    @torch.inference_mode()
    def lines(self, lines: Sequence[np.ndarray]) -> list[np.ndarray]:
        """log p of the words of each line, each read as a document of its own, all side by side."""
        longest = max(map(len, lines))
        targets = np.full((longest, len(lines)), self.end, np.int64)  # (T, B), padded with ends
        for column, line in enumerate(lines):
            targets[: len(line), column] = line
        words = np.vstack([np.full((1, len(lines)), self.end), targets[:-1]])
        read = torch.from_numpy(words).to(self.device)
        features, _ = self.network.read(read, self.network.start(len(lines)))  # (T, B, D)
        scores = self.of(features.flatten(0, 1), torch.from_numpy(targets).to(self.device).flatten())
        scores = scores.reshape(longest, len(lines))
        return [scores[: len(line), column] for column, line in enumerate(lines)]

    @torch.inference_mode()
    def next(self) -> np.ndarray:
        """(V,) log p of the word that comes next."""
        found, self._ahead = self.network.read(torch.tensor([[self.last]], device=self.device), self.state)
        return self.network.output.log_probs(found[0, 0]).float().cpu().numpy()

    def push(self, word: int) -> None:
        """The next word has come; after :meth:`next`."""
        self.state, self.last = self._ahead, word


class NgramReader:
    """Reads with an n-gram model; a line begins after <s>."""

    def __init__(self, model: Ngram) -> None:
        self.model, self.end = model, model.end
        self.reset()

    def reset(self) -> None:
        """Forget all: a document begins."""
        self.state = self.model.start

    def score(self, ids: np.ndarray) -> np.ndarray:
        """log p of each of the next (n,) words, float32; -inf for unknown ones where the model has no <unk>."""
        self.state, scores = self.model.follow(self.state, ids)
        if self.model.trie.unknown < 0:
            scores[np.asarray(ids) < 0] = -np.inf
        return scores * np.float32(_LN10)

    def score_text(self, encoded: Encoded) -> np.ndarray:
        """(N,) float32: log p of every token of a text, document by document."""
        return score_text(self, encoded)

    def lines(self, lines: Sequence[np.ndarray]) -> list[np.ndarray]:
        """log p of the words of each line."""
        found = []
        for line in lines:
            self.reset()
            found.append(self.score(line))
        return found

    def next(self) -> np.ndarray:
        """(V,) log p of the word that comes next."""
        with np.errstate(divide="ignore"):
            return np.log(self.model.distribution_at(self.state))

    def push(self, word: int) -> None:
        """The next word has come."""
        self.state, _ = self.model.follow(self.state, np.array([word], np.int32))


def score_text(reader: Reader | NgramReader, encoded: Encoded) -> np.ndarray:
    """(N,) float32: log p of every token of a text; documents are read one after another, each from the begin."""
    found = np.empty(len(encoded.ids), np.float32)
    edges = [*encoded.starts.tolist(), len(encoded.ids)]
    for start, end in zip(edges, edges[1:], strict=False):
        reader.reset()
        found[start:end] = reader.score(encoded.ids[start:end])
    return found
