"""Speech data: the utterances of a split, some of them held out, and what is refused before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from percept.core.errors import UsageError
from percept.speech.acoustic.layout_commands import noises
from percept.speech.acoustic.layouts import read_corpus, recognise, splits
from percept.speech.acoustic.utterances import Corpus, Utterance
from percept.speech.segments import Segment

__all__ = [
    "Corpus",
    "Segment",
    "Utterance",
    "hold_out",
    "noises",
    "read_corpus",
    "recognise",
    "refuse",
    "splits",
]
FEWEST = 8  # speakers from which on some are held out; of fewer, too large a part would be missing in training


def hold_out(corpus: Corpus, share: float, seed: int) -> tuple[Corpus, Corpus]:
    """Split into (train, held): about ``share`` of the utterances, drawn by ``seed`` from their names in any order.

    Whole speakers are held out, so that the held-out figures are those of new voices. Where less than 8 are known,
    single utterances are.

    Raises:
        UsageError: the share is not between 0 and 1, or there is nothing to part.
    """
    if not 0 < share < 1:
        raise UsageError(f"share to hold out must be between 0 and 1, not {share:g}")
    wanted = max(1, round(share * len(corpus.utterances)))
    units = _units(corpus.utterances)
    if len(units) < 2:
        raise UsageError(f"{corpus.folder}: {len(units)} utterance: too few to hold some out for validation")
    held: set[str] = set()
    for place in np.random.default_rng([seed, len(units)]).permutation(len(units))[:-1]:  # one stays for training
        if not held or len(held) + len(units[place]) / 2 <= wanted:
            held |= {one.name for one in units[place]}
    train = tuple(one for one in corpus.utterances if one.name not in held)
    kept = tuple(one for one in corpus.utterances if one.name in held)
    return replace(corpus, utterances=train), replace(corpus, utterances=kept, split="val", problems=(), faults=())


def refuse(corpus: Corpus) -> None:
    """Refuse to go on with labels that cannot be right, before anything is trained on them.

    Raises:
        UsageError: a label file that cannot be read, an unknown phone or times that run backwards, with file and line;
            the others are counted. A set of command words with less than two words.
    """
    see = f" (percept data check {corpus.folder})"
    if corpus.faults:
        more = len(corpus.faults) - 1
        others = f"; {more:,} more line{'s' * (more > 1)} like it" if more else ""
        raise UsageError(f"{corpus.folder}/{corpus.faults[0]}{others}{see}")
    if corpus.labels and len({one.label for one in corpus.utterances}) < 2:
        raise UsageError(f"{corpus.folder}: {corpus.split} has recordings of one word only{see}")


def _units(utterances: Sequence[Utterance]) -> list[list[Utterance]]:
    """Utterances that stay together, in the order of their first names: a speaker's, or each by itself."""
    ordered = sorted(utterances, key=lambda one: one.name)
    known = {one.speaker for one in ordered if one.speaker}
    if len(known) < FEWEST:
        return [[one] for one in ordered]
    groups: dict[str, list[Utterance]] = {}
    for one in ordered:
        groups.setdefault(one.speaker or one.name, []).append(one)
    return list(groups.values())
