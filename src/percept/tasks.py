"""The table of tasks: one row each. A new task is a new folder and a new row; nothing else changes.

A task's folder holds two modules that the rest of percept asks for by name:

``options``
    Frozen dataclasses ``Predict``, ``Train``, ``Evaluate`` and ``Export``; imports neither torch nor cv2 nor numpy,
    so that ``percept --help`` answers at once. ``DATASETS`` names the file with the data sets it knows.
``task``
    What the verbs do: ``load(options) -> Predictor``, ``trainer(options, run) -> Trainable``,
    ``evaluate(options) -> Report``, ``export(options) -> Path``, and ``check(folder, options) -> Report``. It may
    also have ``prompt(options) -> exit code`` for ``percept TASK`` without inputs, and ``new(options) -> paths`` with
    options ``New`` for ``percept data new TASK``.

``options.ACTIONS`` (name -> frozen dataclass) adds commands ``percept TASK NAME``, each a function of ``task`` of that
name: ``NAME(options) -> exit code``; ``options.DATA_FILES`` says that ``--data`` may be a single file.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from percept.core.errors import UsageError, nearest


@dataclass(frozen=True)
class Task:
    """One row: ``name`` is the command, ``help`` its line in ``percept --help``, ``package`` its folder.

    weights: the task whose weights it takes, whose name their headers have; its own unless told.
    """

    name: str
    help: str
    package: str
    example: str
    weights: str = ""

    @property
    def options(self) -> ModuleType:
        """The task's option classes; cheap to import."""
        return import_module(f"{self.package}.options")

    @property
    def work(self) -> ModuleType:
        """What the task does; imports torch."""
        return import_module(f"{self.package}.task")


TASKS = (
    Task("detect", "objects with boxes", "percept.vision.detect", "percept detect street.jpg"),
    Task("scene-parse", "a class for every pixel", "percept.vision.scene", "percept scene-parse road.jpg"),
    Task("stereo", "depth from two views", "percept.vision.stereo", "percept stereo left.png right.png"),
    Task(
        "acoustic",
        "phones, known words; no dictation",
        "percept.speech.acoustic",
        "percept acoustic speech.wav",
    ),
    Task(
        "align",
        "where each word is",
        "percept.speech.acoustic.align",
        "percept align speech.wav text.txt",
        weights="acoustic",
    ),
    Task("qa", "answers with their reasons", "percept.nlp.qa", 'percept qa story.txt -q "Where ...?"'),
    # after those with a layout of their own: any folder of folders looks like classes to `percept data check`
    Task("classify", "what is in a photo", "percept.vision.classify", "percept classify cat.jpg"),
    # last: any folder with a text file looks like texts
    Task("lm", "text, scores, word vectors", "percept.nlp.lm", 'percept lm generate "It was a"'),
)


def names() -> list[str]:
    """The names of all tasks, in the order in which help shows them."""
    return [task.name for task in TASKS]


def find(name: str) -> Task:
    """The row called ``name``.

    Raises:
        UsageError: no such task; the nearest name is suggested.
    """
    for task in TASKS:
        if task.name == name:
            return task
    raise UsageError(f'no task "{name}"{nearest(name, names()) or "; tasks: " + ", ".join(names())}')
