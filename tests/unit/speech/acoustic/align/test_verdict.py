"""Whether a transcript fits, with a simulated network: scores that show what was said, and somebody else's words."""

from __future__ import annotations

import numpy as np
import pytest

from percept.speech.acoustic.align.finder import GAPS
from percept.speech.acoustic.align.verdict import Rule, Verdict, decided, judge, stretches
from percept.speech.acoustic.graph import Alignment, Pronunciations, align
from percept.speech.acoustic.topology import Topology
from percept.speech.acoustic.viterbi import Loop, decode

PHONES = 12
TOPOLOGY = Topology(PHONES)


def sentence(rng: np.random.Generator, count: int) -> list[Pronunciations]:
    return [[tuple(rng.integers(1, PHONES, rng.integers(1, 7)).tolist())] for _ in range(count)]


def heard(rng: np.random.Generator, words: list[Pronunciations]) -> np.ndarray:
    """(T, C) scores of a network that hears these words well, at 7 to 8 frames a phone."""
    classes: list[int] = []
    for (phones,) in words:
        if rng.random() < 0.3:
            classes += np.repeat(np.arange(3), rng.integers(2, 10, 3)).tolist()
        for phone in phones:
            classes += np.repeat(phone * 3 + np.arange(3), rng.integers(1, 5, 3)).tolist()
    scores = rng.normal(0, 1.5, (len(classes), PHONES * 3)).astype(np.float32)
    scores[np.arange(len(classes)), classes] += 4
    return scores


def judged(scores: np.ndarray, words: list[Pronunciations]) -> Verdict:
    found = align(scores, words, TOPOLOGY, gaps=GAPS)
    spans = decode(scores, Loop(TOPOLOGY, np.full((PHONES, PHONES), -np.log(PHONES))))
    phones = np.repeat([one.phone for one in spans], [one.end - one.first for one in spans])
    free = scores.reshape(len(scores), PHONES, 3).max(2)[np.arange(len(scores)), phones]
    return judge(found, scores, free, phones, TOPOLOGY.shortest, Rule(), [f"w{n}" for n in range(len(words))])


def test_right_words_fit_and_others_do_not() -> None:
    rng = np.random.default_rng(5)
    right, wrong = 0, 0
    for _ in range(20):
        words, others = sentence(rng, 12), sentence(rng, 12)
        scores = heard(rng, words)
        good, bad = judged(scores, words), judged(scores, others)
        assert 0 <= bad.fit < good.fit <= 1
        right += good.fits and not good.wrong
        wrong += not bad.fits and bool(bad.wrong)
    assert (right, wrong) == (20, 20)


def test_sound_that_the_transcript_does_not_hold_is_named_not_smeared() -> None:
    rng = np.random.default_rng(7)
    before, missing, after = sentence(rng, 20), sentence(rng, 25), sentence(rng, 20)
    scores = [heard(rng, part) for part in (before, missing, after)]
    found = judged(np.concatenate(scores), [*before, *after])
    assert found.fits and not found.wrong
    first, end = len(scores[0]) / 100, len(np.concatenate(scores[:2])) / 100
    assert found.foreign[0].start == pytest.approx(first, abs=0.15)
    assert found.foreign[-1].end == pytest.approx(end, abs=0.15)
    assert sum(one.end - one.start for one in found.foreign) > 0.9 * (end - first)
    stretch = found.foreign[0]
    assert str(stretch) == f"{stretch.start:.1f}-{stretch.end:.1f} s: speech that is not in the transcript"
    assert stretch.to_json() == {"start": round(stretch.start, 3), "end": round(stretch.end, 3), "what": stretch.what}


def test_a_page_that_is_another_is_found_in_a_long_recording() -> None:
    rng = np.random.default_rng(11)
    pages = [sentence(rng, 60) for _ in range(6)]
    scores = [heard(rng, page) for page in pages]
    text = [*pages[0], *pages[1], *sentence(rng, 60), *pages[3], *pages[4], *pages[5]]
    found = judged(np.concatenate(scores), text)
    assert not found.fits and found.fit > 0.5, "most of it is right, and yet it is not to be believed"
    first, end = sum(map(len, scores[:2])) / 100, sum(map(len, scores[:3])) / 100
    assert found.wrong[0].what.startswith('what is heard is not "w1')
    assert all(first - 6 < one.start and one.end < end + 6 for one in found.wrong)


def test_one_odd_stretch_among_many_is_forgiven() -> None:
    assert decided([0.9] * 49 + [0.0], [500] * 50) == (pytest.approx(0.882), True)
    assert decided([0.9] * 48 + [0.0], [500] * 49)[1] is False
    assert decided([0.9, 0.2, 0.9, 0.2], [500] * 4)[1] is True
    assert decided([0.9] * 48 + [0.2, 0.2], [500] * 50)[1] is False
    assert decided([0.4], [500]) == (pytest.approx(0.4), False)
    assert decided([0.9, 0.1], [100, 900])[1] is False
    assert decided([], []) == (0.0, False)


def test_stretches_are_whole_words_and_all_of_the_sound() -> None:
    rng = np.random.default_rng(13)
    words = sentence(rng, 150)
    scores = heard(rng, words)
    whole = align(scores, words, TOPOLOGY)
    parts = list(stretches(whole, seconds=5.0))
    assert len(parts) > 3 and parts[0][1] == 0 and parts[-1][2] == len(scores)
    assert all(a[2] == b[1] for a, b in zip(parts, parts[1:], strict=False))
    numbers = [word.number for part, _, _ in parts for word in part.words]
    assert numbers == list(range(150))
    for part, first, end in parts:
        assert isinstance(part, Alignment) and len(part.classes) == end - first
        assert sum(word.end - word.first for word in part.words) >= 500
        assert part.words[0].first >= 0 and part.words[-1].end <= end - first
    assert [len(part.words) for part, _, _ in stretches(whole, seconds=1e6)] == [150]


def test_the_rule_lies_in_the_header() -> None:
    header = {"decoding": {"fit": {"whole": 1.0, "hurried": -2.0, "constant": 3.0}}}
    assert Rule.of(header) == Rule(1.0, -2.0, 3.0)
    assert Rule.of({}) == Rule.of({"decoding": {}}) == Rule()
    assert Rule(1.0, -2.0, 3.0).chance(-3.0, 0.0) == 0.5
    assert Rule().chance(-1e9, 1.0) < 1e-9 < 1 - 1e-9 < Rule().chance(1e9, 0.0)
