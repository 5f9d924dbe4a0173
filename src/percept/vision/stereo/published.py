"""Published figures to set beside one's own in ``percept eval stereo``; those of OpenCV are benchmarks/stereo.py's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Published:
    """One system's figures on one set: percent or pixels, under percept's names; ``source`` is where they stand."""

    system: str
    set: str  # percept's label of the set
    data: str
    figures: dict[str, float]
    source: str


_PAPER = "Zbontar & LeCun 2016, JMLR 17"
_CODE = "README of the authors' code, github.com/jzbontar/mc-cnn"
_OTHERS = "the method's paper, as quoted in public repositories"
_DISPNET = "Mayer et al. 2016 (DispNet), as quoted in public repositories"
_OPENCV = "OpenCV 5.0.0, holes filled from the sides: benchmarks/stereo.py"
_2012, _2015, _2012_VAL = "KITTI 2012 test", "KITTI 2015 test", "KITTI 2012 validation"
_V3 = "Middlebury v3, quarter size, 11 training scenes"

PUBLISHED = (
    Published("MC-CNN accurate", "kitti2012", _2012, {"bad3_noc": 2.43, "bad3_all": 3.63}, _PAPER),
    Published("MC-CNN fast", "kitti2012", _2012_VAL, {"bad3_noc": 3.02}, _CODE),
    Published("MC-CNN accurate", "kitti2015", _2015, {"d1_all": 3.89, "d1_noc": 3.33}, _PAPER),
    Published("SPS-St", "kitti2015", _2015, {"d1_all": 5.31}, _OTHERS),
    Published("GC-Net", "kitti2015", _2015, {"d1_all": 2.87}, _OTHERS),
    Published("AANet", "kitti2015", _2015, {"d1_all": 2.55}, _OTHERS),
    Published("PSMNet", "kitti2015", _2015, {"d1_all": 2.32}, _OTHERS),
    Published("AANet+", "kitti2015", _2015, {"d1_all": 2.03}, _OTHERS),
    Published("SGM", "sceneflow", "FlyingThings3D test", {"epe_all": 8.70}, _DISPNET),
    Published("MC-CNN fast", "sceneflow", "FlyingThings3D test", {"epe_all": 4.09}, _DISPNET),
    Published("SGBM, eight paths", "v3", _V3, {"bad1_noc": 21.8, "bad2_noc": 16.8, "epe_noc": 2.68}, _OPENCV),
    Published("SGBM, padded, grey", "v3", _V3, {"bad1_noc": 18.1, "bad2_noc": 13.8, "epe_noc": 2.35}, _OPENCV),
)


def published(sets: Collection[str]) -> list[dict[str, Any]]:
    """The rows to set beside a score on these sets (``Scene.set``): none where the score is on several, or on others.

    Each row says its own ``data``: a part of KITTI's training frames is not KITTI's test.

    >>> [row["figures"] for row in published({"kitti2012"})]
    [{'bad3_noc': 2.43, 'bad3_all': 3.63}, {'bad3_noc': 3.02}]
    """
    wanted = set(sets)
    return [
        {"system": row.system, "data": row.data, "figures": dict(row.figures), "source": row.source}
        for row in PUBLISHED
        if wanted == {row.set}
    ]
