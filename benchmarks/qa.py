r"""How fast questions are learned and answered: batches of tensors against one story at a time, one seed against ten.

    python benchmarks/qa.py --data babi --threads 2

The plain implementation is MemN2N written for one story, as most public ones are: loops over hops, a tensor for each
sentence. Both compute the same; that is asserted first.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor

from percept.core.device import choose
from percept.core.options import resolve
from percept.nlp.qa import task
from percept.nlp.qa.encoding import places, ramp
from percept.nlp.qa.memn2n import MemN2N
from percept.nlp.qa.options import Train
from percept.nlp.qa.trainer import Trainer

PAPER = {"model": "memn2n", "joint": True, "hops": 3, "dimension": 50, "noise": 0.0, "batch": 32, "hold_out": 0.1}


def plain(network: MemN2N, tokens: Tensor) -> Tensor:
    """Scores (V,) of one question, tokens (1 + S, W), by one network."""

    def embed(table: int, sentence: Tensor) -> Tensor:
        said = sentence[sentence > 0]
        first, second = places(network.encoding, said[None], network.longest)
        weight = first[0, :, None] + second[0, :, None] * ramp(network.encoding, network.words.shape[-1])
        return (network.words[table, 0, said] * weight).sum(dim=0)

    facts = [sentence for sentence in tokens[1 : 1 + int(network.slots[0])] if sentence.any()]
    u = embed(0, tokens[0])
    for hop in range(network.hops):
        m = torch.stack([embed(hop, one) + network.times[hop, 0, age] for age, one in enumerate(facts)])
        c = torch.stack([embed(hop + 1, one) + network.times[hop + 1, 0, age] for age, one in enumerate(facts)])
        nil = torch.zeros(int(network.slots[0]) - len(facts))
        u = u + torch.cat([m @ u, nil]).softmax(dim=0)[: len(facts)] @ c
    return network.words[network.hops, 0] @ u


def timed(act: Callable[[], object], least: float = 3.0) -> float:
    """Seconds a call takes, the mean over at least ``least`` seconds."""
    act()
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < least:
        act()
        count += 1
    return (time.perf_counter() - began) / count


def step(job: Trainer) -> Callable[[], None]:
    """A step of training over the next batch."""
    optimizer = torch.optim.SGD(job.model.parameters(), 0.001)
    waiting = iter(job.batches(0, 0))

    def act() -> None:
        nonlocal waiting
        parts = next(waiting, None)
        if parts is None:
            waiting = iter(job.batches(0, 0))
            parts = next(waiting)
        for part in parts:
            job.loss(part)[0].backward()
        optimizer.step()
        optimizer.zero_grad()

    job.model.train()
    return act


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="babi")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stories", type=int, default=64, help="questions that the plain implementation answers")
    args = parser.parse_args()
    device = choose("cpu", args.threads)
    jobs = {
        runs: task.trainer(
            resolve(Train, {**PAPER, "data": [args.data], "runs": runs, "threads": args.threads}), device
        )
        for runs in (1, 10)
    }
    one = jobs[1]
    index = torch.arange(args.stories) * (len(one.kept) // args.stories)
    tokens = one.kept.batch(index).tokens
    with torch.no_grad():
        ours = one.model.eval()(tokens)[0][:, 0]
        theirs = torch.stack([plain(one.model, story) for story in tokens])
        torch.testing.assert_close(ours[:, 1:], theirs[:, 1:], rtol=1e-3, atol=1e-4)
        together = timed(lambda: one.model(tokens)) / args.stories
        apart = timed(lambda: [plain(one.model, story) for story in tokens]) / args.stories
    ratio = apart / together
    print(f"answering  {1 / together:8.0f} a second in a batch, {1 / apart:6.0f} one by one: x {ratio:.0f}")
    seconds = {runs: timed(step(job)) * job.steps() for runs, job in jobs.items()}

    def plain_step() -> None:
        for story, answer in zip(tokens[:8], one.kept.answers[index[:8]], strict=True):
            torch.nn.functional.cross_entropy(plain(one.model, story)[None], answer).backward()

    alone = timed(plain_step) / 8 * one.steps() * 32
    print(f"training   {seconds[1]:8.1f} s an epoch in batches, {alone:6.1f} s one by one: x {alone / seconds[1]:.0f}")
    print(f"ten runs   {seconds[10]:8.1f} s an epoch, {seconds[10] / seconds[1]:.1f} times one run")
    options = {"data": [args.data], "joint": True, "hold_out": 0.1, "threads": args.threads}
    relational = task.trainer(resolve(Train, options), device)
    print(f"relational {timed(step(relational), 20) * relational.steps():8.1f} s an epoch")


if __name__ == "__main__":
    main()
