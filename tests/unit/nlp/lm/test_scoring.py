"""Files and lines are scored in bounded memory, and what cannot be scored says why in one line."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from percept.core.errors import InputError
from percept.nlp.lm import scoring
from percept.nlp.lm.opened import Opened, of_ngrams
from percept.nlp.lm.result import Neighbours, Scored
from percept.nlp.ngram import estimate

TEXT = [["the", "cat", "sat", "."], ["the", "dog", "sat", "."], ["a", "cat", "ran", "."]] * 3


@pytest.fixture(scope="module")
def model() -> Opened:
    return of_ngrams("cats", estimate(TEXT, 3))


def test_a_text_is_scored_whole(model: Opened) -> None:
    found = scoring.whole(model, b"the cat sat .\nthe tiger ran .\n", "a.txt")
    assert (found.input, found.tokens, found.unknown, found.characters) == ("a.txt", 10, 1, 30)
    ngrams = model.reader.model
    by_hand = [*ngrams.score(["the", "cat", "sat", "."]), *ngrams.score(["the", "tiger", "ran", "."])]
    assert found.nats == pytest.approx(-sum(by_hand) * np.log(10), rel=1e-5)
    assert found.perplexity == pytest.approx(10 ** (-sum(by_hand) / 10), rel=1e-5)
    assert found.bits_per_character == pytest.approx(found.nats / np.log(2) / 30)
    assert found.unknown_words == (("tiger", 1),)
    assert found.to_json()["unknown_words"] == [{"word": "tiger", "count": 1}]
    assert "unknown 1 (10.00 %): tiger" in str(found)


def test_lines_by_themselves_and_words_with_their_bits(model: Opened) -> None:
    lines = [*scoring.by_line(model, b"the cat sat .\nran ran\n", "a", show=True)]
    assert [line.input for line in lines] == ["a:1", "a:2"] and lines[0].nats < lines[1].nats
    assert [word for word, _ in lines[0].words or ()] == ["the", "cat", "sat", ".", "\n"]
    shown = scoring.shown(model, b"the cat sat .\nran ran\n", "a")
    assert sum(bits for _, bits in shown.words or ()) == pytest.approx(shown.nats / np.log(2), rel=1e-5)
    assert shown.nats == pytest.approx(scoring.whole(model, b"the cat sat .\nran ran\n", "a").nats, rel=1e-6)
    assert len(shown.rows()) == 8 and shown.rows()[0][0] == "the"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file: there is nothing to score"),
        (b"\n\n", "an empty file"),
        (b"the cat\0sat\n", "byte 7 is zero: this is no UTF-8 text"),
        (b"the cat \xff sat\n", "byte 8 is not UTF-8"),
    ],
)
def test_what_cannot_be_scored(model: Opened, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        scoring.whole(model, content, "a")


def test_bytes_that_are_no_text_may_be_replaced(model: Opened) -> None:
    found = scoring.whole(model, b"the cat \xff sat\n", "a", errors="replace")
    assert found.unknown_words == (("\ufffd", 1),) and found.tokens == 5


def test_a_long_line_is_read_piece_by_piece(model: Opened, tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"the cat sat . " * 400_000)  # 5.6 MB, one line
    tracemalloc.start()
    found = scoring.whole(model, path, "long")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.tokens == 1_600_001 and most < 45e6, f"{most / 1e6:.0f} MB for a text of 5.6 MB"


@pytest.mark.parametrize("enough", [2**19, 30])
def test_whether_a_text_is_cut_is_seen_by_its_begin(
    model: Opened, monkeypatch: pytest.MonkeyPatch, enough: int
) -> None:
    monkeypatch.setattr(scoring, "_ENOUGH", enough)
    cats = replace(model, vocabulary=model.vocabulary.as_style("text"))
    cut, plain = b"the cat sat .\nthe cat ran .\na dog sat .\n", b"the cat sat.\nthe cat ran.\na dog sat.\n"
    found = scoring.whole(cats, plain, "a")
    assert found.tokens == 15 and found.unknown == 0
    assert scoring.whole(cats, cut, "a").nats == found.nats
    assert scoring.whole(cats, plain, "a", as_is=True).unknown == 3


def test_a_model_without_unk_calls_unknown_words_impossible() -> None:
    closed = of_ngrams("closed", estimate(TEXT, 2, unknown=False))
    found = scoring.whole(closed, b"the tiger\n", "a")
    assert found.perplexity == np.inf and found.to_json()["perplexity"] is None
    assert "infinite" in str(found)


def test_results_as_rows() -> None:
    scored = Scored("a", 10, 1, 40, 20.0)
    assert scored.rows() == [[10, 1, 7.3891, 2.8854, 0.7213]]
    assert Scored("a:1", 10, 1, 40, 20.0, text="x y").rows()[0][-1] == "x y"
    near = Neighbours("king", ("queen", "prince"), (0.8, 0.75))
    assert near.rows() == [("queen", 0.8), ("prince", 0.75)]
    assert near.to_json()["neighbours"][0] == {"word": "queen", "similarity": 0.8}
