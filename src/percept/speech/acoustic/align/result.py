"""What align answers for one recording: acoustic's words and phones with times, and whether they may be believed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from percept.speech.acoustic.align.verdict import Stretch
from percept.speech.acoustic.result import Transcript
from percept.speech.tiers import lab


@dataclass(frozen=True)
class Aligned(Transcript):
    """The words of a transcript in their sound.

    Attributes:
        fit: 0..1, how likely the words are those of the sound. fits: whether they may be believed.
        oov: words that no dictionary lists, whose pronunciation was guessed from their letters.
        strange: stretches of sound that the transcript does not hold, or where other words are heard.
    """

    fit: float = 1.0
    fits: bool = True
    oov: tuple[str, ...] = ()
    strange: tuple[Stretch, ...] = ()

    def __str__(self) -> str:
        """The answer for a person at a terminal: as of acoustic, without the text, which the person knows."""
        first, _, *lines = super().__str__().split("\n")
        return "\n".join([f"{first}   fit {self.fit:.2f}{'' if self.fits else ', does not fit'}", *lines])

    def to_json(self) -> dict[str, Any]:
        """One entry of "results"."""
        return {
            **super().to_json(),
            "fit": round(self.fit, 4),
            "fits": self.fits,
            "oov": list(self.oov),
            "strange": [one.to_json() for one in self.strange],
        }

    def to_lab(self) -> str:
        """ESPS's .lab of the phones."""
        return lab([part.segment for part in self.shown], Path(self.input).name)
