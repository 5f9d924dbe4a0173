"""The evaluation loop: each sample by itself, in its order; and the report's document."""

from __future__ import annotations

import json
from pathlib import Path

from percept.core.evaluation import Report, answers, figure, mean


def test_each_sample_is_answered_alone_and_in_order() -> None:
    seen = []

    def answer(sample: int) -> int:
        seen.append(sample)
        return sample * sample

    found, seconds = answers("numbers", [3, 1, 2], answer)
    assert (found, seen) == ([9, 1, 4], [3, 1, 2])
    assert seconds >= 0
    assert answers("nothing", [], answer)[0] == []


def test_figures_that_could_not_be_measured_are_a_dash() -> None:
    assert [figure(value) for value in (0.25, 1, None, float("nan"))] == ["0.250", "1.000", "-", "-"]
    assert figure(12.34, 1) == "12.3"


def test_the_mean_of_nothing_is_nothing() -> None:
    assert mean([]) is None
    assert mean(iter([1.0, 2.0])) == 1.5


def test_the_document_holds_what_the_contract_names() -> None:
    report = Report(
        task="detect",
        data="cells",
        split="val",
        weights="general",
        count=2,
        metrics={"AP": 0.5, "AP_small": None},
        seconds=1.23456,
        published=[{"system": "X", "data": "D", "figures": {"AP": 0.2}, "source": "S"}],
        files=[Path("a/b.png")],
        details={"per_class": []},
    )
    document = report.to_json()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    wanted = {"task", "data", "split", "weights", "count", "metrics", "published", "seconds"}
    assert wanted <= set(document)
    assert document["files"] == ["a/b.png"] and document["seconds"] == 1.235
