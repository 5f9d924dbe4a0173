"""Cross-validation of percept scene-parse: a training for each fold of a data set, scored on the fold it left out.

    python benchmarks/scene_folds.py --data stanford-background --runs runs/folds [--train "--epochs 60 --tune"]

Stanford Background is published with means over five folds. For each fold this runs

    percept train scene-parse --data DATA --fold F --out RUNS/foldF OPTIONS
    percept eval scene-parse --data DATA --split foldF --weights RUNS/foldF --json

and prints a row a fold, their mean and standard deviation, with the vote of the weights and without. A fold whose
RUNS/foldF/best.safetensors is there is not trained again, so that this can be stopped and started; a training that
was stopped half-way is taken up where it was. Each fold's whole answer is kept as RUNS/foldF/eval.json.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
from pathlib import Path
from typing import Any

from percept.core import scripts
from percept.core.console import stdout, table

COLUMNS = {"pixel_accuracy": "pixel", "class_accuracy": "class", "mean_iou": "mIoU", "boundary_f1": "bF1"}
BARE = "_no_vote"  # end of the names of what the net scores alone


def scored(args: argparse.Namespace, fold: int) -> dict[str, Any]:
    """The answer of ``percept eval`` on a fold."""
    words = ("scene-parse", "--data", args.data)
    run = scripts.trained(args.runs / f"fold{fold}", *words, "--fold", str(fold), *shlex.split(args.train))
    return scripts.measured(run, "eval", *words, "--split", f"fold{fold}", *shlex.split(args.eval))


def rows(found: dict[int, dict[str, Any]]) -> list[tuple[str, ...]]:
    """A row a fold, their mean and deviation; a dash where nothing could be measured."""
    names = [name + end for end in ("", BARE) for name in COLUMNS]
    made = [
        (str(fold), str(of["count"]), *(_shown(of["metrics"].get(name)) for name in names))
        for fold, of in found.items()
    ]
    values = [[of["metrics"].get(name) for of in found.values()] for name in names]
    whole = [[] if None in column else column for column in values]
    photos = str(sum(of["count"] for of in found.values()))
    made.append(("mean", photos, *(_shown(statistics.fmean(column) if column else None) for column in whole)))
    made.append(("+-", "", *(_shown(statistics.stdev(column) if len(column) > 1 else None) for column in whole)))
    return made


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="a data set with folds, by name or folder")
    parser.add_argument("--runs", type=Path, required=True, metavar="FOLDER", help="of the trainings, one a fold")
    parser.add_argument("--folds", type=int, default=5, help="how many the data set has (default 5)")
    parser.add_argument("--train", default="", metavar="OPTIONS", help="of percept train, in quotes")
    parser.add_argument("--eval", default="", metavar="OPTIONS", help="of percept eval, in quotes")
    args = parser.parse_args()
    found = {fold: scored(args, fold) for fold in range(1, args.folds + 1)}
    columns = ("fold", "photos", *COLUMNS.values(), *COLUMNS.values())
    stdout.print(table(columns, rows(found)))
    stdout.print(f"percent; with the vote of the weights, then the net alone; {args.data}, each fold by weights that")
    stdout.print("have not seen it; +- is the standard deviation over folds")


if __name__ == "__main__":
    main()
