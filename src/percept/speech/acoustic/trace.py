"""Where the paths of a search come from, in memory that does not grow with the recording.

A row is something that happened on a path (a phone began, a word ended), with the row that happened before on the same
path; a live path is known by the last of its rows. Rows of paths that died are dropped now and then. What all live
paths share can no longer change: it is given out and forgotten, which answers as whole Viterbi would, only earlier.
"""

from __future__ import annotations

import numpy as np

from percept.core.kernels import kernel

BEFORE = 0  # column of the row before; -1 of the first


class Trace:
    """Rows of whole numbers, the first of which is the row before, each with some real numbers.

    Row 0 is where every path begins. Kernels write to ``rows`` (R, columns) int32, ``values`` (R, reals) float64 and
    raise ``count``; they may add as many rows as :meth:`room` has made room for.
    """

    def __init__(self, columns: int, reals: int, rows: int = 1 << 14) -> None:
        self.rows = np.zeros((rows, columns), np.int32)
        self.values = np.zeros((rows, reals), np.float64)
        self.rows[0] = -1
        self.count = 1

    def room(self, wanted: int, heads: np.ndarray) -> int:
        """How many rows may be added, at least ``wanted``: drops what is dead, and grows where that does not do.

        Args:
            heads: (H,) int32, the last row of each live path, numbered anew in place; -1 of none.
        """
        if len(self.rows) - self.count < wanted:
            self.count = compact(self.rows, self.values, self.count, heads)
            if len(self.rows) - self.count < max(wanted, len(self.rows) // 2):
                more = max(len(self.rows), wanted)
                self.rows = np.concatenate((self.rows, np.zeros((more, self.rows.shape[1]), np.int32)))
                self.values = np.concatenate((self.values, np.zeros((more, self.values.shape[1]))))
        return len(self.rows) - self.count

    def settle(self, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows and values, from row 0 on, that all live paths share; the last of them is row 0 from now on.

        Args:
            heads: as in :meth:`room`; at least one is live.
        """
        self.count = compact(self.rows, self.values, self.count, heads)
        last = shared(self.rows, self.count, heads)
        rows, values = self.rows[: last + 1].copy(), self.values[: last + 1].copy()
        self.count -= last
        self.rows[: self.count] = self.rows[last : last + self.count]
        self.values[: self.count] = self.values[last : last + self.count]
        self.rows[: self.count, BEFORE] -= last
        self.rows[0, BEFORE] = -1
        heads[heads >= 0] -= last
        return rows, values

    def astray(self, heads: np.ndarray, best: int, column: int, limit: int) -> np.ndarray:
        """(H,) bool: whether a path differs from that of row ``best`` in what it did up to ``limit``.

        Args:
            column: that holds the time of a row, which never falls along a path.
        """
        early = up_to(self.rows, self.count, column, limit)
        return early[heads] != early[best]

    def path(self, head: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and values from row 0 to ``head``."""
        numbers = []
        while head >= 0:
            numbers.append(head)
            head = int(self.rows[head, BEFORE])
        return self.rows[numbers[::-1]], self.values[numbers[::-1]]


@kernel
def compact(rows, values, count, heads):
    """Keep the rows that live paths have passed, in their order, and row 0; gives their number."""
    place = np.full(count, -1, np.int32)
    place[0] = 0
    for head in heads:
        while head >= 0 and place[head] < 0:
            place[head] = 0
            head = rows[head, 0]
    kept = 0
    for row in range(count):
        if place[row] < 0:
            continue
        place[row] = kept
        for c in range(rows.shape[1]):
            rows[kept, c] = rows[row, c]
        for c in range(values.shape[1]):
            values[kept, c] = values[row, c]
        if rows[kept, 0] >= 0:
            rows[kept, 0] = place[rows[kept, 0]]
        kept += 1
    for n in range(len(heads)):
        if heads[n] >= 0:
            heads[n] = place[heads[n]]
    return kept


@kernel
def shared(rows, count, heads):
    """The last row that all live paths have passed; rows must have been compacted."""
    further = np.zeros(count, np.int32)  # how many rows follow each; two at least where a path ends
    for row in range(1, count):
        further[rows[row, 0]] += 1
    for head in heads:
        if head >= 0:
            further[head] += 2
    last = 0
    while last < count - 1 and further[last] == 1:
        last += 1  # its only successor: all others descend from that one
    return last


@kernel
def up_to(rows, count, column, limit):
    """(count,) the last row on the way to each row, or itself, that happened at ``limit`` or before; 0 of none."""
    found = np.zeros(count, np.int32)
    for row in range(1, count):
        found[row] = row if rows[row, column] <= limit else found[rows[row, 0]]
    return found
