import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_calibration.fit.heat_range import (
    RED_SHOWN,
    THRESHOLDS,
    HeatRange,
    fit_heat_range,
    recipe_with,
    share_in_box,
)
from cxr_runtime.heat.map import HeatMethod, HeatRecipe, in_colour_range
from cxr_runtime.placement import CellGrid

CAM = HeatMethod.CAM


def _films(number: int = 40, noise: float = 0.03) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Boxes of 4 x 4 of 14 x 14 cells; heat 0.6 in them, 0.2 elsewhere, and noise."""
    random = np.random.default_rng(0)
    inside = np.zeros((number, 14, 14), np.bool_)
    for film in inside:
        row, column = random.integers(0, 10, size=2)
        film[row : row + 4, column : column + 4] = True
    heat = np.where(inside, 0.6, 0.2) + random.normal(0, noise, inside.shape)
    return np.clip(heat, 0, 1).astype(np.float32), inside


def _overlap(coloured: NDArray[np.bool_], inside: NDArray[np.bool_]) -> float:
    films = zip(coloured, inside, strict=True)
    return float(np.mean([(film & box).sum() / (film | box).sum() for film, box in films]))


def test_the_threshold_parts_boxes_from_the_rest() -> None:
    heat, inside = _films()
    fitted = fit_heat_range(heat, inside)
    assert 0.3 < fitted.threshold < 0.5
    assert fitted.red == pytest.approx(0.6 + 1.645 * 0.03, abs=0.01)
    assert _overlap(heat >= fitted.threshold, inside) > 0.98
    assert share_in_box(heat >= fitted.red, inside, np.arange(40).astype(np.str_)).value == 1


def test_no_other_threshold_overlaps_better_with_the_boxes() -> None:
    heat, inside = _films(noise=0.5)
    reached = _overlap(heat >= fit_heat_range(heat, inside).threshold, inside)
    assert reached == max(_overlap(heat >= threshold, inside) for threshold in THRESHOLDS)


def test_heat_that_knows_nothing_of_boxes_overlaps_with_none() -> None:
    heat, inside = _films()
    blind = np.random.default_rng(1).permutation(heat.ravel()).reshape(heat.shape)
    coloured = blind >= fit_heat_range(blind, inside).threshold
    share = share_in_box(coloured, inside, np.arange(40).astype(np.str_))
    assert share.value == pytest.approx(16 / 196, abs=0.03)
    assert _overlap(coloured, inside) < 0.12


def test_the_recipe_shows_red_as_red_and_keeps_the_threshold() -> None:
    recipe = HeatRecipe((1.0,), -0.5, 8.0, 0.5, CellGrid(0, 1), "conv5", 1.0)
    fitted = HeatRange(0.4, 0.7)
    changed = recipe_with(recipe, fitted)
    assert changed.threshold == 0.4
    shown = in_colour_range(np.array([[0.4, 0.7]], np.float32), changed.view(CAM))
    np.testing.assert_allclose(shown, [[0.4, RED_SHOWN]], atol=1e-4)


def test_a_range_set_twice_shows_red_as_red_again() -> None:
    recipe = HeatRecipe((1.0,), -0.5, 8.0, 0.5, CellGrid(0, 1), "conv5", 1.0, stretch=1.5, offset=0.3)
    heat = np.array([[0.2, 0.5]], np.float32)
    low, high = (float(h) for h in in_colour_range(heat, recipe.view(CAM))[0])
    changed = recipe_with(recipe, HeatRange(low, high))
    np.testing.assert_allclose(in_colour_range(heat, changed.view(CAM)), [[low, RED_SHOWN]], atol=1e-4)


def test_a_range_that_cannot_be_shown_is_refused() -> None:
    recipe = HeatRecipe((1.0,), -0.5, 8.0, 0.5, CellGrid(0, 1), "conv5", 1.0)
    with pytest.raises(ValueError, match="must be above the threshold"):
        recipe_with(recipe, HeatRange(0.6, 0.5))
    with pytest.raises(ValueError, match="too steep"):
        recipe_with(recipe, HeatRange(0.5, 0.505))


def test_films_without_boxes_or_of_other_shapes_are_refused() -> None:
    heat, inside = _films(4)
    with pytest.raises(ValueError, match="leave films without boxes out"):
        fit_heat_range(heat, np.zeros_like(inside))
    with pytest.raises(ValueError, match="do not belong together"):
        fit_heat_range(heat, inside[:, 1:])
