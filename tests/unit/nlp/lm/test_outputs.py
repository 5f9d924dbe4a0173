"""Whatever the output layer, probabilities sum to one; what is trained by samples is right on average."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from percept.core.errors import UsageError
from percept.nlp.lm import outputs
from percept.nlp.lm.options import OUTPUTS
from percept.nlp.lm.outputs.hierarchical import huffman

UNITS, WIDTH = 37, 16
COUNTS = np.sort(np.random.default_rng(0).integers(1, 200, UNITS))[::-1].copy()


def layer(name: str, units: int = UNITS, table: nn.Embedding | None = None) -> nn.Module:
    torch.manual_seed(0)
    made = outputs.build(name, WIDTH, units, COUNTS[:units], table)
    for parameter in made.parameters():
        nn.init.normal_(parameter, 0, 0.5)
    return made


def features(count: int = 50) -> torch.Tensor:
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", OUTPUTS)
def test_probabilities_sum_to_one_and_scores_are_theirs(name: str) -> None:
    made, seen = layer(name), features()
    found = made.log_probs(seen)
    assert found.shape == (50, UNITS)
    torch.testing.assert_close(found.exp().sum(dim=1), torch.ones(50))
    targets = torch.arange(50) % UNITS
    torch.testing.assert_close(made.score(seen, targets), found[torch.arange(50), targets], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(made.log_probs(seen.view(5, 10, WIDTH)).view(50, UNITS), found)


@pytest.mark.parametrize("name", ["full", "adaptive", "hierarchical"])
def test_the_loss_is_the_likelihood(name: str) -> None:
    made, seen = layer(name), features()
    targets = torch.arange(50) % UNITS
    torch.testing.assert_close(made.loss(seen, targets), -made.score(seen, targets).sum())


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("units", [3, 4, 9])
def test_few_words_are_enough(name: str, units: int) -> None:
    made = layer(name, units)
    torch.testing.assert_close(made.log_probs(features(2)).exp().sum(dim=1), torch.ones(2))
    made.loss(features(2), torch.tensor([0, units - 1])).backward()


@pytest.mark.parametrize("name", OUTPUTS)
def test_each_learns_which_words_are_frequent(name: str) -> None:
    """Descriptions that say nothing: the best is the frequencies themselves."""
    share = torch.from_numpy(COUNTS / COUNTS.sum()).float()
    made = outputs.build(name, WIDTH, UNITS, COUNTS, None)
    optimizer = torch.optim.Adam(made.parameters(), lr=0.05)
    torch.manual_seed(0)
    seen = torch.ones(200, WIDTH)
    for step in range(80):
        targets = torch.multinomial(share, 200, replacement=True)
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - step / 80)
        optimizer.zero_grad()
        made.loss(seen, targets).div(200).backward()
        optimizer.step()
    with torch.no_grad():
        found = made.log_probs(seen[:1])[0]
    divergence = float((share * (share.log() - found)).sum())
    assert divergence < 0.06, f"{name} is {divergence:.3f} nats from the frequencies"


def test_importance_sampling_over_all_words_is_the_full_softmax() -> None:
    """With a sample of every word once, from an even q, the corrections are all the same and drop out."""
    made = outputs.build("sampled", WIDTH, UNITS, np.ones(UNITS, np.int64), None)
    made.drawn = lambda: torch.arange(UNITS)
    made.noise = UNITS
    targets = torch.arange(20)
    seen = features(20)
    full = F.cross_entropy(F.linear(seen, made.vectors, made.bias), targets, reduction="sum")
    torch.testing.assert_close(made.loss(seen, targets), full)


@pytest.mark.parametrize("target", [0, UNITS - 1])  # the most frequent word, and the rarest
def test_the_sum_that_is_sampled_is_right_on_average(target: int) -> None:
    """However often frequent words are drawn: with 30 draws the first comes more than once."""
    made = outputs.build("sampled", WIDTH, UNITS, np.maximum(COUNTS**2 // 100, 1), None)
    made.noise = 30
    nn.init.normal_(made.weight, 0, 0.2)
    seen, targets = features(1), torch.tensor([target])
    scores = F.linear(seen, made.vectors, made.bias)
    with torch.no_grad():
        sums = torch.stack([(made.loss(seen, targets) + scores[0, target]).exp() for _ in range(3000)])
    assert sums.mean().item() == pytest.approx(scores.exp().sum().item(), rel=0.02)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", OUTPUTS)
def test_words_that_never_come_can_be_learnt(name: str) -> None:
    counts = COUNTS.copy()
    counts[-5:] = 0
    made = outputs.build(name, WIDTH, UNITS, counts, None)
    loss = made.loss(features(), torch.arange(50) % UNITS)
    assert loss.isfinite() and loss > 0
    assert made.log_probs(features()).isfinite().all()


def test_noise_contrastive_estimation_by_hand() -> None:
    made = outputs.build("nce", 1, 2, np.array([3, 1]), None)
    made.drawn, made.noise = lambda: torch.tensor([1]), 1
    with torch.no_grad():
        made.weight.copy_(torch.tensor([[1.0], [2.0]]))
        made.bias.zero_()
    q = np.array([3, 1]) ** 0.75
    q /= q.sum()
    sure = 1 / (1 + math.exp(-(0.5 - math.log(q[0]))))
    noise = 1 / (1 + math.exp(1.0 - math.log(q[1])))
    found = made.loss(torch.tensor([[0.5]]), torch.tensor([0])).item()
    assert found == pytest.approx(-math.log(sure) - math.log(noise), rel=1e-5)


def test_a_huffman_tree_gives_frequent_words_short_ways() -> None:
    counts = np.array([50, 20, 15, 10, 5])
    paths, signs = huffman(counts)
    lengths = (signs != 0).sum(axis=1)
    assert lengths.tolist() == [1, 2, 3, 4, 4]
    ways = {tuple(zip(path[:n], sign[:n], strict=True)) for path, sign, n in zip(paths, signs, lengths, strict=True)}
    assert len(ways) == 5 and sum(0.5**n for n in lengths) == 1
    assert (paths[:, 0] == 0).all(), "all ways begin at the root"


def test_vectors_are_shared_but_saved_once() -> None:
    table = nn.Embedding(UNITS, WIDTH)
    for name in ("full", "sampled", "nce"):
        made = outputs.build(name, WIDTH, UNITS, COUNTS, table)
        assert made.vectors is table.weight and "weight" not in made.state_dict()
    for name in ("adaptive", "hierarchical"):
        with pytest.raises(UsageError, match="no vector for each word to share"):
            outputs.build(name, WIDTH, UNITS, COUNTS, table)
