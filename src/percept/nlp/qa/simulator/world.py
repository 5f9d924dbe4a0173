"""The small world behind the first kinds: people in rooms, and things that they take, drop and hand on.

What happens is simulated with everybody's and everything's true place; what is told of it is kept beside, so that a
question is asked only where the sentences so far decide its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from percept.nlp.qa.story import Question, Story

Choice = TypeVar("Choice")

PEOPLE = ("Mary", "John", "Daniel", "Sandra")
GIVERS = ("Mary", "Fred", "Bill", "Jeff")
VISITORS = ("Mary", "Fred", "Bill", "Julie")
ROOMS = ("kitchen", "garden", "bathroom", "bedroom", "hallway", "office")
TOWN = ("kitchen", "bedroom", "office", "school", "park", "cinema")
THINGS = ("football", "milk", "apple")
GO = ("went to", "went back to", "moved to", "journeyed to", "travelled to")
TAKE = ("took", "got", "grabbed", "picked up")
DROP = ("dropped", "discarded", "left", "put down")
GIVE = ("gave", "handed", "passed")


def pick(rng: np.random.Generator, choices: Sequence[Choice]) -> Choice:
    """One of several, each as likely."""
    return choices[int(rng.integers(len(choices)))]


def recent(rng: np.random.Generator, choices: Sequence[Choice]) -> Choice:
    """One of several of which the last is the likeliest: a half, a quarter, ..."""
    return choices[max(len(choices) - int(rng.geometric(0.5)), 0)]


@dataclass
class Telling:
    """A story in the making: what was told and asked so far."""

    sentences: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def tell(self, sentence: str) -> int:
        """Add a sentence; returns its number."""
        self.sentences.append(sentence[0].upper() + sentence[1:] + ".")
        return len(self.sentences) - 1

    def ask(self, question: str, answer: str, supports: Sequence[int]) -> None:
        """Add a question about what was told so far."""
        self.questions.append(Question(question + "?", len(self.sentences), answer, tuple(supports)))

    def story(self) -> Story:
        """What was told and asked."""
        return Story(tuple(self.sentences), tuple(self.questions))


@dataclass(frozen=True)
class Event:
    """Something told of a thing: ``who`` took it, dropped it, or gave it to ``whom`` in sentence ``number``."""

    number: int
    what: str
    who: str
    whom: str = ""


@dataclass
class World:
    """Where everybody and everything is, and what was told of it.

    at: person or thing -> place, the true one; holds: person -> things. moves: person -> (sentence, place) told.
    events: thing -> what was told of it. there: how often a taking and a dropping end with "there".
    """

    rng: np.random.Generator
    people: tuple[str, ...]
    places: tuple[str, ...]
    things: tuple[str, ...] = ()
    there: tuple[float, float] = (1.0, 0.2)
    told: Telling = field(default_factory=Telling)
    at: dict[str, str] = field(default_factory=dict)
    holds: dict[str, list[str]] = field(default_factory=dict)
    moves: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.at = {one: pick(self.rng, self.places) for one in (*self.people, *self.things)}
        self.holds = {person: [] for person in self.people}

    def go(self, person: str) -> None:
        """A person goes to another place, and what they hold with them."""
        place = pick(self.rng, [place for place in self.places if place != self.at[person]])
        number = self.told.tell(f"{person} {pick(self.rng, GO)} the {place}")
        for one in (person, *self.holds[person]):
            self.at[one] = place
        self.moves[person] = [*self.moves.get(person, []), (number, place)]

    def takings(self) -> list[tuple[str, str]]:
        """(person, thing) of all that could be taken: it lies where the person is."""
        held = {thing for things in self.holds.values() for thing in things}
        return [
            (one, thing)
            for one in self.people
            for thing in self.things
            if thing not in held and self.at[thing] == self.at[one]
        ]

    def droppings(self) -> list[tuple[str, str]]:
        """(person, thing) of all that is held."""
        return [(person, thing) for person, things in self.holds.items() for thing in things]

    def givings(self) -> list[tuple[str, str, str]]:
        """(giver, thing, receiver) of all that could be handed on."""
        return [
            (one, thing, other)
            for one, thing in self.droppings()
            for other in self.people
            if other != one and self.at[other] == self.at[one]
        ]

    def take(self, person: str, thing: str) -> None:
        """A person takes a thing."""
        self.holds[person].append(thing)
        there = " there" if self.rng.random() < self.there[0] else ""
        number = self.told.tell(f"{person} {pick(self.rng, TAKE)} the {thing}{there}")
        self.events.setdefault(thing, []).append(Event(number, "take", person))

    def drop(self, person: str, thing: str) -> None:
        """A person drops a thing."""
        self.holds[person].remove(thing)
        there = " there" if self.rng.random() < self.there[1] else ""
        number = self.told.tell(f"{person} {pick(self.rng, DROP)} the {thing}{there}")
        self.events.setdefault(thing, []).append(Event(number, "drop", person))

    def give(self, person: str, thing: str, receiver: str) -> None:
        """A person hands a thing to another."""
        self.holds[person].remove(thing)
        self.holds[receiver].append(thing)
        number = self.told.tell(f"{person} {pick(self.rng, GIVE)} the {thing} to {receiver}")
        self.events.setdefault(thing, []).append(Event(number, "give", person, receiver))

    def happen(self, going: float, giving: float = 0.0) -> None:
        """One event, a move with the chance ``going``, a gift with the chance ``giving`` where one can be."""
        chance = self.rng.random()
        if chance < giving and (gifts := self.givings()):
            self.give(*pick(self.rng, gifts))
            return
        taking, dropping = self.takings(), self.droppings()
        if chance < giving + going or not (taking or dropping):
            self.go(pick(self.rng, self.people))
        elif taking and (not dropping or self.rng.random() < 0.6):
            self.take(*pick(self.rng, taking))
        else:
            self.drop(*pick(self.rng, dropping))


def in_turn(
    told: Telling,
    happen: Callable[[], None],
    ask: Callable[[], None],
    *,
    wait: Callable[[int], int] = lambda _: 0,
    questions: int = 5,
    most: int = 200,
) -> Story | None:
    """Two events and a question, if one can be asked then, until there are enough; None if the story grows too long.

    happen: called for each event. ask: called for each question; adds none where the sentences decide none. wait:
    number of the next question -> sentences that must be told before it since the last.
    """
    told_before, waiting = 0, wait(0)
    while len(told.questions) < questions:
        if len(told.sentences) >= most:
            return None
        happen()
        happen()
        if len(told.sentences) - told_before >= waiting:
            asked = len(told.questions)
            ask()
            if len(told.questions) > asked:
                told_before, waiting = len(told.sentences), wait(asked + 1)
    return told.story()
