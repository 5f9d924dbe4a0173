"""Published layouts are known by their files, and each split has the lines that belong to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from percept.core.errors import InputError, UsageError
from percept.nlp.lm import corpus

TINY = Path(__file__).parents[3] / "data" / "lm_tiny"


def lines(texts: tuple[corpus.Text, ...]) -> list[str]:
    return ["".join(line) for text in texts for line in text.lines()]


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_train_valid_and_test_texts() -> None:
    found = corpus.read(TINY)
    assert found.layout == "splits" and list(found.texts) == ["train", "val", "test"]
    assert lines(found.split("val")) == (TINY / "valid.txt").read_text().splitlines()
    assert lines(found.split("valid")) == lines(found.split("val"))
    assert not found.split("train")[0].cut


def test_the_penn_treebank(tmp_path: Path) -> None:
    write(tmp_path, ptb__train__txt=" a b \n c \n", ptb__valid__txt=" a \n", ptb__test__txt=" b \n")
    found = corpus.read(tmp_path)
    assert (found.layout, found.style) == ("ptb", "ptb") and found.split("train")[0].cut
    assert [line.split() for line in lines(found.split("train"))] == [["a", "b"], ["c"]]


def test_wikitext_and_its_titles(tmp_path: Path) -> None:
    text = " \n = One = \n \n = = Part = = \n words \n \n = Two = \n more \n"
    write(tmp_path, **{f"wiki__{name}__tokens": text for name in ("train", "valid", "test")})
    found = corpus.read(tmp_path)
    assert found.layout == "wikitext" and found.split("test")[0].articles
    assert [line for line in lines(found.split("test")) if corpus.is_title(line)] == [" = One = ", " = Two = "]


def test_brown_is_cut_by_words_in_running_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "_BROWN", (5, 3))
    write(tmp_path, ca01="\n\n\tThe/at jury/nn said/vbd\n\n\tIt/pps was/bedz\n", cb01="\tand/or/cc so/rb\n\tno/dt\n")
    write(tmp_path, cr09="\tlast/ap ./.\n")
    found = corpus.read(tmp_path)
    assert lines(found.split("train")) == ["The jury said", "It was"]
    assert lines(found.split("val")) == ["and/or so", "no"]
    assert lines(found.split("test")) == ["last ."]


def test_text8_is_one_line_cut_by_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "_TEXT8", (4, 3))
    write(tmp_path, text8="abcdefghij")
    found = corpus.read(tmp_path)
    assert [lines(found.split(split)) for split in ("train", "val", "test")] == [["abcd"], ["efg"], ["hij"]]


def test_three_whole_books_are_test_and_the_end_of_each_other_is_val(tmp_path: Path) -> None:
    for name in (*corpus.BOOKS_TEST, "an-author_a-book"):
        (tmp_path / f"{name}.txt").write_text("".join(f"{name} {n}\n" for n in range(40)))
    found = corpus.read(tmp_path)
    assert {text.path.stem for text in found.split("test")} == set(corpus.BOOKS_TEST)
    assert len(lines(found.split("train"))) == 38 and len(lines(found.split("val"))) == 2


def test_a_file_or_any_folder_of_texts(tmp_path: Path) -> None:
    write(tmp_path, a__txt="".join(f"line {n}\n" for n in range(10)), b__md="one\n" * 20, c__jpg="x")
    found = corpus.read(tmp_path)
    assert found.layout == "texts" and len(lines(found.split("train"))) == 27 and len(lines(found.split("val"))) == 3
    single = corpus.read(tmp_path / "a.txt", hold_out=0.3)
    assert lines(single.split("val")) == ["line 7", "line 8", "line 9"]


def test_texts_that_are_cut_into_words_are_known_by_it(tmp_path: Path) -> None:
    write(tmp_path, cut__txt="He came , he saw .\n", plain__txt="He came, he saw.\n")
    assert {text.path.name: text.cut for text in corpus.read(tmp_path).split("train")} == {
        "cut.txt": True,
        "plain.txt": False,
    }


def test_a_text_that_may_be_cut_off_is_noted(tmp_path: Path) -> None:
    write(tmp_path, train__txt="a whole line\n", valid__txt="half a li", test__txt="")
    found = corpus.read(tmp_path)
    every = [text for texts in found.texts.values() for text in texts]
    assert corpus.notes(every) == [f"{tmp_path / 'valid.txt'}: its last line has no end; the text may be cut off"]


def test_what_is_no_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is nothing"):
        corpus.read(tmp_path)
    write(tmp_path, picture__jpg="x")
    with pytest.raises(UsageError, match=r"there is picture\.jpg"):
        corpus.read(tmp_path)
    with pytest.raises(UsageError, match="no split tets.*did you mean test"):
        corpus.read(TINY).split("tets")
    (tmp_path / "broken.txt").write_bytes(b"good \xff bad\n")
    with pytest.raises(InputError, match=r"broken\.txt: byte 5 is not UTF-8"):
        corpus.read(tmp_path)
    kept = corpus.read(tmp_path / "broken.txt", errors="replace")
    assert lines((*kept.split("train"), *kept.split("val"))) == ["good \ufffd bad"]
