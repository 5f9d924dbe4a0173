"""Sums of words against the formulas written out, and each network's words apart from the others'."""

from __future__ import annotations

import pytest
import torch

from percept.nlp.qa.encoding import ENCODINGS, bags

TOKENS = torch.tensor([[3, 1, 2, 0], [2, 2, 0, 0], [4, 3, 2, 1], [0, 0, 0, 0]])
MEMBER = torch.tensor([0, 1, 1, 0])
LONGEST = 6


def written_out(encoding: str, j: int, k: int, words: int, d: int) -> float:
    """l_kj with j and k from 1."""
    if encoding == "pe":
        return (1 - j / words) - (k / d) * (1 - 2 * j / words)
    if encoding == "pe-code":
        return 1 + 4 * (k - (d + 1) / 2) * (j - (LONGEST + 1) / 2) / (d * LONGEST)
    return 1.0


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_sentence_is_the_sum_of_the_paper(encoding: str) -> None:
    weights = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0))  # (M, V, d)
    for dense in (True, False):
        made = bags(weights[None], TOKENS, MEMBER, encoding, LONGEST, dense=dense)
        for row, member, got in zip(TOKENS.tolist(), MEMBER.tolist(), made[:, 0], strict=True):
            said = [word for word in row if word]
            wanted = torch.zeros(4)
            for j, word in enumerate(said, 1):
                factors = torch.tensor([written_out(encoding, j, k, len(said), 4) for k in range(1, 5)])
                wanted += factors * weights[member, word]
            torch.testing.assert_close(got, wanted)


def test_order_matters_to_position_encoding_alone() -> None:
    weights = torch.randn(1, 5, 4, generator=torch.Generator().manual_seed(0))
    two, none = torch.tensor([[1, 2, 3], [3, 2, 1]]), torch.zeros(2, dtype=torch.long)
    apart = {
        name: bags(weights[None], two, none, name, LONGEST, dense=True).diff(dim=0).abs().max() for name in ENCODINGS
    }
    assert apart["bow"] < 1e-6
    assert apart["pe"] > 0.1 and apart["pe-code"] > 0.1


def test_several_tables_are_looked_up_at_once() -> None:
    weights = torch.randn(3, 2, 5, 4, generator=torch.Generator().manual_seed(1))  # (T, M, V, d)
    together = bags(weights, TOKENS, MEMBER, "pe", LONGEST, dense=False)
    for number in range(3):
        alone = bags(weights[number : number + 1], TOKENS, MEMBER, "pe", LONGEST, dense=False)
        torch.testing.assert_close(together[:, number : number + 1], alone)
