"""The predictor and the measuring, with a network that has learnt next to nothing, and rules that suit the test."""

from __future__ import annotations

import io
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from percept.core import checkpoint, runs, training
from percept.core.device import choose, seed_everything
from percept.core.errors import InputError, UsageError
from percept.core.options import resolve
from percept.speech.acoustic.align import task
from percept.speech.acoustic.align.aligner import Aligner
from percept.speech.acoustic.align.measuring import MEANINGS, shuffled
from percept.speech.acoustic.align.options import Evaluate, Export, Predict, Train
from percept.speech.acoustic.data import Utterance
from percept.speech.lexicon import Lexicon
from percept.speech.textgrid import read_textgrid

DATA = Path(__file__).parents[4] / "data"
SPEECH = DATA / "speech_tiny" / "librispeech"
SOUND = next(SPEECH.rglob("118-121721-0000.opus"))
TEXT = "A stitch in time saves embarrassing exposure."
ALWAYS, NEVER = {"whole": 0.0, "hurried": 0.0, "constant": 9.0}, {"whole": 0.0, "hurried": 0.0, "constant": -9.0}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One epoch of six sentences; its header says that all transcripts fit."""
    folder = tmp_path_factory.mktemp("align") / "run"
    chosen = resolve(
        Train, {"data": [str(SPEECH)], "width": 16, "blocks": 1, "batch": 3, "warmup": 0.0, "epochs": 1, "threads": 1}
    )
    device = choose("cpu", 1, "auto")
    seed_everything(0)
    job, made = task.trainer(chosen, device), runs.Run(folder, "align")
    made.describe(chosen, {"data": job.facts})
    training.train(job, chosen, device, made)
    ruled(folder / "best.safetensors", folder / "best.safetensors", ALWAYS)
    return folder


def ruled(source: Path, target: Path, rule: dict[str, float], **changes: Any) -> Path:
    """Weights with another rule."""
    read = checkpoint.load(source)
    header = {**read.header, "decoding": {"fit": rule}, **changes}
    checkpoint.save(target, read.tensors, header, store="float16")
    return target


@pytest.fixture
def doubting(run: Path, tmp_path: Path) -> Path:
    return ruled(run / "best.safetensors", tmp_path / "doubting.safetensors", NEVER)


def aligner(weights: Path, *inputs: Path | str, **options: Any) -> Aligner:
    given = {"weights": str(weights), "threads": 1, "inputs": [str(one) for one in inputs], **options}
    return task.load(resolve(Predict, given))


def test_words_and_phones_get_times(run: Path) -> None:
    found = aligner(run).predict(SOUND, TEXT)
    assert [part.label for part in found.words or ()] == TEXT.lower().strip(".").split()
    assert found.fits and found.fit > 0.99 and found.oov == () and found.input == str(SOUND)
    assert all(0 <= a.start < a.end <= b.start + 1e-9 for a, b in zip(found.phones, found.phones[1:], strict=False))
    assert found.phones[-1].end <= found.duration == pytest.approx(3.595)
    for word in found.words or ():
        inside = [one for one in found.phones if word.start <= one.start and one.end <= word.end]
        assert inside[0].start == word.start and inside[-1].end == word.end and 0 <= word.confidence <= 1


def test_samples_paths_pipes_and_blocks_answer_the_same(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples, rate = soundfile.read(SOUND, dtype="float32")
    ours = aligner(run)
    beside, given = ours.predict(SOUND), ours.predict(samples, TEXT, rate)
    parts = ours.align(iter(np.array_split(samples, 7)), TEXT.lower().strip(".").split(), "")
    assert beside.phones == ours.predict(SOUND, TEXT).phones == parts.phones
    assert given.phones == parts.phones
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SOUND.read_bytes())))
    (piped,) = aligner(run, "-", text=TEXT).stream()
    assert piped[0].name == "-" and not isinstance(piped[1], InputError) and piped[1].phones == beside.phones
    with pytest.raises(InputError, match="samples need their words"):
        ours.predict(samples)


def test_a_transcript_that_does_not_fit_is_refused_unless_forced(doubting: Path) -> None:
    with pytest.raises(InputError) as raised:
        aligner(doubting).predict(SOUND, TEXT)
    said = str(raised.value)
    assert said.startswith(f"{SOUND}: the transcript does not fit this sound (fit 0.00); ")
    assert 's: what is heard is not "a stitch in time saves ..."; --force writes it nevertheless' in said
    found = aligner(doubting, force=True).predict(SOUND, TEXT)
    assert not found.fits and found.words and "what is heard is not" in str(found.strange[0])


def test_every_pair_is_written_or_told_why_not(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    silence, rate = np.zeros(16_000, np.float32), 16_000
    files = {
        "good": (SOUND.read_bytes(), TEXT),
        "deep/guess": (SOUND.read_bytes(), "A blorping in time 🙂"),
        "short": (None, TEXT),
        "silent": (None, "yes"),
        "empty": (SOUND.read_bytes(), ""),
        "marks": (SOUND.read_bytes(), "?! ..."),
        "grid": (SOUND.read_bytes(), 'File type = "ooTextFile"'),
        "notes": (b"no sound at all", "yes"),
    }
    for name, (sound, text) in files.items():
        path = folder / f"{name}.wav"
        if sound is None:
            soundfile.write(path, silence[:800] + 0.1 if name == "short" else silence, rate)
        else:
            path.write_bytes(sound)
        path.with_suffix(".txt").write_text(text)
    (folder / "nothing.wav").write_bytes(SOUND.read_bytes())
    lexicon = tmp_path / "guessed.txt"
    ours = aligner(run, folder, out=str(out), json=True, write_lexicon=str(lexicon))
    assert ours.deliver() == 1
    captured = capsys.readouterr()
    results = json.loads(captured.out)["results"]
    errors = {Path(one["input"]).stem: one["error"] for one in results if "error" in one}
    assert {name: text for name, text in errors.items() if name in ("silent", "notes")} == {
        "silent": "silence: nothing is said in it",
        "notes": "not a sound file (it begins like text)",
    }
    assert errors["short"].startswith("0.05 s of sound are too short for ")
    assert errors["empty"] == f"{folder / 'empty.txt'}: an empty file"
    assert errors["marks"].endswith('nothing in it that can be said in English: "?! ..."')
    assert errors["grid"].endswith("grid.txt: a TextGrid, where plain words are expected")
    assert errors["nothing"] == "no transcript: there is no nothing.txt or nothing.lab"
    assert set(errors) == {"silent", "notes", "short", "empty", "marks", "grid", "nothing"}
    assert captured.err.count("; skipped") == 7 and "2 of 9 done, 7 failed" in captured.err
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert written == ["deep/guess.TextGrid", "good.TextGrid"]
    assert list(read_textgrid(out / "good.TextGrid")) == ["words", "phones"]
    (guess,) = [one for one in results if one["input"].endswith("guess.wav")]
    assert guess["oov"] == ["blorping"] and guess["notes"] == ['left out, for it cannot be said in English: "🙂"']
    (warning,) = [line for line in captured.err.splitlines() if "blorping (" in line]
    assert warning.startswith("1 word is in no dictionary, and guessed from the letters: blorping (")
    word, phones = lexicon.read_text().rstrip("\n").split("\t")
    assert word == "blorping" and f"({phones})" in warning
    lexicon.write_text("blorping\tb l aa\n")
    told = aligner(run, folder / "deep", lexicon=str(lexicon), write_lexicon=str(tmp_path / "none.txt"))
    assert told.deliver() == 0 and not (tmp_path / "none.txt").exists()
    captured = capsys.readouterr()
    assert "no dictionary" not in captured.err and "no word had to be guessed" in captured.err


def test_parts_of_a_recording_have_their_own_times(run: Path, tmp_path: Path) -> None:
    shutil.copy(SOUND, tmp_path / "a.opus")
    (tmp_path / "wav.scp").write_text("a a.opus\n")
    (tmp_path / "segments").write_text("u.1 a 0.5 3.0\nu.2 a 9.0 10.0\n")
    (tmp_path / "text").write_text("u.1 STITCH IN TIME\nu.2 YES\n")
    (_, first), (_, second) = aligner(run, tmp_path).stream()
    assert not isinstance(first, InputError) and first.duration == 2.5 and first.input == "u.1"
    assert first.to_ctm().startswith("u.1 1 ")
    assert str(second) == "nothing at 9 s: the sound is 3.60 s long"


def test_files_of_a_format_lie_beside_the_textgrid_and_the_picture(run: Path, tmp_path: Path) -> None:
    assert aligner(run, SOUND, format="ctm", out=str(tmp_path), save=True).deliver() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "118-121721-0000.TextGrid",
        "118-121721-0000.ctm",
        "118-121721-0000.png",
    ]


@pytest.mark.parametrize("form", ["text", "ctm", "textgrid", "srt", "vtt", "lab", "csv", "jsonl", "table"])
def test_formats(run: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert aligner(run, SOUND, format=form, text=TEXT, phones="ipa").deliver() == 0
    out = capsys.readouterr().out
    assert ("stitch" in out) is (form != "lab") and (
        ("ɛ" in out or "ɪ" in out) is (form in ("textgrid", "lab", "jsonl"))
    )


def test_weights_that_know_no_times_are_refused(run: Path, tmp_path: Path) -> None:
    header = checkpoint.load(run / "best.safetensors").header
    for name, changes, error in (
        ("words", {"model": {**header["model"], "units": "words"}}, "weights of whole words cannot tell where"),
        ("ctc", {"data": {**header["data"], "timed": 0}}, "have never learnt where a phone is"),
    ):
        path = ruled(run / "best.safetensors", tmp_path / f"{name}.safetensors", ALWAYS, **changes)
        with pytest.raises(UsageError, match=error):
            aligner(path)


def test_boundaries_and_doubts_are_measured(run: Path, doubting: Path) -> None:
    options = Evaluate(data=str(SPEECH), split="all", weights=str(run), threads=1, shuffled=4, seed=3)
    report = task.evaluate(options)
    assert set(report.metrics) == set(MEANINGS) and report.count == 6
    for name in ("phone_mean_ms", "within20", "word_start_ms", "phones_paired", "fit"):
        assert (report.metrics[name] or 0) > 0, name
    assert 0 < report.details["rtf"] < 10
    assert (report.metrics["flagged_wrong"], report.metrics["flagged_right"]) == (0.0, 0.0)
    assert report.metrics["failures"] == 0 and report.details["wrong_pairs"] == 4
    doubted = task.evaluate(replace(options, weights=str(doubting), limit=2, shuffled=2))
    assert (doubted.metrics["flagged_wrong"], doubted.metrics["flagged_right"], doubted.count) == (100.0, 100.0, 2)
    assert doubted.tables[1].title == "right transcripts that were doubted" and len(doubted.tables[1].rows) == 2


def test_wrong_pairs_are_others_of_the_same_length() -> None:
    lexicon = Lexicon({word: " ".join(["ah"] * (n + 1)) for n, word in enumerate("abcdefgh")})
    spoken = [  # the same word is said with other phones each time, which makes it no other
        Utterance(f"{word}{turn}", Path(), words=(word,), phones=("ah",) * turn)
        for word in "abcdefgh"
        for turn in range(4)
    ]
    pairs = shuffled(spoken, lexicon, 40, seed=1)
    assert len(pairs) == 40 and pairs == shuffled(spoken, lexicon, 40, seed=1) != shuffled(spoken, lexicon, 40, seed=2)
    for one, other in pairs:
        assert one.words != other.words
        assert abs(ord(one.words[0]) - ord(other.words[0])) <= 3
    assert len({one.name for one, _ in pairs[:32]}) == 32, "each recording once, before any comes again"
    with pytest.raises(UsageError, match="different words"):
        shuffled(spoken[:4], lexicon, 1, seed=0)


def test_the_network_is_exported(run: Path, tmp_path: Path) -> None:
    made = task.export(resolve(Export, {"weights": str(run), "out": str(tmp_path / "a.onnx")}))
    assert Path(made["file"]).stat().st_size > 1000
