"""Batches depend on (seed, epoch, number) alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import Dataset

from percept.core.errors import UsageError
from percept.core.sampling import EpochSampler, Pick, loader


def epoch(sampler: EpochSampler, number: int, start: int = 0) -> list[list[Pick]]:
    sampler.set_epoch(number, start)
    return list(sampler)


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 3), st.booleans())
def test_an_epoch_is_every_sample_once(count: int, batch: int, number: int, drop: bool) -> None:
    sampler = EpochSampler(count, batch, 7, (32, 64), drop_last=drop)
    batches = epoch(sampler, number)
    seen = [pick.index for picks in batches for pick in picks]
    assert len(batches) == len(sampler) == sampler.batches
    assert len(seen) == len(set(seen))
    whole = count if not drop or count < batch else count // batch * batch
    assert len(seen) == whole and set(seen) <= set(range(count))
    for picks in batches:
        assert len({pick.size for pick in picks}) == 1 and picks[0].size in (32, 64)
        assert {pick.epoch for pick in picks} == {number}


@given(st.integers(8, 60), st.integers(1, 4), st.integers(1, 4), st.integers(0, 50))
def test_the_batches_of_several_processes_are_those_of_one(count: int, share: int, world: int, seed: int) -> None:
    batch = share * world
    if count < batch:
        count = batch
    one = epoch(EpochSampler(count, batch, seed, (32, 64, 96)), 2)
    parts = [epoch(EpochSampler(count, batch, seed, (32, 64, 96), rank, world), 2) for rank in range(world)]
    assert [sum(shares, []) for shares in zip(*parts, strict=True)] == one


@given(st.integers(4, 40), st.integers(1, 4), st.integers(0, 9))
def test_an_epoch_is_taken_up_where_it_stopped(count: int, batch: int, start: int) -> None:
    sampler = EpochSampler(count, batch, 3, (32, 64))
    whole = epoch(sampler, 5)
    assert epoch(sampler, 5, start) == whole[start:]


def test_epochs_and_seeds_differ_and_repeat() -> None:
    def order(seed: int, number: int) -> list[int]:
        return [pick.index for picks in epoch(EpochSampler(50, 5, seed, (32,)), number) for pick in picks]

    orders = [order(seed, number) for seed in (0, 1) for number in (0, 1, 2)]
    assert len({tuple(one) for one in orders}) == 6
    assert order(1, 2) == orders[-1]


def test_batches_hold_samples_of_about_equal_lengths_each_once() -> None:
    lengths = np.random.default_rng(0).uniform(1, 20, 200)
    sampler = EpochSampler(200, 8, 3, (1,), lengths=lengths)
    epochs = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        epochs.append([[pick.index for pick in batch] for batch in sampler])
        assert sorted(sum(epochs[-1], [])) == list(range(200))
        assert np.mean([np.ptp(lengths[batch]) for batch in epochs[-1]]) < 3
        middles = [lengths[batch].mean() for batch in epochs[-1]]
        assert np.abs(np.diff(middles)).mean() > 3  # not from the shortest to the longest
    assert epochs[0] != epochs[1]
    sampler.set_epoch(1, start=5)
    assert [[pick.index for pick in batch] for batch in sampler] == epochs[1][5:]


def test_what_cannot_be_shared_is_refused() -> None:
    for count, batch, world in ((4, 1, 2), (1, 4, 2), (0, 4, 1), (4, 0, 1)):
        with pytest.raises(UsageError, match="cannot be shared"):
            EpochSampler(count, batch, 0, (32,), 0, world)


class Noisy(Dataset):
    """A sample's noise is a function of (seed, epoch, index); its worker's own generators must not matter."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, pick: Pick) -> tuple[int, int, float]:
        return pick.epoch, pick.index, float(np.random.default_rng([0, pick.epoch, pick.index]).random())


def batches(workers: int, epochs: int = 3) -> list[list[tuple[int, int, float]]]:
    sampler = EpochSampler(12, 4, 0, (32,))
    made = loader(Noisy(), sampler, list, workers)
    found = []
    for number in range(epochs):  # the workers stay
        sampler.set_epoch(number)
        found += list(made)
    return found


def test_workers_and_their_staying_change_nothing_and_no_noise_comes_twice() -> None:
    alone = batches(0)
    assert batches(2) == alone
    noise = [sample[2] for batch in alone for sample in batch]
    assert len(set(noise)) == len(noise) == 36


@pytest.mark.parametrize("workers", [0, 1])
def test_loading_leaves_the_random_numbers_of_the_network_alone(workers: int) -> None:
    """Dropout draws from torch's generator; a run that is taken up begins one more iteration than a run in one go."""
    torch.manual_seed(0)
    before = torch.get_rng_state()
    batches(workers)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_worker_is_prepared() -> None:
    assert batches(0, 1) == list(_prepared(0))
    with pytest.raises(RuntimeError, match="not well prepared"):
        list(_prepared(1))


def _prepared(workers: int) -> object:
    def prepare(_: int) -> None:
        raise RuntimeError("not well prepared")

    sampler = EpochSampler(12, 4, 0, (32,))
    return loader(Noisy(), sampler, list, workers, prepare=prepare)
