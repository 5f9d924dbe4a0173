"""Weights by name: the shipped files, their table ``index.toml``, and what a name, a file or a run folder means."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from percept.core.errors import UsageError, nearest
from percept.core.files import sha256


@dataclass(frozen=True)
class Shipped:
    """A row of ``weights/index.toml``."""

    name: str
    task: str
    file: str
    sha256: str
    size: int
    summary: str
    command: str
    data: str
    licence: str
    allows: str
    good_for: str = ""
    default: bool = False
    scores: tuple[dict[str, Any], ...] = field(default=())
    published: tuple[dict[str, Any], ...] = field(default=())

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return folder() / self.file


def folder() -> Path:
    """The folder of the shipped weights: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "weights"
    return inside if inside.is_dir() else package.parents[1] / "weights"


def index() -> tuple[Shipped, ...]:
    """All shipped weights, in the order of ``index.toml``."""
    return _rows("weights")


def parts() -> tuple[Shipped, ...]:
    """Shipped networks that others call, and no ``--weights`` takes."""
    return _rows("parts")


def _rows(table: str) -> tuple[Shipped, ...]:
    path = folder() / "index.toml"
    if not path.is_file():
        raise UsageError(f"{path} is missing: this installation of percept is not whole")
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get(table, [])
    return tuple(
        Shipped(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})
        for row in rows
    )


def resolve(wanted: str, task: str | None = None) -> tuple[str, Path]:
    """The name to show and the file for a shipped name, a ``.safetensors`` file, a run folder, or the task's default.

    A shipped name comes first; write ``./NAME`` for a file or folder of that name.

    Raises:
        UsageError: no such weights (the nearest name is suggested), or a shipped file is not the tested one.
    """
    rows = [row for row in index() if task is None or row.task == task]
    if not wanted:
        row = next((row for row in rows if row.default), None)
        if row is None:
            raise UsageError(f"no weights are shipped for {task}; name a file with --weights")
        return row.name, verified(row)
    for row in index():
        if row.name == wanted:
            if task is not None and row.task != task:
                raise UsageError(f'weights "{wanted}" are for {row.task}, not for {task}')
            return row.name, verified(row)
    path = Path(wanted)
    if path.is_dir():
        best = path / "best.safetensors"
        if not best.is_file():
            raise UsageError(f"{path}: no best.safetensors in this folder; is it a run of percept train?")
        return str(best), best
    if path.exists():
        return str(path), path
    names = [row.name for row in rows]
    hint = nearest(wanted, names) or f"; known: {', '.join(names)}"
    raise UsageError(f'no weights or file "{wanted}"{hint}')


def origin(shown: str, path: Path, header: dict[str, Any]) -> dict[str, Any]:
    """What weights that are made from others say of these: what :func:`resolve` gave, and their header."""
    return {
        "weights": shown if path.name == f"{shown}.safetensors" else path.name,
        "digest": header["digest"],
        "licence": header.get("licence", ""),
    }


def verified(row: Shipped) -> Path:
    """The path of shipped weights whose sha256 is the one in the table.

    Raises:
        UsageError: the file is missing or changed.
    """
    if not row.path.is_file():
        raise UsageError(f"{row.path} is missing: this installation of percept is not whole")
    if sha256(row.path) != row.sha256:
        raise UsageError(f"{row.path}: not the file that was tested (sha256 differs); install percept again")
    return row.path


def check() -> list[tuple[str, bool, str]]:
    """Of each shipped file: its name, whether it is the tested one, and what is wrong if not."""
    found = []
    for row in (*index(), *parts()):
        try:
            verified(row)
            found.append((row.name, True, ""))
        except UsageError as error:
            found.append((row.name, False, str(error)))
    return found
