"""``percept lm ngram``: an n-gram model of a text, written as an ARPA file."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from percept.core.console import say
from percept.core.errors import InputError, PerceptError, UsageError
from percept.nlp.lm.opened import ARPA
from percept.nlp.lm.options import Ngram
from percept.nlp.ngram import estimate, opened, read_sentences, write_arpa


def write(options: Ngram) -> dict[str, Any]:
    """Estimate and write; what was written.

    Raises:
        UsageError: no place to write to, or options that cannot be.
        PerceptError: the text cannot be read or holds no words, or the file cannot be written.
    """
    if not options.out:
        raise UsageError("no place to write to: percept lm ngram FILE --out model.arpa")
    if not options.out.endswith(ARPA):
        raise UsageError(f"--out {options.out}: an ARPA file ends in .arpa or .arpa.gz")
    if options.file != "-" and Path(options.file).resolve() == Path(options.out).resolve():
        raise UsageError(f"--out {options.out} would be written over the text")
    began = time.monotonic()
    how = {
        "vocabulary": options.vocabulary or None,
        "unknown": options.unknown,
        "minimum": options.minimum,
        "warn": say,
    }
    try:
        if options.file == "-":
            model = estimate(read_sentences(sys.stdin.buffer, options.errors), options.order, **how)
        else:
            with opened(Path(options.file)) as file:
                model = estimate(read_sentences(file, options.errors), options.order, **how)
    except InputError as error:
        raise PerceptError(f"{options.file}: {error}") from error
    except UsageError as error:
        raise UsageError(f"{options.file}: {error}") from error
    if options.prune:
        model = model.pruned(options.prune)
    write_arpa(model, Path(options.out))
    seconds = round(time.monotonic() - began, 3)
    size = Path(options.out).stat().st_size
    return {"file": options.out, "order": model.order, "ngrams": list(model.counts), "size": size, "seconds": seconds}
