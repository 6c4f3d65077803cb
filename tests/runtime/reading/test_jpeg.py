"""JPEG files of every process that libraries can write become the same film."""

import cv2
import imagecodecs
import numpy as np
import pytest

import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading import read_film
from cxr_runtime.reading.jpeg_markers import complete_frame

END = b"\xff\xd9"


@pytest.mark.parametrize("progressive", [False, True])
def test_grey_baseline_and_progressive(progressive: bool) -> None:
    film = read_film(files.jpeg_file(files.phantom(), progressive=progressive))
    assert np.abs(film.pixels.astype(int) - files.phantom()).mean() < 2
    assert (film.facts.file_format, film.facts.bits_stored) == ("jpeg", 8)


def test_a_grey_film_saved_in_colour_is_not_coloured() -> None:
    film = read_film(files.jpeg_file(np.repeat(files.phantom()[..., None], 3, axis=2)))
    assert np.abs(film.pixels.astype(int) - files.phantom()).mean() < 2
    assert not film.facts.source_is_colour


def test_a_coloured_picture_is_told() -> None:
    assert read_film(files.jpeg_file(files.colour_picture())).facts.source_is_colour


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_obeyed(orientation: int) -> None:
    upright = files.phantom(96, 80)
    turn = {
        1: lambda p: p,
        2: np.fliplr,
        3: lambda p: np.rot90(p, 2),
        4: np.flipud,
        5: lambda p: p.T,
        6: lambda p: np.rot90(p, 1),
        7: lambda p: np.rot90(p, 2).T,
        8: lambda p: np.rot90(p, -1),
    }[orientation]
    film = read_film(files.jpeg_file(np.ascontiguousarray(turn(upright)), orientation=orientation))
    assert film.hw == (96, 80)
    assert np.abs(film.pixels.astype(int) - upright).mean() < 2


@pytest.mark.parametrize("bits", [12, 16])
def test_twelve_bits_and_lossless_are_read(bits: int) -> None:
    samples = (files.phantom().astype(np.uint32) * ((1 << bits) - 1) // 255).astype(np.uint16)
    content = imagecodecs.jpeg8_encode(samples, bitspersample=bits, lossless=bits == 16, level=98)
    film = read_film(bytes(content))
    assert np.abs(film.pixels.astype(int) - files.phantom()).mean() < 2
    assert film.facts.bits_stored == bits


def test_what_follows_the_end_mark_does_no_harm() -> None:
    content = files.jpeg_file(files.phantom())
    expected = read_film(content).pixels
    np.testing.assert_array_equal(read_film(content + b"trailer \xff\xd8\xff").pixels, expected)


def test_the_end_mark_of_a_thumbnail_is_not_the_pictures() -> None:
    thumbnail = b"\xff\xd8" + b"small" + END
    segment = b"\xff\xe2" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    content = files.jpeg_file(files.phantom())
    read_film(content[:2] + segment + content[2:])
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(content[:2] + segment + content[2:-400])
    assert caught.value.code == "truncated"


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("kind", ["baseline", "progressive", "colour", "12 bits", "lossless"])
def test_an_end_mark_set_behind_half_a_picture_deceives_nobody(kind: str, share: float) -> None:
    content = {
        "baseline": lambda: files.jpeg_file(files.phantom()),
        "progressive": lambda: files.jpeg_file(files.phantom(), progressive=True),
        "colour": lambda: files.jpeg_file(files.colour_picture()),
        "12 bits": lambda: bytes(imagecodecs.jpeg8_encode(_deep(12), bitspersample=12)),
        "lossless": lambda: bytes(imagecodecs.jpeg8_encode(_deep(16), bitspersample=16, lossless=True)),
    }[kind]()
    scan = content.rindex(b"\xff\xda") if kind == "progressive" else content.index(b"\xff\xda")
    start = scan + 16
    cut = start + int((len(content) - 2 - start) * share)
    while content[cut - 1] == 0xFF:
        cut -= 1
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(content[:cut] + END)
    assert caught.value.code == "truncated"


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_is_not_taken_for_a_cut_one(level: int) -> None:
    flat = np.full((64, 64), level, np.uint8)
    np.testing.assert_array_equal(read_film(files.jpeg_file(flat)).pixels, flat)


def test_zeros_in_the_place_of_the_rest_are_noticed() -> None:
    content = files.jpeg_file(files.phantom())
    half = len(content) // 2
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(content[:half] + bytes(len(content) - half))
    assert caught.value.code == "truncated"


def test_a_frame_header_may_refuse_the_picture() -> None:
    content = bytearray(files.jpeg_file(files.phantom()))
    size = content.index(b"\xff\xc0") + 5
    content[size : size + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(bytes(content))
    assert caught.value.code == "too-large"


def test_a_stream_without_a_picture_is_damaged() -> None:
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(b"\xff\xd8\xff\xfe\x00\x04hi" + END)
    assert caught.value.code == "damaged"


def test_the_walk_reads_what_opencv_reads() -> None:
    content = cv2.imencode(".jpg", files.phantom())[1].tobytes()
    frame = complete_frame(content)
    assert (frame.rows, frame.columns, frame.components, frame.bits) == (96, 80, 1, 8)
    assert content[frame.end : frame.end + 2] == END


def _deep(bits: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    return (files.phantom().astype(np.uint32) * ((1 << bits) - 1) // 255).astype(np.uint16)
