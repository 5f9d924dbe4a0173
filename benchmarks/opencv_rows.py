"""OpenCV's stereo matchers on pairs: disparity maps and seconds, to be scored by benchmarks/stereo.py.

    python benchmarks/opencv_rows.py --data FOLDER [--split v3] --out rows.npz
    python benchmarks/opencv_rows.py --pairs pairs.json --out rows.npz

A program of its own, since the WLS filter comes with opencv-contrib-python only, and that cannot live beside percept's
opencv-python: give it the Python of another environment. With --pairs (a JSON list of {"name", "left", "right",
"ndisp"}) it needs numpy and OpenCV alone; with --data, for which percept's own reader finds the pairs, Pillow too.

The rows, with block 3, P1 8 cn 9, P2 32 cn 9 (cn: channels), pre-filter 63, uniqueness 10, speckle 100/32 and a
left-right check of 1 pixel where nothing else is said:

    bm                StereoBM, block 9, pre-filter 31, texture 10, uniqueness 15, speckle 100/32, on grey
    sgbm_hh           StereoSGBM, eight paths (MODE_HH), on colour
    sgbm_hh_pad_gray  the same on grey as OpenCV reads it (IMREAD_GRAYSCALE), both pictures padded on the left, so that
                      the first columns get an answer too
    sgbm_3way         StereoSGBM, three paths (MODE_SGBM_3WAY), on colour
    sgbm_3way_wls     the same padded, smoothed by ximgproc's DisparityWLSFilter (lambda 8000, sigma 1.5)

rows.npz has "ROW/PAIR" (H, W) float32 disparities in pixels, NaN where there is none, and "about", a JSON text with the
seconds of each row and pair at each number of threads: the median of --rounds, behind one to warm up. With --turns the
rounds are asked for on standard input, a line "THREADS" each, and answered with a line of JSON, so that a benchmark can
let several programs take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

STEP = 16  # OpenCV's disparities are a multiple of it, and its answers count sixteenths of a pixel


class Pair(NamedTuple):
    """Decoded, so that reading is not timed."""

    left: np.ndarray  # (H, W, 3) uint8 BGR
    right: np.ndarray
    left_grey: np.ndarray  # (H, W) uint8; the PNG reader's weights, a little other than cvtColor's
    right_grey: np.ndarray
    count: int  # disparities, a multiple of STEP


Match = Callable[[Pair], np.ndarray]  # -> (H, W) float32 disparities, NaN where there is none


def padded(image: np.ndarray, columns: int) -> np.ndarray:
    """(H, W, ...) -> (H, columns + W, ...): the first column repeated to its left."""
    return cv2.copyMakeBorder(image, 0, 0, columns, 0, cv2.BORDER_REPLICATE)


def pixels(sixteenths: np.ndarray) -> np.ndarray:
    """OpenCV's int16 answer as pixels, NaN where it has none (below its smallest disparity, 0)."""
    return np.where(sixteenths < 0, np.float32(np.nan), sixteenths.astype(np.float32) / STEP)


def sgbm(mode: int, channels: int, count: int) -> Any:
    """A StereoSGBM with the settings of this module's docstring."""
    return cv2.StereoSGBM_create(
        minDisparity=0,
        numDisparities=count,
        blockSize=3,
        P1=8 * channels * 9,
        P2=32 * channels * 9,
        disp12MaxDiff=1,
        preFilterCap=63,
        uniquenessRatio=10,
        speckleWindowSize=100,
        speckleRange=32,
        mode=mode,
    )


def bm(pair: Pair) -> np.ndarray:
    matcher = cv2.StereoBM_create(numDisparities=pair.count, blockSize=9)
    matcher.setPreFilterCap(31)
    matcher.setTextureThreshold(10)
    matcher.setUniquenessRatio(15)
    matcher.setSpeckleWindowSize(100)
    matcher.setSpeckleRange(32)
    matcher.setDisp12MaxDiff(1)
    views = (cv2.cvtColor(view, cv2.COLOR_BGR2GRAY) for view in (pair.left, pair.right))  # (H, W, 3) -> (H, W)
    return pixels(matcher.compute(*views))


def sgbm_hh(pair: Pair) -> np.ndarray:
    return pixels(sgbm(cv2.StereoSGBM_MODE_HH, 3, pair.count).compute(pair.left, pair.right))


def sgbm_hh_pad_gray(pair: Pair) -> np.ndarray:
    views = (padded(view, pair.count) for view in (pair.left_grey, pair.right_grey))
    return pixels(sgbm(cv2.StereoSGBM_MODE_HH, 1, pair.count).compute(*views)[:, pair.count :])


def sgbm_3way(pair: Pair) -> np.ndarray:
    return pixels(sgbm(cv2.StereoSGBM_MODE_SGBM_3WAY, 3, pair.count).compute(pair.left, pair.right))


def sgbm_3way_wls(pair: Pair) -> np.ndarray:
    left, right = padded(pair.left, pair.count), padded(pair.right, pair.count)
    matcher = sgbm(cv2.StereoSGBM_MODE_SGBM_3WAY, 3, pair.count)
    smoother = cv2.ximgproc.createDisparityWLSFilter(matcher)  # switches the matcher's own checks off
    smoother.setLambda(8000.0)
    smoother.setSigmaColor(1.5)
    answers = (matcher.compute(left, right), cv2.ximgproc.createRightMatcher(matcher).compute(right, left))
    return pixels(smoother.filter(answers[0], left, disparity_map_right=answers[1])[:, pair.count :])


def rows() -> dict[str, Match]:
    """The matchers this OpenCV has."""
    found: list[Match] = [bm, sgbm_hh, sgbm_hh_pad_gray, sgbm_3way]
    return {match.__name__: match for match in (*found, *([sgbm_3way_wls] if hasattr(cv2, "ximgproc") else []))}


def pairs_of(folder: Path, split: str) -> list[dict[str, Any]]:
    """The pairs of a data set, as percept reads it."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
    from percept.vision.stereo import data

    return [
        {"name": s.name, "left": str(s.left), "right": str(s.right), "ndisp": s.ndisp or data.read_pair(s).ndisp}
        for s in data.read_scenes(folder, split)
    ]


def opened(asked: dict[str, Any]) -> Pair:
    """The pictures of an entry of --pairs."""
    paths = (asked["left"], asked["right"])
    views = [cv2.imread(path, how) for how in (cv2.IMREAD_COLOR, cv2.IMREAD_GRAYSCALE) for path in paths]
    if any(view is None for view in views):
        raise SystemExit(f"{paths[0]}, {paths[1]}: not two pictures")
    return Pair(*views, count=-(-asked["ndisp"] // STEP) * STEP)


def measured(pairs: dict[str, Pair], threads: int, keep: dict[str, np.ndarray] | None = None) -> dict[str, Any]:
    """One round: {row: {pair: seconds}}; the answers go into ``keep``."""
    cv2.setNumThreads(threads)
    spent: dict[str, dict[str, float]] = {}
    for row, match in rows().items():
        spent[row] = {}
        for name, pair in pairs.items():
            began = time.perf_counter()
            answer = match(pair)
            spent[row][name] = time.perf_counter() - began
            if keep is not None:
                keep[f"{row}/{name}"] = answer
    return spent


def medians(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Of rounds as ``measured`` gives them."""
    return {
        row: {name: statistics.median(one[row][name] for one in rounds) for name in pairs}
        for row, pairs in rounds[0].items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="FOLDER", help="a data set that percept knows the layout of")
    source.add_argument("--pairs", type=Path, metavar="FILE", help="a JSON list of pairs")
    parser.add_argument("--split", default="all", help="of --data (default all)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="disparities and seconds, .npz")
    parser.add_argument("--threads", default=f"1,{cv2.getNumberOfCPUs()}", help="numbers of threads (default 1,all)")
    parser.add_argument("--rounds", type=int, default=3, help="at each number of threads (default 3)")
    parser.add_argument("--turns", action="store_true", help="rounds when standard input asks for them")
    args = parser.parse_args()
    asked = json.loads(args.pairs.read_text()) if args.pairs else pairs_of(args.data, args.split)
    pairs = {pair["name"]: opened(pair) for pair in asked}
    answers: dict[str, np.ndarray] = {}
    measured(pairs, 1, answers)
    about: dict[str, Any] = {"opencv": cv2.__version__, "rows": list(rows()), "pairs": list(pairs)}
    if args.turns:
        np.savez(args.out, about=json.dumps(about), **answers)
        print(json.dumps(about), flush=True)
        for line in sys.stdin:
            print(json.dumps(measured(pairs, int(line))), flush=True)
        return
    counts = sorted({int(count) for count in args.threads.split(",")})
    rounds = [{count: measured(pairs, count) for count in counts} for _ in range(args.rounds)]
    about["seconds"] = {count: medians([one[count] for one in rounds]) for count in counts}
    np.savez(args.out, about=json.dumps(about), **answers)


if __name__ == "__main__":
    main()
