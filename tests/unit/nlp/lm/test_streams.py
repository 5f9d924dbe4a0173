"""Every word of a stream is a target once an epoch, in order, whatever the chunks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from percept.core.errors import UsageError
from percept.nlp.lm.streams import Streams
from percept.nlp.lm.vocabulary import Counted, Encoded

END = 9


def encoded(count: int, starts: tuple[int, ...] = (0,)) -> Encoded:
    return Encoded(np.arange(count, dtype=np.int32), np.array(starts), Counted())


@pytest.mark.parametrize("vary", [True, False])
def test_chunks_put_together_are_the_text(vary: bool) -> None:
    streams = Streams(encoded(1003), END, 4, 20, 0, vary)
    chunks = [*streams.epoch(3)]
    assert len(chunks) == streams.chunks
    targets = torch.cat([chunk.targets for chunk in chunks]).T.flatten()
    assert targets.tolist() == list(range(1000)), "the last three fill no stream"
    words = torch.cat([chunk.words for chunk in chunks]).T.flatten()
    assert words.tolist() == [END, *range(999)]
    assert [chunk.at for chunk in chunks][0] == 0 and streams.mean * streams.chunks == pytest.approx(1000)


def test_lengths_are_those_of_seed_and_epoch() -> None:
    streams = Streams(encoded(20_000), END, 2, 70, 1)
    lengths = np.diff(streams.edges(0))
    assert 60 < lengths.mean() < 75 and lengths.std() > 3
    assert (streams.edges(0) == Streams(encoded(20_000), END, 2, 70, 1).edges(0)).all()
    assert (streams.edges(0) != streams.edges(1)).any()
    half = np.concatenate([np.diff(streams.edges(epoch)) for epoch in range(20)])
    assert 0.02 < (half < 50).mean() < 0.09, "one of twenty is half as long"


def test_an_epoch_is_gone_on_with_in_its_middle() -> None:
    streams = Streams(encoded(500), END, 2, 10, 0)
    whole, rest = [*streams.epoch(1)], [*streams.epoch(1, 7)]
    assert [chunk.at for chunk in whole[7:]] == [chunk.at for chunk in rest]
    assert all(torch.equal(a.words, b.words) for a, b in zip(whole[7:], rest, strict=True))


def test_documents_begin_after_an_end() -> None:
    streams = Streams(encoded(40, (0, 13, 30)), END, 2, 100, 0, vary=False)
    (chunk,) = streams.epoch(0)
    assert torch.nonzero(chunk.fresh.T.flatten()).flatten().tolist() == [0, 13, 20, 30]
    assert chunk.words.T.flatten()[[13, 30]].tolist() == [END, END]
    assert int(chunk.words[0, 1]) == 19, "a stream that begins within a document knows the word before"


def test_too_short_a_text_is_said() -> None:
    with pytest.raises(UsageError, match="lower --batch"):
        Streams(encoded(30), END, 20, 10, 0)
