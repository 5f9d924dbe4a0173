"""Where sound changes, of a whole and of its pieces."""

from __future__ import annotations

import numpy as np
import pytest

from percept.speech.acoustic.edges import EDGE, Edges, change


def test_a_step_is_where_it_is() -> None:
    mels = np.zeros((20, 40), np.float32)
    mels[8:] = 2.0
    found = change(mels)
    assert found.shape == (20,) and found.argmax() == 8 and found[8] == pytest.approx(2.0)
    assert found[7] == found[9] == pytest.approx(1.0)
    assert not found[:7].any() and not found[10:].any()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_the_shortest(count: int) -> None:
    found = change(np.random.default_rng(0).normal(size=(count, 40)).astype(np.float32))
    assert found.shape == (count,) and np.isfinite(found).all()
    assert not found[:1].any() or count > 1


@pytest.mark.parametrize("cuts", [[], [1], [1, 2, 3, 4], [50], [3, 3, 90], [99]])
def test_pieces_are_as_the_whole(cuts: list[int]) -> None:
    mels = np.random.default_rng(1).normal(size=(100, 40)).astype(np.float32)
    edges = Edges()
    for piece in np.split(mels, cuts):
        edges.add(piece)
    assert np.allclose(edges.finish(), EDGE * change(mels), atol=1e-6)
