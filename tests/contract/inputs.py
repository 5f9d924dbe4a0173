"""The tiny real inputs with which each task goes through the menu of ``test_tasks.py``: a new task adds one entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from percept.speech.audio import read_audio
from percept.speech.features import log_mel, normalised
from percept.vision.image import read_image

TOP = Path(__file__).resolve().parents[2]
DATA, EXAMPLES = TOP / "tests" / "data", TOP / "examples"
PHOTOS, SPEECH = DATA / "coco_tiny" / "images", DATA / "speech_tiny"
DETECT: str | None = None  # shipped weights of detect that the tests use; None: the default


@dataclass(frozen=True)
class Inputs:
    """What the menu needs to know of a task.

    weights: shipped ones to answer with, None for the default; predict: arguments that are answered, one result each;
    further: flags that go with them; columns: cells of a line in a pipe, the input's name among them;
    broken: the bytes of an input that cannot be used, and the suffix of its file;
    data: a folder to train and to evaluate on; train: flags that make it a matter of a second, two epochs of two
    steps or more; metrics: the names that DESIGN promises for ``percept eval --json``;
    first: a training sample's file in ``data``; example: what the exported network is run on, input name -> array;
    another: weights of another task.
    """

    weights: str | None
    predict: tuple[Path, ...]
    columns: int
    broken: tuple[bytes, str]
    data: Path
    train: tuple[str, ...]
    metrics: tuple[str, ...]
    example: Callable[[], dict[str, np.ndarray]]
    another: str
    first: str
    further: tuple[str, ...] = ()

    @property
    def with_weights(self) -> tuple[str, ...]:
        """``--weights NAME``, or nothing for the default."""
        return ("--weights", self.weights) if self.weights else ()

    @property
    def start(self) -> tuple[str, ...]:
        """The same for training."""
        return ("--start", self.weights) if self.weights else ()


def photo(side: int) -> dict[str, np.ndarray]:
    """(1, 3, side, side) float32, RGB 0..1: a real photo as the networks of vision take it."""
    rgb = cv2.resize(read_image(EXAMPLES / "cat_grooming.jpg"), (side, side), interpolation=cv2.INTER_AREA)
    return {"images": rgb.transpose(2, 0, 1)[None].astype(np.float32) / 255}  # (H, W, 3) -> (1, 3, H, W)


def speech() -> dict[str, np.ndarray]:
    """(1, 301, 40) float32: normalised log-mel frames of a real sentence, as the networks of speech take them."""
    samples = torch.from_numpy(read_audio(SPEECH / "folder" / "val" / "8226-274369-0045.opus"))
    return {"mels": normalised(log_mel(samples))[None, :301].numpy()}  # (T, 40) -> (1, 301, 40)


def story() -> dict[str, np.ndarray]:
    """(1, 9, 8) int64 words as the networks of qa take them: a question, then sentences, the newest first."""
    return {"tokens": np.random.default_rng(0).integers(1, 40, (1, 9, 8))}


SHARES = ("0.5", "1", "2", "3", "4")  # pixels off from which stereo calls an answer bad
CUT = (PHOTOS / "horse_marsh.jpg").read_bytes()[:3000], ".jpg"  # its header is whole, half of its pixels are not there
TEXT = b"not a sound, but a text that is called one\n", ".wav"
SHORT = ("--epochs", "2", "--warmup", "0", "--lr", "0.001")

INPUTS = {
    "detect": Inputs(
        weights=DETECT,
        predict=(PHOTOS / "horse_marsh.jpg", PHOTOS / "motorcycle.jpg"),
        columns=7,  # input, label, score, x0, y0, x1, y1
        broken=CUT,
        data=DATA / "voc_cells",
        train=("--batch", "1", "--size", "64", "--multiscale", "0", *SHORT),
        metrics=("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large"),
        example=lambda: photo(96),
        another="imagenet",
        first="JPEGImages/BloodImage_00001.jpg",
    ),
    "classify": Inputs(
        weights=None,
        predict=(PHOTOS / "horse_marsh.jpg", PHOTOS / "motorcycle.jpg"),
        columns=3,  # input, label, probability
        broken=CUT,
        data=DATA / "classify_tiny",
        train=("--batch", "2", "--size", "32", *SHORT),
        metrics=("top1", "top5"),
        example=lambda: photo(64),
        another="yolox-nano",
        first="train/animal/dog_rug.jpg",
    ),
    "scene-parse": Inputs(
        weights=None,
        predict=(PHOTOS / "horse_marsh.jpg", PHOTOS / "motorcycle.jpg"),
        columns=3,  # input, label, share
        broken=CUT,
        data=DATA / "scene_tiny",
        train=("--batch", "2", "--size", "96", "--crop", "64", *SHORT),
        metrics=("pixel_accuracy", "class_accuracy", "mean_iou", "fw_iou", "boundary_f1"),
        example=lambda: photo(128),
        another="imagenet",
        first="images/train/horse_marsh.jpg",
    ),
    "acoustic": Inputs(
        weights=None,
        predict=tuple(sorted((SPEECH / "speechocean762" / "WAVE" / "SPEAKER1033").glob("*.opus"))),
        columns=5,  # input, start, end, word, confidence
        broken=TEXT,
        data=SPEECH / "folder",
        train=("--batch", "2", "--width", "16", "--blocks", "1", *SHORT),
        metrics=("frame_error", "per", "wer"),
        example=speech,
        another="imagenet",
        first="train/118-121721-0000.opus",
    ),
    "align": Inputs(
        weights=None,
        predict=tuple(SPEECH / "folder" / "train" / f"{name}.opus" for name in ("118-121721-0000", "7367-86737-0000")),
        columns=5,  # input, start, end, word, confidence
        broken=TEXT,
        data=SPEECH / "folder",
        train=("--batch", "2", "--width", "16", "--blocks", "1", *SHORT),
        metrics=(
            *("phone_mean_ms", "phone_median_ms", "phone_bias_ms", "within10", "within20", "within25", "within50"),
            *("word_start_ms", "word_end_ms", "failures", "flagged_wrong", "flagged_right", "fit"),
        ),
        example=speech,
        another="imagenet",
        first="train/118-121721-0000.opus",
    ),
    "stereo": Inputs(
        weights=None,
        predict=tuple(sorted((DATA / "stereo_tiny" / "pairs").glob("*"))),
        columns=7,  # input, width, height, max_disparity, lowest, highest, filled
        broken=CUT,
        data=DATA / "stereo_tiny",
        train=("--batch", "1", "--size", "64", "--rows", "48", "--crops", "2", "--model", "fast", *SHORT),
        metrics=(
            *(f"bad{pixels}_{where}" for pixels in SHARES for where in ("noc", "all")),
            *("epe_noc", "rms_noc", "density", "d1_all"),
        ),
        example=lambda: photo(96),
        another="imagenet",
        first="train/left/teddy.png",
    ),
    "qa": Inputs(
        weights=None,
        predict=(DATA / "qa_tiny" / "garden.txt", DATA / "qa_tiny" / "ways.txt"),
        columns=4,  # input, question, answer, probability
        broken=(CUT[0], ".txt"),
        data=DATA / "qa_tiny",
        train=("--joint", "--batch", "8", "--dimension", "16", "--hops", "2", *SHORT),
        metrics=("mean_error", "failed_tasks"),
        example=story,
        another="imagenet",
        first="qa1_single-supporting-fact_train.txt",
    ),
    "lm": Inputs(
        weights=None,
        predict=(DATA / "lm_tiny" / "valid.txt", DATA / "lm_tiny" / "test.txt"),
        columns=6,  # input, tokens, unknown, perplexity, bits a token, bits a character
        broken=(b"The good \xff man\n", ".txt"),
        data=DATA / "lm_tiny",
        train=("--batch", "8", "--bptt", "20", "--embedding", "16", "--hidden", "16", *SHORT),
        metrics=("perplexity", "bits_per_token", "bits_per_character", "oov_rate", "tokens"),
        example=lambda: {"words": np.array([[3, 1, 4, 1, 5, 9, 2, 6]])},
        another="imagenet",
        first="train.txt",
    ),
}
