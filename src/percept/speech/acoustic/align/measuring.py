"""``percept eval align``: boundaries against labels with times, and whether wrong transcripts are noticed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from percept.core import checkpoint, weights
from percept.core.console import say
from percept.core.device import choose
from percept.core.errors import InputError, UsageError
from percept.core.evaluation import Report, Table, answers, figure, mean
from percept.speech.acoustic.align.aligner import Aligner
from percept.speech.acoustic.align.options import Evaluate, Predict
from percept.speech.acoustic.data import Utterance, read_corpus, splits
from percept.speech.acoustic.measuring import PREFERRED
from percept.speech.acoustic.metrics import Boundaries, real_time_factor
from percept.speech.acoustic.published import caution, published
from percept.speech.acoustic.samples import sound
from percept.speech.audio import RATE
from percept.speech.lexicon import Lexicon, Pronunciation

LISTED = 20  # recordings in a table
NEAR = 10  # sentences of about the same length, among which a wrong one is drawn
BOUNDARIES = ("phone_boundary_ms", "word_boundary_ms", "phone_mean_ms")  # what published figures are looked up by
MEANINGS = {
    "phone_mean_ms": "phone starts: mean |error|, ms",
    "phone_median_ms": "phone starts: median |error|, ms",
    "phone_bias_ms": "phone starts: mean error, ms; above 0 is late",
    "within10": "phone starts within 10 ms, %",
    "within20": "phone starts within 20 ms, %",
    "within25": "phone starts within 25 ms, %",
    "within50": "phone starts within 50 ms, %",
    "phone_boundary_ms": "phone starts and ends: mean |error|, ms",
    "word_start_ms": "word starts: mean |error|, ms",
    "word_end_ms": "word ends: mean |error|, ms",
    "word_boundary_ms": "word starts and ends: mean |error|, ms",
    "phones_paired": "labelled phones that were found and compared, %",
    "failures": "recordings that could not be aligned",
    "flagged_wrong": "wrong transcripts that were noticed, %",
    "flagged_right": "right transcripts that were doubted, %",
    "fit": "mean fit of the right transcripts, 0 to 1",
}


@dataclass
class Scores:
    """What is gathered over a set."""

    boundaries: Boundaries = field(default_factory=Boundaries)
    fits: list[float] = field(default_factory=list)
    doubted: list[str] = field(default_factory=list)  # right pairs
    noticed: list[bool] = field(default_factory=list)  # of wrong pairs, whether each was
    spent: float = 0.0
    heard: float = 0.0

    def to_metrics(self) -> dict[str, float | None]:
        """Under the names of MEANINGS; None of what could not be measured."""
        shares = (mean(map(float, self.noticed)), mean([1.0] * len(self.doubted) + [0.0] * self.believed))
        wrong, right = (None if share is None else 100 * share for share in shares)
        return {
            **self.boundaries.to_metrics(),
            "flagged_wrong": wrong,
            "flagged_right": right,
            "fit": mean(self.fits),
        }

    @property
    def believed(self) -> int:
        """Right pairs that were not doubted."""
        return self.boundaries.count - len(self.doubted)


def measure(options: Evaluate, folder: Path, name: str) -> Report:
    """The report of one split."""
    shown, path = weights.resolve(options.weights, "acoustic")
    read = checkpoint.load(path, task="acoustic")
    split = options.split or next((one for one in PREFERRED if one in splits(folder)), "all")
    corpus = read_corpus(folder, split)
    utterances = tuple(one for one in corpus.utterances if one.words or one.phones)[: options.limit or None]
    if not utterances:
        raise UsageError(f"{folder}: nothing in {split} says what is spoken in sentences: there is nothing to align")
    trained = {*read.header["data"]["speakers"], *read.header["data"]["choosing"]}
    seen = sum(one.speaker in trained for one in utterances if one.speaker)
    if seen and name in read.header["data"]["sets"]:
        say(f"these weights have heard the speakers of {seen} of the {len(utterances)} recordings: no test")
    asked = Predict(weights=options.weights, lexicon=options.lexicon, force=True)
    aligner = Aligner(asked, read, shown, choose(options.device, options.threads, options.precision))
    scores = Scores()
    _, seconds = answers("recordings", utterances, lambda one: _right(aligner, one, scores))
    wrong = shuffled(utterances, aligner.lexicon, options.shuffled, options.seed)
    _, further = answers("wrong pairs", wrong, lambda pair: _wrong(aligner, *pair, scores))
    metrics = scores.to_metrics()
    rtf = real_time_factor(scores.spent, scores.heard)
    rows = [(key, figure(metrics[key], 2), meaning) for key, meaning in MEANINGS.items()]
    rows.append(("rtf", figure(rtf, 4), "seconds of work a second of sound"))
    tables = [Table(f"measured here with {shown}", ("", "", ""), tuple(rows))]
    if doubted := scores.doubted:
        lines = [*doubted[:LISTED], *([f"and {len(doubted) - LISTED:,} more"] if len(doubted) > LISTED else [])]
        tables.append(Table("right transcripts that were doubted", ("recording",), tuple((line,) for line in lines)))
    timed = BOUNDARIES if scores.boundaries.phones else ("none",)
    return Report(
        "align",
        name,
        split,
        shown,
        len(utterances),
        metrics,
        seconds + further,
        published=published(corpus.set, split, len(utterances), timed),
        tables=tables,
        note="; ".join(
            filter(
                None,
                (
                    "closures are part of their stops",
                    caution(corpus.set, split, len(utterances), timed),
                    str(aligner.finder.device),
                ),
            )
        ),
        details={"rtf": rtf, "trained_on": seen, "wrong_pairs": len(wrong)},
    )


def ways_of(one: Utterance, lexicon: Lexicon) -> list[tuple[Pronunciation, ...]]:
    """The pronunciations of each word; where only phones are known, as in other languages, they are one word."""
    return [lexicon.look_up(word).pronunciations for word in one.words] or [(one.phones,)]


def shuffled(
    utterances: Sequence[Utterance], lexicon: Lexicon, count: int, seed: int
) -> list[tuple[Utterance, Utterance]]:
    """Sounds, each with an utterance of other words and about as many phones, whose transcript it will be given.

    Raises:
        UsageError: all say the same.
    """
    if not count:
        return []
    said = [_words(one) for one in utterances]
    if len(set(said)) < 2:
        raise UsageError("--shuffled needs recordings of different words")
    lengths = np.array([sum(len(way[0]) for way in ways_of(one, lexicon) if way) for one in utterances])
    rng = np.random.default_rng(seed)
    pairs = []
    for turn in range(count):
        if turn % len(utterances) == 0:
            order = rng.permutation(len(utterances))
        own = order[turn % len(utterances)]
        nearest = np.argsort(np.abs(lengths - lengths[own]), kind="stable")
        others = [other for other in nearest if said[other] != said[own]][:NEAR]
        pairs.append((utterances[own], utterances[rng.choice(others)]))
    return pairs


def _words(one: Utterance) -> tuple[str, ...]:
    return one.words or (" ".join(one.phones),)


def _right(aligner: Aligner, one: Utterance, scores: Scores) -> None:
    samples = sound(one)
    scores.heard += len(samples) / RATE
    began = time.perf_counter()
    try:
        found = aligner.align(iter([samples]), _words(one), one.name, ways_of(one, aligner.lexicon))
    except InputError as error:
        say(f"{one.name}: {error}")
        scores.boundaries.fail()
        scores.doubted.append(one.name)
        return
    finally:
        scores.spent += time.perf_counter() - began
    scores.fits.append(found.fit)
    if not found.fits:
        scores.doubted.append(f"{one.name}  fit {found.fit:.2f}")
    phones, words = ([part.segment for part in parts or ()] for parts in (found.phones, found.words))
    scores.boundaries.add(one.phone_times, phones, one.word_times, words)


def _wrong(aligner: Aligner, one: Utterance, other: Utterance, scores: Scores) -> None:
    try:
        found = aligner.align(iter([sound(one)]), _words(other), one.name, ways_of(other, aligner.lexicon))
        scores.noticed.append(not found.fits)
    except InputError:  # too short for these words
        scores.noticed.append(True)
