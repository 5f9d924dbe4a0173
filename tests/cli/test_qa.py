"""What a person types to ask: questions on the command line, the prompt, and fresh stories."""

from __future__ import annotations

from pathlib import Path

from commandline import percept

TINY = Path(__file__).parents[1] / "data" / "qa_tiny"
STORY = TINY / "garden.txt"


def test_questions_of_the_command_line_take_the_place_of_those_in_the_file() -> None:
    ran = percept("qa", STORY, "-q", "Where is John?", "-q", "Where is Mary?", "--json")
    assert ran.code == 0
    assert [result["question"] for result in ran.json["results"]] == ["Where is John?", "Where is Mary?"]
    assert percept("qa", STORY, "--json").json["results"][0]["question"] == "Where is Mary?"


def test_a_story_on_standard_input() -> None:
    ran = percept("qa", "-", stdin=b"Mary went to the kitchen.\nWhere is Mary?\n")
    assert ran.code == 0 and ran.out.startswith("-\tWhere is Mary?\t")


def test_without_a_story_a_prompt_opens() -> None:
    told = b"Mary went to the kitchen.\nJohn went to the park.\nback\nWhere is Mary?\nhelp\nquit\nWhere is John?\n"
    ran = percept("qa", stdin=told)
    assert ran.code == 0
    assert ran.lines[0] == "taken back: John went to the park."
    assert "Where is Mary?" in ran.out and "Where is John?" not in ran.out and "take back" in ran.out
    assert percept("qa", "--out", "x").code == 2, "without a story nothing is written"


def test_pages_and_pictures_of_where_it_looked(tmp_path: Path) -> None:
    two = tmp_path / "two.txt"
    two.write_text(STORY.read_text() * 2)
    ran = percept("qa", two, "--out", tmp_path / "pages", "--json")
    page = (tmp_path / "pages" / "two.html").read_text()
    assert page.count("<table>") == 2 and "Mary travelled to the office." in page
    assert [result["story"] for result in ran.json["results"]] == [1, 2]
    assert percept("qa", STORY, "--out", tmp_path / "pages", "--save", "png").code == 0
    assert (tmp_path / "pages" / "garden_1.png").read_bytes().startswith(b"\x89PNG")
    assert percept("qa", STORY, "--save", "png").code == 2


def test_what_cannot_be_answered_is_one_line(tmp_path: Path) -> None:
    for name, content, said in (
        ("question.txt", "Where is Mary?\n", "no story: a question needs sentences before it"),
        ("story.txt", "Mary left.\n", 'no question in it; ask one with -q "..."'),
        ("empty.txt", "\n", "an empty file, no story"),
    ):
        (tmp_path / name).write_text(content)
        ran = percept("qa", tmp_path / name)
        assert ran.code == 1 and f"{tmp_path / name}: {said}; skipped" in ran.err


def test_fresh_stories_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    first, second, other = (
        percept("data", "new", "qa", "--tasks", "1,17", "--stories", "2", "--seed", seed) for seed in (5, 5, 6)
    )
    assert first.code == 0 and first.out == second.out != other.out
    assert first.out.startswith("1 ") and first.out.count("\t") == 2 * (2 * 5 + 2 * 8)
    ran = percept("data", "new", "qa", "--tasks", "19", "--stories", "1", "--out", tmp_path)
    assert ran.out == "" and str(tmp_path / "qa19_path-finding_train.txt") in ran.err
    assert percept("data", "new", "detect").code == 2
    short = percept("data", "new", "qa", "--tasks", "17", "--stories", "1", "--steps", "1")
    assert short.out.startswith("1 ") and short.out.splitlines()[1].endswith("\t1"), "one sentence, then questions"
    refused = percept("data", "new", "qa", "--tasks", "1,17", "--steps", "1")
    assert refused.code == 2 and "only of kinds 17, 18, 19" in refused.err
