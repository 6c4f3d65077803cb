"""Grey films and pictures in colour, whatever a header calls their components."""

from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

import dicom_files as dicom
import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.reading import read_film

Picture = NDArray[np.uint8]  # (rows, columns, 3)
PHOTOMETRIC = ("RGB", "YBR_FULL", "YBR_FULL_422", "MONOCHROME2", None)
every_name = pytest.mark.parametrize("photometric", PHOTOMETRIC)
LOSSLESS = (dicom.RLE, dicom.JPEG_LS, dicom.JPEG_LOSSLESS_SV1, dicom.JPEG_2000_LOSSLESS)


def grey_rgb() -> Picture:
    return np.repeat(files.phantom()[..., None], 3, axis=2)


def grey_ybr() -> Picture:
    chroma = np.full(files.phantom().shape, 128, np.uint8)
    return np.dstack([files.phantom(), chroma, chroma])


def jpeg(components: Picture, mark: str) -> bytes:
    """A stream of three components as they are, marked by JFIF, Adobe (0 or 1), names, or not at all."""
    stream = bytearray(imagecodecs.jpeg8_encode(components, level=98, colorspace="RGB", outcolorspace="RGB"))
    while stream[3] in (0xE0, 0xEE):  # what the encoder says
        del stream[2 : 4 + int.from_bytes(stream[4:6], "big")]
    names = b"RGB" if mark == "names" else b"\x01\x02\x03"
    frame, scan = stream.index(b"\xff\xc0"), stream.index(b"\xff\xda")
    for component, name in enumerate(names):
        stream[frame + 10 + 3 * component] = stream[scan + 5 + 2 * component] = name
    segments = {
        "jfif": b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
        "adobe 0": b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00",
        "adobe 1": b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x01",
    }
    return bytes(stream[:2]) + segments.get(mark, b"") + bytes(stream[2:])


def colour_file(components: Picture, syntax: UID, photometric: str | None, **elements: Any) -> bytes:
    return dicom.dicom_file(components, syntax=syntax, PhotometricInterpretation=photometric, **elements)


def assert_grey_film(content: bytes, *, atol: float = 1) -> None:
    film = read_film(content)
    np.testing.assert_allclose(film.pixels.astype(int), files.phantom(), atol=atol)


@every_name
@pytest.mark.parametrize("mark", ["jfif", "adobe 1", ""])
def test_a_grey_jpeg_in_ycbcr_is_read_whatever_the_header_calls_it(
    photometric: str | None, mark: str
) -> None:
    stream = jpeg(grey_ybr(), mark)
    assert_grey_film(colour_file(grey_rgb(), dicom.JPEG_BASELINE, photometric, stream=stream), atol=6)


@every_name
@pytest.mark.parametrize("mark", ["names", "adobe 0", ""])
def test_a_grey_jpeg_in_rgb_is_read_whatever_the_header_calls_it(photometric: str | None, mark: str) -> None:
    stream = jpeg(grey_rgb(), mark)
    assert_grey_film(colour_file(grey_rgb(), dicom.JPEG_BASELINE, photometric, stream=stream), atol=6)


@pytest.mark.parametrize(
    ("mark", "photometric", "is_rgb"),
    [
        ("jfif", "RGB", False),
        ("adobe 1", "RGB", False),
        ("adobe 0", "YBR_FULL_422", True),
        ("names", "YBR_FULL_422", True),
        ("", "RGB", True),
        ("", "YBR_FULL_422", False),
    ],
)
def test_a_coloured_jpeg_is_read_as_its_marks_say_and_else_as_its_header(
    mark: str, photometric: str, is_rgb: bool
) -> None:
    rgb = files.colour_picture()
    components = rgb if is_rgb else np.asarray(convert_color_space(rgb, "RGB", "YBR_FULL"))
    stream = jpeg(components, mark)
    film = read_film(colour_file(rgb, dicom.JPEG_BASELINE, photometric, stream=stream))
    expected = rgb @ np.array([0.299, 0.587, 0.114])
    assert np.abs(film.pixels - expected).mean() < 2


@every_name
@pytest.mark.parametrize("syntax", [*dicom.UNCOMPRESSED[:2], *LOSSLESS], ids=lambda uid: uid.name)
@pytest.mark.parametrize("components", [grey_rgb(), grey_ybr()], ids=["rgb", "ybr"])
def test_grey_films_of_three_lossless_components_are_read(
    photometric: str | None, syntax: UID, components: Picture
) -> None:
    if photometric == "YBR_FULL_422" and syntax in dicom.UNCOMPRESSED:
        photometric = "YBR_FULL"
    assert_grey_film(colour_file(components, syntax, photometric))


@pytest.mark.parametrize("transformed", [True, False])
@pytest.mark.parametrize("photometric", ["RGB", "YBR_RCT"])
def test_jpeg_2000_in_colour_is_read_with_and_without_its_transform(
    transformed: bool, photometric: str
) -> None:
    options: dict[str, Any] = {"codecformat": "j2k", "reversible": True, "mct": transformed}
    rgb = files.colour_picture()
    stream = bytes(imagecodecs.jpeg2k_encode(rgb, level=0, **options))
    film = read_film(colour_file(rgb, dicom.JPEG_2000_LOSSLESS, photometric, stream=stream))
    np.testing.assert_allclose(film.pixels, rgb @ np.array([0.299, 0.587, 0.114]), atol=1)


@pytest.mark.parametrize("transformed", [True, False])
def test_three_equal_components_of_jpeg_2000_are_no_damage(transformed: bool) -> None:
    options: dict[str, Any] = {"codecformat": "j2k", "reversible": True, "mct": transformed}
    grey = draw_phantom(1, hw=(512, 512))
    rgb = np.repeat(grey[..., None], 3, axis=2)
    stream = bytes(imagecodecs.jpeg2k_encode(rgb, level=0, **options))
    film = read_film(colour_file(rgb, dicom.JPEG_2000_LOSSLESS, "RGB", stream=stream))
    np.testing.assert_array_equal(film.pixels, grey)


@pytest.mark.parametrize("stated", [0, 1, None])
@pytest.mark.parametrize("in_planes", [True, False])
@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_a_grey_film_is_read_whether_or_not_its_components_lie_in_planes_as_stated(
    stated: int | None, in_planes: bool, photometric: str
) -> None:
    pixels = grey_rgb() if photometric == "RGB" else grey_ybr()
    if in_planes:
        pixels = np.ascontiguousarray(np.moveaxis(pixels, 2, 0)).reshape(pixels.shape)
    elements = {"PlanarConfiguration": stated}
    assert_grey_film(colour_file(pixels, ExplicitVRLittleEndian, photometric, **elements))


def test_a_grey_stream_is_grey_whatever_the_header_says() -> None:
    stream = dicom.ENCODERS[dicom.JPEG_BASELINE](files.phantom(), 8)
    for photometric in ("RGB", "YBR_FULL_422"):
        content = dicom.dicom_file(
            files.phantom(),
            syntax=dicom.JPEG_BASELINE,
            stream=stream,
            PhotometricInterpretation=photometric,
            SamplesPerPixel=3,
        )
        assert_grey_film(content, atol=6)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian], ids=lambda uid: uid.name)
def test_a_palette_of_words_is_read_in_both_byte_orders(syntax: UID) -> None:
    falling = (np.arange(256)[::-1] * 257).astype(">u2" if syntax == ExplicitVRBigEndian else "<u2").tobytes()
    palette: dict[str, Any] = {}
    for colour in ("Red", "Green", "Blue"):
        palette[f"{colour}PaletteColorLookupTableDescriptor"] = ("US", [256, 0, 16])
        palette[f"{colour}PaletteColorLookupTableData"] = ("OW", falling)
    content = dicom.dicom_file(
        files.phantom(), syntax=syntax, PhotometricInterpretation="PALETTE COLOR", **palette
    )
    np.testing.assert_allclose(read_film(content).pixels.astype(int), 255 - files.phantom(), atol=1)


def test_a_palette_that_lacks_colours_of_the_picture_is_refused() -> None:
    palette: dict[str, Any] = {}
    for colour in ("Red", "Green", "Blue"):
        palette[f"{colour}PaletteColorLookupTableDescriptor"] = ("US", [256, 0, 16])
        palette[f"{colour}PaletteColorLookupTableData"] = ("OW", bytes(256))
    content = dicom.dicom_file(files.phantom(), PhotometricInterpretation="PALETTE COLOR", **palette)
    with pytest.raises(UnreadableFilmError, match="palette") as caught:
        read_film(content)
    assert caught.value.code == "damaged"
