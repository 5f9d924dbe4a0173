"""What the training loop is given: crops, loss, scores on the scenes kept for choosing, and pictures to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from percept.core import checkpoint, weights
from percept.core.console import say
from percept.core.device import Device
from percept.core.errors import UsageError, nearest
from percept.core.sampling import EpochSampler, Pick, loader, parts, share
from percept.vision import image
from percept.vision.stereo import confidence, data, loss, measuring, metrics, picture, tuning
from percept.vision.stereo.augment import Augment
from percept.vision.stereo.networks import build, described, from_checkpoint
from percept.vision.stereo.options import Matching, Train
from percept.vision.stereo.samples import Crops, collate
from percept.vision.stereo.settings import Settings, of_header

PICTURES = 3
LOOKED_THROUGH = 400  # scenes read before anything is computed
KNOTS = 12  # of the map from raw confidence to probability
PAIRS = loss.Pairs()
DRAWS = 3  # last part of a seed: keeps these numbers apart from the crops'
AUGMENT = {"full": Augment(), "light": Augment.lighting(), "none": Augment.none()}


@dataclass
class Batch:
    """Crops and what is known of them.

    left, right: (B, 3, rows, W) uint8. places: (B, rows, W), the matches' columns. draws: of each crop the paper's
    offsets (rows, W, 2), or None.
    """

    left: Tensor
    right: Tensor
    places: Tensor
    draws: list[Any]
    names: list[str]


class Trainer:
    """Trains a matching network: see ``core.training.Trainable`` for what the loop asks."""

    metric = "bad2"
    higher_is_better = False

    def __init__(self, options: Train, device: Device, folders: Sequence[tuple[str, Path]]) -> None:
        self.options, self.device = options, device
        self.scenes, self.chosen_on = _scenes(options, folders)
        self.seen: dict[data.Scene, data.Pair] = {}  # of those to choose by
        self.pairs_wanted = options.loss == "pairs" or options.model == "accurate"
        self.model, start, settings, before = _start(options)
        if self.pairs_wanted and hasattr(self.model, "sharpness"):
            self.model.sharpness.requires_grad_(False)  # the hinge knows nothing of it
        rank, world = share(options.batch, options.accumulate)
        crops = Crops(self.scenes, options.rows, options.crops, options.seed, AUGMENT[options.augment], options.cache)
        for number in range(min(len(self.scenes), LOOKED_THROUGH)):
            crops.pair(number)  # a truth that cannot be used is said now, not after an epoch
        self.sampler = EpochSampler(len(crops), options.batch, options.seed, (options.size,), rank, world)
        pinned = device.torch.type == "cuda"
        self.loader = loader(crops, self.sampler, collate, options.workers, prepare=image.one_thread, pin_memory=pinned)
        self.header: dict[str, Any] = {
            "task": "stereo",
            "model": described(options),
            "classes": ["disparity"],
            "data": {
                "sets": [name for name, _ in folders],
                "scenes": sorted({scene.name for scene in self.scenes} | before),  # eval warns of both
                "choosing": sorted({scene.name for scene in self.chosen_on}),
            },
            "start": start,
            "matching": settings.to_json(),
        }
        self.facts = {
            "train_scenes": [scene.name for scene in self.scenes],
            "choosing_scenes": [scene.name for scene in self.chosen_on],
            "start": start,
        }
        count = sum(parameter.numel() for parameter in self.model.parameters())
        begun = start if isinstance(start, str) else start["weights"]
        say(f"data    {len(self.scenes)} pairs to train, {len(self.chosen_on)} to choose by")
        say(f"model   {options.model}, {count / 1e6:.2f} M parameters, from {begun}")

    def steps(self) -> int:
        """Steps an epoch."""
        return self.sampler.batches

    def batches(self, epoch: int, start: int) -> Iterator[list[Batch]]:
        """This process's share of each batch, in parts."""
        self.sampler.set_epoch(epoch, start)
        for (left, right, places), picks in zip(self.loader, self.sampler, strict=True):
            names = [self.scenes[pick.index % len(self.scenes)].name for pick in picks]
            draws = (
                [self._draws(pick, places.shape[1:]) for pick in picks] if self.pairs_wanted else [None] * len(names)
            )
            yield [
                Batch(left[p], right[p], places[p], draws[p], names[p])
                for p in parts(len(names), self.options.accumulate)
            ]

    def size(self, batch: Batch) -> float:
        """Pixels of these crops that have a match."""
        return float(torch.isfinite(batch.places).sum())

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The summed loss of these crops, and how many of their pixels are told rightly."""
        left, right = (
            view.to(self.device.torch, non_blocking=True).float() / 255 for view in (batch.left, batch.right)
        )
        found = self.model(torch.cat([left, right]).contiguous(memory_format=torch.channels_last))  # (2 B, C, rows, W)
        one, two = found.float().chunk(2)
        places = batch.places.to(self.device.torch)
        if self.pairs_wanted:
            draws = torch.stack(batch.draws).to(self.device.torch)
            total, right_ones = loss.pairs_loss(self.model, one, two, places, draws)
        else:
            total, right_ones = loss.rows_loss(one, two, places, self.model.sharpness)
        return total, {"right": right_ones}

    def describe(self, batch: Batch) -> str:
        """The scenes of a batch, for the message when the loss is not finite."""
        return ", ".join(batch.names)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Bad pixels after all steps, visible and filled, in percent, on the scenes kept for choosing.

        With ``--tune`` the settings of the clean-up are searched first; the confidence is fitted, on these same scenes.
        """
        scenes = [(scene, self._pair(scene)) for scene in self.chosen_on]
        matching = replace(of_header(self.header), knots=())
        if self.options.tune:
            matching, _ = tuning.search(model, scenes, matching, self.device, self.options.tune, self.options.seed)
        measured = [self._measured(model, *one, matching) for one in scenes]
        raw = [one.answer.confidence[pair.visible] for one, (_, pair) in zip(measured, scenes, strict=True)]
        off = [one.answer.disparity - pair.truth for one, (_, pair) in zip(measured, scenes, strict=True)]
        right = [np.abs(d)[pair.visible] <= 1 for d, (_, pair) in zip(off, scenes, strict=True)]
        knots = confidence.calibrate(np.concatenate(raw), np.concatenate(right), KNOTS)
        self.header["matching"] = replace(matching, knots=tuple(knots)).to_json()
        found = metrics.mean(one.score for one in measured)
        return {"bad2": found["bad2_noc"] or 0.0, "bad1": found["bad1_noc"] or 0.0}

    def pictures(self, model: nn.Module, folder: Path) -> None:
        """The first scenes kept for choosing: left view, truth, answer and error."""
        for scene in self.chosen_on[:PICTURES]:
            pair = self._pair(scene)
            found = self._measured(model, scene, pair, of_header(self.header)).answer.disparity
            image.write_image(folder / f"{scene.name}.png", picture.montage(pair.left, pair.truth, found, pair.visible))

    def _measured(self, model: nn.Module, scene: data.Scene, pair: data.Pair, matching: Settings) -> measuring.Measured:
        return measuring.measure(model, scene, pair, options=Matching(), matching=matching, device=self.device)

    def _pair(self, scene: data.Scene) -> data.Pair:
        if scene not in self.seen:
            self.seen[scene] = data.read_pair(scene)
        return self.seen[scene]

    def _draws(self, pick: Pick, shape: torch.Size) -> Tensor:
        """(rows, W, 2): how far from the match the paper's two examples lie (section 3.1)."""
        rng = np.random.default_rng([self.options.seed, pick.epoch, pick.index, DRAWS])
        high = PAIRS.high_accurate if self.options.model == "accurate" else PAIRS.high
        near = rng.uniform(-PAIRS.positive, PAIRS.positive, shape)
        far = rng.uniform(PAIRS.low, high, shape) * rng.choice([-1, 1], shape)
        return torch.from_numpy(np.stack([near, far], axis=-1).astype(np.float32))  # (rows, W) twice -> (rows, W, 2)


def _scenes(options: Train, folders: Sequence[tuple[str, Path]]) -> tuple[list[data.Scene], list[data.Scene]]:
    """The scenes to train on and those to choose the best epoch by: whole scenes, however often they were taken."""
    found = [scene for _, folder in folders for scene in data.read_scenes(folder, "train")]
    groups = sorted({scene.group for scene in found})
    for name in options.leave_out:
        if name not in groups:
            raise UsageError(f'--leave-out: no scene "{name}"{nearest(name, groups)}')
    found = [scene for scene in found if scene.group not in options.leave_out]
    named = [s for _, folder in folders if "val" in data.splits(folder) for s in data.read_scenes(folder, "val")]
    if named and not options.hold_out:
        return found, named
    groups = sorted({scene.group for scene in found})
    count = max(1, round(len(groups) * (options.hold_out or 0.1)))
    if count >= len(groups):
        raise UsageError(f"{len(groups)} scenes are not enough: {count} would be kept to choose by and not trained on")
    kept = set(np.random.default_rng(options.seed).permutation(groups)[:count])
    return [s for s in found if s.group not in kept], [s for s in found if s.group in kept]


def _start(options: Train) -> tuple[nn.Module, dict[str, Any] | str, Settings, set[str]]:
    """The network to train, what it begins with, the numbers of its clean-up, and the scenes it has seen already."""
    shipped = options.model == "compact" and options.width == 1.0
    if options.start == "none" or (not options.start and not shipped):
        return build(described(options)), "random weights", Settings(), set()
    shown, path = weights.resolve(options.start, "stereo")
    read = checkpoint.load(path, task="stereo")
    if read.header["model"] != described(options):
        one, other = (
            ", ".join(f"{key} {value}" for key, value in m.items()) for m in (read.header["model"], described(options))
        )
        raise UsageError(f"--start {shown} is another network: {one}; asked for is {other}")
    origin, before = weights.origin(shown, path, read.header), measuring.seen_by(read.header)
    return from_checkpoint(read).train(), origin, of_header(read.header), before
