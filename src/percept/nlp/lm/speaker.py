"""The predictor: a model asked for scores of texts, for text, and for words with near vectors."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from percept.core import outputs, show, sources
from percept.core.console import answer, duration, say, stderr
from percept.core.device import choose
from percept.core.errors import InputError
from percept.nlp.lm import scoring
from percept.nlp.lm.corpus import SUFFIXES
from percept.nlp.lm.generate import generate
from percept.nlp.lm.opened import open_model
from percept.nlp.lm.options import Predict, Sampling, Score
from percept.nlp.lm.result import Neighbours, Scored
from percept.nlp.lm.vectors import Vectors

COLUMNS = ("tokens", "unknown", "perplexity", "bits_per_token", "bits_per_character")


class Speaker:
    """Scores texts and writes them.

    Attributes:
        model: the weights, opened. network: the neural model, or None.
        about: what every JSON document begins with.
    """

    def __init__(self, options: Any) -> None:
        self.options = options
        self.device = choose(options.device, options.threads, options.precision)
        self.model = open_model(options.weights, self.device)
        self.network = self.model.network
        self.about = {
            "task": "lm",
            "model": self.model.name,
            "weights": self.model.shown,
            "device": str(self.device),
        }

    def predict(self, x: str | Path) -> Scored:
        """How likely a text file is.

        Raises:
            InputError: not a text, or an empty one.
        """
        try:
            return self._whole(Path(x), str(x))
        except InputError as error:
            raise InputError(f"{x}: {error}") from error

    def score(self, text: str) -> Scored:
        """How likely a text is."""
        return self._whole(text.encode(), "")

    def generate(self, prompt: str = "", **how: Any) -> Iterator[str]:
        """Pieces of the text that follows; the keywords of :func:`percept.nlp.lm.generate.generate`."""
        chosen = {key: getattr(self.options, key) for key in _SAMPLING if hasattr(self.options, key)}
        return generate(self.model.reader, self.model.vocabulary, prompt, **{**chosen, **how})

    def nearest(self, word: str, top: int = 10) -> Neighbours:
        """The words whose vectors are nearest. Raises UsageError for a word outside the vocabulary."""
        return self.vectors.nearest(word, top)

    def analogy(self, a: str, b: str, c: str, top: int = 5) -> Neighbours:
        """A is to B as what is to C? Raises UsageError for a word outside the vocabulary."""
        return self.vectors.analogy(a, b, c, top)

    @property
    def vectors(self) -> Vectors:
        """The words' vectors. Raises UsageError if the model has none."""
        return Vectors(self.model.neural.table.weight.detach().cpu().numpy(), self.model.vocabulary)

    def stream(self) -> Iterator[outputs.Outcome]:
        """Score the inputs of the options one after another, in bounded memory."""
        items = sources.resolve(self.options.inputs, SUFFIXES, out=None, noun="texts")
        opened = sources.stream(items, lambda place: place, SUFFIXES, noun="texts")
        if self.options.lines or self.options.rank:
            return self._lines(opened)
        act = self._shown if self.options.show else self._whole
        return outputs.with_errors(opened, lambda item, place: act(place, item.name))

    def deliver(self) -> int:
        """``percept lm FILE...``: scores on stdout; without a file, a prompt. Returns the exit code."""
        options = self.options
        if not options.inputs:
            return self.converse()
        outcomes = self.stream()
        if options.rank:
            outcomes = iter(sorted(outcomes, key=lambda one: getattr(one[1], "nats", -1.0)))
        form = "json" if options.json else options.format
        to = outputs.Deliver(self.about, form, None, ("word", "bits") if options.show else COLUMNS, {}, {}, None)
        return to.run(outcomes, strict=options.strict)

    def converse(self) -> int:
        """Go on with each line that is typed, until there is none."""
        asks = stderr.is_terminal and sys.stdin.isatty()
        if asks:
            say(f"{self.model.shown}: type how a text begins, and it goes on; Ctrl-D ends")
        for number in range(sys.maxsize):
            if asks:
                stderr.print("> ", end="")
            line = sys.stdin.readline()
            if not line:
                return 0
            self.say_on(line.strip(), seed=self.options.seed + number)
        return 0

    def say_on(self, prompt: str, seed: int) -> None:
        """Write a prompt and what follows on stdout, as it comes."""
        self._note(prompt)
        sys.stdout.write(prompt)
        for piece in self.generate(prompt, seed=seed):
            sys.stdout.write(piece)
            sys.stdout.flush()
        sys.stdout.write("\n")
        sys.stdout.flush()

    def write(self, prompt: str, samples: int, as_json: bool) -> int:
        """``percept lm generate``."""
        began = time.monotonic()
        if not as_json:
            for number in range(samples):
                self.say_on(prompt, self.options.seed + number)
        else:
            self._note(prompt)
            texts = ["".join(self.generate(prompt, seed=self.options.seed + number)) for number in range(samples)]
            results = [{"input": prompt, "prompt": prompt, "text": text} for text in texts]
            seconds = round(time.monotonic() - began, 3)
            answer(show.document({**self.about, "seconds": seconds, "results": results}))
        say(f"{self.model.shown}, {self.device}, {duration(time.monotonic() - began)}", style="dim")
        return 0

    def answer(self, found: list[Neighbours]) -> int:
        """``percept lm nearest`` and ``analogy``."""
        items = [(sources.Item(one.input, PurePosixPath("words"), None), one) for one in found]
        form = "json" if self.options.json else "table"
        return outputs.Deliver(self.about, form, None, ("word", "similarity"), {}, {}, None).run(items)

    def _note(self, prompt: str) -> None:
        """Say what of a prompt the model cannot use."""
        vocabulary = self.model.vocabulary
        unknown = [unit for unit in vocabulary.cut(prompt) if unit not in vocabulary.index]
        if unknown:
            say(f"not in the vocabulary, so read as <unk>: {', '.join(dict.fromkeys(unknown))}")
        context = self.model.header.get("model", {}).get("context", 0)
        if self.model.name == "nplm" and len(list(vocabulary.cut(prompt))) >= context:
            say(f"{self.model.shown} looks back {context - 1} words; what is before them in the prompt has no effect")

    def _whole(self, place: Path | bytes, name: str) -> Scored:
        return scoring.whole(self.model, place, name, **self._how())

    def _shown(self, place: Path | bytes, name: str) -> Scored:
        return scoring.shown(self.model, place, name, **self._how())

    def _lines(self, opened: Iterator[tuple[sources.Item, Any]]) -> Iterator[outputs.Outcome]:
        for item, place in opened:
            if isinstance(place, InputError):
                yield item, place
                continue
            try:
                for one in scoring.by_line(self.model, place, item.name, show=self.options.show, **self._how()):
                    yield replace(item, name=one.input), one
            except InputError as error:
                yield item, error

    def _how(self) -> dict[str, Any]:
        chosen = self.options
        return {"as_is": chosen.as_is, "errors": chosen.errors} if isinstance(chosen, Score) else {}


_SAMPLING = tuple(Sampling.__dataclass_fields__)


def load(options: Predict) -> Speaker:
    """A model with its weights read and its device chosen."""
    return Speaker(options)
