"""The answer for one photo: JSON by the contract, lines for a person, pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from percept.vision.classify.result import Classes
from percept.vision.image import read_image


def result(**changes: object) -> Classes:
    fields = {
        "input": "a/cat.jpg",
        "width": 90,
        "height": 60,
        "labels": ("tiger cat", "tabby"),
        "probabilities": (0.81234, 0.1),
        "image": np.full((60, 90, 3), 200, np.uint8),
    }
    return Classes(**{**fields, **changes})


def test_json_is_the_contract_s() -> None:
    assert result().to_json() == {
        "input": "a/cat.jpg",
        "width": 90,
        "height": 60,
        "classes": [{"label": "tiger cat", "probability": 0.8123}, {"label": "tabby", "probability": 0.1}],
    }


def test_lines_for_a_person() -> None:
    assert str(result()).splitlines() == [
        " a/cat.jpg  90 x 60",
        " label      probability",
        " tiger cat         0.81",
        " tabby             0.10",
    ]
    assert "tiger cat 0.81" in repr(result())
    assert len(result()) == 2


def test_words_are_written_in_the_corner_and_the_photo_is_left_alone() -> None:
    made = result(image=np.full((300, 400, 3), 200, np.uint8))
    drawn = made.draw()
    assert drawn.shape == (300, 400, 3) and (made.image == 200).all()
    assert (drawn[:40, :100] != 200).any() and (drawn[150:] == 200).all()


def test_a_map_colours_where_the_class_is() -> None:
    where = np.zeros((60, 90), np.float32)
    where[:, 60:] = 1
    drawn = result(map_label="tabby", map=where).draw().astype(int)
    assert np.abs(drawn[50, 80] - 200).max() > 20 and (drawn[50, 20] == 200).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (400, 3), (60, 90)])
def test_pictures_of_any_size_can_be_written_on(shape: tuple[int, int]) -> None:
    picture = np.zeros((*shape, 3), np.uint8)
    assert result(image=picture).draw().shape == picture.shape


def test_saved_as_a_picture(tmp_path: Path) -> None:
    result().save(tmp_path / "out.png")
    assert (read_image(tmp_path / "out.png") == result().draw()).all()


def test_without_the_photo_nothing_can_be_drawn() -> None:
    with pytest.raises(ValueError, match="was not kept"):
        result(image=None).draw()
    with pytest.raises(ValueError, match="2 labels and 1 probabilities"):
        result(probabilities=(1.0,))
