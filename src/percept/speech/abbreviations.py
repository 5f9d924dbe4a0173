"""What abbreviations, units and symbols are called when a text is read aloud; see :mod:`percept.speech.words`."""

from __future__ import annotations

TITLES = {"mr": "mister", "mrs": "missus", "messrs": "messieurs"}  # with a dot or without
ALONE = {"vs": "versus", "etc": "et cetera", "jr": "junior", "sr": "senior"}  # these too
BEFORE_NAMES = {  # with a dot, and where a capital follows
    "prof": "professor",
    "gen": "general",
    "col": "colonel",
    "capt": "captain",
    "cpt": "captain",
    "cmdr": "commander",
    "lt": "lieutenant",
    "maj": "major",
    "sgt": "sergeant",
    "adm": "admiral",
    "rev": "reverend",
    "hon": "honorable",
    "gov": "governor",
    "sen": "senator",
    "rep": "representative",
    "pres": "president",
    "mt": "mount",
    "ft": "fort",
}
BEFORE_NUMBERS = {  # with a dot, and where a number follows
    "no": "number",
    "nos": "numbers",
    "p": "page",
    "pp": "pages",
    "vol": "volume",
    "ch": "chapter",
    "fig": "figure",
    "sec": "section",
    "jan": "january",
    "feb": "february",
    "mar": "march",
    "apr": "april",
    "jun": "june",
    "jul": "july",
    "aug": "august",
    "sep": "september",
    "sept": "september",
    "oct": "october",
    "nov": "november",
    "dec": "december",
}
SHORTENED = {  # with a dot
    "co": "company",
    "corp": "corporation",
    "inc": "incorporated",
    "ltd": "limited",
    "bros": "brothers",
    "dept": "department",
    "approx": "approximately",
    "ave": "avenue",
    "blvd": "boulevard",
    "rd": "road",
    "esq": "esquire",
}
DOTTED = {"eg": "for example", "ie": "that is"}  # letters with dots that are no letters when spoken
DOMAINS = ("com", "org", "net", "edu", "gov", "io", "co", "uk")
# Words that begin with an apostrophe of their own; others stand in quotes.
_ELIDED = "bout cause cept course cuse em fore frisco gainst kay m mongst n neath round til tis twas tween twere twill"
ELIDED = frozenset(f"'{word}" for word in _ELIDED.split())
CURRENCIES = {
    "$": ("dollar", "dollars"),
    "£": ("pound", "pounds"),
    "€": ("euro", "euros"),
    "¥": ("yen", "yen"),
    "₹": ("rupee", "rupees"),
}
CENTS = {"dollar": ("cent", "cents"), "pound": ("penny", "pence"), "euro": ("cent", "cents")}
UNITS = {  # after a number: of one, of several
    "%": ("percent", "percent"),
    "¢": ("cent", "cents"),
    "°": ("degree", "degrees"),
    "°c": ("degree celsius", "degrees celsius"),
    "°f": ("degree fahrenheit", "degrees fahrenheit"),
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "ml": ("milliliter", "milliliters"),
    "ft": ("foot", "feet"),
    "yd": ("yard", "yards"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "mph": ("mile per hour", "miles per hour"),
    "hz": ("hertz", "hertz"),
    "khz": ("kilohertz", "kilohertz"),
    "mhz": ("megahertz", "megahertz"),
    "ghz": ("gigahertz", "gigahertz"),
    "kb": ("kilobyte", "kilobytes"),
    "mb": ("megabyte", "megabytes"),
    "gb": ("gigabyte", "gigabytes"),
    "min": ("minute", "minutes"),
    "sec": ("second", "seconds"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
}
SYMBOLS = {
    "&": "and",
    "%": "percent",
    "$": "dollar",
    "£": "pound",
    "€": "euro",
    "@": "at",
    "+": "plus",
    "=": "equals",
    "#": "number",
    "×": "times",
    "÷": "divided by",
    "±": "plus or minus",
    "°": "degrees",
    "§": "section",
}
# Letters that no accent explains.
LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i", "ŋ": "ng"}
)
_FRACTIONS = {
    "½": "1/2",
    "⅓": "1/3",
    "⅔": "2/3",
    "¼": "1/4",
    "¾": "3/4",
    "⅕": "1/5",
    "⅛": "1/8",
    "⅜": "3/8",
    "⅝": "5/8",
    "⅞": "7/8",
}
TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("’‘ʼʹ′´`‛", "'"),
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‐‑‒−", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\ufeff\u2060", ""),
        **dict.fromkeys("\u00a0\u202f\u2009", " "),
        **{sign: f" {text} " for sign, text in _FRACTIONS.items()},
    }
)
