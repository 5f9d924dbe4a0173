"""The whole way: a made pair is matched, steps can be left out, bands give what the whole gives."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from percept.core import console
from percept.core.device import choose
from percept.core.errors import InputError
from percept.vision.stereo import decode
from percept.vision.stereo.model import Fast
from percept.vision.stereo.options import STEPS, Matching
from percept.vision.stereo.settings import CENSUS, Settings

DEVICE = choose("cpu", 1)


@pytest.fixture(autouse=True)
def _talking() -> None:
    """Whatever a command in an earlier test was told."""
    console.configure(quiet=False, verbose=False)


def pair(height: int = 60, width: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A square 9 pixels near before a wall at 4; the truth of the left view."""
    rng = np.random.default_rng(1)
    wall, square = (
        cv2.GaussianBlur(rng.random((height, width + 20, 3)).astype(np.float32), (0, 0), 1.2) for _ in range(2)
    )

    def view(shift: int) -> tuple[np.ndarray, np.ndarray]:
        inside = np.zeros((height, width), bool)
        inside[15:45, 50 - 9 * shift : 90 - 9 * shift] = True
        rgb = np.where(
            inside[..., None], square[:, 9 * shift : width + 9 * shift], wall[:, 4 * shift : width + 4 * shift]
        )
        return (255 * (rgb - 0.2) / 0.6).clip(0, 255).astype(np.uint8), inside

    (left, inside), (right, _) = view(0), view(1)
    return left, right, np.where(inside, 9.0, 4.0)


def census(**changed: object) -> decode.Answer:
    left, right, _ = pair()
    options = Matching(**changed)  # type: ignore[arg-type]
    return decode.match(None, left, right, options=options, matching=CENSUS, device=DEVICE, max_disp=15)


def test_a_made_pair_is_matched() -> None:
    answer, truth = census(), pair()[2]
    off = np.abs(answer.disparity - truth)
    assert np.isfinite(answer.disparity).all(), "filled"
    assert (off[:, 12:] > 1).mean() < 0.03
    assert 0.85 < answer.found.mean() < 1, "what only the left view sees is not found"
    assert answer.max_disp == 15 and answer.confidence.shape == truth.shape
    assert answer.confidence[answer.found].mean() > answer.confidence[~answer.found].mean()
    assert {"cost", "sgm", "winners", "fill"} <= set(answer.seconds)


@pytest.mark.parametrize("step", STEPS)
def test_each_step_can_be_left_out(step: str) -> None:
    left, right, truth = pair()
    matching = replace(CENSUS, before=1, sigma=1.5)  # else two of the steps do nothing anyway
    whole, without = (
        decode.match(None, left, right, options=Matching(without=w), matching=matching, device=DEVICE, max_disp=15)
        for w in ((), (step,))
    )
    assert not np.array_equal(whole.disparity, without.disparity, equal_nan=True), "it does something"
    if step == "fill":
        assert np.isnan(without.disparity).mean() > 0.01
    else:
        assert (np.abs(without.disparity - truth)[:, 12:] > 1).mean() < 0.5


def test_bands_give_nearly_what_the_whole_gives(capsys: pytest.CaptureFixture[str]) -> None:
    left, right, _ = pair(400, 120)
    whole, parts = (
        decode.match(None, left, right, options=Matching(memory=m), matching=CENSUS, device=DEVICE, max_disp=15)
        for m in (4.0, 0.0016 * 10)
    )
    assert (np.abs(whole.disparity - parts.disparity) > 1).mean() < 0.01
    assert "bands" in capsys.readouterr().err


def test_bands_cover_every_row_once_and_stay_below_the_memory_allowed() -> None:
    found = list(decode.bands(1988, 2880, 256, Matching(memory=2.0)))
    assert [row for keep, _ in found for row in range(keep.start, keep.stop)] == list(range(1988))
    for keep, rows in found:
        assert rows.start <= keep.start and keep.stop <= rows.stop
        assert (rows.stop - rows.start) * 2880 * 256 * 3 < 2.0e9
    assert len(list(decode.bands(60, 120, 16, Matching()))) == 1


def test_too_little_memory_is_said_with_what_is_needed() -> None:
    left, right, _ = pair(400, 120)
    with pytest.raises(InputError, match=r"--memory 0\.0\d* GB is too little for .* 120 pixels .* 16 dis"):
        decode.match(None, left, right, options=Matching(memory=1e-4), matching=CENSUS, device=DEVICE, max_disp=15)


def test_a_network_answers_the_same_on_one_thread_and_on_two() -> None:
    left, right, _ = pair()
    found = []
    for threads in (1, 2):
        torch.manual_seed(0)
        network, device = Fast(width=0.3), choose("cpu", threads)
        found.append(
            decode.match(network, left, right, options=Matching(), matching=Settings(), device=device, max_disp=15)
        )
    choose("cpu", 1)
    one, two = found
    assert (np.abs(one.disparity - two.disparity) > 0.01).mean() < 0.01, "products are summed in another order"
    assert one.confidence.max() > 0


def test_the_left_border_is_filled() -> None:
    """There only small disparities fit, on which both views agree whatever is there."""
    answer = census()
    assert not answer.found[:, : decode.BORDER].any()
    assert np.abs(answer.disparity[25:35, 0] - 4).max() < 2
