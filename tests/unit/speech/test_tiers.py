"""Label files of a line a segment: TIMIT's, ESPS's, HTK's, NIST's; what is wrong with one, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from percept.core.errors import InputError
from percept.speech.tiers import Segment, ctm, lab, phn, read_ctm, read_lab, read_phn

SEGMENTS = [Segment("sh", 0.0, 0.125), Segment("iy", 0.125, 0.25), Segment("", 0.25, 0.5), Segment("t", 0.5, 1.0)]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "labels"
    path.write_bytes(text.encode())
    return path


def test_timit(tmp_path: Path) -> None:
    path = written(tmp_path, "0 2000 h#\r\n2000 4000 sh\r\n\r\n3500 8000 iy\r\n")
    assert read_phn(path) == [Segment("h#", 0, 0.125), Segment("sh", 0.125, 0.25), Segment("iy", 0.21875, 0.5)]
    assert read_phn(path, rate=8000)[1] == Segment("sh", 0.25, 0.5)
    spoken = [one for one in SEGMENTS if one.label]
    assert read_phn(written(tmp_path, phn(spoken, 8000)), 8000) == spoken


def test_esps(tmp_path: Path) -> None:
    text = "signal a\ntype 0\ncolor 76\nnfields 1\nseparator ;\n#\n  0.125  76 H#\n 0.25 76 Tone H*\n 0.5  76\n"
    assert read_lab(written(tmp_path, text)) == [
        Segment("H#", 0, 0.125),
        Segment("Tone H*", 0.125, 0.25),
        Segment("", 0.25, 0.5),
    ]
    assert read_lab(written(tmp_path, lab(SEGMENTS))) == SEGMENTS
    assert read_lab(written(tmp_path, lab([one for one in SEGMENTS if one.label]))) == SEGMENTS


def test_htk(tmp_path: Path) -> None:
    path = written(tmp_path, "0 1250000 sh -12.5\n1250000 2500000 iy\n")
    assert read_lab(path) == [Segment("sh", 0.0, 0.125), Segment("iy", 0.125, 0.25)]


def test_ctm(tmp_path: Path) -> None:
    text = ";; comment\na 1 0.00 0.10 the 0.9\na 1 0.10 0.25 cat\nb A 0.5 0.5 yes\nb B 0.1 0.2 no\n"
    assert read_ctm(written(tmp_path, text)) == {
        "a": [Segment("the", 0.0, 0.1), Segment("cat", 0.1, 0.35)],
        "b A": [Segment("yes", 0.5, 1.0)],
        "b B": [Segment("no", 0.1, pytest.approx(0.3))],
    }


def test_ctm_is_read_back(tmp_path: Path) -> None:
    tiers = {"my file": [Segment("zoom in", 0.5, 0.75), Segment("", 0.75, 1.0)], "none": []}
    text = ctm(tiers, {"my file": [0.987, 0.5], "none": []})
    assert text == "my_file 1 0.500 0.250 zoom_in 0.99\nmy_file 1 0.750 0.250 <eps> 0.50\n"
    assert read_ctm(written(tmp_path, text))["my_file"][0] == Segment("zoom_in", 0.5, 0.75)
    with pytest.raises(ValueError):
        ctm(tiers, {"my file": [0.9], "none": []})


@pytest.mark.parametrize(
    ("reader", "text", "message"),
    [
        (read_phn, "0 10 a\n10 20\n", 'line 2: "START END LABEL" expected, there is "10 20"'),
        (read_phn, "0 10 a\n10 x b\n", 'line 2: "x" is no number'),
        (read_phn, "0 10 a\n10 nan b\n", 'line 2: "nan" is no number'),
        (read_phn, "0 0.5 a\n", "line 1: 0.5 is no whole number"),
        (read_phn, "0 16000 a\n\n32000 16000 b\n", "line 3: ends at 1 s, before it starts at 2 s"),
        (read_phn, "16000 32000 a\n0 16000 b\n", "line 2: times run backwards: 0 s after 2 s"),
        (read_phn, "-5 3 a\n", "line 1: a time below 0"),
        (read_lab, "#\n0.5 121 a\n0.4 121 b\n", "line 3: times run backwards: 0.4 s after 0.5 s"),
        (read_lab, "#\n0.5\n", 'line 2: "END COLOUR LABEL" expected, there is "0.5"'),
        (read_lab, "#\nx 121 a\n", 'line 2: "x" is no number'),
        (read_lab, "hello world\n", 'line 1: "START END LABEL" expected .HTK., or an ESPS header'),
        (read_lab, "0 1250000 sh\n900000 2500000 iy\n", "line 2: times run backwards: 0.09 s after 0.125 s"),
        (
            read_ctm,
            "a 1 0.0 0.1\n",
            'line 1: "UTTERANCE CHANNEL START DURATION LABEL" expected, there is "a 1 0.0 0.1"',
        ),
        (read_ctm, "a 1 0.0 -0.1 x\n", "line 1: a duration below 0: -0.1"),
        (read_ctm, "a 1 0.5 0.1 x\nb 1 0.1 0.1 x\na 1 0.2 0.1 y\n", "line 3: times run backwards: 0.2 s after 0.6 s"),
        (read_ctm, "a 1 zero 0.1 x\n", 'line 1: "zero" is no number'),
    ],
)
def test_label_files_that_are_none(tmp_path: Path, reader, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        reader(written(tmp_path, text))


@pytest.mark.parametrize("reader", [read_phn, read_lab, read_ctm])
def test_other_encodings_and_files_that_are_not_there(tmp_path: Path, reader) -> None:
    path = tmp_path / "labels"
    path.write_bytes("0 10 a\n10 20 é\n".encode("latin-1"))
    with pytest.raises(InputError, match="line 2: neither UTF-8 nor UTF-16"):
        reader(path)
    with pytest.raises(InputError, match="no such file"):
        reader(tmp_path / "gone")
