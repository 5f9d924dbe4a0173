"""ARPA files are read as they are meant, written so that others read them, and refused by the line where they err."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from dictionaries import some_contexts, some_text

from percept.core.errors import PerceptError, UsageError
from percept.nlp.ngram import estimate, read_arpa, write_arpa

# As SRILM and others write: comment in front, <s> anywhere, back-off weights missing where they are 0, no </s> b, and
# the 3-gram "a b a" without the 2-gram "b a" that ends it and "b c a" without "b c" that begins it.
FOREIGN = """made by hand

\\data\\
ngram 1=6
ngram 2=3
ngram 3=2

\\1-grams:
-1.0\ta\t-0.5
-99\t<s>\t-0.25
-0.75\t</s>
-0.5 b -0.125
-2\t<unk>
-1.25\tc

\\2-grams:
-0.25\ta b\t-0.0625
-0.5\t<s> a
-0.375\tb </s>

\\3-grams:
-0.125\ta b a
-0.1875\tb c a

\\end\\
"""


@pytest.fixture
def foreign(tmp_path):
    path = tmp_path / "foreign.arpa"
    path.write_text(FOREIGN)
    return path


def test_a_foreign_file_scores_as_by_hand(foreign):
    model = read_arpa(foreign)
    assert model.words == ("a", "</s>", "b", "<unk>", "c") and model.order == 3
    assert model.score(["a", "b", "a"]) == [
        -0.5,  # <s> a
        -0.25,  # a b; <s> a has no weight
        -0.125,  # a b a
        -0.5 - 0.75,  # a </s>
    ]
    assert model.score(["b", "c", "a", "b"], end=False) == [
        -0.25 - 0.5,  # <s> to b
        -0.125 - 1.25,  # b to c
        -0.1875,  # b c a
        -0.25,  # a b, as c a is not there
    ]
    assert model.score(["a", "b", "c", "zebra"], end=False)[2:] == [-0.0625 - 0.125 - 1.25, -2.0]
    assert model.score(["b"], begin=False) == [-0.5, -0.375]


def test_what_a_file_leaves_out_changes_nothing(foreign, tmp_path):
    model = read_arpa(foreign)
    assert model.counts == (6, 4, 2)  # "b c" was put in
    write_arpa(model, tmp_path / "again.arpa")
    again = read_arpa(tmp_path / "again.arpa")
    assert again.words == model.words
    for mine, theirs in zip(again.trie, model.trie, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def read_bytes(path):
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("name", ["a.arpa", "a.arpa.gz"])
def test_what_is_written_is_read(tmp_path, order, name):
    model = estimate(some_text(2), order)
    write_arpa(model, tmp_path / name)
    again = read_arpa(tmp_path / name)
    assert (again.words, again.counts, again.start) == (model.words, model.counts, model.start)
    for mine, theirs in zip(again.trie, model.trie, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    for context in some_contexts(model.words, seed=4, count=20):
        assert abs(again.distribution(context).sum() - 1) < 1e-5
    write_arpa(again, tmp_path / f"2{name}")
    assert read_bytes(tmp_path / name) == read_bytes(tmp_path / f"2{name}")


def test_the_text_of_a_file(tmp_path):
    write_arpa(estimate([["a", "b"], ["a"]], 2, unknown=False), tmp_path / "a.arpa")
    assert (tmp_path / "a.arpa").read_text() == (
        "\\data\\\nngram 1=4\nngram 2=4\n\n"
        "\\1-grams:\n-0.3802112\t</s>\n-0.5351132\ta\t-0.30103\n-0.5351132\tb\t-0.30103\n-99\t<s>\t-0.30103\n\n"
        "\\2-grams:\n-0.3388186\ta </s>\n-0.4024876\ta b\n-0.1497623\tb </s>\n-0.1898795\t<s> a\n\n"
        "\\end\\\n"
    )


def test_seven_digits_are_written(tmp_path):
    model = estimate(some_text(2), 3)
    write_arpa(model, tmp_path / "a.arpa")
    numbers = [line.split("\t")[0] for line in (tmp_path / "a.arpa").read_text().splitlines() if "\t" in line]
    assert max(len(number.lstrip("-0.").replace(".", "")) for number in numbers) == 7


def test_other_spellings(tmp_path):
    text = FOREIGN.replace("<unk>", "<UNK>").replace("-1.25\tc", "-inf\tc").replace("ngram 1=6", "ngram  1 = 6 ")
    path = tmp_path / "a.arpa"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    model = read_arpa(path)
    assert model.words[3] == "<unk>" and model.score(["zebra"], end=False) == [-2.25]
    assert model.score(["c"], begin=False, end=False) == [-99]


def test_a_file_without_begin_or_unknown(tmp_path):
    path = tmp_path / "a.arpa"
    path.write_text("\\data\\\nngram 1=2\nngram 2=0\n\\1-grams:\n-0.3 </s>\n-0.301 ä\xa0b\n\\2-grams:\n\\end\\")
    model = read_arpa(path)
    assert model.words == ("</s>", "ä\xa0b") and model.order == 1
    assert model.score(["ä\xa0b", "c"]) == pytest.approx([-0.301, -100, -0.3])


CHANGES = [
    ("ngram 1=6", "ngram 1=5", "line 14: more 1-grams than the 5 that"),
    ("ngram 1=6", "ngram 1=7", "line 15: the 1-grams end after 6; \\data\\ promises 7"),
    ("ngram 2=3", "ngram 2=4", "line 20: the 2-grams end after 3; \\data\\ promises 4"),
    ("ngram 3=2", "ngram 3=1", "line 23: more 3-grams than the 1 that"),
    ("ngram 3=2", "ngram 3=999999999999", "line 24: the 3-grams end after 2"),
    ("ngram 2=3", "ngram 4=3", 'line 5: "ngram 4=3" where ngram 2= is expected'),
    ("ngram 1=6\nngram 2=3\nngram 3=2", "", 'line 6: "\\1-grams:" where ngram 1= is expected'),
    ("\\2-grams:", "\\3-grams:", 'line 16: "\\3-grams:" where \\2-grams: is expected'),
    ("-1.0\ta", "one\ta", 'line 9: "one" is no number'),
    ("-1.0\ta", "nan\ta", "line 9: a log10 of a probability above 0, or no finite number"),
    ("-1.0\ta", "0.5\ta", "line 9: a log10 of a probability above 0"),
    ("-1.0\ta\t-0.5", "-1.0\ta\tinf", "line 9: a log10 of a probability above 0, or no finite number"),
    ("-1.0\ta\t-0.5", "-1.0\ta\t-0.5x", 'line 9: "-0.5x" is no number'),
    ("-1.0\ta\t-0.5", "-1.0\ta\t-0.5\t3", "line 9: 4 columns where 2 or 3 are expected"),
    ("-0.25\ta b", "-0.25\ta", 'line 17: "-0.0625" is not among the words'),
    ("-0.25\ta b\t-0.0625", "-0.25", "line 17: 1 columns where 3 or 4 are expected"),
    ("-0.25\ta b", "-0.25\ta zebra", 'line 17: "zebra" is not among the words of \\1-grams:'),
    ("-0.375\tb </s>", "-0.375\ta b", "line 19: this 2-gram was there before"),
    ("-2\t<unk>", "-2\tb", "line 13: this 1-gram was there before"),
    ("</s>", "<e>", "</s> is not among the words"),
    ("\\end\\", "\\4-grams:", 'line 25: "\\4-grams:" where \\end\\ is expected'),
    ("\\end\\\n", "", "line 24: the file is cut off: no \\end\\"),
    ("\\data\\", "\\date\\", "the file is cut off: no \\end\\"),
]


@pytest.mark.parametrize(("old", "new", "message"), CHANGES)
def test_errors_name_the_line(tmp_path, old, new, message):
    assert old in FOREIGN
    path = tmp_path / "bad.arpa"
    path.write_text(FOREIGN.replace(old, new))
    with pytest.raises(UsageError) as caught:
        read_arpa(path)
    assert str(caught.value).startswith(f"{path}: ") and message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_cut_anywhere_is_refused(tmp_path):
    path = tmp_path / "cut.arpa"
    whole = FOREIGN.rstrip().encode()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(UsageError):
            read_arpa(path)
    packed = gzip.compress(whole)
    for size in (5, len(packed) // 2, len(packed) - 3):
        (tmp_path / "cut.arpa.gz").write_bytes(packed[:size])
        with pytest.raises(UsageError, match="damaged gzip"):
            read_arpa(tmp_path / "cut.arpa.gz")
    path.write_bytes(whole)
    assert read_arpa(path).order == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty file"),
        (b"just text\n" * 2000, "no ARPA file"),
        (b"\x00" * 3_000_000, "the file is cut off"),
        (FOREIGN.replace("zebra", "").replace("\tc\n", "\t\xff\n").encode("latin-1"), 'line 14: "\ufffd" is not UTF-8'),
    ],
)
def test_other_files_are_refused(tmp_path, data, message):
    path = tmp_path / "other.arpa"
    path.write_bytes(data.replace(b"b c a", b"b b a"))
    with pytest.raises(UsageError, match=message):
        read_arpa(path)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"none.arpa: no such file"):
        read_arpa(tmp_path / "none.arpa")
    with pytest.raises(UsageError, match="a folder, not a file"):
        read_arpa(tmp_path)
    (tmp_path / "plain").write_text("")
    with pytest.raises(PerceptError, match="cannot be written"):
        write_arpa(estimate([["a"]], 1), tmp_path / "plain" / "a.arpa")


def test_words_with_blanks_have_no_room_in_the_format(tmp_path):
    with pytest.raises(UsageError, match="' ' is a word of this model"):
        write_arpa(estimate([list("a b")], 2), tmp_path / "a.arpa")
    assert not list(tmp_path.iterdir())
