from __future__ import annotations

import errno
from pathlib import Path

import pytest

from percept.core.kinds import looks_like, reason, unreadable


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "an empty file"),
        (b"%PDF-1.4", "a PDF"),
        (b"PK\x03\x04", "a zip archive"),
        (bytes(257) + b"ustar", "a tar archive"),
        (b"\x00\x00\x00\x20ftypisom", "a video"),
        (b"\x00\x00\x00\x20ftypheic", "a HEIC picture; save it as JPEG first"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "a video"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "a sound file"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "a WebP picture"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"G" + bytes(187) + b"G" + bytes(9), "a video"),
        (b"G" * 300, "it begins like text"),
        (b"hello", "it begins like text"),
        ("Straße".encode(), "it begins like text"),
        ("Straße".encode("latin-1"), "it begins like text"),
        (b"\n <!DOCTYPE html><title>404</title>", "a web page"),
        (b'<?xml version="1.0"?><svg>', "an SVG drawing"),
        (bytes(300), "it begins with nothing but zeros"),
        (b"abc\x00\x01", "of no known kind"),
    ],
)
def test_a_file_is_known_by_its_first_bytes(head: bytes, kind: str) -> None:
    assert looks_like(head) == kind


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert unreadable(tmp_path / "file") is None
    assert unreadable(tmp_path) == "a folder, not a file"
    assert unreadable(tmp_path / "none") == "no such file"
    assert unreadable(tmp_path / "file" / "in") == "no such file"
    assert unreadable(Path("a\x00b")) == "not a file name that this system can have"


def test_a_rare_system_error_keeps_its_own_words() -> None:
    assert reason(OSError(errno.EIO, "Input/output error")) == "cannot be read: input/output error"
    assert reason(PermissionError(errno.EACCES, "x")) == "no permission to read it"
