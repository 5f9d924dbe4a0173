"""Training samples: features of recordings and what is known of them, a function of (seed, epoch, number) alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from percept.core.sampling import Kept, Pick
from percept.speech.acoustic.augment import Changes, changed, masked, spoken
from percept.speech.acoustic.data import Utterance
from percept.speech.acoustic.loss import UNKNOWN
from percept.speech.acoustic.times import CLASSES, places
from percept.speech.audio import RATE, opened, read_audio
from percept.speech.features import HOP, log_mel, normalised
from percept.speech.segments import Segment

NUMBERS = {phone: number for number, phone in enumerate(CLASSES)}


@dataclass(frozen=True)
class Taught:
    """A recording to learn from: its phones in order, and where they are; either may be missing.

    times: labels are those of CLASSES, closures merged with their releases. label: number of the command word.
    seconds: how long it is.
    """

    utterance: Utterance
    phones: tuple[str, ...] = ()
    times: tuple[Segment, ...] = ()
    label: int = -1
    seconds: float = 0.0


@dataclass
class Batch:
    """mels (B, T, 40), lengths (B,) frames, targets (B, T) of the frames, tokens of each, labels (B,), names."""

    mels: Tensor
    lengths: Tensor
    targets: Tensor
    tokens: list[Tensor]
    labels: Tensor
    names: list[str]


class Sounds(Dataset[Batch]):
    """Pick -> a batch of one.

    Args:
        states: parts of a phone. cache: megabytes of decoded sounds kept in memory.
    """

    def __init__(self, taught: Sequence[Taught], states: int, seed: int, changes: Changes, cache: int) -> None:
        self.taught, self.states, self.seed, self.changes = taught, states, seed, changes
        self.sound = Kept(lambda number: sound(taught[number].utterance), lambda samples: samples.nbytes, cache)

    def __len__(self) -> int:
        return len(self.taught)

    def __getitem__(self, pick: Pick) -> Batch:
        one = self.taught[pick.index]
        rng = np.random.default_rng([self.seed, pick.epoch, pick.index])
        samples, speed = changed(self.sound(pick.index), rng, self.changes)
        mels = spoken(normalised(log_mel(torch.from_numpy(samples))), rng.uniform(*self.changes.tract))  # (T, 40)
        mels = masked(mels, rng, self.changes)
        return Batch(
            mels[None],
            torch.tensor([len(mels)]),
            targets(one.times, len(mels), self.states, speed)[None],
            [torch.tensor([NUMBERS[phone] for phone in one.phones], dtype=torch.long)],
            torch.tensor([one.label]),
            [one.utterance.name],
        )


def sound(utterance: Utterance) -> np.ndarray:
    """(N,) float32 at 16 kHz: the part of its file that an utterance is.

    Raises:
        InputError: the file cannot be read.
    """
    samples = read_audio(utterance.audio)
    end = None if utterance.end is None else round(utterance.end * RATE)
    return samples[round(utterance.begin * RATE) : end]


def seconds(utterance: Utterance) -> float:
    """How long an utterance is, by its file's header.

    Raises:
        InputError: the file cannot be read.
    """
    if utterance.end is not None:
        return utterance.end - utterance.begin
    with opened(utterance.audio) as recording:
        length = recording.duration
    return (len(sound(utterance)) / RATE if length is None else length) - utterance.begin


def targets(times: Sequence[Segment], count: int, states: int, speed: float = 1.0) -> Tensor:
    """(count,) int64: class of each frame, phone times states and the state, from segments in order; else UNKNOWN.

    A phone's states share its time in equal parts. speed: how many times faster the frames are than the segments.
    """
    found = torch.full((count,), UNKNOWN, dtype=torch.long)
    if not times:
        return found
    middles = (np.arange(count) + 0.5) * HOP / RATE * speed  # seconds in the recording as it was
    at, inside, share = places(times, middles)
    numbers = np.array([NUMBERS[one.label] for one in times])
    classes = numbers[at] * states + np.minimum((share * states).astype(int), states - 1)
    found[torch.from_numpy(inside)] = torch.from_numpy(classes[inside])
    return found


def collate(samples: Sequence[Batch]) -> Batch:
    """One batch of several; shorter ones are padded by zeros, the mean of normalised frames."""
    return Batch(
        pad_sequence([one.mels[0] for one in samples], batch_first=True),
        torch.cat([one.lengths for one in samples]),
        pad_sequence([one.targets[0] for one in samples], batch_first=True, padding_value=UNKNOWN),
        [one.tokens[0] for one in samples],
        torch.cat([one.labels for one in samples]),
        [one.names[0] for one in samples],
    )
