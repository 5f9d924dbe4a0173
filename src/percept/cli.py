"""The command line: verbs and nothing else. Options come from the tasks' dataclasses, work is done by ``api``.

Importing this module imports neither torch nor cv2 nor numpy, so that help answers at once.
"""

from __future__ import annotations

import inspect
import io
import os
import signal
import sys
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from percept import __version__, tasks
from percept.core import show
from percept.core.console import answer, complain, say, stderr
from percept.core.errors import PerceptError, Stopped, UsageError, nearest
from percept.core.options import fields, flag_of

WELCOME = f"""percept: classic perception tasks, offline, on your own data

{chr(10).join(f"  {task.example:<37} {task.help}" for task in tasks.TASKS)}

  percept train TASK --data FOLDER      train on your own data
  percept eval  TASK --data FOLDER      measure, beside published figures
  percept data list                     data sets: what, size, licence
  percept info WEIGHTS                  what weights are, and why to trust them
  percept export TASK                   ONNX
  percept doctor                        is everything in order?

percept COMMAND --help tells the options of each."""


GROUPS = ("", "Input", "Output", "Model", "Training", "Speed")  # of help, in this order
WrongUsage: type[Exception] = typer.BadParameter.__base__  # click's UsageError, which typer keeps to itself


class Group(TyperGroup):
    """A group that names the nearest command when a word is wrong. A command's name may have two words."""

    kind = "command"

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that ``args`` begin with."""
        two, second = " ".join(args[:2]), args[1] if len(args) > 1 else ""
        if second and two in self.commands:
            return two, self.commands[two], args[2:]
        actions = [name.split()[1] for name in self.commands if name.split()[0] == args[0] and " " in name]
        hint = "" if second.startswith("-") or Path(second).exists() else nearest(second, actions)
        if hint:
            raise UsageError(f'no file, and no action of {args[0]}, "{second}"{hint}')
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            known = list(self.commands)
            hint = nearest(args[0], known) or f"; one of {', '.join(known)}"
            raise UsageError(f'no {self.kind} "{args[0]}"{hint}')
        return super().resolve_command(ctx, args)


class TaskGroup(Group):
    """A group whose commands are tasks."""

    kind = "task"


def command(cls: type, act: Callable[..., None], name: str, *, with_config: bool = True) -> Callable[..., None]:
    """A Typer command whose parameters are the fields of ``cls``; it calls ``act(**given)``."""

    def run(**given: Any) -> None:
        act(**{key: value for key, value in given.items() if value not in (None, [])})

    in_order = sorted(fields(cls).items(), key=lambda one: GROUPS.index(one[1][2].group))
    parameters = [_parameter(key, *declared) for key, declared in in_order]
    if with_config:
        kind = Annotated[
            str | None,
            typer.Option(
                "--config",
                metavar="FILE.toml",
                help="options from a TOML file, such as a run.toml; flags win",
                rich_help_panel="Input",
                show_default=False,
            ),
        ]
        parameters.append(inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind))
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__name__ = name
    run.__doc__ = inspect.getdoc(act)
    return run


def _parameter(key: str, hint: Any, field: Any, spec: Any) -> inspect.Parameter:
    """One field as Typer understands it; absent means "not given", so that weaker sources can speak."""
    inner = next(a for a in typing.get_args(hint) if a is not type(None)) if isinstance(hint, types.UnionType) else hint
    listed = typing.get_origin(inner) is tuple
    plain = str if listed else inner
    kind: Any = list[str] | None if listed and spec.repeat else plain | None
    if spec.argument:
        about = typer.Argument(help=spec.help, metavar=spec.metavar, show_default=False)
        kind = list[str] if spec.repeat else str
        if not spec.required:
            return inspect.Parameter(
                key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, about]
            )
        return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, about])
    flags = [flag_of(key, spec)]
    if plain is bool and field.default is True:
        flags = [f"{flags[0]}/--no-{flags[0][2:]}"]
    default = spec.shown_default or ("" if field.default in (None, "", (), False) else _shown(field.default))
    words = (
        spec.help + (f" ({spec.unit})" if spec.unit else "") + (f" [dim](default {default})[/dim]" if default else "")
    )
    kinds = {bool: " ", int: "N", float: "X", str: "TEXT"}
    metavar = (
        spec.metavar
        or "|".join(spec.choices)
        or (("N,N,..." if int in typing.get_args(inner) else "A,B,...") if listed else kinds[plain])
    )
    about = typer.Option(
        *flags,
        *([spec.short] if spec.short else []),
        help=words,
        rich_help_panel=spec.group,
        metavar=metavar,
        show_default=False,
        autocompletion=_completion(spec.choices),
    )
    return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, about])


def _shown(default: Any) -> str:
    return ",".join(str(item) for item in default) if isinstance(default, tuple) else str(default)


def _completion(choices: Sequence[str]) -> Callable[[str], list[str]] | None:
    """What the shell offers behind a flag; Typer finds the parameter by its name."""

    def begun_with(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return begun_with if choices else None


app = typer.Typer(
    cls=Group,
    rich_markup_mode="rich",
    invoke_without_command=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
train_app = typer.Typer(cls=TaskGroup, no_args_is_help=True, help="Train on a data set or on your own folder.")
eval_app = typer.Typer(cls=TaskGroup, no_args_is_help=True, help="Measure weights, beside the published figures.")
export_app = typer.Typer(cls=TaskGroup, no_args_is_help=True, help="Write weights as ONNX, checked against torch.")
data_app = typer.Typer(cls=Group, no_args_is_help=True, help="Data sets: list, info, fetch, verify, check.")
new_app = typer.Typer(cls=TaskGroup, no_args_is_help=True, help="Make up data for a task.")
for group, name in ((train_app, "train"), (eval_app, "eval"), (export_app, "export"), (data_app, "data")):
    app.add_typer(group, name=name)


@app.callback()
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
) -> None:
    """Classic perception tasks, offline, on your own data."""
    if version:
        answer(f"percept {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        answer(WELCOME)


def _add_task(task: tasks.Task) -> None:
    """The four verbs of one task, and ``data new`` where it can make up data."""

    def predict(**given: Any) -> None:
        from percept import api

        raise typer.Exit(api.deliver(task.name, **given))

    def train(**given: Any) -> None:
        from percept import api

        trained = api.train(task.name, **given)
        if given.get("json"):
            answer(show.document(trained.to_json()))

    def evaluate(**given: Any) -> None:
        from percept import api

        report = api.evaluate(task.name, **given)
        show.report(report, as_json=bool(given.get("json")))

    def export(**given: Any) -> None:
        from percept import api

        show.exported(api.export(task.name, **given), as_json=bool(given.get("json")))

    actions = getattr(task.options, "ACTIONS", {})
    more = (
        f"\n\nAlso, each with its own --help: {', '.join(f'{task.name} {name}' for name in actions)}" if actions else ""
    )
    shared = f" The weights are those of {task.weights}: percept train {task.weights} does the same."
    predict.__doc__ = f"{task.help[0].upper()}{task.help[1:]}. For example: {task.example}{more}"
    train.__doc__ = f"Train {task.name} on a data set or on your own folder.{shared if task.weights else ''}"
    evaluate.__doc__ = f"Measure {task.name} weights by the published protocol."
    export.__doc__ = f"Write {task.name} weights as ONNX, checked against torch."
    chosen = task.options
    app.command(task.name)(command(chosen.Predict, predict, task.name))
    train_app.command(task.name)(command(chosen.Train, train, task.name))
    eval_app.command(task.name)(command(chosen.Evaluate, evaluate, task.name))
    export_app.command(task.name)(command(chosen.Export, export, task.name, with_config=False))
    if hasattr(chosen, "New"):
        _add_new(task)
    for name, cls in actions.items():
        # hidden: the task's own help names them; a list of commands is of tasks and verbs
        app.command(f"{task.name} {name}", hidden=True)(command(cls, _action(task, name, cls), name))


def _add_new(task: tasks.Task) -> None:
    """``percept data new TASK``."""

    def new(**given: Any) -> None:
        from percept import api

        for path in api.new(task.name, **given):
            say(str(path))

    new.__doc__ = f"Make up data for {task.name}, as files or on stdout."
    new_app.command(task.name)(command(task.options.New, new, task.name, with_config=False))


def _action(task: tasks.Task, name: str, cls: type) -> Callable[..., None]:
    """What a task does beside the four verbs: ``percept TASK NAME``."""

    def act(**given: Any) -> None:
        from percept import api

        raise typer.Exit(api.act(task.name, name, **given))

    act.__doc__ = inspect.getdoc(cls)
    return act


for _task in tasks.TASKS:
    _add_task(_task)
if any(hasattr(_task.options, "New") for _task in tasks.TASKS):
    data_app.add_typer(new_app, name="new")

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]


@app.command()
def info(
    weights: Annotated[str, typer.Argument(metavar="WEIGHTS", help="name, file or run folder")], json: Json = False
) -> None:
    """What weights are, what made them, from which data, what they scored."""
    from percept import api

    show.info(api.info(weights), as_json=json)


@app.command()
def doctor(
    markdown: Annotated[bool, typer.Option("--markdown", help="for a bug report")] = False, json: Json = False
) -> None:
    """Is everything in order? Python, packages, devices, weights, data."""
    from percept import api

    raise typer.Exit(show.checks(api.doctor(), markdown=markdown, as_json=json))


@data_app.command("list")
def data_list(task: Annotated[str, typer.Argument(help="only of this task")] = "", json: Json = False) -> None:
    """Data sets: what, size, licence, whether they are here."""
    from percept import api

    show.data_sets(api.data_list(task or None), as_json=json)


@data_app.command("info")
def data_info(name: str, json: Json = False) -> None:
    """One data set: what, source, layout, licence, how to get it."""
    from percept import api

    show.data_set(api.data_info(name), as_json=json)


@data_app.command("fetch")
def data_fetch(name: str) -> None:
    """Fetch a data set, verify and unpack it. The only command that uses the network."""
    from percept import api

    answer(str(api.data_fetch(name)))


@data_app.command("verify")
def data_verify(name: str) -> None:
    """Compare a data set on the disk with what it should be; unpacks archives put there by hand."""
    from percept import api

    raise typer.Exit(show.problems(name, api.data_verify(name)))


@data_app.command("check")
def data_check(
    folder: Annotated[str, typer.Argument(metavar="NAME|FOLDER")],
    task: Annotated[str, typer.Option(help="the task that should read it")] = "",
    json: Json = False,
) -> None:
    """Look through the labels of your own folder: class table, sizes, what is wrong."""
    from percept import api

    show.report_of_check(api.check(folder, task or None), as_json=json)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0, 1, 2, 3, 70, 130 or 143 (see ``percept.core.errors``)."""
    signal.signal(signal.SIGTERM, _terminated)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files may hold bytes that are no text
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = app(arguments, standalone_mode=False)
        if code == 130:  # typer's answer to Ctrl-C
            raise KeyboardInterrupt
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (BrokenPipeError, SystemExit) as end:  # typer and rich exit when the reader of our pipe has enough
        if not isinstance(end if isinstance(end, BrokenPipeError) else end.__context__, BrokenPipeError):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (PerceptError, Stopped) as error:
        (complain if error.exit_code else say)(f"percept: {error}")
        return error.exit_code
    except WrongUsage as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            stderr.print(error.format_message(), markup=False)
            return 2
        path = error.ctx.command_path if error.ctx else "percept"
        complain(f"percept: {error.format_message()} ({path} --help tells the options)")
        return 2
    except (KeyboardInterrupt, typer.Abort):
        complain("percept: stopped; what was finished is kept")
        return 130
    except Exception as error:
        if os.environ.get("PERCEPT_DEBUG"):
            raise
        if isinstance(error, ImportError) and "shared object file" in str(error):
            complain(f"percept: {error} (OpenCV needs it; on Debian and Ubuntu: apt install libgl1 libglib2.0-0)")
            return 2
        complain(f"percept: {type(error).__name__}: {error}")
        complain(
            "this is a bug of percept: please report it with the output of: percept doctor --markdown "
            "(PERCEPT_DEBUG=1 shows where)"
        )
        return 70


def _terminated(_number: int, _frame: object) -> None:
    raise Stopped("stopped by SIGTERM; what was finished is kept", 143)
