"""What people hand in: good photos among broken ones, standard input, lists, videos without end."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import hostile
import numpy as np
import pytest
from commandline import percept, process
from inputs import EXAMPLES, INPUTS
from PIL import Image

from percept.vision.detect import detector
from percept.vision.image import read_image

DETECT = INPUTS["detect"]
CAT = EXAMPLES / "cat_grooming.jpg"  # 800 x 533
MEMORY = 1.5e9  # bytes beyond what the imports take


def holiday(folder: Path) -> tuple[list[str], dict[str, str]]:
    """A folder of photos as it may come: names of those that are photos, and of the others with what is wrong."""
    folder.mkdir()
    cat = Image.fromarray(read_image(CAT))
    whole = CAT.read_bytes()
    (folder / "plain.jpg").write_bytes(whole)
    cat.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side
    cat.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.jpg", exif=exif, quality=95)
    wide = np.asarray(cat).astype(">u2") * 257
    rows = b"".join(b"\x00" + row.tobytes() for row in wide)
    (folder / "sixteen.png").write_bytes(hostile.png(cat.width, cat.height, 16, 2, rows))
    (folder / "cut.jpg").write_bytes(whole[:20_000])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "huge.png").write_bytes(hostile.png(30_000, 30_000, 8, 2, bytes(1000)))
    (folder / "notes.jpg").write_text("Milk, eggs, flour.\n" * 30)
    wrong = {
        "cut.jpg": "cut off after 20,000 bytes",
        "empty.jpg": "an empty file",
        "huge.png": "30,000 x 30,000 pixels are more than 100 million",
        "notes.jpg": "not a picture (it begins like text)",
    }
    return ["cmyk.jpg", "plain.jpg", "sixteen.png", "turned.jpg"], wrong


def test_a_folder_of_good_odd_and_broken_photos(tmp_path: Path) -> None:
    """The good ones are done, each bad one is a line and an error, in little more memory than the imports take."""
    good, wrong = holiday(tmp_path / "photos")
    words = ["detect", str(tmp_path / "photos"), *DETECT.with_weights, "--json", "--out", str(tmp_path / "out")]
    script = f"""
        import re, sys
        from pathlib import Path
        import percept.vision.detect.task
        from percept.cli import main
        def peak():
            return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
        before = peak()
        try:
            main({words!r})
        finally:
            print("grown by", peak() - before, file=sys.stderr)
    """
    ran = process(sys.executable, "-c", textwrap.dedent(script))
    assert ran.code == 1, ran.err
    results = {Path(result["input"]).name: result for result in ran.json["results"]}
    assert sorted(results) == sorted([*good, *wrong])
    for name in good:
        found = results[name]
        assert (found["width"], found["height"]) == (800, 533)
        best = found["detections"][0]
        assert best["label"] == "cat" and best["score"] > 0.5, name
        assert np.abs(np.subtract(best["box"], results["plain.jpg"]["detections"][0]["box"])).max() < 12, name
        assert read_image(Path(found["files"]["picture"])).shape == (533, 800, 3)
    lines = ran.err.splitlines()
    for name, said in wrong.items():
        assert said in results[name]["error"]
        path = tmp_path / "photos" / name
        assert lines.count(f"{path}: {results[name]['error']}; skipped") == 1
    assert "4 of 8 done, 4 failed" in lines
    grown = int(lines[-1].removeprefix("grown by "))
    assert grown < MEMORY, f"{grown / 1e6:.0f} MB"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == good


@pytest.mark.parametrize("task", ["detect", "classify"])  # of stereo an input is a pair: test_stereo.py
def test_every_file_of_the_corpus_is_answered_or_refused_with_its_sentence(task: str, tmp_path: Path) -> None:
    cases = [case for case in hostile.write_corpus(tmp_path / "corpus") if not case.path.is_dir()]
    scales = ("--scales", "64")
    ran = percept(task, *(case.path for case in cases), *INPUTS[task].with_weights, *scales, "--json")
    assert ran.code == 1
    results = ran.json["results"]
    assert [result["input"] for result in results] == [str(case.path) for case in cases]
    for case, result in zip(cases, results, strict=True):
        assert ("error" not in result) == case.good, (case, result)
        assert case.good or case.says in result["error"]
    assert f"{sum(case.good for case in cases)} of {len(cases)} done" in ran.err


def test_standard_input_and_lists(tmp_path: Path) -> None:
    ran = percept("detect", "-", *DETECT.with_weights, "--json", stdin=CAT.read_bytes())
    assert ran.code == 0
    (result,) = ran.json["results"]
    assert result["input"] == "-" and result["detections"][0]["label"] == "cat"
    (tmp_path / "list.txt").write_text(f"# two of them\n{CAT}\n\n{DETECT.predict[0]}\n")
    ran = percept("detect", f"@{tmp_path / 'list.txt'}", *DETECT.with_weights, "--json")
    assert [one["input"] for one in ran.json["results"]] == [str(CAT), str(DETECT.predict[0])]
    nothing = percept("detect", tmp_path / "nothing*.jpg", *DETECT.with_weights, "--json")
    assert nothing.code == 1
    assert "no pictures match this pattern" in nothing.json["results"][0]["error"]


def test_the_answer_does_not_depend_on_the_other_inputs() -> None:
    photos = [CAT, *DETECT.predict]
    together = percept("detect", *photos, *DETECT.with_weights, "--json").json["results"]
    backwards = percept("detect", *photos[::-1], *DETECT.with_weights, "--json").json["results"]
    alone = [percept("detect", photo, *DETECT.with_weights, "--json").json["results"][0] for photo in photos]
    assert together == backwards[::-1] == alone


@pytest.mark.parametrize("form", ["json", "csv"])  # written as it comes; kept to the end
def test_a_video_without_end_needs_no_more_memory(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 frames of 640 x 480 are 276 MB if they are kept."""
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    count, sizes = 300, []
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"\x00\x00\x00\x18ftypmp42")

    def frames(_: object, every: int = 1) -> Iterator[tuple[int, float, np.ndarray]]:
        for number in range(0, count, every):
            sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096)
            yield number, number / 25, np.full((480, 640, 3), number % 251, np.uint8)

    monkeypatch.setattr(detector.video, "frames", frames)
    ran = percept("detect", clip, *DETECT.with_weights, "--scales", "32", "--conf", "0.05", "--format", form)
    assert ran.code == 0, ran.err
    if form == "json":
        assert [result["frame"] for result in ran.json["results"]] == list(range(count))
        assert json.loads(ran.out)["results"][25]["seconds"] == 1.0
    else:
        assert ran.lines[0] == "input,frame,seconds,label,score,x0,y0,x1,y1"
    assert max(sizes[100:]) - sizes[100] < 60e6
