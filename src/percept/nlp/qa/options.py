"""Options of qa. Imports neither torch nor numpy: ``percept qa --help`` must answer at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from percept.core.options import argument, option
from percept.core.verbs import EvaluateOptions, ExportOptions, PredictOptions, Talk, TrainOptions

DATASETS = Path(__file__).with_name("datasets.toml")
MODELS = ("relational", "memn2n", "memnn")
LANGUAGES = ("en", "hn", "shuffled")
SIZES = ("1k", "10k")
FORMATS = ("table", "json", "jsonl", "csv")
SPLITS = ("train", "val", "test")
SCHEDULES = ("cosine", "poly", "step", "constant", "halving")


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Which part of bAbI is meant; shared by train and eval. Own folders may have other names than the numbers."""

    tasks: tuple[str, ...] = option(("all",), "kinds of stories by number or name", group="Input")
    language: str = option("en", "language of the stories", group="Input", choices=LANGUAGES)
    size: str = option("1k", "questions a kind in the training files", group="Input", choices=SIZES)


@dataclass(frozen=True, kw_only=True)
class Predict(PredictOptions):
    """``percept qa [STORY...] -q QUESTION``"""

    inputs: tuple[str, ...] = argument(
        "stories: files, folders, globs, or - for stdin; none opens a prompt",
        metavar="STORY...",
        repeat=True,
        required=False,
    )
    question: tuple[str, ...] = option(
        (), "ask this of each story; may be given again", group="Input", repeat=True, short="-q", metavar="QUESTION"
    )
    top: int = option(3, "answers shown, the likeliest first", group="Output", low=1, high=50)
    format: str = option("table", "what stdout carries", group="Output", choices=FORMATS)
    save: str = option("html", "what is written into --out", group="Output", choices=("html", "png"))
    quiet: bool = option(False, "say nothing but errors", group="Output")

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = [] if self.out else [("save", "pictures are written into --out DIR")]
        if not self.inputs:
            found += [(name, "no story was given") for name in ("question", "out", "strict")]
        return found + ([("format", "--json chooses the format")] if self.json and self.format != "json" else [])


@dataclass(frozen=True, kw_only=True)
class Train(Chosen, TrainOptions):
    """``percept train qa``"""

    joint: bool = option(False, "one network for all kinds, not one for each; relational is always one", group="Input")
    model: str = option("relational", "network", group="Model", choices=MODELS)
    dimension: int = option(64, "numbers a sentence becomes", group="Model", low=8, high=1024)
    hops: int = option(5, "times that the memory is looked at", group="Model", low=1, high=12)
    heads: int = option(8, "relational: looks at once", group="Model", low=4, high=32)
    dropout: float = option(0.05, "relational: share left out", group="Model", low=0.0, high=0.9)
    spare: int = option(8, "relational: words kept for names never seen", group="Model", low=0, high=100)
    encoding: str = option(
        "pe",
        "memn2n: words of a sentence as a bag, with the paper's position encoding, or with that of its code",
        group="Model",
        choices=("bow", "pe", "pe-code"),
    )
    tying: str = option(
        "adjacent", "memn2n: which hops share weights", group="Model", choices=("adjacent", "layer-wise")
    )
    time: bool = option(True, "memn2n: tell each sentence's age", group="Model")
    memory: int = option(50, "memn2n, memnn: sentences remembered, the newest", group="Model", low=1, high=1000)
    padding: str = option(
        "nil", "memn2n: empty memory takes attention as in the paper, or not", group="Model", choices=("nil", "masked")
    )
    noise: float = option(
        0.1, "memn2n: empty memories mixed in, a share of the facts", group="Training", low=0.0, high=1.0
    )
    linear_start: int = option(0, "memn2n: epochs without the softmax of hops", group="Training", low=0)
    matrix_clip: float = option(
        0.0, "longest gradient of each matrix, loss summed over a batch; 0 = no limit", group="Training", low=0.0
    )
    margin: float = option(0.1, "memnn: margin of its ranking losses", group="Training", low=0.0)
    supports: float = option(
        0.0, "relational: weight of the loss on which sentences decide", group="Training", low=0.0, high=10.0
    )
    distractors: float = option(
        1.0,
        "relational: mean share of the sentences that do not decide which a training story keeps",
        group="Training",
        low=0.0,
        high=1.0,
    )
    rename: bool = option(True, "relational: exchange names, places and things of a story", group="Training")
    runs: int = option(
        1, "memn2n, memnn: networks from different seeds, trained at once", group="Training", low=1, high=100
    )
    schedule: str = option("cosine", "course of the learning rate", group="Training", choices=SCHEDULES)
    halve_every: int = option(25, "schedule halving: epochs between", group="Training", low=1)
    epochs: int = option(60, "passes over the training questions", group="Training", low=1)
    batch: int = option(64, "questions a step, over all processes", group="Training", low=1)
    clip: float = option(1.0, "longest gradient (L2 norm); 0 = no limit", group="Training", low=0.0)

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = super().without_effect()
        only = {
            "relational": ("heads", "dropout", "spare", "supports", "distractors", "rename"),
            "memn2n": ("encoding", "tying", "time", "padding", "noise", "linear_start"),
            "memnn": ("margin",),
        }
        for model, names in only.items():
            if model != self.model:
                found += [(name, f"only --model {model} has it") for name in names]
        if self.model == "relational":
            found += [(name, "relational has no bound and one run") for name in ("memory", "runs")]
        if self.schedule != "halving":
            found.append(("halve_every", "only --schedule halving takes it"))
        return found


@dataclass(frozen=True, kw_only=True)
class Evaluate(Chosen, EvaluateOptions):
    """``percept eval qa``"""


@dataclass(frozen=True, kw_only=True)
class Export(ExportOptions):
    """``percept export qa``"""

    size: int = option(16, "sentences of the example that is traced", group="Model", low=2, high=1000)


@dataclass(frozen=True, kw_only=True)
class New(Talk):
    """``percept data new qa``"""

    tasks: tuple[str, ...] = option(("all",), "kinds of stories by number", group="Input")
    stories: int = option(200, "stories of each kind", group="Input", low=1, high=1_000_000)
    steps: int = option(2, "kinds 17, 18, 19: facts that an answer follows from", group="Input", low=1, high=2)
    split: str = option("train", "part of the data that the files are named for", group="Output", choices=SPLITS)
    seed: int = option(0, "seed of everything random", group="Speed", low=0)
    out: str = option("", "write a file for each kind into this folder", group="Output", shown_default="stdout")
