"""Data sets of stories: bAbI's tree, or a folder of files named for their kind and split, as questions of each kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from percept.core.errors import InputError, UsageError, nearest
from percept.nlp.qa.options import SPLITS, Chosen
from percept.nlp.qa.stories import read_stories
from percept.nlp.qa.story import Question, Story

LAYOUT = "files such as qa1_single-supporting-fact_train.txt, or mine_train.txt and mine_test.txt"
_FILE = re.compile(r"(?:qa(?P<number>\d{1,3})(?:_(?P<slug>[^_]+))?|(?P<name>.+))_(?P<split>train|valid|val|test)\.txt")
KINDS = 20  # of bAbI


@dataclass(frozen=True)
class Kind:
    """One kind of story in a folder. number: of bAbI, 0 for one's own; files: split -> file."""

    number: int
    name: str
    files: dict[str, Path]

    @property
    def names(self) -> set[str]:
        """What ``--tasks`` may call it."""
        return {self.name, self.name.replace(" ", "-"), *({str(self.number)} if self.number else ())}


@dataclass(frozen=True)
class Asked:
    """One question with what was told before it; ``kind`` indexes the kinds asked for, ``story`` the stories of it."""

    sentences: tuple[str, ...]
    question: Question
    kind: int
    story: int


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the data: the file inside the set's folder, and what."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


def root_of(folder: Path, language: str, size: str) -> Path:
    """Where the files lie: the folder itself, or bAbI's subfolder for a language and size.

    Raises:
        UsageError: neither.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    if kinds_in(folder):
        return folder
    found = [path.name for path in sorted(folder.iterdir()) if path.is_dir() and kinds_in(path)]
    wanted = language + ("" if size == "1k" else f"-{size}")
    if wanted in found:
        return folder / wanted
    if found:
        raise UsageError(f"{folder}: no {wanted} in it, there is {', '.join(found)}")
    there = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    raise UsageError(f"{folder}: expected {LAYOUT}; there is {there}")


def recognise(folder: Path) -> bool:
    """Whether a folder, or one in it, holds such files."""
    inside = [folder, *(path for path in sorted(folder.iterdir()) if path.is_dir())] if folder.is_dir() else []
    return any(kinds_in(path) for path in inside)


def kinds_in(folder: Path) -> list[Kind]:
    """The kinds that a folder holds, by number, then by name."""
    found: dict[tuple[int, str], dict[str, Path]] = {}
    names: dict[int, str] = {}
    for path in sorted(folder.iterdir()):
        made = _FILE.fullmatch(path.name)
        if made is None or not path.is_file():
            continue
        number = int(made["number"] or 0)
        if made["slug"]:
            names[number] = made["slug"].replace("-", " ")
        split = {"valid": "val"}.get(made["split"], made["split"])
        found.setdefault((number, "" if number else made["name"]), {})[split] = path
    return [
        Kind(number, name or names.get(number, f"task {number}"), files)
        for (number, name), files in sorted(found.items(), key=lambda one: (one[0][0] == 0, *one[0]))
    ]


def choose(folder: Path, options: Chosen) -> list[Kind]:
    """The kinds that ``--tasks`` names, of a language and size.

    Raises:
        UsageError: no such folder, layout or kind.
    """
    return choose_of([folder], options)[0]


def choose_of(folders: Sequence[Path], options: Chosen) -> list[list[Kind]]:
    """The same of several folders: what ``--tasks`` names has to be in one of them.

    Raises:
        UsageError: no such folder, layout or kind, or a folder with none of the kinds.
    """
    roots = [root_of(folder, options.language, options.size) for folder in folders]
    known = [kinds_in(root) for root in roots]
    if options.tasks == ("all",):
        return known
    found: list[list[Kind]] = [[] for _ in roots]
    for wanted in options.tasks:
        same = [[kind for kind in kinds if wanted in kind.names] for kinds in known]
        if not any(same):
            there = list(dict.fromkeys(str(kind.number or kind.name) for kinds in known for kind in kinds))
            where = ", ".join(map(str, roots))
            raise UsageError(f'{where}: no task "{wanted}"{nearest(wanted, there) or "; there is " + ", ".join(there)}')
        for kinds, more in zip(found, same, strict=True):
            kinds += more
    for root, kinds in zip(roots, found, strict=True):
        if not kinds:
            raise UsageError(f"{root}: none of the tasks {', '.join(options.tasks)}")
    return found


def splits_of(kinds: Sequence[Kind]) -> list[str]:
    """The splits that some kind has a file for."""
    return [split for split in SPLITS if any(split in kind.files for kind in kinds)]


def read_split(kinds: Sequence[Kind], split: str) -> tuple[list[Asked], list[Problem]]:
    """The questions of a split over several kinds; a kind without a file for it is noted among the problems.

    Raises:
        UsageError: no kind has that split, or it holds no question with an answer.
    """
    known = splits_of(kinds)
    if split not in known:
        raise UsageError(f"no split {split}, there is {', '.join(known)}{nearest(split, known)}")
    asked: list[Asked] = []
    problems: list[Problem] = []
    for number, kind in enumerate(kinds):
        if split not in kind.files:
            problems.append(Problem(f"qa{kind.number}" if kind.number else kind.name, f"no {split} file"))
            continue
        path = kind.files[split]
        try:
            stories, wrong = read_stories(path)
        except InputError as error:
            raise UsageError(f"{path}: {error}") from error
        problems += [Problem(path.name, str(problem)) for problem in wrong]
        asked += questions(stories, number)
    if not asked:
        raise UsageError(f"{kinds[0].files[split].parent}: no question with an answer in {split}")
    return asked, problems


def questions(stories: Sequence[Story], kind: int) -> list[Asked]:
    """The answered questions of some stories, each with the sentences told before it."""
    return [
        Asked(story.sentences[: question.seen], question, kind, number)
        for number, story in enumerate(stories)
        for question in story.questions
        if question.answer
    ]


def hold_out(asked: Sequence[Asked], share: float, seed: int, *, mix: bool) -> tuple[list[Asked], list[Asked]]:
    """Split into (train, held): whole stories with ``share`` of them, of each kind the last ones, or any if ``mix``.

    Raises:
        UsageError: nothing would be left on one side.
    """
    held: set[tuple[int, int]] = set()
    for kind in sorted({one.kind for one in asked}):
        stories = sorted({one.story for one in asked if one.kind == kind})
        if mix:
            stories = [stories[at] for at in np.random.default_rng([seed, kind]).permutation(len(stories))]
        count = min(max(1, round(share * len(stories))), len(stories) - 1)
        held.update((kind, story) for story in stories[len(stories) - count :])
    train = [one for one in asked if (one.kind, one.story) not in held]
    kept = [one for one in asked if (one.kind, one.story) in held]
    if not train or not kept:
        raise UsageError("too few stories to hold some out: two or more of a kind are needed")
    return train, kept
