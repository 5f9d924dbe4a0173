"""The whole way on a tiny text: train, go on, score, write, measure, mix, export, and the actions."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from percept.core import checkpoint, runs, training
from percept.core.device import choose, seed_everything
from percept.core.errors import PerceptError, Stopped, UsageError
from percept.core.options import resolve
from percept.nlp.lm import options, task
from percept.nlp.lm.options import ACTIONS, Evaluate, Export, Predict, Train
from percept.nlp.lm.trainer import Trainer

TINY = Path(__file__).parents[3] / "data" / "lm_tiny"
SMALL = {"embedding": 12, "hidden": 16, "batch": 8, "bptt": 20, "epochs": 2, "warmup": 0.0, "threads": 1, "seed": 1}


def trained(folder: Path, **given: Any) -> Path:
    small = {key: value for key, value in SMALL.items() if "start" not in given or key not in ("embedding", "hidden")}
    if given.get("resume"):
        chosen = runs.resumed_options(Train, given, "lm")
    else:
        chosen = resolve(Train, {"data": [str(TINY)], **small, **given})
    device = choose("cpu", 1, "auto")
    seed_everything(chosen.seed)
    job, run = task.trainer(chosen, device), runs.Run(folder, "lm")
    run._draw_curves = lambda: None  # type: ignore[method-assign]
    if not chosen.resume:
        run.describe(chosen, {"data": job.facts})
    training.train(job, chosen, device, run)
    return folder


@pytest.fixture(scope="module")
def lstm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("lstm") / "run")


def log(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "log.csv").read_text().splitlines()))


def test_a_run_learns_and_writes_a_sample(lstm: Path) -> None:
    first, last = log(lstm)
    assert float(last["nats"]) < float(first["nats"]) < math.log(300)
    assert "<unk>" not in (lstm / "samples" / "sample.txt").read_text()
    header = checkpoint.load(lstm / "best.safetensors", task="lm").header
    assert header["vocabulary"] == {"kind": "word", "style": "text"} and "</s>" in header["classes"]


@pytest.mark.parametrize("model", ["awd-lstm", "nplm", "rnn"])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(model: str, tmp_path: Path, monkeypatch: Any) -> None:
    """Stopped in the middle of an epoch: the state between chunks and the mean of weights are taken up."""
    how = {"model": model, **({"asgd": 1, "tied": True, "optimizer": "sgd", "lr": 5.0} if model == "awd-lstm" else {})}
    how = {key: value for key, value in how.items() if value is not None}
    whole = trained(tmp_path / "whole", **how, epochs=3)
    step = training._step

    def stopping(*arguments: Any) -> dict[str, float]:
        found = step(*arguments)
        if (arguments[-1].epoch, arguments[-1].step) == (1, 4):
            monkeypatch.setattr(training, "_any", lambda number, device: 15)
        return found

    monkeypatch.setattr(training, "_step", stopping)
    with pytest.raises(Stopped):
        trained(tmp_path / "parts", **how, epochs=3)
    monkeypatch.undo()
    trained(tmp_path / "parts", resume=str(tmp_path / "parts"))
    assert (tmp_path / "parts" / "last.safetensors").read_bytes() == (whole / "last.safetensors").read_bytes()


@pytest.mark.parametrize("output", ["adaptive", "hierarchical", "sampled", "nce"])
def test_every_output_layer_is_trained_and_measured_by_true_probabilities(output: str, tmp_path: Path) -> None:
    how = {"samples": 50} if output in ("sampled", "nce") else {}
    run = trained(tmp_path / "run", output=output, epochs=1, **how)
    found = task.evaluate(resolve(Evaluate, {"data": str(TINY), "weights": str(run), "split": "val"}))
    assert found.metrics["perplexity"] == pytest.approx(
        float(log(run)[-1]["perplexity"]), rel=2e-3
    )  # stored as float16
    assert found.metrics["perplexity"] < 300


@pytest.mark.parametrize("unit", ["character", "bpe"])
def test_characters_and_pieces_of_words_leave_nothing_unknown(unit: str, tmp_path: Path) -> None:
    if unit == "bpe":
        pytest.importorskip("tokenizers")
    how = {"vocabulary": 300} if unit == "bpe" else {}
    run = trained(tmp_path / "run", unit=unit, epochs=1, bptt=60, batch=16, **how)
    found = task.evaluate(resolve(Evaluate, {"data": str(TINY), "weights": str(run)})).metrics
    assert found["oov_rate"] == (0 if unit == "bpe" else pytest.approx(0, abs=0.5))
    characters = len((TINY / "test.txt").read_text())
    assert found["bits_per_character"] * characters == pytest.approx(
        found["bits_per_token"] * found["tokens"], rel=1e-6
    )
    if unit == "character":
        assert found["tokens"] == characters


def test_accumulated_parts_are_one_batch(tmp_path: Path) -> None:
    """Each part carries its own state; gradients add up to those of the whole."""
    plain = {"dropout": 0.0, "dropout_hidden": 0.0, "dropout_input": 0.0, "epochs": 1, "store": "float32"}
    one, two = (
        checkpoint.load(trained(tmp_path / str(n), accumulate=n, **plain) / "last.safetensors").tensors for n in (1, 2)
    )
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=1e-4)


def test_averaging_begins_when_an_epoch_brought_nothing() -> None:
    job = Trainer(resolve(Train, {"data": [str(TINY)], **SMALL, "asgd": 2}), choose("cpu", 1, "auto"), [("tiny", TINY)])
    average = torch.zeros(1)
    for number in range(3):
        average = job.mean(average, torch.tensor([float(number)]), number)
    assert average.item() == 2.0, "until then the weights themselves"
    for score in (10.0, 9.0, 9.5):
        job._perhaps_average(score)
    assert job.memory.began == -1
    job._perhaps_average(9.2)
    assert job.memory.began == -1, "better than 10, the best of all but the last two"
    job._perhaps_average(9.3)
    assert job.memory.began == 3
    for number, value in ((3, 4.0), (4, 8.0), (5, 0.0)):
        average = job.mean(average, torch.tensor([value]), number)
    assert average.item() == pytest.approx(4.0)


def test_scores_of_a_file_are_those_of_the_evaluation(lstm: Path) -> None:
    measured = task.evaluate(resolve(Evaluate, {"data": str(TINY), "weights": str(lstm)}))
    scored = task.load(resolve(Predict, {"weights": str(lstm), "threads": 1})).predict(TINY / "test.txt")
    assert scored.perplexity == pytest.approx(measured.metrics["perplexity"], rel=1e-5)
    assert scored.tokens == measured.metrics["tokens"] == measured.count
    assert scored.bits_per_character == pytest.approx(measured.metrics["bits_per_character"], rel=1e-5)


def test_mixtures_are_no_worse_and_say_what_is_adaptive(lstm: Path, tmp_path: Path) -> None:
    chosen = {"data": str(TINY), "weights": str(lstm), "mix": ("kn3", "cache", "dynamic")}
    found = task.evaluate(resolve(Evaluate, chosen))
    assert found.metrics["perplexity_mixed_adaptive"] < found.metrics["perplexity"]
    assert found.metrics["perplexity_mixed_adaptive"] < 1.02 * found.metrics["perplexity_kn3"]
    weights = found.details["mixture"]["weights"]
    assert sum(weights.values()) == pytest.approx(1, abs=1e-3) and set(weights) == {"model", "kn3", "cache", "dynamic"}
    rows = [row[0] for row in found.tables[1].rows]
    assert "cache (adaptive)" in rows and "model + cache (adaptive)" in rows
    pairs = found.details["mixture"]["model_with"]
    assert list(pairs) == ["kn3", "cache", "dynamic"]
    assert found.metrics["perplexity_mixed_adaptive"] < 1.02 * min(pairs.values())
    alone = task.evaluate(resolve(Evaluate, {**chosen, "mix": ("kn3",)}))
    assert pairs["kn3"] == alone.metrics["perplexity_mixed"]
    with pytest.raises(UsageError, match="measured on test"):
        task.evaluate(resolve(Evaluate, {**chosen, "split": "val"}))
    with pytest.raises(UsageError, match='no "cashe"; did you mean cache'):
        task.evaluate(resolve(Evaluate, {**chosen, "mix": ("cashe",)}))


def test_static_mixtures_are_not_called_adaptive(lstm: Path) -> None:
    found = task.evaluate(resolve(Evaluate, {"data": str(TINY), "weights": str(lstm), "mix": ("kn2",)}))
    assert found.metrics["perplexity_mixed"] <= found.metrics["perplexity"] + 1
    assert "perplexity_mixed_adaptive" not in found.metrics


def test_vectors_are_measured_with_their_coverage(lstm: Path, tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text(": one\nhe she his her\nParis France Rome Italy\n")
    (tmp_path / "p.txt").write_text("he she 9\nhis her 8\nhe the 1\nzebra lion 3\n")
    chosen = {"analogies": str(tmp_path / "q.txt"), "wordsim": str(tmp_path / "p.txt")}
    found = task.evaluate(resolve(Evaluate, {"data": str(TINY), "weights": str(lstm), **chosen})).metrics
    assert (found["analogies_covered"], found["analogies_asked"]) == (1, 2) and found["analogies"] in (0, 100)
    assert (found["wordsim_covered"], found["wordsim_pairs"]) == (3, 4) and -1 <= found["wordsim"] <= 1


def act(name: str, **given: Any) -> int:
    return getattr(task, name)(resolve(ACTIONS[name], given))


def test_text_is_written_on(lstm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert act("generate", prompt=("It", "was"), weights=str(lstm), length=20, seed=3) == 0
    first = capsys.readouterr().out
    assert first.startswith("It was") and len(first) > 20
    assert act("generate", prompt=("It", "was"), weights=str(lstm), length=20, seed=3, json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["results"][0]["prompt"] == "It was"
    assert "It was" + document["results"][0]["text"] == first.removesuffix("\n")


def test_a_prompt_goes_on_with_each_line(lstm: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("It was\nShe\n"))
    assert task.load(resolve(Predict, {"weights": str(lstm), "length": 4})).deliver() == 0
    said = capsys.readouterr()
    assert said.out.startswith("It was ") and "\nShe " in said.out


def test_unknown_words_of_a_prompt_are_named(lstm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert act("generate", prompt=("Xylophone", "was"), weights=str(lstm), length=3) == 0
    assert "not in the vocabulary, so read as <unk>: Xylophone" in capsys.readouterr().err


def test_a_prompt_longer_than_the_context_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained(tmp_path / "run", model="nplm", context=3, epochs=1)
    assert act("generate", prompt=("it", "was", "the", "man"), weights=str(run), length=3) == 0
    assert "looks back 2 words; what is before them in the prompt has no effect" in capsys.readouterr().err


def test_lines_are_sorted_the_likeliest_first(lstm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("of said was the it\nIt was the\n\nhe said it was of the the of it\n")
    assert act("score", inputs=(str(tmp_path / "a.txt"),), weights=str(lstm), rank=True, json=True) == 0
    found = json.loads(capsys.readouterr().out)["results"]
    probabilities = [one["log_probability"] for one in found]
    assert probabilities == sorted(probabilities, reverse=True) and len(found) == 4
    assert [one["text"] for one in found].index("It was the") < [one["text"] for one in found].index(
        "of said was the it"
    )


def test_words_near_and_an_analogy(lstm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert act("nearest", words=("he",), weights=str(lstm), top=3, json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["results"][0]["query"] == "he" and len(document["results"][0]["neighbours"]) == 3
    assert act("analogy", words=("he", "his", "she"), weights=str(lstm)) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5
    with pytest.raises(UsageError, match='"upno" is not in the vocabulary .*did you mean upon'):
        act("nearest", words=("upno",), weights=str(lstm))
    with pytest.raises(UsageError, match="three words are expected"):
        act("analogy", words=("he", "his"), weights=str(lstm))


def test_a_map_of_words(lstm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert act("map", top=20, weights=str(lstm), out=str(tmp_path)) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'map.png'}\n" and (tmp_path / "map.png").stat().st_size > 1000
    with pytest.raises(UsageError, match="--out DIR"):
        act("map", top=20, weights=str(lstm))
    with pytest.raises(UsageError, match="name words, or ask"):
        act("map", weights=str(lstm), out=str(tmp_path))


def test_ngrams_are_written_used_and_mixed(lstm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arpa = tmp_path / "model.arpa"
    assert act("ngram", file=str(TINY / "train.txt"), order=3, out=str(arpa), json=True) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["order"] == 3 and len(made["ngrams"]) == 3 and made["size"] == arpa.stat().st_size
    scored = task.load(resolve(Predict, {"weights": str(arpa)})).predict(TINY / "test.txt")
    assert 10 < scored.perplexity < 5000 and scored.unknown > 0
    assert act("generate", prompt=("It",), weights=str(arpa), length=10) == 0
    assert capsys.readouterr().out.startswith("It")
    with pytest.raises(UsageError, match="an n-gram model: it has no vectors"):
        act("nearest", words=("he",), weights=str(arpa))
    with pytest.raises(UsageError, match="another vocabulary"):
        task.evaluate(resolve(Evaluate, {"data": str(TINY), "weights": str(lstm), "mix": (str(arpa),)}))
    arpa.write_bytes(arpa.read_bytes()[:3000])
    with pytest.raises(UsageError, match=r"model\.arpa: .*cut|model\.arpa: .*ends|model\.arpa: .*expected|line"):
        task.load(resolve(Predict, {"weights": str(arpa)}))


def test_what_ngrams_cannot_be_made_of_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    out = str(tmp_path / "a.arpa")
    with pytest.raises(UsageError, match="empty.txt: there are no words"):
        act("ngram", file=str(empty), out=out)
    with pytest.raises(PerceptError, match="nothing.txt: no such file"):
        act("ngram", file=str(tmp_path / "nothing.txt"), out=out)
    with pytest.raises(UsageError, match="ends in .arpa"):
        act("ngram", file=str(empty), out=str(tmp_path / "a.txt"))
    with pytest.raises(UsageError, match="--out model.arpa"):
        act("ngram", file=str(empty))
    assert not (tmp_path / "a.arpa").exists()


@pytest.mark.parametrize("output", ["full", "adaptive"])
def test_the_exported_model_answers_as_torch(output: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    run = trained(tmp_path / "run", output=output, epochs=1)
    made = task.export(resolve(Export, {"weights": str(run), "out": str(tmp_path / "a.onnx"), "size": 8}))
    assert made["difference"] < 1e-4 and (tmp_path / "a.onnx").is_file()


def test_weights_to_start_from_keep_their_words(lstm: Path, tmp_path: Path) -> None:
    more = trained(tmp_path / "more", start=str(lstm), epochs=1, lr=1e-5)
    assert float(log(more)[0]["perplexity"]) <= float(log(lstm)[0]["perplexity"]) + 5
    with pytest.raises(UsageError, match="weights of lstm, not of gru"):
        trained(tmp_path / "other", start=str(lstm), model="gru")


def test_a_check_counts_words(tmp_path: Path) -> None:
    found = task.check(TINY)
    assert found is not None and found.layout == "splits" and found.counts["train"]["words"] == 4407
    assert found.counts["val"]["new"] > 0 and found.lines() == ["nothing wrong was found"]
    (tmp_path / "a.txt").write_bytes(b"a b\n")
    assert task.check(tmp_path) is None, "a short note lies in folders of all kinds"
    (tmp_path / "a.txt").write_bytes(b"a b\n" * 500)
    (tmp_path / "b.txt").write_bytes(b"")
    looked = task.check(tmp_path)
    assert looked is not None and any("b.txt: an empty file" in line for line in looked.lines())
    (tmp_path / "c").mkdir()
    assert task.check(tmp_path / "c") is None


def test_options_without_effect_are_said() -> None:
    for cls, given, said in (
        (Train, {"alpha": 1.0}, "only awd-lstm has it"),
        (Train, {"direct": True}, "only nplm has it"),
        (Train, {"samples": 5}, "draw noise words"),
        (Train, {"unit": "character", "style": "ptb"}, "only words are cut"),
        (Predict, {"inputs": ("a",), "length": 5}, "percept lm generate draws one"),
        (ACTIONS["generate"], {"temperature": 0.0, "top_k": 5}, "takes the likeliest"),
    ):
        with pytest.raises(UsageError, match=said):
            resolve(cls, given)
    assert resolve(Train, {"start": "wikipedia", "samples": 5}).samples == 5  # those weights may draw noise
    assert set(ACTIONS) <= set(task.__all__) and options.DATA_FILES
    assert np.isfinite(resolve(Train, {}).lr)
