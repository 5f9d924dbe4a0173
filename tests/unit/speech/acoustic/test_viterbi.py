"""The phone loop: exact against every path of tiny cases, and the same bit by bit as whole."""

from __future__ import annotations

import numpy as np
import pytest

from percept.speech.acoustic.topology import Span, Topology, along, phone_chances
from percept.speech.acoustic.viterbi import Loop, PhoneLoop, decode


def loop(rng: np.random.Generator, phones: int, **options: object) -> Loop:
    of_loop = {name: options.pop(name) for name in ("weight", "penalty", "lag") if name in options}
    bigram = np.log(rng.dirichlet(np.ones(phones), phones))
    return Loop(Topology(phones, **options), bigram, **of_loop)


def every_path(scores: np.ndarray, model: Loop) -> tuple[float, list[tuple[int, int]]]:
    """The best of all paths, and its phones with their first frames, by trying each."""
    topology = model.topology
    states, least, phones = topology.states, topology.least, topology.phones
    stay = np.broadcast_to(np.asarray(topology.stay), (phones, states))

    def turn(before: int, phone: int) -> float:
        return model.weight * model.bigram[before, phone] + (model.penalty if phone else 0.0)

    def further(t: int, phone: int, state: int, lasted: int, score: float, begun: tuple[tuple[int, int], ...]):
        score += scores[t, phone * states + state]
        if t + 1 == len(scores):
            yield score + (turn(phone, 0) if phone else 0.0), begun
            return
        if lasted < least:
            yield from further(t + 1, phone, state, lasted + 1, score, begun)
            return
        yield from further(t + 1, phone, state, lasted, score + np.log(stay[phone, state]), begun)
        left = score + np.log(1 - stay[phone, state])
        if state + 1 < states:
            yield from further(t + 1, phone, state + 1, 1, left, begun)
            return
        for after in range(phones):
            yield from further(t + 1, after, 0, 1, left + turn(phone, after), (*begun, (after, t + 1)))

    starts = [(p, turn(0, p) if p else 0.0) for p in range(phones)]
    found = [path for p, score in starts for path in further(0, p, 0, 1, score, ((p, 0),))]
    score, begun = max(found, key=lambda pair: pair[0])
    return score, list(begun)


@pytest.mark.parametrize(
    "options",
    [
        {"states": 1},
        {"states": 2, "stay": 0.3, "weight": 2.0},
        {"states": 1, "least": 3, "penalty": -1.5},
        {"states": 2, "least": 2, "stay": np.array([[0.9, 0.8], [0.3, 0.4], [0.5, 0.1]])},
    ],
)
def test_no_path_is_better(options):
    rng = np.random.default_rng(3)
    model = loop(rng, 3, **options)
    for frames in (1, 2, 7):
        scores = rng.normal(0, 2, (frames, 3 * options["states"])).astype(np.float32)
        whole = PhoneLoop(model)
        found = whole.feed(scores) + whole.finish()
        score, begun = every_path(scores, model)
        assert whole.score == pytest.approx(score, abs=1e-4)
        assert [(span.phone, span.first) for span in found] == begun
        assert [span.end for span in found] == [first for _, first in begun[1:]] + [frames]


def plain(scores: np.ndarray, model: Loop) -> list[tuple[int, int]]:
    """Textbook Viterbi over the whole, for one state of one frame."""
    (_, stay, go), turns = model.topology.tables, model.turns
    alive = np.where(np.arange(len(turns)) == 0, 0.0, turns[0]) + scores[0]
    backs = []
    for row in scores[1:]:
        ways = alive[:, None] + go + turns
        source, most = ways.argmax(0), ways.max(0)
        stayed = alive + stay[:, 0]
        backs.append(np.where(most > stayed, source, -1))
        alive = np.maximum(most, stayed) + row
    phone = int(np.argmax(alive + np.where(np.arange(len(turns)) == 0, 0, turns[:, 0])))
    begun = []
    for t in range(len(backs), 0, -1):
        if backs[t - 1][phone] >= 0:
            begun.append((phone, t))
            phone = int(backs[t - 1][phone])
    return [(phone, 0), *begun[::-1]]


def heard(rng: np.random.Generator, phones: int, frames: int, noise: float = 1.5) -> np.ndarray:
    """Scores of phones that last about eight frames."""
    spoken = np.repeat(rng.integers(0, phones, frames), rng.integers(3, 14, frames))[:frames]
    scores = rng.normal(0, noise, (frames, phones))
    scores[np.arange(frames), spoken] += 3
    return scores.astype(np.float32)


def test_bit_by_bit_is_the_same_as_whole_and_soon():
    rng = np.random.default_rng(5)
    model = loop(rng, 12, states=1, lag=None)
    scores = heard(rng, 12, 3000)
    stream, found, waiting = PhoneLoop(model), [], []
    at = 0
    while at < len(scores):
        more = int(rng.integers(0, 300))
        found += stream.feed(scores[at : at + more])
        at = min(at + more, len(scores))
        waiting.append(at - (found[-1].end if found else 0))
    found += stream.finish()
    assert [(span.phone, span.first) for span in found] == plain(scores, model)
    assert [span.end for span in found] == [span.first for span in found[1:]] + [3000]
    assert max(waiting) < 200
    assert stream._trace.count < 1000
    assert found == decode(scores, model)


def test_where_paths_never_meet_the_lag_decides():
    bigram = np.full((5, 5), -np.inf)
    bigram[0, 1:] = bigram[1, 2] = bigram[2, 1] = bigram[3, 4] = bigram[4, 3] = 0.0
    bigram[:, 0] = 0.0
    scores = np.zeros((2000, 5), np.float32)
    scores[:, 0] = -50
    scores[np.arange(2000), np.where(np.arange(2000) // 10 % 2, 1, 2)] = 1
    scores[np.arange(2000), np.where(np.arange(2000) // 10 % 2, 3, 4)] = 1.001
    endless = PhoneLoop(Loop(Topology(5, states=1), bigram, lag=None))
    assert endless.feed(scores) == []
    decided = PhoneLoop(Loop(Topology(5, states=1), bigram, lag=5.0))
    found = decided.feed(scores)
    assert found[-1].end == 1990
    assert decided._trace.count < 500
    assert found + decided.finish() == endless.finish()


def test_confidence_is_the_mean_of_what_the_network_says():
    rng = np.random.default_rng(2)
    model = loop(rng, 6, states=3)
    scores = np.repeat(heard(rng, 6, 1200, noise=0.5), 3, axis=1)
    chances = phone_chances(scores, 3)
    assert chances.sum(axis=1) == pytest.approx(1.0)
    for span in decode(scores, model):
        assert span.confidence == pytest.approx(chances[span.first : span.end, span.phone].mean(), abs=1e-5)
    other = np.full((1200, 6), 0.25, np.float32)
    assert {span.confidence for span in decode(scores, model, other)} == {0.25}


def test_silence_for_an_hour_is_one_phone_in_little_memory():
    model = loop(np.random.default_rng(1), 4, states=1)
    scores = np.zeros((360_000, 4), np.float32)
    scores[:, 0] = 4
    stream = PhoneLoop(model)
    assert stream.feed(scores) == []
    assert stream._trace.count < 100
    assert [(span.first, span.end) for span in stream.finish()] == [(0, 360_000)]


def test_nothing_and_what_does_not_fit():
    model = loop(np.random.default_rng(1), 4, states=1)
    assert decode(np.zeros((0, 4), np.float32), model) == []
    with pytest.raises(ValueError, match="are expected"):
        decode(np.zeros((9, 5), np.float32), model)
    with pytest.raises(ValueError, match="no number"):
        decode(np.full((9, 4), np.nan, np.float32), model)
    with pytest.raises(ValueError, match="probabilities"):
        decode(np.zeros((9, 4), np.float32), model, np.zeros((8, 4), np.float32))
    with pytest.raises(ValueError, match="bigram"):
        Loop(Topology(5), np.zeros((4, 4)))
    impossible = np.full((9, 4), -np.inf, np.float32)
    impossible[:, 2] = 0
    assert [span.phone for span in decode(impossible, model)] == [2]


def test_scores_along_a_path():
    scores = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert along(scores, [Span(1, 0, 1), Span(2, 1, 4)], states=2).tolist() == [3.0, 11.0, 17.0, 23.0]


@pytest.mark.parametrize("options", [{"states": 0}, {"least": 0}, {"stay": 1.0}, {"ctc": True}])
def test_topologies_that_are_none(options):
    with pytest.raises(ValueError):
        Topology(4, **options)
