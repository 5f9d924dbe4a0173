"""The models of percept lm on one corpus, each alone, mixed with n-grams, and with the cache.

    python benchmarks/lm_models.py --data ptb --runs runs/ptb
    python benchmarks/lm_models.py --data brown --runs runs/brown --models nplm,nplm-direct --mix kn3

For each model this runs

    percept train lm --data DATA --out RUNS/MODEL OPTIONS
    percept eval lm --data DATA --weights RUNS/MODEL --mix MIX --json

and prints a row a model: test perplexity, parameters, minutes of training and tokens a second of it (validation
included). Mixtures have weights found on val; those with the cache learn from the test text and are called adaptive. A
model whose run folder is there is not trained again; a training that was stopped is gone on with. Each answer is kept
in the run folder. The recurrent models are small, two layers of 200 units, and have the same settings and as many
epochs, but for a lower rate of rnn and gru: at that of the others the GRU diverges. What the AWD-LSTM drops besides is
about half of what its paper drops in layers of 1,150 units.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from percept.core import checkpoint, scripts
from percept.core.console import stdout, table

STEPS = "--optimizer adamw --lr 0.003 --schedule cosine --weight-decay 1e-5 --clip 0.25 --ema 0.998"
WINDOW = f"--embedding 60 --minimum 4 --dropout 0.2 --dropout-input 0.0 --batch 100 --bptt 10 {STEPS}"
STATE = f"--embedding 200 --hidden 200 --layers 2 --tied --output sampled --samples 2000 --bptt 35 --batch 20 {STEPS}"
DROPPED = "--dropout 0.3 --dropout-hidden 0.2 --dropout-input 0.2 --epochs 10"
MODELS = {
    "nplm": f"--model nplm --context 5 --hidden 100 {WINDOW} --epochs 8",
    "nplm-direct": f"--model nplm --context 5 --hidden 50 --direct {WINDOW} --epochs 5",
    "rnn": f"--model rnn {STATE} {DROPPED} --lr 0.001",
    "gru": f"--model gru {STATE} {DROPPED} --lr 0.001",
    "lstm": f"--model lstm {STATE} {DROPPED}",
    "awd-lstm": f"--model awd-lstm {STATE} {DROPPED} --dropout-words 0.05 --weight-drop 0.2",
}


def row(args: argparse.Namespace, name: str) -> tuple[tuple[str, ...], dict[str, float]]:
    """A model's figures, with each part of ``--mix`` and with all; and the metrics, parts alone among them."""
    run = scripts.trained(args.runs / name, "lm", "--data", args.data, *shlex.split(f"{MODELS[name]} {args.train}"))
    found = scripts.measured(run, f"eval-{args.mix}", "lm", "--data", args.data, "--mix", args.mix)
    metrics = found["metrics"]
    whole = metrics.get("perplexity_mixed", metrics.get("perplexity_mixed_adaptive"))
    with_each = found["mixture"].get("model_with", {}).values()
    weights = checkpoint.load(run / "best.safetensors", task="lm")
    parameters = sum(tensor.numel() for tensor in weights.tensors.values())
    epochs, seconds = len(scripts.log(run)), scripts.log(run)[-1]["seconds"]
    figures = (f"{one:.2f}" for one in (metrics["perplexity"], *with_each, whole))
    speed = weights.header["data"]["tokens"] * epochs / seconds
    return (name, *figures, f"{parameters / 1e6:.2f} M", f"{seconds / 60:.0f}", f"{speed:,.0f}"), metrics


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="ptb", metavar="NAME|FOLDER")
    parser.add_argument("--runs", type=Path, required=True, metavar="FOLDER", help="of the trainings, one a model")
    parser.add_argument("--models", default="nplm,rnn,gru,lstm,awd-lstm", help=f"some of {', '.join(MODELS)}")
    parser.add_argument("--mix", default="kn5,cache", help="what each is mixed with, and with all of (%(default)s)")
    parser.add_argument("--train", default="", metavar="OPTIONS", help="of percept train for each model, in quotes")
    args = parser.parse_args()
    names = args.models.split(",")
    if unknown := [name for name in names if name not in MODELS]:
        parser.error(f"no model {unknown[0]}; there are {', '.join(MODELS)}")
    found = [row(args, name) for name in names]
    parts = args.mix.split(",")
    columns = (args.data, "alone", *(f"+ {one}" for one in parts), *(("+ all",) if len(parts) > 1 else ()))
    alone = [(one, found[0][1][f"perplexity_{one}"]) for one in parts if f"perplexity_{one}" in found[0][1]]
    grams = [(one, f"{value:.2f}", *[""] * (len(columns) + 1)) for one, value in alone]
    rows = [*grams, *(cells for cells, _ in found)]
    stdout.print(table((*columns, "parameters", "minutes", "tokens/s"), rows))
    stdout.print("test perplexity; mixtures have weights found on val, and the cache reads the test text as it goes")


if __name__ == "__main__":
    main()
