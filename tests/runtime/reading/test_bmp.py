"""Windows bitmaps."""

import struct

import numpy as np
import pytest

import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading import read_film


def test_a_grey_bitmap_with_a_palette() -> None:
    film = read_film(files.bmp_file(files.phantom()))
    np.testing.assert_array_equal(film.pixels, files.phantom())
    assert film.facts.file_format == "bmp"


def test_a_bitmap_in_colour() -> None:
    film = read_film(files.bmp_file(files.colour_picture()))
    luminance = files.colour_picture() @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(film.pixels.astype(float), luminance, atol=1)


def test_a_bitmap_from_the_top_down() -> None:
    content = bytearray(files.bmp_file(files.phantom()))
    content[22:26] = struct.pack("<i", -96)
    np.testing.assert_array_equal(read_film(bytes(content)).pixels, files.phantom()[::-1])


@pytest.mark.parametrize(("rows", "code"), [(0, "no-pixels"), (10**9, "too-large"), (97, "truncated")])
def test_sizes_are_judged_by_the_header(rows: int, code: str) -> None:
    content = bytearray(files.bmp_file(files.phantom()))
    content[22:26] = struct.pack("<i", rows)
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(bytes(content))
    assert caught.value.code == code


def test_an_unknown_depth_is_damage() -> None:
    content = bytearray(files.bmp_file(files.phantom()))
    content[28:30] = struct.pack("<H", 7)
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(bytes(content))
    assert caught.value.code == "damaged"


@pytest.mark.parametrize("rows", [96, 384])
def test_run_lengths_are_read(rows: int) -> None:
    pixels = files.phantom(rows, 80)
    np.testing.assert_array_equal(read_film(files.bmp_run_file(pixels)).pixels, pixels)


def test_run_lengths_that_end_early_are_refused() -> None:
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(files.bmp_run_file(files.phantom(), last_rows_lost=3))
    assert caught.value.code == "truncated"


def test_run_lengths_of_a_row_too_short_are_damage() -> None:
    content = bytearray(files.bmp_run_file(files.phantom()))
    del content[1078 + 40 : 1078 + 42]
    content[34:38] = struct.pack("<I", int.from_bytes(content[34:38], "little") - 2)
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(bytes(content))
    assert caught.value.code == "damaged"


def test_pixels_left_over_behind_a_bitmap_are_damage() -> None:
    content = files.bmp_file(files.phantom())
    read_film(content + bytes(20))
    read_film(content + b"exported by a viewer")
    with pytest.raises(UnreadableFilmError, match="left over"):
        read_film(content + bytes(range(20)))
