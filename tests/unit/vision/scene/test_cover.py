"""The cover: pooling, targets and the choice of segments against the same said slowly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from percept.vision.scene.cover import SegmentClassifier, cover, entropy, loss, pool, purest, targets
from percept.vision.scene.tree import Tree, grow

VOID = 255


def made(leaves: list[list[int]], children: list[tuple[int, int]]) -> Tree:
    """A tree as it is written down."""
    labels = np.array(leaves, np.int32)
    count = len(children) + 1
    parent = np.full(2 * count - 1, -1, np.int32)
    pixels = np.bincount(labels.ravel(), minlength=2 * count - 1)
    for number, pair in enumerate(children, count):
        parent[list(pair)] = number
        pixels[number] = pixels[list(pair)].sum()
    return Tree(labels, parent, np.array(children, np.int32).reshape(-1, 2), np.zeros(len(parent), np.float32), pixels)


def random_tree(height: int, width: int, seed: int = 0) -> Tree:
    """Leaves of 1 to some 30 pixels, merged by colours that mean nothing."""
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    columns = np.sort(rng.choice(np.arange(1, width), 4, replace=False))
    rows = np.sort(rng.choice(np.arange(1, height), 3, replace=False))
    at = np.searchsorted(rows, np.arange(height), "right")[:, None] * 5 + np.searchsorted(
        columns, np.arange(width), "right"
    )
    return grow(rgb, at.astype(np.int32))


def path(tree: Tree, leaf: int) -> list[int]:
    """The segments that hold a leaf, from the leaf to the root."""
    found = [leaf]
    while tree.parent[found[-1]] >= 0:
        found.append(int(tree.parent[found[-1]]))
    return found


def distributions(count: int, classes: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(classes, 0.5), count).astype(np.float32)


TINY = made([[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 2, 2]], [(1, 2), (0, 3)])


def test_targets_by_hand():
    labels = np.array([[0, 0, 1, 1], [0, VOID, 1, 2], [0, 2, 2, 2]], np.uint8)
    wanted, pixels = targets(TINY, labels, 3)
    assert pixels.tolist() == [5, 2, 4, 6, 11]
    np.testing.assert_allclose(
        wanted,
        [[4 / 5, 0, 1 / 5], [0, 1, 0], [0, 1 / 4, 3 / 4], [0, 1 / 2, 1 / 2], [4 / 11, 3 / 11, 4 / 11]],
        rtol=1e-6,
    )


def test_targets_of_a_segment_without_labels():
    labels = np.full((3, 4), VOID, np.uint8)
    labels[:, :2] = 1
    wanted, pixels = targets(TINY, labels, 2)
    assert pixels.tolist() == [6, 0, 0, 0, 6]
    assert not wanted[1:4].any() and wanted[4].tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(3))
def test_cover_by_brute_force(seed):
    tree = random_tree(19, 23, seed)
    given = distributions(len(tree), 4, seed)
    found = cover(tree, given)
    assert found.shape == (4, 19, 23) and found.dtype == np.float32 and found.flags.c_contiguous
    costs = [-sum(p * math.log(p) for p in row if p > 0) for row in given.tolist()]
    winners = set()
    for y, x in np.ndindex(19, 23):
        best = min(path(tree, int(tree.leaves[y, x])), key=lambda node: costs[node])
        winners.add(best)
        np.testing.assert_array_equal(found[:, y, x], given[best])
    assert len(winners) > 2


def test_of_equally_pure_segments_the_larger_one_wins():
    sure = np.array([[1, 0], [0, 1], [0, 1], [0, 1], [0.5, 0.5]], np.float32)
    assert purest(TINY, sure).tolist() == [0, 3, 3]
    assert purest(TINY, np.full((5, 2), 0.5, np.float32)).tolist() == [4, 4, 4]


def test_entropy_by_hand():
    found = entropy(np.array([[1, 0, 0], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]], np.float32))
    np.testing.assert_allclose(found, [0, math.log(2), math.log(3)], rtol=1e-6)


def test_who_knows_every_segment_covers_the_truth():
    """Labels made of whole leaves: the true distributions give them back, each by the largest segment of one class."""
    tree = random_tree(22, 30, seed=5)
    of_leaf = np.random.default_rng(1).integers(0, 2, tree.leaf_count).astype(np.uint8)
    labels = of_leaf[tree.leaves]
    truth, _ = targets(tree, labels, 2)
    found = cover(tree, truth)
    assert np.array_equal(found.argmax(0), labels) and (found.max(0) == 1).all()
    chosen = purest(tree, truth)
    assert all((truth[tree.parent[node]] < 1).all() for node in set(chosen.tolist()))
    assert (chosen >= tree.leaf_count).any()


def by_hand(features: np.ndarray, tree: Tree) -> np.ndarray:
    """Pooling said slowly: (nodes, C, 5, 5)."""
    channels, height, width = features.shape
    result = np.zeros((len(tree), channels, 5, 5), np.float32)
    for node in range(len(tree)):
        inside = np.zeros((height, width), bool)
        for y, x in zip(
            *np.nonzero([[node in path(tree, int(leaf)) for leaf in row] for row in tree.leaves]), strict=True
        ):
            inside[y // 4, x // 4] = True
        ys, xs = np.nonzero(inside)
        y0, x0, tall, wide = ys.min(), xs.min(), np.ptp(ys) + 1, np.ptp(xs) + 1
        for p, q in np.ndindex(5, 5):
            rows = np.s_[y0 + p * tall // 5 : y0 + -(-(p + 1) * tall // 5)]
            columns = np.s_[x0 + q * wide // 5 : x0 + -(-(q + 1) * wide // 5)]
            if inside[rows, columns].any():
                result[node, :, p, q] = features[:, rows, columns][:, inside[rows, columns]].max(1)
    return result


@pytest.mark.parametrize("size", [(37, 30), (18, 47)])
def test_pooling_by_hand(size):
    tree = random_tree(*size)
    features = torch.randn(3, -(-size[0] // 4), -(-size[1] // 4), generator=torch.Generator().manual_seed(0))
    found = pool(features, tree)
    assert found.shape == (len(tree), 3, 5, 5)
    np.testing.assert_array_equal(found.numpy(), by_hand(features.numpy(), tree))


def test_the_root_is_pooled_as_adaptive_pooling_does():
    tree = random_tree(40, 61)
    features = torch.randn(2, 10, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(pool(features, tree)[-1], torch.nn.functional.adaptive_max_pool2d(features, 5))


def test_gradients_reach_the_strongest_cells_alone():
    tree = made([[0] * 8] * 4 + [[1] * 8] * 4, [(0, 1)])  # two cells above, two below
    features = torch.tensor([[[1.0, 2.0], [4.0, 3.0]]], requires_grad=True)
    pooled = pool(features, tree)
    pooled[0].sum().backward()  # the upper segment: two of five columns each, and the middle one is the larger's
    assert features.grad.tolist() == [[[10.0, 15.0], [0.0, 0.0]]]


def test_loss_by_hand():
    logits = torch.tensor([[0.0, 0.0], [2.0, 0.0], [5.0, 1.0]], requires_grad=True)
    wanted = torch.tensor([[0.25, 0.75], [1.0, 0.0], [0.0, 0.0]])
    found = loss(logits, wanted, torch.tensor([4, 9, 0]))
    first = math.log(2) + 0.25 * math.log(0.25) + 0.75 * math.log(0.75)
    second = math.log(1 + math.exp(-2))
    assert found.item() == pytest.approx((2 * first + 3 * second) / 5, rel=1e-5)
    found.backward()
    assert logits.grad[:2].abs().min() > 0 and not logits.grad[2].any()


def test_loss_is_least_where_the_prediction_is_true():
    wanted = torch.tensor([[0.25, 0.75], [1.0, 0.0]])
    exact = torch.tensor([[0.25, 0.75], [1.0, 1e-30]]).log()
    assert float(loss(exact, wanted, torch.tensor([4, 9]))) == pytest.approx(0, abs=1e-6)


def test_without_labels_the_loss_is_zero_and_no_nan():
    logits = torch.randn(3, 2, requires_grad=True)
    found = loss(logits, torch.zeros(3, 2), torch.zeros(3, dtype=torch.int64))
    found.backward()
    assert found.item() == 0 and not logits.grad.any()


def test_the_classifier_learns_through_the_pooling():
    torch.manual_seed(0)
    tree = random_tree(24, 32)
    classifier = SegmentClassifier(channels=6, classes=3, reduced=4, hidden=8)
    described = classifier.describe(torch.randn(1, 6, 6, 8), torch.randn(1, 3, 6, 8))
    assert described.shape == (1, 7, 6, 8)
    logits = classifier.segments(described[0], tree)
    assert logits.shape == (len(tree), 3)
    wanted, pixels = targets(tree, np.random.default_rng(0).integers(0, 3, (24, 32)).astype(np.uint8), 3)
    loss(logits, torch.from_numpy(wanted), torch.from_numpy(pixels)).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in classifier.parameters())


def test_a_picture_of_one_pixel():
    tree = grow(np.zeros((1, 1, 3), np.uint8))
    assert pool(torch.tensor([[[2.0]], [[-3.0]]]), tree).tolist() == [[[[2.0] * 5] * 5, [[-3.0] * 5] * 5]]
    assert cover(tree, np.array([[0.25, 0.75]])).tolist() == [[[0.25]], [[0.75]]]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 1\)"):
        pool(torch.zeros(1, 2, 1), TINY)
    with pytest.raises(ValueError, match=r"\(3, 5\)"):
        targets(TINY, np.zeros((3, 5), np.uint8), 2)
    with pytest.raises(ValueError, match="4 distributions"):
        cover(TINY, np.zeros((4, 2)))
