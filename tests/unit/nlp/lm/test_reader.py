"""Perplexity counts every token once, however the text is read; checked by hand on a tiny model."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from percept.nlp.lm import reader as reading
from percept.nlp.lm.cache import cached
from percept.nlp.lm.dynamic import Dynamic
from percept.nlp.lm.generate import draw, generate, narrowed
from percept.nlp.lm.mixing import perplexity, tuned
from percept.nlp.lm.model import LanguageModel, build
from percept.nlp.lm.reader import NgramReader, Reader, score_text
from percept.nlp.lm.vocabulary import Counted, Encoded, Vocabulary
from percept.nlp.ngram import estimate
from percept.nlp.sentences import END, UNKNOWN

UNITS = 12
CPU = torch.device("cpu")


def model(name: str = "lstm", spread: float = 1.0) -> LanguageModel:
    torch.manual_seed(0)
    settings = {"name": name, "embedding": 8, "hidden": 10, "layers": 1, "context": 3, "direct": False}
    made = build({**settings, "output": "full", "tied": False}, UNITS)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, 0, spread)
    return made.eval()


def some(count: int, starts: tuple[int, ...] = (0,)) -> Encoded:
    ids = np.random.default_rng(3).integers(0, UNITS, count).astype(np.int32)
    return Encoded(ids, np.array(starts), Counted())


def test_every_token_is_predicted_from_all_before_it() -> None:
    """By the whole network at once, end of line first: the first token and the last are there."""
    made, text = model(), some(30)
    words = torch.tensor([[5, *text.ids[:-1].tolist()]])  # 5: the end of a line
    by_hand = made(words)[0, torch.arange(30), torch.from_numpy(text.ids.astype(np.int64))].detach()
    found = Reader(made, 5, CPU).score_text(text)
    np.testing.assert_allclose(found, by_hand.numpy(), rtol=1e-4, atol=1e-5)
    assert math.exp(-found.mean()) == pytest.approx(math.exp(-float(by_hand.mean())), rel=1e-5)


def test_pieces_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made, text = model(), some(50)
    whole = Reader(made, 5, CPU).score_text(text)
    monkeypatch.setattr(reading, "_STEPS", 7)
    monkeypatch.setattr(reading, "_ROOM", UNITS * 3)
    by_sevens = Reader(made, 5, CPU)
    np.testing.assert_allclose(by_sevens.score_text(text), whole, rtol=1e-4, atol=1e-5)
    by_sevens.reset()
    parts = np.concatenate(
        [by_sevens.score(text.ids[:1]), by_sevens.score(text.ids[1:20]), by_sevens.score(text.ids[20:])]
    )
    np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-5)


def test_documents_are_read_from_the_begin() -> None:
    made, text = model(), some(20, (0, 8))
    second = Reader(made, 5, CPU).score(text.ids[8:])
    np.testing.assert_allclose(Reader(made, 5, CPU).score_text(text)[8:], second, rtol=1e-5)


def test_places_side_by_side_are_nearly_the_text_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact where a stream begins with a document, close elsewhere, and exact for a model that looks back two words."""
    text = some(1003, (0, 13, 251, 600))
    monkeypatch.setattr(reading, "_STEPS", 50)
    for name, near in (("lstm", 0.05), ("nplm", 1e-4)):
        made = model(name, spread=0.4)
        wanted = Reader(made, 5, CPU).score_text(text)
        found = Reader(made, 5, CPU).score_side_by_side(text, 4, 20)
        np.testing.assert_allclose(found, wanted, atol=near)
        np.testing.assert_allclose(found[:251], wanted[:251], atol=1e-4)
        assert found.mean() == pytest.approx(wanted.mean(), abs=near / 10)
    assert (Reader(made, 5, CPU).score_side_by_side(text, 16, 200) == wanted).all(), "too short to be cut"


def test_lines_side_by_side_are_lines_alone() -> None:
    made = model()
    lines = [some(count).ids for count in (3, 9, 1)]
    together = Reader(made, 5, CPU).lines(lines)
    for line, found in zip(lines, together, strict=True):
        np.testing.assert_allclose(found, Reader(made, 5, CPU).score(line), rtol=1e-4, atol=1e-5)


def test_the_next_word_is_what_scores_say() -> None:
    made, text = model(), some(6)
    reader = Reader(made, 5, CPU)
    scores = reader.score(text.ids)
    reader.reset()
    for word, score in zip(text.ids.tolist(), scores, strict=True):
        assert reader.next()[word] == pytest.approx(score, rel=1e-4)
        reader.push(word)


def test_ngrams_are_read_alike() -> None:
    sentences = [["a", "b"], ["a"], ["b", "a", "a"]] * 3
    ngram = estimate(sentences, 3)
    reader = NgramReader(ngram)
    ids = np.array([ngram.index[word] for word in ("a", "b", END, "b", END)], np.int32)
    by_hand = [*ngram.score(["a", "b"]), *ngram.score(["b"])]
    np.testing.assert_allclose(reader.score(ids), np.array(by_hand) * math.log(10), rtol=1e-5)
    reader.reset()
    assert np.exp(reader.next()).sum() == pytest.approx(1)
    reader.push(int(ids[0]))
    assert reader.next()[ids[1]] == pytest.approx(by_hand[1] * math.log(10), rel=1e-5)
    assert [len(one) for one in reader.lines([ids[:3], ids[3:]])] == [3, 2]


def test_the_cache_by_the_papers_sum() -> None:
    made, text, theta, window = model(), some(300), 0.3, 20
    alone, found = cached(Reader(made, 5, CPU), text, [0.0, theta], window)
    np.testing.assert_allclose(alone, Reader(made, 5, CPU).score_text(text), rtol=1e-4, atol=1e-5)
    h, _ = Reader(made, 5, CPU).features(text.ids)
    for t in (0, 1, 15, 120, 256, 299):  # 256: where a block begins
        past = range(max(0, t - window), t)
        weights = np.array([math.exp(theta * float(h[t] @ h[i])) for i in past])
        right = np.array([text.ids[i] == text.ids[t] for i in past])
        wanted = (weights * right).sum() / weights.sum() if t else 0.0
        assert found[1, t] == pytest.approx(wanted, rel=1e-4, abs=1e-7)
        even = right.mean() if t else 0.0
        assert found[0, t] == pytest.approx(even, rel=1e-5, abs=1e-7), "theta 0: all places alike"


def test_dynamic_evaluation_learns_what_comes_again_and_leaves_the_model_alone() -> None:
    made = model(spread=0.1)
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    again = Encoded(np.tile(np.array([1, 4, 2, 8, 5, 7], np.int32), 150), np.array([0]), Counted())
    learner = Dynamic(made, 5, CPU, again)
    found = learner.score(again)
    assert len(found) == 900 and found[-100:].mean() > found[:20].mean() + 0.5
    static = Reader(made, 5, CPU).score(again.ids)
    np.testing.assert_allclose(found[:20], static[:20], rtol=1e-4, atol=1e-5), "words are scored before they are learnt"
    assert all(torch.equal(tensor, before[name]) for name, tensor in made.state_dict().items())


def test_weights_of_a_mixture_are_the_likeliest() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.01, 1, (2, 500))
    weights = tuned(p)
    assert weights.sum() == pytest.approx(1)
    grid = [perplexity(w * p[0] + (1 - w) * p[1]) for w in np.linspace(0, 1, 101)]
    assert perplexity(weights @ p) <= min(grid) + 1e-4
    assert tuned(np.stack([p[0], p[0] / 2]))[0] > 0.99


def test_drawing_is_narrowed_as_asked() -> None:
    p = np.array([0.5, 0.3, 0.15, 0.05])
    np.testing.assert_allclose(narrowed(p, top_k=2), [0.625, 0.375, 0, 0])
    np.testing.assert_allclose(narrowed(p, top_p=0.7), [0.625, 0.375, 0, 0])
    np.testing.assert_allclose(narrowed(p, top_p=0.4), [1, 0, 0, 0])
    rng = np.random.default_rng(0)
    counts = np.bincount([draw(np.log(p), rng, 1.0, 0, 1.0) for _ in range(4000)], minlength=4) / 4000
    np.testing.assert_allclose(counts, p, atol=0.03)
    cold = np.bincount([draw(np.log(p), rng, 0.5, 0, 1.0) for _ in range(4000)], minlength=4) / 4000
    np.testing.assert_allclose(cold, p**2 / (p**2).sum(), atol=0.03)
    assert {draw(np.log(p), rng, 0, 0, 1.0) for _ in range(5)} == {0}
    assert {draw(np.log(p), rng, 1.0, 0, 1.0, banned=0) for _ in range(200)} <= {1, 2, 3}


def test_text_stops_where_asked_and_never_says_unk() -> None:
    words = Vocabulary("word", ("a", "b", "stop", UNKNOWN, END, *map(str, range(UNITS - 5))), "blanks")
    reader = Reader(model(spread=0.1), words.end, CPU)
    whole = "".join(generate(reader, words, "a b", length=300, seed=1))
    assert "unk" not in whole and "stop" in whole and "\n" in whole
    assert whole == "".join(generate(reader, words, "a b", length=300, seed=1)), "the same seed, the same text"
    assert whole != "".join(generate(reader, words, "a b", length=300, seed=2))
    cut = "".join(generate(reader, words, "a b", length=300, seed=1, stop="stop"))
    assert cut == whole[: whole.index("stop")]


def test_characters_of_several_bytes_are_written_whole() -> None:
    pytest.importorskip("tokenizers")
    from percept.nlp.lm.corpus import read
    from percept.nlp.lm.vocabulary import build as build_vocabulary

    pieces, _ = build_vocabulary(
        read(Path(__file__).parents[3] / "data" / "lm_tiny").split("train"), "bpe", "none", most=300
    )

    class Spelling:
        """Writes what it is told to."""

        def __init__(self, text: str) -> None:
            self.waiting = pieces.numbers(text)

        def reset(self) -> None:
            """Nothing to forget."""

        def next(self) -> np.ndarray:
            scores = np.full(len(pieces), -50.0)
            scores[self.waiting[0]] = 0.0
            return scores

        def push(self, word: int) -> None:
            assert word == self.waiting.pop(0)

    text = "naïve — 😀 x"
    made = [*generate(Spelling(text), pieces, "", length=len(pieces.numbers(text)), temperature=0.0)]
    assert "".join(made) == text and "😀" in "".join(made)


def test_score_text_of_no_documents_is_nothing() -> None:
    empty = Encoded(np.zeros(0, np.int32), np.zeros(0, np.int64), Counted())
    assert len(score_text(Reader(model(), 5, CPU), empty)) == 0
