"""Which questions come together in a step, from (seed, epoch, number) alone: for one network, and for many at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from percept.core.sampling import EpochSampler
from percept.nlp.qa.tensors import Questions

ORDER, NOISE = 101, 102  # last parts of seeds: keep the streams apart


def one_network(
    questions: Questions, batch: int, seed: int, epoch: int, start: int, rank: int, world: int
) -> Iterator[Tensor]:
    """Questions (B,) of each step from ``start`` on, the shortest stories first.

    Any kinds come together: with stories of one length, so of one or two kinds, in a step, a network that learns
    several kinds unlearns one by the other.
    """
    sampler = EpochSampler(len(questions), batch, seed, (0,), rank, world)
    sampler.set_epoch(epoch, start)
    for picks in sampler:
        index = torch.tensor([pick.index for pick in picks])
        yield index[questions.seen[index].argsort(stable=True)]


def alike(questions: Questions, index: Tensor, most: Callable[[int], float]) -> list[Tensor]:
    """Questions (B,), the shortest stories first, in parts that waste little on padding.

    In a part no story is more than twice as long as another. most: of stories of so many sentences, the question
    counted, how many may come together.
    """
    found: list[Tensor] = []
    sizes = (questions.seen[index] + 1).tolist()
    first = 0
    for end in range(1, len(sizes) + 1):
        if end == len(sizes) or sizes[end] > 2 * sizes[first] or end - first + 1 > most(sizes[end]):
            found.append(index[first:end])
            first = end
    return found


def one_network_steps(questions: Questions, batch: int, world: int) -> int:
    """Steps an epoch of :func:`one_network`."""
    return EpochSampler(len(questions), batch, 0, (0,), 0, world).batches


class SideBySide:
    """Questions (M, B) of each step for M networks, each of which sees its own ones in its own order.

    own: for each network the numbers of its questions. An epoch is as long as the largest of these; who has fewer
    begins again.
    """

    def __init__(self, own: Sequence[Tensor], batch: int, seed: int) -> None:
        self.own, self.seed = own, seed
        self.batch = min(batch, *(len(questions) for questions in own)) if len(own) > 1 else min(batch, len(own[0]))
        self.steps = max(len(questions) for questions in own) // self.batch

    def epoch(self, epoch: int, start: int) -> Iterator[Tensor]:
        """The steps of an epoch from ``start`` on."""
        length = self.steps * self.batch
        orders = []
        for number, questions in enumerate(self.own):
            rng = np.random.default_rng([self.seed, epoch, number, ORDER])
            rounds = [rng.permutation(len(questions)) for _ in range(math.ceil(length / len(questions)))]
            orders.append(questions[torch.from_numpy(np.concatenate(rounds)[:length])])
        order = torch.stack(orders)  # (M, steps B)
        for step in range(start, self.steps):
            yield order[:, step * self.batch : (step + 1) * self.batch]


def noisy_ages(seen: Tensor, places: int, noise: float, seed: int, epoch: int, index: Tensor) -> Tensor:
    """The ages of sentences among which empty memories are mixed (random noise, Sukhbaatar 2015, section 4.1).

    As in the authors' code a story of n sentences gets 0 ... ceil(noise n) of them, anywhere.

    seen: (M, B) sentences of each story, at most ``places``; index: (M, B) the questions, whose numbers are the seed.
    Returns (M, B, places), the newest sentence first.
    """
    count = seen.flatten().numpy().astype(np.int64)  # (n,)
    rng = np.random.default_rng([seed, epoch, NOISE, *index.flatten()[:4].tolist()])
    most = np.ceil(noise * count).astype(np.int64)
    blanks = rng.integers(0, most + 1)  # (n,)
    length = places + int(most.max())
    keys = rng.random((len(count), length))
    keys[np.arange(length) >= (count + blanks)[:, None]] = 2  # behind the story's end
    rank = keys.argsort(axis=1).argsort(axis=1)
    blank = (rank < blanks[:, None]) | (keys == 2)
    ages = np.argsort(blank, axis=1, kind="stable")[:, :places]  # the places that are left, in order
    return torch.from_numpy(ages).reshape(*seen.shape, places)
