"""The numbers of the clean-up. A weight file's header holds its own, under ``matching``; ``--tune`` searches them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Settings:
    """Zbontar & LeCun 2016, section 4; the paper's names where it has one.

    gain: cost (of 255) of one unit of the network's measure. census: cost of one census bit that differs, added to the
    network's. before: how often the cost is aggregated; arm, tau: longest arm in pixels, and largest difference in
    deviations of the picture. p1, p2, q1, q2, v, threshold: penalties in units of the cost, their divisors, and the
    difference of grey (0 .. 255) that counts as an edge. tolerance: pixels between both views' answers. speckle:
    smaller islands, in pixels, are holes. median: side of its window in pixels. sigma, step: the bilateral filter's
    reach in pixels, and the difference of grey at which it stops. knots: raw confidence -> share that is right within a
    pixel; none: the raw measure is said.
    """

    gain: float = 4.0
    census: float = 2.0
    arm: int = 5
    tau: float = 0.1
    before: int = 0
    p1: float = 30.0
    p2: float = 300.0
    q1: float = 2.0
    q2: float = 4.0
    v: float = 1.5
    threshold: float = 8.0
    tolerance: float = 1.0
    speckle: int = 50
    median: int = 5
    sigma: float = 3.0
    step: float = 5.0
    knots: tuple[tuple[float, float], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain values, for a header."""
        return asdict(self)


# The control: bits that differ. Its confidence was fitted on the 26 scenes of v3 and 2006.
CENSUS = Settings(
    p1=10.0,
    p2=120.0,
    q1=1.0,
    q2=1.0,
    v=1.0,
    threshold=0.0,
    knots=((0, 0.399), (0.061, 0.471), (0.177, 0.718), (0.299, 0.897), (0.387, 0.964), (0.477, 0.99), (0.64, 0.998)),
)


def of_header(header: dict[str, Any]) -> Settings:
    """The settings of a weight file; those that it does not name are the defaults."""
    numbers = dict(header.get("matching", {}))
    return Settings(**{**numbers, "knots": tuple(tuple(knot) for knot in numbers.get("knots", ()))})
