"""Time labels: phones, the phone of each frame, and labels that cannot be right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from percept.core.errors import InputError
from percept.speech.acoustic.times import (
    CLASSES,
    NO_CLASS,
    checked_phones,
    checked_words,
    frame_labels,
    from_ipa_times,
    phones_of,
    read_times,
)
from percept.speech.acoustic.utterances import Notes
from percept.speech.phones import SILENCE
from percept.speech.tiers import Segment, read_phn


def segments(text: str, step: float = 0.1) -> list[Segment]:
    """A label each tenth of a second."""
    return [Segment(label, k * step, (k + 1) * step) for k, label in enumerate(text.split())]


def labels(found: list[Segment]) -> str:
    return " ".join(one.label for one in found)


def test_phones_fold_closures_to_silence_as_scores_do():
    assert phones_of(segments("h# sh iy hv ae dcl d y axr dcl h#")) == ("sh", "iy", "hh", "ae", "d", "y", "er")


def test_the_phone_of_each_frame():
    spoken = [
        Segment("h#", 0.0, 0.025),
        Segment("tcl", 0.025, 0.04),
        Segment("t", 0.04, 0.05),
        Segment("q", 0.05, 0.07),
    ]
    found = frame_labels(spoken, 8)
    names = ["-" if place == NO_CLASS else CLASSES[place] for place in found]
    assert names == [SILENCE, SILENCE, "t", "t", "t", "-", "-", "-"]
    assert found.dtype == np.int64
    assert (frame_labels([], 3) == NO_CLASS).all()


@pytest.fixture()
def label_file(tmp_path: Path) -> Path:
    path = tmp_path / "one.phn"
    path.write_text("0 1600 h#\n1600 3200 aa\n3200 4800 xx\n4800 6400 h#\n")
    return path


def test_an_unknown_phone_is_named_with_its_line(label_file):
    notes = Notes(label_file.parent)
    assert checked_phones(segments("h# aa xx h#"), label_file, notes) == ()
    assert notes.faults() == ('one.phn line 3: unknown phone "xx"',)


def test_times_that_run_backwards_are_named_with_their_line(label_file):
    wrong = [Segment("h#", 0.0, 0.1), Segment("aa", 0.3, 0.4), Segment("h#", 0.2, 0.3)]
    notes = Notes(label_file.parent)
    assert checked_phones(wrong, label_file, notes) == ()
    assert notes.faults()[0].startswith('one.phn line 1: times run backwards: "h#" at 0.200 to 0.300 s after "aa"')
    notes = Notes(label_file.parent)
    assert checked_words([Segment("aa", 0.5, 0.4)], label_file, notes) == ()
    assert notes.faults()[0].startswith('one.phn line 2: times run backwards: "aa" at 0.500 to 0.400 s')


def test_words_may_overlap_and_silences_are_none(label_file):
    given = [Segment("", 0, 0.1), Segment("She", 0.1, 0.4), Segment("had", 0.3, 0.5), Segment("<eps>", 0.5, 0.6)]
    notes = Notes(label_file.parent)
    assert checked_words(given, label_file, notes) == (Segment("she", 0.1, 0.4), Segment("had", 0.3, 0.5))
    assert notes.problems() == ()


def test_ipa_is_read_as_the_nearest_phones(label_file):
    notes = Notes(label_file.parent)
    found = from_ipa_times([Segment("", 0, 0.1), Segment("ʃ", 0.1, 0.2), Segment("iː", 0.2, 0.3)], label_file, notes)
    assert labels(found) == f"{SILENCE} sh iy"


def test_a_label_file_that_cannot_be_read_is_a_fault(label_file):
    def reader(path: Path) -> list[Segment]:
        raise InputError("line 2: no number")

    notes = Notes(label_file.parent)
    assert read_times(reader, label_file, notes) is None
    assert read_times(read_phn, label_file.with_name("gone.phn"), notes) is None
    assert notes.faults() == ("one.phn: line 2: no number", "gone.phn: no such file")


def test_many_notes_of_a_kind_become_a_count(tmp_path):
    notes = Notes(tmp_path)
    for number in range(9):
        notes.add("no sound", tmp_path / "list.txt", f"no file {number}", line=number + 1)
    notes.add("times", tmp_path / "a.phn", "bad", fault=True)
    assert notes.problems()[0] == "a.phn: bad"
    assert notes.problems()[1] == "list.txt line 1: no file 0"
    assert notes.problems()[-1] == "no sound: 4 more"
    assert len(notes.problems()) == 7
