"""Heat becomes the colours that the legend names, and nothing below the threshold has one."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.heat.colours import (
    COLOUR_STEPS,
    LINE,
    LINE_WEIGHTS,
    MARK,
    legend,
    step_colours,
    step_opacities,
)
from cxr_runtime.heat.overlay import (
    LAYER_LONG_SIDE,
    LEAST_MARKED,
    MARK_RADIUS,
    OUTLINE_RGB,
    THUMBNAIL_LONG_SIDE,
    drawn_steps,
    heat_steps,
    overlay,
    thumbnail_jpeg,
)
from cxr_runtime.pictures import encode_indexed_png, encode_png, palette_chunks

THRESHOLD = 0.3


def test_heat_below_the_threshold_has_no_colour_and_heat_at_it_has_the_first() -> None:
    heat = np.array([[0, 0.2999, 0.3, 1]], np.float32)
    assert heat_steps(heat, THRESHOLD, (1, 4))[0].tolist() == [[0, 0, 1, COLOUR_STEPS]]


def test_the_steps_are_equal_parts_from_the_threshold_to_one() -> None:
    heat = np.linspace(THRESHOLD, 1, 7001, dtype=np.float32)[None]
    steps, _ = heat_steps(heat, THRESHOLD, heat.shape)
    counts = np.bincount(steps.ravel(), minlength=COLOUR_STEPS + 1)
    assert counts[0] == 0
    assert np.ptp(counts[1:]) <= 2


def test_the_strongest_heat_is_bright_red_and_the_weakest_pure_blue() -> None:
    colours = step_colours()
    assert colours[0].tolist() == [0, 0, 0]
    assert colours[1].tolist() == [0, 0, 255]
    assert colours[-1].tolist() == [255, 0, 0]
    assert len(np.unique(colours, axis=0)) == COLOUR_STEPS + 1


def test_the_film_shows_through_every_colour_and_step_0_covers_nothing() -> None:
    opacities = step_opacities()
    assert opacities[0] == 0
    assert 0 < opacities[1:].min() <= opacities.max() < 0.7


def test_the_legend_names_the_colours_that_are_drawn() -> None:
    for number, step in enumerate(legend(THRESHOLD), start=1):
        middle = np.full((1, 1), (step.low + step.high) / 2, np.float32)
        drawn = heat_steps(middle, THRESHOLD, (1, 1))[0][0, 0]
        assert drawn == number
        assert tuple(step_colours()[drawn]) == step.rgb
    assert legend(THRESHOLD)[0].low == THRESHOLD
    assert legend(THRESHOLD)[-1].high == 1


def test_heat_is_stretched_with_pixel_centres_at_one_half() -> None:
    steps, _ = heat_steps(np.array([[0, 1]], np.float32), 0.5, (3, 8))
    assert (steps > 0).tolist() == [[False] * 4 + [True] * 4] * 3


@pytest.mark.parametrize("threshold", [-0.1, 1.0, float("nan")])
def test_a_threshold_that_cannot_be_drawn_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="expected 0 or more"):
        heat_steps(np.zeros((2, 2), np.float32), threshold, (2, 2))


def plainly_drawn(heat: NDArray[np.float32], hw: tuple[int, int]) -> NDArray[np.uint8]:
    """`drawn_steps`, by the whole picture at each step."""
    low = np.float32(THRESHOLD)
    laid = cv2.resize((heat - low) * (COLOUR_STEPS / (1 - low)) + 1, hw[::-1], interpolation=cv2.INTER_LINEAR)
    steps = np.clip(laid, 0, COLOUR_STEPS).astype(np.uint8)
    found, scale = steps.copy(), max(hw) / LAYER_LONG_SIDE
    for step, weight in LINE_WEIGHTS.items():
        inside, side = (found >= step).astype(np.uint8), 2 * round(weight * scale) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        core = cv2.erode(inside, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1)
        steps[inside > np.asarray(core)] = LINE
    if steps.any() and max(hw) >= LEAST_MARKED:
        row, column = np.unravel_index(int(heat.argmax()), heat.shape)
        x, y = (float(column) + 0.5) / heat.shape[1], (float(row) + 0.5) / heat.shape[0]
        centre, thick = (round(x * hw[1] - 0.5), round(y * hw[0] - 0.5)), max(1, round(2 * scale))
        for colour, width in ((LINE, 3 * thick), (MARK, thick)):
            cv2.circle(steps, centre, round(MARK_RADIUS * scale), colour, width)
    return steps


@pytest.mark.parametrize("hw", [(1024, 1024), (1024, 836), (1024, 837), (512, 418), (300, 245), (112, 91)])
@pytest.mark.parametrize("seed", range(4))
def test_the_warm_part_alone_is_drawn_as_it_is_within_the_whole_picture(
    hw: tuple[int, int], seed: int
) -> None:
    noise = np.random.default_rng(seed).normal(size=(256, 209)).astype(np.float32)
    uneven = np.asarray(cv2.GaussianBlur(noise, (0, 0), 14), np.float32)
    heat = np.clip(
        uneven / uneven.max() * np.float32(1 - 0.2 * seed), 0, 1
    )  # more than one peak, some at edges
    steps, (rows, columns) = drawn_steps(heat, THRESHOLD, hw)
    np.testing.assert_array_equal(steps, plainly_drawn(heat, hw))
    steps[rows, columns] = 0
    assert not steps.any()


def drawn_film(hw: tuple[int, int] = (90, 120)) -> GreyPixels:
    ramp = np.linspace(20, 235, hw[0] * hw[1]).reshape(hw)
    return np.asarray(np.rint(ramp), np.uint8)


def warm_square(hw: tuple[int, int] = (9, 12)) -> NDArray[np.float32]:
    heat = np.zeros(hw, np.float32)
    heat[3:6, 6:9] = 1
    return heat


def test_a_film_without_heat_stays_as_it_was() -> None:
    film = drawn_film()
    picture = overlay(film, np.full((4, 4), 0.39, np.float32), 0.4)
    assert picture.shape == (90, 120, 3)
    assert picture.dtype == np.uint8
    assert (picture == film[..., None]).all()


def test_warm_pixels_turn_red_in_the_right_place_and_keep_the_films_contrast() -> None:
    film = drawn_film()
    picture = overlay(film, warm_square(), 0.4).astype(int)
    inside = picture[35:55, 65:85]
    assert (inside[..., 0] - inside[..., 2] > 60).all()
    assert (picture[:25] == film[:25, :, None]).all()
    assert (picture[:, :55] == film[:, :55, None]).all()
    assert np.corrcoef(inside[..., 2].ravel(), film[35:55, 65:85].ravel())[0, 1] > 0.99


def test_the_anatomy_is_still_there_under_every_colour() -> None:
    film = np.tile(np.array([60, 200], np.uint8), (8, 50))
    heat = np.repeat(np.linspace(0.4, 1, 50, dtype=np.float32), 2)
    picture = overlay(film, np.tile(heat, (8, 1)), 0.4)
    brightness = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(int)
    assert (brightness[:, 1::2] - brightness[:, ::2] > 45).all()


def test_an_outline_is_drawn_at_its_share_of_the_film() -> None:
    film = np.zeros((100, 200), np.uint8)
    square = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
    picture = overlay(film, np.zeros((4, 4), np.float32), 0.5, [square])
    rows, columns = np.nonzero(picture[..., 0] > 60)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == pytest.approx((25, 75, 50, 150), abs=1)
    assert tuple(picture[25, 100]) <= OUTLINE_RGB
    assert picture[50, 100].tolist() == [0, 0, 0]


def test_a_thumbnail_is_small_and_shows_the_heat_in_its_place() -> None:
    film = drawn_film((900, 1200))
    read = cv2.imdecode(np.frombuffer(thumbnail_jpeg(film, warm_square(), 0.4), np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    assert read.shape == (84, THUMBNAIL_LONG_SIDE, 3)
    redness = read[..., 2].astype(int) - read[..., 0]
    assert (redness[34:48, 62:78] > 60).all()
    assert (abs(redness[:20]) < 20).all()


def test_a_thumbnail_of_a_film_without_heat_is_grey_and_never_enlarged() -> None:
    film = drawn_film((60, 80))
    read = cv2.imdecode(np.frombuffer(thumbnail_jpeg(film, None, 0.4), np.uint8), cv2.IMREAD_UNCHANGED)
    assert read is not None
    assert read.shape == film.shape
    assert abs(read.astype(int) - film).max() < 12


@pytest.mark.parametrize("shape", [(1, 1, 3), (37, 53, 3), (64, 48), (5, 9, 4)])
def test_a_png_gives_back_every_pixel(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, shape, np.uint8)
    read = cv2.imdecode(np.frombuffer(encode_png(pixels), np.uint8), cv2.IMREAD_UNCHANGED)
    swap = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
    assert read is not None
    assert (read if pixels.ndim == 2 else cv2.cvtColor(read, swap[shape[2]])).tolist() == pixels.tolist()


def test_an_indexed_png_gives_back_colours_and_opacity() -> None:
    rgba = np.array([[0, 0, 0, 0], [0, 0, 255, 80], [255, 0, 0, 160]], np.uint8)
    indexes = np.random.default_rng(4).integers(0, 3, (20, 31), np.uint8)
    read = cv2.imdecode(
        np.frombuffer(encode_indexed_png(indexes, palette_chunks(rgba)), np.uint8), cv2.IMREAD_UNCHANGED
    )
    assert read is not None
    assert (cv2.cvtColor(read, cv2.COLOR_BGRA2RGBA) == rgba[indexes]).all()


def test_an_overlay_of_full_size_is_well_under_two_megabytes() -> None:
    rng = np.random.default_rng(5)
    grain = cv2.GaussianBlur(rng.normal(0, 14, (1024, 1024)), (0, 0), 1.2)
    film = np.asarray(np.clip(drawn_film((1024, 1024)) + 2 * grain, 0, 255), np.uint8)
    assert len(encode_png(overlay(film, warm_square(), 0.4))) < 2_000_000
