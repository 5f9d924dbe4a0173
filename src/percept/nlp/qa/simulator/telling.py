"""Kinds 9 to 14: what is denied or uncertain, said of "she" and "they", of two together, or of another time."""

from __future__ import annotations

import numpy as np

from percept.nlp.qa.simulator.world import GO, PEOPLE, ROOMS, TOWN, VISITORS, Telling, in_turn, pick, recent
from percept.nlp.qa.story import Story

PRONOUN = {"Mary": "she", "Sandra": "she", "John": "he", "Daniel": "he"}
LINKS = ("After that", "Following that", "Afterwards", "Then")
DAY = ("yesterday", "this morning", "this afternoon", "this evening")

Known = dict[str, tuple[int, tuple[str, ...], bool]]  # person -> sentence, places, whether they are there


def negation(rng: np.random.Generator) -> Story | None:
    """Kind 9: is a person in a place, where it may have been said that they are not?"""
    told, known = Telling(), {}

    def happen() -> None:
        person = pick(rng, PEOPLE)
        chance = rng.random()
        if chance < 0.27:
            before = known.get(person)
            place = before[1][0] if before else pick(rng, ROOMS)
            number = told.tell(f"{person} {pick(rng, ('is no longer in', 'is not in'))} the {place}")
            known[person] = (number, (place,), False)
        else:
            _be_or_go(rng, told, known, person, ROOMS, chance < 0.53)

    return in_turn(told, happen, lambda: _is_there(rng, told, known, ROOMS, yes=0.45))


def uncertain(rng: np.random.Generator) -> Story | None:
    """Kind 10: is a person in a place: yes, no, or maybe?"""
    told, known = Telling(), {}

    def happen() -> None:
        person = pick(rng, VISITORS)
        chance = rng.random()
        if chance < 0.25:
            places = tuple(TOWN[at] for at in rng.permutation(len(TOWN))[:2])
            number = told.tell(f"{person} is either in the {places[0]} or the {places[1]}")
            known[person] = (number, places, True)
        else:
            _be_or_go(rng, told, known, person, TOWN, chance < 0.5)

    return in_turn(told, happen, lambda: _is_there(rng, told, known, TOWN, yes=0.55))


def _be_or_go(
    rng: np.random.Generator, told: Telling, known: Known, person: str, places: tuple[str, ...], being: bool
) -> None:
    there = known[person][1] if person in known else ()
    place = pick(rng, [place for place in places if place not in there])
    number = told.tell(f"{person} {'is in' if being else pick(rng, GO)} the {place}")
    known[person] = (number, (place,), True)


def _is_there(rng: np.random.Generator, told: Telling, known: Known, rooms: tuple[str, ...], yes: float) -> None:
    person = recent(rng, sorted(known, key=lambda one: known[one][0]))
    number, places, there = known[person]
    if not there:
        told.ask(f"Is {person} in the {places[0]}", "no", (number,))
        return
    place = pick(rng, places if rng.random() < yes else [place for place in rooms if place not in places])
    answer = "no" if place not in places else "yes" if len(places) == 1 else "maybe"
    told.ask(f"Is {person} in the {place}", answer, (number,))


def pronouns(rng: np.random.Generator) -> Story | None:
    """Kind 11: where is a person of whom the last sentence said "she" or "he"?"""
    told, known = Telling(), {}

    def ask() -> None:
        person = pick(rng, PEOPLE)
        first, second = _two_moves(rng, told, person, PRONOUN[person])
        known.pop(person, None)
        known[person] = (first[0], second[0], second[1])
        _where(rng, told, known)

    return in_turn(told, lambda: None, ask)


def together(rng: np.random.Generator) -> Story | None:
    """Kind 12: where is one of two people who went together?"""
    told, known = Telling(), {}

    def happen() -> None:
        pair = [PEOPLE[at] for at in rng.permutation(len(PEOPLE))[:2]]
        place = pick(rng, ROOMS)
        number = told.tell(f"{pair[0]} and {pair[1]} {pick(rng, GO)} the {place}")
        for person in pair:
            known.pop(person, None)
            known[person] = (number, place)

    return in_turn(told, happen, lambda: _where(rng, told, known))


def they(rng: np.random.Generator) -> Story | None:
    """Kind 13: where is one of two people of whom the last sentence said "they"?"""
    told, known = Telling(), {}

    def ask() -> None:
        pair = [PEOPLE[at] for at in rng.permutation(len(PEOPLE))[:2]]
        first, second = _two_moves(rng, told, " and ".join(pair), "they")
        for person in pair:
            known.pop(person, None)
            known[person] = (first[0], second[0], second[1])
        _where(rng, told, known)

    return in_turn(told, lambda: None, ask)


def _two_moves(rng: np.random.Generator, told: Telling, who: str, pronoun: str) -> tuple[tuple[int, str], ...]:
    places = [ROOMS[at] for at in rng.permutation(len(ROOMS))[:2]]
    first = told.tell(f"{who} {pick(rng, GO)} the {places[0]}")
    second = told.tell(f"{pick(rng, LINKS)} {pronoun} {pick(rng, GO)} the {places[1]}")
    return (first, places[0]), (second, places[1])


def _where(rng: np.random.Generator, told: Telling, known: dict[str, tuple]) -> None:
    person = recent(rng, list(known))
    *supports, place = known[person]
    told.ask(f"Where is {person}", place, supports)


def times(rng: np.random.Generator) -> Story | None:
    """Kind 14: where was a person before a place, told by the time of the day and in any order?"""
    told = Telling()
    day = {person: _day(rng) for person in VISITORS}
    known: dict[str, dict[int, int]] = {person: {} for person in VISITORS}  # person -> time -> sentence
    waiting = _order(rng)

    def happen() -> None:
        person, time = waiting.pop(0)
        move = f"{person} {pick(rng, GO)} the {day[person][time]}"
        sentence = f"{DAY[time]} {move}" if rng.random() < 0.5 else f"{move} {DAY[time]}"
        known[person][time] = told.tell(sentence)

    def ask() -> None:
        two = [
            (person, time)
            for person in VISITORS
            for time in known[person]
            if time - 1 in known[person] and day[person][time] not in day[person][time + 1 :]
        ]
        if two:
            two.sort(key=lambda pair: max(known[pair[0]][pair[1]], known[pair[0]][pair[1] - 1]))
            person, time = recent(rng, two)
            supports = (known[person][time], known[person][time - 1])
            told.ask(f"Where was {person} before the {day[person][time]}", day[person][time - 1], supports)

    return in_turn(told, happen, ask, most=len(waiting))


def _day(rng: np.random.Generator) -> list[str]:
    """A place for each time of the day, never the same twice on end."""
    places = [pick(rng, TOWN)]
    while len(places) < len(DAY):
        places.append(pick(rng, [place for place in TOWN if place != places[-1]]))
    return places


def _order(rng: np.random.Generator) -> list[tuple[str, int]]:
    """In which order it is told: of everybody the first half of the day before the second, else in any order."""
    turns = [person for at in rng.permutation(2 * len(VISITORS)) for person in (VISITORS[at // 2],)]
    pairs, half = [], dict.fromkeys(VISITORS, 0)
    for person in turns:
        pairs.append([(person, 2 * half[person] + int(at)) for at in rng.permutation(2)])
        half[person] += 1
    found: list[tuple[str, int]] = []
    while pairs:  # two neighbouring pairs are sometimes told mixed up
        now = pairs.pop(0)
        if pairs and pairs[0][0][0] != now[0][0] and rng.random() < 0.4:
            other = pairs.pop(0)
            mixed = [now[0], other[0], now[1], other[1]]
            found += [mixed[0], mixed[1], *([mixed[2], mixed[3]] if rng.random() < 0.5 else [mixed[3], mixed[2]])]
        else:
            found += now
    return found
