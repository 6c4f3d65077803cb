"""TIFF files of every depth and compression become the same film."""

import struct
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

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
    stored = files.turned(upright, orientation)
    content = files.tiff_file(stored, extratags=[(274, 3, 1, orientation, True)])
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
    luminance = files.colour_picture() @ np.array([0.299, 0.587, 0.114])
    assert film.hw == (96, 80)
    assert np.abs(film.pixels - luminance).mean() < 4


def ycbcr(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma and chroma (ITU-R BT.601) of an RGB picture."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]], np.uint8)


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "packbits", "zstd"])
@pytest.mark.parametrize("coloured", [False, True])
def test_chroma_is_converted_whatever_the_compression(compression: str | None, coloured: bool) -> None:
    rgb = files.colour_picture() if coloured else np.repeat(files.phantom()[..., None], 3, axis=2)
    options = {"photometric": "ycbcr", "subsampling": (1, 1), "compression": compression}
    film = read_film(files.tiff_file(ycbcr(rgb), **options))
    np.testing.assert_allclose(film.pixels.astype(float), rgb @ np.array([0.299, 0.587, 0.114]), atol=2)


@pytest.mark.parametrize("blocks", [2, 4])
@pytest.mark.parametrize("compression", [1, 8])
def test_chroma_of_a_lower_resolution_is_read(compression: int, blocks: int) -> None:
    film = read_film(files.subsampled_tiff(files.phantom(), compression, blocks))
    np.testing.assert_array_equal(film.pixels, files.phantom())


@pytest.mark.parametrize("first", [{"subfiletype": 1}, {}])
def test_of_a_thumbnail_and_a_film_the_film_is_read(first: dict[str, int]) -> None:
    small = cv2.resize(files.phantom(), (20, 24), interpolation=cv2.INTER_AREA)
    film = read_film(files.tiff_pages((small, first), (files.phantom(), {"subfiletype": 0})))
    np.testing.assert_array_equal(film.pixels, files.phantom())
    assert film.facts.frames == 1


def test_of_a_film_and_its_smaller_copies_the_film_is_read() -> None:
    small = cv2.resize(files.phantom(), (20, 24), interpolation=cv2.INTER_AREA)
    film = read_film(files.tiff_pages((files.phantom(), {}), (small, {"subfiletype": 1}), (small, {})))
    np.testing.assert_array_equal(film.pixels, files.phantom())
    assert film.facts.frames == 1


@pytest.mark.parametrize("kind", ["unspecified", "assocalpha", "unassalpha"])
def test_of_samples_beyond_the_picture_only_transparency_counts(kind: str) -> None:
    extra = np.full_like(files.phantom(), 51)
    film = read_film(files.tiff_file(np.dstack([files.phantom(), extra]), extrasamples=[kind]))
    expected = np.round(files.phantom() * 0.2) if kind == "unassalpha" else files.phantom()
    np.testing.assert_array_equal(film.pixels, expected)


@pytest.mark.parametrize(
    ("resolution", "hw"), [((200, 100), (192, 80)), ((100, 200), (96, 160)), ((3, 3), (96, 80))]
)
def test_resolutions_that_differ_by_axis_make_pixels_square(
    resolution: tuple[int, int], hw: tuple[int, int]
) -> None:
    assert read_film(files.tiff_file(files.phantom(), resolution=resolution)).hw == hw


def test_a_codec_that_is_not_on_the_list_is_not_used() -> None:
    with pytest.raises(UnreadableFilmError, match="compression 34925") as caught:
        read_film(files.tiff_file(files.phantom(), compression="lzma"))
    assert caught.value.code == "unsupported"


@pytest.mark.parametrize("compression", [2, 3, 4, 6, 22610, 34934])
def test_fax_old_jpeg_and_jpeg_xr_are_not_read(compression: int) -> None:
    content = bytearray(files.tiff_file(files.phantom()))
    at = content.index(struct.pack("<HHI", 259, 3, 1)) + 8
    content[at : at + 2] = struct.pack("<H", compression)
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(bytes(content))
    assert caught.value.code == "unsupported"


def test_pixels_left_over_behind_the_strips_are_damage() -> None:
    content = files.tiff_file(files.phantom())
    read_film(content + bytes(20))
    with pytest.raises(UnreadableFilmError, match="left over"):
        read_film(content + bytes(range(20)))


def test_a_page_that_is_followed_by_itself_is_one_film() -> None:
    """tifffile's count of pages never ends in such a ring (2026.3.3)."""
    content = bytearray(files.tiff_file(files.phantom()))
    (at,) = struct.unpack_from("<I", content, 4)
    (tags,) = struct.unpack_from("<H", content, at)
    struct.pack_into("<I", content, at + 2 + 12 * tags, at)
    np.testing.assert_array_equal(read_film(bytes(content)).pixels, files.phantom())


@pytest.mark.parametrize("tag", [322, 323], ids=["width", "length"])
def test_a_tile_larger_than_any_film_is_refused_before_room_is_made_for_it(tag: int) -> None:
    content = bytearray(files.tiff_file(files.phantom(), tile=(32, 32), compression="adobe_deflate"))
    at = content.index(struct.pack("<HHI", tag, 4, 1))  # one LONG
    struct.pack_into("<I", content, at + 8, 0xFF00_0010)
    with pytest.raises(UnreadableFilmError) as refused:
        read_film(bytes(content))
    assert refused.value.code == "too-large"
