"""Lines become words and numbers, whatever their length, and bytes that are no text are named by their place."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest

from percept.core.errors import InputError
from percept.nlp import sentences as reading
from percept.nlp.ngram import opened, read_sentences
from percept.nlp.sentences import Growing, Known, numbered


def lines(data, errors="strict"):
    return [list(words) for words in read_sentences(io.BytesIO(data), errors)]


TEXT = "\ufeff The  cat\tsat\r\n\n on thé\u00a0mat \n  \nend".encode()


def test_a_line_is_a_sentence_and_a_blank_one_too():
    assert lines(TEXT) == [["The", "cat", "sat"], [], ["on", "thé", "mat"], [], ["end"]]
    assert lines(TEXT + b"\n") == lines(TEXT)
    assert lines(b"") == [] and lines(b"\n\n") == [[], []]


@pytest.mark.parametrize("block", [9, 12, 13, 20, 31])
def test_long_lines_are_read_in_pieces(monkeypatch, block):
    text = " ".join(f"wörd{n}" for n in range(40))
    data = f"short\n{text}\n{text} \n\n{text}".encode()
    whole = lines(data)
    monkeypatch.setattr(reading, "_BLOCK", block)
    assert lines(data) == lines(data + b"\n") == whole
    read = io.BytesIO(data)
    found = [next(iter(words), None) for words in read_sentences(read)]
    assert found == [line[0] if line else None for line in whole]


def test_a_long_line_is_not_held_in_memory(monkeypatch):
    monkeypatch.setattr(reading, "_BLOCK", 64)

    class Endless(io.RawIOBase):
        read_so_far = 0

        def readline(self, size=-1):
            self.read_so_far += size
            return (b"word " * size)[:size]

    file = Endless()
    words = iter(next(iter(read_sentences(file))))
    assert [next(words) for _ in range(1000)][-1] == "word" and file.read_so_far < 6000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"good\nbad \xff here\n", "byte 9 is not UTF-8"),
        (b"good\nbad \xc3", "byte 9 is not UTF-8"),
        (b"good\nzero\0here\n", "byte 9 is zero"),
        ("u t f 1 6".encode("utf-16"), "byte 3 is zero"),
    ],
)
def test_bytes_that_are_no_text_are_named(monkeypatch, data, message):
    for block in (2**20, 12):
        monkeypatch.setattr(reading, "_BLOCK", block)
        with pytest.raises(InputError, match=message):
            lines(data)
    if "UTF-8" in message:
        assert lines(data, "replace")[1][1].startswith("\ufffd") and lines(data, "ignore")[1][0] == "bad"


def test_a_word_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(reading, "_BLOCK", 16)
    with pytest.raises(InputError, match="byte 10: a word of more than 16 bytes"):
        lines(b"four five " + b"x" * 100)
    assert lines(b"four\n" + b"x" * 15) == [["four"], ["x" * 15]]


def test_packed_files_are_unpacked(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(TEXT))
    (tmp_path / "a.txt").write_bytes(TEXT)
    for name in ("a.txt", "a.txt.gz"):
        with opened(tmp_path / name) as file:
            assert [list(words) for words in read_sentences(file)] == lines(TEXT)
    (tmp_path / "b.gz").write_bytes(b"no gzip")
    with pytest.raises(InputError, match="damaged gzip"), opened(tmp_path / "b.gz") as file:
        file.read()
    with pytest.raises(InputError, match="no such file"), opened(tmp_path / "c"):
        pass


@pytest.mark.parametrize("block", [2**20, 3, 1])
def test_words_become_numbers(monkeypatch, block):
    monkeypatch.setattr(reading, "_BLOCK", block)
    growing = Growing()
    found = np.concatenate(list(numbered([["b", "a"], [], iter(["b", "c"])], growing)))
    assert found.dtype == np.int32 and found.tolist() == [1, 2, 0, 0, 1, 3, 0]
    assert growing.words() == ["</s>", "b", "a", "c"]
    known = Known({"b": 0, "</s>": 7})
    assert np.concatenate(list(numbered([["b", "a"], ["c"]], known))).tolist() == [0, -1, 7, -1, 7]
    assert list(numbered([], known)) == [] and "a" not in known
    with pytest.raises(InputError, match="sentence 2 contains"):
        list(numbered([["a"], ["b", "<s>"]], growing))


@pytest.mark.parametrize("block", [2**20, 8])
def test_lines_may_be_asked_for_as_they_are(monkeypatch, block):
    monkeypatch.setattr(reading, "_BLOCK", block)
    file = io.BytesIO(b"a  b and so on\n\n c\n")
    lines = ["".join(pieces) for pieces in read_sentences(file, split=lambda text: [text.rstrip("\n")])]
    assert lines == ["a  b and so on", "", " c"]
