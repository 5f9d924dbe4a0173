"""The compact network: names and shapes, the geometry of its windows, and weights for other classes."""

from __future__ import annotations

import math

import pytest
import torch

from percept.vision.detect.model import PRIOR, Compact, Level, cells, corners, new_classes


@pytest.fixture(scope="module")
def network() -> Compact:
    torch.manual_seed(0)
    return Compact(3).eval()


def test_parameters_are_those_of_the_published_network() -> None:
    tensors = Compact(80).state_dict()
    assert sum(tensor.numel() for tensor in tensors.values()) == 904_463
    assert len(tensors) == 2 * 113  # a weight and a bias for each convolution, no running statistics
    assert tensors["backbone.stem.weight"].shape == (16, 12, 3, 3)
    assert tensors["backbone.dark5.1.conv2.weight"].shape == (256, 512, 1, 1)
    assert tensors["head.cls_convs.2.1.pconv.weight"].shape == (64, 64, 1, 1)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 160), (224, 96)])
def test_one_window_for_each_cell_of_three_strides(network: Compact, height: int, width: int) -> None:
    with torch.inference_mode():
        scores, boxes = network(torch.rand(2, 3, height, width))
    count = sum((height // stride) * (width // stride) for stride in (8, 16, 32))
    assert scores.shape == (2, count, 3)
    assert boxes.shape == (2, count, 4)
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert (boxes[..., 2:] > boxes[..., :2]).all()


def test_first_scores_are_near_the_prior(network: Compact) -> None:
    with torch.inference_mode():
        scores = network(torch.rand(1, 3, 64, 64)).scores
    assert scores.mean() == pytest.approx(PRIOR**2, rel=2)


def test_boxes_of_raw_maps() -> None:
    edges = torch.zeros(1, 4, 2, 3)
    edges[0, :, 1, 2] = torch.tensor([0.5, 0.25, math.log(2), math.log(4)])
    boxes = corners(Level(torch.zeros(1, 1, 2, 3), torch.zeros(1, 1, 2, 3), edges, 16))
    assert boxes.shape == (1, 6, 4)
    assert boxes[0, 0].tolist() == [-8, -8, 8, 8]  # nothing added: one cell wide, centred on the cell's corner
    # column 2 + 0.5, row 1 + 0.25, 2 and 4 cells wide and high, 16 pixels each
    assert boxes[0, 5].tolist() == pytest.approx([40 - 16, 20 - 32, 40 + 16, 20 + 32])


def test_cells_go_row_by_row() -> None:
    level = Level(torch.zeros(1, 1, 2, 3), torch.zeros(1, 1, 2, 3), torch.zeros(1, 4, 2, 3), 8)
    assert cells(level).tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]


def test_boxes_stay_finite_when_training_goes_astray() -> None:
    edges = torch.full((1, 4, 1, 1), 1e4)
    assert corners(Level(torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1, 1), edges, 32)).isfinite().all()


def test_pixel_parities_enter_in_the_order_of_the_weights(network: Compact) -> None:
    seen = []
    hook = network.backbone.stem.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    image = torch.zeros(1, 3, 32, 32)
    image[0, 0, 1::2, 0::2] = 1  # red on odd rows and even columns: bottom left of each square
    network.raw(image)
    hook.remove()
    reds = seen[0][0, 0::3].mean(dim=(1, 2))
    black, red = (0 - 0.485) / 0.229, (1 - 0.485) / 0.229
    assert reds.tolist() == pytest.approx([black, red, black, black], abs=1e-5)


def test_in_place_activation_changes_no_answer(network: Compact) -> None:
    image = torch.rand(1, 3, 64, 96)
    kept = image.clone()
    with torch.inference_mode():
        without = network(image)
    assert torch.equal(image, kept)
    with_gradient = network(image)
    assert torch.allclose(without.scores, with_gradient.scores, atol=1e-6)
    assert torch.allclose(without.boxes, with_gradient.boxes, atol=1e-4)


def test_channels_last_gives_the_same(network: Compact) -> None:
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        one, other = network(image), network(image.contiguous(memory_format=torch.channels_last))
    assert torch.allclose(one.boxes, other.boxes, atol=1e-3)


def test_random_start_keeps_the_size_of_the_signal() -> None:
    torch.manual_seed(3)
    network = Compact(5).eval()
    smooth = torch.nn.functional.interpolate(torch.rand(2, 3, 6, 6), scale_factor=32, mode="bilinear")
    with torch.inference_mode():
        maps = network.neck(*network.backbone((smooth - network.mean) / network.std))
    for values in maps:
        assert 0.1 < float(values.std()) < 3


def test_new_classes_keeps_what_fits() -> None:
    tensors = Compact(3).state_dict()
    for i in range(3):
        tensors[f"head.cls_preds.{i}.bias"] = torch.tensor([1.0, 2.0, 3.0])
    result = new_classes(tensors, ["cat", "dog", "bus"], ["bus", "cell", "cat", "tram"])
    Compact(4).load_state_dict(result)  # fits
    prior = -math.log(99)
    for i in range(3):
        assert result[f"head.cls_preds.{i}.bias"].tolist() == pytest.approx([3, prior, 1, prior])
        weights = f"head.cls_preds.{i}.weight"
        assert torch.equal(result[weights][0], tensors[weights][2])
        assert torch.equal(result[weights][2], tensors[weights][0])
        assert not result[weights][1].any()
    same = [name for name in tensors if "cls_preds" not in name]
    assert all(torch.equal(result[name], tensors[name]) for name in same)
    assert tensors["head.cls_preds.0.bias"].tolist() == [1, 2, 3]  # the given tensors are left alone


def test_new_classes_without_a_common_name() -> None:
    result = new_classes(Compact(2).state_dict(), ["cat", "dog"], ["RBC"])
    assert result["head.cls_preds.1.weight"].shape == (1, 64, 1, 1)
    assert not result["head.cls_preds.1.weight"].any()
