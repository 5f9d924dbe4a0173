"""A memory whose sentences look at each other before the question is answered, over any length of story.

Each sentence is read by a perceptron of two layers over its words side by side. Then the same step is taken several
times (Dehghani et al. 2019): sentences and question look at one another by several heads, and each is changed by what
it saw. Some heads go back through time, some forward, and stop at the first sentence that matches: the
geometric attention of Csordas et al. 2022, so that "the last time" needs no position and means the same in ten
sentences as in three hundred. The others weigh all sentences alike by a softmax. The question is the newest of all.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from percept.nlp.qa.vocab import NIL

FAR = -1e4  # a score that leaves no weight
INNER = 4  # times d: what the perceptrons have between their layers


class Relational(nn.Module):
    """(B, 1 + S, W) words -> scores (B, P, V) of the P things of an answer, where each hop looked (B, K, S).

    Args:
        vocabulary: V; dimension: d; hops: K steps; heads: half go back, a quarter forward, a quarter everywhere.
        width: words of a sentence whose places are told apart, the last of them also for all that follow; parts: P.
    """

    WORDS = {"words.weight": 0, "answers.weight": 0, "answers.bias": 0}  # which axis counts the vocabulary

    def __init__(
        self, vocabulary: int, dimension: int, hops: int, heads: int, width: int, parts: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.hops, self.parts = hops, parts
        self.words = nn.Embedding(vocabulary, dimension // 2, padding_idx=NIL)
        nn.init.normal_(self.words.weight, std=1.0)
        with torch.no_grad():
            self.words.weight[NIL] = 0
        self.width, inner = width, INNER * dimension
        self.facts = nn.Linear(width * (dimension // 2), inner)
        self.questions = nn.Linear(width * (dimension // 2), inner)
        self.enter = nn.Sequential(nn.LayerNorm(inner), nn.ReLU(), nn.Linear(inner, dimension))
        self.leave_out = nn.Dropout(dropout)
        self.look = Look(dimension, heads)
        self.change = nn.Sequential(
            nn.LayerNorm(dimension), nn.Linear(dimension, inner), nn.ReLU(), nn.Linear(inner, dimension)
        )
        self.leave = nn.LayerNorm(dimension)
        self.things = nn.Linear(dimension, parts * dimension)
        self.answers = nn.Linear(dimension, vocabulary)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        told = (tokens != NIL).any(dim=-1)  # (B, N), N = 1 + S
        x = self.leave_out(self._read(tokens))  # (B, N, d)
        looked = []
        for hop in range(self.hops):
            asking = 1 if hop + 1 == self.hops else x.shape[1]  # the answer is read from the question alone
            seen, weights = self.look(x, told, asking)
            x = x[:, :asking] + self.leave_out(seen)
            x = x + self.leave_out(self.change(x))
            looked.append(weights)
        u = self.things(self.leave(x[:, 0])).unflatten(-1, (self.parts, -1))  # (B, d) -> (B, P, d)
        return self.answers(F.gelu(u)), torch.stack(looked, dim=1)  # (B, P, V), (B, K, S)

    def _read(self, tokens: Tensor) -> Tensor:
        """(B, N, W) words -> (B, N, d): the words of each sentence side by side, those beyond the width added up."""
        x = self.words(tokens)  # (B, N, W, e)
        if x.shape[2] > self.width:
            last = x[:, :, self.width - 1 :].sum(dim=2, keepdim=True)
            x = torch.cat([x[:, :, : self.width - 1], last], dim=2)
        x = x.flatten(2)  # (B, N, W e): words that no sentence has add nothing
        read = [
            F.linear(some, layer.weight[:, : x.shape[2]], layer.bias)
            for layer, some in ((self.questions, x[:, :1]), (self.facts, x[:, 1:]))
        ]
        return self.enter(torch.cat(read, dim=1))


class Look(nn.Module):
    """Heads back, forward and everywhere: x (B, N, d), told (B, N) -> (B, A, d), and the question's weights (B, S).

    The newest A of the N look at all.
    """

    def __init__(self, dimension: int, heads: int) -> None:
        super().__init__()
        self.heads, self.back, self.forth = heads, heads // 2, heads // 4
        self.size = dimension // heads
        self.norm = nn.LayerNorm(dimension)
        self.ask = nn.Linear(dimension, 3 * heads * self.size)
        self.shift = nn.Parameter(torch.full((heads, 1, 1), -1.0))  # before training a head passes most sentences by
        self.tell = nn.Linear(heads * self.size, dimension)

    def forward(self, x: Tensor, told: Tensor, asking: int) -> tuple[Tensor, Tensor]:
        """See the class."""
        q, k, v = (
            self.ask(self.norm(x)).unflatten(-1, (3, self.heads, self.size)).permute(2, 0, 3, 1, 4)
        )  # (B, h, N, c)
        z = q[:, :, :asking] @ k.transpose(2, 3) / self.size**0.5 + self.shift  # (B, h, A, N)
        key = told[:, None, None, :]
        age = torch.arange(x.shape[1], device=x.device)
        own = age[:asking, None]
        back = first_match(z[:, : self.back], key & (age > own))  # keys older than who asks
        forth = first_match(z[:, self.back : self.back + self.forth].flip(3), (key & (age < own)).flip(3)).flip(3)
        # everywhere but at itself; a sentence that stands alone looks at the question, which is always there
        alike = z[:, self.back + self.forth :].masked_fill(~(key & (age != own)), FAR).softmax(dim=-1)
        weights = torch.cat([back, forth, alike], dim=1)  # (B, h, A, N)
        seen = (weights @ v).transpose(1, 2).flatten(2)  # (B, h, A, c) -> (B, A, h c)
        asked = back[:, 0, 0, 1:]  # (B, S) of the question's first head, which --supports teaches
        return self.tell(seen), asked


def first_match(scores: Tensor, usable: Tensor) -> Tensor:
    """Geometric attention: of keys in order, the first that matches (Csordas et al. 2022, equation 6).

    (B, h, N, N) scores and which keys may be looked at -> weights: sigmoid(z_j) times the chance that none before it
    matched. What is left over, if none does, looks at nothing.
    """
    scores = scores.float()  # products over a long story need it
    return _by_sums(scores, usable) if torch.jit.is_tracing() else _FirstMatch.apply(scores, usable)


def _by_sums(scores: Tensor, usable: Tensor) -> Tensor:
    """The weights by sums of logarithms, for ONNX, which has no cumulative product."""
    match, passed = -F.softplus(-scores), -F.softplus(scores)  # log sigmoid(z), log(1 - sigmoid(z))
    passed = passed.masked_fill(~usable, 0.0)
    before = passed.cumsum(dim=-1) - passed  # of the keys before
    return (match.masked_fill(~usable, FAR) + before).exp()


class _FirstMatch(torch.autograd.Function):
    """The weights by products, ten times as quick, and their gradient, which takes half of autograd's passes.

    With h = dL/dw w: dL/dz_k = h_k - sigmoid(z_k) (h_k + the sum of h_j over j behind k).
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor, usable: Tensor) -> Tensor:
        match = scores.sigmoid() * usable
        passed = (1 - match).cumprod(dim=-1)  # of the keys up to and with this one
        weights = match.clone()
        weights[..., 1:] *= passed[..., :-1]
        ctx.save_for_backward(match, weights)
        return weights

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        match, weights = ctx.saved_tensors
        h = gradient * weights
        from_here = h.sum(dim=-1, keepdim=True) - h.cumsum(dim=-1) + h
        return h - match * from_here, None
