"""What a corpus teaches: phones, times, how often each comes and what follows what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from percept.core.errors import UsageError
from percept.speech.acoustic.data import Utterance, read_corpus
from percept.speech.acoustic.samples import CLASSES, NUMBERS, Taught
from percept.speech.acoustic.teaching import bigram, dictionary, gathered, priors, taught
from percept.speech.segments import Segment

DATA = Path(__file__).parents[3] / "data"
SPEECH, WORDS = DATA / "speech_tiny" / "librispeech", DATA / "commands_tiny"


def lesson(*phones: str, times: tuple[Segment, ...] = ()) -> Taught:
    return Taught(Utterance("a", Path("a.wav")), phones, times)


def test_sentences_teach_the_phones_of_their_words() -> None:
    found = taught(read_corpus(SPEECH, "train").utterances, dictionary(""), (), 30.0)
    assert len(found) == 6 and all(one.phones and set(one.phones) <= set(NUMBERS) for one in found)
    assert sum(bool(one.times) for one in found) == 4
    assert all(one.label == -1 for one in found)


def test_what_is_too_long_teaches_nothing() -> None:
    utterances = read_corpus(SPEECH, "train").utterances
    assert not taught(utterances, dictionary(""), (), 0.5)


def test_ones_own_pronunciations_go_before_the_dictionary(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("TOMATO T AH M AA T OW\n")
    one = Utterance("a", SPEECH / "none.opus", words=("tomato", "soup"), end=2.0)
    (mine,) = taught([one], dictionary(str(file)), (), 30.0)
    (theirs,) = taught([one], dictionary(""), (), 30.0)
    assert mine.phones[:6] == ("t", "ah", "m", "aa", "t", "ow") != theirs.phones[:6]
    assert mine.phones[6:] == theirs.phones[6:] == ("s", "uw", "p")


def test_command_words_teach_their_number() -> None:
    found = gathered([WORDS], 0.0, 0, "")
    assert len(found.labels) == 3
    lessons = taught(found.train, dictionary(""), found.labels, 30.0)
    assert {one.label for one in lessons} == {0, 1, 2}
    assert all(found.labels[one.label] == one.utterance.label for one in lessons)


def test_a_speaker_can_be_left_out() -> None:
    found = gathered([WORDS], 0.25, 0, "", "without-00000004")
    speakers = [one.speaker for one in (*found.train, *found.choosing)]
    assert len(speakers) == 9 and "00000004" not in speakers
    assert len(found.choosing) == 2  # single recordings, where speakers are few


def test_sets_that_teach_different_things_are_refused() -> None:
    with pytest.raises(UsageError, match="sentences, or on one set of command words"):
        gathered([SPEECH, WORDS], 0.0, 0, "")
    with pytest.raises(UsageError, match="--units words"):
        gathered([SPEECH], 0.0, 0, "words")


def test_priors_are_shares_of_time() -> None:
    times = (Segment("sil", 0.0, 1.0), Segment("aa", 1.0, 1.75), Segment("b", 1.75, 2.0))
    found = priors([lesson("aa", "b", times=times)], 3)
    assert found.shape == (3 * len(CLASSES),) and found.sum() == pytest.approx(1.0)
    assert found[0] / found[3 * NUMBERS["aa"]] == pytest.approx(4 / 3)
    assert found[3 * NUMBERS["z"]] == found[3 * NUMBERS["b"]]  # never heard: as the least of those that were
    assert priors([lesson("aa")], 1) == pytest.approx(np.full(len(CLASSES), 1 / len(CLASSES)))


def test_the_bigram_sums_to_one_and_knows_what_follows_what() -> None:
    found = np.exp(bigram([lesson("k", "ae", "t"), lesson("k", "ae", "b")]))
    assert found.sum(1) == pytest.approx(1.0)
    k, ae, t, z = (NUMBERS[phone] for phone in ("k", "ae", "t", "z"))
    assert found[0, k] > 0.4 and found[k, ae] > 0.4 and found[ae, t] > found[ae, z] > 0
