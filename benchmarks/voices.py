"""percept acoustic on voices that it has not heard: a training for each speaker of a set, scored on the one left out.

    python benchmarks/voices.py --data fsdd --runs runs/voices [--train "--start english --epochs 6"]

For each speaker this runs

    percept train acoustic --data DATA --split without-NAME --out RUNS/NAME OPTIONS
    percept eval acoustic --data DATA --split only-NAME --weights RUNS/NAME --json

and prints a row a speaker and the mean. Published splits of small sets of words test new recordings of voices that
they train on. A speaker whose run is there is not trained again.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
from pathlib import Path

from percept.core import datasets, scripts
from percept.core.console import stdout, table
from percept.speech.acoustic.data import read_corpus
from percept.speech.acoustic.options import DATASETS

METRICS = {"accuracy": "right, %", "per": "phones wrong, %", "wer": "words wrong, %"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="a set with known speakers, by name or folder")
    parser.add_argument("--runs", type=Path, required=True, metavar="FOLDER", help="of the trainings, one a speaker")
    parser.add_argument("--train", default="", metavar="OPTIONS", help="of percept train, in quotes")
    args = parser.parse_args()
    folder, _ = datasets.find(args.data, datasets.rows({"acoustic": DATASETS}), "acoustic")
    found = {}
    for speaker in read_corpus(folder, "all").speakers:
        words = ("acoustic", "--data", args.data)
        split = ("--split", f"without-{speaker}")
        run = scripts.trained(args.runs / speaker, *words, *split, *shlex.split(args.train))
        found[speaker] = scripts.measured(run, "eval", *words, "--split", f"only-{speaker}")
    names = [name for name in METRICS if all(of["metrics"].get(name) is not None for of in found.values())]
    figures = {who: [of["metrics"][name] for name in names] for who, of in found.items()}
    rows = [(who, str(found[who]["count"]), *(f"{value:.1f}" for value in values)) for who, values in figures.items()]
    means = (f"{statistics.fmean(column):.1f}" for column in zip(*figures.values(), strict=True))
    rows.append(("mean", str(sum(of["count"] for of in found.values())), *means))
    stdout.print(table(("left out", "recordings", *(METRICS[name] for name in names)), rows))


if __name__ == "__main__":
    main()
