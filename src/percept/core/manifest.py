"""The lock file of a data set: what was fetched, and the size and sha256 of every file that lies there.

Decoders notice little: of a thousand damaged JPEGs more than half are read without an error. So the bytes are compared.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from percept.core.archives import Progress, Written
from percept.core.files import sha256, write_atomic

LOCK = "percept.lock.json"
LEFT_BEHIND = ("Thumbs.db", "desktop.ini", LOCK)  # by file managers, and by us


class Got(TypedDict):
    """One file that was downloaded, or put there by hand (``url`` is empty or where it should come from)."""

    name: str
    url: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Lock:
    """``percept.lock.json``: ``tree`` has the files below the data set's folder, name -> (bytes, sha256)."""

    files: tuple[Got, ...]
    tree: Written


def write(folder: Path, dataset: str, files: Sequence[Got], tree: Written) -> None:
    """Write the lock file, whole or not at all."""
    lasting = {name: tree[name] for name in sorted(tree) if _lasts(name)}
    document = {"dataset": dataset, "files": list(files), "tree": lasting}
    write_atomic(folder / LOCK, json.dumps(document, indent=0) + "\n")


def read(folder: Path) -> Lock | None:
    """The lock file of a data set's folder, or None if there is none.

    Raises:
        ValueError: it is not one of ours, or damaged.
    """
    path = folder / LOCK
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        files = tuple(Got(**{key: entry[key] for key in Got.__annotations__}) for entry in document["files"])
        return Lock(files, {name: (int(count), str(mark)) for name, (count, mark) in document["tree"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("damaged; delete it to record the files as they are now") from error


def got(path: Path, url: str) -> Got:
    """What is recorded of a downloaded file."""
    return {"name": path.name, "url": url, "bytes": path.stat().st_size, "sha256": sha256(path)}


def matches(path: Path, known_hash: str | None) -> bool:
    """Whether the file has the hash ``sha256:...`` or ``md5:...``; True if none is known."""
    if known_hash is None:
        return True
    kind, _, expected = known_hash.partition(":")
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest() == expected.lower()


def files(folder: Path) -> Iterator[str]:
    """The names of all files below the folder, with forward slashes, without what file managers leave behind."""
    for base, below, names in os.walk(folder):
        below.sort()
        for name in sorted(names):
            if _lasts(name):
                yield (Path(base) / name).relative_to(folder).as_posix()


def _lasts(name: str) -> bool:
    last = name.rpartition("/")[2]
    return not last.startswith(".") and last not in LEFT_BEHIND


def hashes(folder: Path, names: Sequence[str], progress: Progress | None) -> Iterator[tuple[str, tuple[int, str]]]:
    """(name, (bytes, sha256)) of each file."""
    sizes = [(folder / name).stat().st_size for name in names]
    done, total = 0, sum(sizes)
    for name, count in zip(names, sizes, strict=True):
        yield name, (count, sha256(folder / name))
        done += count
        if progress is not None:
            progress("checking", done, total)


def compare(folder: Path, lock: Lock, progress: Progress | None) -> list[tuple[str, str]]:
    """(name, what is wrong) of each file that is not as the lock file has it."""
    wrong, there = [], []
    for name, (count, _) in lock.tree.items():
        path = folder / name
        if not path.is_file():
            wrong.append((name, "is not there"))
        elif path.stat().st_size != count:
            wrong.append((name, f"{path.stat().st_size:,} bytes where {count:,} were written"))
        else:
            there.append(name)
    for name, (_, mark) in hashes(folder, there, progress):
        if mark != lock.tree[name][1]:
            wrong.append((name, "its content has changed since it was written"))
    return wrong


def digest(tree: Mapping[str, tuple[int, str]], root: str = "") -> str:
    """The sha256 of the lines ``SHA256  NAME`` of all files below ``root``, sorted by name.

    In that folder: ``find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum``.
    """
    start = "" if root in ("", ".") else root + "/"
    inside = sorted((name.removeprefix(start), mark) for name, (_, mark) in tree.items() if name.startswith(start))
    return hashlib.sha256("".join(f"{mark}  {name}\n" for name, mark in inside).encode()).hexdigest()
