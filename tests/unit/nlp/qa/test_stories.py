"""Stories as files have them and as people write them; what is wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from percept.core.errors import InputError
from percept.nlp.qa.stories import decode, parse, read_stories
from percept.nlp.qa.story import Story, answer_words, words

PLAIN = "Mary went to the park. John went home.\nWhere is Mary?\n"
NUMBERED = "1 Mary went to the park.\n2 John went home.\n3 Where is Mary? \tpark\t1\n"


def only(text: str) -> Story:
    stories, problems = parse(text)
    assert problems == []
    assert len(stories) == 1
    return stories[0]


def test_numbered_lines_and_plain_sentences_are_one_story() -> None:
    numbered, plain = only(NUMBERED), only(PLAIN)
    assert numbered.sentences == plain.sentences == ("Mary went to the park.", "John went home.")
    assert numbered.questions[0].seen == plain.questions[0].seen == 2
    assert numbered.questions[0].answer == "park" and plain.questions[0].answer == ""
    assert numbered.questions[0].supports == (0,)


@pytest.mark.parametrize(
    "text",
    [
        NUMBERED.replace("\n", "\r\n"),
        NUMBERED.replace("\n", "\n\n"),
        NUMBERED.replace("home.", "home").replace("park.", "park"),
        NUMBERED.replace("? \t", "?\t"),
        NUMBERED.upper().replace("PARK\t1", "park\t1"),
        "\ufeff" + NUMBERED,
    ],
)
def test_the_same_story_otherwise_written(text: str) -> None:
    story = only(text.lstrip("\ufeff"))
    assert [words(one) for one in story.sentences] == [("mary", "went", "to", "the", "park"), ("john", "went", "home")]
    assert story.questions[0].answer == "park" and story.questions[0].supports == (0,)


def test_number_one_begins_another_story_and_so_does_an_empty_line_between_plain_ones() -> None:
    assert [len(story.sentences) for story in parse(NUMBERED + NUMBERED)[0]] == [2, 2]
    assert [len(story.sentences) for story in parse(PLAIN + "\n" + PLAIN)[0]] == [2, 2]
    assert [len(story.sentences) for story in parse(PLAIN + NUMBERED)[0]] == [2, 2]


def test_a_question_sees_only_what_was_told_before() -> None:
    story = only("1 Mary went home.\n2 Where is Mary?\thome\t1\n3 Mary left.\n4 Where is Mary?\taway\t3\n")
    assert [question.seen for question in story.questions] == [1, 2]
    assert story.questions[1].supports == (1,), "line 3 is the second sentence"


def test_a_sentence_may_hold_a_question_mark_where_a_tab_tells_questions() -> None:
    story = only("1 Pallavi bhedia hai ?.\n2 Pallavi kissey darti hai?\trasoi ghar\t1\n")
    assert len(story.sentences) == 1 and story.questions[0].answer == "rasoi ghar"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("1 Mary left.\n2 Where is Mary?\thome\t7\n", 2, "support 7 is no earlier sentence"),
        ("1 Mary left.\n2 Where is Mary?\thome\tx\n", 2, "support x is no earlier sentence"),
        ("1 Mary left.\n2 What has Mary?\tmilk;apple\t1\n", 2, "parted by single commas"),
        ("1 Mary left.\n2 What has Mary?\tmilk,,apple\t1\n", 2, "parted by single commas"),
        ("1 Mary left.\n2 .\n", 2, "no words"),
        ("1 Mary left.\n2 \thome\t1\n", 2, "without a question"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, said: str) -> None:
    _, problems = parse(text)
    assert [problem.line for problem in problems] == [line]
    assert said in str(problems[0]) and str(problems[0]).startswith(f"line {line}: ")


def test_files_that_are_no_stories(tmp_path: Path) -> None:
    for name, content, said in (
        ("empty.txt", b"", "empty file"),
        ("blank.txt", b" \n\n", "empty file"),
        ("picture.txt", b"\xff\xd8\xff\xe0\x00\x10JFIF", "JPEG picture"),
        ("zeros.txt", b"ab\x00cd", "not a story"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=said):
            read_stories(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        read_stories(tmp_path / "nowhere.txt")
    with pytest.raises(InputError, match="a folder"):
        read_stories(tmp_path)


def test_text_of_windows_editors() -> None:
    assert decode(PLAIN.encode("utf-16")) == PLAIN
    assert decode(b"\xef\xbb\xbf" + PLAIN.encode()) == PLAIN


def test_words_and_answers() -> None:
    assert words("Mary's  dog, 'Rex', ran!?") == ("mary's", "dog", "rex", "ran")
    assert words(" . ? ") == ()
    assert answer_words(" Milk , Apple") == ("milk", "apple")


def test_ten_thousand_sentences_are_read_quickly() -> None:
    story = only("\n".join(f"{n} Mary went to the park." for n in range(1, 10_001)) + "\n10001 Where is Mary?\tpark\t1")
    assert len(story.sentences) == 10_000 and story.questions[0].seen == 10_000
