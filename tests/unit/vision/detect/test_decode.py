"""From photo to objects: coordinates through scales, padding and mirror, with networks whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from percept.core.device import Device
from percept.vision.detect.calibration import Calibration, apply
from percept.vision.detect.decode import detect, heat, inside, likely
from percept.vision.detect.merge import MERGES
from percept.vision.detect.model import Compact
from percept.vision.detect.pyramid import GREY, Windows, level, levels

CPU = Device(torch.device("cpu"), 1, torch.float32, "")


class FindsRed(nn.Module):
    """Answers with the box of all pixels that are clearly red, class 1 of 3, and a faint class 2."""

    stride = 32

    def forward(self, images: Tensor) -> Windows:
        boxes = []
        for image in images:
            y, x = ((image[0] > 0.6) & (image[1] < 0.4)).nonzero(as_tuple=True)
            boxes.append(torch.stack((x.min(), y.min(), x.max() + 1, y.max() + 1)).float())
        scores = torch.tensor([0.0, 0.9, 0.3]).expand(len(images), 1, 3)
        return Windows(scores, torch.stack(boxes)[:, None])


def photo(height: int = 90, width: int = 131) -> np.ndarray:
    rgb = np.full((height, width, 3), 128, np.uint8)
    rgb[20:60, 30:50] = (255, 0, 0)
    return rgb


RED = [30, 20, 50, 60]


@pytest.mark.parametrize("merge", MERGES)
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("scales", [(131,), (96, 131, 250), (262,), (64,)])
def test_boxes_come_back_in_photo_pixels(merge: str, flip: bool, scales: tuple[int, ...]) -> None:
    boxes, scores, labels = detect(FindsRed(), photo(), device=CPU, scales=scales, flip=flip, merge=merge)
    assert labels.tolist() == [1, 2]
    assert boxes[0] == pytest.approx(RED, abs=2)  # pixels of the smallest level are two of the photo
    assert scores[0] > scores[1] > 0
    assert boxes.dtype == scores.dtype == np.float32
    assert labels.dtype == np.int64


def test_only_the_classes_asked_for() -> None:
    found = detect(FindsRed(), photo(), device=CPU, scales=(131,), classes=[2])
    assert found[2].tolist() == [2]
    assert len(detect(FindsRed(), photo(), device=CPU, scales=(131,), classes=[0])[0]) == 0


def test_conf_and_most_cut_the_same_list() -> None:
    torch.manual_seed(0)
    network = Compact(3).eval()
    with torch.no_grad():
        for predictor in (*network.head.cls_preds, *network.head.obj_preds):
            predictor.bias += 4.0
    whole = detect(network, photo(), device=CPU, scales=(128, 96), conf=0.0, max_detections=10_000)
    assert len(whole[1]) > 20
    assert (np.diff(whole[1]) <= 0).all()
    middle = float(np.median(whole[1]))
    above = detect(network, photo(), device=CPU, scales=(128, 96), conf=middle, max_detections=10_000)
    few = detect(network, photo(), device=CPU, scales=(128, 96), conf=0.0, max_detections=7)
    for i in range(3):
        assert np.array_equal(above[i], whole[i][: len(above[1])])
        assert np.array_equal(few[i], whole[i][:7])
    assert 0 < len(above[1]) < len(whole[1])
    assert ((whole[0] >= 0) & (whole[0] <= [131, 90, 131, 90])).all()


def test_calibration_changes_scores_and_what_conf_means() -> None:
    plain = detect(FindsRed(), photo(), device=CPU, scales=(131,))
    fitted = (0.5, -1.0)
    calibrated = detect(FindsRed(), photo(), device=CPU, scales=(131,), calibration=fitted)
    assert calibrated[1] == pytest.approx(apply(plain[1], Calibration(*fitted)))
    between = float(calibrated[1].mean())
    assert len(detect(FindsRed(), photo(), device=CPU, scales=(131,), calibration=fitted, conf=between)[0]) == 1


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (17, 5), (333, 31)])
def test_odd_photos(height: int, width: int) -> None:
    torch.manual_seed(0)
    network = Compact(2).eval()
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    boxes, scores, labels = detect(network, rgb, device=CPU, scales=(64, 96), flip=True, conf=0.0)
    assert len(boxes) == len(scores) == len(labels)
    assert ((boxes >= 0) & (boxes <= [width, height, width, height])).all()


def test_likely_windows_are_the_best_and_have_a_row_for_each_class() -> None:
    scores = torch.tensor([[0.5, 0.2, 0.001], [0.1, 0.9, 0.3]])
    boxes = torch.tensor([[0.0, 0, 1, 1], [2, 2, 3, 3]])
    found, values, labels = likely(scores, boxes, None)
    rows = sorted(zip(values.tolist(), labels.tolist(), found[:, 0].tolist(), strict=True))
    assert np.array(rows) == pytest.approx(np.array([(0.1, 0, 2), (0.2, 1, 0), (0.3, 2, 2), (0.5, 0, 0), (0.9, 1, 2)]))
    assert sorted(likely(scores, boxes, None, most=2)[1].tolist()) == pytest.approx([0.5, 0.9])
    assert sorted(likely(scores, boxes, [2, 1])[2].tolist()) == [1, 1, 2]


def test_boxes_outside_the_photo_go() -> None:
    boxes = np.array([[-5, -5, 8, 9], [30, 2, 40, 8], [3, 3, 3.4, 8]], np.float32)
    kept, scores, _ = inside(boxes, np.array([0.3, 0.9, 0.8], np.float32), np.zeros(3, np.int64), 10, 20)
    assert kept.tolist() == [[0, 0, 8, 9]]
    assert scores.tolist() == pytest.approx([0.3])


def test_heat_is_warm_where_the_object_is() -> None:
    warmth = heat(FindsRed(), photo(), 262, [1], CPU)
    assert warmth.shape == (23, 33)  # 180 x 262 pixels in cells of 8
    assert warmth.dtype == np.float32
    row, column = np.unravel_index(warmth.argmax(), warmth.shape)
    assert (row, column) == (9, 9)  # the middle of the box is (80, 80) at this scale: a corner of 4 cells
    assert warmth.max() == pytest.approx(0.9, abs=0.1)
    assert warmth[0, -1] < 0.01
    assert heat(FindsRed(), photo(), 262, [0], CPU).max() == 0


def test_pyramid_pads_right_and_below_with_grey_to_the_stride_only() -> None:
    (small, factor), (large, twice) = levels(photo(), (131, 1000), 32)
    assert small.shape == (1, 3, 96, 160)
    assert factor == 1
    assert torch.equal(small[0, :, :90, :131], torch.from_numpy(photo()).permute(2, 0, 1) / 255)
    assert (small[0, :, 90:] == GREY / 255).all()
    assert (small[0, :, :, 131:] == GREY / 255).all()
    assert twice == 2  # never enlarged more
    assert large.shape == (1, 3, 192, 288)


def test_scales_that_become_equal_are_looked_at_once() -> None:
    assert len(levels(photo(20, 30), (64, 128, 416), 32)) == 1


def test_pyramid_needs_a_scale_that_the_network_can_see() -> None:
    for scales in ((), (16,)):
        with pytest.raises(ValueError, match="at least 32"):
            levels(photo(), scales, 32)


def test_level_of_a_thin_photo_has_a_pixel_each_way() -> None:
    image, factor = level(np.zeros((2, 1000, 3), np.uint8), 64, 32)
    assert image.shape == (1, 3, 32, 64)
    assert factor == pytest.approx(0.064)
