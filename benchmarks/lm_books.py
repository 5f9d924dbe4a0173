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


def ngrams(train: Texts, test: Texts, unit: str, order: int, most: int) -> Iterator[tuple[str, float]]:
    """What is measured, and its bits for the whole test text; of words two figures."""
    vocabulary, _ = build(train, unit, "text", most=most)
    known, asked = encode_texts(train, vocabulary), encode_texts(test, vocabulary)
    reader = NgramReader(of_training(known, vocabulary, order))
    bits = -float(reader.score_text(asked).sum(dtype=np.float64)) / np.log(2)
    name = f"KN{order}, {len(vocabulary):,} {unit} units"
    if unit != "word":
        yield name, bits
        return
    yield f"{name}, unknown ones free", bits
    rare = (word for word, count in known.counted.unknown.items() for _ in range(count))
    letters = estimate(rare, 5)  # to this model a word is a sentence, of letters
    spelling = (count * sum(letters.score(list(word))) for word, count in asked.counted.unknown.items())
    yield f"{name}, unknown ones spelt", bits - sum(spelling) / np.log10(2)


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
    asked = [("word", order, 0) for order in args.orders]
    asked += [("bpe", order, args.pieces) for order in args.orders]
    asked += [("character", order, 0) for order in args.letters]
    found = [row for unit, order, most in asked for row in ngrams(train, test, unit, order, most)]
    found.append(("xz -9e", squeezed(train, test)))
    rows = [(name, f"{bits / characters:.3f}") for name, bits in found]
    if args.weights:
        measured = task.evaluate(resolve(options.Evaluate, {"data": args.data, "weights": args.weights}))
        rows.append((measured.weights, f"{measured.metrics['bits_per_character']:.3f}"))
    stdout.print(table((f"{characters:,} characters of test", "bits a character"), rows))


if __name__ == "__main__":
    main()
