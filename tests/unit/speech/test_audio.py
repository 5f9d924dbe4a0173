"""Every kind of sound file, and all that goes wrong with them."""

from __future__ import annotations

import io
import os
import struct
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from percept.core.errors import InputError
from percept.speech.audio import RATE, SUFFIXES, opened, read_audio, to_samples

TINY = Path(__file__).parents[2] / "data" / "commands_tiny"
NOISE = np.random.default_rng(0).normal(0, 0.02, 2 * RATE)


def tone(rate: int = RATE, seconds: float = 2.0, hertz: float = 440.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encoded(samples: np.ndarray, rate: int = RATE, form: str = "WAV", coding: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=coding)
    return file.getvalue()


def sphere(samples: np.ndarray, order: str = "01", count: int | None = None, coding: str = "") -> bytes:
    """As TIMIT's .WAV files are: a header in words, then 16-bit samples, low byte first if order is "01"."""
    lines = ["NIST_1A", "   1024", "database_id -s5 TIMIT", "utterance_id -s8 cjf0_sa1", "channel_count -i 1"]
    lines += [f"sample_count -i {len(samples) if count is None else count}", "sample_rate -i 16000"]
    lines += ["sample_n_bytes -i 2", f"sample_byte_format -s2 {order}", "sample_sig_bits -i 16", coding, "end_head", ""]
    numbers = np.rint(samples * 32767).astype("<i2" if order == "01" else ">i2")
    return "\n".join(line for line in lines if line).encode().ljust(1023, b"\n") + b"\n" + numbers.tobytes()


def with_notes(source: bytes | Path, seconds: float = 60.0) -> tuple[np.ndarray, tuple[str, ...], float | None]:
    with opened(source) as recording:
        blocks = list(recording.blocks(seconds))
        assert all(block.dtype == np.float32 and block.ndim == 1 and len(block) for block in blocks)
        return np.concatenate(blocks), recording.notes, recording.duration


def refusal(source: bytes | Path) -> str:
    with pytest.raises(InputError) as caught:
        read_audio(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("form", "coding", "near"),
    [
        *[("WAV", coding, 1e-4) for coding in ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")],
        *[("WAV", coding, 2e-2) for coding in ("PCM_U8", "ULAW", "ALAW", "MS_ADPCM", "IMA_ADPCM")],
        *[(form, "PCM_16", 1e-4) for form in ("WAVEX", "FLAC", "AIFF", "AU", "W64", "RF64", "CAF", "NIST")],
        *[("NIST", "ULAW", 2e-2), ("AU", "ALAW", 2e-2), ("CAF", "ALAC_16", 1e-4), ("WAV", "GSM610", 0.1)],
        *[("OGG", "VORBIS", 0.05), ("OGG", "OPUS", 0.05), ("MP3", "MPEG_LAYER_III", 0.05)],
    ],
)
def test_every_coding(form: str, coding: str, near: float) -> None:
    sound = tone()
    data = encoded(sound, form=form, coding=coding)
    samples, notes, duration = with_notes(data)
    assert samples.dtype == np.float32 and samples.shape == (len(samples),) and notes == ()
    assert duration == pytest.approx(len(samples) / RATE)
    assert len(samples) == 2 * RATE or coding.endswith("ADPCM")  # whose blocks are filled up
    inner = slice(1000, 2 * RATE - 1000)
    assert np.sqrt(np.square(samples[inner] - sound[inner]).mean()) < near
    assert np.abs(with_notes(data, 0.3)[0] - samples).max() < 1e-6


@pytest.mark.parametrize("rate", [1000, 8000, 11_025, 16_000, 22_050, 44_100, 44_101, 48_000, 96_000, 192_000])
def test_every_rate_comes_out_at_16_khz_whole_and_in_blocks(rate: int) -> None:
    data = encoded(tone(rate, 1.0, 200.0), rate, coding="FLOAT")
    with opened(data) as recording:
        assert recording.rate == rate and recording.duration == 1.0
        pieces = list(recording.blocks(0.07))
        again = np.concatenate(list(recording.blocks(0.23)))
    whole = read_audio(data)
    assert len(pieces) > 10 and len(whole) == RATE
    assert np.abs(np.concatenate(pieces) - whole).max() < 1e-6 and np.abs(again - whole).max() < 1e-6
    inner = slice(1000, -1000)  # at the ends the tone breaks off
    assert np.abs(whole[inner] - tone(RATE, 1.0, 200.0)[inner]).max() < 1e-3


@pytest.mark.parametrize("rate", [500, 999, 192_001, 384_000])
def test_rates_that_are_no_sound(rate: int) -> None:
    assert refusal(encoded(tone(), rate)) == f"{rate:,} samples a second; 1,000 to 192,000 are read"


def test_opus_from_a_file_and_from_its_bytes() -> None:
    path = next(TINY.rglob("*.opus"))
    samples = read_audio(path)
    assert samples.shape == (RATE,) and 0.01 < np.abs(samples).max() <= 1
    assert np.array_equal(read_audio(path.read_bytes()), samples)


def test_the_mean_of_the_channels() -> None:
    left, right = tone(hertz=300), tone(hertz=500)
    samples, notes, _ = with_notes(encoded(np.stack([left, right], 1), coding="FLOAT"))
    assert np.allclose(samples, (left + right) / 2, atol=1e-6) and notes == ()
    one_of_eight = np.zeros((len(left), 8), np.float32)
    one_of_eight[:, 5] = left
    samples, notes, _ = with_notes(encoded(one_of_eight, coding="PCM_24"))
    assert np.allclose(samples, left / 8, atol=1e-6) and notes == ()


@pytest.mark.parametrize("gain", [1.0, 0.8, 1.2])
def test_channels_that_cancel_each_other_out(gain: float) -> None:
    both = np.stack([tone() + NOISE, -gain * tone()], 1).astype(np.float32)
    for seconds in (60.0, 0.1):
        samples, notes, _ = with_notes(encoded(both, coding="FLOAT"), seconds)
        assert np.allclose(samples, both[:, 0])
        assert notes == ("its 2 channels cancel each other out (opposite in phase); channel 1 alone is heard",)


def test_a_speaker_who_comes_in_late_on_the_other_channel_is_heard() -> None:
    both = np.zeros((40 * 1000, 2), np.float32)  # a telephone call, 40 s at 1 kHz
    both[: 35 * 1000, 0] = both[35 * 1000 :, 1] = 0.5
    samples, notes, _ = with_notes(encoded(both, 1000, coding="FLOAT"))
    assert samples[38 * RATE] == pytest.approx(0.25, abs=0.01) and notes == ()


@pytest.mark.parametrize("order", ["01", "10"])
def test_sphere_files_named_wav(tmp_path: Path, order: str) -> None:
    path = tmp_path / "SA1.WAV"
    path.write_bytes(sphere(tone(), order))
    samples, notes, duration = with_notes(path)
    assert np.allclose(samples, tone(), atol=1e-4) and notes == () and duration == 2.0


def test_a_packed_sphere_file_says_what_unpacks_it() -> None:
    data = sphere(tone(), coding="sample_coding -s26 pcm,embedded-shorten-v2.00")
    assert refusal(data) == "NIST SPHERE packed by shorten; unpack it first, as sph2pipe does"


def wav_of_length(claimed: int) -> bytes:
    data = bytearray(encoded(tone()))
    place = data.index(b"data") + 4
    data[place : place + 4] = struct.pack("<I", claimed)
    return bytes(data)


def flac_of_length(claimed: int) -> bytes:
    data = bytearray(encoded(tone() + NOISE, form="FLAC"))
    numbers = int.from_bytes(data[18:26], "big")  # rate, channels and bits before the 36 bits of the length
    data[18:26] = (numbers >> 36 << 36 | claimed).to_bytes(8, "big")
    return bytes(data)


def test_a_header_that_promises_ten_hours() -> None:
    ten_hours = 36_000 * RATE
    for data, duration in (
        (wav_of_length(2 * ten_hours), 2.0),
        (sphere(tone(), count=ten_hours), 2.0),
        (flac_of_length(ten_hours), None),
    ):
        tracemalloc.start()
        samples, notes, said = with_notes(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert notes == ("its header promises 36,000.0 s, 2.0 s are there",) and said == duration
        assert len(samples) == 2 * RATE and peak < 30e6


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF024])
def test_lengths_of_those_who_cannot_know_them_are_no_promise(claimed: int) -> None:
    samples, notes, duration = with_notes(wav_of_length(claimed))
    assert len(samples) == 2 * RATE and notes == () and duration == 2.0


def test_a_flac_stream_of_unknown_length() -> None:
    samples, notes, duration = with_notes(flac_of_length(0))
    assert len(samples) == 2 * RATE and notes == () and duration is None


@pytest.mark.parametrize("form", ["WAV", "AIFF", "NIST", "FLAC", "MP3"])
def test_a_file_that_was_cut_off_gives_what_is_there(form: str) -> None:
    sound = np.concatenate([tone() + NOISE] * 3).astype(np.float32)
    data = encoded(sound, form=form, coding="MPEG_LAYER_III" if form == "MP3" else "PCM_16")
    samples, notes, _ = with_notes(data[: len(data) // 2])
    assert 2.0 < len(samples) / RATE < 3.5
    assert notes == (f"its header promises 6.0 s, {len(samples) / RATE:.1f} s are there",)
    assert np.sqrt(np.square(samples[2000:30_000] - sound[2000:30_000]).mean()) < 0.05


def test_an_ogg_file_that_was_cut_off_ends_earlier() -> None:
    data = encoded(np.concatenate([tone() + NOISE] * 5), form="OGG", coding="OPUS")
    samples, _, duration = with_notes(data[: len(data) // 2])
    assert 2.0 < len(samples) / RATE < 8.0 and duration == pytest.approx(len(samples) / RATE)


def test_a_damaged_flac_file_gives_what_comes_before() -> None:
    data = bytearray(encoded(np.concatenate([tone() + NOISE] * 3), form="FLAC"))
    data[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
    samples, notes, _ = with_notes(bytes(data))
    assert 1.5 < len(samples) / RATE < 3.5 and "its header promises 6.0 s" in notes[0]


@pytest.mark.parametrize(
    ("form", "coding"), [("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("CAF", "PCM_16")]
)
def test_of_some_files_nothing_is_left(form: str, coding: str) -> None:
    data = encoded(tone() + NOISE, form=form, coding=coding)
    assert "cut off" in refusal(data[: len(data) // 9])


def test_a_flac_file_without_a_whole_frame() -> None:
    data = encoded(tone() + NOISE, form="FLAC")
    assert refusal(data[:5000]) == "cut off or damaged: not one sample of it can be decoded"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "an empty file"),
        (b"dear diary\n" * 50, "not a sound file (it begins like text)"),
        (b"<!DOCTYPE html><html></html>", "not a sound file (a web page)"),
        (b"%PDF-1.7\n", "not a sound file (a PDF)"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "not a sound file (a PNG picture)"),
        (bytes(5000), "not a sound file (it begins with nothing but zeros)"),
        (
            bytes(4) + b"ftypisom" + bytes(99),
            "a video; take the sound out of it first, as ffmpeg -i VIDEO sound.wav does",
        ),
        (
            bytes(4) + b"ftypM4A " + bytes(99),
            "AAC (.m4a) is not read; turn it into WAV or FLAC first, as ffmpeg -i FILE",
        ),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "nothing of it can be decoded: it was cut off, is damaged, or coded"),
        (encoded(tone()).replace(b"\x01\x00\x01\x00", b"\x64\x00\x01\x00", 1), "nothing of it can be decoded"),
    ],
)
def test_what_is_no_sound_is_told_in_a_line(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    path.write_bytes(data)
    assert refusal(path).startswith(says) and refusal(data).startswith(says)


def test_paths_that_lead_to_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone.wav") == "no such file"
    assert refusal(tmp_path) == "a folder, not a file"


def test_no_samples_and_silence() -> None:
    assert refusal(encoded(tone()[:0])).startswith("no samples are found in its 44 bytes")
    assert refusal(wav_of_length(0)).startswith("no samples are found in its 64,044 bytes")
    silence = read_audio(encoded(np.zeros((8000, 2)), 8000))
    assert silence.shape == (RATE,) and not silence.any()
    assert len(read_audio(encoded(tone()[:1], 1000))) == 16


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_samples_that_are_no_numbers_are_named_by_their_second(wrong: float, rate: int) -> None:
    samples = tone(rate)
    samples[rate * 5 // 4] = wrong
    for sound in (samples, np.stack([samples, samples], 1)):
        with opened(encoded(sound, rate, coding="FLOAT")) as recording:
            blocks = recording.blocks(0.5)
            assert np.isfinite(next(blocks)).all()
            with pytest.raises(InputError, match=r"no number \(NaN or infinite\) at 1\.250 s"):
                list(blocks)
        with pytest.raises(InputError, match=r"at 1\.250 s"):
            to_samples(sound, rate)


def test_a_suffix_says_nothing(tmp_path: Path) -> None:
    for name in ("sound.mp3", "sound.raw", "sound.gsm", "sound"):
        path = tmp_path / name
        path.write_bytes(encoded(tone(), form="FLAC"))
        assert np.allclose(read_audio(path), tone(), atol=1e-4)
        path.write_bytes(NOISE.tobytes())
        assert refusal(path) == "not a sound file (of no known kind)"
    assert {".wav", ".flac", ".ogg", ".opus", ".mp3", ".sph"} <= SUFFIXES
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in SUFFIXES)


def test_a_pipe_and_an_open_file(tmp_path: Path) -> None:
    data = encoded(tone())
    reads, writes = os.pipe()

    def send() -> None:
        with os.fdopen(writes, "wb") as into:
            into.write(data)

    sender = threading.Thread(target=send)
    sender.start()
    with os.fdopen(reads, "rb") as pipe:
        assert np.allclose(read_audio(pipe), tone(), atol=1e-4)
    sender.join()
    path = tmp_path / "two"
    path.write_bytes(b"12345" + data)
    with path.open("rb") as file:
        file.seek(5)
        assert np.allclose(read_audio(file), tone(), atol=1e-4)
        assert not file.closed


def test_long_recordings_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.tile(tone(8000, 60.0), 5), 8000, subtype="PCM_U8")
    count = 0
    tracemalloc.start()
    with opened(path) as recording:
        assert recording.duration == 300.0
        for block in recording.blocks(5.0):
            count += len(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 300 * RATE and peak < 5e6  # all of it would be 19e6


def test_damage_of_any_kind_is_sound_or_an_input_error(capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    codings = [("WAV", "PCM_16"), ("AIFF", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "OPUS"), ("NIST", "PCM_16")]
    for form, coding in codings:
        data = np.frombuffer(encoded((tone() + NOISE)[:8000], form=form, coding=coding), np.uint8)
        for _ in range(15):
            hurt = data.copy()
            places = rng.integers(0, min(len(hurt), 400), 6)
            hurt[places] = rng.integers(0, 256, 6)
            try:
                assert np.isfinite(read_audio(hurt.tobytes())).all()
            except InputError as error:
                assert str(error) and "\n" not in str(error)
    assert capfd.readouterr() == ("", "")  # no traceback from inside the decoder


def test_a_disk_that_fails_is_the_end_of_the_file(capfd: pytest.CaptureFixture[str]) -> None:
    class Failing(io.BytesIO):
        def read(self, count: int = -1) -> bytes:
            if self.tell() > 40_000:
                raise OSError("input/output error")
            return super().read(count)

    assert 10_000 < len(read_audio(Failing(encoded(tone())))) < 2 * RATE
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16, np.int16, np.int32, np.int8, np.uint8])
def test_arrays_of_numbers(kind: type) -> None:
    sound = tone()
    if kind is np.uint8:
        given = np.rint(sound * 128 + 128).astype(kind)
    elif np.issubdtype(kind, np.integer):
        given = np.rint(sound * -float(np.iinfo(kind).min)).astype(kind)
    else:
        given = sound.astype(kind)
    samples = to_samples(given)
    assert samples.dtype == np.float32 and samples.shape == sound.shape
    assert np.abs(samples - sound).max() < 0.005
    assert not np.shares_memory(samples, given)


def test_arrays_and_tensors_of_channels() -> None:
    both = np.stack([tone(), np.zeros_like(tone())])  # (2, N)
    for given in (both, both.T, torch.from_numpy(both), torch.from_numpy(both).double().requires_grad_()):
        assert np.allclose(to_samples(given), tone() / 2, atol=1e-6)
    assert np.allclose(to_samples(np.stack([tone(), -tone()], 1)), tone())
    assert len(to_samples(tone(8000), 8000)) == 2 * RATE
    assert np.array_equal(to_samples(str(next(TINY.rglob("*.opus")))), read_audio(next(TINY.rglob("*.opus"))))
    assert np.allclose(to_samples(encoded(tone())), tone(), atol=1e-4)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (3, "a int is no sound"),
        (np.zeros(0), r"shape \(0,\)"),
        (np.zeros((2, 3, 4)), r"shape \(2, 3, 4\)"),
        (np.zeros(8, complex), "complex128"),
        (np.zeros(8, bool), "bool"),
    ],
)
def test_what_is_no_sound_in_python(given: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        to_samples(given)
    with pytest.raises(InputError, match="10 samples a second"):
        to_samples(np.zeros(100), 10)
