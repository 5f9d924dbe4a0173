"""What the training loop is given: questions, losses, errors on the stories kept for choosing, and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from percept.core import checkpoint, training, weights
from percept.core.console import say
from percept.core.device import Device
from percept.core.errors import UsageError
from percept.core.sampling import parts, ranks, share
from percept.nlp.qa import data, decode, metrics, networks
from percept.nlp.qa.distractors import thin
from percept.nlp.qa.draw import page
from percept.nlp.qa.loss import answer_loss, ranking_loss, stops, support_loss
from percept.nlp.qa.memnn import MemNN
from percept.nlp.qa.options import Train
from percept.nlp.qa.renaming import Renaming, rename
from percept.nlp.qa.sampling import SideBySide, alike, noisy_ages, one_network, one_network_steps
from percept.nlp.qa.shapes import shapes
from percept.nlp.qa.tensors import Batch, encode
from percept.nlp.qa.vocab import build

PICTURES = 5
WIDTH = 12  # words of a sentence with a mask of their own, at the least
PAIRS = 300_000  # of sentences in a part of a batch
PARTS = 3  # things of an answer: what somebody carries


class Trainer:
    """Trains one network, or several side by side: see ``core.training.Trainable`` for what the loop asks."""

    metric = "error"
    higher_is_better = False

    def __init__(self, options: Train, device: Device, folders: Sequence[tuple[str, Path]]) -> None:
        self.options, self.device = options, device
        self.kinds, self.train, self.held = _questions(options, folders)
        one = options.model == "relational"
        self.vocabulary = build(self.train, spare=options.spare if one else 0, lists=not one)
        numbers = [kind.number for kind in self.kinds]
        self.parts = PARTS if one else 1
        self.train = [question for question in self.train if len(question.question.answer.split(",")) <= PARTS]
        self.questions = encode(self.train, self.vocabulary, numbers, self.parts)
        self.kept = encode(self.held, self.vocabulary, numbers, self.parts)
        self.kind_of = torch.tensor([question.kind for question in self.train])
        self.kept_kind = torch.tensor([question.kind for question in self.held])
        # a network for each kind and run, or for each run; None is all kinds
        of: list[int | None] = [None] if options.joint or one else list(range(len(self.kinds)))
        self.members = [(kind, run) for kind in of for run in range(options.runs if not one else 1)]
        model = self._model()
        torch.manual_seed(options.seed)
        self.model = networks.build(model)
        start = self._start()
        rank, world = share(options.batch, options.accumulate)
        self.rank, self.world = rank, world
        own = [_own(self.kind_of, kind).nonzero()[:, 0] for kind, _ in self.members]
        self.side_by_side = None if one else SideBySide(own, options.batch, options.seed)
        self.renaming = Renaming(self.vocabulary) if one and options.rename else None
        if options.matrix_clip:
            self._clip_each()
        self.header: dict[str, Any] = {
            "task": "qa",
            "model": model,
            "vocabulary": self.vocabulary.to_json(),
            "classes": sorted({question.question.answer.lower() for question in self.train}),
            "kinds": [{"number": kind.number, "name": kind.name} for kind in self.kinds],
            "members": [{"kind": kind, "run": run} for kind, run in self.members],
            "shapes": shapes(question.question.text for question in self.train),
            "data": {"sets": [name for name, _ in folders], "questions": len(self.train), "size": options.size},
            "joint": options.joint or one,
            "renamed": self.renaming is not None,
            "taught_supports": options.supports > 0 or options.model == "memnn",
            "start": start,
        }
        self.facts = {"train_questions": len(self.train), "choosing_questions": len(self.held), "start": start}
        total = sum(parameter.numel() for parameter in self.model.parameters())
        say(
            f"data    {len(self.train)} questions to train, {len(self.held)} to choose by, {len(self.kinds)} kinds, "
            f"{len(self.vocabulary)} words"
        )
        many = f"{len(self.members)} networks, " if len(self.members) > 1 else ""
        say(f"model   {options.model}, {many}{total / 1e6:.2f} M parameters, from {start}")

    def _model(self) -> dict[str, Any]:
        """What ``networks.build`` takes."""
        options = self.options
        common = {
            "name": options.model,
            "vocabulary": len(self.vocabulary),
            "dimension": options.dimension,
            "hops": options.hops,
        }
        width = self.questions.table.shape[1]
        if options.model == "relational":
            if options.dimension % options.heads or options.heads % 4:
                raise UsageError("--heads must be a multiple of 4, and --dimension one of --heads")
            return {
                **common,
                "heads": options.heads,
                "width": max(width, WIDTH),
                "parts": self.parts,
                "dropout": options.dropout,
            }
        slots = []
        for kind, _ in self.members:
            seen = self.questions.seen if kind is None else self.questions.seen[self.kind_of == kind]
            slots.append(min(options.memory, max(1, int(seen.max()))))
        longest = width + 1  # and the word of time
        if options.model == "memnn":
            return {**common, "slots": slots, "encoding": options.encoding, "longest": longest}
        names = ("encoding", "tying", "time", "padding")
        return {**common, "slots": slots, "longest": longest, **{name: getattr(options, name) for name in names}}

    def _start(self) -> str:
        if self.options.start in ("", "none"):
            return "random weights"
        shown, path = weights.resolve(self.options.start, "qa")
        read = checkpoint.load(path, task="qa")
        known = networks.transfer(self.model, self.vocabulary.words, read)
        return f"{shown} ({known} of {len(self.vocabulary)} words)"

    def _clip_each(self) -> None:
        """Shorten the gradient of each network's each matrix, as the authors' code does (section 4.2: norm 40)."""
        axes = getattr(type(self.model), "MEMBERS", {})
        most = self.options.matrix_clip

        def clip(parameter: Tensor, member: int | None) -> None:
            kept = () if member is None else (0, member) if member else (0,)
            over = [axis for axis in range(parameter.ndim) if axis not in kept]
            length = parameter.grad.norm(dim=over, keepdim=True)
            parameter.grad.mul_((most / length.clamp(min=1e-12)).clamp(max=1))

        for name, parameter in self.model.named_parameters():
            if parameter.numel():
                member = axes.get(name)
                parameter.register_post_accumulate_grad_hook(lambda p, member=member: clip(p, member))

    def steps(self) -> int:
        """Steps an epoch."""
        if self.side_by_side is not None:
            return self.side_by_side.steps
        return one_network_steps(self.questions, self.options.batch, self.world)

    def rate(self, step: int, steps: int) -> float:
        """The learning rate as a share of --lr: halved every few epochs as in the paper, else the loop's schedule."""
        if self.options.schedule != "halving":
            return training.rate(step, steps, self.options)
        epoch = step // steps
        return 0.5 ** (max(0, epoch - self.options.linear_start) // self.options.halve_every)

    def batches(self, epoch: int, start: int) -> Iterator[list[Batch]]:
        """This process's share of each batch, in parts."""
        self.epoch = epoch
        options = self.options
        if options.model == "memn2n":
            self.model.linear = epoch < options.linear_start
        if self.side_by_side is None:
            chosen = one_network(self.questions, options.batch, options.seed, epoch, start, self.rank, self.world)
        else:
            count = self.side_by_side.batch
            first, end = (count * rank // self.world for rank in (self.rank, self.rank + 1))
            chosen = (index[:, first:end] for index in self.side_by_side.epoch(epoch, start))
        most = max(self.model.slots.tolist()) if self.side_by_side is not None else 0
        for index in chosen:
            pieces = [index[..., piece] for piece in parts(index.shape[-1], options.accumulate)]
            if self.side_by_side is None:
                pieces = [few for piece in pieces for few in alike(self.questions, piece, lambda size: PAIRS / size**2)]
            yield [self.questions.batch(piece, most) for piece in pieces]

    def size(self, batch: Batch) -> float:
        """Questions; of networks side by side 1, for the paper's loss is the sum over a batch."""
        return 1.0 if self.side_by_side is not None else len(batch.index)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The summed loss, and beside it the mean of the answers' cross-entropy and how many are wrong."""
        options = self.options
        batch = batch.to(self.device.torch)
        if self.side_by_side is None:
            batch = thin(batch, options.distractors)
        tokens, answers = batch.tokens, batch.answers
        if self.renaming is not None:
            tables = self.renaming(batch.kinds.tolist(), batch.index.tolist(), options.seed, self.epoch).to(
                tokens.device
            )
            tokens, answers = rename(tokens, tables), rename(answers, tables)
        if isinstance(self.model, MemNN):
            places = min(tokens.shape[2] - 1, self.model.times.shape[2])
            right = stops(batch.supports, options.hops, places)  # (M, B, K)
            scores, matches, _ = self.model.steps(tokens, right)
            each = ranking_loss(scores[:, :, 0], answers[..., 0], options.margin)  # (M, B)
            for hop in range(options.hops):
                # after a stop nothing is picked: only the first stop is learned
                counts = (right[:, :, hop - 1] < places) if hop else torch.ones_like(each, dtype=torch.bool)
                each = each + counts * ranking_loss(matches[:, :, hop], right[:, :, hop], options.margin)
        else:
            scores, looked = self._scores(batch, tokens)
            each = answer_loss(scores, answers)
            if options.supports and self.side_by_side is None:
                each = each + options.supports * support_loss(looked, batch.supports)
        total = each.sum()
        given = decode.likeliest(scores.detach())[0] if self.parts > 1 else scores.detach()[..., 1:].argmax(dim=-1) + 1
        wrong = (given != answers).any(dim=-1).sum()
        scale = self.size(batch) / each.numel()  # the loop divides what is logged by size(): make them means
        return total, {"mean_loss": total.detach() * scale, "train_error": 100 * wrong * scale}

    def _scores(self, batch: Batch, tokens: Tensor) -> tuple[Tensor, Tensor]:
        if self.options.model != "memn2n" or not (self.options.noise and self.options.time):
            return self.model(tokens)
        places = min(tokens.shape[2] - 1, self.model.times.shape[2])
        seen = self.questions.seen[batch.index.cpu()].clamp(max=places)
        ages = noisy_ages(seen, places, self.options.noise, self.options.seed, self.epoch, batch.index.cpu())
        return self.model(tokens, ages.to(tokens.device))

    def describe(self, batch: Batch) -> str:
        """The first questions of a batch, for the message when the loss is not finite."""
        some = [self.train[number].question for number in batch.index.flatten()[:4].tolist()]
        return "; ".join(f"line {question.line}: {question.text}" for question in some)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Error on the questions kept for choosing: the mean over kinds, and over networks side by side."""
        if self.options.model == "memn2n":
            model.linear = False
        scores = metrics.all_scores(model, self.kept, len(self.members), self.device)
        missed = metrics.wrong(scores, self.kept.answers.expand(len(self.members), -1, -1))
        errors = self._note("held_error", missed, self.kept_kind)
        self.header["chosen"] = self._best("held_error")
        self._calibrate(scores)
        if self.epoch + 1 == self.options.epochs and len(self.members) > 1:  # the paper chooses the run by these
            missed = metrics.all_wrong(model, self.questions, len(self.members), self.device)
            self._note("train_error", missed, self.kind_of)
        return {"error": sum(errors) / len(errors)}

    def _note(self, name: str, missed: Tensor, kinds: Tensor) -> list[float]:
        """Each network's error on its own questions, into the header."""
        errors = []
        for number, (kind, _) in enumerate(self.members):
            own = _own(kinds, kind)
            errors.append(metrics.mean_error(missed[number][own], kinds[own]))
            self.header["members"][number][name] = errors[-1]
        return errors

    def _calibrate(self, scores: Tensor) -> None:
        """One temperature for the chosen networks, from the questions kept for choosing."""
        picked = [(number, _own(self.kept_kind, self.members[number][0])) for number in self.header["chosen"]]
        given = torch.cat([scores[number][own] for number, own in picked])
        wanted = torch.cat([self.kept.answers[own] for _, own in picked])
        self.header["temperature"] = decode.fit_temperature(given, wanted)

    def _best(self, name: str) -> list[int]:
        """The network with the lowest error for each kind, the first of equals."""
        kinds = dict.fromkeys(kind for kind, _ in self.members)
        return [
            min(
                (n for n, (kind, _) in enumerate(self.members) if kind == wanted),
                key=lambda n: self.header["members"][n][name],
            )
            for wanted in kinds
        ]

    def pictures(self, model: nn.Module, folder: Path) -> None:
        """A page with the first questions kept for choosing: what was looked at, what was answered."""
        if ranks()[0] == 0:
            some = list(range(0, len(self.held), max(1, len(self.held) // PICTURES)))[:PICTURES]
            number = self.header["chosen"][0]
            shown = metrics.look(model, self.kept, torch.tensor(some), number, self.device)
            page(
                folder / "looked.html",
                [
                    (self.held[at].sentences, self.held[at].question.text, self.vocabulary.words, *found)
                    for at, found in zip(some, shown, strict=True)
                ],
            )


def _own(kinds: Tensor, kind: int | None) -> Tensor:
    """Which questions (Q,) of these kinds a network learns; None: all."""
    return torch.ones_like(kinds, dtype=torch.bool) if kind is None else kinds == kind


def _questions(
    options: Train, folders: Sequence[tuple[str, Path]]
) -> tuple[list[data.Kind], list[data.Asked], list[data.Asked]]:
    """The kinds of all sets, the questions to train on and those to choose the best epoch by."""
    kinds: list[data.Kind] = []
    train: list[data.Asked] = []
    held: list[data.Asked] = []
    for turn, here in enumerate(data.choose_of([folder for _, folder in folders], options)):
        found, problems = data.read_split(here, "train")
        for problem in problems[:10]:
            say(f"        {problem}")
        if options.hold_out or "val" not in data.splits_of(here):
            found, kept = data.hold_out(
                found, options.hold_out or 0.1, options.seed, mix=options.joint or options.model == "relational"
            )
        else:
            kept = data.read_split(here, "val")[0]
        at = []
        for kind in here:
            same = [n for n, other in enumerate(kinds) if (other.number, other.name) == (kind.number, kind.name)]
            if not same:
                kinds.append(kind)
            at.append(same[0] if same else len(kinds) - 1)
        for into, some in ((train, found), (held, kept)):
            into += [data.Asked(one.sentences, one.question, at[one.kind], one.story + turn * 10**7) for one in some]
    return kinds, train, held
