r"""Average the weights of several trainings that went on from each other; often better than each of them.

python recipes/average.py runs/i/best.safetensors runs/j/best.safetensors runs/mean.safetensors

Stochastic weight averaging (Izmailov et al. 2018) over whole trainings: each has to be of the same network. The header
is that of the first.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from percept.core import checkpoint
from percept.core.errors import UsageError
from percept.core.files import sha256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("target", type=Path)
    args = parser.parse_args()
    read = [checkpoint.load(path) for path in args.sources]
    first = read[0]
    for path, one in zip(args.sources, read, strict=True):
        shapes = {name: tensor.shape for name, tensor in one.tensors.items()}
        if shapes != {name: tensor.shape for name, tensor in first.tensors.items()}:
            raise UsageError(f"{path}: not the network of {args.sources[0]}")
    tensors = {
        name: torch.stack([one.tensors[name].double() for one in read]).mean(dim=0).to(tensor.dtype)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in first.tensors.items()
    }
    checkpoint.save(args.target, tensors, first.header, store="float16")
    print(f"{args.target}: of {len(read)}, sha256 {sha256(args.target)}")


if __name__ == "__main__":
    main()
