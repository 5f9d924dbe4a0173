"""What only whole processes show: killed, stopped, diverged, and several that train together. With detect."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from commandline import begun, percept
from inputs import INPUTS

from percept.core import checkpoint, runs, training
from percept.core.weights import resolve

DETECT = INPUTS["detect"]
WORDS = ("train", "detect", "--data", DETECT.data, "--size", "64", "--multiscale", "0")


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the curves, whose drawing takes longer than these trainings."""
    monkeypatch.setattr(runs.Run, "_draw_curves", lambda self: None)
    if DETECT.weights:
        monkeypatch.setenv("PERCEPT_START", DETECT.weights)


def last(folder: Path) -> bytes:
    return (folder / "last.safetensors").read_bytes()


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    began = time.monotonic()
    while time.monotonic() < began + 90:  # two ranks that import torch on a busy machine take half a minute
        if path.exists():
            return
        if process.poll() is not None:
            raise AssertionError(process.communicate()[1].decode())
        time.sleep(0.005)
    raise AssertionError(f"{path} did not come")


def test_killed_in_the_middle_of_an_epoch_it_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    flags = ("--batch", "1", "--epochs", "40", "--warmup", "0", "--schedule", "constant", "--quiet")
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = begun(*WORDS, *flags, "--save-every", "1", "--out", killed)
    state, step = killed / "state" / "latest.pt", 0
    wait_for(state, process)
    while not step:  # the state says where in the epoch it was saved
        step = torch.load(state, weights_only=True)["state"]["step"]
        process.send_signal(signal.SIGSTOP)  # nothing moves while we look
        stopped = torch.load(state, weights_only=True)["state"]
        step = stopped["step"]
        if not step:
            process.send_signal(signal.SIGCONT)
            time.sleep(0.01)
    process.kill()
    process.communicate()
    epochs = stopped["epoch"] + 2
    assert percept("train", "detect", "--resume", killed, "--epochs", epochs, "--quiet").code == 0
    assert percept(*WORDS, *flags, "--epochs", epochs, "--out", whole).code == 0
    assert last(killed) == last(whole)
    assert not list(killed.rglob(".*")), "what the killed process had begun to write is gone"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two epochs of three steps in one go."""
    folder = tmp_path_factory.mktemp("training") / "whole"
    assert percept(*WORDS, *DETECT.start, "--batch", "1", "--epochs", "2", "--out", folder, "--quiet").code == 0
    return folder


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_step_saves_and_says_how_to_go_on(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    flags = ("--batch", "1", "--epochs", "2")
    steps, step = [], training._step

    def interrupted(*arguments: object) -> dict[str, float]:
        steps.append(1)
        if len(steps) == 2:
            signal.raise_signal(number)
        return step(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training, "_step", interrupted)
        ran = percept(*WORDS, *flags, "--out", tmp_path / "parts")
    assert (ran.code, ran.out, len(steps)) == (code, "", 2)
    assert f"stopped in epoch 1 after step 2; go on with: percept train detect --resume {tmp_path / 'parts'}" in ran.err
    assert percept("train", "detect", "--resume", tmp_path / "parts", "-q").code == 0
    assert last(tmp_path / "parts") == last(whole)


def test_a_state_that_would_run_code_is_refused(whole: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "canary",)

    run = tmp_path / "run"
    shutil.copytree(whole, run)
    for name in ("latest.pt", "nothing", "half"):
        state = run / "state" / "latest.pt"
        if name == "latest.pt":
            torch.save({"model": Evil()}, state)
        elif name == "half":
            content = (whole / "state" / "latest.pt").read_bytes()
            state.write_bytes(content[: len(content) // 2])
        else:
            state.unlink()
        ran = percept("train", "detect", "--resume", run, "--epochs", "3")
        assert (ran.code, ran.out) == (2, ""), name
        assert "cannot be resumed" in ran.err and "Traceback" not in ran.err
        assert not (tmp_path / "canary").exists()
        assert last(run) == last(whole)


@pytest.mark.parametrize("batch", ["1", "3"])  # found in the next step's loss, or, after the only step, in the weights
def test_a_training_that_diverges_stops_with_3_and_keeps_the_last_good_weights(tmp_path: Path, batch: str) -> None:
    folder = tmp_path / "run"
    good = ("--epochs", "1", "--batch", batch, "--schedule", "constant", "--clip", "0", "--warmup", "0", "-q")
    assert percept(*WORDS, *good, "--out", folder).code == 0
    before = last(folder)
    table = (folder / "run.toml").read_text().replace("lr = 0.001", "lr = 1e20")
    (folder / "run.toml").write_text(table)
    state = torch.load(folder / "state" / "latest.pt", weights_only=True)
    for group in state["others"][0]["param_groups"]:
        group["lr"] = group["initial_lr"] = 1e20
    state["others"][1]["base_lrs"] = [1e20, 1e20]
    torch.save(state, folder / "state" / "latest.pt")
    ran = percept("train", "detect", "--resume", folder, "--epochs", "2")
    assert ran.code == 3, ran.err
    assert ("epoch 2, step " if batch == "1" else "after epoch 2") in ran.err
    assert "JPEGImages" in ran.err or batch == "3", "the photos of the batch are named"
    assert "the last good weights are kept" in ran.err
    assert last(folder) == before
    assert checkpoint.load(folder / "best.safetensors", task="detect")


def test_two_processes_equal_one_and_do_not_outlive_one_another(tmp_path: Path, port: int) -> None:
    """torchrun with two ranks: weights to float tolerance those of one process; rank 1 is killed, and all end."""
    flags = ("--batch", "2", "--augment", "none", "--precision", "float32", "--store", "float32", "--quiet")
    # sgd: the first steps of adamw are as long for a gradient of nearly nothing as for a large one
    flags += ("--optimizer", "sgd", "--schedule", "constant", "--warmup", "0", "--epochs", "100000")
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1")
    command = [*torchrun, "--master-port", str(port), "-m", "percept", *map(str, WORDS), *flags]
    two, one = tmp_path / "two", tmp_path / "one"
    agent = subprocess.Popen(
        [*command, "--out", str(two)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        wait_for(two / "log.csv", agent)
        together = checkpoint.load(two / "last.safetensors", task="detect")
        os.kill(rank_of(agent.pid, 1), signal.SIGKILL)
        killed = time.monotonic()
        said = agent.communicate(timeout=60)[1].decode()
        assert agent.returncode not in (0, None), said
        assert time.monotonic() - killed < 60
        assert "SIGKILL" in said
        own = [line for line in said.splitlines() if "percept: " in line]  # if torchrun lets rank 0 speak at all
        assert "bug of percept" not in said, own
    finally:
        if agent.poll() is None:
            os.killpg(agent.pid, signal.SIGKILL)
            agent.communicate()
    epochs = together.header["scores"][0]["epoch"]
    assert percept(*WORDS, *flags, "--out", one, "--epochs", epochs).code == 0
    alone = checkpoint.load(one / "last.safetensors", task="detect")
    start = checkpoint.load(resolve(DETECT.weights or "", "detect")[1], task="detect")
    moved = [name for name, tensor in alone.tensors.items() if not torch.equal(tensor, start.tensors[name])]
    assert len(moved) > 100, "it has learnt something"
    for name, tensor in alone.tensors.items():
        torch.testing.assert_close(together.tensors[name], tensor, rtol=1e-4, atol=1e-5 * epochs)


def test_a_rank_whose_peer_is_gone_says_so(tmp_path: Path, port: int) -> None:
    """Two ranks without torchrun, which would end the survivor as soon as it can: rank 0 notices by itself."""
    words = [*map(str, WORDS), "--batch", "2", "--epochs", "100000", "--schedule", "constant", "--quiet"]
    command = [sys.executable, "-m", "percept", *words, "--out", str(tmp_path / "run")]
    shared = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = [subprocess.Popen(command, stderr=subprocess.PIPE, env={**shared, "RANK": str(rank)}) for rank in range(2)]
    try:
        wait_for(tmp_path / "run" / "log.csv", ranks[0])
        ranks[1].kill()
        said = ranks[0].communicate(timeout=60)[1].decode()
        assert ranks[0].returncode == 1, said
        assert "percept: another process of this training has ended; the last saved state is kept" in said
    finally:
        for rank in ranks:
            rank.kill()
            rank.communicate()


def rank_of(agent: int, rank: int) -> int:
    """The process that torchrun started with ``RANK=rank``."""
    for child in Path(f"/proc/{agent}/task/{agent}/children").read_text().split():
        if f"\0RANK={rank}\0".encode() in Path(f"/proc/{child}/environ").read_bytes():
            return int(child)
    raise AssertionError(f"no rank {rank} below {agent}")
