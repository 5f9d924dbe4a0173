"""The tree of segments: every merge joins two neighbours, the root holds everything, and likes go first."""

from __future__ import annotations

import numpy as np
import pytest

from percept.vision.scene.tree import Tree, grow


def photo(height: int = 48, width: int = 60, seed: int = 0) -> np.ndarray:
    """A few large patches of colour under noise."""
    rng = np.random.default_rng(seed)
    patches = rng.integers(0, 256, (-(-height // 12), -(-width // 12), 3))
    large = patches.repeat(12, 0).repeat(12, 1)[:height, :width]
    return np.clip(large + rng.integers(-30, 31, large.shape), 0, 255).astype(np.uint8)


def pixels_of(tree: Tree, node: int) -> np.ndarray:
    """bool (H, W): the pixels of a segment, by its leaves."""
    if node < tree.leaf_count:
        return tree.leaves == node
    one, two = tree.children[node - tree.leaf_count]
    return pixels_of(tree, one) | pixels_of(tree, two)


def touch(one: np.ndarray, two: np.ndarray) -> bool:
    """Whether two masks have pixels side by side."""
    return bool(
        (one[:, :-1] & two[:, 1:] | two[:, :-1] & one[:, 1:]).any() or (one[:-1] & two[1:] | two[:-1] & one[1:]).any()
    )


def blocks(colours: list[list[int]], side: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """A photo of grey blocks, and each block as a leaf."""
    grey = np.array(colours, np.uint8).repeat(side, 0).repeat(side, 1)
    rows, columns = np.indices((len(colours), len(colours[0])))
    numbers = (rows * len(colours[0]) + columns).astype(np.int32).repeat(side, 0).repeat(side, 1)
    return np.repeat(grey[..., None], 3, 2), numbers


@pytest.mark.parametrize("size", [(48, 60), (31, 17), (5, 64)])
def test_invariants(size):
    tree = grow(photo(*size), scale=10.0, min_size=4)
    n = tree.leaf_count
    assert n > 3 and len(tree) == 2 * n - 1
    assert np.array_equal(np.unique(tree.leaves), np.arange(n))
    assert tree.parent[-1] == -1 and (tree.parent[:-1] > np.arange(2 * n - 2)).all() and tree.parent.max() == 2 * n - 2
    assert sorted(tree.children.ravel()) == list(range(2 * n - 2))  # each but the root is merged once
    for row, pair in enumerate(tree.children):
        assert (tree.parent[pair] == n + row).all()
        one, two = (pixels_of(tree, node) for node in pair)
        assert not (one & two).any() and touch(one, two)
    assert pixels_of(tree, 2 * n - 2).all()
    assert [int(pixels_of(tree, node).sum()) for node in range(len(tree))] == tree.pixels.tolist()
    assert not tree.difference[:n].any() and (tree.difference[n:] >= 0).all()


def test_likes_are_merged_first():
    """Four blocks in a row, 10 14 | 200 190: the pairs, then both."""
    rgb, leaves = blocks([[10, 14, 200, 190]])
    tree = grow(rgb, leaves)
    merged = [set(pair.tolist()) for pair in tree.children]
    assert merged[0] == {0, 1} and merged[1] == {2, 3} and merged[2] == {4, 5}
    assert (np.diff(tree.difference[4:]) > 0).all()


def test_only_neighbours_are_merged():
    """The outer blocks are equal and stay apart until the one between them has joined one of them."""
    rgb, leaves = blocks([[50, 90, 50]])
    tree = grow(rgb, leaves)
    assert 1 in tree.children[0] and set(tree.children[0].tolist()) != {0, 2}


def test_of_equal_differences_the_smaller_segments_go_first():
    grey = np.full((4, 60), 100, np.uint8)
    grey[:, 28:30], grey[:, 30:32], grey[:, 32:] = 140, 180, 220
    leaves = (np.searchsorted([28, 30, 32], np.arange(60), side="right")[None].repeat(4, 0)).astype(np.int32)
    tree = grow(np.repeat(grey[..., None], 3, 2), leaves)
    assert set(tree.children[0].tolist()) == {1, 2}


def test_a_border_that_shows_counts_beside_equal_means():
    """Three areas of equal mean: two of them plain, the third one striped so that it begins with a step."""
    grey = np.full((8, 24), 100, np.uint8)
    grey[:, 16::2], grey[:, 17::2] = 140, 60
    leaves = (np.arange(24) // 8)[None].repeat(8, 0).astype(np.int32)
    tree = grow(np.repeat(grey[..., None], 3, 2), leaves)
    assert set(tree.children[0].tolist()) == {0, 1}


def test_every_pixel_lies_in_few_segments():
    tree = grow(photo(96, 128, seed=3), scale=10.0, min_size=4)
    depth = np.zeros(len(tree), int)
    for node in range(len(tree) - 2, -1, -1):
        depth[node] = depth[tree.parent[node]] + 1
    assert tree.leaf_count > 60
    assert depth[tree.leaves].mean() < 0.3 * tree.leaf_count


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (20, 20)])
def test_one_segment_is_a_tree(size):
    tree = grow(np.full((*size, 3), 90, np.uint8))
    assert tree.leaf_count == len(tree) == 1
    assert (
        tree.parent.tolist() == [-1] and tree.children.shape == (0, 2) and tree.pixels.tolist() == [size[0] * size[1]]
    )


def test_the_given_arrays_stay_as_they_are():
    rgb, leaves = blocks([[10, 14], [200, 190]])
    before = rgb.copy(), leaves.copy()
    first, again = grow(rgb, leaves), grow(rgb, leaves)
    assert np.array_equal(rgb, before[0]) and np.array_equal(leaves, before[1])
    assert np.array_equal(first.children, again.children)


def test_leaves_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(3, 4\)"):
        grow(np.zeros((4, 4, 3), np.uint8), np.zeros((3, 4), np.int32))
