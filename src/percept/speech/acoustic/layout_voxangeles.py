"""VoxAngeles (Chodroff et al. 2024): data/audited_aligned/LANGUAGE/LANGUAGE-TAPE-NNN.{wav,TextGrid}.

Isolated words with boundaries of phones corrected by hand, in IPA. Each symbol is read as the nearest phone of the
model's alphabet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from percept.speech.acoustic.times import from_ipa_times, phones_of, read_times
from percept.speech.acoustic.utterances import Notes, Sounds, Utterance, files, folders
from percept.speech.tiers import read_textgrid

SET = "voxangeles"
PLACES = ("data/audited_aligned", "audited_aligned", ".")
LANGUAGE = re.compile(r"[a-z]{3}")
WORD = re.compile(r"(?P<tape>[a-z]{3}-\w+)-\d+")  # a tape is mostly one speaker's


def is_voxangeles(folder: Path) -> bool:
    """Whether there is a language's folder with such words."""
    return bool(_languages(folder))


def splits_of_voxangeles(folder: Path) -> list[str]:
    """All, and each language by its ISO 639-3 code."""
    return ["all", *_languages(folder)]


def read_voxangeles(folder: Path, split: str, notes: Notes) -> Iterator[Utterance]:
    """The words of a language, or of all. What is said is known in phones only."""
    found = Sounds()
    for language, place in _languages(folder).items():
        for path in files(place) if split in ("all", language) else ():
            if path.suffix.lower() != ".textgrid":
                continue
            audio = found.beside(path)
            if audio is None:
                notes.add("no sound", path, "no sound file of this name")
                continue
            tiers = read_times(read_textgrid, path, notes) or {}
            phones = from_ipa_times(tiers.get("phones"), path, notes)
            if not phones:
                if tiers:
                    notes.add("no phones", path, f'no phones in a tier "phones"; there is {", ".join(tiers)}')
                continue
            tape = WORD.fullmatch(path.stem)
            yield Utterance(
                f"{language}/{path.stem}",
                audio,
                tape["tape"] if tape else language,
                phones=phones_of(phones),
                phone_times=phones,
                truth="hand",
            )


def _languages(folder: Path) -> dict[str, Path]:
    """Code -> folder."""
    for name in PLACES:
        found = {
            place.name: place
            for place in folders(folder / name)
            if LANGUAGE.fullmatch(place.name)
            and any(path.name.startswith(f"{place.name}-") and path.suffix == ".TextGrid" for path in files(place))
        }
        if found:
            return found
    return {}
