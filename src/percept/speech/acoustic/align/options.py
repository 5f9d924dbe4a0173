"""Options of align. Imports neither torch, numpy, numba nor soundfile: ``percept align --help`` must answer at once.

Training and export are those of acoustic: the same networks, the same weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from percept.core.options import argument, option
from percept.core.verbs import EvaluateOptions, PredictOptions
from percept.speech.acoustic import options as acoustic
from percept.speech.acoustic.options import ALPHABETS, DATASETS

__all__ = ["DATASETS", "FORMATS", "Evaluate", "Export", "Predict", "Train"]

FORMATS = (*acoustic.FORMATS, "lab")
LEXICON = "pronunciations that go before the dictionary's"


@dataclass(frozen=True, kw_only=True)
class Predict(PredictOptions):
    """``percept align AUDIO TRANSCRIPT``"""

    inputs: tuple[str, ...] = argument(
        "sound and its words, in turn; sounds with .txt or .lab beside them; two folders (sounds, transcripts); "
        "folders of pairs, LibriSpeech's or Kaldi's",
        metavar="AUDIO TRANSCRIPT...",
        repeat=True,
    )
    text: str = option("", "the words of the one AUDIO, instead of a TRANSCRIPT", group="Input", short="-t")
    force: bool = option(False, "write also what does not fit its sound", group="Output")
    phones: str = option("arpabet", "alphabet of the phones", group="Output", choices=ALPHABETS)
    format: str = option(
        "table", "what stdout carries, or with --out a file each, beside TextGrids", group="Output", choices=FORMATS
    )
    save: bool = option(False, "draw waveform, spectrogram, posteriors and path (with --out)", group="Output")
    write_lexicon: str = option(
        "", "words without a known pronunciation, with what was guessed", group="Output", metavar="FILE"
    )
    lexicon: str = option("", LEXICON, group="Model", metavar="FILE")

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = []
        if not self.out:
            found.append(("save", "nothing is drawn without --out DIR"))
        if self.json and self.format != "json":
            found.append(("format", "--json chooses the format"))
        return found


@dataclass(frozen=True, kw_only=True)
class Train(acoustic.Train):
    """``percept train align``: the same as ``percept train acoustic``."""


@dataclass(frozen=True, kw_only=True)
class Evaluate(EvaluateOptions):
    """``percept eval align``"""

    shuffled: int = option(
        0, "also align so many recordings with the words of others: how many are noticed?", group="Input", low=0
    )
    lexicon: str = option("", LEXICON, group="Model", metavar="FILE")


@dataclass(frozen=True, kw_only=True)
class Export(acoustic.Export):
    """``percept export align``: the same as ``percept export acoustic``."""
