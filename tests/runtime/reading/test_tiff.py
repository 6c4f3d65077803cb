"""TIFF files of every depth and compression become the same film."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
import tifffile

import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading import read_film


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "packbits", "jpeg", "zstd"])
@pytest.mark.parametrize("layout", [{}, {"rowsperstrip": 16}, {"tile": (32, 32)}])
def test_every_compression_and_layout(compression: str | None, layout: dict[str, Any]) -> None:
    quality = {"compressionargs": {"level": 98}} if compression == "jpeg" else {}
    film = read_film(files.tiff_file(files.phantom(), compression=compression, **quality, **layout))
    tolerance = 4 if compression == "jpeg" else 0
    np.testing.assert_allclose(film.pixels.astype(int), files.phantom(), atol=tolerance)
    assert (film.facts.file_format, film.facts.frames) == ("tiff", 1)


@pytest.mark.parametrize("predictor", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bits", [12, 16])
def test_deep_greys_show_as_their_eight_bit_copy(bits: int, byteorder: str, predictor: bool) -> None:
    samples = (files.phantom().astype(np.uint32) * ((1 << bits) - 1) // 255).astype(np.uint16)
    content = files.tiff_file(samples.astype(f"{byteorder}u2"), compression="deflate", predictor=predictor)
    np.testing.assert_allclose(read_film(content).pixels.astype(int), files.phantom(), atol=1)


def test_a_big_tiff_is_read() -> None:
    file = BytesIO()
    with tifffile.TiffWriter(file, bigtiff=True) as writer:
        writer.write(files.phantom(), photometric="minisblack", metadata=None)
    np.testing.assert_array_equal(read_film(file.getvalue()).pixels, files.phantom())


@pytest.mark.parametrize("bits", [8, 16])
def test_min_is_white_is_turned_over(bits: int) -> None:
    scale = 257 if bits == 16 else 1
    samples = ((255 - files.phantom()).astype(np.uint32) * scale).astype(f"u{bits // 8}")
    film = read_film(files.tiff_file(samples, photometric="miniswhite"))
    np.testing.assert_array_equal(film.pixels, files.phantom())


def test_one_bit_is_black_and_white() -> None:
    film = read_film(files.tiff_file(files.phantom() > 128))
    np.testing.assert_array_equal(film.pixels, np.where(files.phantom() > 128, 255, 0))
    assert film.facts.bits_stored == 1


def test_of_several_pages_the_first_is_read() -> None:
    film = read_film(files.tiff_file(files.phantom(), 255 - files.phantom(), files.phantom()))
    np.testing.assert_array_equal(film.pixels, files.phantom())
    assert film.facts.frames == 3


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colour_in_both_planar_arrangements(planar: str) -> None:
    picture = files.colour_picture()
    samples = picture if planar == "contig" else np.moveaxis(picture, 2, 0)
    film = read_film(files.tiff_file(samples, photometric="rgb", planarconfig=planar))
    np.testing.assert_allclose(film.pixels.astype(float), picture @ np.array([0.299, 0.587, 0.114]), atol=1)
    assert film.facts.source_is_colour


def test_a_palette_is_looked_up() -> None:
    palette = np.repeat(np.linspace(65535, 0, 256).astype(np.uint16)[None], 3, axis=0)
    film = read_film(files.tiff_file(files.phantom(), photometric="palette", colormap=palette))
    np.testing.assert_allclose(film.pixels.astype(int), 255 - files.phantom(), atol=1)


def test_transparency_lies_on_black() -> None:
    alpha = np.full_like(files.phantom(), 255)
    alpha[:40] = 0
    samples = np.dstack([files.phantom()] * 3 + [alpha])
    film = read_film(files.tiff_file(samples, photometric="rgb", extrasamples=["unassalpha"]))
    assert not film.pixels[:40].any()
    np.testing.assert_array_equal(film.pixels[40:], files.phantom()[40:])


def test_fractions_are_stretched() -> None:
    film = read_film(files.tiff_file(files.phantom().astype(np.float32) / 255 - 0.5))
    np.testing.assert_allclose(film.pixels.astype(int), files.phantom(), atol=2)


def test_values_that_are_no_numbers_are_damage() -> None:
    samples = files.phantom().astype(np.float32)
    samples[3, 4] = np.nan
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(files.tiff_file(samples))
    assert caught.value.code == "damaged"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_obeyed(orientation: int) -> None:
    upright = files.phantom()
    stored = {
        1: upright,
        2: np.fliplr(upright),
        3: np.rot90(upright, 2),
        4: np.flipud(upright),
        5: upright.T,
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).T,
        8: np.rot90(upright, -1),
    }[orientation]
    content = files.tiff_file(np.ascontiguousarray(stored), extratags=[(274, 3, 1, orientation, True)])
    np.testing.assert_array_equal(read_film(content).pixels, upright)


def test_absurd_sizes_are_refused_by_the_header() -> None:
    content = bytearray(files.tiff_file(np.zeros((64, 64), np.uint8)))
    width = content.index(b"\x00\x01\x03\x00" if b"\x00\x01\x03\x00" in content else b"\x00\x01\x04\x00")
    content[width + 2 : width + 12] = b"\x04\x00\x01\x00\x00\x00\xff\xff\xff\x00"
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(bytes(content))
    assert caught.value.code == "too-large"


def test_more_than_four_samples_are_not_read() -> None:
    samples = np.zeros((32, 32, 6), np.uint8)
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(files.tiff_file(samples, planarconfig="contig"))
    assert caught.value.code == "unsupported"


@pytest.mark.parametrize("compression", ["deflate", "lzw", "packbits", "jpeg"])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
def test_a_strip_that_holds_half_a_picture_is_noticed(compression: str, end: bytes) -> None:
    content = bytearray(files.tiff_file(files.phantom(), compression=compression))
    with tifffile.TiffFile(BytesIO(content)) as file:
        page = file.pages.first
        offset, count = page.dataoffsets[0], page.databytecounts[0]
        place = page.tags["StripByteCounts"].valueoffset
    kept = count // 2
    content[offset + kept : offset + kept + len(end)] = end
    content[place : place + 4] = (kept + len(end)).to_bytes(4, "little")
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(bytes(content))
    assert caught.value.code in ("truncated", "damaged")


@pytest.mark.parametrize("subsampling", [(1, 1), (2, 2)])
def test_colour_strips_of_jpeg_are_read(subsampling: tuple[int, int]) -> None:
    options = {"compression": "jpeg", "rowsperstrip": 32, "subsampling": subsampling}
    film = read_film(files.tiff_file(files.colour_picture(), photometric="rgb", **options))
    assert film.facts.source_is_colour
    assert film.hw == (96, 80)
