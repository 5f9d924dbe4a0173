"""How published figures look at 80 columns."""

from __future__ import annotations

import io

from rich.console import Console

from percept.core import show


def shown(rows: list[dict[str, object]]) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(show._published(rows))
    return console.file.getvalue()


def row(system: str, **figures: float) -> dict[str, object]:
    return {"system": system, "data": "a test set of 100 sentences", "figures": figures, "source": "a paper"}


def test_a_few_figures_have_columns() -> None:
    found = shown([row("Kaldi", per=28.94), row("LSTM", per=17.7, wer=9.5)])
    assert found.splitlines()[0].split()[-2:] == ["per", "wer"]
    assert [line.split()[0] for line in found.splitlines()[1:]] == ["Kaldi", "LSTM"]


def test_many_figures_leave_room_for_the_names_of_systems() -> None:
    many = {f"phone_boundary_{n}_ms": 17.0 + n for n in range(5)}
    found = shown([row("Montreal", **many), row("Another", **dict(list(many.items())[:1]))])
    assert "Montreal" in found and "Another" in found and "phone_boundary_4_ms 21" in " ".join(found.split())
