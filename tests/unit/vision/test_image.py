from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile import HEIGHT, WIDTH, Case, encoded, noise, png, scene, write_corpus
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from percept.core.errors import InputError, PerceptError, UsageError
from percept.core.sources import stream
from percept.vision.image import MAX_PIXELS, SUFFIXES, max_pixels, read_image, to_rgb, write_image


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    return write_corpus(tmp_path_factory.mktemp("hostile"))


def difference(rgb: np.ndarray, expected: np.ndarray) -> float:
    assert rgb.shape == expected.shape
    return float(np.abs(rgb.astype(float) - expected).mean())


def test_every_good_file_is_read_upright_and_in_its_colours(corpus: list[Case]) -> None:
    good = [case for case in corpus if case.good]
    assert len(good) >= 27
    for case in good:
        rgb = read_image(case.path)
        assert rgb.dtype == np.uint8 and rgb.ndim == 3 and rgb.shape[2] == 3, case.path.name
        assert rgb.flags.c_contiguous and rgb.flags.writeable, case.path.name
        if case.scene:
            assert difference(rgb, scene()) < 6, case.path.name


def test_every_broken_file_is_an_error_that_says_what_it_is(corpus: list[Case]) -> None:
    broken = [case for case in corpus if not case.good]
    assert len(broken) >= 28
    for case in broken:
        with pytest.raises(InputError) as error:
            read_image(case.path)
        assert case.says in str(error.value), case.path.name
        assert case.path.name not in str(error.value)
        assert "\n" not in str(error.value)


def test_bytes_are_read_as_files_are(corpus: list[Case]) -> None:
    for case in corpus:
        if case.path.is_file() and case.path.stat().st_size and (case.good or case.says):
            data = case.path.read_bytes()
            if case.good:
                assert np.array_equal(read_image(data), read_image(case.path)), case.path.name
            else:
                with pytest.raises(InputError) as error:
                    read_image(data)
                assert case.says in str(error.value), case.path.name
    with pytest.raises(InputError, match="an empty file"):
        read_image(b"")


def test_a_folder_of_all_of_them_is_worked_through(corpus: list[Case]) -> None:
    folder = corpus[0].path.parent
    found = {item.path: value for item, value in stream([str(folder)], read_image, SUFFIXES)}
    files = [case for case in corpus if case.path.name != "folder.jpg"]  # as a folder it is searched, and is empty
    assert set(found) == {case.path for case in files}
    for case in files:
        value = found[case.path]
        if case.good:
            assert isinstance(value, np.ndarray), case.path.name
        else:
            assert isinstance(value, InputError) and case.says in str(value), case.path.name


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF"])
def test_a_file_cut_off_anywhere_is_never_a_picture(form: str) -> None:
    whole = encoded(Image.fromarray(noise(24, 32)), form)
    read_image(whole)
    for length in range(1, len(whole) - 8, max(1, len(whole) // 60)):
        with pytest.raises(InputError):
            read_image(whole[:length])


def test_a_png_that_is_only_a_header_costs_no_memory(corpus: list[Case]) -> None:
    path = next(case.path for case in corpus if case.path.name == "bomb.png")
    program = """if True:
        import resource, sys
        from pathlib import Path
        from percept.core.errors import InputError
        from percept.vision.image import read_image
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            read_image(Path(sys.argv[1]))
        except InputError:
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    if sys.platform != "linux":
        pytest.skip("ru_maxrss is in other units elsewhere")
    run = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 10_000  # KiB; decoded it would be 2.7 GB


def test_the_limit_of_pixels_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.new("RGB", (50, 40)), "PNG")
    monkeypatch.delenv("PERCEPT_MAX_PIXELS", raising=False)
    assert max_pixels() == MAX_PIXELS == 100_000_000
    monkeypatch.setenv("PERCEPT_MAX_PIXELS", "1999")
    with pytest.raises(
        InputError, match=r"^50 x 40 pixels are more than 1,999 \(raise PERCEPT_MAX_PIXELS to read it\)$"
    ):
        read_image(data)
    with pytest.raises(InputError, match="more than 1,999"):
        to_rgb(np.zeros((40, 50), np.uint8))
    monkeypatch.setenv("PERCEPT_MAX_PIXELS", "2_000")
    assert read_image(data).shape == (40, 50, 3)
    monkeypatch.setenv("PERCEPT_MAX_PIXELS", "many")
    with pytest.raises(UsageError, match='PERCEPT_MAX_PIXELS is "many"'):
        read_image(data)


def test_pillow_own_limit_does_not_stop_what_the_person_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # Image.open would refuse from twice as many on
    assert read_image(encoded(Image.new("RGB", (50, 40)), "PNG")).shape == (40, 50, 3)


def test_a_webp_canvas_is_refused_before_its_decoder_makes_room() -> None:
    data = bytearray(encoded(Image.new("RGBA", (50, 40), (1, 2, 3, 4)), "WEBP", save_all=True, append_images=[]))
    if data[12:16] != b"VP8X":
        data = bytearray(b"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x10\x00\x00\x00") + bytes(6)
    data[24:30] = (16_382).to_bytes(3, "little") * 2
    with pytest.raises(InputError, match="16,383 x 16,383 pixels are more than 100 million"):
        read_image(bytes(data))


def test_sixteen_bits_keep_the_upper_byte() -> None:
    values = np.array([[0, 255, 256, 257 * 77, 65535]], ">u2")
    grey = read_image(png(5, 1, 16, 0, b"\x00" + values.tobytes()))
    assert grey[0, :, 0].tolist() == [0, 0, 1, 77, 255]
    assert (grey == grey[:, :, :1]).all()


def test_what_is_transparent_lies_on_white() -> None:
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0] = (200, 0, 0, 255)
    rgba[1] = (200, 0, 0, 51)  # a fifth of 200 0 0, four fifths white
    expected = [[[200, 0, 0]] * 2, [[244, 204, 204]] * 2]
    assert read_image(encoded(Image.fromarray(rgba), "PNG")).tolist() == expected
    assert to_rgb(rgba).tolist() == expected


def test_a_transparent_palette_colour_lies_on_white() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    data = encoded(palette, "PNG", transparency=0)
    assert read_image(data).tolist() == [[[255, 255, 255], [40, 50, 60]]]


def test_floating_point_pictures_need_numbers_from_0_to_1() -> None:
    ramp = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)
    assert read_image(encoded(Image.fromarray(ramp), "TIFF"))[:, :, 0].tolist() == [[0, 51, 102], [153, 204, 255]]
    with pytest.raises(InputError, match="floats from 0 to 1000"):
        read_image(encoded(Image.fromarray(ramp * 1000), "TIFF"))
    with pytest.raises(InputError, match="NaN"):
        read_image(encoded(Image.fromarray(ramp * np.float32("nan")), "TIFF"))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 8), (13, 7)])
def test_no_whole_png_is_taken_for_a_broken_one(mode: str, size: tuple[int, int]) -> None:
    picture = Image.fromarray(noise(*size)).convert(mode)
    assert np.array_equal(read_image(encoded(picture, "PNG")), to_rgb(picture.convert("RGB")))


@pytest.mark.parametrize("colour", [0, 2])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 8), (13, 7)])
def test_an_interlaced_png_is_whole_too(colour: int, size: tuple[int, int]) -> None:
    values = noise(*size) if colour == 2 else noise(*size)[..., 0]
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = [row for x, y, across, down in passes for row in values[y::down, x::across] if row.size]
    data = b"".join(b"\x00" + row.tobytes() for row in rows)
    height, width = size
    assert np.array_equal(read_image(png(width, height, 8, colour, data, interlaced=True)), to_rgb(values))
    with pytest.raises(InputError, match="rows are missing"):
        read_image(png(width, height, 8, colour, data[:-1], interlaced=True))


SEEDS = [
    encoded(Image.fromarray(noise(16, 16)), "JPEG"),
    encoded(Image.fromarray(scene()), "JPEG", progressive=True),
    encoded(Image.fromarray(scene()), "PNG"),
    encoded(Image.fromarray(noise(16, 16)), "GIF"),
    encoded(Image.fromarray(scene()), "WEBP"),
    encoded(Image.fromarray(scene()), "WEBP", lossless=True),
    encoded(Image.fromarray(scene()), "BMP"),
    encoded(Image.fromarray(scene()), "PPM"),
    encoded(Image.fromarray(scene()), "TIFF"),
    encoded(Image.fromarray(scene()), "AVIF"),
    encoded(Image.fromarray(noise(16, 16)), "JPEG2000"),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        data[draw(st.integers(0, len(data) - 1) | st.integers(0, 60))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(len(data) // 2, len(data)) | st.just(len(data)))])


@given(damaged() | st.binary(max_size=200))
@settings(max_examples=250, derandomize=True)
def test_whatever_the_bytes_a_picture_or_an_input_error(data: bytes) -> None:
    try:
        rgb = read_image(data)
    except InputError as error:
        assert str(error) and len(str(error)) < 120
    else:
        assert rgb.dtype == np.uint8 and rgb.ndim == 3 and rgb.shape[2] == 3


@pytest.mark.parametrize(
    "value",
    [
        scene(),
        scene().astype(np.uint16) * 257,
        scene().astype(np.float32) / 255,
        scene().astype(np.float64) / 255,
        np.dstack([scene(), np.full((HEIGHT, WIDTH), 255, np.uint8)]),
        np.asfortranarray(scene()),
        Image.fromarray(scene()),
        encoded(Image.fromarray(scene()), "PNG"),
        bytearray(encoded(Image.fromarray(scene()), "PNG")),
        torch.from_numpy(scene()).permute(2, 0, 1),
        torch.from_numpy(scene()).permute(2, 0, 1)[None],
        (torch.from_numpy(scene()).permute(2, 0, 1) / 255).requires_grad_(),
        torch.from_numpy(scene()).permute(2, 0, 1).double() / 255,
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'dtype', '')}{list(getattr(value, 'shape', []))}",
)
def test_python_callers_may_give_what_they_have(value: object) -> None:
    rgb = to_rgb(value)
    assert rgb.dtype == np.uint8 and rgb.flags.c_contiguous
    assert np.array_equal(rgb, scene())


def test_half_precision_tensors_are_near() -> None:
    tensor = torch.from_numpy(scene()).permute(2, 0, 1) / 255
    for kind in (torch.float16, torch.bfloat16):
        assert difference(to_rgb(tensor.to(kind)), scene()) < 1


@pytest.mark.parametrize("value", [scene()[..., 0], scene()[..., :1], scene()[..., 0] > 100])
def test_grey_and_black_and_white_arrays(value: np.ndarray) -> None:
    rgb = to_rgb(value)
    plane = value.reshape(HEIGHT, WIDTH)
    assert np.array_equal(rgb, np.stack([plane * 255 if plane.dtype == bool else plane] * 3, -1))


def test_paths_of_both_kinds(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", scene())
    assert np.array_equal(to_rgb(str(tmp_path / "a.png")), scene())
    assert np.array_equal(to_rgb(tmp_path / "a.png"), scene())


def test_the_answer_is_the_callers_own() -> None:
    mine = scene()
    to_rgb(mine)[:] = 0
    assert np.array_equal(mine, scene())


def test_a_pil_image_is_turned_as_its_file_would_be() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(scene()), "JPEG", exif=exif, quality=95)
    assert np.array_equal(to_rgb(Image.open(io.BytesIO(data))), read_image(data))
    assert read_image(data).shape == (WIDTH, HEIGHT, 3)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (
            np.zeros((3, 20, 30), np.uint8),
            "an array of shape (3, 20, 30); expected (H, W), (H, W, 3) or (H, W, 4); move",
        ),
        (np.zeros((2, 20, 30, 3), np.uint8), "an array of shape (2, 20, 30, 3)"),
        (np.zeros(7, np.uint8), "an array of shape (7,)"),
        (np.zeros((0, 5), np.uint8), "a picture without pixels"),
        (np.zeros((4, 4), np.int64), "numbers of type int64"),
        (np.full((4, 4), 200.0), "floats from 200 to 200; give floats from 0 to 1, or uint8"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.array([["a"]]), "numbers of type <U1"),
        (torch.zeros(2, 3, 4, 4), "a tensor of shape (2, 3, 4, 4); expected (3, H, W)"),
        (torch.zeros(4, 4, 3), "a tensor of shape (4, 4, 3)"),
        (42, "a int is no picture"),
        (None, "a NoneType is no picture"),
        ("nowhere.jpg", "no such file"),
    ],
)
def test_what_is_no_picture_is_named(value: object, says: str) -> None:
    with pytest.raises(InputError) as error:
        to_rgb(value)
    assert says in str(error.value)


@pytest.mark.parametrize(("name", "most"), [("a.png", 0), ("a.jpg", 4), ("a.JPEG", 4), ("a.webp", 6)])
def test_a_picture_written_is_the_picture_read(tmp_path: Path, name: str, most: float) -> None:
    path = tmp_path / "new" / name
    write_image(path, scene())
    assert difference(read_image(path), scene()) <= most
    assert [file.name for file in path.parent.iterdir()] == [name], "no temporary file is left"


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    write_image(path, scene())
    before = path.read_bytes()
    with pytest.raises(PerceptError, match="70,000 x 1 pixels do not fit into .jpg"):
        write_image(path, np.zeros((1, 70_000, 3), np.uint8))
    assert path.read_bytes() == before
    with pytest.raises(UsageError, match=r'written as .png, .jpg or .webp, not ".gif"'):
        write_image(tmp_path / "a.gif", scene())
    with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8"):
        write_image(tmp_path / "b.png", scene().astype(float))
    assert [file.name for file in tmp_path.iterdir()] == ["a.jpg"]


def test_suffixes_are_lower_case_and_hold_the_common_ones() -> None:
    assert {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"} <= SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)
