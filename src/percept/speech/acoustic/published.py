"""Figures of others to set beside one's own in ``percept eval acoustic`` and ``align``. ``percept eval`` measured none.

A figure compares only with a score on the same recordings, so each row has the split and the count that it is on, and
a score on others, or on a part of them, is told so. What is said "from the abstract" or "from its README" was looked up
there; what is said "as cited" was not opened again when these rows were written: look there before quoting one. Systems
measured on sets that are not read here (Cantonese, Switchboard) stand in the docs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Protocol:
    """What a row is on: the set as ``Corpus.set``, the split, how many utterances, and that in words."""

    set: str
    split: str
    count: int
    data: str


@dataclass(frozen=True)
class Published:
    """One system's figures under percept's metric names: percent, or milliseconds for boundaries."""

    system: str
    protocol: Protocol
    figures: dict[str, float]
    source: str


_CORE = Protocol("timit", "core-test", 192, "TIMIT's core test set (192 sentences)")
_TEST = Protocol("timit", "test-with-sa", 1680, "TIMIT's 1,680 test sentences")
_SOME = Protocol("timit", "all", 100, "100 sentences of TIMIT's sample")
_WHOLE = Protocol("timit", "all", 6300, "the whole of TIMIT (6,300 sentences)")
_CLEAN = Protocol("librispeech", "test-clean", 2620, "LibriSpeech's whole test-clean (2,620 utterances)")
_OTHER = Protocol("librispeech", "test-other", 2939, "LibriSpeech's whole test-other (2,939 utterances)")
_ARABIC = Protocol("arabic-speech-commands", "test", 2400, "the 2,400 test recordings of Arabic Speech Commands")
_COMMANDS = Protocol("speech-commands", "test", 11005, "Speech Commands v0.02's 11,005 test recordings of 35 words")

_GRAVES = "Graves et al. 2013, arXiv 1303.5778, from the abstract"
_ABDEL = "Abdel-Hamid et al. 2014, IEEE/ACM TASLP 22(10), as cited"
_KALDI_TIMIT = "kaldi egs/timit/s5/RESULTS: bigram of phones"
_KALDI_LIBRI = "kaldi egs/librispeech/s5/RESULTS: 4-gram of the books (fglarge)"
_MFA = "mfa-models docs, english_alignments.md: mean of start and end distance over matched phones or words"
_SPHINX = "pocketsphinx 5.1.1 with its own model, by these metrics; the 9 sentences on which it failed are left out"
_ARASPOT = "AraSpot, arXiv 2303.16621, from its README: with synthetic data"
_KWT = "Berg et al. 2021, arXiv 2104.00769, from the abstract"

PUBLISHED = (
    Published("Kaldi, monophones", _TEST, {"per": 28.94}, _KALDI_TIMIT),
    Published("Kaldi, triphones", _TEST, {"per": 22.60}, _KALDI_TIMIT),
    Published("Kaldi, speaker-adapted", _TEST, {"per": 18.27}, _KALDI_TIMIT),
    Published("Kaldi, SGMM2", _TEST, {"per": 16.17}, _KALDI_TIMIT),
    Published("Kaldi, combined", _TEST, {"per": 16.11}, _KALDI_TIMIT),
    Published("DBN", _CORE, {"per": 20.7}, _ABDEL),
    Published("CNN (about)", _CORE, {"per": 20.0}, _ABDEL),
    Published("LSTM, transducer", _CORE, {"per": 17.7}, _GRAVES),
    Published("MFA 1.0", _WHOLE, {"phone_boundary_ms": 17.8}, _MFA),
    Published("MFA english_mfa 2.0a", _WHOLE, {"phone_boundary_ms": 17.6}, _MFA),
    Published("MFA english_us_arpa 2.0a", _WHOLE, {"phone_boundary_ms": 17.0}, _MFA),
    Published("MFA english_us_arpa 1.0", _WHOLE, {"word_boundary_ms": 25.2}, _MFA),
    Published("MFA 3.0", _WHOLE, {"word_boundary_ms": 21.0}, _MFA),
    Published("wav2vec2 (MMS_FA)", _WHOLE, {"word_boundary_ms": 37.0}, _MFA),
    Published("WhisperX", _WHOLE, {"word_boundary_ms": 46.2}, _MFA),
    Published("NeMo", _WHOLE, {"word_boundary_ms": 77.1}, _MFA),
    Published(
        "pocketsphinx", _SOME, {"phone_mean_ms": 18.3, "within20": 70, "word_start_ms": 25.3, "failures": 9}, _SPHINX
    ),
    Published("Kaldi GMM, 100 h", _CLEAN, {"wer": 9.10}, _KALDI_LIBRI),
    Published("Kaldi DNN, 100 h", _CLEAN, {"wer": 6.59}, _KALDI_LIBRI),
    Published("Kaldi DNN, 960 h", _CLEAN, {"wer": 5.49}, _KALDI_LIBRI),
    Published("Kaldi GMM, 100 h", _OTHER, {"wer": 30.33}, _KALDI_LIBRI),
    Published("Kaldi DNN, 100 h", _OTHER, {"wer": 22.47}, _KALDI_LIBRI),
    Published("Kaldi DNN, 960 h", _OTHER, {"wer": 13.97}, _KALDI_LIBRI),
    Published("AraSpot ConformerGRU", _ARABIC, {"accuracy": 99.59}, _ARASPOT),
    Published("Keyword Transformer", _COMMANDS, {"accuracy": 97.7}, _KWT),
)


def published(set_name: str, split: str, count: int, metrics: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The rows to set beside a score on so many utterances of a split; none for other sets.

    Each row says its own ``data``, with the number of utterances, and whether a score on ``count`` utterances of
    ``split`` is ``comparable``. What has to be said where it is not: :func:`caution`.

    Args:
        metrics: only rows with one of these figures; all where none is given.

    >>> [row["figures"] for row in published("arabic-speech-commands", "test", 2400)]
    [{'accuracy': 99.59}]
    """
    return [
        {
            "system": row.system,
            "data": row.protocol.data,
            "figures": dict(row.figures),
            "source": row.source,
            "comparable": _same(row.protocol, split, count),
        }
        for row in _rows(set_name, split)
        if not metrics or set(metrics) & set(row.figures)
    ]


def caution(set_name: str, split: str, count: int, metrics: tuple[str, ...] = ()) -> str:
    """One line on what must be known of a score on these utterances, mostly why it does not compare with the published
    ones; empty if it may. metrics: as for :func:`published`.

    >>> caution("arabic-speech-commands", "test", 1200)[:38]
    '1,200 utterances are scored here; publ'
    >>> caution("librispeech", "test-other", 2939)
    ''
    """
    rows = (row for row in _rows(set_name, split) if not metrics or set(metrics) & set(row.figures))
    protocols = list(dict.fromkeys(row.protocol for row in rows))
    if set_name == "speechocean762":
        return "speechocean762's phones are canonical, not what was said: their error has a floor well above 0"
    if not protocols or any(_same(protocol, split, count) for protocol in protocols):
        return ""
    scored = "1 utterance is" if count == 1 else f"{count:,} utterances are"
    where = " or on ".join(protocol.data for protocol in protocols)
    return f"{scored} scored here; published figures are on {where} and do not compare"


def _rows(set_name: str, split: str) -> list[Published]:
    """A set's rows: those of its split, where rows of that split are there."""
    rows = [row for row in PUBLISHED if row.protocol.set == set_name]
    of_split = [row for row in rows if row.protocol.split == split]
    return of_split if set_name == "librispeech" and of_split else rows


def _same(protocol: Protocol, split: str, count: int) -> bool:
    return protocol.split == split and protocol.count == count
