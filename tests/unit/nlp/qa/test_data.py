"""Folders of stories: bAbI's tree and one's own files, their kinds and splits."""

from __future__ import annotations

from pathlib import Path

import pytest

from percept.core.errors import UsageError
from percept.nlp.qa import data
from percept.nlp.qa.options import Chosen

TINY = Path(__file__).parents[3] / "data"


def own(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("1 Mary went home.\n2 Where is Mary?\thome\t1\n1 Bill left.\n2 Who left?\tBill\t1\n")
    return folder


def test_a_tree_of_languages_and_sizes(tmp_path: Path) -> None:
    for name in ("en", "hn", "en-10k"):
        own(tmp_path / name, "qa2_two-supporting-facts_train.txt", "qa10_indefinite-knowledge_test.txt")
    assert data.recognise(tmp_path)
    assert data.root_of(tmp_path, "en", "10k") == tmp_path / "en-10k"
    kinds = data.choose(tmp_path, Chosen(language="hn"))
    assert [(kind.number, kind.name) for kind in kinds] == [(2, "two supporting facts"), (10, "indefinite knowledge")]
    assert data.splits_of(kinds) == ["train", "test"]
    with pytest.raises(UsageError, match="no shuffled in it, there is en, en-10k, hn"):
        data.root_of(tmp_path, "shuffled", "1k")


def test_ones_own_files(tmp_path: Path) -> None:
    own(tmp_path, "mine_train.txt", "mine_valid.txt", "qa3_train.txt", "notes.txt", "readme_first.md")
    kinds = data.kinds_in(tmp_path)
    assert [(kind.number, kind.name, sorted(kind.files)) for kind in kinds] == [
        (3, "task 3", ["train"]),
        (0, "mine", ["train", "val"]),
    ]
    assert [kind.name for kind in data.choose(tmp_path, Chosen(tasks=("mine",)))] == ["mine"]
    asked, problems = data.read_split(kinds, "val")
    assert len(asked) == 2 and {one.kind for one in asked} == {1}
    assert [str(problem) for problem in problems] == ["qa3: no val file"]


def test_names_of_kinds_by_number_slug_or_words() -> None:
    folder = TINY / "babi_tiny"
    for wanted in ("19", "path-finding", "path finding"):
        assert [kind.number for kind in data.choose(folder, Chosen(tasks=(wanted,)))] == [19]
    with pytest.raises(UsageError, match='no task "21"'):
        data.choose(folder, Chosen(tasks=("21",)))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        data.root_of(tmp_path / "nowhere", "en", "1k")
    with pytest.raises(UsageError, match="there is nothing"):
        data.root_of(tmp_path, "en", "1k")
    assert not data.recognise(tmp_path)
    kinds = data.kinds_in(own(tmp_path / "own", "mine_val.txt"))
    with pytest.raises(UsageError, match="no split vall, there is val; did you mean val"):
        data.read_split(kinds, "vall")
    (tmp_path / "own" / "mine_val.txt").write_text("1 Mary went home.\n")
    with pytest.raises(UsageError, match="no question with an answer in val"):
        data.read_split(kinds, "val")


def test_whole_stories_are_held_out() -> None:
    kinds = data.choose(TINY / "qa_tiny", Chosen())
    asked, _ = data.read_split(kinds, "train")
    for mix in (False, True):
        train, held = data.hold_out(asked, 0.3, 0, mix=mix)
        assert len(train) + len(held) == len(asked)
        assert not {(one.kind, one.story) for one in train} & {(one.kind, one.story) for one in held}
        assert {one.kind for one in held} == {0, 1}
    last, _ = data.hold_out(asked, 0.3, 0, mix=False)
    assert max(one.story for one in last if one.kind == 0) < 5, "the last stories of each kind"


def test_one_story_cannot_be_split() -> None:
    kinds = data.choose(TINY / "qa_tiny", Chosen(tasks=("1",)))
    asked = [one for one in data.read_split(kinds, "train")[0] if one.story == 0]
    with pytest.raises(UsageError, match="too few stories"):
        data.hold_out(asked, 0.1, 0, mix=False)


def test_of_several_folders_one_has_to_have_what_is_asked_for(tmp_path: Path) -> None:
    first = own(tmp_path / "first", "qa1_single-supporting-fact_train.txt")
    last = own(tmp_path / "last", "qa19_path-finding_train.txt")
    both = own(tmp_path / "both", "qa1_single-supporting-fact_train.txt", "qa19_path-finding_train.txt")
    found = data.choose_of([first, last, both], Chosen(tasks=("19", "1")))
    assert [[kind.number for kind in kinds] for kinds in found] == [[1], [19], [19, 1]]
    with pytest.raises(UsageError, match='no task "3"'):
        data.choose_of([first, last], Chosen(tasks=("1", "3")))
    with pytest.raises(UsageError, match=r"last: none of the tasks 1$"):
        data.choose_of([first, last], Chosen(tasks=("1",)))
