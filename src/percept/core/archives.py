"""Unpack a zip or tar file that may be hostile: nothing leaves the folder, nothing grows without bound.

The archive is unpacked into a fresh folder beside the wanted one and moved there only when all of it is good; what
fails leaves nothing behind. Only plain files and folders are written: links, devices and sparse files are refused, and
so are names that could point elsewhere; no member can redirect a later one. Python's own ``filter="data"`` is asked
too, but not relied on: it has been bypassed more than once (CVE-2024-12718, CVE-2025-4517).
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import lzma
import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from percept.core.console import size
from percept.core.errors import UsageError
from percept.core.kinds import looks_like

MAX_MEMBERS = 2_000_000
MAX_BYTES = 200_000_000_000  # decompressed; callers that know their archive's size ask for less
CHUNK = 1 << 20
HEADER_BYTES = 4 << 20  # a tar header with its long names takes a few kB; tarfile reads it whole into memory
DRIVE = re.compile(r"^[A-Za-z]:")
# A damaged archive shows itself by any of these, depending on where the damage lies.
DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    EOFError,
    ValueError,
    OverflowError,
    RecursionError,
)
Written = dict[str, tuple[int, str]]  # name with forward slashes -> (bytes, sha256)
Progress = Callable[[str, int, int | None], None]  # (what, bytes done, bytes in all if known)


def unpack(
    archive: Path,
    into: Path,
    *,
    max_members: int = MAX_MEMBERS,
    max_bytes: int = MAX_BYTES,
    progress: Progress | None = None,
) -> Written:
    """Unpack ``archive`` (zip, tar, tar.gz, tar.xz, tar.bz2: told by content) into the folder ``into``.

    ``into`` may exist: files of the same name are replaced, others stay.

    Returns:
        What was written: name relative to ``into`` -> (bytes, sha256).

    Raises:
        UsageError: not an archive, damaged, encrypted, dangerous, too large, or no space left; ``into`` is as before.
    """
    kind = kind_of(archive)
    into = into.resolve()  # a link to another disk: the fresh folder must lie there too
    fresh: Path | None = None
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{into.name}.", dir=into.parent))
        tree = fresh / "tree"  # mkdtemp's own folder is closed to other users
        tree.mkdir()
        target = _Target(archive, tree, max_members, max_bytes, progress)
        if kind == "zip":
            _unpack_zip(target)
        else:
            _unpack_tar(target, kind)
        _merge(tree, into)
    except DAMAGED as error:
        raise UsageError(f"{archive}: damaged or cut off ({error or type(error).__name__})") from error
    except OSError as error:
        raise UsageError(f"{archive}: cannot be unpacked: {error.strerror or error}") from error
    finally:
        if fresh is not None:
            shutil.rmtree(fresh, ignore_errors=True)
    return target.written


def is_archive(path: Path) -> bool:
    """Whether the file's name says zip or tar."""
    return path.name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2"))


def kind_of(archive: Path) -> str:
    """``zip``, ``tar``, ``gz``, ``xz`` or ``bz2`` by the first bytes.

    Raises:
        UsageError: none of these, or not readable.
    """
    try:
        with archive.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise UsageError(f"{archive}: {error.strerror}") from error
    for kind, magic in {"zip": b"PK", "gz": b"\x1f\x8b", "xz": b"\xfd7zXZ\0", "bz2": b"BZh"}.items():
        if head.startswith(magic):
            return kind
    with contextlib.suppress(tarfile.TarError):  # tar has no mark that all its kinds share, but a checksum
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        return "tar"
    # Often the download page was saved in place of the file.
    raise UsageError(f"{archive}: not a zip or tar archive ({looks_like(head)})")


class _Target:
    """Where members are written to, and what they may amount to."""

    def __init__(self, archive: Path, root: Path, members: int, limit: int, progress: Progress | None) -> None:
        self.archive, self.root, self.progress = archive, root, progress
        self.max_members, self.max_bytes = members, limit
        self.members, self.bytes, self.total = 0, 0, None
        self.written: Written = {}

    def refuse(self, member: str, why: str) -> UsageError:
        return UsageError(f'{self.archive}: member "{member[:200]}" {why}; nothing was unpacked')

    def admit(self, name: str, declared: int) -> tuple[str, ...]:
        """The safe parts of a member's name, after its number, name and declared size were checked."""
        self.members += 1
        if self.members > self.max_members:
            raise UsageError(f"{self.archive}: more than {self.max_members:,} members; nothing was unpacked")
        if declared < 0:
            raise self.refuse(name, "has a negative size")
        if self.bytes + declared > self.max_bytes:
            raise self.refuse(name, f"would take the content over {size(self.max_bytes)}")
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        if name.startswith("/"):
            raise self.refuse(name, "has an absolute name")
        if ".." in parts:
            raise self.refuse(name, 'has ".." in its name')
        if "\\" in name or "\0" in name or any(DRIVE.match(part) for part in parts):
            raise self.refuse(name, "has a backslash, a drive letter or a NUL in its name")
        return parts

    def folder(self, name: str, parts: tuple[str, ...]) -> None:
        try:
            self.root.joinpath(*parts).mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise self.refuse(name, "is a folder where another member is a file") from error

    def file(self, name: str, parts: tuple[str, ...], source: BinaryIO, declared: int) -> None:
        """Copy a member's bytes, counting: what a header declares need not be true."""
        if not parts:
            raise self.refuse(name, "has no name")
        self.folder(name, parts[:-1])
        digest, written = hashlib.sha256(), 0
        try:
            target = self.root.joinpath(*parts).open("xb")
        except (FileExistsError, IsADirectoryError) as error:
            raise self.refuse(name, "appears twice") from error
        with target:
            while chunk := source.read(CHUNK):
                written += len(chunk)
                self.bytes += len(chunk)
                if self.bytes > self.max_bytes:
                    raise self.refuse(name, f"took the content over {size(self.max_bytes)}")
                target.write(chunk)
                digest.update(chunk)
                if self.progress is not None:
                    self.progress(f"unpacking {self.archive.name}", self.bytes, self.total)
        if written != declared:
            raise self.refuse(name, f"is cut off after {written:,} of {declared:,} bytes")
        self.written["/".join(parts)] = (written, digest.hexdigest())


def _unpack_zip(target: _Target) -> None:
    with zipfile.ZipFile(target.archive) as opened:
        members = opened.infolist()
        # The directory lies at the end, so that the whole sum is known before anything is written.
        target.total = sum(member.file_size for member in members)
        if len(members) > target.max_members:
            raise UsageError(f"{target.archive}: {len(members):,} members, more than {target.max_members:,}")
        if target.total > target.max_bytes:
            largest = max(members, key=lambda member: member.file_size)
            raise target.refuse(
                largest.filename,
                f"is {size(largest.file_size)} of {size(target.total)} in all, more than {size(target.max_bytes)}",
            )
        for member in members:
            # orig_filename: zipfile cuts names at a NUL and turns the system's separator, we want to see them.
            name, mode = member.orig_filename, member.external_attr >> 16
            parts = target.admit(name, member.file_size)
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise target.refuse(name, "is a link" if stat.S_ISLNK(mode) else "is neither a file nor a folder")
            if member.is_dir():
                target.folder(name, parts)
                continue
            if member.flag_bits & 0x1:
                raise target.refuse(name, "is encrypted")
            try:
                with opened.open(member) as source:
                    target.file(name, parts, source, member.file_size)
            except RuntimeError as error:  # a password or a compression that this Python lacks
                raise target.refuse(name, f"cannot be read ({error})") from error


def _unpack_tar(target: _Target, kind: str) -> None:
    openers = {"tar": open, "gz": gzip.open, "xz": lzma.open, "bz2": bz2.open}
    with openers[kind](target.archive, "rb") as plain:
        stream = _Metered(plain, target.archive)
        with tarfile.open(fileobj=stream, mode="r:") as opened:
            while True:
                stream.left = HEADER_BYTES
                member = opened.next()
                if member is None:
                    break
                stream.left = None
                opened.members.clear()  # or the list of all headers stays in memory
                parts = target.admit(member.name, member.size)
                if member.islnk() or member.issym():
                    raise target.refuse(member.name, f'is a link to "{member.linkname}"')
                if member.issparse() or not (member.isreg() or member.isdir()):
                    raise target.refuse(member.name, "is neither a plain file nor a folder")
                if hasattr(tarfile, "data_filter"):  # Python 3.11.4 and later
                    try:
                        tarfile.data_filter(member, str(target.root))
                    except tarfile.FilterError as error:
                        raise target.refuse(member.name, f"is refused ({error})") from error
                if member.isdir():
                    target.folder(member.name, parts)
                    continue
                source = opened.extractfile(member)
                assert source is not None  # a regular file
                target.file(member.name, parts, source, member.size)
        if not stream.ended:
            raise tarfile.ReadError("the end mark is missing")
        plain.read(HEADER_BYTES)  # the padding, and behind it the checksum that only a reader at the end compares


class _Metered:
    """A decompressed tar that refuses to give more than ``left`` bytes: a header that claims gigabytes is an attack."""

    def __init__(self, stream: BinaryIO, archive: Path) -> None:
        self.stream, self.archive, self.left, self.ended = stream, archive, HEADER_BYTES, False
        self.tell, self.seek = stream.tell, stream.seek

    def read(self, count: int = -1) -> bytes:
        if self.left is not None:
            if not 0 <= count <= self.left:
                raise UsageError(f"{self.archive}: a header of more than {size(HEADER_BYTES)}; nothing was unpacked")
            self.left -= count
        data = self.stream.read(count)
        self.ended = data == bytes(tarfile.BLOCKSIZE)  # a tar ends with blocks of zeros; one without was cut off
        return data


def _merge(fresh: Path, into: Path) -> None:
    """Move what is in ``fresh`` to ``into``, which may hold files of other archives already."""
    if not into.exists():
        fresh.replace(into)
        return
    for folder, _, names in os.walk(fresh):
        goal = into / Path(folder).relative_to(fresh)
        goal.mkdir(parents=True, exist_ok=True)
        for name in names:
            (Path(folder) / name).replace(goal / name)
