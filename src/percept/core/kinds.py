"""What a path, or a file's first bytes, turn out to be, in words for a message."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

# (offset, bytes found there, what such a file is)
_KINDS = (
    (0, b"%PDF", "a PDF"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\x00", "an xz archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!", "a rar archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"II*\x00", "a TIFF picture"),
    (0, b"MM\x00*", "a TIFF picture"),
    (8, b"WEBP", "a WebP picture"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftyphei", "a HEIC picture; save it as JPEG first"),
    (4, b"ftypmif1", "a HEIC picture; save it as JPEG first"),
    (4, b"ftypM4A", "a sound file"),
    (4, b"ftyp", "a video"),
    (4, b"moov", "a video"),
    (4, b"mdat", "a video"),
    (4, b"wide", "a video"),
    (4, b"skip", "a video"),
    (0, b"\x1aE\xdf\xa3", "a video"),
    (8, b"AVI ", "a video"),
    (0, b"FLV\x01", "a video"),
    (0, b"\x00\x00\x01\xba", "a video"),
    (0, b"\x00\x00\x01\xb3", "a video"),
    (0, b"YUV4MPEG2 ", "a video"),
    (0, b"\x30\x26\xb2\x75", "a video"),
    (8, b"WAVE", "a sound file"),
    (0, b"OggS", "a sound or video file"),
    (0, b"fLaC", "a sound file"),
    (0, b"ID3", "a sound file"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ\x90\x00", "a program"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89HDF", "an HDF5 file"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"version https://git-lfs", "a Git LFS pointer; the file itself was not fetched"),
)


def unreadable(path: Path) -> str | None:
    """Why a path cannot be read as a file ("no such file", "a folder, not a file"), or None if it seems that it can.

    A pipe or device is refused here, before anything opens it and waits for ever.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        why = reason(error)
        return "a link to nothing" if why == "no such file" and is_link(path) else why
    if stat.S_ISREG(mode):
        return None if os.access(path, os.R_OK) else "no permission to read it"
    if stat.S_ISDIR(mode):
        return "a folder, not a file"
    return "a pipe or device, not a file; send what it holds in through -"


def reason(error: OSError | ValueError) -> str:
    """What the system refused, in plain words."""
    known = {
        errno.ENOENT: "no such file",
        errno.ENOTDIR: "no such file",
        errno.EACCES: "no permission to read it",
        errno.EPERM: "no permission to read it",
        errno.EISDIR: "a folder, not a file",
        errno.ENAMETOOLONG: "a name too long for this system",
        errno.ELOOP: "links that lead in a circle",
    }
    if isinstance(error, OSError):
        return known.get(error.errno, f"cannot be read: {(error.strerror or str(error)).lower()}")
    return "not a file name that this system can have"


def looks_like(head: bytes) -> str:
    """What a file is by its first bytes (300 will do), for a message: "a PDF", "it begins like text" ...

    >>> looks_like(b"%PDF-1.7")
    'a PDF'
    >>> looks_like(b"shopping list")
    'it begins like text'
    """
    for offset, magic, kind in _KINDS:
        if head[offset : offset + len(magic)] == magic:
            return kind
    if not head.strip(b"\x00"):
        return "it begins with nothing but zeros" if head else "an empty file"
    control = sum(byte < 32 and byte not in b"\t\r\n\f\x1b" for byte in head)
    if control and (head[:1] == head[188:189] == b"G" or head[4:5] == head[196:197] == b"G"):  # MPEG transport packets
        return "a video"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if text.startswith(b"<svg") or (text.startswith(b"<?xml") and b"<svg" in text):
        return "an SVG drawing"
    return "of no known kind" if control else "it begins like text"


def is_link(path: Path) -> bool:
    """Whether the path is a symbolic link, whatever it leads to; False where the path cannot be looked at."""
    try:
        return path.is_symlink()
    except (OSError, ValueError):
        return False
