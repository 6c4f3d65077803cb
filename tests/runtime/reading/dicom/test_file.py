"""DICOM files of every transfer syntax and photometric interpretation become the same film."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    BasicTextSRStorage,
    DigitalXRayImageStorageForProcessing,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

import dicom_files as dicom
import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.film import View
from cxr_runtime.reading import read_film
from cxr_runtime.reading.dicom.syntaxes import NOT_READ, SYNTAXES, syntax_support

COMPRESSED = (dicom.RLE, *dicom.ENCODERS)
MOST_BITS = {dicom.JPEG_BASELINE: 8, dicom.JPEG_EXTENDED: 12}


def deep(bits: int) -> NDArray[np.uint16]:
    """The phantom over the whole range of a bit depth."""
    return (files.phantom().astype(np.uint32) * ((1 << bits) - 1) // 255).astype(np.uint16)


def assert_phantom(content: bytes, *, atol: float = 1) -> None:
    np.testing.assert_allclose(read_film(content).pixels.astype(int), files.phantom(), atol=atol)


def code_of(content: bytes) -> str:
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(content)
    assert "\n" not in caught.value.sentence
    return caught.value.code


@pytest.mark.parametrize(
    ("syntax", "bits"),
    [
        pytest.param(syntax, bits, id=f"{syntax.name} {bits}")
        for syntax in (*dicom.UNCOMPRESSED, *COMPRESSED)
        for bits in (8, 10, 12, 16)
        if bits <= MOST_BITS.get(syntax, 16)
    ],
)
def test_every_transfer_syntax_and_depth(syntax: UID, bits: int) -> None:
    pixels = files.phantom() if bits == 8 else deep(bits)
    content = dicom.dicom_file(pixels, syntax=syntax, bits=bits)
    assert_phantom(content, atol=6 if syntax in dicom.LOSSY else 1)
    facts = read_film(content).facts
    assert (facts.file_format, facts.transfer_syntax) == ("dicom", str(syntax))


def test_every_syntax_that_is_read_is_tested() -> None:
    assert {str(uid) for uid in (*dicom.UNCOMPRESSED, *COMPRESSED)} == set(SYNTAXES)


def test_the_base_install_has_a_decoder_for_each_syntax() -> None:
    support = {syntax.uid: syntax for syntax in syntax_support()}
    assert all(support[uid].available and support[uid].decoder for uid in SYNTAXES)
    assert not any(support[uid].available for uid in NOT_READ)


def test_baseline_is_decoded_by_the_library_that_is_named_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SYNTAXES[str(dicom.JPEG_BASELINE)].decoder == "simplejpeg"
    content = dicom.dicom_file(files.phantom(), syntax=dicom.JPEG_BASELINE, bits=8)
    monkeypatch.setattr("imagecodecs.jpeg8_decode", None)
    assert_phantom(content, atol=6)


@pytest.mark.parametrize("uid", [*NOT_READ, "1.2.840.10008.1.2.4.999"])
def test_other_syntaxes_are_named_and_not_guessed_at(uid: str) -> None:
    written = dicom.HTJ2K if len(uid) == len(dicom.HTJ2K) else dicom.JPEG_2000
    content = dicom.dicom_file(files.phantom(), syntax=written, stream=b"\0" * 64)
    with pytest.raises(UnreadableFilmError, match=NOT_READ.get(uid, uid)) as caught:
        read_film(content.replace(written.encode(), uid.encode()))
    assert caught.value.code == "unsupported"


@pytest.mark.parametrize(
    "syntax", [dicom.UNCOMPRESSED[1], dicom.RLE, dicom.JPEG_2000_LOSSLESS, dicom.JPEG_LS]
)
def test_monochrome1_is_inverted_once(syntax: UID) -> None:
    shapes: list[dict[str, Any]] = [{}, *({"PresentationLUTShape": s} for s in ("INVERSE", "IDENTITY"))]
    for shape in shapes:
        content = dicom.dicom_file(
            4095 - deep(12), syntax=syntax, bits=12, PhotometricInterpretation="MONOCHROME1", **shape
        )
        assert_phantom(content)


def test_an_inverse_presentation_turns_monochrome2_over() -> None:
    assert_phantom(dicom.dicom_file(4095 - deep(12), bits=12, PresentationLUTShape="INVERSE"))


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("syntax", [dicom.UNCOMPRESSED[1], ExplicitVRBigEndian, dicom.RLE])
def test_signed_values_keep_their_sign(syntax: UID, bits: int) -> None:
    half = 1 << (bits - 1)
    values = deep(bits).astype(np.int32) - half
    signed = values.astype(np.int8) if bits == 8 else values.astype(np.int16)
    elements: dict[str, Any] = {"WindowCenter": 0, "WindowWidth": 2 * half, "VOILUTFunction": "LINEAR_EXACT"}
    assert_phantom(dicom.dicom_file(signed, syntax=syntax, bits=bits, **elements))


def test_a_signed_stream_of_jpeg_2000_keeps_its_sign() -> None:
    import imagecodecs

    signed = (deep(12).astype(np.int32) - 2048).astype(np.int16)
    stream = imagecodecs.jpeg2k_encode(signed, level=0, codecformat="j2k", reversible=True, bitspersample=12)
    window: dict[str, Any] = {"WindowCenter": 0, "WindowWidth": 4096, "VOILUTFunction": "LINEAR_EXACT"}
    syntax = dicom.JPEG_2000_LOSSLESS
    assert_phantom(dicom.dicom_file(signed, syntax=syntax, bits=12, stream=bytes(stream), **window))


def test_twos_complement_in_a_stream_without_sign_is_understood() -> None:
    signed = (deep(12).astype(np.int32) - 2048).astype(np.int16)
    stream = dicom.ENCODERS[dicom.JPEG_LOSSLESS_SV1](signed.view(np.uint16) & 0xFFF, 12)
    window: dict[str, Any] = {"WindowCenter": 0, "WindowWidth": 4096, "VOILUTFunction": "LINEAR_EXACT"}
    assert_phantom(dicom.dicom_file(signed, syntax=dicom.JPEG_LOSSLESS_SV1, bits=12, stream=stream, **window))


def test_overlay_bits_beside_the_stored_ones_are_dropped() -> None:
    overlay = np.where(np.indices(files.phantom().shape).sum(axis=0) % 7 == 0, 0xF000, 0).astype(np.uint16)
    assert_phantom(dicom.dicom_file(deep(12) | overlay, bits=12))


def test_stored_bits_may_lie_high() -> None:
    assert_phantom(dicom.dicom_file((deep(12) << 4) | 0xF, bits=12, HighBit=15))


def test_overshoot_of_lossy_streams_is_clipped() -> None:
    pixels = deep(10)
    stream = dicom.ENCODERS[dicom.JPEG_EXTENDED](np.minimum(pixels.astype(np.uint16) + 40, 1100), 12)
    film = read_film(dicom.dicom_file(pixels, syntax=dicom.JPEG_EXTENDED, bits=10, stream=stream))
    bright = files.phantom() > 250
    assert film.pixels[bright].min() > 240


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("syntax", [*dicom.UNCOMPRESSED, dicom.RLE], ids=lambda uid: uid.name)
def test_colour_pictures(syntax: UID, planar: int) -> None:
    picture = files.colour_picture()
    if planar and syntax != dicom.RLE:
        stored = np.ascontiguousarray(np.moveaxis(picture, 2, 0)).reshape(picture.shape)
    else:
        stored = picture
    film = read_film(dicom.dicom_file(stored, syntax=syntax, PlanarConfiguration=planar))
    expected = picture @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(film.pixels.astype(float), expected, atol=1)


@pytest.mark.parametrize(
    "syntax", [dicom.JPEG_BASELINE, dicom.JPEG_LOSSLESS_SV1, dicom.JPEG_LS, dicom.JPEG_2000_LOSSLESS]
)
@pytest.mark.parametrize("coloured", [False, True])
def test_compressed_colour_pictures(syntax: UID, coloured: bool) -> None:
    grey = np.repeat(files.phantom()[..., None], 3, axis=2)
    picture = files.colour_picture() if coloured else grey
    photometric = "YBR_FULL_422" if syntax == dicom.JPEG_BASELINE else "RGB"
    film = read_film(dicom.dicom_file(picture, syntax=syntax, PhotometricInterpretation=photometric))
    expected = picture @ np.array([0.299, 0.587, 0.114])
    assert np.abs(film.pixels - expected).mean() < 2


def test_luminance_and_chroma_are_told_apart() -> None:
    grey = files.phantom()
    stored = np.dstack([grey, np.full_like(grey, 128), np.full_like(grey, 128)])
    for syntax in (dicom.UNCOMPRESSED[1], dicom.RLE, dicom.JPEG_LS, dicom.JPEG_LOSSLESS_SV1):
        content = dicom.dicom_file(stored, syntax=syntax, PhotometricInterpretation="YBR_FULL")
        assert_phantom(content)


def test_halved_chroma_is_understood() -> None:
    grey = files.phantom()
    pairs = np.dstack([grey[:, 0::2], grey[:, 1::2], np.full((96, 40), 128), np.full((96, 40), 128)])
    ds = dicom.dicom_dataset(np.zeros((96, 80, 3), np.uint8), PhotometricInterpretation="YBR_FULL_422")
    ds.PixelData = pairs.astype(np.uint8).tobytes()
    ds["PixelData"].VR = "OB"
    assert_phantom(dicom.write_dataset(ds))


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_is_looked_up(bits: int) -> None:
    ramp = np.linspace((1 << bits) - 1, 0, 256).round().astype(np.uint8 if bits == 8 else np.uint16)
    colours = ("Red", "Green", "Blue")
    palette: dict[str, Any] = {f"{c}PaletteColorLookupTableDescriptor": [256, 0, bits] for c in colours}
    palette |= {f"{c}PaletteColorLookupTableData": ramp.tobytes() for c in colours}
    content = dicom.dicom_file(files.phantom(), PhotometricInterpretation="PALETTE COLOR", **palette)
    np.testing.assert_allclose(read_film(content).pixels.astype(int), 255 - files.phantom(), atol=1)


@pytest.mark.parametrize("syntax", [dicom.UNCOMPRESSED[1], dicom.RLE, dicom.JPEG_LS])
def test_of_several_frames_the_first_is_read(syntax: UID) -> None:
    frames = np.stack([files.phantom(), 255 - files.phantom(), files.phantom()])
    content = dicom.dicom_file(frames, syntax=syntax)
    assert_phantom(content)
    assert read_film(content).facts.frames == 3


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, dicom.UNCOMPRESSED[1], ExplicitVRBigEndian])
def test_preamble_and_meta_information_may_be_missing(syntax: UID) -> None:
    content = dicom.dicom_file(deep(12), bits=12, syntax=syntax)
    assert_phantom(dicom.without_preamble(content))
    assert_phantom(dicom.without_meta(content))
    assert read_film(dicom.without_meta(content)).facts.transfer_syntax == str(syntax)


def test_bits_of_one_are_black_and_white() -> None:
    mask = files.phantom() > 128
    ds = dicom.dicom_dataset(files.phantom(), BitsAllocated=1, BitsStored=1, HighBit=0)
    ds.PixelData = np.packbits(mask.ravel(), bitorder="little").tobytes()
    ds["PixelData"].VR = "OB"
    np.testing.assert_array_equal(read_film(dicom.write_dataset(ds)).pixels, np.where(mask, 255, 0))


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"Rows": 0}, "no-pixels"),
        ({"Rows": 40_000, "Columns": 40_000}, "too-large"),
        ({"Rows": 97}, "truncated"),
        ({"PhotometricInterpretation": "CMYK"}, "unsupported"),
        ({"PhotometricInterpretation": "HSV"}, "unsupported"),
        ({"BitsStored": 9}, "damaged"),
        ({"BitsAllocated": 12}, "unsupported"),
        ({"SamplesPerPixel": 2}, "truncated"),
    ],
)
def test_headers_that_contradict_their_pixels(elements: dict[str, Any], code: str) -> None:
    assert code_of(dicom.dicom_file(files.phantom(), **elements)) == code


@pytest.mark.parametrize("syntax", [dicom.JPEG_BASELINE, dicom.JPEG_LS, dicom.JPEG_2000, dicom.RLE])
def test_a_stream_of_another_size_than_stated_is_damage(syntax: UID) -> None:
    stream = dicom.encode_frame(files.phantom(), syntax, dicom.dicom_dataset(files.phantom()))
    content = dicom.dicom_file(files.phantom(), syntax=syntax, stream=stream, Rows=90)
    assert code_of(content) == "damaged"


@pytest.mark.parametrize("syntax", [dicom.JPEG_BASELINE, dicom.JPEG_LS, dicom.JPEG_2000, dicom.RLE])
def test_a_stream_of_rubbish_is_damage(syntax: UID) -> None:
    assert code_of(dicom.dicom_file(files.phantom(), syntax=syntax, stream=b"rubbish " * 20)) == "damaged"


def test_a_stream_that_states_absurd_sizes_is_not_decoded() -> None:
    stream = bytearray(dicom.ENCODERS[dicom.JPEG_2000_LOSSLESS](files.phantom(), 8))
    stream[8:16] = b"\x00\x10\x00\x00" * 2
    content = dicom.dicom_file(files.phantom(), syntax=dicom.JPEG_2000_LOSSLESS, stream=bytes(stream))
    assert code_of(content) == "too-large"


def test_objects_without_a_picture_are_named() -> None:
    report = dicom.dicom_dataset(files.phantom())
    for keyword in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(report, keyword)
    report.SOPClassUID = BasicTextSRStorage
    with pytest.raises(UnreadableFilmError, match="Basic Text SR") as caught:
        read_film(dicom.write_dataset(report))
    assert caught.value.code == "no-pixels"


def test_floating_point_pictures_are_not_read() -> None:
    ds = dicom.dicom_dataset(files.phantom())
    ds.FloatPixelData = files.phantom().astype(np.float32).tobytes()
    assert code_of(dicom.write_dataset(ds)) == "unsupported"


@pytest.mark.parametrize(
    ("elements", "view"),
    [
        ({"ViewPosition": "PA"}, View.PA),
        ({"ViewPosition": "ap"}, View.AP),
        ({"ViewPosition": "LL"}, View.LATERAL),
        ({"ViewPosition": "LATERAL"}, View.LATERAL),
        ({"ViewPosition": "LLD"}, View.UNKNOWN),
        ({"ViewPosition": ""}, View.UNKNOWN),
        ({"ViewPosition": "", "ViewCodeSequence": ("272479007",)}, View.PA),
        ({"ViewPosition": "", "ViewCodeSequence": ("R-10206",)}, View.AP),
        ({"ViewPosition": "", "ViewCodeSequence": ("unknown", "399198007")}, View.LATERAL),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value")
def test_the_view_comes_from_position_or_code(elements: dict[str, Any], view: View) -> None:
    if "ViewCodeSequence" in elements:
        items = [Dataset() for _ in elements["ViewCodeSequence"]]
        for item, value in zip(items, elements["ViewCodeSequence"], strict=True):
            item.CodeValue = value
        elements = {**elements, "ViewCodeSequence": Sequence(items)}
    assert read_film(dicom.dicom_file(files.phantom(), **elements)).facts.view is view


@pytest.mark.parametrize(
    ("elements", "years"),
    [
        ({"PatientAge": "045Y"}, 45.0),
        ({"PatientAge": "006M"}, 0.5),
        ({"PatientAge": "062"}, 62.0),
        ({"PatientAge": "old"}, None),
        ({}, None),
        ({"PatientBirthDate": "20000101", "StudyDate": "20100101"}, 10.0),
        ({"PatientBirthDate": "20100101", "StudyDate": "20100101"}, 0.0),
        ({"PatientBirthDate": "18000101", "StudyDate": "20100101"}, None),
        ({"PatientBirthDate": "20001332", "StudyDate": "20100101"}, None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value")
def test_the_age_comes_from_the_header(elements: dict[str, Any], years: float | None) -> None:
    found = read_film(dicom.dicom_file(files.phantom(), **elements)).facts.age_years
    assert found == (None if years is None else pytest.approx(years, abs=0.01))


@pytest.mark.filterwarnings("ignore:Invalid value")
@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"PresentationIntentType": "FOR PROCESSING"}, True),
        ({"PresentationIntentType": ("LO", "for processing ")}, True),
        ({"SOPClassUID": DigitalXRayImageStorageForProcessing}, True),
        ({"PresentationIntentType": "FOR PRESENTATION"}, False),
        ({}, False),
    ],
)
def test_the_header_says_whether_pixels_are_for_processing(elements: dict[str, Any], expected: bool) -> None:
    assert read_film(dicom.dicom_file(files.phantom(), **elements)).facts.is_for_processing is expected


@pytest.mark.parametrize("character_set", ["ISO_IR 100", "ISO_IR 192", "ISO 2022 IR 87", "nonsense", ""])
def test_names_in_any_character_set_do_no_harm(character_set: str) -> None:
    content = dicom.dicom_file(files.phantom(), PatientName="Phantom^Film")
    wild = b"\xe8\x83\xb8\xff\x1b$B^\xe9\x00"
    content = content.replace(b"Phantom^Film", (wild + b"\0" * 12)[:12])
    element = b"\x08\x00\x05\x00CS" + len(character_set.ljust(16)).to_bytes(2, "little")
    at = content.index(b"\x08\x00\x16\x00UI")
    assert_phantom(content[:at] + element + character_set.ljust(16).encode() + content[at:])
