"""The table of data sets: what there is, where it lies, how it is fetched, and whether it is whole.

Each task's folder holds a ``datasets.toml`` with its rows; nothing here knows a task. Data sets lie in :func:`home`,
each in a folder of its name, with a lock file that records what was fetched and the sha256 of every file in it (see
``percept.core.manifest``). Only :func:`fetch` uses the network.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

from percept.core import archives, console, manifest
from percept.core.archives import Progress
from percept.core.download import alone, download
from percept.core.errors import UsageError, nearest
from percept.core.files import sha256

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file of a data set. ``sha256`` or ``md5`` only where it is known for sure."""

    name: str  # as it lies on the disk
    url: str = ""  # empty: by hand
    bytes: int | None = None
    sha256: str = ""
    md5: str = ""
    unpack: bool = True
    into: str = ""  # folder below the data set's in which it is unpacked

    @property
    def known_hash(self) -> str | None:
        """``sha256:...``, ``md5:...`` or None."""
        return f"sha256:{self.sha256}" if self.sha256 else f"md5:{self.md5}" if self.md5 else None


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A row of the table."""

    name: str
    tasks: tuple[str, ...]
    title: str
    size: int  # bytes to download
    licence: str
    allows: str  # what the licence allows, in a few words
    homepage: str
    layout: str  # coco, voc, imagefolder ...
    files: tuple[RemoteFile, ...]
    unpacked: Mapping[str, int]  # path below the root -> number of files there; a file counts 1; 0: any number
    root: str = ""  # where the layout begins, below the data set's folder
    by_hand: bool = False  # the licence forbids fetching it automatically, or there is no lasting link
    note: str = ""
    classes: int = 0
    splits: Mapping[str, int] = field(default_factory=dict)  # split -> samples
    tree_sha256: str = ""  # of all files below the root, where known: see manifest.digest
    recipe: Mapping[str, Any] = field(default_factory=dict)  # training options that suit this set

    @property
    def folder(self) -> Path:
        """Where it lies, or would lie."""
        return home() / self.name


def rows(tables: Mapping[str, Path]) -> tuple[Dataset, ...]:
    """The data sets of the tasks: task -> its ``datasets.toml`` (which may be missing). Tasks may share a set.

    Raises:
        ValueError: a row is not well made (a mistake in the package).
    """
    found: dict[str, Dataset] = {}
    for task, table in tables.items():
        if not table.is_file():
            continue
        for name, row in tomllib.loads(table.read_text(encoding="utf-8")).items():
            made = _row(name, row, task, table)
            if name in found:
                before = found[name]
                if replace(made, tasks=before.tasks) != before:
                    raise ValueError(f"{table}: another data set is called {name} too")
                made = replace(before, tasks=(*before.tasks, task))
            found[name] = made
    return tuple(found.values())


def _row(name: str, row: dict[str, Any], task: str, table: Path) -> Dataset:
    for known, given in ((Dataset, row), *((RemoteFile, entry) for entry in row.get("files", []))):
        if wrong := set(given) - {f.name for f in fields(known)}:
            raise ValueError(f"{table}: {name}: unknown key {', '.join(sorted(wrong))}")
    files = tuple(RemoteFile(**entry) for entry in row.pop("files", []))
    dataset = Dataset(name=name, tasks=(task,), files=files, **row)
    if not dataset.unpacked:
        raise ValueError(f"{table}: {name}: unpacked names nothing that must be there")
    if not dataset.by_hand and not (files and all(file.url for file in files)):
        raise ValueError(f"{table}: {name}: needs urls, or by_hand")
    return dataset


def home() -> Path:
    """The folder of the data sets: ``PERCEPT_DATA``, else ``percept`` in the user's cache folder."""
    given = os.environ.get("PERCEPT_DATA")
    if given:
        return Path(given).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "percept"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "percept"
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification: a relative path is invalid and must be ignored.
    return (cache if cache.is_absolute() else Path.home() / ".cache") / "percept"


def shown(path: Path) -> str:
    """The path as a person writes it: ``~/.cache/percept``."""
    with contextlib.suppress(RuntimeError, ValueError):
        return str(Path("~") / path.relative_to(Path.home()))
    return str(path)


def find(
    name_or_folder: str, table: Iterable[Dataset], task: str | None = None, *, files: bool = False
) -> tuple[Path, Dataset | None]:
    """Where a data set lies that was named, or the folder that was given.

    A known name comes first; write ``./NAME`` for a folder of that name. ``files``: a single file will do too.

    Returns:
        The folder in which the layout begins, or the file, and the row if it was a name.

    Raises:
        UsageError: neither a folder nor a known name, or the set is not here: with the command or page that gets it.
    """
    table = tuple(table)
    known = {row.name: row for row in table if task is None or task in row.tasks}
    folder = Path(name_or_folder).expanduser()
    is_path = any(sign in name_or_folder for sign in ("/", os.sep)) or name_or_folder.startswith((".", "~"))
    if name_or_folder in known and not is_path:
        return _place(known[name_or_folder])
    if folder.is_dir():
        return folder, None
    if files and folder.is_file():
        return folder, None
    if folder.exists():
        raise UsageError(f"{name_or_folder} is a file; --data takes a folder or the name of a data set")
    if is_path:
        raise UsageError(f'no folder "{name_or_folder}"')
    other = next((row for row in table if row.name == name_or_folder), None)
    if other:
        raise UsageError(f"data set {other.name} is for {', '.join(other.tasks)}, not for {task}{_list(known, task)}")
    raise UsageError(f'no data set or folder "{name_or_folder}"{nearest(name_or_folder, known)}{_list(known, task)}')


def _list(known: Iterable[str], task: str | None) -> str:
    names = ", ".join(known) or "none"
    return f"\n  known{f' for {task}' if task else ''}: {names} (percept data list)"


def _place(dataset: Dataset) -> tuple[Path, Dataset]:
    root = root_of(dataset, dataset.folder)
    if root is not None:
        return root, dataset
    if any(path.name != manifest.LOCK for path in _entries(dataset.folder)):
        raise UsageError(
            f"data set {dataset.name} in {shown(dataset.folder)} is not whole or not unpacked: "
            f"{' and '.join(_absent(dataset, dataset.folder / dataset.root))} not there\n"
            f"  See what is wrong, or unpack what lies there: percept data verify {dataset.name}"
        )
    raise UsageError(
        f"data set {dataset.name} is not here ({console.size(dataset.size)}, {dataset.licence}: {dataset.allows}).\n"
        + (how_by_hand(dataset) if dataset.by_hand else f"  Get it with: percept data fetch {dataset.name}")
    )


def how_by_hand(dataset: Dataset) -> str:
    """Where a set is got that percept may not fetch, and where to put it: indented lines."""
    packed = " and ".join(file.name for file in dataset.files if file.unpack)
    folders = ", ".join(path for path in dataset.unpacked if path != ".")
    what = f"{packed} or its unpacked folder" if packed else f"its folders {folders}".rstrip()
    note = f"  {dataset.note}\n" if dataset.note else ""
    return (
        f"  It must be got by hand: {dataset.homepage}\n{note}  Put {what} in\n"
        f"  {shown(dataset.folder)}, then: percept data verify {dataset.name}"
    )


def root_of(dataset: Dataset, folder: Path) -> Path | None:
    """Where the layout begins below ``folder``, or None if something is not there; only names are looked at.

    A set that was put there by hand may lie one folder higher or lower than its archive has it.
    """
    below = (path for path in _entries(folder) if path.is_dir())
    return next(
        (root for root in (folder / dataset.root, folder, *below) if not _absent(dataset, root)),
        None,
    )


def _absent(dataset: Dataset, root: Path) -> list[str]:
    return [path for path in dataset.unpacked if not (root / path).exists()]


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def fetch(dataset: Dataset, *, say: Say = console.say, progress: Progress | None = None) -> Path:
    """Download, check and unpack a data set into its folder below :func:`home`.

    What was begun before is gone on with. The folder gets its name only when everything is in it.

    Returns:
        The folder in which the layout begins.

    Raises:
        UsageError: it must be got by hand, cannot be had, is not what it should be, or does not fit on the disk.
    """
    if dataset.by_hand:
        raise UsageError(
            f"data set {dataset.name} cannot be fetched ({dataset.licence}: {dataset.allows}).\n{how_by_hand(dataset)}"
        )
    goal = dataset.folder
    if (root := root_of(dataset, goal)) is not None:
        say(f"{dataset.name} is here already: {shown(goal)} (percept data verify {dataset.name})")
        return root
    if _entries(goal):
        raise UsageError(
            f"{shown(goal)} is there, but not a whole {dataset.name}; percept deletes nothing: see what is in it with\n"
            f"  percept data verify {dataset.name}, or move it away and fetch again"
        )
    work = home() / f".{dataset.name}.fetch"
    try:
        work.mkdir(parents=True, exist_ok=True)
        with alone(work / "lock", f"another percept is fetching {dataset.name} at this moment"):
            _check_space(dataset, work)
            say(f"{dataset.name}: {console.size(dataset.size)}, {dataset.licence}: {dataset.allows}")
            tree = _fetch_tree(dataset, work, say, progress)
            if goal.exists():
                goal.rmdir()
            tree.replace(goal)
        shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise UsageError(f"{shown(work)}: {error.strerror or error}") from error
    return goal / dataset.root


def _fetch_tree(dataset: Dataset, work: Path, say: Say, progress: Progress | None) -> Path:
    """The files downloaded and unpacked in ``work``, checked, with their lock file."""
    for file in dataset.files:
        say(f"fetching {file.url}")
        download(file.url, work / file.name, known_hash=file.known_hash, count=file.bytes, progress=progress)
    tree, written = work / "tree", {}
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    got = [manifest.got(work / file.name, file.url) for file in dataset.files]
    try:
        for file in dataset.files:
            written |= _lay(dataset, file, work / file.name, tree, say, progress)
        problems = _count(dataset, tree / dataset.root) or _check_tree(dataset, written, dataset.root)
        if problems:
            raise UsageError(f"{dataset.name}: what was fetched is not the expected set: {'; '.join(problems)}")
    except UsageError:
        for file in dataset.files:
            if file.known_hash is None:  # or the next call would take the same wrong file again
                (work / file.name).unlink(missing_ok=True)
        shutil.rmtree(tree, ignore_errors=True)
        raise
    manifest.write(tree, dataset.name, got, written)
    return tree


def _lay(
    dataset: Dataset, file: RemoteFile, source: Path, tree: Path, say: Say, progress: Progress | None
) -> archives.Written:
    """Unpack or copy one downloaded file into the tree; what was written, named relative to the tree."""
    goal = tree / file.into
    if not file.unpack:
        goal.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, goal / file.name)
        return {(PurePosixPath(file.into) / file.name).as_posix(): (source.stat().st_size, sha256(source))}
    say(f"unpacking {file.name}")
    written = archives.unpack(
        source,
        goal,
        max_members=4 * sum(dataset.unpacked.values()) + 100_000,
        # photos do not shrink in an archive, labels to a tenth
        max_bytes=min(20 * source.stat().st_size + 100_000_000, shutil.disk_usage(tree).free),
        progress=progress,
    )
    return {(PurePosixPath(file.into) / name).as_posix(): mark for name, mark in written.items()}


def _check_space(dataset: Dataset, work: Path) -> None:
    have = sum(path.stat().st_size for path in work.iterdir() if path.is_file())
    need, free = max(dataset.size - have, 0) + int(1.1 * dataset.size), shutil.disk_usage(work).free
    if need > free:
        raise UsageError(
            f"{dataset.name} needs {console.size(need)} in {shown(home())} (the download and as much again to unpack), "
            f"{console.size(free)} are free; PERCEPT_DATA names another place"
        )


def verify(
    dataset: Dataset, folder: Path | None = None, *, say: Say = console.say, progress: Progress | None = None
) -> list[str]:
    """Check a data set on the disk: its files, their number and, against the lock file, their bytes.

    Archives that were put into the folder by hand are unpacked first. A whole set without a lock file gets one, so that
    the next call notices what has changed since.

    Args:
        folder: the set's folder; its place below :func:`home` if not given.

    Returns:
        What is missing or wrong, one sentence each; empty if all is well.

    Raises:
        UsageError: an archive in the folder is damaged or dangerous.
    """
    folder = folder or dataset.folder
    if not folder.is_dir():
        return [f"{shown(folder)} is not there"]
    got: list[manifest.Got] = []
    if root_of(dataset, folder) is None:
        problems = _unpack_by_hand(dataset, folder, got, say, progress)
        if root_of(dataset, folder) is None:
            base = folder / dataset.root
            return problems + [f"{shown(base / path)} is not there" for path in _absent(dataset, base)]
    root = root_of(dataset, folder)
    assert root is not None
    problems = _count(dataset, root)
    try:
        lock = manifest.read(folder)
    except ValueError as error:
        return [*problems, f"{shown(folder / manifest.LOCK)}: {error}"]
    if lock is not None:
        return problems + _compare(dataset, folder, lock, progress)
    if problems:
        return problems
    packed = {file.name for file in dataset.files if file.unpack}  # may be deleted once they are unpacked
    tree = dict(manifest.hashes(folder, [name for name in manifest.files(folder) if name not in packed], progress))
    problems = _check_tree(dataset, tree, root.relative_to(folder).as_posix())
    if not problems:
        say(f"{len(tree):,} files recorded in {shown(folder / manifest.LOCK)}; the next check compares with it")
        manifest.write(folder, dataset.name, got, tree)
    return problems


def _unpack_by_hand(
    dataset: Dataset, folder: Path, got: list[manifest.Got], say: Say, progress: Progress | None
) -> list[str]:
    """Unpack the archives that lie in the folder; which of them are not the published files."""
    problems = []
    known = {file.name: file for file in dataset.files}
    for path in _entries(folder):
        file = known.get(path.name) or RemoteFile(name=path.name, unpack=not known and archives.is_archive(path))
        if not file.unpack or not path.is_file():
            continue
        if not manifest.matches(path, file.known_hash):
            size = path.stat().st_size
            problems.append(f"{shown(path)}: not the published file, or damaged on the way ({size:,} bytes)")
            continue
        _lay(dataset, file, path, folder, say, progress)
        got.append(manifest.got(path, file.url))
        say(f"{shown(path)} is unpacked and may be deleted")
    return problems


def _count(dataset: Dataset, root: Path) -> list[str]:
    problems = []
    for path, expected in dataset.unpacked.items():
        place = root / path
        count = sum(1 for _ in manifest.files(place)) if place.is_dir() else int(place.exists())
        if count != expected and expected:
            problems.append(f"{shown(place)}: {count:,} files where {expected:,} are expected")
        elif place.is_file() and not place.stat().st_size:
            problems.append(f"{shown(place)} is empty")
    return problems


def _check_tree(dataset: Dataset, tree: archives.Written, root: str) -> list[str]:
    if not dataset.tree_sha256 or manifest.digest(tree, root) == dataset.tree_sha256:
        return []
    return [f"{dataset.name}: some file differs from the published set"]


def _compare(dataset: Dataset, folder: Path, lock: manifest.Lock, progress: Progress | None) -> list[str]:
    """What differs from the lock file, and what the lock file has that the table does not expect."""
    expected = {file.name: file.sha256 for file in dataset.files}
    problems = [
        f"{was['name']} was not the published file when it was fetched: sha256 {was['sha256']}"
        for was in lock.files
        if expected.get(was["name"]) not in (None, "", was["sha256"])
    ]
    return problems + [f"{shown(folder / name)}: {what}" for name, what in manifest.compare(folder, lock, progress)]
