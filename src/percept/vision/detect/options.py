"""Options of detect. Imports neither torch nor cv2 nor numpy: ``percept detect --help`` must answer at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from percept.core.options import argument, option
from percept.core.verbs import EvaluateOptions, ExportOptions, PredictOptions, TrainOptions

DATASETS = Path(__file__).with_name("datasets.toml")
MODELS = ("compact", "overfeat-fast", "overfeat-accurate")
MERGES = ("vote", "nms", "overfeat")
FORMATS = ("table", "json", "jsonl", "csv", "coco", "voc", "yolo")


@dataclass(frozen=True, kw_only=True)
class Dense:
    """How a photo is looked at and its windows merged; shared by predict and eval."""

    scales: tuple[int, ...] = option(
        (),
        "longest side of the photo at each level of the pyramid",
        group="Model",
        unit="pixels",
        low=32,
        high=4096,
        shown_default="those of the weights",
    )
    merge: str = option("", "how windows become objects", group="Model", choices=MERGES, shown_default="of the weights")
    tta: bool = option(False, "look at the mirrored photo too", group="Model")
    max: int = option(100, "most objects a photo", group="Output", low=1)


@dataclass(frozen=True, kw_only=True)
class Predict(Dense, PredictOptions):
    """``percept detect INPUT...``"""

    inputs: tuple[str, ...] = argument(
        "photos, folders, globs, lists (@list.txt), videos, camera:0, or - for stdin", metavar="INPUT...", repeat=True
    )
    conf: float = option(0.4, "lowest score shown; at 0.5 about half are right", group="Output", low=0.0, high=1.0)
    classes: tuple[str, ...] = option((), "only these classes, commas between", group="Output", shown_default="all")
    format: str = option(
        "table", "what stdout carries; with --out, voc and yolo write a file a photo", group="Output", choices=FORMATS
    )
    save: tuple[str, ...] = option(
        ("picture",),
        "what --out keeps of each photo: picture, crops, heat, none",
        group="Output",
        choices=("picture", "crops", "heat", "none"),
        shown_default="picture",
    )
    every: int = option(1, "of a video only each so many frames", group="Input", low=1)

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = [] if self.out else [("save", "nothing is kept without --out DIR")]
        return found + ([("format", "--json chooses the format")] if self.json and self.format != "json" else [])


@dataclass(frozen=True, kw_only=True)
class Train(TrainOptions):
    """``percept train detect``"""

    batch: int = option(8, "photos a step, over all processes", group="Training", low=1)
    model: str = option("compact", "network", group="Model", choices=MODELS)
    width: float = option(1.0, "channels of an overfeat network, as a share of the paper's", group="Model", low=0.01)
    size: int = option(
        416, "longest side of the photos in training", group="Training", unit="pixels", low=64, high=2048
    )
    scales: tuple[int, ...] = option(
        (),
        "longest side of the photo at each level of the pyramid that the weights will answer with",
        group="Model",
        unit="pixels",
        low=32,
        high=4096,
        shown_default="--size",
    )
    multiscale: float = option(
        0.25, "vary the size of each batch by this share up and down", group="Training", low=0.0, high=0.7
    )
    augment: str = option(
        "full",
        "what is changed: full = mosaic, crops, flips, colours; light = flips, crops",
        group="Training",
        choices=("full", "light", "none"),
    )
    mosaic_off: int = option(5, "epochs at the end without mosaic", group="Training", low=0)
    freeze: str = option("none", "what is not trained", group="Training", choices=("none", "trunk", "all-but-heads"))
    distil: float = option(0.0, "weight of staying near the start's own answers", group="Training", low=0.0)
    negatives: int = option(
        0, "hardest background windows that count, per object; 0 = all windows", group="Training", low=0
    )
    cache: int = option(2000, "decoded photos kept in memory", group="Speed", unit="MB", low=0)

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = super().without_effect()
        if self.model == "compact":
            found.append(("width", "compact has one width"))
        else:
            found.append(("distil", "only compact has a start to stay near"))
            found.append(("negatives", "OverFeat takes three for each object window, as the paper does"))
        if self.augment != "full":
            found.append(("mosaic_off", "there is no mosaic without --augment full"))
        return found


@dataclass(frozen=True, kw_only=True)
class Evaluate(Dense, EvaluateOptions):
    """``percept eval detect``"""


@dataclass(frozen=True, kw_only=True)
class Export(ExportOptions):
    """``percept export detect``"""

    size: int = option(416, "height and width of the example that is traced", group="Model", unit="pixels", low=32)
