"""The AWD-LSTM (Merity, Keskar and Socher 2017): dropped recurrent weights, masks that stay for a sequence.

Weight drop (section 2): elements of the recurrent matrices are dropped once for a whole sequence, so that the fast
kernels of an ordinary LSTM can be used. Variational dropout (section 4.2; Gal and Ghahramani 2016): one mask for all
steps of a sequence.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from percept.nlp.lm.recurrent import Layer, State


class AwdLstm(nn.Module):
    """(T, B, inputs) -> (T, B, width): layers of ``hidden`` units, the last of ``width``.

    Args:
        drops: shares dropped of the words' vectors, between layers, and at the end. weight_drop: of recurrent weights.
    """

    def __init__(
        self, inputs: int, hidden: int, width: int, layers: int, drops: tuple[float, float, float], weight_drop: float
    ) -> None:
        super().__init__()
        sizes = [inputs, *[hidden] * (layers - 1), width]
        self.layers = nn.ModuleList(Layer("lstm", a, b) for a, b in zip(sizes, sizes[1:], strict=False))
        self.drops, self.weight_drop, self.width = drops, weight_drop, width

    def start(self, batch: int, like: Tensor) -> State:
        """The state before anything is read."""
        return tuple(zeros for layer in self.layers for zeros in layer.start(batch, like))

    def forward(self, words: Tensor, state: State) -> tuple[Tensor, State]:
        into, between, _ = self.drops
        found, after = locked_dropout(words, into, self.training), []
        for number, layer in enumerate(self.layers):
            if number:
                found = locked_dropout(found, between, self.training)
            recurrent = F.dropout(layer.weight_hh, self.weight_drop, self.training)
            found, new = layer(found, state[2 * number : 2 * number + 2], recurrent)
            after += new
        return found, tuple(after)

    def drop(self, found: Tensor) -> Tensor:
        """(T, B, D) as the output layer sees it in training."""
        return locked_dropout(found, self.drops[2], self.training)


def locked_dropout(found: Tensor, share: float, training: bool) -> Tensor:
    """Dropout of (T, B, D) with one mask for all T."""
    if not training or not share:
        return found
    return found * F.dropout(found.new_ones(1, *found.shape[1:]), share)
