"""The whole way on made-up stories: train each network, answer, measure, export, talk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from percept.core import checkpoint
from percept.core.device import choose
from percept.core.errors import InputError, UsageError
from percept.core.options import resolve
from percept.nlp.qa import networks, task
from percept.nlp.qa.options import Evaluate, Export, New, Predict, Train
from percept.nlp.qa.prompt import Talk
from percept.nlp.qa.reader import Reader

TINY = Path(__file__).parents[3] / "data" / "qa_tiny"
JOINT = {"joint": True}
PAPER = {
    **{"model": "memn2n", "optimizer": "sgd", "momentum": 0.0, "lr": 0.01, "ema": 0.0, "clip": 0.0, "runs": 2},
    **{"schedule": "halving", "halve_every": 1, "matrix_clip": 40.0, "store": "float32"},
}
Trained = Callable[..., Path]


def reader(run: Path, **options: object) -> Reader:
    return task.load(resolve(Predict, {"weights": str(run), "threads": 1, **options}))


def header(run: Path) -> dict:
    return checkpoint.read_header(run / "last.safetensors")


def test_one_network_for_all_kinds(trained: Trained) -> None:
    made = header(trained(**JOINT))
    assert [kind["number"] for kind in made["kinds"]] == [1, 19] and made["members"][0]["kind"] is None
    assert made["renamed"] and made["start"] == "random weights" and {"kitchen", "bathroom"} <= set(made["classes"])
    assert made["chosen"] == [0] and 0.3 < made["temperature"] < 11


def test_a_network_for_each_kind_and_run(trained: Trained) -> None:
    run = trained(**PAPER)
    made = header(run)
    assert [(member["kind"], member["run"]) for member in made["members"]] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert all(0 <= member["held_error"] <= 100 and "train_error" in member for member in made["members"])
    assert len(made["chosen"]) == 2 and made["chosen"][0] in (0, 1) and made["chosen"][1] in (2, 3)
    assert made["model"]["slots"] == [10, 10, 5, 5], "no more than the longest story of each kind"


def test_one_of_several_answers_alone_as_beside_the_others(trained: Trained) -> None:
    read = checkpoint.load(trained(**PAPER) / "last.safetensors")
    together = networks.from_checkpoint(read)
    tokens = torch.randint(1, 20, (2, 12, 6), generator=torch.Generator().manual_seed(0))
    scores, _ = together(tokens.expand(4, *tokens.shape))
    for number in range(4):
        torch.testing.assert_close(networks.alone(read, number)(tokens)[0], scores[number])


def test_several_runs_learn_what_one_learns(tmp_path: Path, trained: Trained) -> None:
    """The first of two networks side by side takes the same steps as it does with another beside it."""
    options = {**PAPER, "tasks": "19", "data": [str(TINY)], "dimension": 8, "hops": 1, "batch": 4, "epochs": 1}
    jobs = [task.trainer(resolve(Train, {**options, "runs": count}), choose("cpu", 1)) for count in (1, 3)]
    with torch.no_grad():
        for name, tensor in jobs[0].model.named_parameters():
            axis = type(jobs[0].model).MEMBERS.get(name)
            if axis is not None and tensor.numel():
                tensor.copy_(dict(jobs[1].model.named_parameters())[name].narrow(axis, 0, 1))
    for job in jobs:
        rate = torch.optim.SGD(job.model.parameters(), 0.01)
        job.model.train()
        for parts in job.batches(0, 0):
            job.options = resolve(Train, {**options, "noise": 0.0, "runs": len(job.members)})
            total, _ = job.loss(parts[0])
            total.backward()
            rate.step()
            rate.zero_grad()
    torch.testing.assert_close(jobs[0].model.words[:, 0], jobs[1].model.words[:, 0])


def test_each_matrix_of_each_network_is_clipped_by_itself() -> None:
    options = {**PAPER, "data": [str(TINY)], "matrix_clip": 1.0, "hops": 2, "dimension": 8}
    job = task.trainer(resolve(Train, options), choose("cpu", 1))
    (job.model.words * torch.arange(1, 4).reshape(3, 1, 1, 1) * 0.4).sum().backward()
    lengths = job.model.words.grad.flatten(2).norm(dim=2)  # (tables, M)
    assert (lengths <= 1 + 1e-5).all() and (lengths[2] > 0.99).all()
    assert lengths.shape == (3, 4)


def test_rates_halve_after_the_linear_start() -> None:
    options = {**PAPER, "data": [str(TINY)], "linear_start": 2, "halve_every": 3, "epochs": 10}
    job = task.trainer(resolve(Train, options), choose("cpu", 1))
    steps = job.steps()
    assert [job.rate(epoch * steps, steps) for epoch in range(10)] == [1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    next(iter(job.batches(1, 0)))
    assert job.model.linear
    next(iter(job.batches(2, 0)))
    assert not job.model.linear


@pytest.mark.parametrize("options", [JOINT, PAPER, {"model": "memnn"}], ids=["one", "paper", "memnn"])
def test_the_middle_of_an_epoch_is_what_it_would_have_been(options: dict) -> None:
    job = task.trainer(resolve(Train, {**options, "data": [str(TINY)], "batch": 4}), choose("cpu", 1))
    whole, rest = list(job.batches(1, 0)), list(job.batches(1, 2))
    assert len(whole) == job.steps() > 3
    job.model.eval()  # no dropout
    for step, same in zip(rest, whole[2:], strict=True):
        for ours, theirs in zip(step, same, strict=True):
            assert torch.equal(ours.tokens, theirs.tokens)
            assert job.loss(ours)[0].item() == job.loss(theirs)[0].item(), "new names and noise are the same too"


def test_what_cannot_be_trained_is_said() -> None:
    device = choose("cpu", 1)
    for options, said in (
        ({"joint": True, "heads": 6}, "--heads must be a multiple of 4"),
        ({"joint": True, "tasks": "2"}, 'no task "2"; there is 1, 19'),
    ):
        with pytest.raises(UsageError, match=said):
            task.trainer(resolve(Train, {"data": [str(TINY)], **options}), device)
    for options in ({"model": "memnn", "noise": 0.2}, {"runs": 2}, {"margin": 1.0}, {"halve_every": 3}):
        with pytest.raises(UsageError, match="has no effect here"):
            resolve(Train, {"data": [str(TINY)], **options})


def test_words_are_taken_over_from_other_weights(trained: Trained) -> None:
    run = trained(**JOINT)
    options = {"data": [str(TINY)], "joint": True, "dimension": 16, "hops": 2, "tasks": "1", "start": str(run)}
    job = task.trainer(resolve(Train, options), choose("cpu", 1))
    read = checkpoint.load(run / "best.safetensors")
    before = read.header["vocabulary"]["words"].index("kitchen")
    now = job.vocabulary.numbers["kitchen"]
    assert torch.equal(job.model.words.weight[now], read.tensors["words.weight"][before])
    assert "of" in job.header["start"]
    with pytest.raises(UsageError, match="another network"):
        task.trainer(resolve(Train, {**options, "dimension": 24}), choose("cpu", 1))


def test_predictions_have_all_that_is_promised(trained: Trained) -> None:
    made = reader(trained(**JOINT)).predict(TINY / "garden.txt")
    assert made.input == str(TINY / "garden.txt") and made.question == "Where is Mary?"
    found = json.loads(json.dumps(made.to_json()))
    assert 0 <= found["probability"] <= 1 and len(found["alternatives"]) == 2 and len(found["hops"]) == 2
    assert found["unknown_words"] == [] and found["answer"]
    assert made.rows() == [("Where is Mary?", made.answer, round(made.probability, 4))]
    assert "Where is Mary?" in str(made)


def test_what_makes_an_answer_doubtful_is_said(trained: Trained) -> None:
    answers = reader(trained(**JOINT))
    made = answers.predict(["Zoe went to the attic.", "Mary went to the kitchen."], "Where is Zoe?")
    assert made.unknown_words == ("zoe", "attic") and not made.sure
    assert any("not in the vocabulary: zoe" in doubt for doubt in made.doubts)
    strange = answers.predict(["Mary went to the kitchen."], "Why does Mary sing?")
    assert "a question unlike any that was learned" in strange.doubts
    answers.most = [50]
    many = answers.predict(["Mary went to the kitchen."] * 70, "Where is Mary?")
    assert many.forgotten == 20 and "the oldest 20 sentences were not read" in many.doubts
    assert len(many.hops[0]) == 70 and not any(many.hops[0][:20])


@pytest.mark.parametrize(
    "text",
    [
        "1 Mary went to the kitchen.\r\n2 John moved to the garden.\r\n3 Where is Mary?\tkitchen\t1\r\n",
        "MARY WENT TO THE KITCHEN\nJOHN MOVED TO THE GARDEN\nWHERE IS MARY?\n",
        "Mary went to the kitchen. John moved to the garden. Where is Mary?",
        "1 Mary went to the kitchen.\n2 John moved to the garden.\n3 Where is Mary?\n4 Mary moved to the office.\n",
    ],
)
def test_the_same_story_gets_the_same_answer(trained: Trained, tmp_path: Path, text: str) -> None:
    answers = reader(trained(**JOINT))
    (tmp_path / "story.txt").write_bytes(text.encode())
    wanted = answers.predict(["Mary went to the kitchen.", "John moved to the garden."], "Where is Mary?")
    made = answers.predict(tmp_path / "story.txt")
    assert made.answer.lower() == wanted.answer.lower()
    assert made.probability == pytest.approx(wanted.probability, abs=1e-6)


def test_what_cannot_be_answered_is_said(trained: Trained, tmp_path: Path) -> None:
    answers = reader(trained(**JOINT))
    for text, said in (("Where is Mary?", "no story"), ("Mary left.", "no question in it; ask one with -q")):
        (tmp_path / "story.txt").write_text(text)
        with pytest.raises(InputError, match=said):
            answers.predict(tmp_path / "story.txt")
    with pytest.raises(InputError, match="a question without words"):
        answers.predict(["Mary left."], "?")


def test_networks_for_each_kind_answer_by_the_surest(trained: Trained) -> None:
    made = reader(trained(**PAPER))
    assert len(made.networks) == 2
    assert made.predict(TINY / "ways.txt").probability > 0


def test_measured_beside_published(trained: Trained, tmp_path: Path) -> None:
    for options in (JOINT, PAPER):
        chosen = resolve(
            Evaluate, {"data": str(TINY), "weights": str(trained(**options)), "threads": 1, "out": str(tmp_path)}
        )
        report = task.evaluate(chosen)
        assert set(report.details["per_task"]) == {"1", "19"}
        assert report.metrics["mean_error"] == pytest.approx(sum(report.details["per_task"].values()) / 2, abs=1e-3)
        assert report.count == 36 and report.published == [], "made-up stories are none that others measured"
        assert 0 <= report.metrics["calibration_error"] <= 100
    assert any("runs" in table.title for table in report.tables)
    assert (tmp_path / "kinds.csv").read_text().startswith("task,here")


def test_stories_in_another_language_are_refused(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "qa1_test.txt").write_text("1 Sita daftar mein gayi.\n2 Sita is samay kahan hai?\tdaftar\t1\n")
    with pytest.raises(UsageError, match="words of these stories: are they of another language"):
        task.evaluate(resolve(Evaluate, {"data": str(tmp_path), "weights": str(trained(**JOINT))}))


def test_a_kind_without_a_network_is_said(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "qa2_test.txt").write_text((TINY / "qa1_single-supporting-fact_test.txt").read_text())
    with pytest.raises(UsageError, match="no network for 2 in it, only for 1, 19"):
        task.evaluate(resolve(Evaluate, {"data": str(tmp_path), "weights": str(trained(**PAPER))}))


@pytest.mark.parametrize("options", [JOINT, PAPER], ids=["relational", "memn2n"])
def test_exported_and_compared(trained: Trained, tmp_path: Path, options: dict) -> None:
    path = tmp_path / "network.onnx"
    made = task.export(resolve(Export, {"weights": str(trained(**options)), "out": str(path)}))
    assert made["difference"] < 1e-4 and path.stat().st_size == made["size"]


def test_a_talk(trained: Trained) -> None:
    talk = Talk(reader(trained(**JOINT)))
    assert "nothing was told yet" in talk.said("Where is Mary?")
    assert talk.said("Mary went to the kitchen.") == "" and talk.said("John went to the park") == ""
    assert "1 Mary went to the kitchen." in talk.said("story")
    assert talk.said("back") == "taken back: John went to the park"
    assert "Where is Mary?" in talk.said("Where is Mary?")
    assert "take back" in talk.said("HELP")
    assert talk.said("new") == "a new story" and talk.sentences == [] and talk.said("  ") == ""
    assert talk.said("undo") == "nothing was told yet"


def test_new_stories_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = task.new(resolve(New, {"tasks": "1,path-finding", "stories": 2, "out": str(tmp_path), "split": "val"}))
    assert [path.name for path in written] == ["qa1_single-supporting-fact_valid.txt", "qa19_path-finding_valid.txt"]
    assert task.new(resolve(New, {"tasks": "19", "stories": 2})) == []
    assert capsys.readouterr().out == written[1].read_text()
    with pytest.raises(UsageError, match='no kind of stories "paths"'):
        task.new(resolve(New, {"tasks": "paths"}))
    assert not (task.check(tmp_path) or pytest.fail("not recognised")).problems


def test_a_folder_is_looked_through(tmp_path: Path) -> None:
    text = "1 Mary went to the park.\n2 Where is Mary?\tgarden\t1\n1 Mary left.\n2 Where is Mary?\tpark\t9\n3 Who?\n"
    (tmp_path / "qa1_test.txt").write_text(text)
    report = task.check(tmp_path)
    assert report is not None
    assert [line for line in report.lines() if "the text says park" in line and "line 2" in line]
    assert [line for line in report.lines() if "support 9" in line] and [x for x in report.lines() if "no answer" in x]
    assert json.dumps(report.to_json()) and report.tables()[0].rows[0][:2] == ("1 task 1", "test")
    assert task.check(Path(__file__).parent) is None
