"""Sound of any common kind in, float32 mono at 16 kHz out: a whole recording, or block by block in bounded memory.

libsndfile decodes (through soundfile); what it needs no help with is left to it. Here is decided what becomes of a file
that was cut off, of a header that lies, of channels that cancel each other out, and of what is no sound at all.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile

from percept.core.errors import InputError
from percept.core.kinds import looks_like, reason, unreadable

RATE = 16_000  # samples a second, of all sound inside percept
QUIET = 1e-4  # of full scale: a sound that nowhere exceeds it is silence
LOWEST, HIGHEST = 1_000, 192_000  # samples a second that are read
SUFFIXES = frozenset(
    {".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".sph", ".nist", ".aiff", ".aif", ".aifc", ".au"}
    | {".snd", ".w64", ".rf64", ".caf"}
)
BLOCK = 60.0  # seconds
MOST_VALUES = 2**22  # decoded at a time, all channels together: 16 MB
IN_MEMORY = 2**25  # bytes of a pipe; the rest of it goes to a temporary file
LISTENED = 30.0  # seconds, silence not counted, that tell whether the channels cancel each other out
CANCELLED = 0.05  # energy of their sum by the sum of their energies: about 1 if they have nothing to do with each other
MISSED = 0.1  # seconds that may lack before it is worth a word
PACKED = 200  # samples a byte; more than any coding of sound reaches, so that a header which promises them lies
LOUDEST = 1e12  # beyond it the square of a sample is no float32 any more; full scale is 1

# Lengths that programs write which cannot go back to fill in the true one: nobody's promise.
_UNKNOWN = ((0x7FFFF000, 0x80000100), (0xFFFFF000, 0xFFFFFFFF))
_SOUND = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b".snd", b"caff", b"NIST_1A", b"fLaC", b"OggS", b"ID3")


class _Bytes:
    """A file as libsndfile sees it: without a name to guess by, and without errors, which soundfile would print.

    A damaged header sends libsndfile to places that no file has; a disk may fail. Both are the end of the file here.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.tell = file.tell

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with suppress(OSError, ValueError):
            self._file.seek(offset, whence)
        return self._file.tell()

    def read(self, count: int) -> bytes:
        with suppress(OSError):
            return self._file.read(count)
        return b""


class _Forward(soundfile.SoundFile):
    """A decoder that is only read on and on.

    soundfile searches for the place where it already is after each read, wherever searching is possible. MP3 loses by
    that what the next frames share with the last ones, and garbles them; FLAC fails at the end of the file.
    """

    def seekable(self) -> bool:
        return False


class Recording:
    """A sound file that has been opened; made by :func:`opened`.

    rate: samples a second in the file. channels: in the file. duration: seconds, as far as the header and the file's
    size tell; None where they do not, or not believably.
    """

    def __init__(self, file: BinaryIO, head: bytes, size: int) -> None:
        self._file, self._fresh = file, True
        try:
            self._sound = _Forward(_Bytes(file))
        except soundfile.LibsndfileError as error:
            raise InputError(_refusal(head)) from error
        self.rate, self.channels = int(self._sound.samplerate), int(self._sound.channels)
        if not LOWEST <= self.rate <= HIGHEST:
            raise InputError(f"{self.rate:,} samples a second; {LOWEST:,} to {HIGHEST:,} are read")
        if not self._sound.frames:
            raise InputError(
                f"no samples are found in its {size:,} bytes; was it cut off, or its recording never ended?"
            )
        self._promised = _promised(self._sound, head)
        self.duration = self._sound.frames / self.rate if self._sound.frames <= PACKED * size else None
        self._weights: np.ndarray | None = None  # (channels,)
        self._channel, self._missing = "", ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the file, a phrase each; complete once :meth:`blocks` has come to its end."""
        return tuple(note for note in (self._channel, self._missing) if note)

    def blocks(self, seconds: float = BLOCK) -> Iterator[np.ndarray]:
        """The sound from its beginning: (n,) float32 mono at RATE, about ``seconds`` at a time; never an empty block.

        The mean of the channels; if that leaves next to nothing of them, as it does where one is the other upside down,
        a loud channel alone. A file that was cut off or is damaged gives what comes before that. Each call begins anew,
        and ends the one before it.

        Raises:
            InputError: not a single sample can be decoded, or one is NaN or infinite; the message says when.
        """
        if self._weights is None:
            self._weights = self._mixing()
        resampler = None
        if self.rate != RATE:
            from percept.speech.resample import Resampler  # with it comes numba, half a second; most files need it not

            resampler = Resampler(self.rate, RATE)
        frames = 0
        for block in self._decoded(seconds):  # (n, channels)
            mono = _mono(block, self._weights, frames / self.rate, self.rate)  # (n,)
            frames += len(mono)
            found = resampler.feed(mono) if resampler else mono
            if len(found):
                yield found
        if resampler and len(found := resampler.finish()):
            yield found

    def close(self) -> None:
        """Let go of the decoder; :func:`opened` does it."""
        self._sound.close()

    def _mixing(self) -> np.ndarray:
        """(channels,) float32: how much each channel counts."""
        if self.channels == 1:
            return np.ones(1, np.float32)
        energies, of_sum, heard = np.zeros(self.channels), 0.0, 0
        for block in self._decoded(1.0):  # (n, channels)
            apart, together = _energies(block)
            energies += apart
            of_sum += together
            heard += len(block) if block.any() else 0
            if heard >= LISTENED * self.rate:
                break
        weights, self._channel = _weights(energies, of_sum)
        return weights

    def _decoded(self, seconds: float) -> Iterator[np.ndarray]:
        """(n, channels) float32 from the beginning, as far as the file goes."""
        if not self._fresh:
            self._sound.close()
            self._file.seek(0)
            self._sound = _Forward(_Bytes(self._file))
        self._fresh = False
        count = max(1, min(round(seconds * self.rate), MOST_VALUES // self.channels, self._sound.frames + 1))
        frames, broken, whole = 0, False, False
        while not (broken or whole):
            # A decoder that fails has filled in what came before: NaN marks what it has not reached.
            block = np.full((count, self.channels), np.nan, np.float32)
            try:
                block = self._sound.read(out=block)
            except soundfile.LibsndfileError:
                broken = True
                block = block[: int(np.isfinite(block[:, -1]).sum())]
            whole = len(block) < count
            frames += len(block)
            if len(block):
                yield block
        if not frames:
            raise InputError("cut off or damaged: not one sample of it can be decoded")
        there = frames / self.rate
        short = self._promised is not None and self._promised > there + MISSED
        self._missing = f"its header promises {self._promised:,.1f} s, {there:,.1f} s are there" if short else ""


def read_audio(source: Path | bytes | BinaryIO) -> np.ndarray:
    """The sound in a file, in the bytes of one, or in what a pipe sends: (N,) float32 mono at RATE.

    What becomes of several channels and of damage, :meth:`Recording.blocks` says. Silence is sound too.

    Raises:
        InputError: no sound file, one that cannot be decoded, or samples that are NaN or infinite.
    """
    with opened(source) as recording:
        blocks = list(recording.blocks())
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def to_samples(x: Any, rate: int | None = None) -> np.ndarray:
    """Whatever a Python caller has for sound, as (N,) float32 mono at RATE.

    x: a path or the bytes of a file; or an array or tensor, (N,), (N, C) or (C, N): the longer side is time. Floats
        have full scale at 1, whole numbers at the largest of their kind (uint8 rests at 128).
    rate: samples a second of an array or tensor, 16,000 unless given; a file says its own.

    Raises:
        InputError: it is none of these, has no samples, or some are NaN or infinite.
    """
    if isinstance(x, (str, Path)):
        return read_audio(Path(x))
    if isinstance(x, (bytes, bytearray, memoryview)):
        return read_audio(bytes(x))
    if type(x).__module__.partition(".")[0] == "torch" and hasattr(x, "detach"):
        x = x.detach().cpu()
        x = (x.float() if x.is_floating_point() else x).numpy()
    if not isinstance(x, np.ndarray):
        raise InputError(f"a {type(x).__name__} is no sound; give a path, an array or a tensor")
    values = _scaled(x)
    if values.ndim not in (1, 2) or not values.size:
        raise InputError(f"an array of shape {x.shape}; expected (N,), (N, C) or (C, N)")
    rate = RATE if rate is None else rate
    if not LOWEST <= rate <= HIGHEST or rate != int(rate):
        raise InputError(f"{rate:,} samples a second; {LOWEST:,} to {HIGHEST:,} are read")
    if values.ndim == 2 and values.shape[0] < values.shape[1]:
        values = values.T  # (C, N) -> (N, C)
    values = values.reshape(len(values), -1)  # (N,) -> (N, 1)
    weights, _ = _weights(*_energies(values))
    mono = _mono(values, weights, 0.0, int(rate))  # (N,)
    if rate == RATE:
        return mono
    from percept.speech.resample import resampled

    return resampled(mono, int(rate), RATE)


@contextmanager
def opened(source: Path | bytes | BinaryIO) -> Iterator[Recording]:
    """A sound file, the bytes of one, or a file object with one in it (a pipe is read to its end), open for reading.

    Raises:
        InputError: no such file; no sound file, or one that cannot be decoded, has no samples, or a rate beyond 1 to
            192 kHz.
    """
    with ExitStack() as stack:
        try:
            file = _file(source, stack)
            head = file.read(4096)
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
        except OSError as error:
            raise InputError(reason(error)) from error
        if not head:
            raise InputError("an empty file")
        recording = Recording(file, head, size)
        stack.callback(recording.close)
        yield recording


def _file(source: Path | bytes | BinaryIO, stack: ExitStack) -> BinaryIO:
    """A file object that can be searched and stands at its beginning."""
    if isinstance(source, Path):
        if problem := unreadable(source):
            raise InputError(problem)
        return stack.enter_context(source.open("rb"))
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if source.seekable() and source.tell() == 0:
        return source
    copy = stack.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 (the stack closes it)
    shutil.copyfileobj(source, copy)
    copy.seek(0)
    return copy


def _refusal(head: bytes) -> str:
    """Why libsndfile did not open a file, in words that help."""
    kind = looks_like(head[:512])
    if b"shorten" in head and head.startswith(b"NIST_1A"):
        return "NIST SPHERE packed by shorten; unpack it first, as sph2pipe does"
    if head[4:11] == b"ftypM4A":
        return "AAC (.m4a) is not read; turn it into WAV or FLAC first, as ffmpeg -i FILE sound.wav does"
    if kind == "a video":
        return "a video; take the sound out of it first, as ffmpeg -i VIDEO sound.wav does"
    if not head.startswith(_SOUND) and "sound" not in kind:
        return f"not a sound file ({kind})"
    return "nothing of it can be decoded: it was cut off, is damaged, or coded in a way that libsndfile does not know"


def _promised(sound: soundfile.SoundFile, head: bytes) -> float | None:
    """Seconds that the header speaks of, which may be more than there are; None where it says nothing.

    Of formats without compression libsndfile counts what is there, and tells in its log what the header said.
    """
    log, frames = sound.extra_info, sound.frames
    if found := re.search(r"^\s*data : (\d+) \(should be (\d+)\)", log, re.MULTILINE):
        said, there = map(int, found.groups())
        if any(low <= said <= high for low, high in _UNKNOWN) or not there:
            return None
        frames = frames * said / there
    elif found := re.search(r"'COMM' chunk \((\d+)\) not equal", log) or (
        sound.format == "NIST" and re.search(r"sample_count -i (\d+)", head.decode("latin-1"))
    ):
        frames = max(frames, int(found[1]))
    return frames / sound.samplerate if frames < 2**62 else None


def _energies(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Of (N, C) the energy of each channel, (C,), and that of their sum."""
    with np.errstate(over="ignore", invalid="ignore"):  # what is no number is found later, and named
        return np.square(values).sum(axis=0, dtype=float), float(np.square(values.sum(axis=1)).sum(dtype=float))


def _weights(energies: np.ndarray, of_sum: float) -> tuple[np.ndarray, str]:
    """((C,) float32, note): a mean of the channels, or a loud one alone where they cancel each other out.

    energies: (C,) of the channels; of_sum: that of their sum.
    """
    channels = len(energies)
    if channels > 1 and of_sum < CANCELLED * energies.sum():
        loud = int(np.argmax(energies > 0.5 * energies.max()))  # the first that is not much softer than another
        heard = f"channel {loud + 1} alone is heard"
        note = f"its {channels} channels cancel each other out (opposite in phase); {heard}"
        return np.eye(channels, dtype=np.float32)[loud], note
    return np.full(channels, 1 / channels, np.float32), ""


def _mono(block: np.ndarray, weights: np.ndarray, start: float, rate: int) -> np.ndarray:
    """(n, C), (C,) -> (n,) float32; InputError for what is no number. start: seconds before the block."""
    with np.errstate(over="ignore", invalid="ignore"):
        mono = block[:, 0] if len(weights) == 1 else block @ weights
    if not np.abs(mono).max() <= LOUDEST:  # NaN compares to nothing
        place = int(np.argmin(np.abs(mono) <= LOUDEST))
        raise InputError(f"a sample that is no number (NaN or infinite) at {start + place / rate:.3f} s")
    return mono


def _scaled(values: np.ndarray) -> np.ndarray:
    """Numbers of any kind as float32 with full scale at 1."""
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - 128) / 128
    if values.dtype in (np.int8, np.int16, np.int32):
        return (values / -float(np.iinfo(values.dtype).min)).astype(np.float32)
    if not np.issubdtype(values.dtype, np.floating):
        raise InputError(f"numbers of type {values.dtype}; give floats, or whole numbers of 8, 16 or 32 bits")
    with np.errstate(over="ignore"):
        return values.astype(np.float32)
