"""Files of disparities: what is written is read again, NaN stays NaN, and what is no disparity file says so."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percept.core.errors import InputError
from percept.vision.stereo.formats import read_truth, read_values, write_npy, write_pfm, write_png16

NAN = float("nan")
HOLED = np.array([[0.0, 1.5, NAN], [200.25, NAN, 3.0]], np.float32)


def test_pfm_comes_back_as_it_was(tmp_path: Path) -> None:
    write_pfm(tmp_path / "d.pfm", HOLED)
    np.testing.assert_array_equal(read_truth(tmp_path / "d.pfm"), HOLED)
    assert np.isposinf(np.frombuffer((tmp_path / "d.pfm").read_bytes()[-4 * 6 :], "<f4")).sum() == 2


def test_pfm_begins_with_the_bottom_row(tmp_path: Path) -> None:
    path = tmp_path / "d.pfm"
    path.write_bytes(b"Pf\n2 2\n-0.003922\n" + np.array([3, 4, 1, 2], "<f4").tobytes())
    np.testing.assert_array_equal(read_truth(path), [[1, 2], [3, 4]])  # and the size of the scale is no factor


def test_pfm_of_the_other_byte_order_and_what_is_unknown_in_it(tmp_path: Path) -> None:
    path = tmp_path / "d.pfm"
    path.write_bytes(b"Pf\n4 1\n1.0\n" + np.array([7, np.inf, -1, 0], ">f4").tobytes())
    np.testing.assert_array_equal(read_truth(path), [[7, NAN, NAN, 0]])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PF\n1 1\n-1.0\n" + bytes(12), "three channels"),
        (b"P5\n1 1\n255\n" + bytes(4), "Pf"),
        (b"Pf\n2 2\n-1.0\n" + bytes(15), "cut off after 27 of 28 bytes"),
        (b"Pf\n2 two\n-1.0\n" + bytes(16), "no width"),
        (b"Pf 2 2 -1.0", "no end"),
        (b"Pf\n99999999 99999999\n-1\n", "pixels"),
        (b"", "no end"),
    ],
)
def test_what_is_no_pfm(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "d.pfm").write_bytes(data)
    with pytest.raises(InputError, match=says):
        read_truth(tmp_path / "d.pfm")


def test_png_holds_256ths_and_keeps_zero_for_none(tmp_path: Path) -> None:
    write_png16(tmp_path / "d.png", np.array([[NAN, 0.0, 1.0, 10.5, 255.99, 300.0]], np.float32))
    stored = cv2.imread(str(tmp_path / "d.png"), cv2.IMREAD_UNCHANGED)
    assert stored.dtype == np.uint16
    assert stored.tolist() == [[0, 1, 256, 2688, 65533, 65535]]  # an answer is never 0
    again = read_truth(tmp_path / "d.png", 256)
    assert np.isnan(again[0, 0])
    assert again[0, 3] == 10.5


@settings(max_examples=12)
@given(st.lists(st.one_of(st.just(NAN), st.floats(0, 255, width=32)), min_size=1, max_size=12))
def test_each_format_keeps_disparities(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    folder, disparity = tmp_path_factory.mktemp("d"), np.array([values], np.float32)
    write_pfm(folder / "d.pfm", disparity)
    write_npy(folder / "d.npy", disparity)
    write_png16(folder / "d.png", disparity)
    np.testing.assert_array_equal(read_truth(folder / "d.pfm", 0), disparity)
    np.testing.assert_array_equal(read_truth(folder / "d.npy", 0), disparity)
    from_png = read_truth(folder / "d.png", 256)
    np.testing.assert_array_equal(np.isnan(from_png), np.isnan(disparity))
    assert np.nanmax(np.abs(from_png - disparity), initial=0) <= 1 / 256


def test_truth_of_8_bits_is_divided_and_0_is_unknown(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "d.png"), np.array([[0, 3, 100]], np.uint8))
    np.testing.assert_allclose(read_truth(tmp_path / "d.png", 3), [[NAN, 1, 100 / 3]], rtol=1e-6)
    cv2.imwrite(str(tmp_path / "three.png"), np.array([[[8, 8, 8], [16, 16, 16]]], np.uint8))
    np.testing.assert_array_equal(read_truth(tmp_path / "three.png", 8), [[1, 2]])


def test_8_bits_are_refused_where_16_are_expected(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "d.png"), np.array([[0, 3, 100]], np.uint8))
    with pytest.raises(InputError, match="8 bits, where 16"):
        read_truth(tmp_path / "d.png", 256)


def test_what_is_no_truth(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "colour.png"), np.array([[[1, 2, 3]]], np.uint8))
    np.save(tmp_path / "four.npy", np.zeros((1, 2, 3, 4)))
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    (tmp_path / "text.png").write_text("hello")
    for name, says in (
        ("colour.png", "3 channels"),
        ("four.npy", "H, W"),
        ("objects.npy", "npy"),
        ("text.png", "not a whole picture"),
        ("absent.pfm", "No such file"),
    ):
        with pytest.raises(InputError, match=says):
            read_truth(tmp_path / name, 256)


def test_values_are_those_of_the_file(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.array([[[-2.0, np.inf]]]))  # (1, 1, 2) -> (1, 2)
    np.testing.assert_array_equal(read_values(tmp_path / "d.npy"), [[-2, np.inf]])
    np.testing.assert_array_equal(read_truth(tmp_path / "d.npy", 0), [[NAN, NAN]])
