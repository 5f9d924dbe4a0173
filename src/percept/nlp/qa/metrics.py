"""bAbI's protocol: error by kind, the mean, how many kinds are failed; and whether the deciding sentences were seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from percept.core.device import Device
from percept.nlp.qa.decode import likeliest
from percept.nlp.qa.sampling import alike
from percept.nlp.qa.tensors import Questions

FAILED = 5.0  # percent of errors above which a kind counts as failed (Weston et al. 2015)
ROOM = 40_000  # sentences in a batch
PAIRS = 600_000  # pairs of sentences in a batch, of a network whose sentences look at each other
MOST = 256  # questions in a batch


@torch.inference_mode()
def scored(
    network: nn.Module, questions: Questions, members: int, device: Device
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Batch by batch: which questions (B,), their scores (M, B, P, V) and where each hop looked (M, B, K, S).

    members: how many networks stand side by side in ``network``, 1 for one that knows no others.
    """
    side_by_side = hasattr(network, "slots")

    def most(size: int) -> float:
        return min(MOST, ROOM / size / members if side_by_side else PAIRS / size**2)

    for index in alike(questions, questions.seen.argsort(stable=True), most):
        tokens = questions.batch(index).tokens.to(device.torch)  # (B, 1 + S, W)
        with device.autocast():
            made = network(tokens.expand(members, *tokens.shape) if side_by_side else tokens)
        scores, looked = (one.float().cpu() if side_by_side else one[None].float().cpu() for one in made)
        yield index, scores, looked


def all_scores(network: nn.Module, questions: Questions, members: int, device: Device) -> Tensor:
    """Scores of every question by every network: (M, Q, P, V) on the CPU."""
    found = [(index, scores) for index, scores, _ in scored(network, questions, members, device)]
    order = torch.cat([index for index, _ in found]).argsort()
    return torch.cat([scores for _, scores in found], dim=1)[:, order]


def all_wrong(network: nn.Module, questions: Questions, members: int, device: Device) -> Tensor:
    """Whether every network's answer to every question is wrong: (M, Q)."""
    found = torch.zeros(members, len(questions), dtype=torch.bool)
    for index, scores, _ in scored(network, questions, members, device):
        found[:, index] = wrong(scores, questions.answers[index].expand(members, -1, -1))
    return found


@torch.inference_mode()
def look(
    network: nn.Module, questions: Questions, index: Tensor, number: int, device: Device
) -> list[tuple[Tensor, Tensor]]:
    """Of some questions one by one: scores (P, V) and where each hop looked (K, S), by network ``number``."""
    found = []
    for at in index.tolist():
        tokens = questions.batch(torch.tensor([at])).tokens.to(device.torch)  # (1, 1 + S, W)
        if hasattr(network, "slots"):
            scores, looked = network(tokens.expand(len(network.slots), *tokens.shape))
            scores, looked = scores[number], looked[number]
        else:
            scores, looked = network(tokens)
        found.append((scores[0].float().cpu(), looked[0].float().cpu()))
    return found


def wrong(scores: Tensor, answers: Tensor) -> Tensor:
    """(..., P, V) scores and (..., P) answers -> (...): is the likeliest answer not exactly that, order included?"""
    return (likeliest(scores)[0] != answers).any(dim=-1)


def mean_error(missed: Tensor, kinds: Tensor) -> float:
    """The mean over kinds of the share of wrong answers, in percent: (Q,) whether wrong, (Q,) kinds."""
    each = [100 * float(missed[kinds == kind].double().mean()) for kind in kinds.unique().tolist()]
    return sum(each) / max(1, len(each))


def failed(errors: Sequence[float]) -> int:
    """How many kinds have an error above five percent."""
    return sum(error > FAILED for error in errors)


def saw_support(looked: Tensor, supports: Tensor) -> tuple[Tensor, Tensor]:
    """Whether some hop looked most at a deciding sentence: (B, K, S), (B, N) -> (B, K) by hop, (B,) where it is known.

    A hop that looked at nothing in particular, its weights all zero, saw none.
    """
    strongest = looked.argmax(dim=-1)  # (B, K)
    saw = (strongest[..., None] == supports[:, None]) & (looked.amax(dim=-1) > 0)[..., None]  # (B, K, N)
    return saw.any(dim=-1), (supports >= 0).any(dim=-1)


def reliability(probabilities: Tensor, right: Tensor, bins: int = 10) -> tuple[list[tuple[float, float, int]], float]:
    """(mean probability, share right, count) of each bin that holds any, and the expected calibration error, 0..1.

    The bins are of equal width (Guo et al. 2017, section 2).
    """
    place = (probabilities * bins).long().clamp(max=bins - 1)
    rows, error = [], 0.0
    for number in range(bins):
        here = place == number
        count = int(here.sum())
        if count:
            said, was = float(probabilities[here].double().mean()), float(right[here].double().mean())
            rows.append((said, was, count))
            error += abs(said - was) * count / len(probabilities)
    return rows, error
