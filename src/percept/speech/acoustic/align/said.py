"""What a transcript says: the words of a text file, or of a text, as somebody reads them aloud."""

from __future__ import annotations

import re
import sys
from collections.abc import Container
from pathlib import Path

from percept.core.errors import InputError
from percept.core.kinds import looks_like, reason, unreadable
from percept.speech.segments import decoded
from percept.speech.words import Spoken, spoken

STDIN = "-"
TIMIT = re.compile(r"0\s+\d{3,}\s+(?=[^\W\d])")  # first and last sample, before the sentence of a .txt file of TIMIT's
NOISES = re.compile(r"<[^<>\n]{1,40}>|\[[^\[\]\n]{1,40}\]|\{[^{}\n]{1,40}\}")  # <unk>, [laughter], {breath}
NUMBER = r"-?\d+(?:\.\d+)?"
TIMED = (  # what all lines of a file with times look like, and what such a file is
    (re.compile(rf"{NUMBER}\s+{NUMBER}\s+\S.*"), "times of segments (.phn, .wrd, HTK's .lab)"),
    (re.compile(rf"\S+\s+\S+\s+{NUMBER}\s+{NUMBER}\s+\S+(?:\s+{NUMBER})?"), "times of words (.ctm)"),
    (re.compile(rf"{NUMBER}\s+\d+(?:\s+\S.*)?"), "times of segments (ESPS's .lab)"),
)
SHOWN = 40  # characters of a text in a message


def read_words(path: Path, known: Container[str] = ()) -> Spoken:
    """The words of a transcript file, plain text in UTF-8 or UTF-16; ``-`` is standard input.

    Args:
        known: words that stay as they are written, whatever signs they hold: a dictionary.

    Raises:
        InputError: it cannot be read, is no plain text, or holds no words.
    """
    if str(path) == STDIN:
        data = sys.stdin.buffer.read()
    else:
        if problem := unreadable(path):
            raise InputError(problem)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(reason(error)) from error
    if not data.strip():
        raise InputError("an empty file" if not data else "nothing but blanks in it")
    text = _text(data)
    _refuse_times(text)
    return words_of(TIMIT.sub("", text, count=1) if text.lstrip().startswith("0") else text, known)


def words_of(text: str, known: Container[str] = ()) -> Spoken:
    """The words of a text; what stands in <>, [] or {} is somebody's note of a noise, and no word.

    Raises:
        InputError: none that can be said.
    """
    said = spoken(NOISES.sub(" ", text), known)
    if not said.words:
        shown = " ".join(text.split())[:SHOWN]
        raise InputError(f'nothing in it that can be said in English: "{shown}"' if shown else "no words")
    return said


def _text(data: bytes) -> str:
    kind = looks_like(data[:512])
    try:
        text = decoded(data)
    except InputError as error:
        raise InputError(str(error) if kind == "it begins like text" else f"no plain text ({kind})") from None
    if "\x00" in text or kind.startswith(("a ", "an ")):
        raise InputError(f"no plain text ({kind})")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refuse_times(text: str) -> None:
    """Refuse label files, which say more than a transcript, and whose numbers would be read aloud."""
    begin = text.lstrip().lower()
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    what = ""
    if begin.startswith(("file type", '"ootextfile')):
        what = "a TextGrid"
    elif begin.startswith("webvtt") or any("-->" in line for line in lines[:20]):
        what = "subtitles"
    elif "#" in lines:
        what = "ESPS labels"
    elif len(lines) > 1:
        what = next((kind for pattern, kind in TIMED if all(pattern.fullmatch(line) for line in lines)), "")
    if what:
        raise InputError(f"{what}, where plain words are expected")
