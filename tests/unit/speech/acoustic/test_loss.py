"""Both losses, against sums over all there is."""

from __future__ import annotations

import itertools

import pytest
import torch

from percept.speech.acoustic.loss import UNKNOWN, ctc_loss, frame_loss, right


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_unknown_frames_count_nothing() -> None:
    scores, targets = drawn(2, 3, 4), torch.tensor([[0, UNKNOWN, 3], [UNKNOWN, UNKNOWN, 1]])
    chances = scores.log_softmax(-1)
    assert float(frame_loss(scores, targets)) == pytest.approx(
        -float(chances[0, 0, 0] + chances[0, 2, 3] + chances[1, 2, 1])
    )


def test_a_frame_is_right_whatever_the_state_of_its_phone() -> None:
    scores = torch.zeros(1, 3, 6)
    scores[0, 0, 4], scores[0, 1, 1], scores[0, 2, 2] = 1, 1, 1  # phones 2, 0, 1 of two states each
    good, known = right(scores, torch.tensor([[5, 2, UNKNOWN]]), 2)
    assert int(good) == 1 and int(known) == 2


def test_ctc_is_the_sum_over_all_paths() -> None:
    scores = drawn(2, 4, 3)
    tokens = [torch.tensor([1, 2]), torch.tensor([2, 2])]
    lengths = torch.tensor([4, 3])
    expected = 0.0
    for number, (text, length) in enumerate(zip(tokens, lengths.tolist(), strict=True)):
        chances = scores[number, :length].softmax(-1)
        total = 0.0
        for path in itertools.product(range(3), repeat=length):
            said = [token for token, _ in itertools.groupby(path) if token]
            if said == text.tolist():
                total += float(torch.stack([chances[at, token] for at, token in enumerate(path)]).prod())
        expected -= torch.tensor(total).log().item()
    assert float(ctc_loss(scores, lengths, tokens)) == pytest.approx(expected, rel=1e-4)


def test_recordings_without_text_or_too_short_for_it_count_nothing() -> None:
    scores = drawn(3, 4, 3).requires_grad_()
    tokens = [torch.tensor([1]), torch.tensor([], dtype=torch.long), torch.tensor([1, 1, 1])]
    alone = ctc_loss(scores[:1], torch.tensor([4]), tokens[:1])
    together = ctc_loss(scores, torch.tensor([4, 4, 4]), tokens)
    assert together.item() == pytest.approx(alone.item())
    together.backward()
    assert scores.grad[0].abs().sum() > 0 and not scores.grad[1:].any()
    assert ctc_loss(scores, torch.tensor([4, 4, 4]), [tokens[1]] * 3).item() == 0
