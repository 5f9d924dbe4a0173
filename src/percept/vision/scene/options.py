"""Options of scene-parse. Imports neither torch, cv2, numpy nor numba: ``percept scene-parse --help`` must answer at
once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from percept.core.options import argument, option
from percept.core.verbs import EvaluateOptions, ExportOptions, PredictOptions, TrainOptions

DATASETS = Path(__file__).with_name("datasets.toml")
MODELS = ("pyramid", "farabet")
SEGMENTS = ("none", "felzenszwalb", "slic", "seeds")
VOTES = ("majority", "soft", "gated", "cover")
FORMATS = ("table", "json", "jsonl", "csv")


@dataclass(frozen=True, kw_only=True)
class Parsing:
    """How a photo is parsed; shared by predict and eval."""

    size: int = option(
        0,
        "longest side at which the network sees a photo",
        group="Model",
        unit="pixels",
        low=0,
        high=16384,
        shown_default="that of the weights",
    )
    segments: str = option(
        "", "superpixels whose pixels vote", group="Model", choices=SEGMENTS, shown_default="of the weights"
    )
    vote: str = option(
        "",
        "majority of labels, soft = mean probabilities, gated = soft where the network is unsure, "
        "cover = the purest segments of a tree",
        group="Model",
        choices=VOTES,
        shown_default="of the weights",
    )
    tta: bool = option(False, "look at the mirrored photo too", group="Model")
    balance: float | None = option(
        None,
        "help rare classes: 0 = as trained, 1 = as if all were equally frequent",
        group="Model",
        low=0.0,
        high=1.0,
        shown_default="of the weights",
    )
    tile: int = option(
        1024, "larger pictures are parsed in overlapping tiles of this side", group="Speed", unit="pixels", low=256
    )

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = []
        if self.segments == "none" and self.vote != "cover":
            found.append(("vote", "--segments none has nothing that votes"))
        if self.vote == "cover":
            found.append(("segments", "--vote cover grows a tree of its own"))
        return found


@dataclass(frozen=True, kw_only=True)
class Predict(Parsing, PredictOptions):
    """``percept scene-parse INPUT...``"""

    inputs: tuple[str, ...] = argument(
        "photos, folders, globs, lists (@list.txt), videos, camera:0, or - for stdin", metavar="INPUT...", repeat=True
    )
    classes: tuple[str, ...] = option(
        (), "show only these classes, commas between", group="Output", shown_default="all"
    )
    soft: bool = option(False, "keep each class's probabilities too (with --out; .npz)", group="Output")
    temporal: bool = option(
        False, "steady the labels of a video or of numbered frames, by the past alone", group="Model"
    )
    format: str = option("table", "what stdout carries", group="Output", choices=FORMATS)
    every: int = option(1, "of a video only each so many frames", group="Input", low=1)

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = super().without_effect()
        if not self.out:
            found.append(("soft", "nothing is kept without --out DIR"))
        if self.json and self.format != "json":
            found.append(("format", "--json chooses the format"))
        return found


@dataclass(frozen=True, kw_only=True)
class Train(TrainOptions):
    """``percept train scene-parse``"""

    batch: int = option(8, "crops a step, over all processes", group="Training", low=1)
    model: str = option("pyramid", "network", group="Model", choices=MODELS)
    connections: str = option(
        "paper",
        "farabet's layers: paper = its partial tables, full = all to all",
        group="Model",
        choices=("paper", "full"),
    )
    size: int = option(
        320, "longest side of the photos, in training and for the weights", group="Training", unit="pixels", low=64
    )
    crop: int = option(256, "side of the square crops", group="Training", unit="pixels", low=32, high=2048)
    sampling: str = option(
        "natural",
        "how much classes count: as often as they occur, equally, or in between (root)",
        group="Training",
        choices=("natural", "root", "balanced"),
    )
    balance: float = option(0.0, "help rare classes, in choosing and in the weights", group="Model", low=0.0, high=1.0)
    augment: str = option(
        "full",
        "full = scale, turn, mirror, colours; light = mirror; none",
        group="Training",
        choices=("full", "light", "none"),
    )
    fold: int = option(
        0, "keep this fold of the set for eval, to cross-validate; 0 = train on all", group="Input", low=0
    )
    tune: bool = option(False, "choose superpixels and vote on the photos kept to choose by", group="Training")
    cache: int = option(1000, "decoded photos kept in memory", group="Speed", unit="MB", low=0)

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = super().without_effect()
        if self.model != "farabet":
            found.append(("connections", "only farabet has connection tables"))
        return found


@dataclass(frozen=True, kw_only=True)
class Evaluate(Parsing, EvaluateOptions):
    """``percept eval scene-parse``"""

    votes: bool = option(False, "measure all superpixels and votes too", group="Output")
    temporal: bool = option(
        False, "measure how steady the labels of a sequence are, alone and steadied", group="Output"
    )


@dataclass(frozen=True, kw_only=True)
class Export(ExportOptions):
    """``percept export scene-parse``"""

    size: int = option(320, "height and width of the example that is traced", group="Model", unit="pixels", low=32)
