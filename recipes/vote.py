r"""Choose superpixels and vote of scene-parse weights on photos that they were not trained on; no tensor changes.

python recipes/vote.py runs/street/best.safetensors weights/street.safetensors --data camvid --split val
python recipes/vote.py runs/outdoor/best.safetensors weights/outdoor.safetensors --data stanford-background

It is what `percept train scene-parse --tune` does at each epoch, once. Without --split: the photos that the weights
were chosen by. The best vote stands in the header, none if none wins; all are printed.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from percept.core import checkpoint, datasets
from percept.core.console import stdout, table
from percept.core.device import choose
from percept.core.files import sha256
from percept.vision.scene import data, decode, tables, tuning
from percept.vision.scene.networks import from_checkpoint, fused
from percept.vision.scene.options import DATASETS, Parsing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--data", required=True, metavar="NAME|FOLDER")
    parser.add_argument("--split", default="", help="default: the photos by which the epoch was chosen")
    args = parser.parse_args()
    read = checkpoint.load(args.source, task="scene-parse")
    folder, _ = datasets.find(args.data, datasets.rows({"scene-parse": DATASETS}), "scene-parse")
    photos = data.read_photos(folder, args.split or "all")
    kept = set(read.header["data"]["choosing"])
    if not args.split:
        photos = replace(photos, photos=tuple(photo for photo in photos.photos if photo.name in kept))
    device = choose()
    network = fused(from_checkpoint(read)).to(device.torch, memory_format=torch.channels_last)
    how = decode.settings(Parsing(segments="none"), read.header)
    found = tuning.search(network, photos, how, device)
    made = tables.votes(found.rows, found.best)
    stdout.print(table(made.columns, made.rows, title=made.title))
    checkpoint.save(args.target, read.tensors, {**read.header, "vote": found.best}, store="float16")
    print(f"{args.target}: {found.best}, {len(photos.photos)} photos, sha256 {sha256(args.target)}")


if __name__ == "__main__":
    main()
