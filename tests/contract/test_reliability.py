"""``docs/reliability.md`` names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PAGE = (TOP / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_every_promise_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert len(rows) == 22
    for row in rows:
        assert "tests/" in row.split("|")[3], row


def test_every_named_test_is_there() -> None:
    assert len(NAMED) > 50
    missing = [
        f"{path}::{name}"
        for path, name in NAMED
        if not (TOP / path).is_file() or f"\ndef {name}(" not in (TOP / path).read_text(encoding="utf-8")
    ]
    assert not missing
