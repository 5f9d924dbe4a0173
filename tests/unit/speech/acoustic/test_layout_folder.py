"""One's own recordings: every kind of label file, tables of transcripts, parts, speakers, and mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from percept.speech.acoustic.data import read_corpus, recognise, splits
from percept.speech.tiers import Segment, write_textgrid


def sound(path: Path, seconds: float = 0.4, rate: int = 16_000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(7).normal(0, 0.1, round(seconds * rate)), rate)
    return path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


PHONES = [Segment("", 0.0, 0.1), Segment("HH", 0.1, 0.2), Segment("AY1", 0.2, 0.3), Segment("", 0.3, 0.4)]
WORDS = [Segment("", 0.0, 0.1), Segment("hi", 0.1, 0.3), Segment("", 0.3, 0.4)]


def test_text_alone(tmp_path):
    sound(tmp_path / "a.wav")
    write(tmp_path / "a.txt", "Mr. Smith's 21 dogs\n")
    assert (recognise(tmp_path), splits(tmp_path)) == ("folder", ["all"])
    one = read_corpus(tmp_path, "train").utterances[0]
    assert (one.name, one.speaker, one.truth) == ("a", "", "")
    assert one.words == ("mister", "smith's", "twenty", "one", "dogs")


@pytest.mark.parametrize("kind", ["TextGrid", "phn", "lab", "ctm"])
def test_every_kind_of_time_labels(tmp_path, kind):
    sound(tmp_path / "ann/a.wav", rate=8000)
    write(tmp_path / "ann/a.txt", "hi")
    content = {
        "TextGrid": write_textgrid({"ann - words": WORDS, "ann - phones": PHONES}, 0.4),
        "phn": "0 800 h#\n800 1600 hh\n1600 2400 ay\n2400 3200 h#\n",
        "lab": "signal a\n#\n 0.1 125 sil\n 0.2 125 HH\n 0.3 125 AY1\n 0.4 125 sil\n",
        "ctm": "a 1 0.1 0.1 HH\na 1 0.2 0.1 AY1\n",
    }[kind]
    write(tmp_path / f"ann/a.{kind}", content)
    corpus = read_corpus(tmp_path, "all")
    one = corpus.utterances[0]
    assert corpus.problems == ()
    assert (one.name, one.speaker, one.words, one.phones) == ("ann/a", "ann", ("hi",), ("hh", "ay"))
    starts = [label.start for label in one.phone_times if label.label.lower().startswith("ay")]
    assert starts == [pytest.approx(0.2)]
    assert one.truth == ("automatic" if kind == "ctm" else "hand")


def test_words_with_times(tmp_path):
    for name in "abc":
        sound(tmp_path / f"{name}.wav")
    write(tmp_path / "a.TextGrid", write_textgrid({"words": WORDS}, 0.4))
    write(tmp_path / "b.ctm", "b 1 0.1 0.2 hello\n")
    write(tmp_path / "c.wrd", "1600 4800 good\n")
    write(tmp_path / "c.txt", "good day")
    corpus = read_corpus(tmp_path, "all")
    assert [one.words for one in corpus.utterances] == [("hi",), ("hello",), ("good", "day")]
    assert [one.word_times for one in corpus.utterances[:2]] == [
        (Segment("hi", 0.1, 0.3),),
        (Segment("hello", 0.1, pytest.approx(0.3)),),
    ]
    assert corpus.utterances[2].word_times == ()
    assert corpus.problems == ("c.wav: the words with times are not those of the transcript; their times are left out",)


def test_a_lab_file_may_be_plain_text(tmp_path):
    sound(tmp_path / "a.wav")
    write(tmp_path / "a.lab", "hello there")
    assert read_corpus(tmp_path, "all").utterances[0].words == ("hello", "there")


def test_phones_in_ipa(tmp_path):
    for name, phone in (("a", "ʃ"), ("b", "s")):
        sound(tmp_path / f"{name}.wav")
        spoken = [Segment("", 0.0, 0.1), Segment(phone, 0.1, 0.2), Segment("j", 0.2, 0.4)]
        write(tmp_path / f"{name}.TextGrid", write_textgrid({"phones": spoken}, 0.4))
    corpus = read_corpus(tmp_path, "all")
    assert [one.phones for one in corpus.utterances] == [("sh", "y"), ("s", "y")]


def test_bad_labels_name_file_and_line(tmp_path):
    for name in "abc":
        sound(tmp_path / f"{name}.wav")
        write(tmp_path / f"{name}.txt", "hi")
    write(tmp_path / "a.phn", "0 1600 hh\n1600 3200 zz\n")
    write(tmp_path / "b.phn", "0 1600 hh\n3200 1600 ay\n")
    write(tmp_path / "c.phn", "0 1600\n")
    corpus = read_corpus(tmp_path, "all")
    assert len(corpus.faults) == 3
    assert 'a.phn line 2: unknown phone "zz"' in corpus.faults
    assert any(line.startswith("b.phn") and "line 2" in line for line in corpus.faults)
    assert any(line.startswith("c.phn") and "line 1" in line for line in corpus.faults)
    assert [one.phones for one in corpus.utterances] == [(), (), ()]


def test_a_table_with_a_heading(tmp_path):
    for name in "ab":
        sound(tmp_path / f"clips/{name}.flac")
    rows = ("client_id\tpath\tsentence\tsplit", "ann\ta.mp3\tHello there!\ttrain", "bob\tb.mp3\tBye\ttest")
    write(tmp_path / "transcripts.tsv", "\n".join([*rows, "bob\tgone.mp3\tNo\ttest\n"]))
    assert (recognise(tmp_path), splits(tmp_path)) == ("folder", ["train", "test", "all"])
    train, test = read_corpus(tmp_path, "train"), read_corpus(tmp_path, "test")
    assert [(one.name, one.speaker, one.words) for one in train.utterances] == [("clips/a", "ann", ("hello", "there"))]
    assert [one.words for one in test.utterances] == [("bye",)]
    assert test.problems == ("transcripts.tsv line 4: no file gone.mp3",)


def test_a_table_without_a_heading(tmp_path):
    sound(tmp_path / "a b.wav")
    write(tmp_path / "transcripts.csv", 'a b.wav,"Well, yes",ann\n')
    one = read_corpus(tmp_path, "all").utterances[0]
    assert (one.words, one.speaker) == (("well", "yes"), "ann")


def test_json_lines_with_parts_of_a_recording(tmp_path):
    sound(tmp_path / "long.wav", 2.0)
    write(
        tmp_path / "transcripts.jsonl",
        '{"audio_filepath": "long.wav", "offset": 0, "duration": 0.5, "text": "one"}\n'
        '{"audio_filepath": "long.wav", "offset": 0.5, "duration": 1, "text": "two"}\n'
        '{"audio_filepath": "long.wav", "start": 2, "end": 1, "text": "three"}\n'
        "no json\n"
        '{"text": "four"}\n',
    )
    corpus = read_corpus(tmp_path, "all")
    assert [(one.name, one.begin, one.end) for one in corpus.utterances] == [
        ("long@0", 0.0, 0.5),
        ("long@0.5", 0.5, 1.5),
    ]
    assert set(corpus.faults) == {
        "transcripts.jsonl line 3: times run backwards: 2 to 1 s",
        "transcripts.jsonl line 4: not a JSON object",
        "transcripts.jsonl line 5: a sound file and its text expected",
    }


def test_parts_that_are_folders(tmp_path):
    for part in ("train", "test"):
        sound(tmp_path / part / "ann/a.wav")
        write(tmp_path / part / "ann/a.txt", part)
    assert splits(tmp_path) == ["train", "test", "all"]
    corpus = read_corpus(tmp_path, "test")
    assert [(one.name, one.speaker, one.words) for one in corpus.utterances] == [("test/ann/a", "ann", ("test",))]


def test_a_sound_without_a_word_is_told(tmp_path):
    for name in "ab":
        sound(tmp_path / f"{name}.wav")
    write(tmp_path / "a.txt", "hi")
    assert read_corpus(tmp_path, "all").problems == ("b.wav: nothing says what is spoken",)


def test_what_cannot_be_said_is_told(tmp_path):
    sound(tmp_path / "a.wav")
    write(tmp_path / "a.txt", "hello 世界")
    corpus = read_corpus(tmp_path, "all")
    assert corpus.utterances[0].words == ("hello",)
    assert corpus.problems == ('a.txt: left out, for it cannot be said in English: "世界"',)


def test_a_transcript_in_an_unknown_encoding_is_a_fault(tmp_path):
    for name in "ab":
        sound(tmp_path / f"{name}.wav")
        write(tmp_path / f"{name}.txt", "hi")
    (tmp_path / "a.txt").write_bytes("caf\xe9".encode("latin-1"))
    corpus = read_corpus(tmp_path, "all")
    assert [one.name for one in corpus.utterances] == ["b"]
    assert corpus.faults[0].startswith("a.txt: line 1: neither UTF-8 nor UTF-16")
