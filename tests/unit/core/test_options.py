"""Options: one declaration, five sources, the strongest wins; wrong words are named with the nearest right one."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percept.core.errors import UsageError
from percept.core.options import argument, option, resolve, to_dict, to_toml


@dataclass(frozen=True, kw_only=True)
class Sample:
    inputs: tuple[str, ...] = argument("files", metavar="INPUT...", repeat=True)
    rate: float = option(0.1, "a rate", group="Model", low=0.0, high=1.0)
    count: int = option(3, "a count", group="Model", low=1)
    kind: str = option("red", "a colour", group="Model", choices=("red", "green"))
    sizes: tuple[int, ...] = option((), "sizes", group="Model", low=8)
    fast: bool = option(False, "be fast", group="Speed")

    def without_effect(self) -> list[tuple[str, str]]:
        return [("count", "red counts nothing")] if self.kind == "red" else []


def test_the_strongest_source_wins(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text('[run]\ntask = "x"\n[options]\nrate = 0.3\nsizes = [16, 32]\nfast = true\n')
    recipe = {"rate": 0.2, "kind": "green", "count": 7}
    environ = {"PERCEPT_SIZES": "64,128", "PERCEPT_ELSE": "1", "PERCEPT_DATA": "/somewhere"}
    made = resolve(Sample, {"fast": False, "inputs": ["a,b.jpg"]}, recipe=recipe, config=config, environ=environ)
    assert made == Sample(inputs=("a,b.jpg",), rate=0.3, count=7, kind="green", sizes=(64, 128), fast=False)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"rat": 1}, r'unknown option "rat"; did you mean rate\?'),
        ({"rate": 1.5}, r"--rate: 1.5 must be at least 0 and at most 1"),
        ({"rate": float("nan")}, "--rate: nan is not a finite number"),
        ({"rate": "much"}, "--rate: 'much' is not a number"),
        ({"count": 1.5}, "--count: 1.5 is not a whole number"),
        ({"count": True}, "--count: True is not a whole number"),
        ({"kind": "gren"}, r'--kind: no "gren"; did you mean green\?'),
        ({"sizes": "16,4"}, "--sizes: 4 must be at least 8"),
        ({"sizes": "16,x"}, "--sizes: '16,x' is not a list of whole numbers"),
        ({"fast": "perhaps"}, "--fast: 'perhaps' is not true or false"),
        ({"count": 2}, "--count has no effect here: red counts nothing"),
    ],
)
def test_wrong_values_are_said(flags: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        resolve(Sample, flags, environ={})


def test_an_option_without_effect_may_stand_in_a_file(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("count = 9\n")
    assert resolve(Sample, {}, config=config, environ={}).count == 9


def test_unknown_key_in_a_file_names_the_file(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("cuont = 9\n")
    with pytest.raises(UsageError, match=r'unknown option "cuont" in .*c\.toml; did you mean count\?'):
        resolve(Sample, {}, config=config, environ={})


@pytest.mark.parametrize("content", [b"rate = ", b"\xff\xfe", None])
def test_a_file_that_is_no_toml_is_said(tmp_path: Path, content: bytes | None) -> None:
    config = tmp_path / "c.toml"
    if content is not None:
        config.write_bytes(content)
    with pytest.raises(UsageError, match=r"c\.toml"):
        resolve(Sample, {}, config=config, environ={})


@given(
    st.builds(
        Sample,
        inputs=st.lists(st.text()).map(tuple),
        rate=st.floats(0, 1),
        count=st.integers(1, 10**6),
        kind=st.sampled_from(["red", "green"]),
        sizes=st.lists(st.integers(8, 4096)).map(tuple),
        fast=st.booleans(),
    )
)
def test_written_and_read_again_is_the_same(made: Sample) -> None:
    read = tomllib.loads(to_toml({"options": to_dict(made)}))["options"]
    assert resolve(Sample, {}, recipe=read, environ={}) == made


def test_an_argument_may_be_left_out() -> None:
    import typer.testing

    from percept import cli

    @dataclass(frozen=True, kw_only=True)
    class Optional:
        inputs: tuple[str, ...] = argument("files", metavar="[INPUT...]", repeat=True, required=False)

    app, seen = typer.Typer(), []
    app.command()(cli.command(Optional, lambda **given: seen.append(given), "it", with_config=False))
    for words in ([], ["a", "b"]):
        assert typer.testing.CliRunner().invoke(app, words).exit_code == 0
    assert seen == [{}, {"inputs": ["a", "b"]}]
