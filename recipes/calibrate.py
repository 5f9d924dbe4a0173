r"""Fit the calibration of weights anew, on photos that they were not trained on; the network stays as it is.

    python recipes/calibrate.py runs/general/best.safetensors weights/general.safetensors --scales 512 \
        --data coco_mini --data detect_pool --hold-out 0.1

Training fits it after each epoch by itself. This is for weights whose merge or scales were changed afterwards. The
photos are those that `percept train detect` would choose the best epoch by: the val split, or --hold-out of the others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from percept.core import checkpoint, device
from percept.core.files import sha256
from percept.vision.detect.options import Train
from percept.vision.detect.task import trainer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--hold-out", type=float, default=0.0)
    parser.add_argument("--scales", help="N,N,...: the scales that the weights will answer with; default as they are")
    parser.add_argument("--threads", type=int, default=0)
    args = parser.parse_args()
    read = checkpoint.load(args.source, task="detect")
    scales = tuple(map(int, args.scales.split(","))) if args.scales else tuple(read.header["scales"])
    options = Train(data=tuple(args.data), hold_out=args.hold_out, start=str(args.source), scales=scales)
    job = trainer(options, device.choose("cpu", args.threads))
    with torch.inference_mode():
        scores = job.validate(job.model.eval())
    header = dict(read.header)
    header["scales"] = list(scales)
    header["calibration"] = job.header["calibration"]
    header["scores"] = [{**read.header["scores"][0], **scores}]
    checkpoint.save(args.target, read.tensors, header, store="float16")
    print(f"{args.target}: calibration {header['calibration']}, {scores}, sha256 {sha256(args.target)}")


if __name__ == "__main__":
    main()
