"""Kinds 4 and 15 to 20: relations of rooms, kinds, shapes and sizes, ways on a map, and why somebody went somewhere."""

from __future__ import annotations

from collections import deque

import numpy as np

from percept.nlp.qa.simulator.world import GO, ROOMS, TAKE, Telling, pick
from percept.nlp.qa.story import Story

COMPASS = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}
ANIMALS = {"mouse": "mice", "wolf": "wolves", "cat": "cats", "sheep": "sheep"}
FEARFUL = ("Gertrude", "Winona", "Emily", "Jessica")
COLOURED = ("Lily", "Bernhard", "Brian", "Julius", "Greg")
BEASTS = ("frog", "lion", "swan", "rhino")
COLOURS = ("green", "white", "gray", "yellow")
SHAPES = ("triangle", "pink rectangle", "blue square", "red sphere", "yellow square", "red square")
SHEET = {"above": (0, 1), "below": (0, -1), "to the right of": (1, 0), "to the left of": (-1, 0)}
LARGE = ("box", "chest", "suitcase", "container")
WISHES = {
    "hungry": ("kitchen", "apple"),
    "thirsty": ("kitchen", "milk"),
    "tired": ("bedroom", "pajamas"),
    "bored": ("garden", "football"),
}
WISHFUL = ("Sumit", "Yann", "Jason", "Antoine")


def two_arguments(rng: np.random.Generator) -> Story | None:
    """Kind 4: what is north of a room, what is a room north of?"""
    told = Telling()
    rooms = [ROOMS[at] for at in rng.permutation(len(ROOMS))[:3]]
    axis = pick(rng, (("north", "south"), ("east", "west")))
    lower, upper = rooms[:2], rooms[1:]  # in a row: each pair's second lies in the first direction of the axis
    for low, high in (
        ((lower[0], lower[1]), (upper[0], upper[1]))
        if rng.random() < 0.5
        else ((upper[0], upper[1]), (lower[0], lower[1]))
    ):
        if rng.random() < 0.5:
            told.tell(f"the {high} is {axis[0]} of the {low}")
        else:
            told.tell(f"the {low} is {axis[1]} of the {high}")
    middle, beyond, towards = rooms[1], *((rooms[2], axis[0]) if rng.random() < 0.5 else (rooms[0], axis[1]))
    support = next(number for number, said in enumerate(told.sentences) if beyond in said.lower())
    if rng.random() < 0.5:
        told.ask(f"What is {towards} of the {middle}", beyond, (support,))
    else:
        told.ask(f"What is the {middle} {OPPOSITE[towards]} of", beyond, (support,))
    return told.story()


def deduction(rng: np.random.Generator) -> Story | None:
    """Kind 15: what is somebody afraid of whose kind is afraid of another?"""
    told = Telling()
    animals = list(ANIMALS)
    fears = {animal: pick(rng, [other for other in animals if other != animal]) for animal in animals}
    kinds = {name: pick(rng, animals) for name in FEARFUL}
    facts = [(animal, f"{ANIMALS[animal]} are afraid of {ANIMALS[other]}") for animal, other in fears.items()]
    facts += [(name, f"{name} is a {animal}") for name, animal in kinds.items()]
    number = {facts[at][0]: told.tell(facts[at][1]) for at in rng.permutation(len(facts))}
    for _ in range(4):
        name = pick(rng, FEARFUL)
        told.ask(f"What is {name.lower()} afraid of", fears[kinds[name]], (number[name], number[kinds[name]]))
    return told.story()


def induction(rng: np.random.Generator) -> Story | None:
    """Kind 16: what colour is somebody of whose kind another is known? Of several, the one whose kind came last."""
    told = Telling()
    names = [COLOURED[at] for at in rng.permutation(len(COLOURED))]
    kinds = {name: pick(rng, BEASTS) for name in names}
    asked = names[-1]
    alike = [name for name in names[:-1] if kinds[name] == kinds[asked]]
    if len(alike) in (0, 2):
        return None
    of_kind = {beast: pick(rng, COLOURS) for beast in BEASTS}
    colours = {name: of_kind[kinds[name]] if rng.random() < 0.6 else pick(rng, COLOURS) for name in names}
    facts = [(name, part) for name in names[:-1] for part in ("kind", "colour")]
    slots = sorted(range(9), key=lambda _: rng.random())
    places = dict(zip(facts, slots, strict=False))  # the ninth is kept for whom is asked of
    for name in names[:-1]:  # nobody's colour comes before their kind
        first, second = sorted((places[name, "kind"], places[name, "colour"]))
        places[name, "kind"], places[name, "colour"] = first, second
    places[asked, "kind"] = slots[8]
    number = {}
    for name, part in sorted(places, key=places.__getitem__):
        number[name, part] = told.tell(f"{name} is a {kinds[name]}" if part == "kind" else f"{name} is {colours[name]}")
    like = max(alike, key=lambda name: number[name, "kind"])
    told.ask(
        f"What color is {asked}", colours[like], (number[asked, "kind"], number[like, "kind"], number[like, "colour"])
    )
    return told.story()


def positions(rng: np.random.Generator, steps: int = 2) -> Story | None:
    """Kind 17: is one shape above, below, to the right or left of another, both tied to a third?

    steps: 1 asks of the two shapes of one sentence.
    """
    told = Telling()
    one, middle, other = (SHAPES[at] for at in rng.permutation(len(SHAPES))[:3])
    moves = list(SHEET.values())
    first, second = pick(rng, moves), pick(rng, moves)
    if first == second:
        return None
    place = {one: first, other: second, middle: (0, 0)}
    number = {end: told.tell(_beside(rng, place, end, middle)) for end in (one, other)[:steps]}
    if steps == 1:
        other, number[middle] = middle, number[one]
    for _ in range(8):
        near, far = (one, other) if rng.random() < 0.5 else (other, one)
        across, up = place[near][0] - place[far][0], place[near][1] - place[far][1]
        along = {words: x * across + y * up for words, (x, y) in SHEET.items()}
        right = [words for words in SHEET if along[words] > 0]
        wrong = [words for words in SHEET if along[words] <= 0]
        if steps == 1:
            wrong += 2 * [words for words in SHEET if along[words] < 0]  # which way round is the lesson
        yes = rng.random() < 0.5
        words = pick(rng, right if yes else wrong)
        told.ask(f"Is the {near} {words} the {far}", "yes" if yes else "no", (number[near], number[far])[:steps])
    return told.story()


def _beside(rng: np.random.Generator, place: dict[str, tuple[int, int]], one: str, other: str) -> str:
    """How two shapes lie to each other, said from one or from the other."""
    if rng.random() < 0.5:
        one, other = other, one
    step = place[one][0] - place[other][0], place[one][1] - place[other][1]
    words = next(words for words, known in SHEET.items() if known == step)
    return f"the {one} is {words} the {other}"


def sizes(rng: np.random.Generator, steps: int = 2) -> Story | None:
    """Kind 18: does one thing fit into another, is it bigger, by two steps, or by one?"""
    told = Telling()
    order = ["chocolate", "box of chocolates", *(LARGE[at] for at in rng.permutation(len(LARGE)))]  # the smallest first
    for _ in range(5 if rng.random() < 0.8 else 10):
        small, big = sorted(int(at) for at in rng.permutation(len(order))[:2])
        if rng.random() < 0.5:
            told.tell(f"the {order[big]} is bigger than the {order[small]}")
        else:
            told.tell(f"the {order[small]} fits inside the {order[big]}")
    pairs = [_pair_of(said, order) for said in told.sentences]
    ways = [
        (small, big, (at, to))
        for at, (small, middle) in enumerate(pairs)
        for to, (again, big) in enumerate(pairs)
        if again == middle
    ]
    if steps == 1:
        ways = [(small, big, (at,)) for at, (small, big) in enumerate(pairs)]
    if not ways:
        return None
    for _ in range(5):
        small, big, supports = pick(rng, ways)
        yes = rng.random() < 0.5
        one, other = (small, big) if yes else (big, small)
        fits = f"Does the {one} fit in the {other}"
        told.ask(
            fits if rng.random() < 0.5 else f"Is the {other} bigger than the {one}", "yes" if yes else "no", supports
        )
    return told.story()


def _pair_of(said: str, order: list[str]) -> tuple[str, str]:
    """(smaller, bigger) of a sentence about two of them."""
    left, right = (
        said[4:-1].split(" is bigger than the ") if "bigger" in said else said[4:-1].split(" fits inside the ")
    )
    small, big = sorted((left, right), key=order.index)
    return small, big


def ways(rng: np.random.Generator, steps: int = 2) -> Story | None:
    """Kind 19: which two steps, or which step, lead from one room to another?"""
    told = Telling()
    rooms = [ROOMS[at] for at in rng.permutation(len(ROOMS))]
    place = {rooms[0]: (0, 0)}
    links: list[tuple[str, str, str]] = []  # (room, direction, from room)
    for room in rooms[1:]:
        near = pick(rng, list(place))
        free = [
            (direction, spot)
            for direction, (x, y) in COMPASS.items()
            if (spot := (place[near][0] + x, place[near][1] + y)) not in place.values()
        ]
        if not free:
            return None
        direction, place[room] = pick(rng, free)
        links.append((room, direction, near))
    doors: dict[str, list[tuple[str, str, int]]] = {room: [] for room in rooms}
    for at in rng.permutation(len(links)):
        room, direction, near = links[at]
        said = (room, direction, near) if rng.random() < 0.5 else (near, OPPOSITE[direction], room)
        number = told.tell(f"the {said[0]} is {said[1]} of the {said[2]}")
        doors[near].append((room, direction[0], number))
        doors[room].append((near, OPPOSITE[direction][0], number))
    found = [way for room in rooms for way in _ways_from(room, doors, steps)]
    if not found:
        return None
    start, goal, letters, supports = pick(rng, found)
    told.ask(f"How do you go from the {start} to the {goal}", ",".join(letters), supports)
    return told.story()


def _ways_from(
    start: str, doors: dict[str, list[tuple[str, str, int]]], steps: int
) -> list[tuple[str, str, tuple[str, ...], tuple[int, ...]]]:
    """All ways of so many steps from a room: (start, goal, letters, sentences). The rooms hang together as a tree."""
    found = []
    waiting = deque([(start, (), (), (start,))])
    while waiting:
        room, letters, numbers, passed = waiting.popleft()
        for beyond, letter, number in doors[room]:
            if beyond in passed:
                continue
            way = (beyond, (*letters, letter), (*numbers, number), (*passed, beyond))
            if len(way[1]) == steps:
                found.append((start, beyond, way[1], way[2]))
            else:
                waiting.append(way)
    return found


def motives(rng: np.random.Generator) -> Story | None:
    """Kind 20: where will somebody go who is tired, and why did they go there and get something?"""
    told = Telling()
    scripts = []
    for at in rng.permutation(len(WISHFUL)):
        scripts.append([WISHFUL[at], pick(rng, list(WISHES)), 0, 0])
    while scripts:
        script = pick(rng, scripts)
        name, wish, stage, number = script
        place, thing = WISHES[wish]
        low = name.lower()
        if stage == 0:
            script[3] = told.tell(f"{name} is {wish}")
            told.ask(f"Where will {low} go", place, (script[3],))
        elif stage == 1:
            told.tell(f"{name} {pick(rng, GO)} the {place}")
            told.ask(f"Why did {low} go to the {place}", wish, (number,))
        else:
            told.tell(f"{name} {pick(rng, TAKE)} the {thing} there")
            told.ask(f"Why did {low} get the {thing}", wish, (number,))
        script[2] += 1
        taken = any(other[1] == wish and other[2] > 2 for other in scripts if other is not script)
        if script[2] > 2 or (script[2] == 2 and (taken or _gone(told, thing))):
            scripts.remove(script)
    return told.story()


def _gone(told: Telling, thing: str) -> bool:
    """Whether somebody has got a thing already: there is one of each."""
    return any(said.endswith(f"the {thing} there.") for said in told.sentences)
