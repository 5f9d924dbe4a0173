"""What is looked for in a recording whose phones have no times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from percept.core.device import choose
from percept.speech.acoustic import aligning
from percept.speech.acoustic.data import Utterance
from percept.speech.acoustic.samples import CLASSES, Taught
from percept.speech.lexicon import cmudict
from percept.speech.segments import Segment

EITHER, OWN = ("iy", "dh", "er"), ("ay", "dh", "ah")


class Finder:
    """Takes the last pronunciation of each word, and remembers among which it could choose."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def times(self, samples: np.ndarray, words: Any) -> tuple[Segment, ...]:
        self.asked.append(words)
        phones = (CLASSES[0], *(phone for word in words for phone in word[-1]))
        return tuple(Segment(phone, n / 10, (n + 1) / 10) for n, phone in enumerate(phones))


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> Finder:
    found = Finder()
    monkeypatch.setattr(aligning, "aligner", lambda wanted, device: found)
    monkeypatch.setattr(aligning, "sound", lambda utterance: np.zeros(16_000, np.float32))
    return found


def one(utterance: Utterance, *phones: str, times: tuple[Segment, ...] = ()) -> Taught:
    return Taught(utterance, phones, times)


def test_a_dictionarys_pronunciations_are_chosen_among(finder: Finder) -> None:
    said = one(Utterance("a", Path("a.wav"), words=("either",)), *EITHER)
    (found,) = aligning.aligned([said], cmudict(), "any", choose("cpu"))
    (asked,) = finder.asked
    assert len(asked) == 1 and len(asked[0]) > 1
    assert found.phones == asked[0][-1] != EITHER
    assert [segment.label for segment in found.times] == [CLASSES[0], *found.phones]


def test_a_sets_own_pronunciations_are_kept(finder: Finder) -> None:
    utterance = Utterance("a", Path("a.wav"), words=("either", "so"), pronunciations=(OWN, ("s", "ow")))
    said = one(utterance, *OWN, "s", "ow")
    (found,) = aligning.aligned([said], cmudict(), "any", choose("cpu"))
    assert finder.asked == [[(OWN,), (("s", "ow"),)]]
    assert found.phones == (*OWN, "s", "ow")


def test_phones_in_a_row_where_no_words_are_told_and_times_that_are_there_stay(finder: Finder) -> None:
    times = (Segment("s", 0.0, 0.5),)
    wordless = one(Utterance("a", Path("a.wav")), *EITHER)
    timed = one(Utterance("b", Path("b.wav"), words=("so",)), "s", times=times)
    found = aligning.aligned([wordless, timed], cmudict(), "any", choose("cpu"))
    assert finder.asked == [[(EITHER,)]] and found[0].phones == EITHER
    assert found[1] is timed
