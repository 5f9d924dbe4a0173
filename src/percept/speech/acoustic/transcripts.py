"""A table of transcripts: transcripts.tsv, .csv or .jsonl with a recording, or a part of one, in each line.

Columns have many names in use, which are told by the heading or by the keys; of a table without a heading the first
column is the sound file, the second the text, a third the speaker.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from percept.speech.acoustic.utterances import Notes, lines_of

TABLES = ("transcripts.tsv", "transcripts.csv", "transcripts.jsonl")
COLUMNS = {
    "audio": ("audio", "file", "path", "audio_filepath", "file_name", "filename", "wav", "sound", "recording"),
    "text": ("text", "transcript", "transcription", "sentence", "words"),
    "speaker": ("speaker", "speaker_id", "client_id", "spk"),
    "split": ("split", "part", "set"),
    "begin": ("begin", "start", "offset"),
    "end": ("end", "stop"),
    "duration": ("duration", "dur"),
}
FOLDERS = ("", "audio", "clips", "wavs", "wav")  # below the table, in which its files may lie


@dataclass(frozen=True)
class Row:
    """One line of a table; begin and end in seconds, end None: up to the end of the sound."""

    table: Path
    line: int
    audio: str
    text: str
    speaker: str = ""
    split: str = ""
    begin: float = 0.0
    end: float | None = None


def read_rows(folder: Path, notes: Notes) -> list[Row]:
    """The lines of a folder's table; none where it has none. What a line does not say is noted."""
    path = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if path is None:
        return []
    cells = _objects(path, notes) if path.suffix == ".jsonl" else _columns(path)
    return [row for number, line in cells if (row := _row(path, number, line, notes))]


def _objects(path: Path, notes: Notes) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line of JSON, its values as text under our names."""
    for number, line in lines_of(path):
        try:
            read = json.loads(line)
        except ValueError:
            read = None
        if not isinstance(read, dict):
            notes.add("table", path, "not a JSON object", line=number, fault=True)
            continue
        named = {str(key).lower(): str(value) for key, value in read.items() if value is not None}
        yield number, {ours: named[key] for ours, keys in COLUMNS.items() for key in reversed(keys) if key in named}


def _columns(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line of a table, its cells under our names."""
    numbered = lines_of(path)
    apart = "\t" if path.suffix == ".tsv" else ","
    quoting = csv.QUOTE_NONE if path.suffix == ".tsv" else csv.QUOTE_MINIMAL
    rows = list(csv.reader((line for _, line in numbered), delimiter=apart, quoting=quoting))
    numbers = [number for number, _ in numbered]
    names = _heading(rows[0]) if rows else []
    for number, cells in list(zip(numbers, rows, strict=False))[bool(names) :]:
        yield number, dict(zip(names or ("audio", "text", "speaker"), (cell.strip() for cell in cells), strict=False))


def _heading(cells: list[str]) -> list[str]:
    """Our names of the columns; [] where the first line is no heading."""
    ours = {key: name for name, keys in COLUMNS.items() for key in keys}
    names = [ours.get(cell.strip().lower(), cell.strip()) for cell in cells]
    return names if "audio" in names and "text" in names else []


def _row(path: Path, number: int, cells: dict[str, str], notes: Notes) -> Row | None:
    if not cells.get("audio") or "text" not in cells:
        notes.add("table", path, "a sound file and its text expected", line=number, fault=True)
        return None
    try:
        begin = float(cells.get("begin") or 0)
        lasts = float(cells["duration"]) if cells.get("duration") and cells.get("begin") else None
        end = float(cells["end"]) if cells.get("end") else begin + lasts if lasts is not None else None
    except ValueError:
        notes.add("table", path, "begin, end or duration is no number of seconds", line=number, fault=True)
        return None
    if begin < 0 or (end is not None and end <= begin):
        notes.add("table", path, f"times run backwards: {begin:g} to {end:g} s", line=number, fault=True)
        return None
    return Row(
        path, number, cells["audio"], cells["text"], cells.get("speaker", ""), cells.get("split", ""), begin, end
    )
