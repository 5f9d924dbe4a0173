"""percept acoustic as people call it: sounds of all kinds, bad ones among good ones, and the files it writes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from commandline import Ran, percept
from praatio import textgrid

from percept.speech.audio import read_audio

SPEECH = Path(__file__).parents[1] / "data" / "speech_tiny"
SENTENCE = SPEECH / "folder" / "val" / "8226-274369-0045.opus"
PHONES = ("--vocab", "none")
EXAMPLE = Path(__file__).parents[2] / "examples" / "sentence.opus"


def wav(samples: np.ndarray, rate: int = 16_000, coding: str = "PCM_16") -> bytes:
    """A WAV file of samples (N,) or (N, C)."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, coding, format="WAV")
    return file.getvalue()


def promising(data: bytes, frames: int) -> bytes:
    """The same WAV file, whose header says that it has so many frames of 2 bytes."""
    at = data.index(b"data") + 4
    return data[:at] + (2 * frames).to_bytes(4, "little") + data[at + 4 :]


@pytest.fixture(scope="module")
def sentence() -> np.ndarray:
    """(N,) two seconds of speech at 16 kHz."""
    return read_audio(SENTENCE)[:32_000]


def test_every_sound_is_answered_or_named(sentence: np.ndarray, tmp_path: Path) -> None:
    good = {
        "8bit.wav": wav(sentence, coding="PCM_U8"),
        "24bit.wav": wav(sentence, coding="PCM_24"),
        "float.wav": wav(sentence, coding="FLOAT"),
        "alaw.wav": wav(sentence, coding="ALAW"),
        "1khz.wav": wav(sentence[::16], 1_000),
        "192khz.wav": wav(np.repeat(sentence, 12), 192_000),
        "eight.wav": wav(np.stack([sentence] * 8, axis=1)),
        "promise.wav": promising(wav(sentence), 10 * 3600 * 16_000),
        "silence.wav": wav(np.zeros(16_000, np.float32)),
    }
    broken = {
        "none.wav": (wav(np.zeros(0, np.float32)), "no samples"),
        "nan.wav": (wav(np.where(np.arange(32_000) == 16_000, np.nan, sentence), coding="FLOAT"), "no number"),
        "text.wav": (b"not a sound, but a text\n" * 20, "not a sound file"),
        "empty.wav": (b"", "an empty file"),
    }
    for name, data in good.items():
        (tmp_path / name).write_bytes(data)
    for name, (data, _) in broken.items():
        (tmp_path / name).write_bytes(data)
    ran = percept("acoustic", tmp_path, *PHONES, "--json")
    assert ran.code == 1
    results = {Path(result["input"]).name: result for result in ran.json["results"]}
    assert set(results) == {*good, *broken}
    for name in good:
        assert "error" not in results[name], results[name]
    for name, (_, said) in broken.items():
        assert said in results[name]["error"]
        assert sum(name in line for line in ran.err.splitlines()) == 1
    assert results["silence.wav"]["phones"] == []
    assert results["promise.wav"]["duration"] == pytest.approx(2.0, abs=0.05)
    assert results["float.wav"]["phones"] == results["24bit.wav"]["phones"] != []
    assert f"{len(good)} of {len(good) + len(broken)} done" in ran.err


def test_a_pipe_is_read(sentence: np.ndarray) -> None:
    ran = percept("acoustic", "-", *PHONES, stdin=wav(sentence))
    assert ran.code == 0, ran.err
    assert {line.split("\t")[0] for line in ran.lines} == {"-"}


def written(tmp_path: Path, *flags: str) -> tuple[Ran, Path]:
    out = tmp_path / "out"
    return percept("acoustic", SENTENCE, "--vocab", "digits", "--out", out, *flags), out


def test_files_that_other_programs_open(tmp_path: Path) -> None:
    ran, out = written(tmp_path, "--save", "--phones", "ipa")
    assert ran.code == 0, ran.err
    assert {path.suffix for path in out.rglob("*.*")} == {".TextGrid", ".png"}
    (grid,) = out.rglob("*.TextGrid")
    opened = textgrid.openTextgrid(str(grid), includeEmptyIntervals=True)
    assert opened.tierNames == ("words", "phones")
    assert opened.getTier("phones").maxTimestamp == pytest.approx(len(read_audio(SENTENCE)) / 16_000, abs=0.02)


@pytest.mark.parametrize(("form", "begins"), [("ctm", "8226-274369-0045 1 "), ("srt", "1\n00:00:"), ("vtt", "WEBVTT")])
def test_formats_on_stdout(form: str, begins: str) -> None:
    ran = percept("acoustic", SENTENCE, "--vocab", "digits", "--format", form, "--quiet")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(begins)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.phn", "0 8000 h#\n8000 16000 xx\n", "xx"),
        ("a.phn", "8000 16000 iy\n0 8000 h#\n", "line 2"),
        ("a.TextGrid", "no TextGrid at all\n", "TextGrid"),
    ],
)
def test_labels_that_cannot_be_right_stop_a_training_before_it_begins(
    name: str, text: str, said: str, sentence: np.ndarray, tmp_path: Path
) -> None:
    for stem in ("a", "b"):
        (tmp_path / f"{stem}.wav").write_bytes(wav(sentence))
    (tmp_path / name).write_text(text)
    (tmp_path / "b.txt").write_text("roman bandits\n")
    ran = percept("train", "acoustic", "--data", tmp_path, "--out", tmp_path / "run")
    assert ran.code == 2 and len(ran.err.strip().splitlines()) == 1, ran.err
    assert f"{name}" in ran.err and said in ran.err and not (tmp_path / "run").exists()


def test_options_without_effect_and_wrong_words_are_said() -> None:
    for words, said in (
        (("--save",), "nothing is drawn without --out DIR"),
        (("--vocab", "none", "--lm-weight", "3"), "--vocab none knows no words"),
        (("--vocab", "nowhere.txt"), "nowhere.txt"),
        (("--phones", "ipaa"), "ipa"),
    ):
        ran = percept("acoustic", SENTENCE, *words)
        assert (ran.code, ran.out) == (2, ""), ran.err
        assert said in ran.err


def test_words_of_a_list_are_weighed_by_the_language_model(tmp_path: Path) -> None:
    said = ["the", "best", "emetic", "is", "that", "which", "is", "at", "hand"]
    listed = tmp_path / "words.txt"
    listed.write_text("\n".join([*said, "his", "rat", "or", "pest", "ant", "send", "hat", "won", "a", "I"]) + "\n")
    ran = percept("acoustic", EXAMPLE, "--vocab", listed, "--json")
    heard = [word["word"] for word in ran.json["results"][0]["words"]]
    assert len(heard) <= len(said) + 2 and sum(a in heard for a in said) >= len(said) - 2
