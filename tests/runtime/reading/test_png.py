"""PNG files of every depth and colour type become the same film."""

import struct
import zlib

import numpy as np
import pytest

import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading import read_film


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_grey_of_every_depth_keeps_its_levels(bits: int, interlaced: bool) -> None:
    top = (1 << bits) - 1
    samples = files.phantom().astype(np.int64) * top // 255
    film = read_film(files.png_file(samples, bits=bits, interlaced=interlaced))
    assert film.pixels.dtype == np.uint8
    np.testing.assert_array_equal(film.pixels, np.round(samples * 255 / top))
    assert film.facts.file_format == "png"


def test_twelve_bits_in_sixteen_fill_the_range() -> None:
    samples = files.phantom().astype(np.int64) * 4095 // 255
    film = read_film(files.png_file(samples, bits=16))
    np.testing.assert_allclose(film.pixels.astype(int), files.phantom(), atol=1)


def test_a_faint_sixteen_bit_film_is_stretched() -> None:
    samples = 30000 + files.phantom().astype(np.int64) * 4
    film = read_film(files.png_file(samples, bits=16))
    assert np.percentile(film.pixels, 1) < 10
    assert np.percentile(film.pixels, 99) > 245


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("interlaced", [False, True])
def test_equal_colour_channels_are_a_grey_film(bits: int, interlaced: bool) -> None:
    samples = np.repeat(files.phantom().astype(np.int64)[..., None] * (257 if bits == 16 else 1), 3, axis=2)
    film = read_film(files.png_file(samples, bits=bits, colour=files.PNG_RGB, interlaced=interlaced))
    np.testing.assert_array_equal(film.pixels, files.phantom())


def test_of_differing_channels_the_luminance_is_read() -> None:
    film = read_film(files.png_file(files.colour_picture(), colour=files.PNG_RGB))
    luminance = files.colour_picture() @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(film.pixels.astype(float), luminance, atol=1)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_is_looked_up(bits: int) -> None:
    count = 1 << bits
    greys = np.linspace(255, 0, count).round().astype(np.uint8)
    palette = (b"PLTE", np.repeat(greys, 3).tobytes())
    indices = files.phantom().astype(np.int64) * (count - 1) // 255
    film = read_film(files.png_file(indices, bits=bits, colour=files.PNG_PALETTE, extra=(palette,)))
    np.testing.assert_array_equal(film.pixels, greys[indices])


@pytest.mark.parametrize("colour", [files.PNG_GREY_ALPHA, files.PNG_RGB_ALPHA])
@pytest.mark.parametrize("bits", [8, 16])
def test_transparency_lies_on_black(colour: int, bits: int) -> None:
    scale = 257 if bits == 16 else 1
    grey = files.phantom().astype(np.int64) * scale
    alpha = np.full_like(grey, 255 * scale)
    alpha[:40], alpha[40:50] = 0, 128 * scale
    channels = [grey, alpha] if colour == files.PNG_GREY_ALPHA else [grey, grey, grey, alpha]
    film = read_film(files.png_file(np.stack(channels, axis=2), bits=bits, colour=colour))
    assert not film.pixels[:40].any()
    expected = files.phantom()[40:50] * (128 / 255)
    np.testing.assert_allclose(film.pixels[40:50].astype(float), expected, atol=1)
    np.testing.assert_array_equal(film.pixels[50:], files.phantom()[50:])


def test_a_transparent_palette_entry_is_black() -> None:
    palette = (b"PLTE", bytes([200] * 6))
    see_through = (b"tRNS", bytes([0, 255]))
    indices = (files.phantom() > 128).astype(np.int64)
    film = read_film(files.png_file(indices, colour=files.PNG_PALETTE, extra=(palette, see_through)))
    np.testing.assert_array_equal(film.pixels, np.where(indices == 1, 200, 0))


def test_an_animation_counts_its_frames_and_shows_the_first() -> None:
    control = struct.pack(">IIIIIHHBB", 0, 80, 96, 0, 0, 1, 10, 0, 0)
    extra = ((b"acTL", struct.pack(">II", 3, 0)), (b"fcTL", control))
    film = read_film(files.png_file(files.phantom(), extra=extra))
    np.testing.assert_array_equal(film.pixels, files.phantom())
    assert film.facts.frames == 3


def test_bytes_behind_the_end_do_no_harm() -> None:
    film = read_film(files.png_file(files.phantom()) + b"rest")
    np.testing.assert_array_equal(film.pixels, files.phantom())


@pytest.mark.parametrize(
    ("rows", "columns", "code"), [(0, 80, "no-pixels"), (96, 0, "no-pixels"), (90_000, 90_000, "too-large")]
)
def test_sizes_are_judged_by_the_header(rows: int, columns: int, code: str) -> None:
    content = files.png_file(files.phantom())
    header = files.png_chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0))
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(content[:8] + header + content[33:])
    assert caught.value.code == code


def test_a_wrong_check_sum_is_damage() -> None:
    content = bytearray(files.png_file(files.phantom()))
    content[len(content) // 2] ^= 1
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(bytes(content))
    assert caught.value.code == "damaged"


def test_too_few_pixels_in_sound_chunks_are_damage() -> None:
    header = struct.pack(">IIBBBBB", 80, 96, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in files.phantom()[:50])
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(files.png_chunk(name, body) for name, body in chunks)
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(content)
    assert caught.value.code in ("damaged", "truncated")


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_obeyed_with_and_without_alpha(orientation: int, transparent: bool) -> None:
    upright = files.phantom()
    stored = files.turned(upright, orientation).astype(np.int64)
    colour = files.PNG_GREY_ALPHA if transparent else files.PNG_GREY
    samples = np.stack([stored, np.full_like(stored, 255)], axis=2) if transparent else stored
    content = files.png_file(samples, colour=colour, extra=((b"eXIf", files.exif(orientation)),))
    np.testing.assert_array_equal(read_film(content).pixels, upright)


@pytest.mark.parametrize(("across", "down", "hw"), [(2, 1, (192, 80)), (1, 2, (96, 160)), (3, 3, (96, 80))])
def test_pixels_that_are_not_square_are_made_so(across: int, down: int, hw: tuple[int, int]) -> None:
    physical = (b"pHYs", struct.pack(">IIB", across * 1000, down * 1000, 1))
    film = read_film(files.png_file(files.phantom(), extra=(physical,)))
    assert film.hw == hw
