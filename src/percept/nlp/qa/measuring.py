"""``percept eval qa``: errors by kind beside the published ones, several runs apart, where it looked, its doubt."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from percept.core import checkpoint, datasets, weights
from percept.core.console import progress
from percept.core.device import Device, choose
from percept.core.errors import UsageError
from percept.core.evaluation import Report, Table, figure
from percept.nlp.qa import data, decode, metrics, networks
from percept.nlp.qa.options import DATASETS, Evaluate
from percept.nlp.qa.published import SYSTEMS, System, published, table
from percept.nlp.qa.story import words
from percept.nlp.qa.tensors import Questions, encode
from percept.nlp.qa.vocab import Vocabulary, from_json

KNOWN = 0.5  # share of the words that weights must know
PUBLISHED_ON = ("en", "en-10k", "en-valid")  # folders of bAbI with whose questions the published errors compare


@dataclass
class Measured:
    """Of one network on one kind: whether each answer is wrong, how likely it was said to be, and where it looked.

    saw: (Q, K) by hop whether it looked most at a deciding sentence; told: (Q,) whether it is known which decide.
    """

    wrong: Tensor
    probability: Tensor
    saw: Tensor
    told: Tensor

    @property
    def error(self) -> float:
        """Percent."""
        return 100 * float(self.wrong.double().mean())


def evaluate(options: Evaluate) -> Report:
    """Errors by the published protocol: percent of questions whose answer is not exactly the file's."""
    folder = folder_of(options.data)
    kinds = data.choose(folder, options)
    split = options.split or next((name for name in ("test", "val") if name in data.splits_of(kinds)), "val")
    asked, problems = data.read_split(kinds, split)
    shown, path = weights.resolve(options.weights, "qa")
    read = checkpoint.load(path, task="qa")
    vocabulary = from_json(read.header["vocabulary"])
    _refuse_strangers(asked, vocabulary, shown)
    device = choose(options.device, options.threads, options.precision)
    members = _members(read.header, kinds, shown)
    began = time.monotonic()
    found: dict[int, dict[int, Measured]] = {}  # kind -> network -> what it did
    with progress("kinds", len(kinds)) as bar:
        for number, kind in enumerate(kinds):
            own = [one for one in asked if one.kind == number][: options.limit or None]
            if own:
                questions = encode(own, vocabulary, [kind.number] * len(kinds), _parts(read.header))
                found[number] = {member: measure(read, member, questions, device) for member in members[number]}
            bar.step()
    return _report(options, split, shown, read.header, kinds, found, time.monotonic() - began, len(problems))


def measure(read: checkpoint.Checkpoint, member: int, questions: Questions, device: Device) -> Measured:
    """Answer all questions by one network of a weight file."""
    network = networks.alone(read, member).to(device.torch)
    temperature = float(read.header.get("temperature", 1.0))
    count = len(questions)
    hops = int(read.header["model"]["hops"])
    made = Measured(
        torch.zeros(count, dtype=torch.bool), torch.zeros(count), torch.zeros(count, hops), torch.zeros(count).bool()
    )
    for index, scores, looked in metrics.scored(network, questions, 1, device):
        answers, made.probability[index] = decode.likeliest(scores[0], temperature)
        made.wrong[index] = (answers != questions.answers[index]).any(dim=-1)
        saw, made.told[index] = metrics.saw_support(looked[0], questions.batch(index).supports)
        made.saw[index] = saw.float()
    return made


def _members(header: dict[str, Any], kinds: list[data.Kind], shown: str) -> list[list[int]]:
    """For each kind the networks of the weights that answer it."""
    found = []
    for kind in kinds:
        own = [
            number
            for number, member in enumerate(header["members"])
            if member["kind"] is None or _same(header["kinds"][member["kind"]], kind)
        ]
        if not own:
            known = ", ".join(str(one["number"] or one["name"]) for one in header["kinds"])
            raise UsageError(f"{shown}: no network for {kind.number or kind.name} in it, only for {known}; see --tasks")
        found.append(own)
    return found


def _same(known: dict[str, Any], kind: data.Kind) -> bool:
    return known["number"] == kind.number and (kind.number > 0 or known["name"] == kind.name)


def _parts(header: dict[str, Any]) -> int:
    return int(header["model"].get("parts", 1))


def _refuse_strangers(asked: list[data.Asked], vocabulary: Vocabulary, shown: str) -> None:
    """Raises UsageError for stories in a language that the weights do not speak."""
    said = {word for one in asked for sentence in (one.question.text, *one.sentences[-3:]) for word in words(sentence)}
    known = sum(word in vocabulary.numbers for word in said)
    if known < KNOWN * len(said):
        raise UsageError(
            f"{shown} knows {known} of the {len(said)} words of these stories: are they of another language? "
            f"Train on it: percept train qa --data ... --language ..."
        )


def _report(
    options: Evaluate,
    split: str,
    shown: str,
    header: dict[str, Any],
    kinds: list[data.Kind],
    found: dict[int, dict[int, Measured]],
    seconds: float,
    problems: int,
) -> Report:
    chosen = {number: _chosen(header, list(of), "held_error") for number, of in found.items()}
    errors = {number: of[chosen[number]].error for number, of in found.items()}
    numbers = [kinds[number].number for number in found]
    ours = {"mean_error": sum(errors.values()) / len(errors), "failed_tasks": metrics.failed(list(errors.values()))}
    size, joint = header["data"].get("size", options.size), bool(header.get("joint"))
    beside = [one for one in SYSTEMS if one.size == size and one.short]
    is_babi = all(numbers) and next(iter(kinds[0].files.values())).parent.name in PUBLISHED_ON
    made = [
        Table(
            "",
            ("measured here", "mean_error", "failed_tasks"),
            ((shown, figure(ours["mean_error"], 2), str(ours["failed_tasks"])),),
        ),
        _by_kind(kinds, errors, beside if is_babi else []),
        *_by_run(header, found),
        _by_hop(kinds, found, chosen),
    ]
    of = [found[number][chosen[number]] for number in found]
    rows, calibration = metrics.reliability(
        torch.cat([one.probability for one in of]), ~torch.cat([one.wrong for one in of])
    )
    made.append(
        Table(
            "how far its doubt can be trusted",
            ("probability said", "share right", "answers"),
            tuple((figure(said, 3), figure(was, 3), str(count)) for said, was, count in rows),
        )
    )
    told = torch.cat([one.told for one in of])
    saw = torch.cat([one.saw.amax(dim=1) for one in of])
    seen = 100 * float(saw[told].mean()) if told.any() else None
    count = sum(len(one.wrong) for one in of)
    per_task = {str(kinds[number].number or kinds[number].name): round(error, 3) for number, error in errors.items()}
    return Report(
        "qa",
        Path(options.data).name or options.data,
        split,
        shown,
        count,
        {**ours, "saw_support": seen, "calibration_error": 100 * calibration},
        seconds,
        published=published(numbers, size, joint) if is_babi else [],
        tables=made,
        note=f"percent of wrong answers; above {metrics.FAILED:g} a task is failed"
        + ("; taught which sentences decide" if header.get("taught_supports") else "")
        + ("; names exchanged in training" if header.get("renamed") else "")
        + (f"; {problems} problems in the files (percept data check)" if problems else ""),
        files=[made[1].write(Path(options.out) / "kinds.csv")] if options.out else [],
        details={"per_task": per_task},
    )


def _chosen(header: dict[str, Any], members: list[int], by: str) -> int:
    """The network with the lowest error of that name, the first if nobody measured it."""
    return min(members, key=lambda number: header["members"][number].get(by, 0.0))


def _by_kind(kinds: list[data.Kind], errors: dict[int, float], beside: list[System]) -> Table:
    known = table()
    rows = [
        (
            f"{kinds[number].number or ''} {kinds[number].name}".strip(),
            figure(error, 1),
            *(figure(known[one.column].get(kinds[number].number), 1) for one in beside),
        )
        for number, error in errors.items()
    ]
    names = [one.short for one in beside]
    title = "error by kind" + (
        "; beside it published ones: " + ", ".join(_column(one) for one in beside) if names else ""
    )
    return Table(title, ("task", "here", *names), tuple(rows))


def _column(one: System) -> str:
    return one.short if one.short in one.system else f"{one.short} = {one.system}"


def _by_run(header: dict[str, Any], found: dict[int, dict[int, Measured]]) -> list[Table]:
    """Mean, deviation, and the run chosen either way, where there are several."""
    runs = max(len(of) for of in found.values())
    if runs < 2:
        return []
    by_place = torch.tensor([[list(of.values())[run].error for of in found.values()] for run in range(runs)])
    means = by_place.mean(dim=1)  # (R,)
    rows = [("mean of runs", figure(float(means.mean()), 2), figure(float(means.std()), 2))]
    for name, by in (("held_error", "chosen on held out stories"), ("train_error", "chosen by training error")):
        if all(name in member for member in header["members"]):
            picked = [of[_chosen(header, list(of), name)].error for of in found.values()]
            rows.append((by, figure(sum(picked) / len(picked), 2), str(metrics.failed(picked))))
    rows.append(("best and worst run", figure(float(means.min()), 2), figure(float(means.max()), 2)))
    return [Table(f"{runs} runs", ("", "mean_error", "deviation, failed, or worst"), tuple(rows))]


def _by_hop(kinds: list[data.Kind], found: dict[int, dict[int, Measured]], chosen: dict[int, int]) -> Table:
    """Of each kind, the share of answers for which a hop looked most at a deciding sentence."""
    rows = []
    hops = 0
    for number, of in found.items():
        one = of[chosen[number]]
        hops = one.saw.shape[1]
        if one.told.any():
            saw = one.saw[one.told]
            shares = [*saw.mean(dim=0).tolist(), float(saw.amax(dim=1).mean())]
            rows.append(
                (f"{kinds[number].number or ''} {kinds[number].name}".strip(), *(figure(100 * s, 1) for s in shares))
            )
    columns = ("task", *(f"hop {hop}" for hop in range(1, hops + 1)), "any")
    return Table("looked most at a deciding sentence, percent of answers", columns, tuple(rows))


def folder_of(name: str) -> Path:
    """The folder of a data set by name, or the folder itself."""
    return datasets.find(name, datasets.rows({"qa": DATASETS}), "qa")[0]
