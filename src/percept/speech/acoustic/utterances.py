"""The utterances of a split, and what every reader of a layout shares: words, sounds found by name, what is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from percept.speech.audio import SUFFIXES
from percept.speech.segments import Segment

SHOWN = 5  # lines of one kind that are shown one by one; the others are counted


@dataclass(frozen=True)
class Utterance:
    """One recording, or a part of one, and what is known of it.

    name: unique in the set, such as "dr1-fvmh0/sa1"; speaker: "" where nobody told; words: lower case, as transcribed;
    phones: of the model's alphabet, without silence; word_times: words only, in order of their beginnings;
    phone_times: the set's own labels (of IPA labels, the nearest phones), contiguous where the set has them so;
    truth: "hand", "automatic", "canonical" (from a dictionary) or "" (only words): what phones and phone_times are;
    label: of a set of command words, the word; begin, end: the part of the file in seconds, to which all times are
    relative; None: up to its end; pronunciations: the phones word by word, where the set tells them so.
    """

    name: str
    audio: Path
    speaker: str = ""
    words: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    word_times: tuple[Segment, ...] = ()
    phone_times: tuple[Segment, ...] = ()
    truth: str = ""
    label: str = ""
    begin: float = 0.0
    end: float | None = None
    pronunciations: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Corpus:
    """The utterances of one split.

    set: "timit", "librispeech", "speechocean762", "kaldi", "fsdd", "speech-commands", "arabic-speech-commands",
    "commands", "voxangeles" or "folder"; labels: the command words, () where sentences are spoken; problems: what is
    missing or wrong, a line each; faults: those of them that make the labels unfit to train on.
    """

    set: str
    split: str
    folder: Path
    utterances: tuple[Utterance, ...]
    labels: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def speakers(self) -> tuple[str, ...]:
        """Those that are known, sorted."""
        return tuple(sorted({one.speaker for one in self.utterances if one.speaker}))


class Notes:
    """What is missing or wrong, gathered while a set is read: many lines of one kind become a few and a count."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lines: dict[str, list[str]] = {}
        self._faults: set[str] = set()

    def add(self, kind: str, path: Path, what: str, *, line: int = 0, fault: bool = False) -> None:
        """Note that something is wrong with a file, in a line from 1 on; ``kind``: what such notes are about."""
        where = f" line {line}" if line else ""
        self._lines.setdefault(kind, []).append(f"{inside(path, self.folder)}{where}: {what}")
        if fault:
            self._faults.add(kind)

    def problems(self) -> tuple[str, ...]:
        """All lines, kind by kind, faults first."""
        others = [line for kind in self._lines if kind not in self._faults for line in self._shown(kind)]
        return (*self.faults(), *others)

    def faults(self) -> tuple[str, ...]:
        """The lines that stand for labels unfit to train on."""
        return tuple(line for kind in self._lines if kind in self._faults for line in self._shown(kind))

    def _shown(self, kind: str) -> list[str]:
        lines = self._lines[kind]
        more = len(lines) - SHOWN
        return [*lines[:SHOWN], *([f"{kind}: {more:,} more"] if more > 0 else [])]


class Sounds:
    """Finds sound files by their names, and where a name is not there, by the same name with another suffix: copies of
    a set in FLAC or Opus keep the published lists, which say .wav."""

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, Path]] = {}

    def find(self, path: Path) -> Path | None:
        """The file itself, or one that differs from it in suffix or case only."""
        there = self._listing(path.parent)
        found = there.get(path.name) or there.get(path.name.lower())
        return found or there.get(f"{path.stem.lower()}.") or there.get(f"{path.name.lower()}.")

    def beside(self, path: Path) -> Path | None:
        """The sound file with the stem of a label file."""
        return self._listing(path.parent).get(f"{path.stem.lower()}.")

    def _listing(self, folder: Path) -> dict[str, Path]:
        """Name, lower-case name, and lower-case stem with a dot -> file."""
        if folder not in self._folders:
            listed: dict[str, Path] = {}
            for path in sounds(folder):
                # SA1.WAV.wav is a converted SA1.WAV: both answer to "sa1."
                short = path.name.lower()[: -len(path.suffix)] + "."
                for name in (path.name, path.name.lower(), short, bare(short[:-1]) + "."):
                    listed.setdefault(name, path)
            self._folders[folder] = listed
        return self._folders[folder]


def sounds(folder: Path) -> list[Path]:
    """The sound files of a folder by their names, sorted; hidden files are none."""
    return [path for path in files(folder) if is_sound(path)]


def is_sound(path: Path) -> bool:
    """Whether a file's name says that it is sound."""
    return path.suffix.lower() in SUFFIXES


def bare(name: str) -> str:
    """A name, or a path, without what says that it is sound.

    >>> bare("zoom in/SA1.WAV"), bare("talk.v2")
    ('zoom in/SA1', 'talk.v2')
    """
    suffix = Path(name).suffix
    return name[: -len(suffix)] if suffix.lower() in SUFFIXES else name


def files(folder: Path) -> list[Path]:
    """The files of a folder that are not hidden, sorted; none where there is no such folder."""
    return _entries(folder, os.DirEntry.is_file)


def folders(folder: Path) -> list[Path]:
    """The folders in a folder that are not hidden, sorted; none where there is no such folder."""
    return _entries(folder, os.DirEntry.is_dir)


def _entries(folder: Path, kind: Callable[[os.DirEntry[str]], bool]) -> list[Path]:
    """scandir tells files from folders without asking for each: sets have a hundred thousand files."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [folder / name for name in sorted(one.name for one in entries if one.name[0] != "." and kind(one))]


def inside(path: Path, folder: Path) -> str:
    """A path as messages show it: below the set's folder."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def lines_of(path: Path) -> list[tuple[int, str]]:
    """The lines of a list that hold something, with their numbers from 1 on; what is not UTF-8 matches no name."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def plain(text: str) -> tuple[str, ...]:
    """The words of a transcript that spells everything out, lower case.

    >>> plain("IT'S JUST SO HARD")
    ("it's", 'just', 'so', 'hard')
    """
    return tuple(text.lower().split())


def without_doubles(utterances: Iterable[Utterance], notes: Notes) -> tuple[Utterance, ...]:
    """Each name once: a second utterance of one name is noted and left out."""
    kept: dict[str, Utterance] = {}
    for one in utterances:
        if one.name in kept:
            notes.add("names met twice", one.audio, f"{one.name} was met before; left out")
        else:
            kept[one.name] = one
    return tuple(kept.values())
