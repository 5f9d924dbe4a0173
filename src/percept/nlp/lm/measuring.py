"""``percept eval lm``: perplexity over every token, mixtures, analogies and similarities, beside published figures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from percept.core.device import choose
from percept.core.errors import UsageError
from percept.core.evaluation import Report, Table, figure
from percept.nlp.lm import components, corpus, published
from percept.nlp.lm.mixing import perplexity, tuned
from percept.nlp.lm.opened import Opened, open_model
from percept.nlp.lm.options import Evaluate
from percept.nlp.lm.vectors import Vectors, read_analogies, read_pairs
from percept.nlp.lm.vocabulary import Encoded, Vocabulary, encode_texts

METRICS = ("perplexity", "bits_per_token", "bits_per_character", "oov_rate", "tokens")


def measure(options: Evaluate, place: Path) -> Report:
    """All that the options ask for.

    Raises:
        UsageError: no such split, weights or file; InputError: a text that cannot be read.
    """
    device = choose(options.device, options.threads, options.precision)
    found = corpus.read(place, errors=options.errors)
    split = options.split or ("test" if "test" in found.texts else "val")
    texts = found.split(split)
    split = corpus.OTHER_NAMES.get(split, split)
    model = open_model(options.weights, device)
    components.check(options.mix, model)
    if options.mix and split == "val":
        raise UsageError("--mix finds its weights on val, so it is measured on test")
    began = time.monotonic()
    test = _limited(encode_texts(texts, model.vocabulary), model.vocabulary, options.limit)
    if not len(test.ids):
        raise UsageError(f"{place}: {split} is empty")
    with device.autocast():
        static = model.reader.score_text(test)
    metrics: dict[str, Any] = metrics_of(static, test)
    tables = [Table("", ("measured here", *METRICS), ((model.shown, *_cells(metrics)),))]
    details: dict[str, Any] = {}
    if options.mix:
        tune = encode_texts(found.split("val"), model.vocabulary)
        train = cache(lambda: encode_texts(found.split("train"), model.vocabulary))
        more, table, details = mixed(options.mix, model, device.torch, train, tune, test, np.exp(static.astype(float)))
        metrics |= more
        tables.append(table)
    for one in _of_vectors(options, model):
        metrics |= one[0]
        tables.append(one[1])
    unknown = ", ".join(f"{word} ({count})" for word, count in test.counted.unknown.most_common(5))
    note = "every token counts, the end of each line too; the state goes on to the end of a document"
    return Report(
        "lm",
        Path(options.data).name or options.data,
        split,
        model.shown,
        len(test.ids),
        metrics,
        time.monotonic() - began,
        published=published.rows(found.layout, split, len(test.ids)),
        tables=tables,
        note=f"{note}; unknown: {unknown}" if unknown else note,
        details=details,
    )


def metrics_of(log_probs: np.ndarray, encoded: Encoded) -> dict[str, float | int]:
    """The figures of a text, from log p of each of its tokens."""
    nats, tokens = -float(log_probs.sum(dtype=np.float64)), len(encoded.ids)
    bits = nats / np.log(2)
    return {
        "perplexity": float(np.exp(min(nats / tokens, 700.0))),
        "bits_per_token": bits / tokens,
        "bits_per_character": bits / max(1, encoded.counted.characters),
        "oov_rate": 100 * encoded.counted.unknown.total() / tokens,
        "tokens": tokens,
    }


def mixed(
    names: Sequence[str],
    model: Opened,
    device: Any,
    train: Any,
    tune: Encoded,
    test: Encoded,
    static: np.ndarray,
) -> tuple[dict[str, float], Table, dict[str, Any]]:
    """Each part alone, the model with each, and all together: metrics, a table, and the weights for JSON."""
    parts = {"model": (np.exp(model.reader.score_text(tune).astype(float)), static)}
    told = {"model": model.shown}
    for name in names:
        parts[name], told[name] = components.component(name, model, device, train, tune, test)
    weights, whole = _together(list(parts.values()))
    adaptive = any(name in components.ADAPTIVE for name in names)
    found = {f"perplexity_{Path(name).stem}": perplexity(parts[name][1]) for name in names if name != "cache"}
    found |= {"perplexity_mixed_adaptive" if adaptive else "perplexity_mixed": whole}
    kind = {name: " (adaptive)" if name in components.ADAPTIVE else "" for name in parts}
    rows = [
        (name + kind[name], told[name], f"{weight:.3f}", "-" if name == "cache" else figure(perplexity(on_test), 2))
        for (name, (_, on_test)), weight in zip(parts.items(), weights, strict=True)
    ]
    by_one = {name: _together([parts["model"], parts[name]]) for name in names if len(names) > 1}
    for name, (share, one) in by_one.items():
        rows.append((f"model + {name}{kind[name]}", "", f"{share[1]:.3f}", figure(one, 2)))
    rows.append(("all mixed" + (" (adaptive)" if adaptive else ""), "weights found on val", "", figure(whole, 2)))
    table = Table("mixture", ("part", "", "weight", "perplexity"), tuple(rows))
    shares = {name: round(float(weight), 4) for name, weight in zip(parts, weights, strict=True)}
    details = {"weights": shares, "adaptive": adaptive, "parts": told}
    if by_one:
        details["model_with"] = {name: one for name, (_, one) in by_one.items()}
    return found, table, {"mixture": details}


def _together(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, float]:
    """The weights of parts (on val, on test) that are best on val, and the perplexity with them on test."""
    weights = tuned(np.stack([on_tune for on_tune, _ in parts]))
    return weights, perplexity(np.tensordot(weights, np.stack([on_test for _, on_test in parts]), axes=1))


def _cells(metrics: dict[str, float | int]) -> list[str]:
    digits = {"perplexity": 2, "oov_rate": 2}
    return [
        f"{metrics[name]:,}" if name == "tokens" else figure(float(metrics[name]), digits.get(name, 3))
        for name in METRICS
    ]


def _limited(encoded: Encoded, vocabulary: Vocabulary, limit: int) -> Encoded:
    """The first ``limit`` tokens, with the characters that they stand for."""
    if not limit or limit >= len(encoded.ids):
        return encoded
    blank = vocabulary.kind == "word"
    lengths = np.array([1 if n == vocabulary.end else len(u) + blank for n, u in enumerate(vocabulary.units)])
    counted = replace(encoded.counted, characters=int(lengths[encoded.ids[:limit]].sum()), tokens=limit)
    return Encoded(encoded.ids[:limit], encoded.starts[encoded.starts < limit], counted)


def _of_vectors(options: Evaluate, model: Opened) -> list[tuple[dict[str, float | None], Table]]:
    found: list[tuple[dict[str, float | None], Table]] = []
    if not (options.analogies or options.wordsim):
        return found
    vectors = Vectors(model.neural.table.weight.detach().cpu().numpy(), model.vocabulary)
    if options.analogies:
        sections = read_analogies(Path(options.analogies), model.vocabulary)
        counts = {name: (*vectors.answers(asked), len(asked)) for name, asked in sections.items()}
        right, covered, asked = (sum(row[column] for row in counts.values()) for column in range(3))
        share = 100 * right / covered if covered else None
        rows = [(name, _percent(*row[:2]), f"{row[1]} of {row[2]}") for name, row in counts.items()]
        rows.append(("all", figure(share, 1), f"{covered} of {asked}"))
        table = Table("analogies", ("section", "right %", "covered"), tuple(rows))
        found.append(({"analogies": share, "analogies_covered": covered, "analogies_asked": asked}, table))
    if options.wordsim:
        pairs = read_pairs(Path(options.wordsim), model.vocabulary)
        rank, covered = vectors.correlation(pairs)
        table = Table(
            "judged similarity", ("", "Spearman", "covered"), (("pairs", figure(rank), f"{covered} of {len(pairs)}"),)
        )
        found.append(({"wordsim": rank, "wordsim_covered": covered, "wordsim_pairs": len(pairs)}, table))
    return found


def _percent(right: int, covered: int) -> str:
    return figure(100 * right / covered, 1) if covered else "-"
