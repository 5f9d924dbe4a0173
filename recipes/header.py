r"""Set values in the header of weights: the licence of their data, a number of the clean-up. No tensor changes.

python recipes/header.py runs/driving/best.safetensors weights/driving.safetensors "licence=CC BY-NC-SA 3.0"
python recipes/header.py runs/rooms/best.safetensors weights/everyday.safetensors matching.arm=5 matching.tau=0.1
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from percept.core import checkpoint
from percept.core.files import sha256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("values", nargs="+", metavar="KEY=VALUE")
    args = parser.parse_args()
    read = checkpoint.load(args.source)
    header = dict(read.header)
    for given in args.values:
        key, _, text = given.partition("=")
        *above, last = key.split(".")
        table = header
        for name in above:
            table = table.setdefault(name, {})
        try:
            table[last] = json.loads(text)
        except json.JSONDecodeError:
            table[last] = text
    checkpoint.save(args.target, read.tensors, header, store="float16")
    print(f"{args.target}: {', '.join(args.values)}, sha256 {sha256(args.target)}")


if __name__ == "__main__":
    main()
