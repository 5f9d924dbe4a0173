"""Scales and merges of percept detect on one data set: AP and milliseconds a photo, in one run.

    python benchmarks/scales.py --data coco_mini --split val [--threads 2] [--weights general] [--limit 50]

Every row answers the same decoded photos with the same weights; timed is everything from pixels to boxes. Scales are
chosen on photos that are not scored: this table is for the docs.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from percept.core import checkpoint, device, weights
from percept.core.console import stdout, table
from percept.vision.detect import data, decode, metrics
from percept.vision.detect.networks import from_checkpoint
from percept.vision.image import read_image

SETTINGS = (
    *(((416,), merge, False) for merge in ("nms", "overfeat", "vote")),
    ((512,), "vote", False),
    ((640,), "vote", False),
    *(((416, 608), merge, False) for merge in ("nms", "overfeat", "vote")),
    ((416, 608), "vote", True),
    ((320, 448, 608), "vote", False),
    ((320, 448, 608), "vote", True),
)
MEASURED_FROM = 0.01  # lowest score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights", default="general")
    parser.add_argument("--limit", type=int, default=0, help="only the first so many photos")
    args = parser.parse_args()
    place = device.choose("cpu", args.threads)
    read = checkpoint.load(weights.resolve(args.weights, "detect")[1], task="detect")
    network = from_checkpoint(read)
    photos = data.relabelled(data.read_photos(args.data, args.split), read.header["classes"])
    if args.limit:
        photos = data.PhotoSet(photos.names, photos.photos[: args.limit], photos.layout, ())
    pixels = [read_image(photo.path) for photo in photos.photos]
    rows = []
    for scales, merge, flip in SETTINGS:
        how = {"scales": scales, "merge": merge, "flip": flip, "conf": MEASURED_FROM, "device": place}
        decode.detect(network, pixels[0], **how)
        began = time.perf_counter()
        found = [decode.detect(network, rgb, **how) for rgb in pixels]
        spent = 1000 * (time.perf_counter() - began) / len(pixels)
        scores = metrics.score(photos, found)
        name = ", ".join(map(str, scales)) + (", mirrored" if flip else "")
        figures = (scores.AP, scores.AP50, scores.AP75, scores.AP_small, scores.AP_medium, scores.AP_large)
        rows.append((name, merge, *(metrics.shown(figure) for figure in figures), f"{spent:.0f}"))
    columns = ("scales", "merge", "AP", "AP50", "AP75", "small", "medium", "large", "ms")
    stdout.print(table(columns, rows, left=2))
    stdout.print(f"{args.weights}, {len(pixels)} photos of {args.data.name} {args.split}, {place}")


if __name__ == "__main__":
    main()
