"""The verbs of lm: what predict, train, eval, export and data check do, and its actions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from percept.core import checkpoint, datasets, show, weights
from percept.core.console import answer, say, size
from percept.core.device import Device
from percept.core.errors import UsageError
from percept.core.evaluation import Report
from percept.core.export import to_onnx
from percept.nlp.lm import arpa, corpus, options, picture
from percept.nlp.lm.check import CheckReport, look_through
from percept.nlp.lm.measuring import measure
from percept.nlp.lm.model import from_checkpoint
from percept.nlp.lm.speaker import Speaker, load
from percept.nlp.lm.trainer import Trainer
from percept.nlp.sentences import END, UNKNOWN

__all__ = ["analogy", "check", "evaluate", "export", "generate", "load", "map", "nearest", "ngram", "score", "trainer"]


LEAST = 1000  # bytes of texts in a folder without a layout


def trainer(chosen: options.Train, device: Device) -> Trainer:
    """What the training loop is given. Data is checked here, before anything is computed."""
    return Trainer(chosen, device, [(Path(name).name, _place(name)) for name in chosen.data])


def evaluate(chosen: options.Evaluate) -> Report:
    """Perplexity, bits a token and a character, unknown words; mixtures, analogies and similarities where asked for."""
    return measure(chosen, _place(chosen.data))


def export(chosen: options.Export) -> dict[str, Any]:
    """ONNX: words (B, T) int64, a text's first ones -> log p (B, T, V) of the word that follows each; B and T may vary.

    For a text's first word, put the end of a line, ``</s>``, before it.
    """
    shown, path = weights.resolve(chosen.weights, "lm")
    found = checkpoint.load(path, task="lm")
    network, units = from_checkpoint(found), len(found.header["classes"])
    rng = np.random.default_rng(0)
    example, other = (torch.from_numpy(rng.integers(0, units, shape)) for shape in ((2, chosen.size), (3, 17)))
    about = {key: found.header.get(key) for key in ("task", "model", "vocabulary", "classes", "licence")}
    to = Path(chosen.out or f"{Path(shown).stem if path.name != 'best.safetensors' else path.parent.name}.onnx")
    axes = {0: "batch", 1: "length"}
    names = {"inputs": {"words": axes}, "outputs": {"log_probs": axes}}
    return to_onnx(network, to, example, other, **names, about={**about, "weights": shown})


def check(folder: Path) -> CheckReport | None:
    """What a folder of texts holds and what is wrong with it, or None if it is no such folder.

    A short note lies in folders of all kinds, and makes none of texts.
    """
    layout = corpus.recognise(folder)
    short = layout == "texts" and sum(path.stat().st_size for path in corpus.found(folder)) < LEAST
    return None if layout is None or short else look_through(folder)


def generate(chosen: options.Generate) -> int:
    """``percept lm generate``: text on stdout as it comes."""
    return Speaker(chosen).write(" ".join(chosen.prompt), chosen.samples, chosen.json)


def score(chosen: options.Score) -> int:
    """``percept lm score``."""
    return Speaker(chosen).deliver()


def nearest(chosen: options.Nearest) -> int:
    """``percept lm nearest``. Raises UsageError for a word outside the vocabulary."""
    speaker = Speaker(chosen)
    vectors = speaker.vectors
    return speaker.answer([vectors.nearest(word, chosen.top) for word in chosen.words])


def analogy(chosen: options.Analogy) -> int:
    """``percept lm analogy``. Raises UsageError for a word outside the vocabulary."""
    if len(chosen.words) != 3:
        raise UsageError(f"three words are expected, as in: percept lm analogy king queen man; not {len(chosen.words)}")
    speaker = Speaker(chosen)
    return speaker.answer([speaker.analogy(*chosen.words, top=chosen.top)])


def map(chosen: options.Map) -> int:
    """``percept lm map``: the picture's path on stdout. Raises UsageError for a word outside the vocabulary."""
    if not chosen.out:
        raise UsageError("no place for the picture: percept lm map --top 500 --out DIR")
    if bool(chosen.words) == bool(chosen.top):
        raise UsageError("name words, or ask for the most frequent ones with --top 500")
    speaker = Speaker(chosen)
    vocabulary, vectors = speaker.model.vocabulary, speaker.vectors.units
    frequent = [number for number, unit in enumerate(vocabulary.units) if unit not in (END, UNKNOWN)]
    numbers = [vocabulary.number(word) for word in chosen.words] or frequent[: chosen.top]
    if len(numbers) < 3:
        raise UsageError("a picture needs three words or more")
    path = Path(chosen.out) / "map.png"
    share = picture.draw([vocabulary.units[number] for number in numbers], vectors[numbers], path)
    if chosen.json:
        answer(show.document({**speaker.about, "words": len(numbers), "variance": round(share, 4), "file": str(path)}))
    else:
        answer(str(path))
    return 0


def ngram(chosen: options.Ngram) -> int:
    """``percept lm ngram``: the file's path on stdout."""
    made = arpa.write(chosen)
    if chosen.json:
        answer(show.document(made))
    else:
        counts = " + ".join(f"{count:,}" for count in made["ngrams"])
        answer(made["file"])
        say(f"order {made['order']}, {counts} n-grams, {size(made['size'])}, {made['seconds']} s", style="dim")
    return 0


def _place(name: str) -> Path:
    return datasets.find(name, datasets.rows({"lm": options.DATASETS}), "lm", files=True)[0]
