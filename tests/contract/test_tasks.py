"""One menu for every row of ``tasks.TASKS``: what a person may rely on whatever the task.

A new task adds an entry to ``inputs.INPUTS`` and a schema of its results, nothing here.
"""

from __future__ import annotations

import csv
import json
import pickle
import resource
import signal
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from commandline import PROGRAM, Ran, percept, process
from inputs import INPUTS, Inputs
from jsonschema import Draft202012Validator

import percept as package
from percept import tasks
from percept.core import checkpoint, runs, training

VERBS = ((), ("train",), ("eval",), ("export",))  # what stands before the task's name
HEAVY = ("torch", "cv2", "numpy", "PIL", "torchvision", "onnxruntime")


def valid(document: object, schema: str) -> None:
    """Against ``schema/NAME.json``."""
    text = (Path(__file__).parent / "schema" / f"{schema}.json").read_text()
    Draft202012Validator(json.loads(text)).validate(document)


@pytest.fixture(scope="module", params=tasks.names())
def task(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def inputs(task: str) -> Inputs:
    return INPUTS[task]


@pytest.fixture(scope="module")
def answered(task: str, inputs: Inputs) -> Ran:
    """The inputs answered as one JSON document."""
    return percept(task, *inputs.predict, *inputs.further, *inputs.with_weights, "--json")


@pytest.fixture(scope="module")
def trained(task: str, inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Ran]]:
    """A run of two epochs in one go, and what was said meanwhile."""
    folder = tmp_path_factory.mktemp(task) / "whole"
    ran = percept("train", task, "--data", inputs.data, *inputs.train, *inputs.start, "--out", folder, "--json")
    assert ran.code == 0, ran.err
    yield folder, ran


@pytest.fixture
def no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their drawing takes longer than these trainings; that they are drawn is seen where the run is looked at."""
    monkeypatch.setattr(runs.Run, "_draw_curves", lambda self: None)


def owner(task: str) -> str:
    """The task that the headers of its weights name: one may take those of another."""
    return tasks.find(task).weights or task


def weights_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / f"{name}.safetensors").read_bytes() for name in ("last", "best")}


def test_every_task_is_on_the_menu() -> None:
    assert set(INPUTS) == set(tasks.names())


# Help


def test_help_groups_the_options_and_imports_nothing_heavy(task: str) -> None:
    script = f"""
        import sys
        from percept.cli import main
        for words in {[[*verb, task, "--help"] for verb in VERBS]!r}:
            try:
                main(words)
            except SystemExit as end:
                assert end.code == 0, words
        print("imported:", [name for name in {HEAVY!r} if name in sys.modules])
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = process(sys.executable, "-c", textwrap.dedent(script), environ={"COLUMNS": "100"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.code == 0, ran.err
    assert "imported: []" in ran.out
    for words in ("─ Input ─", "─ Output ─", "─ Model ─", "─ Training ─", "─ Speed ─", "--weights", "(default auto)"):
        assert words in ran.out
    # four screens in one process; the time of this process alone, for the machine may be busy with others
    assert after.ru_utime - before.ru_utime < 4


# Predict


def test_a_pipe_gets_a_line_an_object_with_tabs_and_nothing_else(task: str, inputs: Inputs) -> None:
    ran = percept(task, *inputs.predict, *inputs.further, *inputs.with_weights)
    assert ran.code == 0
    rows = list(csv.reader(ran.lines, delimiter="\t"))
    assert {row[0] for row in rows} == {str(path) for path in inputs.predict}
    assert {len(row) for row in rows} == {inputs.columns}
    assert len(ran.err.splitlines()) == 1, "one line says with what, on what and how long"
    assert "\x1b" not in ran.out + ran.err, "colours are for terminals"


def test_the_json_document_is_the_contracts(task: str, inputs: Inputs, answered: Ran) -> None:
    assert answered.code == 0
    document = answered.json
    valid(document, "document")
    assert (document["task"], document["percept"]) == (task, package.__version__)
    assert inputs.weights in (None, document["weights"])
    assert [result["input"] for result in document["results"]] == [str(path) for path in inputs.predict]
    for result in document["results"]:
        valid(result, task)


def test_python_answers_as_the_command_does(task: str, inputs: Inputs, answered: Ran) -> None:
    keywords = {"weights": inputs.weights} if inputs.weights else {}
    predictor = package.load(task, **keywords)
    one_by_one = [predictor.predict(path).to_json() for path in inputs.predict]
    streamed = [one.to_json() for one in package.predict(task, *map(str, inputs.predict), **keywords)]
    assert one_by_one == streamed == answered.json["results"]


def test_a_terminal_gets_a_table(task: str, inputs: Inputs, answered: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # what makes rich take a pipe for a terminal
    ran = percept(task, *inputs.predict, *inputs.further, *inputs.with_weights)
    assert ran.code == 0
    assert "\t" not in ran.out
    for path in inputs.predict:
        assert str(path) in ran.out


def test_a_bad_input_does_not_stop_the_others(task: str, inputs: Inputs, tmp_path: Path) -> None:
    content, suffix = inputs.broken
    broken, lost = tmp_path / f"broken{suffix}", tmp_path / f"lost{suffix}"
    broken.write_bytes(content)
    given = (broken, inputs.predict[0], lost)
    ran = percept(task, *given, *inputs.further, *inputs.with_weights, "--json")
    assert ran.code == 1
    assert [result["input"] for result in ran.json["results"]] == [str(path) for path in given]
    assert ["error" in result for result in ran.json["results"]] == [True, False, True]
    valid(ran.json, "document")
    for path, result in ((broken, ran.json["results"][0]), (lost, ran.json["results"][2])):
        said = [line for line in ran.err.splitlines() if line.startswith(str(path))]
        assert said == [f"{path}: {result['error']}; skipped"]
    assert "1 of 3 done, 2 failed" in ran.err
    assert "Traceback" not in ran.err


def test_strict_stops_at_the_first_that_fails(task: str, inputs: Inputs, tmp_path: Path) -> None:
    lost = tmp_path / f"lost{inputs.broken[1]}"
    first, last = inputs.predict[0], inputs.predict[-1]
    ran = percept(task, first, lost, last, *inputs.further, *inputs.with_weights, "--json", "--strict")
    assert ran.code == 1
    assert ["error" in result for result in ran.json["results"]] == [False, True]
    assert "stopped here" in ran.err


def test_python_raises_what_the_command_says(task: str, inputs: Inputs, tmp_path: Path) -> None:
    keywords = {"weights": inputs.weights} if inputs.weights else {}
    lost = tmp_path / f"lost{inputs.broken[1]}"
    with pytest.raises(package.PerceptError, match=f"{lost}: no such file"):
        list(package.predict(task, str(lost), **keywords))


def test_quiet_says_nothing_but_the_answer(task: str, inputs: Inputs, answered: Ran) -> None:
    ran = percept(task, *inputs.predict, *inputs.further, *inputs.with_weights, "--json", "--quiet")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["results"] == answered.json["results"]


# Weights


class Evil:
    """What a hostile pickle does when it is read."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.canary,)


def test_wrong_weights_are_said_and_nothing_is_done(task: str, inputs: Inputs, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for name, write in (("a.safetensors", pickle.dump), ("b.pt", torch.save)):
        with (tmp_path / name).open("wb") as file:
            write(Evil(canary), file)
    (tmp_path / "text.safetensors").write_text("no weights at all, but a text that is long enough\n")
    shipped = package.info(percept(task, *inputs.predict, *inputs.with_weights, "--json").json["weights"])
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(Path(shipped["file"]).read_bytes()[:-100])
    misspelt = shipped["name"][:-1] + "x"
    cases = {
        misspelt: f'no weights or file "{misspelt}"; did you mean {shipped["name"]}?',
        "xqzvw": 'no weights or file "xqzvw"; known: ',
        inputs.another: f'weights "{inputs.another}" are for ',
        str(package.info(inputs.another)["file"]): f"not for {owner(task)}",
        str(tmp_path / "a.safetensors"): "can run code when it is read; percept reads .safetensors only",
        str(tmp_path / "b.pt"): "can run code when it is read; percept reads .safetensors only",
        str(tmp_path / "text.safetensors"): "not a weight file",
        str(cut): "damaged weight file",
        str(tmp_path): "no best.safetensors in this folder",
    }
    for weights, said in cases.items():
        ran = percept(task, *inputs.predict, *inputs.further, "--weights", weights)
        assert (ran.code, ran.out) == (2, ""), weights
        assert said in ran.err and len(ran.err.splitlines()) == 1, ran.err
    for words in (("eval", task, "--data", inputs.data), ("export", task)):
        ran = percept(*words, "--weights", tmp_path / "a.safetensors")
        assert ran.code == 2 and "can run code" in ran.err
    ran = percept("train", task, "--data", inputs.data, "--start", tmp_path / "b.pt", "--out", tmp_path / "run")
    assert ran.code == 2 and "can run code" in ran.err
    assert not canary.exists() and not (tmp_path / "run").exists()


# Train


def test_training_writes_what_it_promises(task: str, trained: tuple[Path, Ran]) -> None:
    folder, ran = trained
    valid(ran.json, "train")
    assert ran.json["task"] == task
    assert Path(ran.json["weights"]) == folder / "best.safetensors"
    for name in ("run.toml", "log.csv", "curves.png", "best.safetensors", "last.safetensors", "state/latest.pt"):
        assert (folder / name).stat().st_size > 100, name
    assert list((folder / "samples").iterdir())
    log = list(csv.DictReader((folder / "log.csv").read_text().splitlines()))
    assert [row["epoch"] for row in log] == ["1", "2"]
    assert all(np.isfinite(float(row["loss"])) for row in log)
    header = checkpoint.load(folder / "last.safetensors", task=owner(task)).header
    assert header["classes"] and header["start"] and header["data"]
    assert f"percept eval {task}" in ran.err and "--resume" in ran.err, "what to do next is said"


def test_training_changes_the_weights(trained: tuple[Path, Ran], task: str) -> None:
    epochs = [row["loss"] for row in csv.DictReader((trained[0] / "log.csv").read_text().splitlines())]
    assert epochs[0] != epochs[1]


def test_resumed_equals_one_go_to_the_byte(
    task: str, inputs: Inputs, trained: tuple[Path, Ran], no_curves: None, tmp_path: Path
) -> None:
    halves = tmp_path / "halves"
    words = ("train", task, "--data", inputs.data, *inputs.train, *inputs.start, "--out", halves, "--stop-after", "1")
    first = percept(*words)
    assert first.code == 0, first.err
    assert f"percept train {task} --resume {halves}" in first.err
    second = percept("train", task, "--resume", halves, "--stop-after", "0", "--quiet")
    assert (second.code, second.out, second.err) == (0, "", "")
    assert weights_of(halves) == weights_of(trained[0])


def test_stopped_in_the_middle_of_an_epoch_and_resumed_equals_one_go(
    task: str,
    inputs: Inputs,
    trained: tuple[Path, Ran],
    no_curves: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SIGTERM in the first step of the second epoch: random numbers, order and sums are taken up in its middle."""
    words = ("train", task, "--data", inputs.data, *inputs.train, *inputs.start, "--out", tmp_path / "parts")
    seen, step = [], training._step

    def terminated(*arguments: Any) -> dict[str, float]:
        state = arguments[-1]
        if (state.epoch, state.step) == (1, 0):
            signal.raise_signal(signal.SIGTERM)
        seen.append((state.epoch, state.step))
        return step(*arguments)

    monkeypatch.setattr(training, "_step", terminated)
    ran = percept(*words)
    assert (ran.code, ran.out) == (143, "")
    assert f"stopped in epoch 2 after step 1; go on with: percept train {task} --resume" in ran.err
    steps = seen.index((1, 0))
    assert steps > 1, "the menu wants epochs of two steps or more"
    monkeypatch.setattr(training, "_step", step)
    assert percept("train", task, "--resume", tmp_path / "parts", "--quiet").code == 0
    assert weights_of(tmp_path / "parts") == weights_of(trained[0])


def test_workers_change_nothing(
    task: str, inputs: Inputs, trained: tuple[Path, Ran], no_curves: None, tmp_path: Path
) -> None:
    folder = tmp_path / "workers"
    words = ("--data", inputs.data, *inputs.train, *inputs.start, "--out", folder, "--workers", "2", "--quiet")
    ran = percept("train", task, *words)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert weights_of(folder) == weights_of(trained[0])


def test_training_refuses_what_cannot_be_before_it_writes(task: str, inputs: Inputs, tmp_path: Path) -> None:
    empty, out = tmp_path / "empty", tmp_path / "run"
    empty.mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    for words, said in (
        (("--data", empty), "there is nothing"),
        (("--data", tmp_path / "nowhere"), "no folder"),
        ((), f"no data: percept train {task} --data NAME|FOLDER"),
        (("--data", inputs.data, "--out", tmp_path / "full"), "is not empty"),
        (("--data", inputs.data, "--resume", tmp_path / "full"), "no run.toml"),
    ):
        ran = percept("train", task, "--out", out, *words)
        assert ran.code == 2, (words, ran.err)
        assert said in ran.err
        assert not out.exists()
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"


# Evaluate, export, info


def test_evaluation_is_the_contracts(task: str, inputs: Inputs, trained: tuple[Path, Ran]) -> None:
    words = ("eval", task, "--data", inputs.data, "--weights", trained[0], "--split", "val")
    ran = percept(*words, "--json", "--quiet")
    assert (ran.code, ran.err) == (0, "")
    valid(ran.json, "eval")
    assert ran.json["task"] == task and ran.json["split"] == "val"
    assert set(inputs.metrics) <= set(ran.json["metrics"])
    table = percept(*words)
    assert table.code == 0
    for name in inputs.metrics:
        assert name in table.out
    assert "val" in table.err
    again = percept(*words, "--json")
    assert again.json["metrics"] == ran.json["metrics"]


def test_evaluation_refuses_what_cannot_be(task: str, inputs: Inputs, tmp_path: Path) -> None:
    for words, said in (
        (("--data", inputs.data, "--split", "vall"), "did you mean val?"),
        (("--data", tmp_path / "nowhere"), "no folder"),
        ((), f"no data: percept eval {task} --data NAME|FOLDER"),
    ):
        ran = percept("eval", task, *words, *inputs.with_weights)
        assert (ran.code, ran.out) == (2, "")
        assert said in ran.err and len(ran.err.splitlines()) == 1


def test_the_exported_network_answers_as_torch_on_a_real_input(task: str, inputs: Inputs, tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    ran = percept("export", task, *inputs.with_weights, "--out", path, "--size", "64", "--json", "--quiet")
    assert (ran.code, ran.err) == (0, "")
    valid(ran.json, "export")
    assert [one.name for one in tmp_path.iterdir()] == ["network.onnx"]
    example = inputs.example()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, example)
    about = json.loads(session.get_modelmeta().custom_metadata_map["percept"])
    assert about["task"] == owner(task) and about["classes"]
    network = package.load(task, weights=about["weights"]).network
    with torch.inference_mode():
        wanted = network(*(torch.from_numpy(array) for array in example.values()))
    for ours, theirs in zip(wanted if isinstance(wanted, tuple) else (wanted,), found, strict=True):
        np.testing.assert_allclose(theirs, ours.numpy(), rtol=1e-4, atol=1e-4 * max(1.0, float(ours.abs().max())))


def test_info_tells_of_shipped_weights_and_of_ones_own(
    task: str, inputs: Inputs, answered: Ran, trained: tuple[Path, Ran]
) -> None:
    shipped = answered.json["weights"]
    told = percept("info", shipped, "--json")
    assert (told.code, told.err) == (0, "")
    valid(told.json, "info")
    assert told.json["task"] == owner(task) and told.json["name"] == shipped
    for key in ("licence", "allows", "command", "summary", "good_for"):
        assert told.json[key], f"the index tells {key} of {shipped}"
    table = percept("info", shipped)
    assert table.code == 0
    for words in (shipped, told.json["licence"][:20], told.json["sha256"][:16]):
        assert words in " ".join(table.out.split())
    own = percept("info", trained[0], "--json")
    valid(own.json, "info")
    assert own.json["task"] == owner(task)
    assert percept("info", trained[0]).code == 0


# Processes of their own


def test_nothing_reaches_for_the_network(tmp_path: Path) -> None:
    """An audit hook sees what Python does with sockets; strace, where there is one, what libraries do."""
    commands = []
    for task, inputs in INPUTS.items():
        run = str(tmp_path / task)
        data = ["--data", str(inputs.data)]
        commands += [
            [task, *map(str, inputs.predict), *inputs.further, *inputs.with_weights, "--json"],
            ["train", task, *data, *inputs.train, *inputs.start, "--out", run],
            ["eval", task, *data, "--weights", run, "--split", "val"],
            ["export", task, "--weights", run, "--out", str(tmp_path / f"{task}.onnx"), "--size", "64"],
            ["info", run],
        ]
    script = f"""
        import os, sys
        os.environ.pop("ORT_DISABLE_TELEMETRY", None)
        def refuse(event, arguments):
            if event == "import" and arguments[0] == "onnxruntime" and not os.environ.get("ORT_DISABLE_TELEMETRY"):
                raise SystemExit("the network is asked for: onnxruntime would report to its makers")
            if event.startswith("socket.") and event not in ("socket.__new__", "socket.gethostname"):
                raise SystemExit(f"the network is asked for: {{event}} {{arguments}}")
        sys.addaudithook(refuse)
        from percept.cli import main
        for words in {commands + [["data", "list"], ["doctor"]]!r}:
            try:
                main(words)
            except SystemExit as end:
                if end.code != 0 and words != ["doctor"]:
                    raise
    """
    seen = tmp_path / "connects"
    watched = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", seen)
    watch = watched if process("sh", "-c", "strace -f --seccomp-bpf -qq true").code == 0 else ()
    environ = {"PERCEPT_DATA": str(tmp_path / "data")}
    ran = process(*watch, sys.executable, "-c", textwrap.dedent(script), environ=environ)
    assert ran.code == 0, ran.err[-2000:]
    assert "the network is asked for" not in ran.err
    if watch:
        assert not [line for line in seen.read_text().splitlines() if "AF_INET" in line]
    for task in INPUTS:
        assert (tmp_path / task / "best.safetensors").is_file() and (tmp_path / f"{task}.onnx").is_file()


def test_the_program_itself_answers() -> None:
    """As typed, in a process of its own: the same document, and not a byte beside it."""
    task, inputs = next(iter(INPUTS.items()))
    words = (task, *inputs.predict, *inputs.further, *inputs.with_weights, "--json", "--quiet")
    ran = process(*PROGRAM, *words)
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["results"] == percept(*words).json["results"]
