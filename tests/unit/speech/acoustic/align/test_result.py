"""What align answers, and how it is shown and written."""

from __future__ import annotations

from pathlib import Path

from praatio import textgrid

from percept.speech.acoustic.align.result import Aligned
from percept.speech.acoustic.align.verdict import Stretch
from percept.speech.acoustic.result import Part
from percept.speech.tiers import read_lab

PHONES = tuple(Part(*row, 0.5) for row in (("sh", 0.1, 0.2), ("iy", 0.2, 0.3), ("hh", 0.5, 0.6), ("ae", 0.6, 0.9)))
WORDS = (Part("she", 0.1, 0.3, 0.9), Part("had", 0.5, 0.9, 0.25))
STRANGE = (Stretch(1.0, 2.5, "speech that is not in the transcript"),)
FOUND = Aligned("talk/a.b.wav", 2.5, WORDS, PHONES, fit=0.91234, oov=("had",), strange=STRANGE)


def test_json_is_acoustics_and_whether_to_believe_it() -> None:
    document = FOUND.to_json()
    assert (document["input"], document["text"], document["fit"], document["fits"]) == (
        "talk/a.b.wav",
        "she had",
        0.9123,
        True,
    )
    assert document["words"][1] == {"word": "had", "start": 0.5, "end": 0.9, "confidence": 0.25}
    assert document["phones"][0] == {"phone": "sh", "start": 0.1, "end": 0.2, "confidence": 0.5}
    assert document["oov"] == ["had"] and document["strange"][0]["start"] == 1.0


def test_a_person_sees_words_with_their_phones() -> None:
    lines = str(FOUND).splitlines()
    assert lines[0] == " talk/a.b.wav  2.50 s   2 words   fit 0.91"
    assert lines[1].split() == ["0.10", "0.30", "she", "0.90", "sh", "iy"] and len(lines) == 3
    doubted = Aligned("a.wav", 2.5, WORDS, PHONES, fit=0.1, fits=False)
    assert str(doubted).splitlines()[0].endswith("fit 0.10, does not fit")


def test_praat_opens_its_textgrid(tmp_path: Path) -> None:
    FOUND.save(tmp_path / "a.TextGrid")
    read = textgrid.openTextgrid(str(tmp_path / "a.TextGrid"), includeEmptyIntervals=True)
    assert read.tierNames == ("words", "phones") and read.maxTimestamp == 2.5
    assert [one.label for one in read.getTier("words").entries] == ["", "she", "", "had", ""]


def test_labels_and_ctm_are_read_back(tmp_path: Path) -> None:
    (tmp_path / "a.lab").write_text(FOUND.to_lab())
    assert [one.label for one in read_lab(tmp_path / "a.lab")] == ["", "sh", "iy", "", "hh", "ae"]
    assert FOUND.to_ctm().splitlines()[0] == "a.b 1 0.100 0.200 she 0.90"
    assert Aligned("u1.0", 2.5, WORDS, PHONES).to_ctm().startswith("u1.0 1 "), "of Kaldi's names a dot is a part"
