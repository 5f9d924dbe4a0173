"""Log-mel frames against their definition, their normalisation, and both in blocks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from percept.speech.features import (
    FLOOR,
    HOP,
    MELS,
    SPREAD,
    WINDOW,
    Stream,
    _tables,
    frames,
    log_mel,
    normalised,
    streamed,
)
from percept.speech.resample import resampled


def noise(count: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 0.05, count).astype(np.float32))


def speech(seconds: float) -> np.ndarray:
    """Bursts of noise with pauses, as loud and as wide as speech."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    loudness = 0.1 * np.clip(np.sin(2 * np.pi * 3 * time), 0, 1) ** 2 + 0.001
    return (loudness * np.random.default_rng(1).normal(0, 1, len(time))).astype(np.float32)


def by_definition(samples: np.ndarray) -> np.ndarray:
    """(N,) -> (T, 40), a frame and a band at a time, in double precision."""
    count = -(-len(samples) // HOP)
    padded = np.concatenate([np.zeros(120), samples, np.zeros(600)])
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))
    mel = 2595 * np.log10(1 + np.array([20.0, 7600.0]) / 700)
    edges = 700 * (10 ** (np.linspace(*mel, MELS + 2) / 2595) - 1)  # Hz
    hertz = np.arange(257) * 16_000 / 512
    found = np.empty((count, MELS))
    for t in range(count):
        power = np.abs(np.fft.rfft(padded[t * HOP : t * HOP + WINDOW] * window, 512)) ** 2
        for band in range(MELS):
            low, middle, high = edges[band : band + 3]
            weights = np.clip(np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle)), 0, None)
            found[t, band] = np.log(weights @ power + FLOOR)
    return found


def means_by_definition(mels: np.ndarray, reach: int) -> np.ndarray:
    count, length = len(mels), min(2 * reach + 1, len(mels))
    firsts = [min(max(t - reach, 0), count - length) for t in range(count)]
    return np.stack([mels[first : first + length].mean(axis=0) for first in firsts])


@pytest.mark.parametrize("count", [1, 159, 160, 161, 400, 4000, 4001])
def test_frames_are_what_their_definition_says(count: int) -> None:
    samples = noise(count, count)
    found = log_mel(samples)
    assert found.shape == (frames(count), MELS) and found.dtype == torch.float32
    assert np.abs(found.numpy() - by_definition(samples.numpy().astype(float))).max() < 1e-3


def test_batches_are_their_rows() -> None:
    batch = torch.stack([noise(5000, seed) for seed in range(6)]).reshape(2, 3, 5000)
    found = log_mel(batch)
    assert found.shape == (2, 3, frames(5000), MELS)
    assert torch.allclose(found[1, 2], log_mel(batch[1, 2]), atol=1e-5)
    assert torch.allclose(normalised(found)[1, 2], normalised(found[1, 2]), atol=1e-5)


def test_longer_than_a_piece_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = noise(20_000)
    whole = log_mel(samples)
    monkeypatch.setattr("percept.speech.features.PIECE", 7)
    assert torch.allclose(log_mel(samples), whole, atol=1e-6)


def test_precision_and_gradients_are_the_callers_no_matter_who_came_first() -> None:
    samples = noise(8000)
    _tables.cache_clear()
    with torch.inference_mode():
        whole = log_mel(samples).clone()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.allclose(log_mel(samples), whole, atol=1e-6)
    samples.requires_grad_()
    log_mel(samples).sum().backward()
    assert samples.grad is not None and bool(torch.isfinite(samples.grad).all())


def test_a_frame_is_centred_in_its_ten_milliseconds() -> None:
    for t in (0, 1, 20, 49):
        samples = torch.zeros(50 * HOP)
        samples[t * HOP + HOP // 2] = 1.0
        loudness = log_mel(samples).mean(dim=1)  # (50,)
        assert int(loudness.argmax()) == t
        if 0 < t < 49:
            assert loudness[t - 1] == pytest.approx(float(loudness[t + 1]), abs=0.1)


def test_a_tone_is_in_its_band() -> None:
    time = torch.arange(16_000) / 16_000
    places = [
        int(log_mel(torch.sin(2 * torch.pi * hertz * time))[50].argmax()) for hertz in (100, 500, 1000, 4000, 7000)
    ]
    assert places == sorted(places) and len(set(places)) == 5
    assert places[0] <= 2 and places[-1] >= MELS - 3


def test_silence_and_no_samples() -> None:
    found = log_mel(torch.zeros(16_000))
    assert torch.equal(found, torch.full((100, MELS), FLOOR).log())
    assert not normalised(found).any()
    assert log_mel(torch.zeros(0)).shape == (0, MELS) and log_mel(torch.zeros(3, 0)).shape == (3, 0, MELS)
    assert normalised(torch.zeros(0, MELS)).shape == (0, MELS)


def test_a_telephones_missing_bands_are_their_own_mean() -> None:
    wide = speech(6.0)
    telephone = resampled(resampled(wide, 16_000, 8000), 8000, 16_000)
    found = normalised(log_mel(torch.from_numpy(telephone)))
    above, below = found[:, 33:], found[:, :27]  # above 4.8 kHz, below 3.2 kHz
    assert above[1:-1].abs().max() < 0.1 and below.std() > 0.5
    assert above.abs().max() < 0.5  # where the sound breaks off at its ends
    assert torch.isfinite(found).all()


def test_loudness_falls_with_the_mean() -> None:
    samples = torch.from_numpy(speech(5.0))
    one, other = (normalised(log_mel(samples * gain)) for gain in (1.0, 0.2))
    assert (one - other).abs().mean() < 0.02


def test_of_speech_the_spread_is_about_one() -> None:
    assert 0.4 < normalised(log_mel(torch.from_numpy(speech(6.0)))).std() < 1.5


@pytest.mark.parametrize(
    ("count", "reach"), [(1, 150), (30, 150), (301, 150), (302, 150), (700, 150), (20, 0), (50, 3)]
)
def test_the_mean_slides_and_stops_at_the_ends(count: int, reach: int) -> None:
    mels = noise(count * MELS, count).reshape(count, MELS) * 100 - 7
    expected = (mels.numpy() - means_by_definition(mels.numpy().astype(float), reach)) / SPREAD
    assert np.abs(normalised(mels, reach).numpy() - expected).max() < 1e-5


@pytest.mark.parametrize("count", [0, 1, 500, 16_000, 48_160, 48_161, 48_320, 100_000, 160_001])
@pytest.mark.parametrize("reach", [150, 10])
def test_a_stream_is_the_whole(count: int, reach: int) -> None:
    samples, rng = noise(count, count), np.random.default_rng(count)
    samples *= torch.linspace(0.1, 3, count)
    stream, parts, place = Stream(reach), [], 0
    while place < count:
        length = int(rng.choice([1, 160, 1000, 7777, 40_000]))
        parts.append(stream.feed(samples[place : place + length].numpy()))
        place += length
    parts.append(stream.finish())
    whole = normalised(log_mel(samples), reach)
    found = torch.cat(parts)
    assert found.shape == whole.shape == (frames(count), MELS)
    assert count == 0 or (found - whole).abs().max() < 1e-4


def test_a_stream_answers_as_soon_as_it_can_and_keeps_little() -> None:
    stream, given = Stream(), 0
    for block in range(60):  # half a second each
        found = stream.feed(noise(8000, block))
        assert len(stream._mels) <= 400 and len(stream._samples) < WINDOW
        given += len(found)
        there = (8000 * (block + 1) - WINDOW + 120) // HOP + 1
        assert given == (there - 150 if there > 300 else 0)
    assert given + len(stream.finish()) == 3000


def test_blocks_as_frames() -> None:
    samples = noise(70_000)
    parts = list(streamed(samples.split(9000)))
    assert all(len(part) for part in parts)
    assert torch.allclose(torch.cat(parts), normalised(log_mel(samples)), atol=1e-4)
    assert list(streamed([])) == []
