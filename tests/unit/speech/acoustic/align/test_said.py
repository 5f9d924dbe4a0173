"""What a transcript says, and what is refused in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from percept.core.errors import InputError
from percept.speech.acoustic.align.said import read_words, words_of


def said(folder: Path, content: str | bytes) -> tuple[str, ...]:
    path = folder / "a.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_words(path).words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("She had your dark suit,\r\nin 2 colours.\n", "she had your dark suit in two colours"),
        ("\ufeff“Well” — he said…", "well he said"),
        ("0 46797 She had your suit.\n", "she had your suit"),
        ("0 degrees\n", "zero degrees"),
        ("20 300 people", "twenty three hundred people"),
        ("<unk> yes [door slams] no {breath}", "yes no"),
        ("WELL, [I THINK] so", "well so"),
        ("one\n2\nthree", "one two three"),
    ],
)
def test_words_are_those_of_somebody_who_reads_aloud(tmp_path: Path, content: str, words: str) -> None:
    assert " ".join(said(tmp_path, content)) == words


def test_utf_16_is_read(tmp_path: Path) -> None:
    assert said(tmp_path, "zwei Wörter".encode("utf-16")) == ("zwei", "worter")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "an empty file"),
        (b" \n\t\n", "nothing but blanks in it"),
        ('"?!" ...', 'nothing in it that can be said in English: ""?!" ..."'),
        ("[laughter]", 'nothing in it that can be said in English: "[laughter]"'),
        ("да", 'nothing in it that can be said in English: "да"'),
        ('File type = "ooTextFile"\nObject class = "TextGrid"\n', "a TextGrid, where plain words are expected"),
        ("0 2400 h#\n2400 3000 sh\n", "times of segments"),
        ("0.5 121 sh\n0.7 121 iy\n", "times of segments"),
        ("signal a\nnfields 1\n#\n 0.5 121 sh\n", "ESPS labels"),
        ("a 1 0.50 0.25 yes 0.9\na 1 0.75 0.25 no 0.9\n", "times of words (.ctm)"),
        ("1\n00:00:01,000 --> 00:00:02,000\nyes\n", "subtitles"),
        ("WEBVTT\n\nyes", "subtitles"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "no plain text (a sound file)"),
        (b"%PDF-1.7\n", "no plain text (a PDF)"),
        (b"caf\xe9 au lait", "neither UTF-8 nor UTF-16"),
    ],
)
def test_what_is_no_transcript_is_told_in_a_line(tmp_path: Path, content: str | bytes, error: str) -> None:
    with pytest.raises(InputError) as raised:
        said(tmp_path, content)
    assert error in str(raised.value) and "\n" not in str(raised.value)


def test_a_folder_and_nothing_are_no_transcripts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder, not a file"):
        read_words(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_words(tmp_path / "b.txt")


def test_what_cannot_be_said_is_told() -> None:
    assert words_of("yes 🙂 да").dropped == ("🙂", "да")
