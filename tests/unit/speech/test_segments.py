"""Encodings and the order of times, which all readers of label files share."""

from __future__ import annotations

from pathlib import Path

import pytest

from percept.core.errors import InputError
from percept.speech.segments import Segment, check_order, decoded, number_in, read_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_encodings_with_a_mark_and_without(encoding: str, mark: str) -> None:
    if mark and encoding in ("utf-8-sig", "utf-16"):
        mark = ""  # they write their own
    assert decoded((mark + 'label "č"\n').encode(encoding)).lstrip("\ufeff") == 'label "č"\n'


def test_other_encodings_are_told_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 2: neither UTF-8 nor UTF-16"):
        decoded("a\ncafé\n".encode("latin-1"))
    with pytest.raises(InputError, match="no such file"):
        read_text(tmp_path / "gone")
    with pytest.raises(InputError, match="a folder, not a file"):
        read_text(tmp_path)


def test_line_ends_of_any_system(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\r\nb\rc\n")
    assert read_text(path) == "a\nb\nc\n"


@pytest.mark.parametrize("word", ["x", "", "nan", "inf", "1_000", "1,5"])
def test_what_is_no_number(word: str) -> None:
    with pytest.raises(InputError, match=f'line 3: "{word}" is no number'):
        number_in(word, 3)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (-0.1, 0.2, "line 7: a time below 0: -0.1 s"),
        (2.0, 1.5, "line 7: ends at 1.5 s, before it starts at 2 s"),
        (0.4, 3.0, "line 7: times run backwards: 0.4 s after 1 s"),
        (0.9, 3.0, "line 7: times run backwards: 0.9 s after 1 s"),
    ],
)
def test_times_that_cannot_be(start: float, end: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_order(Segment("a", start, end), Segment("b", 0.5, 1.0), 7)


def test_times_that_can_be() -> None:
    before = Segment("b", 0.5, 1.0)
    for start, end in ((1.0, 1.0), (0.9995, 2.0), (5.0, 6.0)):
        check_order(Segment("a", start, end), before, 1)
    check_order(Segment("a", 0.9, 2.0), before, 1, overlap=0.2)
