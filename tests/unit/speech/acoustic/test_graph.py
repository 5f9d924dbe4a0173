"""Forced alignment: exact against every path of tiny cases, and what a beam, variants, silences and other sound do."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from percept.core.errors import InputError
from percept.speech.acoustic.fit import fit
from percept.speech.acoustic.graph import Gaps, align, graph
from percept.speech.acoustic.topology import OTHER, Topology


def durations(steps: int, frames: int):
    """Every way to part frames among steps, one at least for each."""
    for cuts in itertools.combinations(range(1, frames), steps - 1):
        yield np.diff([0, *cuts, frames])


def every_path(
    scores: np.ndarray, words, topology: Topology, gaps: Gaps, change: np.ndarray
) -> tuple[float, np.ndarray]:
    """The best of all ways to say the words, and its classes frame by frame, by trying each."""
    (emits, stay, go), free = topology.tables, scores.max(axis=1)
    between: list[tuple[int, ...]] = [()]
    if gaps.silence is not None:
        between.append((0,))
    if gaps.other is not None:
        ends = between
        between = [*between, *(a + (OTHER,) + b for a in ends for b in ends)]
    best, classes = -np.inf, np.zeros(0)
    for spoken in itertools.product(*words):
        for around in itertools.product(between, repeat=len(words) + 1):
            phones = [p for gap, word in itertools.zip_longest(around, spoken, fillvalue=()) for p in (*gap, *word)]
            paid = sum(gaps.silence for gap in around for p in gap if p == 0)
            paid += sum(gaps.entry for gap in around for p in gap if p == OTHER)
            steps = [(p, k) for p in phones for k in range(1 if p == OTHER else topology.steps)]
            for lengths in durations(len(steps), len(scores)) if steps else ():
                score, at, path = paid, 0, []
                for (p, k), length in zip(steps, lengths, strict=True):
                    score += change[at] if k == 0 and at else 0.0
                    if p == OTHER:
                        score += (free[at : at + length] - gaps.other).sum()
                    else:
                        score += scores[at : at + length, emits[p, k]].sum() + go[p, k]
                        score += (length - 1) * stay[p, k] if length > 1 else 0.0
                    path += [OTHER if p == OTHER else emits[p, k]] * length
                    at += length
                if score > best:
                    best, classes = score, np.array(path)
    return best, classes


@pytest.mark.parametrize(
    ("options", "gaps", "words", "frames"),
    [
        ({"states": 1}, Gaps(), [[(1,), (2, 1)], [(2,)]], 6),
        ({"states": 1, "stay": 0.2}, Gaps(silence=-1.0, other=0.5, entry=-1.0), [[(1, 2)], [(2,), (1,)]], 7),
        ({"states": 2, "stay": 0.7}, Gaps(), [[(1, 2), (2,)]], 7),
        ({"states": 1, "least": 2}, Gaps(silence=None), [[(1,)], [(2, 2)]], 8),
        ({"states": 1}, Gaps(silence=None, other=1.0), [[(1,)]], 5),
    ],
)
def test_no_path_is_better(options, gaps, words, frames):
    rng = np.random.default_rng(7)
    topology = Topology(3, **options)
    for _ in range(4):
        scores = rng.normal(0, 2, (frames, topology.classes)).astype(np.float32)
        change = rng.normal(0, 1, frames).astype(np.float32)
        best, classes = every_path(scores, words, topology, gaps, change)
        found = align(scores, words, topology, gaps=gaps, change=change, beam=np.inf)
        assert found.score == pytest.approx(best, abs=1e-4)
        assert found.classes.tolist() == classes.tolist()


def sentence(rng: np.random.Generator, count: int, phones: int, states: int = 3):
    """Words with two pronunciations each, which of them was said, where they are, and scores that show it."""
    words = [[tuple(rng.integers(1, phones, rng.integers(1, 7))) for _ in range(2)] for _ in range(count)]
    spoken, classes, edges = rng.integers(0, 2, count), [], []
    for word, variant in zip(words, spoken, strict=True):
        if rng.random() < 0.3:
            classes += np.repeat(np.arange(states), rng.integers(2, 10, states)).tolist()
        begin = len(classes)
        for phone in word[variant]:
            classes += np.repeat(phone * states + np.arange(states), rng.integers(1, 5, states)).tolist()
        edges.append((begin, len(classes)))
    scores = rng.normal(0, 1.5, (len(classes), phones * states)).astype(np.float32)
    scores[np.arange(len(classes)), classes] += 4
    return words, spoken, edges, scores


def test_words_are_where_they_were_said():
    rng = np.random.default_rng(11)
    words, spoken, edges, scores = sentence(rng, 100, 12)
    found = align(scores, words, Topology(12))
    assert [word.number for word in found.words] == list(range(100))
    right = [words[n][word.variant] == words[n][spoken[n]] for n, word in enumerate(found.words)]
    assert np.mean(right) > 0.95
    off = [abs(word.first - begin) for word, (begin, _) in zip(found.words, edges, strict=True)]
    assert np.mean(np.array(off) <= 2) > 0.95
    assert [span.first for span in found.spans] == [0, *(span.end for span in found.spans[:-1])]
    assert found.spans[-1].end == len(scores) == len(found.classes)
    for word in found.words:
        assert (word.phones[0].first, word.phones[-1].end) == (word.first, word.end)
        assert tuple(span.phone for span in word.phones) == words[word.number][word.variant]
        assert all(found.classes[span.first] == 3 * span.phone for span in word.phones)
    exact = align(scores, words, Topology(12), beam=np.inf)
    assert (exact.spans, exact.score) == (found.spans, pytest.approx(found.score))


def test_a_beam_never_fails_to_reach_the_end():
    rng = np.random.default_rng(13)
    words, _, _, scores = sentence(rng, 40, 8)
    other = rng.normal(0, 3, scores.shape).astype(np.float32)
    for heard in (scores, other, other[:500]):
        exact = align(heard, words, Topology(8), beam=np.inf)
        for beam in (0.0, 1.0, 20.0):
            found = align(heard, words, Topology(8), beam=beam)
            assert len(found.words) == 40
            assert found.score <= exact.score + 1e-3


def test_sound_too_short_for_its_text():
    topology = Topology(5, states=3)
    with pytest.raises(InputError) as error:
        align(np.zeros((20, 15), np.float32), [[(1, 2, 3), (1, 2, 3, 4)], [(4, 1, 2, 3)]], topology, hop=0.01)
    assert str(error.value) == "0.20 s of sound are too short for 7 phones: at least 0.21 s are needed"
    found = align(np.zeros((21, 15), np.float32), [[(1, 2, 3), (1, 2, 3, 4)], [(4, 1, 2, 3)]], topology)
    assert [(word.variant, word.end) for word in found.words] == [(0, 9), (0, 21)]
    with pytest.raises(InputError, match="0.00 s"):
        align(np.zeros((0, 15), np.float32), [], topology)


def test_no_words_are_silence():
    found = align(np.zeros((9, 15), np.float32), [], Topology(5))
    assert found.words == ()
    assert [(span.phone, span.first, span.end) for span in found.spans] == [(0, 0, 9)]


@pytest.mark.parametrize("words", [[[]], [[()]], [[(1, 9)]], [[(-1,)]]])
def test_words_that_are_none(words):
    with pytest.raises(ValueError, match="word 0"):
        graph(words, Topology(5))
    with pytest.raises(ValueError, match="neither"):
        graph([], Topology(5), Gaps(silence=None))
    with pytest.raises(ValueError, match="frame head"):
        graph([[(1,)]], Topology(5, states=1, ctc=True))


def test_sound_that_is_not_in_the_transcript_is_passed_over():
    rng = np.random.default_rng(17)
    words, _, edges, scores = sentence(rng, 60, 12)
    kept = [*range(20), *range(35, 60)]
    text = [words[n] for n in kept]
    topology = Topology(12)
    found = align(scores, text, topology, gaps=Gaps(other=3.0), beam=np.inf)
    first, end = edges[20][0], edges[34][1]
    others = [span for span in found.spans if span.phone == OTHER]
    assert sum(span.end - span.first for span in others) == pytest.approx(end - first, abs=25)
    off = [abs(word.first - edges[n][0]) for n, word in zip(kept, found.words, strict=True)]
    assert np.mean(np.array(off) <= 2) > 0.9
    figures = fit(found, scores, topology.shortest)
    assert figures.other == pytest.approx((end - first) / len(scores), abs=0.02)
    assert fit(align(scores, text, topology), scores, topology.shortest).worst < figures.worst - 1


def test_how_well_a_transcript_fits():
    rng = np.random.default_rng(19)
    words, _, _, scores = sentence(rng, 50, 12)
    wrong = sentence(rng, 50, 12)[0]
    topology = Topology(12)
    right = align(scores, words, topology)
    good = fit(right, scores, topology.shortest)
    bad = fit(align(scores, wrong, topology), scores, topology.shortest)
    assert len(good.words) == 50
    assert good.words[7] == pytest.approx(
        np.mean(
            [scores[t, right.classes[t]] - scores[t].max() for t in range(right.words[7].first, right.words[7].end)]
        )
    )
    assert bad.whole < -2 < good.whole <= 0
    assert bad.worst < good.worst - 1
    assert good.low == 0.0 < bad.low
    assert fit(right, scores, 3, least=0.0).low > 0.9
    assert good.hurried < 0.1 < bad.hurried
    assert good.other == bad.other == 0.0
    most = scores.max(axis=1) + 1
    assert fit(right, scores, 3, free=most).whole == pytest.approx(good.whole - 1, abs=1e-4)
    nothing = fit(align(scores, [], topology), scores, topology.shortest)
    assert (nothing.words, nothing.whole, nothing.worst, nothing.low) == ((), 0.0, 0.0, 0.0)
    assert nothing.silence < -3
