from __future__ import annotations

import io
import os
import sys
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from percept.core import sources
from percept.core.errors import InputError, UsageError
from percept.core.sources import Item, clashes, find, resolve, stream

SUFFIXES = frozenset({".jpg", ".png"})
VIDEOS = frozenset({".mp4"})
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX files")


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def names(*inputs: str | Path, **options: object) -> list[str]:
    return [item.name for item in find(map(str, inputs), SUFFIXES, **options)]


def stems(*inputs: str | Path, **options: object) -> list[str]:
    return [str(item.stem) for item in find(map(str, inputs), SUFFIXES, **options)]


def problem(*inputs: str | Path, **options: object) -> str:
    (item,) = find(map(str, inputs), SUFFIXES, **options)
    assert item.problem is not None
    return item.problem


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_is_taken_whatever_its_suffix_and_named_as_given(here: Path) -> None:
    fill(here, "a/photo.dat", "b.jpg")
    items = list(find(["./a/photo.dat", "b.jpg"], SUFFIXES))
    assert [item.name for item in items] == ["./a/photo.dat", "b.jpg"]
    assert [str(item.stem) for item in items] == ["photo", "b"]
    assert [item.problem for item in items] == [None, None]


def test_a_folder_gives_its_known_files_sorted_with_their_tree(here: Path) -> None:
    fill(here, "p/b.jpg", "p/a.PNG", "p/notes.txt", "p/sub/c.jpg", "p/sub/deep/d.png", "p/.hidden.jpg", "p/.git/e.jpg")
    assert names("p/") == ["p/a.PNG", "p/b.jpg", "p/sub/c.jpg", "p/sub/deep/d.png"]
    assert stems("p") == ["a", "b", "sub/c", "sub/deep/d"]
    assert names("p", recursive=False) == ["p/a.PNG", "p/b.jpg"]
    assert names("."), "the current folder is a folder too"


def test_a_folder_without_pictures_says_so(here: Path) -> None:
    fill(here, "p/notes.txt", "p/.hidden.jpg")
    assert problem("p") == "no pictures in this folder"
    assert problem("p", noun="sound files") == "no sound files in this folder"


@posix
def test_links_in_a_circle_end_and_dead_links_and_pipes_are_reported(here: Path) -> None:
    fill(here, "p/a.jpg")
    (here / "p/again").symlink_to("..", target_is_directory=True)
    (here / "p/dead.jpg").symlink_to("nowhere")
    (here / "p/loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(here / "p/pipe.jpg")
    found = {item.name: item.problem for item in find(["p"], SUFFIXES)}
    assert found == {
        "p/a.jpg": None,
        "p/dead.jpg": "a link to nothing",
        "p/loop.jpg": "links that lead in a circle",
        "p/pipe.jpg": "a pipe or device, not a file; send what it holds in through -",
        # again leads to the folder above, which holds p once more, in which again is not followed
    } | {name: found[name] for name in found if name.startswith("p/again/")}
    assert len(found) <= 8


@posix
def test_linked_folders_are_searched(here: Path) -> None:
    fill(here, "elsewhere/a.jpg")
    (here / "p").mkdir()
    (here / "p/link").symlink_to(here / "elsewhere", target_is_directory=True)
    assert names("p") == ["p/link/a.jpg"]


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="the superuser may read everything")
def test_a_folder_without_permission_is_reported(here: Path) -> None:
    fill(here, "p/a.jpg")
    (here / "p").chmod(0)
    try:
        assert "no permission to look into this folder" in {item.problem for item in find(["p"], SUFFIXES)}
    finally:
        (here / "p").chmod(0o755)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("p/*.jpg", ["p/a.jpg", "p/b.jpg"]),
        ("p/*", ["p/a.jpg", "p/b.jpg", "p/sub/c.jpg", "p/sub/deep/d.png"]),
        ("p/**/*.jpg", ["p/a.jpg", "p/b.jpg", "p/sub/c.jpg"]),
        ("p/**", ["p/a.jpg", "p/b.jpg", "p/sub/c.jpg", "p/sub/deep/d.png"]),
        ("p/**/*", ["p/a.jpg", "p/b.jpg", "p/sub/c.jpg", "p/sub/deep/d.png"]),
        ("p/*.dat", ["p/x.dat"]),
        ("p/[ab].???", ["p/a.jpg", "p/b.jpg"]),
        ("*/su?", ["p/sub/c.jpg", "p/sub/deep/d.png"]),
    ],
)
def test_patterns(here: Path, pattern: str, expected: list[str]) -> None:
    fill(here, "p/a.jpg", "p/b.jpg", "p/x.dat", "p/sub/c.jpg", "p/sub/deep/d.png", "p/.hidden.jpg")
    assert names(pattern) == expected


def test_a_pattern_keeps_the_tree_below_its_plain_part(here: Path) -> None:
    fill(here, "p/q/sub/c.jpg", "p/q/d.jpg")
    assert stems("p/q/**/*.jpg") == ["d", "sub/c"]
    assert stems("*/q/*.jpg") == ["p/q/d"]


def test_a_pattern_that_matches_nothing(here: Path) -> None:
    assert problem("*.jpg") == "no pictures match this pattern"


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(here: Path) -> None:
    fill(here, "photo[1].jpg", "photo1.jpg")
    assert names("photo[1].jpg") == ["photo[1].jpg"]


@pytest.mark.parametrize("text", ["lists/good.txt", "@lists/good.txt", "@lists/good.list"])
def test_a_list_names_files_relative_to_itself(here: Path, text: str) -> None:
    fill(here, "lists/a.jpg", "lists/sub/b.png", "c.jpg", "far/d.jpg", "far/e.jpg", "lists/two words.jpg")
    lines = [
        "\ufeff# a comment",
        "a.jpg",
        "",
        "  sub/b.png  ",
        "../c.jpg",
        str(here / "far/d.jpg"),
        "two words.jpg",
        "../far/*.jpg",
        "sub",
    ]
    (here / text.removeprefix("@")).write_text("\r\n".join(lines), encoding="utf-8")
    items = list(find([text], SUFFIXES))
    assert [item.problem for item in items] == [None] * 8
    expected = [
        "lists/a.jpg",
        "lists/sub/b.png",
        "lists/../c.jpg",
        str(here / "far/d.jpg"),
        "lists/two words.jpg",
        "lists/../far/d.jpg",
        "lists/../far/e.jpg",
        "lists/sub/b.png",
    ]
    assert [item.name for item in items] == expected
    assert [str(item.stem) for item in items] == ["a", "sub/b", "c", "d", "two words", "d", "e", "sub/b"]


def test_a_list_with_a_wrong_line_names_the_line_and_goes_on(here: Path) -> None:
    fill(here, "a.jpg")
    (here / "l.txt").write_text("# mine\nb.jpg\na.jpg\n")
    first, second = find(["l.txt"], SUFFIXES)
    assert (first.name, first.problem) == ("b.jpg", "no such file or folder; did you mean a.jpg? (line 2 of l.txt)")
    assert (second.name, second.problem) == ("a.jpg", None)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "a list that names no file"),
        (b"# only this\n\n", "a list that names no file"),
        (b"\x00\x01\x02", "not a list of files (line 1 is no path)"),
        (b"\n" + b"x" * 100_000, "not a list of files (line 2 is no path)"),
    ],
)
def test_what_is_no_list(here: Path, content: bytes, says: str) -> None:
    (here / "l.txt").write_bytes(content)
    assert problem("l.txt") == says


def test_a_list_is_not_a_list_for_a_task_that_reads_text(here: Path) -> None:
    (here / "l.txt").write_text("nothing.jpg\n")
    (item,) = find(["l.txt"], {".txt"})
    assert (item.path, item.problem) == (Path("l.txt"), None)


@posix
def test_a_list_may_come_through_an_open_pipe_but_a_named_pipe_does_not_hang(here: Path) -> None:
    fill(here, "a.jpg")
    receiver, sender = os.pipe()
    os.write(sender, f"{here}/a.jpg\n".encode())
    os.close(sender)
    try:
        assert names(f"@/dev/fd/{receiver}") == [f"{here}/a.jpg"]
    finally:
        os.close(receiver)
    os.mkfifo(here / "waiting")
    assert problem("@waiting").startswith("a pipe or device")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("street.jgp", "no such file or folder; did you mean street.jpg?"),
        ("photos/strete.jpg", "no such file or folder; did you mean street.jpg?"),
        ("fotos/street.jpg", 'no such file or folder: there is no folder "fotos"; did you mean photos?'),
        ("fotos/deep/street.jpg", 'no such file or folder: there is no folder "fotos"; did you mean photos?'),
        ("zzz", "no such file or folder"),
        ("street.jpg/inside", "no such file or folder"),
        ("@zzz", "no such file or folder"),
        ("", "an empty name"),
        ("@", "an empty name"),
        ("a\x00b", "not a file name that this system can have"),
        ("x" * 5000, "a name too long for this system"),
        ("https://example.org/a.jpg", "an address, not a file; percept never uses the network, so fetch it first"),
        ("camera:0", "a camera, which this command does not read"),
    ],
)
def test_what_is_not_there(here: Path, text: str, says: str) -> None:
    fill(here, "street.jpg", "photos/street.jpg")
    assert problem(text) == says


@pytest.mark.parametrize("text", ["~/a.jpg", "~/*.jpg"])
def test_the_home_folder_in_quotes(here: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    fill(here, "home/a.jpg")
    monkeypatch.setenv("HOME", str(here / "home"))
    monkeypatch.setenv("USERPROFILE", str(here / "home"))
    (item,) = find([text], SUFFIXES)
    assert item.path == here / "home/a.jpg"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text("./\\~@*?[]-ab\x00", max_size=12))
@settings(max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_crashes_or_leads_out_of_the_output_folder(here: Path, text: str) -> None:
    if "*" in text and (text.startswith(("/", "~", "@")) or ".." in text):
        return  # would search the whole disk
    (here / "a.jpg").touch()
    (here / "l.list").write_text(text, errors="replace")
    for given_text in (text, "@l.list"):
        for item in find([given_text], SUFFIXES, recursive=False):
            assert not item.stem.is_absolute()
            assert ".." not in item.stem.parts
            assert item.stem.name


def test_two_answers_in_one_place_are_found_before_work_starts(here: Path) -> None:
    fill(here, "a/x.jpg", "b/x.png", "a/x.png")
    with pytest.raises(UsageError) as error:
        resolve(["a/x.jpg", "b/x.png"], SUFFIXES, out=Path("out"))
    assert str(error.value) == (
        'a/x.jpg and b/x.png would both be written as "x"; give the folder that holds both, '
        "or run them apart with another --out"
    )
    with pytest.raises(UsageError, match="a/x.jpg and a/x.png .* rename one of them"):
        resolve(["a"], SUFFIXES, out=Path("out"))
    (here / "a/x.png").unlink()
    assert [str(item.stem) for item in resolve(["."], SUFFIXES, out=Path("out"))] == ["a/x", "b/x"]


def test_nothing_clashes_where_nothing_is_written_or_the_file_is_the_same(here: Path) -> None:
    fill(here, "a/x.jpg", "b/x.png")
    assert len(resolve(["a/x.jpg", "b/x.png"], SUFFIXES, out=None)) == 2
    assert clashes(find(["a/x.jpg", "./a/x.jpg", "a", "missing/x.jpg"], SUFFIXES)) == []


def test_an_input_is_not_written_over_by_its_own_answer(here: Path) -> None:
    fill(here, "p/sub/x.jpg", "y.jpg")
    with pytest.raises(UsageError, match=r"^p/sub/x.jpg would be written over by its own answer; give another folder"):
        resolve(["p"], SUFFIXES, out=Path("p"))
    with pytest.raises(UsageError, match="y.jpg would be written over"):
        resolve(["y.jpg"], SUFFIXES, out=here)
    assert resolve(["p"], SUFFIXES, out=Path("p/sub"))


def test_the_stream_gives_each_input_what_was_read_or_why_not_and_goes_on(here: Path) -> None:
    fill(here, "p/a.jpg", "p/b.jpg", "p/c.jpg")

    def read(path: Path | bytes) -> str:
        assert isinstance(path, Path)
        if path.name == "a.jpg":
            raise InputError("cut off after 3 bytes")
        if path.name == "b.jpg":
            raise PermissionError(13, "Permission denied")
        return path.read_text()

    outcomes = [(item.name, str(value)) for item, value in stream(["gone.jpg", "p"], read, SUFFIXES)]
    assert outcomes == [
        ("gone.jpg", "no such file or folder"),
        ("p/a.jpg", "cut off after 3 bytes"),
        ("p/b.jpg", "no permission to read it"),
        ("p/c.jpg", "p/c.jpg"),
    ]


def test_the_stream_is_lazy_and_takes_resolved_items(here: Path) -> None:
    fill(here, "a.jpg", "b.jpg")
    opened: list[str] = []

    def read(path: Path | bytes) -> str:
        opened.append(str(path))
        return str(path)

    flow = stream(resolve(["a.jpg", "b.jpg"], SUFFIXES, out=None), read, SUFFIXES)
    assert opened == []
    next(flow)
    assert opened == ["a.jpg"]


def test_an_error_that_is_no_inputs_fault_goes_through(here: Path) -> None:
    fill(here, "a.jpg")

    def read(path: Path | bytes) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(stream(["a.jpg"], read, SUFFIXES))


def test_standard_input_is_bytes_and_read_once() -> None:
    first, second = stream(["-", "-"], len, SUFFIXES, stdin=io.BytesIO(b"12345"))
    assert first == (Item("-", PurePosixPath("stdin"), None), 5)
    assert second[0].name == "-"
    assert str(second[1]) == "standard input can be read only once"


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


def test_standard_input_that_would_wait_never_end_or_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    ((_, value),) = stream(["-"], len, SUFFIXES, stdin=Terminal(b"x"))
    assert "nothing is sent in" in str(value)
    monkeypatch.setattr(sys, "stdin", None)
    ((_, value),) = stream(["-"], len, SUFFIXES)
    assert "nothing is sent in" in str(value)
    monkeypatch.setattr(sources, "STDIN_LIMIT", 2**20)
    ((_, value),) = stream(["-"], len, SUFFIXES, stdin=io.BytesIO(bytes(2**20 + 1)))
    assert str(value) == "more than 1 MB came in"


def test_videos_and_cameras_come_frame_by_frame(here: Path) -> None:
    fill(here, "p/clip.MP4", "p/a.jpg")
    opened: list[Path | str] = []

    def film(source: Path | str):
        opened.append(source)
        yield 0, 0.0, "first"
        yield 5, 0.2, "second"
        raise InputError("cut off")

    flow = stream(["p", "camera:1"], str, SUFFIXES, videos=VIDEOS, read_video=film)
    outcomes = [(item.name, str(item.stem), item.frame, item.seconds, item.video, str(value)) for item, value in flow]
    assert outcomes == [
        ("p/a.jpg", "a", None, None, False, "p/a.jpg"),
        ("p/clip.MP4", "clip", 0, 0.0, True, "first"),
        ("p/clip.MP4", "clip", 5, 0.2, True, "second"),
        ("p/clip.MP4", "clip", None, None, True, "cut off"),
        ("camera:1", "camera1", 0, 0.0, True, "first"),
        ("camera:1", "camera1", 5, 0.2, True, "second"),
        ("camera:1", "camera1", None, None, True, "cut off"),
    ]
    assert opened == [Path("p/clip.MP4"), "camera:1"]


def test_a_video_that_nobody_looks_at_any_more_is_closed(here: Path) -> None:
    fill(here, "clip.mp4")
    closed: list[bool] = []

    def film(source: Path | str):
        try:
            for number in range(1000):
                yield number, 0.0, number
        finally:
            closed.append(True)

    flow = stream(["clip.mp4"], str, SUFFIXES, videos=VIDEOS, read_video=film)
    next(flow)
    flow.close()
    assert closed == [True]
