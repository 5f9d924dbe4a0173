"""percept align as people call it: exit codes, what is said on stderr, and what comes through pipes.

With weights that have learnt next to nothing, whose headers say of every transcript that it fits, or that none does.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from commandline import percept

from percept.core import checkpoint

DATA = Path(__file__).parents[1] / "data" / "speech_tiny" / "folder"
SOUND = DATA / "train" / "118-121721-0000.opus"
WORDS = ["a", "stitch", "in", "time", "saves", "embarrassing", "exposure"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("align") / "run"
    small = ("--width", "16", "--blocks", "1", "--batch", "4", "--epochs", "1", "--warmup", "0", "--quiet")
    assert percept("train", "align", "--data", DATA, *small, "--out", folder).code == 0
    return folder


def believing(run: Path, folder: Path, constant: float) -> Path:
    read = checkpoint.load(run / "best.safetensors", task="acoustic")
    rule = {"whole": 0.0, "hurried": 0.0, "constant": constant}
    path = folder / "weights.safetensors"
    checkpoint.save(path, read.tensors, {**read.header, "decoding": {"fit": rule}}, store="float16")
    return path


def test_a_transcript_through_a_pipe_and_words_out_of_one(run: Path, tmp_path: Path) -> None:
    weights = believing(run, tmp_path, 9.0)
    ran = percept("align", SOUND, "-", "--weights", weights, stdin=" ".join(WORDS).encode())
    assert ran.code == 0
    rows = [line.split("\t") for line in ran.lines]
    assert [row[3] for row in rows] == WORDS and {row[0] for row in rows} == {str(SOUND)}
    assert all(float(a[2]) <= float(b[1]) for a, b in zip(rows, rows[1:], strict=False))
    again = percept("align", "-", SOUND.with_suffix(".txt"), "--weights", weights, stdin=SOUND.read_bytes())
    assert [line.split("\t")[1:] for line in again.lines] == [row[1:] for row in rows]


def test_what_does_not_fit_is_refused_with_1_unless_forced(run: Path, tmp_path: Path) -> None:
    weights = believing(run, tmp_path, -9.0)
    words = ("align", SOUND, "--weights", weights, "--out", tmp_path / "out")
    ran = percept(*words, "--json")
    assert ran.code == 1 and not (tmp_path / "out").exists()
    assert ran.json["results"][0]["error"].startswith("the transcript does not fit this sound (fit 0.00)")
    assert "0 of 1 done, 1 failed" in ran.err
    ran = percept(*words, "--json", "--force")
    assert ran.code == 0 and ran.json["results"][0]["fits"] is False
    assert f"{SOUND}: the transcript does not fit this sound (fit 0.00)\n" in ran.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{SOUND.stem}.TextGrid"]


def test_wrong_usage_is_2_and_one_line(run: Path, tmp_path: Path) -> None:
    text = SOUND.with_suffix(".txt")
    for words, said in (
        ((text, SOUND), "is a transcript, where a sound is expected; the sound comes first"),
        ((SOUND, SOUND, "--text", "yes"), "--text holds the words of one sound"),
        ((SOUND, text, "--lexicon", tmp_path / "none"), "no such file"),
        ((SOUND, text, "--save"), "--save has no effect here"),
        ((SOUND, text, "--format", "textgird"), "did you mean textgrid?"),
    ):
        ran = percept("align", *words, "--weights", run)
        assert (ran.code, ran.out) == (2, ""), words
        assert said in ran.err
    ran = percept("align", text, SOUND, "--weights", run, "--json")
    assert (ran.code, ran.out) == (2, ""), "not even the head of a document"


def test_help_says_whose_weights_they_are() -> None:
    ran = percept("train", "align", "--help")
    assert ran.code == 0
    assert "The weights are those of acoustic: percept train acoustic does the same." in " ".join(ran.out.split())


def test_evaluation_shows_figures_and_counts_wrong_pairs(run: Path) -> None:
    ran = percept("eval", "align", "--data", DATA, "--split", "all", "--weights", run, "--shuffled", "2", "--json")
    assert ran.code == 0
    assert ran.json["wrong_pairs"] == 2 and ran.json["metrics"]["flagged_wrong"] in (0.0, 50.0, 100.0)
    assert ran.json["metrics"]["phone_mean_ms"] > 0 and ran.json["count"] == 5
