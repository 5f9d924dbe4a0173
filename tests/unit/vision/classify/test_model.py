"""Networks of classify: equal to torchvision's on one window, the mean of finer cells, statistics kept."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v2

from percept.core.errors import UsageError
from percept.vision.classify.model import ARCHITECTURES, DenseMobileNetV2, build
from percept.vision.classify.options import MODELS


def random_start(classes: int) -> DenseMobileNetV2:
    torch.manual_seed(0)
    network = DenseMobileNetV2(classes)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def test_one_window_answers_as_torchvision_s_network_with_the_same_tensors() -> None:
    ours, theirs = random_start(6), mobilenet_v2(num_classes=6).eval()
    theirs.load_state_dict(ours.state_dict())  # strict: the names are the same
    images = torch.rand(2, 3, 224, 224)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.inference_mode():
        expected = theirs((images - mean[:, None, None]) / std[:, None, None])
        found = ours(images)
    assert found.shape == (2, 6, 1, 1)
    torch.testing.assert_close(found[:, :, 0, 0], expected, rtol=1e-4, atol=1e-5)


def test_a_larger_picture_has_a_window_every_32_pixels() -> None:
    network = random_start(3)
    with torch.inference_mode():
        images = torch.rand(1, 3, 256, 320)
        windows, cells = network(images), network(images, window=1)
    assert windows.shape == (1, 3, 2, 4) and network.grid() == (224, 32)
    assert network.grid().shape(256, 320) == (2, 4)
    assert cells.shape == (1, 3, 8, 10) and network.grid(1).shape(256, 320) == (8, 10)
    torch.testing.assert_close(windows[:, :, 1, 2], cells[:, :, 1:8, 2:9].mean(dim=(2, 3)), rtol=1e-4, atol=1e-5)


def test_a_smaller_picture_is_averaged_whole() -> None:
    network = random_start(3)
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 96, 300)).shape == (1, 3, 1, 4)
        assert network(torch.rand(1, 3, 1, 1)).shape == (1, 3, 1, 1)


def test_training_moves_weights_but_no_statistics() -> None:
    network = random_start(3).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    network(torch.rand(2, 3, 64, 64)).square().sum().backward()
    optimizer.step()
    moved = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert "classifier.1.weight" in moved and "features.18.0.weight" in moved
    assert not [name for name in moved if "running" in name or "num_batches" in name]


def test_architectures_by_name() -> None:
    assert ARCHITECTURES == MODELS  # what the command line offers
    with torch.device("meta"):
        for name, count in zip(ARCHITECTURES, (3_504_872, 145_920_872, 144_656_488), strict=True):
            network = build(name, 1000)
            assert sum(parameter.numel() for parameter in network.parameters()) == count
            side = network.grid().size
            assert network(torch.empty(1, 3, side, side, device="meta")).shape == (1, 1000, 1, 1)
    with pytest.raises(UsageError, match='no classifier "overfeat-fst"; did you mean overfeat-fast'):
        build("overfeat-fst", 2)
    with pytest.raises(UsageError, match="width has no effect on mobilenet-v2"):
        build("mobilenet-v2", 2, width=0.5)
