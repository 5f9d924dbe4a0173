"""The alignment of two sequences with the fewest edits (Levenshtein 1966), row by row in numpy, in exact numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

EDIT = 1 << 44  # the cost of one edit; what else adds to the cost of an alignment stays below it
TICKS = 10_000  # in a second: differences of times are counted in tenths of a millisecond
PAIRED, DELETED, INSERTED = 0, 1, 2


def aligned(
    reference: Sequence[Hashable],
    answer: Sequence[Hashable],
    times: Sequence[float] = (),
    found: Sequence[float] = (),
) -> list[tuple[int, int]]:
    """Pairs of places (in reference, in answer), -1 where the other has none, in order.

    Of all alignments with the fewest substitutions, deletions and insertions, the one with the most labels right; of
    those, the one whose pairs lie nearest in time where ``times`` and ``found`` tell when each begins (seconds).

    >>> aligned("abc", "axcd")
    [(0, 0), (1, 1), (2, 2), (-1, 3)]
    """
    n, m = len(reference), len(answer)
    codes: dict[Hashable, int] = {}
    mine = np.array([codes.setdefault(label, len(codes)) for label in reference], np.int64)  # (N,)
    theirs = np.array([codes.setdefault(label, len(codes)) for label in answer], np.int64)  # (M,)
    when, then = _ticks(times, n), _ticks(found, m)
    wrong = EDIT // (2 * min(n, m) + 2)  # of two alignments with as many edits, fewer substitutions are better
    most = wrong // (min(n, m) + 1)
    moves = np.empty((n + 1, m + 1), np.uint8)
    moves[0], moves[:, 0] = INSERTED, DELETED
    ahead = EDIT * np.arange(m + 1, dtype=np.int64)  # (M + 1,) what so many insertions cost
    row = ahead.copy()  # (M + 1,) the cost of reference[:i] against answer[:j]
    for i in range(n):
        pair = (
            row[:-1] + np.where(theirs == mine[i], 0, EDIT + wrong) + np.minimum(np.abs(then - when[i]), most)
        )  # (M,)
        gone = row[1:] + EDIT
        before = np.minimum(pair, gone)
        moves[i + 1, 1:] = np.where(pair <= gone, PAIRED, DELETED)
        row = np.concatenate(([row[0] + EDIT], before))  # (M + 1,)
        row = np.minimum.accumulate(row - ahead) + ahead  # an insertion after any of those to the left
        moves[i + 1, 1:][row[1:] < before] = INSERTED
    pairs = []
    while n or m:
        move = moves[n, m]
        n, m = n - (move != INSERTED), m - (move != DELETED)
        pairs.append((n if move != INSERTED else -1, m if move != DELETED else -1))
    return [(int(i), int(j)) for i, j in reversed(pairs)]


def _ticks(times: Sequence[float], count: int) -> np.ndarray:
    """(count,) int64; zeros where no times are given."""
    if not len(times):
        return np.zeros(count, np.int64)
    if len(times) != count:
        raise ValueError(f"{len(times)} times for {count} labels")
    return np.rint(np.asarray(times, float) * TICKS).astype(np.int64)
