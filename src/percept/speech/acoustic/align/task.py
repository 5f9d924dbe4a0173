"""Align's verbs. Training and export are acoustic's, for the networks and the weights are the same."""

from __future__ import annotations

from pathlib import Path

from percept.core import datasets
from percept.core.evaluation import Report
from percept.speech.acoustic.align import measuring
from percept.speech.acoustic.align.aligner import load
from percept.speech.acoustic.align.options import DATASETS, Evaluate
from percept.speech.acoustic.task import check, export, trainer

__all__ = ["check", "evaluate", "export", "load", "trainer"]


def evaluate(options: Evaluate) -> Report:
    """Errors of boundaries against labels with times, and how many wrong transcripts are noticed."""
    folder = datasets.find(options.data, datasets.rows({"align": DATASETS}), "align")[0]
    return measuring.measure(options, folder, Path(options.data).name or options.data)
