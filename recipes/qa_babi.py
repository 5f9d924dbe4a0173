r"""Train the shipped weights "babi": one network for all twenty kinds of stories, the hard ones first.

    python recipes/qa_babi.py --data babi --runs runs/babi
    python recipes/header.py runs/babi/again/best.safetensors weights/babi.safetensors licence=... allows=...
    python recipes/qa_babi.py --data babi --published 1k --seed 1 --runs runs/small-1

Learnt all at once, the kinds that ask for facts to be put together (4, 16, 17 and 19) stay on the level of chance: what
the other kinds teach drowns the little that shows the way. One after the other they are learnt in minutes: which animal
is of the same kind, where a room lies, which way leads there, where a shape lies. What came before is told again, so
that it is not forgotten, and in the end all twenty come together. Made-up stories, drawn here by `percept data new qa`,
help: of one step of reasoning beside two, of kind 3, of which bAbI's larger set may have no training file, and some of
each kind. --published does without, for figures that stand beside published ones: there the hard kinds begin with
stories in which few sentences stand beside those that decide. Of 1,000 questions of kind 17, 125 stories, more lessons
learn nothing but the stories themselves. A lesson that is done is not learnt again; one that was
stopped is gone on with.
"""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass
from pathlib import Path

from percept.core.scripts import percept, trained

CONFIG = Path(__file__).with_suffix(".toml")
STORIES = {  # name -> how each of its files is drawn
    "step19": ("--tasks 19 --steps 1 --stories 8000 --seed 21",),
    "step17": ("--tasks 17 --steps 1 --stories 1500 --seed 21",),
    "two": ("--tasks 17,18 --stories 1500 --seed 22", "--tasks 19 --stories 6000 --seed 22"),
    "rooms": ("--tasks 4 --stories 5000 --seed 24",),
    "three": ("--tasks 3 --stories 2000 --seed 11",),
    "some": ("--stories 300 --seed 12",),
}


@dataclass(frozen=True)
class Lesson:
    """A training that begins with what the one before has learnt. stories: made-up ones, beside the published."""

    name: str
    epochs: int
    options: str
    stories: tuple[str, ...] = ()


FEW = "--schedule constant --ema 0.99 --batch 64"
MANY = "--schedule cosine --ema 0.998"
LESSONS = (
    Lesson("induction", 7, f"--tasks 16 --no-rename {FEW}"),
    Lesson("rooms", 5, f"--tasks 4,16 {FEW}"),
    Lesson("ways", 9, f"--tasks 4,16,19 --no-rename {FEW}", ("step19", "two")),
    Lesson("positions", 5, f"--tasks 4,16,17,19 --no-rename {FEW}", ("step17", "two")),
    Lesson("all", 4, f"--warmup 0.1 --batch 128 {MANY}", ("two", "three", "some")),
    Lesson("again", 1, f"--warmup 0.05 --lr 0.0006 --batch 128 {MANY}", ("two", "three", "some", "rooms")),
)
PUBLISHED = {  # size -> lessons without made-up stories: the sentences that do not decide come in later
    "1k": (
        Lesson("induction", 42, f"--tasks 16 --no-rename {FEW}"),
        Lesson("rooms", 30, f"--tasks 4,16 {FEW}"),
        Lesson("steps", 120, f"--tasks 4,16,17,19 --distractors 0.2 {FEW}"),
        Lesson("ways", 60, f"--tasks 4,16,17,19 --distractors 0.5 {FEW}"),
        Lesson("all", 30, f"--dropout 0.05 --warmup 0.1 --batch 64 {MANY}"),
    ),
    "10k": (
        Lesson("induction", 7, f"--tasks 16 --no-rename {FEW}"),
        Lesson("rooms", 5, f"--tasks 4,16 {FEW}"),
        Lesson("steps", 20, f"--tasks 17,19 --no-rename --distractors 0.2 {FEW}"),
        Lesson("ways", 10, f"--tasks 17,19 --no-rename --distractors 0.5 {FEW}"),
        Lesson("positions", 24, f"--tasks 17,19 --no-rename {FEW}"),
        Lesson("four", 3, f"--tasks 4,16,17,19 {FEW}"),
        Lesson("all", 8, f"--warmup 0.1 --batch 64 {MANY}"),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="babi", metavar="NAME|FOLDER")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR")
    parser.add_argument("--language", default="en", choices=("en", "hn", "shuffled"))
    parser.add_argument("--published", choices=PUBLISHED, help="learn from the set's own stories alone, so many a kind")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of everything random in training")
    parser.add_argument("--train", default="", metavar="OPTIONS", help="of percept train in each lesson, in quotes")
    args = parser.parse_args()
    for name, draws in STORIES.items():
        folder = args.runs / "stories" / name
        if not (args.published or folder.is_dir()):
            for draw in draws:
                percept("data", "new", "qa", *shlex.split(draw), "--out", str(folder))
    before = "none"
    for lesson in PUBLISHED[args.published] if args.published else LESSONS:
        sets = [args.data, *(str(args.runs / "stories" / name) for name in lesson.stories)]
        data = [word for name in sets for word in ("--data", name)]
        options = ["--config", str(CONFIG), "--size", args.published or "10k", "--language", args.language]
        options += ["--seed", str(args.seed), "--epochs", str(lesson.epochs)]
        options += [*shlex.split(lesson.options), *shlex.split(args.train)]
        before = str(trained(args.runs / lesson.name, "qa", *data, *options, "--start", before))


if __name__ == "__main__":
    main()
