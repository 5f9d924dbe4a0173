"""Where things lie to each other: rooms on a map of the compass, ways between them, and shapes on a sheet."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

COMPASS = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
SHEET = {
    ("above",): (0, 1),
    ("below",): (0, -1),
    ("to", "the", "right", "of"): (1, 0),
    ("to", "the", "left", "of"): (-1, 0),
}

Fact = tuple[str, tuple[int, int], str]  # the first thing lies by that step from the second


def room_facts(sentences: Sequence[Sequence[str]]) -> list[Fact]:
    """Of ``the office is east of the hallway`` each: (office, (1, 0), hallway)."""
    found = []
    for said in sentences:
        match tuple(said):
            case ("the", one, "is", direction, "of", "the", other) if direction in COMPASS:
                found.append((one, COMPASS[direction], other))
    return found


def neighbour(sentences: Sequence[Sequence[str]], asked: Sequence[str]) -> str | None:
    """``what is north of the kitchen`` and ``what is the garden east of``."""
    facts = room_facts(sentences)
    match tuple(asked):
        case ("what", "is", direction, "of", "the", room) if direction in COMPASS:
            found = [one for one, step, other in facts if (step, other) == (COMPASS[direction], room)]
            found += [other for one, step, other in facts if (_back(step), one) == (COMPASS[direction], room)]
        case ("what", "is", "the", room, direction, "of") if direction in COMPASS:
            found = [other for one, step, other in facts if (one, step) == (room, COMPASS[direction])]
            found += [one for one, step, other in facts if (other, _back(step)) == (room, COMPASS[direction])]
        case _:
            return None
    return found[-1] if found else None


def way(sentences: Sequence[Sequence[str]], asked: Sequence[str]) -> str | None:
    """The shortest way from room to room, by breadth first search: ``s,e``; None if there is none, or more than one."""
    match tuple(asked):
        case ("how", "do", "you", "go", "from", "the", start, "to", "the", goal):
            pass
        case _:
            return None
    doors: dict[str, list[tuple[str, str]]] = {}
    letters = {step: direction[0] for direction, step in COMPASS.items()}
    for one, step, other in room_facts(sentences):  # from the other one goes by that step to the first
        doors.setdefault(other, []).append((letters[step], one))
        doors.setdefault(one, []).append((letters[_back(step)], other))
    waiting, found = deque([(start, ())]), []
    seen = {start: 0}
    while waiting:
        room, path = waiting.popleft()
        if found and len(path) >= len(found[0]):
            break
        for letter, beyond in doors.get(room, ()):
            if beyond == goal:
                found.append((*path, letter))
            elif seen.get(beyond, len(path) + 1) >= len(path) + 1:
                seen[beyond] = len(path) + 1
                waiting.append((beyond, (*path, letter)))
    different = {path for path in found if len(path) == len(found[0])}
    return ",".join(different.pop()) if len(different) == 1 else None


def beside(sentences: Sequence[Sequence[str]], asked: Sequence[str]) -> str | None:
    """``is the red square above the triangle``: by coordinates, each sentence being one step of one.

    None if the shapes are not tied to each other.
    """
    if tuple(asked[:1]) != ("is",):
        return None
    wanted = _sheet_fact(("the", *_after_is(asked)))
    facts = [fact for fact in map(_sheet_fact, sentences) if fact is not None]
    if wanted is None:
        return None
    one, step, other = wanted
    places = {other: (0, 0)}
    for _ in facts:
        for first, (across, up), second in facts:
            if second in places and first not in places:
                places[first] = (places[second][0] + across, places[second][1] + up)
            elif first in places and second not in places:
                places[second] = (places[first][0] - across, places[first][1] - up)
    if one not in places:
        return None
    return "yes" if places[one][0] * step[0] + places[one][1] * step[1] > 0 else "no"


def _after_is(asked: Sequence[str]) -> tuple[str, ...]:
    """``is the A above the B`` as the sentence ``A is above the B``."""
    rest = tuple(asked)[2:]
    for words in SHEET:
        for at in range(len(rest)):
            if rest[at : at + len(words)] == words:
                return (*rest[:at], "is", *rest[at:])
    return rest


def _sheet_fact(said: Sequence[str]) -> Fact | None:
    said = tuple(said)
    if said[:1] != ("the",) or "is" not in said:
        return None
    at = said.index("is")
    for words, step in SHEET.items():
        end = at + 1 + len(words)
        if said[at + 1 : end] == words and said[end : end + 1] == ("the",):
            return " ".join(said[1:at]), step, " ".join(said[end + 1 :])
    return None


def _back(step: tuple[int, int]) -> tuple[int, int]:
    return -step[0], -step[1]
