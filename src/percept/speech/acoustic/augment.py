"""Augmentation of training sounds: said faster or slower, in a room, in noise, over a telephone, too loud; and of their
features: heard from a longer or shorter throat, and masked (SpecAugment, Park et al. 2019).

All of it is a few Fourier transforms: 5 ms of one core for three seconds of sound that undergo everything, 1 for speed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import fft
from torch import Tensor

from percept.speech.audio import RATE
from percept.speech.features import HIGH, LOW, MELS
from percept.speech.resample import resampled

STEPS = 40  # speeds are whole multiples of 1/40: as many filters as there are speeds, each computed once
MAINS = (50.0, 60.0)  # Hz
HARMONICS = 16
VOICES = (3, 6)  # of a babble
RAMP = 150.0  # Hz, over which a telephone's band ends
FORMANTS = 4800.0  # Hz: up to here the length of a throat scales frequencies
BLOCK = 4096  # samples: lengths of Fourier transforms are multiples of it


@dataclass(frozen=True)
class Changes:
    """How much is changed; the defaults change nothing.

    speed: slowest and fastest, pitch with it (Ko et al. 2015).
    room: share of recordings heard in a room; echo: seconds in which its echo falls by 60 dB; direct: dB that the voice
    itself is above all of its echo.
    noise: share of recordings with noise; ratio: dB that the voice is above it.
    tract: the least and the most by which a throat's length scales frequencies (Jaitly & Hinton 2013).
    narrow: share cut to a telephone's band; clipped: share that is too loud for its recorder; gain: dB up or down.
    bands, widest: masks over the bands, and the bands of the widest; spans, longest, most: masks over time, the frames
    of the longest, and the share of the recording that none exceeds.
    """

    speed: tuple[float, float] = (1.0, 1.0)
    room: float = 0.0
    echo: tuple[float, float] = (0.1, 0.7)
    direct: tuple[float, float] = (0.0, 15.0)
    noise: float = 0.0
    ratio: tuple[float, float] = (5.0, 30.0)
    narrow: float = 0.0
    clipped: float = 0.0
    gain: float = 0.0
    tract: tuple[float, float] = (1.0, 1.0)
    bands: int = 0
    widest: int = 8
    spans: int = 0
    longest: int = 30
    most: float = 0.15


NONE = Changes()
VOICE = Changes(speed=(0.9, 1.1), tract=(0.9, 1.1))
LIGHT = replace(VOICE, bands=2, widest=6, spans=2, longest=20)
FULL = replace(VOICE, room=0.3, noise=0.5, narrow=0.1, clipped=0.05, gain=10.0, bands=2, spans=2)


def changed(
    samples: np.ndarray, rng: np.random.Generator, changes: Changes, others: Sequence[np.ndarray] = ()
) -> tuple[np.ndarray, float]:
    """A recording changed at random.

    Args:
        samples: (N,) float32 at 16 kHz; left as they are.
        others: recordings of other speakers; if there are any, some of the noise is their voices together.

    Returns:
        (N', ) float32, and the speed: what was at t seconds is now at t / speed.
    """
    slowest, fastest = (round(STEPS * factor) for factor in changes.speed)
    step = int(rng.integers(slowest, fastest, endpoint=True))
    found = resampled(samples, step, STEPS)  # (N / speed,)
    if not len(found):
        return found, step / STEPS
    if rng.random() < changes.room:
        found = in_room(found, rng.uniform(*changes.echo), rng.uniform(*changes.direct), rng)
    if rng.random() < changes.noise:
        found = with_noise(found, noise(len(found), rng, others), rng.uniform(*changes.ratio))
    if rng.random() < changes.narrow:
        found = narrowed(found, rng.uniform(50, 300), rng.uniform(3000, 4000))
    if rng.random() < changes.clipped:
        most = np.abs(found).max() * 10 ** (rng.uniform(-15, -3) / 20)
        found = found.clip(-most, most)
    if changes.gain:
        found = found * np.float32(10 ** (rng.uniform(-changes.gain, changes.gain) / 20))
    return found, step / STEPS


def spoken(mels: Tensor, factor: float) -> Tensor:
    """Features (T, 40) as from a throat that makes all frequencies ``factor`` times as high (Jaitly & Hinton 2013,
    section 3): each band takes what lies at its frequency divided by the factor; above FORMANTS less and less is
    moved, and the highest frequency stays."""
    if factor == 1.0:
        return mels
    edges = torch.linspace(_mel(LOW), _mel(HIGH), MELS + 2)
    hertz = 700 * (10 ** (edges[1:-1] / 2595) - 1)  # (40,) the middles of the bands
    knee = FORMANTS * min(factor, 1.0)  # where the two straight lines meet
    above = HIGH - (HIGH - hertz) * (HIGH - knee / factor) / (HIGH - knee)
    source = torch.where(hertz <= knee, hertz / factor, above)
    place = (2595 * (1 + source / 700).log10() - edges[1]) / (edges[1] - edges[0])
    place = place.clamp(0, MELS - 1)
    below = place.long().clamp(max=MELS - 2)
    share = place - below
    return mels[:, below] * (1 - share) + mels[:, below + 1] * share


def masked(mels: Tensor, rng: np.random.Generator, changes: Changes) -> Tensor:
    """Features (T, 40) with bands and spans of time replaced by the mean of all (Park et al. 2019, section 2).

    Masks are 0 to `widest` bands and 0 to `longest` frames across, and may overlap. Without any, nothing is copied.
    """
    if not (changes.bands or changes.spans):
        return mels
    found, mean = mels.clone(), mels.mean()
    count, bands = mels.shape
    for _ in range(changes.bands):
        first, end = _stretch(bands, min(changes.widest, bands), rng)
        found[:, first:end] = mean
    for _ in range(changes.spans):
        first, end = _stretch(count, min(changes.longest, int(changes.most * count)), rng)
        found[first:end] = mean
    return found


def in_room(samples: np.ndarray, echo: float, direct: float, rng: np.random.Generator) -> np.ndarray:
    """(N,) samples and their echo: noise that dies away, begun 2 to 20 ms after the voice, which stays where it was.

    echo: seconds in which the echo falls by 60 dB. direct: dB that the voice has above all of the echo.
    """
    count = max(1, round(echo * RATE))
    late = int(rng.uniform(0.002, 0.02) * RATE)
    tail = rng.standard_normal(count, np.float32) * np.logspace(0, -3, count, dtype=np.float32)
    response = np.zeros(late + count, np.float32)
    response[late:] = tail * np.float32(10 ** (-direct / 20) / np.sqrt(np.square(tail).sum()))
    response[0] = 1
    size = _size(len(samples) + len(response))
    found = fft.irfft(fft.rfft(samples, size) * fft.rfft(response, size), size)
    return found[: len(samples)].astype(np.float32)


def noise(count: int, rng: np.random.Generator, others: Sequence[np.ndarray] = ()) -> np.ndarray:
    """(count,) float32 of noise: other voices together, a mains hum, or hiss and rumble of a random colour, whose power
    falls with frequency as f ** -c: c is 0 (white) over 1 (pink) to 2 (brown)."""
    kind = rng.random()
    if len(others) and kind < 0.4:
        return _babble(count, rng, others)
    size = _size(count)
    if kind > 0.9:
        spectrum = np.zeros(size // 2 + 1, np.complex64)
        lines = np.arange(1, HARMONICS + 1) * (MAINS[int(rng.integers(2))] * size / RATE)
        phases = rng.uniform(0, 2 * np.pi, HARMONICS)
        spectrum[lines.round().astype(int)] = rng.random(HARMONICS) / np.arange(1, HARMONICS + 1) * np.exp(1j * phases)
    else:
        spectrum = rng.standard_normal(2 * (size // 2 + 1), np.float32).view(np.complex64)
        lines = np.maximum(np.arange(len(spectrum), dtype=np.float32), 20 * size / RATE)  # nothing rises below 20 Hz
        spectrum = spectrum * lines ** np.float32(-rng.uniform(0, 2) / 2)
    return fft.irfft(spectrum, size)[:count].astype(np.float32)


def with_noise(samples: np.ndarray, noise: np.ndarray, ratio: float) -> np.ndarray:
    """(N,) samples with noise (N,), ``ratio`` dB below them in power; silence stays silence."""
    powers = [float(np.square(values).mean(dtype=float)) for values in (samples, noise)]
    if not powers[1]:
        return samples
    return samples + noise * np.float32(np.sqrt(powers[0] / powers[1]) * 10 ** (-ratio / 20))


def narrowed(samples: np.ndarray, low: float, high: float) -> np.ndarray:
    """(N,) samples without what lies below ``low`` and above ``high`` Hz."""
    size = _size(len(samples))
    place = fft.rfftfreq(size, 1 / RATE)
    kept = np.clip(np.minimum(place - low, high - place) / RAMP + 1, 0, 1)  # 0 to 1 over RAMP below low and above high
    return fft.irfft(fft.rfft(samples, size) * kept.astype(np.float32), size)[: len(samples)].astype(np.float32)


def _babble(count: int, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    """(count,) float32: voices at once, equally loud, each from a random place on and begun again at its end."""
    found = np.zeros(count, np.float32)
    for _ in range(int(rng.integers(*VOICES, endpoint=True))):
        voice = others[int(rng.integers(len(others)))]
        power = float(np.square(voice).mean(dtype=float)) if len(voice) else 0.0
        if power:
            first = int(rng.integers(len(voice)))
            found += np.resize(np.concatenate([voice[first:], voice[:first]]), count) / np.float32(np.sqrt(power))
    return found


def _stretch(count: int, widest: int, rng: np.random.Generator) -> tuple[int, int]:
    """First and end of a stretch of 0 to ``widest`` among ``count``."""
    width = int(rng.integers(0, widest, endpoint=True))
    first = int(rng.integers(0, count - width, endpoint=True))
    return first, first + width


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def _size(count: int) -> int:
    return -(-count // BLOCK) * BLOCK
