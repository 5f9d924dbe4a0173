"""What the training loop is given: batches of recordings, both losses, and scores on voices kept for choosing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from percept.core import checkpoint, weights
from percept.core.console import say
from percept.core.device import Device
from percept.core.errors import UsageError
from percept.core.sampling import EpochSampler, loader, parts, share
from percept.speech.acoustic import augment, ctc, teaching
from percept.speech.acoustic.aligning import aligned
from percept.speech.acoustic.loss import ctc_loss, frame_loss, right
from percept.speech.acoustic.metrics import Accuracy, ErrorRate, FrameError
from percept.speech.acoustic.networks import build, described, from_checkpoint
from percept.speech.acoustic.options import Train
from percept.speech.acoustic.picture import draw, draw_command
from percept.speech.acoustic.result import Command, Heard, Part, Transcript
from percept.speech.acoustic.samples import CLASSES, Batch, Sounds, Taught, collate, sound
from percept.speech.acoustic.times import frame_labels
from percept.speech.acoustic.topology import phone_chances
from percept.speech.audio import RATE
from percept.speech.features import FRAME, log_mel, normalised
from percept.speech.phones import PHONES

AUGMENT = {"full": augment.FULL, "light": augment.LIGHT, "none": augment.NONE}
PICTURES = 2
LASTING = 3  # frames that a phone lasts at least, in a picture


class Trainer:
    """Trains an acoustic model: see ``core.training.Trainable`` for what the loop asks."""

    def __init__(self, options: Train, device: Device, folders: Sequence[tuple[str, Path]]) -> None:
        self.options, self.device = options, device
        found = teaching.gathered(
            [path for _, path in folders], options.hold_out, options.seed, options.units, options.split
        )
        self.labels = found.labels
        self.units = "words" if self.labels else "phones"
        self.metric, self.higher_is_better = ("accuracy", True) if self.labels else ("per", False)
        lexicon = teaching.dictionary(options.lexicon)
        teach = [teaching.taught(part, lexicon, self.labels, options.longest) for part in (found.train, found.choosing)]
        if options.align_with not in ("", "none"):
            teach = [aligned(part, lexicon, options.align_with, device) for part in teach]
        self.taught, self.chosen_on = teach
        self.states = 1 if self.labels else options.states
        self.model, start = _start(options, self.units, len(self.labels))
        lengths = [one.seconds for one in self.taught]
        rank, world = share(options.batch, options.accumulate)
        sounds = Sounds(self.taught, self.states, options.seed, AUGMENT[options.augment], options.cache)
        self.sampler = EpochSampler(len(sounds), options.batch, options.seed, (1,), rank, world, lengths=lengths)
        pinned = device.torch.type == "cuda"
        self.loader = loader(sounds, self.sampler, collate, options.workers, prepare=_one_thread, pin_memory=pinned)
        speakers = {one.utterance.speaker for one in self.taught if one.utterance.speaker}
        self.header: dict[str, Any] = {
            "task": "acoustic",
            "model": described(options, self.units),
            "classes": list(self.labels or PHONES),
            "data": {
                "sets": [name for name, _ in folders],
                "utterances": len(self.taught),
                "timed": sum(bool(one.times) for one in self.taught),
                "hours": round(sum(lengths) / 3600, 3),
                "speakers": sorted(speakers),
                "choosing": sorted({one.utterance.speaker or one.utterance.name for one in self.chosen_on}),
            },
            "start": start,
        }
        if not self.labels:
            self.header["priors"] = teaching.priors(self.taught, self.states).round(8).tolist()
            self.header["bigram"] = teaching.bigram(self.taught).round(4).tolist()
        self.facts = {"utterances": len(self.taught), "choosing": len(self.chosen_on), "start": start}
        count = sum(parameter.numel() for parameter in self.model.parameters())
        begun = start if isinstance(start, str) else start["weights"]
        timed = sum(bool(one.times) for one in self.taught)
        say(
            f"data    {len(self.taught)} recordings, {sum(lengths) / 3600:.2f} hours, {len(speakers)} speakers"
            + ("" if self.labels else f", {timed} with times")
            + f"; {len(self.chosen_on)} to choose by"
        )
        say(f"model   {options.model}, {count / 1e6:.2f} M parameters, from {begun}")

    def steps(self) -> int:
        """Steps an epoch."""
        return self.sampler.batches

    def batches(self, epoch: int, start: int) -> Iterator[list[Batch]]:
        """This process's share of each batch, in parts."""
        self.sampler.set_epoch(epoch, start)
        for whole in self.loader:
            yield [
                Batch(
                    *(
                        getattr(whole, name)[part]
                        for name in ("mels", "lengths", "targets", "tokens", "labels", "names")
                    )
                )
                for part in parts(len(whole.names), self.options.accumulate)
            ]

    def size(self, batch: Batch) -> float:
        """Recordings of command words; else frames."""
        return float(len(batch.names) if self.labels else batch.lengths.sum())

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The summed loss of these recordings, and what of it is right."""
        place = self.device.torch
        mels, lengths = batch.mels.to(place, non_blocking=True), batch.lengths.to(place, non_blocking=True)
        if self.labels:
            labels = batch.labels.to(place)
            scores = self.model(mels, lengths)
            total = nn.functional.cross_entropy(scores.float(), labels, reduction="sum", label_smoothing=0.05)
            return total, {"right": (scores.argmax(1) == labels).sum()}
        frames, steps = self.model(mels, lengths)
        known = batch.targets.to(place)
        total = frame_loss(frames, known)
        good, _ = right(frames, known, self.states)
        logged = {"right": good}
        if steps is not None:
            of_text = ctc_loss(steps, -(-lengths // self.model.hop), batch.tokens)
            logged["ctc"] = of_text.detach()
            total = total + self.options.ctc * of_text
        return total, logged

    def describe(self, batch: Batch) -> str:
        """The names of a batch, for the message when the loss is not finite."""
        return ", ".join(batch.names)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """On the voices kept for choosing, in percent: accuracy of command words; else phone error of the CTC head's
        likeliest phones, or of the frame head's where there is no such head, and the error by frame where times are
        known."""
        if self.labels:
            accuracy = Accuracy()
            for one in self.chosen_on:
                answer = int(self._answer(model, one).argmax())
                accuracy.add(self.labels[one.label], self.labels[answer], one.utterance.speaker)
            return {"accuracy": accuracy.percent or 0.0}
        errors, by_frame = ErrorRate(), FrameError()
        for one in self.chosen_on:
            frames, steps = self._answer(model, one)
            by_frame.add(frames.argmax(-1).numpy() // self.states, frame_labels(one.times, len(frames)))
            if steps is not None:
                found = ctc.greedy(steps.log_softmax(-1).numpy())
            else:
                found = [int(number) for number in torch.unique_consecutive(frames.argmax(-1) // self.states) if number]
            errors.add_phones(one.phones, [PHONES[number - 1] for number in found], one.utterance.speaker)
        timed = {} if by_frame.rate is None else {"frame_error": by_frame.rate}
        return {"per": errors.rate or 0.0, **timed}

    def pictures(self, model: nn.Module, folder: Path) -> None:
        """A few recordings kept for choosing: what is heard, and what the network makes of it, frame by frame."""
        for one in self.chosen_on[:PICTURES]:
            samples = sound(one.utterance)
            mels, path = normalised(log_mel(torch.from_numpy(samples))), folder / f"{Path(one.utterance.name).name}.png"
            answer = self._answer(model, one)
            if self.labels:
                order = sorted(zip(self.labels, answer.softmax(-1).tolist(), strict=True), key=lambda pair: -pair[1])
                command = Command(one.utterance.name, len(samples) / RATE, tuple(order))
                draw_command(path, mels.numpy(), command, one.utterance.label)
                continue
            chances = phone_chances(answer[0].log_softmax(-1).numpy(), self.states)
            heard = Heard(samples, mels.numpy(), chances)
            draw(path, Transcript(one.utterance.name, len(samples) / RATE, None, _runs(chances), heard=heard))

    @torch.inference_mode()
    def _answer(self, model: nn.Module, one: Taught) -> Any:
        mels = normalised(log_mel(torch.from_numpy(sound(one.utterance)))).to(self.device.torch)
        if self.labels:
            return model(mels[None])[0].cpu()
        frames, steps = model(mels[None])
        return frames[0].float().cpu(), None if steps is None else steps[0].float().cpu()


def _runs(chances: np.ndarray) -> tuple[Part, ...]:
    """The likeliest phone of each frame (T, P), those that last; no decoding helps."""
    best = chances.argmax(1)
    edges = [0, *(np.flatnonzero(np.diff(best)) + 1).tolist(), len(best)]
    return tuple(
        Part(CLASSES[best[first]], first * FRAME, end * FRAME, float(chances[first:end, best[first]].mean()))
        for first, end in zip(edges, edges[1:], strict=False)
        if best[first] and end - first >= LASTING
    )


def _start(options: Train, units: str, labels: int) -> tuple[nn.Module, dict[str, Any] | str]:
    """The network to train, and what it begins with: weights of another alphabet or other words give their body."""
    network = build(described(options, units), labels)
    if options.start in ("", "none"):
        return network, "random weights"
    shown, path = weights.resolve(options.start, "acoustic")
    read = checkpoint.load(path, task="acoustic")
    if read.header["model"] == described(options, units) and len(read.header["classes"]) == (labels or len(PHONES)):
        return from_checkpoint(read).train(), weights.origin(shown, path, read.header)
    own = network.state_dict()
    kept = {
        name: tensor
        for name, tensor in read.tensors.items()
        if name.startswith("body.") and name in own and own[name].shape == tensor.shape
    }
    if not kept:
        raise UsageError(f"--start {shown}: nothing in it fits {options.model}")
    network.load_state_dict(kept, strict=False)
    return network, weights.origin(shown, path, read.header)


def _one_thread(_worker: int) -> None:
    torch.set_num_threads(1)
