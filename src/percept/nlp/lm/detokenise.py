"""Words into text that reads as text, one word at a time: what tokenise.py has cut is put together again."""

from __future__ import annotations

from percept.nlp.sentences import END

_TO_THE_LEFT = frozenset((*".,;:!?)]}%’”…'—", "n't", "..", "...", "--"))
_TO_THE_RIGHT = frozenset((*"([{$£€#“‘—", "--"))
_ENDINGS = frozenset(("s", "t", "re", "ve", "ll", "d", "m"))
_JOINS = {"@-@": "-", "@,@": ",", "@.@": "."}
_SENTENCE = frozenset((".", "!", "?"))


class Writer:
    """Words in, pieces of text out.

    style: as in tokenise.py; ``none`` for characters and pieces of words, which are joined as they are.
    ptb has no full stops, and capitals neither: sentences get both.
    """

    def __init__(self, style: str) -> None:
        self.style = style
        self.glued = True  # nothing is to be put before the next word
        self.open = False  # a straight quotation mark
        self.first = True  # of a line

    def seen(self, text: str) -> None:
        """Text that stands there already: the prompt."""
        self.glued = not text or text[-1:].isspace() or text[-1:] in _TO_THE_RIGHT
        self.open = text.count('"') % 2 == 1
        self.first = not text.strip() or text.endswith("\n")

    def write(self, word: str) -> str:
        """What the next word adds to the text."""
        if self.style == "none":
            return "\n" if word == END else word
        if word == END:
            begun = not self.first
            self.glued, self.open, self.first = True, False, True
            return (".\n" if begun else "") if self.style == "ptb" else "\n"
        if word in _JOINS:
            self.glued = True
            return _JOINS[word]
        left = self._leans_left(word)
        blank = "" if self.glued or left else " "
        self.glued = word in _TO_THE_RIGHT and word != '"'
        if word == '"':
            self.open = not self.open
            self.glued = self.open
        shown = word[:1].upper() + word[1:] if self.style == "ptb" and self.first else word
        self.first = False
        return blank + shown

    def _leans_left(self, word: str) -> bool:
        if word == '"':
            return self.open
        return word in _TO_THE_LEFT or (word[:1] in "'’" and word[1:].lower() in _ENDINGS)


def detokenise(words: list[str], style: str) -> str:
    """All of a text at once.

    >>> detokenise(["Mr.", "Bell", "'s", "well", "@-@", "known", "map", "(", "1912", ")", "."], "text")
    "Mr. Bell's well-known map (1912)."
    """
    writer = Writer(style)
    return "".join(writer.write(word) for word in words)
