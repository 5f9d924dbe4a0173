"""What the networks hear: 40 log-mel bands every 10 ms, minus their mean over the three seconds around.

Abdel-Hamid et al. 2014 and Sainath et al. 2013 feed their ConvNets so: energies of bands, whose neighbours are
neighbours in frequency, instead of cepstra, which mix them all. The mean taken off is what the microphone, the room
and the loudness have in common over a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks

from percept.speech.audio import RATE

HOP, WINDOW, MELS = 160, 400, 40  # samples, samples, bands
FRAME = HOP / RATE  # seconds
LOW, HIGH = 20.0, 7600.0  # Hz
POINTS = 512  # of the Fourier transform
LEAD = (WINDOW - HOP) // 2  # samples of the first window that lie before the recording: frame t is centred in its 10 ms
# Added to the power of each band. It is five times what rounding to 16 bits leaves in the widest band, so that nothing
# that a file holds is lost in it; and what holds nothing (bands above 4 kHz of a telephone's sound, digital silence)
# becomes the same constant everywhere, zero once the mean is taken off, and not the logarithm of an accident.
FLOOR = 1e-6
SPREAD = 3.5  # deviation of speech from its sliding mean, all bands together: 3.2 to 3.9 in four data sets at 16 kHz
REACH = 150  # frames
PIECE = 6000  # frames transformed at a time: a minute, 25 MB


def frames(samples: int) -> int:
    """How many frames so many samples at 16 kHz make; frame t covers the samples t * HOP to (t + 1) * HOP.

    >>> frames(16_000), frames(16_001), frames(0)
    (100, 101, 0)
    """
    return -(-samples // HOP)


def log_mel(samples: Tensor) -> Tensor:
    """Natural logarithm of the power in mel bands: (..., N) at 16 kHz -> (..., T, 40), T = frames(N).

    Windows of 25 ms (Hann) are centred at t * HOP + HOP / 2; before and after the recording there is silence. The bands
    are triangles on the mel scale, 20 to 7,600 Hz. No pre-emphasis: it is a constant here, and falls with the mean.
    """
    count = frames(samples.shape[-1])
    after = LEAD + count * HOP - samples.shape[-1]
    return _mels(F.pad(samples.float(), (LEAD, after)), count)


def normalised(mels: Tensor, reach: int = REACH) -> Tensor:
    """(..., T, 40) minus their mean over the 2 * reach + 1 frames around each, by SPREAD.

    Towards the ends these frames are the first or the last so many; of a shorter recording, all.
    """
    count = mels.shape[-2]
    return _centred(mels, torch.arange(count, device=mels.device), count, reach) if count else mels


class Stream:
    """normalised(log_mel(recording)) of a recording that comes block by block, in bounded memory.

    A frame is certain once ``reach`` more are there, the first ones once 2 * reach + 1 are.
    """

    def __init__(self, reach: int = REACH) -> None:
        self._reach = reach
        self._samples = torch.zeros(LEAD)  # from the beginning of the next window on
        self._mels = torch.zeros(0, MELS)  # as many as the next answer may need
        self._taken, self._framed, self._given = 0, 0, 0  # samples, frames made of them, frames answered

    def feed(self, samples: np.ndarray | Tensor) -> Tensor:
        """The next (N,) float32 samples at 16 kHz; returns (T, 40) frames, those that are certain now, perhaps none."""
        self._taken += len(samples)
        self._frame(torch.as_tensor(samples), max(0, (self._taken - WINDOW + LEAD) // HOP + 1))
        certain = self._framed - self._reach if self._framed > 2 * self._reach else 0
        return self._answer(max(certain, self._given))

    def finish(self) -> Tensor:
        """(T, 40): the frames that are left once the recording has ended."""
        count = frames(self._taken)
        self._frame(torch.zeros(LEAD + count * HOP - self._taken), count)
        return self._answer(count)

    def _frame(self, samples: Tensor, count: int) -> None:
        """Take samples in; make of all so far ``count`` frames."""
        kept = torch.cat([self._samples, samples.float()])  # (N,)
        more = count - self._framed
        if more > 0:
            self._mels = torch.cat([self._mels, _mels(kept, more)])  # (T, 40)
            kept = kept[more * HOP :]
            self._framed = count
        self._samples = kept

    def _answer(self, end: int) -> Tensor:
        """The frames from the next to ``end``, with their means over frames of which enough are kept."""
        before = self._framed - len(self._mels)  # frames that are no longer kept
        places = torch.arange(self._given - before, end - before)
        found = _centred(self._mels, places, len(self._mels), self._reach) if len(places) else self._mels[:0]
        self._given = end
        # One more than reach: at the end the window is moved inwards until it has its full length again.
        self._mels = self._mels[max(0, end - self._reach - 1 - before) :].clone()
        return found


def streamed(blocks: Iterable[np.ndarray], reach: int = REACH) -> Iterator[Tensor]:
    """(T', 40) normalised frames, as many at a time as blocks of samples make certain; never none."""
    stream = Stream(reach)
    for block in blocks:
        if len(found := stream.feed(block)):
            yield found
    if len(found := stream.finish()):
        yield found


def _mels(samples: Tensor, count: int) -> Tensor:
    """(..., N) -> (..., count, 40) of windows that begin every HOP samples, from the first on."""
    if not count:
        return samples.new_zeros(*samples.shape[:-1], 0, MELS)
    window, bands = _tables(samples.device)
    windows = samples.unfold(-1, WINDOW, HOP)[..., :count, :]  # (..., T, WINDOW)
    found = []
    with torch.autocast(samples.device.type, enabled=False):  # half precision has no room for 120 dB
        for piece in windows.split(PIECE, dim=-2):
            spectrum = torch.fft.rfft(piece * window, POINTS)  # (..., T, POINTS / 2 + 1)
            power = spectrum.real.square() + spectrum.imag.square()
            found.append((power @ bands + FLOOR).log())  # (..., T, 40)
    return torch.cat(found, dim=-2)


def _centred(mels: Tensor, places: Tensor, count: int, reach: int) -> Tensor:
    """The frames at ``places`` (P,) of mels (..., count, 40), minus the means around them: (..., P, 40)."""
    length = min(2 * reach + 1, count)
    first = (places - reach).clamp(0, count - length)  # (P,)
    sums = F.pad(mels.double().cumsum(dim=-2), (0, 0, 1, 0))  # (..., count + 1, 40): what comes before each frame
    means = (sums.index_select(-2, first + length) - sums.index_select(-2, first)) / length  # (..., P, 40)
    return ((mels.index_select(-2, places) - means) / SPREAD).float()


@lru_cache(maxsize=4)
def _tables(device: torch.device) -> tuple[Tensor, Tensor]:
    """The window, (WINDOW,), and the bands, (POINTS / 2 + 1, 40)."""
    with torch.inference_mode(False):  # they stay, and may be asked for again where gradients are
        bands = melscale_fbanks(POINTS // 2 + 1, LOW, HIGH, MELS, RATE, norm=None, mel_scale="htk")
        return torch.hann_window(WINDOW, periodic=False).to(device), bands.to(device)
