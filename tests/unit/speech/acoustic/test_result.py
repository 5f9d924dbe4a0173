"""What acoustic answers, and how it is shown and written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from praatio import textgrid
from skimage.io import imread as read_image

from percept.core.errors import UsageError
from percept.speech.acoustic.picture import draw
from percept.speech.acoustic.result import Command, Heard, Part, Transcript

PHONES = tuple(
    Part(label, start, end, 0.5)
    for label, start, end in (
        ("sh", 0.1, 0.2),
        ("iy", 0.2, 0.3),
        ("s", 0.5, 0.6),
        ("l", 0.6, 0.7),
        ("iy", 0.7, 0.8),
        ("p", 0.8, 0.9),
    )
)
WORDS = (Part("she", 0.1, 0.3, 0.9), Part("sleep", 0.5, 0.9, 0.25))
BOTH = Transcript("talk/a.wav", 1.25, WORDS, PHONES)
ALONE = Transcript("talk/a.wav", 1.25, None, PHONES, alphabet="ipa")


def test_json_is_the_contract() -> None:
    document = BOTH.to_json()
    assert document["input"] == "talk/a.wav" and document["duration"] == 1.25 and document["text"] == "she sleep"
    assert document["words"][1] == {"word": "sleep", "start": 0.5, "end": 0.9, "confidence": 0.25}
    assert [phone["phone"] for phone in document["phones"]] == ["sh", "iy", "s", "l", "iy", "p"]
    assert "words" not in ALONE.to_json() and ALONE.to_json()["phones"][0]["phone"] == "ʃ"
    assert ALONE.to_json()["text"].startswith("ʃ i")


def test_rows_are_words_or_else_phones() -> None:
    assert BOTH.rows() == [(0.1, 0.3, "she", 0.9), (0.5, 0.9, "sleep", 0.25)]
    assert len(ALONE.rows()) == 6 and ALONE.rows()[0][2] == "ʃ"


def test_a_person_sees_words_with_their_phones() -> None:
    lines = str(BOTH).splitlines()
    assert lines[0] == " talk/a.wav  1.25 s   2 words" and lines[1] == " she sleep"
    assert lines[2].split() == ["0.10", "0.30", "she", "0.90", "sh", "iy"]
    assert lines[3].split() == ["0.50", "0.90", "sleep", "0.25", "s", "l", "iy", "p"]
    assert str(Transcript("a.wav", 1.0, (), ())) == " a.wav  1.00 s   no words"


def test_praat_opens_its_textgrid(tmp_path: Path) -> None:
    BOTH.save(tmp_path / "a.TextGrid")
    read = textgrid.openTextgrid(str(tmp_path / "a.TextGrid"), includeEmptyIntervals=True)
    assert read.tierNames == ("words", "phones") and read.maxTimestamp == 1.25
    assert [one.label for one in read.getTier("words").entries] == ["", "she", "", "sleep", ""]
    assert [one.label for one in read.getTier("phones").entries if one.label] == [part.label for part in PHONES]


def test_every_format_holds_the_words(tmp_path: Path) -> None:
    for suffix in ("ctm", "srt", "vtt", "txt"):
        BOTH.save(tmp_path / f"a.{suffix}")
        assert "sleep" in (tmp_path / f"a.{suffix}").read_text()
    assert (tmp_path / "a.ctm").read_text().splitlines()[0].split() == ["a", "1", "0.100", "0.200", "she", "0.90"]
    with pytest.raises(UsageError, match="TextGrid"):
        BOTH.save(tmp_path / "a.mp3")


def test_a_picture_shows_what_was_heard(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    samples = np.sin(np.arange(20_000) / 9).astype(np.float32)
    heard = Heard(samples, rng.normal(size=(125, 40)).astype(np.float32), rng.dirichlet(np.ones(40), 125))
    draw(tmp_path / "a.png", replace(BOTH, heard=heard))
    shown = read_image(tmp_path / "a.png")
    assert shown.shape[0] == 850 and shown.shape[1] >= 800 and shown.std() > 10
    plain = tmp_path / "b.png"
    draw(plain, replace(BOTH, heard=heard, words=None, phones=()))
    assert (read_image(plain) != shown).any()  # the names and the path


def test_a_command_word_has_its_likeliest_first() -> None:
    made = Command("a.wav", 1.0, (("stop", 0.75), ("go", 0.2), ("left", 0.05)))
    assert made.word == "stop" and made.rows() == [(0.0, 1.0, "stop", 0.75)]
    document = made.to_json()
    assert document["word"] == "stop" and document["confidence"] == 0.75
    assert document["alternatives"] == [{"word": "go", "confidence": 0.2}, {"word": "left", "confidence": 0.05}]
    assert str(made).splitlines()[1].split() == ["stop", "0.75"]
