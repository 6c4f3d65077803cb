"""The display pipeline of DICOM, held against pydicom's own and against the standard's formulas."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRBigEndian

import dicom_files as dicom
import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.film import GreyPixels
from cxr_runtime.reading import read_film
from cxr_runtime.reading.dicom.display import window


def deep() -> NDArray[np.uint16]:
    return (files.phantom().astype(np.uint32) * 4095 // 255).astype(np.uint16)


def shown(pixels: NDArray[np.integer[Any]], **elements: Any) -> GreyPixels:
    return read_film(dicom.dicom_file(pixels, bits=12, **elements)).pixels


def lut(entries: NDArray[np.integer[Any]], *, first: int = 0, bits: int = 16) -> Sequence:
    item = Dataset()
    item.LUTDescriptor = [len(entries) % 65536, first, bits]
    item.LUTData = np.asarray(entries, np.uint8 if bits == 8 else np.uint16).tobytes()
    item["LUTData"].VR = "OW"
    return Sequence([item])


def grey(values: NDArray[Any], top: float) -> NDArray[Any]:
    return np.clip(np.round(values.astype(float) * 255 / top), 0, 255)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("centre", "width"), [(2048, 4096), (1500, 800), (3000, 1200), (500.5, 3000.25)])
def test_windows_agree_with_pydicom(function: str, centre: float, width: float) -> None:
    elements = {"WindowCenter": centre, "WindowWidth": width, "VOILUTFunction": function}
    with np.errstate(over="ignore"):
        expected = apply_windowing(deep(), dicom.dicom_dataset(deep(), bits=12, **elements))
    np.testing.assert_allclose(shown(deep(), **elements), grey(expected, 4095), atol=1)


def test_windows_follow_the_standard_at_their_edges() -> None:
    """The example of PS3.3 C.11.2.1.2.1: centre 2048, width 4096 maps 0 to black and 4095 to white."""
    linear = window(2048, 4096, "LINEAR")
    exact = window(2048, 4096, "LINEAR_EXACT")
    step = window(100, 1, "LINEAR")
    assert linear is not None
    assert exact is not None
    assert step is not None
    np.testing.assert_allclose(linear(np.array([0.0, 4095.0])), [0, 1])
    np.testing.assert_allclose(exact(np.array([0.0, 2048.0, 4096.0])), [0, 0.5, 1])
    np.testing.assert_allclose(step(np.array([99.0, 99.5, 100.0])), [0, 0, 1])


@pytest.mark.parametrize(("width", "function"), [(0.5, "LINEAR"), (0, "LINEAR_EXACT"), (-5, "SIGMOID")])
def test_windows_of_forbidden_width_do_not_count(width: float, function: str) -> None:
    assert window(100, width, function) is None
    pixels = shown(deep(), WindowCenter=100, WindowWidth=width, VOILUTFunction=function)
    np.testing.assert_allclose(pixels.astype(int), files.phantom(), atol=1)


def test_the_first_of_several_windows_is_shown() -> None:
    both = shown(deep(), WindowCenter=[1000, 3000], WindowWidth=[500, 600])
    np.testing.assert_array_equal(both, shown(deep(), WindowCenter=1000, WindowWidth=500))


@pytest.mark.parametrize("centre", [99999, -5000])
def test_a_window_that_shows_nothing_is_ignored(centre: int) -> None:
    pixels = shown(deep(), WindowCenter=centre, WindowWidth=10)
    np.testing.assert_allclose(pixels.astype(int), files.phantom(), atol=1)


@pytest.mark.filterwarnings("ignore:Invalid value")
@pytest.mark.parametrize("value", ["", "abc", "inf", "1e999"])
def test_malformed_numbers_count_as_missing(value: str) -> None:
    content = dicom.dicom_file(deep(), bits=12, WindowCenter="12345", WindowWidth="54321")
    content = content.replace(b"12345 ", value.encode().ljust(6))
    np.testing.assert_allclose(read_film(content).pixels.astype(int), files.phantom(), atol=1)


@pytest.mark.parametrize(("slope", "intercept"), [(2.0, -1024.0), (0.25, 10.0), (-1.0, 4095.0)])
def test_rescale_goes_before_the_window(slope: float, intercept: float) -> None:
    elements = {"RescaleSlope": slope, "RescaleIntercept": intercept}
    elements |= {"WindowCenter": slope * 2048 + intercept, "WindowWidth": abs(slope) * 3000}
    ds = dicom.dicom_dataset(deep(), bits=12, **elements, VOILUTFunction="LINEAR_EXACT")
    values = apply_modality_lut(deep(), ds).astype(float)
    light = np.clip((values - elements["WindowCenter"]) / elements["WindowWidth"] + 0.5, 0, 1)
    pixels = shown(deep(), **elements, VOILUTFunction="LINEAR_EXACT")
    np.testing.assert_allclose(pixels, np.round(255 * light), atol=1)


def test_a_falling_rescale_alone_turns_the_film_over() -> None:
    pixels = shown(deep(), RescaleSlope=-1, RescaleIntercept=4095)
    np.testing.assert_allclose(pixels.astype(int), 255 - files.phantom(), atol=1)


def test_a_modality_lut_goes_before_rescale_and_window() -> None:
    curve = (np.sqrt(np.arange(4096) / 4095) * 65535).astype(int)
    sequence = lut(curve)
    sequence[0].ModalityLUTType = "US"
    elements = {"ModalityLUTSequence": sequence, "RescaleSlope": 5, "RescaleIntercept": 3}
    expected = apply_modality_lut(deep(), dicom.dicom_dataset(deep(), bits=12, ModalityLUTSequence=sequence))
    np.testing.assert_allclose(shown(deep(), **elements), grey(expected, 65535), atol=1)
    windowed = shown(deep(), **elements, WindowCenter=32768, WindowWidth=65536)
    np.testing.assert_allclose(windowed, grey(expected, 65535), atol=1)


@pytest.mark.parametrize(("bits", "first", "count"), [(16, 0, 4096), (12, 100, 3000), (10, 0, 4096)])
def test_voi_luts_agree_with_pydicom(bits: int, first: int, count: int) -> None:
    curve = (np.linspace(0, 1, count) ** 2 * ((1 << bits) - 1)).astype(int)
    elements = {"VOILUTSequence": lut(curve, first=first, bits=bits)}
    expected = apply_voi(deep(), dicom.dicom_dataset(deep(), bits=12, **elements))
    pixels = shown(deep(), **elements, WindowCenter=9, WindowWidth=3)
    np.testing.assert_allclose(pixels, grey(expected, (1 << bits) - 1), atol=1)


def test_a_lut_of_65536_entries_states_none() -> None:
    curve = np.arange(65536)[::-1]
    pixels = (files.phantom().astype(np.uint16)) * 257
    content = dicom.dicom_file(pixels, bits=16, VOILUTSequence=lut(curve))
    np.testing.assert_allclose(read_film(content).pixels.astype(int), 255 - files.phantom(), atol=1)


def test_a_lut_that_states_more_bits_than_it_uses_is_not_shown_dark() -> None:
    pixels = shown(deep(), VOILUTSequence=lut(np.arange(4096), bits=16))
    np.testing.assert_allclose(pixels.astype(int), files.phantom(), atol=1)


def test_eight_bit_entries_may_be_bytes_or_words() -> None:
    sequence = lut(np.arange(4096) // 16, bits=8)
    np.testing.assert_allclose(shown(deep(), VOILUTSequence=sequence).astype(int), files.phantom(), atol=1)
    words = (np.arange(4096) // 16).astype(np.uint16)
    sequence[0].LUTData = words.tobytes()
    np.testing.assert_allclose(shown(deep(), VOILUTSequence=sequence).astype(int), files.phantom(), atol=1)


def test_an_empty_lut_gives_way_to_the_window() -> None:
    elements = {"WindowCenter": 1000, "WindowWidth": 500}
    empty = shown(deep(), VOILUTSequence=Sequence([Dataset()]), **elements)
    np.testing.assert_array_equal(empty, shown(deep(), **elements))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_does_not_stretch_the_film(photometric: str) -> None:
    stored = 1000 + files.phantom().astype(np.uint16) * 3
    stored[:20] = 4095
    pixels = shown(stored, PixelPaddingValue=4095, PhotometricInterpretation=photometric)
    assert not pixels[:20].any()
    unpadded = shown(stored[20:], PhotometricInterpretation=photometric)
    np.testing.assert_allclose(pixels[20:].astype(int), unpadded, atol=1)


def test_a_range_of_padding_is_black() -> None:
    stored = deep()
    pixels = shown(stored, PixelPaddingValue=3000, PixelPaddingRangeLimit=3500)
    within = (stored >= 3000) & (stored <= 3500)
    assert not pixels[within].any()
    np.testing.assert_allclose(pixels[~within].astype(int), files.phantom()[~within], atol=1)


def test_a_film_of_padding_alone_is_black() -> None:
    assert not shown(np.full((40, 40), 7, np.uint16), PixelPaddingValue=7).any()


def test_a_film_of_one_value_is_shown() -> None:
    assert shown(np.full((40, 40), 4095, np.uint16)).min() == 255
    assert shown(np.zeros((40, 40), np.uint16)).max() == 0


def test_thirty_two_bits_are_shown() -> None:
    pixels = files.phantom().astype(np.uint32) * 16_000_000
    content = dicom.dicom_file(pixels, bits=32)
    np.testing.assert_allclose(read_film(content).pixels.astype(int), files.phantom(), atol=14)


@pytest.mark.parametrize("syntax", dicom.UNCOMPRESSED, ids=lambda uid: uid.name)
@pytest.mark.parametrize("vr", ["OW", "US"])
@pytest.mark.parametrize("sequence", ["VOILUTSequence", "ModalityLUTSequence"])
def test_tables_of_words_are_read_in_both_byte_orders(syntax: UID, vr: str, sequence: str) -> None:
    falling = (np.arange(4096)[::-1] * 16).astype(np.uint16)
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 16])
    order = ">u2" if syntax == ExplicitVRBigEndian else "<u2"
    item.add_new("LUTData", vr, falling.astype(order).tobytes() if vr == "OW" else falling.tolist())
    elements: dict[str, Any] = {sequence: Sequence([item])}
    content = dicom.dicom_file(deep(), syntax=syntax, bits=12, **elements)
    np.testing.assert_allclose(read_film(content).pixels.astype(int), 255 - files.phantom(), atol=1)


def test_a_table_in_the_wrong_byte_order_is_read_in_the_right_one() -> None:
    sequence = lut(np.arange(4096) * 16)
    sequence[0].LUTData = (np.arange(4096) * 16).astype(">u2").tobytes()
    np.testing.assert_allclose(shown(deep(), VOILUTSequence=sequence).astype(int), files.phantom(), atol=1)


def test_bytes_packed_into_words_are_read_in_big_endian() -> None:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 8])
    packed = (np.arange(4096) // 16).astype(np.uint8).view("<u2").astype(">u2").tobytes()
    item.add_new("LUTData", "OW", packed)
    content = dicom.dicom_file(deep(), syntax=ExplicitVRBigEndian, bits=12, VOILUTSequence=Sequence([item]))
    np.testing.assert_allclose(read_film(content).pixels.astype(int), files.phantom(), atol=1)


def table(descriptor: list[int] | int, entries: list[int], vr: str = "US") -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", vr, descriptor)
    item.add_new("LUTData", "US", entries)
    return Sequence([item])


RISING = list(range(4096))


@pytest.mark.parametrize(
    "sequence",
    [
        table([4096], RISING),
        table([4096, 0], RISING),
        table(4096, RISING),
        table([4096, 0, 0], RISING),
        table([4096, 0, 12], RISING, "SS"),
    ],
    ids=["one value", "two values", "single", "no bits", "signed"],
)
def test_a_descriptor_that_is_short_or_of_another_vr_is_completed_from_its_entries(
    sequence: Sequence,
) -> None:
    elements = {"WindowCenter": 1, "WindowWidth": 9000}
    np.testing.assert_allclose(
        shown(deep(), VOILUTSequence=sequence, **elements).astype(int), files.phantom(), atol=1
    )


BROKEN = [
    table([4096, 0, 12], RISING[:2048]),
    table([16], RISING),
    table([256, 0, 12], RISING),
]


@pytest.mark.parametrize("sequence", BROKEN, ids=["too few", "one value", "too many"])
def test_a_broken_table_gives_way_to_the_window_and_is_refused_without_one(sequence: Sequence) -> None:
    window_only = shown(deep(), WindowCenter=1000, WindowWidth=1500)
    both = shown(deep(), VOILUTSequence=sequence, WindowCenter=1000, WindowWidth=1500)
    np.testing.assert_array_equal(both, window_only)
    for name in ("VOILUTSequence", "ModalityLUTSequence"):
        with pytest.raises(UnreadableFilmError, match="look-up table") as caught:
            shown(deep(), **{name: sequence})
        assert caught.value.code == "damaged"


def test_a_table_of_too_few_entries_serves_a_film_that_needs_no_more() -> None:
    half = deep() // 2
    pixels = shown(half, VOILUTSequence=table([4096, 0, 12], [2 * entry for entry in RISING[:2048]]))
    np.testing.assert_allclose(pixels.astype(int), files.phantom(), atol=1)


def test_the_first_input_of_a_table_may_be_negative_in_any_vr() -> None:
    signed = (deep().astype(np.int32) - 2048).astype(np.int16)
    for first, vr in ((63488, "US"), (-2048, "SS")):
        pixels = shown(signed, VOILUTSequence=table([4096, first, 12], RISING, vr))
        np.testing.assert_allclose(pixels.astype(int), files.phantom(), atol=1)


@pytest.mark.parametrize(
    ("centre", "width", "function"),
    [
        (2048, 1, "LINEAR"),
        (2048, 2, "LINEAR"),
        (2048, 20, "LINEAR"),
        (2048, 1, "LINEAR_EXACT"),
        (2048, 1, "SIGMOID"),
        (1e5, 10, "LINEAR"),
        (-1e5, 10, "SIGMOID"),
    ],
)
def test_a_window_that_leaves_no_grey_does_not_count(centre: float, width: float, function: str) -> None:
    pixels = shown(deep(), WindowCenter=centre, WindowWidth=width, VOILUTFunction=function)
    np.testing.assert_allclose(pixels.astype(int), files.phantom(), atol=1)


def test_a_table_that_leaves_no_grey_does_not_count() -> None:
    step = table([4096, 0, 12], [0] * 2048 + [4095] * 2048)
    np.testing.assert_allclose(shown(deep(), VOILUTSequence=step).astype(int), files.phantom(), atol=1)


def test_a_later_window_is_shown_where_the_first_leaves_no_grey() -> None:
    both = shown(deep(), WindowCenter=[2048, 1500], WindowWidth=[2, 3000])
    np.testing.assert_array_equal(both, shown(deep(), WindowCenter=1500, WindowWidth=3000))


@pytest.mark.parametrize(
    ("slope", "intercept"), [(1, -1000), (0.5, 100), (1e-3, 7), (-1, 4095), (-10, 3000), (65536, 0)]
)
def test_without_a_window_the_range_of_the_stored_bits_goes_through_the_rescale(
    slope: float, intercept: float
) -> None:
    stored = deep() if slope > 0 else 4095 - deep()
    pixels = shown(stored, RescaleSlope=slope, RescaleIntercept=intercept)
    np.testing.assert_allclose(pixels.astype(int), files.phantom(), atol=1)


def test_without_a_window_the_range_of_the_stored_bits_goes_through_the_modality_lut() -> None:
    narrow = table([4096, 0, 16], [30000 - entry // 4 for entry in RISING])
    pixels = shown(4095 - deep(), ModalityLUTSequence=narrow)
    np.testing.assert_allclose(pixels.astype(int), files.phantom(), atol=1)


@pytest.mark.parametrize(
    ("spacing", "ratio"),
    [
        ({"PixelAspectRatio": ["2", "1"]}, 2.0),
        ({"PixelAspectRatio": ["1", "2"]}, 0.5),
        ({"PixelSpacing": ["0.4", "0.2"]}, 2.0),
        ({"ImagerPixelSpacing": ["0.15", "0.2"]}, 0.75),
        ({"NominalScannedPixelSpacing": ["0.4", "0.2"]}, 2.0),
    ],
)
def test_pixels_are_made_square_and_the_facts_keep_what_the_file_holds(
    spacing: dict[str, Any], ratio: float
) -> None:
    drawn = files.phantom(192, 160)
    hw = (round(192 / max(ratio, 1)), round(160 * min(ratio, 1)))
    squeezed = cv2.resize(drawn, (hw[1], hw[0]), interpolation=cv2.INTER_AREA).astype(np.uint8)
    film = read_film(dicom.dicom_file(squeezed, **spacing))
    assert film.hw == drawn.shape
    assert np.abs(film.pixels.astype(int) - drawn).mean() < 4
    assert film.facts.stored_hw == hw


@pytest.mark.parametrize(
    ("stated", "millimetres"),
    [
        ({"PixelSpacing": ["0.4", "0.4"]}, 0.4),
        ({"PixelSpacing": ["0.4", "0.2"]}, 0.2),  # rows are interpolated: twice as many, half as far apart
        ({"PixelSpacing": ["0.2", "0.4"]}, 0.2),
        ({"PixelSpacing": ["0.3", "0.3"], "ImagerPixelSpacing": ["0.4", "0.4"]}, 0.3),  # calibrated
        ({"ImagerPixelSpacing": ["0.4", "0.4"]}, 0.4),
        ({"ImagerPixelSpacing": ["1e9", "1e9"]}, None),
        ({"PixelAspectRatio": ["1", "1"]}, None),
        ({}, None),
    ],
)
def test_the_facts_state_how_far_rows_as_read_are_apart(
    stated: dict[str, Any], millimetres: float | None
) -> None:
    film = read_film(dicom.dicom_file(files.phantom(), **stated))
    assert film.facts.spacing_mm == (None if millimetres is None else pytest.approx(millimetres, rel=0.01))


@pytest.mark.parametrize(
    "spacing",
    [
        {"PixelSpacing": ["0", "0.2"]},
        {"PixelSpacing": ["0.2"]},
        {"PixelSpacing": ["0.2", "0.2004"]},
        {"PixelAspectRatio": ["100", "1"]},
    ],
)
def test_spacings_that_are_no_ratio_of_a_pixel_change_nothing(spacing: dict[str, Any]) -> None:
    film = read_film(dicom.dicom_file(files.phantom(), **spacing))
    np.testing.assert_array_equal(film.pixels, files.phantom())
