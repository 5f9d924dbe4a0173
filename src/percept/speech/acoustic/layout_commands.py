"""Command words, a word a recording: Speech Commands and Arabic Speech Commands, FSDD, and any folder a word.

- Speech Commands (Warden 2018): WORD/SPEAKER_nohash_N.wav, validation_list.txt, testing_list.txt.
- Arabic Speech Commands (Ghandoura et al. 2021): dataset/WORD/SPEAKER_NO_N.wav, train.csv, val.csv, test.csv.
- FSDD (Jackson et al.): recordings/DIGIT_SPEAKER_N.wav; N from 0 to 4 is for testing, as its authors propose.
- one's own: WORD/*.wav, with lists as above, or train/WORD/*.wav, val/WORD/*.wav, test/WORD/*.wav, or neither.

Speakers are told by the names of files, SPEAKER_nohash_N or SPEAKER_NO_N; of other names none are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from percept.speech.acoustic.utterances import Notes, Sounds, Utterance, bare, folders, inside, lines_of, sounds

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FSDD = re.compile(r"(?P<digit>\d)_(?P<speaker>[A-Za-z]+)_(?P<index>\d+)")
FSDD_TEST = 5  # recordings of each digit and speaker, the first ones
SPEAKER = re.compile(r"(?P<speaker>.+?)_(?P<style>nohash|NO)_\d+")
LISTS = {"val": "validation_list.txt", "test": "testing_list.txt"}
TABLES = {"train": "train.csv", "val": "val.csv", "test": "test.csv"}
PARTS = {"train": ("train", "training"), "val": ("val", "valid", "validation", "dev"), "test": ("test", "testing")}
NOISES = ("_background_noise_", "background_noise")
BESIDE = (".txt", ".lab", ".textgrid", ".phn", ".wrd", ".ctm")  # labels beside a sound: then its folder is no word


class Words(NamedTuple):
    """Where the folders of words lie, and what tells the splits: "lists", "tables", "folders" or "" (nothing)."""

    base: Path
    words: tuple[str, ...]
    told: str


def kind_of_commands(folder: Path) -> str | None:
    """ "fsdd", "speech-commands", "arabic-speech-commands", "commands" for other folders a word, or None."""
    if _recordings(folder):
        return "fsdd"
    found = _found(folder)
    if found is None:
        return None
    first = next(path for path in sounds(_any(found)))
    named = SPEAKER.fullmatch(bare(first.name))
    if found.told == "tables" and found.base.name == "dataset":
        return "arabic-speech-commands"
    return "speech-commands" if found.told == "lists" and named and named["style"] == "nohash" else "commands"


def splits_of_commands(folder: Path) -> list[str]:
    """train, val and test as far as the set has them, and all; of FSDD, train and test, then all, and for each speaker
    without-NAME and only-NAME."""
    if place := _recordings(folder):
        names = sorted({match["speaker"] for path in sounds(place) if (match := FSDD.fullmatch(bare(path.name)))})
        return ["train", "test", "all", *(f"{how}-{name}" for name in names for how in ("without", "only"))]
    found = _found(folder)
    if found is None or not found.told:
        return ["all"]
    if found.told == "folders":
        return [*_part_folders(folder), "all"]
    there = TABLES if found.told == "tables" else LISTS
    listed = [split for split, name in there.items() if (folder / name).is_file()]
    return [*dict.fromkeys(["train", *listed]), "all"]


def labels_of(folder: Path) -> tuple[str, ...]:
    """The words of a set, sorted; they are its classes, in all of its splits."""
    if place := _recordings(folder):
        return tuple(sorted({path.name[0] for path in sounds(place) if FSDD.fullmatch(bare(path.name))}))
    found = _found(folder)
    return found.words if found else ()


def noises(folder: Path) -> list[Path]:
    """The recordings of noise alone that come with such sets."""
    return [path for name in NOISES for path in sounds(folder / name)]


def read_commands(folder: Path, split: str, notes: Notes) -> Iterator[Utterance]:
    """The recordings of a split, word by word."""
    if place := _recordings(folder):
        yield from _digits(place, split, notes)
        return
    found = _found(folder)
    if found is None:
        return
    chosen = _chosen(folder, found, split, notes)
    places = _part_folders(folder) if found.told == "folders" else {"": found.base}
    for part, place in places.items():
        for word in found.words if not part or split in ("all", part) else ():
            for path in sounds(place / word):
                if chosen is None or path in chosen:
                    match = SPEAKER.fullmatch(bare(path.name))
                    english = match is not None and match["style"] == "nohash"  # Google's: folders say what is said
                    yield Utterance(
                        bare(inside(path, folder)),
                        path,
                        match["speaker"] if match else "",
                        (word,) if english else (),
                        label=word,
                    )


def _digits(folder: Path, split: str, notes: Notes) -> Iterator[Utterance]:
    for path in sounds(folder):
        match = FSDD.fullmatch(bare(path.name))
        if match is None:
            notes.add("other names", path, "not DIGIT_SPEAKER_NUMBER; left out")
        elif split == "all" or (split == "test") == (int(match["index"]) < FSDD_TEST):
            digit = match["digit"]
            yield Utterance(bare(path.name), path, match["speaker"], (DIGITS[int(digit)],), label=digit)


def _recordings(folder: Path) -> Path | None:
    """FSDD's folder of recordings."""
    place = folder / "recordings"
    first = next((path for path in sounds(place)), None)
    return place if first and FSDD.fullmatch(bare(first.name)) else None


def _found(folder: Path) -> Words | None:
    """The folders of words below a folder, if it is such a set."""
    parts = _part_folders(folder)
    if parts:
        words = sorted({word for place in parts.values() for word in _words(place)})
        return Words(next(iter(parts.values())), tuple(words), "folders")
    base = folder / "dataset" if (folder / "dataset").is_dir() else folder
    words = _words(base)
    if len(words) < 2:
        return None
    told = "lists" if any((folder / name).is_file() for name in LISTS.values()) else ""
    told = "tables" if any((folder / name).is_file() for name in TABLES.values()) else told
    return Words(base, tuple(words), told)


def _part_folders(folder: Path) -> dict[str, Path]:
    """Split -> its folder, where the words' folders lie in train/, val/, test/."""
    found = {}
    for split, names in PARTS.items():
        place = next((folder / name for name in names if (folder / name).is_dir()), None)
        if place and len(_words(place)) > 1:
            found[split] = place
    return found


def _words(folder: Path) -> list[str]:
    """The folders with sounds and nothing said of them: their names are the words. None if something is said."""
    names = []
    for place in folders(folder):
        heard = sounds(place) if place.name not in NOISES else []
        if heard:
            names.append(place.name)
            beside = {path.name.lower() for path in place.iterdir() if path.suffix.lower() in BESIDE}
            if any(name.rpartition(".")[0] == heard[0].stem.lower() or name.endswith(".trans.txt") for name in beside):
                return []
    return sorted(names)


def _any(found: Words) -> Path:
    """One folder of a word."""
    return next(found.base / word for word in found.words if (found.base / word).is_dir())


def _chosen(folder: Path, found: Words, split: str, notes: Notes) -> set[Path] | None:
    """The files that the lists give to a split; None for all there are. What no list names is for training."""
    if split == "all" or found.told not in ("lists", "tables"):
        return None
    look = Sounds()
    there = TABLES if found.told == "tables" else LISTS
    told = {
        name: set(_listed(folder, folder / path, look, notes))
        for name, path in there.items()
        if (folder / path).is_file()
    }
    if split in told:
        return told[split]
    return {path for word in found.words for path in sounds(found.base / word)}.difference(*told.values())


def _listed(folder: Path, path: Path, look: Sounds, notes: Notes) -> Iterator[Path]:
    """The files that a list names: a path a line, or the first column of a table, which may have a heading."""
    for number, line in lines_of(path):
        name = line.split(",")[0].strip().strip('"')
        sound = look.find(folder / name)
        if sound is not None:
            yield sound
        elif number > 1 or path.suffix != ".csv":
            notes.add("no sound", path, f"no file {name}", line=number)
