"""The networks: shapes, counts, what a frame depends on, and that pieces, padding and windows change nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from percept.core.device import choose
from percept.speech.acoustic.compact import Compact
from percept.speech.acoustic.model import Phones, Words
from percept.speech.acoustic.recogniser import heard
from percept.speech.acoustic.windows import NyuIbm, Sercu, Tdnn, spliced

CPU = choose("cpu", 1, "float32")


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def small(name: str) -> nn.Module:
    torch.manual_seed(1)
    made = {
        "compact": lambda: Compact(16, 2, 5),
        "tdnn": lambda: Tdnn(16),
        "nyu-ibm": lambda: NyuIbm(16, 4),
        "sercu": lambda: Sercu(16),
    }[name]()
    return made.eval()


BODIES = ("compact", "tdnn", "nyu-ibm", "sercu")


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("length", [1, 2, 7, 60])
def test_every_frame_is_answered(name: str, length: int) -> None:
    network = Phones(small(name), 12, 5).eval()
    with torch.inference_mode():
        frames, steps = network(drawn(2, length, 40))
    assert frames.shape == (2, length, 12)
    assert steps is not None and steps.shape == (2, -(-length // network.hop), 5)
    assert frames.isfinite().all()


@pytest.mark.parametrize("name", BODIES)
def test_padding_has_no_influence(name: str) -> None:
    network = Phones(small(name), 12, 5).eval()
    mels, lengths = drawn(2, 40, 40), torch.tensor([40, 23])
    with torch.inference_mode():
        frames, steps = network(mels, lengths)
        alone, alone_steps = network(mels[1:, :23])
    torch.testing.assert_close(frames[1, :23], alone[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(steps[1, : alone_steps.shape[1]], alone_steps[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", BODIES)
def test_a_frame_depends_on_its_context_and_on_nothing_else(name: str) -> None:
    body = small(name)
    length = 2 * body.context + 41
    middle = length // 2 // body.step * body.step
    mels = drawn(1, length, 40).requires_grad_()
    body(mels)[0, middle // body.step].pow(3).sum().backward()  # their plain sum says nothing after a LayerNorm
    touched = mels.grad[0].abs().sum(-1).nonzero().flatten()
    first, last = int(touched.min()), int(touched.max())
    assert middle - body.context <= first < middle < last <= middle + body.step - 1 + body.context
    assert last - first > body.context  # the context that is said is not far more than the one there is


@pytest.mark.parametrize("name", ["nyu-ibm", "sercu", "tdnn"])
def test_the_whole_recording_is_window_by_window(name: str) -> None:
    body = small(name)
    mels = drawn(1, 70, 40)
    with torch.inference_mode():
        whole = body(mels)[0]
        for at in (body.before, 41, 69 - body.after):
            window = mels[:, at - body.before : at + body.after + 1]
            torch.testing.assert_close(body(window)[0, body.before], whole[at], rtol=1e-4, atol=1e-5)


def test_the_published_number_of_weights() -> None:
    network = Phones(NyuIbm(), 3000, 0)
    count = sum(parameter.numel() for parameter in network.parameters())
    maps, width = 128, 1464
    layers = [81 * maps, 12 * maps**2, 29 * 8 * maps * width, *[width**2] * 3, width * 3000]
    assert count == sum(layers) + 2 * maps + 4 * width + 3000
    assert abs(count / 54.4e6 - 1) < 0.005
    assert sum(len(parameter.shape) > 1 for parameter in network.parameters()) == 7


def test_sercu_has_fourteen_layers_with_weights() -> None:
    network = Phones(Sercu(), 3000, 0)
    kinds = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert len(kinds) == 14 and sum(isinstance(one, nn.Conv2d) for one in kinds) == 10
    assert all(one.kernel_size == (3, 3) for one in kinds if isinstance(one, nn.Conv2d))


def test_spliced_frames_stand_side_by_side() -> None:
    line = torch.arange(12.0).view(1, 12, 1)
    found = spliced(line, (-7, 2))
    assert found.shape == (1, 3, 2) and found[0].tolist() == [[0, 9], [1, 10], [2, 11]]


@pytest.mark.parametrize("name", ["compact", "tdnn"])
@pytest.mark.parametrize("count", [1, 50, 211])
def test_pieces_are_the_whole(name: str, count: int) -> None:
    network = Phones(small(name), 12, 5).eval()
    mels = drawn(count, 40)
    with torch.inference_mode():
        frames, steps = network(mels[None])
    found = list(heard(network, mels.split(37), CPU, piece=64))
    assert [one.first for one in found] == list(range(0, count, 64))
    torch.testing.assert_close(
        torch.cat([torch.from_numpy(one.frames) for one in found]), frames[0].log_softmax(-1), rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(
        torch.cat([torch.from_numpy(one.steps) for one in found]), steps[0].log_softmax(-1), rtol=1e-4, atol=1e-4
    )
    assert torch.equal(torch.cat([torch.from_numpy(one.mels) for one in found]), mels)


def test_a_command_word_is_its_recording_whatever_it_is_padded_by() -> None:
    network = Words(small("compact"), 4).eval()
    mels, lengths = drawn(3, 40, 40), torch.tensor([40, 31, 8])
    with torch.inference_mode():
        together = network(mels, lengths)
        assert together.shape == (3, 4)
        for number, length in enumerate(lengths.tolist()):
            torch.testing.assert_close(network(mels[number : number + 1, :length])[0], together[number])
