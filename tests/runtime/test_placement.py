import cv2
import numpy as np
import pytest

from cxr_runtime.model.preprocessing import Preprocessing, place, prepare
from cxr_runtime.placement import SHARPNESS, CellGrid, Placement

EVERY_PIXEL = CellGrid(origin=0.5, stride=1.0)


def test_heat_over_an_uncropped_film_of_the_input_s_size_is_unchanged() -> None:
    heat = np.random.default_rng(0).random((32, 32), dtype=np.float32)
    placement = Placement((32, 32), (0, 0, 32, 32), (32, 32))
    np.testing.assert_allclose(placement.heat_on_film(heat, EVERY_PIXEL, (32, 32)), heat, atol=1e-6)


def test_heat_is_zero_where_the_film_was_not_shown() -> None:
    placement = Placement((40, 60), (10, 5, 50, 35), (20, 20))
    on_film = placement.heat_on_film(np.ones((20, 20), np.float32), EVERY_PIXEL, (40, 60))
    assert on_film[5:35, 10:50].min() == 1
    on_film[5:35, 10:50] = 0
    assert on_film.max() == 0


def test_cells_are_found_at_their_true_centres_not_spread_over_the_input() -> None:
    cells = CellGrid(origin=15.5, stride=16.0)
    heat = np.zeros((13, 13), np.float32)
    heat[3, 10] = 1
    on_film = Placement((224, 224), (0, 0, 224, 224), (224, 224)).heat_on_film(heat, cells, (224, 224))
    row, column = divmod(int(on_film.argmax()), 224)
    assert row in (62, 63)
    assert column in (174, 175)


@pytest.mark.parametrize("film_hw", [(512, 512), (700, 500), (431, 977), (2500, 2048)])
@pytest.mark.parametrize("crop", ["film", "lung-field"])
def test_a_bright_square_is_found_again_to_the_pixel(film_hw: tuple[int, int], crop: str) -> None:
    rows, columns = film_hw
    step_y, step_x = rows / 100, columns / 100
    top, left = round(40 * step_y), round(30 * step_x)
    size = round(8 * min(step_y, step_x))
    film = np.zeros(film_hw, np.uint8)
    film[top : top + size, left : left + size] = 255
    box = (0.2 * columns, 0.25 * rows, 0.85 * columns, 0.9 * rows)
    how = Preprocessing(input_hw=(400, 400), working_hw=(800, 800), crop=crop)
    placement = place(film_hw, box, how)
    seen = prepare(film, placement, how).astype(np.float32) / np.float32(255)
    on_film = placement.heat_on_film(seen, EVERY_PIXEL, film_hw)
    ys, xs = np.nonzero(on_film > 0.5)
    input_pixel = max(rows, columns) / 400
    assert abs(ys.mean() + 0.5 - (top + size / 2)) < max(0.5, input_pixel / 4)
    assert abs(xs.mean() + 0.5 - (left + size / 2)) < max(0.5, input_pixel / 4)
    assert abs((ys.max() - ys.min() + 1) - size) <= max(1, input_pixel)


def test_a_box_beyond_the_film_is_padding_and_maps_back() -> None:
    placement = Placement((100, 50), (-25, 0, 75, 100), (100, 100))
    heat = np.zeros((100, 100), np.float32)
    heat[20, 30] = 1
    on_film = placement.heat_on_film(heat, EVERY_PIXEL, (100, 50))
    assert divmod(int(on_film.argmax()), 50) == (20, 5)


def test_between_cells_heat_is_cubic_as_opencv_has_it() -> None:
    heat = np.random.default_rng(1).random((9, 7), dtype=np.float32)
    on_film = Placement((90, 70), (0, 0, 70, 90), (224, 224)).heat_on_film(heat, CellGrid(0, 10), (90, 70))
    across = (np.arange(70, dtype=np.float32) + np.float32(0.5)) * np.float32(3.2 / 10)
    down = (np.arange(90, dtype=np.float32) + np.float32(0.5)) * np.float32(224 / 90 / 10)
    map_x, map_y = np.meshgrid(across, down)
    expected = cv2.remap(heat, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(on_film, np.clip(expected, heat.min(), heat.max()), atol=2e-3)


def test_between_cells_heat_is_the_sum_of_four_cells_step_by_step() -> None:
    heat = np.random.default_rng(2).random((5, 6), dtype=np.float32)
    grid, placement = CellGrid(0.5, 1.0), Placement((300, 300), (0, 0, 300, 300), (5, 6))
    weights = [np.zeros((count, 300), np.float32) for count in heat.shape]
    for axis, count in enumerate(heat.shape):
        at = (np.arange(300) + 0.5) / 300 * count - 0.5
        for step in (-1, 0, 1, 2):
            away = np.abs(at - np.floor(at) - step)
            near = (SHARPNESS + 2) * away**3 - (SHARPNESS + 3) * away**2 + 1
            far = SHARPNESS * (away**3 - 5 * away**2 + 8 * away - 4)
            cell = np.clip(np.floor(at) + step, 0, count - 1).astype(np.intp)
            weights[axis][cell, np.arange(300)] += np.where(away <= 1, near, far)
    seen = np.einsum("yb,bx->yx", np.einsum("ay,ab->yb", weights[0], heat), weights[1])
    np.testing.assert_array_equal(
        placement.heat_on_film(heat, grid, (300, 300)), np.clip(seen, heat.min(), heat.max())
    )
