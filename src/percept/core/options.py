"""Frozen dataclasses as the one source of truth for options: Typer flags, TOML files, environment and Python keywords.

A field is declared once, with :func:`option`; from it come the flag with its help, default and unit, the key in
``run.toml``, the variable ``PERCEPT_KEY`` and the check of its value. Precedence, weakest first: default, recipe of the
data set, ``--config`` file, ``PERCEPT_*`` variable, flag.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from percept.core.errors import UsageError, nearest

T = TypeVar("T")
ENVIRONMENT_ONLY = frozenset({"PERCEPT_DATA", "PERCEPT_DEBUG", "PERCEPT_MAX_PIXELS"})


@dataclasses.dataclass(frozen=True)
class Spec:
    """What a field says about itself beside name, type and default."""

    help: str
    group: str
    unit: str = ""
    flag: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    argument: bool = False
    optional: bool = False
    repeat: bool = False
    metavar: str = ""
    short: str = ""
    shown_default: str = ""


def option(default: Any, help: str, *, group: str, **spec: Any) -> Any:
    """A dataclass field that is also a flag; the keywords are those of :class:`Spec`."""
    return dataclasses.field(default=default, metadata={"spec": Spec(help, group, **spec)})


def argument(help: str, *, metavar: str, repeat: bool = False, optional: bool = False) -> Any:
    """A dataclass field that is a positional argument of its command; ``optional``: the command works without it."""
    spec = Spec(help, "", argument=True, optional=optional, repeat=repeat, metavar=metavar)
    return dataclasses.field(default=() if repeat else "", metadata={"spec": spec})


def fields(cls: type) -> dict[str, tuple[Any, dataclasses.Field[Any], Spec]]:
    """Every option of ``cls`` as name -> (type, field, spec), in the order of declaration."""
    hints = typing.get_type_hints(cls)
    return {f.name: (hints[f.name], f, f.metadata["spec"]) for f in dataclasses.fields(cls)}


def flag_of(name: str, spec: Spec) -> str:
    """``max_disp`` -> ``--max-disp``."""
    return spec.flag or "--" + name.replace("_", "-")


def resolve(
    cls: type[T],
    flags: Mapping[str, Any],
    *,
    recipe: Mapping[str, Any] | None = None,
    config: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> T:
    """Make options of class ``cls`` out of every source, the strongest last; each value is checked.

    Args:
        flags: what was given on the command line or as Python keywords; ``None`` means not given.
        recipe: the data set's own choice.
        config: a TOML file with an ``[options]`` table (as ``run.toml`` has) or the keys at the top.

    Raises:
        UsageError: an unknown key (the nearest is suggested), a value outside its range, an option without effect.
    """
    known = fields(cls)
    merged: dict[str, Any] = {}
    for source, values in (
        ("the recipe", recipe or {}),
        (str(config), _read_config(config) if config else {}),
        ("the environment", _from_environment(known, environ)),
        ("", {key: value for key, value in flags.items() if value is not None}),
    ):
        for key, value in values.items():
            if key not in known:
                where = f" in {source}" if source else ""
                raise UsageError(f'unknown option "{key}"{where}{nearest(key, known)}')
            merged[key] = _value(key, value, known[key], source)
    options = cls(**merged)
    without_effect = getattr(options, "without_effect", None)
    if without_effect is not None:
        for key, why in without_effect():
            if flags.get(key) is not None:
                raise UsageError(f"{flag_of(key, known[key][2])} has no effect here: {why}")
    return options


def to_dict(options: Any) -> dict[str, Any]:
    """The options as plain values that TOML and JSON know; unset ones are left out."""
    plain = {}
    for name, (_, _, _spec) in fields(type(options)).items():
        value = getattr(options, name)
        if value is not None:
            plain[name] = list(value) if isinstance(value, tuple) else value
    return plain


def to_toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Plain tables of strings, numbers, booleans and lists as TOML text."""
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        UsageError: the file cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from error


def _read_config(path: Path) -> dict[str, Any]:
    tables = read_toml(path)
    return tables.get("options", {key: value for key, value in tables.items() if not isinstance(value, dict)})


def _from_environment(known: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that name an option of this command; other commands' variables are none of its business."""
    keys = {"PERCEPT_" + key.upper(): key for key in known}
    return {keys[name]: value for name, value in environ.items() if name in keys and name not in ENVIRONMENT_ONLY}


def _value(key: str, value: Any, known: tuple[Any, dataclasses.Field[Any], Spec], source: str) -> Any:
    """``value`` as the field's type, checked against its range."""
    hint, _, spec = known
    shown = f'"{key}" in {source}' if source else flag_of(key, spec) if not spec.argument else spec.metavar
    try:
        converted = _convert(value, hint, separate=not spec.repeat)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{shown}: {value!r} is not {_kind(hint)}") from error
    for one in converted if isinstance(converted, tuple) else (converted,):
        if spec.choices and one is not None and one not in spec.choices:
            raise UsageError(f'{shown}: no "{one}"{nearest(str(one), spec.choices)} (one of {", ".join(spec.choices)})')
        if isinstance(one, int | float) and not isinstance(one, bool):
            if not (one == one and abs(one) != float("inf")):
                raise UsageError(f"{shown}: {one} is not a finite number")
            if (spec.low is not None and one < spec.low) or (spec.high is not None and one > spec.high):
                low = "" if spec.low is None else f"at least {spec.low:g}"
                high = "" if spec.high is None else f"at most {spec.high:g}"
                raise UsageError(f"{shown}: {one:g} must be {' and '.join(filter(None, (low, high)))}")
    return converted


def _convert(value: Any, hint: Any, separate: bool = True) -> Any:
    """``separate``: a text may hold several values between commas (numbers, names; never file names)."""
    if isinstance(hint, types.UnionType):
        return None if value is None else _convert(value, _inner(hint), separate)
    if typing.get_origin(hint) is tuple:
        parts = value if isinstance(value, list | tuple) else [value]
        if separate:
            parts = [piece.strip() for part in parts for piece in str(part).split(",")]
        return tuple(_convert(part, typing.get_args(hint)[0]) for part in parts)
    if hint is bool:
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[str(value).lower()]
    if isinstance(value, bool) or (hint is int and isinstance(value, float) and value != int(value)):
        raise ValueError(value)
    if hint is str and not isinstance(value, str | Path):
        raise ValueError(value)
    return hint(value)


def _inner(hint: Any) -> Any:
    """``X`` of ``X | None``."""
    return next(arm for arm in typing.get_args(hint) if arm is not type(None))


def _kind(hint: Any) -> str:
    if isinstance(hint, types.UnionType):
        return _kind(_inner(hint))
    if typing.get_origin(hint) is tuple:
        return f"a list of {_kind(typing.get_args(hint)[0]).split(' ', 1)[-1]}s"
    return {int: "a whole number", float: "a number", bool: "true or false"}.get(hint, "a text")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    escaped = "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped)
    return f'"{escaped}"'
