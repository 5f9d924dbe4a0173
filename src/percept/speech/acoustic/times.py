"""What time labels say: phones, the phone of each frame, and labels that cannot be right.

TIMIT writes a stop as two segments, its closure ("tcl") and its release ("t"). Strings of phones are scored with
closures folded to silence, as in the literature (Lee & Hon 1989); where times count, a closure belongs to its stop
(``percept.speech.phones.merged``), as in dictionaries, in other sets and in this task's models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from percept.core.errors import InputError
from percept.speech.acoustic.utterances import Notes
from percept.speech.phones import PHONES, SILENCE, fold, from_ipa, merged
from percept.speech.segments import Segment, read_text

Labels = TypeVar("Labels")
HOP = 0.01  # seconds: frame t covers t * HOP to (t + 1) * HOP
CLASSES = (SILENCE, *PHONES)
NO_CLASS = -1
# Labels for what is no phone, though somebody speaks or something sounds there: no class, and no mistake either.
NO_PHONES = {"q", "spn", "nsn", "lau", "oov", "unk", "noise", "+spn+", "+nsn+", "<unk>", "<spn>", "<nsn>"}
NO_WORDS = {"", "sil", "sp", "spn", "h#", "_", "#", "<eps>", "<sil>", "[sil]", "<p:>", "{sl}", "<unk>"}


def phones_of(segments: Iterable[Segment]) -> tuple[str, ...]:
    """The phones of the model's alphabet that labels tell, without silence; closures count as silence."""
    folded = (fold(one.label) for one in segments)
    return tuple(phone for phone in folded if phone not in (None, SILENCE))


def frame_labels(segments: Sequence[Segment], frames: int) -> np.ndarray:
    """(T,) int64 place in CLASSES of the segment in which each frame's centre lies; NO_CLASS where none does.

    ``segments``: a set's own labels; where they overlap, the one that begins last counts.
    """
    known = sorted(merged(segments), key=lambda one: one.start)
    if not known:
        return np.full(frames, NO_CLASS, np.int64)
    place, inside, _ = places(known, (np.arange(frames) + 0.5) * HOP)
    classes = np.array([CLASSES.index(one.label) for one in known], np.int64)  # (S,)
    return np.where(inside, classes[place], NO_CLASS)


def places(segments: Sequence[Segment], moments: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each of the ``moments`` (T,) in seconds: number of the segment that has begun last, (T,) int64; whether it is
    still there, (T,) bool; and the share of it that is over, (T,). Segments in order of their starts, at least one."""
    starts, ends = np.array([(one.start, one.end) for one in segments]).T  # (S, 2) -> (S,) each
    place = np.searchsorted(starts, moments, side="right") - 1  # (T,)
    share = (moments - starts[place]) / np.maximum(ends[place] - starts[place], 1e-6)
    return place, (place >= 0) & (moments < ends[place]), share


def read_times(reader: Callable[[Path], Labels], path: Path, notes: Notes) -> Labels | None:
    """What a reader of label files finds; None, and a fault that names the line, where it cannot be read."""
    try:
        return reader(path)
    except InputError as error:
        notes.add("label files", path, str(error), fault=True)
    return None


def checked_phones(segments: list[Segment] | None, path: Path, notes: Notes) -> tuple[Segment, ...]:
    """Time labels of phones as they are; () and a fault where one is unknown, or times run backwards."""
    for one in segments or ():
        if not known(one.label):
            notes.add("unknown phones", path, f'unknown phone "{one.label}"', line=line_of(path, one.label), fault=True)
            return ()
    return _in_order(segments or [], path, notes, overlap=0.0)


def checked_words(segments: Iterable[Segment], path: Path, notes: Notes) -> tuple[Segment, ...]:
    """Words with times, lower case and without silences; () and a fault where times run backwards.

    Words that share a phone may overlap, as TIMIT's do.
    """
    spoken = [Segment(one.label.strip().lower(), one.start, one.end) for one in segments]
    spoken = [one for one in spoken if one.label and one.label not in NO_WORDS]
    return _in_order(spoken, path, notes, overlap=1.0)


def from_ipa_times(segments: list[Segment] | None, path: Path, notes: Notes) -> tuple[Segment, ...]:
    """Segments with IPA labels as segments with the nearest phones of the model's alphabet; "" is silence."""
    made = []
    for one in segments or ():
        phone = SILENCE if one.label.strip().lower() in NO_WORDS else from_ipa(one.label)
        if phone is None:
            notes.add("unknown phones", path, f'unknown phone "{one.label}"', line=line_of(path, one.label), fault=True)
            return ()
        made.append(Segment(phone, one.start, one.end))
    return _in_order(made, path, notes, overlap=0.0)


def known(label: str) -> bool:
    """Whether a label is a phone, silence, or one of those that are known to be neither."""
    return fold(label) is not None or label.strip().lower() in NO_PHONES


def line_of(path: Path, label: str) -> int:
    """The line of a label file in which a label is met first; 0 where it cannot be told."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if label in line.replace('"', " ").split():
            return number
    return 0


def _in_order(segments: list[Segment], path: Path, notes: Notes, overlap: float) -> tuple[Segment, ...]:
    """The segments; () and a fault where one ends before it begins, or begins before the one before it ends (more
    than ``overlap`` seconds earlier) or begins."""
    before = Segment("", 0.0, 0.0)
    for one in segments:
        backwards = one.end < one.start or one.start < before.start or one.start < before.end - overlap - HOP
        if backwards:
            what = f'times run backwards: "{one.label}" at {one.start:.3f} to {one.end:.3f} s'
            after = f' after "{before.label}" at {before.start:.3f} to {before.end:.3f} s' if before.label else ""
            notes.add("times", path, what + after, line=line_of(path, one.label), fault=True)
            return ()
        before = one
    return tuple(segments)
