"""The one loop: resumed to the bit, stopped by signals and by NaN, the same in parts and in several processes."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import toy

from percept.core import checkpoint
from percept.core.errors import Diverged, Stopped, UsageError
from percept.core.training import rate
from percept.core.verbs import TrainOptions

PROGRAM = str(Path(__file__).with_name("toy.py"))


def weights(folder: Path, name: str = "last") -> bytes:
    return (folder / f"{name}.safetensors").read_bytes()


def test_learns_and_keeps_the_best(tmp_path: Path) -> None:
    toy.run(tmp_path, epochs=12, dropout=0.0, lr=0.05)
    rows = list(csv.DictReader((tmp_path / "log.csv").read_text().splitlines()))
    errors = [float(row["error"]) for row in rows]
    assert len(rows) == 12
    assert errors[-1] < errors[0] / 3
    best = checkpoint.load(tmp_path / "best.safetensors", task="toy")
    assert best.header["scores"][0]["error"] == min(errors)
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_same_seed_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        toy.run(tmp_path / name, seed=seed, epochs=2)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert weights(tmp_path / "a") != weights(tmp_path / "c")


def test_two_and_two_epochs_are_four(tmp_path: Path) -> None:
    toy.run(tmp_path / "whole", epochs=4)
    with pytest.raises(Stopped) as stopped:
        toy.run(tmp_path / "halves", epochs=4, stop_after=2)
    assert stopped.value.exit_code == 0
    toy.run(tmp_path / "halves", resume=True, stop_after=0)
    for name in ("last", "best"):
        assert weights(tmp_path / "whole", name) == weights(tmp_path / "halves", name)
    log = [(tmp_path / run / "log.csv").read_text().splitlines() for run in ("whole", "halves")]
    without_seconds = [[line.rsplit(",", 1)[0] for line in lines] for lines in log]
    assert without_seconds[0] == without_seconds[1]


def test_a_finished_run_is_extended(tmp_path: Path) -> None:
    """With a rate that does not depend on the end, 2 epochs and then 4 are 4 from the start."""
    toy.run(tmp_path / "whole", epochs=4, schedule="constant")
    toy.run(tmp_path / "more", epochs=2, schedule="constant")
    toy.run(tmp_path / "more", resume=True, epochs=4)
    assert weights(tmp_path / "whole") == weights(tmp_path / "more")


def test_stopped_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    toy.run(tmp_path / "whole", epochs=3)

    def interrupt(epoch: int, step: int) -> None:
        if (epoch, step) == (1, 2):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Stopped) as stopped:
        toy.run(tmp_path / "parts", epochs=3, on_step=interrupt)
    assert stopped.value.exit_code == 130
    assert "--resume" in str(stopped.value)
    resumed = toy.run(tmp_path / "parts", resume=True)
    assert resumed.seen[0] == (1, 3)
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_killed_process_goes_on(tmp_path: Path, number: int, code: int) -> None:
    toy.run(tmp_path / "whole", epochs=6)
    command = [sys.executable, PROGRAM, str(tmp_path / "killed"), "epochs=6", "waits=0.05"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    log = tmp_path / "killed" / "log.csv"
    while not log.is_file() or log.read_text().count("\n") < 3:
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.07)  # into the middle of an epoch
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == code
    toy.run(tmp_path / "killed", resume=True)
    assert weights(tmp_path / "whole") == weights(tmp_path / "killed")


def test_not_a_number_stops_and_names_step_and_batch(tmp_path: Path) -> None:
    toy.run(tmp_path, epochs=1)
    before = weights(tmp_path)
    with pytest.raises(Diverged, match=r"epoch 2, step 3: toy batch 2") as stopped:
        toy.run(tmp_path, resume=True, epochs=2, bad_step=2)
    assert stopped.value.exit_code == 3
    assert weights(tmp_path) == before


def test_parts_of_a_batch_give_the_gradient_of_the_whole(tmp_path: Path) -> None:
    for name, parts in (("one", 1), ("four", 4)):
        toy.run(tmp_path / name, accumulate=parts, epochs=2, dropout=0.0, store="float32")
    one, four = (checkpoint.load(tmp_path / name / "last.safetensors").tensors for name in ("one", "four"))
    for name in one:
        torch.testing.assert_close(one[name], four[name], rtol=1e-5, atol=1e-6)


def test_two_processes_equal_one(tmp_path: Path, port: int) -> None:
    toy.run(tmp_path / "one", epochs=2, dropout=0.0, store="float32")
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-addr",
        "127.0.0.1",
        "--master-port",
        str(port),
        PROGRAM,
        str(tmp_path / "two"),
        "epochs=2",
        "store=float32",
        "ranks=1",
    ]
    ran = subprocess.run([*command, "dropout=0"], timeout=100, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    one, two = (checkpoint.load(tmp_path / name / "last.safetensors").tensors for name in ("one", "two"))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-5, atol=1e-6)


def test_only_listed_options_may_change_on_resume(tmp_path: Path) -> None:
    toy.run(tmp_path, epochs=1)
    with pytest.raises(UsageError, match="--lr was 0.01"):
        toy.run(tmp_path, resume=True, lr=0.5)
    toy.run(tmp_path, resume=True, epochs=2)
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 3


def test_resume_without_a_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no run\.toml"):
        toy.run(tmp_path / "nothing", resume=True)


def test_stops_early(tmp_path: Path) -> None:
    made = toy.run(tmp_path, epochs=50, patience=2, lr=1e-9, ema=0.0, schedule="constant")
    assert max(epoch for epoch, _ in made.seen) < 49


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_optimizers_move_the_weights(tmp_path: Path, optimizer: str) -> None:
    start = toy.Toy(TrainOptions()).model[0].weight.shape
    made = toy.run(tmp_path, epochs=1, optimizer=optimizer)
    assert made.model[0].weight.shape == start
    assert made.validate(made.model.eval())["error"] < 20


def test_learning_rate_warms_up_and_falls() -> None:
    options = TrainOptions(epochs=10, warmup=1.0)
    cosine = [rate(step, 5, options) for step in range(50)]
    assert cosine[0] < cosine[3] < cosine[5] == max(cosine)
    assert cosine[5:] == sorted(cosine[5:], reverse=True)
    assert 0.01 <= cosine[-1] < 0.03
    poly = [rate(step, 5, TrainOptions(epochs=10, warmup=1.0, schedule="poly")) for step in range(50)]
    assert poly[:6] == cosine[:6] and poly[5:] == sorted(poly[5:], reverse=True)
    assert poly[27] == pytest.approx((1 - 22 / 45) ** 0.9) and 0 < poly[-1] < 0.04
    steps = TrainOptions(epochs=10, warmup=0.0, schedule="step", step_epochs=(4, 8))
    assert [round(rate(epoch * 5, 5, steps), 4) for epoch in (0, 4, 8)] == [1.0, 0.1, 0.01]


def test_a_task_may_have_a_schedule_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy.Toy, "rate", lambda self, step, steps: 0.5 ** (step // steps), raising=False)
    toy.run(tmp_path, epochs=3, warmup=0, lr=0.01)
    rates = [float(row["lr"]) for row in csv.DictReader((tmp_path / "log.csv").read_text().splitlines())]
    assert rates == pytest.approx([0.005, 0.0025, 0.00125]), "logged after an epoch's last step"


def test_what_a_task_remembers_is_taken_up_and_its_mean_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A toy whose loss depends on how many steps it has counted, and whose weights are averaged by halves."""

    class Counting:
        def __init__(self) -> None:
            self.count = 0

        def state_dict(self) -> dict[str, int]:
            return {"count": self.count}

        def load_state_dict(self, kept: dict[str, int]) -> None:
            self.count = kept["count"]

    class Remembering(toy.Toy):
        def __post_init__(self) -> None:
            super().__post_init__()
            self.memory = Counting()

        def mean(self, average: torch.Tensor, current: torch.Tensor, number: object) -> torch.Tensor:
            return (average + current) / 2

        def loss(self, batch: tuple) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
            self.memory.count += 1
            total, pieces = super().loss(batch)
            return total * self.memory.count, pieces

    monkeypatch.setattr(toy, "Toy", Remembering)
    counted = toy.run(tmp_path / "whole", epochs=4)
    with pytest.raises(Stopped):
        toy.run(tmp_path / "halves", epochs=4, stop_after=2)
    toy.run(tmp_path / "halves", resume=True, stop_after=0)
    assert counted.memory.count == 16 and weights(tmp_path / "whole") == weights(tmp_path / "halves")
    kept = checkpoint.load(tmp_path / "whole" / "last.safetensors").tensors["0.weight"]
    assert not torch.allclose(kept, counted.model[0].weight.detach(), atol=1e-4), "the mean is stored"
