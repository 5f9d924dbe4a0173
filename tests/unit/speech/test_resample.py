"""Resampling against torchaudio's, and in blocks against the whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchaudio.functional import resample

from percept.speech.resample import BETA, CROSSINGS, ROLLOFF, Resampler, resampled

RATES = [
    (8000, 16_000),
    (44_100, 16_000),
    (48_000, 16_000),
    (22_050, 16_000),
    (1000, 16_000),
    (192_000, 16_000),
    (37, 40),
]


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(count).uniform(-1, 1, count).astype(np.float32)


@pytest.mark.parametrize(("rate", "to"), RATES)
def test_equal_to_torchaudio(rate: int, to: int) -> None:
    samples = noise(20_011)
    filters = {"lowpass_filter_width": CROSSINGS, "rolloff": ROLLOFF, "beta": BETA}
    # In double precision: in single, torchaudio's filter is itself off by 1e-4.
    double = torch.from_numpy(samples).double()
    expected = resample(double, rate, to, resampling_method="sinc_interp_kaiser", **filters).numpy()
    found = resampled(samples, rate, to)
    assert found.dtype == np.float32 and found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-5


@pytest.mark.parametrize(("rate", "to"), [*RATES, (44_101, 16_000), (16_001, 16_000), (15_999, 16_000)])
def test_blocks_of_any_length_join_without_seams(rate: int, to: int) -> None:
    samples, rng = noise(30_000), np.random.default_rng(rate)
    resampler, parts, place = Resampler(rate, to), [], 0
    while place < len(samples):
        length = int(rng.choice([0, 1, 2, 17, 900, 5000]))
        parts.append(resampler.feed(samples[place : place + length]))
        place += length
    parts.append(resampler.finish())
    whole = resampled(samples, rate, to)
    assert len(whole) == -(-len(samples) * to // rate)
    assert np.abs(np.concatenate(parts) - whole).max() < 1e-6


@pytest.mark.parametrize("rate", [44_101, 48_010, 12_207, 15_999])
def test_rates_without_a_common_factor_keep_time(rate: int) -> None:
    time = np.arange(3 * rate) / rate
    found = resampled(np.sin(2 * np.pi * 1000 * time).astype(np.float32), rate, 16_000)
    expected = np.sin(2 * np.pi * 1000 * np.arange(len(found)) / 16_000)
    inner = slice(1000, -1000)
    assert np.sqrt(np.square(found[inner] - expected[inner]).mean()) < 2e-5  # 90 dB below the tone


def test_what_lies_above_the_new_band_is_gone() -> None:
    time = np.arange(48_000) / 48_000
    found = resampled(np.sin(2 * np.pi * 9000 * time).astype(np.float32), 48_000, 16_000)
    assert np.abs(found[1000:-1000]).max() < 1e-4
    found = resampled(np.sin(2 * np.pi * 7000 * time).astype(np.float32), 48_000, 16_000)
    assert np.abs(found[1000:-1000]).max() > 0.95


def test_little_and_nothing() -> None:
    assert len(resampled(noise(0), 8000, 16_000)) == 0
    assert len(resampled(noise(1), 8000, 16_000)) == 2
    assert len(resampled(noise(1), 48_000, 16_000)) == 1
    same = noise(5)
    assert resampled(same, 16_000, 16_000) is same
