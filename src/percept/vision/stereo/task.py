"""Stereo's verbs: what predict, train, eval, export and data check do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from percept.core import checkpoint, datasets, weights
from percept.core.console import say
from percept.core.device import Device, choose
from percept.core.evaluation import Report, answers
from percept.vision import image, onnx
from percept.vision.stereo import check as checks
from percept.vision.stereo import confidence, data, decode, measuring, metrics, picture, settings, tables
from percept.vision.stereo.matcher import load, max_disparity
from percept.vision.stereo.networks import from_checkpoint
from percept.vision.stereo.options import DATASETS, Evaluate, Export, Train
from percept.vision.stereo.published import published
from percept.vision.stereo.trainer import Trainer

__all__ = ["check", "evaluate", "export", "load", "trainer"]


def trainer(options: Train, device: Device) -> Trainer:
    """What the training loop is given. Data and truths are checked here, before anything is computed."""
    return Trainer(options, device, [(_name(name), _folder(name)) for name in options.data])


def evaluate(options: Evaluate) -> Report:
    """Bad pixels, errors and D1 by the protocols of Middlebury and KITTI, a scene a row."""
    folder = _folder(options.data)
    max_disparity(options.max_disp)  # a wrong word is said before anything is read
    there = data.splits(folder)
    split = options.split or next((name for name in ("test", "val", "v3") if name in there), "all")
    scenes = data.read_scenes(folder, split)
    scenes = scenes[: options.limit] if options.limit else scenes
    device = choose(options.device, options.threads, options.precision)
    shown, header, network = "census", {}, None
    matching = settings.CENSUS
    if options.cost == "net":
        shown, path = weights.resolve(options.weights, "stereo")
        read = checkpoint.load(path, task="stereo")
        header, network = read.header, from_checkpoint(read).to(device.torch)
        matching = settings.of_header(header)
    trained_on = sorted({scene.name for scene in scenes} & measuring.seen_by(header))
    if trained_on:
        say(f"these weights have seen {', '.join(trained_on)}: the scores below are no test")

    def scored(scene: data.Scene) -> measuring.Measured:
        pair = data.read_pair(scene)
        found = measuring.measure(network, scene, pair, options=options, matching=matching, device=device)
        curves.add(found.answer, pair)
        if options.out:
            shown_as = picture.montage(pair.left, pair.truth, found.answer.disparity, pair.visible)
            files.append(Path(options.out) / f"{scene.name}.png")
            image.write_image(files[-1], shown_as)
        return found

    decode.warm_up(network, options, matching, device)  # which is no scene's time
    files: list[Path] = []
    curves = confidence.Sparsification()
    found, seconds = answers("pairs", scenes, scored)
    ours = metrics.mean(one.score for one in found)
    shown_tables = [tables.scenes(found, ours), tables.figures(ours), tables.areas(curves.areas()), tables.times(found)]
    details: dict[str, Any] = {"scenes": {one.scene.name: one.score.figures() for one in found}}
    if options.ablation:
        rows = measuring.ablation(network, scenes, options=options, matching=matching, device=device)
        shown_tables.insert(1, tables.ablation(rows))
        details["ablation"] = rows
    holes = f"{100 - (ours['density'] or 0):.1f} % of them were filled in"
    return Report(
        "stereo",
        _name(options.data),
        split,
        shown,
        len(scenes),
        ours,
        seconds,
        published=published({scene.set for scene in scenes}),
        tables=shown_tables,
        note=f"percent of non-occluded pixels, {holes}; thresholds in pixels of these pictures; {device}",
        files=files,
        details={**details, "trained_on": trained_on, "sparsification": curves.areas()},
    )


def export(options: Export) -> dict[str, Any]:
    """ONNX: images (B, 3, H, W) RGB 0..1 -> vectors (B, C, H, W), whose products are what is matched."""
    shown, path = weights.resolve(options.weights, "stereo")
    read = checkpoint.load(path, task="stereo")
    network = from_checkpoint(read)
    outputs = {"vectors": {0: "batch", 2: "height", 3: "width"}}
    return onnx.write(network, read.header, shown, options.out, size=options.size, further=24, outputs=outputs)


def check(folder: Path) -> checks.Report | None:
    """What a folder of pairs holds and what is wrong with it, or None if it is no such folder."""
    return checks.report(folder) if data.recognise(folder) else None


def _folder(name: str) -> Path:
    return datasets.find(name, datasets.rows({"stereo": DATASETS}), "stereo")[0]


def _name(name: str) -> str:
    return Path(name).name or name
