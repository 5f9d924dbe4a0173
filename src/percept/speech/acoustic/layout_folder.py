"""One's own recordings: sounds with .txt, .phn, .wrd, .TextGrid, .ctm or .lab files of the same names beside them, or
transcripts.tsv, .csv or .jsonl with a line for each; train/, val/ and test/ below, or a column "split", where wanted.

.txt holds the words; .phn and .wrd are TIMIT's, in samples of the sound; a .TextGrid has tiers called words and phones;
.ctm has Kaldi's lines; .lab is ESPS's or HTK's, or plain words as MFA has it. Phones may be in IPA, all of them then.
Where sounds lie in folders, the folder is taken for the speaker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from percept.core.errors import InputError
from percept.speech.acoustic.layout_timit import TEXT
from percept.speech.acoustic.times import (
    Labels,
    checked_phones,
    checked_words,
    from_ipa_times,
    known,
    phones_of,
    read_times,
)
from percept.speech.acoustic.transcripts import FOLDERS, TABLES, read_rows
from percept.speech.acoustic.utterances import (
    Notes,
    Sounds,
    Utterance,
    bare,
    inside,
    is_sound,
    lines_of,
    plain,
)
from percept.speech.audio import RATE, opened
from percept.speech.segments import Segment, Tiers, read_text
from percept.speech.tiers import read_ctm, read_lab, read_phn, read_textgrid
from percept.speech.words import spoken

PARTS = {"train": ("train", "training"), "val": ("val", "valid", "validation", "dev"), "test": ("test", "testing")}
BESIDE = (".txt", ".lab", ".textgrid", ".phn", ".wrd", ".ctm")
WORD_TIERS = ("words", "word", "ort-mau", "orthography", "text")
PHONE_TIERS = ("phones", "phone", "phonemes", "phoneme", "mau", "phonetic", "segments")


@dataclass(frozen=True)
class Said:
    """What the files beside one sound say: words, words with times, and phones as they are labelled in ``source``."""

    words: tuple[str, ...] = ()
    word_times: tuple[Segment, ...] = ()
    phones: tuple[Segment, ...] = ()
    source: Path = Path()


def has_table(folder: Path) -> bool:
    """Whether a table of transcripts lies in the folder or in a part of it."""
    return any((place / name).is_file() for place in (folder, *_parts(folder).values()) for name in TABLES)


def is_own(folder: Path) -> bool:
    """Whether there is a table of transcripts, or a sound with something said of it beside it."""
    return has_table(folder) or any(_beside(path) for path in _heard(folder))


def splits_of_own(folder: Path) -> list[str]:
    """The parts that are folders, or that a column of the table names; all."""
    parts = _parts(folder)
    named = set() if parts else {row.split for row in read_rows(folder, Notes(folder)) if row.split}
    return [*parts, *(name for name in PARTS if name in named), *sorted(named - set(PARTS)), "all"]


def read_own(folder: Path, split: str, notes: Notes) -> Iterator[Utterance]:
    """The utterances of a part, or of all."""
    parts = _parts(folder) or {"": folder}
    found = [
        one
        for part, place in parts.items()
        if split in ("all", part) or not part
        for one in _utterances(folder, place, split if not part else "all", notes)
    ]
    ipa = any(not one.label.isascii() for _, said in found for one in said.phones)
    for utterance, said in found:
        yield _with_phones(utterance, said, ipa, notes)


def _parts(folder: Path) -> dict[str, Path]:
    """Split -> its folder, of those that hold sounds or a table."""
    found = {}
    for split, names in PARTS.items():
        place = next((folder / name for name in names if (folder / name).is_dir()), None)
        if place and (any((place / name).is_file() for name in TABLES) or next(_heard(place), None)):
            found[split] = place
    return found


def _utterances(folder: Path, place: Path, split: str, notes: Notes) -> Iterator[tuple[Utterance, Said]]:
    """The utterances of a part, by its table if it has one, else by the sounds that lie there."""
    rows = read_rows(place, notes)
    look = Sounds()
    for row in rows:
        if split not in ("all", row.split):
            continue
        audio = next((one for name in FOLDERS if (one := look.find(place / name / row.audio))), None)
        if audio is None:
            notes.add("no sound", row.table, f"no file {row.audio}", line=row.line)
            continue
        whole = row.begin == 0.0 and row.end is None
        said = _said(audio, notes) if whole else Said()
        name = bare(inside(audio, folder)) + ("" if whole else f"@{row.begin:g}")
        words = _words(row.text, row.table, notes, row.line) or said.words
        yield Utterance(name, audio, row.speaker or _speaker(audio, place), words, begin=row.begin, end=row.end), said
    for audio in () if rows else _heard(place):
        said = _said(audio, notes)
        if said.words or said.phones:
            yield Utterance(bare(inside(audio, folder)), audio, _speaker(audio, place), said.words), said
        else:
            notes.add("no transcript", audio, "nothing says what is spoken")


def _with_phones(utterance: Utterance, said: Said, ipa: bool, notes: Notes) -> Utterance:
    """The utterance with what is said of its times."""
    times = said.word_times
    if times and tuple(one.label for one in times) != utterance.words:
        what = "the words with times are not those of the transcript; their times are left out"
        notes.add("other words", utterance.audio, what)
        times = ()
    phones = (from_ipa_times if ipa else checked_phones)(said.phones, said.source, notes)
    truth = ("automatic" if said.source.suffix.lower() == ".ctm" else "hand") if phones else ""
    return replace(utterance, word_times=times, phone_times=phones, phones=phones_of(phones), truth=truth)


def _said(audio: Path, notes: Notes) -> Said:
    """All that the files beside a sound say of it; where several tell the same, TIMIT's come first, then TextGrid."""
    there = _beside(audio)
    tiers = _read(read_textgrid, there.get(".textgrid"), notes) or {}
    lab = there.get(".lab")
    timed = lab is not None and _is_timed(lab)
    ctm = (_read(read_ctm, there.get(".ctm"), notes) or {}).get(audio.stem, [])
    of_phones = bool(ctm) and all(known(one.label) for one in ctm)
    phones = {
        ".phn": _read(_in_samples(audio), there.get(".phn"), notes),
        ".textgrid": _tier(tiers, PHONE_TIERS),
        ".lab": _read(read_lab, lab, notes) if timed else [],
        ".ctm": ctm if of_phones else [],
    }
    text = there.get(".txt") or (None if timed else lab)
    told = _words(TEXT.sub("", _read(read_text, text, notes) or "", count=1), text, notes) if text else ()
    words = {
        ".wrd": _read(_in_samples(audio), there.get(".wrd"), notes),
        ".textgrid": _tier(tiers, WORD_TIERS, told),
        ".ctm": [] if of_phones else ctm,
    }
    labelled = next((suffix for suffix, found in phones.items() if found), "")
    told_by = next((suffix for suffix, found in words.items() if found), "")
    word_times = checked_words(words[told_by] or (), there[told_by], notes) if told_by else ()
    return Said(
        told or tuple(one.label for one in word_times),
        word_times,
        tuple(phones[labelled] or ()) if labelled else (),
        there[labelled] if labelled else Path(),
    )


def _words(text: str, path: Path, notes: Notes, line: int = 0) -> tuple[str, ...]:
    """The words that somebody reading a transcript aloud would say; what of it nobody could is noted."""
    read = spoken(text)
    if read.dropped:
        shown = " ".join(read.dropped)[:40]
        notes.add("not read", path, f'left out, for it cannot be said in English: "{shown}"', line=line)
    return read.words


def _read(reader: Callable[[Path], Labels], path: Path | None, notes: Notes) -> Labels | None:
    return read_times(reader, path, notes) if path else None


def _in_samples(audio: Path) -> Callable[[Path], list[Segment]]:
    """A reader of .phn and .wrd files, which count the samples of their sound."""

    def read(path: Path) -> list[Segment]:
        try:
            with opened(audio) as recording:
                rate = recording.rate
        except InputError:  # said of the sound itself, where it is read
            rate = RATE
        return read_phn(path, rate)

    return read


def _tier(tiers: Tiers, names: tuple[str, ...], told: tuple[str, ...] = ()) -> list[Segment]:
    """The first tier of these names, or the one that has the words told; of a TextGrid with several speakers ("NAME -
    words"), all of theirs, in order."""
    found = [[one for tier, held in tiers.items() if _is_called(tier, name) for one in held] for name in names]
    found = [sorted(tier, key=lambda one: one.start) for tier in found if tier]
    same = (tier for tier in found if told and plain(" ".join(one.label for one in tier)) == told)
    return next(same, found[0] if found else [])


def _is_called(tier: str, name: str) -> bool:
    lower = tier.strip().lower()
    return lower == name or lower.endswith(f" - {name}")


def _is_timed(path: Path) -> bool:
    """Whether a .lab file has times: ESPS's header ends with #, HTK's lines begin with two numbers."""
    lines = [line.split() for _, line in lines_of(path)]
    return ["#"] in lines or bool(lines) and all(len(words) > 2 and words[0].isdigit() for words in lines)


def _beside(audio: Path) -> dict[str, Path]:
    """Suffix in lower case -> the file of that name beside a sound that says something of it."""
    found: dict[str, Path] = {}
    for suffix in BESIDE:
        for named in (suffix, suffix.upper(), ".TextGrid" if suffix == ".textgrid" else suffix.title()):
            path = audio.with_suffix(named)
            if suffix not in found and path != audio and path.is_file():
                found[suffix] = path
    return found


def _heard(folder: Path) -> Iterator[Path]:
    """The sounds in a folder and in those below, in order; hidden ones are none."""
    for path in sorted(folder.rglob("*")):
        hidden = any(name.startswith(".") for name in path.relative_to(folder).parts)
        if is_sound(path) and not hidden and path.is_file():
            yield path


def _speaker(audio: Path, place: Path) -> str:
    """The first folder on the way to a sound."""
    way = audio.relative_to(place).parts
    return way[0] if len(way) > 1 else ""
