"""How scores become phones and words: what weights, and the options that go before them, say of decoding."""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from percept.core import checkpoint
from percept.core.errors import UsageError
from percept.core.kernels import warming_up
from percept.nlp.ngram import Ngram, read_arpa
from percept.speech.acoustic import tree
from percept.speech.acoustic.beam import Search, Space, Words, space
from percept.speech.acoustic.options import Decoding
from percept.speech.acoustic.samples import CLASSES
from percept.speech.acoustic.teaching import dictionary
from percept.speech.acoustic.topology import Span, Topology, phone_chances
from percept.speech.acoustic.viterbi import Loop, PhoneLoop
from percept.speech.features import FRAME
from percept.speech.lexicon import Lexicon
from percept.speech.phones import PHONES

DIGITS = ["zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PHONE_TOKENS = 800  # of a search for phones: more make it slower, and find nothing better
LM, PHONE_LM = "lm.", "phone_lm."  # how the names of an n-gram's arrays begin among the tensors of weights


class Decoder:
    """How the scores of a network become phones and words; what predict and eval share.

    words: None where only phones are asked for.
    """

    def __init__(self, options: Decoding, read: checkpoint.Checkpoint) -> None:
        self._options, self._read, header = options, read, read.header
        how = header.get("decoding", {})
        states = header["model"]["states"]
        self.topology = Topology(len(CLASSES), states)
        self.priors = np.log(np.array(header["priors"], np.float32))  # (C,)
        table = np.array(header["bigram"], np.float64)
        self.loop = Loop(self.topology, table, how.get("bigram_weight", 1.0), how.get("phone_penalty", 0.0))
        self.words: Space | None = None
        if options.vocab != "none":
            self.words = self._vocabulary(options, read, how)

    @cached_property
    def follows(self) -> Space | None:
        """What phones are searched with, if the weights have an n-gram of them."""
        model = _language(self._read, PHONE_LM)
        if model is None:
            return None
        how = self._read.header.get("decoding", {})
        rules = Search(
            beam=self._options.beam * how.get("phone_beam_scale", 4.0),
            most=PHONE_TOKENS,
            weight=how.get("phone_lm_weight", 4.0),
            penalty=how.get("phone_lm_penalty", 0.0),
        )
        return space(tree.build((phone, [(phone,)]) for phone in PHONES), self.topology, model, rules)

    def phones(self) -> PhoneLoop | PhoneSearch:
        """A new search for phones."""
        return PhoneLoop(self.loop, FRAME) if self.follows is None else PhoneSearch(self.follows)

    def search(self) -> Words | None:
        """A new search for words."""
        return None if self.words is None else Words(self.words, FRAME)

    def warm_up(self) -> None:
        """Search in two steps of nothing, which loads the kernels, or compiles them."""
        scores = np.zeros((2, len(self.priors)), np.float32)
        search = self.search() or self.phones()
        with warming_up(seconds=30):
            search.feed(scores, phone_chances(scores, self.topology.states))
            search.finish()

    def _vocabulary(self, options: Decoding, read: checkpoint.Checkpoint, how: dict[str, Any]) -> Space:
        lexicon, every = dictionary(options.lexicon), options.vocab in ("", "all")
        model = None
        if options.lm:
            model = read_arpa(Path(options.lm))
        elif options.vocab != "digits":  # in books, digits do not stand in rows
            model = _language(read, LM)
        if every:
            made = _tree(lexicon) if options.lexicon else _everyday()
        else:
            wanted = DIGITS if options.vocab == "digits" else _listed(Path(options.vocab))
            entries = ((word, lexicon.look_up(word).pronunciations) for word in wanted)
            made = tree.build((word, found) for word, found in entries if found)
        weight = options.lm_weight if options.lm_weight >= 0 else how.get("lm_weight", 6.0)
        rules = Search(
            beam=options.beam * how.get("beam_scale", 8.0),
            weight=weight,
            penalty=how.get("word_penalty", 0.0),
            silence=how.get("silence", 0.0),
        )
        return space(made, self.topology, model, rules)


class PhoneSearch:
    """The likeliest phones by an n-gram of them, while scores come in: a search for words, each of them one phone."""

    def __init__(self, space: Space) -> None:
        self._words = Words(space, FRAME)

    def feed(self, scores: np.ndarray, chances: np.ndarray) -> list[Span]:
        """The phones that are final now. scores: (T, C); chances: (T, P) of the phones."""
        return [span for word in self._words.feed(scores, chances) for span in word.phones]

    def finish(self) -> list[Span]:
        """The phones that had not been final before the end."""
        return [span for word in self._words.finish() for span in word.phones]


def _tree(lexicon: Lexicon) -> tree.Tree:
    return tree.build((word, lexicon.listed(word)) for word in lexicon.words())


@cache
def _everyday() -> tree.Tree:
    """All words of CMUdict; kept, for it takes a second or two."""
    return _tree(dictionary(""))


def _language(read: checkpoint.Checkpoint, begin: str) -> Ngram | None:
    """The n-gram that lies in a weight file, its tensors' names beginning so, if one does."""
    arrays = {name[len(begin) :]: tensor.numpy() for name, tensor in read.tensors.items() if name.startswith(begin)}
    return Ngram.from_arrays(arrays) if arrays else None


def _listed(path: Path) -> list[str]:
    """The words of a file, one a line.

    Raises:
        UsageError: it cannot be read, or holds none.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--vocab {path}: {error}") from error
    words = [line.strip().lower() for line in lines if line.strip() and not line.startswith("#")]
    if not words:
        raise UsageError(f"--vocab {path}: no words in it, one a line is expected")
    return words
