"""percept lm beside the plain PyTorch recipe, its output layers beside each other, and its speeds in use.

    python benchmarks/lm.py [--only train,outputs,use,ngram] [--words N] [--steps N] [--hidden N ...] [--threads N]
                            [--seconds N] [--json FILE]

Text is drawn from a Zipf law (the k-th word has a share of 1/k), in lines of about 20 words, the same for all.

train: tokens a second of one step of training, at the sizes of the classic small recipe (two LSTM layers of 200 or 650
units, vectors of the same length, 20 streams of 35 words, 10,000 words). "plain" is that recipe as its users write it:
Embedding, LSTM, Linear, log_softmax and NLLLoss, clipping, p.data.add_(-lr * p.grad). percept's rows are whole steps of
its own loop, finite checks, clipping and optimizer included, with the same plain SGD. Rounds take turns, so that a
machine that gets slower does so for all; figures are medians. "ratio" is to plain.

outputs: the same for each output layer at 33,278 and at 250,000 words, by AdamW, with the memory of its weights and
their gradients; and the perplexity that each has on unseen text of the same law after equal time (--seconds), which at
best is that of the law itself.

use: words a second that are scored from a file and that are generated, one stream.

ngram: tokens a second of ``percept lm ngram --order 5`` and the process's memory at its highest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from percept.core import scripts, training
from percept.core.console import size, stdout, table
from percept.core.device import choose
from percept.core.options import resolve
from percept.nlp.lm.generate import generate
from percept.nlp.lm.options import OUTPUTS, Train
from percept.nlp.lm.reader import Reader
from percept.nlp.lm.trainer import Trainer
from percept.nlp.lm.vocabulary import Vocabulary

BATCH, BPTT, LINE = 20, 35, 20
PARTS = ("train", "outputs", "use", "ngram")


def law(words: int) -> np.ndarray:
    """(words,) the share of each word: number k has one of 1 / (k + 1)."""
    share = 1 / np.arange(1, words + 1)
    return share / share.sum()


def zipf(words: int, tokens: int, seed: int, *, every: bool = True) -> np.ndarray:
    """(tokens,) int64 words drawn from the law. every: each word comes at least once, in places of its own."""
    rng = np.random.default_rng(seed)
    forced = np.arange(words if every else 0)
    drawn = np.searchsorted(law(words).cumsum(), rng.random(max(tokens - len(forced), 0)))
    return rng.permutation(np.concatenate([forced, np.minimum(drawn, words - 1)])[: max(tokens, len(forced))])


def unseen(words: int) -> np.ndarray:
    """(5000,) words of the text to measure perplexity on."""
    return zipf(words, 5000, 1, every=False)


def best(words: int) -> float:
    """The perplexity of that text to one who knows the law, and that each line has twenty words."""
    text = unseen(words)
    return float(np.exp(-np.log(law(words)[text]).sum() / (len(text) * (1 + 1 / LINE))))


def write(folder: Path, words: int, tokens: int) -> Path:
    """A folder with train.txt and valid.txt of such text; only the former has every word."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("train", zipf(words, tokens, 0)), ("valid", unseen(words))):
        lines = (" ".join(f"w{word}" for word in text[at : at + LINE]) for at in range(0, len(text), LINE))
        (folder / f"{name}.txt").write_text("\n".join(lines) + " .\n")  # a full stop alone: cut into words already
    return folder


class Percept:
    """One step of percept's own loop at a time."""

    def __init__(self, folder: Path, hidden: int, threads: int, **given: Any) -> None:
        how = {"embedding": hidden, "hidden": hidden, "batch": BATCH, "bptt": BPTT, "minimum": 1, "style": "blanks"}
        how |= {"optimizer": "sgd", "weight_decay": 0.0, "lr": 1.0, "schedule": "constant", **given}
        self.options = resolve(Train, {"data": [str(folder)], **how})
        self.device = choose("cpu", threads, "float32")
        torch.manual_seed(0)
        self.job = Trainer(self.options, self.device, [("zipf", folder)])
        self.job.model.train()
        self.trained = [*self.job.model.parameters()]
        self.optimizer = training._optimizer(self.options, self.trained)
        self.scaler = torch.amp.GradScaler("cpu", enabled=False)
        self.batches = self._batches()

    def _batches(self) -> Any:
        epoch = 0
        while True:
            yield from self.job.batches(epoch, 0)
            epoch += 1

    def step(self) -> int:
        """Tokens that were learnt from."""
        parts = next(self.batches)
        loss_of = training._Loss(self.job)
        arguments = (self.optimizer, self.scaler, self.trained, self.options, self.device, training.State())
        training._step(self.job, parts, loss_of, *arguments)
        return sum(part.chunk.targets.numel() for part in parts)


class Plain:
    """The recipe as its users write it."""

    def __init__(self, words: int, hidden: int) -> None:
        torch.manual_seed(0)
        self.drop = nn.Dropout(0.2)
        self.embedding, self.rnn = nn.Embedding(words, hidden), nn.LSTM(hidden, hidden, 2, dropout=0.2)
        self.decoder = nn.Linear(hidden, words)
        self.model = nn.ModuleList([self.embedding, self.rnn, self.decoder])
        self.words = words
        self.state = tuple(torch.zeros(2, BATCH, hidden) for _ in range(2))
        self.text = torch.from_numpy(zipf(words, BATCH * BPTT * 50, 0)[: BATCH * BPTT * 50]).view(BATCH, -1).t()
        self.text = self.text.contiguous()
        self.at = 0

    def step(self) -> int:
        """Tokens that were learnt from."""
        if self.at + BPTT + 1 > len(self.text):
            self.at = 0
        data, target = self.text[self.at : self.at + BPTT], self.text[self.at + 1 : self.at + BPTT + 1].reshape(-1)
        self.at += BPTT
        self.model.zero_grad()
        self.state = tuple(one.detach() for one in self.state)
        out, self.state = self.rnn(self.drop(self.embedding(data)), self.state)
        scores = self.decoder(self.drop(out)).view(-1, self.words)
        loss = nn.functional.nll_loss(torch.log_softmax(scores, dim=1), target)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 0.25)
        for parameter in self.model.parameters():
            parameter.data.add_(parameter.grad, alpha=-1.0)
        loss.item()
        return len(target)


def rates(rows: dict[str, Callable[[], int]], steps: int) -> dict[str, float]:
    """Tokens a second of each row: the median of steps that take turns, behind one to warm up."""
    found: dict[str, list[float]] = {name: [] for name in rows}
    for number in range(steps + 1):
        for name, step in rows.items():
            began = time.perf_counter()
            tokens = step()
            if number:
                found[name].append(tokens / (time.perf_counter() - began))
    return {name: statistics.median(one) for name, one in found.items()}


def train(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """percept's steps beside the plain recipe's."""
    found = {}
    write(folder / "10k", 10_000, 100_000)
    for hidden in options.hidden:
        rows: dict[str, Callable[[], int]] = {"plain": Plain(10_000, hidden).step}
        for output in ("full", "adaptive", "sampled"):
            rows[f"percept, {output}"] = Percept(folder / "10k", hidden, options.threads, output=output).step
        speeds = rates(rows, options.steps)
        found[str(hidden)] = speeds
        cells = [(name, f"{speed:,.0f}", f"{speed / speeds['plain']:.2f}") for name, speed in speeds.items()]
        title = f"training, 10,000 words, two LSTM layers of {hidden}"
        stdout.print(table((title, "tokens/s", "ratio"), cells))
    return found


def outputs(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Each output layer: speed, memory, and perplexity after equal time."""
    found = {}
    for words in (33_278, 250_000):
        write(folder / str(words), words, 12 * words)
        cells = []
        for output in OUTPUTS:
            steps = {"optimizer": "adamw", "lr": 0.003}  # plain SGD would need hours to learn which words are frequent
            made = Percept(folder / str(words), 200, options.threads, output=output, **steps)
            speed = rates({output: made.step}, max(1, options.steps // 4))[output]
            memory = 2 * sum(one.numel() * one.element_size() for one in made.job.model.output.parameters())
            ends = time.perf_counter() + options.seconds
            while time.perf_counter() < ends:
                made.step()
            reader = Reader(made.job.model.eval(), made.job.vocabulary.end, torch.device("cpu"))
            perplexity = float(np.exp(-reader.score_text(made.job.chosen_on).mean(dtype=np.float64)))
            found[f"{output} {words}"] = {"speed": speed, "memory": memory, "perplexity": perplexity}
            cells.append((output, f"{speed:,.0f}", size(memory), f"{perplexity:,.0f}"))
        cells.append(("the law itself", "", "", f"{best(words):,.0f}"))
        columns = (f"output layers, {words:,} words", "tokens/s", "memory", f"perplexity after {options.seconds:g} s")
        stdout.print(table(columns, cells))
    return found


def use(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Scoring and generation, one stream."""
    write(folder / "10k", 10_000, 100_000)
    found, cells = {}, []
    for output in ("full", "adaptive"):
        job = Percept(folder / "10k", 650, options.threads, output=output).job
        reader = Reader(job.model.eval(), job.vocabulary.end, torch.device("cpu"))
        text = job.chosen_on.ids[: options.words]
        began = time.perf_counter()
        reader.score(text)
        scored = len(text) / (time.perf_counter() - began)
        vocabulary: Vocabulary = job.vocabulary
        began = time.perf_counter()
        for _ in generate(reader, vocabulary, "", length=options.words // 4):
            pass
        written = options.words // 4 / (time.perf_counter() - began)
        found[output] = {"scored": scored, "generated": written}
        cells.append((output, f"{scored:,.0f}", f"{written:,.0f}"))
    stdout.print(table(("use, two LSTM layers of 650, 10,000 words", "scored words/s", "generated words/s"), cells))
    return found


def ngram(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """``percept lm ngram`` in a process of its own."""
    tokens = options.words * 100
    write(folder / "ngram", 33_278, tokens)
    text, model = folder / "ngram" / "train.txt", folder / "a.arpa"
    seconds, memory = scripts.watched("lm", "ngram", str(text), "--order", "5", "--out", str(model), "--quiet")
    cells = [(f"{tokens:,} tokens", f"{tokens / seconds:,.0f}", size(memory))]
    stdout.print(table(("lm ngram --order 5", "tokens/s", "peak memory"), cells))
    return {"tokens": tokens, "speed": tokens / seconds, "memory": memory}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=4000, help="words that are scored; a quarter is generated")
    parser.add_argument("--steps", type=int, default=20, help="steps of training that are timed")
    parser.add_argument("--seconds", type=float, default=30, help="of training before perplexities are compared")
    parser.add_argument("--hidden", type=int, nargs="+", default=[200, 650], help="units of a layer, for train")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--json", default="", metavar="FILE")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found: dict[str, Any] = {"torch": torch.__version__, "threads": options.threads}
    parts = {"train": train, "outputs": outputs, "use": use, "ngram": ngram}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only.split(","):
            found[name] = parts[name](options, Path(folder))
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
