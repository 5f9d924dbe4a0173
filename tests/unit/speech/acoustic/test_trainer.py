"""The whole way on six real sentences and twelve command words: train, align, train again, answer, measure, export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from percept.core import checkpoint, runs, training
from percept.core.device import choose, seed_everything
from percept.core.options import resolve
from percept.nlp.ngram import estimate
from percept.speech.acoustic import task
from percept.speech.acoustic.decoder import PHONE_LM
from percept.speech.acoustic.listener import Listener
from percept.speech.acoustic.options import Evaluate, Export, Predict, Train
from percept.speech.acoustic.result import Command, Transcript
from percept.speech.phones import PHONES

DATA = Path(__file__).parents[3] / "data"
SPEECH, WORDS = DATA / "speech_tiny" / "librispeech", DATA / "commands_tiny"
SMALL = {"width": 24, "blocks": 1, "batch": 2, "warmup": 0.0, "epochs": 1, "threads": 1}


def trained(folder: Path, data: Path, **options: Any) -> Path:
    chosen = resolve(Train, {"data": [str(data)], **SMALL, **options})
    device = choose("cpu", 1, "auto")
    seed_everything(0)
    job, run = task.trainer(chosen, device), runs.Run(folder, "acoustic")
    run.describe(chosen, {"data": job.facts})
    training.train(job, chosen, device, run)
    return folder


@pytest.fixture(scope="module")
def phones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("phones") / "run", SPEECH)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("words") / "run", WORDS)


def listener(run: Path, **options: Any) -> Listener:
    return task.load(resolve(Predict, {"weights": str(run), "threads": 1, **options}))


def test_a_sentence_is_phones_with_times(phones: Path) -> None:
    sound = next(SPEECH.rglob("*.opus"))
    found = listener(phones, vocab="none").predict(sound)
    assert isinstance(found, Transcript) and found.input == str(sound) and found.words is None
    assert found.phones and all(0 <= one.start < one.end <= found.duration + 0.01 for one in found.phones)
    assert all(a.end <= b.start + 1e-6 for a, b in zip(found.phones, found.phones[1:], strict=False))


def test_blocks_change_nothing(phones: Path) -> None:
    heard = listener(phones, vocab="none")
    samples = np.random.default_rng(0).normal(0, 0.1, 50_000).astype(np.float32)
    whole = heard.listen(iter([samples]), "a")
    parts = heard.listen(iter(np.array_split(samples, 7)), "a")
    assert whole.to_json() == parts.to_json()


def test_words_come_from_a_vocabulary(phones: Path, tmp_path: Path) -> None:
    names = tmp_path / "words.txt"
    names.write_text("yes\nno\n# nothing\nperhaps\n")
    found = listener(phones, vocab=str(names)).predict(next(SPEECH.rglob("*.opus")))
    assert found.words is not None and {word.label for word in found.words} <= {"yes", "no", "perhaps"}


def test_an_n_gram_of_phones_in_the_weights_says_what_follows_what(phones: Path, tmp_path: Path) -> None:
    read = checkpoint.load(phones / "best.safetensors", task="acoustic")
    model = estimate([["k", "ae", "t"] * 9] * 9, 3, vocabulary=list(PHONES), unknown=False)
    packed = {PHONE_LM + name: torch.from_numpy(array) for name, array in model.arrays(bits=8).items()}
    path, how = tmp_path / "with.safetensors", {"phone_lm_weight": 20.0, "phone_lm_penalty": 60.0}
    checkpoint.save(path, read.tensors | packed, read.header | {"decoding": how})
    found = listener(path, vocab="none").predict(next(SPEECH.rglob("*.opus")))
    said = [one.label for one in found.phones]
    assert len(said) > 3 and said == (["k", "ae", "t"] * len(said))[: len(said)]
    assert said != [one.label for one in listener(phones, vocab="none").predict(next(SPEECH.rglob("*.opus"))).phones]


def test_weights_align_what_has_no_times(phones: Path, tmp_path: Path) -> None:
    job = task.trainer(
        resolve(Train, {"data": [str(SPEECH)], **SMALL, "align_with": str(phones)}), choose("cpu", 1, "auto")
    )
    assert all(one.times for one in job.taught) and job.header["data"]["timed"] == len(job.taught)
    for one in job.taught:
        assert [segment.label for segment in one.times if segment.label != "sil"] == list(
            one.phones
        ) or one.utterance.phone_times
        assert all(a.end <= b.start + 1e-6 for a, b in zip(one.times, one.times[1:], strict=False))


def test_errors_are_measured(phones: Path) -> None:
    report = task.evaluate(
        resolve(Evaluate, {"data": str(SPEECH), "weights": str(phones), "split": "all", "vocab": "none", "threads": 1})
    )
    assert set(report.metrics) == {"frame_error", "per", "wer"} and report.count == 6
    assert report.metrics["wer"] is None and (report.metrics["per"] or 0) > 0 and 0 < report.details["rtf"] < 1
    assert 0 < (report.metrics["frame_error"] or 0) <= 100


def test_command_words_are_learnt_and_told(words: Path) -> None:
    heard = listener(words)
    found = heard.predict(next(WORDS.rglob("*.opus")))
    assert isinstance(found, Command) and len(found.probabilities) == 3
    assert sum(share for _, share in found.probabilities) == pytest.approx(1.0, abs=1e-4)
    report = task.evaluate(resolve(Evaluate, {"data": str(WORDS), "weights": str(words), "split": "all", "threads": 1}))
    assert set(report.metrics) == {"accuracy"} and report.count == 12


@pytest.mark.parametrize("kind", ["phones", "words"])
def test_networks_are_exported(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(kind)
    made = task.export(resolve(Export, {"weights": str(run), "out": str(tmp_path / "a.onnx")}))
    assert (tmp_path / "a.onnx").is_file() and made
