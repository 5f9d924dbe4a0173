"""Holding out by speaker, and what is refused before training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from percept.core import datasets
from percept.core.errors import UsageError
from percept.speech.acoustic import data
from percept.speech.acoustic.data import Corpus, Utterance, hold_out, read_corpus, refuse

TINY = Path(__file__).parents[3] / "data"


def corpus(speakers: int, each: int, known: bool = True) -> Corpus:
    made = [
        Utterance(f"s{who}/{n}", Path("a.wav"), f"s{who}" if known else "")
        for who in range(speakers)
        for n in range(each)
    ]
    return Corpus("folder", "train", Path("own"), tuple(made), problems=("a.wav: odd",))


def names(part: Corpus) -> set[str]:
    return {one.name for one in part.utterances}


def test_whole_speakers_are_held_out():
    whole = corpus(10, 7)
    train, held = hold_out(whole, 0.2, seed=3)
    assert names(train) | names(held) == names(whole)
    assert not set(train.speakers) & set(held.speakers)
    assert (len(held.utterances), held.split, train.split) == (14, "val", "train")
    assert (train.problems, held.problems) == (whole.problems, ())


def test_the_order_of_files_changes_nothing_and_the_seed_does():
    whole = corpus(10, 3)
    turned = replace(whole, utterances=whole.utterances[::-1])
    assert names(hold_out(whole, 0.2, 1)[1]) == names(hold_out(turned, 0.2, 1)[1])
    assert len({frozenset(names(hold_out(whole, 0.2, seed)[1])) for seed in range(8)}) > 1


@pytest.mark.parametrize(("speakers", "known"), [(1, True), (7, True), (10, False)])
def test_of_few_or_unknown_speakers_utterances_are_held_out(speakers, known):
    train, held = hold_out(corpus(speakers, 10, known), 0.1, seed=0)
    assert len(held.utterances) == speakers
    assert len(train.utterances) == 9 * speakers


def test_nothing_to_part():
    with pytest.raises(UsageError, match="1 utterance: too few"):
        hold_out(corpus(1, 1), 0.5, 0)
    with pytest.raises(UsageError, match="between 0 and 1, not 1"):
        hold_out(corpus(2, 2), 1.0, 0)


def test_bad_labels_are_refused_with_the_count_of_the_others():
    good = corpus(2, 2)
    refuse(good)
    one = 'a.phn line 3: unknown phone "xx"'
    with pytest.raises(UsageError, match=r'own/a.phn line 3: unknown phone "xx" \(percept data check own\)'):
        refuse(replace(good, faults=(one,)))
    with pytest.raises(UsageError, match="2 more lines like it"):
        refuse(replace(good, faults=(one, one, one)))


def test_commands_of_one_word_are_refused():
    tiny = read_corpus(TINY / "commands_tiny", "train")
    refuse(tiny)
    one = replace(tiny, utterances=tuple(one for one in tiny.utterances if one.label == "yes"))
    with pytest.raises(UsageError, match="recordings of one word only"):
        refuse(one)


def test_the_table_of_data_sets_is_well_made(tmp_path, monkeypatch):
    table = datasets.rows({"acoustic": Path(data.__file__).with_name("datasets.toml")})
    assert {row.name for row in table} >= {"timit", "librispeech", "speechocean762", "fsdd", "speech-commands"}
    monkeypatch.setenv("PERCEPT_DATA", str(tmp_path))
    place = tmp_path / "librispeech" / "LibriSpeech"
    place.mkdir(parents=True)
    (place / "SPEAKERS.TXT").write_text("; nobody\n")
    assert datasets.find("librispeech", table, "acoustic")[0] == place
    with pytest.raises(UsageError, match="percept data fetch fsdd"):
        datasets.find("fsdd", table, "acoustic")
    with pytest.raises(UsageError, match="must be got by hand"):
        datasets.find("timit", table, "acoustic")
