"""percept detect beside two small detectors of torchvision, and a dense pass beside cropped windows: times and memory.

    python benchmarks/detect.py [--rounds 1] [--photos FOLDER] [--json times.json]

First table. Each detector runs in a process of its own, on the same decoded photos with as many threads, and all take
turns round by round, so that a machine that gets slower does so for all. Timed is everything from decoded pixels to
boxes in pixels of the photo. "median" and "min" are over rounds, each the mean over photos; "ratio" is to percept as it
comes. "peak" is the process's memory at its highest, "own" that less what importing torch and torchvision took.
The peers are ssdlite320_mobilenet_v3_large and fasterrcnn_mobilenet_v3_large_320_fpn with their own thresholds. Their
weights would have to be downloaded, so they have random ones. The time behind the network depends on how many boxes are
likely, so each runs twice: as it comes, and with biases under which it finds nothing, the least any weights can cost.

Second table. One pass over a picture answers for all its windows; beside it the same network run on each window
cropped, in batches of 16. OverFeat's picture is the largest of the paper's scales, 569 x 461 pixels, with windows of
221 every 12; at full width it is only counted, since cropped it takes minutes. For compact: 640 x 480 pixels, windows
of 416 every 32. "G" are thousand million multiply-adds of convolutions.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from percept.core.console import size, stdout, table

OVERFEAT_PICTURE, OVERFEAT_WIDTH = (461, 569), 0.25  # height and width; share of the paper's channels
COMPACT_PICTURE, COMPACT_WINDOW, COMPACT_STEP = (480, 640), 416, 32  # pixels
CROPS = 16  # windows in a batch
Detect = Callable[[Any], int]  # a decoded photo (H, W, 3) uint8 -> the number of boxes


def percept_detector(threads: int, **options: Any) -> Detect:
    """percept as its command runs it."""
    import percept

    detector = percept.load("detect", device="cpu", threads=threads, **options)
    return lambda rgb: len(detector.detect(rgb, ""))


def torchvision_detector(_threads: int, name: str, finds_nothing: bool) -> Detect:
    """A detector of torchvision with random weights and its own thresholds."""
    import torch
    from torchvision.models import detection

    torch.manual_seed(0)
    network = getattr(detection, name)(weights=None, weights_backbone=None).eval()
    if finds_nothing and name.startswith("ssdlite"):
        for layers in network.head.classification_head.module_list:
            layers[-1].bias.data.view(-1, 91)[:, 0] += 50  # (anchors, classes), the first is background
    elif finds_nothing:
        network.rpn.head.cls_logits.bias.data -= 50

    @torch.inference_mode()
    def detect(rgb: Any) -> int:
        image = torch.from_numpy(rgb).permute(2, 0, 1).float() / 255  # (H, W, 3) -> (3, H, W)
        return len(network([image])[0]["boxes"])

    return detect


def systems(weights: str, scales: str) -> list[tuple[str, Callable[..., Detect], dict[str, Any]]]:
    """What is compared: name, and how it is built. The first is what the others are measured by."""
    mine: dict[str, Any] = {"weights": weights} if weights else {}
    several = tuple(int(scale) for scale in scales.split(","))
    found: list[tuple[str, Callable[..., Detect], dict[str, Any]]] = [
        ("percept, as it comes", percept_detector, mine),
        ("percept, one scale: 416", percept_detector, {**mine, "scales": (416,)}),
        (f"percept, scales {scales}", percept_detector, {**mine, "scales": several}),
    ]
    for name in ("ssdlite320_mobilenet_v3_large", "fasterrcnn_mobilenet_v3_large_320_fpn"):
        for nothing, how in ((False, "random weights"), (True, "finds nothing")):
            options = {"name": name, "finds_nothing": nothing}
            found.append((f"{name.partition('_')[0]}, {how}", torchvision_detector, options))
    return found


def peak_memory() -> int:
    """The most memory this process has had, in bytes (macOS counts bytes, others kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def work(pipe: Connection, build: Callable[..., Detect], how: dict[str, Any], photos: list[Path], threads: int) -> None:
    """A detector's process: says when it is warm, runs a round at each message, at the end tells its memory."""
    import torch
    import torchvision  # noqa: F401 - only its memory is wanted

    imported = peak_memory()
    import cv2

    from percept.vision.image import read_image

    detect = build(threads, **how)
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    decoded = [read_image(path) for path in photos]
    for rgb in decoded:
        detect(rgb)
    pipe.send("warm")
    with contextlib.suppress(EOFError):  # the first process was stopped
        while pipe.recv() == "round":
            began = time.perf_counter()
            boxes = sum(detect(rgb) for rgb in decoded)
            pipe.send((1000 * (time.perf_counter() - began) / len(decoded), boxes / len(decoded)))
        pipe.send((peak_memory(), imported))


def started(target: Callable[..., None], *args: Any) -> Connection:
    """A fresh process that runs ``target(pipe, *args)``; returns the other end of its pipe."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    multiprocessing.get_context("spawn").Process(target=target, args=(there, *args), daemon=True).start()
    there.close()  # so that a process that dies is noticed here
    return here


def detectors(args: argparse.Namespace, photos: list[Path]) -> list[dict[str, Any]]:
    """The first table's rows: milliseconds and boxes a photo, memory in bytes."""
    compared = systems(args.weights, args.scales)
    pipes = []
    for _, build, how in compared:
        pipes.append(started(work, build, how, photos, args.threads))
        pipes[-1].recv()
    rounds = []
    for _ in range(args.rounds):
        rounds.append([])
        for pipe in pipes:
            pipe.send("round")
            rounds[-1].append(pipe.recv())
    rows: list[dict[str, Any]] = []
    for (name, _, _), pipe, found in zip(compared, pipes, zip(*rounds, strict=True), strict=True):
        pipe.send("end")
        peak, imported = pipe.recv()
        spent = [milliseconds for milliseconds, _ in found]
        row = {"system": name, "median_ms": statistics.median(spent), "min_ms": min(spent), "boxes": found[-1][1]}
        ratio = row["median_ms"] / (rows[0] if rows else row)["median_ms"]
        rows.append({**row, "ratio": ratio, "peak": peak, "own": peak - imported})
    return rows


def dense_or_cropped(pipe: Connection, threads: int, rounds: int) -> None:
    """A process that sends the second table's rows: milliseconds, multiply-adds, and their ratios."""
    import torch

    from percept.vision.detect.model import Compact
    from percept.vision.overfeat import OverFeat, cost, window

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    grid = window("accurate")
    rows, columns = grid.shape(*OVERFEAT_PICTURE)
    corners = [(grid.stride * row, grid.stride * column) for row in range(rows) for column in range(columns)]
    narrow = OverFeat("accurate", width=OVERFEAT_WIDTH).eval()
    times = timed(narrow, OVERFEAT_PICTURE, corners, grid.size, rounds)
    found = [{"network": f"overfeat, width {OVERFEAT_WIDTH:g}", **times, **cost(narrow, *OVERFEAT_PICTURE)._asdict()}]
    with torch.device("meta"):  # shapes are enough to count
        whole = OverFeat("accurate")
    found.append({"network": "overfeat, width 1", **cost(whole, *OVERFEAT_PICTURE)._asdict()})
    compact = Compact(80).eval()
    below, right = (range(0, side - COMPACT_WINDOW + 1, COMPACT_STEP) for side in COMPACT_PICTURE)
    corners = [(top, left) for top in below for left in right]
    counts = {"dense": multiply_adds(compact, COMPACT_PICTURE), "windows": len(corners)}
    counts["cropped"] = len(corners) * multiply_adds(compact, (COMPACT_WINDOW, COMPACT_WINDOW))
    found.append({"network": "compact", **timed(compact, COMPACT_PICTURE, corners, COMPACT_WINDOW, rounds), **counts})
    pipe.send([{**row, "fewer": row["cropped"] / row["dense"]} for row in found])


def timed(network: Any, picture: tuple[int, int], corners: list[Any], window: int, rounds: int) -> dict[str, float]:
    """Milliseconds of a dense pass (median) and of all windows cropped (once: they are many), and their ratio."""
    import torch

    images = torch.rand(1, 3, *picture)
    with torch.inference_mode():
        network(images)
        spent = []
        for _ in range(max(3, rounds)):
            began = time.perf_counter()
            network(images)
            spent.append(1000 * (time.perf_counter() - began))
        began = time.perf_counter()
        for at in range(0, len(corners), CROPS):
            crops = [images[0, :, y : y + window, x : x + window] for y, x in corners[at : at + CROPS]]
            network(torch.stack(crops))  # (CROPS, 3, window, window)
        cropped = 1000 * (time.perf_counter() - began)
    dense = statistics.median(spent)
    return {"dense_ms": dense, "cropped_ms": cropped, "faster": cropped / dense}


def multiply_adds(network: Any, picture: tuple[int, int]) -> int:
    """Multiply-adds of all convolutions of one pass over a picture (height, width)."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, *picture))
    return counter.get_total_flops() // 2


def show(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    """Both tables on stdout."""
    cells = [
        (row["system"], *(f"{row[key]:.1f}" for key in ("median_ms", "min_ms")), f"{row['ratio']:.2f}")
        + (f"{row['boxes']:.0f}", size(row["peak"]), size(row["own"]))
        for row in first
    ]
    stdout.print(table(("ms a photo", "median", "min", "ratio", "boxes", "peak", "own"), cells), "")
    cells = [
        (row["network"], f"{row['windows']}")
        + tuple(f"{row[key]:.0f} ms" if key in row else "-" for key in ("dense_ms", "cropped_ms"))
        + (f"{row['faster']:.1f}" if "faster" in row else "-",)
        + (f"{row['dense'] / 1e9:.2f} G", f"{row['cropped'] / 1e9:.0f} G", f"{row['fewer']:.1f}")
        for row in second
    ]
    stdout.print(table(("one pass", "windows", "dense", "cropped", "ratio", "dense", "cropped", "ratio"), cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = Path(__file__).resolve().parents[1] / "examples"
    parser.add_argument("--photos", type=Path, default=folder, metavar="FOLDER", help="*.jpg in it (default examples)")
    parser.add_argument("--threads", type=int, default=2, help="of each process (default 2)")
    parser.add_argument("--rounds", type=int, default=10, help="over all photos, behind one to warm up (default 10)")
    parser.add_argument("--weights", default="", help="percept's, by name or file (default: those of percept detect)")
    parser.add_argument("--scales", default="320,416,544", help="of the row with several (default 320,416,544)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    args = parser.parse_args()
    photos = sorted(args.photos.glob("*.jpg"))
    if not photos:
        parser.error(f"no *.jpg in {args.photos}")
    first = detectors(args, photos)
    second = started(dense_or_cropped, args.threads, args.rounds).recv()
    show(first, second)
    about = {"photos": len(photos), "rounds": args.rounds, "threads": args.threads, "machine": platform.platform()}
    stdout.print("\n" + ", ".join(f"{key} {value}" for key, value in about.items()))
    if args.json:
        args.json.write_text(json.dumps({**about, "detectors": first, "dense": second}, indent=1) + "\n")


if __name__ == "__main__":
    main()
