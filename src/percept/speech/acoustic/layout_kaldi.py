"""Kaldi's data folders: wav.scp, text, utt2spk and, where recordings hold many utterances, segments.

speechocean762 (Zhang et al. 2021) comes so: train/ and test/, sound in WAVE/SPEAKERnnnn/, and in resource/text-phone
the canonical phones of each word: "000010011.0	W_B IY0_E". They are what a dictionary says, not what was said.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from percept.speech.acoustic.times import known, phones_of
from percept.speech.acoustic.utterances import Notes, Sounds, Utterance, folders, is_sound, lines_of, plain
from percept.speech.segments import Segment

SPEECHOCEAN = "speechocean762"
SET = "kaldi"
FIRST = ("train", "dev", "val", "valid", "test")  # parts whose names begin so, in this order; then others
DECODERS = ("flac", "sph2pipe", "opusdec", "cat")  # commands in wav.scp that do nothing but read their file


def is_kaldi(folder: Path) -> bool:
    """Whether the folder is a data folder, or holds some, itself or in data/."""
    return bool(_parts(folder))


def kind_of_kaldi(folder: Path) -> str:
    """ "speechocean762" where the phones of its words lie there, else "kaldi"."""
    return SPEECHOCEAN if _text_phone(folder) else SET


def splits_of_kaldi(folder: Path) -> list[str]:
    """The names of the data folders, and all."""
    return [*(name for name in _parts(folder) if name != "all"), "all"]


def read_kaldi(folder: Path, split: str, notes: Notes) -> Iterator[Utterance]:
    """The utterances of a data folder, or of all."""
    canonical = _canonical(folder, notes)
    for part, place in _parts(folder).items():
        if split in ("all", part):
            yield from _utterances(part if len(_parts(folder)) > 1 else "", place, canonical, notes)


def _parts(folder: Path) -> dict[str, Path]:
    """Name -> data folder; {"all": folder} of a single one."""
    if (folder / "wav.scp").is_file():
        return {"all": folder}
    found = [place for place in folders(folder) if (place / "wav.scp").is_file()]
    found = found or [place for place in folders(folder / "data") if (place / "wav.scp").is_file()]
    rank = {place: next((k for k, name in enumerate(FIRST) if place.name.startswith(name)), 9) for place in found}
    return {place.name: place for place in sorted(found, key=lambda place: (rank[place], place.name))}


def _utterances(part: str, folder: Path, canonical: dict[str, list[str]], notes: Notes) -> Iterator[Utterance]:
    recordings = _recordings(folder, notes)
    speakers = {name: text for name, (text, _) in _table(folder / "utt2spk").items()}
    texts = _table(folder / "text")
    if not texts:
        notes.add("no transcripts", folder / "text", "not there, or empty: no words are known")
    pieces = _pieces(folder / "segments", recordings, notes)
    for name, (recording, begin, end) in pieces.items():
        if recording not in recordings:
            continue
        text, line = texts.get(name, ("", 0))
        if texts and name not in texts:
            notes.add("no transcript", folder / "text", f"no line for {name}; left out")
            continue
        words, phones = plain(text), canonical.get(name, [])
        if phones and len(phones) != len(words):
            what = f"{len(words)} words where resource/text-phone has {len(phones)}; its phones are left out"
            notes.add("phones of other words", folder / "text", what, line=line)
            phones = []
        # phones_of wants segments; a canonical phone has no times
        said = tuple(phones_of(Segment(phone, 0.0, 0.0) for phone in word.split()) for word in phones)
        yield Utterance(
            f"{part}/{name}" if part else name,
            recordings[recording],
            speakers.get(name, ""),
            words,
            tuple(phone for word in said for phone in word),
            truth="canonical" if any(said) else "",
            begin=begin,
            end=end,
            pronunciations=said,
        )
    for name in texts.keys() - pieces.keys():
        notes.add("no sound", folder / "text", f"{name} is in no wav.scp or segments", line=texts[name][1])


def _recordings(folder: Path, notes: Notes) -> dict[str, Path]:
    """Recording -> its sound file, as wav.scp says; paths are relative to a folder above, or written on no machine of
    ours: then what lies there under the name, with any suffix."""
    found: dict[str, Path] = {}
    sounds = Sounds()
    scp = folder / "wav.scp"
    for name, (text, line) in _table(scp).items():
        words = text.split()
        path = Path(text)
        if text.endswith("|"):
            named = [word for word in words if is_sound(Path(word))]
            if words[0].rpartition("/")[2] not in DECODERS or len(named) != 1:
                notes.add("commands", scp, f"a command, which percept does not run: {text[:60]}", line=line)
                continue
            path = Path(named[0])
        bases = (folder, folder.parent, folder.parent.parent, Path())
        audio = next((one for base in bases if (one := sounds.find(base / path))), None)
        if audio is None:
            notes.add("no sound", scp, f"no file {path}", line=line)
        else:
            found[name] = audio
    return found


def _pieces(path: Path, recordings: dict[str, Path], notes: Notes) -> dict[str, tuple[str, float, float | None]]:
    """Utterance -> (recording, begin, end), as segments says; each recording whole where there is no such file."""
    if not path.is_file():
        return {name: (name, 0.0, None) for name in recordings}
    found: dict[str, tuple[str, float, float | None]] = {}
    for name, (text, line) in _table(path).items():
        recording, *times = text.split()
        try:
            begin, end = (float(word) for word in times)
        except ValueError:
            notes.add("segments", path, '"UTTERANCE RECORDING BEGIN END" expected', line=line, fault=True)
            continue
        if not 0 <= begin < end:
            notes.add("segments", path, f"times run backwards: {begin:g} to {end:g} s", line=line, fault=True)
            continue
        found[name] = (recording, begin, end)
    return found


def _canonical(folder: Path, notes: Notes) -> dict[str, list[str]]:
    """Utterance -> its words' phones, in order."""
    path = _text_phone(folder)
    numbered: dict[str, dict[int, str]] = {}
    for key, (phones, line) in _table(path).items() if path else ():
        name, _, place = key.rpartition(".")
        if wrong := next((phone for phone in phones.split() if not known(phone)), None):
            notes.add("unknown phones", path, f'unknown phone "{wrong}"', line=line, fault=True)
        elif not place.isdecimal():
            notes.add(
                "text-phone", path, f'"UTTERANCE.NUMBER PHONES" expected, there is "{key}"', line=line, fault=True
            )
        else:
            numbered.setdefault(name, {})[int(place)] = phones
    return {name: [words[place] for place in sorted(words)] for name, words in numbered.items()}


def _text_phone(folder: Path) -> Path | None:
    """Where speechocean762 keeps its phones, seen from the set's folder or from one of its data folders."""
    places = (base / "resource" / "text-phone" for base in (folder, folder.parent))
    return next((path for path in places if path.is_file()), None)


def _table(path: Path) -> dict[str, tuple[str, int]]:
    """First word of a line -> (the rest, the line's number); {} where there is no such file."""
    if not path.is_file():
        return {}
    rows = ((line.strip().split(maxsplit=1), number) for number, line in lines_of(path))
    return {words[0]: (words[1] if len(words) > 1 else "", number) for words, number in rows}
