"""Scores: each against a count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from percept.speech.acoustic.metrics import (
    SCORED,
    Accuracy,
    Boundaries,
    Edits,
    ErrorRate,
    FrameError,
    matched,
    real_time_factor,
)
from percept.speech.acoustic.times import CLASSES, NO_CLASS
from percept.speech.tiers import Segment


def words(text: str) -> list[str]:
    return text.split()


def test_edits_of_words():
    found = ErrorRate()
    one = found.add(words("the cat sat on the mat"), words("the bat sat the old mat"), "ann")
    assert one == Edits(length=6, substitutions=1, deletions=1, insertions=1)
    assert found.rate == pytest.approx(50.0)
    found.add(["yes"], ["yes"], "bob")
    assert found.rate == pytest.approx(100 * 3 / 7)  # over the set, not the mean of rates
    assert str(found.total) == "1 sub, 1 del, 1 ins of 7"
    assert found.confusions["cat", "bat"] == found.confusions["on", "-"] == found.confusions["-", "old"] == 1
    assert [row[0] for row in found.speaker_table("").rows] == ["ann", "bob"]
    assert found.worst(1) == [("-", "old", 1)]


def test_nothing_gives_no_rate():
    found = ErrorRate()
    assert found.rate is None
    found.add([], ["oh"])
    assert found.rate is None
    found.add(["a"], [])
    assert found.rate == 200.0  # an insertion where nothing was said counts too


def test_phones_are_scored_in_39_classes_without_silence():
    found = ErrorRate()
    found.add_phones(words("h# sh ao tcl t h#"), words("SIL ZH AA1 T"))
    assert found.rate == 0.0
    assert found.total.length == 3


def test_the_interval_holds_the_rate_and_narrows():
    rng = np.random.default_rng(1)
    few, many = ErrorRate(), ErrorRate()
    for found, count in ((few, 20), (many, 500)):
        for _ in range(count):
            reference = list("abcdefghij")
            found.add(reference, [label for label in reference if rng.random() > 0.2])
    (low, high), (lower, higher) = few.interval(), many.interval()
    assert low < few.rate < high
    assert higher - lower < (high - low) / 2
    assert few.interval() == few.interval()
    assert ErrorRate().interval() is None


def test_frames():
    assert len(SCORED) == 38
    sil, aa, ao, sh, zh, t = (CLASSES.index(name) for name in ("sil", "aa", "ao", "sh", "zh", "t"))
    labels = np.array([sil, aa, ao, sh, t, NO_CLASS])
    answered = np.array([sil, ao, aa, zh, sil, t])
    found = FrameError()
    found.add(answered, labels)
    assert found.rate == pytest.approx(20.0)  # ao is aa, zh is sh; the t is wrong; the last counts nowhere
    assert found.matrix.sum() == 5
    assert FrameError().rate is None
    with pytest.raises(ValueError, match="answers for"):
        found.add(answered[1:], labels)


def test_accuracy():
    found = Accuracy()
    for label, answer, speaker in (("yes", "yes", "a"), ("yes", "no", "b"), ("no", "no", "a"), ("up", "no", "b")):
        found.add(label, answer, speaker)
    assert found.percent == pytest.approx(50.0)
    assert found.by_label() == {"no": 100.0, "up": 0.0, "yes": 50.0}
    assert found.matrix(("no", "up", "yes")).tolist() == [[1, 0, 0], [1, 0, 0], [1, 0, 1]]
    assert found.speaker_table("").rows[0][:2] == ("b", "0.0")
    assert Accuracy().percent is None


HAND = [
    Segment("h#", 0.0, 0.1),
    Segment("k", 0.1, 0.2),
    Segment("ae", 0.2, 0.3),
    Segment("tcl", 0.3, 0.36),
    Segment("t", 0.36, 0.4),
    Segment("h#", 0.4, 0.5),
]
FOUND = [
    Segment("sil", 0.0, 0.11),
    Segment("k", 0.11, 0.22),
    Segment("ae", 0.22, 0.27),
    Segment("t", 0.27, 0.4),
    Segment("sil", 0.4, 0.5),
]


def test_boundaries():
    found = Boundaries()
    found.add(HAND, FOUND, [Segment("cat", 0.1, 0.4)], [Segment("cat", 0.11, 0.42)])
    figures = found.to_metrics()
    assert found.phone_starts == pytest.approx([0.01, 0.02, -0.03])
    assert figures["phone_mean_ms"] == pytest.approx(20.0)
    assert figures["phone_median_ms"] == pytest.approx(20.0)
    assert figures["phone_bias_ms"] == pytest.approx(0.0)
    assert figures["within10"] == pytest.approx(100 / 3)
    assert figures["within20"] == pytest.approx(200 / 3)
    assert figures["within50"] == 100.0
    assert figures["phone_boundary_ms"] == pytest.approx((10 + 20 + 30 + 20 + 30 + 0) / 6)
    assert (figures["word_start_ms"], figures["word_end_ms"]) == (pytest.approx(10.0), pytest.approx(20.0))
    assert (figures["phones_paired"], figures["failures"]) == (100.0, 0.0)
    found.fail()
    assert (found.to_metrics()["failures"], found.count) == (1.0, 2)


def test_only_equal_phones_are_compared_and_the_nearest_of_several():
    hand = [Segment("t", 0.0, 0.1), Segment("t", 0.5, 0.6), Segment("iy", 0.6, 0.7)]
    found = [Segment("t", 0.52, 0.6), Segment("ih", 0.6, 0.7)]
    assert matched(hand, found) == [(1, 0)]


def test_no_boundaries_are_no_zeros():
    figures = Boundaries().to_metrics()
    assert figures.pop("failures") == 0.0
    assert set(figures.values()) == {None}


def test_real_time_factor():
    assert real_time_factor(2.0, 8.0) == 0.25
    assert real_time_factor(2.0, 0.0) is None
