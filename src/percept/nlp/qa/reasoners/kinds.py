"""What follows from kinds, sizes and wishes: deduction, induction, what fits into what, why somebody went somewhere."""

from __future__ import annotations

from collections.abc import Sequence

ONE_OF = {"mice": "mouse", "wolves": "wolf", "cats": "cat", "sheep": "sheep"}
GOAL = {"hungry": "kitchen", "thirsty": "kitchen", "tired": "bedroom", "bored": "garden"}


def fear(sentences: Sequence[Sequence[str]], asked: Sequence[str]) -> str | None:
    """``what is gertrude afraid of``: of what her kind is afraid of."""
    match tuple(asked):
        case ("what", "is", name, "afraid", "of"):
            pass
        case _:
            return None
    kind, afraid = None, {}
    for said in sentences:
        match tuple(said):
            case (one, "is", "a", animal) if one == name:
                kind = animal
            case (many, "are", "afraid", "of", others):
                afraid[ONE_OF.get(many, many)] = ONE_OF.get(others, others)
    return afraid.get(kind) if kind else None


def colour(sentences: Sequence[Sequence[str]], asked: Sequence[str]) -> str | None:
    """``what color is greg``: that of another of his kind; of several, of the one whose kind was said last."""
    match tuple(asked):
        case ("what", "color", "is", name):
            pass
        case _:
            return None
    kinds: dict[str, str] = {}
    colours: dict[str, str] = {}
    for said in sentences:
        match tuple(said):
            case (one, "is", "a", animal):
                kinds.pop(one, None)  # said again: now the last
                kinds[one] = animal
            case (one, "is", seen):
                colours[one] = seen
    alike = [one for one, kind in kinds.items() if kind == kinds.get(name) and one in colours]
    return colours.get(name) or (colours[alike[-1]] if alike else None)


def size(sentences: Sequence[Sequence[str]], asked: Sequence[str]) -> str | None:
    """``does the box fit in the chest``, ``is the chest bigger than the box``: by all that is bigger than what is."""
    bigger: dict[str, set[str]] = {}
    for said in sentences:
        pair = _pair(said, ("is", "bigger", "than"), ("fits", "inside"))
        if pair is not None:
            bigger.setdefault(pair[0], set()).add(pair[1])
    asked = tuple(asked)
    if asked[:2] == ("does", "the") and "fit" in asked:
        at = asked.index("fit")
        small, big = " ".join(asked[2:at]), " ".join(asked[at + 3 :])
    elif asked[:2] == ("is", "the") and "bigger" in asked:
        at = asked.index("bigger")
        big, small = " ".join(asked[2:at]), " ".join(asked[at + 3 :])
    else:
        return None
    if small in _below(bigger, big):
        return "yes"
    return "no" if big in _below(bigger, small) else None


def _pair(said: Sequence[str], bigger: tuple[str, ...], smaller: tuple[str, ...]) -> tuple[str, str] | None:
    """(bigger, smaller) of a sentence."""
    said = tuple(said)
    for words, swap in ((bigger, False), (smaller, True)):
        for at in range(1, len(said) - len(words)):
            if said[0] == "the" and said[at : at + len(words)] == words:
                one, other = " ".join(said[1:at]), " ".join(said[at + len(words) + 1 :])
                return (other, one) if swap else (one, other)
    return None


def _below(bigger: dict[str, set[str]], top: str) -> set[str]:
    """All that is smaller than ``top``, over any number of steps."""
    seen: set[str] = set()
    waiting = [top]
    while waiting:
        for smaller in bigger.get(waiting.pop(), ()):
            if smaller not in seen:
                seen.add(smaller)
                waiting.append(smaller)
    return seen


def motive(sentences: Sequence[Sequence[str]], asked: Sequence[str]) -> str | None:
    """``where will yann go``, ``why did yann go to the garden``, ``why did yann get the football``."""
    asked = tuple(asked)
    match asked:
        case ("where", "will", name, "go"):
            pass
        case ("why", "did", name, "go" | "get", *_):
            pass
        case _:
            return None
    feels = None
    for said in sentences:
        match tuple(said):
            case (one, "is", feeling) if one == name and feeling in GOAL:
                feels = feeling
    if feels is None:
        return None
    return GOAL[feels] if asked[0] == "where" else feels
