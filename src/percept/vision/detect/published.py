"""Published figures to set beside one's own in `percept eval detect`. None was measured here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Published:
    """One published figure: `figure` is 0..1 for AP and mAP, percent for an error; `source` is where it stands."""

    system: str
    data: str
    metric: str
    figure: float
    source: str


_OVERFEAT = "Sermanet et al. 2013, arXiv 1312.6229"
_TORCHVISION = "torchvision 0.29 weight metadata"
_YOLOX = "YOLOX README"
_NANODET = "NanoDet README"

PUBLISHED = (
    Published("OverFeat, in the contest", "ILSVRC2013 detection", "mAP", 0.194, _OVERFEAT),
    Published("OverFeat, after the contest", "ILSVRC2013 detection", "mAP", 0.243, _OVERFEAT),
    Published("OverFeat", "ILSVRC2013 localisation", "error", 29.9, _OVERFEAT),
    Published("OverFeat, 7 fast models", "ILSVRC2013 classification", "top-5 error", 14.2, _OVERFEAT),
    Published("OverFeat, after the contest", "ILSVRC2013 classification", "top-5 error", 13.6, _OVERFEAT),
    Published("SSDLite320 MobileNetV3-L", "COCO val2017", "AP", 0.213, _TORCHVISION),
    Published("Faster R-CNN MobileNetV3-L 320 FPN", "COCO val2017", "AP", 0.228, _TORCHVISION),
    Published("SSD300 VGG16", "COCO val2017", "AP", 0.251, _TORCHVISION),
    Published("YOLOX-Nano 416", "COCO val2017", "AP", 0.258, _YOLOX),
    Published("YOLOX-Tiny 416", "COCO val2017", "AP", 0.328, _YOLOX),
    Published("NanoDet-m 320", "COCO val2017", "AP", 0.206, _NANODET),
    Published("NanoDet-EfficientLite0 320", "COCO val2017", "AP", 0.247, _NANODET),
    Published("NanoDet-Plus-m 320", "COCO val2017", "AP", 0.270, _NANODET),
    Published("EfficientDet-lite0 320", "COCO val2017", "AP", 0.264, "EfficientDet-lite README"),
)

_OF_COCO = {"person", "traffic light", "hair drier", "toothbrush"}  # together they stand in no other class table


def published(classes: Collection[str]) -> list[dict[str, Any]]:
    """The rows to set beside a score on these classes: COCO's for COCO's, OverFeat's detection figures for every other.

    Each row says its own ``data``: a part of COCO val2017 is not COCO val2017.

    >>> [row["system"] for row in published(["RBC", "WBC"])]
    ['OverFeat, in the contest', 'OverFeat, after the contest']
    """
    wanted = "COCO val2017" if set(classes) >= _OF_COCO else "ILSVRC2013 detection"
    return [
        {"system": row.system, "data": row.data, "figures": {row.metric: row.figure}, "source": row.source}
        for row in PUBLISHED
        if row.data == wanted
    ]
