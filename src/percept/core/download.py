"""Download one file through pooch: gone on with where it was cut off, tried again, and checked before it gets its name.

pooch decides whether a file is needed, checks its hash and moves it to its name; its own downloader starts over after a
broken connection, which 20 GB do not forgive, so that ours asks for the missing rest (RFC 9110, section 14).
"""

from __future__ import annotations

import contextlib
import errno
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from percept.core.archives import Progress
from percept.core.console import size
from percept.core.errors import UsageError

CHUNK = 1 << 16
RETRIES = 3  # in a row without one more byte
TIMEOUT = 30.0  # seconds of silence
WAIT = 1.0  # seconds before the second try, doubled each time


def download(
    url: str, to: Path, *, known_hash: str | None = None, count: int | None = None, progress: Progress | None = None
) -> None:
    """Download ``url`` to the file ``to``, unless it is there and matches already.

    Args:
        known_hash: ``sha256:...`` or ``md5:...``, compared before ``to`` gets its name.
        count: the file's size in bytes, compared before the download begins.

    Raises:
        UsageError: the file cannot be had, is not the expected one, or the disk is full. What was received of a good
            file is kept as ``to`` + ``.part``, and the next call goes on from there.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            url,
            known_hash,
            fname=to.name,
            path=to.parent,
            downloader=_Resuming(to, known_hash is not None, count, progress),
        )
    except ValueError as error:  # pooch's hash mismatch; the file is deleted already
        raise UsageError(
            f"{url}: not the expected file: {_sentence(error)}\n"
            "  Try once more; if it stays so, the file was changed at its source."
        ) from error
    except requests.RequestException as error:
        raise UsageError(f"{url}: {_sentence(error)}") from error
    except OSError as error:
        what = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise UsageError(f"{to}: {what}; free some space and run the same command, it goes on from here") from error


@contextlib.contextmanager
def alone(path: Path, otherwise: str) -> Iterator[None]:
    """Hold the lock file ``path``; the system gives it back even if this process is killed.

    Raises:
        UsageError: another process holds it; the text is ``otherwise``.
    """
    with path.open("a+b") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(otherwise) from error
        yield


class _Resuming:
    """A pooch downloader that keeps what it has, and asks for the rest."""

    def __init__(self, to: Path, checked: bool, count: int | None, progress: Progress | None) -> None:
        self.name, self.checked, self.count, self.progress = to.name, checked, count, progress
        self.part = to.with_name(to.name + ".part")
        self.note = to.with_name(to.name + ".part.json")  # which version of the file the part belongs to

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        import requests
        import urllib3

        failures = 0
        while True:
            before = self._have()
            try:
                why = self._go_on(url)
                if not why:
                    break
            except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
                why = _sentence(error)
                if isinstance(error, urllib3.exceptions.ReadTimeoutError | requests.Timeout):
                    why = f"no answer for {TIMEOUT:.0f} seconds"
                elif isinstance(error, urllib3.exceptions.ProtocolError):
                    why = "the connection breaks off"
            failures = 0 if self._have() > before else failures + 1
            if failures > RETRIES:
                kept = f"; {size(self._have())} are kept, the same command goes on from there" if self._have() else ""
                raise UsageError(f"{url}: {why}{kept}")
            time.sleep(WAIT * 2 ** max(failures - 1, 0))
        self.part.replace(output_file)
        self.note.unlink(missing_ok=True)

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _go_on(self, url: str) -> str:
        """One request; empty when the file is whole, else why it is not yet."""
        import requests

        version = self._version(url)  # may forget the part of another file
        have, headers = self._have(), {"Accept-Encoding": "identity"}
        if have and (version or self.checked):
            headers["Range"] = f"bytes={have}-"
            if version:
                headers["If-Range"] = version  # a file that changed meanwhile is sent whole
        with requests.get(url, stream=True, timeout=TIMEOUT, headers=headers) as response:
            status, sent = response.status_code, response.headers
            if url.startswith("https:") and not response.url.startswith("https:"):
                raise UsageError(f"{url}: the server leads to {response.url}, which is not encrypted")
            if status == 416:  # nothing behind what we have: whole, or not the same file
                if sent.get("Content-Range", "").endswith(f"/{have}"):
                    return ""
                self._forget()
                return "the file was changed meanwhile"
            if status == 429 or status >= 500:
                return f"the server answers {status} {response.reason}"
            if status not in (200, 206):
                raise UsageError(f"{url}: the server answers {status} {response.reason}")
            begin, total = _extent(status, sent)
            if begin != have and status == 206:
                self._forget()
                return "the server sends another part than asked for"
            if total is not None and self.count not in (None, total):
                self._forget()
                raise UsageError(f"{url}: {total:,} bytes are offered where {self.count:,} are expected")
            self._write(url, response, begin, total)
        return "" if total is None or self._have() == total else "the connection ended early"

    def _write(self, url: str, response: Any, have: int, total: int | None) -> None:
        sent = response.headers
        strong = sent.get("ETag", "") if not sent.get("ETag", "").startswith("W/") else ""
        self.note.write_text(json.dumps({"url": url, "version": strong or sent.get("Last-Modified", "")}))
        with self.part.open("ab" if have else "wb") as part:
            # raw: some servers call a .tgz "Content-Encoding: gzip", and requests would unpack it
            while chunk := response.raw.read(CHUNK, decode_content=False):
                part.write(chunk)
                have += len(chunk)
                if self.progress is not None:
                    self.progress(self.name, have, total)

    def _version(self, url: str) -> str:
        try:
            note = json.loads(self.note.read_text())
        except (OSError, ValueError):
            note = {}
        if note.get("url") != url:
            self._forget()
        return str(note.get("version", ""))

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def _extent(status: int, headers: Any) -> tuple[int, int | None]:
    """Where the body begins in the file, and the file's size if it is told."""
    if status == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", ""))
        if not found:
            return -1, None
        return int(found[1]), None if found[2] == "*" else int(found[2])
    length = headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _sentence(error: BaseException) -> str:
    """The innermost reason, without the names of Python's objects."""
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    while getattr(error, "reason", None) is not None and isinstance(error.reason, BaseException):
        error = error.reason
    text = re.sub(r"<[^>]*>:? ?|\S*Connection\S*\([^)]*\):? ?", "", str(error)).strip("' ")
    return text or type(error).__name__
