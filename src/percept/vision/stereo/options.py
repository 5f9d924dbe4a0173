"""Options of stereo. Imports neither torch, cv2, numpy nor numba: ``percept stereo --help`` must answer at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from percept.core.options import argument, option
from percept.core.verbs import EvaluateOptions, ExportOptions, PredictOptions, TrainOptions

DATASETS = Path(__file__).with_name("datasets.toml")
MODELS = ("compact", "fast", "accurate")
STEPS = ("aggregation", "sgm", "check", "fill", "subpixel", "median", "bilateral")


@dataclass(frozen=True, kw_only=True)
class Matching:
    """How two views are matched; shared by predict and eval."""

    max_disp: str = option("auto", "largest disparity looked for, or auto", group="Model", metavar="auto|PIXELS")
    cost: str = option(
        "net", "what compares two places: the network, or census bits", group="Model", choices=("net", "census")
    )
    without: tuple[str, ...] = option(
        (),
        f"leave these clean-up steps out: {', '.join(STEPS)}",
        group="Model",
        choices=STEPS,
        shown_default="none",
    )
    paths: str = option("8", "directions of semi-global matching", group="Speed", choices=("4", "8"))
    memory: float = option(
        4.0,
        "most that matching may take; larger pictures are done in bands of rows",
        group="Speed",
        unit="GB",
        low=0.05,
    )

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = [("weights", "--cost census uses no network")] if self.cost == "census" else []
        if "sgm" in self.without:
            found.append(("paths", "--without sgm follows none"))
        return found


@dataclass(frozen=True, kw_only=True)
class Predict(Matching, PredictOptions):
    """``percept stereo LEFT RIGHT``"""

    inputs: tuple[str, ...] = argument(
        "two pictures, two folders or two globs (left, right); or folders that hold one pair each",
        metavar="LEFT RIGHT",
        repeat=True,
    )
    side_by_side: bool = option(
        False, "each input holds both views, the left one on the left (pictures, videos)", group="Input"
    )
    calib: str = option("", "calibration: adds depth in metres and a point cloud", group="Input", metavar="FILE")
    rectify: str = option(
        "", "rectify the pictures by this calibration first (OpenCV YAML)", group="Input", metavar="FILE"
    )
    every: int = option(1, "of a video take each N-th frame only", group="Input", low=1)
    format: str = option(
        "png", "disparity file: png = 16 bit, x256, 0 = none", group="Output", choices=("png", "pfm", "npy")
    )
    save: tuple[str, ...] = option(
        ("disparity", "color", "confidence", "cloud"),
        "what --out keeps of each pair; cloud only with --calib or --rectify",
        group="Output",
        choices=("disparity", "color", "confidence", "cloud"),
        shown_default="all of them",
    )

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = super().without_effect()
        if not self.out:
            found += [(key, "nothing is written without --out DIR") for key in ("save", "format")]
        if "disparity" not in self.save:
            found.append(("format", "--save leaves the disparity out"))
        if set(self.save) == {"cloud"} and not (self.calib or self.rectify):
            found.append(("save", "a cloud needs --calib FILE or --rectify FILE"))
        if self.calib and self.rectify:
            found.append(("calib", "--rectify FILE knows the calibration"))
        return found


@dataclass(frozen=True, kw_only=True)
class Train(TrainOptions):
    """``percept train stereo``"""

    batch: int = option(4, "crops a step, over all processes", group="Training", low=1)
    model: str = option("compact", "network", group="Model", choices=MODELS)
    width: float = option(1.0, "channels, as a share of the network's own", group="Model", low=0.05, high=4.0)
    layers: int = option(
        5, "3 x 3 layers of fast and accurate: 4 as on KITTI, 5 as on Middlebury", group="Model", low=2, high=8
    )
    size: int = option(320, "width of the training crops", group="Training", unit="pixels", low=48, high=2048)
    rows: int = option(48, "height of the training crops", group="Training", unit="pixels", low=16, high=2048)
    crops: int = option(8, "crops of each scene an epoch", group="Training", low=1)
    loss: str = option(
        "rows",
        "rows = all disparities of a pixel compete; pairs = the paper's positive and negative patches",
        group="Training",
        choices=("rows", "pairs"),
    )
    augment: str = option(
        "full",
        "full = mirrored, stretched, lit otherwise; light = lit otherwise; none = as they are",
        group="Training",
        choices=("full", "light", "none"),
    )
    tune: int = option(
        0,
        "settings of the clean-up tried at each validation, on the scenes kept to choose by; 0 = as they are",
        group="Training",
        low=0,
    )
    leave_out: tuple[str, ...] = option((), "scenes never trained on nor chosen by, such as teddy, art", group="Input")
    cache: int = option(1000, "decoded pictures kept in memory", group="Speed", unit="MB", low=0)

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = super().without_effect()
        if self.model == "compact":
            found.append(("layers", "compact has its own"))
        if self.model == "accurate" and self.loss == "rows":
            found.append(("loss", "accurate learns from pairs, its vectors are not compared alone"))
        return found


@dataclass(frozen=True, kw_only=True)
class Evaluate(Matching, EvaluateOptions):
    """``percept eval stereo``"""

    ablation: bool = option(False, "measure each clean-up step by itself too", group="Output")


@dataclass(frozen=True, kw_only=True)
class Export(ExportOptions):
    """``percept export stereo``"""

    size: int = option(256, "height and width of the example that is traced", group="Model", unit="pixels", low=32)
