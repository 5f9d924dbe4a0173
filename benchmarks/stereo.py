"""percept stereo beside OpenCV's matchers on the same pairs: errors and times; and the memory of a large pair.

    python benchmarks/stereo.py --data FOLDER [--split v3] [--weights NAME ...] [--opencv PYTHON] [--json FILE]
    python benchmarks/stereo.py --large [--weights NAME ...] [--json FILE]

First table. Each system gets the same decoded pairs and looks for the same number of disparities, the set's own,
rounded up to a multiple of 16. "bad-2" is the share of the pixels seen by both views whose filled answer is wrong by
more than 2 pixels (bad-3 on KITTI); "average" is the mean error there, in pixels; "answered" the share of them that was
not filled. percept fills by itself; OpenCV's holes get the smaller of the nearest answers to the left and right, 0 in a
row without any. All are scored by percept's metrics. "ms" are milliseconds for a million pixels times disparities, from
decoded pixels to disparities, with so many threads; each "ratio" is to StereoSGBM MODE_HH. Every row of percept and all
of OpenCV have processes of their own and take turns round by round, so that a machine that gets slower does so for all;
the figures are medians over rounds, behind a pass over all pairs to warm up, in which numba compiles. opencv_rows.py
has OpenCV's settings; its WLS row needs the Python of an environment with opencv-contrib-python: --opencv PYTHON.

Second table. Where percept's time goes, in the same unit.

--large: the pair of examples/stereo scaled up to 2880 x 1988 pixels and 256 disparities, through ``percept stereo`` in
a process of its own: its time, and its memory at the highest, which has to stay below 8 GB (else the exit code is 1).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from percept.core.console import say, size, stdout, table
from percept.core.device import available_cores
from percept.core.scripts import watched

BASE = "sgbm_hh"  # what the others are measured by
LARGE, LARGE_DISPARITIES, LIMIT = (2880, 1988), 256, 8e9  # width and height; disparities; bytes
PAIR = Path(__file__).resolve().parents[1] / "examples" / "stereo" / "motorcycle"
Spent = dict[str, dict[str, float]]  # pair -> step -> seconds; the step WHOLE is all of them and what is between
WHOLE = "all"


def systems(weights: list[str] | None) -> dict[str, dict[str, Any]]:
    """percept's rows: name -> options of ``percept.load``. None stands for the weights that it comes with."""
    nets = {"percept": {}} if weights is None else {f"percept, {name}": {"weights": name} for name in weights}
    return {**nets, "percept, census": {"cost": "census"}}


def work(pipe: Connection, options: dict[str, Any], scenes: list[Any], counts: list[int]) -> None:
    """percept's process: sends its scores when it is warm, and a round's seconds for each number of threads asked."""
    import torch

    import percept
    from percept.vision.stereo import data, decode, metrics

    matchers = {count: percept.load("stereo", device="cpu", threads=count, **options) for count in counts}
    pairs = {scene.name: data.read_pair(scene) for scene in scenes}

    def match(pair: data.Pair, threads: int) -> decode.Answer:
        torch.set_num_threads(threads)
        mine = matchers[threads]
        how = {"options": mine.options, "matching": mine.matching, "device": mine.device}
        return decode.match(mine.network, pair.left, pair.right, **how, max_disp=pair.ndisp - 1)

    scores = {}
    for name, pair in pairs.items():
        answer = match(pair, counts[0])
        scores[name] = metrics.score(answer.disparity, pair.truth, pair.visible, ~answer.found)
    for count in counts[1:]:
        match(next(iter(pairs.values())), count)
    pipe.send(scores)
    with contextlib.suppress(EOFError):  # the first process was stopped
        while threads := pipe.recv():
            spent: Spent = {}
            for name, pair in pairs.items():
                began = time.perf_counter()
                steps = match(pair, threads).seconds
                spent[name] = {**steps, WHOLE: time.perf_counter() - began}
            pipe.send(spent)


class Percept:
    """One of percept's rows, in a fresh process."""

    def __init__(self, name: str, options: dict[str, Any], scenes: list[Any], counts: list[int]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, there = context.Pipe()
        context.Process(target=work, args=(there, options, scenes, counts), daemon=True).start()
        there.close()  # so that a process that dies is noticed here
        self.scores = {name: self.pipe.recv()}

    def round(self, threads: int) -> dict[str, Spent]:
        self.pipe.send(threads)
        return {row: self.pipe.recv() for row in self.scores}


class OpenCV:
    """OpenCV's rows, in a process of the Python that has it."""

    def __init__(self, python: str, scenes: list[Any], folder: Path) -> None:
        import numpy as np

        from percept.vision.stereo import data, filling, metrics

        pairs = {scene.name: data.read_pair(scene) for scene in scenes}
        asked = [
            {"name": s.name, "left": str(s.left), "right": str(s.right), "ndisp": pairs[s.name].ndisp} for s in scenes
        ]
        (folder / "pairs.json").write_text(json.dumps(asked))
        files = ["--pairs", str(folder / "pairs.json"), "--out", str(folder / "rows.npz")]
        command = [python, str(Path(__file__).with_name("opencv_rows.py")), *files, "--turns"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        about = self._line()
        self.version = about["opencv"]
        self.scores: dict[str, Any] = {row: {} for row in about["rows"]}
        with np.load(folder / "rows.npz") as answers:
            for row, scores in self.scores.items():
                for name, pair in pairs.items():
                    holed = answers[f"{row}/{name}"]
                    empty = np.isnan(holed).all(axis=1, keepdims=True)  # (H, 1): BM's first and last rows
                    filled = np.where(empty, 0, filling.fill_smallest(holed))
                    scores[name] = metrics.score(filled, pair.truth, pair.visible, np.isnan(holed))

    def round(self, threads: int) -> dict[str, Spent]:
        assert self.process.stdin is not None
        print(threads, file=self.process.stdin, flush=True)
        return {row: {name: {WHOLE: spent} for name, spent in pairs.items()} for row, pairs in self._line().items()}

    def _line(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args}: ended with {self.process.wait()}")
        return json.loads(line)


def compared(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All figures of the first two tables."""
    from percept.vision.stereo import data, metrics

    scenes = list(data.read_scenes(args.data, args.split))
    work_of = {scene.name: million(data.read_pair(scene)) for scene in scenes}  # pair -> million pixels x disparities
    opencv = OpenCV(args.opencv, scenes, folder)
    mine = [Percept(name, options, scenes, args.threads) for name, options in systems(args.weights).items()]
    rounds: dict[int, list[dict[str, Spent]]] = {count: [] for count in args.threads}
    for at in range(args.rounds):
        say(f"round {at + 1} of {args.rounds}")
        for count in args.threads:
            rounds[count].append({})
            for system in (opencv, *mine):
                rounds[count][-1].update(system.round(count))
    scores = {row: score for system in (opencv, *mine) for row, score in system.scores.items()}
    total = sum(work_of.values())
    rows: list[dict[str, Any]] = []
    for row, of_pairs in scores.items():
        times = {count: parts([one[row] for one in rounds[count]], total) for count in args.threads}
        figures = {name: score.figures() for name, score in of_pairs.items()}
        rows.append({"system": row, "mean": metrics.mean(of_pairs.values()), "ms": times, "pairs": figures})
    base = next(row for row in rows if row["system"] == BASE)
    for row in rows:
        row["ratio"] = {count: row["ms"][count][WHOLE] / base["ms"][count][WHOLE] for count in args.threads}
    kitti = all(scene.set.startswith("kitti") for scene in scenes)
    about = {"data": str(args.data), "split": args.split, "pairs": len(scenes), "rounds": args.rounds}
    about |= {"threads": args.threads, "opencv": opencv.version, "machine": platform.platform()}
    return {**about, "error": "bad3_noc" if kitti else "bad2_noc", "million": work_of, "rows": rows}


def million(pair: Any) -> float:
    """Million pixels times disparities: what times are divided by."""
    return pair.left.shape[0] * pair.left.shape[1] * pair.ndisp / 1e6


def parts(rounds: list[Spent], total: float) -> dict[str, float]:
    """Step -> milliseconds per million, each the median over rounds of the sum over pairs."""
    steps = dict.fromkeys(step for one in rounds for pair in one.values() for step in pair)
    sums = {step: [sum(pair.get(step, 0.0) for pair in one.values()) for one in rounds] for step in steps}
    return {step: 1000 * statistics.median(of_rounds) / total for step, of_rounds in sums.items()}


def show(found: dict[str, Any]) -> None:
    """Both tables on stdout."""
    error, counts, rows = found["error"], found["threads"], found["rows"]
    base = next(row["mean"][error] for row in rows if row["system"] == BASE)
    columns = ["system", f"bad-{error[3]}", "ratio", "average", "answered"]
    columns += [head for count in counts for head in (f"ms x{count}", "ratio")]
    cells = []
    for row in rows:
        mean = row["mean"]
        times = (text for n in counts for text in (f"{row['ms'][n][WHOLE]:.2f}", f"{row['ratio'][n]:.2f}"))
        shown = (f"{mean[error]:.2f} %", f"{mean[error] / base:.2f}" if base else "-", f"{mean['epe_noc']:.2f}")
        cells.append((row["system"], *shown, f"{mean['density']:.1f} %", *times))
    stdout.print(table(columns, cells), "")
    mine = [row for row in rows if len(row["ms"][counts[0]]) > 1]
    steps = dict.fromkeys(step for row in mine for step in row["ms"][counts[0]] if step != WHOLE)
    cells = [
        (f"{row['system']}, x{n}", *(f"{row['ms'][n].get(step, 0.0):.2f}" for step in (*steps, WHOLE)))
        for row in mine
        for n in counts
    ]
    stdout.print(table(("ms", *steps, WHOLE), cells))


@contextlib.contextmanager
def enlarged() -> Iterator[tuple[Path, Path]]:
    """The pair of examples/stereo as LARGE pictures, in a folder that goes away again."""
    import cv2

    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder) / "im0.png", Path(folder) / "im1.png"
        for path in paths:
            view = cv2.imread(str(PAIR / path.name), cv2.IMREAD_COLOR)
            cv2.imwrite(str(path), cv2.resize(view, LARGE, interpolation=cv2.INTER_CUBIC))
        yield paths


def command_line(
    options: dict[str, Any], threads: int, views: tuple[Path, Path], disparities: int, out: str
) -> list[str]:
    """``percept stereo`` as a person would start it."""
    flags = {**options, "threads": threads, "max-disp": disparities - 1, "device": "cpu", "out": out}
    given = [text for key, value in flags.items() for text in (f"--{key}", str(value))]
    return ["stereo", *map(str, views), *given, "--quiet"]


def large(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Time and memory of a large pair, a row for each system and number of threads."""
    rows = []
    small = PAIR / "im0.png", PAIR / "im1.png"
    with enlarged() as views, tempfile.TemporaryDirectory() as out:
        for name, options in systems(args.weights).items():
            for count in args.threads:
                watched(*command_line(options, count, small, 64, out))  # numba compiles
                seconds, peak = watched(*command_line(options, count, views, LARGE_DISPARITIES, out))
                each = 1000 * seconds / (LARGE[0] * LARGE[1] * LARGE_DISPARITIES / 1e6)
                rows.append({"system": name, "threads": count, "seconds": seconds, "ms": each, "peak": peak})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cores = sorted({1, available_cores()})
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="a data set that percept knows the layout of")
    parser.add_argument("--split", default="all", help="of --data (default all)")
    parser.add_argument("--weights", nargs="*", metavar="NAME", help="percept's, names or files; none: census")
    parser.add_argument("--opencv", default=sys.executable, metavar="PYTHON", help="another Python, with contrib")
    parser.add_argument(
        "--threads",
        type=lambda text: [int(count) for count in text.split(",")],
        default=cores,
        help=f"numbers of threads (default {','.join(map(str, cores))})",
    )
    parser.add_argument("--rounds", type=int, default=3, help="behind one to warm up (default 3)")
    parser.add_argument("--large", action="store_true", help="time and memory of a large pair instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    args = parser.parse_args()
    if args.large:
        rows = large(args)
        found: dict[str, Any] = {"size": LARGE, "disparities": LARGE_DISPARITIES, "limit": LIMIT, "rows": rows}
        cells = [
            (row["system"], str(row["threads"]), f"{row['seconds']:.1f} s", f"{row['ms']:.1f}", size(row["peak"]))
            for row in rows
        ]
        stdout.print(table(("2880 x 1988 x 256", "threads", "whole command", "ms", "peak"), cells))
    elif args.data:
        with tempfile.TemporaryDirectory() as folder:
            found = compared(args, Path(folder))
        show(found)
        told = ("data", "split", "pairs", "rounds", "opencv", "machine")
        stdout.print("\n" + ", ".join(f"{key} {found[key]}" for key in told))
    else:
        parser.error("--data FOLDER, or --large")
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    if args.large and max(row["peak"] for row in rows) > LIMIT:
        raise SystemExit(f"more than {size(LIMIT)}")


if __name__ == "__main__":
    main()
