"""The report of a set of speech: what it holds, and each kind of mistake with the name of its file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from percept.core.errors import UsageError
from percept.speech.acoustic import check
from percept.speech.acoustic.check import look_through

DATA = Path(__file__).parents[3] / "data"
LIBRI, OCEAN, COMMANDS = DATA / "speech_tiny/librispeech", DATA / "speech_tiny/speechocean762", DATA / "commands_tiny"


def test_a_good_set_of_sentences():
    found = look_through(LIBRI)
    assert (found.layout, found.problems) == ("librispeech", ())
    (row,) = found.splits
    assert (row.split, row.speakers, row.utterances, row.timed, row.rates) == ("train-clean-100", 6, 6, 4, (16000,))
    assert row.hours == pytest.approx(25.1 / 3600, abs=1e-3)
    assert row.words == 69
    assert found.counts["ao"]["train-clean-100"] > 0
    assert sum(of["train-clean-100"] for of in found.counts.values()) == row.phones
    assert found.lines()[0] == "nothing wrong was found"
    assert "advice: no phones of 2 utterances: they come from the dictionary" in found.lines()
    splits, phones = found.tables()
    assert splits.rows[0][:3] == ("train-clean-100", "6", "6")
    assert len(phones.rows) == 39
    assert json.loads(json.dumps(found.to_json()))["splits"][0]["speakers"] == 6


def test_a_good_set_of_words():
    found = look_through(COMMANDS)
    assert (found.counted, found.problems) == ("word", ())
    assert found.counts["zoom in"] == {"train": 2, "val": 1, "test": 1}
    assert [row.split for row in found.splits] == ["train", "val", "test"]
    assert not any("val" in line for line in found.advice)


def test_a_set_of_two_parts():
    found = look_through(OCEAN)
    assert [(row.split, row.utterances, row.timed) for row in found.splits] == [("train", 3, 0), ("test", 1, 0)]
    assert any("no val split: some utterances" in line for line in found.advice)


@pytest.fixture()
def own(tmp_path: Path) -> Path:
    """A folder of one's own, to be spoilt."""
    rng = np.random.default_rng(0)
    for name in ("a", "b", "c", "d", "e"):
        soundfile.write(tmp_path / f"{name}.wav", rng.normal(0, 0.1, 16000), 16000)
        (tmp_path / f"{name}.txt").write_text("hello world")
    return tmp_path


def test_every_kind_of_mistake_is_named(own):
    (own / "a.phn").write_text("0 8000 hh\n8000 16000 zz\n")
    (own / "b.phn").write_text("0 8000 hh\n8000 24000 ay\n")
    (own / "c.wav").write_bytes(b"shopping list\n" * 9)
    (own / "c.txt").write_text("milk")
    shutil.copy(own / "d.wav", own / "f.wav")
    (own / "f.txt").write_text(" ".join(["word"] * 40))
    soundfile.write(own / "e.wav", np.zeros(16000), 16000)
    soundfile.write(own / "g.wav", np.ones(80) / 2, 16000)
    lines = look_through(own).problems
    for start in (
        'a.phn line 2: unknown phone "zz"',
        "b.wav: labels go on to 1.50 s, the sound ends at 1.00 s",
        "c.wav: ",
        "f.wav: 40 words in 1.00 s; is the transcript that of another recording?",
        "f.wav: the same recording as d.wav",
        "e.wav: nothing but silence",
        "g.wav: nothing says what is spoken",
    ):
        assert any(line.startswith(start) for line in lines), (start, lines)
    assert len(lines) == 7


def test_advice(own, monkeypatch):
    soundfile.write(own / "b.wav", np.ones(8000) / 2, 8000)
    monkeypatch.setattr(check, "MOST", 1)  # one file is decoded: resampling would compile for a second
    (own / "a.txt").write_text("the grumblewick")
    advice = look_through(own).advice
    assert "no speakers are told: a held-out voice may be one that was trained on" in advice
    assert "1 word is not in CMUdict and gets a pronunciation by its letters: grumblewick" in advice
    assert "no phones: they come from the dictionary" in advice
    assert "sound of 8,000 Hz: nothing is heard above 4,000 Hz" in advice


def test_no_such_data():
    with pytest.raises(UsageError, match="no labelled speech found"):
        look_through(DATA / "coco_tiny")
