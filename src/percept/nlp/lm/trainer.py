"""What the training loop is given: a text in streams, the output layer's loss, perplexity on the text to choose by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from percept.core import checkpoint, weights
from percept.core.console import say
from percept.core.device import Device
from percept.core.errors import UsageError
from percept.core.files import write_atomic
from percept.core.sampling import parts, share
from percept.nlp.lm import corpus, vocabulary
from percept.nlp.lm.generate import generate
from percept.nlp.lm.model import Drops, build, from_checkpoint
from percept.nlp.lm.opened import vocabulary_of
from percept.nlp.lm.options import Train
from percept.nlp.lm.reader import Reader
from percept.nlp.lm.recurrent import State
from percept.nlp.lm.streams import Chunk, Streams

SAMPLE = 100  # words of the text that an epoch writes


@dataclass
class Part:
    """Some streams of a chunk. number: which of the parts of a batch."""

    chunk: Chunk
    number: int


@dataclass
class Memory:
    """What goes from step to step beside weights: the state of each part, and when averaging began."""

    states: list[State] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)  # of the epochs before averaging began
    updates: int = 0
    began: int = -1  # the update with which averaging began

    def state_dict(self) -> dict[str, Any]:
        """As plain values and tensors."""
        states = [[tensor.cpu() for tensor in state] for state in self.states]
        return {"states": states, "scores": list(self.scores), "updates": self.updates, "began": self.began}

    def load_state_dict(self, kept: dict[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        self.states = [tuple(state) for state in kept["states"]]
        self.scores, self.updates, self.began = list(kept["scores"]), kept["updates"], kept["began"]


class Trainer:
    """Trains a language model: see ``core.training.Trainable`` for what the loop asks."""

    metric, higher_is_better = "perplexity", False

    def __init__(self, options: Train, device: Device, places: Sequence[tuple[str, Path]]) -> None:
        self.options, self.device, self.memory = options, device, Memory()
        found = [corpus.read(path, hold_out=options.hold_out, errors=options.errors) for _, path in places]
        train = [text for one in found for text in one.split("train")]
        choosing = [text for one in found for text in one.split("val")]
        for note in corpus.notes([*train, *choosing]):
            say(f"        {note}")
        read = _started(options)
        if read is None:
            style = _style(found, train) if options.style == "auto" else options.style
            self.vocabulary, counts = vocabulary.build(
                train, options.unit, style, most=options.vocabulary, minimum=options.minimum
            )
        else:
            self.vocabulary, counts = vocabulary_of(read[1].header), None
        self.model, start = self._model(read, counts)
        text = vocabulary.encode_texts(train, self.vocabulary)
        self.chosen_on = vocabulary.encode_texts(choosing, self.vocabulary)
        if not len(self.chosen_on.ids):
            raise UsageError("there is nothing to choose the best epoch by: the val split is empty")
        self.rank, self.world = share(options.batch, options.accumulate)
        streams = Streams(text, self.vocabulary.end, options.batch, options.bptt, options.seed)
        self.streams = streams.to(device.torch)
        rate = sum(text.counted.unknown.values()) / len(text.ids)
        self.header: dict[str, Any] = {
            "task": "lm",
            "model": self.described,
            "classes": list(self.vocabulary.units),
            "vocabulary": self.vocabulary.to_json(),
            "data": {
                "sets": [name for name, _ in places],
                "tokens": len(text.ids),
                "characters": text.counted.characters,
                "unknown": round(rate, 6),
            },
            "start": start,
        }
        self.facts = {"tokens": len(text.ids), "choosing_tokens": len(self.chosen_on.ids), "start": start}
        count = sum(parameter.numel() for parameter in self.model.parameters())
        say(
            f"data    {len(text.ids):,} {self.vocabulary.kind} tokens, {len(self.chosen_on.ids):,} to choose by; "
            f"{len(self.vocabulary):,} different, {100 * rate:.2f} % unknown"
        )
        say(f"model   {options.model}, {self.described['output']} output, {count / 1e6:.2f} M parameters, from {start}")

    def steps(self) -> int:
        """Chunks an epoch."""
        return self.streams.chunks

    def batches(self, epoch: int, start: int) -> Iterator[list[Part]]:
        """This process's streams of each chunk, in parts."""
        low, high = (self.options.batch * rank // self.world for rank in (self.rank, self.rank + 1))
        for chunk in self.streams.epoch(epoch, start):
            pieces = parts(high - low, self.options.accumulate)
            columns = [slice(low + one.start, min(high, low + one.stop)) for one in pieces]
            if chunk.at == 0:
                self.memory.states = [self.model.start(one.stop - one.start) for one in columns]
            cut = [Chunk(*(tensor[:, one] for tensor in chunk[:3]), chunk.at) for one in columns]
            yield [Part(piece, number) for number, piece in enumerate(cut)]

    def size(self, batch: Part) -> float:
        """Words of a chunk of mean length: a shorter one takes a shorter step (Merity et al. 2017, section 4.1)."""
        return self.streams.mean * batch.chunk.words.shape[1] / self.streams.batch

    def loss(self, batch: Part) -> tuple[Tensor, dict[str, Tensor]]:
        """The output layer's loss summed over words; of the AWD-LSTM, activation regularisation too (section 4.6)."""
        place, chunk = self.device.torch, batch.chunk
        before = tuple(tensor.to(place) for tensor in self.memory.states[batch.number])
        raw, after = self.model.read(chunk.words, before, chunk.fresh)
        self.memory.states[batch.number] = tuple(tensor.detach() for tensor in after)
        dropped = self.model.body.drop(raw)
        total = self.model.output.loss(dropped.flatten(0, 1), chunk.targets.flatten())  # (T, B, D) -> (T B, D)
        pieces = {"nats": total}
        if self.options.model == "awd-lstm":
            many = chunk.targets.numel()
            total = total + many * self.options.alpha * dropped.float().square().mean()
            if len(raw) > 1:
                total = total + many * self.options.beta * (raw[1:] - raw[:-1]).float().square().mean()
        return total, pieces

    def describe(self, batch: Part) -> str:
        """The place in the text, for the message when the loss is not finite."""
        return f"words {batch.chunk.at} to {batch.chunk.at + len(batch.chunk.words)} of the streams"

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Perplexity of the text kept for choosing, every token counted; a long text is read at places side by side."""
        reader = Reader(model, self.vocabulary.end, self.device.torch)
        nats = -float(reader.score_side_by_side(self.chosen_on).sum(dtype=np.float64))
        tokens, characters = len(self.chosen_on.ids), self.chosen_on.counted.characters
        score = float(np.exp(min(nats / tokens, 100.0)))
        self._perhaps_average(score)
        return {"perplexity": score, "bits_per_character": nats / np.log(2) / max(1, characters)}

    def pictures(self, model: nn.Module, folder: Path) -> None:
        """What the model writes now."""
        reader = Reader(model.eval(), self.vocabulary.end, self.device.torch)
        length = SAMPLE * (1 if self.vocabulary.kind == "word" else 5)
        text = "".join(generate(reader, self.vocabulary, "", length=length, seed=self.options.seed))
        write_atomic(folder / "sample.txt", text + "\n")

    @property
    def mean(self) -> Any:
        """With ``--asgd``: how weights are averaged (section 3); else None, and ``--ema`` holds."""
        return self._averaged if self.options.asgd else None

    def _averaged(self, average: Tensor, current: Tensor, number: Tensor | int) -> Tensor:
        """The weights themselves until averaging begins, then the mean of all since."""
        self.memory.updates = int(number)
        if self.memory.began < 0:
            return current
        since = int(number) - self.memory.began
        return average + (current - average) / (since + 1)

    def _perhaps_average(self, score: float) -> None:
        """Begin to average once the score is no better than the best of all but the last ``--asgd`` epochs."""
        if self.options.asgd and self.memory.began < 0:
            earlier = self.memory.scores[: -self.options.asgd]
            if earlier and score > min(earlier):
                self.memory.began = self.memory.updates + 1
                say("averaging the weights from here on")
            self.memory.scores.append(score)

    def _model(
        self, read: tuple[str, checkpoint.Checkpoint] | None, counts: np.ndarray | None
    ) -> tuple[nn.Module, str]:
        options = self.options
        if read is not None:
            shown, found = read
            self.described = found.header["model"]
            if self.described["name"] != options.model:
                raise UsageError(f"--start {shown}: weights of {self.described['name']}, not of {options.model}")
            network = from_checkpoint(found)
            fresh = build(self.described, len(self.vocabulary), _counts(found), _drops(options))
            fresh.load_state_dict(network.state_dict())
        else:
            shown = "random weights"
            self.described = described(options)
            fresh = build(self.described, len(self.vocabulary), counts, _drops(options))
        if self.described["output"] in ("sampled", "nce"):
            fresh.output.noise = options.samples
        return fresh.train(), shown


def described(options: Train) -> dict[str, Any]:
    """What :func:`percept.nlp.lm.model.build` wants to know, for the header."""
    keys = ("embedding", "hidden", "layers", "context", "direct", "output", "tied")
    return {"name": options.model, **{key: getattr(options, key) for key in keys}}


def _drops(options: Train) -> Drops:
    awd = options.model == "awd-lstm"
    return Drops(
        options.dropout_words if awd else 0.0,
        options.dropout_input,
        options.dropout_hidden,
        options.dropout,
        options.weight_drop if awd else 0.0,
    )


def _started(options: Train) -> tuple[str, checkpoint.Checkpoint] | None:
    """The weights of ``--start``, whose vocabulary is kept."""
    if options.start in ("", "none"):
        return None
    shown, path = weights.resolve(options.start, "lm")
    return shown, checkpoint.load(path, task="lm")


def _counts(found: checkpoint.Checkpoint) -> np.ndarray | None:
    return found.tensors["output.counts"].numpy() if "output.counts" in found.tensors else None


def _style(found: Sequence[corpus.Corpus], texts: Sequence[corpus.Text]) -> str:
    """How words are cut: as the layout says, else by whether they are cut already."""
    styles = {one.style for one in found if one.style}
    if styles:
        return sorted(styles)[0]
    return "blanks" if all(text.cut for text in texts) else "text"
