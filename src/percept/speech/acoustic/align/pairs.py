"""What is aligned with what: sounds and their transcripts, found by their names but not opened.

Sounds and transcripts follow each other on the command line; or lie beside each other under the same names; or in two
folders, in the same places under them; or are listed as LibriSpeech (``ID WORDS`` in .trans.txt) or Kaldi (wav.scp,
text, segments) do. Nothing is lost in silence: what has no partner is a pair with a problem.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from percept.core import sources
from percept.core.errors import InputError, UsageError, nearest
from percept.core.sources import Item
from percept.speech.acoustic.align.said import STDIN, read_words, words_of
from percept.speech.acoustic.layout_kaldi import is_kaldi, read_kaldi
from percept.speech.acoustic.utterances import Notes, is_sound, lines_of
from percept.speech.audio import SUFFIXES
from percept.speech.words import Spoken

TEXTS = frozenset({".txt", ".lab"})
LISTS = ".trans.txt"  # LibriSpeech's lists: a line for each sound
PAGES = frozenset({"readme", "license", "licence", "copying", "changelog", "speakers", "books", "chapters"})  # no words
LOSSES = frozenset({"commands", "no sound", "no transcript", "no transcripts", "segments"})  # of Kaldi's, an utterance


@dataclass(frozen=True)
class Pair:
    """A sound and what is said in it.

    item: what messages, the result and its files are named after; ``problem`` tells why it cannot be used.
    transcript: the file of its words; None where ``text`` has them. begin, end: the part of the sound, seconds.
    """

    item: Item
    transcript: Path | None = None
    text: str = ""
    begin: float = 0.0
    end: float | None = None

    def words(self, known: Container[str] = ()) -> Spoken:
        """What is said. known: as for :func:`percept.speech.words.spoken`.

        Raises:
            InputError: the transcript cannot be read, or holds no words; it is named.
        """
        try:
            return words_of(self.text, known) if self.transcript is None else read_words(self.transcript, known)
        except InputError as error:
            name = "its transcript" if self.transcript is None else str(self.transcript)
            raise InputError(f"{name}: {error}") from None


@dataclass(frozen=True)
class Said:
    """Where the words of one name stand: a file, or a line of a list. problem: why they cannot be used."""

    path: Path
    text: str = ""
    line: int = 0
    problem: str = ""


def resolve(
    inputs: Sequence[str], *, text: str = "", out: Path | None = None, writes: Sequence[str] = ()
) -> list[Pair]:
    """All pairs that a person named.

    Args:
        text: the words of the only sound. out: the folder of ``--out``. writes: suffixes of what is written there.

    Raises:
        UsageError: no or too many sounds for ``text``; transcripts in the place of sounds; two answers of one name, or
            one that would be written over a transcript.
    """
    pairs = _with_text(inputs, text) if text else list(_named(inputs))
    if sum(pair.item.path is None and pair.item.problem is None for pair in pairs) > 1 or (
        any(pair.item.name == STDIN for pair in pairs) and any(str(pair.transcript) == STDIN for pair in pairs)
    ):
        raise UsageError("standard input can be read only once")
    if out is not None:
        _check_places(pairs, out, writes)
    return pairs


def beside(path: Path) -> Pair:
    """A sound file with the transcript that lies beside it."""
    item = next(_sounds(str(path)))
    return _alone(item)


def _with_text(inputs: Sequence[str], text: str) -> list[Pair]:
    if len(inputs) != 1 or Path(inputs[0]).is_dir():
        raise UsageError("--text holds the words of one sound: percept align AUDIO --text WORDS")
    items = list(_sounds(inputs[0]))
    if len(items) != 1:
        raise UsageError(f"--text holds the words of one sound, not of {len(items)}")
    return [Pair(items[0], text=text)]


def _named(inputs: Sequence[str]) -> Iterator[Pair]:
    """The pairs of inputs, which are taken from the left, one or two at a time."""
    at = 0
    while at < len(inputs):
        first, second = inputs[at], inputs[at + 1] if at + 1 < len(inputs) else None
        at += 1
        if Path(first).is_dir():
            if second is not None and Path(second).is_dir() and not _has_sounds(Path(second)):
                at += 1
                yield from _trees(first, second)
            else:
                yield from _folder(first)
            continue
        if Path(first).suffix.lower() in TEXTS:
            order = "the sound comes first: percept align AUDIO TRANSCRIPT"
            raise UsageError(f"{first} is a transcript, where a sound is expected; {order}")
        items = list(_sounds(first))
        if second is None or Path(second).is_dir() or is_sound(Path(second)):
            yield from map(_alone, items)
            continue
        at += 1
        if len(items) > 1:
            raise UsageError(f"{second} cannot be the transcript of all {len(items)} sounds of {first}")
        yield Pair(items[0], Path(second))


def _alone(item: Item) -> Pair:
    """A sound whose words stand beside it."""
    if item.problem is not None or item.path is None:
        return Pair(replace(item, problem=item.problem or "no transcript: percept align - TRANSCRIPT"))
    texts = _texts(item.path.parent, recursive=False)
    said = texts.get(item.path.stem)
    if said is None:
        return Pair(replace(item, problem=_without_words(item.path.stem, texts)))
    return _pair(item, said)


def _folder(given: str) -> Iterator[Pair]:
    """The pairs in one folder."""
    folder = Path(given)
    kaldi = next((place for place in (folder, *_inner(folder)) if is_kaldi(place)), None)
    if kaldi is not None:
        yield from _kaldi(kaldi)
    else:
        yield from _matched(list(_sounds(given)), _texts(folder))


def _trees(sounds: str, transcripts: str) -> Iterator[Pair]:
    """The pairs of two folders: of sounds, and of transcripts in the same places."""
    yield from _matched(list(_sounds(sounds)), _texts(Path(transcripts)))


def _matched(items: Sequence[Item], texts: dict[str, Said]) -> Iterator[Pair]:
    """Sounds with their words by their places under their folders; then words without a sound."""
    stems = {str(item.stem) for item in items}
    for item in items:
        said = texts.get(str(item.stem))
        if item.problem is None and said is None:
            yield Pair(replace(item, problem=_without_words(str(item.stem), texts)))
        else:
            yield Pair(item) if said is None else _pair(item, said)
    for stem, said in texts.items():
        if stem not in stems:
            name = f"{said.path} line {said.line}" if said.line else str(said.path)
            why = f"no sound of the name {PurePosixPath(stem).name}{nearest(stem, stems - texts.keys())}"
            yield Pair(Item(name, PurePosixPath(stem), said.path, problem=why))


def _pair(item: Item, said: Said) -> Pair:
    if item.problem is None and said.problem:
        item = replace(item, problem=said.problem)
    return Pair(item, text=said.text) if said.line else Pair(item, said.path)


def _without_words(stem: str, texts: dict[str, Said]) -> str:
    name = PurePosixPath(stem).name
    return f"no transcript: there is no {name}.txt or {name}.lab{nearest(stem, texts)}"


def _sounds(given: str) -> Iterator[Item]:
    """The sounds behind what was given."""
    return sources.find([given], SUFFIXES, noun="sound files")


def _has_sounds(folder: Path) -> bool:
    return any(item.problem is None for item in _sounds(str(folder)))


def _texts(folder: Path, recursive: bool = True) -> dict[str, Said]:
    """Place under the folder, without suffix -> the words of that name."""
    found: dict[str, Said] = {}
    for item in sources.find([str(folder)], TEXTS, recursive=recursive, noun="transcripts"):
        path = item.path
        if path is None or item.problem is not None or path.stem.lower() in PAGES:
            continue
        if path.name.lower().endswith(LISTS):
            for number, line in lines_of(path):
                name, _, text = line.strip().partition(" ")
                found.setdefault(str(item.stem.parent / name), Said(path, text, number))
            continue
        before = found.get(str(item.stem))
        if before is not None and not before.line and before.path.read_bytes() != path.read_bytes():
            both = f"{before.path.name} and {path.name} say different things: which is its transcript?"
            found[str(item.stem)] = replace(before, problem=both)
        elif before is None or before.line:
            found[str(item.stem)] = Said(path)
    return found


def _inner(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []


class _Losses(Notes):
    """Notes of what is missing or wrong with an utterance, kept as pairs that cannot be used."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.pairs: list[Pair] = []

    def add(self, kind: str, path: Path, what: str, *, line: int = 0, fault: bool = False) -> None:
        """Note one; ``what`` is wrong in a line of a file."""
        if kind in LOSSES:
            name = f"{path} line {line}" if line else str(path)
            self.pairs.append(Pair(Item(name, PurePosixPath("none"), path, problem=what)))


def _kaldi(folder: Path) -> Iterator[Pair]:
    """The utterances of a Kaldi folder. What wav.scp would have a shell run is not run."""
    lost = _Losses(folder)
    for one in read_kaldi(folder, "all", lost):
        parts = [part for part in PurePosixPath(one.name).parts if part not in ("/", "..", ".")]
        item = Item(one.name, PurePosixPath(*parts), one.audio)
        yield Pair(item, text=" ".join(one.words), begin=one.begin, end=one.end)
    yield from lost.pairs


def _check_places(pairs: Sequence[Pair], out: Path, writes: Sequence[str]) -> None:
    for first, second in sources.clashes(pair.item for pair in pairs):
        raise UsageError(
            f'{first.name} and {second.name} would both be written as "{first.stem}"; rename one of them, give the '
            "folder that holds both, or run them apart with another --out"
        )
    taken = {pair.transcript.resolve() for pair in pairs if pair.transcript is not None}
    for pair in pairs:
        for suffix in writes:
            path = out / f"{pair.item.stem}{suffix}"
            if pair.item.problem is None and path.resolve() in taken:
                raise UsageError(f"{path} is a transcript, and would be written over; give another folder to --out")
