"""TIMIT: TRAIN|TEST/DR1/FCJF0/SA1.{WAV,PHN,WRD,TXT} in any case, or NLTK's sample, dr1-fvmh0/sa1.{wav,phn,wrd}.

Garofolo et al. 1993, LDC93S1. Speakers are named as in the papers, in lower case and with their sex: fvmh0. The two
sentences that every speaker reads (sa1, sa2) belong to no split but "all", as is usual.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from percept.speech.acoustic.times import checked_phones, checked_words, phones_of, read_times
from percept.speech.acoustic.utterances import Notes, Sounds, Utterance, bare, files, folders
from percept.speech.segments import read_text
from percept.speech.tiers import read_phn
from percept.speech.words import words_of

SET = "timit"
SAMPLE = re.compile(r"dr\d-([fm][a-z]{3}\d)")
DIALECT = re.compile(r"dr\d")
SPEAKER = re.compile(r"[fm][a-z]{3}\d")
TEXT = re.compile(r"\d+\s+\d+\s+")  # first and last sample, before the sentence of a .txt file
# The 24 speakers of the core test set (table 1 of testset.doc): with 8 sentences each, 192.
_CORE = """
    mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0
    mbpm0 mklt0 fnlp0 mcmj0 mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0
"""
# 50 other speakers of TEST, 400 sentences, on which it is customary to tune (Halberstadt 1998; Kaldi's dev_spk.list).
_DEV = """
    faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 mcsh0 fadg0 fdms0 fedw0 mgjf0
    mglb0 mrtk0 mtaa0 mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 mbns0 mmjr0 mdls0 mdlf0 mdvc0 mers0 fmah0 fdrw0
    mrcs0 mrjm4 fcal1 mmwh0 fjsj0 majc0 mjsw0 mreb0 fgjd0 fjmg0 mroa0 mteb0 mjfc0 mrjr0 fmml0 mrws1
"""
CORE, DEV = frozenset(_CORE.split()), frozenset(_DEV.split())


class Speaker(NamedTuple):
    """A speaker's folder: the part it lies in ("" of the sample), its name in the set, who it is."""

    part: str
    name: str
    speaker: str
    folder: Path


def is_timit(folder: Path) -> bool:
    """Whether a speaker's folder is where the corpus or its sample has one."""
    return next(_speakers(folder), None) is not None


def splits_of_timit(folder: Path) -> list[str]:
    """Of the corpus: train (3,696 sentences), dev (400), core-test (192), test (1,344: all of TEST), all (6,300).

    Of the sample: all, and no-sa without the sentences that everybody reads.
    """
    parts = {one.part for one in _speakers(folder)}
    if parts == {""}:
        return ["all", "no-sa"]
    return [*(["train"] if "train" in parts else []), *(["dev", "core-test", "test"] if "test" in parts else []), "all"]


def read_timit(folder: Path, split: str, notes: Notes) -> Iterator[Utterance]:
    """The utterances of a split, speaker by speaker."""
    found = Sounds()
    for one in _speakers(folder):
        for stem, labels in _sentences(one.folder).items():
            if _belongs(split, one, stem):
                yield from _utterance(one, stem, labels, found, notes)


def _belongs(split: str, one: Speaker, stem: str) -> bool:
    if split == "all":
        return True
    if stem in ("sa1", "sa2"):
        return False
    chosen = {"core-test": CORE, "dev": DEV}.get(split)
    if chosen is not None:
        return one.part == "test" and one.speaker in chosen
    return split in ("no-sa", one.part)


def _speakers(folder: Path) -> Iterator[Speaker]:
    """The speakers' folders of the sample, then those of the corpus."""
    for place in folders(folder):
        name = place.name.lower()
        if match := SAMPLE.fullmatch(name):
            yield Speaker("", name, match[1], place)
        elif name in ("train", "test"):
            for dialect in (inner for inner in folders(place) if DIALECT.fullmatch(inner.name.lower())):
                for speaker in folders(dialect):
                    who = speaker.name.lower()
                    if SPEAKER.fullmatch(who):
                        yield Speaker(name, f"{name}/{dialect.name.lower()}/{who}", who, speaker)


def _sentences(folder: Path) -> dict[str, dict[str, Path]]:
    """Sentence, such as "sa1" -> suffix in lower case -> its file."""
    found: dict[str, dict[str, Path]] = {}
    for path in files(folder):
        stem = bare(bare(path.name)).partition(".")[0].lower()
        found.setdefault(stem, {}).setdefault(path.suffix.lower(), path)
    return found


def _utterance(one: Speaker, stem: str, labels: dict[str, Path], found: Sounds, notes: Notes) -> Iterator[Utterance]:
    """The utterance, unless its sound or all that is said of it is missing."""
    phn, wrd, txt = (labels.get(suffix) for suffix in (".phn", ".wrd", ".txt"))
    anything = phn or wrd or txt or next(iter(labels.values()))
    audio = found.beside(one.folder / f"{stem}.wav")
    if audio is None:
        notes.add("no sound", anything, "no sound file of this name")
        return
    if not (phn or wrd or txt):
        notes.add("no labels", anything, "no .phn, .wrd or .txt of this name")
        return
    if phn is None:
        notes.add("no .phn", anything, "no .phn of this name: its phones are not known")
    phones = checked_phones(read_times(read_phn, phn, notes), phn, notes) if phn else ()
    words = checked_words(read_times(read_phn, wrd, notes) or (), wrd, notes) if wrd else ()
    text = read_times(read_text, txt, notes) or "" if txt and not words else ""
    yield Utterance(
        f"{one.name}/{stem}",
        audio,
        one.speaker,
        tuple(word.label for word in words) or tuple(words_of(TEXT.sub("", text, count=1))),
        phones_of(phones),
        words,
        phones,
        "hand" if phones else "",
    )
