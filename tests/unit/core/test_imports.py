"""Who may import whom, read from the source itself; and how long a module may grow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from percept import tasks

SOURCE = Path(tasks.__file__).parent
HEAVY = {"torch", "torchvision", "cv2", "numpy", "PIL", "matplotlib", "safetensors", "onnx", "onnxruntime", "requests"}
LONGEST = 500  # lines
MODULES = {
    ".".join(("percept", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in SOURCE.rglob("*.py")
}
TASK_PACKAGES = [task.package for task in tasks.TASKS]
HELPERS = [name for name in MODULES if name.startswith(("percept.vision", "percept.speech", "percept.nlp"))]


def imported(name: str, *, everywhere: bool) -> set[str]:
    """The modules that a module imports: at its top only, or in its functions too; never for type checkers only."""
    path = MODULES[name]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in _statements(tree, everywhere):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join((*above, base)).rstrip(".")
            for alias in node.names:  # ``from percept.core import weights`` imports percept.core.weights
                inner = f"{base}.{alias.name}"
                found.add(inner if inner in MODULES else base)
    return found


def _statements(node: ast.AST, everywhere: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not everywhere:
            continue
        yield child
        yield from _statements(child, everywhere)


def ours(name: str, *, everywhere: bool) -> set[str]:
    return {other for other in imported(name, everywhere=everywhere) if other.split(".")[0] == "percept"}


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def reached(start: str) -> set[str]:
    """Everything that is imported when ``start`` is: what it imports, what that imports, and their packages."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in MODULES:
            waiting += imported(name, everywhere=False)
            waiting += [name[:at] for at, letter in enumerate(name) if letter == "."]
    return seen


def test_the_source_is_where_this_looks() -> None:
    assert {"percept", "percept.cli", "percept.core.training", "percept.vision.detect.options"} <= set(MODULES)
    assert "percept.core.weights" in imported("percept.api", everywhere=True)
    assert "torch" in imported("percept.api", everywhere=True)
    assert "torch.distributed" not in imported("percept.api", everywhere=False)


def test_the_command_line_knows_tasks_api_and_core_only() -> None:
    allowed = ("percept.core", "percept.tasks", "percept.api")
    for name in ours("percept.cli", everywhere=True) | ours("percept.__main__", everywhere=True):
        assert name in ("percept", "percept.cli") or any(inside(name, one) for one in allowed), name
    for name in ours("percept.api", everywhere=True):
        assert name == "percept" or inside(name, "percept.core") or name == "percept.tasks", name
    assert ours("percept.tasks", everywhere=True) == {"percept.core.errors"}


@pytest.mark.parametrize("name", [name for name in MODULES if inside(name, "percept.core")])
def test_core_knows_no_task_and_no_kind_of_input(name: str) -> None:
    for other in ours(name, everywhere=True):
        assert other == "percept" or inside(other, "percept.core"), f"{name} imports {other}"


@pytest.mark.parametrize("name", HELPERS)
def test_no_task_imports_another_and_helpers_import_no_task(name: str) -> None:
    own = [package for package in TASK_PACKAGES if inside(name, package)]
    for other in ours(name, everywhere=True):
        others_task = [package for package in TASK_PACKAGES if inside(other, package)]
        assert set(others_task) <= set(own), f"{name} imports {other}"  # a task may lie in another and use its rooms
        assert not inside(other, "percept.cli") and not inside(other, "percept.api"), f"{name} imports {other}"
        kind = name.split(".")[1]
        shared = other == "percept.nlp.ngram" and kind == "speech"  # recognisers need language models
        assert other == "percept" or other.split(".")[1] in ("core", kind) or shared, f"{name} imports {other}"


@pytest.mark.parametrize("start", ["percept.__main__", *(f"{package}.options" for package in TASK_PACKAGES)])
def test_help_imports_nothing_heavy(start: str) -> None:
    heavy = {name for name in reached(start) if name.split(".")[0] in HEAVY}
    assert not heavy
    assert "percept.core.options" in reached(start)


def test_importing_percept_costs_nothing() -> None:
    assert {name for name in reached("percept") if name.split(".")[0] != "percept"} <= {
        "__future__",
        "logging",
        "typing",
    }


def test_nothing_imports_in_a_circle() -> None:
    graph = {name: {other for other in ours(name, everywhere=False) if other in MODULES} for name in MODULES}
    done: set[str] = set()

    def follow(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for other in sorted(graph[name]):
                follow(other, (*path, name))
            done.add(name)

    for name in sorted(graph):
        follow(name, ())
    assert len(done) == len(MODULES)


@pytest.mark.parametrize("name", list(MODULES))
def test_a_module_fits_into_one_head(name: str) -> None:
    lines = MODULES[name].read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST, f"{lines} lines: split it by the method's own names"


@pytest.mark.parametrize("task", tasks.TASKS, ids=tasks.names())
def test_a_task_has_the_rooms_that_the_rest_of_percept_asks_for(task: tasks.Task) -> None:
    assert {f"{task.package}.options", f"{task.package}.task"} <= set(MODULES)
    for name in ("Predict", "Train", "Evaluate", "Export", "DATASETS"):
        assert hasattr(task.options, name)
    for name in ("load", "trainer", "evaluate", "export", "check"):
        assert callable(getattr(task.work, name))
