"""Published errors by kind of story, to set beside one's own in ``percept eval qa``. None was measured here."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("published.csv")  # error in percent; a row for each kind; empty: not known
_SUKHBAATAR = "Sukhbaatar et al. 2015, table 1, as copied in a public README"
_MATLAB = "runs of the authors' Matlab code by V. Khuc, README"


@dataclass(frozen=True)
class System:
    """A column of the table. size: of the training files; joint: one network for all kinds; short: in narrow tables."""

    column: str
    system: str
    size: str
    joint: bool
    source: str
    short: str = ""


SYSTEMS = (
    System("ngram_1k", "n-grams", "1k", False, "Weston et al. 2015, as copied in a public README"),
    System("lstm_1k", "LSTM", "1k", False, "Weston et al. 2015, as copied in a public README", "LSTM"),
    System(
        "memnn_2014_strong_1k",
        "MemNN, taught supports",
        "1k",
        False,
        "Weston et al. 2015, as copied in a README",
        "MemNN",
    ),
    System("memn2n_1k_1hop_joint", "MemN2N, 1 hop", "1k", True, _SUKHBAATAR),
    System("memn2n_1k_2hop_joint", "MemN2N, 2 hops", "1k", True, _SUKHBAATAR),
    System("memn2n_1k_3hop_joint", "MemN2N, 3 hops", "1k", True, _SUKHBAATAR, "3 hops"),
    System("memn2n_1k_PE_LS_RN_matlab", "MemN2N, 3 hops PE LS RN", "1k", False, _MATLAB, "single"),
    System("memn2n_1k_PE_LS_RN_joint_matlab", "MemN2N, 3 hops PE LS RN", "1k", True, _MATLAB, "joint"),
    System("memn2n_10k", "MemN2N", "10k", False, "Xiong et al. 2016, as copied in the RMN README", "MemN2N"),
    System("dmn_plus_10k", "DMN+", "10k", False, "Xiong et al. 2016, as copied in the RMN README", "DMN+"),
    System("rn_10k_joint", "Relation network", "10k", True, "Santoro et al. 2017, as copied in the RMN README"),
    System("rmn_10k_joint", "RMN", "10k", True, "Moon et al. 2018, RMN README"),
    System("entnet_10k", "EntNet", "10k", False, "Henaff et al. 2017, README of its code", "EntNet"),
    System("dnc_10k_joint_mean", "DNC, mean of runs", "10k", True, "Franke et al. 2018, ADNC README"),
    System("entnet_10k_joint_mean", "EntNet, mean of runs", "10k", True, "Franke et al. 2018, ADNC README"),
    System("sdnc_10k_joint_mean", "SDNC, mean of runs", "10k", True, "Franke et al. 2018, ADNC README"),
    System("adnc_10k_joint_mean", "ADNC, mean of runs", "10k", True, "Franke et al. 2018, ADNC README", "ADNC"),
)


def table() -> dict[str, dict[int, float]]:
    """Column -> bAbI's number of the kind -> error in percent."""
    found: dict[str, dict[int, float]] = {system.column: {} for system in SYSTEMS}
    with TABLE.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for column, errors in found.items():
                if row[column]:
                    errors[int(row["task"])] = float(row[column])
    return found


def published(numbers: list[int], size: str, joint: bool | None) -> list[dict[str, Any]]:
    """The rows to set beside errors on these kinds: of systems that have them all, trained on as many questions.

    joint: None shows both kinds of training; a system's own comes first in any case.
    """
    errors = table()
    rows = []
    for system in SYSTEMS:
        known = errors[system.column]
        if system.size != size or not numbers or not all(number in known for number in numbers):
            continue
        mean = sum(known[number] for number in numbers) / len(numbers)
        failed = sum(known[number] > 5 for number in numbers)
        rows.append(
            {
                "system": f"{system.system}{', joint' if system.joint else ''}",
                "data": f"bAbI en {system.size}",
                "figures": {"mean_error": round(mean, 2), "failed_tasks": failed},
                "source": system.source,
            }
        )
    return sorted(rows, key=lambda row: joint is not None and row["system"].endswith(", joint") != joint)
