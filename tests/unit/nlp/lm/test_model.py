"""Bodies read on where they stopped, forget at the begin of a document, and are written and read whole."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from percept.core import checkpoint
from percept.core.errors import UsageError
from percept.nlp.lm import rows
from percept.nlp.lm.awd_lstm import locked_dropout
from percept.nlp.lm.model import Drops, build, from_checkpoint
from percept.nlp.lm.options import MODELS, OUTPUTS
from percept.nlp.lm.recurrent import Layer

UNITS = 30
NOTHING = Drops()


def settings(name: str, **other: Any) -> dict[str, Any]:
    plain = {"embedding": 12, "hidden": 16, "layers": 2, "context": 4, "direct": True, "output": "full", "tied": False}
    return {"name": name, **plain, **other}


def model(name: str, drops: Drops = NOTHING, **other: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    made = build(settings(name, **other), UNITS, np.arange(UNITS, 0, -1), drops)
    torch.nn.init.normal_(made.table.weight)
    return made.eval()


def some(steps: int, batch: int) -> torch.Tensor:
    return torch.randint(0, UNITS, (steps, batch), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("name", MODELS)
def test_a_text_in_chunks_is_the_text_at_once(name: str) -> None:
    made, words = model(name), some(11, 3)
    whole, _ = made.read(words, made.start(3))
    state, found = made.start(3), []
    for start, end in ((0, 1), (1, 6), (6, 11)):
        part, state = made.read(words[start:end], state)
        found.append(part)
    torch.testing.assert_close(torch.cat(found), whole)
    assert not torch.allclose(made.read(words[6:], made.start(3))[0][0], whole[6]), "what was before matters"


@pytest.mark.parametrize("name", MODELS)
def test_a_document_begins_from_nothing(name: str) -> None:
    made, words = model(name), some(9, 2)
    fresh = torch.zeros(9, 2, dtype=torch.bool)
    fresh[4, 1] = True
    found, after = made.read(words, made.start(2), fresh)
    plain, _ = made.read(words, made.start(2))
    alone, ended = made.read(words[4:, 1:], made.start(1))
    torch.testing.assert_close(found[:, 0], plain[:, 0])
    torch.testing.assert_close(found[4:, 1:], alone)
    for one, other in zip(after, ended, strict=True):
        torch.testing.assert_close(one[:, 1:], other)


@pytest.mark.parametrize("name", MODELS)
def test_forward_is_what_reading_gives(name: str) -> None:
    made, words = model(name), some(7, 2)
    features, _ = made.read(words, made.start(2))
    torch.testing.assert_close(made(words.T), made.output.log_probs(features).transpose(0, 1))


def test_the_lstm_by_its_equations() -> None:
    layer = Layer("lstm", 3, 2)
    torch.nn.init.normal_(layer.bias_ih)
    words = torch.randn(4, 1, 3)
    h = c = torch.zeros(1, 2)
    for word in words:
        i, f, g, o = (word @ layer.weight_ih.T + layer.bias_ih + h @ layer.weight_hh.T + layer.bias_hh).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
    found, (last_h, last_c) = layer(words, layer.start(1, words))
    torch.testing.assert_close(found[-1], h)
    torch.testing.assert_close((last_h[0], last_c[0]), (h, c))


def test_nplm_sees_its_context_and_no_more() -> None:
    made, words = model("nplm"), some(8, 1)
    found, _ = made.read(words, made.start(1))
    other = words.clone()
    other[2] = (words[2] + 1) % UNITS
    changed = (made.read(other, made.start(1))[0] != found).any(dim=2).flatten().tolist()
    assert changed == [False, False, True, True, True, False, False, False], "4-grams: three words back"


def test_nplm_with_direct_connections_is_the_papers_sum() -> None:
    """y = b + W x + U tanh(d + H x) (section 2, equation 1)."""
    made, words = model("nplm"), some(5, 1)
    x = made.table(words[2:5, 0]).flatten()
    hidden = torch.tanh(made.body.hidden(x))
    u, w = made.output.weight[:, :16], made.output.weight[:, 16:]
    y = made.output.bias + w @ x + u @ hidden
    torch.testing.assert_close(made(words.T)[0, -1], torch.log_softmax(y, dim=0))


def test_dropped_weights_and_masks_stay_for_a_sequence() -> None:
    torch.manual_seed(0)
    mask = locked_dropout(torch.ones(5, 2, 8), 0.5, True)
    assert (mask == mask[0]).all() and set(mask.unique().tolist()) == {0.0, 2.0}
    made = model("awd-lstm", Drops(weights=0.9)).train()
    words = some(6, 2)
    first, second = made.read(words, made.start(2))[0], made.read(words, made.start(2))[0]
    assert not torch.allclose(first, second)
    whole = made.eval().read(words, made.start(2))[0]
    torch.testing.assert_close(whole, made.read(words, made.start(2))[0])
    made.body.layers[0].weight_hh.grad = None
    made.train().read(words, made.start(2))[0].sum().backward()
    assert (made.body.layers[0].weight_hh.grad == 0).float().mean() > 0.5, "what was dropped learns nothing"


def test_dropped_words_are_gone_wherever_they_stand() -> None:
    made = model("lstm", Drops(words=0.5)).train()
    seen = []
    made.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    made.read(torch.arange(UNITS).repeat(2)[:, None], made.start(1))
    gone = (seen[0] == 0).all(dim=2).flatten()
    assert 5 < int(gone[:UNITS].sum()) < 25 and torch.equal(gone[:UNITS], gone[UNITS:])


@pytest.mark.parametrize("output", OUTPUTS)
def test_written_and_read_whole(output: str, tmp_path: Path) -> None:
    made = model("gru", output=output)
    header = {"task": "lm", "model": settings("gru", output=output), "classes": [str(n) for n in range(UNITS)]}
    checkpoint.save(tmp_path / "a.safetensors", made.state_dict(), header)
    read = from_checkpoint(checkpoint.load(tmp_path / "a.safetensors", task="lm"))
    torch.testing.assert_close(read(some(2, 5)), made(some(2, 5)))
    header["model"]["hidden"] = 17
    checkpoint.save(tmp_path / "b.safetensors", made.state_dict(), header)
    with pytest.raises(UsageError, match="not the tensors of gru"):
        from_checkpoint(checkpoint.load(tmp_path / "b.safetensors", task="lm"))


def test_tied_vectors_are_stored_once_and_stay_tied() -> None:
    made = model("awd-lstm", tied=True)
    assert not [name for name in made.state_dict() if name.startswith("output.w")]
    twin = copy.deepcopy(made)
    assert twin.output.vectors is twin.table.weight and twin.table.weight is not made.table.weight
    with pytest.raises(UsageError, match="--tied: the output layer sees 16 numbers and words have 12"):
        model("lstm", tied=True)


def test_rows_of_eight_bits(tmp_path: Path) -> None:
    made = model("lstm")
    packed = rows.packed(made.state_dict())
    assert packed["table.weight.int8"].dtype == torch.int8 and "table.weight" not in packed
    back = rows.unpacked(packed)
    assert set(back) == set(made.state_dict())
    for name, tensor in made.state_dict().items():
        step = (
            tensor.abs().amax(dim=-1, keepdim=True) / 127 if name.startswith(("table", "output.weight")) else 0 * tensor
        )
        assert ((back[name] - tensor).abs() <= step / 2 + 1e-6).all(), name
    header = {"task": "lm", "model": settings("lstm"), "classes": [str(n) for n in range(UNITS)]}
    checkpoint.save(tmp_path / "a.safetensors", packed, header)
    read = from_checkpoint(checkpoint.load(tmp_path / "a.safetensors"))
    torch.testing.assert_close(read(some(2, 5)), made(some(2, 5)), rtol=0.05, atol=0.05)
