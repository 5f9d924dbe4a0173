"""``percept data check`` for a folder for each class: counts of each split, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from percept.core.errors import InputError
from percept.core.evaluation import Table, problem_lines
from percept.vision.classify import data
from percept.vision.image import read_image


@dataclass(frozen=True)
class CheckReport:
    """What a folder holds. ``counts``: split -> photos of each class; ``problems``: a line each."""

    folder: Path
    names: tuple[str, ...]
    counts: dict[str, tuple[int, ...]]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """As plain values."""
        return {
            "folder": str(self.folder),
            "layout": "imagefolder",
            "splits": {split: sum(counts) for split, counts in self.counts.items()},
            "classes": {
                name: {split: counts[number] for split, counts in self.counts.items()}
                for number, name in enumerate(self.names)
            },
            "problems": list(self.problems),
        }

    def tables(self) -> list[Table]:
        """The class table."""
        rows = tuple(
            (name, *(str(counts[number]) for counts in self.counts.values())) for number, name in enumerate(self.names)
        )
        return [Table(f"{self.folder}  a folder for each class", ("class", *self.counts), rows)]

    def lines(self) -> list[str]:
        """What is wrong, a line each."""
        return problem_lines(self.problems)


def look_through(folder: Path) -> CheckReport:
    """Read every photo of every split and count them."""
    counts, problems = {}, []
    names: tuple[str, ...] = ()
    for split in data.splits(folder):
        photos = data.read_photos(folder, split)
        names = photos.names
        counts[split] = photos.counts()
        problems += [str(problem) for problem in photos.problems]
        for photo in photos.photos:
            try:
                read_image(photo.path)
            except InputError as error:
                problems.append(f"{photo.path.relative_to(folder)}: {error}")
    return CheckReport(folder, names, counts, tuple(problems))
