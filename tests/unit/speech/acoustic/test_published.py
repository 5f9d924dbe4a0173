"""Published figures: where they are shown, and what is said of scores that do not compare."""

from __future__ import annotations

import pytest

from percept.speech.acoustic.metrics import Boundaries
from percept.speech.acoustic.published import PUBLISHED, caution, published

OURS = {"per", "wer", "accuracy", "frame_error", *Boundaries().to_metrics()}


def test_rows_are_in_the_form_of_every_report():
    for row in PUBLISHED:
        shown = published(row.protocol.set, row.protocol.split, row.protocol.count)
        assert row.system in [one["system"] for one in shown]
        assert all({"system", "data", "figures", "source"} <= set(one) and one["source"] for one in shown)
        assert set(row.figures) <= OURS
        assert all(0 < value < 100 for value in row.figures.values())
    assert published("folder", "all", 10) == []


def test_a_score_on_the_published_utterances_compares():
    rows = published("timit", "core-test", 192)
    assert [row["comparable"] for row in rows if row["system"] == "LSTM, transducer"] == [True]
    assert caution("timit", "core-test", 192) == ""
    assert caution("arabic-speech-commands", "test", 2400) == ""


@pytest.mark.parametrize(
    ("set_name", "split", "count"),
    [
        ("timit", "all", 120),
        ("librispeech", "test-other", 40),
        ("arabic-speech-commands", "test", 1200),
        ("librispeech", "train-clean-100", 28539),
    ],
)
def test_a_score_on_pieces_is_told_so(set_name, split, count):
    line = caution(set_name, split, count)
    assert line.startswith(f"{count:,} utterances are scored here")
    assert line.endswith("do not compare")
    assert not any(row["comparable"] for row in published(set_name, split, count))


def test_only_rows_of_the_part_and_of_the_metric():
    assert {row["data"] for row in published("librispeech", "test-clean", 1)} == {
        "LibriSpeech's whole test-clean (2,620 utterances)"
    }
    aligners = published("timit", "all", 120, ("phone_boundary_ms",))
    assert [row["system"] for row in aligners] == ["MFA 1.0", "MFA english_mfa 2.0a", "MFA english_us_arpa 2.0a"]


def test_canonical_phones_are_warned_of_and_nothing_is_said_where_nothing_was_published():
    assert "canonical" in caution("speechocean762", "test", 980)
    assert caution("folder", "all", 3) == ""
    assert caution("librispeech", "test-other", 1).startswith("1 utterance is scored here")


def test_rows_cannot_be_changed_by_who_gets_them():
    published("speech-commands", "test", 1)[0]["figures"]["accuracy"] = 1.0
    assert published("speech-commands", "test", 1)[0]["figures"]["accuracy"] == 97.7
