"""The layers of OverFeat: the paper's counts and shapes, and dense answers against windows passed alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from percept.core.errors import UsageError
from percept.vision.overfeat import PAPER_SCALES, STRIDE, WINDOW, OverFeat, cost, multiply_adds, window

VARIANTS = ("fast", "accurate")


def tiny(variant: str, classes: int = 3) -> OverFeat:
    torch.manual_seed(0)
    network = OverFeat(variant, classes, width=0.02).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.bias, std=0.1)  # zero biases would hide a wrong padding
    return network


def on_meta(variant: str) -> OverFeat:
    with torch.device("meta"):
        return OverFeat(variant)


@pytest.mark.parametrize(
    ("variant", "weights", "biases"), [("fast", 145_909_792, 11_080), ("accurate", 144_643_872, 12_616)]
)
def test_parameter_counts_are_the_papers(variant: str, weights: int, biases: int) -> None:
    convolutions = [module for module in on_meta(variant).modules() if isinstance(module, nn.Conv2d)]
    assert sum(layer.weight.numel() for layer in convolutions) == weights
    assert sum(layer.bias.numel() for layer in convolutions) == biases
    assert sum(p.numel() for p in on_meta(variant).parameters()) == weights + biases


def test_widths_of_layers_are_those_of_tables_1_and_3() -> None:
    fast = [m.out_channels for m in on_meta("fast").modules() if isinstance(m, nn.Conv2d)]
    accurate = [m.out_channels for m in on_meta("accurate").modules() if isinstance(m, nn.Conv2d)]
    assert fast == [96, 256, 512, 1024, 1024, 3072, 4096, 1000]
    assert accurate == [96, 256, 512, 512, 1024, 1024, 4096, 4096, 1000]


@pytest.mark.parametrize(
    ("scale", "layer5", "plain", "dense"),
    [
        (PAPER_SCALES[0], (17, 17), (1, 1), (3, 3)),
        (PAPER_SCALES[1], (20, 23), (2, 3), (6, 9)),
        (PAPER_SCALES[2], (23, 29), (3, 5), (9, 15)),
        (PAPER_SCALES[3], (29, 35), (5, 7), (15, 21)),
        (PAPER_SCALES[4], (32, 38), (6, 8), (18, 24)),
        (PAPER_SCALES[5], (35, 44), (7, 10), (21, 30)),
    ],
)
def test_maps_of_table_5(scale: tuple, layer5: tuple, plain: tuple, dense: tuple) -> None:
    network = on_meta("accurate")
    images = torch.empty(1, 3, *scale, device="meta")
    assert network.trunk(images).shape == (1, 1024, *layer5)
    assert network(images, offsets=False).shape == (1, 1000, *plain)
    assert network(images).shape == (1, 1000, *dense)
    assert window("accurate").shape(*scale) == dense
    assert window("accurate", offsets=False).shape(*scale) == plain


def test_strides_and_windows_are_the_papers() -> None:
    assert window("accurate") == (221, 12) and window("accurate", offsets=False) == (221, 36)
    assert window("fast") == (231, 16) and window("fast", offsets=False) == (231, 32)
    for variant in VARIANTS:
        side = WINDOW[variant]
        answers = on_meta(variant)(torch.empty(2, 3, side, side, device="meta"))
        assert answers.shape == (2, 1000, 1, 1)


@pytest.mark.parametrize(
    ("variant", "height", "width"),
    [("fast", 251, 485), ("fast", 475, 231), ("accurate", 235, 401), ("accurate", 399, 227)],
)
def test_dense_answers_equal_the_answers_of_cropped_windows(variant: str, height: int, width: int) -> None:
    """Cells at the edges and in the middle, each from a crop of the pixels that it sees, passed alone; odd sizes."""
    network, grid = tiny(variant), window(variant)
    picture = torch.rand(1, 3, height, width)
    rows, columns = grid.shape(height, width)
    with torch.inference_mode():
        dense = network(picture)[0]
        assert dense.shape[1:] == (rows, columns)
        for row in sorted({0, rows // 2, rows - 1}):
            for column in sorted({0, columns // 2, columns - 1}):
                x0, y0, x1, y1 = grid.seen(row, column, height, width)
                assert (x1 - x0) * (y1 - y0) < height * width
                alone = network(picture[:, :, y0:y1, x0:x1])[0]
                at = (row - y0 // grid.stride, column - x0 // grid.stride)
                torch.testing.assert_close(alone[:, at[0], at[1]], dense[:, row, column], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_cell_sees_its_pixels_and_no_others(variant: str) -> None:
    """Middle cell of a picture with room on all sides: the gradient ends exactly where `seen` says."""
    network, grid = tiny(variant), window(variant)
    side = grid.size + 10 * grid.stride
    picture = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    network.double()(picture)[0, :, 5, 5].sum().backward()
    x0, y0, x1, y1 = grid.seen(5, 5, side, side)
    touched = picture.grad[0].abs().sum(dim=0) > 0
    outside = touched.clone()
    outside[y0:y1, x0:x1] = False
    assert not outside.any()
    window_box = touched[5 * grid.stride : 5 * grid.stride + grid.size, 5 * grid.stride : 5 * grid.stride + grid.size]
    assert window_box.double().mean() > 0.3  # max pooling passes one of four to nine


@pytest.mark.parametrize(("variant", "side"), [("fast", 300), ("accurate", 261)])
def test_dense_map_is_the_paper_s_offsets_interleaved(variant: str, side: int) -> None:
    network = tiny(variant)
    picture = torch.rand(1, 3, side, side + 25)
    with torch.inference_mode():
        dense = network(picture)
        maps = network.trunk(normalised(picture))
        expected = interleave_offsets(network, maps, dense)
    torch.testing.assert_close(dense, expected, rtol=1e-5, atol=1e-5)


def normalised(picture: Tensor) -> Tensor:
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (picture - mean[:, None, None]) / std[:, None, None]


def interleave_offsets(network: OverFeat, maps: Tensor, like: Tensor) -> Tensor:
    """Section 3.3 to the letter: pool at each offset, the classifier as a plain convolution, answers put in place."""
    head = network.classifier
    result = torch.full_like(like, float("nan"))
    for dy in range(head.pool):
        for dx in range(head.pool):
            answers = F.max_pool2d(maps[:, :, dy:, dx:], head.pool)
            for layer in head.layers:
                answers = layer(answers if layer is head.layers[0] else F.relu(answers))
            result[:, :, dy :: head.pool, dx :: head.pool] = answers
    return result


@pytest.mark.parametrize("variant", VARIANTS)
def test_plain_map_is_the_dense_map_at_offset_zero(variant: str) -> None:
    network, step = tiny(variant), {"fast": 2, "accurate": 3}[variant]
    picture = torch.rand(1, 3, 310, 301)
    with torch.inference_mode():
        torch.testing.assert_close(network(picture, offsets=False), network(picture)[:, :, ::step, ::step])


def test_a_picture_smaller_than_the_window_is_padded_with_the_mean_colour() -> None:
    network = tiny("fast")
    small = torch.rand(1, 3, 100, 231)
    mean = torch.tensor([0.485, 0.456, 0.406])[None, :, None, None].expand(1, 3, 131, 231)
    with torch.inference_mode():
        torch.testing.assert_close(network(small), network(torch.cat([small, mean], dim=2)), atol=1e-5, rtol=1e-5)


def test_boxes_follow_the_flattened_map() -> None:
    boxes = window("accurate").boxes(245, 270)
    assert boxes.shape == (3 * 5, 4)
    assert boxes[0].tolist() == [0, 0, 221, 221]
    assert boxes[1].tolist() == [12, 0, 233, 221]
    assert boxes[5].tolist() == [0, 12, 221, 233]
    assert boxes[-1].tolist() == [48, 24, 269, 245]


def test_dropout_is_on_the_two_full_layers_in_training_only() -> None:
    network = tiny("fast", classes=40)
    picture = torch.rand(1, 3, 231, 231)
    with torch.inference_mode():
        assert torch.equal(network(picture), network(picture))
        assert not torch.equal(network.train()(picture), network(picture))
    assert network.classifier.dropout.p == 0.5


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("offsets", [True, False])
def test_multiply_adds_are_those_that_torch_counts(variant: str, offsets: bool) -> None:
    network = on_meta(variant)
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, 281, 317, device="meta"), offsets)
    assert multiply_adds(network, 281, 317, offsets) == counter.get_total_flops() // 2


def test_dense_pass_is_many_times_cheaper_than_cropping() -> None:
    dense, cropped, windows = found = cost(on_meta("accurate"), 461, 569)
    assert windows == 21 * 30
    assert cropped == windows * multiply_adds(on_meta("accurate"), 221, 221)
    assert dense < cropped and found.ratio == cropped / dense
    one = cost(on_meta("fast"), 231, 231)
    assert one.windows == 1 and one.ratio == 1.0
    with pytest.raises(UsageError, match="holds no window of 231"):
        cost(on_meta("fast"), 230, 400)


def test_unknown_variant_names_the_nearest() -> None:
    with pytest.raises(UsageError, match='no OverFeat "acurate"; did you mean accurate'):
        OverFeat("acurate")
    assert set(STRIDE) == set(VARIANTS)
