"""What is aligned with what: command lines, folders, lists; and what has no partner."""

from __future__ import annotations

from pathlib import Path

import pytest

from percept.core.errors import InputError, UsageError
from percept.speech.acoustic.align.pairs import Pair, beside, resolve


def put(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def shown(pairs: list[Pair]) -> dict[str, str]:
    """Place of the answer -> words, or the problem."""
    found = {}
    for pair in pairs:
        try:
            found[str(pair.item.stem)] = pair.item.problem or " ".join(pair.words().words)
        except InputError as error:
            found[str(pair.item.stem)] = str(error)
    return found


def test_sounds_and_transcripts_in_turn(tmp_path: Path) -> None:
    put(tmp_path, {"a.wav": "", "b.flac": "", "1.txt": "yes", "2.text": "no"})
    found = resolve([str(tmp_path / name) for name in ("a.wav", "1.txt", "b.flac", "2.text")])
    assert shown(found) == {"a": "yes", "b": "no"}
    assert found[0].item.name == str(tmp_path / "a.wav")


def test_sounds_alone_have_their_words_beside_them(tmp_path: Path) -> None:
    put(tmp_path, {"a.wav": "", "a.txt": "yes", "b.wav": "", "b.LAB": "no", "c.wav": "", "x/c.txt": "far"})
    found = shown(resolve([str(tmp_path / f"{name}.wav") for name in "abc"]))
    assert found == {"a": "yes", "b": "no", "c": "no transcript: there is no c.txt or c.lab"}
    assert beside(tmp_path / "a.wav").words().words == ("yes",)


def test_words_on_the_command_line(tmp_path: Path) -> None:
    put(tmp_path, {"a.wav": "", "b.wav": ""})
    assert shown(resolve([str(tmp_path / "a.wav")], text="It's 5.")) == {"a": "it's five"}
    for inputs in ([str(tmp_path)], [str(tmp_path / "a.wav"), str(tmp_path / "b.wav")], [str(tmp_path / "*.wav")]):
        with pytest.raises(UsageError, match="--text holds the words of one sound"):
            resolve(inputs, text="yes")


def test_a_folder_of_pairs(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            **{
                "a.wav": "",
                "a.txt": "yes",
                "in/b.wav": "",
                "in/b.lab": "no",
                "README.txt": "about",
                ".c.txt": "hidden",
            },
            **{"lonely.wav": "", "loneli.txt": "words", "e.wav": "", "e.txt": "one", "e.lab": "two"},
            **{"f.wav": "", "f.txt": "same", "f.lab": "same"},
        },
    )
    assert shown(resolve([str(tmp_path)])) == {
        "a": "yes",
        "in/b": "no",
        "lonely": "no transcript: there is no lonely.txt or lonely.lab; did you mean loneli?",
        "loneli": "no sound of the name loneli; did you mean lonely?",
        "e": "e.lab and e.txt say different things: which is its transcript?",
        "f": "same",
    }


def test_two_folders(tmp_path: Path) -> None:
    put(
        tmp_path, {"s/a.wav": "", "s/in/b.wav": "", "s/c.wav": "", "t/a.txt": "yes", "t/in/b.txt": "no", "t/d.txt": "x"}
    )
    found = shown(resolve([str(tmp_path / "s"), str(tmp_path / "t")]))
    assert (found["a"], found["in/b"]) == ("yes", "no")
    assert found["c"].startswith("no transcript") and found["d"].startswith("no sound of the name d")
    put(tmp_path, {"t/a.wav": ""})  # now both hold sounds: each is a folder of pairs
    assert sum("no transcript" in what for what in shown(resolve([str(tmp_path / "s"), str(tmp_path / "t")])).values())


def test_librispeechs_lists(tmp_path: Path) -> None:
    lists = "1-2-0000 YES IT IS\n1-2-0001 NO\n1-2-0003 LOST\n"
    put(tmp_path, {"1/2/1-2.trans.txt": lists, **{f"1/2/1-2-000{n}.flac": "" for n in range(3)}})
    found = shown(resolve([str(tmp_path)]))
    assert found["1/2/1-2-0000"] == "yes it is" and found["1/2/1-2-0001"] == "no"
    assert "no transcript" in found["1/2/1-2-0002"] and "no sound" in found["1/2/1-2-0003"]
    assert resolve([str(tmp_path)])[-1].item.name.endswith("1-2.trans.txt line 3")
    assert beside(tmp_path / "1/2/1-2-0001.flac").words().words == ("no",)


def test_a_kaldi_folder_whose_commands_are_not_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    scp = f"r1 a.wav\nr2 touch {canary} |\nr3 gone.wav\n"
    segments = "u1.0 r1 0.0 1.5\nu2 r1 2.0 3.0\nu3 r1 5.0 4.0\nu4 r2 0 1\nu5 r3 0 1\n../../u6 r1 3.0 4.0\n"
    text = "u1.0 YES 3\nu2 NO\nu3 x\nu4 x\nu5 x\n../../u6 OUT\n"
    put(tmp_path / "k", {"wav.scp": scp, "segments": segments, "text": text, "a.wav": ""})
    pairs = resolve([str(tmp_path / "k")])
    good = {pair.item.name: pair for pair in pairs if pair.item.problem is None}
    assert {name: pair.words().words for name, pair in good.items()} == {
        "u1.0": ("yes", "three"),
        "u2": ("no",),
        "../../u6": ("out",),
    }
    assert (good["u2"].begin, good["u2"].end) == (2.0, 3.0)
    assert str(good["../../u6"].item.stem) == "u6"
    problems = "\n".join(f"{pair.item.name}: {pair.item.problem}" for pair in pairs if pair.item.problem)
    assert "wav.scp line 2: a command, which percept does not run: touch" in problems and "line 3: no file" in problems
    assert "segments line 3: times run backwards: 5 to 4 s" in problems
    assert not canary.exists()


def test_wrong_usage_is_told_before_anything_is_done(tmp_path: Path) -> None:
    put(tmp_path, {"a.wav": "", "a.txt": "yes", "b/a.wav": "", "b/a.txt": "no", "a.flac": ""})
    sound, text, other = str(tmp_path / "a.wav"), str(tmp_path / "a.txt"), str(tmp_path / "b" / "a.wav")
    with pytest.raises(UsageError, match="a.txt is a transcript, where a sound is expected; the sound comes first"):
        resolve([text, sound])
    with pytest.raises(UsageError, match="cannot be the transcript of all 2 sounds"):
        resolve([str(tmp_path / "a.[wf]*"), text])
    with pytest.raises(UsageError, match="standard input can be read only once"):
        resolve(["-", "-"])
    with pytest.raises(UsageError, match="standard input can be read only once"):
        resolve(["-", text, "-", text])
    with pytest.raises(UsageError, match='would both be written as "a"'):
        resolve([sound, text, other, text], out=tmp_path / "out")
    with pytest.raises(UsageError, match='would both be written as "a"'):
        resolve([str(tmp_path)], out=tmp_path / "out")  # a.wav and a.flac
    with pytest.raises(UsageError, match="a.txt is a transcript, and would be written over"):
        resolve([sound, text], out=tmp_path, writes=[".TextGrid", ".txt"])
    assert len(resolve([sound, text], out=tmp_path, writes=[".TextGrid"])) == 1


def test_what_is_not_there_is_a_pair_with_a_problem(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": "yes"})
    (tmp_path / "empty").mkdir()
    (pair,) = resolve([str(tmp_path / "a.wav"), str(tmp_path / "a.txt")])
    assert pair.item.problem is not None and pair.item.problem.startswith("no such file")
    (pair,) = resolve([str(tmp_path / "empty")])
    assert pair.item.problem == "no sound files in this folder"
    (pair,) = resolve(["-"])
    assert pair.item.problem == "no transcript: percept align - TRANSCRIPT"
