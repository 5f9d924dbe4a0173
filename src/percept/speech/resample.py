"""Samples at another rate: a windowed sinc, block after block without seams.

As torchaudio.functional.resample does it, to which this is equal. That needs the whole recording at once, and a filter
with a row for each sample of the answer until the two rates meet again: 3 GB at 44,101 Hz. Here rows are interpolated.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache, partial

import numpy as np

from percept.core.kernels import kernel

# A Kaiser window over 32 zero crossings: 86 dB down in the stop band; flat to 7 kHz where the answer is at 16 kHz.
CROSSINGS, ROLLOFF, BETA = 32, 0.95, 8.6
PHASES = 512  # rows of a filter; between two of them a straight line is 105 dB near
EXACT = 1024  # phases up to which each has its own row


class Resampler:
    """Turns a stream of samples at ``rate`` into one at ``to``; the blocks joined are the whole resampled at once.

    rate, to: samples a second, whole numbers. The first sample of both streams is at the same time.
    """

    def __init__(self, rate: int, to: int) -> None:
        ratio = Fraction(rate, to)
        self._down, self._up = ratio.numerator, ratio.denominator
        self._filter = _filter(self._down, self._up)  # (phases + 1, 2 * reach)
        self._reach = self._filter.shape[1] // 2  # samples on either side that have a say
        self._kept, self._first = np.zeros(self._reach, np.float32), -self._reach  # samples, and the place of the first
        self._taken, self._given = 0, 0

    def feed(self, samples: np.ndarray) -> np.ndarray:
        """The next (N,) float32 samples of the stream; returns what is certain now of the answer, perhaps nothing."""
        self._taken += len(samples)
        return self._answer(samples, self._taken - self._reach)

    def finish(self) -> np.ndarray:
        """What is left once the stream has ended; ceil(N * to / rate) samples in all."""
        return self._answer(np.zeros(self._reach, np.float32), self._taken)

    def _answer(self, samples: np.ndarray, end: int) -> np.ndarray:
        """Take samples in; answer all that lies before the place ``end`` of the stream."""
        kept = np.concatenate([self._kept, samples], dtype=np.float32)
        until = max(self._given, -(-end * self._up // self._down))
        found = np.empty(until - self._given, np.float32)
        _convolve(kept, self._first, self._filter, self._given, self._down, self._up, found)
        self._given = until
        done = max(0, until * self._down // self._up - self._reach - self._first)  # samples that have had their say
        self._kept, self._first = kept[done:].copy(), self._first + done
        return found


def resampled(samples: np.ndarray, rate: int, to: int) -> np.ndarray:
    """(N,) float32 at ``rate`` -> (ceil(N * to / rate),) float32 at ``to``."""
    if rate == to:
        return samples
    resampler = Resampler(rate, to)
    return np.concatenate([resampler.feed(samples), resampler.finish()])


@lru_cache(maxsize=32)
def _filter(down: int, up: int) -> np.ndarray:
    """(phases + 1, 2 * reach) float32: row r weighs the samples around a place r / phases after one of them."""
    cut = min(1.0, up / down) * ROLLOFF  # of half the rate that comes
    reach = int(np.ceil(CROSSINGS / cut))
    phases = up if up <= EXACT else PHASES
    offset = np.arange(phases + 1)[:, None] / phases - np.arange(1 - reach, reach + 1)  # (phases + 1, 2 * reach)
    t = np.clip(offset * cut, -CROSSINGS, CROSSINGS)  # in zero crossings
    window = np.i0(BETA * np.sqrt(1 - np.square(t / CROSSINGS))) / np.i0(BETA)
    return (cut * np.sinc(t) * window).astype(np.float32)


@partial(kernel, fastmath={"reassoc", "contract"})  # sums in any order: eight at a time
def _convolve(samples, first, rows, begin, down, up, found):
    """found (n,): the answer from its sample ``begin`` on; samples (N,): the stream from its sample ``first`` on."""
    phases, taps = rows.shape[0] - 1, rows.shape[1]
    for n in range(found.shape[0]):
        place = (begin + n) * down // up
        phase = ((begin + n) * down - place * up) * phases
        row = phase // up
        share = np.float32((phase - row * up) / up)
        start = place + 1 - taps // 2 - first
        total = np.float32(0)
        for k in range(taps):
            total += rows[row, k] * samples[start + k]
        if share > 0:
            further = np.float32(0)
            for k in range(taps):
                further += rows[row + 1, k] * samples[start + k]
            total += share * (further - total)
        found[n] = total
