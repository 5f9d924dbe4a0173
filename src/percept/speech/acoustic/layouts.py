"""The published layouts of speech: which one a folder has, its splits, and the utterances of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from percept.core.errors import UsageError, nearest
from percept.speech.acoustic.layout_commands import kind_of_commands, labels_of, read_commands, splits_of_commands
from percept.speech.acoustic.layout_folder import has_table, is_own, read_own, splits_of_own
from percept.speech.acoustic.layout_kaldi import is_kaldi, kind_of_kaldi, read_kaldi, splits_of_kaldi
from percept.speech.acoustic.layout_librispeech import is_librispeech, read_librispeech, splits_of_librispeech
from percept.speech.acoustic.layout_timit import is_timit, read_timit, splits_of_timit
from percept.speech.acoustic.layout_voxangeles import is_voxangeles, read_voxangeles, splits_of_voxangeles
from percept.speech.acoustic.utterances import Corpus, Notes, Utterance, folders, inside, is_sound, without_doubles

LOOKED_AT = 20  # folders in the given one that are looked into: archives often have one folder round all
DEEP = 2  # folders down
SPEAKERS = re.compile(r"(without|only)-(.+)")
EXPECTED = (
    "TIMIT, LibriSpeech, a Kaldi data folder (wav.scp), VoxAngeles, a folder of sounds for each word, or sounds with "
    ".txt, .phn, .TextGrid, .ctm or .lab of the same names, or with transcripts.tsv"
)


class Layout(NamedTuple):
    """How a layout is told, named and read."""

    there: Callable[[Path], bool]
    name: Callable[[Path], str | None]
    splits: Callable[[Path], list[str]]
    read: Callable[[Path, str, Notes], Iterator[Utterance]]


def _always(name: str) -> Callable[[Path], str]:
    return lambda folder: name


PUBLISHED = (
    Layout(is_timit, _always("timit"), splits_of_timit, read_timit),
    Layout(is_librispeech, _always("librispeech"), splits_of_librispeech, read_librispeech),
    Layout(is_kaldi, kind_of_kaldi, splits_of_kaldi, read_kaldi),
    Layout(is_voxangeles, _always("voxangeles"), splits_of_voxangeles, read_voxangeles),
)
OWN = (
    Layout(has_table, _always("folder"), splits_of_own, read_own),  # before folders that might be words
    Layout(lambda folder: bool(kind_of_commands(folder)), kind_of_commands, splits_of_commands, read_commands),
    Layout(is_own, _always("folder"), splits_of_own, read_own),
)


def recognise(folder: Path) -> str | None:
    """The set that a folder holds, by its content, as ``Corpus.set`` names it; None where it is no speech."""
    if not Path(folder).is_dir():
        return None
    with readable(folder):
        layout, root = _located(Path(folder))
        return layout.name(root) if layout else None


def splits(folder: Path) -> list[str]:
    """The splits of a folder, "all" among them. without-NAME and only-NAME are splits of every set whose speakers are
    known, "all" without these speakers or of them only (several: NAME,NAME); they are listed where they are customary.

    Raises:
        UsageError: an unknown layout.
    """
    with readable(folder):
        layout, root = _find(Path(folder))
        return layout.splits(root)


def read_corpus(folder: Path, split: str) -> Corpus:
    """The utterances of a split with all that is known of them; no sound is read.

    split: one that :func:`splits` tells, "all", or "without-NAME" and "only-NAME" with a speaker's name, or several
    joined by commas. "train" is all parts whose names begin so, or "all" where a set has no parts.

    Raises:
        UsageError: an unknown layout, no such split or speaker, or no utterance in it.
    """
    folder = Path(folder)
    with readable(folder):
        layout, root = _find(folder)
        known = layout.splits(root)
        wanted = SPEAKERS.fullmatch(split)
        parts = _parts(split, known, whole=split == "all" or wanted is not None)
        if not parts:
            shown = ", ".join(name for name in known if not SPEAKERS.fullmatch(name))
            raise UsageError(f"{folder}: no split {split}, there is {shown}{nearest(split, known)}")
        notes = Notes(root)
        utterances = without_doubles((one for part in parts for one in layout.read(root, part, notes)), notes)
        name = layout.name(root) or "folder"
        labels = labels_of(root) if layout.read is read_commands else ()
    problems, faults = notes.problems(), notes.faults()
    if not utterances:
        why = f"; {problems[0]}" if problems else ""
        raise UsageError(f"{folder}: no utterance in {split}{why} (percept data check {folder})")
    made = Corpus(name, split, root, utterances, labels, problems, faults)
    return _of_speakers(made, wanted[1], wanted[2].split(",")) if wanted else made


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Say in one line when the system refuses a file."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror or error}") from error


def _parts(split: str, known: list[str], *, whole: bool) -> list[str]:
    """The parts that are read for a split; none where there is no such split."""
    if whole or split in known:
        return ["all" if whole else split]
    training = [name for name in known if name.startswith("train")]
    others = any(name.startswith(("dev", "val", "test")) for name in known)
    return [] if split != "train" else training if training or others else ["all"]


def _of_speakers(corpus: Corpus, how: str, names: list[str]) -> Corpus:
    """A corpus without some speakers, or of them only."""
    if unknown := next((name for name in names if name not in corpus.speakers), None):
        near = nearest(unknown, corpus.speakers)
        raise UsageError(f"{corpus.folder}: no speaker {unknown} among {len(corpus.speakers):,}{near}")
    kept = tuple(one for one in corpus.utterances if (one.speaker in names) is (how == "only"))
    if not kept:
        raise UsageError(f"{corpus.folder}: no utterance in {corpus.split}: all are of {', '.join(names)}")
    return replace(corpus, utterances=kept)


def _find(folder: Path) -> tuple[Layout, Path]:
    """The layout, and where it begins. Raises UsageError if there is none."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    layout, root = _located(folder)
    if layout is None:
        raise UsageError(f"{folder}: {_nothing(folder)}")
    return layout, root


def _located(folder: Path) -> tuple[Layout | None, Path]:
    """The folder's own layout, or that of the only folder below it that has one."""
    found = _sets(folder)
    return found[0] if len(found) == 1 else (None, folder)


def _sets(folder: Path) -> list[tuple[Layout, Path]]:
    """What has a layout, in the folder or below it; published ones first, for they may have labels beside sounds."""
    return _below(folder, PUBLISHED, DEEP) or _below(folder, OWN, DEEP)


def _below(folder: Path, layouts: tuple[Layout, ...], deep: int) -> list[tuple[Layout, Path]]:
    """The folder itself if it has one of these layouts, else those below it that have one."""
    layout = next((layout for layout in layouts if layout.there(folder)), None)
    if layout:
        return [(layout, folder)]
    return [one for place in folders(folder)[:LOOKED_AT] for one in _below(place, layouts, deep - 1)] if deep else []


def _nothing(folder: Path) -> str:
    """Why a folder holds no such data."""
    several = [inside(place, folder) for _, place in _sets(folder)]
    if several:
        return f"several sets in one folder ({', '.join(several)}): give one of them"
    if any(is_sound(path) for path in folder.rglob("*")):
        return "sound files, but nothing that says what is spoken: .txt, .TextGrid, .phn, .ctm or .lab beside them"
    there = sorted(path.name for path in folder.iterdir())[:8]
    return f"no labelled speech found: {EXPECTED} expected, there is {', '.join(there) or 'nothing'}"
