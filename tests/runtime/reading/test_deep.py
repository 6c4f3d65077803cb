"""A film at its full depth: in its usual window it is what `read_film` shows, and it has more to give."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.film import DeepFilm, shrink
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.reading.deep import read_deep, set_right, within
from cxr_runtime.reading.film_file import read_film
from dicom_files import dicom_file

GREY = draw_phantom(5, hw=(200, 160))
TWELVE = GREY.astype(np.uint16) * 16 + 3


def differs(content: bytes) -> int:
    """By how many grey levels, at most, the two readings differ."""
    shown = read_deep(content).shown().astype(int)
    return int(np.abs(shown - read_film(content).pixels).max())


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"WindowCenter": 1500, "WindowWidth": 900},
        {"WindowCenter": 1500, "WindowWidth": 9000},
        {"WindowCenter": 1500, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"},
        {"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": 2000, "WindowWidth": 3000},
        {"RescaleSlope": -1, "RescaleIntercept": 4095, "WindowCenter": 2000, "WindowWidth": 3000},
        {"RescaleSlope": 0.25, "RescaleIntercept": -100, "WindowCenter": 400, "WindowWidth": 500},
        {"PixelPaddingValue": 3, "WindowCenter": 2000, "WindowWidth": 4000},
        {"PixelSpacing": [0.2, 0.1]},
    ],
)
def test_in_its_usual_window_a_dicom_film_is_as_it_was_scored(tags: dict[str, Any]) -> None:
    assert differs(dicom_file(TWELVE, BitsStored=12, **tags)) <= 1


def test_what_a_window_hides_is_there() -> None:
    narrow = read_deep(dicom_file(TWELVE, BitsStored=12, WindowCenter=1500, WindowWidth=100))
    assert narrow.values.dtype == np.uint16
    assert len(np.unique(narrow.values)) == len(np.unique(TWELVE))


def test_pixels_are_square_and_their_spacing_is_that_of_the_finer_axis() -> None:
    film = read_deep(dicom_file(TWELVE, BitsStored=12, PixelSpacing=[0.2, 0.1]))
    assert film.values.shape == (400, 160)
    assert film.spacing_mm == pytest.approx(0.1)
    assert read_deep(dicom_file(TWELVE, BitsStored=12)).spacing_mm is None


def png(pixels: NDArray[Any]) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def test_a_png_comes_with_the_bits_it_has() -> None:
    assert read_deep(png(GREY)).values.dtype == np.uint8
    deep = read_deep(png(TWELVE))
    assert np.array_equal(deep.values, TWELVE)
    assert differs(png(TWELVE)) <= 1


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("is_inverted", [False, True])
def test_a_film_that_the_gate_set_right_stands_as_its_preview(turn: int, is_inverted: bool) -> None:
    as_scored = np.ascontiguousarray(np.rot90(255 - GREY if is_inverted else GREY, turn))
    found = set_right(DeepFilm(TWELVE, (2051.5, 4081.0), 0.1), shrink(as_scored, 128))
    assert found is not None
    assert int(np.abs(found.shown().astype(int) - as_scored).max()) <= 1
    assert found.spacing_mm == 0.1


def test_another_film_is_not_taken_for_this_one() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (200, 160), np.uint8)
    assert set_right(DeepFilm(GREY, (127.5, 255.0)), noise) is None


def test_a_film_beyond_the_limit_is_shrunk_with_its_spacing() -> None:
    film = within(DeepFilm(TWELVE, (2000.0, 4000.0), 0.1), 8000)
    assert film.values.size <= 8000
    assert film.spacing_mm == pytest.approx(0.2)
