"""The recipes are options that can be."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from pathlib import Path

import pytest

from percept.core.options import fields, flag_of, resolve
from percept.nlp.qa.options import New, Train

RECIPES = sorted((Path(__file__).parents[4] / "recipes").glob("qa_*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_understood(path: Path) -> None:
    made = resolve(Train, {}, config=path, environ={})
    assert made.model in path.stem or path.stem == "qa_babi"
    used = f"--config recipes/{path.name}" if path.stem != "qa_babi" else "recipes/qa_babi.py"
    assert used in path.read_text(), "it says how it is used"


def test_the_lessons_of_babi_are_options_and_stories_that_can_be() -> None:
    spec = importlib.util.spec_from_file_location("qa_babi", RECIPES[0].with_name("qa_babi.py"))
    recipe = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = recipe  # its dataclass looks there
    spec.loader.exec_module(recipe)
    train, new = ({flag_of(name, spec) for name, (_, _, spec) in fields(kind).items()} for kind in (Train, New))
    for known, text in (
        *((train, lesson.options) for lessons in (recipe.LESSONS, *recipe.PUBLISHED.values()) for lesson in lessons),
        *((new, draw) for draws in recipe.STORIES.values() for draw in draws),
    ):
        flags = [word for word in shlex.split(text) if word.startswith("--")]
        assert flags and all(flag.replace("--no-", "--") in known for flag in flags), text
    assert {name for lesson in recipe.LESSONS for name in lesson.stories} == set(recipe.STORIES)


def test_the_papers_recipes_are_there() -> None:
    assert {"qa_memn2n_joint", "qa_memn2n_single"} <= {path.stem for path in RECIPES}
