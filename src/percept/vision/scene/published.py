"""Published figures to set beside one's own in ``percept eval scene-parse``. None was measured here.

The papers' tables were not opened again when these rows were written: look there before quoting one. A figure compares
only with a score on the same photos, so each set has its counts of photos, and a score on fewer of them is told so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Published:
    """One system's figures on one set, percent under percept's names; ``source`` is where they stand.

    "balanced" and "natural" are how classes were sampled in training; "pretrained" started from ImageNet's weights.
    """

    system: str
    set: str  # as ``PhotoSet.set``
    figures: dict[str, float]
    source: str


@dataclass(frozen=True)
class Protocol:
    """Which photos a set's published figures are on; ``counts``: how many photos a comparable score may be on."""

    data: str
    photos: str
    counts: tuple[int, ...]


PROTOCOLS = {
    "stanford-background": Protocol("Stanford 715", "five folds of Stanford Background's 715 photos", (715, 143)),
    "sift-flow": Protocol("SIFT Flow 200", "SIFT Flow's 200 test photos", (200,)),
    "barcelona": Protocol("Barcelona 279", "Barcelona's 279 test photos", (279,)),
    "camvid": Protocol("CamVid 233", "CamVid's 233 test photos of 480 x 360 pixels", (233,)),
}


def _of(pixel: float, of_class: float | None = None, iou: float | None = None) -> dict[str, float]:
    """Figures under percept's names, those that a paper gives."""
    given = {"pixel_accuracy": pixel, "class_accuracy": of_class, "mean_iou": iou}
    return {name: value for name, value in given.items() if value is not None}


_FARABET_1 = "Farabet et al. 2013, PAMI 35(8), table 1"
_FARABET = "Farabet et al. 2013, PAMI 35(8)"
_FCN = "Long et al. 2015, CVPR"
_FCN_PAMI = "Shelhamer et al. 2017, PAMI 39(4)"
_PINHEIRO = "Pinheiro & Collobert 2014, ICML"
_RCPN = "Sharma et al. 2015, CVPR"
_LIANG = "Liang et al. 2015, NIPS"
_DAG = "Shuai et al. 2016, CVPR"
_MPF = "Jin et al. 2017, AAAI, arXiv 1608.07706"
_SEGNET = "Badrinarayanan et al. 2017, PAMI 39(12)"
_STANFORD, _SIFT, _BARCELONA, _CAMVID = PROTOCOLS

PUBLISHED = (
    Published("Gould 2009", _STANFORD, _of(76.4), _FARABET_1),
    Published("Munoz 2010", _STANFORD, _of(76.9, 66.2), _FARABET_1),
    Published("Tighe 2010", _STANFORD, _of(77.5), _FARABET_1),
    Published("Socher 2011", _STANFORD, _of(78.1), _FARABET_1),
    Published("Kumar 2010", _STANFORD, _of(79.4), _FARABET_1),
    Published("Lempitzky 2011", _STANFORD, _of(81.9, 72.4), _FARABET_1),
    Published("Farabet, one scale", _STANFORD, _of(66.0, 56.5), _FARABET_1),
    Published("Farabet, multiscale", _STANFORD, _of(78.8, 72.4), _FARABET_1),
    Published("Farabet + superpixels", _STANFORD, _of(80.4, 74.56), _FARABET_1),
    Published("Farabet + gPb, cover", _STANFORD, _of(80.4, 75.24), _FARABET_1),
    Published("Farabet + CRF on gPb", _STANFORD, _of(81.4, 76.0), _FARABET_1),
    Published("rCNN", _STANFORD, _of(80.2, 69.9), _PINHEIRO),
    Published("RCPN", _STANFORD, _of(82.3, 79.1), _RCPN),
    Published("Liang, RCNN", _STANFORD, _of(83.1, 74.8), _LIANG),
    Published("Liu 2009", _SIFT, _of(74.75), _FARABET),
    Published("Tighe 2010", _SIFT, _of(76.9, 29.4), _FARABET),
    Published("Farabet balanced", _SIFT, _of(67.9, 45.9), _FARABET),
    Published("Farabet balanced, vote", _SIFT, _of(71.9, 50.8), _FARABET),
    Published("Farabet balanced, cover", _SIFT, _of(72.3, 50.8), _FARABET),
    Published("Farabet natural, cover", _SIFT, _of(78.5, 29.6), _FARABET),
    Published("rCNN", _SIFT, _of(77.7, 29.8), _PINHEIRO),
    Published("RCPN", _SIFT, _of(79.6, 33.6), _RCPN),
    Published("RCPN, balanced", _SIFT, _of(75.5, 48.0), _RCPN),
    Published("Liang, RCNN", _SIFT, _of(84.3, 41.0), _LIANG),
    Published("FCN-16s, pretrained", _SIFT, _of(85.2, 51.7, 39.5), _FCN),
    Published("FCN-8s, pretrained", _SIFT, _of(85.9, 53.9, 41.2), _FCN_PAMI),
    Published("DAG-RNN, pretrained", _SIFT, _of(85.3, 55.7), _DAG),
    Published("MPF-RNN, pretrained", _SIFT, _of(86.9, 56.5), _MPF),
    Published("Tighe 2010", _BARCELONA, _of(66.9, 7.6), _FARABET),
    Published("Farabet balanced", _BARCELONA, _of(37.8, 12.1), _FARABET),
    Published("Farabet balanced, vote", _BARCELONA, _of(44.1, 12.4), _FARABET),
    Published("Farabet balanced, cover", _BARCELONA, _of(46.4, 12.5), _FARABET),
    Published("Farabet natural, cover", _BARCELONA, _of(67.8, 9.5), _FARABET),
    Published("SegNet, pretrained", _CAMVID, _of(90.4, 71.2, 60.1), _SEGNET),
    Published("DAG-RNN, pretrained", _CAMVID, _of(91.6, 78.1), _DAG),
)


def published(set_name: str, count: int) -> list[dict[str, Any]]:
    """The rows to set beside a score on so many photos of a set (``PhotoSet.set``); none for other sets.

    Each row says its own ``data``, with the number of photos, and whether a score on ``count`` photos is
    ``comparable``. What has to be said where it is not: :func:`caution`.

    >>> [row["figures"] for row in published("camvid", 233)][0]
    {'pixel_accuracy': 90.4, 'class_accuracy': 71.2, 'mean_iou': 60.1}
    """
    return [
        {
            "system": row.system,
            "data": PROTOCOLS[row.set].data,
            "figures": dict(row.figures),
            "source": row.source,
            "comparable": count in PROTOCOLS[row.set].counts,
        }
        for row in PUBLISHED
        if row.set == set_name
    ]


def caution(set_name: str, count: int) -> str:
    """One line on why a score on so many photos does not compare with the published ones; empty if it may.

    >>> caution("sift-flow", 12)
    "12 photos are scored here; the published figures are on SIFT Flow's 200 test photos and do not compare"
    >>> caution("sift-flow", 200)
    ''
    """
    protocol = PROTOCOLS.get(set_name)
    if protocol is None or count in protocol.counts:
        return ""
    scored = "1 photo is" if count == 1 else f"{count} photos are"
    return f"{scored} scored here; the published figures are on {protocol.photos} and do not compare"
