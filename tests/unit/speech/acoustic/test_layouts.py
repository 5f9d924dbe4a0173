"""The layouts of sentences: what tells them, their splits, and what each utterance says."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from percept.core.errors import UsageError
from percept.speech.acoustic.data import Corpus, read_corpus, recognise, splits

DATA = Path(__file__).parents[3] / "data"
LIBRI, OCEAN = DATA / "speech_tiny" / "librispeech", DATA / "speech_tiny" / "speechocean762"
PHN = "0 800 h#\n800 1600 sh\n1600 2400 ix\n2400 3200 h#\n"


def sound(path: Path, seconds: float = 0.2, rate: int = 16_000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(str(path))).normal(0, 0.1, round(seconds * rate))
    soundfile.write(path, noise, rate, format="WAV")


def words(text: str) -> list[str]:
    return text.split()


def names(corpus: Corpus) -> list[str]:
    return [one.name for one in corpus.utterances]


def test_librispeech_with_textgrids_beside_it():
    assert recognise(LIBRI) == recognise(LIBRI / "LibriSpeech") == "librispeech"
    assert splits(LIBRI) == ["train-clean-100", "all"]
    corpus = read_corpus(LIBRI / "LibriSpeech", "train-clean-100")
    assert (len(corpus.utterances), len(corpus.speakers), corpus.problems) == (6, 6, ())
    one = next(one for one in corpus.utterances if one.name == "train-clean-100/5652-39938-0054")
    assert one.audio.name == "5652-39938-0054.opus"
    assert one.words == tuple(words("simply to withdraw a patient from the one kind of life"))
    assert one.phones[:6] == ("s", "ih", "m", "p", "l", "iy")
    assert (one.truth, one.speaker) == ("automatic", "5652")
    assert tuple(word.label for word in one.word_times) == one.words
    assert one.phone_times[0].start == 0.0
    assert one.phone_times[-1].end == pytest.approx(3.45)
    bare = next(one for one in corpus.utterances if one.speaker == "118")
    assert bare.words[-1] == "exposure"
    assert (bare.phones, bare.phone_times, bare.truth) == ((), (), "")


def test_train_means_the_parts_that_begin_so():
    assert names(read_corpus(LIBRI, "train")) == names(read_corpus(LIBRI, "all"))
    with pytest.raises(UsageError, match="no split test, there is train-clean-100, all"):
        read_corpus(LIBRI, "test")


def test_librispeech_tells_what_is_missing(tmp_path):
    copy = shutil.copytree(LIBRI, tmp_path / "libri")
    chapter = copy / "LibriSpeech/train-clean-100/118/121721"
    (chapter / "118-121721.trans.txt").write_text("118-121721-0007 GONE\n")
    grid = copy / "LibriSpeech-alignments/train-clean-100/4406/16882/4406-16882-0052.TextGrid"
    grid.write_text(grid.read_text().replace('"DH"', '"DHX"', 1))
    corpus = read_corpus(copy, "all")
    folder = "train-clean-100/118/121721"
    assert f"{folder}/118-121721.trans.txt line 1: no sound file 118-121721-0007" in corpus.problems
    assert f"{folder}/118-121721-0000.opus: no line in 121721/*.trans.txt" in corpus.problems
    assert len(corpus.faults) == 1
    assert 'unknown phone "DHX"' in corpus.faults[0]
    assert "4406-16882-0052.TextGrid line " in corpus.faults[0]
    assert len(corpus.utterances) == 5


def test_speechocean():
    assert recognise(OCEAN) == "speechocean762"
    assert splits(OCEAN) == ["train", "test", "all"]
    corpus = read_corpus(OCEAN, "train")
    one = corpus.utterances[0]
    assert (one.name, one.speaker, one.truth) == ("train/010330147", "1033", "canonical")
    assert one.words == ("can", "we", "get", "back", "to", "then")
    assert one.phones == tuple(words("k ae n w iy g eh t b ae k t uw dh eh n"))
    assert one.pronunciations[:3] == (("k", "ae", "n"), ("w", "iy"), ("g", "eh", "t"))
    assert (one.phone_times, one.begin, one.end) == ((), 0.0, None)
    assert len(read_corpus(OCEAN, "all").utterances) == 4
    assert names(read_corpus(OCEAN, "without-1033")) == ["train/022080294", "test/024380154"]
    assert names(read_corpus(OCEAN, "only-2208,2438")) == ["train/022080294", "test/024380154"]
    with pytest.raises(UsageError, match="no speaker 1034 among 3; did you mean 1033"):
        read_corpus(OCEAN, "without-1034")


def test_a_data_folder_by_itself_keeps_its_phones():
    assert recognise(OCEAN / "test") == "speechocean762"
    corpus = read_corpus(OCEAN / "test", "train")
    assert names(corpus) == ["024380154"]
    assert corpus.utterances[0].phones[:3] == ("k", "ao", "l")


@pytest.fixture()
def kaldi(tmp_path: Path) -> Path:
    """A recording in which two people speak, and one that a decoder would read."""
    sound(tmp_path / "audio/talk.wav", 1.0)
    sound(tmp_path / "audio/other.flac.wav", 0.3)
    data = tmp_path / "data/train"
    data.mkdir(parents=True)
    (data / "wav.scp").write_text(f"talk audio/talk.flac\nother flac -c -d -s {tmp_path}/audio/other.flac.wav |\n")
    (data / "segments").write_text("ann-1 talk 0.0 0.4\nbob-1 talk 0.5 0.9\ncy-1 other 0 0.3\n")
    (data / "text").write_text("ann-1 Hello  THERE\nbob-1 GOOD DAY\ncy-1 YES\n")
    (data / "utt2spk").write_text("ann-1 ann\nbob-1 bob\ncy-1 cy\n")
    return tmp_path


def test_kaldi_segments(kaldi):
    assert (recognise(kaldi), splits(kaldi)) == ("kaldi", ["train", "all"])
    corpus = read_corpus(kaldi, "train")
    assert [(one.name, one.speaker, one.begin, one.end) for one in corpus.utterances] == [
        ("ann-1", "ann", 0.0, 0.4),
        ("bob-1", "bob", 0.5, 0.9),
        ("cy-1", "cy", 0.0, 0.3),
    ]
    assert corpus.utterances[0].words == ("hello", "there")
    assert corpus.utterances[0].audio == kaldi / "audio/talk.wav"  # wav.scp says .flac
    assert corpus.problems == ()


def test_kaldi_problems(kaldi):
    data = kaldi / "data/train"
    (data / "wav.scp").write_text("talk audio/talk.wav\nnoisy sox a.wav -t wav - |\nlost gone.wav\n")
    (data / "segments").write_text("ann-1 talk 0.4 0.1\nbob-1 talk 0.5 0.9\ncy-1 other 0 x\n")
    (data / "text").write_text("bob-1 GOOD DAY\ndan-1 NO\n")
    corpus = read_corpus(kaldi, "all")
    for line in (
        "data/train/wav.scp line 2: a command, which percept does not run: sox a.wav -t wav - |",
        "data/train/wav.scp line 3: no file gone.wav",
        "data/train/segments line 1: times run backwards: 0.4 to 0.1 s",
        'data/train/segments line 3: "UTTERANCE RECORDING BEGIN END" expected',
        "data/train/text line 2: dan-1 is in no wav.scp or segments",
    ):
        assert line in corpus.problems, corpus.problems
    assert len(corpus.faults) == 2
    assert names(corpus) == ["bob-1"]


def test_speechocean_phones_of_other_words(tmp_path):
    copy = shutil.copytree(OCEAN, tmp_path / "ocean")
    phones = copy / "resource/text-phone"
    lines = phones.read_text().splitlines()
    phones.write_text("\n".join([lines[0].replace("AE0_I", "QQ_I"), *lines[1:]]) + "\n")
    corpus = read_corpus(copy, "train")
    assert corpus.faults == ('resource/text-phone line 1: unknown phone "QQ_I"',)
    assert corpus.utterances[0].phones == ()
    assert any("6 words where resource/text-phone has 5" in line for line in corpus.problems)


@pytest.fixture()
def sample(tmp_path: Path) -> Path:
    """Two speakers of NLTK's sample, whose .wav files were made FLAC by name only."""
    for speaker in ("dr1-fvmh0", "dr2-marc0"):
        for sentence in ("sa1", "si2", "sx3"):
            sound(tmp_path / speaker / f"{sentence}.wav")
            (tmp_path / speaker / f"{sentence}.phn").write_text(PHN)
            (tmp_path / speaker / f"{sentence}.wrd").write_text("800 2400 she\n")
    return tmp_path


def test_timit_sample(sample):
    assert (recognise(sample), splits(sample)) == ("timit", ["all", "no-sa"])
    corpus = read_corpus(sample, "train")
    assert len(corpus.utterances) == 6
    one = corpus.utterances[0]
    assert (one.name, one.speaker, one.truth) == ("dr1-fvmh0/sa1", "fvmh0", "hand")
    assert (one.words, one.phones) == (("she",), ("sh", "ih"))
    assert [label.label for label in one.phone_times] == ["h#", "sh", "ix", "h#"]
    assert one.word_times[0].start == pytest.approx(0.05)
    assert names(read_corpus(sample, "no-sa")) == [
        "dr1-fvmh0/si2",
        "dr1-fvmh0/sx3",
        "dr2-marc0/si2",
        "dr2-marc0/sx3",
    ]
    assert {one.speaker for one in read_corpus(sample, "without-marc0").utterances} == {"fvmh0"}


def test_timit_bad_labels_name_file_and_line(sample):
    (sample / "dr1-fvmh0/sa1.phn").write_text(PHN.replace("ix", "i9"))
    (sample / "dr1-fvmh0/si2.phn").write_text(PHN.replace("1600 2400", "1600 1200"))
    (sample / "dr1-fvmh0/sx3.phn").write_text(PHN.replace("800 1600 sh", "800 sh"))
    (sample / "dr2-marc0/sa1.wav").unlink()
    (sample / "dr2-marc0/si2.phn").unlink()
    corpus = read_corpus(sample, "all")
    assert 'dr1-fvmh0/sa1.phn line 3: unknown phone "i9"' in corpus.faults
    assert any(line.startswith("dr1-fvmh0/si2.phn") and "line 3" in line for line in corpus.faults)
    assert any(line.startswith("dr1-fvmh0/sx3.phn") and "line 2" in line for line in corpus.faults)
    assert "dr2-marc0/sa1.phn: no sound file of this name" in corpus.problems
    assert "dr2-marc0/si2.wrd: no .phn of this name: its phones are not known" in corpus.problems
    assert len(corpus.faults) == 3
    assert len(corpus.utterances) == 5


@pytest.mark.parametrize("upper", [True, False])
def test_timit_corpus_in_any_case(tmp_path, upper):
    people = {"TRAIN/DR1": "FCJF0", "TEST/DR1": "MDAB0", "TEST/DR4": "FREW0", "TEST/DR8": "MRES0"}
    for place, speaker in people.items():
        for sentence in ("SA1", "SX9"):
            stem = f"{place}/{speaker}/{sentence}"
            wav, phn, txt = (f"{stem}{suffix}" for suffix in (".WAV", ".PHN", ".TXT"))
            wav, phn, txt = (name if upper else name.lower() for name in (wav, phn, txt))
            sound(tmp_path / f"{wav}.wav")  # as many copies have it, beside the SPHERE file
            (tmp_path / phn).write_text(PHN)
            (tmp_path / txt).write_text("0 3200 She didn't.\n")
    assert splits(tmp_path) == ["train", "dev", "core-test", "test", "all"]
    assert names(read_corpus(tmp_path, "train")) == ["train/dr1/fcjf0/sx9"]
    assert names(read_corpus(tmp_path, "core-test")) == ["test/dr1/mdab0/sx9"]
    assert names(read_corpus(tmp_path, "dev")) == ["test/dr4/frew0/sx9"]
    assert len(read_corpus(tmp_path, "test").utterances) == 3
    assert len(read_corpus(tmp_path, "all").utterances) == 8
    assert read_corpus(tmp_path, "train").utterances[0].words == ("she", "didn't")


def textgrid(*labels: str) -> str:
    spans = [
        f'intervals [{k + 1}]:\nxmin = {k / 10}\nxmax = {(k + 1) / 10}\ntext = "{label}"\n'
        for k, label in enumerate(labels)
    ]
    head = (
        f'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = {len(labels) / 10}\ntiers? <exists>\n'
    )
    tier = f'item [1]:\nclass = "IntervalTier"\nname = "phones"\nxmin = 0\nxmax = {len(labels) / 10}\n'
    return f"{head}size = 1\nitem []:\n{tier}intervals: size = {len(labels)}\n{''.join(spans)}"


def test_voxangeles_in_both_encodings(tmp_path):
    for name, encoding, phone in (
        ("ces-004-001", "utf-16", "ʃ"),
        ("ces-004-002", "utf-8", "s"),
        ("haw-000-001", "utf-8", "h"),
    ):
        place = tmp_path / "data/audited_aligned" / name[:3]
        sound(place / f"{name}.wav", 0.3)
        (place / f"{name}.TextGrid").write_text(textgrid("", phone, "iː"), encoding=encoding)
    assert (recognise(tmp_path), splits(tmp_path)) == ("voxangeles", ["all", "ces", "haw"])
    corpus = read_corpus(tmp_path, "ces")
    assert [(one.name, one.speaker, one.phones) for one in corpus.utterances] == [
        ("ces/ces-004-001", "ces-004", ("sh", "iy")),
        ("ces/ces-004-002", "ces-004", ("s", "iy")),
    ]
    assert corpus.utterances[0].truth == "hand"
    assert len(read_corpus(tmp_path, "train").utterances) == 3


def test_several_sets_in_one_folder_and_none():
    with pytest.raises(
        UsageError, match=r"several sets in one folder \(librispeech/LibriSpeech, speechocean762\): give one"
    ):
        read_corpus(DATA / "speech_tiny", "train")
    assert recognise(DATA / "coco_tiny") is None
    assert recognise(DATA / "gone") is None
    with pytest.raises(UsageError, match="no labelled speech found"):
        splits(DATA / "coco_tiny")
    with pytest.raises(UsageError, match="no such folder"):
        splits(DATA / "gone")


def test_sounds_that_nobody_labelled(tmp_path):
    sound(tmp_path / "talk.wav")
    with pytest.raises(UsageError, match="sound files, but nothing that says what is spoken"):
        read_corpus(tmp_path, "all")
