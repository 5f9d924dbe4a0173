"""From scores of words to answers: the likeliest list of things, its probability, the runners-up."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from percept.nlp.qa.vocab import NIL

WIDE = 6  # words of each place that runners-up are made of


def likeliest(scores: Tensor, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
    """(..., P, V) scores -> the likeliest answers (..., P), nil behind the last thing, and their probabilities (...).

    An answer has one thing or more; what comes after its end does not count.
    """
    shares = _shares(scores, temperature)
    things, best = shares[..., 1:].max(dim=-1)  # (..., P), words without nil
    best = best + 1
    so_far = things.cumsum(dim=-1)  # log-probability of the first n things
    end = torch.nn.functional.pad(shares[..., 1:, NIL], (0, 1))  # (..., P): nothing comes after the last
    total = so_far + end
    probability, length = total.max(dim=-1)  # length - 1
    places = torch.arange(scores.shape[-2], device=scores.device)
    return best.masked_fill(places > length[..., None], NIL), probability.exp()


def ranked(scores: Tensor, temperature: float, top: int) -> list[tuple[tuple[int, ...], float]]:
    """(P, V) scores of one question -> its ``top`` likeliest answers as (words, probability)."""
    shares = _shares(scores, temperature)
    wide = min(max(WIDE, top if len(shares) == 1 else WIDE), shares.shape[1] - 1)
    values, words = (found.tolist() for found in shares[:, 1:].topk(wide, dim=-1))
    found: list[tuple[tuple[int, ...], float]] = []
    for length in range(1, len(shares) + 1):
        end = float(shares[length, NIL]) if length < len(shares) else 0.0
        for picks in itertools.product(range(wide), repeat=length):
            score = sum(values[at][pick] for at, pick in enumerate(picks)) + end
            found.append((tuple(words[at][pick] + 1 for at, pick in enumerate(picks)), score))
    found.sort(key=lambda one: -one[1])
    return [(words, float(torch.tensor(score).exp())) for words, score in found[:top]]


def _shares(scores: Tensor, temperature: float) -> Tensor:
    """Log-probabilities (..., P, V); the first thing is never nil."""
    scaled = scores.float() / temperature
    first = scaled[..., :1, :].clone()
    first[..., NIL] = float("-inf")
    return torch.cat([first, scaled[..., 1:, :]], dim=-2).log_softmax(dim=-1)


def fit_temperature(scores: Tensor, answers: Tensor) -> float:
    """The temperature at which (Q, P, V) scores say the answers (Q, P) are likeliest (Guo et al. 2017); 1 if unknown.

    Answers of -1 are no words of the vocabulary and left out.
    """
    known = (answers >= 0).all(dim=-1)
    if not known.any():
        return 1.0
    scores, answers = scores[known], answers[known]
    grid = torch.logspace(-0.5, 1.0, 31).tolist()  # 0.32 ... 10
    losses = [-float(_shares(scores, one).gather(-1, answers[..., None]).clamp(min=-50).mean()) for one in grid]
    return round(grid[losses.index(min(losses))], 4)
