"""Options of classify. Imports neither torch nor cv2 nor numpy: ``percept classify --help`` must answer at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from percept.core.options import argument, option
from percept.core.verbs import EvaluateOptions, ExportOptions, PredictOptions, TrainOptions

DATASETS = Path(__file__).with_name("datasets.toml")
MODELS = ("mobilenet-v2", "overfeat-fast", "overfeat-accurate")
VOTES = ("mean", "max")
FORMATS = ("table", "json", "jsonl", "csv")


@dataclass(frozen=True, kw_only=True)
class Dense:
    """How a photo is looked at; shared by predict and eval."""

    scales: tuple[int, ...] = option(
        (),
        "shortest side of the photo at each scale",
        group="Model",
        unit="pixels",
        low=32,
        high=4096,
        shown_default="those of the weights",
    )
    vote: str = option(
        "", "how the windows of a scale vote", group="Model", choices=VOTES, shown_default="of the weights"
    )
    tta: bool = option(False, "look at the mirrored photo too", group="Model")


@dataclass(frozen=True, kw_only=True)
class Predict(Dense, PredictOptions):
    """``percept classify INPUT...``"""

    inputs: tuple[str, ...] = argument(
        "photos, folders, globs, lists (@list.txt), or - for stdin", metavar="INPUT...", repeat=True
    )
    top: int = option(5, "classes shown", group="Output", low=1)
    format: str = option("table", "what stdout carries", group="Output", choices=FORMATS)
    map: str = option("", "draw where it sees this class (with --out)", group="Output", metavar="CLASS")

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = [] if self.out else [("map", "the picture is drawn into --out DIR")]
        return found + ([("format", "--json chooses the format")] if self.json and self.format != "json" else [])


@dataclass(frozen=True, kw_only=True)
class Train(TrainOptions):
    """``percept train classify``"""

    model: str = option("mobilenet-v2", "network", group="Model", choices=MODELS)
    width: float = option(1.0, "channels of an overfeat network, as a share of the paper's", group="Model", low=0.01)
    size: int = option(224, "side of the training pictures", group="Training", unit="pixels", low=32, high=1024)
    freeze: str = option("none", "what is not trained", group="Training", choices=("none", "trunk"))

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = super().without_effect()
        if self.model == "mobilenet-v2":
            found.append(("width", "mobilenet-v2 has one width"))
        return found


@dataclass(frozen=True, kw_only=True)
class Evaluate(Dense, EvaluateOptions):
    """``percept eval classify``"""


@dataclass(frozen=True, kw_only=True)
class Export(ExportOptions):
    """``percept export classify``"""

    size: int = option(224, "height and width of the example that is traced", group="Model", unit="pixels", low=32)
