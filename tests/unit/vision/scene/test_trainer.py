"""What the training loop is given: photos that are kept apart, losses that add up, a header that says all."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from percept.core import checkpoint, weights
from percept.core.device import choose
from percept.core.errors import UsageError
from percept.vision.image import read_image
from percept.vision.scene import data, decode
from percept.vision.scene.data import VOID
from percept.vision.scene.loss import pixel_loss, right
from percept.vision.scene.metrics import Confusion
from percept.vision.scene.model import LEVELS
from percept.vision.scene.options import SEGMENTS, Train
from percept.vision.scene.trainer import Trainer

TINY = Path(__file__).resolve().parents[3] / "data" / "scene_tiny"
NAMES = ["sky", "ground", "upright", "thing"]
SHARES = {"sky": 0.1056, "ground": 0.3799, "upright": 0.2722, "thing": 0.2423}  # of the pixels that are not void
SMALL = {"size": 96, "crop": 64, "batch": 2, "start": "none", "workers": 0}
FARABET = {**SMALL, "model": "farabet", "crop": 32, "start": ""}


def made(folder: Path = TINY, **changed: object) -> Trainer:
    options = Train(data=(str(folder),), **{**SMALL, **changed})  # type: ignore[arg-type]
    torch.manual_seed(0)
    return Trainer(options, choose("cpu", 1), [(folder.name, folder)])


def names(photos: data.PhotoSet) -> set[str]:
    return {photo.name for photo in photos.photos}


def taught(trainer: Trainer, epochs: int) -> set[str]:
    return {
        name for epoch in range(epochs) for parts in trainer.batches(epoch, 0) for part in parts for name in part.names
    }


@pytest.fixture(scope="module")
def usual() -> Trainer:
    return made(batch=4, accumulate=2)


@pytest.fixture(scope="module")
def farabet() -> Trainer:
    return made(**FARABET)


def test_the_header_says_what_the_weights_are(usual: Trainer, farabet: Trainer) -> None:
    photos = data.read_photos(TINY, "train")
    assert dict(zip(NAMES, usual.header.pop("shares"), strict=True)) == pytest.approx(SHARES, abs=1e-3)
    assert usual.header == {
        "task": "scene-parse",
        "model": {"name": "pyramid"},
        "classes": NAMES,
        "colours": [list(colour) for colour in photos.colours],
        "size": 96,
        "sampling": "natural",
        "balance": 0.0,
        "data": {
            "sets": ["scene_tiny"],
            "split": "train",
            "photos": 5,
            "choosing": sorted(names(data.read_photos(TINY, "val"))),
            "names": sorted(names(photos)),
        },
        "start": "random weights",
    }
    assert usual.facts["train_photos"] == 5 and usual.facts["choosing_photos"] == 2
    assert usual.facts["class_weights"] == dict.fromkeys(NAMES, 1.0)
    model = {"name": "farabet", "connections": "paper", "seed": 0, "cover": True}
    assert farabet.header["model"] == model and farabet.header["start"] == "random weights"


def test_the_sets_own_photos_to_choose_by_are_never_trained_on(usual: Trainer) -> None:
    assert names(usual.chosen_on) == names(data.read_photos(TINY, "val"))
    assert taught(usual, 8) == names(usual.photos) == names(data.read_photos(TINY, "train"))
    assert not names(usual.photos) & names(usual.chosen_on)


def test_photos_held_out_are_never_trained_on() -> None:
    trainer = made(hold_out=0.4)
    assert len(trainer.chosen_on.photos) == 2 and len(trainer.photos.photos) == 3
    assert names(trainer.chosen_on) | names(trainer.photos) == names(data.read_photos(TINY, "train"))
    assert taught(trainer, 4) == names(trainer.photos), "and neither are those of val"
    assert trainer.header["data"]["choosing"] == sorted(names(trainer.chosen_on))


def test_a_fold_is_left_out() -> None:
    trainer, fold = made(fold=2), names(data.read_photos(TINY, "fold2"))
    assert len(fold) == 1
    assert names(trainer.photos) == names(data.read_photos(TINY, "train")) - fold
    assert not names(trainer.chosen_on) & fold
    assert trainer.header["data"]["split"] == "train-without-fold2" and trainer.header["data"]["photos"] == 4


def test_where_the_set_has_no_part_to_choose_by_a_tenth_is_held_out(tmp_path: Path) -> None:
    for kind in ("images", "labels"):
        shutil.copytree(TINY / kind / "train", tmp_path / kind)
    shutil.copy(TINY / "classes.txt", tmp_path)
    trainer = made(tmp_path)
    assert len(trainer.photos.photos) == 4 and len(trainer.chosen_on.photos) == 1


def test_batches_come_in_parts_with_the_names_of_their_photos(usual: Trainer) -> None:
    assert usual.steps() == 1
    ((first, second),) = usual.batches(0, 0)
    assert first.images.shape == second.images.shape == (2, 3, 64, 64) and first.labels.shape == (2, 64, 64)
    assert len({*first.names, *second.names}) == 4
    assert usual.describe(first) == ", ".join(first.names)
    assert usual.size(first) == int((first.labels != VOID).sum()) > 1000
    ((again, _),) = usual.batches(0, 0)
    assert torch.equal(first.images, again.images) and torch.equal(first.labels, again.labels)


@pytest.mark.parametrize("kind", ["usual", "farabet"])
def test_losses_of_parts_add_up_to_that_of_the_whole(kind: str, request: pytest.FixtureRequest) -> None:
    trainer: Trainer = request.getfixturevalue(kind)
    trainer.model.eval()  # else each part has statistics and dropout of its own
    whole = next(iter(made(**(FARABET if kind == "farabet" else SMALL)).batches(1, 0)))[0]
    parts = [type(whole)(whole.images[n : n + 1], whole.labels[n : n + 1], whole.names[n : n + 1]) for n in range(2)]
    with torch.no_grad():
        total, pieces = trainer.loss(whole)
        found = [trainer.loss(part) for part in parts]
    torch.testing.assert_close(sum(loss for loss, _ in found), total)
    assert sum(piece["right"] for _, piece in found) == pieces["right"] <= 1.1 * trainer.size(whole)
    assert trainer.size(whole) == sum(trainer.size(part) for part in parts)


def test_the_loss_is_that_of_all_scores_and_shares_of_the_early_ones(usual: Trainer) -> None:
    usual.model.eval()
    batch = next(iter(usual.batches(2, 0)))[0]
    with torch.no_grad():
        scores, early = usual.model.both(batch.images.float() / 255)
        wanted = pixel_loss(scores, batch.labels, usual.weights)
        wanted += 0.4 * sum(pixel_loss(coarse, batch.labels, usual.weights) for coarse in early)
        total, pieces = usual.loss(batch)
    assert len(early) == LEVELS
    torch.testing.assert_close(total, wanted)
    assert pieces["right"] == right(scores, batch.labels)


def test_farabet_trains_all_its_parts_at_once(farabet: Trainer) -> None:
    farabet.model.train().zero_grad()
    total, _ = farabet.loss(next(iter(farabet.batches(0, 0)))[0])
    assert torch.isfinite(total)
    total.backward()
    silent = [name for name, p in farabet.model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not silent


def test_a_few_steps_on_one_batch_lower_its_loss() -> None:
    trainer = made(start="imagenet", batch=2, crop=64, augment="none")
    batch = next(iter(trainer.batches(0, 0)))[0]
    optimizer = torch.optim.AdamW(trainer.model.train().parameters(), 3e-3)
    losses = []
    for _ in range(4):
        total, _ = trainer.loss(batch)
        losses.append(total.item() / trainer.size(batch))
        optimizer.zero_grad()
        (total / trainer.size(batch)).backward()
        optimizer.step()
    assert losses[-1] < 0.7 * losses[0]


def test_balanced_weights_are_made_of_the_trained_photos_pixels() -> None:
    trainer = made(sampling="balanced", fold=1)
    pixels = np.array(data.counts(trainer.photos).pixels)
    np.testing.assert_allclose(np.ptp(trainer.weights.numpy() * pixels) / pixels.mean(), 0, atol=1e-4)
    assert trainer.header["sampling"] == "balanced"


def answered_by_hand(trainer: Trainer) -> Confusion:
    counted = Confusion(4)
    for photo in trainer.chosen_on.photos:
        rgb, truth = data.read_pair(photo, trainer.chosen_on)
        found = decode.probabilities(trainer.model, decode.working(rgb, 96), trainer.device)
        counted.add(decode.labels(found, *truth.shape), truth)
    return counted


def test_epochs_are_chosen_by_the_photos_kept_for_it(usual: Trainer) -> None:
    usual.model.eval()
    figures = answered_by_hand(usual).figures()
    scores = usual.validate(usual.model)
    assert scores == {"miou": figures.mean_iou, "pixel": figures.pixel_accuracy, "class": figures.class_accuracy}
    assert scores[usual.metric] == figures.mean_iou and usual.higher_is_better
    assert "vote" not in usual.header


def test_tune_writes_the_vote_into_the_header() -> None:
    trainer = made(tune=True)
    trainer.model.eval()
    alone = answered_by_hand(trainer).figures()
    scores = trainer.validate(trainer.model)
    tuned = trainer.header["vote"]
    assert tuned["segments"] in SEGMENTS
    assert set(tuned) <= {"segments", "vote", "gate"} and ("vote" in tuned) == (tuned["segments"] != "none")
    assert scores["miou"] + scores["pixel"] >= alone.mean_iou + alone.pixel_accuracy


def test_pictures_to_look_at_are_of_the_photos_kept_for_choosing(usual: Trainer, tmp_path: Path) -> None:
    usual.model.eval()
    usual.pictures(usual.model, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bus_in_rain.jpg", "park_bench.jpg"]
    assert read_image(tmp_path / "park_bench.jpg").shape[1] > 2 * 96, "photo, truth, answer beside one another"


def test_a_new_network_begins_with_the_trunk_that_has_seen_imagenet() -> None:
    trainer = made(start="")
    theirs = checkpoint.load(weights.resolve("imagenet")[1])
    own = trainer.model.state_dict()
    assert all(torch.equal(own[name], theirs.tensors[name]) for name in own if name.startswith("features."))
    assert trainer.header["start"] == {
        "weights": "imagenet",
        "digest": theirs.header["digest"],
        "licence": theirs.header["licence"],
    }


@pytest.fixture
def earlier(usual: Trainer, tmp_path: Path) -> Path:
    """Weights that no random start gives."""
    path = tmp_path / "earlier.safetensors"
    tensors = {name: tensor + 1 for name, tensor in usual.model.state_dict().items()}
    checkpoint.save(path, tensors, usual.header)
    return path


def folder_of(tmp_path: Path, classes: str) -> Path:
    folder = tmp_path / "other"
    shutil.copytree(TINY, folder)
    (folder / "classes.txt").write_text(classes)
    return folder


def test_weights_of_the_same_classes_are_gone_on_with(earlier: Path) -> None:
    trainer = made(start=str(earlier))
    own, before = trainer.model.state_dict(), checkpoint.load(earlier).tensors
    assert own.keys() == before.keys() and all(torch.equal(own[name], before[name]) for name in before)
    assert trainer.header["start"]["weights"] == "earlier.safetensors"
    assert trainer.model.training


@pytest.mark.parametrize(
    "classes", ["0 sky\n1 ground\n2 upright\n3 thing\n4 bird\n", "0 up\n1 down\n2 left\n3 right\n"]
)
def test_weights_of_other_classes_give_all_but_the_last_layers(earlier: Path, tmp_path: Path, classes: str) -> None:
    trainer = made(folder_of(tmp_path, classes), start=str(earlier))
    own, before = trainer.model.state_dict(), checkpoint.load(earlier).tensors
    fresh = {name for name in own if own[name].shape != before[name].shape or not torch.equal(own[name], before[name])}
    assert fresh == {"classifier.weight", "classifier.bias", "early.weight", "early.bias"}
    assert len(trainer.header["classes"]) == classes.count("\n")


def test_weights_that_fit_nowhere_are_refused(earlier: Path) -> None:
    with pytest.raises(UsageError, match="weights of pyramid, not of farabet"):
        made(**{**FARABET, "start": str(earlier)})
    with pytest.raises(UsageError, match="--start yolox-nano: nothing in it fits pyramid"):
        made(start="yolox-nano")
    with pytest.raises(UsageError, match="--start imagenet: nothing in it fits farabet"):
        made(**{**FARABET, "start": "imagenet"})


def test_data_that_cannot_be_meant_are_refused_before_a_network_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> nn.Module:
        raise AssertionError("built")

    monkeypatch.setattr("percept.vision.scene.trainer.build", never)
    with pytest.raises(UsageError, match=r"labels/.*png: value 3 at \(\d+, \d+\) is not in the class list"):
        made(folder_of(tmp_path, "0 sky\n1 ground\n2 upright\n"))


def test_two_sets_are_not_mixed() -> None:
    with pytest.raises(UsageError, match="one --data"):
        Trainer(Train(data=("a", "b")), choose("cpu", 1), [("a", TINY), ("b", TINY)])
    with pytest.raises(UsageError, match="--batch 3 cannot be shared"):
        made(batch=3, accumulate=2)
