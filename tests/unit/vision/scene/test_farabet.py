"""The multiscale network: what it sees of a picture, where its cells lie, and what each of its parts is trained by."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from percept.vision.scene.farabet import PLAIN, Farabet, Partial, around, enlarged, halved, normalised, pyramid, to_yuv


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def network(classes: int = 3, **more: object) -> Farabet:
    torch.manual_seed(1)
    return Farabet(classes, hidden=16, **more)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (4, 4), (17, 5), (37, 62), (64, 48)])
def test_a_cell_for_each_four_pixels_begun(size):
    images = drawn(2, 3, *size)
    wanted = (-(-size[0] // 4), -(-size[1] // 4))
    net = network()
    with torch.no_grad():
        features = net.features(images)
        assert features.shape == (2, 768, *wanted)
        assert net(images).shape == (2, 3, *wanted)
        perceptron, (linear,) = net.both(images)
        assert perceptron.shape == linear.shape == (2, 3, *wanted)
    assert torch.isfinite(features).all()


def test_a_cell_sees_46_pixels_of_its_level_centred_on_its_own():
    """Cell (6, 6) of a level: nothing outside of pixels 3..48 changes it, something in each outermost row does."""
    net = network()
    level = drawn(1, 3, 56, 56) - 0.5
    first, last = 4 * 6 - 21, 4 * 6 + 24
    assert last - first + 1 == 46 and (first + last) / 2 == 4 * 6 + 1.5
    with torch.no_grad():
        before = net.maps(level)[0, :, 6, 6]
        others = drawn(1, 3, 56, 56, seed=1) * 4 - 2
        inside = torch.zeros(56, 56, dtype=torch.bool)
        inside[first : last + 1, first : last + 1] = True
        torch.testing.assert_close(net.maps(torch.where(inside, level, others))[0, :, 6, 6], before)
        for edge in (np.s_[first, :], np.s_[last, :], np.s_[:, first], np.s_[:, last]):
            changed = level.clone()
            changed[(0, slice(None), *edge)] = others[(0, slice(None), *edge)]
            assert (net.maps(changed)[0, :, 6, 6] - before).abs().max() > 1e-4


def test_a_dense_answer_is_that_of_the_window_alone():
    """One 46 x 46 window through the plain layers: one cell, the one in the middle of the dense answer."""
    net = network()
    level = drawn(1, 3, 64, 64) - 0.5
    with torch.no_grad():
        window = level[:, :, 4 * 7 - 21 : 4 * 7 + 25, 4 * 8 - 21 : 4 * 8 + 25]
        first = F.max_pool2d(torch.cat([net.luma(window[:, :1]), net.chroma(window[:, 1:])], 1).tanh(), 2)
        alone = net.third(F.max_pool2d(net.second(first).tanh(), 2))
        assert alone.shape == (1, 256, 1, 1)
        torch.testing.assert_close(net.maps(level)[0, :, 7, 8], alone[0, :, 0, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", [80, 81, 82, 83])
def test_beyond_its_reach_nothing_changes_a_cell(cell):
    net = network()
    images = drawn(1, 3, 16, 640)
    first, last = 4 * cell - net.reach, 4 * cell + 3 + net.reach
    with torch.no_grad():
        before = net.features(images)[0, :, 1, cell]
        far = drawn(1, 3, 16, 640, seed=1)
        far[..., first : last + 1] = images[..., first : last + 1]
        torch.testing.assert_close(net.features(far)[0, :, 1, cell], before, rtol=0, atol=1e-5)
        near = far.clone()
        near[..., : first + 40] = 0
        assert (net.features(near)[0, :, 1, cell] - before).abs().max() > 1e-2


def test_aligned_parts_have_the_cells_of_the_whole():
    net = network()
    images = drawn(1, 3, 16, 480)
    with torch.no_grad():
        whole = net.features(images)
        part = net.features(images[..., 2 * net.align :])
    margin = net.reach // 4
    torch.testing.assert_close(part[..., margin:], whole[..., 8 + margin :], rtol=0, atol=1e-4)


def test_the_three_levels_keep_the_centres():
    """A ramp: halving and enlarging give it back, away from the border, and the finer levels see nothing in it."""
    ramp = (torch.arange(64.0) + 0.5).expand(1, 1, 64, 64)
    torch.testing.assert_close(halved(ramp)[0, 0, 5, 2:-2], (torch.arange(2.0, 30) + 0.5) * 2)
    torch.testing.assert_close(enlarged(halved(ramp), 2)[..., 4:-4], ramp[..., 4:-4])
    fine, middle, coarse = pyramid(ramp)
    assert [level.shape[-1] for level in (fine, middle, coarse)] == [64, 32, 16]
    assert fine[..., 4:-4].abs().max() < 1e-4 and middle[..., 4:-4].abs().max() < 1e-4
    torch.testing.assert_close(coarse[0, 0, 5, 4:-4], (torch.arange(4.0, 12) + 0.5) * 4)


def test_the_pyramid_can_be_undone():
    images = drawn(1, 3, 32, 48)
    fine, middle, coarse = pyramid(images)
    torch.testing.assert_close(fine + enlarged(middle + enlarged(coarse, 2), 2), images)


def test_local_normalisation_by_hand():
    images = drawn(1, 2, 40, 40)
    window = images[0, 1, 20 - 7 : 20 + 8, 13 - 7 : 13 + 8]
    wanted = (images[0, 1, 20, 13] - window.mean()) / window.std(correction=0)
    torch.testing.assert_close(normalised(images)[0, 1, 20, 13], wanted, rtol=1e-4, atol=1e-4)
    repeated = F.pad(images, [7] * 4, mode="replicate")
    torch.testing.assert_close(around(images), F.avg_pool2d(repeated, 15, 1), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(normalised(images * 3 + 1), normalised(images), rtol=1e-3, atol=1e-3)


def test_plain_surfaces_stay_plain():
    assert not normalised(torch.full((1, 3, 20, 20), 0.75)).abs().max() > 1e-3
    noise = (drawn(1, 3, 30, 30) - 0.5) * PLAIN / 10
    assert normalised(0.5 + noise).abs().max() < 0.2
    assert torch.isfinite(network()(torch.ones(1, 3, 24, 24))).all()


def test_yuv_of_greys_and_of_blue():
    yuv = to_yuv(torch.tensor([[0.5, 0.5, 0.5], [0.0, 0.0, 1.0]])[:, :, None, None])[..., 0, 0]
    torch.testing.assert_close(yuv, torch.tensor([[0.5, 0, 0], [0.114, 0.492 * 0.886, -0.877 * 0.114]]))


def test_full_connections_have_the_known_number_of_weights():
    """860,558 with the linear classifier of 8 classes; the paper's tables leave out half of the third layer and more.

    16 (10 of Y, 6 of U and V), 64 and 256 maps of 7 x 7.
    """
    count = {}
    for connections in ("paper", "full"):
        net = Farabet(8, connections)
        without = {name: p.numel() for name, p in net.named_parameters() if not name.startswith("perceptron")}
        count[connections] = sum(without.values())
    assert count["full"] == 860_558
    assert count["paper"] == 860_558 - 49 * (64 * 8 + 256 * 32)


def test_a_partial_layer_sees_what_its_table_says():
    layer = Partial(16, 64, 8, torch.Generator().manual_seed(3))
    kernel = layer.kernel()
    assert kernel.shape == (64, 16, 7, 7)
    seen = kernel.abs().sum((2, 3)) > 0
    assert (seen.sum(1) == 8).all()
    assert seen.any(0).all() and len({tuple(row.tolist()) for row in seen}) > 32
    maps = drawn(1, 16, 9, 9)
    unseen = maps.clone()
    unseen[0, ~seen[5]] = 7.0
    with torch.no_grad():
        before, after = layer(maps), layer(unseen)
        torch.testing.assert_close(before[0, 5], after[0, 5])
        weights = sum(
            F.conv2d(maps[:, int(channel), None], layer.weight[5:6, k, None])
            for k, channel in enumerate(layer.table[5])
        )
        torch.testing.assert_close(before[:, 5:6], weights, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(before, after)


def test_tables_come_from_the_seed_and_lie_in_the_checkpoint():
    one, same, other = (network(seed=seed) for seed in (4, 4, 5))
    assert torch.equal(one.third.table, same.third.table)
    assert not torch.equal(one.third.table, other.third.table)
    other.load_state_dict(one.state_dict())
    images = drawn(1, 3, 20, 20)
    with torch.no_grad():
        torch.testing.assert_close(other(images), one(images), rtol=0, atol=0)


def test_the_perceptron_does_not_train_the_network():
    net = network()
    perceptron, (linear,) = net.both(drawn(1, 3, 24, 24))
    perceptron.square().sum().backward()
    assert all((p.grad is not None) == name.startswith("perceptron") for name, p in net.named_parameters())
    linear.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_unknown_connections_are_refused():
    with pytest.raises(ValueError, match="half"):
        Farabet(3, "half")


def stripes(height: int = 48, width: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Two classes, blue above and green below, with some noise; the upper corner is not labelled."""
    rng = np.random.default_rng(0)
    rgb = np.full((height, width, 3), (40, 60, 200), np.int64)
    rgb[height // 2 :] = (60, 160, 50)
    labels = np.repeat(np.arange(height)[:, None] >= height // 2, width, 1).astype(np.uint8)
    labels[:8, :8] = 255
    return (rgb + rng.integers(-9, 10, rgb.shape)).astype(np.uint8), labels


def test_segments_are_trained_by_their_loss_alone():
    net = network(classes=2, cover=True)
    rgb, labels = stripes()
    images = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
    features = net.features(torch.cat([images, images.flip(2)]))
    loss = net.segment_loss(features, [(rgb, labels), (np.ascontiguousarray(rgb[::-1]), labels[::-1])])
    assert loss.shape == () and loss.item() > 0
    loss.backward()
    assert all((p.grad is not None) == name.startswith("segments") for name, p in net.named_parameters())
    assert all(p.grad.abs().sum() > 0 for p in net.segments.parameters())
    again = net.segment_loss(features[:1], [(rgb, labels)], net.perceptron(features[:1]))
    assert again.item() == pytest.approx(net.segment_loss(features[:1], [(rgb, labels)]).item(), rel=1e-5)
    assert 0 < again.item() < loss.item()


def test_segments_learn_and_cover_the_photo():
    net = network(classes=2, cover=True)
    rgb, labels = stripes()
    with torch.no_grad():
        features = net.features(torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255)
    optimizer = torch.optim.Adam(net.segments.parameters(), 3e-3)
    losses = []
    for _ in range(25):
        losses.append(net.segment_loss(features, [(rgb, labels)]))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1].item() < 0.1 * losses[0].item()
    probabilities = net.cover(features[0], rgb)
    assert probabilities.shape == (2, 48, 64) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(0), 1, atol=1e-5)
    assert (probabilities.argmax(0) == labels)[labels != 255].mean() > 0.98


def test_a_network_without_segments_says_so():
    net = network()
    with pytest.raises(ValueError, match="cover=False"):
        net.cover(torch.zeros(768, 2, 2), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="cover=False"):
        net.segment_loss(torch.zeros(1, 768, 2, 2), [])
