"""The recipe of qa's shipped weights from several seeds: each error, their mean, the one chosen by validation.

    python benchmarks/qa_seeds.py --data babi --runs runs/small --seeds 5 --recipe "--published 1k"

For each seed this runs recipes/qa_babi.py with the options of --recipe, then

    percept eval qa --data DATA --weights RUNS/SEED/LAST --json

and prints a row a seed: percent of wrong answers on the stories held out of the training files, on the test files, and
how many kinds are failed there. A lesson that is done is not learnt again.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

from percept.core import scripts
from percept.core.console import stdout, table

RECIPE = Path(__file__).parents[1] / "recipes" / "qa_babi.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="babi", metavar="NAME|FOLDER")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    parser.add_argument("--recipe", default="", metavar="OPTIONS", help="of recipes/qa_babi.py, in quotes")
    parser.add_argument("--eval", default="", metavar="OPTIONS", help="of percept eval, in quotes: --language hn, ...")
    args = parser.parse_args()
    found = []
    for seed in range(1, args.seeds + 1):
        runs = args.runs / str(seed)
        options = ("--data", args.data, "--runs", str(runs), "--seed", str(seed), *shlex.split(args.recipe))
        done = subprocess.run([sys.executable, str(RECIPE), *options], stdout=subprocess.PIPE, text=True, check=True)
        run = Path(done.stdout.strip())  # of its last lesson
        metrics = scripts.measured(run, "eval", "qa", "--data", args.data, *shlex.split(args.eval))["metrics"]
        held = min(row["error"] for row in scripts.log(run))
        found.append((held, metrics["mean_error"], int(metrics["failed_tasks"])))
    rows = [(str(seed), *_cells(*of)) for seed, of in enumerate(found, 1)]
    rows.append(("mean", *_cells(*(statistics.fmean(column) for column in zip(*found, strict=True)))))
    if len(found) > 1:
        rows.append(("deviation", *_cells(*(statistics.stdev(column) for column in zip(*found, strict=True)))))
    rows.append(("chosen on held out stories", *_cells(*min(found))))
    stdout.print(table(("seed", "held out, % wrong", "test, % wrong", "failed"), rows))


def _cells(held: float, error: float, failed: float) -> tuple[str, ...]:
    return f"{held:.2f}", f"{error:.2f}", f"{failed:g}" if failed == int(failed) else f"{failed:.1f}"


if __name__ == "__main__":
    main()
