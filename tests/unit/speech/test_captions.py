"""Subtitles: lines that fit, captions parted where nobody speaks, and both formats read back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percept.core.errors import InputError
from percept.speech.captions import LINE, LINES, LONGEST, PAUSE, captions, read_captions, srt, vtt
from percept.speech.segments import Segment


def in_a_row(text: str, *, each: float = 0.4, pauses: dict[int, float] | None = None) -> list[Segment]:
    """Words of one length; pauses: seconds before the n-th."""
    found, at = [], 0.0
    for n, word in enumerate(text.split()):
        at += (pauses or {}).get(n, 0.0)
        found.append(Segment(word, round(at, 3), round(at + each, 3)))
        at += each
    return found


def test_a_pause_begins_a_new_caption() -> None:
    made = captions(in_a_row("good morning everybody here", pauses={2: PAUSE}))
    assert [one.label for one in made] == ["good morning", "everybody here"]
    assert (made[0].start, made[0].end, made[1].start) == (0.0, 0.8, 1.5)


def test_a_sentence_ends_a_caption() -> None:
    assert [one.label for one in captions(in_a_row('He said "No." She went?! Away'))] == [
        'He said "No."',
        "She went?!",
        "Away",
    ]


def test_what_is_too_long_is_parted_at_its_longest_pause() -> None:
    words = in_a_row(" ".join(f"w{n}" for n in range(24)), pauses={4: 0.2, 14: 0.3})
    assert [len(one.label.split()) for one in captions(words)] == [14, 10]


def test_what_has_no_pause_is_parted_near_its_middle() -> None:
    assert [len(one.label.split()) for one in captions(in_a_row("a " * 20))] == [10, 10]


def test_a_word_that_is_too_long_stays_whole() -> None:
    (made,) = captions([Segment("x" * 60, 0.0, 9.0)])
    assert made == Segment("x" * 60, 0.0, 9.0)


def test_captions_do_not_overlap_though_words_do() -> None:
    first, second = captions([Segment("one.", 0.0, 1.2), Segment("two", 1.0, 2.0)])
    assert first.end == second.start == 1.0


@given(
    st.lists(
        st.tuples(st.text("abcdefgh'-", min_size=1, max_size=12), st.integers(0, 80), st.integers(1, 150)), max_size=60
    )
)
def test_captions_hold_all_words_and_fit(parts: list[tuple[str, int, int]]) -> None:
    words, at = [], 0
    for label, pause, length in parts:
        words.append(Segment(label, (at + pause) / 100, (at + pause + length) / 100))
        at += pause + length
    made = captions(words)
    assert " ".join(one.label for one in made).split() == [one.label for one in words]
    for one in made:
        assert all(len(line) <= LINE for line in one.label.split("\n")) and one.label.count("\n") < LINES
        assert one.end - one.start <= LONGEST + 1e-6
    assert all(a.end <= b.start for a, b in zip(made, made[1:], strict=False))


@pytest.mark.parametrize(("write", "suffix"), [(srt, ".srt"), (vtt, ".vtt")])
def test_what_is_written_is_read_back(tmp_path: Path, write, suffix: str) -> None:
    words = in_a_row("Q & A <now>, said she, in a rather long sentence that needs two lines.", pauses={0: 3725.5})
    path = tmp_path / f"a{suffix}"
    path.write_text(write(words), "utf-8")
    lines = path.read_text("utf-8").split("\n")
    clock = "01:02:05,500 --> 01:02:11,500" if suffix == ".srt" else "01:02:05.500 --> 01:02:11.500"
    assert clock in lines
    if suffix == ".vtt":
        assert lines[0] == "WEBVTT" and "&lt;now&gt;" in path.read_text("utf-8")
        (found,) = read_captions(path)
        assert found == Segment(" ".join(one.label for one in words), 3725.5, 3731.5)
    assert read_captions(path)[0].start == 3725.5


def test_nothing_said() -> None:
    assert srt([]) == "" and vtt([]) == "WEBVTT\n" and captions([Segment(" ", 0, 1)]) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n00:00:01,000 --> 00:00:xx\nhi\n", 'line 2: "00:00:01,000 --> 00:00:xx" are no times of a caption'),
        ("1\n00:00:02,000 --> 00:00:01,000\nhi\n", "line 2: ends at 1 s, before it starts at 2 s"),
        (
            "1\n00:00:02,000 --> 00:00:03,000\nhi\n\n2\n00:00:01,000 --> 00:00:03,000\nho\n",
            "line 6: times run backwards: 1 s after 3 s",
        ),
        ("hello\n", "no captions in it"),
    ],
)
def test_captions_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.srt"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_captions(path)


def test_short_times_settings_and_markup(tmp_path: Path) -> None:
    path = tmp_path / "a.vtt"
    path.write_text("WEBVTT\n\nNOTE x\n\n00:01.5 --> 00:02.250 align:start\n<v Ann>Hi <i>there</i>\nyou\n")
    assert read_captions(path) == [Segment("Hi there you", 1.5, 2.25)]
