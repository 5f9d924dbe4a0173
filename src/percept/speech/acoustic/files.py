"""What acoustic writes under ``--out``: transcripts in the formats of other programs, and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from percept.core.sources import Item
from percept.speech.acoustic.options import Predict
from percept.speech.acoustic.picture import draw
from percept.speech.acoustic.result import Transcript

FORMATS = {
    "text": (".txt", lambda result: result.text),
    "ctm": (".ctm", lambda result: result.to_ctm().rstrip("\n")),
    "textgrid": (".TextGrid", lambda result: result.to_textgrid()),
    "srt": (".srt", lambda result: result.to_srt()),
    "vtt": (".vtt", lambda result: result.to_vtt()),
}


class Files:
    """Of each recording a TextGrid beside what ``--format`` writes, and with ``--save`` a picture."""

    def __init__(self, options: Predict, out: Path) -> None:
        self.options, self.out = options, out
        self.written: list[str] = []

    def add(self, item: Item, result: Any) -> dict[str, str]:
        """Write what belongs to one result; returns the paths for the JSON ``files``."""
        if not isinstance(result, Transcript):
            return {}
        files = {}
        if self.options.format != "textgrid":
            files["textgrid"] = self.out / f"{item.stem}.TextGrid"
            result.save(files["textgrid"])
        if self.options.save:
            files["picture"] = self.out / f"{item.stem}.png"
            draw(files["picture"], result)
        self.written += map(str, files.values())
        return {kind: str(path) for kind, path in files.items()}

    def close(self) -> list[str]:
        """The paths written."""
        return self.written
