"""MemN2N against the paper's equations written out, its nil slots, and several networks side by side."""

from __future__ import annotations

import pytest
import torch

from percept.nlp.qa.encoding import bags
from percept.nlp.qa.memn2n import MemN2N

V, D, HOPS = 20, 6, 3


def stories(members: int = 1, seed: int = 0) -> torch.Tensor:
    """(M, B, 1 + S, W): the second story is shorter than the others."""
    made = torch.randint(1, V, (members, 3, 6, 4), generator=torch.Generator().manual_seed(seed))
    made[:, 1, 3:] = 0
    return made


def network(**options: object) -> MemN2N:
    torch.manual_seed(1)
    return MemN2N(V, D, HOPS, **{"slots": [8], **options}).eval()


def test_three_hops_are_the_papers_equations() -> None:
    made, tokens = network(), stories()[0]
    scores, looked = made(tokens)
    zero = torch.zeros(1, dtype=torch.long)

    def embed(table: int, sentence: torch.Tensor) -> torch.Tensor:
        return bags(made.words[table : table + 1], sentence[None], zero, "pe", 8, dense=True)[0, 0]

    for story in range(3):
        facts = [sentence for sentence in tokens[story, 1:] if sentence.any()]
        u = embed(0, tokens[story, 0])
        for hop in range(HOPS):
            m = torch.stack([embed(hop, one) + made.times[hop, 0, age] for age, one in enumerate(facts)])
            c = torch.stack([embed(hop + 1, one) + made.times[hop + 1, 0, age] for age, one in enumerate(facts)])
            match = torch.cat([m @ u, torch.zeros(8 - len(facts))])  # eight slots, the rest of them nil
            p = match.softmax(dim=0)[: len(facts)]
            torch.testing.assert_close(looked[story, hop, : len(facts)], p)
            u = u + p @ c
        wanted = made.words[HOPS, 0] @ u
        wanted[0] = 0
        torch.testing.assert_close(scores[story, 0], wanted)


@pytest.mark.parametrize("tying", ["adjacent", "layer-wise"])
@pytest.mark.parametrize("encoding", ["bow", "pe", "pe-code"])
@pytest.mark.parametrize("time", [True, False])
def test_what_is_exported_computes_what_training_does(
    tying: str, encoding: str, time: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, tokens = network(tying=tying, encoding=encoding, time=time, slots=[8, 4]), stories(2)
    wanted = made(tokens)
    monkeypatch.setattr(torch.jit, "is_tracing", lambda: True)
    for ours, theirs in zip(made(tokens), wanted, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_networks_side_by_side_do_not_see_each_other() -> None:
    made, tokens = network(slots=[8, 8]), stories(2)
    scores, _ = made(tokens)
    with torch.no_grad():
        made.words[:, 1] += 1
    again, _ = made(tokens)
    assert torch.equal(scores[0], again[0])
    assert not torch.allclose(scores[1], again[1])


def test_nil_takes_attention_and_masked_does_not() -> None:
    told = torch.tensor([[[True, True, False, False, False]]])
    scores = torch.zeros(1, 1, 5)
    nil, masked = network(padding="nil"), network(padding="masked")
    torch.testing.assert_close(nil.look(scores, told)[0, 0], torch.tensor([1 / 8, 1 / 8, 0, 0, 0]))
    torch.testing.assert_close(masked.look(scores, told)[0, 0], torch.tensor([0.5, 0.5, 0, 0, 0]))
    nothing = torch.zeros_like(told)
    assert masked.look(scores, nothing).sum() == 0, "nothing was told: nothing is looked at, and it is finite"


def test_padding_in_a_batch_changes_nothing() -> None:
    made, tokens = network(), stories()[0]
    scores, _ = made(tokens)
    alone, _ = made(tokens[1:2, :3])
    torch.testing.assert_close(scores[1:2], alone)


def test_what_is_older_than_the_memory_is_forgotten() -> None:
    made, tokens = network(slots=[2]), stories()[0]
    other = tokens.clone()
    other[:, 3:] = torch.randint(1, V, other[:, 3:].shape)
    assert torch.equal(made(tokens)[0], made(other)[0])


def test_linear_start_has_no_softmax() -> None:
    made = network()
    made.linear = True
    told = torch.tensor([[[True, True, False]]])
    torch.testing.assert_close(made.look(torch.tensor([[[3.0, -1.0, 5.0]]]), told)[0, 0], torch.tensor([3.0, -1.0, 0]))


def test_ages_are_used_and_bounded_by_the_memory() -> None:
    made, tokens = network(), stories()[:1]
    places = torch.arange(5).expand(1, 3, 5)
    torch.testing.assert_close(made(tokens, places)[0], made(tokens)[0])
    assert not torch.allclose(made(tokens, places + 2)[0], made(tokens)[0])
    assert made(tokens, places + 100)[0].isfinite().all()


def test_nil_learns_nothing() -> None:
    made = network().train()
    scores, _ = made(stories())
    scores.square().sum().backward()
    assert made.words.grad[:, :, 0].abs().max() == 0
    assert made.words.grad[:, :, 1:].abs().max() > 0
