"""What a corpus teaches: phones of each recording from its labels or a dictionary, and where they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from percept.core.console import say
from percept.core.errors import InputError, UsageError
from percept.speech.acoustic.data import Corpus, Utterance, hold_out, read_corpus, refuse, splits
from percept.speech.acoustic.samples import CLASSES, NUMBERS, Taught, seconds
from percept.speech.lexicon import Lexicon, cmudict, read_lexicon
from percept.speech.phones import merged

HELD = 0.08  # of the recordings, by speaker, to choose the best epoch by, where a set has no part for it
SPLITS = ("val", "valid", "dev")  # what such a part may be called


@dataclass(frozen=True)
class Material:
    """What is learnt from and what the best epoch is chosen by, of all sets together.

    labels: of command words; () where phones are learnt.
    """

    train: tuple[Utterance, ...]
    choosing: tuple[Utterance, ...]
    labels: tuple[str, ...]


def gathered(folders: Sequence[Path], share: float, seed: int, units: str, split: str = "train") -> Material:
    """Read the training parts of all folders, or another split.

    Args:
        share: to hold out for choosing; 0: a set's own part for it, or HELD. units: "phones", "words" or "" for what
            the data holds.

    Raises:
        UsageError: labels that cannot be right; sets of sentences and of command words at once; units that the data
            does not have.
    """
    train: list[Utterance] = []
    choosing: list[Utterance] = []
    labels: set[tuple[str, ...]] = set()
    for folder in folders:
        whole = read_corpus(folder, split)
        refuse(whole)
        for problem in whole.problems[:10]:
            say(f"        {problem}")
        own = next((name for name in splits(folder) if name in SPLITS), None)
        kept: Corpus
        if own and not share and split == "train":
            kept = read_corpus(folder, own)
        else:
            whole, kept = hold_out(whole, share or HELD, seed)
        train += whole.utterances
        choosing += kept.utterances
        labels.add(whole.labels)
    if len(labels) > 1:
        raise UsageError("these sets teach different things: train on sentences, or on one set of command words")
    (words,) = labels
    if units == "words" and not words:
        raise UsageError("--units words learns from a folder of sounds for each word; here are sentences")
    if units == "phones" and words:
        train = [replace(one, words=one.words or (one.label,)) for one in train]
        choosing = [replace(one, words=one.words or (one.label,)) for one in choosing]
        words = ()
    return Material(tuple(train), tuple(choosing), words)


def dictionary(path: str) -> Lexicon:
    """CMUdict, and before it one's own file of pronunciations, if there is one."""
    return read_lexicon(Path(path)).over(cmudict()) if path else cmudict()


def taught(utterances: Iterable[Utterance], lexicon: Lexicon, labels: Sequence[str], longest: float) -> list[Taught]:
    """What each recording teaches; those that teach nothing, or are longer than ``longest`` seconds, are left out.

    The phones are the set's own, or else each word's first pronunciation.
    """
    made = []
    for one in utterances:
        times = tuple(segment for segment in merged(one.phone_times) if segment.label in NUMBERS)
        phones = () if labels else phones_of(one, lexicon)
        if not (labels or phones or times):
            continue
        try:
            length = seconds(one)
        except InputError as error:
            say(f"        {one.audio.name}: {error}; left out")
            continue
        if labels:
            made.append(Taught(one, label=labels.index(one.label), seconds=length))
        elif length <= longest:
            made.append(Taught(one, phones, times, seconds=length))
    return made


def phones_of(utterance: Utterance, lexicon: Lexicon) -> tuple[str, ...]:
    """The phones that the set tells, or else each word's first pronunciation."""
    words = (lexicon.look_up(word).pronunciations for word in (() if utterance.phones else utterance.words))
    return utterance.phones or tuple(phone for known in words if known for phone in known[0])


def priors(taught: Sequence[Taught], states: int) -> np.ndarray:
    """(C,) the share of time of each class of the frame head; of phones that never occur, the least of all."""
    seconds = np.zeros(len(CLASSES))
    for one in taught:
        for segment in one.times:
            seconds[NUMBERS[segment.label]] += segment.end - segment.start
    if not seconds.any():
        seconds += 1
    seconds = np.maximum(seconds, seconds[seconds > 0].min())
    return np.repeat(seconds / seconds.sum() / states, states)


def bigram(taught: Sequence[Taught], smoothing: float = 1.0) -> np.ndarray:
    """(P + 1, P + 1) natural log of how often the second phone follows the first; silence, 0, begins and ends.

    Counts are mixed with the phones' own frequencies (Witten & Bell 1991).
    """
    counts = np.zeros((len(CLASSES), len(CLASSES)))
    for one in taught:
        line = [0, *(NUMBERS[phone] for phone in one.phones), 0]
        np.add.at(counts, (line[:-1], line[1:]), 1)
    alone = counts.sum(0) + smoothing
    alone /= alone.sum()
    kinds = (counts > 0).sum(1, keepdims=True) + smoothing
    return np.log((counts + kinds * alone) / (counts.sum(1, keepdims=True) + kinds))
