"""What a set of speech holds and what is wrong with it: the report of ``percept data check FOLDER``."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from percept.core.console import progress
from percept.core.errors import InputError, UsageError
from percept.core.evaluation import Table
from percept.speech.acoustic.data import FEWEST
from percept.speech.acoustic.layouts import SPEAKERS, read_corpus, splits
from percept.speech.acoustic.utterances import Corpus, Utterance, inside
from percept.speech.audio import RATE, opened, read_audio
from percept.speech.lexicon import cmudict
from percept.speech.phones import PHONES

SHOWN = 20  # problems that are shown; the count tells of the others
MOST = 300  # files of a split that are decoded, evenly spread; the headers of all are read
SMALL = 4_000_000  # bytes: larger files are not compared with others
FASTEST = 8.0  # words a second, in the mean over an utterance: nobody speaks faster
LATE = 0.1  # seconds that labels may go on after the sound
PARTS = ("train", "val", "dev", "test")  # what the names of parts begin with
LONG = 60.0  # seconds: an utterance that training cuts or leaves out
TITLES = {
    "timit": "TIMIT",
    "librispeech": "LibriSpeech",
    "speechocean762": "speechocean762",
    "kaldi": "Kaldi data folder",
    "fsdd": "Free Spoken Digit Dataset",
    "speech-commands": "Speech Commands",
    "arabic-speech-commands": "Arabic Speech Commands",
    "commands": "a folder a word",
    "voxangeles": "VoxAngeles",
    "folder": "recordings of one's own",
}


@dataclass(frozen=True)
class SplitCount:
    """One split. ``hours``: of all sounds that could be opened; ``timed``: utterances with times of phones; ``rates``:
    sample rates in Hz, the most frequent first."""

    split: str
    speakers: int
    utterances: int
    hours: float
    words: int
    vocabulary: int
    phones: int
    timed: int
    rates: tuple[int, ...]


@dataclass(frozen=True)
class Report:
    """The whole report. ``counts``: phone, or command word -> split -> how often; ``problems``: the first lines."""

    folder: str
    layout: str
    splits: tuple[SplitCount, ...]
    counted: str
    counts: dict[str, dict[str, int]]
    problems: tuple[str, ...]
    problem_count: int
    advice: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Plain dicts, lists, texts and numbers."""
        return asdict(self)

    def tables(self) -> list[Table]:
        """Splits, and phones or command words with their counts, for a person; a dash where there is nothing."""
        columns = ("split", "speakers", "utterances", "hours", "words", "different", "phones", "with times", "Hz")
        rows = [
            (
                row.split,
                _number(row.speakers),
                f"{row.utterances:,}",
                f"{row.hours:.2f}",
                *(_number(n) for n in (row.words, row.vocabulary, row.phones, row.timed)),
                " ".join(str(rate) for rate in row.rates[:3]) or "-",
            )
            for row in self.splits
        ]
        names = [row.split for row in self.splits]
        counts = [(label, *(_number(of.get(name, 0)) for name in names)) for label, of in self.counts.items()]
        title = f"{self.folder}  {TITLES[self.layout]}"
        made = [Table(title, columns, tuple(rows))]
        return [*made, Table("", (self.counted, *names), tuple(counts))] if counts else made

    def lines(self) -> list[str]:
        """What is wrong, a line each, and then advice."""
        more = self.problem_count - len(self.problems)
        wrong = [*self.problems, *([f"... and {more:,} more"] if more > 0 else [])] or ["nothing wrong was found"]
        return [*wrong, *(f"advice: {line}" for line in self.advice)]


@dataclass
class Heard:
    """What the sounds of a set turned out to be: file -> its seconds, its rate in Hz; and what is wrong with them."""

    seconds: dict[Path, float] = field(default_factory=dict)
    rates: dict[Path, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def length(self, one: Utterance) -> float:
        """Seconds of an utterance, 0 where its sound cannot be read."""
        whole = self.seconds.get(one.audio, 0.0)
        return max(min(whole, one.end if one.end is not None else whole) - one.begin, 0.0)


def look_through(folder: Path) -> Report:
    """Look through every split: read all labels and the headers of all sounds, decode some, look for twins.

    Raises:
        UsageError: the folder holds no such data, or no utterance.
    """
    folder = Path(folder)
    whole = read_corpus(folder, "all")
    known = [split for split in splits(folder) if split != "all" and not SPEAKERS.fullmatch(split)]
    parted = any(split.startswith(PARTS) for split in known)  # else they only choose among what is there
    problems, corpora = list(whole.problems), [] if parted else [whole]
    for split in known:
        try:
            corpora.append(read_corpus(folder, split))
            problems += corpora[-1].problems
        except UsageError as error:
            problems.append(f"{split}: {str(error).removeprefix(f'{folder}: ').partition(' (percept')[0]}")
    heard = _listen(whole)
    problems += [*heard.problems, *_misfits(whole, heard), *_twins(whole)]
    problems = list(dict.fromkeys(problems))
    return Report(
        str(folder),
        whole.set,
        tuple(_split(corpus, heard) for corpus in corpora),
        "word" if whole.labels else "phone",
        _counts(corpora, whole.labels or PHONES),
        tuple(problems[:SHOWN]),
        len(problems),
        tuple(_advice(whole, corpora, heard)),
    )


def _listen(corpus: Corpus) -> Heard:
    """The headers of all sounds, and every so many of them decoded."""
    heard = Heard()
    paths = list(dict.fromkeys(one.audio for one in corpus.utterances))
    step = -(-len(paths) // MOST)
    with progress("sounds", len(paths)) as bar:
        for place, path in enumerate(paths):
            bar.step()
            try:
                with opened(path) as recording:
                    heard.rates[path], seconds = recording.rate, recording.duration
                if seconds is None or place % step == 0:
                    samples = read_audio(path)  # (N,)
                    seconds = len(samples) / RATE
                    if not np.any(samples):
                        heard.problems.append(f"{inside(path, corpus.folder)}: nothing but silence")
                heard.seconds[path] = seconds
            except InputError as error:
                heard.problems.append(f"{inside(path, corpus.folder)}: {error}")
    return heard


def _misfits(corpus: Corpus, heard: Heard) -> Iterator[str]:
    """Labels that go on after their sound, and transcripts too long for it."""
    for one in corpus.utterances:
        seconds = heard.length(one)
        ends = max((times[-1].end for times in (one.phone_times, one.word_times) if times), default=0.0)
        file = inside(one.audio, corpus.folder)
        if one.audio not in heard.seconds:
            continue
        if ends > seconds + LATE:
            yield f"{file}: labels go on to {ends:.2f} s, the sound ends at {seconds:.2f} s"
        elif len(one.words) > max(FASTEST * seconds, 3):
            yield f"{file}: {len(one.words)} words in {seconds:.2f} s; is the transcript that of another recording?"


def _twins(corpus: Corpus) -> list[str]:
    """Files with the same bytes."""
    sizes: dict[int, list[Path]] = {}
    for path in dict.fromkeys(one.audio for one in corpus.utterances):
        sizes.setdefault(path.stat().st_size, []).append(path)
    alike = [path for size, paths in sizes.items() if len(paths) > 1 and size < SMALL for path in paths]
    seen: dict[bytes, Path] = {}
    problems = []
    for path in alike:
        other = seen.setdefault(hashlib.sha256(path.read_bytes()).digest(), path)
        if other != path:
            problems.append(f"{inside(path, corpus.folder)}: the same recording as {inside(other, corpus.folder)}")
    return problems


def _split(corpus: Corpus, heard: Heard) -> SplitCount:
    utterances = corpus.utterances
    rates = Counter(heard.rates[one.audio] for one in utterances if one.audio in heard.rates)
    return SplitCount(
        corpus.split,
        len(corpus.speakers),
        len(utterances),
        round(sum(heard.length(one) for one in utterances) / 3600, 4),
        sum(len(one.words) for one in utterances),
        len({word for one in utterances for word in one.words}),
        sum(len(one.phones) for one in utterances),
        sum(bool(one.phone_times) for one in utterances),
        tuple(rate for rate, _ in rates.most_common()),
    )


def _counts(corpora: list[Corpus], labels: Iterable[str]) -> dict[str, dict[str, int]]:
    """Phone or command word -> split -> how often; {} where no phones are known."""
    counted = {
        corpus.split: Counter(
            label for one in corpus.utterances for label in ((one.label,) if corpus.labels else one.phones)
        )
        for corpus in corpora
    }
    if not any(counted.values()):
        return {}
    return {label: {split: counts[label] for split, counts in counted.items()} for label in labels}


def _advice(whole: Corpus, corpora: list[Corpus], heard: Heard) -> Iterator[str]:
    """What a person may want to do or know before training."""
    by_split = {corpus.split: corpus for corpus in corpora}
    if "val" not in by_split and "dev" not in by_split:
        what = "speakers" if len(whole.speakers) >= FEWEST else "utterances"
        yield f"no val split: some {what} will be kept to choose the best epoch by"
    if not whole.speakers:
        yield "no speakers are told: a held-out voice may be one that was trained on"
    if {"train", "test"} <= set(by_split):
        both = set(by_split["train"].speakers) & set(by_split["test"].speakers)
        if both:
            yield f"{len(both)} speakers are in train and in test: test figures are not those of new voices"
    if whole.labels:
        fewest, most = _extremes(Counter(one.label for one in whole.utterances))
        if most[1] > 3 * fewest[1]:
            yield f"{fewest[1]:,} recordings of {fewest[0]}, {most[1]:,} of {most[0]}: the rare are learnt less well"
    elif any(one.words for one in whole.utterances):
        yield from _about_words(whole)
    if long := sum(heard.length(one) > LONG for one in whole.utterances):
        yield f"{long:,} utterance{'s' * (long > 1)} of more than {LONG:g} s: shorter ones train better"
    if low := [rate for rate in set(heard.rates.values()) if rate < RATE]:
        yield f"sound of {min(low):,} Hz: nothing is heard above {min(low) // 2:,} Hz"


def _about_words(whole: Corpus) -> Iterator[str]:
    """Words that no dictionary has, and phones that nobody told."""
    met = Counter(word for one in whole.utterances for word in one.words)
    if unknown := sorted(cmudict().unknown(met), key=lambda word: (-met[word], word)):
        shown = ", ".join(unknown[:8]) + (" ..." if len(unknown) > 8 else "")
        what = "word is" if len(unknown) == 1 else "words are"
        how = "gets a pronunciation by its" if len(unknown) == 1 else "get pronunciations by their"
        yield f"{len(unknown):,} {what} not in CMUdict and {how} letters: {shown}"
    if bare := sum(not one.phones for one in whole.utterances):
        some = "" if bare == len(whole.utterances) else f" of {bare:,} utterances"
        yield f"no phones{some}: they come from the dictionary"


def _extremes(counts: Counter[str]) -> tuple[tuple[str, int], tuple[str, int]]:
    ordered = sorted(counts.items(), key=lambda item: (item[1], item[0]))
    return ordered[0], ordered[-1]


def _number(count: int) -> str:
    return f"{count:,}" if count else "-"
