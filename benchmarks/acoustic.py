"""percept acoustic beside pocketsphinx: times as shares of real time, phone and word errors; and its papers' networks.

    python benchmarks/acoustic.py --data librispeech --split test-other [--utterances 40] [--rounds 3] [--json FILE]
    python benchmarks/acoustic.py --windows
    python benchmarks/acoustic.py --large [--hours 3]

First: the same decoded recordings through percept (phones alone; words) and, where pocketsphinx is installed (the
extra `peers`), its allphone search with the phone model that it carries and its large-vocabulary search with its own
model and dictionary. Each system runs in a process of its own; all take turns round by round. Every system has one
thread, and percept's words are shown with two as well. "rtf" is seconds of work a second of sound, the median of the
rounds behind one to warm up; "times" how many times faster than real time; errors are of the first round, phones
scored in the 39 classes of TIMIT without silence, AO as AA and ZH as SH for all.

--windows: frames a second of each network over half a minute at once, and window by window, as it was trained to be
seen: the ratio is what the fully convolutional run saves.

--large: a recording of so many hours through ``percept acoustic`` as a whole command: its time, and its memory at the
highest, which has to stay below 2 GB (else the exit code is 1).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from percept.core.console import size, stdout, table
from percept.core.device import available_cores
from percept.core.scripts import watched

RATE = 16000
LIMIT = 2e9  # bytes
SAME = {"AO": "AA", "ZH": "SH"}  # phones that are one for all systems
Listen = Callable[[np.ndarray], list[str]]  # samples (N,) -> phones or words


def percept_system(kind: str, weights: str, threads: int) -> Listen:
    """percept's phones or words."""
    import percept

    vocab = "none" if kind == "phones" else "all"
    listener = percept.load("acoustic", weights=weights, vocab=vocab, threads=threads, device="cpu")

    def listen(samples: np.ndarray) -> list[str]:
        found = listener.predict(samples, rate=RATE)
        return [one.label for one in (found.phones if kind == "phones" else found.words)]

    return listen


def sphinx_system(kind: str, _weights: str, _threads: int) -> Listen:
    """pocketsphinx's allphone search, or its words."""
    import pocketsphinx

    if kind == "phones":
        path = pocketsphinx.get_model_path
        config = pocketsphinx.Config(
            hmm=path("en-us/en-us"), allphone=path("en-us/en-us-phone.lm.bin"), lm=None, dict=None, lw=2.0,
            beam=1e-20, pbeam=1e-20, loglevel="FATAL",
        )  # fmt: skip
        decoder = pocketsphinx.Decoder(config)
    else:
        decoder = pocketsphinx.Decoder(loglevel="FATAL")

    def listen(samples: np.ndarray) -> list[str]:
        decoder.start_utt()
        decoder.process_raw((samples * 32767).astype(np.int16).tobytes(), full_utt=True)
        decoder.end_utt()
        words = [segment.word.partition("(")[0] for segment in decoder.seg()]
        return [word for word in words if word not in ("SIL", "<s>", "</s>", "<sil>") and not word.startswith("+")]

    return listen


SYSTEMS = {"percept": percept_system, "pocketsphinx": sphinx_system}


def recordings(args: argparse.Namespace) -> list[tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]]:
    """Samples (N,), phones and words of the recordings, drawn at random."""
    from percept.core import datasets
    from percept.speech.acoustic.data import read_corpus
    from percept.speech.acoustic.options import DATASETS
    from percept.speech.acoustic.samples import sound
    from percept.speech.acoustic.teaching import dictionary, phones_of

    folder = datasets.find(args.data, datasets.rows({"acoustic": DATASETS}), "acoustic")[0]
    every = read_corpus(folder, args.split).utterances
    drawn = np.random.default_rng(7).permutation(len(every))[: args.utterances]
    lexicon = dictionary("")
    return [(sound(one), phones_of(one, lexicon), one.words) for one in (every[n] for n in drawn)]


def error(kind: str, truths: list[tuple[str, ...]], answers: list[list[str]]) -> float | None:
    """Phone or word error in percent."""
    from percept.speech.acoustic.metrics import ErrorRate

    rate = ErrorRate()
    for truth, answer in zip(truths, answers, strict=True):
        if kind == "phones":
            rate.add_phones(*([SAME.get(phone, phone) for phone in phones] for phones in (truth, answer)))
        else:
            rate.add(truth, answer)
    return rate.rate


def work(pipe: Connection, system: str, kind: str, weights: str, threads: int, sounds: list[np.ndarray]) -> None:
    """One system: says when it is warm, then answers a round a message with its seconds and what it heard."""
    import torch

    torch.set_num_threads(threads)
    listen = SYSTEMS[system](kind, weights, threads)
    listen(sounds[0])
    pipe.send("warm")
    with contextlib.suppress(EOFError):  # the first process was stopped
        while pipe.recv() == "round":
            began = time.perf_counter()
            found = [listen(samples) for samples in sounds]
            pipe.send((time.perf_counter() - began, found))


def compared(args: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each system and kind of answer."""
    found = recordings(args)
    sounds = [samples for samples, _, _ in found]
    length = sum(map(len, sounds)) / RATE
    peers = ["percept"]
    with contextlib.suppress(ImportError):
        import pocketsphinx  # noqa: F401 - only whether it is there

        peers.append("pocketsphinx")
    those = [(system, kind, 1) for kind in ("phones", "words") for system in peers] + [("percept", "words", 2)]
    context = multiprocessing.get_context("spawn")
    pipes = []
    for system, kind, threads in those:
        here, there = context.Pipe()
        given = (there, system, kind, args.weights, threads, sounds)
        context.Process(target=work, args=given, daemon=True).start()
        there.close()
        here.recv()
        pipes.append(here)
    rounds: list[list[tuple[float, list[list[str]]]]] = [[] for _ in those]
    for _ in range(args.rounds):
        for pipe, kept in zip(pipes, rounds, strict=True):
            pipe.send("round")
            kept.append(pipe.recv())
    rows = []
    for (system, kind, threads), kept in zip(those, rounds, strict=True):
        rtf = statistics.median(seconds for seconds, _ in kept) / length
        truths = [one[1] if kind == "phones" else one[2] for one in found]
        row = {"system": system, "kind": kind, "threads": threads, "rtf": rtf, "times": 1 / rtf}
        rows.append({**row, "error": error(kind, truths, kept[0][1]), "seconds": length})
    return rows


def windows(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Frames a second of each network, over a recording at once and window by window."""
    import torch

    from percept.speech.acoustic.compact import Compact
    from percept.speech.acoustic.windows import NyuIbm, Sercu, Tdnn

    torch.set_num_threads(args.threads)
    rows = []
    bodies: dict[str, Callable[[], Any]] = {"compact": Compact, "tdnn": Tdnn, "nyu-ibm": NyuIbm, "sercu": Sercu}
    for name, build in bodies.items():
        body = build().eval()
        long, across = torch.randn(1, 3000, 40), 2 * body.context + body.step
        one = torch.randn(32, across, 40)
        with torch.inference_mode():
            spent = {}
            for key, given in (("at once", long), ("windows", one)):
                body(given)
                began = time.perf_counter()
                body(given)
                spent[key] = (time.perf_counter() - began) / (3000 if key == "at once" else 32 * body.step)
        rows.append({"model": name, "frames": across, **{key: 1 / seconds for key, seconds in spent.items()},
                     "ratio": spent["windows"] / spent["at once"]})  # fmt: skip
    return rows


def large(args: argparse.Namespace) -> dict[str, Any]:
    """Time and memory of the whole command on hours of speech."""
    import soundfile

    sounds = [samples for samples, _, _ in recordings(args)]
    with tempfile.TemporaryDirectory() as folder:
        path, count, wanted = Path(folder) / "long.flac", 0, round(args.hours * 3600 * RATE)
        with soundfile.SoundFile(path, "w", RATE, 1) as file:
            while count < wanted:
                for samples in sounds:
                    file.write(samples)
                    count += len(samples)
        given = ("--weights", args.weights) if args.weights else ()
        threads = ("--threads", str(args.threads))
        seconds, peak = watched("acoustic", str(path), "--format", "text", "--quiet", *threads, *given)
    return {"hours": count / RATE / 3600, "seconds": seconds, "peak": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="librispeech", metavar="NAME|FOLDER")
    parser.add_argument("--split", default="test-other")
    parser.add_argument("--utterances", type=int, default=40, help="drawn at random, the same each time (default 40)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weights", default="", help="percept's, by name or file (default: those of percept acoustic)")
    parser.add_argument("--threads", type=int, default=available_cores(), help="with --windows and --large")
    parser.add_argument("--windows", action="store_true", help="frames a second, at once and window by window, instead")
    parser.add_argument("--large", action="store_true", help="time and memory of a long recording instead")
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    args = parser.parse_args()
    about: dict[str, Any] = {"threads": args.threads, "machine": platform.platform()}
    if args.windows:
        rows = windows(args)
        cells = [(row["model"], str(row["frames"]), *(f"{row[key]:,.0f}" for key in ("at once", "windows")),
                  f"{row['ratio']:.1f}") for row in rows]  # fmt: skip
        stdout.print(table(("frames a second", "window", "at once", "by window", "ratio"), cells))
    elif args.large:
        rows = [large(args)]
        cells = [(f"{rows[0]['hours']:.2f}", f"{rows[0]['seconds']:.0f} s", size(rows[0]["peak"]))]
        stdout.print(table(("hours", "whole command", "peak"), cells))
    else:
        rows = compared(args)
        about = {"data": args.data, "split": args.split, "recordings": args.utterances, "rounds": args.rounds, **about}
        cells = [(row["system"], row["kind"], str(row["threads"]), f"{row['rtf']:.4f}", f"{row['times']:.0f}",
                  "-" if row["error"] is None else f"{row['error']:.1f}") for row in rows]  # fmt: skip
        stdout.print(table(("", "answer", "threads", "rtf", "times", "error, %"), cells))
    stdout.print("\n" + ", ".join(f"{key} {value}" for key, value in about.items()))
    if args.json:
        args.json.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n")
    if args.large and rows[0]["peak"] > LIMIT:
        raise SystemExit(f"more than {size(LIMIT)}")


if __name__ == "__main__":
    main()
