"""Published perplexities, never measured here."""

from __future__ import annotations

from typing import Any

_ROWS = {
    "ptb": (
        ("5-gram, modified Kneser-Ney", {"perplexity": 141.2}, "Mikolov & Zweig 2012, table 1"),
        ("5-gram and cache", {"perplexity": 125.7}, "Mikolov & Zweig 2012, table 1"),
        ("recurrent network", {"perplexity": 124.7}, "Mikolov & Zweig 2012, table 1"),
        ("LSTM, medium", {"perplexity": 82.7}, "Zaremba et al. 2014, table 1"),
        ("LSTM, large", {"perplexity": 78.4}, "Zaremba et al. 2014, table 1"),
        ("LSTM", {"perplexity": 82.3}, "Grave et al. 2017, table 1"),
        ("LSTM and neural cache (adaptive)", {"perplexity": 72.1}, "Grave et al. 2017, table 1"),
        ("AWD-LSTM", {"perplexity": 57.3}, "Merity et al. 2017, table 1"),
        ("AWD-LSTM and cache (adaptive)", {"perplexity": 52.8}, "Merity et al. 2017, table 1"),
        ("AWD-LSTM, dynamic evaluation (adaptive)", {"perplexity": 51.1}, "Krause et al. 2018"),
    ),
    "wikitext": (
        ("LSTM", {"perplexity": 99.3}, "Grave et al. 2017, table 2"),
        ("LSTM and neural cache (adaptive)", {"perplexity": 68.9}, "Grave et al. 2017, table 2"),
        ("pointer sentinel LSTM", {"perplexity": 80.8}, "Merity et al. 2016"),
        ("AWD-LSTM", {"perplexity": 65.8}, "Merity et al. 2017, table 2"),
        ("AWD-LSTM and cache (adaptive)", {"perplexity": 52.0}, "Merity et al. 2017, table 2"),
        ("AWD-LSTM, dynamic evaluation (adaptive)", {"perplexity": 44.3}, "Krause et al. 2018"),
    ),
    "brown": (
        ("NPLM, n 5, h 50, m 60, direct", {"perplexity": 268.0}, "Bengio et al. 2003, table 1"),
        ("the same, mixed with a trigram", {"perplexity": 257.0}, "Bengio et al. 2003, table 1"),
        ("NPLM, h 100, m 30, mixed", {"perplexity": 252.0}, "Bengio et al. 2003, table 1"),
        ("Kneser-Ney back-off, n 5", {"perplexity": 321.0}, "Bengio et al. 2003, table 1"),
        ("class-based, the best n-gram", {"perplexity": 312.0}, "Bengio et al. 2003, table 1"),
    ),
}
_DATA = {"ptb": "Penn Treebank, test", "wikitext": "WikiText-2, test", "brown": "Brown, the paper's own tokens, test"}


def rows(layout: str, split: str, tokens: int) -> list[dict[str, Any]]:
    """The rows that a person may compare with: of the same data and split."""
    if split != "test" or (layout == "wikitext" and tokens > 300_000):  # WikiText-103 has another vocabulary
        return []
    return [
        {"system": system, "data": _DATA[layout], "figures": figures, "source": source}
        for system, figures, source in _ROWS.get(layout, ())
    ]
