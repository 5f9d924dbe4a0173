"""The default network: shapes and names, one trunk for both levels, what padding and training leave alone."""

from __future__ import annotations

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import mobilenet_v2

from percept.core import checkpoint, weights
from percept.vision.overfeat import normalise
from percept.vision.scene.model import LEVELS, SIDE, Pyramid, larger, padded


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def network() -> Pyramid:
    """The trunk has seen ImageNet, the head is random, its statistics are those of a picture: all layers say much."""
    torch.manual_seed(0)
    made = Pyramid(3, channels=16).train()
    trunk = checkpoint.load(weights.resolve("imagenet")[1]).tensors
    made.load_state_dict({name: trunk.get(name, tensor) for name, tensor in made.state_dict().items()})
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d) and module.training:
            module.momentum = 1.0
    with torch.no_grad():
        made(drawn(1, 3, 128, 128))
    return made.eval()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (4, 4), (63, 65), (64, 64), (97, 130)])
def test_a_cell_for_each_four_pixels_begun(network: Pyramid, size: tuple[int, int]) -> None:
    with torch.inference_mode():
        scores = network(drawn(2, 3, *size))
    assert scores.shape == (2, 3, -(-size[0] // 4), -(-size[1] // 4))
    assert scores.isfinite().all()


def test_parameter_count_is_the_trunks_and_the_heads() -> None:
    trunk = 3_504_872 - 412_160 - 1_281_000  # MobileNetV2 without its last convolution and its classifier
    lateral = (24 + 32 + 96 + 320) * 96 + 4 * 2 * 96
    separable = 9 * 96 + 2 * 96 + 96 * 96 + 2 * 96  # two times down, and fine
    join = 9 * 288 + 2 * 288 + 288 * 96 + 2 * 96
    assert trunk == 1_811_712
    count = sum(parameter.numel() for parameter in Pyramid(8).parameters())
    assert count == trunk + lateral + 3 * separable + join + 2 * (96 * 8 + 8)


def test_the_trunks_tensors_are_called_as_torchvision_calls_them() -> None:
    theirs = mobilenet_v2().features[:18].state_dict()
    mine = {name: tensor for name, tensor in Pyramid(3).state_dict().items() if name.startswith("features.")}
    assert {name: tensor.shape for name, tensor in mine.items()} == {
        f"features.{name}": tensor.shape for name, tensor in theirs.items()
    }


def test_the_shipped_imagenet_weights_fill_the_whole_trunk() -> None:
    mine = {name: list(tensor.shape) for name, tensor in Pyramid(3).state_dict().items()}
    with safe_open(weights.resolve("imagenet")[1], framework="pt") as file:
        there = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 - not a dict
    assert {name for name in mine if there.get(name) == mine[name]} == {
        name for name in mine if name.startswith("features.")
    }


@pytest.mark.parametrize("number", range(1, LEVELS))
def test_one_trunk_for_all_levels(network: Pyramid, number: int) -> None:
    images = drawn(1, 3, 128, 256)
    shrunk = F.avg_pool2d(images, 2**number)
    with torch.inference_mode():
        (fine, coarse), *further = network.describe(images)
        alone = network.level(normalise(shrunk))
        again = network.describe(shrunk)[0]  # the smaller photo, asked as a photo
    assert fine.shape == (1, 16, 32, 64) and coarse.shape == (1, 16, 16, 32)
    for found, others in zip(further[number - 1], zip(alone, again, strict=True), strict=True):
        for other in others:
            torch.testing.assert_close(found, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("number", range(1, LEVELS))
def test_each_smaller_level_reaches_the_scores(network: Pyramid, number: int) -> None:
    with torch.inference_mode():
        levels = network.describe(drawn(1, 3, 64, 64))
        whole = network.answer(levels)
        levels[number] = tuple(torch.zeros_like(maps) for maps in levels[number])
        without = network.answer(levels)
    assert (whole - without).abs().mean() > 0.1 * whole.std()


def test_a_level_that_needs_padding_gives_the_cells_of_its_picture_alone(network: Pyramid) -> None:
    with torch.inference_mode():
        levels = network.describe(drawn(1, 3, 32, 96))  # 16 x 48 and 8 x 24 are no multiples of what the trunk needs
    sides = [(tuple(fine.shape[2:]), tuple(coarse.shape[2:])) for fine, coarse in levels]
    assert sides == [((8, 24), (4, 12)), ((4, 12), (2, 6)), ((2, 6), (1, 3))]


def test_padding_repeats_the_edge_and_changes_nothing_where_none_is_needed(network: Pyramid) -> None:
    even = drawn(1, 3, SIDE, 2 * SIDE)
    assert padded(even) is even
    odd = even[:, :, : SIDE - 14, : SIDE + 1]
    wide = padded(odd)
    assert wide.shape == (1, 3, SIDE, 2 * SIDE)
    assert torch.equal(wide[:, :, : SIDE - 14, : SIDE + 1], odd)
    assert torch.equal(wide[:, :, -14:, :9], odd[:, :, -1:, :9].expand(-1, -1, 14, -1))
    assert torch.equal(wide[:, :, 0, SIDE + 1 :], odd[:, :, 0, -1:].expand(-1, -1, SIDE - 1))
    with torch.inference_mode():
        rows, columns = -(-odd.shape[2] // 4), -(-odd.shape[3] // 4)
        torch.testing.assert_close(network(odd), network(wide)[:, :, :rows, :columns])


def test_a_photo_has_one_answer_alone_and_in_a_batch(network: Pyramid) -> None:
    images = drawn(3, 3, 64, 96)
    with torch.inference_mode():
        together = network(images)
        for number in range(3):
            torch.testing.assert_close(together[number], network(images[number : number + 1])[0], rtol=1e-3, atol=1e-4)


def test_larger_keeps_centres() -> None:
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    found = larger(ramp, 4)[0, 0, 5]
    centres = (torch.arange(32) + 0.5) / 4 - 0.5
    torch.testing.assert_close(found, centres.clamp(0, 7))
    assert larger(ramp, 1) is ramp


def test_training_leaves_the_trunks_statistics_and_renews_the_heads() -> None:
    torch.manual_seed(1)
    network = Pyramid(3, channels=16).train()
    norms = {name: module for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)}
    trunk = {name for name in norms if name.startswith("features.")}
    assert len(trunk) == 51 and {name for name, module in norms.items() if not module.training} == trunk
    assert network.dropout.training and network.features[0].training
    before = {name: module.running_mean.clone() for name, module in norms.items()}
    network.both(drawn(2, 3, 64, 64))
    assert {name for name, module in norms.items() if torch.equal(module.running_mean, before[name])} == trunk
    assert not any(module.training for module in network.eval().modules())


def test_gradients_reach_all_there_is() -> None:
    torch.manual_seed(2)
    network = Pyramid(3, channels=16).train()
    scores, early = network.both(drawn(2, 3, 64, 64))
    (scores.square().sum() + sum(coarse.square().sum() for coarse in early)).backward()
    silent = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not silent


def test_early_scores_come_from_each_level_and_only_when_asked_for(network: Pyramid) -> None:
    images = drawn(1, 3, 128, 64)
    scores, early = network.both(images)
    assert len(early) == LEVELS and [coarse.shape for coarse in early] == [(1, 3, 16, 8), (1, 3, 8, 4), (1, 3, 4, 2)]
    alone = network(images)
    torch.testing.assert_close(scores, alone)
    weights_of = network.classifier.weight, network.early.weight
    answered, deep = torch.autograd.grad(alone.sum(), weights_of, allow_unused=True)
    assert deep is None and answered.abs().sum() > 0
    with torch.no_grad():
        for number, coarse in enumerate(early):
            torch.testing.assert_close(coarse, network.early(network.describe(images)[number][1]))


def test_early_scores_of_a_padded_picture_are_those_of_the_picture(network: Pyramid) -> None:
    """Cells that stand for nothing but padding would be stretched over the picture as if they were its own."""
    with torch.no_grad():
        scores, early = network.both(drawn(1, 3, 100, 41))
        whole = network.both(padded(drawn(1, 3, 100, 41)))[1]
    assert scores.shape == (1, 3, 25, 11)
    assert [coarse.shape for coarse in early] == [(1, 3, 13, 6), (1, 3, 7, 3), (1, 3, 4, 2)]
    for coarse, padding in zip(early, whole, strict=True):
        torch.testing.assert_close(coarse, padding[:, :, : coarse.shape[2], : coarse.shape[3]])
