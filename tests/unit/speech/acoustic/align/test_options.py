"""What can be asked, and what is refused because it has no effect."""

from __future__ import annotations

import pytest

from percept.core.errors import UsageError
from percept.core.options import fields, resolve
from percept.speech.acoustic import options as acoustic
from percept.speech.acoustic.align.options import FORMATS, Evaluate, Export, Predict, Train


def test_training_and_export_are_acoustics() -> None:
    assert fields(Train).keys() == fields(acoustic.Train).keys()
    assert fields(Export).keys() == fields(acoustic.Export).keys()
    assert resolve(Train, {"epochs": 3}).model == "compact"


def test_formats_are_acoustics_and_labels() -> None:
    assert set(FORMATS) == {*acoustic.FORMATS, "lab"}
    with pytest.raises(UsageError, match='no "textgird"; did you mean textgrid'):
        resolve(Predict, {"format": "textgird"})


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"save": True}, "--save has no effect here: nothing is drawn without --out DIR"),
        ({"json": True, "format": "csv"}, "--format has no effect here: --json chooses the format"),
    ],
)
def test_options_without_effect_are_refused(given: dict[str, object], error: str) -> None:
    with pytest.raises(UsageError) as raised:
        resolve(Predict, given)
    assert str(raised.value) == error


def test_wrong_pairs_are_counted() -> None:
    assert resolve(Evaluate, {"shuffled": "200"}).shuffled == 200
    with pytest.raises(UsageError, match="--shuffled"):
        resolve(Evaluate, {"shuffled": -1})
