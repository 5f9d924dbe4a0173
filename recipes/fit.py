r"""Learn when a transcript fits its sound, for weights that have learnt where phones are; the network stays as it is.

    python recipes/fit.py runs/english/best.safetensors weights/english.safetensors \
        --data librispeech --data speechocean762

Recordings of the voices that training had kept to choose the best epoch by are aligned with their own words, and with
those of others that are about as long. A logistic function of what is measured of each stretch learns to tell them
apart; its constant is then set so that at most one in a hundred right pairs is doubted, or, where that leaves room,
midway to where one in a hundred wrong ones would be believed. It goes into the header, where `percept align` finds it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from percept import api
from percept.core import checkpoint, datasets, device
from percept.core.console import progress
from percept.core.errors import InputError
from percept.core.files import sha256
from percept.speech.acoustic.align.finder import Finder
from percept.speech.acoustic.align.measuring import shuffled, ways_of
from percept.speech.acoustic.align.verdict import Rule, decided, figures, stretches
from percept.speech.acoustic.data import Utterance, read_corpus
from percept.speech.acoustic.samples import sound
from percept.speech.acoustic.teaching import dictionary

DOUBTED = 0.01  # of the right pairs, at most
RIDGE = 1e-3  # keeps the weights finite where the two kinds never meet


@dataclass(frozen=True)
class Measured:
    """A pair: whether it is right, and the figures (S, 2) and the lengths of its stretches."""

    right: bool
    figures: np.ndarray
    lengths: list[int]

    def believed(self, rule: Rule) -> bool:
        """Whether a rule believes it."""
        return decided([rule.chance(*row) for row in self.figures], self.lengths)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--limit", type=int, default=0, help="recordings of each set; 0 = all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    read = checkpoint.load(args.source, task="acoustic")
    finder = Finder(read, str(args.source), device.choose("cpu", args.threads))
    measured: list[Measured] = []
    for name in args.data:
        kept = chosen_by(read, name)
        kept = [kept[n] for n in np.random.default_rng(args.seed).permutation(len(kept))][: args.limit or None]
        measured += measure(finder, kept, args.seed)
    rule = set_constant(learnt(measured), measured)
    for right, what in ((True, "right pairs doubted"), (False, "wrong pairs noticed")):
        of_kind = [one for one in measured if one.right is right]
        print(f"{what}: {sum(not one.believed(rule) for one in of_kind)} of {len(of_kind)}")
    decoding = {**read.header.get("decoding", {}), "fit": {key: round(value, 4) for key, value in asdict(rule).items()}}
    checkpoint.save(args.target, read.tensors, {**read.header, "decoding": decoding}, store="float16")
    print(f"{args.target}: {decoding['fit']}, sha256 {sha256(args.target)}")


def chosen_by(read: checkpoint.Checkpoint, name: str) -> list[Utterance]:
    """The recordings of a set whose voices only chose the best epoch."""
    folder = datasets.find(name, api.rows("acoustic"), "acoustic")[0]
    choosing = set(read.header["data"]["choosing"])
    found = [one for one in read_corpus(folder, "all").utterances if (one.speaker or one.name) in choosing]
    return [one for one in found if one.words]


def measure(finder: Finder, utterances: Sequence[Utterance], seed: int) -> Iterator[Measured]:
    """Each recording with its own words and with others'; those whose words nobody can pronounce are left out."""
    lexicon = dictionary("")
    utterances = [one for one in utterances if all(ways_of(one, lexicon))]
    pairs = [(one, one) for one in utterances] + shuffled(utterances, lexicon, len(utterances), seed)
    shortest = finder.topology.shortest
    with progress("pairs", len(pairs)) as bar:
        for one, other in pairs:
            bar.step()
            try:
                found = finder.find(iter([sound(one)]), ways_of(other, lexicon))
            except InputError:  # too short for these words: no rule is asked
                continue
            rows, lengths = [], []
            for part, first, end in stretches(found.alignment):
                rows.append(figures(part, found.scores[first:end], found.free[first:end], shortest))
                lengths.append(end - first)
            yield Measured(one is other, np.array(rows), lengths)


def learnt(measured: Sequence[Measured]) -> Rule:
    """Logistic regression over all stretches, right and wrong ones weighing the same; by Newton's method."""
    rows = np.concatenate([one.figures for one in measured])  # (N, 2)
    rows = np.column_stack([rows, np.ones(len(rows))])  # (N, 3)
    right = np.concatenate([np.full(len(one.lengths), float(one.right)) for one in measured])  # (N,)
    share = np.where(right > 0, 0.5 / right.sum(), 0.5 / (1 - right).sum())  # (N,)
    weights = np.zeros(3)
    for _ in range(100):
        chance = 1 / (1 + np.exp(-rows @ weights))  # (N,)
        slope = rows.T @ (share * (chance - right)) + RIDGE * weights * (1, 1, 0)
        bend = (rows * (share * chance * (1 - chance))[:, None]).T @ rows + RIDGE * np.diag((1, 1, 1e-3))
        weights -= np.linalg.solve(bend, slope)
    return Rule(*map(float, weights))


def set_constant(rule: Rule, measured: Sequence[Measured]) -> Rule:
    """The rule with the constant that doubts few of the right pairs."""
    steps = rule.constant + np.arange(-15, 15, 0.1)

    def share(constant: float, right: bool) -> float:
        of_kind = [one for one in measured if one.right is right]
        moved = replace(rule, constant=float(constant))
        return sum(one.believed(moved) for one in of_kind) / len(of_kind)

    lowest = next(float(step) for step in steps if share(step, True) >= 1 - DOUBTED)
    highest = next((float(step) for step in reversed(steps) if share(step, False) <= DOUBTED), lowest)
    return replace(rule, constant=(lowest + max(lowest, highest)) / 2)


if __name__ == "__main__":
    main()
