"""Each change alone, measured; then all together, for many seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from percept.speech.acoustic.augment import (
    FULL,
    LIGHT,
    NONE,
    Changes,
    changed,
    in_room,
    masked,
    narrowed,
    noise,
    spoken,
    with_noise,
)
from percept.speech.features import log_mel

EVERYTHING = replace(FULL, room=1.0, noise=1.0, narrow=1.0, clipped=1.0)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def tone(count: int = 16_000, hertz: float = 1000.0) -> np.ndarray:
    return (0.2 * np.sin(2 * np.pi * hertz * np.arange(count) / 16_000)).astype(np.float32)


def power(samples: np.ndarray) -> float:
    return float(np.square(samples).mean(dtype=float))


def decibels(samples: np.ndarray, low: float, high: float) -> float:
    """The power between two frequencies."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / 16_000)
    return 10 * np.log10(spectrum[(hertz >= low) & (hertz < high)].mean() + 1e-20)


def test_none_changes_nothing() -> None:
    samples, mels = tone(), torch.randn(50, 40)
    found, speed = changed(samples, rng(), NONE)
    assert np.array_equal(found, samples) and speed == 1.0
    assert torch.equal(masked(mels, rng(), NONE), mels)


@pytest.mark.parametrize("changes", [LIGHT, FULL, EVERYTHING])
def test_the_same_numbers_make_the_same_changes_and_the_input_stays(changes: Changes) -> None:
    samples = rng().normal(0, 0.1, 9000).astype(np.float32)
    before = samples.copy()
    samples.flags.writeable = False
    (one, speed), (two, same), (other, _) = (changed(samples, rng(seed), changes, [tone()]) for seed in (1, 1, 2))
    assert np.array_equal(one, two) and speed == same
    assert one.shape != other.shape or not np.array_equal(one, other)
    assert np.array_equal(samples, before)
    mels = torch.randn(80, 40)
    kept = mels.clone()
    assert torch.equal(masked(mels, rng(1), changes), masked(mels, rng(1), changes)) and torch.equal(mels, kept)


@pytest.mark.parametrize("changes", [LIGHT, FULL, EVERYTHING])
@pytest.mark.parametrize("count", [0, 1, 100, 5000])
def test_sound_of_any_length_comes_out_finite(changes: Changes, count: int) -> None:
    samples = rng(count).normal(0, 0.1, count).astype(np.float32)
    for seed in range(8):
        for given in (samples, samples * 0):
            found, speed = changed(given, rng(seed), changes, [tone(50), tone(9000), tone(0)])
            assert found.dtype == np.float32 and np.isfinite(found).all()
            assert len(found) == pytest.approx(count / speed, abs=1)


def test_speed_moves_time_and_pitch() -> None:
    seen = set()
    for seed in range(30):
        samples = tone(8000)
        samples[5000:] = 0  # the tone ends at 5000
        found, speed = changed(samples, rng(seed), Changes(speed=(0.9, 1.1)))
        seen.add(speed)
        ends = np.flatnonzero(np.abs(found) > 0.05)[-1]
        assert ends == pytest.approx(5000 / speed, abs=20)
        spectrum = np.abs(np.fft.rfft(found[:4096] * np.hanning(4096)))
        assert spectrum.argmax() * 16_000 / 4096 == pytest.approx(1000 * speed, abs=4)
    assert min(seen) == 0.9 and max(seen) == 1.1 and len(seen) >= 7


@pytest.mark.parametrize("ratio", [0.0, 10.0, 30.0])
def test_noise_is_as_loud_as_said(ratio: float) -> None:
    samples = tone()
    added = with_noise(samples, noise(len(samples), rng(3)), ratio) - samples
    assert 10 * np.log10(power(samples) / power(added)) == pytest.approx(ratio, abs=0.1)
    assert not with_noise(samples * 0, noise(len(samples), rng(3)), ratio).any()
    assert np.array_equal(with_noise(samples, samples * 0, ratio), samples)


def test_noise_has_all_colours_and_hums() -> None:
    falls, hums = [], 0
    for seed in range(60):
        found = noise(16_000, rng(seed))
        assert found.shape == (16_000,) and found.dtype == np.float32 and found.any()
        if decibels(found, 1500, 7500) < decibels(found, 30, 1000) - 55:  # sixteen harmonics of the mains end at 960 Hz
            hums += 1
            loudest = int(np.abs(np.fft.rfft(found * np.hanning(len(found)))).argmax())  # Hz: it lasts a second
            assert min(loudest % 50, -loudest % 50, loudest % 60, -loudest % 60) <= 1
        else:
            falls.append(decibels(found, 400, 800) - decibels(found, 3200, 6400))  # three octaves: 9 dB per power of f
    assert 1 <= hums <= 20
    assert -2 < min(falls) < 3 and 14 < max(falls) < 21


def test_a_babble_is_of_the_others() -> None:
    others = [tone(700, 500.0), tone(9000, 3000.0)]
    babbles = 0
    for seed in range(30):
        found = noise(16_000, rng(seed), others)
        there = max(decibels(found, 490, 510), decibels(found, 2990, 3010))
        babbles += there > decibels(found, 1500, 2500) + 30
    assert 5 <= babbles <= 20
    silent = [noise(100, rng(seed), [np.zeros(50, np.float32)]) for seed in range(20)]
    assert all(np.isfinite(found).all() for found in silent)


@pytest.mark.parametrize("direct", [0.0, 12.0])
def test_a_room_adds_an_echo_that_dies_away(direct: float) -> None:
    click = np.zeros(16_000, np.float32)
    click[1000] = 1.0
    found = in_room(click, 0.4, direct, rng())
    assert found.shape == click.shape and np.abs(found[:1000]).max() < 1e-5
    assert found.argmax() == 1000 and found[1000] == pytest.approx(1.0, abs=1e-3)
    echo = found[1001:].astype(float)
    assert -10 * np.log10(np.square(echo).sum()) == pytest.approx(direct, abs=0.1)
    assert np.abs(echo[:30]).max() < 1e-5  # at least 2 ms later
    begun = int(np.flatnonzero(np.abs(echo) > 1e-4)[0])
    fall = power(echo[begun : begun + 800]) / power(echo[begun + 3200 : begun + 4000])  # 200 ms: half of 60 dB
    assert 10 * np.log10(fall) == pytest.approx(30, abs=2)


def test_a_telephone_has_a_narrow_band() -> None:
    white = rng().normal(0, 0.1, 16_000).astype(np.float32)
    found = narrowed(white, 300.0, 3400.0)
    assert found.shape == white.shape and found.dtype == np.float32
    assert decibels(found, 400, 3300) == pytest.approx(decibels(white, 400, 3300), abs=0.3)
    assert decibels(found, 0, 140) < decibels(white, 0, 140) - 25
    assert decibels(found, 3700, 8000) < decibels(white, 3700, 8000) - 25


def test_too_loud_is_flat_at_the_top() -> None:
    found, _ = changed(tone(), rng(), Changes(clipped=1.0))
    most = np.abs(found).max()
    assert 0.03 < most < 0.15 and (np.abs(found) == most).mean() > 0.3


def test_gain_is_within_its_bounds() -> None:
    gains = [20 * np.log10(np.abs(changed(tone(), rng(seed), Changes(gain=10.0))[0]).max() / 0.2) for seed in range(40)]
    assert -10.01 < min(gains) < -6 and 6 < max(gains) < 10.01


@pytest.mark.parametrize("factor", [0.9, 1.05, 1.1])
@pytest.mark.parametrize("hertz", [300.0, 1500.0, 3500.0])
def test_a_shorter_throat_sounds_higher(factor: float, hertz: float) -> None:
    moved = spoken(log_mel(torch.from_numpy(tone(8000, hertz))), factor)[10:-10]
    wanted = log_mel(torch.from_numpy(tone(8000, hertz * factor)))[10:-10]
    assert moved.shape == wanted.shape
    assert int((moved.mean(0).argmax() - wanted.mean(0).argmax()).abs()) <= 1


def test_a_throat_leaves_the_order_of_bands_and_the_highest_frequency() -> None:
    mels = torch.arange(40.0).expand(30, 40)  # each band is its own number
    assert torch.equal(spoken(mels, 1.0), mels)
    lower, higher = spoken(mels, 0.9), spoken(mels, 1.1)
    for found in (lower, higher):
        assert found.shape == mels.shape and bool((found.diff(dim=1) >= 0).all())
        assert found[0, -1] == pytest.approx(39, abs=0.4)
    assert bool((higher[:, 5:35] < mels[:, 5:35]).all()) and bool((mels[:, 5:35] < lower[:, 5:35]).all())


def test_masks_are_as_many_and_as_wide_as_said() -> None:
    mels = torch.from_numpy(rng().normal(0, 1, (200, 40)).astype(np.float32))
    widths, lengths = set(), set()
    for seed in range(150):
        found = masked(mels, rng(seed), Changes(bands=1, widest=6, spans=1, longest=25))
        hidden = found == mels.mean()  # (200, 40)
        assert torch.equal(found[~hidden], mels[~hidden])
        bands, spans = hidden.all(dim=0), hidden.all(dim=1)  # (40,), (200,)
        assert torch.equal(hidden, bands[None] | spans[:, None])
        widths.add(int(bands.sum()))
        lengths.add(int(spans.sum()))
        for line in (bands, spans):  # in one piece
            assert int((line[1:] & ~line[:-1]).sum() + line[0]) <= 1
    assert widths == set(range(7)) and min(lengths) == 0 and max(lengths) == 25


def test_masks_leave_enough_of_little() -> None:
    for count in (0, 1, 5, 40):
        mels = torch.from_numpy(rng(count).normal(0, 1, (count, 40)).astype(np.float32))
        for seed in range(50):
            found = masked(mels, rng(seed), Changes(spans=2, most=0.2))
            assert found.shape == mels.shape and bool(torch.isfinite(found).all())
            assert int((found != mels).any(dim=1).sum()) <= 2 * int(0.2 * count)
