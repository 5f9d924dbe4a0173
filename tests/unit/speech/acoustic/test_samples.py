"""Targets of frames, and batches of recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from percept.core.sampling import Pick
from percept.speech.acoustic import augment
from percept.speech.acoustic.data import read_corpus
from percept.speech.acoustic.loss import UNKNOWN
from percept.speech.acoustic.samples import NUMBERS, Sounds, collate, seconds, sound, targets
from percept.speech.acoustic.teaching import dictionary, taught
from percept.speech.audio import RATE
from percept.speech.features import frames
from percept.speech.segments import Segment

TINY = Path(__file__).parents[3] / "data" / "speech_tiny" / "librispeech"


@pytest.fixture(scope="module")
def lessons() -> list:
    return taught(read_corpus(TINY, "train").utterances, dictionary(""), (), 30.0)


def test_a_frame_has_the_class_of_the_segment_in_which_its_middle_lies() -> None:
    times = (Segment("sil", 0.0, 0.02), Segment("aa", 0.02, 0.081), Segment("b", 0.1, 0.12))
    found = targets(times, 14, 3).tolist()
    aa, b = 3 * NUMBERS["aa"], 3 * NUMBERS["b"]
    assert found[:2] == [0, 2]  # thirds of 20 ms: the middles lie at 5 and 15 ms
    assert found[2:8] == [aa, aa, aa + 1, aa + 1, aa + 2, aa + 2]
    assert found[8:10] == [UNKNOWN, UNKNOWN]  # between segments
    assert found[10:12] == [b, b + 2] and found[12:] == [UNKNOWN, UNKNOWN]  # after all


def test_targets_of_faster_sound_are_as_much_shorter() -> None:
    times = (Segment("s", 0.0, 0.4), Segment("ow", 0.4, 1.0))
    slow, fast = targets(times, 100, 1), targets(times, 50, 1, speed=2.0)
    assert [int((one == NUMBERS["s"]).sum()) for one in (slow, fast)] == [40, 20]
    assert fast[20:].eq(NUMBERS["ow"]).all()
    assert targets((), 5, 3).eq(UNKNOWN).all()


def test_samples_are_a_function_of_seed_epoch_and_number(lessons: list) -> None:
    sounds = Sounds(lessons, 3, 5, augment.FULL, 100)
    first, again, later = sounds[Pick(0, 1, 1)], sounds[Pick(0, 1, 1)], sounds[Pick(1, 1, 1)]
    assert torch.equal(first.mels, again.mels) and torch.equal(first.targets, again.targets)
    assert first.mels.shape != later.mels.shape or not torch.equal(first.mels, later.mels)
    assert first.mels.shape[1] == first.targets.shape[1] == int(first.lengths[0])


def test_without_changes_a_sample_is_its_recording(lessons: list) -> None:
    one = lessons[0]
    made = Sounds(lessons, 1, 0, augment.NONE, 100)[Pick(0, 0, 1)]
    heard = sound(one.utterance)
    assert int(made.lengths[0]) == frames(len(heard))
    assert abs(seconds(one.utterance) - len(heard) / RATE) < 0.01
    assert made.tokens[0].tolist() == [NUMBERS[phone] for phone in one.phones] and made.tokens[0].min() >= 1
    assert made.names == [one.utterance.name]


def test_batches_are_padded_by_what_counts_for_nothing(lessons: list) -> None:
    sounds = Sounds(lessons, 1, 0, augment.NONE, 100)
    parts = [sounds[Pick(0, number, 1)] for number in range(len(lessons))]
    batch = collate(parts)
    longest = int(batch.lengths.max())
    assert batch.mels.shape == (len(lessons), longest, 40) and batch.targets.shape == (len(lessons), longest)
    for number, length in enumerate(batch.lengths.tolist()):
        assert torch.equal(batch.mels[number, :length], parts[number].mels[0])
        assert not batch.mels[number, length:].any() and batch.targets[number, length:].eq(UNKNOWN).all()


def test_labels_of_the_frames_are_the_labels_of_the_set(lessons: list) -> None:
    one = next(lesson for lesson in lessons if lesson.times)
    length = max(segment.end for segment in one.times)
    found = targets(one.times, round(100 * length), 1)
    known = found[found != UNKNOWN]
    assert len(known) > 0.95 * len(found)
    kept = torch.unique_consecutive(known).tolist()
    assert [number for number in kept if number] == [
        NUMBERS[segment.label]
        for segment in one.times
        if segment.label != "sil" and segment.end - segment.start > 0.015
    ] or np.isclose(len(kept), len(one.times), rtol=0.1)
