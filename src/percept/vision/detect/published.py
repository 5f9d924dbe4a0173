"""Published figures to set beside one's own in `percept eval detect`. None was measured here."""

from __future__ import annotations

from dataclasses import asdict, dataclass


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

_COCO_NAMES = ("coco_mini", "detect_pool", "coco", "coco2017")


def published(data: str) -> list[dict[str, str | float | bool]]:
    """The rows for the data set name `data`: COCO's for parts of COCO, OverFeat's detection figures for every other.

    Each row has ``measured_here: False`` and its own ``data``: a part of COCO val2017 is not COCO val2017.

    >>> [row["system"] for row in published("cells")]
    ['OverFeat, in the contest', 'OverFeat, after the contest']
    """
    wanted = {"ILSVRC2013 detection"} | ({"COCO val2017"} if data.lower() in _COCO_NAMES else set())
    return [asdict(row) | {"measured_here": False} for row in PUBLISHED if row.data in wanted]
