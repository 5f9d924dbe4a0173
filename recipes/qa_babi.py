r"""Train the shipped weights "babi": one network for all twenty kinds of stories, the hard ones first.

    python recipes/qa_babi.py --data babi --runs runs/babi
    python recipes/header.py runs/babi/again/best.safetensors weights/babi.safetensors licence=... allows=...
    python recipes/qa_babi.py --data babi --published 1k --seed 1 --runs runs/small-1

Learnt all at once, the kinds that ask for facts to be put together (4, 16, 17 and 19) stay on the level of chance: what
the other kinds teach drowns the little that shows the way. One after the other they are learnt in minutes: which animal
is of the same kind, where a room lies, then which way leads there and where a shape lies, first in stories in which few
sentences stand beside those that decide. What came before is told again, and then all twenty come together. Of 1,000
questions of kind 17, 125 stories, more lessons learn nothing but the stories themselves. Made-up stories, drawn here by
`percept data new qa`, come last: of kind 3, of which bAbI's larger set may have no training file, and some of each.
--published does without, for figures that stand beside published ones. A lesson that is done is not learnt again; one
that was stopped is gone on with. What is printed is the folder of the last one.
"""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass
from pathlib import Path

from percept.core.scripts import percept, trained

CONFIG = Path(__file__).with_suffix(".toml")
STORIES = {  # name -> how each of its files is drawn
    "rooms": ("--tasks 4 --stories 5000 --seed 24",),
    "carried": ("--tasks 2,3 --stories 2000 --seed 11",),
    "two": ("--tasks 17,18 --stories 500 --seed 22", "--tasks 19 --stories 2000 --seed 22"),
    "some": ("--stories 300 --seed 12",),
}


@dataclass(frozen=True)
class Lesson:
    """A training that begins with what the one before has learnt. stories: made-up ones, beside the published."""

    name: str
    epochs: int
    options: str
    stories: tuple[str, ...] = ()


FEW = "--schedule constant --ema 0.99"
MANY = "--schedule cosine --ema 0.998"
PUBLISHED = {  # questions a kind -> lessons; the sentences that do not decide come in later
    "1k": (
        Lesson("induction", 42, f"--tasks 16 --no-rename {FEW}"),
        Lesson("rooms", 30, f"--tasks 4,16 {FEW}"),
        Lesson("steps", 120, f"--tasks 4,16,17,19 --distractors 0.2 {FEW}"),
        Lesson("ways", 60, f"--tasks 4,16,17,19 --distractors 0.5 {FEW}"),
        Lesson("all", 30, f"--dropout 0.05 --warmup 0.1 {MANY}"),
    ),
    "10k": (
        Lesson("induction", 7, f"--tasks 16 --no-rename {FEW}"),
        Lesson("rooms", 5, f"--tasks 4,16 {FEW}"),
        Lesson("steps", 20, f"--tasks 17,19 --no-rename --distractors 0.2 {FEW}"),
        Lesson("ways", 10, f"--tasks 17,19 --no-rename --distractors 0.5 {FEW}"),
        Lesson("positions", 24, f"--tasks 17,19 --no-rename {FEW}"),
        Lesson("four", 10, f"--tasks 4,16,17,19 --no-rename {FEW}"),
        Lesson("all", 8, f"--warmup 0.1 {MANY}"),
    ),
}
LESSONS = (
    *PUBLISHED["10k"],
    Lesson("again", 4, f"--warmup 0.05 --lr 0.0006 {MANY}", tuple(STORIES)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="babi", metavar="NAME|FOLDER")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR")
    parser.add_argument("--language", default="en", choices=("en", "hn", "shuffled"))
    parser.add_argument("--published", choices=PUBLISHED, help="learn from the set's own stories alone, so many a kind")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of everything random in training")
    parser.add_argument("--train", default="", metavar="OPTIONS", help="of percept train in each lesson, in quotes")
    args = parser.parse_args()
    before = "none"
    for lesson in PUBLISHED[args.published] if args.published else LESSONS:
        data = ["--data", args.data]
        for name in lesson.stories:
            folder = args.runs / "stories" / name
            if not folder.is_dir():
                for draw in STORIES[name]:
                    percept("data", "new", "qa", *shlex.split(draw), "--out", str(folder))
            data += ["--data", str(folder)]
        options = ["--config", str(CONFIG), "--size", args.published or "10k", "--language", args.language]
        options += ["--seed", str(args.seed), "--epochs", str(lesson.epochs)]
        options += [*shlex.split(lesson.options), *shlex.split(args.train)]
        before = str(trained(args.runs / lesson.name, "qa", *data, *options, "--start", before))
    print(before)


if __name__ == "__main__":
    main()
