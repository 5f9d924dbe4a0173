"""Kinds 1, 2, 3, 5, 6, 7 and 8: where people and things are and were, who gave what, how much somebody carries."""

from __future__ import annotations

import numpy as np

from percept.nlp.qa.simulator.world import (
    GIVERS,
    PEOPLE,
    ROOMS,
    THINGS,
    Event,
    World,
    in_turn,
    pick,
    recent,
)
from percept.nlp.qa.story import Story

NUMBERS = ("none", "one", "two", "three")


def one_fact(rng: np.random.Generator) -> Story | None:
    """Kind 1: where is a person?"""
    world = World(rng, PEOPLE, ROOMS)

    def ask() -> None:
        person, (number, place) = _somebody(world)
        world.told.ask(f"Where is {person}", place, (number,))

    return in_turn(world.told, lambda: world.go(pick(rng, PEOPLE)), ask)


def two_facts(rng: np.random.Generator) -> Story | None:
    """Kind 2: where is a thing that somebody has or had?"""
    world = World(rng, PEOPLE, ROOMS, THINGS)

    def ask() -> None:
        known = [thing for thing in _touched(world) if _stops(world, thing)]
        if known:
            thing = recent(rng, known)
            last = world.events[thing][-1]
            number, place = _stops(world, thing)[-1]
            if last.what == "drop" or number != last.number:
                world.told.ask(f"Where is the {thing}", place, (last.number, number))

    def wait(number: int) -> int:
        return int(rng.integers(2, 14)) if number == 0 or rng.random() < 0.2 else 0

    return in_turn(world.told, lambda: world.happen(0.63), ask, wait=wait, most=90)


def three_facts(rng: np.random.Generator) -> Story | None:
    """Kind 3: where was a thing before it came to a place?"""
    world = World(rng, PEOPLE, ROOMS, THINGS, there=(0.2, 0.2))

    def ask() -> None:
        ways = {thing: _way(world, thing) for thing in _touched(world)}
        known = [thing for thing, way in ways.items() if len(way) > 1]
        if known:
            thing = recent(rng, known)
            way = ways[thing]
            place = pick(rng, way[-3:])[1]
            last = max(at for at, (_, there, _) in enumerate(way) if there == place)
            if last and not _unsure(world, thing):
                before, here = way[last - 1], way[last]
                question = f"Where was the {thing} before the {place}"
                world.told.ask(question, before[1], dict.fromkeys((here[2], here[0], before[0])))

    def wait(number: int) -> int:
        return int(rng.integers(4, 70)) if number == 0 else int(rng.geometric(0.07)) if rng.random() < 0.4 else 0

    return in_turn(world.told, lambda: world.happen(0.72), ask, wait=wait, most=230)


def three_arguments(rng: np.random.Generator) -> Story | None:
    """Kind 5: who gave what to whom?"""
    world = World(rng, GIVERS, ROOMS, THINGS)

    def ask() -> None:
        gifts = [(event, thing) for thing, events in world.events.items() for event in events if event.what == "give"]
        gifts.sort(key=lambda gift: gift[0].number)
        for event, thing in [recent(rng, gifts), *gifts[::-1]] if gifts else []:
            clear = _clear(event, thing, gifts)
            if clear:
                about_thing = clear[0][0].startswith("What") and rng.random() < 0.3
                question, answer = clear[0] if about_thing else pick(rng, clear)
                world.told.ask(question, answer, (event.number,))
                return

    return in_turn(world.told, lambda: world.happen(0.55, 0.3), ask, most=130)


def _clear(gift: Event, thing: str, gifts: list[tuple[Event, str]]) -> list[tuple[str, str]]:
    """(question, answer) of all that can be asked about a gift without another being meant."""
    giver, receiver = gift.who, gift.whom
    later = [(other, what) for other, what in gifts if other.number > gift.number]
    others = [(other, what) for other, what in gifts if what != thing or other.number > gift.number]
    asked = [  # question, answer, the gifts that could be meant instead
        (f"What did {giver} give to {receiver}", thing, [o for o, _ in others if (o.who, o.whom) == (giver, receiver)]),
        (f"Who gave the {thing}", giver, [o for o, what in later if what == thing]),
        (f"Who received the {thing}", receiver, [o for o, what in later if what == thing]),
        (f"Who gave the {thing} to {receiver}", giver, [o for o, what in later if (what, o.whom) == (thing, receiver)]),
        (f"Who did {giver} give the {thing} to", receiver, [o for o, what in later if (what, o.who) == (thing, giver)]),
    ]
    return [(question, answer) for question, answer, meant in asked if not meant]


def yes_or_no(rng: np.random.Generator) -> Story | None:
    """Kind 6: is a person in a place?"""
    world = World(rng, PEOPLE, ROOMS, THINGS)

    def ask() -> None:
        if world.moves:
            person, (number, place) = _somebody(world)
            there = place if rng.random() < 0.5 else pick(rng, [other for other in ROOMS if other != place])
            world.told.ask(f"Is {person} in the {there}", "yes" if there == place else "no", (number,))

    return in_turn(world.told, lambda: world.happen(0.68), ask)


def counting(rng: np.random.Generator) -> Story | None:
    """Kind 7: how many things does a person carry?"""
    world = World(rng, PEOPLE, ROOMS, THINGS)

    def ask() -> None:
        if known := _carriers(world):
            person = recent(rng, known)
            supports = sorted(number for numbers in _had(world, person).values() for number in numbers)
            world.told.ask(f"How many objects is {person} carrying", NUMBERS[len(world.holds[person])], supports)

    return in_turn(world.told, lambda: world.happen(0.55, 0.15), ask)


def lists(rng: np.random.Generator) -> Story | None:
    """Kind 8: what does a person carry? In the order in which they first had each."""
    world = World(rng, PEOPLE, ROOMS, THINGS)

    def ask() -> None:
        if known := _carriers(world):
            person = recent(rng, known)
            had = _had(world, person)
            held = [thing for thing in had if thing in world.holds[person]]
            supports = [number for thing in (held or had) for number in had[thing]]
            world.told.ask(f"What is {person} carrying", ",".join(held) or "nothing", supports)

    return in_turn(world.told, lambda: world.happen(0.63), ask)


def _somebody(world: World) -> tuple[str, tuple[int, str]]:
    """Somebody of whom a move was told, most often the last, and that person's last move."""
    by_time = sorted(world.moves, key=lambda person: world.moves[person][-1][0])
    person = recent(world.rng, by_time)
    return person, world.moves[person][-1]


def _touched(world: World) -> list[str]:
    """The things of which something was told, that of which it was told last behind."""
    return sorted(world.events, key=lambda thing: world.events[thing][-1].number)


def _carriers(world: World) -> list[str]:
    """The people who had something, the last of them behind."""
    by_person = {
        person: event.number
        for thing in _touched(world)
        for event in world.events[thing]
        for person in (event.who, event.whom)
        if person
    }
    return sorted(by_person, key=by_person.__getitem__)


def _had(world: World, person: str) -> dict[str, list[int]]:
    """Thing -> the sentences that say that a person got or lost it, in the order in which each came first."""
    found: dict[str, list[int]] = {}
    for event, thing in sorted(
        ((e, t) for t, events in world.events.items() for e in events), key=lambda p: p[0].number
    ):
        if person in (event.who, event.whom):
            found.setdefault(thing, []).append(event.number)
    return found


def _spans(world: World, thing: str) -> list[tuple[str, Event, int]]:
    """(holder, event that began it, sentence that ended it) for each time that somebody held a thing."""
    events, end = world.events[thing], len(world.told.sentences)
    found = []
    for at, event in enumerate(events):
        if event.what != "drop":
            until = events[at + 1].number if at + 1 < len(events) else end
            found.append((event.whom or event.who, event, until))
    return found


def _way(world: World, thing: str) -> list[tuple[int, str, int]]:
    """(sentence of the move, place, sentence of the taking) for each place to which a thing is known to have come."""
    found: list[tuple[int, str, int]] = []
    for holder, event, until in _spans(world, thing):
        before = [move for move in world.moves.get(holder, []) if move[0] < event.number][-1:]
        during = [move for move in world.moves.get(holder, []) if event.number < move[0] < until]
        for number, place in (*before, *during):
            if not found or found[-1][1] != place:
                found.append((number, place, event.number))
    return found


def _unsure(world: World, thing: str) -> bool:
    """Whether some holder's place at the taking was never told: then the way has a hole."""
    return any(
        not [m for m in world.moves.get(who, []) if m[0] < event.number] for who, event, _ in _spans(world, thing)[1:]
    )


def _stops(world: World, thing: str) -> list[tuple[int, str]]:
    """The moves of the last holder until now, or until the thing was dropped."""
    holder, _, until = _spans(world, thing)[-1]
    return [move for move in world.moves.get(holder, []) if move[0] < until]
