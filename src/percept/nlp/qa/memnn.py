"""MemNN: memory networks taught which sentences decide (Weston et al. 2014, arXiv 1410.3916; Weston 2015, section 3).

Output O picks supporting memories one after another, each the best match to the question and the memories before it;
response R scores the words by what was picked. With adaptive memories (AM, 2015) a "stop" competes with the sentences
at each step. Sentences are sums of words, by the position encoding of Sukhbaatar 2015 where the bag of words will not
do; a memory's age is part of it, in the place of the paper's write-time features.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from percept.nlp.qa.encoding import bags
from percept.nlp.qa.vocab import NIL

SPREAD = 0.1


class MemNN(nn.Module):
    """(M, B, 1 + S, W) words -> scores (M, B, 1, V) of answers and the memories picked (M, B, K, S), 0 or 1.

    A tensor (B, 1 + S, W) is one network's, and its answers have no leading axis.

    Args:
        vocabulary: V; dimension: d; hops: most memories picked; slots: memories of each of M networks.
    """

    MEMBERS = {"words": 1, "times": 1, "stop": 0, "step": 1, "answers": 0, "slots": 0}  # see MemN2N
    WORDS = {"words": 2, "answers": 1}

    def __init__(
        self, vocabulary: int, dimension: int, hops: int, slots: Sequence[int], encoding: str = "pe", longest: int = 8
    ) -> None:
        super().__init__()
        members = len(slots)
        self.hops, self.encoding, self.longest = hops, encoding, longest
        # of the question, of a picked memory, of a memory to match, and of the same for R: Phi's parts share no words
        self.words = nn.Parameter(torch.randn(4 + hops, members, vocabulary, dimension) * SPREAD)
        self.times = nn.Parameter(torch.randn(1, members, max(slots), dimension) * SPREAD)
        self.stop = nn.Parameter(torch.randn(members, 1, 1, dimension) * SPREAD)
        self.step = nn.Parameter(torch.randn(hops, members, 1, dimension) * SPREAD)  # how many were picked before
        self.answers = nn.Parameter(torch.randn(members, vocabulary, dimension) * SPREAD)
        self.register_buffer("slots", torch.tensor(list(slots)))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """As the network answers: each memory is the best match."""
        single = tokens.dim() == 3
        scores, matches, told = self.steps(tokens[None] if single else tokens, None)
        picked = matches.argmax(dim=-1)  # (M, B, K)
        where = torch.nn.functional.one_hot(picked, matches.shape[-1]).to(scores)[..., :-1] * told[:, :, None]
        return (scores[0], where[0]) if single else (scores, where)

    def steps(self, tokens: Tensor, right: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Pick ``hops`` memories, or those that training says are right, and answer.

        right: (M, B, K) places in memory, S for stop; None: the best match each time, nothing more after a stop.

        Returns:
            scores (M, B, 1, V), matches (M, B, K, S + 1) with the stop last, told (M, B, S).
        """
        facts = tokens[:, :, 1 : 1 + self.times.shape[2]]  # (M, B, S, W)
        places = torch.arange(facts.shape[2], device=tokens.device)
        told = (facts != NIL).any(dim=-1) & (places < self.slots[:, None, None])  # (M, B, S)
        ages = torch.minimum(places.expand_as(told), self.slots[:, None, None] - 1)
        y = self._sentences(facts, 0)[0] + self._times(ages)  # (M, B, S, d)
        y = torch.cat([y, self.stop.expand(-1, y.shape[1], -1, -1)], dim=2)  # (M, B, S + 1, d)
        x, answer = (one[:, :, 0] for one in self._sentences(tokens[:, :, :1], 1, 2))  # (M, B, d) each
        stopped = torch.zeros_like(told[:, :, 0])  # (M, B)
        matches = []
        for hop in range(self.hops):
            match = (y @ (x + self.step[hop])[..., None]).squeeze(-1)  # (M, B, S + 1), s_O of equation 1
            usable = torch.cat([told, torch.ones_like(told[..., :1])], dim=-1)
            match = match.masked_fill(~usable, float("-inf"))
            if right is None:
                only = torch.full_like(match, float("-inf"))
                only[..., -1] = 0
                match = torch.where(stopped[..., None], only, match)
            matches.append(match)
            pick = match.argmax(dim=-1) if right is None else right[:, :, hop]  # (M, B)
            stopped = stopped | (pick == y.shape[2] - 1)
            there = pick.clamp(max=facts.shape[2] - 1)[..., None, None].expand(-1, -1, 1, facts.shape[-1])
            chosen = facts.gather(2, there)  # (M, B, 1, W)
            more = (~stopped)[..., None].float()
            further, reason = self._sentences(chosen, 3, 4 + hop)
            x, answer = x + more * further[:, :, 0], answer + more * reason[:, :, 0]
        scores = answer @ self.answers.transpose(1, 2)  # (M, B, V), s_R of equation 3
        return scores[:, :, None], torch.stack(matches, dim=2), told

    def _sentences(self, facts: Tensor, *tables: int) -> tuple[Tensor, ...]:
        """(M, B, S, W) words -> (M, B, S, d) by each of the tables."""
        member = torch.arange(facts.shape[0], device=facts.device)[:, None, None].expand(facts.shape[:3])
        rows, weights = facts.flatten(0, 2), self.words[list(tables)]  # (R, W), (T, M, V, d)
        dense = torch.jit.is_tracing()
        made = bags(weights, rows, member.flatten(), self.encoding, self.longest, dense=dense)  # (R, T, d)
        return made.unflatten(0, facts.shape[:3]).unbind(dim=3)  # (M, B, S, T, d) -> T of (M, B, S, d)

    def _times(self, ages: Tensor) -> Tensor:
        member = torch.arange(ages.shape[0], device=ages.device)[:, None, None].expand_as(ages)
        return self.times[0][member, ages]  # (M, B, S, d)
