"""``percept data check`` for stories: what each kind holds, what is wrong, and answers that the text contradicts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from percept.core.errors import InputError
from percept.core.evaluation import Table, problem_lines
from percept.nlp.qa.data import KINDS, kinds_in
from percept.nlp.qa.reasoners.reason import reason
from percept.nlp.qa.stories import questions_of, read_stories
from percept.nlp.qa.story import words

REASONED = 200  # questions of a file that are answered by rules too


@dataclass(frozen=True)
class Counted:
    """One file: its kind, split, and how much is in it."""

    kind: str
    split: str
    stories: int
    questions: int
    answers: int
    longest: int


@dataclass(frozen=True)
class CheckReport:
    """What a folder holds; ``problems``: a line each."""

    folder: Path
    files: tuple[Counted, ...]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """As plain values."""
        return {
            "folder": str(self.folder),
            "layout": "babi",
            "files": [vars(file) for file in self.files],
            "problems": list(self.problems),
        }

    def tables(self) -> list[Table]:
        """The files."""
        columns = ("kind", "split", "stories", "questions", "answers", "longest")
        rows = tuple(tuple(str(getattr(file, name)) for name in columns) for file in self.files)
        return [Table(f"{self.folder}  stories with questions", columns, rows)]

    def lines(self) -> list[str]:
        """What is wrong, a line each."""
        return problem_lines(self.problems)


def look_through(folder: Path) -> CheckReport:
    """Read all files of a folder, or of its folders, and answer some of bAbI's English questions by rules."""
    files, problems = [], []
    for place in [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]:
        for kind in kinds_in(place):
            for split, path in kind.files.items():
                shown = path.relative_to(folder).as_posix()
                try:
                    stories, wrong = read_stories(path)
                except InputError as error:
                    problems.append(f"{shown}: {error}")
                    continue
                problems += [f"{shown}: {problem}" for problem in wrong]
                asked = list(questions_of(stories))
                name = f"{kind.number} {kind.name}" if kind.number else kind.name
                if place != folder:
                    name = f"{place.name}: {name}"
                answers = {question.answer.lower() for _, question in asked}
                longest = max((question.seen for _, question in asked), default=0)
                files.append(Counted(name, split, len(stories), len(asked), len(answers), longest))
                problems += [f"{shown}: line {q.line}: no answer" for _, q in asked if not q.answer]
                if 0 < kind.number <= KINDS:
                    problems += [f"{shown}: {line}" for line in _contradicted(asked[:REASONED])]
    return CheckReport(folder, tuple(files), tuple(problems))


def _contradicted(asked: list) -> list[str]:
    """Answers that are not what the text says, as far as the rules understand it."""
    found = []
    for story, question in asked:
        said = reason(story.sentences[: question.seen], question.text)
        if said is not None and question.answer and said != question.answer.lower():
            shown = " ".join(words(question.text))
            found.append(f'line {question.line}: "{shown}" is answered {question.answer}, the text says {said}')
    return found
