"""``percept eval acoustic``: recordings decoded one by one, compared with what is known of them."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from percept.core import checkpoint, weights
from percept.core.console import say
from percept.core.device import choose
from percept.core.evaluation import Report, Table, answers, figure
from percept.speech.acoustic.data import Corpus, Utterance, read_corpus, splits
from percept.speech.acoustic.listener import Decoder, Listener
from percept.speech.acoustic.metrics import Accuracy, ErrorRate, FrameError, real_time_factor
from percept.speech.acoustic.options import Evaluate, Predict
from percept.speech.acoustic.published import caution, published
from percept.speech.acoustic.recogniser import heard
from percept.speech.acoustic.samples import CLASSES, sound
from percept.speech.acoustic.teaching import dictionary, phones_of
from percept.speech.acoustic.times import frame_labels
from percept.speech.acoustic.topology import phone_chances
from percept.speech.audio import RATE
from percept.speech.features import log_mel, normalised

PREFERRED = ("test", "test-other", "test-clean", "core-test", "val", "dev")  # splits, where none was named

Measured = tuple[dict[str, float | None], float | None, list[Table], float]  # metrics, rtf, tables, seconds


def measure(options: Evaluate, folder: Path, name: str) -> Report:
    """The report of one split: phones, frames and words, or command words."""
    shown, path = weights.resolve(options.weights, "acoustic")
    read = checkpoint.load(path, task="acoustic")
    there = splits(folder)
    split = options.split or next((one for one in PREFERRED if one in there), "all")
    corpus = read_corpus(folder, split)
    if options.limit:
        corpus = replace(corpus, utterances=corpus.utterances[: options.limit])
    trained = {*read.header["data"]["speakers"], *read.header["data"]["choosing"]}
    seen = sum(one.speaker in trained for one in corpus.utterances if one.speaker)
    if seen and name in read.header["data"]["sets"]:
        say(f"these weights have heard the speakers of {seen} of the {len(corpus.utterances)} recordings: no test")
    asked = Predict(weights=options.weights, vocab=options.vocab, lexicon=options.lexicon, lm=options.lm,
                    lm_weight=options.lm_weight, beam=options.beam)  # fmt: skip
    listener = Listener(asked, read, shown, choose(options.device, options.threads, options.precision))
    made = _commands(listener, corpus) if listener.decoder is None else _sentences(listener, listener.decoder, corpus)
    metrics, rtf, tables, seconds = made
    rows = [(shown, *(figure(value, 2) for value in metrics.values()), figure(rtf, 4))]
    tables.insert(0, Table("measured here: percent; rtf: seconds a second", ("", *metrics, "rtf"), tuple(rows)))
    return Report(
        "acoustic",
        name,
        split,
        shown,
        len(corpus.utterances),
        metrics,
        seconds,
        published=published(corpus.set, split, len(corpus.utterances), tuple(metrics)),
        tables=tables,
        note="; ".join(filter(None, (caution(corpus.set, split, len(corpus.utterances)), str(listener.device)))),
        details={"rtf": rtf, "trained_on": seen},
    )


def _commands(listener: Listener, corpus: Corpus) -> Measured:
    accuracy, lengths = Accuracy(), []

    def scored(one: Utterance) -> None:
        samples = sound(one)
        lengths.append(len(samples) / RATE)
        accuracy.add(one.label, listener.listen(iter([samples]), one.name).word, one.speaker)

    _, seconds = answers("recordings", corpus.utterances, scored)
    words = tuple((word, figure(value, 1)) for word, value in accuracy.by_label().items())
    rtf = real_time_factor(seconds, sum(lengths))
    return {"accuracy": accuracy.percent}, rtf, [Table("", ("word", "right, %"), words)], seconds


def _sentences(listener: Listener, decoder: Decoder, corpus: Corpus) -> Measured:
    phones, words, by_frame = ErrorRate(), ErrorRate(), FrameError()
    lexicon = dictionary(listener.options.lexicon)
    spent, length = 0.0, 0.0

    def scored(one: Utterance) -> None:
        nonlocal spent, length
        samples = sound(one)
        length += len(samples) / RATE
        began = time.perf_counter()
        mels = normalised(log_mel(torch.from_numpy(samples)))
        pieces = list(heard(listener.network, [mels], listener.device))
        frames = np.concatenate([piece.frames for piece in pieces])  # (T, C)
        scores, chances = frames - decoder.priors, phone_chances(frames, decoder.topology.states)
        loop = decoder.phones()
        spans = loop.feed(scores, chances) + loop.finish()
        search = decoder.search()
        found = [] if search is None else search.feed(scores, chances) + search.finish()
        spent += time.perf_counter() - began
        phones.add_phones(phones_of(one, lexicon), [CLASSES[span.phone] for span in spans], one.speaker)
        if one.phone_times:
            by_frame.add(chances.argmax(1), frame_labels(one.phone_times, len(frames)))
        if search is not None and one.words:
            words.add(one.words, [word.word for word in found], one.speaker)

    _, seconds = answers("recordings", corpus.utterances, scored)
    metrics: dict[str, float | None] = {
        "per": phones.rate,
        "frame_error": by_frame.rate,
        "wer": words.rate,
    }
    tables = [_counted(phones, words)]
    worst: list[tuple[Any, ...]] = [(truth, answer, f"{count:,}") for truth, answer, count in phones.worst()]
    tables.append(Table("most frequent errors (-: nothing)", ("said", "heard", "times"), tuple(worst)))
    return metrics, real_time_factor(spent, length), tables, seconds


def _counted(phones: ErrorRate, words: ErrorRate) -> Table:
    rows = []
    for name, rate in (("phones", phones), ("words", words)):
        total, between = rate.total, rate.interval()
        if total.length:
            shown = "-" if between is None else f"{between[0]:.1f} - {between[1]:.1f}"
            counts = (total.substitutions, total.deletions, total.insertions, total.length)
            rows.append((name, figure(rate.rate, 2), shown, *(f"{count:,}" for count in counts)))
    return Table("", ("", "error, %", "95 % interval", "wrong", "missing", "added", "of"), tuple(rows))
