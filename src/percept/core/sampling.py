"""Batches that depend on (seed, epoch, number) alone: not on workers, processes, or where a run was stopped."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader, Dataset, Sampler

from percept.core.errors import UsageError

Sample = TypeVar("Sample")

POOL = 16  # batches whose samples are put in order of their lengths together
ORDER, SIZES = 1, 2  # last part of a seed, which for a sample's own random numbers is absent: keeps the streams apart


class Pick(NamedTuple):
    """One training sample to make: number `index` as in epoch `epoch`, of the size drawn for its batch."""

    epoch: int
    index: int
    size: int


def ranks() -> tuple[int, int]:
    """This process's number and how many there are: (0, 1) without ``torchrun``."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def share(batch: int, accumulate: int) -> tuple[int, int]:
    """:func:`ranks`, for a ``batch`` that all of them share in ``accumulate`` equal parts each.

    Raises:
        UsageError: the batch cannot be shared so.
    """
    rank, world = ranks()
    if batch % (world * accumulate):
        raise UsageError(f"--batch {batch} cannot be shared by {world} processes in {accumulate} parts")
    return rank, world


def parts(count: int, accumulate: int) -> list[slice]:
    """This process's ``count`` samples of a batch in ``accumulate`` parts, or fewer if there are too few samples."""
    each = -(-count // accumulate)
    return [slice(at, at + each) for at in range(0, count, each)]


class Kept(Generic[Sample]):
    """Samples by their number, each read when it is first asked for; those asked for last stay in memory.

    read: number -> sample; what it raises is raised to the caller. weigh: sample -> its bytes. megabytes: room for all
    that stay; the last one stays however large it is.
    """

    def __init__(self, read: Callable[[int], Sample], weigh: Callable[[Sample], int], megabytes: int) -> None:
        self.read, self.weigh = read, weigh
        self.room, self.held = megabytes * 2**20, 0  # bytes
        self.kept: OrderedDict[int, Sample] = OrderedDict()

    def __call__(self, number: int) -> Sample:
        if number in self.kept:
            self.kept.move_to_end(number)
            return self.kept[number]
        sample = self.read(number)
        self.kept[number] = sample
        self.held += self.weigh(sample)
        while self.held > self.room and len(self.kept) > 1:
            self.held -= self.weigh(self.kept.popitem(last=False)[1])
        return sample


class EpochSampler(Sampler[list[Pick]]):
    """Batches of picks for one process (a DataLoader's `batch_sampler`), a function of (seed, epoch, batch) only.

    count: samples; batch: samples of all processes together; sizes: the input sizes to draw from, one for each whole
    batch, or a single one; rank, world: this process and how many there are: the processes' batches, put together in
    the order of their ranks, are those of one process.
    drop_last: leave out the last batch if it is not full (unless it is the only one).
    lengths: of the samples, if a batch should hold such as are about equally long.
    Raises UsageError if a batch cannot be shared by all processes.
    """

    def __init__(
        self,
        count: int,
        batch: int,
        seed: int,
        sizes: Sequence[int],
        rank: int = 0,
        world: int = 1,
        drop_last: bool = True,
        lengths: Sequence[float] = (),
    ) -> None:
        left = count % batch if batch > 0 else 0
        drop = drop_last and count >= batch
        smallest = batch if drop or not left else min(batch, left)
        if batch < 1 or count < 1 or smallest < world:
            raise UsageError(f"{count} samples in batches of {batch} cannot be shared by {world} processes")
        self.count, self.batch, self.seed, self.sizes = count, batch, seed, tuple(sizes)
        self.rank, self.world, self.lengths = rank, world, lengths
        self.batches = count // batch if drop else -(-count // batch)  # in one epoch
        self.epoch, self.start = 0, 0

    def set_epoch(self, epoch: int, start: int = 0) -> None:
        """Choose the epoch that the next iteration gives, from batch `start` on (to resume in its middle)."""
        self.epoch, self.start = epoch, start

    def __len__(self) -> int:
        return max(0, self.batches - self.start)

    def __iter__(self) -> Iterator[list[Pick]]:
        epoch = self.epoch
        rng = np.random.default_rng([self.seed, epoch, 0, ORDER])
        order = rng.permutation(self.count)
        batches = [order[at : at + self.batch] for at in range(0, self.count, self.batch)][: self.batches]
        if len(self.lengths):
            batches = _alike(batches, np.asarray(self.lengths), rng)
        for number in range(self.start, self.batches):
            whole = batches[number]
            size = int(np.random.default_rng([self.seed, epoch, number, SIZES]).choice(self.sizes))
            first, end = (len(whole) * rank // self.world for rank in (self.rank, self.rank + 1))
            yield [Pick(epoch, int(index), size) for index in whole[first:end]]


def _alike(batches: list[np.ndarray], lengths: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """The same samples in batches of about equal lengths, in any order: sorted within a few batches at a time."""
    found = []
    for at in range(0, len(batches), POOL):
        pool = np.concatenate(batches[at : at + POOL])
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        found += np.split(pool, np.cumsum([len(batch) for batch in batches[at : at + POOL]])[:-1])
    return [found[number] for number in rng.permutation(len(found))]


def loader(
    samples: Dataset[Any],
    sampler: EpochSampler,
    collate: Callable[[list[Any]], Any],
    workers: int,
    *,
    prepare: Callable[[int], None] | None = None,
    pin_memory: bool = False,
) -> DataLoader[Any]:
    """Batches as ``collate`` gives them; call ``sampler.set_epoch`` before each iteration. Workers stay for all epochs.

    prepare: run in each worker before its first sample.
    """
    return DataLoader(
        samples,
        batch_sampler=sampler,
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=prepare,
        persistent_workers=workers > 0,
        pin_memory=pin_memory,
        # its own generator: else it takes a number from torch's at each start, and dropout after a pause would differ
        generator=torch.Generator(),
    )
