import cv2
import numpy as np
import pytest

from cxr_runtime import film
from cxr_runtime.film import (
    HALVED_FOR,
    PREVIEW_LONG_SIDE,
    Film,
    FilmFacts,
    at_reading_size,
    means,
    shrink,
    shrunk_hw,
    squared,
    standardised,
    thumbnail,
)
from cxr_runtime.gate import network, visibility
from cxr_runtime.lungs import atlas, field
from cxr_runtime.phantom import draw_phantom


@pytest.mark.parametrize("hw", [(128, 128), (300, 512), (1024, 1024), (1577, 1311)])
def test_a_large_film_is_averaged_as_in_one_step(hw: tuple[int, int]) -> None:
    film = draw_phantom(1, hw=hw)
    at_once = cv2.resize(film, (128, 128), interpolation=cv2.INTER_AREA).astype(float)
    assert np.abs(thumbnail(film, 128) - at_once).mean() < 1.0


def test_a_small_film_is_enlarged() -> None:
    film = draw_phantom(1, hw=(110, 100))
    assert thumbnail(film, 128).shape == (128, 128)


@pytest.mark.parametrize("hw", [(1024, 1024), (1024, 836), (837, 1024), (839, 1022), (4, 8)])
@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_the_means_of_squares_are_those_of_opencv_in_one_step(hw: tuple[int, int], side: int) -> None:
    grain = np.random.default_rng(2).integers(0, 256, hw, np.uint8)
    at_once = cv2.resize(grain, None, fx=1 / side, fy=1 / side, interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(means(grain, side), at_once)


def test_one_tone_stays_one_tone() -> None:
    assert (thumbnail(np.full((2047, 1999), 77, np.uint8), 160) == 77).all()


@pytest.mark.parametrize("hw", [(100, 130), (319, 700), (321, 960), (1024, 1024), (1577, 1311)])
@pytest.mark.parametrize("side", [64, 128, HALVED_FOR])
def test_a_thumbnail_of_the_halved_film_is_that_of_the_film(hw: tuple[int, int], side: int) -> None:
    film = Film(np.random.default_rng(1).integers(0, 256, hw, np.uint8), FilmFacts("png"))
    np.testing.assert_array_equal(thumbnail(film.halved, side), thumbnail(film.pixels, side))


def test_no_thumbnail_of_gate_or_lung_field_is_larger_than_what_the_film_is_halved_for() -> None:
    sides = (visibility.SIDE, network.INPUT_SIDE, field.INPUT_SIDE, atlas.SIDE)
    assert max(sides) == HALVED_FOR


@pytest.mark.parametrize("hw", [(803, 707), (711, 1024), (512, 512), (130, 64), (65, 1500), (2111, 300)])
@pytest.mark.parametrize("long_side", [20, 100, 156, 224, 300])
def test_a_film_is_shrunk_as_opencv_shrinks_it(hw: tuple[int, int], long_side: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (hw[0] + 3, hw[1] + 2), np.uint8)[2:-1, 1:-1]
    rows, columns = shrunk_hw(hw, long_side)
    expected = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(shrink(pixels, long_side), expected)


@pytest.mark.parametrize("hw", [(2047, 1400), (1300, 1023), (700, 300)])
def test_a_film_of_less_than_twice_reading_size_is_averaged_by_area(hw: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, hw, np.uint8)
    np.testing.assert_array_equal(at_reading_size(pixels), shrink(pixels, PREVIEW_LONG_SIDE))


@pytest.mark.parametrize("hw", [(2048, 1700), (2577, 3011), (4300, 3999), (2300, 100)])
def test_a_large_film_comes_to_reading_size_as_sharp_and_in_place(hw: tuple[int, int]) -> None:
    pixels = draw_phantom(1, hw=hw)
    found, exact = at_reading_size(pixels), shrink(pixels, PREVIEW_LONG_SIDE)
    assert found.shape == exact.shape == shrunk_hw(hw)
    assert np.abs(found.astype(float) - exact).mean() < 1.0
    detail, expected = (float(cv2.Laplacian(shown, cv2.CV_32F).std()) for shown in (found, exact))
    assert detail > 0.85 * expected
    moved = np.abs(np.roll(found, 1, axis=0)[1:].astype(float) - exact[1:]).mean()
    assert np.abs(found[1:].astype(float) - exact[1:]).mean() < moved


@pytest.mark.parametrize("tones", [256, 3, 1])
def test_a_standardised_thumbnail_is_numpy_s_to_the_bit(tones: int) -> None:
    film = np.random.default_rng(1).integers(0, tones, (500, 400), np.uint8)
    small = thumbnail(film, 160).astype(np.float32)
    expected = (small - small.mean()) / max(float(small.std()), 1.0)
    np.testing.assert_array_equal(standardised(film, 160), expected)


@pytest.mark.parametrize("ratio", [2.0, 0.5, 1.25, 0.8])
def test_pixels_of_another_shape_are_made_square_and_the_film_is_the_same(ratio: float) -> None:
    film = draw_phantom(1, hw=(400, 360))
    squeezed = (round(400 / max(ratio, 1)), round(360 * min(ratio, 1)))
    pixels = cv2.resize(film, (squeezed[1], squeezed[0]), interpolation=cv2.INTER_AREA)
    shown = squared(np.asarray(pixels, np.uint8), ratio)
    assert shown.shape == film.shape
    assert np.abs(shown.astype(int) - film).mean() < 3


@pytest.mark.parametrize("ratio", [1.0, 1.009, 0.991, 0.0, -2.0, 100.0, 0.01, float("nan"), float("inf")])
def test_square_pixels_and_spacings_that_cannot_be_leave_a_film_as_it_is(ratio: float) -> None:
    film = draw_phantom(1, hw=(110, 100))
    assert squared(film, ratio) is film


@pytest.mark.parametrize(("ratio", "hw"), [(2.0, (110, 50)), (0.5, (55, 100))])
def test_a_film_that_would_grow_too_large_is_shrunk_instead(
    ratio: float, hw: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film, "MAX_SQUARED_PIXELS", 20_000)
    assert squared(draw_phantom(1, hw=(110, 100)), ratio).shape == hw
