"""Options of lm. Imports neither torch nor numpy: ``percept lm --help`` must answer at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from percept.core.options import argument, option
from percept.core.verbs import EvaluateOptions, ExportOptions, PredictOptions, Talk, TrainOptions

DATASETS = Path(__file__).with_name("datasets.toml")
DATA_FILES = True  # --data may be one text
MODELS = ("nplm", "rnn", "gru", "lstm", "awd-lstm")
OUTPUTS = ("full", "adaptive", "hierarchical", "sampled", "nce")
UNITS = ("word", "character", "bpe")
STYLES = ("blanks", "text", "wikitext", "ptb")
ERRORS = ("strict", "replace", "ignore")
FORMATS = ("table", "json", "jsonl", "csv")


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How text is drawn; shared by generate and the prompt."""

    length: int = option(100, "words (or characters, or pieces of words) to write", group="Output", low=1)
    temperature: float = option(1.0, "below 1: likelier words; 0: always the likeliest", group="Output", low=0.0)
    top_k: int = option(0, "choose among so many likeliest words; 0 = all", group="Output", low=0)
    top_p: float = option(0.8, "choose among the likeliest words of this share", group="Output", low=0.0, high=1.0)
    stop: str = option("", "end where this is written", group="Output")


@dataclass(frozen=True, kw_only=True)
class Score(PredictOptions):
    """How well the model predicts texts: perplexity, bits a word and a character, unknown words."""

    inputs: tuple[str, ...] = argument(
        "texts, folders, globs, lists (@list), or - for stdin", metavar="FILE...", repeat=True
    )
    lines: bool = option(False, "score each line by itself", group="Output")
    rank: bool = option(False, "sort all lines, the likeliest first", group="Output")
    show: bool = option(False, "the text with its surprising words marked", group="Output")
    format: str = option("table", "what stdout carries", group="Output", choices=FORMATS)
    as_is: bool = option(False, "words are what stands between blanks, whatever the weights say", group="Input")
    errors: str = option("strict", "what becomes of bytes that are no UTF-8", group="Input", choices=ERRORS)

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = [("out", "scores are answered on stdout")]
        if self.rank:
            found += [("lines", "--rank scores lines anyway"), ("show", "--rank shows lines whole")]
        return found + ([("format", "--json chooses the format")] if self.json and self.format != "json" else [])


@dataclass(frozen=True, kw_only=True)
class Predict(Sampling, Score):
    """``percept lm FILE...``, or a prompt without one"""

    inputs: tuple[str, ...] = argument(
        "texts to score (as percept lm score); without any, a prompt opens",
        metavar="FILE...",
        repeat=True,
        required=False,
    )

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        drawn = [(key, "texts are scored; percept lm generate draws one") for key in Sampling.__dataclass_fields__]
        return super().without_effect() + (drawn if self.inputs else [])


@dataclass(frozen=True, kw_only=True)
class Generate(Sampling, PredictOptions):
    """Write on from a prompt, as the text comes."""

    prompt: tuple[str, ...] = argument("how the text begins", metavar="PROMPT", repeat=True, required=False)
    samples: int = option(1, "texts to write", group="Output", low=1)

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = [("out", "text is answered on stdout"), ("strict", "a prompt cannot fail")]
        if self.temperature == 0:
            found += [(key, "--temperature 0 takes the likeliest word") for key in ("top_k", "top_p")]
        return found


@dataclass(frozen=True, kw_only=True)
class Nearest(PredictOptions):
    """The words whose vectors are nearest to those of a word."""

    words: tuple[str, ...] = argument("words of the vocabulary", metavar="WORD...", repeat=True)
    top: int = option(10, "neighbours shown", group="Output", low=1)

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        return [("out", "words are answered on stdout")]


@dataclass(frozen=True, kw_only=True)
class Analogy(PredictOptions):
    """A is to B as what is to C? ``percept lm analogy king queen man`` asks for the woman."""

    words: tuple[str, ...] = argument("three words of the vocabulary", metavar="A B C", repeat=True)
    top: int = option(5, "answers shown", group="Output", low=1)

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        return [("out", "words are answered on stdout"), ("strict", "it is one question")]


@dataclass(frozen=True, kw_only=True)
class Map(PredictOptions):
    """A picture of word vectors in two dimensions: DIR/map.png."""

    words: tuple[str, ...] = argument("words of the vocabulary", metavar="WORD...", repeat=True, required=False)
    top: int = option(0, "the most frequent words", group="Input", low=0, high=5000)

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        return [("strict", "a word outside the vocabulary always ends it")]


@dataclass(frozen=True, kw_only=True)
class Ngram(Talk):
    """Estimate an n-gram model of a text and write it as an ARPA file, to be used as --weights and in --mix."""

    file: str = argument("a text, a sentence a line; - for stdin", metavar="FILE")
    order: int = option(5, "longest n-grams", group="Training", low=1, high=10)
    out: str = option("", "file to write, .arpa or .arpa.gz", group="Output", metavar="FILE.arpa")
    vocabulary: int = option(0, "keep so many most frequent words; 0 = all", group="Training", low=0)
    minimum: tuple[int, ...] = option(
        (1,), "how often n-grams of 1, 2, ... words must be in the text", group="Training", low=1
    )
    prune: float = option(
        0.0, "drop n-grams that lower the perplexity by less than this share", group="Training", low=0.0
    )
    unknown: bool = option(True, "give unknown words a probability, as <unk>", group="Training")
    errors: str = option("strict", "what becomes of bytes that are no UTF-8", group="Input", choices=ERRORS)
    json: bool = option(False, "what was written, as one JSON document on stdout", group="Output")


ACTIONS = {"generate": Generate, "score": Score, "nearest": Nearest, "analogy": Analogy, "map": Map, "ngram": Ngram}


@dataclass(frozen=True, kw_only=True)
class Train(TrainOptions):
    """``percept train lm``"""

    data: tuple[str, ...] = option(
        (), "data set by name, a text or a folder of texts", group="Input", repeat=True, metavar="NAME|FILE|FOLDER"
    )
    unit: str = option("word", "what the model predicts", group="Model", choices=UNITS)
    style: str = option("auto", "how words are cut from text", group="Input", choices=("auto", *STYLES))
    vocabulary: int = option(
        0, "most words, or pieces of words, to know; 0 = all that are frequent", group="Model", low=0
    )
    minimum: int = option(
        0, "how often a word must be in the text", group="Model", low=0, shown_default="3, or 1 where <unk> is a word"
    )
    errors: str = option("strict", "what becomes of bytes that are no UTF-8", group="Input", choices=ERRORS)
    model: str = option("lstm", "network", group="Model", choices=MODELS)
    embedding: int = option(200, "numbers of a word's vector", group="Model", low=1)
    hidden: int = option(200, "hidden units of a layer", group="Model", low=1)
    layers: int = option(2, "recurrent layers", group="Model", low=1)
    context: int = option(5, "nplm: length of its n-grams, the predicted word included", group="Model", low=2)
    direct: bool = option(False, "nplm: connect the vectors directly with the output", group="Model")
    output: str = option("full", "output layer", group="Model", choices=OUTPUTS)
    tied: bool = option(False, "share the vectors of input and output", group="Model")
    samples: int = option(1000, "sampled, nce: noise words a step", group="Training", low=1)
    bptt: int = option(35, "steps of back-propagation through time", group="Training", low=1)
    dropout: float = option(0.2, "dropped of the last layer's units", group="Training", low=0.0, high=0.95)
    dropout_hidden: float = option(0.2, "dropped between layers", group="Training", low=0.0, high=0.95)
    dropout_input: float = option(0.2, "dropped of the words' vectors", group="Training", low=0.0, high=0.95)
    dropout_words: float = option(0.0, "awd-lstm: words dropped from the table", group="Training", low=0.0, high=0.95)
    weight_drop: float = option(0.5, "awd-lstm: recurrent weights dropped", group="Training", low=0.0, high=0.95)
    alpha: float = option(2.0, "awd-lstm: how much large activations cost", group="Training", low=0.0)
    beta: float = option(1.0, "awd-lstm: how much changes of activations cost", group="Training", low=0.0)
    batch: int = option(20, "places of the text that are read side by side", group="Training", low=1)
    epochs: int = option(20, "passes over the text", group="Training", low=1)
    lr: float = option(2e-3, "highest learning rate", group="Training", low=0.0)
    momentum: float = option(0.0, "momentum of sgd", group="Training", low=0.0, high=0.999)
    weight_decay: float = option(1e-6, "decay of weights (not of biases)", group="Training", low=0.0)
    warmup: float = option(0.1, "epochs of linear warm-up", group="Training", low=0.0)
    clip: float = option(0.25, "longest gradient (L2 norm); 0 = no limit", group="Training", low=0.0)
    ema: float = option(0.999, "decay of the weights' running mean; 0 = off", group="Training", low=0.0, high=0.99999)
    asgd: int = option(
        0,
        "average the weights once so many epochs brought nothing, instead of --ema; 0 = never",
        group="Training",
        low=0,
    )

    def without_effect(self) -> list[tuple[str, str]]:
        """Options that change nothing in this combination, each with the reason."""
        found = super().without_effect() + [("channels_last", "text has no channels")]
        if self.model != "awd-lstm":
            found += [(key, "only awd-lstm has it") for key in ("dropout_words", "weight_drop", "alpha", "beta")]
        if self.model != "nplm":
            found += [(key, "only nplm has it") for key in ("context", "direct")]
        else:
            found += [("layers", "nplm has one"), ("dropout_hidden", "nplm has one layer")]
        if self.unit != "word":
            found.append(("style", "only words are cut from text"))
        if self.start in ("", "none"):
            if self.output not in ("sampled", "nce"):
                found.append(("samples", "only --output sampled and nce draw noise words"))
        else:
            keys = ("unit", "style", "vocabulary", "minimum", "embedding", "hidden", "layers", "output", "tied")
            found += [(key, "the weights of --start decide") for key in keys]
        if self.asgd:
            found.append(("ema", "--asgd averages instead"))
        return found


@dataclass(frozen=True, kw_only=True)
class Evaluate(EvaluateOptions):
    """``percept eval lm``"""

    data: str = option("", "data set by name, a text or a folder", group="Input", metavar="NAME|FILE|FOLDER")
    limit: int = option(0, "only about the first so many words; 0 = all", group="Input", low=0)
    mix: tuple[str, ...] = option(
        (), "mix with knN (n-grams of N words), cache, dynamic, or a model.arpa", group="Model", metavar="kn5,cache,..."
    )
    analogies: str = option("", "questions of four words a line", group="Input", metavar="FILE")
    wordsim: str = option("", "pairs of words with a judged similarity", group="Input", metavar="FILE")
    errors: str = option("strict", "what becomes of bytes that are no UTF-8", group="Input", choices=ERRORS)


@dataclass(frozen=True, kw_only=True)
class Export(ExportOptions):
    """``percept export lm``"""

    size: int = option(64, "words of the example that is traced", group="Model", low=2)
