"""The pixels of a superpixel vote on its class (Farabet et al. 2013, section 4.1), in one of three ways.

Each vote gives probabilities again, so that what follows (steadying a video, enlarging, drawing) does not care whether
there was one; labels are their argmax, in which the first of equal classes wins.
"""

from __future__ import annotations

import numpy as np

from percept.core.errors import UsageError, nearest
from percept.core.kernels import kernel

KINDS = ("majority", "soft", "gated")


def vote(probabilities: np.ndarray, segments: np.ndarray, kind: str, gate: float = 0.0) -> np.ndarray:
    """The probabilities after the vote, float32 (K, H, W); they sum to 1 over K as the old ones did.

    soft: every pixel gets its segment's mean distribution, so its label is the argmax of that, as in the paper.
    gated: so do pixels whose largest probability lies below `gate`; the others keep their own distribution.
    majority: every pixel gets the shares of its segment's pixels by label; of labels that tie for the largest share the
    one with the highest mean probability wins, by the smallest amount that float32 can tell.

    Args:
        probabilities: float32 (K, H, W), not below 0, summing to 1 over K. Left as they are.
        segments: int32 (H, W), 0..N-1.
        kind: majority, soft or gated.
        gate: for gated, a probability; 0 means that every pixel is sure enough, above 1 that none is.

    Raises:
        UsageError: a kind that there is not.
        ValueError: the shapes do not fit, there is nothing to vote on, or a segment's number is negative.
    """
    if kind not in KINDS:
        raise UsageError(f'no vote is called "{kind}": {", ".join(KINDS)}{nearest(kind, KINDS)}')
    if probabilities.ndim != 3 or 0 in probabilities.shape or probabilities.shape[1:] != segments.shape:
        raise ValueError(f"probabilities {probabilities.shape} and segments {segments.shape} do not fit")
    if segments.min() < 0:
        raise ValueError("segments are numbered from 0")
    shape, classes = probabilities.shape, len(probabilities)
    # Writable too: numba would compile everything a second time for arrays that are not.
    probabilities = np.require(probabilities, np.float32, "CW").reshape(classes, -1)  # (K, H, W) -> (K, P)
    segments = np.require(segments, np.int32, "CW").ravel()  # (H, W) -> (P,)
    size = np.bincount(segments)
    voted = np.empty_like(probabilities)
    if kind == "majority":
        _majority(probabilities, segments, size, voted)
    else:
        sure = probabilities.max(axis=0) >= np.float32(gate) if kind == "gated" else np.zeros(segments.shape, bool)
        _soft(probabilities, segments, size, sure, voted)
    return voted.reshape(shape)  # (K, P) -> (K, H, W)


@kernel
def _sum(plane, segments, total):
    """The sums of plane (P,) by segment, into float64 `total`. Along a row they wait in a register, not in memory."""
    total[:] = 0
    last, waiting = segments[0], 0.0
    for pixel in range(len(segments)):
        if segments[pixel] != last:
            total[np.uintp(last)] += waiting
            last, waiting = segments[pixel], 0.0
        waiting += plane[pixel]
    total[np.uintp(last)] += waiting


@kernel
def _soft(probabilities, segments, size, sure, voted):
    """The mean distribution of each segment, and its own where a pixel is sure."""
    total, mean = np.empty(len(size), np.float64), np.empty(len(size), np.float32)
    for k in range(len(probabilities)):
        here, there = probabilities[k], voted[k]
        _sum(here, segments, total)
        for segment in range(len(size)):
            mean[segment] = total[segment] / max(size[segment], 1)
        for pixel in range(len(segments)):
            there[pixel] = here[pixel] if sure[pixel] else mean[np.uintp(segments[pixel])]


@kernel
def _labels(probabilities):
    """For each pixel the first class that has the largest probability, int32 (P,)."""
    most, label = probabilities[0].copy(), np.zeros(probabilities.shape[1], np.int32)
    for k in range(1, len(probabilities)):
        here = probabilities[k]
        for pixel in range(len(most)):  # without branches, so that it becomes vectors
            label[pixel] = k if here[pixel] > most[pixel] else label[pixel]
            most[pixel] = max(here[pixel], most[pixel])
    return label


@kernel
def _majority(probabilities, segments, size, voted):
    """The shares of each segment's pixels by label."""
    classes = len(probabilities)
    label = _labels(probabilities)
    pixels, total = np.zeros((len(size), classes), np.int64), np.empty((classes, len(size)), np.float64)
    for pixel in range(len(segments)):
        pixels[np.uintp(segments[pixel]), np.uintp(label[pixel])] += 1
    for k in range(classes):
        _sum(probabilities[k], segments, total[k])
    share = np.empty((classes, len(size)), np.float32)
    for segment in range(len(size)):
        winner, ties = 0, 1
        for k in range(classes):
            share[k, segment] = pixels[segment, k] / max(size[segment], 1)
            if k and pixels[segment, k] >= pixels[segment, winner]:
                tied = pixels[segment, k] == pixels[segment, winner]
                ties = ties + 1 if tied else 1
                if not tied or total[k, segment] > total[winner, segment]:
                    winner = k
        if ties > 1:
            share[winner, segment] = np.nextafter(share[winner, segment], np.float32(2))
    for k in range(classes):
        here, there = share[k], voted[k]
        for pixel in range(len(segments)):
            there[pixel] = here[np.uintp(segments[pixel])]
