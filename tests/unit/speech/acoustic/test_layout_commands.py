"""Command words: the layouts, their splits by lists, tables, folders and numbers, and who speaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from percept.core.errors import UsageError
from percept.speech.acoustic.data import Corpus, noises, read_corpus, recognise, splits

TINY = Path(__file__).parents[3] / "data" / "commands_tiny"


def touch(folder: Path, *names: str) -> None:
    """Files of no content: no layout opens a sound."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def names(corpus: Corpus) -> list[str]:
    return [one.name for one in corpus.utterances]


def test_lists_that_say_wav_where_opus_lies():
    assert (recognise(TINY), splits(TINY)) == ("commands", ["train", "val", "test", "all"])
    corpus = read_corpus(TINY, "val")
    assert corpus.labels == ("stop", "yes", "zoom in")
    assert [(one.name, one.label, one.speaker) for one in corpus.utterances] == [
        ("stop/00000002_NO_01", "stop", "00000002"),
        ("yes/00000002_NO_01", "yes", "00000002"),
        ("zoom in/00000002_NO_01", "zoom in", "00000002"),
    ]
    assert {one.speaker for one in read_corpus(TINY, "train").utterances} == {"00000001", "00000005"}
    assert [len(read_corpus(TINY, split).utterances) for split in splits(TINY)] == [6, 3, 3, 12]
    assert corpus.problems == ()


def test_speech_commands(tmp_path):
    touch(
        tmp_path, *(f"{word}/{who}_nohash_{n}.wav" for word in ("up", "down") for who in ("0a", "1b") for n in (0, 1))
    )
    touch(tmp_path, "_background_noise_/tap.wav", "_background_noise_/README.md")
    (tmp_path / "validation_list.txt").write_text("up/0a_nohash_0.wav\n")
    (tmp_path / "testing_list.txt").write_text("up/0a_nohash_1.wav\ndown/0a_nohash_0.wav\nup/gone_nohash_0.wav\n")
    assert recognise(tmp_path) == "speech-commands"
    assert names(read_corpus(tmp_path, "test")) == ["down/0a_nohash_0", "up/0a_nohash_1"]
    assert len(read_corpus(tmp_path, "train").utterances) == 5
    one = read_corpus(tmp_path, "val").utterances[0]
    assert (one.speaker, one.label, one.words) == ("0a", "up", ("up",))
    assert read_corpus(tmp_path, "test").problems == ("testing_list.txt line 3: no file up/gone_nohash_0.wav",)
    assert read_corpus(tmp_path, "all").labels == ("down", "up")
    assert [path.name for path in noises(tmp_path)] == ["tap.wav"]


def test_arabic_tables(tmp_path):
    touch(tmp_path, *(f"dataset/{word}/0000000{n}_NO_01.opus" for word in ("no", "zoom in") for n in (1, 2, 3)))
    for number, split in enumerate(("train", "val", "test"), 1):
        rows = "".join(f"dataset/{word}/0000000{number}_NO_01.wav,{word}\n" for word in ("no", "zoom in"))
        (tmp_path / f"{split}.csv").write_text("file,class\n" + rows)
    assert (recognise(tmp_path), splits(tmp_path)) == ("arabic-speech-commands", ["train", "val", "test", "all"])
    corpus = read_corpus(tmp_path, "test")
    assert [(one.label, one.speaker, one.words) for one in corpus.utterances] == [
        ("no", "00000003", ()),
        ("zoom in", "00000003", ()),
    ]
    assert corpus.problems == ()


def test_fsdd(tmp_path):
    touch(tmp_path, *(f"recordings/{d}_{who}_{n}.wav" for d in (3, 7) for who in ("ann", "bob") for n in (0, 4, 5, 12)))
    touch(tmp_path, "recordings/odd.wav")
    assert recognise(tmp_path) == "fsdd"
    assert splits(tmp_path) == ["train", "test", "all", "without-ann", "only-ann", "without-bob", "only-bob"]
    assert len(read_corpus(tmp_path, "train").utterances) == len(read_corpus(tmp_path, "test").utterances) == 8
    corpus = read_corpus(tmp_path, "only-ann")
    assert len(corpus.utterances) == 8
    assert {one.speaker for one in read_corpus(tmp_path, "without-ann").utterances} == {"bob"}
    one = corpus.utterances[0]
    assert (one.label, one.words, one.speaker, corpus.labels) == ("3", ("three",), "ann", ("3", "7"))
    assert corpus.problems == ("recordings/odd.wav: not DIGIT_SPEAKER_NUMBER; left out",)


def test_any_folder_a_word(tmp_path):
    touch(tmp_path, "lamp on/a.wav", "lamp on/b.FLAC", "lamp off/a.wav", "empty/readme.txt", ".hidden/a.wav")
    assert (recognise(tmp_path), splits(tmp_path)) == ("commands", ["all"])
    corpus = read_corpus(tmp_path, "train")
    assert [(one.label, one.speaker) for one in corpus.utterances] == [
        ("lamp off", ""),
        ("lamp on", ""),
        ("lamp on", ""),
    ]
    with pytest.raises(UsageError, match="no split val, there is all"):
        read_corpus(tmp_path, "val")


def test_parts_that_are_folders(tmp_path):
    touch(tmp_path, *(f"{part}/{word}/a.wav" for part in ("train", "validation") for word in ("on", "off")))
    assert (recognise(tmp_path), splits(tmp_path)) == ("commands", ["train", "val", "all"])
    assert names(read_corpus(tmp_path, "val")) == ["validation/off/a", "validation/on/a"]
    assert len(read_corpus(tmp_path, "all").utterances) == 4


def test_folders_of_speakers_are_no_words(tmp_path):
    touch(tmp_path, "ann/1.wav", "ann/1.txt", "bob/1.wav", "bob/1.txt")
    assert recognise(tmp_path) == "folder"


def test_one_word_is_no_set(tmp_path):
    touch(tmp_path, "on/a.wav", "on/b.wav")
    assert recognise(tmp_path) is None
