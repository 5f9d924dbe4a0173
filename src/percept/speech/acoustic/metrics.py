"""Scores of acoustic models: errors of phones, words and frames, accuracy on command words, errors of boundaries.

Papers differ in what they count. Here, everywhere:

- Edits are counted over the whole set before anything is divided: a long utterance weighs more than a short one. A rate
  may exceed 100 percent, for insertions count.
- Phones are scored in TIMIT's 39 classes without silence (Lee & Hon 1989; ``percept.speech.phones.scored``).
- A frame counts if its centre lies in a labelled segment of a known phone or of silence. Closures belong to their
  stops, and flaps to "t": no model's phone is a flap. So 38 classes are left of the 39, silence being one of them.
- Boundaries are compared between phones of one class, or words, that the alignment with the fewest edits pairs; a
  closure is part of its stop. The sign is found minus hand: a positive bias is late.
- Rates and accuracies are percent, errors of boundaries milliseconds. What could not be measured is None, never 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from percept.core.evaluation import Table, figure
from percept.speech.acoustic.edits import aligned
from percept.speech.acoustic.times import CLASSES
from percept.speech.phones import SILENCE, fold39, merged, scored
from percept.speech.segments import Segment

NOTHING = "-"  # in confusions: an insertion's truth, a deletion's answer
WITHIN = (10, 20, 25, 50)  # ms
SCORED = tuple(dict.fromkeys(fold39(phone) for phone in CLASSES))  # of frames, silence first
_SCORED_OF = np.array([SCORED.index(fold39(phone)) for phone in CLASSES], np.int64)  # (C,) class -> scored class


@dataclass(frozen=True)
class Edits:
    """What it takes to turn a reference into an answer; ``length`` of the reference."""

    length: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """Percent of the reference; None where it is empty."""
        return 100.0 * self.errors / self.length if self.length else None

    def __add__(self, other: Edits) -> Edits:
        return Edits(
            self.length + other.length,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    def __str__(self) -> str:
        return f"{self.substitutions:,} sub, {self.deletions:,} del, {self.insertions:,} ins of {self.length:,}"


class ErrorRate:
    """Edits of labels over a set; ``total``, ``by_speaker`` and ``confusions`` (truth, answer) -> count."""

    def __init__(self) -> None:
        self.parts: list[Edits] = []
        self.by_speaker: dict[str, Edits] = {}
        self.confusions: Counter[tuple[str, str]] = Counter()

    @property
    def total(self) -> Edits:
        return sum(self.parts, Edits())

    @property
    def rate(self) -> float | None:
        """Percent; None of nothing."""
        return self.total.rate

    def add(self, reference: Sequence[str], answer: Sequence[str], speaker: str = "") -> Edits:
        """Count one utterance, its labels as they are; what it adds."""
        pairs = aligned(reference, answer)
        self.confusions.update(
            (reference[i] if i >= 0 else NOTHING, answer[j] if j >= 0 else NOTHING) for i, j in pairs
        )
        made = Edits(
            len(reference),
            sum(i >= 0 and j >= 0 and reference[i] != answer[j] for i, j in pairs),
            sum(j < 0 for _, j in pairs),
            sum(i < 0 for i, _ in pairs),
        )
        self.parts.append(made)
        self.by_speaker[speaker] = self.by_speaker.get(speaker, Edits()) + made
        return made

    def add_phones(self, reference: Iterable[str], answer: Iterable[str], speaker: str = "") -> Edits:
        """Count one utterance in the scored classes; labels of any alphabet that ``fold`` knows."""
        return self.add(scored(reference), scored(answer), speaker)

    def interval(self, draws: int = 1000, seed: int = 0) -> tuple[float, float] | None:
        """The middle 95 percent of the rates of sets drawn from these utterances with replacement (Efron 1979); None of
        less than two. It tells the chance in the choice of utterances, not of speakers or of training."""
        kept = [part for part in self.parts if part.length]
        if len(kept) < 2:
            return None
        errors, lengths = np.array([(part.errors, part.length) for part in kept], float).T  # (U,) each
        rng = np.random.default_rng(seed)
        rates = np.empty(draws)
        for k in range(draws):
            drawn = rng.integers(len(kept), size=len(kept))  # (U,)
            rates[k] = 100.0 * errors[drawn].sum() / lengths[drawn].sum()
        low, high = np.quantile(rates, (0.025, 0.975))
        return float(low), float(high)

    def speaker_table(self, title: str) -> Table:
        """Each speaker's rate, the worst first."""
        ordered = sorted(self.by_speaker.items(), key=lambda item: (-(item[1].rate or 0.0), item[0]))
        rows = [
            (who or "unknown", figure(edits.rate, 1), *(f"{n:,}" for n in (edits.errors, edits.length)))
            for who, edits in ordered
        ]
        return Table(title, ("speaker", "%", "errors", "of"), tuple(rows))

    def worst(self, count: int = 10) -> list[tuple[str, str, int]]:
        """The most frequent errors: (truth, answer, how often), "-" for nothing."""
        wrong = ((pair, n) for pair, n in self.confusions.items() if pair[0] != pair[1])
        return [(*pair, n) for pair, n in sorted(wrong, key=lambda item: (-item[1], item[0]))[:count]]


class FrameError:
    """Frames whose class is not the labelled one; ``matrix`` (38, 38) int64, rows are the truth, order of SCORED."""

    def __init__(self) -> None:
        self.matrix = np.zeros((len(SCORED), len(SCORED)), np.int64)

    @property
    def rate(self) -> float | None:
        """Percent of the frames that have a class; None where none has."""
        known = int(self.matrix.sum())
        return 100.0 * (known - int(np.trace(self.matrix))) / known if known else None

    def add(self, answered: np.ndarray, labels: np.ndarray) -> None:
        """Count one utterance: (T,) places in CLASSES, answered and labelled (``frame_labels``); -1 counts nowhere.

        Raises:
            ValueError: other lengths.
        """
        if answered.shape != labels.shape or answered.ndim != 1:
            raise ValueError(f"{answered.shape} answers for {labels.shape} labels")
        known = labels >= 0
        truth, mine = _SCORED_OF[labels[known]], _SCORED_OF[answered[known]]  # (T,) -> (N,)
        np.add.at(self.matrix, (truth, mine), 1)


class Accuracy:
    """Command words: one word is answered for each recording; ``confusions`` (truth, answer) -> count."""

    def __init__(self) -> None:
        self.confusions: Counter[tuple[str, str]] = Counter()
        self.by_speaker: dict[str, tuple[int, int]] = {}  # right, all

    @property
    def percent(self) -> float | None:
        """Right answers; None of nothing."""
        return _share(sum(n for (truth, answer), n in self.confusions.items() if truth == answer), self.count)

    @property
    def count(self) -> int:
        """Recordings."""
        return sum(self.confusions.values())

    def add(self, label: str, answer: str, speaker: str = "") -> None:
        """Count one recording."""
        self.confusions[label, answer] += 1
        right, all_ = self.by_speaker.get(speaker, (0, 0))
        self.by_speaker[speaker] = right + (label == answer), all_ + 1

    def matrix(self, labels: Sequence[str]) -> np.ndarray:
        """(K, K) int64, rows are the truth, in the order of ``labels``; answers that are none of them are left out."""
        place = {label: k for k, label in enumerate(labels)}
        made = np.zeros((len(labels), len(labels)), np.int64)
        for (truth, answer), n in self.confusions.items():
            if truth in place and answer in place:
                made[place[truth], place[answer]] += n
        return made

    def by_label(self) -> dict[str, float | None]:
        """Percent of each word's recordings that are answered right."""
        labels = sorted({truth for truth, _ in self.confusions})
        every = {label: sum(n for (truth, _), n in self.confusions.items() if truth == label) for label in labels}
        return {label: _share(self.confusions[label, label], every[label]) for label in labels}

    def speaker_table(self, title: str) -> Table:
        """Each speaker's accuracy, the worst first."""
        ordered = sorted(self.by_speaker.items(), key=lambda item: (item[1][0] / item[1][1], item[0]))
        rows = [(who or "unknown", figure(_share(*counts), 1), f"{counts[1]:,}") for who, counts in ordered]
        return Table(title, ("speaker", "%", "recordings"), tuple(rows))


class Boundaries:
    """How far the times that an aligner found are from those that people set, in seconds, found minus hand.

    ``phone_starts``, ``phone_ends``, ``word_starts``, ``word_ends``: signed errors of the pairs; ``phones``, ``words``:
    how many the hand labels have; ``count``: utterances, ``failed``: those of them that got no alignment.
    """

    def __init__(self) -> None:
        self.phone_starts: list[float] = []
        self.phone_ends: list[float] = []
        self.word_starts: list[float] = []
        self.word_ends: list[float] = []
        self.phones = self.words = self.count = self.failed = 0

    def add(
        self,
        hand_phones: Sequence[Segment],
        found_phones: Sequence[Segment],
        hand_words: Sequence[Segment] = (),
        found_words: Sequence[Segment] = (),
    ) -> None:
        """Compare one utterance; phones in any alphabet that ``fold`` knows, silences are passed over."""
        self.count += 1
        hand, found = spoken(hand_phones), spoken(found_phones)
        self.phones += len(hand)
        for i, j in matched(hand, found):
            self.phone_starts.append(found[j].start - hand[i].start)
            self.phone_ends.append(found[j].end - hand[i].end)
        self.words += len(hand_words)
        for i, j in matched(hand_words, found_words):
            self.word_starts.append(found_words[j].start - hand_words[i].start)
            self.word_ends.append(found_words[j].end - hand_words[i].end)

    def fail(self) -> None:
        """Count an utterance that could not be aligned."""
        self.count += 1
        self.failed += 1

    def to_metrics(self) -> dict[str, float | None]:
        """Milliseconds and percent, and how many utterances failed.

        Of phones' starts the mean and median |error|, the bias and the share within 10, 20, 25 and 50 ms; the mean
        |error| of words' starts and of their ends. ``_boundary_ms`` is the mean over starts and ends, which MFA's
        tables tell; ``phones_paired`` the share of the hand-labelled phones that was compared.
        """
        starts, ends = _ms(self.phone_starts), _ms(self.phone_ends)  # (P,) each
        word_starts, word_ends = _ms(self.word_starts), _ms(self.word_ends)  # (W,) each
        return {
            "phone_mean_ms": _mean(np.abs(starts)),
            "phone_median_ms": float(np.median(np.abs(starts))) if len(starts) else None,
            "phone_bias_ms": _mean(starts),
            **{f"within{ms}": _share(_near(starts, ms), len(starts)) for ms in WITHIN},
            "phone_boundary_ms": _mean(np.abs(np.concatenate([starts, ends]))),
            "word_start_ms": _mean(np.abs(word_starts)),
            "word_end_ms": _mean(np.abs(word_ends)),
            "word_boundary_ms": _mean(np.abs(np.concatenate([word_starts, word_ends]))),
            "phones_paired": _share(len(starts), self.phones),
            "failures": float(self.failed),
        }


def spoken(segments: Sequence[Segment]) -> list[Segment]:
    """Segments of the scored classes without silence, closures joined with their releases."""
    return [Segment(fold39(one.label), one.start, one.end) for one in merged(segments) if one.label != SILENCE]


def matched(hand: Sequence[Segment], found: Sequence[Segment]) -> list[tuple[int, int]]:
    """Places (in hand, in found) of equal labels that the alignment with the fewest edits pairs; of several such
    alignments, the one whose pairs begin nearest to each other."""
    labels, answers = [one.label for one in hand], [one.label for one in found]
    pairs = aligned(labels, answers, [one.start for one in hand], [one.start for one in found])
    return [(i, j) for i, j in pairs if i >= 0 and j >= 0 and labels[i] == answers[j]]


def real_time_factor(spent: float, heard: float) -> float | None:
    """Seconds of work for each second of sound; None of no sound."""
    return spent / heard if heard > 0 else None


def _near(errors: np.ndarray, ms: int) -> int:
    # times are multiples of a sample or of a frame: a float's last digit must not put 20 ms outside of 20 ms
    return int((np.abs(errors) <= ms + 1e-6).sum())


def _ms(seconds: list[float]) -> np.ndarray:
    return 1000.0 * np.array(seconds, float)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _share(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None
