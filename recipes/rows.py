r"""Store the tables of language model weights as whole numbers of eight bits, and measure what that costs.

python recipes/rows.py runs/lm-wikitext-2-1/best.safetensors weights/wikipedia.safetensors --data wikitext-2 \
    'licence=WikiText-2: CC BY-SA 3.0'

A row for each word, a scale for each row (percept.nlp.lm.rows). With --data, the perplexity of its test split is
measured before and after, to the digits that the index quotes. KEY=TEXT puts a line into the header.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from percept.core import checkpoint
from percept.core.files import sha256
from percept.core.options import resolve
from percept.nlp.lm import rows, task
from percept.nlp.lm.options import Evaluate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("header", nargs="*", metavar="KEY=TEXT")
    parser.add_argument("--data", default="", metavar="NAME|FOLDER")
    parser.add_argument("--split", default="")
    args = parser.parse_args()
    read = checkpoint.load(args.source, task="lm")
    more = dict(line.split("=", 1) for line in args.header)
    checkpoint.save(args.target, rows.packed(read.tensors), {**read.header, **more}, store="float16")
    for path in (args.source, args.target):
        print(f"{path}: {path.stat().st_size:,} bytes, sha256 {sha256(path)}")
        if args.data:
            asked = {"data": args.data, "split": args.split, "weights": str(path)}
            print(f"  perplexity {task.evaluate(resolve(Evaluate, asked)).metrics['perplexity']:.3f}")


if __name__ == "__main__":
    main()
