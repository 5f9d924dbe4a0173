"""The hierarchical softmax (Morin and Bengio 2005) over a Huffman tree of the words' frequencies.

A word is the path from the root to its leaf, its probability the product of the choices on the way: at node k the left
child has probability s(u_k . h + b_k). Training touches log V nodes a word instead of V.
"""

from __future__ import annotations

import heapq

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Hierarchical(nn.Module):
    """A vector and a bias for each of the V - 1 inner nodes; node 0 is the root."""

    def __init__(self, width: int, counts: np.ndarray) -> None:
        super().__init__()
        inner = max(len(counts) - 1, 1)
        self.weight = nn.Parameter(torch.zeros(inner, width))
        self.bias = nn.Parameter(torch.zeros(inner))
        self.register_buffer("counts", torch.from_numpy(np.ascontiguousarray(counts, np.int64)))
        paths, signs = huffman(counts)
        self.register_buffer("paths", torch.from_numpy(paths), persistent=False)  # (V, L) int64
        self.register_buffer("signs", torch.from_numpy(signs), persistent=False)  # (V, L) float32, 0 behind the end

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Summed over (N,) targets."""
        return -self.score(features, targets).sum()

    def score(self, features: Tensor, targets: Tensor) -> Tensor:
        """(N, D), (N,) -> (N,) log p."""
        nodes, signs = self.paths[targets], self.signs[targets]  # (N, L)
        longest = int((signs != 0).sum(dim=1).max()) if len(targets) else 0
        nodes, signs = nodes[:, :longest], signs[:, :longest]
        choices = torch.einsum("nd,nld->nl", features.float(), self.weight[nodes].float()) + self.bias[nodes]  # (N, L)
        return (F.logsigmoid(signs * choices) * signs.abs()).sum(dim=1)

    def log_probs(self, features: Tensor) -> Tensor:
        """(..., D) -> (..., V): down the tree, the choices of all nodes at once."""
        choices = F.linear(features.float(), self.weight.float(), self.bias)  # (..., V - 1)
        left, right = F.logsigmoid(choices), F.logsigmoid(-choices)
        found = features.new_zeros(*features.shape[:-1], len(self.paths), dtype=torch.float32)
        for level in range(self.paths.shape[1]):
            nodes, signs = self.paths[:, level], self.signs[:, level]
            found = found + torch.where(signs > 0, left[..., nodes], right[..., nodes]) * signs.abs()
        return found


def huffman(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each word (V, L): the inner nodes from the root down, and +1 where its way goes left, -1 right, 0 at the end.

    Ties are decided by the order of making, so that the same counts give the same tree.
    """
    words = len(counts)
    heap = [(int(count), number) for number, count in enumerate(counts)]
    heapq.heapify(heap)
    parent = np.zeros(2 * words - 1, np.int64)
    side = np.zeros(2 * words - 1, np.float32)
    made = words
    while len(heap) > 1:
        (a, left), (b, right) = heapq.heappop(heap), heapq.heappop(heap)
        parent[[left, right]], side[[left, right]] = made, (1, -1)
        heapq.heappush(heap, (a + b, made))
        made += 1
    root = made - 1
    ways: list[list[tuple[int, float]]] = []
    for word in range(words):
        way, node = [], word
        while node != root:
            way.append((root - int(parent[node]), float(side[node])))  # the root, made last, is node 0
            node = int(parent[node])
        ways.append(way[::-1])
    longest = max(1, *map(len, ways))
    paths, signs = np.zeros((words, longest), np.int64), np.zeros((words, longest), np.float32)
    for word, way in enumerate(ways):
        if way:
            paths[word, : len(way)], signs[word, : len(way)] = zip(*way, strict=True)
    return paths, signs
