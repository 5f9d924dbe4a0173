"""How reports, weights, data sets and checks look on stdout: tables for a person, one JSON document with ``--json``."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from percept import __version__
from percept.core.console import answer, duration, say, size, stdout, table

FEW = 12  # samples of a data set that are named
WIDE = 48  # cells that the figures of a published table may take


def document(content: dict[str, Any]) -> str:
    """One JSON document; every one begins with the version. Not-a-number, for which JSON has no word, becomes null."""
    whole = _without_nan({"percept": __version__, **content})
    return json.dumps(whole, ensure_ascii=False, indent=1, default=str, allow_nan=False)


def report(made: Any, *, as_json: bool) -> None:
    """A ``core.evaluation.Report``: its tables, the published figures, and the protocol in one line."""
    if as_json:
        answer(document(made.to_json()))
        return
    for one in made.tables:
        stdout.print(table(one.columns, one.rows, title=one.title))
        stdout.print()
    if made.published:
        stdout.print(_published(made.published))
        stdout.print()
    if made.note:
        stdout.print(Text(made.note, style="dim"))
    for path in made.files:
        say(str(path))
    say(f"{made.data} {made.split}, {made.count} samples, {made.weights}, {duration(made.seconds)}", style="dim")


def _published(found: Sequence[dict[str, Any]]) -> Table:
    """A column for each figure, or, where these would leave no room for the rest, one for all."""
    names = list(dict.fromkeys(name for row in found for name in row["figures"]))
    first = [(row["system"], row["data"]) for row in found]
    if sum(len(name) + 2 for name in names) > WIDE:
        named = [", ".join(f"{name} {_number(value)}" for name, value in row["figures"].items()) for row in found]
        cells = [(*begin, figures) for begin, figures in zip(first, named, strict=True)]
        return table(("published, not measured here", "data", "figures"), cells, left=3)
    cells = [
        (*begin, *(_number(row["figures"].get(name)) for name in names))
        for begin, row in zip(first, found, strict=True)
    ]
    return table(("published, not measured here", "data", *names), cells, left=2)


def info(about: dict[str, Any], *, as_json: bool) -> None:
    """A weight file: what it is, what made it, from what, what it scored, what for."""
    if as_json:
        answer(document(about))
        return
    classes = about.get("classes") or []
    model = about.get("model") or {}
    start = about.get("start", "")
    chosen = next((row for row in about.get("scores", ()) if row.get("split") == "choosing"), {})
    figures = ", ".join(f"{key} {value:.3f}" for key, value in chosen.items() if isinstance(value, float))
    shown = ", ".join(classes[:8]) + (f" ... ({len(classes)})" if len(classes) > 8 else "")
    number = f"{len(classes)} classes, " if len(classes) > 1 else ""
    lines = [
        ("what", f"{about['task']}, {model.get('name', '?')}, {number}{size(about['size'])}"),
        ("classes", shown if number else ""),
        ("made by", about.get("command", "")),
        (
            "start",
            start if isinstance(start, str) else ", ".join(start[key] for key in ("weights", "licence") if start[key]),
        ),
        ("data", _shortened(about.get("data", ""))),
        ("licence", about.get("licence", "")),
        ("allows", about.get("allows", "")),
        ("chosen at", f"epoch {chosen['epoch']}: {figures}, on samples kept for that" if figures else ""),
        *(("measured", f"{row['figures']}  {row['command']}") for row in about.get("scores", ()) if "figures" in row),
        *(("published", f"{row['figures']}  {row['source']}") for row in about.get("published", ())),
        ("good for", about.get("good_for", "")),
        ("file", f"{about['file']}, sha256 {about['sha256'][:16]}"),
    ]
    stdout.print(Group(Text(about["name"], style="bold"), table(("", ""), [line for line in lines if line[1]], left=2)))


def exported(made: dict[str, Any], *, as_json: bool) -> None:
    """What ``percept export`` wrote, and how it compares with torch."""
    if as_json:
        answer(document(made))
    else:
        answer(f"{made['file']}  {size(made['size'])}  {made['checked']}")


def data_sets(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """The table of data sets."""
    if as_json:
        answer(document({"data_sets": list(rows)}))
        return
    cells = [
        (row["name"], row["task"], row["title"], size(row["size"]), row["licence"], "here" if row["here"] else "-")
        for row in rows
    ]
    stdout.print(table(("name", "task", "what", "size", "licence", "here"), cells, left=6))
    say("percept data info NAME tells more; percept data fetch NAME gets it", style="dim")


def data_set(about: dict[str, Any], *, as_json: bool) -> None:
    """One row of the table of data sets, whole."""
    if as_json:
        answer(document(about))
        return
    cells = [(key, size(value) if key == "size" else _plain(value)) for key, value in about.items() if value]
    stdout.print(table(("", ""), cells, left=2))


def checks(found: Sequence[Any], *, markdown: bool, as_json: bool) -> int:
    """What ``percept doctor`` found; returns 0, or 1 if something is not in order."""
    from percept.core import doctor

    if as_json:
        answer(document({"checks": [vars(check) for check in found]}))
    elif markdown:
        answer(doctor.markdown(found))
    else:
        signs = {True: "ok", False: "NOT OK", None: "-"}
        cells = [
            (signs[check.ok], check.name, check.found + (f"; {check.advice}" if check.advice else ""))
            for check in found
        ]
        stdout.print(table(("", "", ""), cells, left=3))
    return 1 if any(check.ok is False for check in found) else 0


def problems(name: str, found: Sequence[str]) -> int:
    """What ``percept data verify`` found; returns 0, or 1 if something is wrong."""
    for problem in found:
        answer(problem)
    count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    answer(f"{name}: {count if found else 'in order'}")
    return 1 if found else 0


def report_of_check(made: Any, *, as_json: bool) -> None:
    """What ``percept data check`` found: tables, then what is wrong, then advice."""
    if as_json:
        answer(document(made.to_json()))
        return
    for one in made.tables():
        stdout.print(table(one.columns, one.rows, title=one.title))
        stdout.print()
    for line in made.lines():
        answer(line)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _shortened(value: Any) -> str:
    """What weights say of their data, of long lists of samples the first few."""
    if not isinstance(value, dict):
        return str(value)
    short = {
        key: [*listed[:FEW], f"... ({len(listed)})"] if isinstance(listed, list) and len(listed) > FEW else listed
        for key, listed in value.items()
    }
    return json.dumps(short)


def _plain(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list | tuple) else str(value)


def _number(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, int | float) else str(value)
