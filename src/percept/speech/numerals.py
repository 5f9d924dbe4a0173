"""Numbers in English words, American style: cardinals, ordinals, years, decimals."""

from __future__ import annotations

_ONES = "zero one two three four five six seven eight nine"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
ONES = f"{_ONES} {_TEENS}".split()
TENS = dict(enumerate(_TENS.split(), 2))
THOUSANDS = ("", "thousand", "million", "billion", "trillion", "quadrillion")
LARGEST = 1000 ** len(THOUSANDS) - 1
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_PARTS = {2: ("half", "halves"), 4: ("quarter", "quarters")}


def cardinal(number: int) -> list[str]:
    """The words of a whole number from 0 on; one too large to have a name is read digit by digit.

    >>> " ".join(cardinal(1_002_340))
    'one million two thousand three hundred forty'
    """
    if number > LARGEST:
        return digits(str(number))
    if number < 20:
        return [ONES[number]]
    if number < 100:
        return [TENS[number // 10], *(cardinal(number % 10) if number % 10 else [])]
    if number < 1000:
        return [ONES[number // 100], "hundred", *(cardinal(number % 100) if number % 100 else [])]
    groups, words = 0, []
    while number:
        number, group = divmod(number, 1000)
        if group:
            words = [*cardinal(group), *([THOUSANDS[groups]] if groups else []), *words]
        groups += 1
    return words


def ordinal(number: int) -> list[str]:
    """The words of an ordinal.

    >>> ordinal(21), ordinal(40)
    (['twenty', 'first'], ['fortieth'])
    """
    *before, last = cardinal(number)
    if last in _ORDINALS:
        return [*before, _ORDINALS[last]]
    return [*before, last[:-1] + "ieth" if last.endswith("y") else last + "th"]


def year(number: int) -> list[str]:
    """The words of a year of four digits, read in pairs.

    >>> year(1984), year(1905), year(1900), year(2005), year(2010)
    (['nineteen', 'eighty', 'four'], ['nineteen', 'oh', 'five'], ['nineteen', 'hundred'], ['two', 'thousand', 'five'], \
['twenty', 'ten'])
    """
    century, rest = divmod(number, 100)
    if century % 10 == 0 and rest < 10:  # 2005
        return cardinal(number)
    if rest == 0:
        return [*cardinal(century), "hundred"]
    return [*cardinal(century), *(["oh", ONES[rest]] if rest < 10 else cardinal(rest))]


def digits(text: str) -> list[str]:
    """Each digit by itself.

    >>> digits("007")
    ['zero', 'zero', 'seven']
    """
    return [ONES[int(digit)] for digit in text]


def decimal(text: str) -> list[str]:
    """A number with digits after a point; commas between its thousands do not count.

    >>> decimal("1,003.14"), decimal(".5")
    (['one', 'thousand', 'three', 'point', 'one', 'four'], ['point', 'five'])
    """
    whole, _, after = text.replace(",", "").partition(".")
    return [*(plain(whole) if whole else []), *(["point", *digits(after)] if after else [])]


def plain(text: str) -> list[str]:
    """Digits without a point: a cardinal, or digit by digit where it begins with a zero that counts nothing.

    >>> plain("40"), plain("0"), plain("02")
    (['forty'], ['zero'], ['zero', 'two'])
    """
    return digits(text) if text.startswith("0") and len(text) > 1 else cardinal(int(text))


def fraction(above: int, below: int) -> list[str]:
    """So many parts of a whole that has 2 to 20 of them.

    >>> fraction(1, 2), fraction(3, 4), fraction(2, 3)
    (['one', 'half'], ['three', 'quarters'], ['two', 'thirds'])
    """
    if below in _PARTS:
        return [*cardinal(above), _PARTS[below][above > 1]]
    (part,) = ordinal(below)
    return [*cardinal(above), part + ("s" if above > 1 else "")]


def plural(words: list[str]) -> list[str]:
    """Words of a number with a plural's ending on the last.

    >>> plural(["nineteen", "ninety"]), plural(["six"])
    (['nineteen', 'nineties'], ['sixes'])
    """
    *before, last = words
    if last.endswith("y"):
        return [*before, last[:-1] + "ies"]
    return [*before, last + ("es" if last.endswith("x") else "s")]
