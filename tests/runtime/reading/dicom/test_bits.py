"""The stored bits alone are the value, compressed or not; where the header is wrong, the picture decides."""

from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.uid import UID

import dicom_files as dicom
import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading import read_film
from cxr_runtime.reading.dicom.bits import Depth, stored_values

Words = NDArray[np.integer[Any]]  # of 16 bits
NATIVE = dicom.UNCOMPRESSED[1]


def encoded(words: Words, bits: int, syntax: UID) -> bytes | None:
    """A lossless frame of a precision; None for pixels that are not compressed."""
    if syntax == NATIVE:
        return None
    if syntax == dicom.RLE:
        return dicom.encode_frame(words, syntax, dicom.dicom_dataset(words, bits=16))
    if syntax == dicom.JPEG_LS:
        return bytes(imagecodecs.jpegls_encode(words))
    return dicom.ENCODERS[syntax](words, bits)


HOLDERS = (NATIVE, dicom.RLE, dicom.JPEG_LS, dicom.JPEG_LOSSLESS_SV1, dicom.JPEG_2000_LOSSLESS)
every_holder = pytest.mark.parametrize("syntax", HOLDERS, ids=lambda uid: uid.name)
WINDOW: dict[str, Any] = {"WindowCenter": 0, "WindowWidth": 4096, "VOILUTFunction": "LINEAR_EXACT"}


def film(bits: int = 12) -> Words:
    """The phantom over the whole range of a bit depth, its values next to each other as on a film."""
    grey = files.phantom(192, 160).astype(np.uint32)
    return (grey * ((1 << bits) - 1) // 255).astype(np.uint16)


def signed_film() -> Words:
    return (film().astype(np.int32) - 2048).astype(np.int16)


def overlay() -> Words:
    """A drawing of one bit that has nothing to do with the film."""
    rows, columns = np.indices((192, 160))
    return np.asarray((rows // 9 + columns // 7) % 3 == 0, np.uint16)


def shown(words: Words, syntax: UID, *, bits: int = 12, held: int = 16, **elements: Any) -> NDArray[np.int64]:
    stream = encoded(words, held, syntax)
    content = dicom.dicom_file(words, syntax=syntax, bits=bits, stream=stream, **elements)
    return read_film(content).pixels.astype(int)


def assert_film(pixels: NDArray[np.int64]) -> None:
    np.testing.assert_allclose(pixels, files.phantom(192, 160), atol=1)


@every_holder
def test_signed_values_in_wider_samples_keep_their_sign(syntax: UID) -> None:
    assert_film(shown(signed_film().view(np.uint16), syntax, PixelRepresentation=1, **WINDOW))


@every_holder
def test_signed_values_whose_unused_bits_are_empty_keep_their_sign(syntax: UID) -> None:
    assert_film(shown(signed_film().view(np.uint16) & 0xFFF, syntax, PixelRepresentation=1, **WINDOW))


@every_holder
def test_signed_values_without_a_window_are_shown_over_their_bits(syntax: UID) -> None:
    assert_film(shown(signed_film().view(np.uint16), syntax, PixelRepresentation=1))


@every_holder
@pytest.mark.parametrize("bit", [12, 15])
def test_overlays_in_the_unused_bits_hide_nothing(syntax: UID, bit: int) -> None:
    assert_film(shown(film() | (overlay() << bit), syntax))


@every_holder
def test_overlays_beside_signed_values_hide_nothing(syntax: UID) -> None:
    words = (signed_film().view(np.uint16) & 0xFFF) | (overlay() << 13)
    assert_film(shown(words, syntax, PixelRepresentation=1, **WINDOW))


@every_holder
def test_overlays_below_bits_that_lie_high_hide_nothing(syntax: UID) -> None:
    assert_film(shown((film() << 4) | overlay(), syntax, HighBit=15))


@every_holder
@pytest.mark.parametrize("high", [12, 15, 7])
def test_a_wrong_high_bit_changes_nothing_where_no_bit_lies_there(syntax: UID, high: int) -> None:
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    assert_film(shown(film(), syntax, HighBit=high, **window))


@every_holder
@pytest.mark.parametrize("stated", [12, 14, 15])
def test_a_frame_that_is_deeper_than_stated_is_shown_whole(syntax: UID, stated: int) -> None:
    stream = encoded(film(16), 16, syntax)
    content = dicom.dicom_file(film(16), syntax=syntax, bits=stated, stream=stream)
    assert_film(read_film(content).pixels.astype(int))


@every_holder
def test_a_frame_that_is_deeper_than_its_window_is_refused(syntax: UID) -> None:
    with pytest.raises(UnreadableFilmError, match="15 bits a pixel, but its pixels have 16") as caught:
        shown(film(16), syntax, bits=15, WindowCenter=16384, WindowWidth=32768)
    assert caught.value.code == "damaged"


@every_holder
def test_a_header_of_more_bits_than_the_frame_changes_nothing(syntax: UID) -> None:
    assert_film(shown(film(), syntax, bits=16, held=12))


@every_holder
def test_pixels_that_fit_no_reading_are_refused(syntax: UID) -> None:
    blocks = np.random.default_rng(1).integers(0, 1 << 16, (48, 40))
    noise = np.kron(blocks, np.ones((4, 4))).astype(np.uint16)
    with pytest.raises(UnreadableFilmError, match="states 12 unsigned bits a pixel") as caught:
        shown(noise, syntax)
    assert caught.value.code == "damaged"


@every_holder
def test_a_marker_beyond_the_stored_bits_does_not_cost_the_film(syntax: UID) -> None:
    marked = film() // 2
    marked[20:34, 20:34] = 65535
    pixels = shown(marked, syntax, WindowCenter=1024, WindowWidth=2048)
    assert (pixels[20:34, 20:34] == 255).all()
    away = np.ones(marked.shape, np.bool_)
    away[20:34, 20:34] = False
    np.testing.assert_allclose(pixels[away], files.phantom(192, 160)[away], atol=2)


def j2k(values: NDArray[Any], bits: int) -> bytes:
    options: dict[str, Any] = {"codecformat": "j2k", "reversible": True, "bitspersample": bits}
    return bytes(imagecodecs.jpeg2k_encode(values, level=0, **options))


@pytest.mark.parametrize(
    ("values", "precision", "stated"),
    [
        (signed_film, 12, 1),
        (signed_film, 16, 1),
        (signed_film, 12, 0),
        (signed_film, 16, 0),
        (signed_film, 12, None),
    ],
)
def test_a_signed_stream_of_jpeg_2000_is_signed_whatever_the_header_says(
    values: Callable[[], Words], precision: int, stated: int | None
) -> None:
    stream = j2k(values(), precision)
    content = dicom.dicom_file(
        film(),
        syntax=dicom.JPEG_2000_LOSSLESS,
        bits=12,
        stream=stream,
        **{**WINDOW, "PixelRepresentation": stated},
    )
    assert_film(read_film(content).pixels.astype(int))


def test_an_unsigned_stream_of_jpeg_2000_called_signed_is_read_as_the_picture_shows() -> None:
    unsigned, twos_complement = film(), signed_film().view(np.uint16) & 0xFFF
    for words, elements in ((unsigned, {}), (twos_complement, WINDOW)):
        stream = j2k(words, 12)
        content = dicom.dicom_file(
            words, syntax=dicom.JPEG_2000_LOSSLESS, bits=12, stream=stream, PixelRepresentation=1, **elements
        )
        assert_film(read_film(content).pixels.astype(int))


@every_holder
def test_the_picture_tells_the_sign_where_the_header_does_not(syntax: UID) -> None:
    assert_film(shown(film(), syntax, PixelRepresentation=None))
    assert_film(shown(signed_film().view(np.uint16), syntax, PixelRepresentation=None, **WINDOW))


def framed(values: NDArray[Any], padding: int) -> NDArray[Any]:
    bordered = values.copy()
    bordered[:20], bordered[-20:], bordered[:, :20], bordered[:, -20:] = (padding,) * 4
    return bordered


@every_holder
@pytest.mark.parametrize("stated", [("US", 65535), ("SS", -1)])
def test_padding_beyond_the_stored_bits_is_black(syntax: UID, stated: tuple[str, int]) -> None:
    pixels = shown(framed(film(), 65535), syntax, PixelPaddingValue=stated)
    np.testing.assert_allclose(pixels, framed(files.phantom(192, 160), 0), atol=1)


@every_holder
@pytest.mark.parametrize(
    ("padding", "stated"),
    [(-2048, ("US", 63488)), (-2048, ("SS", -2048)), (-32768, ("US", 32768)), (-32768, ("SS", -32768))],
)
def test_padding_of_signed_films_is_black_whatever_its_vr(
    syntax: UID, padding: int, stated: tuple[str, int]
) -> None:
    words = framed(signed_film(), padding).view(np.uint16)
    pixels = shown(words, syntax, PixelRepresentation=1, PixelPaddingValue=stated, **WINDOW)
    expected = framed(files.phantom(192, 160), 0)
    kept = signed_film() != padding  # the darkest of the film looks like padding
    np.testing.assert_allclose(pixels[kept], expected[kept], atol=1)


@every_holder
@pytest.mark.parametrize("is_windowed", [False, True], ids=["bare", "windowed"])
def test_signed_values_that_are_called_unsigned_get_their_sign(syntax: UID, *, is_windowed: bool) -> None:
    words = signed_film().view(np.uint16) & 0xFFF
    assert_film(shown(words, syntax, PixelRepresentation=0, **(WINDOW if is_windowed else {})))


@pytest.mark.parametrize("is_windowed", [False, True], ids=["bare", "windowed"])
def test_unsigned_values_that_are_called_signed_lose_their_sign(*, is_windowed: bool) -> None:
    window = {"WindowCenter": 2048, "WindowWidth": 4096} if is_windowed else {}
    assert_film(shown(film(), NATIVE, PixelRepresentation=1, **window))


@pytest.mark.parametrize("signed", [0, 1])
def test_white_letters_on_black_do_not_change_the_sign_of_a_dark_film(signed: int) -> None:
    words = film() // 3
    words[:60] = 0
    words[10:50:2, 10:90:2] = 2047 if signed else 4095
    if signed:
        words = words ^ 0x800
    values = stored_values(words, Depth(held=16, stored=12, high=11, is_signed=bool(signed))).values
    np.testing.assert_array_equal(values & 0xFFF, words)
    assert (int(values.min()) < 0) == signed


def test_indices_of_a_palette_have_no_sign() -> None:
    indices = film()
    depth = Depth(held=16, stored=12, high=11, is_signed=False, is_index=True)
    torn = indices ^ 0x800
    np.testing.assert_array_equal(stored_values(torn, depth).values, torn)
