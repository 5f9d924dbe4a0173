"""The table of data sets, fetching from a server that breaks off, and verifying what lies on the disk."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import io
import json
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from percept.core import datasets, download, manifest
from percept.core.datasets import Dataset, RemoteFile, fetch, find, home, rows, verify
from percept.core.errors import UsageError

PACKAGE = Path(datasets.__file__).resolve().parents[1]
TABLES = {"detect": PACKAGE / "vision/detect/datasets.toml", "classify": PACKAGE / "vision/classify/datasets.toml"}
# Does not shrink, so that the archive is longer than what one read takes.
NOISE = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(12_000))
MEMBERS = {"top/photos/a.jpg": NOISE, "top/photos/b.jpg": b"bbb", "top/labels.txt": b"1 2 3\n"}


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


ARCHIVE = zipped(MEMBERS)


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.files``; breaks off, refuses ranges or answers with an error as the test wishes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        server.asked.append((self.path, self.headers.get("Range", "")))
        if server.answers:
            self.plain(server.answers.pop(0))
            return
        data = server.files.get(self.path)
        if data is None:
            self.plain(404)
            return
        begin = 0
        wanted = self.headers.get("Range")
        current = self.headers.get("If-Range", server.etag) == server.etag
        if server.ranges and wanted and current:
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
            if begin >= len(data):
                self.plain(416, {"Content-Range": f"bytes */{len(data)}"})
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        if server.etag:
            self.send_header("ETag", server.etag)
        if server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        body = data[begin:]
        if server.breaks:
            body = body[: server.breaks.pop(0)]
            self.close_connection = True
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if server.chunked else body)

    def plain(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": "0", **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that goes away in the middle is what some tests want."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "WAIT", 0.001)
    with Server(("127.0.0.1", 0), Handler) as running:
        running.files, running.asked, running.breaks, running.answers = {"/set.zip": ARCHIVE}, [], [], []
        running.ranges, running.etag, running.chunked = True, '"v1"', False
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERCEPT_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def row(url: str = "http://127.0.0.1:9", **changes: object) -> Dataset:
    """A small data set at ``url``."""
    plain = Dataset(
        name="cells",
        tasks=("detect",),
        title="cells",
        size=len(ARCHIVE),
        licence="MIT",
        allows="any use",
        homepage="https://example.org/cells",
        layout="voc",
        files=(RemoteFile(name="set.zip", url=f"{url}/set.zip", sha256=hashlib.sha256(ARCHIVE).hexdigest()),),
        unpacked={"photos": 2, "labels.txt": 1},
        root="top",
    )
    return dataclasses.replace(plain, **changes)


def without_hash(url: str) -> Dataset:
    return row(url, files=(RemoteFile(name="set.zip", url=f"{url}/set.zip"),))


def quiet(_: str) -> None:
    pass


def ready(data_home: Path) -> None:
    """What :func:`fetch` would have left, as if put there by hand."""
    for name, content in MEMBERS.items():
        path = data_home / "cells" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


# The table


def test_shipped_tables_are_well_made() -> None:
    table = rows(TABLES)
    assert {"coco2017", "voc2007", "voc2012", "ilsvrc-det", "bccd"} <= {r.name for r in table if r.tasks == ("detect",)}
    assert {"imagenet", "imagenette"} <= {r.name for r in table if r.tasks == ("classify",)}
    for dataset in table:
        assert dataset.title and dataset.licence and dataset.allows and dataset.homepage.startswith("http")
        assert dataset.classes > 1 and dataset.splits
        sizes = [file.bytes for file in dataset.files]
        assert None in sizes or sum(sizes) == dataset.size
        for file in dataset.files:
            assert len(file.sha256) in (0, 64) and len(file.md5) in (0, 32)
            assert file.known_hash or dataset.tree_sha256 or dataset.by_hand


def test_row_with_an_unknown_key_is_an_error(tmp_path: Path) -> None:
    table = tmp_path / "datasets.toml"
    table.write_text('[cells]\ntitel = "x"\nunpacked = { a = 1 }\n')
    with pytest.raises(ValueError, match="cells: unknown key titel"):
        rows({"detect": table})


def test_row_that_cannot_be_got_is_an_error(tmp_path: Path) -> None:
    table = tmp_path / "datasets.toml"
    text = 'title = "x"\nsize = 1\nlicence = "MIT"\nallows = "any"\nhomepage = "h"\nlayout = "voc"\n'
    table.write_text(f"[cells]\n{text}unpacked = {{ a = 1 }}\n")
    with pytest.raises(ValueError, match="needs urls, or by_hand"):
        rows({"detect": table})
    table.write_text(f"[cells]\n{text}by_hand = true\nunpacked = {{}}\n")
    with pytest.raises(ValueError, match="unpacked names nothing"):
        rows({"detect": table})


def test_tasks_may_share_a_set_but_not_a_name(tmp_path: Path) -> None:
    text = '[cells]\ntitle = "x"\nsize = 1\nlicence = "MIT"\nallows = "any"\nhomepage = "h"\nlayout = "voc"\n'
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(text + "by_hand = true\nunpacked = { a = 1 }\nrecipe = { epochs = 7 }\n")
    two.write_text(text + "by_hand = true\nunpacked = { a = 2 }\n")
    (shared,) = rows({"acoustic": one, "align": one, "lm": tmp_path / "missing.toml"})
    assert shared.tasks == ("acoustic", "align") and shared.recipe == {"epochs": 7}
    with pytest.raises(ValueError, match="another data set is called cells too"):
        rows({"acoustic": one, "align": two})


@pytest.mark.parametrize(
    ("system", "variables", "expected"),
    [
        ("linux", {}, "{home}/.cache/percept"),
        ("linux", {"XDG_CACHE_HOME": "/x/cache"}, "/x/cache/percept"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "{home}/.cache/percept"),
        ("darwin", {"XDG_CACHE_HOME": "/x/cache"}, "{home}/Library/Caches/percept"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/percept"),
        ("win32", {"LOCALAPPDATA": ""}, "{home}/AppData/Local/percept"),
        ("linux", {"PERCEPT_DATA": "~/sets"}, "{home}/sets"),
        ("win32", {"PERCEPT_DATA": "/sets", "LOCALAPPDATA": "/local"}, "/sets"),
    ],
)
def test_home(monkeypatch: pytest.MonkeyPatch, system: str, variables: dict[str, str], expected: str) -> None:
    for name in ("PERCEPT_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", system)
    assert home() == Path(expected.format(home=Path.home()))


# Names and folders


def test_folder_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "cells").mkdir()
    assert find("mine", [row()], "detect") == (Path("mine"), None)
    assert find("./cells", [row()], "detect") == (Path("cells"), None)
    assert find(str(tmp_path / "cells"), [row()]) == (tmp_path / "cells", None)


def test_known_name_comes_before_a_folder_of_that_name(
    tmp_path: Path, data_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cells").mkdir()
    ready(data_home)
    assert find("cells", [row()], "detect") == (data_home / "cells/top", row())


def test_wrong_name_suggests_the_nearest_and_lists_the_known() -> None:
    with pytest.raises(UsageError) as caught:
        find("cels", [row(), row(name="other", tasks=("stereo",))], "detect")
    assert str(caught.value) == (
        'no data set or folder "cels"; did you mean cells?\n  known for detect: cells (percept data list)'
    )


def test_name_of_another_task_says_so() -> None:
    with pytest.raises(UsageError, match="data set other is for stereo, not for detect"):
        find("other", [row(), row(name="other", tasks=("stereo",))], "detect")


def test_missing_folder_and_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "file.zip").touch()
    with pytest.raises(UsageError, match='no folder ".*/nowhere"'):
        find(f"{tmp_path}/nowhere", [row()], "detect")
    assert find(str(tmp_path / "file.zip"), [row()], "detect", files=True) == (tmp_path / "file.zip", None)
    with pytest.raises(UsageError, match="file.zip is a file; --data takes a folder"):
        find(f"{tmp_path}/file.zip", [row()], "detect")


def test_absent_set_is_named_with_size_licence_and_command() -> None:
    with pytest.raises(UsageError) as caught:
        find("cells", [row()], "detect")
    assert str(caught.value) == (
        "data set cells is not here (384 kB, MIT: any use).\n  Get it with: percept data fetch cells"
    )


def test_absent_set_that_must_be_got_by_hand_names_page_and_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCEPT_DATA", str(Path.home() / "sets"))
    by_hand = row(by_hand=True, licence="research licence", allows="research use only", note="Register first.")
    with pytest.raises(UsageError) as caught:
        find("cells", [by_hand], "detect")
    assert str(caught.value) == (
        "data set cells is not here (384 kB, research licence: research use only).\n"
        "  It must be got by hand: https://example.org/cells\n  Register first.\n"
        "  Put set.zip or its unpacked folder in\n"
        "  ~/sets/cells, then: percept data verify cells"
    )
    with pytest.raises(UsageError, match="cannot be fetched"):
        fetch(by_hand, say=quiet)


def test_set_that_is_not_whole_points_to_verify(data_home: Path) -> None:
    ready(data_home)
    (data_home / "cells/top/labels.txt").unlink()
    with pytest.raises(UsageError, match=r"not unpacked: labels.txt not there\n.*percept data verify cells"):
        find("cells", [row()], "detect")


# Fetching


def test_fetch_downloads_unpacks_and_records(server: SimpleNamespace, data_home: Path) -> None:
    said: list[str] = []
    seen: list[tuple[str, int, int | None]] = []
    dataset = row(server.url)
    assert fetch(dataset, say=said.append, progress=lambda *state: seen.append(state)) == data_home / "cells/top"
    assert find("cells", [dataset], "detect") == (data_home / "cells/top", dataset)
    assert (data_home / "cells/top/photos/a.jpg").read_bytes() == NOISE
    lock = json.loads((data_home / "cells" / manifest.LOCK).read_text())
    mark = hashlib.sha256(ARCHIVE).hexdigest()
    assert lock["files"] == [{"name": "set.zip", "url": f"{server.url}/set.zip", "bytes": len(ARCHIVE), "sha256": mark}]
    assert set(lock["tree"]) == set(MEMBERS)
    assert [path.name for path in data_home.iterdir()] == ["cells"]  # neither archive nor work folder is left
    assert "cells: 384 kB, MIT: any use" in said
    assert ("set.zip", len(ARCHIVE), len(ARCHIVE)) in seen
    assert verify(dataset, say=quiet) == []


def test_fetch_again_asks_nothing(server: SimpleNamespace) -> None:
    fetch(row(server.url), say=quiet)
    server.asked.clear()
    said: list[str] = []
    fetch(row(server.url), say=said.append)
    assert server.asked == [] and "is here already" in said[0]


@pytest.mark.parametrize("hashed", [True, False])
def test_broken_connection_goes_on_from_there(server: SimpleNamespace, hashed: bool) -> None:
    server.breaks = [200_000, 100_000]
    fetch((row if hashed else without_hash)(server.url), say=quiet)
    begins = [int(wanted.removeprefix("bytes=").rstrip("-") or 0) for _, wanted in server.asked]
    assert len(begins) == 3 and 0 == begins[0] < begins[1] < begins[2]
    assert begins[1] > 100_000


def test_next_call_goes_on_where_the_last_one_gave_up(server: SimpleNamespace, data_home: Path) -> None:
    server.breaks = [150_000, 0, 0, 0, 0]
    with pytest.raises(UsageError, match="the connection breaks off; 1.. kB are kept, the same command goes on"):
        fetch(row(server.url), say=quiet)
    assert not (data_home / "cells").exists()
    server.asked.clear()
    server.breaks.clear()
    fetch(row(server.url), say=quiet)
    ((_, wanted),) = server.asked
    assert wanted.startswith("bytes=1") and len(wanted) == len("bytes=150000-")


def test_server_without_ranges_begins_again(server: SimpleNamespace, data_home: Path) -> None:
    server.ranges, server.breaks = False, [200_000]
    fetch(row(server.url), say=quiet)
    assert len(server.asked) == 2
    assert (data_home / "cells/top/photos/a.jpg").read_bytes() == NOISE


def test_server_that_tells_no_length(server: SimpleNamespace, data_home: Path) -> None:
    server.chunked, server.ranges, server.etag = True, False, ""
    fetch(without_hash(server.url), say=quiet)
    assert (data_home / "cells/top/photos/a.jpg").read_bytes() == NOISE


def test_file_that_changed_meanwhile_is_sent_whole(server: SimpleNamespace, data_home: Path) -> None:
    server.breaks = [200_000, 0, 0, 0, 0]
    with pytest.raises(UsageError):
        fetch(without_hash(server.url), say=quiet)
    server.breaks.clear()
    changed = {name: content[::-1] for name, content in MEMBERS.items()}
    server.etag, server.files = '"v2"', {"/set.zip": zipped(changed)}
    fetch(without_hash(server.url), say=quiet)
    assert (data_home / "cells/top/photos/a.jpg").read_bytes() == NOISE[::-1]


def test_part_that_is_whole_already_is_taken(server: SimpleNamespace, data_home: Path) -> None:
    work = data_home / ".cells.fetch"
    work.mkdir(parents=True)
    (work / "set.zip.part").write_bytes(ARCHIVE)
    (work / "set.zip.part.json").write_text(json.dumps({"url": f"{server.url}/set.zip", "version": '"v1"'}))
    fetch(row(server.url), say=quiet)
    assert server.asked == [("/set.zip", f"bytes={len(ARCHIVE)}-")]


def test_part_longer_than_the_file_is_thrown_away(server: SimpleNamespace, data_home: Path) -> None:
    work = data_home / ".cells.fetch"
    work.mkdir(parents=True)
    (work / "set.zip.part").write_bytes(ARCHIVE + b"x")
    (work / "set.zip.part.json").write_text(json.dumps({"url": f"{server.url}/set.zip", "version": '"v1"'}))
    fetch(row(server.url), say=quiet)
    assert [wanted for _, wanted in server.asked] == [f"bytes={len(ARCHIVE) + 1}-", ""]


def test_busy_server_is_asked_again(server: SimpleNamespace) -> None:
    server.answers = [503, 429]
    fetch(row(server.url), say=quiet)
    assert len(server.asked) == 3


def test_busy_server_is_given_up_in_the_end(server: SimpleNamespace) -> None:
    server.answers = [503] * 9
    with pytest.raises(UsageError, match="set.zip: the server answers 503"):
        fetch(row(server.url), say=quiet)
    assert len(server.asked) == 1 + download.RETRIES


def test_missing_file_is_an_error_at_once(server: SimpleNamespace, data_home: Path) -> None:
    server.files.clear()
    with pytest.raises(UsageError, match="set.zip: the server answers 404"):
        fetch(row(server.url), say=quiet)
    assert len(server.asked) == 1 and not (data_home / "cells").exists()


def test_no_server_is_one_sentence(monkeypatch: pytest.MonkeyPatch, server: SimpleNamespace) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(UsageError, match="Connection refused") as caught:
        fetch(row(server.url), say=quiet)
    assert "\n" not in str(caught.value) and "Pool" not in str(caught.value)


def test_way_that_stops_being_encrypted_is_refused(
    server: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, data_home: Path
) -> None:
    import requests

    real, safe = requests.get, "https://safe.example"
    monkeypatch.setattr(requests, "get", lambda url, **given: real(url.replace(safe, server.url), **given))
    with pytest.raises(UsageError, match="leads to http://.*, which is not encrypted"):
        fetch(row(safe), say=quiet)
    assert not (data_home / "cells").exists()


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_wrong_hash_is_refused_and_deleted(server: SimpleNamespace, data_home: Path, kind: str) -> None:
    digest = "0" * (64 if kind == "sha256" else 32)
    dataset = row(files=(RemoteFile(name="set.zip", url=f"{server.url}/set.zip", **{kind: digest}),))
    with pytest.raises(UsageError, match="not the expected file"):
        fetch(dataset, say=quiet)
    assert not (data_home / "cells").exists()
    assert not list((data_home / ".cells.fetch").glob("set.zip*"))


def test_wrong_length_is_refused_before_the_download(server: SimpleNamespace, data_home: Path) -> None:
    file = dataclasses.replace(row(server.url).files[0], bytes=len(ARCHIVE) + 5)
    with pytest.raises(UsageError, match=f"{len(ARCHIVE):,} bytes are offered where {len(ARCHIVE) + 5:,}"):
        fetch(row(files=(file,)), say=quiet)
    assert not list((data_home / ".cells.fetch").glob("set.zip*"))


def test_set_with_other_content_is_refused(server: SimpleNamespace, data_home: Path) -> None:
    dataset = dataclasses.replace(without_hash(server.url), unpacked={"photos": 3, "labels.txt": 1})
    with pytest.raises(UsageError, match="photos: 2 files where 3 are expected"):
        fetch(dataset, say=quiet)
    assert not (data_home / "cells").exists()
    assert not (data_home / ".cells.fetch/set.zip").exists()  # or the next call would take it again


def test_tree_hash_stands_in_where_the_archive_has_none(server: SimpleNamespace) -> None:
    lines = sorted((name.removeprefix("top/"), hashlib.sha256(data).hexdigest()) for name, data in MEMBERS.items())
    expected = hashlib.sha256("".join(f"{mark}  {name}\n" for name, mark in lines).encode()).hexdigest()
    fetch(dataclasses.replace(without_hash(server.url), tree_sha256=expected), say=quiet)
    other = dataclasses.replace(without_hash(server.url), name="other", tree_sha256="0" * 64)
    with pytest.raises(UsageError, match="some file differs from the published set"):
        fetch(other, say=quiet)


def test_plain_file_and_second_archive_are_laid_where_the_row_says(server: SimpleNamespace, data_home: Path) -> None:
    server.files |= {"/names.txt": b"red\nwhite\n", "/more.zip": zipped({"c.jpg": b"c"})}
    more = (
        RemoteFile(name="names.txt", url=f"{server.url}/names.txt", unpack=False, into="top"),
        RemoteFile(name="more.zip", url=f"{server.url}/more.zip", into="top/photos"),
    )
    dataset = row(files=(*row(server.url).files, *more), unpacked={"photos": 3, "names.txt": 1})
    fetch(dataset, say=quiet)
    assert (data_home / "cells/top/names.txt").read_bytes() == b"red\nwhite\n"
    assert (data_home / "cells/top/photos/c.jpg").read_bytes() == b"c"
    assert verify(dataset, say=quiet) == []


def test_too_little_space_is_said_before_anything_is_fetched(
    server: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**9, used=0, free=1000))
    with pytest.raises(UsageError, match=r"cells needs 807 kB in .*, 1.0 kB are free; PERCEPT_DATA names another"):
        fetch(row(server.url), say=quiet)
    assert server.asked == []


def test_disk_full_in_the_middle_keeps_the_part(
    server: SimpleNamespace, data_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_name: str, done: int, _total: int | None) -> None:
        if done > 100_000:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UsageError, match="the disk is full; free some space and run the same command"):
        fetch(row(server.url), say=quiet, progress=full)
    assert (data_home / ".cells.fetch/set.zip.part").stat().st_size > 100_000
    server.asked.clear()
    fetch(row(server.url), say=quiet)
    assert server.asked[0][1].startswith("bytes=1")


def test_hostile_archive_leaves_nothing_behind(server: SimpleNamespace, data_home: Path) -> None:
    server.files["/set.zip"] = zipped({**MEMBERS, "../../evil": b"x"})
    with pytest.raises(UsageError, match=r'member "\.\./\.\./evil" has "\.\." in its name'):
        fetch(without_hash(server.url), say=quiet)
    assert not list(data_home.parent.rglob("evil")) and not (data_home / "cells").exists()


def test_folder_in_the_way_is_not_touched(server: SimpleNamespace, data_home: Path) -> None:
    (data_home / "cells").mkdir(parents=True)
    (data_home / "cells/mine.txt").write_text("precious")
    with pytest.raises(UsageError, match="percept deletes nothing"):
        fetch(row(server.url), say=quiet)
    assert (data_home / "cells/mine.txt").read_text() == "precious" and server.asked == []


def test_two_at_once_do_not_meet(server: SimpleNamespace, data_home: Path) -> None:
    work = data_home / ".cells.fetch"
    work.mkdir(parents=True)
    said = pytest.raises(UsageError, match="another percept is fetching cells")
    with download.alone(work / "lock", "taken"), said:
        fetch(row(server.url), say=quiet)
    fetch(row(server.url), say=quiet)


# Verifying


def test_verify_names_what_is_missing_damaged_and_changed(server: SimpleNamespace, data_home: Path) -> None:
    dataset = row(server.url)
    root = fetch(dataset, say=quiet)
    (root / "photos/b.jpg").write_bytes(b"bbX")  # same length
    (root / "photos/a.jpg").write_bytes(NOISE[:-1])
    assert verify(dataset, say=quiet) == [
        f"{root}/photos/a.jpg: {len(NOISE) - 1:,} bytes where {len(NOISE):,} were written",
        f"{root}/photos/b.jpg: its content has changed since it was written",
    ]
    (root / "photos/a.jpg").unlink()
    assert verify(dataset, say=quiet)[:2] == [
        f"{root}/photos: 1 files where 2 are expected",
        f"{root}/photos/a.jpg: is not there",
    ]
    shutil.rmtree(root / "photos")
    assert f"{root}/photos is not there" in verify(dataset, say=quiet)


def test_verify_without_folder() -> None:
    assert [text.endswith("cells is not there") for text in verify(row(), say=quiet)] == [True]


def test_verify_unpacks_what_was_put_there_by_hand(data_home: Path) -> None:
    (data_home / "cells").mkdir(parents=True)
    (data_home / "cells/set.zip").write_bytes(ARCHIVE)
    dataset = row(by_hand=True)
    with pytest.raises(UsageError, match="not whole or not unpacked"):
        find("cells", [dataset], "detect")
    said: list[str] = []
    assert verify(dataset, say=said.append) == []
    assert any("is unpacked and may be deleted" in text for text in said)
    assert find("cells", [dataset], "detect")[0] == data_home / "cells/top"
    (data_home / "cells/set.zip").unlink()
    assert verify(dataset, say=quiet) == []
    (data_home / "cells/top/photos/b.jpg").write_bytes(b"bbX")
    assert len(verify(dataset, say=quiet)) == 1


def test_verify_refuses_an_archive_that_is_not_the_published_one(data_home: Path) -> None:
    (data_home / "cells").mkdir(parents=True)
    (data_home / "cells/set.zip").write_bytes(ARCHIVE[:-9])
    problems = verify(row(), say=quiet)
    assert "not the published file, or damaged on the way" in problems[0]
    assert not (data_home / "cells/top").exists()


@pytest.mark.parametrize("moved", ["cells", "cells/Other Name"])
def test_folder_put_by_hand_one_level_off_is_found(data_home: Path, moved: str) -> None:
    ready(data_home)
    (data_home / "cells/top").rename(data_home / "inside")
    (data_home / "cells").rmdir()
    (data_home / moved).parent.mkdir(parents=True, exist_ok=True)
    (data_home / "inside").rename(data_home / moved)
    dataset = row(by_hand=True)
    assert verify(dataset, say=quiet) == []
    assert find("cells", [dataset], "detect")[0] == data_home / moved


def test_verify_records_a_whole_set_and_ignores_what_file_managers_leave(data_home: Path) -> None:
    ready(data_home)
    (data_home / "cells/top/photos/.DS_Store").write_bytes(b"x")
    (data_home / "cells/top/photos/Thumbs.db").write_bytes(b"x")
    assert verify(row(), say=quiet) == []
    lock = manifest.read(data_home / "cells")
    assert lock is not None and set(lock.tree) == set(MEMBERS)


def test_verify_does_not_record_a_set_that_is_wrong(data_home: Path) -> None:
    ready(data_home)
    (data_home / "cells/top/photos/c.jpg").write_bytes(b"one too many")
    (data_home / "cells/top/labels.txt").write_bytes(b"")
    assert [text.rpartition("/")[2] for text in verify(row(), say=quiet)] == [
        "photos: 3 files where 2 are expected",
        "labels.txt is empty",
    ]
    assert not (data_home / "cells" / manifest.LOCK).exists()


def test_damaged_lock_file_is_said(data_home: Path) -> None:
    ready(data_home)
    (data_home / "cells" / manifest.LOCK).write_text('{"files": [], "tree": {"a": 3}}')
    assert "damaged; delete it" in verify(row(), say=quiet)[0]


def test_older_file_than_the_table_knows_is_said(server: SimpleNamespace) -> None:
    fetch(row(server.url), say=quiet)
    newer = row(files=(dataclasses.replace(row(server.url).files[0], sha256="0" * 64),))
    assert ["set.zip was not the published file" in text for text in verify(newer, say=quiet)] == [True]


def test_the_table_imports_nothing_heavy() -> None:
    code = (
        "import sys, percept.core.datasets, percept.core.archives, percept.core.doctor\n"
        "print([m for m in ('torch', 'cv2', 'numpy', 'pooch', 'requests') if m in sys.modules])"
    )
    where = {"PYTHONPATH": str(PACKAGE.parent)}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=where)
    assert found.stdout.strip() == "[]"
