"""The recipes are options that can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from percept.core.options import resolve
from percept.nlp.qa.options import Train

RECIPES = sorted((Path(__file__).parents[4] / "recipes").glob("qa_*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_understood(path: Path) -> None:
    made = resolve(Train, {}, config=path, environ={})
    assert made.model in path.stem or path.stem == "qa_babi"
    assert f"--config recipes/{path.name}" in path.read_text(), "it says how it is used"


def test_the_papers_recipes_are_there() -> None:
    assert {"qa_memn2n_joint", "qa_memn2n_single"} <= {path.stem for path in RECIPES}
