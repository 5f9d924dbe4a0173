"""percept scene-parse beside two light networks of torchvision: times, parameters, multiply-adds and memory.

    python benchmarks/scene_parse.py [--rounds 10] [--photos FOLDER] [--weights NAME] [--json FILE]
    python benchmarks/scene_parse.py --large [--size PIXELS] [--weights NAME] [--json FILE]

First tables, one for each size of photo. Each network runs in a process of its own, on the same decoded photos with as
many threads, and all take turns round by round, so that a machine that gets slower does so for all. Timed is everything
from decoded pixels to a class for every pixel: percept's network alone, without superpixels. "median" and "min" are
over rounds, behind one to warm up, each the mean over photos; "ratio" is of the medians, to the first of the peers.
The peers are lraspp_mobilenet_v3_large and deeplabv3_mobilenet_v3_large with their 21 classes. Their weights would have
to be downloaded, so they have random ones: their times and sizes are here, not their accuracy. "M weights" are millions
of parameters, "G" thousand million multiply-adds of convolutions; "peak" is the process's memory at its highest, "own"
that less what importing torch and torchvision took.

Next, what percept may do behind its network, in the same rounds: each kind of superpixels, and each vote of all pixels
over the first kind. The ratio is to the same peer.

--large: a photo of 20 million pixels through ``percept scene-parse --out`` as a whole command in a process of its own:
its time, and its memory at the highest, which has to stay below 3 GB (else the exit code is 1). --size adds a row at
which the network sees the photo so large, in tiles.
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
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from percept.core.console import size, stdout, table
from percept.core.device import available_cores
from percept.core.scripts import watched

SIZES = ((320, 240), (480, 360))  # width and height
PEERS = ("lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large")  # the first is what others are measured by
LARGE, LIMIT = (5472, 3648), 3e9  # width and height; bytes
WHOLE = "network"
UNTRAINED = "untrained"  # --weights: percept's network with random weights
Parse = Callable[[Any], dict[str, float]]  # a photo (H, W, 3) uint8 -> step -> seconds


def percept_network(weights: str) -> Any:
    """percept's network, by the name or file of its weights."""
    from percept.core import checkpoint
    from percept.core import weights as shipped
    from percept.vision.scene import networks

    if weights == UNTRAINED:
        return networks.build({"name": "pyramid"}, 8).eval()
    read = checkpoint.load(shipped.resolve(weights, "scene-parse")[1], task="scene-parse")
    return networks.fused(networks.from_checkpoint(read))


def percept_alone(weights: str, threads: int) -> tuple[Any, Parse]:
    """percept as its command runs it, without superpixels, and its network."""
    import torch

    from percept.core import device
    from percept.vision.scene import decode

    place = device.choose("cpu", threads)
    network = percept_network(weights).to(memory_format=torch.channels_last)

    def parse(rgb: Any) -> dict[str, float]:
        began = time.perf_counter()
        decode.labels(decode.probabilities(network, rgb, place), *rgb.shape[:2])
        return {WHOLE: time.perf_counter() - began}

    return network, parse


def percept_votes(weights: str, threads: int) -> tuple[Any, Parse]:
    """What comes behind percept's network; the probabilities that vote are made untimed."""
    from percept.core import device
    from percept.vision.scene import decode, superpixels
    from percept.vision.scene.options import SEGMENTS, VOTES
    from percept.vision.scene.vote import vote

    place, network = device.choose("cpu", threads), percept_network(weights)
    kinds = [kind for kind in SEGMENTS if kind != "none"]

    def parse(rgb: Any) -> dict[str, float]:
        found = decode.probabilities(network, rgb, place)
        spent, made = {}, {}
        for kind in kinds:
            began = time.perf_counter()
            made[kind] = superpixels.segment(rgb, kind)
            spent[f"superpixels, {kind}"] = time.perf_counter() - began
        for kind in VOTES:
            if kind != "cover":  # has segments of its own
                began = time.perf_counter()
                vote(found, made[kinds[0]], kind, 0.8)
                spent[f"vote, {kind}"] = time.perf_counter() - began
        return spent

    return network, parse


def torchvision_network(name: str, _threads: int) -> tuple[Any, Parse]:
    """A network of torchvision with random weights; it brings its answer to the photo's size by itself."""
    import torch
    from torchvision.models import segmentation

    torch.manual_seed(0)
    network = getattr(segmentation, name)(weights=None, weights_backbone=None, num_classes=21).eval()
    network = network.to(memory_format=torch.channels_last)
    mean, deviation = (torch.tensor(of)[:, None, None] for of in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))

    @torch.inference_mode()
    def parse(rgb: Any) -> dict[str, float]:
        began = time.perf_counter()
        image = torch.from_numpy(rgb).permute(2, 0, 1).float() / 255  # (H, W, 3) -> (3, H, W)
        network(((image - mean) / deviation)[None])["out"][0].argmax(0).numpy()  # (1, 21, H, W) -> (H, W)
        return {WHOLE: time.perf_counter() - began}

    return network, parse


def systems(weights: str) -> list[tuple[str, Callable[..., tuple[Any, Parse]], str]]:
    """What is compared: name, how it is built, and from what."""
    found = [("percept", percept_alone, weights)]
    found += [(f"{name.partition('_')[0]}, random weights", torchvision_network, name) for name in PEERS]
    return [*found, ("percept, behind the network", percept_votes, weights)]


def peak_memory() -> int:
    """The most memory this process has had, in bytes (macOS counts bytes, others kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def multiply_adds(network: Any, width: int, height: int) -> int:
    """Multiply-adds of all convolutions and products of one pass over a photo."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, height, width))
    return counter.get_total_flops() // 2


def work(
    pipe: Connection,
    build: Callable[..., tuple[Any, Parse]],
    what: str,
    photos: list[Path],
    of: tuple[int, int],
    n: int,
) -> None:
    """One system, one size of photo: says when it is warm, runs a round a message, at the end tells its memory."""
    import torch
    import torchvision  # noqa: F401 - only its memory is wanted

    imported = peak_memory()
    import cv2

    from percept.vision.image import read_image

    network, parse = build(what, n)
    torch.set_num_threads(n)
    cv2.setNumThreads(n)
    decoded = [cv2.resize(read_image(path), of, interpolation=cv2.INTER_AREA) for path in photos]
    for rgb in decoded:
        parse(rgb)
    pipe.send("warm")
    with contextlib.suppress(EOFError):  # the first process was stopped
        while pipe.recv() == "round":
            spent: dict[str, float] = {}
            for rgb in decoded:
                for step, seconds in parse(rgb).items():
                    spent[step] = spent.get(step, 0.0) + 1000 * seconds / len(decoded)
            pipe.send(spent)
        peak = peak_memory()
        parameters = sum(one.numel() for one in network.parameters())
        pipe.send(
            {"peak": peak, "own": peak - imported, "weights": parameters, "multiply_adds": multiply_adds(network, *of)}
        )


def started(*args: Any) -> Connection:
    """A fresh process that runs :func:`work`; returns the other end of its pipe when it is warm."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    context.Process(target=work, args=(there, *args), daemon=True).start()
    there.close()  # so that a process that dies is noticed here
    here.recv()
    return here


def compared(args: argparse.Namespace, photos: list[Path]) -> list[dict[str, Any]]:
    """A row for each system, size of photo and step: milliseconds, ratio, and what the network's process tells."""
    those = [(name, build, what, of) for of in SIZES for name, build, what in systems(args.weights)]
    pipes = [started(build, what, photos, of, args.threads) for _, build, what, of in those]
    rounds: list[list[dict[str, float]]] = [[] for _ in those]
    for _ in range(args.rounds):
        for pipe, found in zip(pipes, rounds, strict=True):
            pipe.send("round")
            found.append(pipe.recv())
    rows = []
    for (name, _, _, of), pipe, found in zip(those, pipes, rounds, strict=True):
        pipe.send("end")
        about = pipe.recv()
        for step in found[0]:
            spent = [one[step] for one in found]
            row = {
                "system": name,
                "size": of,
                "step": step,
                "median_ms": statistics.median(spent),
                "min_ms": min(spent),
            }
            rows.append({**row, **about} if step == WHOLE else row)
    first = f"{PEERS[0].partition('_')[0]},"
    base = {row["size"]: row["median_ms"] for row in rows if row["system"].startswith(first)}
    return [{**row, "ratio": row["median_ms"] / base[row["size"]]} for row in rows]


def show(rows: list[dict[str, Any]]) -> None:
    """A table for each size of photo, and one of the steps behind percept's network."""
    for of in SIZES:
        cells = [
            (row["system"], *(f"{row[key]:.1f}" for key in ("median_ms", "min_ms")), f"{row['ratio']:.2f}")
            + (f"{row['weights'] / 1e6:.2f}", f"{row['multiply_adds'] / 1e9:.2f}", size(row["peak"]), size(row["own"]))
            for row in rows
            if row["size"] == of and row["step"] == WHOLE
        ]
        head = f"{of[0]} x {of[1]}, ms a photo"
        stdout.print(table((head, "median", "min", "ratio", "M weights", "G", "peak", "own"), cells), "")
    steps = dict.fromkeys(row["step"] for row in rows if row["step"] != WHOLE)
    cells = []
    for step in steps:
        of_sizes = [row for of in SIZES for row in rows if row["step"] == step and row["size"] == of]
        cells.append((step, *(text for row in of_sizes for text in (f"{row['median_ms']:.1f}", f"{row['ratio']:.2f}"))))
    columns = [text for width, height in SIZES for text in (f"{width} x {height}", "ratio")]
    stdout.print(table(("behind percept's network, ms a photo", *columns), cells))


def large(args: argparse.Namespace, photo: Path) -> list[dict[str, Any]]:
    """Time and memory of the whole command on a photo enlarged to LARGE."""
    import cv2

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.jpg"
        pixels = cv2.resize(cv2.imread(str(photo), cv2.IMREAD_COLOR), LARGE, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(path), pixels)
        flags = ["--threads", str(args.threads), "--device", "cpu", "--quiet", "--out", str(Path(folder) / "out")]
        flags += ["--weights", args.weights] if args.weights else []
        ways = {"as it comes": [], **({f"--size {args.size}": ["--size", str(args.size)]} if args.size else {})}
        for name, more in ways.items():
            seconds, peak = watched("scene-parse", str(path), *flags, *more)
            rows.append({"system": f"percept, {name}", "seconds": seconds, "peak": peak})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = Path(__file__).resolve().parents[1] / "examples"
    parser.add_argument("--photos", type=Path, default=folder, metavar="FOLDER", help="*.jpg in it (default examples)")
    parser.add_argument("--threads", type=int, default=available_cores(), help="of each process (default: all cores)")
    parser.add_argument("--rounds", type=int, default=10, help="over all photos, behind one to warm up (default 10)")
    told = f"percept's, by name or file (default: those of percept scene-parse); {UNTRAINED}: random ones"
    parser.add_argument("--weights", default="", help=told)
    parser.add_argument("--large", action="store_true", help="time and memory of a large photo instead")
    parser.add_argument("--size", type=int, default=0, metavar="PIXELS", help="with --large: one more row at this size")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    args = parser.parse_args()
    photos = sorted(args.photos.glob("*.jpg"))
    if not photos:
        parser.error(f"no *.jpg in {args.photos}")
    about = {"threads": args.threads, "machine": platform.platform()}
    if args.large:
        rows = large(args, photos[0])
        about = {"pixels": LARGE, "limit": LIMIT, **about}
        cells = [(row["system"], f"{row['seconds']:.1f} s", size(row["peak"])) for row in rows]
        stdout.print(table((f"{LARGE[0]} x {LARGE[1]}", "whole command", "peak"), cells))
    else:
        rows = compared(args, photos)
        about = {"photos": len(photos), "rounds": args.rounds, **about}
        show(rows)
    stdout.print("\n" + ", ".join(f"{key} {value}" for key, value in about.items()))
    if args.json:
        args.json.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n")
    if args.large and max(row["peak"] for row in rows) > LIMIT:
        raise SystemExit(f"more than {size(LIMIT)}")


if __name__ == "__main__":
    main()
