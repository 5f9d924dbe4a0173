"""How a word that no dictionary lists may sound, from its letters: a small recurrent network trained with CTC.

Two bidirectional GRU layers read the letters; for each letter the network gives two distributions over the phones and
"nothing", one after the other, which CTC (Graves et al. 2006) strings together: nearly no word has more phones than
twice its letters. So did Rao, Peng, Sak and Beaufays (2015), with LSTM layers and one output a letter repeated. A beam
search over prefixes (Hannun et al. 2014) then finds the likeliest pronunciations. ``recipes/letters.py`` trains it on
CMUdict, without stress; the header of the weights tells its errors.
"""

from __future__ import annotations

import functools
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from percept.core import checkpoint, weights
from percept.speech.phones import PHONES

ALPHABET = "abcdefghijklmnopqrstuvwxyz'"
SLOTS = 2  # distributions a letter
CLASSES = ("", *PHONES)  # of each distribution; the first is CTC's "nothing new"
WIDTH = 16  # prefixes that the search keeps
LEAST = 1e-4  # a phone less likely than this is not tried
FILE = "letters.safetensors"


class LettersToSound(nn.Module):
    """(B, L) places in ALPHABET -> (B, 2 L, 40) natural-log probabilities of CLASSES.

    All words of a batch have the same length, so that nothing is padded. letter, features, hidden: sizes of a letter's
    vector, of the convolution over five letters that follows, and of each direction of the GRU layers.
    """

    def __init__(self, letter: int = 48, features: int = 128, hidden: int = 152, dropout: float = 0.0) -> None:
        super().__init__()
        self.letter = nn.Embedding(len(ALPHABET), letter)
        self.around = nn.Conv1d(letter, features, 5, padding=2)
        self.gru = nn.GRU(features, hidden, num_layers=2, batch_first=True, bidirectional=True, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.phone = nn.Linear(2 * hidden, SLOTS * len(CLASSES))

    def forward(self, letters: Tensor) -> Tensor:
        vectors = self.letter(letters).transpose(1, 2)  # (B, L) -> (B, L, E) -> (B, E, L)
        features = self.dropout(self.around(vectors).relu().transpose(1, 2))  # -> (B, F, L) -> (B, L, F)
        states = self.dropout(self.gru(features)[0])  # (B, L, 2 H)
        scores = self.phone(states).unflatten(2, (SLOTS, len(CLASSES)))  # (B, L, 2, 40)
        return scores.flatten(1, 2).log_softmax(-1)  # (B, L, 2, 40) -> (B, 2 L, 40)


def pronounce(word: str, count: int = 1) -> tuple[tuple[str, ...], ...]:
    """The ``count`` likeliest pronunciations of a word by the shipped network, the best first.

    Case, accents and all but letters and apostrophes do not count. () where no letter from a to z is left; fewer than
    ``count`` where the search finds no others.

    Raises:
        UsageError: the shipped weights are missing or damaged.

    >>> pronounce("Blorping")
    (('b', 'l', 'ao', 'r', 'p', 'ih', 'ng'),)
    """
    plain = spelt(word)
    if not plain.strip("'"):
        return ()
    return tuple(phones for phones, _ in _found(plain, max(count, WIDTH))[:count])


def spelt(word: str) -> str:
    """A word in the letters that the network reads: lower case, accents folded, all else left out.

    >>> spelt("Café's")
    "cafe's"
    """
    plain = unicodedata.normalize("NFKD", word.lower().replace("’", "'"))
    return "".join(letter for letter in plain if letter in ALPHABET)


def encoded(words: Sequence[str]) -> Tensor:
    """(B, L) int64 places in ALPHABET of words of one length, which hold nothing else."""
    return torch.tensor([[ALPHABET.index(letter) for letter in word] for word in words])


def search(probabilities: Sequence[Sequence[float]], width: int = WIDTH) -> list[tuple[tuple[str, ...], float]]:
    """The likeliest phone strings and their probabilities, by a beam search over prefixes; never the empty one.

    A prefix's probability is kept in two parts, of the paths that end in "nothing" and of those that end in its last
    phone, because only after "nothing" does the same phone count as a second one.

    Args:
        probabilities: (S, 40), each of S distributions over CLASSES.
        width: prefixes that are kept after each; all, and the answer exact but for LEAST, where they are no more.
    """
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}
    for slot in probabilities:
        likely = [(phone, p) for phone, p in enumerate(slot) if phone and p >= LEAST]
        grown: defaultdict[tuple[int, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for prefix, (silent, sounding) in beam.items():
            whole, last = silent + sounding, prefix[-1] if prefix else 0
            here = grown[prefix]
            here[0] += whole * slot[0]
            if last:
                here[1] += sounding * slot[last]
            for phone, p in likely:
                grown[(*prefix, phone)][1] += (silent if phone == last else whole) * p
        kept = sorted(grown.items(), key=lambda item: (-sum(item[1]), item[0]))[:width]
        beam = {prefix: (silent, sounding) for prefix, (silent, sounding) in kept}
    return [(tuple(CLASSES[phone] for phone in prefix), sum(parts)) for prefix, parts in beam.items() if prefix]


@functools.cache
def shipped() -> LettersToSound:
    """The network with the shipped weights, read once. Raises as :func:`pronounce` does."""
    (row,) = (row for row in weights.parts() if row.file == FILE)
    read = checkpoint.load(weights.verified(row), task="acoustic")
    network = LettersToSound(**read.header["model"]["sizes"])
    network.load_state_dict(read.tensors)
    return network.eval()


@functools.lru_cache(maxsize=65536)
def _found(plain: str, width: int) -> list[tuple[tuple[str, ...], float]]:
    with torch.inference_mode():
        return search(shipped()(encoded([plain]))[0].exp().tolist(), width)  # (1, 2 L, 40) -> (2 L, 40)
