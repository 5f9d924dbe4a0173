"""MemN2N: end-to-end memory networks (Sukhbaatar et al. 2015, arXiv 1503.08895), several of them side by side.

Every weight has a leading axis of M networks, which differ in their seed or in the kind of story they learn: ten
networks in one product cost little more than one. There is no bias anywhere, as in the paper.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from percept.nlp.qa.encoding import bags
from percept.nlp.qa.vocab import NIL

SPREAD = 0.1  # of the first weights, section 4.2


class MemN2N(nn.Module):
    """(M, B, 1 + S, W) words -> scores (M, B, 1, V) of answers and where each hop looked (M, B, K, S).

    A tensor (B, 1 + S, W) is one network's, and its answers have no leading axis. The question stands first, then the
    sentences, the newest first (see ``tensors.Batch``).

    Args:
        vocabulary: V, with nil as number 0; dimension: d; hops: K.
        slots: sentences that each network remembers, one number for each of the M.
        encoding: see ``encoding.places``; longest: words of the longest sentence in training, plus the word of time.
        tying: "adjacent": A_k+1 = C_k, B = A_1, W = C_K; "layer-wise": A and C the same in all hops, u' = H u + o.
        time: add T_A(i) and T_C(i) for the i-th newest sentence; padding: "nil" or "masked", see ``look``.
    """

    MEMBERS = {"words": 1, "times": 1, "turn": 0, "slots": 0}  # which axis of a tensor counts the networks
    WORDS = {"words": 2}  # which axis counts the vocabulary

    def __init__(
        self,
        vocabulary: int,
        dimension: int,
        hops: int,
        slots: Sequence[int],
        encoding: str = "pe",
        longest: int = 8,
        tying: str = "adjacent",
        time: bool = True,
        padding: str = "nil",
    ) -> None:
        super().__init__()
        members = len(slots)
        self.hops, self.encoding, self.longest, self.tying, self.padding = hops, encoding, longest, tying, padding
        self.linear = False  # linear start: no softmax in the hops (section 4.1)
        # adjacent: the table of hop k's input is number k - 1, that of its output number k; layer-wise: A, C, B, W
        tables = hops + 1 if tying == "adjacent" else 4
        self.words = nn.Parameter(torch.randn(tables, members, vocabulary, dimension) * SPREAD)
        steps = (tables if tying == "adjacent" else 2) if time else 0
        self.times = nn.Parameter(torch.randn(steps, members, max(slots), dimension) * SPREAD)
        self.turn = nn.Parameter(torch.randn(members, dimension, dimension) * SPREAD) if tying != "adjacent" else None
        self.register_buffer("slots", torch.tensor(list(slots)))

    def forward(self, tokens: Tensor, ages: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """ages: (M, B, S) the age of each sentence, 0 = newest, where it is not its place (random noise)."""
        single = tokens.dim() == 3
        tokens = tokens[None] if single else tokens  # (M, B, 1 + S, W)
        slots = self.slots[:, None, None]
        facts = tokens[:, :, 1 : 1 + self.times.shape[2]]  # (M, B, S, W): older sentences are forgotten
        places = torch.arange(facts.shape[2], device=tokens.device)
        told = (facts != NIL).any(dim=-1) & (places < slots)  # (M, B, S)
        ages = places.expand_as(told) if ages is None else ages[..., : facts.shape[2]]
        ages = torch.minimum(ages, slots - 1)
        first, last = (0, -1) if self.tying == "adjacent" else (2, 3)  # the tables of B and W
        asked = torch.ones_like(told[:, :, :1])
        u = self._sentences(tokens[:, :, :1], asked, self.words[first : first + 1], None)[0][:, :, 0]  # (M, B, d)
        used = len(self.words) if self.tying == "adjacent" else 2
        memories = self._sentences(facts, told, self.words[:used], ages)  # (M, B, S, d) each, equations 1, section 4.1
        looked = []
        for hop in range(self.hops):
            ins, outs = (hop, hop + 1) if self.tying == "adjacent" else (0, 1)
            m, c = memories[ins], memories[outs]
            p = self.look((m @ u[..., None]).squeeze(-1), told)  # (M, B, S)
            o = (p[..., None, :] @ c).squeeze(-2)  # (M, B, 1, S) (M, B, S, d) -> (M, B, d), equation 2
            u = o + (u if self.turn is None else u @ self.turn.transpose(1, 2))  # equation 4
            looked.append(p)
        scores = u @ self.words[last].transpose(1, 2)  # (M, B, V), equation 3
        nil = torch.ones(scores.shape[-1], device=scores.device)
        nil[NIL] = 0  # nil's embedding is zero
        scores, where = (scores * nil)[:, :, None], torch.stack(looked, dim=2)  # (M, B, 1, V), (M, B, K, S)
        return (scores[0], where[0]) if single else (scores, where)

    def look(self, scores: Tensor, told: Tensor) -> Tensor:
        """How much each sentence is looked at: (M, B, S) scores -> (M, B, S).

        As in the authors' code an empty slot of the memory holds nil, whose score is 0, and takes its part of the
        softmax: with it the network can look at nothing. "masked" leaves empty slots out.
        """
        if self.linear:
            return scores * told
        nil = self.slots[:, None] - told.sum(dim=-1)  # (M, B): empty slots
        if self.padding == "masked":
            nil = (nil == self.slots[:, None]).long()  # something must be looked at, were it nothing
        empty = nil.float().log()[..., None]  # (M, B, 1): so many scores of 0 in one
        both = torch.cat([scores.masked_fill(~told, float("-inf")), empty], dim=-1)  # (M, B, S + 1)
        return both.softmax(dim=-1)[..., :-1]

    def _sentences(self, facts: Tensor, told: Tensor, tables: Tensor, ages: Tensor | None) -> tuple[Tensor, ...]:
        """(M, B, S, W) words -> (M, B, S, d) by each of the tables (T, M, V, d); zeros where nothing was told.

        ages: (M, B, S) of sentences that have one, and times are added.
        """
        count, size = tables.shape[1], tables.shape[-1]
        member = torch.arange(count, device=facts.device)[:, None, None].expand(told.shape)
        timed = ages is not None and self.times.shape[0] > 0
        if torch.jit.is_tracing():  # for export: plain products over all places, full or empty
            rows = facts.flatten(0, 2)  # (M, B, S, W) -> (R, W)
            made = bags(tables, rows, member.flatten(), self.encoding, self.longest, dense=True)
            made = made.unflatten(0, told.shape)  # (R, T, d) -> (M, B, S, T, d)
            if timed:
                made = made + self._time(member, ages)  # type: ignore[arg-type]
            return (made * told[..., None, None]).unbind(dim=3)
        rows, whose = facts[told], member[told]  # (R, W), (R,): most places are empty
        made = bags(tables, rows, whose, self.encoding, self.longest, dense=False)  # (R, T, d)
        if timed:
            made = made + self._time(whose, ages[told])  # type: ignore[index]
        empty = torch.zeros(*told.shape, len(tables), size, device=made.device, dtype=made.dtype)
        return empty.masked_scatter(told[..., None, None], made).unbind(dim=3)  # (M, B, S, T, d) -> T of (M, B, S, d)

    def _time(self, member: Tensor, ages: Tensor) -> Tensor:
        """T(i) of ages (...): (..., T, d); in the code's encoding time is the sentence's last word, with its weight."""
        found = self.times.permute(1, 2, 0, 3)[member, ages]  # (T, M, slots, d) -> (..., T, d)
        if self.encoding != "pe-code":
            return found
        size = self.times.shape[-1]
        k = torch.arange(1, size + 1, device=found.device)
        return found * (1 + 4 * ((k - (size + 1) / 2) / size) * ((self.longest - 1) / 2) / self.longest)
