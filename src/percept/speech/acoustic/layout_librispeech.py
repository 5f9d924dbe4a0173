"""LibriSpeech as published (Panayotov et al. 2015): PART/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NNNN.flac and .trans.txt.

Time labels are no part of it. Those that others made with aligners are read where they lie beside it: TextGrids in
LibriSpeech-alignments/PART/SPEAKER/CHAPTER/ID.TextGrid, or beside the sound.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from percept.speech.acoustic.times import checked_phones, checked_words, phones_of, read_times
from percept.speech.acoustic.utterances import Notes, Sounds, Utterance, bare, files, folders, lines_of, plain, sounds
from percept.speech.segments import Segment
from percept.speech.tiers import read_textgrid

SET = "librispeech"
PARTS = (
    "train-clean-100",
    "train-clean-360",
    "train-other-500",
    "dev-clean",
    "dev-other",
    "test-clean",
    "test-other",
)
ALIGNMENTS = ("LibriSpeech-alignments", "librispeech_alignments", "alignments")
ENDING = ".trans.txt"


def is_librispeech(folder: Path) -> bool:
    """Whether there is a part with a chapter's transcripts, or the folder is such a part."""
    return bool(_parts(folder))


def splits_of_librispeech(folder: Path) -> list[str]:
    """The parts that are there, by their names; all."""
    return [*_parts(folder), "all"]


def read_librispeech(folder: Path, split: str, notes: Notes) -> Iterator[Utterance]:
    """The utterances of a part, or of all."""
    for part, place in _parts(folder).items():
        if split in ("all", part):
            beside = [near / name / part for near in (place.parent, place.parent.parent) for name in ALIGNMENTS]
            aligned = next((path for path in beside if path.is_dir()), None)
            for speaker in folders(place):
                for chapter in folders(speaker):
                    yield from _chapter(part, chapter, aligned, notes)


def _parts(folder: Path) -> dict[str, Path]:
    """Name -> folder, in the order of PARTS."""
    found = {name: folder / name for name in PARTS if _is_part(folder / name)}
    return found or ({folder.name: folder} if _is_part(folder) else {})


def _is_part(folder: Path) -> bool:
    """Whether the first chapter of the first speaker has its transcripts."""
    speaker = next((path for path in folders(folder) if path.name.isdecimal()), folder)
    chapter = next((path for path in folders(speaker) if path.name.isdecimal()), None)
    return chapter is not None and any(path.name.endswith(ENDING) for path in files(chapter))


def _chapter(part: str, folder: Path, aligned: Path | None, notes: Notes) -> Iterator[Utterance]:
    found = Sounds()
    speaker = folder.parent.name
    untold = {bare(path.name): path for path in sounds(folder)}
    for list_ in (path for path in files(folder) if path.name.endswith(ENDING)):
        for number, line in lines_of(list_):
            name, _, text = line.strip().partition(" ")
            audio = found.beside(folder / f"{name}.flac")
            if audio is None:
                notes.add("no sound", list_, f"no sound file {name}", line=number)
                continue
            untold.pop(bare(audio.name), None)
            beside = (aligned / speaker / folder.name if aligned else folder) / f"{name}.TextGrid"
            phones, words = _times(beside, notes) if beside.is_file() else ((), ())
            yield Utterance(
                f"{part}/{name}",
                audio,
                speaker,
                plain(text),
                phones_of(phones),
                words,
                phones,
                "automatic" if phones else "",
            )
    for path in untold.values():
        notes.add("no transcript", path, f"no line in {folder.name}/*{ENDING}")


def _times(path: Path, notes: Notes) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """The tiers "phones" and "words" of a TextGrid."""
    tiers = read_times(read_textgrid, path, notes) or {}
    if tiers and "phones" not in tiers:
        notes.add("no phones", path, f'no tier "phones"; there is {", ".join(tiers)}')
    return checked_phones(tiers.get("phones"), path, notes), checked_words(tiers.get("words", ()), path, notes)
