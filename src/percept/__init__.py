"""percept: classic perception tasks from one command line and one Python call, offline, on your own data.

>>> import percept
>>> detector = percept.load("detect")                    # doctest: +SKIP
>>> detector.predict("street.jpg").to_json()             # doctest: +SKIP
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from percept.api import evaluate, export, info, load, predict, train
    from percept.core.errors import PerceptError

__version__ = "0.1.0"
__all__ = ["PerceptError", "__version__", "evaluate", "export", "info", "load", "predict", "train"]

logging.getLogger("percept").addHandler(logging.NullHandler())  # silent until the program that imports us asks


def __getattr__(name: str) -> object:
    """Import the API at its first use: ``import percept`` alone must not cost the seconds that torch costs."""
    if name == "PerceptError":
        from percept.core.errors import PerceptError

        return PerceptError
    if name in __all__:
        from percept import api

        return getattr(api, name)
    raise AttributeError(f"module 'percept' has no attribute {name!r}")
