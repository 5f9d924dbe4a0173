"""n-grams of words, pieces of words and characters on the books that percept lm keeps for the test: bits a character.

    python benchmarks/lm_books.py --data books [--pieces N] [--orders N ...] [--weights NAME|FILE]

Pieces of words and characters can spell any text; words cannot. So there are two rows of words (those that are in the
training books three times or more): with unknown ones free, which pay for being unknown and not for what they are, and
with each spelt out, by an order-5 model of how the training books' rare words are spelt. All rows count the same
characters, line ends among them. The row of xz is `xz -9e` over the test books after the training books, less that over
the training books alone. --weights adds a trained network.
"""

from __future__ import annotations

import argparse
import lzma
from collections import Counter
from collections.abc import Iterator

import numpy as np

from percept.core import datasets
from percept.core.console import stdout, table
from percept.core.options import resolve
from percept.nlp.lm import corpus, options, task
from percept.nlp.lm.components import of_training
from percept.nlp.lm.reader import NgramReader
from percept.nlp.lm.vocabulary import build, encode_texts
from percept.nlp.ngram import estimate

Texts = tuple[corpus.Text, ...]


def ngrams(train: Texts, test: Texts, unit: str, orders: list[int], most: int = 0) -> Iterator[tuple[str, float]]:
    """What is measured, and its bits for the whole test text; of words two figures an order."""
    vocabulary, _ = build(train, unit, "text", most=most)
    known, asked = encode_texts(train, vocabulary), encode_texts(test, vocabulary)
    spelling = spelt(known.counted.unknown, asked.counted.unknown) if unit == "word" else 0.0
    for order in orders:
        scores = NgramReader(of_training(known, vocabulary, order)).score_text(asked)
        bits = -float(scores.sum(dtype=np.float64)) / np.log(2)
        name = f"KN{order}, {len(vocabulary):,} {unit} units"
        if unit == "word":
            yield f"{name}, unknown ones free", bits
            yield f"{name}, unknown ones spelt", bits + spelling
        else:
            yield name, bits


def spelt(rare: Counter[str], asked: Counter[str]) -> float:
    """Bits of the letters of words, to a model of how other words are spelt: a word is a sentence of letters."""
    letters = estimate(rare.elements(), 5)
    return -sum(count * sum(letters.score(list(word))) for word, count in asked.items()) / np.log10(2)


def squeezed(train: Texts, test: Texts) -> float:
    """Bits that the test text adds to the training text, packed."""
    how = {"filters": [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]}

    def raw(texts: Texts) -> bytes:
        return "".join("".join(line) + "\n" for text in texts for line in text.lines()).encode()

    alone = len(lzma.compress(raw(train), **how))
    return 8.0 * (len(lzma.compress(raw(train) + raw(test), **how)) - alone)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="books", metavar="NAME|FOLDER")
    parser.add_argument("--orders", type=int, nargs="+", default=[3, 5], help="of words and pieces (%(default)s)")
    parser.add_argument("--letters", type=int, nargs="+", default=[5, 8], help="of characters (%(default)s)")
    parser.add_argument("--pieces", type=int, default=8000, help="of words, made of the training books")
    parser.add_argument("--weights", default="", metavar="NAME|FILE")
    args = parser.parse_args()
    folder, _ = datasets.find(args.data, datasets.rows({"lm": options.DATASETS}), "lm", files=True)
    books = corpus.read(folder)
    train, test = books.split("train"), books.split("test")
    characters = sum(1 + sum(map(len, line)) for text in test for line in text.lines())
    found = [*ngrams(train, test, "word", args.orders), *ngrams(train, test, "bpe", args.orders, args.pieces)]
    found += ngrams(train, test, "character", args.letters)
    found.append(("xz -9e", squeezed(train, test)))
    rows = [(name, f"{bits / characters:.3f}") for name, bits in found]
    if args.weights:
        measured = task.evaluate(resolve(options.Evaluate, {"data": args.data, "weights": args.weights}))
        rows.append((measured.weights, f"{measured.metrics['bits_per_character']:.3f}"))
    stdout.print(table((f"{characters:,} characters of test", "bits a character"), rows))


if __name__ == "__main__":
    main()
