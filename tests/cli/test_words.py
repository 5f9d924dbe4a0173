"""What the program says to a first look, to wrong words, and to words that change nothing; exit codes."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest
from commandline import begun, percept, process
from inputs import EXAMPLES, INPUTS

import percept as package
from percept import api, tasks
from percept.vision import image

DETECT, CLASSIFY = INPUTS["detect"], INPUTS["classify"]
PHOTO = DETECT.predict[0]
TASKS = ", ".join(tasks.names())


def test_the_first_look_shows_every_task_and_what_to_type_next() -> None:
    ran = percept()
    assert (ran.code, ran.err) == (0, "")
    for task in tasks.TASKS:
        assert f"  {task.example}" in ran.out and task.help in ran.out
    for words in ("percept train TASK --data FOLDER", "percept eval", "percept data list", "percept doctor"):
        assert words in ran.out
    assert max(len(line) for line in ran.lines) <= 80


def test_the_version() -> None:
    assert percept("--version").out == f"percept {package.__version__}\n"


def test_help_of_the_whole_says_what_each_command_is() -> None:
    ran = percept("--help")
    assert (ran.code, ran.err) == (0, "")
    for name in (*tasks.names(), "train", "eval", "export", "data", "info", "doctor"):
        assert f" {name} " in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("detekt x.jpg", 'percept: no command "detekt"; did you mean detect?'),
        ("xqzvw", f'percept: no command "xqzvw"; one of {TASKS}, '),
        ("train detekt", 'percept: no task "detekt"; did you mean detect?'),
        ("eval clasify", 'percept: no task "clasify"; did you mean classify?'),
        ("export xqzvw", f'percept: no task "xqzvw"; one of {TASKS}'),
        ("data lst", 'percept: no command "lst"; did you mean list?'),
        ("data list detekt", 'percept: no task "detekt"; did you mean detect?'),
        ("data info bcd", 'percept: no data set "bcd"; did you mean bccd?'),
        ("data verify xqzvw", 'percept: no data set "xqzvw"; percept data list shows them'),
        ("detect x.jpg --cnf 0.3", "percept: No such option: --cnf"),
        ("detect x.jpg --conf much", "percept: Invalid value for '--conf'"),
        ("detect x.jpg --conf 2", "percept: --conf: 2 must be at least 0 and at most 1"),
        ("detect x.jpg --merge voet", 'percept: --merge: no "voet"; did you mean vote? (one of vote, nms, overfeat)'),
        ("detect x.jpg --scales 16", "percept: --scales: 16 must be at least 32 and at most 4096"),
        ("detect", "percept: Missing argument 'INPUT...'"),
        ("detect x.jpg --device gpu", 'percept: no device "gpu"; one of auto, cpu, cuda, cuda:1, mps'),
        ("detect x.jpg --device cpu --precision float16", "percept: --precision float16 needs a GPU"),
        ("detect x.jpg --classes persn", 'percept: these weights know no class "persn"; did you mean person?'),
        ("classify x.jpg --map tabbi --out o", 'percept: these weights know no class "tabbi"; did you mean tabby?'),
        ("info yolox-nan", 'percept: no weights or file "yolox-nan"; did you mean yolox-nano?'),
        (
            "train detect --data bcd",
            'percept: no data set or folder "bcd"; did you mean bccd?\n  known for detect: coco2017,',
        ),
        ("train detect --data imagenet", "percept: data set imagenet is for classify, not for detect\n  known for"),
        ("eval classify --data coco2017", "percept: data set coco2017 is for detect, not for classify\n  known for"),
        ("train detect --data ./bccd", 'percept: no folder "./bccd"'),
        (f"train detect --data {PHOTO}", "is a file; --data takes a folder or the name of a data set"),
        ("train detect --resume nowhere", "percept: nowhere: no run.toml; is it the folder of a run of percept train?"),
    ],
)
def test_wrong_words_are_answered_with_the_nearest_right_one(
    words: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = percept(*words.split(), *(DETECT.with_weights if words.startswith("detect x.jpg") else ()))
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert list(tmp_path.iterdir()) == [], "nothing was done"


def test_a_data_set_that_is_not_here_is_named_with_the_way_to_get_it() -> None:
    ran = percept("train", "detect", "--data", "bccd")
    assert ran.code == 2
    assert ran.err.splitlines() == [
        "percept: data set bccd is not here (7.9 MB, MIT: any use, with the notice kept).",
        "  Get it with: percept data fetch bccd",
    ]
    ran = percept("train", "classify", "--data", "imagenet")
    assert ran.code == 2
    assert "It must be got by hand: https://image-net.org/" in ran.err
    assert "then: percept data verify imagenet" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("detect", PHOTO, "--save", "crops"), "--save has no effect here: nothing is kept without --out DIR"),
        (("detect", PHOTO, "--json", "--format", "csv"), "--format has no effect here: --json chooses the format"),
        (("classify", PHOTO, "--json", "--format", "csv"), "--format has no effect here: --json chooses the format"),
        (("classify", PHOTO, "--map", "tabby"), "--map has no effect here: the picture is drawn into --out DIR"),
        (("train", "detect", "--data", DETECT.data, "--momentum", "0.5"), "--momentum has no effect here: only"),
        (("train", "detect", "--data", DETECT.data, "--step-epochs", "5"), "--step-epochs has no effect here: only"),
        (("train", "detect", "--data", DETECT.data, "--width", "0.5"), "--width has no effect here: compact has"),
        (
            ("train", "detect", "--data", DETECT.data, "--model", "overfeat-fast", "--negatives", "3"),
            "--negatives has no effect here",
        ),
        (
            ("train", "detect", "--data", DETECT.data, "--augment", "none", "--mosaic-off", "3"),
            "--mosaic-off has no effect here: there is no mosaic",
        ),
        (("train", "classify", "--data", CLASSIFY.data, "--width", "0.5"), "--width has no effect here: mobilenet"),
    ],
)
def test_an_option_without_effect_is_an_error(words: tuple[object, ...], said: str) -> None:
    ran = percept(*words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_bug_of_ours_asks_for_a_report_and_shows_where_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> int:
        raise ZeroDivisionError("of course")

    monkeypatch.setattr(api, "deliver", broken)
    ran = percept("detect", PHOTO)
    assert (ran.code, ran.out) == (70, "")
    assert ran.err.startswith("percept: ZeroDivisionError: of course\nthis is a bug of percept: please report it")
    monkeypatch.setenv("PERCEPT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        percept("detect", PHOTO)


def test_a_missing_library_of_the_system_is_no_bug_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def bare(*_: object, **__: object) -> int:
        raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(api, "deliver", bare)
    ran = percept("detect", PHOTO)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("percept: libGL.so.1: cannot open")
    assert "apt install libgl1" in ran.err and "bug" not in ran.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_while_it_answers_it_keeps_what_is_finished(
    number: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, seen = image.read_image, []

    def interrupted(path: Path) -> object:
        seen.append(path)
        if len(seen) == 2:
            signal.raise_signal(number)
        return read(path)

    monkeypatch.setattr(image, "read_image", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background ignores it
    try:
        ran = percept("detect", *DETECT.predict, *DETECT.with_weights, "--json")
    finally:
        signal.signal(signal.SIGINT, before)
    assert ran.code == code
    assert [result["input"] for result in ran.json["results"]] == [str(DETECT.predict[0])], "a whole document"
    assert "stopped" in ran.err and "Traceback" not in ran.err


def test_a_reader_who_has_enough_is_no_error() -> None:
    """``percept ... | head -1``: the pipe is closed while there is more to say."""
    photos = [EXAMPLES / "street_people_cars.jpg"] * 9
    running = begun("classify", *photos, "--scales", "64", "--format", "csv")
    assert running.stdout is not None and running.stderr is not None
    assert running.stdout.readline() == b"input,label,probability\n"
    running.stdout.close()
    said = running.stderr.read().decode()
    running.stderr.close()
    assert running.wait(timeout=60) == 141
    assert "Traceback" not in said and "bug" not in said and "Broken" not in said
    script = f"exec {sys.executable} -m percept data list --json"
    ran = process("bash", "-c", f"({script}) | exec true; echo ${{PIPESTATUS[0]}}")
    assert ran.out in ("141\n", "0\n") and ran.err == "", "0: it had said all before the reader went"


COMPLETE = "import sys; sys.argv = ['percept']; from percept.cli import main; main()"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion_script(shell: str) -> None:
    ran = process(sys.executable, "-c", COMPLETE, environ={"_PERCEPT_COMPLETE": f"source_{shell}"})
    assert ran.code == 0, ran.err
    assert "_PERCEPT_COMPLETE" in ran.out and f"complete_{shell}" in ran.out


@pytest.mark.parametrize(
    ("typed", "offered", "not_offered"),
    [
        ("percept ", {*tasks.names(), "train", "data", "doctor"}, set()),
        ("percept tr", {"train"}, {"detect"}),
        ("percept train ", set(tasks.names()), {"data"}),
        ("percept detect --mer", {"--merge"}, {"--conf"}),
        ("percept detect --merge ", {"vote", "nms", "overfeat"}, set()),
        ("percept train detect --optimizer s", {"sgd"}, {"adamw"}),
    ],
)
def test_the_shell_offers_commands_options_and_choices(typed: str, offered: set[str], not_offered: set[str]) -> None:
    words = typed.split(" ")
    environ = {"_PERCEPT_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    ran = process(sys.executable, "-c", COMPLETE, environ=environ)
    said = set(ran.out.split())
    assert offered <= said, ran
    assert not said & not_offered


def test_json_of_other_commands_is_one_document() -> None:
    for words in (("data", "list"), ("data", "info", "bccd"), ("info", "imagenet"), ("data", "check", DETECT.data)):
        ran = percept(*words, "--json")
        assert (ran.code, ran.err) == (0, "")
        assert ran.json["percept"] == package.__version__
        assert json.dumps(ran.json, allow_nan=False)
