"""The predictor: weights and vocabulary joined; stories and questions in, ``Answer`` out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from percept.core import checkpoint, outputs, sources, weights
from percept.core.device import Device, choose
from percept.core.errors import InputError, UsageError, named
from percept.nlp.qa import decode, draw, networks
from percept.nlp.qa.options import Predict
from percept.nlp.qa.result import Answer
from percept.nlp.qa.shapes import is_known
from percept.nlp.qa.stories import LARGEST, parse, read_stories
from percept.nlp.qa.stories import decode as text_of
from percept.nlp.qa.story import Question, Story, words
from percept.nlp.qa.vocab import NIL, from_json

SUFFIXES = (".txt", ".story")
MOST = 1000  # sentences that are read, the newest: each looks at each other
UNSURE = 0.7  # a lower probability is a doubt


class Reader:
    """Answers questions about stories.

    Attributes:
        network: the network that answers, the first if there is one for each kind of story.
        about: what every JSON document begins with.
    """

    def __init__(self, options: Predict, read: checkpoint.Checkpoint, shown: str, device: Device) -> None:
        header = read.header
        self.options, self.device, self.shapes = options, device, header["shapes"]
        self.vocabulary = from_json(header["vocabulary"])
        self.temperature = float(header.get("temperature", 1.0))
        chosen = header.get("chosen") or [0]
        self.networks = [networks.alone(read, number).to(device.torch) for number in chosen]
        self.network = self.networks[0]
        self.most = [int(network.slots.max()) if hasattr(network, "slots") else MOST for network in self.networks]
        self.about = {"task": "qa", "model": header["model"]["name"], "weights": shown, "device": str(device)}

    def predict(self, x: Any, question: str = "") -> Answer:
        """Answer one question about a story.

        Args:
            x: a file's path, or the sentences of a story.
            question: what is asked when all is told; without it the last question in the file, or --question.

        Raises:
            InputError: no story, or no question.
        """
        with named(x) as name:
            stories = read_stories(Path(x))[0] if name else [Story(tuple(x))]
            answers = list(self.answers(stories, [question] if question else self.options.question, name))
        return answers[-1]

    def answers(self, stories: Sequence[Story], questions: Sequence[str] = (), name: str = "") -> Iterator[Answer]:
        """Answer questions about each of some stories, or those that stand in them.

        Raises:
            InputError: there is nothing to answer, or a question without words.
        """
        if not any(story.sentences for story in stories):
            raise InputError("no story: a question needs sentences before it")
        if not questions and not any(story.questions for story in stories):
            raise InputError('no question in it; ask one with -q "..."')
        for number, story in enumerate(stories, 1):
            asked = [Question(text, len(story.sentences)) for text in questions] or story.questions
            for question in asked:
                if not words(question.text):
                    raise InputError("a question without words")
                yield self.answer(story.sentences[: question.seen], question.text, name, number)

    @torch.inference_mode()
    def answer(self, sentences: Sequence[str], question: str, name: str = "", story: int = 1) -> Answer:
        """Answer a question about the sentences told so far."""
        names: dict[str, int] = {}
        said = [words(sentence) for sentence in sentences]
        asked = words(question)
        found = []
        for network, most in zip(self.networks, self.most, strict=True):
            names.clear()
            tokens = self._tokens(said[-most:], asked, names)
            with self.device.autocast():
                scores, looked = network(tokens.to(self.device.torch))
            ranked = decode.ranked(scores[0].cpu(), self.temperature, self.options.top + 1)
            found.append((ranked, looked[0].float().cpu(), max(0, len(said) - most)))
        ranked, looked, forgotten = max(found, key=lambda one: one[0][0][1])  # of several the surest answers
        hops = tuple(tuple(hop) for hop in draw.by_sentence(looked, len(said)))
        spoken = self._spoken(sentences, question, names)
        answers = [(",".join(spoken(number) for number in numbers), share) for numbers, share in ranked]
        unknown = [word for line in (asked, *said) for word in line if word not in self.vocabulary.numbers]
        best = {max(range(len(hop)), key=hop.__getitem__) for hop in hops if hop and max(hop) > 0}
        doubts = self._doubts(asked, {word for at in best for word in said[at]}, answers[0][1], forgotten)
        return Answer(
            name,
            story,
            question,
            *answers[0],
            alternatives=tuple(answers[1 : self.options.top]),
            sentences=tuple(sentences),
            hops=hops,
            unknown_words=tuple(dict.fromkeys(unknown)),
            doubts=tuple(doubts),
            forgotten=forgotten,
        )

    def _tokens(self, said: Sequence[Sequence[str]], asked: Sequence[str], names: dict[str, int]) -> Tensor:
        """(1, 1 + S, W): names are numbered in the order in which they are told."""
        facts = [self.vocabulary.encode(sentence, names) for sentence in said][::-1] or [[]]
        rows = [self.vocabulary.encode(asked, names), *facts]
        width = max(1, *(len(row) for row in rows))
        return torch.tensor([[[*row, *[NIL] * (width - len(row))] for row in rows]])

    def _spoken(self, sentences: Sequence[str], question: str, names: dict[str, int]) -> Any:
        """A function from a word's number to the word as the story writes it."""
        written: dict[str, str] = {}
        for sentence in (*sentences, question):
            for at, piece in enumerate(sentence.split()):
                bare = piece.strip(".,?!;:\"'()")
                if bare and (at or bare.lower() not in written):
                    written[bare.lower()] = bare
        by_number = {number: word for word, number in names.items()}
        people = {word for word in written if written[word] != word and word in self.vocabulary.numbers}

        def spoken(number: int) -> str:
            word = by_number.get(number, self.vocabulary.words[number])
            return written[word] if word in people or number in by_number else word

        return spoken

    def _doubts(self, asked: Sequence[str], seen: set[str], probability: float, forgotten: int) -> list[str]:
        found = []
        known = self.vocabulary.numbers
        unknown = [word for word in dict.fromkeys((*asked, *sorted(seen))) if word not in known]
        if unknown:
            found.append(f"not in the vocabulary: {', '.join(unknown)}")
        if not is_known(asked, self.shapes, known):
            found.append("a question unlike any that was learned")
        if forgotten:
            found.append(f"the oldest {forgotten:,} sentences were not read")
        if probability < UNSURE:
            found.append(f"probability {probability:.2f}")
        return found

    def stream(self) -> Iterator[outputs.Outcome]:
        """Answer the inputs of the options one after another."""
        out = Path(self.options.out) if self.options.out else None
        items = sources.resolve(self.options.inputs, SUFFIXES, out=out, noun="stories")
        for item, stories in sources.stream(items, _read, SUFFIXES, noun="stories"):
            if isinstance(stories, InputError):
                yield item, stories
                continue
            try:
                yield from ((item, answer) for answer in self.answers(stories, self.options.question, item.name))
            except InputError as error:
                yield item, error

    def deliver(self) -> int:
        """``percept qa``: answers on stdout, pages under ``--out``; returns the exit code."""
        options = self.options
        out = Path(options.out) if options.out else None
        sink = Pages(out, options.save) if out is not None else None
        form = "json" if options.json else options.format
        to = outputs.Deliver(self.about, form, out, ("question", "answer", "probability"), {}, {}, sink)
        return to.run(self.stream(), strict=options.strict)


def _read(source: Path | bytes) -> list[Story]:
    if isinstance(source, Path):
        return read_stories(source)[0]
    if len(source) > LARGEST:
        raise InputError(f"{len(source):,} bytes: too large for stories")
    return parse(text_of(source))[0]


def load(options: Predict) -> Reader:
    """A reader with its weights read and its device chosen."""
    shown, path = weights.resolve(options.weights, "qa")
    read = checkpoint.load(path, task="qa")
    if "vocabulary" not in read.header:
        raise UsageError(f"{path}: weights without a vocabulary")
    return Reader(options, read, shown, choose(options.device, options.threads, options.precision))


class Pages:
    """Writes where each answer looked under ``--out``: one page for a file with all its answers, or a picture each."""

    def __init__(self, out: Path, kind: str) -> None:
        self.out, self.kind = out, kind
        self._counts: dict[Path, int] = {}
        self._sections: dict[Path, list[str]] = {}
        self._written: list[str] = []

    def add(self, item: sources.Item, result: Answer) -> dict[str, str]:
        """Write what belongs to one answer; returns its path."""
        path = self.out / item.stem.parent / f"{item.stem.name}.{self.kind}"
        number = self._counts[path] = self._counts.get(path, 0) + 1
        if self.kind == "html":
            about = (result.sentences, result.question, result.answer, result.probability, result.hops)
            self._sections.setdefault(path, []).append(draw.section(*about))
            if number == 1:
                self._written.append(str(path))
            return {self.kind: str(path)}
        path = path.with_name(f"{item.stem.name}_{number}.{self.kind}")
        result.save(path)
        self._written.append(str(path))
        return {self.kind: str(path)}

    def close(self) -> list[str]:
        """All that was written."""
        for path, sections in self._sections.items():
            draw.write_atomic(path, draw.document(sections))
        return self._written
