"""Scores that can be read as probabilities: 0.5 means that about half of such boxes are right (Platt 1999).

Merging over scales moves scores (sums grow, maxima over many windows are too bold), so two numbers are fitted to merged
scores on photos with known boxes: p = sigmoid(a * logit(score) + b), a > 0, which keeps the order and with it the AP.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

EDGE = 1e-6  # scores are held this far from 0 and 1, where the logit is not finite
STEEPEST, FLATTEST = 20.0, 0.02  # of a: what a perfect, or a worthless, set of scores is held to


class Calibration(NamedTuple):
    """Slope and offset on the logit of a score; the default changes nothing."""

    a: float = 1.0
    b: float = 0.0


def fit(scores: np.ndarray, right: np.ndarray, steps: int = 100) -> Calibration:
    """The a and b under which the answers `right` are most likely, by Newton's method.

    scores: (N,) merged scores in 0..1; right: (N,) bool, the box is a true positive. With few boxes Platt's targets
    (n+ + 1) / (n+ + 2) and 1 / (n- + 2) in place of 1 and 0 keep the fit finite. Without any box: the default.
    """
    x = logit(scores)
    right = np.asarray(right, bool)
    if len(x) == 0:
        return Calibration()
    positives = int(right.sum())
    wanted = np.where(right, (positives + 1) / (positives + 2), 1 / (len(x) - positives + 2))
    inputs = np.stack((x, np.ones_like(x)), axis=1)  # (N, 2)
    parameters = np.array([1.0, 0.0])
    for _ in range(steps):
        p = sigmoid(inputs @ parameters)
        gradient = inputs.T @ (p - wanted)
        curvature = (inputs * (p * (1 - p))[:, None]).T @ inputs + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        step *= min(1.0, 2.0 / float(np.abs(step).max() + 1e-12))  # a long step can leave the region where Newton works
        parameters = parameters - step
        if np.abs(step).max() < 1e-8:
            break
    if FLATTEST <= parameters[0] <= STEEPEST:
        return Calibration(float(parameters[0]), float(parameters[1]))
    a = float(np.clip(parameters[0], FLATTEST, STEEPEST))  # held: only b is fitted
    return Calibration(a, offset(a * x, wanted))


def offset(z: np.ndarray, wanted: np.ndarray) -> float:
    """The b that makes the mean of sigmoid(z + b) the mean of `wanted`, by bisection."""
    low, high = -100.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if sigmoid(z + middle).mean() < wanted.mean() else (low, middle)
    return (low + high) / 2


def apply(scores: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Merged scores (N,) to probabilities (N,) float32, in the same order."""
    return sigmoid(calibration.a * logit(scores) + calibration.b).astype(np.float32)


def logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(np.asarray(p, np.float64), EDGE, 1 - EDGE)
    return np.log(p) - np.log1p(-p)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x, np.float64)))  # tanh: no overflow at either end
