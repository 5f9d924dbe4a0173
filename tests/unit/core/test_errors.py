"""Errors are sentences with exit codes, and wrong words lead to the nearest right one."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percept.core.errors import Diverged, InputError, PerceptError, Stopped, UsageError, named, nearest


def test_exit_codes_are_the_documented_ones() -> None:
    assert [kind.exit_code for kind in (PerceptError, InputError, UsageError, Diverged)] == [1, 1, 2, 3]
    assert Stopped("stopped", 143).exit_code == 143
    for kind in (InputError, UsageError, Diverged):
        assert issubclass(kind, PerceptError)


def test_no_library_swallows_a_stop() -> None:
    """A signal comes in the middle of anything; what catches every Exception there must not go on."""
    with pytest.raises(Stopped), contextlib.suppress(Exception):
        raise Stopped("stopped", 143)


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("steroe", ["detect", "stereo"], "; did you mean stereo?"),
        ("DETECT", ["detect"], "; did you mean detect?"),
        ("persn", ["Person", "car"], "; did you mean Person?"),
        ("xqzvw", ["detect", "stereo"], ""),
        ("", ["detect"], ""),
        ("detect", [], ""),
    ],
)
def test_the_nearest_word(word: str, known: list[str], said: str) -> None:
    assert nearest(word, known) == said


@given(st.text(max_size=20), st.lists(st.text(min_size=1, max_size=20), max_size=6))
def test_a_suggestion_is_always_a_known_word(word: str, known: list[str]) -> None:
    said = nearest(word, known)
    assert said == "" or any(said == f"; did you mean {name}?" for name in known)


def test_an_error_of_a_named_input_begins_with_its_name() -> None:
    with pytest.raises(InputError, match=r"^a/b\.png: no picture$"), named(Path("a/b.png")) as name:
        raise InputError("no picture")
    assert name == "a/b.png"
    with pytest.raises(InputError, match="^no picture$"), named([1, 2]) as nameless:
        raise InputError("no picture")
    assert nameless == ""
    with pytest.raises(UsageError, match="^no weights$"), named("a.png"):
        raise UsageError("no weights")
