r"""Give trained weights of acoustic their language model, and choose how they decode; no tensor of the network changes.

    python recipes/decoding.py runs/english/best.safetensors weights/english.safetensors \
        --data librispeech --data speechocean762 --text books/*.txt

Two language models are made of the texts and of what the training voices of --data say: an n-gram of words, and one of
phones, those of the first pronunciation of each word. The constants (how much they count, what a phone, a word and a
silence cost) are chosen one after another on the voices by which the epoch was chosen, which the network never learnt
from, for the fewest errors of phones, then of words; all that is tried is printed. All stand in the target: `lm.` and
`phone_lm.` tensors, and `decoding` in the header.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from percept.core import checkpoint, datasets
from percept.core.device import Device, choose
from percept.core.files import sha256
from percept.nlp.ngram import Ngram, estimate
from percept.speech.acoustic import beam, teaching, tree
from percept.speech.acoustic.data import Utterance, read_corpus, splits
from percept.speech.acoustic.decoder import LM, PHONE_LM, PHONE_TOKENS
from percept.speech.acoustic.metrics import ErrorRate
from percept.speech.acoustic.networks import from_checkpoint
from percept.speech.acoustic.options import DATASETS
from percept.speech.acoustic.recogniser import heard
from percept.speech.acoustic.samples import CLASSES, sound
from percept.speech.acoustic.topology import Topology, phone_chances
from percept.speech.acoustic.viterbi import Loop, PhoneLoop
from percept.speech.features import FRAME, log_mel, normalised
from percept.speech.lexicon import Lexicon, cmudict
from percept.speech.phones import PHONES
from percept.speech.words import words_of

SENTENCE = re.compile(r"(?<=[.?!;:—])[”’\"')]*\s+")
LOOP = {"bigram_weight": (2.0, 3.0, 4.0, 6.0), "phone_penalty": (-4.0, 0.0, 4.0)}
FOLLOWS = {"phone_lm_weight": (2.0, 3.0, 4.0, 5.0), "phone_lm_penalty": (0.0, 3.0, 6.0, 9.0)}
WORDS = {"lm_weight": (2.0, 3.0, 4.0, 6.0, 8.0, 10.0), "word_penalty": (-10.0, -5.0, 0.0, 5.0), "silence": (-8.0, 0.0)}
FOLDED = str.maketrans({"’": "'", "‘": "'"})


@dataclass(frozen=True)
class Listened:
    """What the network says of a recording kept for choosing. scores: (T, C); chances: (T, P)."""

    utterance: Utterance
    scores: np.ndarray
    chances: np.ndarray


def sentences(texts: Iterable[Path], lexicon: Lexicon) -> Iterator[list[str]]:
    """The words of each sentence of texts with a paragraph a line."""
    for path in texts:
        for line in path.read_text(encoding="utf-8").split("\n"):
            for sentence in SENTENCE.split(line.translate(FOLDED)):
                words = words_of(sentence, lexicon)
                if words:
                    yield words


def voices(names: Iterable[str]) -> list[Utterance]:
    """The training parts of the data sets by name, with the parts by which epochs are chosen."""
    found: list[Utterance] = []
    for name in names:
        folder = datasets.find(name, datasets.rows({"acoustic": DATASETS}), "acoustic")[0]
        for split in ("train", *(one for one in teaching.SPLITS if one in splits(folder))):
            found += read_corpus(folder, split).utterances
    return found


def language_model(texts: list[list[str]], lexicon: Lexicon, order: int, threshold: float) -> Ngram:
    """An n-gram of the words that the dictionary has; all others are <unk>."""
    counts = Counter(word for words in texts for word in words)
    known = sorted((word for word in counts if word in lexicon), key=lambda word: (-counts[word], word))
    made = estimate(texts, order, vocabulary=known, warn=print)
    return made.pruned(threshold) if threshold else made


def phone_model(texts: list[list[str]], lexicon: Lexicon, order: int, threshold: float) -> Ngram:
    """An n-gram of the phones of sentences, each word as the dictionary has it first; other words are left out."""
    spoken = ([phone for word in words for phone in next(iter(lexicon.listed(word)), ())] for words in texts)
    made = estimate(spoken, order, vocabulary=list(PHONES), unknown=False, warn=print)
    return made.pruned(threshold) if threshold else made


def listened(read: checkpoint.Checkpoint, utterances: Iterable[Utterance], device: Device) -> list[Listened]:
    """The network's scores of each recording, scaled by the priors."""
    network = from_checkpoint(read).to(device.torch)
    priors = np.log(np.array(read.header["priors"], np.float32))
    made = []
    for one in utterances:
        mels = normalised(log_mel(torch.from_numpy(sound(one))))
        (found,) = heard(network, [mels], device, piece=len(mels))
        made.append(Listened(one, found.frames - priors, phone_chances(found.frames, read.header["model"]["states"])))
    return made


def chosen(
    grid: dict[str, tuple[float, ...]], start: dict[str, float], error: Callable[..., float]
) -> dict[str, float]:
    """The values of least error: one after another, each with the best of those before, twice round."""
    best, least, tried = dict(start), error(**start), {tuple(start.values())}
    for name in (*grid, *grid):
        for value in grid[name]:
            found = best | {name: value}
            if tuple(found.values()) in tried:
                continue
            tried.add(tuple(found.values()))
            wrong = error(**found)
            print(f"  {wrong:6.2f} %  " + "  ".join(f"{key} {number:g}" for key, number in found.items()), flush=True)
            if wrong < least:
                best, least = found, wrong
    print(f"  {least:6.2f} %  chosen: {best}", flush=True)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--data", action="append", required=True, metavar="NAME|FOLDER")
    parser.add_argument("--text", nargs="*", type=Path, default=[], help="texts, UTF-8, a paragraph a line")
    parser.add_argument("--order", type=int, default=4, help="of the n-gram of words")
    parser.add_argument("--phone-order", type=int, default=6)
    parser.add_argument("--prune", type=float, default=1e-7, help="n-grams that change less than this are left out")
    parser.add_argument("--limit", type=int, default=0, help="recordings to choose by; 0 = all")
    parser.add_argument("--licence", default="", help="of the data, for the header")
    parser.add_argument("--allows", default="", help="what the licence allows, for the header")
    args = parser.parse_args()
    read = checkpoint.load(args.source, task="acoustic")
    header, lexicon = read.header, cmudict()
    kept = set(header["data"]["choosing"])
    every = voices(args.data)
    choosing = [one for one in every if (one.speaker or one.name) in kept]
    taught = [list(one.words) for one in every if (one.speaker or one.name) not in kept]
    texts = [*sentences(args.text, lexicon), *taught]
    arrays = {}
    for begin, made in (
        (LM, language_model(texts, lexicon, args.order, args.prune)),
        (PHONE_LM, phone_model(texts, lexicon, args.phone_order, args.prune)),
    ):
        packed = made.arrays(bits=8)
        print(f"{begin} {made.counts} n-grams, {sum(one.nbytes for one in packed.values()) / 1e6:.1f} MB", flush=True)
        arrays |= {begin + name: torch.from_numpy(array) for name, array in packed.items()}

    if args.limit:
        choosing = choosing[:: max(1, len(choosing) // args.limit)][: args.limit]
    spoken = listened(read, choosing, choose())
    topology = Topology(len(CLASSES), header["model"]["states"])
    table = np.array(header["bigram"], np.float64)

    def of_phones(decode: Callable[[Listened], list[str]]) -> float:
        errors = ErrorRate()
        for one in spoken:
            errors.add_phones(teaching.phones_of(one.utterance, lexicon), decode(one), "")
        return errors.rate or 0.0

    def of_loop(bigram_weight: float, phone_penalty: float) -> float:
        loop = Loop(topology, table, bigram_weight, phone_penalty)

        def decode(one: Listened) -> list[str]:
            search = PhoneLoop(loop, FRAME)
            return [CLASSES[span.phone] for span in search.feed(one.scores, one.chances) + search.finish()]

        return of_phones(decode)

    def of_follows(phone_lm_weight: float, phone_lm_penalty: float) -> float:
        rules = beam.Search(beam=48.0, most=PHONE_TOKENS, weight=phone_lm_weight, penalty=phone_lm_penalty)
        room = beam.space(each, topology, follows, rules)
        return of_phones(lambda one: [word.word for word in beam.decode(one.scores, room, one.chances)])

    def of_words(lm_weight: float, word_penalty: float, silence: float) -> float:
        rules = beam.Search(beam=96.0, weight=lm_weight, penalty=word_penalty, silence=silence)
        errors, room = ErrorRate(), beam.space(words, topology, model, rules)
        for one in spoken:
            found = beam.decode(one.scores, room, one.chances)
            errors.add(one.utterance.words, [word.word for word in found], "")
        return errors.rate or 0.0

    model, follows = (
        Ngram.from_arrays({name[len(begin) :]: one.numpy() for name, one in arrays.items() if name.startswith(begin)})
        for begin in (LM, PHONE_LM)
    )
    words = tree.build((word, lexicon.listed(word)) for word in lexicon.words())
    each = tree.build((phone, [(phone,)]) for phone in PHONES)
    print(f"phones by a bigram, {len(spoken)} recordings of voices kept for choosing")
    how: dict[str, Any] = chosen(LOOP, {"bigram_weight": 4.0, "phone_penalty": 0.0}, of_loop)
    print("phones")
    how |= chosen(FOLLOWS, {"phone_lm_weight": 4.0, "phone_lm_penalty": 3.0}, of_follows)
    print("words")
    how |= chosen(WORDS, {"lm_weight": 4.0, "word_penalty": 0.0, "silence": 0.0}, of_words)
    tensors = read.tensors | arrays
    header = header | {"decoding": {**header.get("decoding", {}), **how}}
    header |= {key: value for key, value in (("licence", args.licence), ("allows", args.allows)) if value}
    checkpoint.save(args.target, tensors, header, store="float16")
    print(f"{args.target}: {args.target.stat().st_size / 1e6:.1f} MB, sha256 {sha256(args.target)}")


if __name__ == "__main__":
    main()
