"""Dynamic evaluation (Krause et al. 2018): the model goes on learning from the text that it is measured on.

After each segment, once its words have been scored, the weights take a step down the gradient of its loss, divided by
the root mean square of gradients on the text to choose by, and are drawn back to those of training (section 4,
equation 11). What is measured so is adaptive.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import numpy as np
import torch
from torch import nn

from percept.core.console import progress
from percept.nlp.lm.vocabulary import Encoded

SEGMENT = 20  # words
RATES = (0.0005, 0.002, 0.005)
DECAY = 0.02
_STATISTICS = 200  # segments from which the mean squares of gradients are taken
_TUNED_ON = 4000  # words on which the rate is chosen
_LEAST = 2e-5  # added to root mean squares


class Dynamic:
    """Mean squares of gradients, and the rate that did best, both found on the text to choose by."""

    def __init__(self, network: nn.Module, end: int, device: torch.device, choosing: Encoded) -> None:
        self.network, self.end, self.device = network, end, device
        squares = [torch.zeros_like(parameter) for parameter in network.parameters()]
        some = Encoded(choosing.ids[: SEGMENT * _STATISTICS], choosing.starts, choosing.counted)
        count = 0
        for model, _ in self._read(deepcopy(network).train(), some):
            for square, parameter in zip(squares, model.parameters(), strict=True):
                square += parameter.grad.square()
            count += 1
        self.scale = [1 / ((square / max(1, count)).sqrt() + _LEAST) for square in squares]
        typical = torch.cat([square.flatten() for square in squares]).div(max(1, count)).sqrt().mean()
        self.pull = [(square / max(1, count)).sqrt().div(typical.clamp_min(1e-20)) for square in squares]
        tune = Encoded(choosing.ids[:_TUNED_ON], choosing.starts, choosing.counted)
        losses = [-float(self.score(tune, rate, quiet=True).sum(dtype=np.float64)) for rate in RATES]
        self.rate = RATES[int(np.argmin(losses))]

    def score(self, encoded: Encoded, rate: float = 0.0, quiet: bool = False) -> np.ndarray:
        """(N,) float32 log p of each token, by weights that have learnt from those before it."""
        rate = rate or self.rate
        model = deepcopy(self.network).train()
        trained = [parameter.detach().clone() for parameter in model.parameters()]
        found = []
        with progress("dynamic evaluation", -(-len(encoded.ids) // SEGMENT)) as bar:
            for now, scores in self._read(model, encoded):
                found.append(scores)
                with torch.no_grad():
                    for parameter, first, scale, pull in zip(
                        now.parameters(), trained, self.scale, self.pull, strict=True
                    ):
                        back = (first - parameter) * (DECAY * pull).clamp_max(1.0)
                        parameter += back - rate * parameter.grad * scale
                if not quiet:
                    bar.step()
        return np.concatenate(found)

    def _read(self, model: nn.Module, encoded: Encoded) -> Iterator[tuple[nn.Module, np.ndarray]]:
        """Segment by segment: the model with gradients of the segment's mean loss, and (n,) log p of its words."""
        starts = set(encoded.starts.tolist())
        edges = sorted({*range(0, len(encoded.ids), SEGMENT), *(at for at in starts if at < len(encoded.ids))})
        edges.append(len(encoded.ids))
        state, last = model.start(1), self.end
        for start, end in zip(edges, edges[1:], strict=False):
            if start in starts:
                state, last = model.start(1), self.end
            targets = torch.from_numpy(encoded.ids[start:end].astype(np.int64)).to(self.device)
            words = torch.cat([targets.new_tensor([last]), targets[:-1]])[:, None]  # (n,) -> (n, 1)
            model.zero_grad()
            features, state = model.read(words, state)
            scores = model.output.score(features[:, 0], targets)
            (-scores.mean()).backward()
            state, last = tuple(one.detach() for one in state), int(targets[-1])
            for parameter in model.parameters():
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
            yield model, scores.detach().float().cpu().numpy()
