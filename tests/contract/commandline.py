"""The command line as the tests call it: in this process where that is enough, in one of its own where it is not.

Starting a process that imports torch takes seconds; a call in this process goes through the same ``percept.cli.main``.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from percept import cli
from percept.core import console

PROGRAM = (sys.executable, "-m", "percept")


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout; anything else there, or a NaN in it, is an error."""
        return json.loads(self.out, parse_constant=no_number)

    @property
    def lines(self) -> list[str]:
        """The lines of stdout."""
        return self.out.splitlines()


def no_number(name: str) -> None:
    raise ValueError(f"{name} has no place in JSON")


def percept(*words: object, stdin: bytes = b"") -> Ran:
    """Run ``percept WORDS...`` in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before = signal.getsignal(signal.SIGTERM), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main([str(word) for word in words])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    finally:
        console.configure()  # --quiet is this command's alone
        signal.signal(signal.SIGTERM, before[0])
        sys.stdin = before[1]
    said = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return Ran(code, *said)


def process(*command: object, environ: Mapping[str, str] | None = None, **keywords: Any) -> Ran:
    """Run any command as a process of its own, with a time limit."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        timeout=keywords.pop("timeout", 100),
        env={**os.environ, **(environ or {})},
        **keywords,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def begun(*words: object, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> subprocess.Popen[bytes]:
    """Begin ``percept WORDS...`` as a process of its own, in a process group of its own."""
    return subprocess.Popen(
        [*PROGRAM, *(str(word) for word in words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(environ or {})},
        cwd=cwd,
        start_new_session=True,
    )
