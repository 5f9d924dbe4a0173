"""The twenty kinds of stories by number, drawn by (seed, kind, number) alone, and written in the published format."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from percept.nlp.qa.simulator import carrying, deciding, telling
from percept.nlp.qa.story import Story

Make = Callable[..., Story | None]

KINDS: dict[int, tuple[str, Make]] = {
    1: ("single-supporting-fact", carrying.one_fact),
    2: ("two-supporting-facts", carrying.two_facts),
    3: ("three-supporting-facts", carrying.three_facts),
    4: ("two-arg-relations", deciding.two_arguments),
    5: ("three-arg-relations", carrying.three_arguments),
    6: ("yes-no-questions", carrying.yes_or_no),
    7: ("counting", carrying.counting),
    8: ("lists-sets", carrying.lists),
    9: ("simple-negation", telling.negation),
    10: ("indefinite-knowledge", telling.uncertain),
    11: ("basic-coreference", telling.pronouns),
    12: ("conjunction", telling.together),
    13: ("compound-coreference", telling.they),
    14: ("time-reasoning", telling.times),
    15: ("basic-deduction", deciding.deduction),
    16: ("basic-induction", deciding.induction),
    17: ("positional-reasoning", deciding.positions),
    18: ("size-reasoning", deciding.sizes),
    19: ("path-finding", deciding.ways),
    20: ("agents-motivations", deciding.motives),
}
STEPPED = frozenset({17, 18, 19})  # kinds that can ask for one step of reasoning, to begin with, instead of two


def story(kind: int, seed: int, number: int, steps: int = 2) -> Story:
    """Story ``number`` of a kind: the same for the same numbers, whatever else is drawn."""
    attempt = 0
    asked = {"steps": steps} if kind in STEPPED else {}
    while True:
        made = KINDS[kind][1](np.random.default_rng([seed, kind, number, attempt]), **asked)
        if made is not None:
            return made
        attempt += 1


def lines(made: Story) -> list[str]:
    """A story as the published files have it: numbered lines, questions with answer and supports between TABs."""
    found: list[str] = []
    numbers: list[int] = []  # of the lines in which the sentences stand
    waiting = list(made.questions)
    for at in range(len(made.sentences) + 1):
        while waiting and waiting[0].seen == at:
            asked = waiting.pop(0)
            supports = " ".join(str(numbers[support]) for support in asked.supports)
            found.append(f"{len(found) + 1} {asked.text} \t{asked.answer}\t{supports}")
        if at < len(made.sentences):
            numbers.append(len(found) + 1)
            found.append(f"{len(found) + 1} {made.sentences[at]}")
    return found
