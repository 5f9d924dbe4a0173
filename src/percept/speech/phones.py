"""The phones that models and dictionaries speak: CMU's 39, and what other alphabets call them.

- The model's alphabet (``PHONES``) is CMUdict's, without stress: 39 phones, "ao" and "zh" among them, no flap.
- ``fold`` takes any ARPAbet label into it: TIMIT's 61 (Garofolo et al. 1993), CMU's, Kaldi's and MFA's spellings.
- ``fold48`` and ``fold39`` are the two steps of Lee and Hon (1989, table 2), in which papers count errors: 48 classes
  to train, 39 to score, of which silence is one; ao is aa, zh is sh. There the flap "dx" is a class of its own, though
  dictionaries, and so this model, have none: a recogniser of CMU's alphabet is wrong at each, which is 1.2 % of the
  phones of TIMIT's sample.
- IPA both ways is in :mod:`percept.speech.ipa`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

from percept.core.errors import InputError, nearest
from percept.speech.ipa import SYMBOLS, from_ipa
from percept.speech.segments import Segment

SILENCE = "sil"
PHONES = tuple(SYMBOLS)  # aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th ...
# TIMIT's labels that are not CMU's: 61 -> (48, 39, the model's phone). "q" is deleted from all three.
_TIMIT = {
    "ao": ("ao", "aa", "ao"),
    "ax": ("ax", "ah", "ah"),
    "ax-h": ("ax", "ah", "ah"),
    "axr": ("er", "er", "er"),
    "bcl": ("vcl", "sil", "sil"),
    "dcl": ("vcl", "sil", "sil"),
    "gcl": ("vcl", "sil", "sil"),
    "kcl": ("cl", "sil", "sil"),
    "pcl": ("cl", "sil", "sil"),
    "tcl": ("cl", "sil", "sil"),
    "dx": ("dx", "dx", "t"),  # of five flaps in TIMIT's sample, dictionaries have a t in four
    "el": ("el", "l", "l"),
    "em": ("m", "m", "m"),
    "en": ("en", "n", "n"),
    "eng": ("ng", "ng", "ng"),
    "epi": ("epi", "sil", "sil"),
    "h#": ("sil", "sil", "sil"),
    "pau": ("sil", "sil", "sil"),
    "hv": ("hh", "hh", "hh"),
    "ix": ("ix", "ih", "ih"),
    "nx": ("n", "n", "n"),
    "ux": ("uw", "uw", "uw"),
    "zh": ("zh", "sh", "zh"),
}
# The classes of 48 themselves are labels too, and so is what programs write where nobody speaks.
_OTHERS = {"cl": ("cl", "sil", "sil"), "vcl": ("vcl", "sil", "sil")}
_SILENCES = {"", "sil", "sp", "ssil", "_", "#", "<eps>", "<p:>", "<sil>", "<s>", "</s>", "[sil]", "{sl}", "#h"}
_FOLDS = (
    {phone: (phone, phone, phone) for phone in PHONES}
    | _TIMIT
    | _OTHERS
    | dict.fromkeys(_SILENCES, ("sil", "sil", SILENCE))
)
_MARKS = re.compile(r"(?<=[a-z])[0-9]?(_[bies])?$")  # stress, then the place in the word
_STOPS = {f"{stop}cl": stop for stop in "bdgptk"}  # closure -> the stop that it is
_RELEASES = {"d": ("d", "jh"), "t": ("t", "ch", "dx")}  # where they are not the stop alone: what may end a closure


def fold(label: str) -> str | None:
    """The model's phone of a label of TIMIT, CMU, Kaldi or MFA, SILENCE, or None where it is neither.

    Case, stress digits and Kaldi's _B, _I, _E, _S do not count. A closure by itself is silence (see :func:`merged`),
    TIMIT's glottal stop "q" is None, and so are noises ("spn", "+NSN+").

    >>> fold("AH0_B"), fold("ix"), fold("tcl"), fold("q")
    ('ah', 'ih', 'sil', None)
    """
    return _folded(label, 2)


def fold48(label: str) -> str | None:
    """The class of Lee and Hon's 48 that a label belongs to; None where it is none of them.

    >>> fold48("ax-h"), fold48("kcl"), fold48("zh")
    ('ax', 'cl', 'zh')
    """
    return _folded(label, 0)


def fold39(label: str) -> str | None:
    """The class of Lee and Hon's 39 that a label belongs to: ao is aa, zh is sh, dx is itself; None for none.

    >>> fold39("AO1"), fold39("zh"), fold39("dx"), fold39("kcl")
    ('aa', 'sh', 'dx', 'sil')
    """
    return _folded(label, 1)


def scored(phones: Iterable[str]) -> list[str]:
    """Labels as errors are counted: folded to the 39 classes, without silence and what is no phone.

    >>> scored(["h#", "sh", "ao", "dcl", "d", "q"])
    ['sh', 'aa', 'd']
    """
    return [folded for folded in map(fold39, phones) if folded not in (None, SILENCE)]


def ipa(phone: str) -> str:
    """The IPA symbol of a phone of the model's alphabet, General American; "" of silence.

    Raises:
        InputError: no such phone.

    >>> ipa("jh"), ipa("ow"), ipa("sil")
    ('dʒ', 'oʊ', '')
    """
    if phone == SILENCE:
        return ""
    if phone not in SYMBOLS:
        raise InputError(f'unknown phone "{phone[:20]}"{nearest(phone, PHONES)}')
    return SYMBOLS[phone]


def merged(segments: Sequence[Segment]) -> list[Segment]:
    """Hand labels as the model's phones and silence: each closure joined with its release, silences with each other.

    TIMIT writes a stop as two segments, its closure ("tcl") and its release ("t"), an affricate as "tcl ch"; an aligner
    with a dictionary's phones has one. A closure that nothing releases is its stop; what is no phone leaves a gap.

    >>> merged([Segment("tcl", 0.0, 0.05), Segment("t", 0.05, 0.07), Segment("ix", 0.07, 0.1)])
    [Segment(label='t', start=0.0, end=0.07), Segment(label='ih', start=0.07, end=0.1)]
    """
    made: list[Segment] = []
    closed = ""  # the stop whose closure stands last in `made`
    for one in segments:
        label = one.label.strip().lower()
        stop = _STOPS.get(label, "")
        phone = stop or fold(label)
        if closed and not stop and label in _RELEASES.get(closed, (closed,)):
            made[-1] = Segment(phone or closed, made[-1].start, one.end)
        elif phone == SILENCE and made and made[-1].label == SILENCE and made[-1].end >= one.start:
            made[-1] = Segment(SILENCE, made[-1].start, one.end)
        elif phone is not None:
            made.append(Segment(phone, one.start, one.end))
        closed = stop
    return made


@functools.lru_cache(maxsize=4096)
def _folded(label: str, column: int) -> str | None:
    plain = label.strip().lower()
    if plain not in _FOLDS:
        plain = _MARKS.sub("", plain)
    found = _FOLDS.get(plain)
    return found[column] if found else None


__all__ = [
    "PHONES",
    "SILENCE",
    "fold",
    "fold39",
    "fold48",
    "from_ipa",
    "ipa",
    "merged",
    "scored",
]
