"""TextGrids of both forms and all encodings; what is wrong with one, with its line; what is written, praatio opens."""

from __future__ import annotations

from pathlib import Path

import praatio.textgrid
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percept.core.errors import InputError
from percept.speech.segments import Segment
from percept.speech.textgrid import parsed, read_textgrid, write_textgrid

SHORT = '''File type = "ooTextFile"
Object class = "TextGrid"

0
2.5
<exists>
3
"IntervalTier"
"words"
0
2.5
3
0
0.5
""
0.5
1.25
"say ""hi"""
1.25
2.5
"two
lines"
"TextTier"
"tones"
0
2.5
1
0.75
"H*"
"IntervalTier"
"words"
0
2.5
0
'''
LONG = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0 ! of the tier "words"
        xmax = 2.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.25
            text = "say ""hi"""
        intervals [3]:
            xmin = 1.25
            xmax = 2.5
            text = "two
lines"
    item [2]:
        class = "TextTier"
        name = "tones"
        xmin = 0
        xmax = 2.5
        points: size = 1
        points [1]:
            number = 0.75
            mark = "H*"
    item [3]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 2.5
        intervals: size = 0
'''
FOUND = {
    "words": [Segment("", 0, 0.5), Segment('say "hi"', 0.5, 1.25), Segment("two\nlines", 1.25, 2.5)],
    "tones": [Segment("H*", 0.75, 0.75)],
    "words (2)": [],
}


@pytest.mark.parametrize("text", [SHORT, LONG, SHORT.replace('"ooTextFile"', '"ooTextFile short"')])
@pytest.mark.parametrize("encoding", ["ascii", "utf-8-sig", "utf-16", "utf-16-be"])
def test_both_forms_in_all_encodings(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert read_textgrid(path) == FOUND


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("            xmax = 1.25\n", "            xmax = 1.2x\n", 'line 21: "1.2x" is no number'),
        ("            xmax = 1.25\n", "            xmax = nan\n", 'line 21: "nan" is no number'),
        ("            xmax = 1.25\n", "", 'line 21: a time expected, there is "say ""hi"""'),
        (
            "            xmax = 1.25\n",
            "            xmax = 0.25\n",
            "line 21: ends at 0.25 s, before it starts at 0.5 s",
        ),
        ("            xmin = 1.25\n", "            xmin = 1.0\n", "line 25: times run backwards: 1 s after 1.25 s"),
        ("            xmin = 0\n", "            xmin = -1\n", "line 17: a time below 0: -1 s"),
        ('"IntervalTier"', '"IntervalTear"', 'line 10: "IntervalTear" is no kind of tier'),
        ("size = 3\nitem", "size = 2.5\nitem", "line 7: the number of tiers expected, there is 2.5"),
        ("size = 3\nitem", "size = 4\nitem", "line 42: cut off: a tier's class is missing"),
        ("<exists>", "<absent>", "line 6: <exists> expected, there is <absent>"),
        ('"TextGrid"', '"Pitch 1"', 'line 2: a Praat "Pitch 1", no TextGrid'),
        ('mark = "H*"', 'mark = "H*', "line 38: "),
        ('"TextGrid"', '"TextGrid', 'line 2: a Praat "TextGrid xmin = 0 xm", no TextGrid'),
        ('name = "tones"', "name = tones", 'line 30: "tones" is no number|line 30: a tier\'s name expected'),
        ("File type", "Some text", "no TextGrid: it does not begin with ooTextFile"),
    ],
)
def test_textgrids_that_are_none(old: str, new: str, message: str) -> None:
    assert old in LONG
    with pytest.raises(InputError) as caught:
        parsed(LONG.replace(old, new, 1))
    assert any(one in str(caught.value) for one in message.split("|"))
    assert "\n" not in str(caught.value)


def test_cut_off_anywhere_it_is_refused() -> None:
    with pytest.raises(InputError, match="line 36: a text that no quote ends"):
        parsed(LONG[: LONG.index("H*") + 1])
    for end in range(0, len(SHORT) - 2, 3):
        with pytest.raises(InputError):
            parsed(SHORT[:end])


def test_what_is_written_praatio_opens(tmp_path: Path) -> None:
    words = [Segment('say "hi"', 0.31, 0.62), Segment("čau", 0.62, 1.0)]
    phones = [Segment("s", 0.31, 0.4), Segment("ey", 0.405, 0.62), Segment("ch", 0.62, 1.0)]
    path = tmp_path / "a.TextGrid"
    path.write_text(write_textgrid({"words": words, "phones": phones, "at": [Segment("x", 0.5, 0.5)]}, 1.25), "utf-8")
    grid = praatio.textgrid.openTextgrid(str(path), includeEmptyIntervals=True, reportingMode="error")
    assert grid.tierNames == ("words", "phones", "at")
    assert grid.maxTimestamp == 1.25
    assert [tuple(one) for one in grid.getTier("words").entries] == [
        (0, 0.31, ""),
        (0.31, 0.62, 'say "hi"'),
        (0.62, 1.0, "čau"),
        (1.0, 1.25, ""),
    ]
    assert [one.label for one in grid.getTier("phones").entries] == ["", "s", "", "ey", "ch", ""]
    assert [tuple(one) for one in grid.getTier("at").entries] == [(0.5, "x")]
    assert read_textgrid(path)["phones"][3] == Segment("ey", 0.405, 0.62)


def test_what_praatio_writes_in_both_forms_is_read(tmp_path: Path) -> None:
    grid = praatio.textgrid.Textgrid()
    grid.addTier(praatio.textgrid.IntervalTier("words", [(0, 0.5, "a"), (0.7, 1, 'b "c"')], 0, 1))
    for form in ("short_textgrid", "long_textgrid"):
        path = tmp_path / f"{form}.TextGrid"
        grid.save(str(path), form, includeBlankSpaces=True)
        found = read_textgrid(path)["words"]
        assert found == [Segment("a", 0, 0.5), Segment("", 0.5, 0.7), Segment('b "c"', 0.7, 1)]


def test_an_empty_tier_is_one_silence_and_overlaps_are_cut() -> None:
    made = parsed(write_textgrid({"words": [], "w": [Segment("a", 0.0, 0.6), Segment("b", 0.5, 1.4)]}, 1.0))
    assert made == {"words": [Segment("", 0, 1)], "w": [Segment("a", 0, 0.5), Segment("b", 0.5, 1)]}


@pytest.mark.parametrize(
    "segments",
    [
        [Segment("a", 0.5, 0.6), Segment("b", 0.2, 0.3)],
        [Segment("a", 0.5, 0.6), Segment("b", 0.7, 0.7)],
        [Segment("a", 1.0, 1.2)],
    ],
)
def test_segments_that_no_tier_can_hold(segments: list[Segment]) -> None:
    with pytest.raises(ValueError, match='"[ab]" at .* does not fit into tier "words"'):
        write_textgrid({"words": segments}, 1.0)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30), st.text(max_size=5)), max_size=8))
def test_what_is_written_is_read_back(parts: list[tuple[int, int, str]]) -> None:
    at, segments = 0, []
    for gap, length, label in parts:
        label = label.replace("\r", "").replace("\x00", "")
        segments.append(Segment(label, (at + gap) / 100, (at + gap + length) / 100))
        at += gap + length
    read = parsed(write_textgrid({"words": segments}, at / 100 + 0.5))["words"]
    assert [one for one in read if one.label] == [one for one in segments if one.label]
    assert read[0].start == 0 and read[-1].end == pytest.approx(at / 100 + 0.5)
    assert all(a.end == b.start for a, b in zip(read, read[1:], strict=False))
