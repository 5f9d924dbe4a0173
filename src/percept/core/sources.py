"""What a person names on the command line, as a stream of inputs: files, folders, globs, lists, "-", videos, cameras.

An input that cannot be used is an item of the stream like any other, with its reason: it never ends the work.
Nothing here knows what is in a file; a task hands in the function that reads one and the suffixes to search for.
"""

from __future__ import annotations

import glob
import itertools
import os
import re
import stat
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar

from percept.core.errors import InputError, UsageError, nearest
from percept.core.kinds import is_link, reason, unreadable

T = TypeVar("T")

STDIN = "-"
STDIN_LIMIT = 2**29  # bytes; a producer that never stops must not fill the memory
LIST_SUFFIX = ".txt"
OPEN_FILES = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")  # pipes that the shell has already opened for us
LONGEST_PATH = 4096  # characters; a longer line in a list is no path
NEIGHBOURS = 2000  # names looked at for "did you mean": difflib takes 20 us for each


@dataclass(frozen=True)
class Item:
    """One input, or one frame of one.

    name: what messages and JSON show: the path as the person gave it, or as found under the folder they gave.
    stem: where its output belongs under ``--out``, without suffix; relative, never with ``..``.
    path: the file; None for standard input and cameras.
    frame, seconds: of a video's frame, counted from 0; None for everything else.
    video: a video or camera as a whole, or a frame of it.
    problem: why it cannot be used, where that is known without opening it.
    """

    name: str
    stem: PurePosixPath
    path: Path | None
    frame: int | None = None
    seconds: float | None = None
    video: bool = False
    problem: str | None = None


def stream(
    inputs: Iterable[str | Item],
    read: Callable[[Path | bytes], T],
    suffixes: Collection[str],
    *,
    videos: Collection[str] = frozenset(),
    read_video: Callable[[Path | str], Iterator[tuple[int, float, T]]] | None = None,
    recursive: bool = True,
    stdin: BinaryIO | None = None,
    noun: str = "pictures",
) -> Iterator[tuple[Item, T | InputError]]:
    """Each input with what ``read`` makes of it, or with the InputError that says why not; one at a time, lazily.

    inputs: what the person gave (see :func:`find`), or the items that :func:`resolve` made of it.
    read: takes a file's path, or the bytes that came in on standard input.
    read_video: takes a video's path or ``"camera:0"``; yields (frame number, seconds, frame).
    stdin: where ``-`` reads from; the process's standard input unless given.
    """
    for item in find(inputs, suffixes, videos=videos, recursive=recursive, noun=noun):
        if item.problem is not None:
            yield item, InputError(item.problem)
        elif item.video:
            yield from _frames(item, read_video)
        else:
            yield item, _attempt(item, read, stdin)


def resolve(
    inputs: Sequence[str],
    suffixes: Collection[str],
    *,
    out: Path | None,
    videos: Collection[str] = frozenset(),
    recursive: bool = True,
    noun: str = "pictures",
) -> list[Item]:
    """All inputs, found but not opened, for :func:`stream`: how many there are, and that ``out`` has a place for each.

    out: the folder of ``--out``; None if nothing will be written, and nothing can clash.

    Raises:
        UsageError: two of them would be written to the same place, or one over itself.
    """
    items = list(find(inputs, suffixes, videos=videos, recursive=recursive, noun=noun))
    if out is None:
        return items
    for item in items:
        if item.path is not None and item.problem is None and _same(out / f"{item.stem}{item.path.suffix}", item.path):
            raise UsageError(f"{item.name} would be written over by its own answer; give another folder to --out")
    for first, second in clashes(items):
        same_folder = first.path is not None and second.path is not None and first.path.parent == second.path.parent
        remedy = "rename one of them" if same_folder else "give the folder that holds both"
        raise UsageError(
            f'{first.name} and {second.name} would both be written as "{first.stem}"; '
            f"{remedy}, or run them apart with another --out"
        )
    return items


def clashes(items: Iterable[Item]) -> list[tuple[Item, Item]]:
    """Pairs of different inputs whose outputs would have the same place under ``--out``."""
    seen: dict[str, Item] = {}
    found = []
    for item in items:
        if item.problem is None:
            stem = str(item.stem)
            first = seen.setdefault(stem.casefold() if sys.platform in {"darwin", "win32"} else stem, item)
            if first is not item and _place(first) != _place(item):
                found.append((first, item))
    return found


def find(
    inputs: Iterable[str | Item],
    suffixes: Collection[str],
    *,
    videos: Collection[str] = frozenset(),
    recursive: bool = True,
    noun: str = "pictures",
) -> Iterator[Item]:
    """The files behind what a person gave, in that order, none of them opened; items pass as they are.

    - a file: taken whatever its suffix (a ``.txt`` is a list of files, unless the task reads ``.txt``)
    - a folder: its files with a known suffix, sorted, and its folders' unless not ``recursive``; hidden ones left out
    - a pattern with ``*``, ``?``, ``[...]`` or ``**``: files of any suffix if it names one, else of the known ones
    - ``@list`` or ``list.txt``: one path, folder or pattern a line, relative to the list; ``#`` starts a comment line
    - ``-``: standard input; ``camera:0``: a camera
    """
    wanted = frozenset(suffix.lower() for suffix in [*suffixes, *videos])
    rules = _Rules(wanted, frozenset(suffix.lower() for suffix in videos), recursive, noun)
    stdin_taken = False
    for text in inputs:
        if isinstance(text, Item):
            yield text
        elif text == STDIN:
            item = Item(STDIN, PurePosixPath("stdin"), None)
            yield replace(item, problem="standard input can be read only once") if stdin_taken else item
            stdin_taken = True
        elif camera := re.fullmatch(r"camera:(\d{1,3})", text):
            yield _camera(text, camera[1], rules)
        elif re.match(r"[a-z][a-z0-9+.-]+://", text, re.IGNORECASE):
            yield _lost(text, "an address, not a file; percept never uses the network, so fetch it first")
        elif text.startswith("@") and _mode(Path(text)) is None:
            yield from _listed(text[1:], rules)
        elif _is_list(text, wanted):
            yield from _listed(text, rules)
        else:
            yield from _named(text, rules)


# Below here: how the public functions find what they find.


@dataclass(frozen=True)
class _Rules:
    wanted: frozenset[str]  # suffixes that a folder is searched for, videos' too
    videos: frozenset[str]
    recursive: bool
    noun: str


def _attempt(item: Item, read: Callable[[Path | bytes], T], stdin: BinaryIO | None) -> T | InputError:
    try:
        return read(_stdin_bytes(stdin) if item.path is None else item.path)
    except InputError as error:
        return error
    except OSError as error:
        return InputError(reason(error))


def _stdin_bytes(stdin: BinaryIO | None) -> bytes:
    source = getattr(sys.stdin, "buffer", None) if stdin is None else stdin
    if source is None or source.isatty():
        raise InputError("nothing is sent in on standard input; use it as: percept ... - < FILE")
    data = source.read(STDIN_LIMIT + 1)
    if len(data) > STDIN_LIMIT:
        raise InputError(f"more than {STDIN_LIMIT // 2**20} MB came in")
    return data


def _frames(
    item: Item, read_video: Callable[[Path | str], Iterator[tuple[int, float, T]]] | None
) -> Iterator[tuple[Item, T | InputError]]:
    if read_video is None:
        yield item, InputError("a video, which this command does not read")
        return
    try:
        for number, seconds, frame in read_video(item.name if item.path is None else item.path):
            yield replace(item, frame=number, seconds=seconds), frame
    except InputError as error:
        yield item, error
    except OSError as error:
        yield item, InputError(reason(error))


def _camera(text: str, number: str, rules: _Rules) -> Item:
    problem = None if rules.videos else "a camera, which this command does not read"
    return Item(text, PurePosixPath(f"camera{int(number)}"), None, video=True, problem=problem)


def _named(text: str, rules: _Rules, base: Path | None = None, note: str = "") -> Iterator[Item]:
    """A file, folder or pattern; ``base`` is the folder of the list that named it, ``note`` where in the list."""
    given = _path(text)
    path = given if base is None else base / given
    name = text if base is None else str(path)
    mode = _mode(path) if text else None
    if mode is not None and stat.S_ISDIR(mode):
        inside = base is not None and not given.is_absolute() and ".." not in given.parts
        yield from _folder(path, base if inside else path, rules)
    elif mode is None and glob.has_magic(text) and "\x00" not in text and not is_link(path):
        yield from _matches(name, given, rules, base or Path(), note)
    else:
        problem = unreadable(path) if text else "an empty name"
        if problem == "no such file":
            problem = _missing(path) + note
        yield _file(name, path, _stem(path.name if base is None else text), rules, problem)


def _file(name: str, path: Path, stem: PurePosixPath, rules: _Rules, problem: str | None = None) -> Item:
    return Item(name, stem, path, video=path.suffix.lower() in rules.videos, problem=problem)


def _lost(name: str, problem: str) -> Item:
    return Item(name, _stem(name), Path(name), problem=problem)


def _folder(folder: Path, root: Path, rules: _Rules) -> Iterator[Item]:
    """The folder's files with their places below ``root``; one item with a problem if there is none."""
    empty = True
    for item in _walk(folder, root, rules):
        empty = False
        yield item
    if empty:
        yield _lost(str(folder), f"no {rules.noun} in this folder")


def _walk(top: Path, root: Path, rules: _Rules) -> Iterator[Item]:
    """A folder's files, sorted, then its folders', sorted; without recursion, for the tree may be of any depth."""
    waiting: list[tuple[Path, frozenset[tuple[int, int]]]] = [(top, frozenset())]
    while waiting:
        folder, above = waiting.pop()
        try:
            status = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            yield _lost(str(folder), reason(error).replace("read it", "look into this folder"))
            continue
        identity = (status.st_dev, status.st_ino)
        if identity in above:  # a link to a folder that holds it: going on would never end
            continue
        shown = [entry for entry in entries if not entry.name.startswith(".")]
        inner = [folder / entry.name for entry in shown if _is_folder(entry)]
        for path in (folder / entry.name for entry in shown if not _is_folder(entry)):
            if path.suffix.lower() in rules.wanted:
                yield _file(str(path), path, _stem(path.relative_to(root).as_posix()), rules, unreadable(path))
        if rules.recursive:
            waiting += [(path, above | {identity}) for path in reversed(inner)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links that lead in a circle
        return False


def _matches(name: str, pattern: Path, rules: _Rules, base: Path, note: str) -> Iterator[Item]:
    """What a pattern matches; places are kept relative to the pattern's part before the first wildcard."""
    parts = pattern.parts
    root = base.joinpath(*itertools.takewhile(lambda part: not glob.has_magic(part), parts))
    any_suffix = bool(PurePosixPath(parts[-1]).suffix)
    seen: set[Path | None] = set()
    for match in sorted(base / found for found in glob.iglob(str(pattern), root_dir=base, recursive=True)):  # noqa: PTH207
        items: Iterable[Item] = ()
        if not stat.S_ISDIR(_mode(match) or 0):
            if any_suffix or match.suffix.lower() in rules.wanted:
                items = [_file(str(match), match, _stem(match.relative_to(root).as_posix()), rules, unreadable(match))]
        elif not any_suffix and parts[-1] != "**":  # ** has matched what is in the folder too
            items = _walk(match, root, rules)
        for item in items:
            if item.path not in seen:
                seen.add(item.path)
                yield item
    if not seen:
        yield _lost(name, f"no {rules.noun} match this pattern{note}")


def _listed(text: str, rules: _Rules) -> Iterator[Item]:
    """The inputs that a list file names. The list is read line by line: it may be a pipe (``@<(find ...)``)."""
    path = _path(text)
    problem = (unreadable(path) if text else "an empty name") or ""
    if problem and not text.startswith(OPEN_FILES):
        yield _lost(text, _missing(path) if problem == "no such file" else problem)
        return
    empty = True
    try:
        # surrogateescape: file names are bytes, and must come out as they went in; utf-8-sig: Windows editors' mark
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(LONGEST_PATH + 1), ""), start=1):
                entry = line.strip()
                if len(line) > LONGEST_PATH or "\x00" in line:
                    yield _lost(text, f"not a list of files (line {number} is no path)")
                    return
                if entry and not entry.startswith("#"):
                    empty = False
                    yield from _named(entry, rules, path.parent, f" (line {number} of {text})")
    except OSError as error:
        yield _lost(text, reason(error))
        return
    if empty:
        yield _lost(text, "a list that names no file")


def _missing(path: Path) -> str:
    """Which part of a path does not exist, and the name beside it that is nearest."""
    parent = path.parent
    while _mode(parent) is None and parent != parent.parent:
        path, parent = parent, parent.parent
        if _mode(parent) is not None:
            return f'no such file or folder: there is no folder "{path}"{_near(path)}'
    return "no such file or folder" + _near(path)


def _near(path: Path) -> str:
    try:
        with os.scandir(path.parent) as entries:
            return nearest(path.name, [entry.name for entry, _ in zip(entries, range(NEIGHBOURS), strict=False)])
    except OSError:
        return ""


def _path(text: str) -> Path:
    """``~/`` is turned into the home folder: in quotes and lists the shell has not done it."""
    return Path(os.path.expanduser(text) if text.startswith("~/") else text)  # noqa: PTH111 (Path's raises without home)


def _stem(relative: str) -> PurePosixPath:
    """The place under ``--out``: the tree is kept, but never one that leads out of it."""
    place = PurePosixPath(Path(relative).as_posix())
    if Path(relative).anchor or ".." in place.parts or not place.name:
        place = PurePosixPath(place.name.strip("./") or "input")
    return place.with_name(place.stem) if place.stem.strip(".") else place


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):
        return False


def _place(item: Item) -> str:
    return item.name if item.path is None else os.path.abspath(item.path)  # noqa: PTH100 (resolve() would follow links)


def _is_list(text: str, wanted: frozenset[str]) -> bool:
    return text.lower().endswith(LIST_SUFFIX) and LIST_SUFFIX not in wanted and stat.S_ISREG(_mode(Path(text)) or 0)


def _mode(path: Path) -> int | None:
    """What kind of thing a path leads to, as in :mod:`stat`; None if to nothing."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return None
