"""A picture of what was heard: waveform, spectrogram, what the network says, and the path through it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from percept.core.files import write_atomic
from percept.speech.acoustic.result import Command, Transcript
from percept.speech.audio import RATE
from percept.speech.features import HOP
from percept.speech.phones import PHONES, SILENCE

LONGEST = 20.0  # seconds that are drawn; of a longer recording the first
SECOND, NARROWEST = 2.6, 8.0  # inches of the picture's width: a second of sound, and at least
GREY, LINE = "0.35", "#d1495b"


def draw(path: Path, found: Transcript) -> None:
    """Write a PNG of a recording, from above: waveform under its words, mel bands under its phones, and phones.

    Raises:
        ValueError: what was heard was not kept.
        PerceptError: the disk is full, or the folder may not be written.
    """
    from matplotlib.figure import Figure  # slow to import, and seldom wanted

    if found.heard is None:
        raise ValueError(f"{found.input}: what was heard was not kept with its transcript")
    samples, mels, frames = found.heard.samples, found.heard.mels, found.heard.chances
    seconds = min(LONGEST, len(samples) / RATE)
    samples = samples[: round(seconds * RATE)]
    count = max(1, -(-len(samples) // HOP))
    figure = Figure(figsize=(max(NARROWEST, SECOND * seconds), 8.5), dpi=100, layout="constrained")
    wave, bands, chances = figure.subplots(3, 1, sharex=True, height_ratios=(1, 1.5, 3))
    extent = (0.0, count * HOP / RATE)
    step = max(1, len(samples) // 8000)
    wave.plot(np.arange(0, len(samples), step) / RATE, samples[::step], color=GREY, linewidth=0.6)
    wave.set(yticks=[], ylabel="waveform", xlim=extent)
    bands.imshow(mels[:count].T, origin="lower", aspect="auto", extent=(*extent, 0, mels.shape[1]), cmap="magma")
    bands.set(yticks=[], ylabel="mel bands")
    names = (SILENCE, *PHONES)
    chances.imshow(
        frames[:count].T, origin="upper", aspect="auto", extent=(*extent, len(names) - 0.5, -0.5), cmap="Greys", vmax=1
    )
    chances.set(yticks=range(len(names)), yticklabels=names, ylabel="phones", xlabel="seconds")
    chances.tick_params(axis="y", labelsize=6)
    _parts(wave, found.words or (), seconds)
    _parts(bands, found.shown, seconds)
    for one in found.phones:
        if one.start < seconds and one.label in names:
            at = names.index(one.label)
            chances.plot((one.start, min(one.end, seconds)), (at, at), color=LINE, linewidth=2, alpha=0.8)
    _write(path, figure)


def draw_command(path: Path, mels: np.ndarray, found: Command, said: str) -> None:
    """Write a PNG of a command word: mel bands (T, 40), and the likeliest words; ``said`` is the right one.

    Raises:
        PerceptError: the disk is full, or the folder may not be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(NARROWEST, 3), dpi=100, layout="constrained")
    bands, bars = figure.subplots(1, 2, width_ratios=(2, 1))
    extent = (0.0, len(mels) * HOP / RATE, 0.0, mels.shape[1])
    bands.imshow(mels.T, origin="lower", aspect="auto", extent=extent, cmap="magma")
    bands.set(yticks=[], xlabel="seconds", title=f"{found.input}: {said}")
    names, shares = zip(*reversed(found.probabilities[:5]), strict=True)
    bars.barh(names, shares, color=[LINE if name == said else GREY for name in names])
    bars.set(xlim=(0, 1), xlabel="probability")
    _write(path, figure)


def _write(path: Path, figure: Any) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    write_atomic(path, picture.getvalue())


def _parts(axes: Any, parts: Any, seconds: float) -> None:
    """Names above the axes, and a line where each begins."""
    for one in parts:
        if one.start < seconds:
            axes.axvline(one.start, color=LINE, linewidth=0.5, alpha=0.7)
            middle = (one.start + min(one.end, seconds)) / 2
            axes.text(middle, 1.02, one.label, transform=axes.get_xaxis_transform(), ha="center", fontsize=7)
