"""Hostile, damaged and good archives: what leaves the folder, lies about its size or is cut off is refused whole."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from percept.core import archives
from percept.core.archives import is_archive, kind_of, unpack
from percept.core.errors import UsageError

GOOD = {"set/a.txt": b"first", "set/deep/b.bin": bytes(range(256)) * 40, "set/empty": b""}


def zip_of(path: Path, members: dict[str, bytes], **attributes: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for key, value in attributes.items():
                setattr(info, key, value)
            packed.writestr(info, content)
    return path


def tar_of(path: Path, members: dict[str, bytes], mode: str = "w", **attributes: object) -> Path:
    with tarfile.open(path, mode) as packed:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in attributes.items():
                setattr(info, key, value)
            packed.addfile(info, io.BytesIO(content))
    return path


def content_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refused(archive: Path, folder: Path, **limits: int) -> str:
    """The error's text, after a look that nothing is left: no target, no half-unpacked folder beside it."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(UsageError) as caught:
        unpack(archive, folder / "into", **limits)
    assert sorted(folder.rglob("*")) == before
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.xz", "a.tar.bz2"])
def test_unpacks_every_kind_and_reports_what_it_wrote(tmp_path: Path, name: str) -> None:
    mode = {"gz": "w:gz", "xz": "w:xz", "bz2": "w:bz2"}.get(name.rpartition(".")[2], "w")
    archive = zip_of(tmp_path / name, GOOD) if name == "a.zip" else tar_of(tmp_path / name, GOOD, mode)
    written = unpack(archive, tmp_path / "into")
    assert content_of(tmp_path / "into") == GOOD
    assert written == {key: (len(value), hashlib.sha256(value).hexdigest()) for key, value in GOOD.items()}
    assert sorted(p.name for p in tmp_path.iterdir()) == [name, "into"]


def test_kind_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    misnamed = zip_of(tmp_path / "a.tar.gz", GOOD)
    assert kind_of(misnamed) == "zip"
    unpack(misnamed, tmp_path / "into")
    assert content_of(tmp_path / "into") == GOOD


def test_old_tar_without_a_mark_is_known(tmp_path: Path) -> None:
    info = tarfile.TarInfo("old.txt")
    info.size = 3
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    header[257:265], header[148:156] = bytes(8), b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path = tmp_path / "a.tar"
    path.write_bytes(bytes(header) + b"abc".ljust(512, b"\0") + bytes(1024))
    unpack(path, tmp_path / "into")
    assert content_of(tmp_path / "into") == {"old.txt": b"abc"}


def test_second_archive_joins_the_first(tmp_path: Path) -> None:
    unpack(zip_of(tmp_path / "a.zip", {"set/a": b"1", "set/both": b"old"}), tmp_path / "into")
    unpack(tar_of(tmp_path / "b.tar", {"set/b": b"2", "set/both": b"new"}), tmp_path / "into")
    assert content_of(tmp_path / "into") == {"set/a": b"1", "set/b": b"2", "set/both": b"new"}


def test_folder_members_and_dots_in_names_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    members = {"./set": tarfile.DIRTYPE, "./set/none": tarfile.DIRTYPE, "./set/a..b": tarfile.REGTYPE}
    with tarfile.open(path, "w") as packed:
        for name, kind in members.items():
            info = tarfile.TarInfo(name)
            info.type = kind
            packed.addfile(info, io.BytesIO())
    unpack(path, tmp_path / "into")
    assert (tmp_path / "into/set/none").is_dir()
    assert (tmp_path / "into/set/a..b").is_file()


@pytest.mark.parametrize(
    "name", ["../evil", "set/../../evil", "/evil", "C:/evil", "C:evil", "set\\..\\evil", "..\\evil"]
)
@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str, make: object) -> None:
    said = refused(make(tmp_path / "a.bin", {"good": b"x", name: b"evil"}), tmp_path)
    assert name in said
    assert not (tmp_path.parent / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("goal", ["../../outside", "/etc/passwd", "good"])
def test_links_in_a_tar_are_refused(tmp_path: Path, kind: bytes, goal: str) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as packed:
        good = tarfile.TarInfo("good")
        packed.addfile(good, io.BytesIO())
        link = tarfile.TarInfo("link")
        link.type, link.linkname = kind, goal
        packed.addfile(link)
        through = tarfile.TarInfo("link/evil")
        packed.addfile(through, io.BytesIO())
    assert f'"link" is a link to "{goal}"' in refused(path, tmp_path)


def test_symlink_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"link": b"../../outside"}, external_attr=(stat.S_IFLNK | 0o777) << 16)
    assert '"link" is a link' in refused(path, tmp_path)


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"Z"])
def test_devices_and_unknown_kinds_are_refused(tmp_path: Path, kind: bytes) -> None:
    said = refused(tar_of(tmp_path / "a.tar", {"device": b""}, type=kind), tmp_path)
    assert '"device" is neither a plain file nor a folder' in said


def test_header_of_ten_gigabytes_is_refused_before_reading(tmp_path: Path) -> None:
    info = tarfile.TarInfo("huge.bin")
    info.size = 10_000_000_000
    path = tmp_path / "a.tar"
    path.write_bytes(info.tobuf() + bytes(2048))
    assert '"huge.bin" would take the content over 1.0 GB' in refused(path, tmp_path, max_bytes=1_000_000_000)


def test_header_that_claims_more_than_follows_is_cut_off(tmp_path: Path) -> None:
    info = tarfile.TarInfo("huge.bin")
    info.size = 10_000_000_000
    path = tmp_path / "a.tar"
    path.write_bytes(info.tobuf() + bytes(2048))
    said = refused(path, tmp_path, max_bytes=20_000_000_000)
    assert "cut off" in said


def test_long_name_of_gigabytes_is_not_read_into_memory(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 10_000_000_000
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb") as packed:
        packed.write(info.tobuf(tarfile.GNU_FORMAT))
        packed.write(bytes(20_000_000))
    assert "a header of more than 4.2 MB" in refused(path, tmp_path)


def test_endless_chain_of_headers_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1
    path = tmp_path / "a.tar"
    path.write_bytes((info.tobuf(tarfile.GNU_FORMAT) + b"a".ljust(512, b"\0")) * 3000)
    assert "a.tar" in refused(path, tmp_path)


def test_zip_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"zeros": bytes(5_000_000)})
    assert path.stat().st_size < 10_000
    assert '"zeros" is 5.0 MB of 5.0 MB in all, more than 1.0 MB' in refused(path, tmp_path, max_bytes=1_000_000)


def test_zip_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"zeros": bytes(5_000_000)})
    lying = path.read_bytes().replace((5_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    path.write_bytes(lying)
    assert "damaged" in refused(path, tmp_path, max_bytes=1_000_000)


def test_gzip_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "a.tgz", {f"zeros{n}": bytes(1_000_000) for n in range(5)}, "w:gz")
    assert path.stat().st_size < 10_000
    assert '"zeros3"' in refused(path, tmp_path, max_bytes=3_500_000)


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_too_many_members_are_refused(tmp_path: Path, make: object) -> None:
    path = make(tmp_path / "a.bin", {f"f{n}": b"" for n in range(12)})
    assert "more than 10" in refused(path, tmp_path, max_members=10)
    unpack(path, tmp_path / "into", max_members=12)


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_a_name_twice_is_refused(tmp_path: Path, make: object) -> None:
    path = make(tmp_path / "a.bin", {"a": b"1", "./a": b"2"})
    assert '"./a" appears twice' in refused(path, tmp_path)


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_a_file_where_a_folder_is_needed_is_refused(tmp_path: Path, make: object) -> None:
    path = make(tmp_path / "a.bin", {"a": b"1", "a/b": b"2"})
    assert "is a folder where another member is a file" in refused(path, tmp_path)


def test_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"secret": b"x"})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    assert '"secret" is encrypted' in refused(path, tmp_path)


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:xz", "w:bz2"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_truncated_archive_is_refused(tmp_path: Path, mode: str, share: float) -> None:
    members = {f"f{n}": os.urandom(3000) for n in range(20)}
    path = zip_of(tmp_path / "a", members) if mode == "zip" else tar_of(tmp_path / "a", members, mode)
    data = path.read_bytes()
    # A tar is padded with zeros at the end, which are not missed.
    last = len(data) if mode != "w" else len(data.rstrip(b"\0"))
    path.write_bytes(data[: int(last * share)])
    said = refused(path, tmp_path)
    assert "damaged or cut off" in said or "is cut off after" in said or "cannot be unpacked" in said


def test_tar_cut_between_two_members_is_noticed(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "a.tar", {"a": bytes(512), "b": bytes(512)})
    path.write_bytes(path.read_bytes()[:1024])  # header and content of a
    assert "the end mark is missing" in refused(path, tmp_path)


def test_flipped_bits_in_a_zip_or_gzip_are_noticed(tmp_path: Path) -> None:
    members = {"a": os.urandom(2000)}
    for path in (zip_of(tmp_path / "a.zip", members), tar_of(tmp_path / "a.tgz", members, "w:gz")):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x10
        path.write_bytes(data)
        refused(path, tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html><title>Log in</title>", "a web page"),
        (b"hello world", "it begins like text"),
        (b"", "an empty file"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    ],
)
def test_what_is_no_archive_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    assert f"not a zip or tar archive ({said})" in refused(path, tmp_path)


def test_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tar_of(tmp_path / "a.tar", GOOD)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archives._Target, "file", full)
    assert "No space left on device" in refused(path, tmp_path)


def test_progress_counts_bytes(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    unpack(zip_of(tmp_path / "a.zip", GOOD), tmp_path / "into", progress=lambda *state: seen.append(state))
    total = sum(map(len, GOOD.values()))
    assert seen[-1] == ("unpacking a.zip", total, total)


def test_is_archive_by_name() -> None:
    names = ["a.zip", "A.TAR.GZ", "a.tgz", "a.txt", "zip"]
    assert [name for name in names if is_archive(Path(name))] == ["a.zip", "A.TAR.GZ", "a.tgz"]
