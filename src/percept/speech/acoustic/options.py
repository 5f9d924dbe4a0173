"""Options of acoustic. Imports neither torch, numpy, numba nor soundfile: ``percept acoustic --help`` must answer at
once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from percept.core.options import argument, option
from percept.core.verbs import EvaluateOptions, ExportOptions, PredictOptions, TrainOptions

DATASETS = Path(__file__).with_name("datasets.toml")
MODELS = ("compact", "tdnn", "nyu-ibm", "sercu")
UNITS = ("phones", "words")
ALPHABETS = ("arpabet", "ipa")
FORMATS = ("table", "text", "json", "jsonl", "csv", "ctm", "textgrid", "srt", "vtt")


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How sound is decoded; shared by predict and eval."""

    vocab: str = option(
        "",
        "words that may be said: all = the dictionary, none = phones only, digits, or a file with a word a line",
        group="Model",
        metavar="all|none|digits|FILE",
        shown_default="all",
    )
    lexicon: str = option("", "pronunciations that go before the dictionary's", group="Model", metavar="FILE")
    lm: str = option(
        "", "language model of the words", group="Model", metavar="FILE.arpa", shown_default="of the weights"
    )
    lm_weight: float = option(
        -1.0, "how much the language model counts", group="Model", low=-1.0, shown_default="of the weights"
    )
    beam: float = option(
        12.0, "paths this much less likely than the best are given up (natural log)", group="Speed", low=1.0
    )


@dataclass(frozen=True, kw_only=True)
class Predict(Decoding, PredictOptions):
    """``percept acoustic AUDIO...``"""

    inputs: tuple[str, ...] = argument(
        "sound files, folders, globs, lists (@list.txt), or - for stdin", metavar="AUDIO...", repeat=True
    )
    phones: str = option("arpabet", "alphabet of the phones", group="Output", choices=ALPHABETS)
    format: str = option("table", "what stdout carries", group="Output", choices=FORMATS)
    save: bool = option(False, "draw waveform, spectrogram, posteriors and path (with --out)", group="Output")

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = []
        if not self.out:
            found.append(("save", "nothing is drawn without --out DIR"))
        if self.json and self.format != "json":
            found.append(("format", "--json chooses the format"))
        if self.vocab == "none":
            found += [(name, "--vocab none knows no words") for name in ("lexicon", "lm", "lm_weight")]
        return found


@dataclass(frozen=True, kw_only=True)
class Train(TrainOptions):
    """``percept train acoustic``"""

    ema: float = option(0.999, "decay of the weights' running mean; 0 = off", group="Training", low=0.0, high=0.99999)
    units: str = option(
        "",
        "what is learnt: phones of sentences, or whole words from a folder of folders",
        group="Model",
        choices=UNITS,
        shown_default="what the data holds",
    )
    model: str = option("compact", "network", group="Model", choices=MODELS)
    width: int = option(256, "channels of compact", group="Model", low=16, high=2048)
    blocks: int = option(8, "blocks of compact", group="Model", low=1, high=64)
    states: int = option(3, "parts of a phone that are told apart", group="Model", low=1, high=3)
    align_with: str = option(
        "",
        "weights that find where the phones are, where the data does not say it",
        group="Training",
        metavar="NAME|FILE|RUN|none",
        shown_default="none: such recordings train the CTC head only",
    )
    ctc: float = option(1.0, "weight of the CTC loss; 0 = no such head", group="Training", low=0.0)
    augment: str = option(
        "full",
        "full = speed, noise, rooms, masks; light = speed and masks; none",
        group="Training",
        choices=("full", "light", "none"),
    )
    longest: float = option(
        20.0, "longer recordings are left out of the training", group="Training", unit="seconds", low=0.5
    )
    lexicon: str = option("", "pronunciations that go before the dictionary's", group="Input", metavar="FILE")
    split: str = option(
        "train",
        "part that is learnt from; without-NAME is all but one speaker, whom eval --split only-NAME measures",
        group="Input",
    )
    cache: int = option(1000, "decoded sounds kept in memory", group="Speed", unit="MB", low=0)

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = super().without_effect()
        if self.model != "compact":
            found += [(name, f"{self.model} has layers of its own") for name in ("width", "blocks")]
        if self.units == "words":
            found += [(name, "whole words have no phones") for name in ("states", "align_with", "ctc", "lexicon")]
        return found


@dataclass(frozen=True, kw_only=True)
class Evaluate(Decoding, EvaluateOptions):
    """``percept eval acoustic``"""


@dataclass(frozen=True, kw_only=True)
class Export(ExportOptions):
    """``percept export acoustic``"""

    size: int = option(200, "length of the example that is traced", group="Model", unit="frames", low=32)
