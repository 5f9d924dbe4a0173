"""What a person types to score texts, to have one written on, and to ask for words, with the weights that ship."""

from __future__ import annotations

from pathlib import Path

import pytest
from commandline import percept

TINY = Path(__file__).parents[1] / "data" / "lm_tiny"


def test_the_same_seed_writes_the_same_text() -> None:
    first, second, other = (
        percept("lm", "generate", "It was a", "--length", "12", "--seed", seed) for seed in (3, 3, 4)
    )
    assert first.code == 0 and first.out.startswith("It was a ") and first.out == second.out != other.out
    assert "<unk>" not in first.out and " ." not in first.out and " ," not in first.out, "text reads as text"


def test_without_a_file_a_prompt_opens() -> None:
    ran = percept("lm", "--length", "5", "--seed", "1", stdin=b"It was a\n")
    assert ran.code == 0 and ran.out.strip()


def test_texts_are_scored_and_sorted(tmp_path: Path) -> None:
    scored = percept("lm", TINY / "test.txt", "--json").json["results"][0]
    assert 10 < scored["perplexity"] < 2000 and scored["tokens"] > 500
    lines = tmp_path / "lines.txt"
    lines.write_text("of the the was city in\nThe city was in the north of the country .\n")
    ran = percept("lm", "score", lines, "--rank")
    assert ran.code == 0 and ran.lines[0].endswith("The city was in the north of the country .")


def test_words_near_a_word_and_the_fourth_of_three() -> None:
    near = percept("lm", "nearest", "island", "--top", "5")
    assert near.code == 0 and len(near.lines) == 5 and all(line.startswith("island\t") for line in near.lines)
    assert percept("lm", "analogy", "king", "queen", "man", "--top", "3").code == 0
    ran = percept("lm", "nearest", "islnad")
    assert ran.code != 0 and "islnad" in ran.err and "did you mean island" in ran.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"a\x00b\n", "byte 1 is zero"),
        (b"The good \xff man\n", "UTF-8"),
        (b"\\data\\\nngram 1=", "cut"),
    ],
)
def test_what_is_no_text_is_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / ("model.arpa" if said == "cut" else "text.txt")
    path.write_bytes(content)
    ran = percept("lm", TINY / "test.txt", "--weights", path) if said == "cut" else percept("lm", path)
    assert ran.code != 0 and ran.out == ""
    assert [line for line in ran.err.splitlines() if str(path) in line and (said in line or said == "cut")]


def test_ngrams_are_estimated_and_used(tmp_path: Path) -> None:
    model = tmp_path / "model.arpa"
    assert percept("lm", "ngram", TINY / "train.txt", "--order", "3", "--out", model).code == 0
    assert percept("lm", TINY / "test.txt", "--weights", model, "--json").json["results"][0]["perplexity"] > 1
