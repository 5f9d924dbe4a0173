"""The search for words: exact against all sequences of words of a tiny lexicon, and what pruning and streaming do."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from percept.nlp.ngram import estimate
from percept.speech.acoustic.beam import Search, Words, decode, space
from percept.speech.acoustic.topology import Topology, phone_chances
from percept.speech.acoustic.tree import build

ENTRIES = [
    ("ab", [("a", "b")]),
    ("ba", [("b", "a"), ("b", "c")]),
    ("abc", [("a", "b", "c")]),
    ("cc", [("c", "c")]),
    ("ab2", [("a", "b")]),
]
TREE = build(ENTRIES, ("a", "b", "c"))
NUMBERS = {"a": 1, "b": 2, "c": 3}
WIDE = {"beam": np.inf, "most": 20_000}


def chain(
    phones, topology: Topology, silence: float | None
) -> tuple[list[int], list[float], list[list[tuple[int, float]]]]:
    """Classes of the steps, what staying costs, and the ways into each step; -1 is the beginning, the last row the end.

    phones: None stands for a silence that may be left out. Of CTC, blanks stand around all phones.
    """
    emits, stay, go = topology.tables
    classes, stays, ways = [], [], []
    before: list[tuple[int, float, int | None]] = [(-1, 0.0, None)]  # step, cost of leaving it, CTC: its phone

    def add(label: int, staying: float, into: list[tuple[int, float]]) -> int:
        classes.append(label)
        stays.append(staying)
        ways.append(into)
        return len(classes) - 1

    def blank() -> None:
        before.append((add(0, 0.0, [(s, cost) for s, cost, _ in before]), 0.0, None))

    for phone in phones:
        if topology.ctc:
            if phone is not None:
                if len(before) == 1 or before[-1][2] is not None:
                    blank()
                step = add(phone, 0.0, [(s, cost) for s, cost, other in before if other != phone])
                before[:] = [(step, 0.0, phone)]
            continue
        into = [(s, cost + (silence if phone is None else 0.0)) for s, cost, _ in before]
        for k in range(topology.steps):
            step = add(emits[phone or 0, k], stay[phone or 0, k], into)
            into = [(step, go[phone or 0, k])]
        before[:] = [*(before if phone is None else []), (step, go[phone or 0, topology.steps - 1], None)]
    if topology.ctc:
        blank()
    ways.append([(s, cost) for s, cost, _ in before])
    return classes, stays, ways


def likeliest(scores: np.ndarray, phones, topology: Topology, silence: float) -> float:
    """log of the best path through phones, by plain Viterbi."""
    classes, stays, ways = chain(phones, topology, silence)
    alive = np.full(len(classes), -np.inf)
    for t, row in enumerate(scores):
        new = alive + np.array(stays)
        for s in range(len(classes)):
            for source, cost in ways[s]:
                came = (0.0 if t == 0 else -np.inf) if source < 0 else alive[source]
                new[s] = max(new[s], came + cost)
        alive = new + row[classes]
    return max((alive[source] + cost for source, cost in ways[-1] if source >= 0), default=-np.inf)


def every_sequence(scores, topology, model, search: Search) -> list[tuple[float, tuple[str, ...]]]:
    """All sequences of words that the frames have room for with their scores, the best first."""
    words, found = dict(ENTRIES), []
    for count in range(len(scores) // 2 + 1):
        for line in itertools.product(words, repeat=count):
            best = -np.inf
            for spoken in itertools.product(*(words[word] for word in line)):
                phones = [None, *itertools.chain.from_iterable([*(NUMBERS[p] for p in one), None] for one in spoken)]
                best = max(best, likeliest(scores, phones, topology, search.silence))
            if best > -np.inf:
                chance = search.weight * np.log(10) * sum(model.score(line)) if model else 0.0
                found.append((best + chance + search.penalty * count, line))
    return sorted(found, key=lambda pair: -pair[0])


def language():
    rng = np.random.default_rng(1)
    text = [rng.choice(["ab", "ba", "abc", "cc"], rng.integers(1, 5), p=[0.5, 0.2, 0.2, 0.1]) for _ in range(50)]
    return estimate(text, 2)


@pytest.mark.parametrize(
    ("options", "frames", "of_search", "with_model"),
    [
        ({"states": 1}, 7, {"weight": 0.8, "silence": -0.5, "penalty": 0.7}, True),
        ({"states": 1, "stay": 0.3}, 6, {"silence": -1.0, "penalty": -1.0}, False),
        ({"states": 2, "stay": 0.6}, 9, {"weight": 1.5}, True),
        ({"states": 1, "least": 2}, 9, {"weight": 0.5}, True),
        ({"states": 1, "ctc": True}, 7, {"weight": 0.6, "penalty": 0.5}, True),
    ],
)
def test_no_sequence_of_words_is_better(options, frames, of_search, with_model):
    topology, model = Topology(4, **options), language() if with_model else None
    rng = np.random.default_rng(2)
    for _ in range(2):
        scores = rng.normal(0, 1.5, (frames, topology.classes)).astype(np.float32)
        search = Search(**WIDE, **of_search)
        every = every_sequence(scores, topology, model, search)
        words = Words(space(TREE, topology, model, search))
        found = words.feed(scores) + words.finish()
        assert words.score == pytest.approx(every[0][0], abs=1e-3)
        assert tuple(word.word for word in found) in [line for score, line in every if score > every[0][0] - 1e-3]
        many = Words(space(TREE, topology, model, Search(apart=True, **WIDE, **of_search)))
        many.feed(scores)
        several = many.hypotheses(len(every))
        assert len(several) == len(every)
        assert [one.score for one in several] == pytest.approx([score for score, _ in every], abs=1e-3)
        of_line = {line: pytest.approx(score, abs=1e-3) for score, line in every}
        assert {tuple(word.word for word in one.words): one.score for one in several} == of_line


ALPHABET = tuple("abcdefghij")
SHORT = Search(beam=60.0, most=500, weight=3.0)


def vocabulary(rng: np.random.Generator, count: int):
    entries = {f"w{n}": [tuple(rng.choice(ALPHABET, rng.integers(4, 8)))] for n in range(count)}  # none is two others
    return build(entries.items(), ALPHABET), entries


def spoken(rng: np.random.Generator, entries, count: int, topology: Topology, noise: float = 1.5):
    """Words said one after another: which, where, and scores that show it."""
    line = [str(word) for word in rng.choice(list(entries), count)]
    classes, edges = [], []
    for word in line:
        if rng.random() < 0.3:
            classes += [0] * int(rng.integers(3, 30)) if topology.ctc else np.repeat([0, 1, 2], 4).tolist()
        begin = len(classes)
        for phone in entries[word][0]:
            number = ALPHABET.index(phone) + 1
            if topology.ctc:
                classes += [number] + [0] * int(rng.integers(1, 4))
            else:
                classes += np.repeat(3 * number + np.arange(3), rng.integers(1, 5, 3)).tolist()
        edges.append((begin, len(classes)))
    scores = rng.normal(0, noise, (len(classes), topology.classes))
    scores[np.arange(len(classes)), classes] += 5
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return line, edges, scores.astype(np.float32)


@pytest.mark.parametrize(
    ("topology", "noise", "weight"), [(Topology(11), 1.5, 3.0), (Topology(11, states=1, ctc=True), 1.0, 1.0)]
)
def test_words_are_found_where_they_were_said(topology, noise, weight):
    rng = np.random.default_rng(4)
    tree, entries = vocabulary(rng, 500)
    line, edges, scores = spoken(rng, entries, 60, topology, noise)
    model = estimate([[word] for word in entries], 1)
    searched = space(tree, topology, model, Search(beam=60.0, most=500, weight=weight))
    found = decode(scores, searched)
    assert np.mean([word.word == said for word, said in zip(found, line, strict=True)]) > 0.9
    chances = phone_chances(scores, topology.states)
    for word, (begin, end) in zip(found, edges, strict=True):
        assert word.pronunciation == tuple(span.phone for span in word.phones)
        assert (word.phones[0].first, word.phones[-1].end) == (word.first, word.end)
        sure = np.concatenate([chances[span.first : span.end, span.phone] for span in word.phones])
        assert word.confidence == pytest.approx(sure.mean(), abs=1e-5)
        if word.word == line[found.index(word)]:
            assert abs(word.first - begin) <= 3
            assert topology.ctc or abs(word.end - end) <= 6


def test_bit_by_bit_is_the_same_as_whole_and_soon():
    rng = np.random.default_rng(5)
    topology = Topology(11)
    tree, entries = vocabulary(rng, 200)
    line, edges, scores = spoken(rng, entries, 250, topology)
    searched = space(tree, topology, estimate([line], 2), SHORT)
    stream, found, waiting, at = Words(searched), [], [], 0
    while at < len(scores):
        more = int(rng.integers(0, 250))
        found += stream.feed(scores[at : at + more])
        at = min(at + more, len(scores))
        waiting.append(at - (found[-1].end if found else 0))
        assert len(stream._scores) <= 600
        assert stream._trace.count < 2000
    found += stream.finish()
    assert max(waiting) < 600
    assert [word.word for word in found] == line
    whole = Words(space(tree, topology, estimate([line], 2), Search(beam=60.0, most=500, weight=3.0, apart=True)))
    assert whole.feed(scores) == []
    whole = whole.hypotheses(1)[0]
    assert [(word.word, word.first, word.end) for word in found] == [
        (one.word, one.first, one.end) for one in whole.words
    ]
    assert stream.score == pytest.approx(whole.score, abs=0.1)
    assert sum(word.score for word in found) == pytest.approx(stream.score, abs=20)  # but for the end's own


def test_where_paths_never_meet_the_lag_decides():
    topology = Topology(3, states=1)
    tree = build([("one", [("a",)]), ("other", [("a",)])], ("a", "b"))
    text = [["one"] * 60, ["other"] * 60]
    scores = np.zeros((3000, 3), np.float32)
    scores[np.arange(3000), np.where(np.arange(3000) % 60 < 30, 1, 0)] = 9
    model = estimate(text, 3)
    endless = Words(space(tree, topology, model, Search(lag=None)))
    decided = Words(space(tree, topology, model, Search(lag=5.0)))
    assert endless.feed(scores) == []
    found = decided.feed(scores)
    assert len(found) > 40
    assert len(decided._scores) < 200 < len(endless._scores)
    assert len({word.word for word in found + decided.finish()}) == 1


def test_one_word_alone():
    rng = np.random.default_rng(6)
    topology = Topology(11)
    tree, entries = vocabulary(rng, 10)
    for _ in range(5):
        line, _, scores = spoken(rng, entries, 1, topology)
        silence = np.eye(33, dtype=np.float32)[[0, 0, 1, 1, 2, 2]] * 9 - 9
        scores = np.concatenate((silence, scores))
        alone = Words(space(tree, topology, search=Search(beam=np.inf, single=True, apart=True)))
        alone.feed(scores)
        several = alone.hypotheses(10)
        assert [len(one.words) for one in several] == [1] * len(several)
        assert several[0].words[0].word == line[0]
        assert len({one.words[0].word for one in several}) == len(several) == 10
        assert decode(scores, space(tree, topology, search=Search(single=True)))[0] == several[0].words[0]
    two = spoken(rng, entries, 2, topology)[2]
    assert len(decode(two, space(tree, topology, search=Search(single=True)))) == 1
    assert len(decode(two, space(tree, topology))) == 2


def test_sound_that_says_nothing():
    topology = Topology(11)
    rng = np.random.default_rng(7)
    tree, entries = vocabulary(rng, 3000)
    searched = space(tree, topology, estimate([[word] for word in entries], 1), Search(most=300))
    flat = Words(searched)  # all paths are equal: far more of them than there is room for
    found = flat.feed(np.zeros((300, 33), np.float32)) + flat.finish()
    assert all(word.word in entries for word in found)
    assert decode(np.zeros((0, 33), np.float32), searched) == []
    quiet = np.full((300, 33), -9, np.float32)
    quiet[:, :3] = 0
    assert decode(quiet, searched) == []


def test_a_word_that_is_cut_off_is_left_out():
    topology = Topology(11)
    tree = build([("abc", ["abc"]), ("de", ["de"])], ALPHABET)
    classes = np.repeat([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], 3)  # a b c, and the beginning of d
    scores = np.full((33, 33), -20, np.float32)
    scores[np.arange(33), classes] = 0
    found = decode(scores, space(tree, topology, search=Search(beam=30.0)))
    assert [(word.word, word.first, word.end) for word in found] == [("abc", 0, 27)]


def test_words_that_the_language_model_does_not_know():
    topology = Topology(4, states=1)
    tree = build([("known", ["ab"]), ("new", ["ab"])], ("a", "b", "c"))
    scores = np.full((20, 4), -5, np.float32)
    scores[:10, 1] = scores[10:, 2] = 0
    alone = build([("new", ["ab"])], ("a", "b", "c"))
    for unknown in (True, False):  # without <unk> they cannot be said
        model = estimate([["known"]] * 3, 1, unknown=unknown)
        assert [word.word for word in decode(scores, space(tree, topology, model))] == ["known"]
        assert [word.word for word in decode(scores, space(alone, topology, model))] == ["new"] * unknown


def test_words_that_the_language_model_does_not_know_share_what_it_leaves_them():
    topology, model = Topology(4, states=1), estimate([["known"]] * 3, 1)
    scores = np.full((20, 4), -5, np.float32)
    scores[:10, 1] = scores[10:, 2] = 0
    found = []
    for others in (["cc"], ["cc", "ca", "cb"]):
        tree = build([("new", ["ab"]), *((one, [one]) for one in others)], ("a", "b", "c"))
        words = Words(space(tree, topology, model, Search(weight=2.0)))
        assert [word.word for word in words.feed(scores) + words.finish()] == ["new"]
        found.append(words.score)
    assert found[0] - found[1] == pytest.approx(2.0 * np.log(4 / 2), rel=1e-4)


def test_what_does_not_fit():
    words = Words(space(TREE, Topology(4)))
    with pytest.raises(ValueError, match="are expected"):
        words.feed(np.zeros((5, 4), np.float32))
    with pytest.raises(ValueError, match="probabilities"):
        words.feed(np.zeros((5, 12), np.float32), np.zeros((5, 12), np.float32))
    with pytest.raises(ValueError, match="apart"):
        words.hypotheses(3)
