"""``--weights`` of lm: a neural model, or an n-gram model in an ARPA file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from percept.core import checkpoint, weights
from percept.core.device import Device
from percept.core.errors import UsageError
from percept.nlp.lm.model import from_checkpoint
from percept.nlp.lm.reader import NgramReader, Reader
from percept.nlp.lm.vocabulary import Vocabulary
from percept.nlp.ngram import Ngram, read_arpa

ARPA = (".arpa", ".arpa.gz")


@dataclass(frozen=True)
class Opened:
    """A model that can be asked. network: None for n-grams; header: of the weight file."""

    shown: str
    name: str
    vocabulary: Vocabulary
    reader: Reader | NgramReader
    network: nn.Module | None
    header: dict[str, Any]

    @property
    def neural(self) -> nn.Module:
        """The network. Raises UsageError if there is none."""
        if self.network is None:
            raise UsageError(f"{self.shown} is an n-gram model: it has no vectors and cannot be trained on")
        return self.network


def open_model(wanted: str, device: Device) -> Opened:
    """Read a model.

    Raises:
        UsageError: no such weights, not a weight file, damaged, or another task's.
    """
    shown, path = weights.resolve(wanted, "lm")
    if path.name.endswith(ARPA):
        return of_ngrams(shown, read_arpa(path))
    found = checkpoint.load(Path(path), task="lm")
    network = from_checkpoint(found).to(device.torch)
    vocabulary = vocabulary_of(found.header)
    reader = Reader(network, vocabulary.end, device.torch)
    return Opened(shown, found.header["model"]["name"], vocabulary, reader, network, found.header)


def of_ngrams(shown: str, model: Ngram) -> Opened:
    """An n-gram model, whose words stand between blanks."""
    vocabulary = Vocabulary("word", model.words, "blanks")
    return Opened(shown, f"{model.order}-gram", vocabulary, NgramReader(model), None, {})


def vocabulary_of(header: dict[str, Any]) -> Vocabulary:
    """The vocabulary of a weight file."""
    return Vocabulary(units=tuple(header["classes"]), **header["vocabulary"])
