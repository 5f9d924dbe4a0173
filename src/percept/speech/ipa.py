"""IPA in and out: the symbols of English phones, and the English phone that is nearest to any other sound.

Nearness is articulatory. A consonant has a place, a manner, a voice and may hiss; a vowel has a height, a backness, a
rounding and an r-colour where it begins and where it ends, so that diphthongs are vowels too (the features of the IPA
chart, International Phonetic Association 2020). Distances are weighted so that manner counts more than place, as
listeners' confusions do (Miller and Nicely 1955). Where English ears hear something else than the chart tells, a short
table says so (``_HEARD``).
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

# phone of the model's alphabet -> General American
SYMBOLS = {
    "aa": "ɑ",
    "ae": "æ",
    "ah": "ʌ",
    "ao": "ɔ",
    "aw": "aʊ",
    "ay": "aɪ",
    "b": "b",
    "ch": "tʃ",
    "d": "d",
    "dh": "ð",
    "eh": "ɛ",
    "er": "ɝ",
    "ey": "eɪ",
    "f": "f",
    "g": "ɡ",
    "hh": "h",
    "ih": "ɪ",
    "iy": "i",
    "jh": "dʒ",
    "k": "k",
    "l": "l",
    "m": "m",
    "n": "n",
    "ng": "ŋ",
    "ow": "oʊ",
    "oy": "ɔɪ",
    "p": "p",
    "r": "ɹ",
    "s": "s",
    "sh": "ʃ",
    "t": "t",
    "th": "θ",
    "uh": "ʊ",
    "uw": "u",
    "v": "v",
    "w": "w",
    "y": "j",
    "z": "z",
    "zh": "ʒ",
}


class Vowel(NamedTuple):
    """Height 0 (open) to 1 (close), backness 0 to 1, rounding and r-colour 0 or 1."""

    height: float
    back: float
    round: float
    r: float = 0.0


class Consonant(NamedTuple):
    """place 0 (lips) to 11 (glottis), manner (a key of MANNERS), voice and hiss (sibilance) 0 or 1."""

    place: float
    manner: str
    voice: float
    hiss: float = 0.0


MANNERS = {  # (how closed the mouth is, by the nose, by the sides of the tongue, in beats)
    "stop": (1.0, 0.0, 0.0, 0.0),
    "affricate": (0.8, 0.0, 0.0, 0.0),
    "fricative": (0.5, 0.0, 0.0, 0.0),
    "nasal": (0.9, 1.0, 0.0, 0.0),
    "tap": (0.8, 0.0, 0.0, 0.3),
    "trill": (0.5, 0.0, 0.0, 1.0),
    "glide": (0.0, 0.0, 0.0, 0.0),
    "lateral": (0.2, 0.0, 1.0, 0.0),
    "lateral fricative": (0.5, 0.0, 0.7, 0.0),
}
_PLACES = {
    "lips": 0.0,
    "lip and teeth": 1.0,
    "teeth": 2.0,
    "ridge": 3.0,
    "behind the ridge": 4.0,
    "curled": 4.4,
    "towards the palate": 4.6,
    "palate": 6.0,
    "velum": 8.0,
    "uvula": 9.0,
    "throat": 10.0,
    "glottis": 11.0,
}
_CONSONANTS = {  # (place, manner) -> voiceless and voiced, "-" for none
    ("lips", "stop"): "pb",
    ("ridge", "stop"): "td",
    ("curled", "stop"): "ʈɖ",
    ("palate", "stop"): "cɟ",
    ("velum", "stop"): "kɡ",
    ("uvula", "stop"): "qɢ",
    ("throat", "stop"): "ʡ-",
    ("glottis", "stop"): "ʔ-",
    ("lips", "nasal"): "-m",
    ("lip and teeth", "nasal"): "-ɱ",
    ("ridge", "nasal"): "-n",
    ("curled", "nasal"): "-ɳ",
    ("palate", "nasal"): "-ɲ",
    ("velum", "nasal"): "-ŋ",
    ("uvula", "nasal"): "-ɴ",
    ("lips", "trill"): "-ʙ",
    ("ridge", "trill"): "-r",
    ("uvula", "trill"): "-ʀ",
    ("lip and teeth", "tap"): "-ⱱ",
    ("ridge", "tap"): "-ɾ",
    ("curled", "tap"): "-ɽ",
    ("lips", "fricative"): "ɸβ",
    ("lip and teeth", "fricative"): "fv",
    ("teeth", "fricative"): "θð",
    ("ridge", "fricative"): "sz",
    ("behind the ridge", "fricative"): "ʃʒ",
    ("curled", "fricative"): "ʂʐ",
    ("towards the palate", "fricative"): "ɕʑ",
    ("palate", "fricative"): "çʝ",
    ("velum", "fricative"): "xɣ",
    ("uvula", "fricative"): "χʁ",
    ("throat", "fricative"): "ħʕ",
    ("glottis", "fricative"): "hɦ",
    ("lip and teeth", "glide"): "-ʋ",
    ("ridge", "glide"): "-ɹ",
    ("curled", "glide"): "-ɻ",
    ("palate", "glide"): "-j",
    ("velum", "glide"): "-ɰ",
    ("ridge", "lateral fricative"): "ɬɮ",
    ("ridge", "lateral"): "-l",
    ("curled", "lateral"): "-ɭ",
    ("palate", "lateral"): "-ʎ",
    ("velum", "lateral"): "-ʟ",
}
_VOWELS = {  # unrounded and rounded, "-" for none, at (height, backness)
    (1.0, 0.0): "iy",
    (1.0, 0.5): "ɨʉ",
    (1.0, 1.0): "ɯu",
    (0.85, 0.2): "ɪʏ",
    (0.85, 0.8): "-ʊ",
    (0.67, 0.0): "eø",
    (0.67, 0.5): "ɘɵ",
    (0.67, 1.0): "ɤo",
    (0.5, 0.5): "ə-",
    (0.33, 0.0): "ɛœ",
    (0.33, 0.5): "ɜɞ",
    (0.33, 0.8): "ʌ-",  # the American one
    (0.33, 1.0): "-ɔ",
    (0.17, 0.1): "æ-",
    (0.17, 0.5): "ɐ-",
    (0.0, 0.5): "aɶ",  # most languages' "a" is central
    (0.0, 1.0): "ɑɒ",
}
# What English ears make of sounds that the chart would put elsewhere. English "t" is a glottal stop before "n"; most
# languages' r is English "r" whatever the tongue does; front rounded vowels are heard as back ones (Strange, Levy and
# Law 2009); h is a vowel without voice; clicks are stops.
_HEARD = {
    **dict.fromkeys("rʀʁɻɹɺ", "r"),
    **dict.fromkeys("ɚɝɜɞ", "er"),
    **dict.fromkeys("çʜʢ", "hh"),
    **dict.fromkeys("əɘɐ", "ah"),
    **dict.fromkeys("ʏøœɵ", "uh"),
    **dict.fromkeys("ɽɗᶑ", "d"),
    **dict.fromkeys("ʔʡǀǃ", "t"),
    **dict.fromkeys("ʋⱱ", "v"),
    **dict.fromkeys("wʍ", "w"),
    **dict.fromkeys("ʙɓ", "b"),
    **dict.fromkeys("ɣɠʛ", "g"),
    **dict.fromkeys("ɥʝ", "y"),
    "ɨ": "ih",
    "y": "uw",
    "ɲ": "n",
    "ɫ": "l",
    "ɧ": "sh",
    "ʄ": "jh",
    "ʘ": "p",
    "ǂ": "ch",
    "ǁ": "k",
    "əʊ": "ow",
    "ɜʊ": "ow",
    "pf": "f",
    "bv": "v",
}
_SPELT = {"g": "ɡ", "ʦ": "ts", "ʣ": "dz", "ʧ": "tʃ", "ʤ": "dʒ", "ʨ": "tɕ", "ʥ": "dʑ", "ﬁ": "fi", "ʼ": "", "ı": "i"}
_TIES = "\u0361\u035c\u0362"
_DEVOICED, _VOICED, _RAISED, _GLIDING, _SYLLABIC = "\u0325\u030a", "\u032c", "\u031d", "\u032f\u0311", "\u0329\u030d"
_R_COLOUR = "\u02de\u02b4"  # hook of r, superscript turned r
_BREAKS = "ˈˌ'ˌ.‿|‖ˑː:"  # stress, syllables, length
_TOGETHER = {"aɪ", "aʊ", "eɪ", "oʊ", "əʊ", "ɔɪ", "tʃ", "dʒ"}  # one phone of English even without a tie bar


_CEDILLA = ("c\u0327", "ç")  # a letter of its own, which decomposing takes apart
_RHOTICS = "rʀʁɻɹɺɾɽ"


def from_ipa(symbol: str) -> str | None:
    """The phone of the model's alphabet that is nearest to one IPA segment; None where it is no such.

    Length, stress, tone, aspiration and the like do not count; a doubled letter is the sound itself, two vowels are a
    diphthong, a stop with its fricative an affricate.

    >>> from_ipa("tʰ"), from_ipa("r̝"), from_ipa("ai̯"), from_ipa("sː"), from_ipa("?")
    ('t', 'zh', 'ay', 's', None)
    """
    return _nearest_phone(_decomposed(symbol))


def split_ipa(text: str) -> list[str]:
    """The segments of a transcription: each letter with the marks on it, tied letters and English diphthongs together.

    >>> split_ipa("həˈloʊ"), split_ipa("t͡ʃiːz")
    (['h', 'ə', 'l', 'oʊ'], ['t͡ʃ', 'iː', 'z'])
    """
    found: list[str] = []
    joined = False
    for mark in _decomposed(text.strip().strip("/[]")):
        if mark.isspace() or mark in "ˈˌ'.‿|‖":
            joined = False
            found.append("")
        elif found and found[-1] and (joined or _is_mark(mark) or found[-1] + mark in _TOGETHER):
            found[-1] += mark
            joined = mark in _TIES
        else:
            found.append(mark)
            joined = False
    return [unicodedata.normalize("NFC", one) for one in found if one]


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text.strip()).replace(*_CEDILLA)


@functools.lru_cache(maxsize=4096)
def _nearest_phone(symbol: str) -> str | None:
    letters = list(_letters(symbol))
    if not letters or any(letter not in _KNOWN for letter, _ in letters):
        return None
    if _GLIDING[0] in letters[0][1] or _GLIDING[1] in letters[0][1]:  # i̯a: a glide, then a vowel
        letters = letters[1:] or letters
    single = [pair for at, pair in enumerate(letters) if at == 0 or pair[0] != letters[at - 1][0]]  # geminates
    if len(single) == 1:
        return _of_letter(*single[0])
    if (heard := "".join(letter for letter, _ in single)) in _HEARD:
        return _HEARD[heard]
    features = [_featured(letter, marks) for letter, marks in single]
    if any(one is None for one in features):
        return None
    first, last = features[0], features[-1]
    pair = len(features) == 2
    if pair and isinstance(first, Vowel) and single[-1][0] in "jw":  # aj, ow: so some write diphthongs
        return _nearest_vowel(first, _CHART["ɪ" if single[-1][0] == "j" else "ʊ"])
    if pair and isinstance(first, Vowel) and single[-1][0] in "ɹɻ":
        return "er" if first.back == 0.5 else _nearest_vowel(first, first)
    if all(isinstance(one, Vowel) for one in features):
        return _nearest_vowel(first, last)
    if pair and isinstance(first, Consonant) and isinstance(last, Consonant):
        return _of_two(first, last, symbol, single)
    return None


def _of_two(first: Consonant, last: Consonant, symbol: str, letters: list[tuple[str, str]]) -> str | None:
    """Affricates, what a nasal introduces, and two places at once (k͡p); other clusters are no segment."""
    if first.manner == "stop" and last.manner.endswith("fricative"):
        return _nearest_consonant(last._replace(manner="affricate"))
    if first.manner == "nasal" and last.manner in ("stop", "affricate"):
        return _nearest_consonant(last)
    return _of_letter(*letters[-1]) if any(tie in symbol for tie in _TIES) else None


def _letters(symbol: str) -> Iterator[tuple[str, str]]:
    """(letter, the marks on it) of a decomposed symbol, one by one."""
    letter, marks = "", ""
    for mark in "".join(_SPELT.get(one, one) for one in symbol):
        if letter and _is_mark(mark):
            marks += mark
        elif mark not in _BREAKS and not _is_mark(mark):
            if letter:
                yield letter, marks
            letter, marks = mark, ""
    if letter:
        yield letter, marks


def _is_mark(mark: str) -> bool:
    """Whether a character only modifies a letter: combining marks, raised letters, length, tone."""
    kind = unicodedata.category(mark)
    return kind in ("Mn", "Lm", "Sk") or mark in "ː:ˑ⁼" or (kind == "No" and mark in "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _of_letter(letter: str, marks: str) -> str | None:
    """The phone of a letter with its marks."""
    if any(mark in marks for mark in _R_COLOUR):
        return "er"
    if any(mark in marks for mark in _SYLLABIC) and letter in "ɹɻ":
        return "er"
    features = _featured(letter, marks)
    gliding = any(mark in marks for mark in _GLIDING)
    changed = features != _CHART.get(letter) and (letter not in _RHOTICS or _RAISED in marks)
    if letter in _HEARD and not (changed or gliding):
        return _HEARD[letter]
    if gliding and isinstance(features, Vowel):
        return "w" if features.back > 0.5 else "y"
    if isinstance(features, Vowel):
        return _nearest_vowel(features, features)
    return _HEARD.get(letter) if features is None else _nearest_consonant(features)


def _featured(letter: str, marks: str) -> Vowel | Consonant | None:
    features = _CHART.get(letter)
    if isinstance(features, Consonant):
        if any(mark in marks for mark in _DEVOICED):
            features = features._replace(voice=0.0)
        if _VOICED in marks:
            features = features._replace(voice=1.0)
        if _RAISED in marks and features.manner in ("trill", "tap", "glide"):  # Czech ř
            features = Consonant(max(features.place, 4.0), "fricative", features.voice, 1.0)
    return features


def _nearest_consonant(sound: Consonant) -> str:
    return min(_ENGLISH_CONSONANTS, key=lambda phone: _consonant_distance(sound, _ENGLISH_CONSONANTS[phone]))


def _nearest_vowel(start: Vowel, end: Vowel) -> str:
    def distance(phone: str) -> float:
        begins, ends = _ENGLISH_VOWELS[phone]
        return _vowel_distance(start, begins) + _vowel_distance(end, ends)

    return min(_ENGLISH_VOWELS, key=distance)


def _consonant_distance(one: Consonant, other: Consonant) -> float:
    manner = sum(abs(a - b) for a, b in zip(MANNERS[one.manner], MANNERS[other.manner], strict=True))
    place = min(abs(one.place - other.place), 6.0) / 10
    return 2.0 * manner + place + 0.4 * abs(one.voice - other.voice) + 0.4 * abs(one.hiss - other.hiss)


def _vowel_distance(one: Vowel, other: Vowel) -> float:
    weights = (1.5, 0.7, 0.35, 1.0)
    return sum(w * abs(a - b) for w, a, b in zip(weights, one, other, strict=True))


def _chart() -> dict[str, Vowel | Consonant]:
    chart: dict[str, Vowel | Consonant] = {}
    for (place, manner), pair in _CONSONANTS.items():
        for voice, letter in enumerate(pair):
            hiss = float(letter in "szʃʒʂʐɕʑ")
            chart[letter] = Consonant(_PLACES[place], manner, float(voice), hiss)
    for (height, back), pair in _VOWELS.items():
        for rounding, letter in enumerate(pair):
            chart[letter] = Vowel(height, back, float(rounding))
    chart["w"] = Consonant(_PLACES["velum"], "glide", 1.0)
    chart["ɚ"], chart["ɝ"] = Vowel(0.5, 0.5, 0.0, 1.0), Vowel(0.33, 0.5, 0.0, 1.0)
    chart.pop("-")
    return chart


_CHART = _chart()
_KNOWN = _CHART.keys() | _HEARD.keys()
_ENGLISH_VOWELS: dict[str, tuple[Vowel, Vowel]] = {
    phone: (_CHART[letters[0]], _CHART[letters[-1]])
    for phone, letters in SYMBOLS.items()
    if isinstance(_CHART[letters[0]], Vowel)
}
_ENGLISH_CONSONANTS: dict[str, Consonant] = {
    phone: _CHART[letters[-1]]._replace(**({"manner": "affricate"} if len(letters) == 2 else {}))
    for phone, letters in SYMBOLS.items()
    if isinstance(_CHART[letters[0]], Consonant)
}
