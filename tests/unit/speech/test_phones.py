"""The model's alphabet, Lee and Hon's foldings, and closures joined with their releases."""

from __future__ import annotations

import pytest

from percept.core.errors import InputError
from percept.speech.ipa import SYMBOLS, from_ipa
from percept.speech.phones import PHONES, SILENCE, fold, fold39, fold48, ipa, merged, scored
from percept.speech.segments import Segment

TIMIT = (  # Garofolo et al. 1993
    "aa ae ah ao aw ax ax-h axr ay b bcl ch d dcl dh dx eh el em en eng epi er ey f g gcl h# hh hv ih ix iy jh k kcl l "
    "m n ng nx ow oy p pau pcl q r s sh t tcl th uh uw ux v w y z zh"
)


def test_cmus_alphabet_has_39_phones_and_neither_stress_nor_silence() -> None:
    assert len(PHONES) == len(set(PHONES)) == 39
    assert {"ao", "zh"} <= set(PHONES) and not {"dx", SILENCE, "ax"} & set(PHONES)
    assert list(PHONES) == sorted(PHONES)


def test_lee_and_hons_folding_has_48_and_39_classes() -> None:
    labels = TIMIT.split()
    assert len(labels) == 61
    assert len({fold48(label) for label in labels} - {None}) == 48
    assert len({fold39(label) for label in labels} - {None}) == 39
    assert [label for label in labels if fold39(label) is None] == ["q"]
    assert {label for label in labels if fold39(label) == "sil"} == {
        "h#",
        "pau",
        "epi",
        *(f"{stop}cl" for stop in "bdgkpt"),
    }
    groups = {"aa": "aa ao", "ah": "ah ax ax-h", "er": "er axr", "hh": "hh hv", "ih": "ih ix", "l": "l el"}
    groups |= {"m": "m em", "n": "n en nx", "ng": "ng eng", "sh": "sh zh", "uw": "uw ux"}
    for folded, together in groups.items():
        assert {label for label in labels if fold39(label) == folded} == set(together.split()), folded
    # 39 classes of 48 ones: a fold of a fold is itself
    assert all(fold39(fold48(label)) == fold39(label) for label in labels if fold48(label))


@pytest.mark.parametrize(
    ("label", "phone"),
    [
        ("AA1", "aa"),
        ("ah0_B", "ah"),
        ("T_S", "t"),
        ("zh", "zh"),
        (" AO ", "ao"),
        ("dx", "t"),
        ("SIL", SILENCE),
        ("", SILENCE),
        ("<p:>", SILENCE),
        ("sp", SILENCE),
        ("h#", SILENCE),
        ("spn", None),
        ("+NSN+", None),
        ("q", None),
        ("AA12", None),
        ("a", None),
        ("_B", None),
        ("1", None),
    ],
)
def test_labels_of_any_spelling(label: str, phone: str | None) -> None:
    assert fold(label) == phone


def test_every_phone_is_its_own_fold() -> None:
    assert [fold(phone) for phone in PHONES] == list(PHONES)
    assert all(fold(label) in (*PHONES, SILENCE) for label in TIMIT.split() if label != "q")


def test_scored_leaves_out_silence_and_counts_a_flap() -> None:
    assert scored(["h#", "b", "ah", "dx", "er", "q", "pau", "ZH"]) == ["b", "ah", "dx", "er", "sh"]


def test_ipa_of_each_phone_and_back() -> None:
    assert set(SYMBOLS) == set(PHONES)
    assert [from_ipa(ipa(phone)) for phone in PHONES] == list(PHONES)
    assert ipa(SILENCE) == ""
    with pytest.raises(InputError, match=r'unknown phone "uww"; did you mean uw\?'):
        ipa("uww")


def spelt(labels: str) -> str:
    """The merged labels of segments of a tenth of a second each."""
    segments = [Segment(label, n / 10, (n + 1) / 10) for n, label in enumerate(labels.split())]
    return " ".join(f"{one.label}:{round(10 * one.start)}-{round(10 * one.end)}" for one in merged(segments))


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ("tcl t ix", "t:0-2 ih:2-3"),
        ("tcl ch", "ch:0-2"),
        ("dcl jh", "jh:0-2"),
        ("tcl dx", "t:0-2"),
        ("kcl s", "k:0-1 s:1-2"),  # never released
        ("kcl t", "k:0-1 t:1-2"),  # "act": the first stop is not released, the second not closed
        ("kcl tcl t", "k:0-1 t:1-3"),
        ("pcl b", "p:0-1 b:1-2"),
        ("h# pau tcl T", "sil:0-2 t:2-4"),
        ("aa q aa", "aa:0-1 aa:2-3"),
        ("tcl q t", "t:0-1 t:2-3"),
        ("t tcl t", "t:0-1 t:1-3"),
    ],
)
def test_a_closure_and_its_release_are_one_stop(labels: str, found: str) -> None:
    assert spelt(labels) == found


def test_silences_with_a_gap_between_stay_two() -> None:
    assert len(merged([Segment("h#", 0.0, 0.1), Segment("pau", 0.2, 0.3)])) == 2
