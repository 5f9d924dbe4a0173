"""Who is where, who has what: people that move, pick things up, put them down and hand them on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

GOING = {("went", "to"), ("went", "back", "to"), ("moved", "to"), ("journeyed", "to"), ("travelled", "to")}
TAKING = {("took",), ("got",), ("grabbed",), ("picked", "up")}
DROPPING = {("dropped",), ("discarded",), ("left",), ("put", "down")}
GIVING = {"gave", "handed", "passed"}
LINKS = ({"after", "that"}, {"following", "that"}, {"afterwards"}, {"then"})  # of two sentences
PRONOUNS = {"he", "she", "they"}
TIMES = {("yesterday",): 0, ("this", "morning"): 1, ("this", "afternoon"): 2, ("this", "evening"): 3}
NUMBERS = ("none", "one", "two", "three", "four", "five", "six")


@dataclass
class World:
    """What is known after some sentences.

    where: person -> the places where they may be; one if it is certain. nowhere: person -> where they are not.
    way: person -> the places where they were, in time. times: person -> (time of the day, place).
    holds: person -> things that they have; had: person -> all things that they ever had, in the order of the first
    time, which is the order of the published answers. lies: thing -> the places where it was, in time.
    gifts: (giver, thing, receiver). last: who the last sentence spoke of.
    """

    where: dict[str, tuple[str, ...]] = field(default_factory=dict)
    nowhere: dict[str, set[str]] = field(default_factory=dict)
    way: dict[str, list[str]] = field(default_factory=dict)
    times: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    holds: dict[str, list[str]] = field(default_factory=dict)
    had: dict[str, list[str]] = field(default_factory=dict)
    lies: dict[str, list[str]] = field(default_factory=dict)
    gifts: list[tuple[str, str, str]] = field(default_factory=list)
    last: tuple[str, ...] = ()


def follow(sentences: Sequence[Sequence[str]]) -> World:
    """The world after all sentences, each given by its words; sentences of another world change nothing."""
    world = World()
    for sentence in sentences:
        tell(world, tuple(sentence))
    return world


def tell(world: World, said: tuple[str, ...]) -> None:
    """Change the world by one sentence."""
    for link in LINKS:
        if len(said) > len(link) and set(said[: len(link)]) == link:
            said = said[len(link) :]
    time, said = _time(said)
    who, rest = _who(world, said)
    rest = rest[:-1] if rest[-1:] == ("there",) else rest
    if not who or "the" not in rest:
        return
    at = rest.index("the")
    doing, things = rest[:at], rest[at + 1 :]
    if doing in GOING and len(things) == 1:
        for person in who:
            if time is not None:
                world.times.setdefault(person, []).append((time, things[0]))
            _go(world, person, (things[0],))
    elif doing in TAKING and len(things) == 1:
        for others in world.holds.values():
            if things[0] in others:
                others.remove(things[0])
        _hold(world, who[0], things[0])
        _move(world, things[0], world.where.get(who[0], ()))
    elif doing in DROPPING and len(things) == 1 and things[0] in world.holds.get(who[0], ()):
        world.holds[who[0]].remove(things[0])
    elif len(doing) == 1 and doing[0] in GIVING and len(things) == 3 and things[1] == "to":
        _give(world, who[0], things[0], things[2])
    elif doing == ("is", "in"):
        _go(world, who[0], (things[0],))
    elif doing in (("is", "not", "in"), ("is", "no", "longer", "in")):
        world.where.pop(who[0], None)
        world.nowhere[who[0]] = {things[0]}
    elif doing == ("is", "either", "in") and things[1:3] == ("or", "the") and len(things) == 4:
        _go(world, who[0], (things[0], things[3]))
    world.last = who


def _time(said: tuple[str, ...]) -> tuple[int | None, tuple[str, ...]]:
    """The time of the day that a sentence begins or ends with, and the rest of it."""
    for name, number in TIMES.items():
        if said[: len(name)] == name:
            return number, said[len(name) :]
        if said[-len(name) :] == name:
            return number, said[: -len(name)]
    return None, said


def _who(world: World, said: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if said[:1] and said[0] in PRONOUNS:
        return world.last, said[1:]
    if said[1:2] == ("and",):
        return (said[0], said[2]), said[3:]
    return said[:1], said[1:]


def _go(world: World, person: str, places: tuple[str, ...]) -> None:
    world.where[person] = places
    world.nowhere.pop(person, None)
    if len(places) == 1:
        world.way.setdefault(person, []).append(places[0])
    for thing in world.holds.get(person, ()):
        _move(world, thing, places)


def _hold(world: World, person: str, thing: str) -> None:
    world.holds.setdefault(person, []).append(thing)
    if thing not in world.had.setdefault(person, []):
        world.had[person].append(thing)


def _move(world: World, thing: str, places: tuple[str, ...]) -> None:
    way = world.lies.setdefault(thing, [])
    if len(places) == 1 and way[-1:] != list(places):
        way.append(places[0])


def _give(world: World, giver: str, thing: str, receiver: str) -> None:
    world.gifts.append((giver, thing, receiver))
    if thing in world.holds.get(giver, ()):
        world.holds[giver].remove(thing)
    _hold(world, receiver, thing)
    _move(world, thing, world.where.get(receiver, ()))


def answer(world: World, asked: Sequence[str]) -> str | None:
    """What the world says to a question, given by its words; None where it does not decide, or is of another kind."""
    asked = tuple(asked)
    match asked:
        case ("where", "is", "the", thing):
            return _latest(world.lies.get(thing, []))
        case ("where", "was", "the", thing, "before", "the", place):
            return _before(world.lies.get(thing, []), place)
        case ("where", "was", person, "before", "the", place):
            return _before([there for _, there in sorted(world.times.get(person, []), key=lambda one: one[0])], place)
        case ("where", "is", person):
            places = world.where.get(person, ())
            return places[0] if len(places) == 1 else None
        case ("is", person, "in", "the", place):
            return _is_there(world, person, place)
        case ("how", "many", "objects", "is", person, "carrying"):
            return NUMBERS[len(world.holds.get(person, ()))]
        case ("what", "is", person, "carrying"):
            holds = world.holds.get(person, ())
            return ",".join(thing for thing in world.had.get(person, ()) if thing in holds) or "nothing"
        case ("who", "gave", "the", thing):
            return _latest([giver for giver, given, _ in world.gifts if given == thing])
        case ("who", "received", "the", thing):
            return _latest([receiver for _, given, receiver in world.gifts if given == thing])
        case ("who", "gave", "the", thing, "to", person):
            return _latest([giver for giver, *rest in world.gifts if rest == [thing, person]])
        case ("who", "did", person, "give", "the", thing, "to"):
            return _latest([receiver for giver, given, receiver in world.gifts if (giver, given) == (person, thing)])
        case ("what", "did", giver, "give", "to", receiver):
            given = {thing for one, thing, other in world.gifts if (one, other) == (giver, receiver)}
            return given.pop() if len(given) == 1 else None  # of several the published files mean now this, now that
    return None


def _latest(found: list[str]) -> str | None:
    return found[-1] if found else None


def _before(way: list[str], place: str) -> str | None:
    """Where somebody was before their last stay in a place."""
    last = max((at for at, there in enumerate(way) if there == place), default=0)
    return way[last - 1] if last else None


def _is_there(world: World, person: str, place: str) -> str | None:
    if person in world.where:
        places = world.where[person]
        return "no" if place not in places else "yes" if len(places) == 1 else "maybe"
    return "no" if place in world.nowhere.get(person, ()) else None
